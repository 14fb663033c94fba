"""From opened segments to playable MP4 files: no re-encoding, every packet of the GOPs that are kept. Pure.

Rules:
- Media is copied in large pieces as it comes; only tables stay in memory, and stand at the end of the file.
- The clip begins at 0 with a keyframe. Segments follow each other frame to frame, in the order they were
  recorded in; time without footage is closed up, and reported.
- Audio stays within `AUDIO_OFF_S` of the video: where it drifts apart, the last packet before is made longer
  or shorter. Where it would overlap, the video waits, so that nothing recorded is left out.
- New codec parameters begin a new file, for one MP4 has one set that every player takes.
- With `exact`, edit lists hide what is outside of the span. Hidden frames stay in the file.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from nvr.keyholder.clip_choice import Choice, Span, choose
from nvr.keyholder.clip_movie import MOVIE_TIMESCALE, Shown, movie
from nvr.keyholder.clip_tables import ClipTrack
from nvr.keyholder.segment_tables import NS, OpenSegment, Run, TrackFormat
from pipeline.boxes import box

GAP_NS = 1_500_000_000  # as in listings: less is a camera's own irregularity
AUDIO_OFF_S = 0.02
_BRANDS = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isom", b"iso2", b"mp41")
_MDAT_HEAD = struct.pack(">I4sI4s", 8, b"free", 0, b"mdat")  # the free box is room for a 64-bit size
_LAST_U32 = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Gap:
    """Time without footage, UTC."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class ClipFile:
    """One file: what it shows (UTC of its first and of its last instant; play time), and what it holds."""

    number: int
    start_ns: int
    end_ns: int
    duration_ns: int
    video_frames: int
    audio_packets: int
    size_bytes: int
    hidden_ns: int


@dataclass(frozen=True, slots=True)
class ClipReport:
    """The files in their order, and the gaps that were closed up between the first and the last frame."""

    files: tuple[ClipFile, ...]
    gaps: tuple[Gap, ...]


def write_clips(
    segments: Iterable[OpenSegment],
    span: Span,
    open_file: Callable[[int], BinaryIO],
    *,
    exact: bool = False,
) -> ClipReport:
    """Writes what `segments` (in the order of recording) hold of the span.

    `open_file` is asked for file 1, 2, …: seekable, at its beginning; the caller closes them. Without footage
    in the span none is asked for. Raises OSError from writing, and whatever iterating over `segments` raises.
    """
    files: list[ClipFile] = []
    gaps: list[Gap] = []
    clip: _Clip | None = None
    for segment in segments:
        choice = choose(segment, span)
        if choice is None:
            continue
        if clip is not None and clip.end_ns + GAP_NS < _utc_ns(segment, choice.starts_at):
            gaps.append(Gap(clip.end_ns, _utc_ns(segment, choice.starts_at)))
        if clip is None or clip.formats != (segment.video, segment.audio):
            if clip is not None:
                files.append(clip.finish(span if exact else None))
            clip = _Clip(len(files) + 1, open_file(len(files) + 1), segment, choice)
        clip.add(segment, choice)
    if clip is not None:
        files.append(clip.finish(span if exact else None))
    return ClipReport(tuple(files), tuple(gaps))


def _utc_ns(segment: OpenSegment, at: int) -> int:
    return segment.start_ns + at * NS // segment.video.timescale


