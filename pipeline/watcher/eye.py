"""What of one camera's stream is decoded, and which frames are handed on. Reads no socket and no clock.

Rules:
- Asleep, keyframes are decoded; as soon as something moves, everything from the GOP's keyframe on, until some
  seconds after the last motion. `stay_awake_until` prolongs that: something is tracked.
- A sight is handed on while something moves or is tracked, about five times a second, and for a look at the
  whole picture now and then.
- Whatever the tap says is taken: other parameters, another size, losses, garbage. Without the anchor nothing
  is looked at, since nobody could say when it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.frames import FrameDecoder
from pipeline.gate import Gate, Verdict
from pipeline.model import Kind, Packet
from pipeline.motion import Motion, MotionDetector
from pipeline.picture import Frame
from pipeline.scene import Polygon
from pipeline.wire import Dropped, Hello, Message

_NS = 1_000_000_000


class Mode(StrEnum):
    """What is being decoded."""

    ASLEEP = "asleep"
    KEYFRAMES = "keyframes"
    ALL = "all"
    NO_VIDEO = "no video"


@dataclass(frozen=True, slots=True)
class EyeSettings:
    """How one camera's stream is looked at.

    `is_sub`: a sub stream, cheap enough to be decoded whole while the gate is unsure. `wall_ns` gives UTC for
    a monotonic time, for a live tap; without it the tap's anchor alone counts (a file).
    """

    masks: tuple[Polygon, ...] = ()
    is_sub: bool = False
    wall_ns: Callable[[int], int] | None = None
    looks_per_s: float = 5.0
    awake_s: float = 3.0
    whole_awake_s: float = 10.0
    whole_still_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame to look at, what moved in it, and whether the whole of it is to be looked at."""

    frame: Frame
    motion: Motion
    whole: bool


@dataclass(frozen=True, slots=True)
class EyeReport:
    """What the eye does. `looked_ns`: UTC of the newest frame in which motion was looked for (0: none)."""

    mode: Mode
    verdict: Verdict
    separates: bool
    why: str
    decoded: int
    faults: int
    looked_ns: int


class Eye:
    """One camera's. Belongs to one thread, but for `stay_awake_until` and `report`."""

    def __init__(self, settings: EyeSettings) -> None:
        self._settings = settings
        self._gate = Gate()
        self._motion = MotionDetector(settings.masks)
        self._decoder: FrameDecoder | None = None
        self._awake_until_ns = 0
        self._looked_ns = 0
        self._whole_ns = 0
        self._following = False
        self._decoded = self._faults = 0

    def take(self, message: Message) -> list[Sight]:
        """What is to be looked at now. Never raises for what a tap may send."""
        if isinstance(message, Hello):
            self._begin(message)
            return []
        if isinstance(message, Dropped):
            self._following = False
            return []
        if message.kind is not Kind.VIDEO or self._decoder is None:
            return []
        return self._video(message, self._decoder)

    def stay_awake_until(self, at_ns: int) -> None:
        """Everything is decoded until then (UTC): something is tracked."""
        self._awake_until_ns = max(self._awake_until_ns, at_ns)

    def report(self) -> EyeReport:
        """What it does now."""
        gate = self._gate.report()
        decoder = self._decoder
        mode = Mode.NO_VIDEO if decoder is None else Mode.ALL if self._awake else Mode.KEYFRAMES
        decoded = self._decoded + (decoder.decoded if decoder else 0)
        faults = self._faults + (decoder.faults if decoder else 0)
        return EyeReport(mode, gate.verdict, gate.separates, gate.why, decoded, faults, self._looked_ns)

    @property
    def _awake(self) -> bool:
        return self._settings.is_sub or self._looked_ns < self._awake_until_ns

    def _begin(self, hello: Hello) -> None:
        if self._decoder is not None:
            self._decoded += self._decoder.decoded
            self._faults += self._decoder.faults
        self._decoder = FrameDecoder(hello.info.video, hello.anchor) if hello.anchor else None
        self._following = False
        if hello.anchor and hello.anchor.utc_ns < self._looked_ns:
            self._looked_ns = self._whole_ns = self._awake_until_ns = 0

    def _video(self, packet: Packet, decoder: FrameDecoder) -> list[Sight]:
        if not self._awake and not packet.is_keyframe:
            self._following = False
            return []
        if not self._following:
            if not packet.is_keyframe:
                return []
            decoder.restart()
        self._following = True
        frames = decoder.decode(packet, self._wanted)
        if not self._awake:
            frames += decoder.drain(self._wanted)
            self._following = False
        return [sight for frame in frames if (sight := self._look(frame))]

    def _wanted(self, at_ns: int) -> bool:
        return at_ns - self._looked_ns >= 0.9 * _NS / self._settings.looks_per_s

    def _look(self, frame: Frame) -> Sight | None:
        motion = self._motion.look(frame)
        self._looked_ns = frame.at_ns
        if motion.boxes:
            self.stay_awake_until(frame.at_ns + round(self._settings.awake_s * _NS))
        awake = frame.at_ns < self._awake_until_ns
        every_s = self._settings.whole_awake_s if awake else self._settings.whole_still_s
        whole = frame.at_ns - self._whole_ns >= every_s * _NS
        if whole:
            self._whole_ns = frame.at_ns
        return Sight(frame, motion, whole) if whole or awake else None
