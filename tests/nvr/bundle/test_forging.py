"""Whoever makes a bundle cannot make it say more than the recorder signed, though all its files fit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.identity import Identity
from nvr.bundle import Finding, OtherHousehold, check_bundle, told
from nvr.bundle.slices import Slice
from pipeline.chain.folding import Fold
from pipeline.chain.records import Segment, Signed, encode
from pipeline.names import DAY_MS
from tests.support.bundles import BACK, Scene
from tests.support.forging import document_of, sign_anew
from tests.support.people import NOW_MS


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene.found(tmp_path / "house")
    scene.record(range(8))
    return scene


@pytest.fixture
def bundle(scene: Scene, tmp_path: Path) -> Path:
    scene.made(tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture
def anna(scene: Scene) -> Identity:
    return scene.membership().holder.identities[0]


def _findings(bundle: Path) -> tuple[Finding, ...]:
    return check_bundle(bundle).findings


def _segments(bundle: Path) -> list[Path]:
    return sorted((bundle / "segments/main").iterdir())


def test_a_segment_left_out_is_named(bundle: Path, anna: Identity) -> None:
    gone = _segments(bundle)[2]
    gone.unlink()
    headers = {path: one for path, one in document_of(bundle).headers.items() if gone.name not in path}
    sign_anew(bundle, anna, headers=headers)
    (finding,) = _findings(bundle)
    assert finding.path == f"segments/main/{gone.name}"
    assert finding.text == "It was recorded, did not expire, and is not in this bundle."


def test_a_segment_altered_is_named(bundle: Path, anna: Identity) -> None:
    changed = _segments(bundle)[2]
    data = bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    sign_anew(bundle, anna)
    (finding,) = _findings(bundle)
    assert finding.path == f"segments/main/{changed.name}"
    assert "It is not what the recorder recorded" in finding.text


def test_a_segment_with_another_time_is_named(bundle: Path, anna: Identity) -> None:
    old = _segments(bundle)[2]
    new = old.with_name(old.name.replace(str(NOW_MS + 20_000), str(NOW_MS + 20_001)))
    old.rename(new)
    headers = {path.replace(old.name, new.name): one for path, one in document_of(bundle).headers.items()}
    sign_anew(bundle, anna, headers=headers)
    (finding,) = _findings(bundle)
    assert finding.path == f"segments/main/{new.name}"
    assert "Its name says another time" in finding.text


def test_a_segment_of_another_time_is_named(bundle: Path, anna: Identity, scene: Scene) -> None:
    """Footage that is genuine, and that no record in the bundle speaks of."""
    scene.box.next_day()
    scene.record(range(8, 14))
    scene.made(bundle.parent / "tomorrow", from_ms=scene.box.now_ms)
    other = _segments(bundle.parent / "tomorrow")[0]
    shutil.copy(other, bundle / "segments/main")
    sign_anew(bundle, anna)
    (finding,) = _findings(bundle)
    assert finding.path == f"segments/main/{other.name}"
    assert "nothing about it is proven" in finding.text


def _slice(bundle: Path) -> tuple[Path, Slice]:
    path = next((bundle / "chain").iterdir())
    return path, Slice.parse(path.read_bytes())


def _rewritten(piece: Slice, by_ms: int) -> Slice:
    """The records that one would like to have, with the signature that was there."""
    fold, data = Fold(piece.start), b""
    for placed in piece.placed():
        record = placed.record
        if isinstance(record, Segment):
            record = replace(record, start_ms=record.start_ms + by_ms)
        data += fold.append(record)
    return replace(piece, records=data)


def test_a_slice_shifted_in_time_is_named(bundle: Path, anna: Identity) -> None:
    path, piece = _slice(bundle)
    path.write_bytes(bytes(_rewritten(piece, 3_600_000)))
    sign_anew(bundle, anna, from_ms=NOW_MS + 3_600_000, to_ms=NOW_MS + 3_660_000)
    named = {finding.path: finding.text for finding in _findings(bundle)}
    assert "A signature in it is not that of its day key" in named[f"chain/{path.name}"]


def test_a_slice_without_its_signature_is_said_to_be_unsigned(bundle: Path, anna: Identity) -> None:
    """That is the newest minute's case, so no fault; but nothing is said to be proven."""
    path, piece = _slice(bundle)
    fold, data = Fold(piece.start), b""
    for placed in piece.placed():
        if not isinstance(placed.record, Signed):
            data += fold.append(placed.record)
    path.write_bytes(bytes(replace(piece, records=data)))
    sign_anew(bundle, anna)
    verdict = check_bundle(bundle)
    assert verdict.signed_ms == 0
    assert verdict.streams[0].unsigned == 6
    text = "\n".join(told(verdict))
    assert "Nothing here bears the recorder's signature: all of it is the exporter's word." in text
    assert "What this proves" not in text


