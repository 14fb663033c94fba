"""Whether packets are worth decoding, judged by their sizes alone, as learnt from what motion found. Pure.

Rules:
- Sizes are means over a second without keyframes, learnt in half seconds, as logarithms: what counts is how
  many times larger than usual.
- It is sure of stillness only below what 97 of 100 moving half seconds had, and only while most still ones
  lie below that, too. On constant bit rates and in heavy noise they do not: then it abstains, as it does
  until it has seen enough of both.
- Moving sizes are remembered relative to the still ones of their time: by night all packets grow.
- It learns from keyframes that were checked as well, so what it once took for still makes it careful.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

_SLOT_NS = 500_000_000
_WAITING_SLOTS = 64
_KEPT_STILL, _KEPT_MOVING = 240, 480  # two minutes and four
_LEAST_STILL, _LEAST_MOVING = 40, 120  # a minute of motion: less does not show its variety
_MISSED = 0.03  # of moving half seconds that may look still, less what chance adds to so few
_PASSING = 0.5  # of still half seconds that may look moving
_LEARNING_EVERY = 8
_LEAST_APART = math.log(1.03)  # sizes of a constant rate may differ by less
_LARGER = math.log(1.3)  # than any still one: surely something moves
_SURGE = math.log(1.6)


class Verdict(StrEnum):
    """What the sizes of the last packets say."""

    STILL = "still"
    MOVING = "moving"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate says now, whether sizes tell still from moving on this stream, and why."""

    verdict: Verdict
    separates: bool
    why: str


@dataclass(slots=True)
class _Slot:
    """Half a second of packets, and how much of it was found moving and still."""

    from_ns: int
    total_bytes: int = 0
    count: int = 0
    largest_bytes: int = 0
    bytes_before: int = 0  # in the slot before, and how many
    count_before: int = 0
    moved_ns: int = 0
    still_ns: int = 0

    @property
    def mean_bytes(self) -> float:
        """Of this slot's packets and those of the one before."""
        return (self.bytes_before + self.total_bytes) / (self.count_before + self.count)


class Gate:
    """The gate of one stream. Times are UTC nanoseconds of the packets."""

    def __init__(self) -> None:
        self._slot: _Slot | None = None
        self._waiting: deque[_Slot] = deque(maxlen=_WAITING_SLOTS)
        self._learnt = _Learnt()
        self._verdict = Verdict.UNSURE

    def packet(self, size_bytes: int, is_keyframe: bool, at_ns: int) -> None:
        """Takes the size of a video packet, decoded or not."""
        slot = self._slot
        if slot is None or not 0 <= at_ns - slot.from_ns < _SLOT_NS:
            slot = self._next_slot(at_ns)
        if is_keyframe or size_bytes <= 0:
            return
        slot.total_bytes += size_bytes
        slot.count += 1
        slot.largest_bytes = max(slot.largest_bytes, size_bytes)
        self._verdict = self._learnt.judge(slot.mean_bytes, size_bytes)

    def taught(self, moved: bool, from_ns: int, to_ns: int) -> None:
        """Whether something moved between these times, as motion found. To be told in their order."""
        for slot in (*self._waiting, *([self._slot] if self._slot else [])):
            shared_ns = min(to_ns, slot.from_ns + _SLOT_NS) - max(from_ns, slot.from_ns)
            if shared_ns > 0:
                if moved:
                    slot.moved_ns += shared_ns
                else:
                    slot.still_ns += shared_ns
        while self._waiting and self._waiting[0].from_ns + _SLOT_NS <= to_ns - _SLOT_NS:
            self._learnt.take(self._waiting.popleft())

    def verdict(self) -> Verdict:
        """What the sizes up to now say."""
        return self._verdict

    def report(self) -> GateReport:
        """What it has learnt."""
        return GateReport(self._verdict, self._learnt.separates, self._learnt.why)

    def _next_slot(self, at_ns: int) -> _Slot:
        """Begins a slot; after a pause or a jump in time, what was before does not count any more."""
        last = self._slot
        if last is not None and _SLOT_NS <= at_ns - last.from_ns < 2 * _SLOT_NS:
            if last.count:
                self._waiting.append(last)
            slot = _Slot(last.from_ns + _SLOT_NS, bytes_before=last.total_bytes, count_before=last.count)
        else:
            self._waiting.clear()
            self._verdict = Verdict.UNSURE
            slot = _Slot(at_ns)
        self._slot = slot
        return slot


class _Learnt:
    """What still and moving half seconds looked like, and the limits between."""

    def __init__(self) -> None:
        self._still: deque[float] = deque(maxlen=_KEPT_STILL)
        self._largest: deque[float] = deque(maxlen=_KEPT_STILL)
        self._moving: deque[float] = deque(maxlen=_KEPT_MOVING)
        self._usual = 0.0
        self._low_bytes = self._high_bytes = self._peak_bytes = math.inf
        self._new = 0
        self.separates = False
        self.why = "has not seen stillness yet"

    def judge(self, mean_bytes: float, size_bytes: int) -> Verdict:
        """By the mean of a second and the size of its last packet."""
        if not self.separates:
            return Verdict.UNSURE
        if size_bytes >= self._peak_bytes or mean_bytes >= self._high_bytes:
            return Verdict.MOVING
        return Verdict.STILL if mean_bytes < self._low_bytes else Verdict.UNSURE

    def take(self, slot: _Slot) -> None:
        """A slot of which all is known that will be."""
        if not slot.count:
            return
        if slot.moved_ns * 3 >= _SLOT_NS:
            self._moving.append(math.log(slot.mean_bytes) - self._usual)
        elif not slot.moved_ns and slot.still_ns * 5 >= _SLOT_NS * 4:
            self._still.append(math.log(slot.mean_bytes))
            self._largest.append(math.log(slot.largest_bytes))
        else:
            return
        self._new += 1
        if self._new % _LEARNING_EVERY == 0:
            self._learn()

    def _learn(self) -> None:
        self.separates = False
        if len(self._still) < _LEAST_STILL:
            self.why = "has not seen enough stillness yet"
            return
        still = sorted(self._still)
        self._usual = still[len(still) // 2]
        if len(self._moving) < _LEAST_MOVING:
            self.why = "has not seen enough motion yet"
            return
        moving = sorted(self._moving)
        missed = len(moving) * _MISSED
        low = self._usual + moving[int(missed - math.sqrt(missed))]
        self._low_bytes = math.exp(low)
        self._high_bytes = math.exp(still[-1 - len(still) // 200] + _LARGER)
        self._peak_bytes = math.exp(max(self._largest) + _SURGE)
        passing = sum(one >= low for one in still) / len(still)
        self.separates = passing <= _PASSING and low >= self._usual + _LEAST_APART
        told = "tell" if self.separates else "do not tell"
        self.why = f"sizes {told} still from moving: {passing:.0%} of stillness looks like motion"
