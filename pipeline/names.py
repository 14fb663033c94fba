"""The names in the store: made and parsed here, nowhere else; those within `keys/` in `pipeline.key_names`.

Pure: text and numbers in, frozen values out.

Rules:
- A name says all that can be known of a file without opening it: the index can be made from names alone.
- There is exactly one spelling of each name: `parse(str(name)) == name`, and `str(parse(text)) == text`.
- Whatever is not such a name raises `NotAName`, whose message says what was wrong with it.
- Days and hours are UTC, of the start. Times are whole milliseconds from 1970 to the end of 9999.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from pipeline.model import StreamName

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
LONGEST_MS = 99_999_999  # of a segment: a camera that never sends a second keyframe for a day
LAST_SEQUENCE = 999_999_999_999_999
HIGHEST_BEGUN = LAST_SEQUENCE // 2  # a higher one was put there by somebody: nothing goes on from it

SEALED_SUFFIX = ".age"
PART_SUFFIX = ".part"
TAIL_SUFFIX = ".tail"
HOLD_SUFFIX = ".hold"
CHAIN_SUFFIX = ".chain"
GAPS = "gaps"
EVENTS = "events"
THUMBS = "thumbs"
CHAIN = "chain"
HOLDS = "holds"
KEYS = "keys"
MANIFEST = "manifest"  # within KEYS, as the next two
HEADS = "heads"
DAYS_FILE = "days.jsonl"  # the certificates of the day keys
LOCK = "lock"
WATCH_LOCK = "watch.lock"
INDEX = "index.sqlite"
STORE_FILE = "store.json"  # where it is missing there is no store, and nothing may be written
# What stands within KEYS beside the groups' folders, so that no group may be named after it.
RESERVED_GROUPS = frozenset({MANIFEST, HEADS, "days"})
# Folders beside the cameras, and beside a camera's streams, that no camera and no stream may be named after.
RESERVED_CAMERAS = frozenset({KEYS, HOLDS, "store", "index", "lock"})
EVENT_STREAMS = (EVENTS, THUMBS)  # stored beside the footage, in the same way, and not footage
RESERVED_STREAMS = frozenset({GAPS, *EVENT_STREAMS, CHAIN, "lock"})

COUNT = r"(0|[1-9][0-9]{0,14})"
_COMPONENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_STORED = re.compile(
    rf"{COUNT}\+(0|[1-9][0-9]{{0,7}})\.{COUNT}(?:\.(c|u|cu))?(?:\.k([1-9][0-9]{{0,14}}))?\.(mp4|json|jpg)\.age"
)
_PART = re.compile(rf"{COUNT}\.{COUNT}(?:\.(c))?\.(part|tail)")
_HOLD = re.compile(rf"([a-z0-9][a-z0-9_-]{{0,47}})\.{COUNT}-{COUNT}\.{COUNT}\.hold")
_CHAIN = re.compile(r"([1-9][0-9]{0,11})\.chain")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOUR = re.compile(r"[01][0-9]|2[0-3]")


class NotAName(ValueError):
    """The text is not a name of the store; the message says why, in a sentence."""


def bounded(what: str, value: int, last: int, first: int = 0) -> None:
    """Returns if `value` lies between `first` and `last`. Raises NotAName, which says `what` it is."""
    if not first <= value <= last:
        raise NotAName(f"{what} {value} is outside {first} to {last}")


def camera_name(text: str) -> str:
    """`text`, if a camera can be called that. Raises NotAName."""
    if not _COMPONENT.fullmatch(text) or text in RESERVED_CAMERAS:
        raise NotAName(
            f"{text!r} cannot be a camera's name: use lower-case letters, digits, '-' and '_', at most 48, "
            f"beginning with a letter or digit, and none of {', '.join(sorted(RESERVED_CAMERAS))}"
        )
    return text


def stream_name(camera: str, stream: str) -> StreamName:
    """The stream `camera/stream`. Raises NotAName."""
    if not _COMPONENT.fullmatch(stream) or stream in RESERVED_STREAMS:
        raise NotAName(f"{stream!r} cannot be a stream's name: main and sub are")
    return StreamName(camera_name(camera), stream)


def stored_stream_name(camera: str, stream: str) -> StreamName:
    """As `stream_name`, but the camera's events and thumbs count, too: whatever has files of its own."""
    if stream in EVENT_STREAMS:
        return StreamName(camera_name(camera), stream)
    return stream_name(camera, stream)


class FileKind(StrEnum):
    """What a stored file holds when it is unsealed: what stands before `.age` in its name."""

    FOOTAGE = "mp4"
    RECORD = "json"  # of an event
    THUMBNAIL = "jpg"  # of an event


