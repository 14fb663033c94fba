"""Clips hold exactly the packets recorded, play without a warning, and say what they leave out."""

from __future__ import annotations

import hashlib
import io
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.keyholder.clip import ClipReport, Gap, write_clips
from nvr.keyholder.clip_choice import Span
from nvr.keyholder.segment_tables import FragmentTables, OpenSegment, open_tables
from pipeline.boxes import BadBox
from pipeline.model import Kind, Packet
from tests.support.footage import AudioCodec, VideoCodec, clip
from tests.support.packets import read_packets
from tests.support.players import packet_hashes, play, probe, shown_frames
from tests.support.recorded import BEGAN_NS, Recorded, later, record

S = 1_000_000_000
ALL = Span(0, 1 << 62)


def opened(recorded: Sequence[Recorded]) -> list[OpenSegment]:
    return [open_tables(r.plaintext, r.duration_ns) for r in recorded]


def written(
    folder: Path, recorded: Sequence[Recorded], span: Span = ALL, *, exact: bool = False
) -> tuple[ClipReport, list[Path]]:
    paths: list[Path] = []
    files: list[BinaryIO] = []

    def open_file(number: int) -> BinaryIO:
        assert number == len(paths) + 1
        paths.append(folder / f"clip-{number}.mp4")
        files.append(paths[-1].open("w+b"))
        return files[-1]

    report = write_clips(opened(recorded), span, open_file, exact=exact)
    for file in files:
        file.close()
    assert [f.size_bytes for f in report.files] == [p.stat().st_size for p in paths]
    return report, paths


def digests(packets: Sequence[Packet], kind: Kind) -> list[str]:
    return [hashlib.sha256(p.data).hexdigest() for p in packets if p.kind is kind]


def kept(packets: Sequence[Packet]) -> list[Packet]:
    """What a recorder keeps: from the first keyframe on, whose time is 0 in these clips."""
    at = next(n for n, p in enumerate(packets) if p.is_keyframe and p.kind is Kind.VIDEO)
    return [p for p in packets[at:] if p.kind is Kind.VIDEO or p.pts >= 0]


CASES: list[tuple[VideoCodec, bool, AudioCodec | None, tuple[str, ...]]] = [
    ("h264", False, None, ("video avc1",)),
    ("h264", False, "aac", ("video avc1", "audio mp4a")),
    ("h264", True, "aac", ("video avc1", "audio mp4a")),
    ("h265", True, "opus", ("video hvc1", "audio Opus")),
]


