"""A store with a household, and somebody who keeps events in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import Store
from tests.support.events import Keeping
from tests.support.founding import Founded, found


@pytest.fixture
def founded(store: Store, tmp_path: Path) -> Founded:
    """Alice's."""
    return found(store.root, tmp_path / "state")


@pytest.fixture
def keeping(store: Store, founded: Founded) -> Keeping:
    """The store of events of `front`."""
    return Keeping(store, founded.state_dir)
