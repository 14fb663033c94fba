"""A device with a store and a state directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline.chain.day_key import public_of
from pipeline.chain.heads import Heads
from pipeline.chain.records import Gap
from pipeline.store import Store
from tests.support.chain_writing import Box
from tests.support.store_writing import DEVICE
from tests.support.verified_house import House, heads_of


@pytest.fixture
def box(store: Store, tmp_path: Path) -> Box:
    """A new device: it has no day key yet."""
    return Box(store.root, tmp_path / "state")


@pytest.fixture
def house(box: Box, store: Store, recipients: list[Recipient]) -> House:
    box.append(Gap("main", box.now_ms, "started"))
    first_key = public_of(box.place.day_key)
    assert first_key is not None
    made = House(store, box, {}, first_key, recipients, Heads("", DEVICE, 0, 0, "", {}))
    made.day(range(4))
    box.next_day()
    made.day(range(4, 8))
    made.head = heads_of(box)
    return made
