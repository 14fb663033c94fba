"""What a bundle's files hold is parsed strictly: one spelling of each; garbage is refused, never a crash."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto.signing import sign
from nvr.bundle.document import PURPOSE, BadDocument, Document, from_noun, parse_document, to_noun
from nvr.bundle.layout import is_ours, manifest_path, manifest_version, segment_at, slice_path, slice_place
from nvr.bundle.slices import Slice
from nvr.bundle.sums import parse_sums, sums_text
from pipeline.chain.folding import Fold
from pipeline.chain.records import DamagedRecord, Gap, Segment, Start, StreamCheckpoint

START = Start(7, bytes(16), "front", 12, os.urandom(32), os.urandom(16), (StreamCheckpoint("main", 5),))
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
PATHS = st.sampled_from(["README.txt", "certificates.jsonl", "household/3.json", "chain/7.40.slice"])
TIMES = st.integers(0, 10**13)
DOCUMENTS = st.builds(
    Document,
    root=st.binary(min_size=32, max_size=32),
    device=st.binary(min_size=16, max_size=16),
    camera=st.just("front"),
    streams=st.sampled_from([(), ("main",), ("main", "sub")]),
    from_ms=TIMES,
    to_ms=TIMES,
    made_ms=TIMES,
    by=st.text(max_size=10),
    recipient=st.text(max_size=10),
    files=st.dictionaries(PATHS, HEX),
    headers=st.dictionaries(PATHS, HEX),
)


def _records(count: int) -> tuple[bytes, Fold]:
    fold, data = Fold(START), b""
    for sequence in range(count):
        data += fold.append(Segment("main", sequence, 10**12, 10_000, 99, 1, os.urandom(32)))
    return data, fold


@given(st.integers(0, 4))
def test_slices_round_trip(count: int) -> None:
    data, fold = _records(count)
    whole = Slice(START, START.count + 1, Fold(START).head, data)
    assert Slice.parse(bytes(whole)) == whole
    assert whole.begins_the_file
    assert [one.count for one in whole.placed()] == list(range(START.count + 2, START.count + 2 + count))
    later = Slice(START, fold.count, fold.head, fold.append(Gap("main", 5, "stopped")))
    assert Slice.parse(bytes(later)) == later
    assert len(later.placed()) == 1


@given(st.data())
def test_a_changed_slice_is_refused(data: st.DataObject) -> None:
    whole = bytes(Slice(START, START.count + 1, Fold(START).head, _records(2)[0]))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))]) + whole[at + 1 :]
    with pytest.raises(DamagedRecord):
        Slice.parse(changed).placed()


@given(st.binary(max_size=300))
def test_no_slice_is_no_crash(garbage: bytes) -> None:
    with pytest.raises(DamagedRecord):
        Slice.parse(garbage).placed()


@given(DOCUMENTS)
def test_documents_round_trip(document: Document) -> None:
    assert from_noun(to_noun(document)) == document
    line = sign(PURPOSE, to_noun(document), Ed25519PrivateKey.generate())
    assert parse_document(bytes(line)) == (document, line)


@given(
    DOCUMENTS,
    st.sampled_from(sorted(to_noun(Document(b"", b"", "", (), 0, 0, 0, "", "", {}, {})))),
    st.data(),
)
def test_a_document_with_something_else_in_it_is_refused(
    document: Document, name: str, data: st.DataObject
) -> None:
    wrong = data.draw(
        st.sampled_from([None, -1, True, "é", [1], ["main", "main"], {"x": 1}, {"README.txt": "0"}, 1 << 60])
    )
    noun = {**to_noun(document), name: wrong}
    line = sign(PURPOSE, noun, Ed25519PrivateKey.generate())
    if name in ("by", "recipient") and wrong == "é":
        return
    with pytest.raises(BadDocument):
        parse_document(bytes(line))


@given(DOCUMENTS, st.sampled_from(["format", "root", "files"]))
def test_a_document_without_something_is_refused(document: Document, name: str) -> None:
    noun = to_noun(document)
    del noun[name]
    for changed in (noun, {**to_noun(document), "more": 1}):
        with pytest.raises(BadDocument):
            parse_document(bytes(sign(PURPOSE, changed, Ed25519PrivateKey.generate())))


@given(st.binary(max_size=100))
def test_no_document_is_no_crash(garbage: bytes) -> None:
    with pytest.raises(BadDocument):
        parse_document(garbage)


@given(st.dictionaries(PATHS, HEX))
def test_sums_round_trip(files: dict[str, str]) -> None:
    assert parse_sums(sums_text(files)) == files


@given(st.binary(max_size=200))
def test_no_sums_are_no_crash(garbage: bytes) -> None:
    parse_sums(garbage)


@pytest.mark.parametrize(
    "path",
    [
        "../README.txt",
        "/etc/passwd",
        "household/0x1.json",
        "household/01.json",
        "chain/1.slice",
        "chain/01.2.slice",
        "segments/main/../../x.mp4.age",
        "segments/main/1+2.3.mp4.age/x",
        "segments/gaps/1+2.3.mp4.age",
        "segments/1+2.3.mp4.age",
        "bundle.json",
        "SHA256SUMS",
        "readme.txt",
        "",
    ],
)
def test_no_other_names(path: str) -> None:
    assert not is_ours(path, "front")


def test_names() -> None:
    assert manifest_version(manifest_path(12)) == 12
    assert slice_place(slice_path(3, 40)) == (3, 40)
    place = segment_at("segments/sub/1+2.3.cu.mp4.age", "front")
    assert place is not None
    assert (str(place[0]), place[1].unfinished, place[1].clock_unsure) == ("front/sub", True, True)