@pytest.mark.parametrize(("codec", "b_frames", "audio", "tags"), CASES)
def test_a_clip_of_everything_is_what_was_recorded(
    tmp_path: Path, codec: VideoCodec, b_frames: bool, audio: AudioCodec | None, tags: tuple[str, ...]
) -> None:
    info, packets = read_packets(clip(codec, b_frames=b_frames, audio=audio, seconds=6))
    report, (path,) = written(tmp_path, record(info, packets))
    found = probe(path)
    assert (found.tags, found.start_s, found.creation_time) == (tags, 0, "2026-11-18T11:06:40.000000Z")
    assert found.duration_s == pytest.approx(6.0, abs=0.05)
    play(path)
    shown = packet_hashes(path, "v:0")
    assert [digest for _, digest in shown] == digests(kept(packets), Kind.VIDEO)
    assert sorted(round(t * 1000) for t, _ in shown) == [40 * n for n in range(150)]
    if audio:
        heard = packet_hashes(path, "a:0")
        sounds = [p for p in kept(packets) if p.kind is Kind.AUDIO]
        assert [digest for _, digest in heard] == digests(sounds, Kind.AUDIO)
        assert all(abs(t - p.pts / 48_000) < 0.021 for (t, _), p in zip(heard, sounds, strict=True))
    (file,) = report.files
    assert (file.video_frames, file.hidden_ns, report.gaps) == (150, 0, ())
    assert (file.start_ns, file.end_ns) == (BEGAN_NS, BEGAN_NS + 6 * S)


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize(
    ("first_s", "last_s", "frames"), [(1.5, 4.2, (25, 125)), (3.0, 4.0, (75, 100)), (2.4, 2.5, (50, 75))]
)
def test_whole_gops_that_reach_into_the_span_are_kept(
    tmp_path: Path, b_frames: bool, first_s: float, last_s: float, frames: tuple[int, int]
) -> None:
    info, packets = read_packets(clip(b_frames=b_frames, audio="aac", seconds=6))
    span = Span(BEGAN_NS + round(first_s * S), BEGAN_NS + round(last_s * S))
    report, (path,) = written(tmp_path, record(info, packets), span)
    play(path)
    found = probe(path)
    assert found.start_s == 0
    assert found.duration_s == pytest.approx((frames[1] - frames[0]) / 25, abs=0.03)
    expected = digests(kept(packets), Kind.VIDEO)[slice(*frames)]
    assert [digest for _, digest in packet_hashes(path, "v:0")] == expected
    heard = packet_hashes(path, "a:0")
    sounds = [p for p in packets if p.kind is Kind.AUDIO and frames[0] <= p.pts / 48_000 * 25 < frames[1]]
    assert [digest for _, digest in heard] == digests(sounds, Kind.AUDIO)
    assert abs(heard[0][0] - (sounds[0].pts / 48_000 - frames[0] / 25)) < 0.002
    assert report.files[0].start_ns == BEGAN_NS + frames[0] * S // 25


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize(("first_s", "last_s"), [(1.48, 4.2), (2.0, 2.4), (0.52, 5.96)])
def test_exact_shows_the_span_and_says_what_stays_hidden(
    tmp_path: Path, b_frames: bool, first_s: float, last_s: float
) -> None:
    info, packets = read_packets(clip(b_frames=b_frames, audio="aac", seconds=6))
    span = Span(BEGAN_NS + round(first_s * S), BEGAN_NS + round(last_s * S))
    report, (path,) = written(tmp_path, record(info, packets), span, exact=True)
    play(path)
    a_packet_of_sound_s = 1024 / 48_000  # newer FFmpegs count the last one whole
    assert probe(path).duration_s == pytest.approx(last_s - first_s, abs=a_packet_of_sound_s)
    frames = shown_frames(path)
    assert frames[0] == pytest.approx(0, abs=0.001)
    assert len(frames) == round((last_s - first_s) * 25)
    (file,) = report.files
    assert file.duration_ns == pytest.approx((last_s - first_s) * S, abs=100_000)
    assert file.hidden_ns == pytest.approx(file.video_frames / 25 * S - file.duration_ns, abs=100_000)
    assert file.start_ns == pytest.approx(span.from_ns, abs=100_000)
    assert file.end_ns == span.to_ns


