"""How much of a stream is decoded: nothing, keyframes or everything. A pure state machine; times are UTC.

Rules:
- Everything while something moves or is tracked, and until `AWAKE_NS` after it.
- A sub stream is cheap: everything also while the gate is unsure. Of a main stream then every keyframe.
- While the gate is sure of stillness: a keyframe in about five seconds, and never more than `LONGEST_NS`
  without one where GOPs allow it; with longer ones, each.
- What the gate says wakes at once. What it says never takes the place of keyframes.
"""

from __future__ import annotations

from enum import Enum, auto

from pipeline.gate import Verdict

_NS = 1_000_000_000
AWAKE_NS = 3 * _NS  # a person who stops for a moment is not lost; a false alarm costs a third of a CPU second
GATE_AWAKE_NS = 3 * _NS // 2  # for motion to see what the gate has felt: seven looks
LONGEST_NS = 6 * _NS  # every third keyframe of two seconds: each costs 7 ms of CPU at 1080p
_CLOSEST_NS = 9 * _NS // 10  # of checked keyframes: some cameras send little else


class Decode(Enum):
    """What is done with a packet."""

    NOTHING = auto()
    KEYFRAME = auto()
    ALL = auto()


class Waking:
    """Of one stream. `stay_awake_until` may come from another thread."""

    def __init__(self, is_sub: bool) -> None:
        self._is_sub = is_sub
        self._awake_until_ns = 0
        self._checked_ns = 0
        self._keyframe_ns = 0
        self._gop_ns = 0
        self._now_ns = 0

    def choose(self, is_keyframe: bool, verdict: Verdict, at_ns: int) -> Decode:
        """What to do with the packet that is shown at `at_ns`, as the gate judges up to it."""
        if at_ns < self._now_ns - LONGEST_NS:
            self.time_jumped()
        self._now_ns = at_ns
        if is_keyframe:
            self._gop_ns, self._keyframe_ns = at_ns - self._keyframe_ns, at_ns
        if verdict is Verdict.MOVING:
            self.stay_awake_until(at_ns + GATE_AWAKE_NS)
        if self.is_awake(at_ns) or (self._is_sub and verdict is Verdict.UNSURE):
            self._checked_ns = at_ns
            return Decode.ALL
        if is_keyframe and self._is_due(verdict, at_ns):
            self._checked_ns = at_ns
            return Decode.KEYFRAME
        return Decode.NOTHING

    def is_awake(self, at_ns: int) -> bool:
        """Whether something moves or is tracked."""
        return at_ns < self._awake_until_ns

    def moved(self, at_ns: int) -> None:
        """Something moves in the frame of that time."""
        self.stay_awake_until(at_ns + AWAKE_NS)

    def stay_awake_until(self, at_ns: int) -> None:
        """Everything is decoded until then, at least."""
        self._awake_until_ns = max(self._awake_until_ns, at_ns)

    def time_jumped(self) -> None:
        """What comes now is of another time."""
        self._awake_until_ns = self._checked_ns = self._keyframe_ns = self._gop_ns = self._now_ns = 0

    def _is_due(self, verdict: Verdict, at_ns: int) -> bool:
        """Whether this keyframe is checked: if not, the next one would come too late."""
        since_ns = at_ns - self._checked_ns
        if verdict is Verdict.STILL:
            return since_ns + self._gop_ns > LONGEST_NS
        return since_ns >= _CLOSEST_NS
