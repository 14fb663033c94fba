"""A household on which the watcher looks, and what a test wants to know of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.errors import CryptoError
from crypto.identity import Identity
from crypto.unseal import open_stream
from nvr.keyholder.opening import footage_identities
from pipeline.health import read_report
from pipeline.watch_report import WatchReport, read_watch_report
from tests.support.household import Household, Running

HEAVY = ("numpy", "cv2", "litert", "opencv")  # in the paths of what a process has mapped


@dataclass(frozen=True, slots=True)
class Kept:
    """An event's file as it lies in the store, and what is sealed in it."""

    path: Path
    plaintext: bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """The household and its `nvr run`."""

    house: Household
    run: Running

    def report(self) -> WatchReport | None:
        """What the watcher says; None while there is none."""
        return read_watch_report(self.house.run_dir)

    def watcher(self) -> int:
        """The watcher's process; 0 for none."""
        return self._child(b"watch")

    def recorder(self, camera: str) -> int:
        """A camera's recorder; 0 for none."""
        return self._child(b"record", camera.encode())

    def _child(self, *words: bytes) -> int:
        for pid in self.run.children():
            try:
                said = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(said[at : at + len(words)] == [*words] for at in range(len(said))):
                return pid
        return 0

    def recorded_ms(self, camera: str) -> int:
        """Until when footage is published, by the recorder's own word."""
        report = read_report(self.house.run_dir, camera)
        return report.streams["main"].last_segment_end_ms if report else 0

    def kept(self, suffix: str) -> list[Kept]:
        """The events' files of that kind (`.json.age`, `.jpg.age`), under way or finished, opened."""
        identities = footage_identities(str(self.house.key_file), self.house.store, [])
        paths = [*self.house.store.rglob(f"*{suffix}"), *self.house.store.rglob(f"*{suffix}.part")]
        return [kept for path in paths if (kept := _opened(path, identities))]

    def records(self, camera: str) -> list[dict[str, Any]]:
        """What is sealed of a camera's events."""
        return [json.loads(one.plaintext) for one in self.kept(".json.age") if camera in one.path.parts]


def mapped(pid: int) -> set[str]:
    """Which of the heavy libraries a process has loaded."""
    maps = Path(f"/proc/{pid}/maps").read_text().lower()
    return {name for name in HEAVY if name in maps}


def _opened(path: Path, identities: Sequence[Identity]) -> Kept | None:
    try:
        with path.open("rb") as file:
            return Kept(path, b"".join(open_stream(file, identities)))
    except (FileNotFoundError, CryptoError):
        return None  # it has got another name meanwhile
