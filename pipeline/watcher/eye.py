"""What of one camera's stream is decoded, and which frames are handed on. Reads no socket and no clock.

Rules:
- How much is decoded says `pipeline.watcher.waking`. An eye that wakes in the middle of a GOP decodes it from
  its keyframe on, at once: nobody waits for the next.
- A frame is handed on before the next is decoded, and a decoder of keyframes keeps none: those of a large
  stream take 3 MB each.
- A sight is handed on while something moves or is tracked, about five times a second, and for a look at the
  whole picture: when something begins to move, when the scene has changed, and now and then.
- What motion finds teaches the gate, whether everything was decoded or only keyframes.
- Whatever a tap says is taken: other parameters, another size, losses, garbage. Without an anchor nothing is
  looked at, since nobody could say when it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipeline.frames import FrameDecoder
from pipeline.gate import Gate, Verdict
from pipeline.model import Kind, Packet
from pipeline.motion import Motion, MotionDetector
from pipeline.picture import Frame
from pipeline.scene import Polygon
from pipeline.watcher.gop import Gop
from pipeline.watcher.shown import ShownTime
from pipeline.watcher.waking import Decode, Waking
from pipeline.wire import Anchor, Dropped, Hello, Message

_NS = 1_000_000_000
_CAUGHT_UP_NS = _NS  # of what had not been decoded at waking, so much is looked at
_TAUGHT_NS = _NS // 2  # what moves in a keyframe moved for so long before
_APART_NS = _NS  # looks farther apart say nothing of what was between them but stillness
_WHOLES_APART_NS = _NS  # at waking
_SCENES_APART_NS = 2 * _NS // 5  # when all the picture changes, it is the only way to find anything


class Mode(StrEnum):
    """What is being decoded: now and then a keyframe, each, everything; or nothing has come."""

    ASLEEP = "asleep"
    KEYFRAMES = "keyframes"
    ALL = "all"
    NO_VIDEO = "no video"


@dataclass(frozen=True, slots=True)
class EyeSettings:
    """How one camera's stream is looked at.

    `is_sub`: a sub stream, cheap enough to be decoded whole while the gate is unsure. `wall_ns` gives UTC for
    a monotonic time, for a live tap; without it the tap's anchor alone counts (a file). `whole_*_s`: how
    often the whole picture is looked at.
    """

    masks: tuple[Polygon, ...] = ()
    is_sub: bool = False
    wall_ns: Callable[[int], int] | None = None
    looks_per_s: float = 5.0
    whole_awake_s: float = 10.0
    whole_still_s: float = 60.0


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
        self._waking = Waking(settings.is_sub)
        self._gop = Gop()
        self._decoder: FrameDecoder | None = None
        self._time: ShownTime | None = None
        self._doing = Decode.NOTHING
        self._was_awake = False
        self._looked_ns = self._whole_ns = 0
        self._decoded = self._faults = 0

    def take(self, message: Message) -> Iterator[Sight]:
        """What is to be looked at now, each as soon as it is decoded: go through all of it.

        Raises for nothing that a tap may send.
        """
        if isinstance(message, Hello):
            self._begin(message)
        elif isinstance(message, Dropped):
            self._gop.lost()
        elif message.kind is Kind.VIDEO and self._decoder is not None and self._time is not None:
            yield from self._video(message, self._decoder, self._time)

    def is_awake(self, at_ns: int) -> bool:
        """Whether something moves or is tracked, as far as is known."""
        return self._waking.is_awake(at_ns)

    def stay_awake_until(self, at_ns: int) -> None:
        """Everything is decoded until then (UTC): something is tracked."""
        self._waking.stay_awake_until(at_ns)

    @property
    def is_asleep(self) -> bool:
        """Whether only a keyframe now and then is looked at."""
        return self._doing is not Decode.ALL and self._gate.verdict() is Verdict.STILL

    def report(self) -> EyeReport:
        """What it does now."""
        gate, decoder = self._gate.report(), self._decoder
        decoded = self._decoded + (decoder.decoded if decoder else 0)
        faults = self._faults + (decoder.faults if decoder else 0)
        return EyeReport(
            self._mode(gate.verdict), gate.verdict, gate.separates, gate.why, decoded, faults, self._looked_ns
        )

    def _mode(self, verdict: Verdict) -> Mode:
        if self._looked_ns == 0:
            return Mode.NO_VIDEO
        if self._doing is Decode.ALL:
            return Mode.ALL
        return Mode.ASLEEP if verdict is Verdict.STILL else Mode.KEYFRAMES

    def _begin(self, hello: Hello) -> None:
        """New parameters, another time, or the same again after the camera was away."""
        if self._decoder is not None:
            self._decoded += self._decoder.decoded
            self._faults += self._decoder.faults
        self._decoder = self._time = None
        self._gop = Gop()
        if hello.anchor is not None:
            self._decoder = FrameDecoder(hello.info.video, hello.anchor, filtered=False)
            self._time = ShownTime(hello.anchor, self._settings.wall_ns)

    def _video(self, packet: Packet, decoder: FrameDecoder, time: ShownTime) -> Iterator[Sight]:
        at_ns = time.at(packet)
        if packet.is_keyframe:
            decoder.anchor = Anchor(packet.pts, at_ns)
        self._gate.packet(len(packet.data), packet.is_keyframe, at_ns)
        self._gop.add(packet)
        self._doing = self._waking.choose(packet.is_keyframe, self._gate.verdict(), at_ns)
        if self._doing is not Decode.NOTHING:
            yield from filter(None, map(self._look, self._decode(decoder, at_ns)))

    def _decode(self, decoder: FrameDecoder, now_ns: int) -> Iterator[Frame]:
        """Everything up to the newest packet; of a burst, the frames of its last second."""
        pending = self._gop.pending()
        if pending and pending[0].is_keyframe and not self._gop.continues:
            decoder.restart()
        wanted = _Wanted(self._looked_ns, now_ns, self._settings.looks_per_s)
        for packet in pending:
            yield from decoder.decode(packet, wanted)
        if self._doing is Decode.KEYFRAME:
            yield from decoder.drain(wanted)
            self._gop.begin_again()

    def _look(self, frame: Frame) -> Sight | None:
        motion = self._motion.look(frame)
        self._teach(motion)
        self._looked_ns = motion.at_ns
        if motion.boxes or motion.scene_changed:
            self._waking.moved(motion.at_ns)
        awake = self._waking.is_awake(motion.at_ns)
        whole = self._is_whole_due(motion, awake)
        self._was_awake = awake
        return Sight(frame, motion, whole) if whole or awake else None

    def _teach(self, motion: Motion) -> None:
        moved = bool(motion.boxes) or motion.scene_changed
        since_ns = motion.at_ns - self._looked_ns
        if 0 < since_ns <= _APART_NS or not moved:
            self._gate.taught(moved, self._looked_ns, motion.at_ns)
        else:
            self._gate.taught(moved, motion.at_ns - _TAUGHT_NS, motion.at_ns)

    def _is_whole_due(self, motion: Motion, awake: bool) -> bool:
        since_ns = motion.at_ns - self._whole_ns
        every_s = self._settings.whole_awake_s if awake else self._settings.whole_still_s
        wakes = awake and not self._was_awake
        due = (
            since_ns < 0
            or since_ns >= every_s * _NS
            or (wakes and since_ns >= _WHOLES_APART_NS)
            or (motion.scene_changed and since_ns >= _SCENES_APART_NS)
        )
        if due:
            self._whole_ns = motion.at_ns
        return due


class _Wanted:
    """Which frames are looked at: about five a second, and none of long ago."""

    def __init__(self, looked_ns: int, now_ns: int, looks_per_s: float) -> None:
        self._last_ns = looked_ns
        self._from_ns = now_ns - _CAUGHT_UP_NS
        self._apart_ns = round(0.9 * _NS / looks_per_s)

    def __call__(self, at_ns: int) -> bool:
        since_ns = at_ns - self._last_ns
        if at_ns < self._from_ns or 0 <= since_ns < self._apart_ns:
            return False
        self._last_ns = at_ns
        return True
