"""NAL units: cutting, telling apart, and the boxes made of parameter sets, against what ffmpeg writes."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Codec
from pipeline.nal import (
    ROLES,
    START_CODE,
    BadUnits,
    length_prefixed,
    single_slice,
    sort_units,
    split_annex_b,
    split_length_prefixed,
)
from pipeline.parameters import ParameterSets, collect, read_extradata
from pipeline.sps import BadParameters, parse_sps
from tests.support.footage import STREET, clip

SLICE, IDR, SPS, PPS, AUD, SEI = b"\x41\x9a", b"\x65\x88", b"\x67\x64", b"\x68\xeb", b"\x09\xf0", b"\x06\x05"
units_in_a_packet = st.lists(
    st.binary(min_size=1, max_size=40).map(lambda b: b.replace(b"\0", b"\x01")), max_size=6
)


def extradata_of(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


def annex_b_of(path: Path) -> list[bytes]:
    """The clip's packets as a camera would send them: start codes, parameter sets before keyframes."""
    raw = io.BytesIO()
    with av.open(str(path), "r") as source, av.open(raw, "w", format="mpegts") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    raw.seek(0)
    with av.open(raw, "r") as container:
        return [bytes(p) for p in container.demux(video=0) if p.size]


@given(units_in_a_packet)
def test_annex_b_and_lengths_carry_the_same_units(units: list[bytes]) -> None:
    annex_b = b"".join(START_CODE + unit for unit in units)

    assert split_annex_b(annex_b) == units
    assert split_length_prefixed(length_prefixed(units)) == units


def test_short_start_codes_and_trailing_zeros() -> None:
    assert split_annex_b(b"\0\0\1" + AUD + b"\0\0\0\1" + IDR + b"\0\0\0") == [AUD, IDR]


@given(st.binary(max_size=60), st.sampled_from([1, 2, 4]))
def test_damaged_lengths_are_refused_and_never_go_past_the_end(data: bytes, size: int) -> None:
    try:
        units = split_length_prefixed(data, size)
    except BadUnits:
        return
    assert sum(len(unit) + size for unit in units) <= len(data)


def test_units_are_told_apart() -> None:
    found = sort_units(Codec.H264, [AUD, SPS, PPS, SEI, IDR])

    assert (found.units, found.parameter_sets) == ([SEI, IDR], [SPS, PPS])
    assert found.has_picture
    assert found.is_key
    assert not sort_units(Codec.H264, [SPS, PPS, SEI]).has_picture
    assert not sort_units(Codec.H264, [SLICE]).is_key


@pytest.mark.parametrize(("head", "is_key"), [(0x02, False), (0x26, True), (0x2A, True), (0x12, False)])
def test_h265_random_access_pictures_are_keys(head: int, is_key: bool) -> None:
    assert sort_units(Codec.H265, [bytes((head, 1, 0xAF))]).is_key is is_key


def test_single_slice_takes_only_what_is_one_plain_slice() -> None:
    roles = ROLES[Codec.H264]

    assert single_slice(roles, START_CODE + SLICE + b"\x11") == b"\0\0\0\3" + SLICE + b"\x11"
    assert single_slice(roles, START_CODE + IDR + b"\x11") is None
    assert single_slice(roles, START_CODE + SLICE + b"\0\0\1" + SLICE) is None
    assert single_slice(roles, START_CODE + SLICE + b"\x11\0") is None
    assert single_slice(roles, b"\0\0\1" + SLICE + b"\x11") is None
    assert single_slice(roles, b"") is None


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_real_packets_lose_only_parameter_sets_and_delimiters(codec: str) -> None:
    path = clip("h264" if codec == "h264" else "h265", audio=None)
    kind = Codec(codec)
    with av.open(str(path)) as container:
        stored = [bytes(p) for p in container.demux(video=0) if p.size]
    sent = annex_b_of(path)
    assert len(sent) == len(stored)

    for raw, expected in zip(sent[:60], stored, strict=False):
        kept = sort_units(kind, split_annex_b(raw)).units
        again = sort_units(kind, split_length_prefixed(expected)).units
        # Multiplexing moves x265's note about itself to the configuration box; nothing else may differ.
        assert kept[len(kept) - len(again) :] == again
        alone = single_slice(ROLES[kind], raw)
        assert alone is None or alone == length_prefixed(kept)


