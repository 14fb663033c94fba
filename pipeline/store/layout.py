"""The store as a folder: made once, recognised by its `store.json`, and refused where that is missing.

Rules:
- Nothing makes the root or `store.json` but `create`. So when the disk is not mounted, the empty folder below
  its mount point is not a store, and nobody records to the disk that happens to be there.
- `open_check` is cheap (two stats after the first time) and stands before everything that makes a file: a
  disk that is unmounted or exchanged while we run is noticed at the next segment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.durable import make_directories, write_replacing
from pipeline.names import HOLDS, KEYS, STORE_FILE
from pipeline.store.errors import StoreError, StoreMissing

FORMAT = 1


@dataclass(frozen=True, slots=True)
class _Place:
    device_number: int
    inode: int


class Store:
    """The folder `root`. Making one does no I/O; `open_check` tells whether it is a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._place: _Place | None = None
        self._device = b""

    @property
    def device(self) -> bytes:
        """The 16 random bytes made once for this store. Checks the store if that has not been done: raises
        so.
        """
        if not self._device:
            self.open_check()
        return self._device

    def open_check(self) -> None:
        """Returns if the store is there, and the same as before. Raises StoreMissing or StoreError."""
        try:
            found = self.root.stat()
            (self.root / STORE_FILE).stat()
        except FileNotFoundError:
            raise StoreMissing(
                f"{self.root} is not a store: its disk is not mounted, or it was never made (see nvr init)"
            ) from None
        except OSError as error:
            raise StoreMissing(f"the store {self.root} cannot be read: {error.strerror}") from error
        place = _Place(found.st_dev, found.st_ino)
        if self._place is None:
            self._device = _read_device(self.root)
            self._place = place
        elif place != self._place:
            raise StoreMissing(f"{self.root} is another disk than before: restart nvr if that is meant to be")


def _read_device(root: Path) -> bytes:
    try:
        noun = json.loads((root / STORE_FILE).read_bytes())
        stated, device = noun["format"], bytes.fromhex(noun["device"])
    except OSError as error:
        raise StoreMissing(f"the store {root} cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError):
        raise StoreError(f"{root / STORE_FILE} is damaged: put back its copy from a backup") from None
    if stated != FORMAT:
        raise StoreError(
            f"the store {root} has format {stated}, this program knows {FORMAT}: use a newer one"
        )
    if len(device) != 16:
        raise StoreError(f"{root / STORE_FILE} is damaged: put back its copy from a backup")
    return device


def create(root: Path, device: bytes, created: datetime) -> Store:
    """Makes a store in `root` (which may exist, empty or not). Raises StoreError if it is one, and OSError.

    1. make the folder and those for keys and holds, each fsynced into its parent
    2. write `store.json` aside, fsync it, rename it, fsync the folder: from here on it is a store
    """
    if (root / STORE_FILE).exists():
        raise StoreError(f"{root} is a store already")
    root.mkdir(0o700, parents=True, exist_ok=True)
    make_directories(root, KEYS)
    make_directories(root, HOLDS)
    noun = {"format": FORMAT, "device": device.hex(), "created": f"{created:%Y-%m-%dT%H:%M:%SZ}"}
    write_replacing(root / STORE_FILE, json.dumps(noun).encode() + b"\n")
    store = Store(root)
    store.open_check()
    return store
