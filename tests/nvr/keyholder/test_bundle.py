"""Bundles of everything a store can hold; whatever cannot be exported leaves nothing behind."""

from __future__ import annotations

import os
import stat
import tracemalloc
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path

import pytest

from crypto.errors import WrongIdentity
from crypto.identity import X25519Identity, parse_identities
from crypto.seal import SealWriter
from crypto.unseal import unseal_bytes
from nvr.bundle import check_bundle, told
from nvr.errors import NothingOpened, NvrError, UsageFault
from nvr.keyholder.bundle import make_bundle
from nvr.keyholder.bundle_folder import BundleOutput
from nvr.keyholder.bundle_segments import BundleRequest
from nvr.keyholder.changes import rotated, with_group
from nvr.keyholder.footage import SegmentFault
from nvr.keyholder.membership import Membership
from nvr.keyholder.opening import open_generations
from nvr.keyholder.resealing import reseal
from pipeline import walk
from pipeline.chain.records import Gap, Reason
from pipeline.names import StoredSegment
from tests.support.bundles import BACK, MINUTE_MS, SUB, Scene
from tests.support.chain_writing import chain_record
from tests.support.people import DAY_MS, NOW_MS
from tests.support.store_writing import SEGMENT_MS, write_segment


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.found(tmp_path / "house")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "evidence"


