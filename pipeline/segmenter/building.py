"""One segment being gathered: packets in, fragments of at most a second out, mostly three quarters of one.

A fragment is cut when the packet behind it is known, so the last packet's duration is exact. Audio that runs
ahead of the video waits, for it may belong to the next segment.

A crash loses what waits here and what has not come here yet, and may cost a second. So a fragment is cut when
`LONGEST_WAIT` would be exceeded by what waits, together with the `FRAMES_BEHIND` that the source holds back:
one in FFmpeg's parser, which knows a frame's end by the next one's begin, and one while a stream is new. The
other 0.2 s are for the recorder's rest of 80 ms and for getting the fragment to the disk; in 50 kills 0.80 s
was the most that was lost, where fragments of a whole second lost 1.24. Exceptions: streams of less than four
frames a second lose three frames, and sound sent ahead of its picture loses as much more.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.model import VIDEO_TIMESCALE, Fragment, Packet, StreamInfo
from pipeline.segmenter.events import FragmentReady

LONGEST_FRAGMENT = VIDEO_TIMESCALE
LONGEST_WAIT = VIDEO_TIMESCALE * 8 // 10
FRAMES_BEHIND = 2
_NS = 1_000_000_000
AUDIO_AHEAD_S = 2  # audio further ahead of a video that stands still is written without waiting for it


def waits_too_long(begin_dts: int, newest: Packet) -> bool:
    """Whether what was due at `begin_dts` must go to disk, now that `newest` has come."""
    return newest.dts + (1 + FRAMES_BEHIND) * newest.duration - begin_dts > LONGEST_WAIT


class Building:
    """The packets of one segment that are not in a fragment yet; their times are already placed."""

    def __init__(self, info: StreamInfo, first: Packet, start_ns: int) -> None:
        self.info = info
        self.first = first
        self.start_ns = start_ns
        self.video = [first]
        self.audio: list[Packet] = []
        self.last = first
        self.end_dts = self._cut_dts = first.dts
        self.audio_rate = info.audio.timescale if info.audio else 0
        self.audio_begin = self.audio_end = self.audio_time(first.pts)
        self._audio_latest = self.audio_end - 1

    @property
    def has_audio(self) -> bool:
        """Whether any audio has landed in the segment."""
        return self.audio_end > self.audio_begin

    def audio_time(self, video_pts: int) -> int:
        """A video timestamp in the audio track's timescale."""
        return video_pts * self.audio_rate // VIDEO_TIMESCALE

    def expected_dts(self) -> int:
        """When the next video packet is due."""
        return self.last.dts + max(self.last.duration, 1)

    def add_video(self, packet: Packet) -> list[FragmentReady]:
        """Takes a packet; returns the fragments that it completes (none, mostly)."""
        ready = []
        if waits_too_long(self.video[0].dts, packet):
            ready = self._cut_before(packet)
        self.video.append(packet)
        self.last = packet
        return ready

    def _cut_before(self, packet: Packet) -> list[FragmentReady]:
        ready = []
        last = self.video[-1]
        if packet.dts - self.video[0].dts > LONGEST_FRAGMENT and len(self.video) > 1:
            self.video.pop()
            ready.append(self._fragment(last.dts))
            self.video = [last]
        if waits_too_long(self.video[0].dts, packet):
            ready.append(self._fragment(packet.dts))
        return ready

    def add_audio(self, packet: Packet, pts: int) -> list[FragmentReady]:
        """Takes a packet at `pts`, or right behind the last one if it would overlap or be out of order."""
        if pts <= self._audio_latest + (packet.duration >> 1):
            pts = max(pts, self.audio_end, self._audio_latest + 1)
        if pts != packet.pts or pts != packet.dts:
            packet = replace(packet, pts=pts, dts=pts)
        self._audio_latest = pts
        self.audio_end = pts + packet.duration
        self.audio.append(packet)
        if pts - self.audio[0].pts <= AUDIO_AHEAD_S * self.audio_rate:
            return []
        return [FragmentReady(self._take((), len(self.audio)), self._cut_ns())]

    def finish(self, end_dts: int) -> None:
        """No more video: its last packet ends at `end_dts`."""
        self.end_dts = max(end_dts, self.last.dts + 1)
        if self.video:
            self._stretch_last(self.end_dts)

    def rest(self) -> list[FragmentReady]:
        """What is left after `finish`, audio and all, as the last fragments; none when nothing is."""
        ready, end_dts = [], self.end_dts
        if len(self.video) > 1 and end_dts - self.video[0].dts > LONGEST_FRAGMENT:
            last = self.video.pop()
            ready.append(self._fragment(last.dts))
            self.video = [last]
        if self.video or self.audio:
            self._cut_dts = end_dts
            ready.append(FragmentReady(self._take(self._taken_video(), len(self.audio)), self._cut_ns()))
        return ready

    def audio_from(self, pts: int) -> list[Packet]:
        """Removes and returns the waiting audio that begins at `pts` or later."""
        kept = self._audio_before(pts)
        ahead, self.audio = self.audio[kept:], self.audio[:kept]
        if ahead:
            self.audio_end, self._audio_latest = ahead[0].pts, ahead[0].pts - 1
        return ahead

    def duration_ns(self) -> int:
        """The media duration of the whole segment, once it has finished."""
        return (self.end_dts - self.first.dts) * _NS // VIDEO_TIMESCALE

    def _cut_ns(self) -> int:
        """The media duration of what has been cut into fragments."""
        return (self._cut_dts - self.first.dts) * _NS // VIDEO_TIMESCALE

    def _fragment(self, end_dts: int) -> FragmentReady:
        self._stretch_last(end_dts)
        self._cut_dts = end_dts
        end_pts = end_dts - self.first.dts + self.first.pts
        audio = self._audio_before(self.audio_time(end_pts))
        return FragmentReady(self._take(self._taken_video(), audio), self._cut_ns())

    def _stretch_last(self, end_dts: int) -> None:
        last = self.video[-1]
        if last.dts + last.duration != end_dts:
            self.video[-1] = replace(last, duration=end_dts - last.dts)

    def _taken_video(self) -> tuple[Packet, ...]:
        taken, self.video = tuple(self.video), []
        return taken

    def _audio_before(self, pts: int) -> int:
        """How many of the waiting audio packets begin before `pts`."""
        audio = self.audio
        count = len(audio)
        while count and audio[count - 1].pts >= pts:
            count -= 1
        return count

    def _take(self, video: tuple[Packet, ...], audio_count: int) -> Fragment:
        audio, self.audio = tuple(self.audio[:audio_count]), self.audio[audio_count:]
        return Fragment(video, audio)
