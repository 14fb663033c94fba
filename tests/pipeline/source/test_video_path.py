"""From a demuxer's packets to ours: parameter sets, split packets, missing times, damaged bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Codec, Packet, StreamInfo
from pipeline.nal import START_CODE, BadUnits, length_prefixed, split_annex_b
from pipeline.parameters import ParameterSets, read_extradata
from pipeline.source.video import Item, VideoFormat, VideoPath
from tests.support.footage import clip

FRAME = 3600
IDR, SLICE, SEI, AUD = b"\x65\x88\x84", b"\x41\x9a\x24", b"\x06\x05\x01\x80", b"\x09\xf0"


def sets_of(**how: str) -> ParameterSets:
    with av.open(str(clip(**how))) as container:  # type: ignore[arg-type]
        return read_extradata(Codec.H264, container.streams.video[0].codec_context.extradata or b"")[0]


LARGE = sets_of()
SMALL = sets_of(size="320x180", audio="aac")


def annex_b(*units: bytes) -> bytes:
    return b"".join(START_CODE + unit for unit in units)


def parameters(sets: ParameterSets) -> tuple[bytes, ...]:
    return (*sets.sps, *sets.pps)


@dataclass
class Sent:
    """A packet as the demuxer gives it."""

    units: tuple[bytes, ...]
    pts: int | None
    is_keyframe: bool = False


def run(packets: Iterable[Sent], extradata: bytes = b"") -> list[Item]:
    path = VideoPath(VideoFormat(Codec.H264, extradata, fps=25))
    items = [
        item for n, p in enumerate(packets) for item in path.push(annex_b(*p.units), p.pts, p.is_keyframe, n)
    ]
    return [*items, *path.flush()]


def packets(items: list[Item]) -> list[Packet]:
    return [item for item in items if isinstance(item, Packet)]


def gop(start: int, sets: ParameterSets, frames: int = 5) -> list[Sent]:
    first = Sent((AUD, *parameters(sets), SEI, IDR), start * FRAME, True)
    return [first, *(Sent((SLICE + bytes((n % 200 + 1,)),), (start + n) * FRAME) for n in range(1, frames))]


def test_packets_lose_parameter_sets_and_delimiters_and_gain_lengths() -> None:
    info, *rest = run(gop(0, LARGE))

    assert isinstance(info, StreamInfo)
    assert (info.video.width, info.video.height, info.video.reorder) == (640, 360, 0)
    assert info.video.extradata == LARGE.configuration()
    assert packets(rest)[0].data == length_prefixed([SEI, IDR])
    assert [p.pts for p in packets(rest)] == [n * FRAME for n in range(5)]
    assert [p.is_keyframe for p in packets(rest)] == [True, False, False, False, False]


def test_nothing_comes_before_the_first_keyframe() -> None:
    items = run([Sent((SLICE + b"\1",), n * FRAME) for n in range(3)] + gop(3, LARGE))

    assert isinstance(items[0], StreamInfo)
    assert packets(items)[0].pts == 3 * FRAME


def test_sets_of_the_session_description_are_enough() -> None:
    items = run([Sent((IDR,), 0, True)], annex_b(*parameters(LARGE)))

    assert isinstance(items[0], StreamInfo)
    assert packets(items)[0].data == length_prefixed([IDR])


def test_stale_sets_of_the_session_description_are_never_told() -> None:
    infos = [i for i in run(gop(0, SMALL), annex_b(*parameters(LARGE))) if isinstance(i, StreamInfo)]

    assert [info.video.width for info in infos] == [320]


def test_a_change_is_told_before_its_keyframe_and_only_then() -> None:
    items = run([*gop(0, LARGE), *gop(5, LARGE), *gop(10, SMALL), *gop(15, SMALL)])
    told = [n for n, item in enumerate(items) if isinstance(item, StreamInfo)]

    assert len(told) == 2
    after = items[told[1] + 1]
    assert isinstance(after, Packet)
    assert (after.pts, after.is_keyframe) == (10 * FRAME, True)


def test_sets_without_a_keyframe_stay_in_the_packet_and_are_told_later() -> None:
    other = (LARGE.sps[0], LARGE.pps[0] + b"\x01")
    items = run([*gop(0, LARGE), Sent((*other, SLICE), 5 * FRAME), *gop(6, LARGE)])

    assert length_prefixed([*other, SLICE]) in [p.data for p in packets(items)]


@pytest.mark.parametrize("late", [0, 200], ids=["at the start", "long after"])
def test_what_stands_before_a_picture_joins_it(late: int) -> None:
    split = [Sent((*parameters(LARGE), SEI), late * FRAME, True), Sent((IDR,), None, False)]
    found = packets(
        run([*(gop(0, LARGE, late) if late else []), *split, Sent((SLICE + b"\1",), (late + 1) * FRAME)])
    )

    assert found[-2].data == length_prefixed([SEI, IDR])
    assert (found[-2].pts, found[-2].is_keyframe) == (late * FRAME, True)


def test_slices_of_equal_time_are_one_packet() -> None:
    halves = [Sent((half,), 0, True) for half in (IDR, IDR + b"\2")]
    halves += [Sent((half,), FRAME) for half in (SLICE, SLICE + b"\2")]
    found = packets(run(halves, annex_b(*parameters(LARGE))))

    assert [p.data for p in found] == [
        length_prefixed([IDR, IDR + b"\2"]),
        length_prefixed([SLICE, SLICE + b"\2"]),
    ]
    assert [p.pts for p in found] == [0, FRAME]


def test_splitting_that_begins_late_is_joined_from_then_on() -> None:
    times = [pts for n in range(300, 310) for pts in (n * FRAME, n * FRAME)]
    found = packets(run([*gop(0, LARGE, 300), *(Sent((SLICE + b"\1",), pts) for pts in times)]))

    assert len({p.pts for p in found[-9:]}) == 9
    assert all(a.dts < b.dts for a, b in itertools.pairwise(found))


def test_a_steady_stream_is_not_held_back() -> None:
    path = VideoPath(VideoFormat(Codec.H264, b"", fps=25))
    given_out = [
        len(path.push(annex_b(*p.units), p.pts, p.is_keyframe, n)) for n, p in enumerate(gop(0, LARGE, 200))
    ]

    assert given_out[150:] == [1] * 50


@pytest.mark.parametrize("reorder", [0, 2])
def test_a_first_packet_without_time_gets_the_one_before(reorder: int) -> None:
    with av.open(str(clip(b_frames=True, audio="opus"))) as container:
        stream = container.streams.video[0]
        extradata = stream.codec_context.extradata or b""
    times = [None, 4 * FRAME, 2 * FRAME, FRAME, 3 * FRAME] if reorder else [None, FRAME, 2 * FRAME]
    sets = read_extradata(Codec.H264, extradata)[0] if reorder else LARGE
    sent = [Sent(((IDR if n == 0 else SLICE + b"\1"),), pts, n == 0) for n, pts in enumerate(times)]
    found = packets(run(sent, annex_b(*parameters(sets))))

    assert found[0].pts == 0
    assert len(found) == len(times)


def test_later_missing_times_are_filled_in() -> None:
    sent = gop(0, LARGE, 6)
    sent[3].pts = None

    assert [p.pts for p in packets(run(sent))] == [n * FRAME for n in range(6)]


def test_a_packet_that_is_not_units_is_refused() -> None:
    path = VideoPath(VideoFormat(Codec.H264, b""))
    with pytest.raises(BadUnits):
        path.push(b"<html><body>", 0, True, 0)


def test_unreadable_parameters_do_not_end_a_stream() -> None:
    items = run([*gop(0, LARGE), Sent((b"\x67\x64", b"\x68", IDR), 5 * FRAME, True), *gop(6, LARGE)])

    assert len(packets(items)) == 11
    assert len([i for i in items if isinstance(i, StreamInfo)]) == 1


@given(
    st.lists(st.tuples(st.binary(max_size=30), st.none() | st.integers(0, 2**33), st.booleans()), max_size=20)
)
def test_any_packets_give_items_or_bad_units(sent: list[tuple[bytes, int | None, bool]]) -> None:
    path = VideoPath(VideoFormat(Codec.H264, annex_b(*parameters(LARGE))))
    for n, (data, pts, is_keyframe) in enumerate(sent):
        try:
            items = path.push(START_CODE + data, pts, is_keyframe, n)
        except BadUnits:
            continue
        for packet in items:
            assert isinstance(packet, StreamInfo) or packet.data


def test_length_prefixed_packets_pass_unchanged() -> None:
    with av.open(str(clip())) as container:
        stream = container.streams.video[0]
        path = VideoPath(VideoFormat(Codec.H264, stream.codec_context.extradata or b"", fps=25))
        raw = [(bytes(p), p.pts, p.is_keyframe) for p in container.demux(stream) if p.size][:50]
    found = [item for data, pts, key in raw for item in path.push(data, pts, key, 0)] + path.flush()

    assert [p.data for p in packets(found)] == [data for data, _, _ in raw]
    assert split_annex_b(packets(found)[0].data) == []
