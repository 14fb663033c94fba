"""What is deleted, and when: a pure planner. `pipeline.expiry` carries its plans out.

Rules:
- What a hold covers is never deleted, for no reason at all.
- The floor of free space wins over everything else: over days, bytes and deadlines.
- Until its deadline (`kept_until_ms`) a segment goes neither for its age nor for a limit of bytes.
- While the clock is unsure (`now_ms` is None) nothing goes for its age and every deadline is in the future;
  what was recorded under an unsure clock never goes for its age.
- What no event touches goes only if all its time was looked at, it has no deadline in the future, its clock
  was sure, and it ended `event_minutes` ago.
- One plan takes at most a tenth of a camera's segments, but always at least one where something must go; what
  no event touches has a number of its own (`MOST_UNTOUCHED`).
- Oldest first. A segment of an unsure clock is as old as what was recorded just before it, by its sequence.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.model import StreamName
from pipeline.names import DAY_MS, EVENT_STREAMS, HoldName, StoredSegment, day_start_ms
from pipeline.spans import Span, covers

SHARE = 10  # a plan takes at most a camera's segments divided by this
# A camera with two streams makes twelve segments between two passes, a minute apart: so this keeps up, and an
# hour in which nothing was deleted is caught up with in a quarter of one.
MOST_UNTOUCHED = 60


class Why(StrEnum):
    """What made a segment go."""

    AGE = "older than its camera's days"
    CAMERA_BYTES = "its camera's bytes"
    STORE_BYTES = "the store's bytes"
    FREE_SPACE = "free space on the disk"
    NO_EVENT = "no event touches it"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much of a camera is kept; None is without limit.

    `event_minutes`: of what no event touches only so much; None: events make no difference.
    """

    days: float | None = None
    max_bytes: int | None = None
    event_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the owner has said. `others` is for cameras that are no longer configured."""

    cameras: Mapping[str, Limits] = field(default_factory=dict)
    others: Limits = Limits()
    max_bytes: int | None = None
    min_free_bytes: int = 0

    def of(self, camera: str) -> Limits:
        """What counts for that camera."""
        return self.cameras.get(camera, self.others)


@dataclass(frozen=True, slots=True)
class StreamFootage:
    """What there is of a stream: totals, and its segments as far as they are asked for.

    `sure` in the order of start, `unsure` in the order of sequence.
    """

    name: StreamName
    segments: int
    size_bytes: int
    sure: Iterable[StoredSegment]
    unsure: Iterable[StoredSegment] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of a camera's footage of late: `spans` were looked at and touch no event (merged);
    `segments` of footage may lie in them, in whatever order.
    """

    camera: str
    spans: Sequence[Span]
    segments: Iterable[StoredSegment]


@dataclass(frozen=True, slots=True)
class Removal:
    """A segment to delete, and why."""

    segment: StoredSegment
    why: Why


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass deletes, oldest first within each reason.

    `unfinished`: more must go, which waits for the next pass. `urgent`: more must go at once, for the floor
    of free space. `short_bytes`: what that floor still lacks although everything that may go has gone.
    """

    removals: tuple[Removal, ...] = ()
    unfinished: bool = False
    urgent: bool = False
    short_bytes: int = 0


def plan(
    policy: Policy,
    footage: Sequence[StreamFootage],
    holds: Sequence[HoldName],
    free_bytes: int,
    now_ms: int | None,
    looked: Sequence[Looked] = (),
) -> Plan:
    """What to delete now. Reads no more of `footage` than it needs."""
    planner = _Planner(policy, footage, holds, now_ms)
    for one in looked:
        planner.apply_events(one)
    for camera in planner.cameras:
        planner.apply_limits_of(camera)
    planner.apply_store_bytes()
    planner.apply_floor(free_bytes)
    return Plan(tuple(planner.removals), planner.unfinished, planner.urgent, planner.short_bytes)


@dataclass(frozen=True, slots=True, order=True)
class _Aged:
    """A segment in the order of footage: `age_ms` is its start, or that of the last sure one before it."""

    age_ms: int
    path: str
    segment: StoredSegment = field(compare=False)


def in_order(stream: StreamFootage) -> Iterator[_Aged]:
    """One stream's segments as they were recorded, whatever the clock said meanwhile."""
    unsure = iter(stream.unsure)
    waiting = next(unsure, None)
    age_ms = 0
    for segment in stream.sure:
        while waiting is not None and waiting.name.sequence < segment.name.sequence:
            yield _Aged(age_ms, waiting.path, waiting)
            waiting = next(unsure, None)
        age_ms = segment.name.start_ms
        yield _Aged(age_ms, segment.path, segment)
    while waiting is not None:
        yield _Aged(age_ms, waiting.path, waiting)
        waiting = next(unsure, None)