def test_a_slice_of_another_camera_is_named(bundle: Path, anna: Identity, scene: Scene) -> None:
    scene.record(range(6), BACK)
    scene.made(bundle.parent / "back", camera="back-garden")
    path, _ = _slice(bundle)
    other, _ = _slice(bundle.parent / "back")
    path.unlink()
    shutil.copy(other, path.parent)
    sign_anew(bundle, anna)
    named = {finding.path: finding.text for finding in _findings(bundle)}
    assert "it is of the camera back-garden" in named[f"chain/{other.name}"]


def test_a_start_of_ones_own_is_named(bundle: Path, anna: Identity) -> None:
    path, piece = _slice(bundle)
    start = replace(piece.start, nonce=bytes(16))
    path.write_bytes(encode(start, start.head) + bytes(piece)[len(encode(start, start.head)) :])
    sign_anew(bundle, anna)
    assert f"chain/{path.name}" in [finding.path for finding in _findings(bundle)]


def test_certificates_left_out_are_named(scene: Scene, tmp_path: Path, anna: Identity) -> None:
    for _ in range(2):
        scene.box.next_day()
    scene.record(range(8, 14))
    bundle = tmp_path / "evidence"
    scene.made(bundle, from_ms=scene.box.now_ms)
    whole = (bundle / "certificates.jsonl").read_bytes().splitlines(keepends=True)
    for gone in range(3):
        (bundle / "certificates.jsonl").write_bytes(b"".join(whole[:gone] + whole[gone + 1 :]))
        sign_anew(bundle, anna)
        assert "certificates.jsonl" in [one.path for one in _findings(bundle)] or gone == 2
        assert not check_bundle(bundle).is_sound
    (bundle / "certificates.jsonl").unlink()
    sign_anew(bundle, anna)
    assert "certificates.jsonl" in [one.path for one in _findings(bundle)]


def test_a_day_key_that_no_owner_listed_proves_nothing(scene: Scene, tmp_path: Path) -> None:
    """The state was lost, or the box is another: all fits, but nobody of the household says so."""
    shutil.rmtree(scene.box.state_dir)
    scene.box.restart()
    scene.record(range(8, 14))
    bundle = tmp_path / "evidence"
    report = scene.made(bundle, from_ms=NOW_MS, keep_going=True)
    assert report.verdict.findings[0].path == "certificates.jsonl"
    assert "No owner of the household has listed the day key" in report.verdict.findings[0].text


def test_a_stranger_cannot_sign(bundle: Path, scene: Scene, tmp_path: Path) -> None:
    """Nor somebody of another household, in anna's name or in their own."""
    stranger = Scene.found(tmp_path / "other").membership()
    for name in ("anna", "mallory"):
        sign_anew(bundle, stranger.holder.identities[0], by=name)
        (finding,) = _findings(bundle)
        assert finding.path == "bundle.json"
        assert "no member of the household that is here signed it" in finding.text


def test_a_viewer_can_make_a_bundle(scene: Scene, tmp_path: Path) -> None:
    scene.people.join("bob")
    report = scene.made(tmp_path / "bobs", who="bob")
    assert report.verdict.document is not None
    assert report.verdict.document.by == "bob"
    assert check_bundle(tmp_path / "bobs").is_sound


def test_a_household_exchanged_whole_is_another_household(scene: Scene, bundle: Path, tmp_path: Path) -> None:
    root = check_bundle(bundle).fingerprint
    other = Scene.found(tmp_path / "other")
    other.record(range(8))
    other.made(tmp_path / "fake")
    assert check_bundle(tmp_path / "fake").is_sound
    with pytest.raises(OtherHousehold):
        check_bundle(tmp_path / "fake", root)


