"""What a device keeps of its household outside the store: `household.json` in the state directory.

    {"root": "<digest of version 1>", "line": "<the newest manifest that was accepted>"}

Rules:
- It is the device's own word to itself: whoever can write there controls the device.
- It only goes forward: of several processes, none puts an older version in the place of a newer one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.durable import write_replacing
from pipeline.household.document import SignedManifest
from pipeline.household.errors import ManifestDamaged
from pipeline.household.model import Pin

FILE = "household.json"
LOCK = "household.lock"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The newest version that was accepted, of the household known by `root`."""

    root: bytes
    newest: SignedManifest

    @property
    def pin(self) -> Pin:
        """What a newer version is checked against."""
        return Pin(self.root, self.newest.manifest.version, self.newest.digest)


def recall(state_dir: Path) -> Remembered | None:
    """What is remembered; None when there is nothing. Raises ManifestDamaged, OSError."""
    path = state_dir / FILE
    try:
        noun = json.loads(path.read_bytes())
        root, line = noun["root"], noun["line"]
        return Remembered(bytes.fromhex(root), SignedManifest.parse(line.encode("ascii")))
    except FileNotFoundError:
        return None
    except (ManifestDamaged, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ManifestDamaged(f"{path} is damaged: what was remembered of the household is lost") from None


def remember(state_dir: Path, fresh: Remembered) -> None:
    """Makes `fresh` what is remembered, durably, unless a newer version of it is. Raises OSError.

    The folder is made, for its owner alone, where it is missing.
    """
    state_dir.mkdir(0o700, parents=True, exist_ok=True)
    with _locked(state_dir):
        with contextlib.suppress(ManifestDamaged):
            known = recall(state_dir)
            if known and known.root == fresh.root and known.pin.version >= fresh.pin.version:
                return
        noun = {"root": fresh.root.hex(), "line": bytes(fresh.newest).decode("ascii")}
        write_replacing(state_dir / FILE, json.dumps(noun).encode() + b"\n")


@contextlib.contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    descriptor = os.open(state_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
