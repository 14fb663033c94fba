"""The wire format round-trips in pieces of any size and refuses what is not of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Codec, Kind, Packet, StreamInfo, Track
from pipeline.wire import (
    Anchor,
    Decoder,
    Dropped,
    Hello,
    Message,
    WireError,
    encode_dropped,
    encode_hello,
    encode_packet,
)

_VIDEO = Track(Kind.VIDEO, Codec.H265, 90_000, b"\x01\x02", 1920, 1080, 0, 2)
_AUDIO = Track(Kind.AUDIO, Codec.AAC, 16_000, b"\x14\x08", channels=1)

packets = st.builds(
    Packet,
    st.sampled_from(Kind),
    st.integers(-(2**62), 2**62),
    st.integers(-(2**62), 2**62),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.integers(0, 2**63),
    st.binary(max_size=300),
)


def _encode(message: Message) -> bytes:
    match message:
        case Hello(info, epoch, anchor):
            return encode_hello(info, epoch, anchor)
        case Dropped():
            return encode_dropped(message)
        case Packet():
            return encode_packet(message)


@given(st.lists(packets, max_size=8), st.integers(1, 40))
def test_round_trip_in_pieces(sent: list[Packet], piece: int) -> None:
    messages: list[Message] = [
        Hello(StreamInfo(_VIDEO, _AUDIO, "audio: copied"), 3, Anchor(5, 6)),
        *sent,
        Dropped(7, 1),
        Hello(StreamInfo(_VIDEO), 4),
    ]
    data = b"".join(map(_encode, messages))
    decoder = Decoder()
    received = [m for at in range(0, len(data), piece) for m in decoder.feed(data[at : at + piece])]
    assert received == messages


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("length_zero", b"\0\0\0\0"),
        ("length_huge", b"\xff\xff\xff\xff"),
        ("unknown_type", b"\0\0\0\1\x09"),
        ("short_packet", b"\0\0\0\3\x02ab"),
        ("hello_not_json", b"\0\0\0\3\x01{x"),
        ("hello_without_fields", b"\0\0\0\3\x01{}"),
        ("hello_of_another_kind", b"\0\0\0\2\x013"),
        ("packet_of_unknown_kind", b"\0\0\0\x1f\x02\x07" + bytes(29)),
    ],
)
def test_malformed_messages_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(WireError):
        Decoder().feed(data)
