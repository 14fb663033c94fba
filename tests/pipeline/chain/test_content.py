"""Content is the same however it is fed, another for other bytes, and keeps its payload when re-wrapped."""

from __future__ import annotations

import io
import os
import random
import zlib
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.header import header_end
from crypto.identity import HybridIdentity, X25519Identity
from crypto.recipient import Recipient
from crypto.seal import SealWriter, seal_bytes
from pipeline.chain.content import Content, ContentHash, Kind, Section, content_of, sections
from pipeline.store import SegmentFile, open_segment, recover
from pipeline.store.tail import HEAD_BYTES, TailRecord
from tests.support.store_writing import FRONT, append_fragments, make_store, mark, write_segment

TO = X25519Identity.generate(os.urandom).recipient
HYBRID = HybridIdentity.generate(os.urandom).recipient


def _content(data: bytes, *, unfinished: bool = False) -> Content:
    return content_of(io.BytesIO(data), unfinished=unfinished)


def _unfinished(chunks: int, records: int) -> bytes:
    """A file as start-up makes it: whole chunks, then records."""
    pieces: list[bytes] = []
    writer = SealWriter([TO], pieces.append)
    writer.write(os.urandom(chunks * 65_536 + 1))
    reach = chunks * 65_536
    for number in range(records):
        pieces.append(bytes(TailRecord(reach + 100 * number, 100, number, seal_bytes(bytes(100), [TO]))))
    return b"".join(pieces)


@pytest.mark.parametrize("recipient", [TO, HYBRID])
def test_header_and_payload_are_hashed_apart(recipient: Recipient) -> None:
    sealed = seal_bytes(os.urandom(300_000), [recipient])
    end = header_end(sealed) or 0
    content = _content(sealed)
    assert content == Content(sha256(sealed[:end]).digest(), sha256(sealed[end:]).digest(), len(sealed))
    assert content.digest == sha256(content.header_hash + content.payload_hash).digest()


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_how_it_is_cut_says_nothing(data: bytes, cuts: list[int]) -> None:
    whole, cut = ContentHash(), ContentHash()
    whole.payload(data)
    whole.header(b"header")
    cut.header(memoryview(b"header"))
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), 200], strict=True):
        cut.payload(bytearray(data[begin:end]))
    assert cut.content() == whole.content()
    assert cut.digest() == whole.digest()
    assert cut.size_bytes == len(data) + 6


def test_as_written_so_read(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    for sequence in range(4):
        segment = write_segment(store, [TO], sequence)
        with (store.root / segment.path).open("rb", buffering=0) as file:
            read = content_of(file, unfinished=False)
        written = ContentHash()
        sealed = (store.root / segment.path).read_bytes()
        end = header_end(sealed) or 0
        written.header(sealed[:end])
        written.payload(sealed[end:])
        assert read == written.content()
        assert read.size_bytes == segment.size_bytes


def _abandoned(segment: SegmentFile) -> None:
    append_fragments(segment, 7)
    segment.abandon()


@pytest.mark.parametrize("sequence", range(4))
def test_the_headers_of_tail_records_count_as_header(tmp_path: Path, sequence: int) -> None:
    store = make_store(tmp_path / "store")
    _abandoned(open_segment(store, mark(sequence), [TO]))
    (made,) = recover(store, FRONT.camera).published
    with (store.root / made.path).open("rb", buffering=0) as file:
        found = sections(file, unfinished=True)
        content = content_of(file, unfinished=True)
    kinds = [section.kind for section in found]
    sealed = (store.root / made.path).read_bytes()
    assert kinds.count(Kind.HEADER) == kinds.count(Kind.CHECK) + 1
    assert kinds.count(Kind.HEADER) == sealed.count(b"age-encryption.org/v1\n-> X25519 ") > 1
    header = b"".join(sealed[s.offset : s.offset + s.length] for s in found if s.kind is not Kind.PAYLOAD)
    assert content.header_hash == sha256(header).digest()
    assert content.size_bytes == len(sealed)


@pytest.mark.parametrize("chunks", [0, 1, 2])
@pytest.mark.parametrize("records", [0, 1, 3])
def test_sections_cover_the_file(chunks: int, records: int) -> None:
    data = _unfinished(chunks, records)
    for end in (len(data), len(data) - 1, len(data) // 2, 180, 100, 0):
        found = sections(io.BytesIO(data[:end]), unfinished=True)
        assert sum(section.length for section in found) == end
        ends = [0, *(section.offset + section.length for section in found)]
        assert [section.offset for section in found] == ends[:-1]


def test_new_headers_leave_the_payload_as_it_was() -> None:
    """What re-wrapping does, by hand: other header bytes, and the check that covers them."""
    data = _unfinished(1, 2)
    changed = bytearray(data)
    found = sections(io.BytesIO(data), unfinished=True)
    for section in found:
        if section.kind is Kind.HEADER:
            changed[section.offset + section.length - 2] ^= 1
    for check in (section for section in found if section.kind is Kind.CHECK):
        head = check.offset + 4 - HEAD_BYTES
        sealed = check.offset + 4
        length = int.from_bytes(changed[head + 4 : head + 8], "big")
        crc = zlib.crc32(changed[sealed : sealed + length], zlib.crc32(changed[head : check.offset]))
        changed[check.offset : check.offset + 4] = crc.to_bytes(4, "big")
    before, after = _content(data, unfinished=True), _content(bytes(changed), unfinished=True)
    assert (after.payload_hash, after.size_bytes) == (before.payload_hash, before.size_bytes)
    assert after.header_hash != before.header_hash


@pytest.mark.parametrize("unfinished", [False, True])
def test_any_changed_byte_changes_the_content(unfinished: bool) -> None:
    data = _unfinished(0, 2)
    content = _content(data, unfinished=unfinished).digest
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << random.randrange(8)
        assert _content(bytes(changed), unfinished=unfinished).digest != content, at
    for at in range(len(data)):
        assert _content(data[:at], unfinished=unfinished).digest != content, at


@given(st.binary(max_size=400), st.booleans())
def test_whatever_it_holds_it_has_a_content(data: bytes, unfinished: bool) -> None:
    for file in (data, b"age-encryption.org/v1\n" + data):
        assert _content(file, unfinished=unfinished).size_bytes == len(file)


def test_a_header_without_end_is_payload() -> None:
    data = b"age-encryption.org/v1\n" + b"-> X25519 " + b"A" * 40_000
    assert sections(io.BytesIO(data), unfinished=False) == [Section(Kind.PAYLOAD, 0, len(data))]
