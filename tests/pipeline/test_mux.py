"""What the mux makes plays in ffprobe and ffmpeg without a warning, and holds exactly the packets given."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.boxes import BadBox, walk
from pipeline.model import Fragment, Kind, Packet, SegmentMark, StreamInfo, StreamName
from pipeline.mux import MuxError, Origin, fragment, init_segment, mark_box, read_mark
from tests.support.footage import AudioCodec, VideoCodec, clip
from tests.support.packets import read_packets
from tests.support.players import packet_hashes, play, probe

MARK = SegmentMark(bytes(range(16)), StreamName("front", "main"), 7, 1_795_000_000_123_456_789, 3)


def cut(packets: tuple[Packet, ...], first: Packet, frames: int = 25) -> list[Fragment]:
    """Fragments of so many video packets, the audio beside them; audio from before `first` is left out."""
    video = [p for p in packets if p.kind is Kind.VIDEO and p.dts >= first.dts]
    audio = [p for p in packets if p.kind is Kind.AUDIO and p.pts >= first.pts * 48_000 // 90_000]
    cuts = []
    for at in range(0, len(video), frames):
        end_s = (video[at].dts - first.dts) / 90_000 + frames / 25
        beside = [
            p for p in audio if (p.pts / 48_000 - first.pts / 90_000) < end_s or at + frames >= len(video)
        ]
        audio = audio[len(beside) :]
        cuts.append(Fragment(tuple(video[at : at + frames]), tuple(beside)))
    return cuts


def segment(info: StreamInfo, fragments: list[Fragment]) -> bytes:
    start = Origin.of(info, fragments[0].video[0])
    body = [fragment(info, n, f, start) for n, f in enumerate(fragments, 1)]
    return init_segment(info, MARK, start) + b"".join(body)


def digests(fragments: list[Fragment], kind: Kind) -> list[str]:
    found = [p for f in fragments for p in (f.video if kind is Kind.VIDEO else f.audio)]
    return [hashlib.sha256(p.data).hexdigest() for p in found]


CASES: list[tuple[VideoCodec, bool, AudioCodec | None, tuple[str, ...]]] = [
    ("h264", False, None, ("video avc1",)),
    ("h264", False, "aac", ("video avc1", "audio mp4a")),
    ("h264", True, "aac", ("video avc1", "audio mp4a")),
    ("h265", False, "opus", ("video hvc1", "audio Opus")),
    ("h265", True, "aac", ("video hvc1", "audio mp4a")),
]


@pytest.mark.parametrize(("codec", "b_frames", "audio", "tags"), CASES)
def test_a_segment_plays_without_a_warning(
    tmp_path: Path, codec: VideoCodec, b_frames: bool, audio: AudioCodec | None, tags: tuple[str, ...]
) -> None:
    info, packets = read_packets(clip(codec, b_frames=b_frames, audio=audio, seconds=6))
    first = [p for p in packets if p.kind is Kind.VIDEO and p.is_keyframe][2]  # not the stream's first
    fragments = cut(packets, first)
    path = tmp_path / "segment.mp4"
    path.write_bytes(segment(info, fragments))
    found = probe(path)
    assert found.tags == tags
    assert found.start_s == 0
    assert found.duration_s == pytest.approx(4.0, abs=0.05)
    assert found.creation_time == "2026-11-18T11:06:40.000000Z"
    play(path)
    shown = packet_hashes(path, "v:0")
    assert shown[0][0] == 0
    assert [digest for _, digest in shown] == digests(fragments, Kind.VIDEO)
    assert [round(t * 90_000) for t, _ in shown] == pytest.approx(
        [p.pts - first.pts for f in fragments for p in f.video], abs=1
    )
    if audio:
        heard = packet_hashes(path, "a:0")
        assert [digest for _, digest in heard] == digests(fragments, Kind.AUDIO)
        assert 0 <= heard[0][0] < 0.03


@pytest.mark.parametrize("frames", [1, 7, 40])
def test_any_cut_into_fragments_keeps_every_time(tmp_path: Path, frames: int) -> None:
    info, packets = read_packets(clip(b_frames=True, audio="aac", seconds=6))
    fragments = cut(packets, packets[0], frames)
    path = tmp_path / "segment.mp4"
    path.write_bytes(segment(info, fragments))
    play(path)
    times = [round(t * 1000) for t, _ in packet_hashes(path, "v:0")]
    assert sorted(times) == [40 * n for n in range(150)]


def test_a_fragment_of_late_audio_alone_plays(tmp_path: Path) -> None:
    info, packets = read_packets(clip(audio="aac", seconds=6))
    whole = cut(packets, packets[0])
    late = [replace(f, audio=()) for f in whole] + [Fragment((), f.audio) for f in whole]
    path = tmp_path / "segment.mp4"
    path.write_bytes(segment(info, late))
    play(path)
    assert [d for _, d in packet_hashes(path, "a:0")] == digests(whole, Kind.AUDIO)


def test_irregular_times_stay_exact(tmp_path: Path) -> None:
    info, packets = read_packets(clip(seconds=6))
    jitter = [0, 700, -650, 333, -900]
    video = [replace(p, pts=p.pts + jitter[n % 5], dts=p.dts + jitter[n % 5]) for n, p in enumerate(packets)]
    fragments = [Fragment(tuple(video[at : at + 25]), ()) for at in range(0, 150, 25)]
    path = tmp_path / "segment.mp4"
    path.write_bytes(segment(info, fragments))
    shown = [round(t * 90_000) for t, _ in packet_hashes(path, "v:0")]
    assert shown == pytest.approx([p.pts for p in video], abs=1)


def test_an_init_segment_and_a_fragment_are_whole_boxes() -> None:
    info, packets = read_packets(clip(audio="aac", seconds=6))
    data = segment(info, cut(packets, packets[0])[:2])
    assert [b.kind for b in walk(data)] == [b"ftyp", b"uuid", b"moov", b"moof", b"mdat", b"moof", b"mdat"]
    assert read_mark(data) == MARK
    assert read_mark(init_segment(info, MARK, Origin(0, 0))) == MARK


NAMES = st.text(st.characters(codec="utf-8"), max_size=60)
MARKS = st.builds(
    SegmentMark,
    st.binary(min_size=16, max_size=16),
    st.builds(StreamName, NAMES, NAMES),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)


@given(MARKS)
def test_any_mark_is_read_back(mark: SegmentMark) -> None:
    assert read_mark(mark_box(mark)) == mark


@given(st.binary(max_size=80), st.integers(0, 80))
def test_a_damaged_mark_is_a_bad_box_or_another_mark(noise: bytes, at: int) -> None:
    data = bytearray(mark_box(MARK))
    data[at : at + len(noise)] = noise
    try:
        assert isinstance(read_mark(data), SegmentMark)
    except BadBox as fault:
        assert str(fault)


def test_every_cut_off_mark_is_a_bad_box() -> None:
    whole = mark_box(MARK)
    for end in range(len(whole)):
        with pytest.raises(BadBox):
            read_mark(whole[:end])


def test_a_strangers_mp4_has_no_mark() -> None:
    with pytest.raises(BadBox, match="does not begin with the mark"):
        read_mark(clip(seconds=6).read_bytes())


def test_a_broken_promise_is_an_error_and_not_a_broken_file() -> None:
    info, packets = read_packets(clip(seconds=6))
    start = Origin.of(info, packets[10])
    with pytest.raises(MuxError, match="older than the segment"):
        fragment(info, 1, Fragment(packets[:5], ()), start)
    with pytest.raises(MuxError, match="out of order"):
        fragment(info, 1, Fragment((packets[12], packets[11]), ()), start)
    with pytest.raises(MuxError, match="255 bytes"):
        mark_box(replace(MARK, name=StreamName("c" * 256, "main")))


def test_the_mark_in_the_documentation_is_the_one_written() -> None:
    device = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    mark = SegmentMark(device, StreamName("front", "main"), 42, 1_795_356_300_000_000_000, 1)
    page = (Path(__file__).parents[2] / "docs" / "format.md").read_text()
    assert mark_box(mark).hex() in page.replace("\n", "")
