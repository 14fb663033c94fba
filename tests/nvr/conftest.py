"""A household for tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.household import Household, make_household


@pytest.fixture
def house(tmp_path: Path) -> Household:
    """Made by `nvr init`; no camera yet."""
    return make_household(tmp_path)
