"""What is refused of a household, each in one sentence: by members' memory, by signatures, by files."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from crypto.identity import X25519Identity
from crypto.member_key import member_key
from crypto.recipient import parse_recipient
from crypto.seal import seal_bytes
from crypto.signing import sign
from nvr import pinning
from nvr.errors import AlreadyRunning, StoreTrouble
from nvr.keyholder.changes import approved, rotated
from nvr.keyholder.changing import change_household
from nvr.keyholder.footage import SegmentFault, found_of, open_found
from nvr.keyholder.given import member_identities
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.joining import newcomer
from pipeline import walk
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.errors import ChangedMeanwhile, Forked, HouseholdError, Replayed
from pipeline.household.model import Generation, Manifest, Role
from pipeline.key_names import manifest_path
from pipeline.store import Store
from tests.support.people import People


@pytest.fixture
def people(tmp_path: Path) -> People:
    people = People.found(tmp_path)
    people.join("bob")
    return people


def put(people: People, changed: Callable[[Manifest], Manifest], signer: str, signature_of: str) -> None:
    """A next version as a box that got hold of somebody's key would make it."""
    before = people.household.newest
    manifest = replace(
        changed(before.manifest),
        version=before.manifest.version + 1,
        previous=before.digest,
        signed_by=signer,
    )
    (identity,) = member_identities(str(people.files[signature_of]), [])
    signed = SignedManifest(manifest, sign("manifest", to_noun(manifest), member_key(identity)))
    (people.root / manifest_path(manifest.version)).write_bytes(bytes(signed))


def with_a_recipient_of_the_box(manifest: Manifest) -> Manifest:
    own = str(X25519Identity.generate(os.urandom).recipient)
    group = manifest.groups[0]
    slipped = Generation(group.newest.number + 1, own, group.newest.from_ms)
    return replace(manifest, groups=(replace(group, generations=(*group.generations, slipped)),))


def test_a_recipient_slipped_in_by_the_box(people: People) -> None:
    put(people, with_a_recipient_of_the_box, signer="anna", signature_of="bob")
    with pytest.raises(HouseholdError, match="does not bear anna's signature"):
        people.membership("anna")


def test_a_manifest_signed_by_a_viewer(people: People) -> None:
    put(people, with_a_recipient_of_the_box, signer="bob", signature_of="bob")
    with pytest.raises(HouseholdError, match="signed by bob, a viewer"):
        people.membership("anna")


def test_an_older_manifest_replayed(people: People) -> None:
    people.membership("bob")
    (people.root / manifest_path(2)).unlink()
    with pytest.raises(Replayed, match="version 2 was seen before") as refused:
        people.membership("anna")
    assert "--root" in str(refused.value)
    said = people.household.root.hex()[:32]
    assert pinning.read_pinned(people.root, said).household.manifest.version == 1
    with pytest.raises(Replayed):  # what may be looked at may not be changed
        people.change("anna", partial(rotated, name="home"))