def test_avcc_is_what_ffmpeg_writes() -> None:
    path = clip(b_frames=True, audio="opus")
    written = extradata_of(path)
    sets = collect(Codec.H264, split_annex_b(annex_b_of(path)[0]))

    assert sets.is_complete
    assert sets.configuration() == written
    assert read_extradata(Codec.H264, written) == (sets, 4)


def test_a_box_without_the_high_profile_ending_is_completed() -> None:
    written = extradata_of(STREET)  # by an encoder that left the ending out
    sets, _ = read_extradata(Codec.H264, written)

    assert sets.configuration() == written + b"\xfd\xf8\xf8\0"


def test_hvcc_says_what_ffmpeg_writes() -> None:
    path = clip("h265")
    written = extradata_of(path)
    sets, length_size = read_extradata(Codec.H265, written)
    box = sets.configuration()

    assert length_size == 4
    assert sets.is_complete
    assert box[:13] == written[:13]  # version, profile, tier, level
    assert box[16:19] == written[16:19]  # chroma format and bit depths
    assert box[21] == written[21]  # temporal layers, length size
    assert read_extradata(Codec.H265, box)[0] == sets


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_decoder_opens_with_our_configuration_alone(codec: str) -> None:
    path = clip("h264" if codec == "h264" else "h265")
    sets, _ = read_extradata(Codec(codec), extradata_of(path))
    decoder = av.CodecContext.create("hevc" if codec == "h265" else "h264", "r")
    decoder.extradata = sets.configuration()
    key_packet = length_prefixed(sort_units(Codec(codec), split_annex_b(annex_b_of(path)[0])).units)

    frames = [*decoder.decode(av.Packet(key_packet)), *decoder.decode(None)]

    assert [(f.width, f.height) for f in frames] == [(640, 360)]


@pytest.mark.parametrize(
    ("path", "codec", "size", "reorder"),
    [
        (lambda: STREET, Codec.H264, (640, 272), 2),
        (lambda: clip(), Codec.H264, (640, 360), 0),
        (lambda: clip(size="320x180"), Codec.H264, (320, 180), 0),
        (lambda: clip("h265"), Codec.H265, (640, 360), 0),
    ],
    ids=["street", "h264", "cropped", "h265"],
)
def test_sps_of_real_streams(path: object, codec: Codec, size: tuple[int, int], reorder: int) -> None:
    assert callable(path)
    sps = read_extradata(codec, extradata_of(path()))[0].parse()

    assert (sps.width, sps.height) == size
    assert sps.reorder == reorder


def test_h265_with_b_frames_states_its_depth() -> None:
    sps = read_extradata(Codec.H265, extradata_of(clip("h265", b_frames=True, audio="pcma")))[0].parse()

    assert sps.reorder is not None
    assert sps.reorder >= 1


@given(st.sampled_from([Codec.H264, Codec.H265]), st.binary(max_size=80))
def test_any_bytes_are_an_sps_or_bad_parameters(codec: Codec, data: bytes) -> None:
    try:
        sps = parse_sps(codec, (b"\x67" if codec is Codec.H264 else b"\x42\x01") + data)
    except BadParameters:
        return
    assert 0 < sps.width <= 16384


@given(st.integers(0, 600), st.integers(0, 255))
def test_damaged_parameter_sets_never_raise_anything_else(at: int, value: int) -> None:
    for path, codec in ((STREET, Codec.H264), (clip("h265"), Codec.H265)):
        damaged = bytearray(extradata_of(path))
        damaged[at % len(damaged)] = value
        sets, _ = read_extradata(codec, bytes(damaged))
        try:
            box = sets.configuration() if sets.is_complete else b""
        except BadParameters:
            continue
        assert not box or box[0] == 1


@given(st.binary(max_size=80))
def test_unreadable_extradata_counts_as_none(data: bytes) -> None:
    for codec in (Codec.H264, Codec.H265):
        sets, length_size = read_extradata(codec, b"\1" + data)

        assert isinstance(sets, ParameterSets)
        assert 0 <= length_size <= 4


def test_a_new_set_replaces_all_a_part_only_its_own() -> None:
    old = collect(Codec.H264, [b"\x67\x64\x00\x15\xac", b"\x68\xeb\xe3", b"\x68\x5b\xe3"])
    new_pps = b"\x68\xeb\xff"

    assert len(old.pps) == 2
    assert old.merged([new_pps]).pps == (new_pps, b"\x68\x5b\xe3")
    assert old.merged([b"\x67\x64\x00\x1f\xac", new_pps]).pps == (new_pps,)
