"""A device with a store and a state directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import Store
from tests.support.chain_writing import Box


@pytest.fixture
def box(store: Store, tmp_path: Path) -> Box:
    """A new device: it has no day key yet."""
    return Box(store.root, tmp_path / "state")
