"""What a receiver is told of an event. Pure.

Rule: labels and the picture are left out here, where a notice is made, unless they are allowed; nothing
behind this point could add them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.event import Began, Changed, Ended, Happening

if TYPE_CHECKING:
    from pipeline.picture import Picture

_MS = 1_000_000
_STATES = {Began: "began", Changed: "changed", Ended: "ended"}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may leave the house beside camera and times."""

    labels: bool = False
    pictures: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One state of one event. `end_ms` is None while it goes on; `labels` and `picture` where not allowed.

    The picture is what is cut out around the thing that was seen best: 0.6 MB at most.
    """

    camera: str
    event: str
    state: str
    start_ms: int
    end_ms: int | None
    labels: tuple[str, ...] | None = None
    picture: Picture | None = field(default=None, repr=False, compare=False)

    def outdates(self, other: Notice) -> bool:
        """Whether nobody who is told this one needs the other, an earlier one, any more."""
        return other.state == "changed" and (other.camera, other.event) == (self.camera, self.event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of this event."""
        return self.state == "ended"

    def fields(self) -> dict[str, object]:
        """As JSON has it."""
        said: dict[str, object] = {
            "event": self.event,
            "camera": self.camera,
            "state": self.state,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
        }
        return said if self.labels is None else {**said, "labels": list(self.labels)}

    def to_json(self) -> str:
        """The text that is sent."""
        return json.dumps(self.fields(), ensure_ascii=False, separators=(",", ":"))


def notice_of(camera: str, happening: Happening, event_id: str, allowed: Allowed) -> Notice | None:
    """What is told of it; None where only time has passed."""
    if isinstance(happening, Changed) and not happening.notable:
        return None
    event = happening.event
    return Notice(
        camera=camera,
        event=event_id,
        state=_STATES[type(happening)],
        start_ms=event.start_ns // _MS,
        end_ms=event.end_ns // _MS if isinstance(happening, Ended) else None,
        labels=event.labels if allowed.labels else None,
        picture=event.picture.crop if allowed.pictures and event.picture else None,
    )