def test_what_says_root_is_not_changed_behind_what_was_seen(people: People, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    shutil.copytree(people.root, aside)
    people.change("anna", partial(rotated, name="home"))
    with pytest.raises(Replayed):
        change_household(people.membership("anna", aside), partial(rotated, name="home"), people.now_ms)


def test_two_owners_in_two_copies_are_a_fork(people: People, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    shutil.copytree(people.root, aside)
    people.change("anna", partial(rotated, name="home"))
    os.environ["XDG_STATE_HOME"], before = str(tmp_path / "elsewhere"), os.environ["XDG_STATE_HOME"]
    change_household(people.membership("anna", aside), partial(rotated, name="home"), people.now_ms + 1)
    os.environ["XDG_STATE_HOME"] = before
    shutil.rmtree(people.root)
    aside.rename(people.root)
    with pytest.raises(Forked, match="two owners changed it at once"):
        people.membership("anna")
    root = people.household.root
    seen = pinning.remembered(root)
    assert pinning.read_pinned(people.root, root.hex()).household.pin != seen
    assert pinning.remembered(root) == seen  # a fork may be looked at, and is not what counts from then on


def test_two_owners_at_once(people: People) -> None:
    first, second = people.membership("anna"), people.membership("recovery-sheet")
    change_household(first, partial(rotated, name="home"), people.now_ms)
    before = {path: path.read_bytes() for path in people.root.rglob("*") if path.is_file()}
    with pytest.raises(ChangedMeanwhile, match="run it again"):
        change_household(second, partial(rotated, name="home"), people.now_ms)
    held = os.open(people.root / "keys", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(AlreadyRunning, match="changing the household just now"):
        people.change("anna", partial(rotated, name="home"))
    os.close(held)
    assert {path: path.read_bytes() for path in people.root.rglob("*") if path.is_file()} == before


def test_another_household(people: People, tmp_path: Path) -> None:
    other = People.found(tmp_path / "other")
    with pytest.raises(HouseholdError, match="another one than --root says"):
        pinning.read_pinned(people.root, other.household.root.hex())
    with pytest.raises(HouseholdError, match="is meant"):
        pinning.read_pinned(people.root, beside=other.household.root)


def opened(people: People) -> object:
    (segment,) = [
        found_of(people.root, one)
        for stream in walk.streams(people.root, "front")
        for hour in walk.hours(people.root, stream)
        for one in walk.segments(people.root, hour)
    ]
    store = Store(people.root)
    return open_found(segment, store.device, GroupIdentities(people.membership("bob").opening))


def a_wrapped_file_of_somebody_else(people: People) -> None:
    folder = people.root / "keys/home/1"
    shutil.copy(folder / "anna.age", folder / "bob.age")


def a_wrapped_file_of_another_generation(people: People) -> None:
    shutil.copy(people.root / "keys/home/2/bob.age", people.root / "keys/home/1/bob.age")


def a_wrapped_file_with_the_boxs_own(people: People) -> None:
    member = people.household.manifest.member("bob")
    assert member is not None
    own = f"{X25519Identity.generate(os.urandom)}\n".encode()
    sealed = seal_bytes(own, [parse_recipient(member.recipient)], os.urandom)
    (people.root / "keys/home/1/bob.age").write_bytes(sealed)


def no_wrapped_file(people: People) -> None:
    (people.root / "keys/home/1/bob.age").unlink()


def a_damaged_wrapped_file(people: People) -> None:
    file = people.root / "keys/home/1/bob.age"
    file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (a_wrapped_file_of_somebody_else, "sealed to somebody else than bob"),
        (a_wrapped_file_of_another_generation, "another identity than that of generation 1 of home"),
        (a_wrapped_file_with_the_boxs_own, "another identity than that of generation 1 of home"),
        (no_wrapped_file, "is missing"),
        (a_damaged_wrapped_file, "is damaged"),
    ],
)
def test_a_generation_that_does_not_open_is_named_when_footage_needs_it(
    people: People, harm: Callable[[People], None], words: str
) -> None:
    people.record("front")
    harm(people)
    assert len(people.membership("bob").opening.groups) == 12
    with pytest.raises(SegmentFault, match=words) as refused:
        opened(people)
    assert "bob.age" in str(refused.value) and str(refused.value).count("\n") == 0


def test_an_owners_next_change_gives_back_a_file_that_was_lost(people: People) -> None:
    sealed = people.record("front")
    no_wrapped_file(people)
    people.join("dora")
    assert people.opens("bob", sealed)


def test_what_an_owner_cannot_open_is_said_when_a_newcomer_misses_it(people: People) -> None:
    (people.root / "keys/home/1/anna.age").unlink()
    asked = newcomer(people.request("dora"))
    done = people.change("anna", partial(approved, newcomer=asked, name="dora", role=Role.VIEWER, groups=()))
    assert len(done.faults) == 1 and "generation 1 of home" in done.faults[0]


def test_a_generation_that_was_destroyed_is_no_fault_and_never_comes_back(people: People) -> None:
    shutil.rmtree(people.root / "keys/home/1")
    people.join("dora")
    assert people.membership("bob").opening.faults == ()
    assert not (people.root / "keys/home/1").exists()
    shutil.rmtree(people.root / "keys")
    with pytest.raises((StoreTrouble, HouseholdError)):
        people.membership("bob")