class _Camera:
    """A camera's footage, read once and as far as needed."""

    def __init__(self, name: str, streams: Sequence[StreamFootage], holds: Sequence[HoldName]) -> None:
        self.name = name
        self.size_bytes = sum(stream.size_bytes for stream in streams)
        self.budget = max(1, sum(stream.segments for stream in streams) // SHARE)
        self._holds = [hold for hold in holds if hold.camera == name]
        self._rest = heapq.merge(*map(in_order, streams))
        self._read: list[_Aged] = []

    def oldest_first(self) -> Iterator[_Aged]:
        """What may go at all, from the beginning each time."""
        yield from self._read
        for aged in self._rest:
            if not self.holds(aged.segment):
                self._read.append(aged)
                yield aged

    def holds(self, segment: StoredSegment) -> bool:
        """Whether a hold covers it."""
        name = segment.name
        return any(hold.covers(self.name, name.start_ms, name.end_ms) for hold in self._holds)


class _Planner:
    def __init__(
        self, policy: Policy, footage: Sequence[StreamFootage], holds: Sequence[HoldName], now_ms: int | None
    ) -> None:
        self._policy = policy
        self._now_ms = now_ms
        names = sorted({stream.name.camera for stream in footage})
        self.cameras = [_Camera(name, [s for s in footage if s.name.camera == name], holds) for name in names]
        self._by_name = {camera.name: camera for camera in self.cameras}
        self._going: set[StoredSegment] = set()
        self.removals: list[Removal] = []
        self._blocked = False
        self.unfinished = False
        self.urgent = False
        self.short_bytes = 0

    def apply_events(self, looked: Looked) -> None:
        """What no event touches, where only events are kept."""
        camera = self._by_name.get(looked.camera)
        minutes = self._policy.of(looked.camera).event_minutes
        if camera is None or minutes is None or self._now_ms is None:
            return
        before_ms = self._now_ms - round(minutes * 60_000)
        untouched = [
            segment
            for segment in looked.segments
            if segment.name.end_ms <= before_ms and self._is_untouched(segment, looked.spans, camera)
        ]
        untouched.sort(key=lambda segment: (segment.name.start_ms, segment.path))
        for segment in untouched[:MOST_UNTOUCHED]:
            self._note(segment, Why.NO_EVENT)
        self.unfinished |= len(untouched) > MOST_UNTOUCHED

    def _is_untouched(self, segment: StoredSegment, spans: Sequence[Span], camera: _Camera) -> bool:
        name = segment.name
        return (
            segment.stream.stream not in EVENT_STREAMS
            and not name.clock_unsure
            and not self._is_kept(segment)
            and covers(spans, name.start_ms, name.end_ms)
            and not camera.holds(segment)
        )

    def apply_limits_of(self, camera: _Camera) -> None:
        """Age and the camera's bytes."""
        limits = self._policy.of(camera.name)
        over_bytes = 0 if limits.max_bytes is None else self._left_bytes(camera) - limits.max_bytes
        oldest_ms = (
            None if limits.days is None or self._now_ms is None else self._now_ms - limits.days * DAY_MS
        )
        for aged in camera.oldest_first():
            segment = aged.segment
            if segment in self._going:
                continue
            is_aged = oldest_ms is not None and segment.name.end_ms < oldest_ms
            if over_bytes <= 0 and (oldest_ms is None or aged.age_ms >= oldest_ms):
                return
            if self._is_kept(segment) or (over_bytes <= 0 and (segment.name.clock_unsure or not is_aged)):
                continue
            by_age = is_aged and not segment.name.clock_unsure
            if not self._take(segment, Why.AGE if by_age else Why.CAMERA_BYTES):
                return
            over_bytes -= segment.size_bytes

    def _left_bytes(self, camera: _Camera) -> int:
        """What the camera has without what goes already."""
        going = (one.size_bytes for one in self._going if one.stream.camera == camera.name)
        return camera.size_bytes - sum(going)

    def apply_store_bytes(self) -> None:
        """The store's bytes, over all cameras."""
        if self._policy.max_bytes is not None:
            stored = sum(camera.size_bytes for camera in self.cameras)
            self._free(stored - self._policy.max_bytes, Why.STORE_BYTES, kept_too=False)

    def apply_floor(self, free_bytes: int) -> None:
        """The floor: first what is not kept, then, if that is not enough, what is."""
        lacking = 0
        for kept_too in (False, True):
            self._blocked = False
            lacking = max(
                0, self._free(self._policy.min_free_bytes - free_bytes, Why.FREE_SPACE, kept_too=kept_too)
            )
            if not lacking or self._blocked:
                break
        self.urgent = lacking > 0 and self._blocked
        self.short_bytes = 0 if self.urgent else lacking  # not known before the next pass

    def _free(self, wanted_bytes: int, why: Why, *, kept_too: bool) -> int:
        """Frees that much, what goes already included; returns what is still lacking."""
        lacking = wanted_bytes - sum(removal.segment.size_bytes for removal in self.removals)
        if lacking <= 0:
            return lacking
        for aged in heapq.merge(*(camera.oldest_first() for camera in self.cameras)):
            segment = aged.segment
            if segment in self._going or (not kept_too and self._is_kept(segment)):
                continue
            if not self._take(segment, why):
                break
            lacking -= segment.size_bytes
            if lacking <= 0:
                break
        return lacking

    def _is_kept(self, segment: StoredSegment) -> bool:
        deadline_ms = segment.name.kept_until_ms
        return deadline_ms > 0 and (self._now_ms is None or deadline_ms > self._now_ms)

    def _take(self, segment: StoredSegment, why: Why) -> bool:
        camera = self._by_name[segment.stream.camera]
        if camera.budget == 0:
            self._blocked = self.unfinished = True
            return False
        camera.budget -= 1
        self._note(segment, why)
        return True

    def _note(self, segment: StoredSegment, why: Why) -> None:
        self._going.add(segment)
        self.removals.append(Removal(segment, why))


def expired_gap_days(days: Sequence[str], oldest_ms: int | None) -> list[str]:
    """The days whose gap marks go with their footage: those that ended before the camera's oldest segment.

    `oldest_ms` None: nothing says how old the oldest is, so nothing goes.
    """
    return [day for day in days if oldest_ms is not None and day_start_ms(day) + DAY_MS <= oldest_ms]


def forecast_days(
    bytes_per_day: Mapping[str, float], policy: Policy, stored_bytes: int, free_bytes: int
) -> dict[str, float | None]:
    """How many days of each camera there will be in the end, if all go on as they do; None is without end.

    Each camera has as much as its own days and bytes allow; where the disk (or the store's bytes) cannot hold
    that, those with the most days give way, since the oldest goes first.
    """
    room = max(0.0, stored_bytes + free_bytes - policy.min_free_bytes)
    if policy.max_bytes is not None:
        room = min(room, policy.max_bytes)
    own = {camera: _own_days(rate, policy.of(camera)) for camera, rate in bytes_per_day.items()}
    shared = _level(bytes_per_day, own, room)
    days = {
        camera: min(own[camera], shared) if rate > 0 else own[camera]
        for camera, rate in bytes_per_day.items()
    }
    return {camera: None if value == float("inf") else value for camera, value in days.items()}


def _own_days(bytes_per_day: float, limits: Limits) -> float:
    by_days = float("inf") if limits.days is None else float(limits.days)
    by_bytes = float("inf")
    if limits.max_bytes is not None and bytes_per_day > 0:
        by_bytes = limits.max_bytes / bytes_per_day
    return min(by_days, by_bytes)


def _level(bytes_per_day: Mapping[str, float], own: Mapping[str, float], room: float) -> float:
    """The days at which all cameras together fill the room, none having more than its own."""
    growing = {camera: rate for camera, rate in bytes_per_day.items() if rate > 0}
    while growing:
        level = room / sum(growing.values())
        content = [camera for camera in growing if own[camera] <= level]
        if not content:
            return level
        for camera in content:
            room -= own[camera] * growing.pop(camera)
    return float("inf")
