"""How many days of footage fit, at a given rate, under given limits. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Room:
    """What the disk and the settings leave for footage."""

    footage_bytes: int
    free_bytes: int
    floor_bytes: int
    limit_bytes: int | None

    @property
    def capacity_bytes(self) -> int:
        """How much footage there can be in the end."""
        capacity = max(0, self.footage_bytes + self.free_bytes - self.floor_bytes)
        return capacity if self.limit_bytes is None else min(capacity, self.limit_bytes)


def days_that_fit(room: Room, bytes_per_s: float, limit_days: float) -> float | None:
    """Days of footage before the oldest must go; None when nothing is being recorded."""
    if bytes_per_s <= 0:
        return None
    return min(limit_days, room.capacity_bytes / (bytes_per_s * DAY_S))
