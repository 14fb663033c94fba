"""Which time of a camera was looked at and touches no event: `state_dir/watched/<camera>.json`.

Record mode *events* deletes footage that lies wholly in such time. So the file may say too little, never too
much:
- What was not looked at (no watcher, no picture, an unsure clock) is not in it.
- The last `hold_back_ms` are not in it: an event begins before it is recognised.
- The time of an event never gets into it, whether its footage has its deadline yet or not.
- Nothing is said of the time before `KEPT_MS`: what was kept so long goes with its camera's days.
- Where more than events is kept, there is no file.
- A file that is damaged or gone says nothing. It is replaced whole, not flushed: after a power cut it may say
  less.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.names import DAY_MS
from pipeline.spans import Span, merged, within, without

FOLDER = "watched"
FORMAT = 1
HOLD_BACK_MS = 90_000  # an event may reach back 55 s from when it is recognised, and its pre-roll before that
KEPT_MS = 2 * DAY_MS
APART_MS = 1  # spans that only a rounded millisecond parts are one


def watched_path(state_dir: Path, camera: str) -> Path:
    """The camera's file."""
    return state_dir / FOLDER / f"{camera}.json"


def read_watched(state_dir: Path, camera: str) -> list[Span]:
    """What the camera's file says, merged; nothing where there is none, or what is there is damaged."""
    try:
        return parse_watched(watched_path(state_dir, camera).read_bytes())
    except (OSError, ValueError):
        return []


def parse_watched(content: bytes) -> list[Span]:
    """The spans in a file. Raises ValueError for what is none."""
    try:
        noun = json.loads(content)
        stated, pairs = noun["format"], [Span(*pair) for pair in noun["spans"]]
    except (LookupError, TypeError, RecursionError) as fault:
        raise ValueError("no file of watched spans") from fault
    if stated != FORMAT or any(type(at_ms) is not int for pair in pairs for at_ms in pair):
        raise ValueError("no file of watched spans")
    return merged(pairs)


def watched_file(spans: Iterable[Span]) -> bytes:
    """The file that says so."""
    return json.dumps({"format": FORMAT, "spans": merged(spans)}, separators=(",", ":")).encode() + b"\n"


class Watched:
    """One camera's, for one thread: its watcher's."""

    def __init__(self, state_dir: Path, camera: str, hold_back_ms: int = HOLD_BACK_MS) -> None:
        """Goes on with what the file says. `hold_back_ms`: how long after its beginning an event may be
        recognised.
        """
        self._path = watched_path(state_dir, camera)
        self._hold_back_ms = hold_back_ms
        self._spans = read_watched(state_dir, camera)
        self._events: list[Span] = []

    @property
    def spans(self) -> list[Span]:
        """What was looked at and is in no event, the last moments included."""
        return without(self._spans, self._events)

    def looked(self, from_ms: int, to_ms: int) -> None:
        """All that time was looked at (UTC, of a sure clock)."""
        self._spans = merged([*self._spans, Span(from_ms, to_ms + APART_MS)])

    def touched(self, from_ms: int, to_ms: int) -> None:
        """That time is an event's, or something else that must not count as looked at."""
        self._events = merged([*self._events, Span(from_ms, to_ms)])

    def forget(self) -> None:
        """Nothing is said any more. Raises OSError."""
        self._spans, self._events = [], []
        self._path.unlink(missing_ok=True)

    def save(self, now_ms: int) -> None:
        """Writes what may be relied on. Raises OSError.

        Retention reads it while we write: so it is written aside, and renamed.
        """
        oldest_ms = now_ms - KEPT_MS
        self._spans = within(self._spans, oldest_ms, now_ms + KEPT_MS)
        self._events = within(self._events, oldest_ms, now_ms + KEPT_MS)
        content = watched_file(within(self.spans, oldest_ms, now_ms - self._hold_back_ms))
        self._path.parent.mkdir(0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self._path.name}.new")
        try:
            fresh.write_bytes(content)
            fresh.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
