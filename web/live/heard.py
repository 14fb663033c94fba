"""What a viewer hears of a stream: what the tap says, and whether the camera is there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.model import Kind, Packet
from pipeline.wire import Dropped, Hello


class Why(StrEnum):
    """Why no picture comes."""

    RECORDER = "recorder"  # nobody serves the tap
    CAMERA = "camera"  # the recorder has sent no picture for some seconds


@dataclass(frozen=True, slots=True)
class Away:
    """No picture comes at present; it is being tried again."""

    why: Why


@dataclass(frozen=True, slots=True)
class Back:
    """Pictures come again: the next packet follows. If anything has changed, a Hello came before."""


Note = Hello | Dropped | Away | Back
Heard = Packet | Note


def starts_gop(packet: Packet) -> bool:
    """Whether decoding can begin here."""
    return packet.is_keyframe and packet.kind is Kind.VIDEO