def kind_of(stream: str) -> FileKind:
    """What the files of a stream of that name hold."""
    if stream == EVENTS:
        return FileKind.RECORD
    return FileKind.THUMBNAIL if stream == THUMBS else FileKind.FOOTAGE


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A published file's name: `<start_ms>+<duration_ms>.<seq>[.flags][.k<kept_until_ms>].<kind>.age`.

    `unfinished` (flag u): made at start-up from what a crash left; docs/format.md section 4 describes it.
    `clock_unsure` (flag c): its start may be wrong.
    `kept_until_ms`: not deleted for its age or for a limit of bytes before then; 0 says nothing.
    """

    start_ms: int
    duration_ms: int
    sequence: int
    clock_unsure: bool = False
    unfinished: bool = False
    kept_until_ms: int = 0
    kind: FileKind = FileKind.FOOTAGE

    def __post_init__(self) -> None:
        if (  # in one look, since the index makes ten thousands of these
            0 <= self.start_ms <= LAST_MS
            and 0 <= self.duration_ms <= LONGEST_MS
            and 0 <= self.sequence <= LAST_SEQUENCE
            and 0 <= self.kept_until_ms <= LAST_MS
        ):
            return
        bounded("start", self.start_ms, LAST_MS)
        bounded("duration", self.duration_ms, LONGEST_MS)
        bounded("sequence", self.sequence, LAST_SEQUENCE)
        bounded("deadline", self.kept_until_ms, LAST_MS)

    @property
    def end_ms(self) -> int:
        """Where the next segment would begin, UTC."""
        return self.start_ms + self.duration_ms

    def __str__(self) -> str:
        flags = ("c" if self.clock_unsure else "") + ("u" if self.unfinished else "")
        dotted = f".{flags}" if flags else ""
        deadline = f".k{self.kept_until_ms}" if self.kept_until_ms else ""
        kind = f".{self.kind.value}{SEALED_SUFFIX}"
        return f"{self.start_ms}+{self.duration_ms}.{self.sequence}{dotted}{deadline}{kind}"

    @classmethod
    def parse(cls, text: str) -> SegmentName:
        """The name that is spelled so. Raises NotAName."""
        match = _STORED.fullmatch(text)
        if match is None:
            raise NotAName(f"{text!r} is not the name of a segment")
        start, duration, sequence, flags, kept, kind = match.groups()
        flags = flags or ""
        marks = "c" in flags, "u" in flags, int(kept or 0), FileKind(kind)
        return cls(int(start), int(duration), int(sequence), *marks)


@dataclass(frozen=True, slots=True)
class PartName:
    """A segment being written: its sealed bytes in `.part`, what those lack yet in `.tail`."""

    start_ms: int
    sequence: int
    clock_unsure: bool = False

    def __post_init__(self) -> None:
        bounded("start", self.start_ms, LAST_MS)
        bounded("sequence", self.sequence, LAST_SEQUENCE)

    def _stem(self) -> str:
        return f"{self.start_ms}.{self.sequence}{'.c' if self.clock_unsure else ''}"

    @property
    def part(self) -> str:
        """The file name of the age file being written."""
        return self._stem() + PART_SUFFIX

    @property
    def tail(self) -> str:
        """The file name of its tail log."""
        return self._stem() + TAIL_SUFFIX

    def published(self, duration_ms: int, *, unfinished: bool = False, kept_until_ms: int = 0) -> SegmentName:
        """The name it gets in the end."""
        return SegmentName(
            self.start_ms,
            min(duration_ms, LONGEST_MS),
            self.sequence,
            self.clock_unsure,
            unfinished,
            kept_until_ms,
        )

    @classmethod
    def parse(cls, text: str) -> PartName:
        """The name that `text`, ending in .part or .tail, belongs to. Raises NotAName."""
        match = _PART.fullmatch(text)
        if match is None:
            raise NotAName(f"{text!r} is not the name of a segment being written")
        return cls(int(match[1]), int(match[2]), match[3] is not None)


@dataclass(frozen=True, slots=True, order=True)
class HoldName:
    """A mark that exempts: what `camera` recorded from `from_ms` until before `to_ms` is never deleted."""

    camera: str
    from_ms: int
    to_ms: int
    made_ms: int

    def __post_init__(self) -> None:
        camera_name(self.camera)
        bounded("from", self.from_ms, LAST_MS)
        bounded("to", self.to_ms, LAST_MS, self.from_ms + 1)
        bounded("made", self.made_ms, LAST_MS)

    def covers(self, camera: str, start_ms: int, end_ms: int) -> bool:
        """Whether any of `camera`'s footage from `start_ms` until before `end_ms` is held."""
        return self.camera == camera and start_ms < self.to_ms and max(end_ms, start_ms + 1) > self.from_ms

    def __str__(self) -> str:
        return f"{self.camera}.{self.from_ms}-{self.to_ms}.{self.made_ms}{HOLD_SUFFIX}"

    @classmethod
    def parse(cls, text: str) -> HoldName:
        """The name that is spelled so. Raises NotAName."""
        match = _HOLD.fullmatch(text)
        if match is None:
            raise NotAName(f"{text!r} is not the name of a hold")
        return cls(match[1], int(match[2]), int(match[3]), int(match[4]))


