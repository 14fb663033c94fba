"""What a sequence parameter set says of its stream, as far as a recorder needs it: pure.

Names are those of the H.264 and H.265 specifications. Reading stops at the last field that is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import Codec

# H.264 profiles whose parameter set carries the chroma format and scaling lists (7.3.2.1.1).
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_EXTENDED_SAR = 255
_MAX_SIDE = 16_384  # no level of either codec allows more


class BadParameters(ValueError):
    """The parameter set cannot be read."""


@dataclass(frozen=True, slots=True)
class Sps:
    """`reorder` is max_num_reorder_frames. It is None, and `fps` 0, when the stream does not say."""

    width: int
    height: int
    profile: int
    level: int
    chroma_format: int
    bit_depth_luma: int
    bit_depth_chroma: int
    reorder: int | None
    fps: float = 0.0
    temporal_layers: int = 1
    temporal_nested: bool = False
    profile_tier_level: bytes = b""  # the 12 bytes that hvcC repeats; H.265 only


class BitReader:
    """Reads bits of a unit's payload, most significant first. Raises BadParameters at the end."""

    def __init__(self, unit: bytes) -> None:
        payload = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(payload, "big")
        self._left = len(payload) * 8

    def bits(self, count: int) -> int:
        """The next `count` bits."""
        self._left -= count
        if self._left < 0:
            raise BadParameters("a parameter set ends too early")
        return self._value >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.bits(1))

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise BadParameters("a number in a parameter set is too long")
        return (1 << zeros) - 1 + self.bits(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        coded = self.ue()
        return (coded + 1) // 2 if coded & 1 else -(coded // 2)


def parse_sps(codec: Codec, unit: bytes) -> Sps:
    """Reads a sequence parameter set, its unit header included. Raises BadParameters."""
    sps = _parse_h264(unit) if codec is Codec.H264 else _parse_h265(unit)
    if not (0 < sps.width <= _MAX_SIDE and 0 < sps.height <= _MAX_SIDE):
        raise BadParameters("a parameter set gives an impossible picture size")
    return sps


def _parse_h264(unit: bytes) -> Sps:
    reader = BitReader(unit[1:])
    profile, _, level = reader.bits(8), reader.bits(8), reader.bits(8)
    reader.ue()  # seq_parameter_set_id
    chroma, luma_depth, chroma_depth = _h264_format(reader, profile)
    reader.ue()  # log2_max_frame_num
    order_type = _h264_order_type(reader)
    reader.ue()  # max_num_ref_frames
    reader.flag()
    width = (reader.ue() + 1) * 16
    map_units = reader.ue() + 1
    frames_only = reader.flag()
    if not frames_only:
        reader.flag()
    reader.flag()  # direct_8x8_inference
    height = map_units * 16 * (1 if frames_only else 2)
    cut_x, cut_y = _h264_crop(reader, chroma, frames_only)
    fps, reorder = _h264_vui(reader) if reader.flag() else (0.0, None)
    # Without a statement: Baseline (66) has no B-frames, and order type 2 means output order is decode order.
    if reorder is None and (profile == 66 or order_type == 2):
        reorder = 0
    return Sps(width - cut_x, height - cut_y, profile, level, chroma, luma_depth, chroma_depth, reorder, fps)


def _h264_format(reader: BitReader, profile: int) -> tuple[int, int, int]:
    if profile not in _HIGH_PROFILES:
        return 1, 8, 8
    chroma = _at_most(reader.ue(), 3)
    if chroma == 3:
        reader.flag()
    luma_depth, chroma_depth = _depth(reader), _depth(reader)
    reader.flag()  # qpprime_y_zero_transform_bypass
    if reader.flag():
        for index in range(12 if chroma == 3 else 8):
            if reader.flag():
                _skip_scaling_list(reader, 16 if index < 6 else 64)
    return chroma, luma_depth, chroma_depth


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.se()) % 256
        last = following or last


def _h264_order_type(reader: BitReader) -> int:
    order_type = reader.ue()
    if order_type == 0:
        reader.ue()
    elif order_type == 1:
        reader.flag()
        reader.se()
        reader.se()
        for _ in range(_at_most(reader.ue(), 255)):
            reader.se()
    return order_type


def _h264_crop(reader: BitReader, chroma: int, frames_only: bool) -> tuple[int, int]:
    if not reader.flag():
        return 0, 0
    left, right, top, bottom = (reader.ue() for _ in range(4))
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (1 if frames_only else 2)
    return (left + right) * unit_x, (top + bottom) * unit_y


def _h264_vui(reader: BitReader) -> tuple[float, int | None]:
    """The frame rate, and max_num_reorder_frames if said."""
    if reader.flag() and reader.bits(8) == _EXTENDED_SAR:
        reader.bits(32)
    if reader.flag():  # overscan
        reader.flag()
    if reader.flag():  # video signal type
        reader.bits(4)
        if reader.flag():
            reader.bits(24)
    if reader.flag():  # chroma location
        reader.ue()
        reader.ue()
    fps = 0.0
    if reader.flag():
        units, scale = reader.bits(32), reader.bits(32)
        reader.flag()
        fps = scale / (2 * units) if units else 0.0
    _skip_hrd(reader)
    reader.flag()  # pic_struct_present
    if not reader.flag():  # bitstream_restriction
        return fps, None
    reader.flag()
    for _ in range(4):
        reader.ue()
    return fps, _at_most(reader.ue(), 16)


def _skip_hrd(reader: BitReader) -> None:
    """Both H.264 buffering descriptions and the flag that stands behind them."""
    present = False
    for _ in range(2):
        if not reader.flag():
            continue
        present = True
        count = _at_most(reader.ue(), 31) + 1
        reader.bits(8)
        for _ in range(count):
            reader.ue()
            reader.ue()
            reader.flag()
        reader.bits(20)
    if present:
        reader.flag()


def _parse_h265(unit: bytes) -> Sps:
    reader = BitReader(unit[2:])
    reader.bits(4)
    sub_layers = reader.bits(3)
    nested = reader.flag()
    tier = reader.bits(96).to_bytes(12, "big")
    _skip_sub_layers(reader, sub_layers)
    reader.ue()  # sps_id
    chroma = _at_most(reader.ue(), 3)
    if chroma == 3:
        reader.flag()
    width, height = reader.ue(), reader.ue()
    if reader.flag():
        left, right, top, bottom = (reader.ue() for _ in range(4))
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1)
    luma_depth, chroma_depth = _depth(reader), _depth(reader)
    reader.ue()  # log2_max_pic_order_cnt_lsb
    reorder = 0
    for _ in range(sub_layers + 1 if reader.flag() else 1):
        reader.ue()
        reorder = _at_most(reader.ue(), 16)
        reader.ue()
    return Sps(
        width, height, tier[0] & 0x1F, tier[11], chroma, luma_depth, chroma_depth, reorder,
        temporal_layers=sub_layers + 1, temporal_nested=nested, profile_tier_level=tier,
    )  # fmt: skip


def _skip_sub_layers(reader: BitReader, sub_layers: int) -> None:
    if not sub_layers:
        return
    present = [(reader.flag(), reader.flag()) for _ in range(sub_layers)]
    reader.bits(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        reader.bits((88 if has_profile else 0) + (8 if has_level else 0))


def _depth(reader: BitReader) -> int:
    return _at_most(reader.ue(), 6) + 8


def _at_most(value: int, limit: int) -> int:
    if value > limit:
        raise BadParameters("a number in a parameter set is out of its range")
    return value
