"""Where lessons lie: `feedback/CAMERA.json` in the folder of what the device keeps outside the store.

Rules:
- A file is replaced whole, with mode 0600, and belongs to whoever the folder belongs to: also when somebody
  writes it as root.
- The watcher reads it again when it has changed. One that cannot be read teaches nothing, and stops nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.feedback.rule import Feedback, Lesson
from pipeline.feedback.written import NotFeedback, parsed, written
from pipeline.plain_file import read_plain
from pipeline.scene import Box

FOLDER = "feedback"
_LARGEST_BYTES = 4 * 1024 * 1024


def feedback_path(state_dir: Path, camera: str) -> Path:
    """A camera's file."""
    return state_dir / FOLDER / f"{camera}.json"


def load(state_dir: Path, camera: str) -> tuple[Lesson, ...]:
    """The camera's lessons, none without a file. Raises NotFeedback, OSError."""
    try:
        return parsed(read_plain(feedback_path(state_dir, camera), _LARGEST_BYTES), camera)
    except FileNotFoundError:
        return ()


def save(state_dir: Path, camera: str, lessons: Sequence[Lesson]) -> None:
    """Makes these the camera's lessons; without any, the file goes. Raises OSError."""
    path = feedback_path(state_dir, camera)
    if not lessons:
        path.unlink(missing_ok=True)
        return
    owner = state_dir.stat()
    if not path.parent.exists():
        path.parent.mkdir(0o700)
        _give(path.parent, owner)
    fresh = path.with_name(f".{path.name}.new")
    try:
        _write(fresh, written(camera, lessons), owner)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def cameras_taught(state_dir: Path) -> list[str]:
    """The cameras that have a file, in the order of their names. Raises OSError."""
    folder = state_dir / FOLDER
    if not folder.is_dir():
        return []
    return sorted(path.stem for path in folder.iterdir() if path.suffix == ".json" and path.stem[:1] != ".")


class KeptFeedback:
    """What a camera has been taught, for as long as the watcher runs: a judge that follows its file."""

    def __init__(self, state_dir: Path, camera: str) -> None:
        self._state_dir = state_dir
        self._camera = camera
        self._mark: tuple[int, int, int] | None = None
        self._feedback = Feedback()
        self.fault = ""
        """Why the file teaches nothing: a sentence, or empty."""
        self.refresh()

    def needed_score(self, label: str, box: Box, at_ns: int, usual: float) -> float:
        """As `Feedback.needed_score`."""
        return self._feedback.needed_score(label, box, at_ns, usual)

    def refresh(self) -> bool:
        """Reads the file if it is another one than last time; whether it was. Costs one `stat`."""
        mark = _mark(feedback_path(self._state_dir, self._camera))
        if mark == self._mark:
            return False
        self._mark, self.fault = mark, ""
        try:
            self._feedback = Feedback(load(self._state_dir, self._camera))
        except NotFeedback as fault:
            self._feedback, self.fault = Feedback(), str(fault)
        except OSError as fault:
            reason = (fault.strerror or "it cannot be read").lower()
            self._feedback, self.fault = (
                Feedback(),
                f"What was taught about {self._camera} does not count: {reason}.",
            )
        return True


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _write(path: Path, content: bytes, owner: os.stat_result) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _give(path, owner)


def _give(path: Path, owner: os.stat_result) -> None:
    """To the folder's owner, where we are root and it is not."""
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