def _said(folder: Path) -> str:
    return "\n".join(told(check_bundle(folder)))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_identity_lies_beside_it_and_opens_it(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    scene.made(target)
    assert _names(target.parent) == ["evidence", "evidence.identity.txt"]
    identity_file = target.with_name("evidence.identity.txt")
    assert stat.S_IMODE(identity_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    (identity,) = parse_identities(identity_file.read_text())
    for path in target.rglob("*"):
        if path.is_file():
            assert b"AGE-SECRET-KEY" not in path.read_bytes()
        if path.suffix == ".age":
            assert unseal_bytes(path.read_bytes(), [identity])


def test_the_identity_opens_nothing_else(scene: Scene, target: Path) -> None:
    (segment, *_) = scene.record(range(6))
    scene.made(target)
    identities = parse_identities(target.with_name("evidence.identity.txt").read_text())
    with pytest.raises(WrongIdentity):
        unseal_bytes((scene.store.root / segment.path).read_bytes(), identities)
    with pytest.raises(NothingOpened):
        open_generations(scene.store.root, scene.people.household.manifest, identities)


def test_each_bundle_has_an_identity_of_its_own(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    scene.made(target)
    scene.made(target.with_name("second"))
    texts = [path.read_text() for path in target.parent.glob("*.identity.txt")]
    assert len(set(texts)) == 2


def test_only_this_camera_is_spoken_of(scene: Scene, target: Path) -> None:
    for sequence in range(3):
        scene.record([sequence])
        scene.record([sequence], BACK)
    scene.box.next_day()
    scene.record([3], BACK)
    scene.record([3])
    scene.made(target, NOW_MS, NOW_MS + 2 * DAY_MS)
    for path in target.rglob("*"):
        assert "back-garden" not in path.name
        assert path.is_dir() or b"back-garden" not in path.read_bytes()
    assert check_bundle(target).is_sound


def test_a_camera_in_a_group_of_its_own_is_named_by_the_household(scene: Scene, target: Path) -> None:
    """The manifest cannot be shortened; README, guide and threat model say so."""
    scene.people.change("anna", partial(with_group, name="outdoor", cameras=["back-garden"]))
    scene.record(range(6))
    scene.made(target)
    naming = [path.name for path in target.rglob("*.*") if b"back-garden" in path.read_bytes()]
    assert naming == ["2.json"]
    assert "those cameras that were put into a group of their own" in " ".join(
        (target / "README.txt").read_text().split()
    )


def test_all_streams_or_one(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    scene.record(range(10, 16), SUB)
    scene.made(target, streams=("main", "sub"))
    main, sub = check_bundle(target).streams
    assert (main.present, sub.present) == (6, 6)
    scene.made(target.with_name("one"), streams=("sub",))
    (sub,) = check_bundle(target.with_name("one")).streams
    assert (sub.stream, sub.recorded, sub.present) == ("sub", 6, 6)
    assert _names(target.with_name("one") / "segments") == ["sub"]


def test_footage_that_an_event_keeps_meanwhile_is_found_and_the_event_stays_at_home(
    scene: Scene, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = scene.record(range(3))
    scene.box.append(replace(chain_record(scene.store.root, first), stream="events"), sign=True)
    scene.record(range(3, 6))
    listed, left = walk.segments, [1, 1]

    def and_renamed(root: Path, hour: walk.Hour) -> list[StoredSegment]:
        found = listed(root, hour)
        for one in found if left else []:
            kept = replace(one, name=replace(one.name, kept_until_ms=one.name.kept_until_ms + DAY_MS))
            (root / one.path).rename(root / kept.path)
        del left[:1]
        return found

    monkeypatch.setattr(walk, "segments", and_renamed)
    scene.made(target)
    verdict = check_bundle(target)
    assert (verdict.is_sound, [one.present for one in verdict.streams]) == (True, [6])
    assert _names(target / "segments") == ["main"]


def test_a_stream_without_footage_in_that_time(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    scene.made(target, streams=("main", "sub"))
    assert "front/sub: nothing was recorded in that time" in _said(target)


def test_over_midnight_two_day_keys_prove_it(scene: Scene, target: Path) -> None:
    scene.record(range(3))
    scene.box.next_day()
    scene.record(range(3, 6))
    scene.made(target, NOW_MS, scene.box.now_ms + MINUTE_MS)
    verdict = check_bundle(target)
    (main,) = verdict.streams
    assert (main.recorded, main.present, main.unsigned, main.whole) == (6, 6, 0, True)
    assert [path.name for path in sorted((target / "chain").iterdir())] == ["1.1.slice", "2.6.slice"]
    assert len((target / "certificates.jsonl").read_bytes().splitlines()) == 2


def test_the_unsigned_end_of_a_day_is_signed_by_the_next_certificate(scene: Scene, target: Path) -> None:
    segments = scene.record(range(2))
    extra = write_segment(scene.store, scene.recipients(), 2, NOW_MS + 2 * SEGMENT_MS)
    scene.box.append(chain_record(scene.store.root, extra))
    scene.made(target)
    assert check_bundle(target).streams[0].unsigned == 1
    scene.box.next_day()
    scene.made(target.with_name("later"))
    (main,) = check_bundle(target.with_name("later")).streams
    assert (main.present, main.unsigned) == (len(segments) + 1, 0)


def test_a_day_in_between_without_footage(scene: Scene, target: Path) -> None:
    scene.record(range(3))
    scene.box.append(Gap("main", NOW_MS + 30_000, "camera unreachable"), sign=True)
    for _ in range(3):
        scene.box.next_day()
    scene.record(range(3, 6))
    scene.made(target, NOW_MS, scene.box.now_ms + MINUTE_MS)
    (main,) = check_bundle(target).streams
    assert (main.present, main.whole) == (6, True)
    assert [stop.reason for stop in main.stops] == ["camera unreachable"]
    assert "Recording stopped at 2026-11-22 14:05:30 UTC: camera unreachable." in _said(target)


def test_over_a_rotation_of_generations(scene: Scene, target: Path) -> None:
    scene.record(range(3))
    scene.people.change("anna", partial(rotated, name="home"))
    scene.box.now_ms += 3 * SEGMENT_MS
    scene.record(range(3, 6))
    scene.made(target)
    verdict = check_bundle(target)
    assert verdict.streams[0].present == 6
    assert _names(target / "household") == ["1.json", "2.json"]
    (identity,) = parse_identities(target.with_name("evidence.identity.txt").read_text())
    for path in (target / "segments/main").iterdir():
        assert unseal_bytes(path.read_bytes(), [identity])


def test_expired_segments_are_shown_as_expired(scene: Scene, target: Path) -> None:
    """Some of the span were deleted weeks later, others were held: the tombstones go along."""
    segments = scene.record(range(6))
    for _ in range(3):
        scene.box.next_day()
    scene.record(range(6, 9))
    scene.box.expire(segments[1:3])
    scene.box.next_day()
    scene.box.expire(segments[4:5], Reason.FREE_SPACE)
    scene.made(target)
    (main,) = check_bundle(target).streams
    assert (main.recorded, main.present) == (6, 3)
    said = _said(target)
    assert "Segments 1 to 2 were deleted by the recorder: it was old enough to be deleted." in said
    assert "Segment 4 was deleted by the recorder: the disk was full." in said
    assert "3 of 6 recorded segments are here" in said


def test_numbers_that_nothing_was_recorded_of(scene: Scene, target: Path) -> None:
    scene.record([0, 1, 4, 5])
    scene.made(target)
    assert "Of these numbers nothing was ever recorded: 2, 3." in _said(target)


def test_what_came_before_and_after_is_known(scene: Scene, target: Path) -> None:
    scene.record(range(9))
    scene.made(target, NOW_MS + 3 * SEGMENT_MS, NOW_MS + 5 * SEGMENT_MS)
    (main,) = check_bundle(target).streams
    assert main.begins
    assert main.ends
    assert 2 <= main.present <= 4


def test_flags_are_told(scene: Scene, target: Path) -> None:
    unsure = write_segment(scene.store, scene.recipients(), 0, NOW_MS, unsure=True)
    found = write_segment(scene.store, scene.recipients(), 1, NOW_MS + SEGMENT_MS)
    scene.box.append(
        chain_record(scene.store.root, unsure), chain_record(scene.store.root, found, found=True), sign=True
    )
    scene.made(target)
    said = _said(target)
    assert "The recorder was unsure of its clock for 1 segment." in said
    assert "1 segment entered the chain at the next start only" in said


def test_kept_until_stays_at_home(scene: Scene, target: Path) -> None:
    (segment,) = scene.record([0])
    path = scene.store.root / segment.path
    path.rename(path.with_name(path.name.replace(".mp4.age", ".k1800000000000.mp4.age")))
    scene.made(target)
    assert _names(target / "segments/main") == [segment.path.rpartition("/")[2]]


def test_nothing_in_that_time(scene: Scene, target: Path) -> None:
    scene.record(range(3))
    with pytest.raises(NvrError, match="There is no footage of front in that time"):
        scene.made(target, NOW_MS + DAY_MS)
    assert _names(target.parent) == []


def test_what_is_not_in_the_chain_stays_out_and_is_told(scene: Scene, target: Path) -> None:
    scene.record(range(3))
    new = write_segment(scene.store, scene.recipients(), 3, NOW_MS + 3 * SEGMENT_MS)
    report = scene.made(target)
    (text,) = report.left_out
    assert text.startswith(f"{new.path} is not in the chain (yet)")
    assert check_bundle(target).streams[0].present == 3


def _altered(scene: Scene, segment: StoredSegment) -> None:
    path = scene.store.root / segment.path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _header_damaged(scene: Scene, segment: StoredSegment) -> None:
    path = scene.store.root / segment.path
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)


def _removed(scene: Scene, segment: StoredSegment) -> None:
    (scene.store.root / segment.path).unlink()


def _renamed(scene: Scene, segment: StoredSegment) -> None:
    path = scene.store.root / segment.path
    path.rename(path.with_name(path.name.replace("+10000", "+9000")))


def _for_somebody_else(scene: Scene, segment: StoredSegment) -> None:
    other = X25519Identity.generate(os.urandom)
    (scene.store.root / segment.path).unlink()
    write_segment(scene.store, [other.recipient], segment.name.sequence, segment.name.start_ms)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (_altered, "was altered: it is not what the chain says was recorded."),
        (_header_damaged, "is damaged: "),
        (_removed, "It was recorded, did not expire, and is not in this bundle."),
        (_renamed, "was renamed: the chain knows it as"),
        (_for_somebody_else, "is sealed to somebody else"),
    ],
)
def test_a_fault_in_the_store_stops_it_unless_told_to_go_on(
    scene: Scene, target: Path, harm: object, sentence: str
) -> None:
    segments = scene.record(range(6))
    harm(scene, segments[2])  # type: ignore[operator]
    with pytest.raises(NvrError) as raised:
        scene.made(target)
    assert sentence in str(raised.value)
    assert "Nothing was exported; --keep-going" in str(raised.value)
    assert _names(target.parent) == []
    scene.made(target, keep_going=True)
    (finding,) = check_bundle(target).findings
    assert finding.path == f"segments/main/{segments[2].name}"


def test_an_interruption_leaves_nothing(scene: Scene, target: Path) -> None:
    scene.record(range(6))

    def interrupted(done: int) -> None:
        raise KeyboardInterrupt

    request = BundleRequest("front", ("main",), NOW_MS, NOW_MS + MINUTE_MS, NOW_MS, UTC)
    with pytest.raises(KeyboardInterrupt), BundleOutput(target, force=False) as output:
        make_bundle(scene.store, request, scene.membership(), output, interrupted)
    assert _names(target.parent) == []


def test_nothing_is_overwritten_without_force(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    scene.made(target)
    before = target.with_name("evidence.identity.txt").read_text()
    with pytest.raises(
        UsageFault, match=r"exists already; choose another name, or overwrite it with --force"
    ):
        scene.made(target)
    scene.made(target, force=True)
    assert target.with_name("evidence.identity.txt").read_text() != before
    assert check_bundle(target).is_sound
    assert _names(target.parent) == ["evidence", "evidence.identity.txt"]


def test_force_overwrites_nothing_but_bundles(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    target.mkdir()
    (target / "photos.jpg").write_bytes(b"precious")
    with pytest.raises(UsageFault, match="is no bundle, so it is not overwritten"):
        scene.made(target, force=True)
    assert _names(target) == ["photos.jpg"]
    with pytest.raises(UsageFault, match="There is no folder"):
        scene.made(target.parent / "missing" / "evidence")


def test_the_recovery_sheet_can_make_one_and_a_bare_group_key_cannot(scene: Scene, target: Path) -> None:
    scene.record(range(6))
    scene.made(target, who="recovery-sheet")
    assert check_bundle(target).document.by == "recovery-sheet"  # type: ignore[union-attr]
    membership = scene.membership()
    identity = membership.opening.groups[0].identity
    household, manifest = membership.household, membership.household.manifest
    opening = open_generations(scene.store.root, manifest, [identity])
    bare = Membership(scene.store.root, household, type(membership.holder)((identity,)), opening)
    request = BundleRequest("front", ("main",), NOW_MS, NOW_MS + MINUTE_MS, NOW_MS, UTC)
    with (
        pytest.raises(NvrError, match="Only a member"),
        BundleOutput(target.with_name("x"), force=False) as out,
    ):
        make_bundle(scene.store, request, bare, out)


def test_a_viewer_of_another_group_makes_none(scene: Scene, target: Path) -> None:
    scene.people.change("anna", partial(with_group, name="outdoor", cameras=["back-garden"]))
    scene.people.join("bob", groups=["outdoor"])
    scene.record(range(6))
    with pytest.raises(SegmentFault, match="is sealed to somebody else"):
        scene.made(target, who="bob")
    assert _names(target.parent) == []


def test_copying_takes_little_memory(tmp_path: Path) -> None:
    old, new = X25519Identity.generate(os.urandom), X25519Identity.generate(os.urandom)
    with (tmp_path / "large.age").open("wb") as file:
        writer = SealWriter([old.recipient], file.write)
        for _ in range(64):
            writer.write(bytes(1 << 20))
        writer.finish()
    with (tmp_path / "large.age").open("rb") as source, (tmp_path / "copy.age").open("wb") as target:
        tracemalloc.start()
        reseal(source, target, [old], new.recipient, unfinished=False)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak_bytes < 4 << 20
