"""From levels to loud spans: how loud is usual here, and what is above that for long enough. Pure.

Rules:
- Loud is what lies `above_db` over the background, with dips of up to half a second, for at least `for_s`.
- The background follows what is usual over minutes, and learns nothing from what is loud. What stays loud
  for a minute is the new background (rain, a fan): it is told once, not for hours.
- A gap ends a span: nobody knows what was in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.scene import Sound

SILENCE_DB = -100.0
QUIETEST_DB = -65.0  # cameras with a noise gate send digital silence; nothing is to be "loud" against that
_FOLLOWS_S = 60.0  # time constant of the background
_LEARNS_S = 5.0  # before that nothing is loud: it is not known yet what is usual
_BRIDGED_S = 0.5  # a dog's barks are about half a second apart
_NEW_USUAL_S = 60.0
_TELL_S = 1.0  # how often a span is told again while it lasts


@dataclass(frozen=True, slots=True)
class LoudSpan:
    """Loud from when to when (UTC ns), so far; told again with a later end while it lasts."""

    from_ns: int
    to_ns: int
    loudness: Sound


class LoudWatch:
    """Takes the level of one short block of sound after the other."""

    def __init__(self, above_db: float, for_s: float) -> None:
        self.background_db: float | None = None
        self._above_db = above_db
        self._for_ns = round(for_s * 1e9)
        self._learned_s = 0.0
        self._end_ns = 0  # of the block before
        self._from_ns: int | None = None  # of the run that is loud now
        self._loud_ns = 0  # when it was last loud
        self._told_ns = 0  # how far it was told
        self._peak_db = SILENCE_DB
        self._run_db = 0.0  # the mean level of the run

    def take(self, from_ns: int, to_ns: int, level_db: float) -> list[LoudSpan]:
        """The next block: its level is in dB below full scale. What is to be told now, at most one span."""
        if abs(from_ns - self._end_ns) > _BRIDGED_S * 1e9:
            self._from_ns = None
        self._end_ns = to_ns
        seconds = max(0.0, (to_ns - from_ns) / 1e9)
        background = self._usual(level_db)
        if self._learned_s < _LEARNS_S:
            self._learn(level_db, seconds, min(_FOLLOWS_S, self._learned_s + seconds))
            return []
        if level_db < background + self._above_db:
            self._learn(level_db, seconds, _FOLLOWS_S)
            return self._quiet(to_ns)
        return self._loud(from_ns, to_ns, level_db)

    def _usual(self, level_db: float) -> float:
        if self.background_db is None:
            self.background_db = max(level_db, QUIETEST_DB)
        return self.background_db

    def _learn(self, level_db: float, seconds: float, over_s: float) -> None:
        usual = self._usual(level_db)
        share = min(1.0, seconds / over_s) if over_s > 0 else 1.0
        self.background_db = usual + (max(level_db, QUIETEST_DB) - usual) * share
        self._learned_s += seconds

    def _loud(self, from_ns: int, to_ns: int, level_db: float) -> list[LoudSpan]:
        if self._from_ns is None:
            self._from_ns, self._told_ns, self._peak_db, self._run_db = from_ns, 0, level_db, level_db
        self._loud_ns = to_ns
        self._peak_db = max(self._peak_db, level_db)
        lasts_ns = to_ns - self._from_ns
        self._run_db += (level_db - self._run_db) * min(1.0, (to_ns - from_ns) / max(lasts_ns, 1))
        if lasts_ns >= _NEW_USUAL_S * 1e9:
            self.background_db = max(self._run_db, QUIETEST_DB)
            return self._ended()
        if lasts_ns >= self._for_ns and to_ns - self._told_ns >= _TELL_S * 1e9:
            return self._told()
        return []

    def _quiet(self, at_ns: int) -> list[LoudSpan]:
        if self._from_ns is None or at_ns - self._loud_ns <= _BRIDGED_S * 1e9:
            return []
        return self._ended()

    def _ended(self) -> list[LoudSpan]:
        spans = self._told() if self._told_ns and self._loud_ns > self._told_ns else []
        self._from_ns = None
        return spans

    def _told(self) -> list[LoudSpan]:
        if self._from_ns is None:
            return []
        self._told_ns = self._loud_ns
        usual = round(self.background_db or QUIETEST_DB, 1)
        return [LoudSpan(self._from_ns, self._loud_ns, Sound(round(self._peak_db, 1), usual))]