def test_older_versions_of_the_household_cannot_be_left_out(scene: Scene, tmp_path: Path) -> None:
    scene.people.join("bob")
    bundle = tmp_path / "bobs"
    scene.made(bundle, who="bob")
    (bundle / "household/1.json").unlink()
    bob = scene.membership("bob").holder.identities[0]
    sign_anew(bundle, bob)
    assert "household/1.json" in [one.path for one in _findings(bundle)]
    shutil.rmtree(bundle / "household")
    sign_anew(bundle, bob)
    assert "household/1.json" in [one.path for one in _findings(bundle)]


def test_without_a_chain_nothing_is_proven(bundle: Path, anna: Identity) -> None:
    shutil.rmtree(bundle / "chain")
    sign_anew(bundle, anna)
    named = [one.path for one in _findings(bundle)]
    assert named == [f"segments/main/{path.name}" for path in _segments(bundle)]


def test_a_hole_in_the_chain_is_said(bundle: Path, anna: Identity) -> None:
    """The end of the slice cut off with the segments that it proved, which leaves nothing to be named."""
    path, piece = _slice(bundle)
    fold, data = Fold(piece.start), b""
    for placed in piece.placed()[:3]:
        data += fold.append(placed.record)
    path.write_bytes(bytes(replace(piece, records=data)))
    for gone in _segments(bundle)[3:]:
        gone.unlink()
    kept = [f"segments/main/{one.name}" for one in _segments(bundle)]
    headers = {path: one for path, one in document_of(bundle).headers.items() if path in kept}
    sign_anew(bundle, anna, headers=headers)
    verdict = check_bundle(bundle)
    assert not verdict.streams[0].ends
    assert "What was recorded right after the last of them is not shown." in "\n".join(told(verdict))


def test_records_taken_out_of_the_middle_are_named(bundle: Path, anna: Identity) -> None:
    path, piece = _slice(bundle)
    placed = piece.placed()
    fold, data = Fold(piece.start), b""
    for one in placed[:2]:
        data += fold.append(one.record)
    path.write_bytes(bytes(replace(piece, records=data)))
    rest = Fold(piece.start, placed[3].head, placed[3].count)
    end = b"".join(rest.append(one.record) for one in placed[4:])
    later = Slice(piece.start, placed[3].count, placed[3].head, end)
    (path.parent / f"1.{later.count}.slice").write_bytes(bytes(later))
    for gone in _segments(bundle)[2:4]:
        gone.unlink()
    kept = [f"segments/main/{one.name}" for one in _segments(bundle)]
    headers = {path: one for path, one in document_of(bundle).headers.items() if path in kept}
    sign_anew(bundle, anna, headers=headers)
    verdict = check_bundle(bundle)
    (finding,) = verdict.findings
    assert finding.path == f"chain/{path.name}"
    assert "what came behind it was left out" in finding.text
    assert not verdict.streams[0].whole
    assert "nothing was left out" not in "\n".join(told(verdict))


def test_a_day_that_is_made_up_under_its_real_start_is_named(
    bundle: Path, anna: Identity, scene: Scene
) -> None:
    """Its START is genuine, its head an invented one: a signature would have to be there."""
    path, piece = _slice(bundle)
    for _ in range(2):
        scene.box.next_day()
        scene.record(range(8, 10) if scene.box.now_ms < NOW_MS + 2 * DAY_MS else range(10, 12))
    scene.made(bundle.parent / "later", from_ms=NOW_MS + DAY_MS)
    certificates = "certificates.jsonl"
    shutil.copy(bundle.parent / "later" / certificates, bundle / certificates)
    fold, data = Fold(piece.start, bytes(32), piece.start.count + 40), b""
    begin = fold.count
    for placed in piece.placed():
        if isinstance(placed.record, Segment):
            data += fold.append(placed.record)
    path.unlink()
    made_up = path.with_name(f"{piece.start.number}.{begin}.slice")
    made_up.write_bytes(bytes(Slice(piece.start, begin, bytes(32), data)))
    sign_anew(bundle, anna)
    (finding,) = _findings(bundle)
    assert finding.path == f"chain/{made_up.name}"
    assert "the recorder has signed later" in finding.text
