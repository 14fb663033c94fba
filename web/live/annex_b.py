"""The tap's packets as a decoder without a container needs them: Annex B, with parameter sets. Pure."""

from __future__ import annotations

from pipeline.model import Packet, Track
from pipeline.nal import START_CODE, split_length_prefixed
from pipeline.parameters import read_extradata


def parameter_sets(track: Track) -> bytes:
    """The parameter sets of an H.264 track, each behind a start code."""
    sets, _ = read_extradata(track.codec, track.extradata)
    return _joined([*sets.sps, *sets.pps])


def annex_b(packet: Packet, sets: bytes) -> bytes:
    """The access unit of a video packet, behind `sets` if it is a keyframe. Raises BadUnits."""
    units = _joined(split_length_prefixed(packet.data))
    return sets + units if packet.is_keyframe else units


def _joined(units: list[bytes]) -> bytes:
    return b"".join([piece for unit in units for piece in (START_CODE, unit)])