@dataclass(frozen=True, slots=True, order=True)
class GapMark:
    """Recording of a stream stopped at `at_ms`, and why (short words, no URL): a line of a gaps file."""

    stream: StreamName
    at_ms: int
    reason: str

    def line(self) -> str:
        """The JSON line, with its end of line."""
        noun = {"stream": self.stream.stream, "at_ms": self.at_ms, "reason": self.reason}
        return json.dumps(noun, separators=(",", ":")) + "\n"

    @classmethod
    def parse(cls, camera: str, line: str | bytes) -> GapMark:
        """The mark in a line of one of `camera`'s gaps files. Raises NotAName."""
        try:
            noun = json.loads(line)
            stream, at_ms, reason = noun["stream"], noun["at_ms"], noun["reason"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NotAName("a line of a gaps file is not a gap mark") from None
        if not (isinstance(stream, str) and type(at_ms) is int and isinstance(reason, str)):
            raise NotAName("a line of a gaps file is not a gap mark")
        bounded("at_ms", at_ms, LAST_MS)
        return cls(stream_name(camera, stream), at_ms, reason)


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A published segment, or another stored file, as its place, its name and its size say it: also a row of
    the index.
    """

    stream: StreamName
    name: SegmentName
    size_bytes: int

    @property
    def path(self) -> str:
        """Where it lies, relative to the store."""
        return f"{hour_directory(self.stream, self.name.start_ms)}/{self.name}"


@lru_cache(maxsize=256)
def _day_of_number(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d").rjust(10, "0")


def day_of(at_ms: int) -> str:
    """The UTC day as `yyyy-mm-dd`. Raises NotAName outside 1970 to 9999."""
    bounded("time", at_ms, LAST_MS)
    return _day_of_number(at_ms // DAY_MS)


def hour_of(at_ms: int) -> str:
    """The UTC hour as two digits."""
    return f"{at_ms % DAY_MS // HOUR_MS:02d}"


def day_start_ms(day: str) -> int:
    """When a UTC day `yyyy-mm-dd` begins. Raises NotAName."""
    try:
        if not _DAY.fullmatch(day):
            raise ValueError(day)
        start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        raise NotAName(f"{day!r} is not a day written as yyyy-mm-dd") from None
    bounded("day", start, LAST_MS)
    return start


def hour_start_ms(day: str, hour: str) -> int:
    """When the hour of the folder `day/hour` begins. Raises NotAName."""
    if not _HOUR.fullmatch(hour):
        raise NotAName(f"{hour!r} is not an hour written as 00 to 23")
    return day_start_ms(day) + int(hour) * HOUR_MS


def hour_directory(stream: StreamName, start_ms: int) -> str:
    """The folder of segments that begin at `start_ms`, relative to the store."""
    return f"{stream.camera}/{stream.stream}/{day_of(start_ms)}/{hour_of(start_ms)}"


def gaps_path(camera: str, at_ms: int) -> str:
    """The file with the gap marks of that day, relative to the store."""
    return f"{camera}/{GAPS}/{day_of(at_ms)}.jsonl"


def gaps_day(file_name: str) -> str:
    """The day of a gaps file, from its file name. Raises NotAName."""
    day = file_name.removesuffix(".jsonl")
    day_start_ms(day)
    if day == file_name:
        raise NotAName(f"{file_name!r} is not the name of a gaps file")
    return day


def chain_path(camera: str, number: int) -> str:
    """The file of a camera's chain that the day key of that number signs, relative to the store."""
    return f"{camera}/{CHAIN}/{number}{CHAIN_SUFFIX}"


def chain_number(file_name: str) -> int:
    """The number of a file of a chain, from its file name. Raises NotAName."""
    match = _CHAIN.fullmatch(file_name)
    if match is None:
        raise NotAName(f"{file_name!r} is not the name of a file of a chain")
    return int(match[1])
