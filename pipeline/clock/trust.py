"""Whether the machine's wall clock can be believed. Pure: a state machine over what is observed.

Rules:
- *Sure* is a clock that goes on from where it was last sure (by the boot clock, which nobody sets), or that
  an NTP client keeps, or an owner confirmed, or that has run steadily for 48 h.
- Before the release date it is unsure whatever anybody says: a Raspberry Pi without NTP boots in 1970.
- Behind the newest footage that was recorded with a sure clock it is unsure, until one of the four: a box
  that is set back would write footage under times that are taken.
- More than 36 h ahead of what was expected it is unsure. While the box runs, the boot clock says what to
  expect, and then even NTP is not believed at once, for no true time moves by that much; after a start, the
  newest footage does, and NTP settles it.
- `now_ns` is the time to judge ages by, from the boot clock since the clock was last sure; None when it never
  was. So a clock set to 2040 for an hour expires nothing, and unsure footage can be told by its flag.
"""

from __future__ import annotations

from dataclasses import dataclass

NS = 1_000_000_000
HOUR_NS = 3600 * NS
RELEASED_NS = 1_793_491_200 * NS  # 2026-11-01: no recorder has run before
AHEAD_NS = 36 * HOUR_NS
STEADY_NS = 48 * HOUR_NS
BEHIND_NS = 5 * NS  # NTP may set a clock back by a little
WANDER_NS = 300 * NS  # a slewed clock gains up to 500 ppm: 86 s in 48 h


@dataclass(frozen=True, slots=True)
class Trust:
    """`sure`, or the `reason` why not (short words for status); `now_ns` as the module says."""

    sure: bool
    now_ns: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A wall-clock time and the boot clock at the same instant."""

    wall_ns: int
    boot_ns: int

    def expected_ns(self, boot_ns: int) -> int:
        return self.wall_ns + boot_ns - self.boot_ns


class ClockTrust:
    """Fed every few seconds; `newest_ns` is the end of the newest footage recorded with a sure clock."""

    def __init__(self, newest_ns: int | None = None, released_ns: int = RELEASED_NS) -> None:
        self._newest_ns = newest_ns
        self._released_ns = released_ns
        self._sure: _Anchor | None = None
        self._candidate: _Anchor | None = None  # since when an unsure clock has run steadily
        self._confirmed: _Anchor | None = None

    def confirm(self, wall_ns: int, boot_ns: int) -> None:
        """An owner says that the clock is right now."""
        self._confirmed = _Anchor(wall_ns, boot_ns)

    def observe(self, wall_ns: int, boot_ns: int, synchronised: bool) -> Trust:
        """Judges the wall clock `wall_ns` read at `boot_ns` (CLOCK_BOOTTIME)."""
        reason = self._doubt(wall_ns, boot_ns, synchronised)
        if reason and wall_ns >= self._released_ns and self._settled(wall_ns, boot_ns):
            reason = ""
        if not reason:
            self._sure, self._candidate, self._confirmed = _Anchor(wall_ns, boot_ns), None, None
            return Trust(True, wall_ns)
        return Trust(False, self._sure.expected_ns(boot_ns) if self._sure else None, reason)

    def _doubt(self, wall_ns: int, boot_ns: int, synchronised: bool) -> str:
        if wall_ns < self._released_ns:
            return "the clock is before this program's release"
        if self._sure is not None:
            return _doubt_running(wall_ns, self._sure.expected_ns(boot_ns), synchronised)
        if self._newest_ns is None or synchronised:
            return ""
        return _doubt_started(wall_ns, self._newest_ns)

    def _settled(self, wall_ns: int, boot_ns: int) -> bool:
        """Whether a doubted clock was confirmed, or has run for 48 h without being set."""
        if self._confirmed and abs(wall_ns - self._confirmed.expected_ns(boot_ns)) <= WANDER_NS:
            return True
        candidate = self._candidate
        if candidate is None or abs(wall_ns - candidate.expected_ns(boot_ns)) > WANDER_NS:
            self._candidate = _Anchor(wall_ns, boot_ns)
            return False
        return boot_ns - candidate.boot_ns >= STEADY_NS


def _doubt_running(wall_ns: int, expected_ns: int, synchronised: bool) -> str:
    if wall_ns - expected_ns > AHEAD_NS:
        return "the clock was set far ahead while running"
    if expected_ns - wall_ns > AHEAD_NS or (expected_ns - wall_ns > BEHIND_NS and not synchronised):
        return "the clock was set back while running"
    return ""


def _doubt_started(wall_ns: int, newest_ns: int) -> str:
    if newest_ns - wall_ns > BEHIND_NS:
        return "the clock is behind the newest footage"
    if wall_ns - newest_ns > AHEAD_NS:
        return "the clock is far ahead of the newest footage"
    return ""
