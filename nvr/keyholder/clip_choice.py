"""Which packets of a segment an export keeps: whole GOPs that reach into the span, and the audio beside them.

Pure. Times inside a segment count from its first frame shown, as in its own MP4.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvr.keyholder.segment_tables import NS, OpenSegment, Run


@dataclass(frozen=True, slots=True)
class Span:
    """From when until before when, UTC."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What is kept of a segment: per fragment a run of video and one of audio, either may be None.

    `starts_at` is when the first frame is shown, `ends_at` when the last one ends (video timescale).
    """

    runs: tuple[tuple[Run | None, Run | None], ...]
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class _Gop:
    first: int  # of its packets, counted within the segment
    shown_at: int


def choose(segment: OpenSegment, span: Span) -> Choice | None:
    """What is kept, or None when no GOP reaches into the span."""
    gops, count, media_end = _gops(segment)
    rate = segment.video.timescale
    wanted_from = (span.from_ns - segment.start_ns) * rate // NS
    wanted_to = -(-(span.to_ns - segment.start_ns) * rate // NS)
    ends = [gop.shown_at for gop in gops[1:]] + [media_end]
    kept = [n for n, gop in enumerate(gops) if ends[n] > wanted_from and gop.shown_at < wanted_to]
    if not kept:
        return None
    first, behind = gops[kept[0]], kept[-1] + 1
    last = gops[behind].first if behind < len(gops) else count
    audio_from = first.shown_at if kept[0] else None
    audio_to = ends[kept[-1]] if behind < len(gops) else None
    runs = _runs(segment, first.first, last, _audio_span(segment, audio_from, audio_to))
    return Choice(runs, first.shown_at, ends[kept[-1]])


def _gops(segment: OpenSegment) -> tuple[list[_Gop], int, int]:
    """The GOPs, how many video packets there are, and when the last ends."""
    gops: list[_Gop] = []
    count = decode_end = delay = 0
    for fragment in segment.fragments:
        run = fragment.video
        if run is None:
            continue
        if not gops and run.composition:
            delay = run.composition[0]
        for k in run.keyframes:
            offset = run.composition[k] if run.composition else 0
            gops.append(_Gop(count + k, run.decode_time + sum(run.durations[:k]) + offset - delay))
        count += len(run.sizes)
        decode_end = run.decode_time + sum(run.durations)
    return gops, count, decode_end


def _audio_span(segment: OpenSegment, first: int | None, last: int | None) -> tuple[int, int]:
    """In the audio track's timescale; an end of the segment keeps all there is."""
    rate, video = (segment.audio.timescale if segment.audio else 0), segment.video.timescale
    lower = 0 if first is None else first * rate // video
    upper = 1 << 62 if last is None else last * rate // video
    return lower, upper


def _runs(
    segment: OpenSegment, first: int, last: int, audio_span: tuple[int, int]
) -> tuple[tuple[Run | None, Run | None], ...]:
    kept = []
    seen = 0
    for fragment in segment.fragments:
        video, audio = fragment.video, fragment.audio
        if video is not None:
            count = len(video.sizes)
            video = _part(video, max(first - seen, 0), min(last - seen, count))
            seen += count
        if audio is not None:
            audio = _audio_part(audio, *audio_span)
        if video is not None or audio is not None:
            kept.append((video, audio))
    return tuple(kept)


def _part(run: Run, first: int, last: int) -> Run | None:
    return run.part(first, last) if first < last else None


def _audio_part(run: Run, lower: int, upper: int) -> Run | None:
    """The packets that begin from `lower` until before `upper`; no loop where that is all of them."""
    ends = run.decode_time + sum(run.durations)
    if lower <= run.decode_time and ends <= upper:
        return run
    at, first, last = run.decode_time, len(run.sizes), 0
    for n, duration in enumerate(run.durations):
        if lower <= at < upper:
            first, last = min(first, n), n + 1
        at += duration
    return _part(run, first, last)
