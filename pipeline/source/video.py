"""The video path, pure: a demuxer's packets in decode order in, StreamInfo and our Packets out.

- The first thing out is a StreamInfo, then a keyframe: what comes before either cannot be shown.
- Parameter sets leave the packets. Different ones give a new StreamInfo before the keyframe they came with;
  should they come without a keyframe, they stay in the packet (it needs them) and are told at the next
  keyframe.
- Packets of equal time are one access unit. To see that, one packet is held back, but only while a stream is
  new or once it has been seen to split: otherwise live view would lag by a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.model import VIDEO_TIMESCALE, Codec, Kind, Packet, StreamInfo, Track
from pipeline.nal import (
    ROLES,
    AccessUnit,
    BadUnits,
    length_prefixed,
    single_slice,
    sort_units,
    split_annex_b,
    split_length_prefixed,
)
from pipeline.parameters import ParameterSets, read_extradata
from pipeline.source.order import FrameTimes
from pipeline.sps import BadParameters

Item = StreamInfo | Packet
_WATCHED_FRAMES = 90  # three seconds of a common camera, at least one keyframe of nearly all
_NOTHING: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What the demuxer says. `reorder` counts only if the stream itself says nothing; `fps` 0: unknown."""

    codec: Codec
    extradata: bytes
    reorder: int = 0
    fps: float = 0.0


@dataclass(slots=True)
class _Unit:
    """An access unit that waits: for its other half, or for its time."""

    data: bytes
    pts: int | None
    is_keyframe: bool
    arrived_ns: int


