"""A store is made once, recognised, and refused where it is missing: nothing is ever written below a mount
point.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline.store import Store, StoreError, StoreMissing, hold, lock_camera, lock_store, open_segment
from tests.support.store_writing import DEVICE, make_store, mark


def test_a_store_says_what_it_is(store: Store) -> None:
    noun = json.loads((store.root / "store.json").read_bytes())
    assert noun == {"format": 1, "device": DEVICE.hex(), "created": "2026-11-22T00:00:00Z"}
    assert Store(store.root).device == DEVICE
    assert sorted(path.name for path in store.root.iterdir()) == ["holds", "keys", "store.json"]


def test_a_store_is_not_made_twice(store: Store) -> None:
    with pytest.raises(StoreError, match="is a store already"):
        make_store(store.root)


@pytest.mark.parametrize("made", [True, False])
def test_an_empty_mount_point_is_no_store_and_stays_empty(
    tmp_path: Path, made: bool, recipients: list[Recipient]
) -> None:
    root = tmp_path / "mnt"
    if made:
        root.mkdir()
    store = Store(root)
    for write in (
        lambda: open_segment(store, mark(1), recipients),
        lambda: lock_camera(store, "front"),
        lambda: lock_store(store),
        lambda: hold(store, "front", 1, 2, 3),
    ):
        with pytest.raises(StoreMissing, match="not mounted"):
            write()
    assert not made or list(root.iterdir()) == []


def test_a_store_that_goes_away_while_we_run_is_noticed(store: Store, recipients: list[Recipient]) -> None:
    away = store.root.rename(store.root.with_name("unmounted"))
    store.root.mkdir()
    with pytest.raises(StoreMissing, match="not mounted"):
        open_segment(store, mark(1), recipients)
    make_store(store.root / "other").root.rename(store.root.with_name("other"))
    store.root.rmdir()
    store.root.with_name("other").rename(store.root)
    with pytest.raises(StoreMissing, match="another disk"):
        open_segment(store, mark(1), recipients)
    assert sorted(path.name for path in store.root.iterdir()) == ["holds", "keys", "store.json"]
    assert away.exists()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format":1,"device":"00"}', '{"format":1,"device":3}']
)
def test_a_damaged_store_file_is_said(store: Store, content: str) -> None:
    (store.root / "store.json").write_text(content)
    with pytest.raises(StoreError, match="is damaged"):
        Store(store.root).open_check()


def test_a_newer_format_is_said(store: Store) -> None:
    (store.root / "store.json").write_text(json.dumps({"format": 2, "device": DEVICE.hex()}))
    with pytest.raises(StoreError, match="use a newer one"):
        Store(store.root).open_check()
