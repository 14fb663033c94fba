"""Where segments begin and end. Pure: time comes in with the packets.

Rules (each has a test):
- A segment begins with a keyframe and is whole GOPs; the first one from `target_s` on begins the next.
- Every packet from the first keyframe on lands in exactly one segment, in order, unless dropped for overload;
  then whole GOPs go, and `dropped_packets` and `dropped_gops` count them.
- A fragment holds at most a second of video, a single longer frame excepted; mostly less, so that a crash
  loses no more than a second (`building` has the sum).
- A timestamp is a jump when it is over a second off both the stream's own pace and the packet's arrival.
  Nothing is lost by one: packets go where they were due until the next keyframe opens a new segment.
- Audio goes to the segment that its time belongs to. A segment waits for late audio only as long as video may
  wait unwritten. Later audio, and audio of absurd times, follows the last.
- Segments do not overlap: a start up to a second before the previous end is moved to it (design: steps of the
  clock excepted, which are larger).
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.model import VIDEO_TIMESCALE, Kind, Packet, StreamInfo
from pipeline.segmenter.building import Building, waits_too_long
from pipeline.segmenter.events import SegmentClosed, SegmenterEvent, SegmentOpened

_NS = 1_000_000_000
JUMP = VIDEO_TIMESCALE
EARLY_KEYFRAME = VIDEO_TIMESCALE // 20  # a GOP of 10 s that jitter made 9.99 s long is a segment of its own
AUDIO_APART_S = 2  # audio further from the video than this has a time of its own, which means nothing
OVERLAP_NS = _NS
CORRECTION_PPM = 1000  # twice what the clock ever corrects


class Segmenter:
    """Cuts one stream. Not for several threads at a time."""

    def __init__(self, target_s: float = 10.0) -> None:
        self.dropped_packets = 0
        self.dropped_gops = 0
        self.skipped_packets = 0  # from before the first keyframe after a start or new parameters
        self._target = round(target_s * VIDEO_TIMESCALE) - EARLY_KEYFRAME
        self._info: StreamInfo | None = None
        self._current: Building | None = None
        self._closing: Building | None = None
        self._closed = SegmentClosed(0, "")
        self._held: list[SegmenterEvent] = []
        self._dropping = False
        self._cut_due = ""
        self._shift = 0
        self._audio_shift = 0
        self._raw: Packet | None = None
        self._previous_end_ns: int | None = None
        self._continues = False  # the open segment followed another without a break
        self._closing_continued = False  # and so did the one that waits for late audio

    def push(
        self,
        item: StreamInfo | Packet,
        utc_ns: int = 0,
        *,
        step: bool = False,
        unsure: bool = False,
        room: bool = True,
    ) -> list[SegmenterEvent]:
        """Takes what the source hands on; returns what follows from it, in order.

        `utc_ns` is when a video packet is shown (not read for audio), `step` that the clock was re-anchored
        with it, `unsure` that nobody knows the time. Without `room` no GOP is begun: it is dropped, counted.
        """
        if isinstance(item, StreamInfo):
            return self._parameters(item)
        if item.kind is Kind.AUDIO:
            return self._audio(item)
        return self._video(item, utc_ns, step, unsure, room)

    def close(self, reason: str) -> list[SegmenterEvent]:
        """Ends the open segment; the next begins with the next keyframe."""
        events = self._settle()
        if self._current is not None:
            events += self._end(self._current, self._current.expected_dts(), reason)
        self._current = None
        self._cut_due = ""
        return events

    def drop_to_keyframe(self) -> list[SegmenterEvent]:
        """Ends the open segment and drops what comes until a keyframe for which there is room."""
        events = self.close("overload")
        if events:
            self._dropping = True
            self.dropped_gops += 1
        return events

    def _parameters(self, info: StreamInfo) -> list[SegmenterEvent]:
        events = self.close("parameters")
        self._info = info
        return events

    def _video(
        self, packet: Packet, utc_ns: int, step: bool, unsure: bool, room: bool
    ) -> list[SegmenterEvent]:
        current = self._current
        if current is None:
            self._continues = False
            return self._begin(packet, utc_ns, unsure, room)
        if step:
            self._cut_due = "step"
        placed = self._placed(packet, current)
        self._raw = packet
        if packet.is_keyframe and (
            self._cut_due or not room or placed.pts - current.first.pts >= self._target
        ):
            return self._cut(current, packet, placed.dts, utc_ns, unsure, room)
        ready: list[SegmenterEvent] = [*current.add_video(placed)]
        return ready if self._closing is None else self._hold(self._closing, placed, ready)

    def _begin(self, packet: Packet, utc_ns: int, unsure: bool, room: bool) -> list[SegmenterEvent]:
        """With no segment open: opens one, or skips or drops the packet."""
        if self._info is None or not packet.is_keyframe or not room:
            self._count_lost(packet, room)
            return []
        self._dropping = False
        return [self._open(packet, utc_ns, unsure)]

    def _count_lost(self, packet: Packet, room: bool) -> None:
        if packet.is_keyframe and packet.kind is Kind.VIDEO and not room:
            self._dropping = True
            self.dropped_gops += 1
        if self._dropping:
            self.dropped_packets += 1
        else:
            self.skipped_packets += 1

    def _open(self, packet: Packet, utc_ns: int, unsure: bool) -> SegmentOpened:
        assert self._info is not None  # noqa: S101 - both callers have seen it
        end = self._previous_end_ns
        start_ns = end if end is not None and end - OVERLAP_NS < utc_ns < end else utc_ns
        self._current = Building(self._info, packet, start_ns)
        self._raw = packet
        self._cut_due = ""
        self._shift = self._audio_shift = 0
        return SegmentOpened(self._info, packet, start_ns, unsure)

    def _placed(self, packet: Packet, current: Building) -> Packet:
        """The packet where it continues the segment; sets `_cut_due` at a jump."""
        dts = packet.dts + self._shift
        last = current.last
        if not last.dts < dts <= last.dts + last.duration + JUMP:
            dts = self._unexpected(packet, current, dts)
        if dts == packet.dts:
            return packet
        return replace(packet, dts=dts, pts=max(packet.pts - packet.dts, 0) + dts)

    def _unexpected(self, packet: Packet, current: Building, dts: int) -> int:
        last, raw = current.last, self._raw
        if last.dts - JUMP <= dts <= last.dts:
            return last.dts + 1  # a stutter: order is kept, nothing is lost
        passed = (packet.arrived_ns - raw.arrived_ns) * VIDEO_TIMESCALE // _NS if raw else 0
        if dts > last.dts and abs(dts - last.dts - passed) <= JUMP:
            return dts  # a pause that the camera really made
        self._cut_due = "jump"
        self._shift += current.expected_dts() - dts
        return current.expected_dts()

    def _cut(
        self, current: Building, packet: Packet, dts: int, utc_ns: int, unsure: bool, room: bool
    ) -> list[SegmenterEvent]:
        """Ends `current` before the keyframe `packet`, due at `dts`, and begins the next segment with it."""
        events = self._settle()
        reason = self._cut_due or ("full" if room else "overload")
        goes_on = not self._cut_due
        cut_audio = current.audio_time(packet.pts)
        early = current.audio_from(cut_audio) if goes_on and room else []
        waits = goes_on and room and current.audio_rate and not early and current.audio_end < cut_audio
        events += self._end(current, dts, reason, utc_ns if goes_on else None, waits=bool(waits))
        self._current = None
        self._continues = True
        opened = self._begin(packet, utc_ns, unsure, room)
        (self._held if waits else events).extend(opened)
        for audio in early:
            events += self._audio(audio)
        return events

    def _end(
        self, segment: Building, end_dts: int, reason: str, next_ns: int | None = None, *, waits: bool = False
    ) -> list[SegmenterEvent]:
        segment.finish(end_dts)
        duration_ns = _duration_ns(segment, next_ns)
        self._previous_end_ns = segment.start_ns + duration_ns
        closed = SegmentClosed(duration_ns, reason)
        if waits:
            self._closing, self._closed = segment, closed
            self._closing_continued = self._continues
            return []
        return [*segment.rest(), closed]

    def _hold(self, closing: Building, packet: Packet, ready: list[SegmenterEvent]) -> list[SegmenterEvent]:
        """While the closing segment waits for audio: its video goes out in time, the next one's is held."""
        self._held += ready
        if waits_too_long(closing.end_dts, packet):
            return self._settle()
        if closing.video and waits_too_long(closing.video[0].dts, packet):
            return [*closing.rest()]
        return []

    def _settle(self) -> list[SegmenterEvent]:
        """Ends the wait for late audio."""
        closing = self._closing
        if closing is None:
            return []
        events: list[SegmenterEvent] = [*closing.rest(), self._closed, *self._held]
        self._closing = None
        self._held = []
        return events

    def _audio(self, packet: Packet) -> list[SegmenterEvent]:
        current, raw = self._current, self._raw
        if current is None or raw is None or not current.audio_rate:
            self._count_lost(packet, room=True)
            return []
        pts = packet.pts
        apart = pts - current.audio_time(raw.pts)
        limit = AUDIO_APART_S * current.audio_rate
        since = (packet.arrived_ns - raw.arrived_ns) * current.audio_rate // _NS
        if not -limit <= apart <= limit + max(since, 0):
            pts = self._astray(packet, current)
        elif self._shift:
            pts += current.audio_time(self._shift)
        if pts >= current.audio_begin:
            return [*self._settle(), *current.add_audio(packet, pts)]
        return self._older_audio(current, packet, pts)

    def _older_audio(self, current: Building, packet: Packet, pts: int) -> list[SegmenterEvent]:
        """Audio from before the open segment; what is from before all of them is lost, until some landed."""
        closing = self._closing
        if closing is not None:
            if self._closing_continued or pts >= closing.audio_begin or closing.has_audio:
                return [*closing.add_audio(packet, pts)]
        elif self._continues or current.has_audio:
            return [*current.add_audio(packet, pts)]
        self._count_lost(packet, room=True)
        return []

    def _astray(self, packet: Packet, current: Building) -> int:
        """Where audio goes whose own time is absurd: on from the last, as long as its pace is right."""
        pts = packet.pts + self._audio_shift
        if abs(pts - current.audio_end) > current.audio_rate:
            self._audio_shift = current.audio_end - packet.pts
            pts = current.audio_end
        return pts


def _duration_ns(segment: Building, next_ns: int | None) -> int:
    """Up to the next segment's start if that is plausible, else the media's own duration."""
    media_ns = segment.duration_ns()
    if next_ns is None:
        return media_ns
    apart = next_ns - segment.start_ns
    allowed = OVERLAP_NS + media_ns * CORRECTION_PPM // 1_000_000
    return apart if abs(apart - media_ns) <= allowed and apart > 0 else media_ns