def test_a_gap_is_closed_up_and_told(tmp_path: Path) -> None:
    info, packets = read_packets(clip(audio="aac", seconds=6))
    first = record(info, packets)
    second = record(info, later(packets, 100), sequence=20)
    report, (path,) = written(tmp_path, first + second)
    play(path)
    assert probe(path).duration_s == pytest.approx(12.0, abs=0.1)
    assert report.gaps == (Gap(BEGAN_NS + 6 * S, BEGAN_NS + 100 * S),)
    for selector, kind in (("v:0", Kind.VIDEO), ("a:0", Kind.AUDIO)):
        found = [digest for _, digest in packet_hashes(path, selector)]
        assert found == digests(kept(packets), kind) * 2
    late = [t for t, _ in packet_hashes(path, "v:0")][150]
    heard = [t for t, _ in packet_hashes(path, "a:0")]
    begun = heard[len(heard) // 2]
    assert abs(begun - late - (heard[0] - 0.0)) < 0.021  # sound and picture are together again


def test_segments_missing_in_the_middle_keep_the_rest_in_step(tmp_path: Path) -> None:
    info, packets = read_packets(clip(audio="aac", seconds=20))
    segments = record(info, packets)
    del segments[3:6]
    report, (path,) = written(tmp_path, segments)
    play(path)
    assert report.gaps == (Gap(BEGAN_NS + 6 * S, BEGAN_NS + 12 * S),)
    assert probe(path).duration_s == pytest.approx(14.0, abs=0.05)


def test_new_parameters_begin_a_numbered_file(tmp_path: Path) -> None:
    info, packets = read_packets(clip(seconds=6))
    other, others = read_packets(clip(size="320x180", audio="aac", seconds=6))
    segments = record(info, packets) + record(other, later(others, 6), sequence=10)
    report, paths = written(tmp_path, segments)
    assert [probe(p).tags for p in paths] == [("video avc1",), ("video avc1", "audio mp4a")]
    assert [f.video_frames for f in report.files] == [150, 150]
    assert [f.number for f in report.files] == [1, 2]
    for path in paths:
        play(path)


def test_nothing_in_the_span_asks_for_no_file(tmp_path: Path) -> None:
    info, packets = read_packets(clip(seconds=6))
    report, paths = written(tmp_path, record(info, packets), Span(BEGAN_NS - 9 * S, BEGAN_NS))
    assert (report, paths) == (ClipReport((), ()), [])


def test_an_unfinished_segment_gives_its_whole_fragments(tmp_path: Path) -> None:
    info, packets = read_packets(clip(audio="aac", seconds=6))
    (whole,) = record(info, packets, target_s=60)
    cut = whole.plaintext[: len(whole.plaintext) * 2 // 3]
    with pytest.raises(BadBox, match="breaks off at byte"):
        open_tables(cut, whole.duration_ns)
    segment = open_tables(cut, whole.duration_ns, unfinished=True)
    path = tmp_path / "clip.mp4"
    with path.open("w+b") as file:
        report = write_clips([segment], ALL, lambda _: file)
    play(path)
    assert report.files[0].video_frames in range(75, 126)
    assert report.files[0].video_frames == sum(len(f.video.sizes) for f in segment.fragments if f.video)


def test_a_clip_over_four_gigabytes_has_long_offsets() -> None:
    class Counting(io.RawIOBase):
        """A file that forgets the media and remembers how much there was."""

        def __init__(self) -> None:
            self.at, self.end, self.heads = 0, 0, dict[int, bytes]()

        def write(self, data: object) -> int:
            view = memoryview(data)  # type: ignore[arg-type]
            if len(view) < 100_000:
                self.heads[self.at] = bytes(view)
            self.at += len(view)
            self.end = max(self.end, self.at)
            return len(view)

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = self.end if whence == io.SEEK_END else offset
            return self.at

    info, packets = read_packets(clip(seconds=6))
    (segment,) = opened(record(info, packets, target_s=60))
    big = OpenSegment(segment.mark, segment.duration_ns, memoryview(bytes(2**20)), segment.video, None, ())
    size = 2**20
    run = segment.fragments[0].video
    assert run is not None
    run = replace(run, sizes=array("I", [size]), durations=array("I", [3600]), data_at=0)
    big = replace(big, fragments=(FragmentTables(run, None),))
    out = Counting()
    write_clips([big] * 4100, ALL, lambda _: out)  # type: ignore[arg-type,return-value]
    moov = next(head for at, head in out.heads.items() if at > 2**32)
    assert b"co64" in moov and b"stco" not in moov
    assert out.heads[28][:8] == b"\0\0\0\x01mdat"
    assert int.from_bytes(out.heads[28][8:16], "big") == 4100 * size + 16


@given(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=9))
def test_a_damaged_segment_is_a_bad_box_or_still_tables(at: int, noise: bytes) -> None:
    info, packets = read_packets(clip(audio="aac", seconds=6))
    (whole,) = record(info, packets[:60], target_s=60)
    data = bytearray(whole.plaintext)
    at %= len(data)
    data[at : at + len(noise)] = noise
    try:
        open_tables(bytes(data), whole.duration_ns)
    except BadBox as fault:
        assert str(fault)