class _Clip:
    """One file being written."""

    def __init__(self, number: int, out: BinaryIO, segment: OpenSegment, choice: Choice) -> None:
        self.formats: tuple[TrackFormat, TrackFormat | None] = (segment.video, segment.audio)
        self.end_ns = self._start_ns = _utc_ns(segment, choice.starts_at)
        self._last_start_ns, self._last_at = self._start_ns, 0
        self._number = number
        self._out = out
        self._video = ClipTrack(segment.video)
        self._audio = ClipTrack(segment.audio) if segment.audio else None
        self._video.begins_at = 0
        out.write(_BRANDS + _MDAT_HEAD)
        self._at = len(_BRANDS) + len(_MDAT_HEAD)

    def add(self, segment: OpenSegment, choice: Choice) -> None:
        """Appends what was chosen of a segment."""
        self._make_way(choice)
        begins = self._video.media_duration
        for video, audio in choice.runs:
            if video is not None:
                self._video.add(video, self._at)
                self._copy(segment, video)
            if audio is not None and self._audio is not None:
                self._place(self._audio, audio, begins, choice.starts_at)
                self._audio.add(audio, self._at)
                self._copy(segment, audio)
        self._last_start_ns, self._last_at = _utc_ns(segment, choice.starts_at), begins
        self.end_ns = max(_utc_ns(segment, choice.ends_at), self._last_start_ns)

    def _copy(self, segment: OpenSegment, run: Run) -> None:
        length = sum(run.sizes)
        self._out.write(segment.plaintext[run.data_at : run.data_at + length])
        self._at += length

    def _make_way(self, choice: Choice) -> None:
        """Lets the video wait where audio that was recorded past its end would overlap what follows."""
        first = next((audio for _, audio in choice.runs if audio is not None), None)
        if first is None or self._audio is None or not self._audio.count:
            return
        early = self._audio.ends_at - self._due(first, self._video.media_duration, choice.starts_at)
        if early > AUDIO_OFF_S * self._audio.form.timescale:
            self._video.stretch(early * self._video.form.timescale // self._audio.form.timescale)

    def _due(self, run: Run, begins: int, starts_at: int) -> int:
        """When an audio run should be heard, its segment's video being shown from `begins` on."""
        assert self._audio is not None  # noqa: S101 - only asked where there is audio
        return (
            run.decode_time + (begins - starts_at) * self._audio.form.timescale // self._video.form.timescale
        )

    def _place(self, audio: ClipTrack, run: Run, begins: int, starts_at: int) -> None:
        due = self._due(run, begins, starts_at)
        if audio.begins_at is None:
            audio.begins_at = max(due, 0)
        elif abs(due - audio.ends_at) > AUDIO_OFF_S * audio.form.timescale:
            audio.stretch(due - audio.ends_at)

    def finish(self, exact: Span | None) -> ClipFile:
        """Writes the tables, and the size of the media."""
        whole = self._movie_time(self._video.media_duration)
        if self._audio is not None and exact is None:
            ends = self._audio.ends_at * MOVIE_TIMESCALE // self._audio.form.timescale
            whole = max(whole, ends)
        shown = self._shown(exact, whole)
        start_ns = self._start_ns + shown.from_at * NS // MOVIE_TIMESCALE
        moov = movie(self._video, self._audio, shown, start_ns // NS)
        self._out.write(moov)
        self._write_media_size()
        duration_ns = (shown.to_at - shown.from_at) * NS // MOVIE_TIMESCALE
        return ClipFile(
            number=self._number,
            start_ns=start_ns,
            end_ns=self.end_ns if exact is None else min(self.end_ns, exact.to_ns),
            duration_ns=duration_ns,
            video_frames=self._video.count,
            audio_packets=self._audio.count if self._audio else 0,
            size_bytes=self._at + len(moov),
            hidden_ns=whole * NS // MOVIE_TIMESCALE - duration_ns,
        )

    def _movie_time(self, video_time: int) -> int:
        return video_time * MOVIE_TIMESCALE // self._video.form.timescale

    def _shown(self, exact: Span | None, whole: int) -> Shown:
        """All of it, or what lies in the span: only the first GOP and the last one can reach out of it."""
        if exact is None:
            return Shown(0, whole)
        hidden = max(exact.from_ns - self._start_ns, 0) * MOVIE_TIMESCALE // NS
        into_last = max(exact.to_ns - self._last_start_ns, 0) * MOVIE_TIMESCALE // NS
        ends = min(self._movie_time(self._last_at) + into_last, whole)
        return Shown(min(hidden, whole), max(ends, hidden))

    def _write_media_size(self) -> None:
        begins = len(_BRANDS)
        size = self._at - begins - 8
        large = struct.pack(">I4sQ", 1, b"mdat", size + 8)
        self._out.seek(begins)
        self._out.write(large if size > _LAST_U32 else struct.pack(">I4sI4s", 8, b"free", size, b"mdat"))
        self._out.seek(0, io.SEEK_END)