class VideoPath:
    """One connection's video. `audio` and `note` are what its StreamInfo says beside the video."""

    def __init__(self, video: VideoFormat, audio: Track | None = None, note: str = "") -> None:
        self._format = video
        self._audio, self._note = audio, note
        self._roles = ROLES[video.codec]
        self._sets, self._length_size = read_extradata(video.codec, video.extradata)
        self._told: StreamInfo | None = None
        self._told_sets: ParameterSets | None = None
        self._times = FrameTimes(video.reorder, _nominal(video.fps))
        self._fresh: list[bytes] = []  # parameter sets that wait for their picture
        self._seen: list[bytes] = []  # the last ones that came
        self._prefix: _Unit | None = None  # what stands before a picture, sent in a packet of its own
        self._held: _Unit | None = None
        self._watch = _WATCHED_FRAMES
        self._last_pts: int | None = None
        self._untimed: list[_Unit] | None = []  # until the first time is known; then None

    @property
    def info(self) -> StreamInfo | None:
        """What was last told."""
        return self._told

    def push(self, raw: bytes, pts: int | None, is_keyframe: bool, arrived_ns: int) -> Sequence[Item]:
        """One packet, `pts` in 90 kHz or None. Raises BadUnits when its bytes are not NAL units."""
        data = None if self._length_size else single_slice(self._roles, raw)
        if data is None or self._prefix is not None:
            unit = self._whole(raw, pts, is_keyframe, arrived_ns)
            if unit is None:
                return _NOTHING
            data, pts, is_keyframe = unit.data, unit.pts, unit.is_keyframe
        if self._watch:
            return self._hold(_Unit(data, pts, is_keyframe, arrived_ns))
        if pts is not None and pts == self._last_pts:
            self._watch = -1  # it splits after all: hold from here on
            return self._hold(_Unit(data, pts, is_keyframe, arrived_ns))
        self._last_pts = pts
        return self._timed(data, pts, is_keyframe, arrived_ns)

    def flush(self) -> list[Item]:
        """What is still held when the stream ends."""
        held, self._held = self._held, None
        items = list(self._timed(held.data, held.pts, held.is_keyframe, held.arrived_ns)) if held else []
        return [*items, *self._release()]

    # From bytes to an access unit.

    def _split(self, raw: bytes) -> list[bytes]:
        if self._length_size:
            return split_length_prefixed(raw, self._length_size)
        units = split_annex_b(raw)
        if raw and not units:
            raise BadUnits("a packet holds no start code")
        return units

    def _whole(self, raw: bytes, pts: int | None, is_keyframe: bool, arrived_ns: int) -> _Unit | None:
        """The picture with what was sent before it; None while there is no picture yet."""
        found = sort_units(self._format.codec, self._split(raw))
        self._fresh += found.parameter_sets
        unit = _Unit(length_prefixed(found.units), pts, found.is_key or is_keyframe, arrived_ns)
        prefix, self._prefix = self._prefix, None
        if prefix is not None:
            unit = _joined(prefix, unit)
        if not found.has_picture:
            self._prefix = replace(unit, is_keyframe=False)
            return None
        return self._with_parameters(unit, found)

    def _with_parameters(self, unit: _Unit, found: AccessUnit) -> _Unit:
        fresh, self._fresh = self._fresh, []
        if not fresh or fresh == self._seen:
            return unit
        self._seen = fresh
        sets = self._sets.merged(fresh)
        changed, self._sets = sets != self._sets, sets
        if changed and not (found.is_key or unit.is_keyframe):
            unit.data = length_prefixed(fresh) + unit.data
        return unit

    # From an access unit to a packet.

    def _hold(self, unit: _Unit) -> Sequence[Item]:
        """Joins packets of equal time; gives out the one before."""
        held = self._held
        if held is not None and held.pts is not None and held.pts == unit.pts:
            self._held = _joined(held, unit)
            self._watch = -1
            return _NOTHING
        self._held = unit
        self._last_pts = unit.pts
        self._watch -= self._watch > 0
        items = self._timed(held.data, held.pts, held.is_keyframe, held.arrived_ns) if held else _NOTHING
        return items if self._watch else [*items, *self.flush()]

    def _timed(self, data: bytes, pts: int | None, is_keyframe: bool, arrived_ns: int) -> Sequence[Item]:
        if self._untimed is None:
            return self._packet(data, self._times.missing() if pts is None else pts, is_keyframe, arrived_ns)
        if not is_keyframe and not self._untimed:
            return _NOTHING  # nothing can be shown before the first keyframe
        self._untimed.append(_Unit(data, pts, is_keyframe, arrived_ns))
        if self._untimed[0].pts is None and sum(u.pts is not None for u in self._untimed) <= self._reorder():
            return _NOTHING
        return self._release()

    def _release(self) -> list[Item]:
        """The first packets: a first one without a time was shown a frame before the earliest of the next."""
        waiting, self._untimed = self._untimed or [], None
        known = [unit.pts for unit in waiting if unit.pts is not None]
        if waiting and waiting[0].pts is None:
            waiting[0].pts = min(known) - self._times.duration if known else 0
        return [item for u in waiting for item in self._timed(u.data, u.pts, u.is_keyframe, u.arrived_ns)]

    def _packet(self, data: bytes, pts: int, is_keyframe: bool, arrived_ns: int) -> Sequence[Item]:
        told = self._tell() if is_keyframe else None
        if self._told is None:
            return _NOTHING
        times = self._times
        dts = times.decode_time(pts)
        packet = Packet(Kind.VIDEO, pts, dts, times.duration, is_keyframe, arrived_ns, data)
        return (told, packet) if told else (packet,)

    # What is told of the stream.

    def _reorder(self) -> int:
        try:
            stated = self._sets.parse().reorder if self._sets.is_complete else None
        except BadParameters:
            stated = None
        return self._format.reorder if stated is None else stated

    def _tell(self) -> StreamInfo | None:
        """A new StreamInfo if what was told no longer holds; unreadable parameter sets change nothing."""
        if self._told and self._sets is self._told_sets and self._told.video.reorder == self._times.reorder:
            return None
        if not self._sets.is_complete:
            return None
        try:
            sps, extradata = self._sets.parse(), self._sets.configuration()
        except BadParameters:
            return None
        self._adapt_reorder()
        track = Track(
            Kind.VIDEO,
            self._format.codec,
            VIDEO_TIMESCALE,
            extradata,
            sps.width,
            sps.height,
            reorder=self._times.reorder,
        )
        info = StreamInfo(track, self._audio, self._note)
        self._told_sets = self._sets
        if info == self._told:
            return None
        self._told = info
        return info

    def _adapt_reorder(self) -> None:
        """New parameter sets state a new depth, unless this stream has already shown more than it states."""
        if self._sets is self._told_sets:
            return
        reorder = self._reorder()
        if self._told is None or reorder > self._times.reorder:
            self._times = FrameTimes(reorder, self._times.duration)


def _nominal(fps: float) -> int:
    return round(VIDEO_TIMESCALE / fps) if 0.1 <= fps <= 240 else VIDEO_TIMESCALE // 25


def _joined(first: _Unit, second: _Unit) -> _Unit:
    pts = first.pts if second.pts is None else second.pts
    return _Unit(first.data + second.data, pts, first.is_keyframe or second.is_keyframe, first.arrived_ns)
