"""Parameter sets of a stream and the configuration boxes made of them (ISO/IEC 14496-15): pure.

`ParameterSets` is what a stream carries at one time; two are equal when a decoder needs no new configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import Codec
from pipeline.nal import BadUnits, split_annex_b
from pipeline.sps import BadParameters, BitReader, Sps, parse_sps

_H264_SPS, _H264_PPS = 7, 8
_H265_VPS, _H265_SPS, _H265_PPS = 32, 33, 34
_HIGH_WITH_FORMAT = (100, 110, 122, 144)  # profiles whose avcC ends with the chroma format


def unit_type(codec: Codec, unit: bytes) -> int:
    """nal_unit_type."""
    return unit[0] & 0x1F if codec is Codec.H264 else unit[0] >> 1 & 0x3F


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Video, sequence and picture parameter sets, each in order of its id."""

    codec: Codec
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    vps: tuple[bytes, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether a decoder can start with these."""
        return bool(self.sps and self.pps and (self.vps or self.codec is Codec.H264))

    def parse(self) -> Sps:
        """The first sequence parameter set, read. Raises BadParameters."""
        return parse_sps(self.codec, self.sps[0])

    def configuration(self) -> bytes:
        """The body of avcC or hvcC. Raises BadParameters."""
        if len(self.sps) > 31 or len(self.pps) > 255:
            raise BadParameters("a stream has more parameter sets than its format allows")
        return _avcc(self) if self.codec is Codec.H264 else _hvcc(self)

    def merged(self, units: list[bytes]) -> ParameterSets:
        """With `units` in place of those of the same kind and id; a whole new set replaces everything."""
        fresh = collect(self.codec, units)
        if fresh.is_complete:
            return fresh
        return collect(self.codec, [*self.vps, *self.sps, *self.pps, *units])


def collect(codec: Codec, units: list[bytes]) -> ParameterSets:
    """The parameter sets among `units`; of two with the same kind and id the later counts."""
    kinds = (_H264_SPS, _H264_PPS) if codec is Codec.H264 else (_H265_SPS, _H265_PPS, _H265_VPS)
    found: dict[int, dict[int, bytes]] = {kind: {} for kind in kinds}
    for unit in units:
        kind = unit_type(codec, unit)
        if kind in found:
            found[kind][_identifier(codec, kind, unit)] = unit
    return ParameterSets(codec, *(tuple(by_id[i] for i in sorted(by_id)) for by_id in found.values()))


def _identifier(codec: Codec, kind: int, unit: bytes) -> int:
    """The id of a parameter set; 0 when it cannot be read (then it is judged when it is used)."""
    try:
        if codec is Codec.H264:
            return BitReader(unit[4:12] if kind == _H264_SPS else unit[1:9]).ue()
        if kind == _H265_VPS:
            return BitReader(unit[2:3]).bits(4)
        return BitReader(unit[2:10]).ue() if kind == _H265_PPS else _h265_sps_id(unit)
    except BadParameters:
        return 0


def _h265_sps_id(unit: bytes) -> int:
    reader = BitReader(unit[2:])
    reader.bits(4)
    sub_layers = reader.bits(3)
    reader.bits(1 + 96)
    present = [(reader.bits(1), reader.bits(1)) for _ in range(sub_layers)]
    reader.bits(2 * (8 - sub_layers) if sub_layers else 0)
    reader.bits(sum(88 * profile + 8 * level for profile, level in present))
    return reader.ue()


def read_extradata(codec: Codec, extradata: bytes) -> tuple[ParameterSets, int]:
    """The sets in a demuxer's extradata, and the size of length prefixes in its packets (0: Annex B).

    Extradata that cannot be read counts as none: the stream itself will bring the sets.
    """
    empty = ParameterSets(codec, (), ())
    if not extradata or extradata[0] != 1:
        return collect(codec, split_annex_b(extradata)) if extradata else empty, 0
    try:
        units, length_size = _read_avcc(extradata) if codec is Codec.H264 else _read_hvcc(extradata)
    except (IndexError, BadUnits):
        return empty, 4
    return collect(codec, units), length_size


def _read_avcc(box: bytes) -> tuple[list[bytes], int]:
    units: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        count = box[at] & mask
        at += 1
        at = _take_units(box, at, count, units)
    return units, (box[4] & 3) + 1


def _read_hvcc(box: bytes) -> tuple[list[bytes], int]:
    units: list[bytes] = []
    at = 23
    for _ in range(box[22]):
        count = int.from_bytes(box[at + 1 : at + 3], "big")
        at = _take_units(box, at + 3, count, units)
    return units, (box[21] & 3) + 1


def _take_units(box: bytes, at: int, count: int, units: list[bytes]) -> int:
    for _ in range(count):
        size = int.from_bytes(box[at : at + 2], "big")
        if not size or at + 2 + size > len(box):
            raise BadUnits("a parameter set is longer than its box")
        units.append(box[at + 2 : at + 2 + size])
        at += 2 + size
    return at


def _sized(unit: bytes) -> bytes:
    if len(unit) > 0xFFFF:
        raise BadParameters("a parameter set is too long")
    return len(unit).to_bytes(2, "big") + unit


def _avcc(sets: ParameterSets) -> bytes:
    sps = sets.parse()
    head = bytes((1, *sets.sps[0][1:4], 0xFC | 3, 0xE0 | len(sets.sps)))
    body = head + b"".join(map(_sized, sets.sps)) + bytes((len(sets.pps),)) + b"".join(map(_sized, sets.pps))
    if sps.profile in _HIGH_WITH_FORMAT:
        body += bytes(
            (0xFC | sps.chroma_format, 0xF8 | sps.bit_depth_luma - 8, 0xF8 | sps.bit_depth_chroma - 8, 0)
        )
    return body


def _hvcc(sets: ParameterSets) -> bytes:
    sps = sets.parse()
    head = (
        b"\1"
        + sps.profile_tier_level
        + b"\xf0\0"  # min_spatial_segmentation_idc: 0, not stated
        + bytes(
            (0xFC, 0xFC | sps.chroma_format, 0xF8 | sps.bit_depth_luma - 8, 0xF8 | sps.bit_depth_chroma - 8)
        )
        + b"\0\0"  # avgFrameRate: not stated
        + bytes((sps.temporal_layers << 3 | sps.temporal_nested << 2 | 3, 3))
    )
    arrays = ((_H265_VPS, sets.vps), (_H265_SPS, sets.sps), (_H265_PPS, sets.pps))
    return head + b"".join(
        # 0x80: array_completeness, all sets stand here, as the sample entry `hvc1` demands.
        bytes((0x80 | kind,)) + len(units).to_bytes(2, "big") + b"".join(map(_sized, units))
        for kind, units in arrays
    )
