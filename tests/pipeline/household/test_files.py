"""The household as it lies in a store: what is not the owners' is refused in one sentence that says why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.member_key import member_key
from crypto.signing import sign
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.errors import (
    AnotherHousehold,
    ChangedMeanwhile,
    Forked,
    HouseholdError,
    ManifestDamaged,
    ManifestMissing,
    NotAllowed,
    NotSignedByOwner,
    Replayed,
)
from pipeline.household.files import follow, read_household, read_version, versions_in, write_version
from pipeline.household.fingerprint import fingerprint, given_fingerprint
from pipeline.household.model import Generation, Manifest, Pin
from pipeline.key_names import manifest_path
from tests.support.founding import Founded, a_viewer, an_identity, an_owner, found, signed


@pytest.fixture
def founded(tmp_path: Path) -> Founded:
    """A household of alice (owner) and bob (viewer), in its third version."""
    founded = found(tmp_path / "store", tmp_path / "state")
    founded.people["bob"] = an_identity()
    bob = a_viewer("bob", founded.people["bob"])
    founded.change(members=(*founded.manifest.members, bob))
    founded.rotate()
    return founded


def _put(founded: Founded, version: SignedManifest | bytes, number: int) -> None:
    """As somebody with the disk in hand would."""
    (founded.store_root / manifest_path(number)).write_bytes(bytes(version))


def _with_recipient_of_the_box(manifest: Manifest) -> Manifest:
    group = manifest.groups[0]
    slipped = Generation(group.newest.number + 1, str(an_identity().recipient), group.newest.from_ms)
    return replace(manifest, groups=(replace(group, generations=(*group.generations, slipped)),))


def test_a_sound_household_is_read_with_all_its_versions(founded: Founded) -> None:
    household = read_household(founded.store_root)
    assert [version.manifest.version for version in household.versions] == [1, 2, 3]
    assert household.manifest == household.versions[-1].manifest == founded.manifest
    assert household.root == household.versions[0].digest
    assert household.lines[1] == (founded.store_root / "keys/manifest/2.json").read_bytes()
    assert read_household(founded.store_root, household.pin) == household
    assert read_household(founded.store_root, Pin(household.root)) == household
    earlier = Pin(household.root, 2, household.versions[1].digest)
    assert read_household(founded.store_root, earlier) == household


def _slip_in(founded: Founded) -> None:
    newest = read_version(founded.store_root, 3)
    changed = signed(_with_recipient_of_the_box(newest.manifest), an_identity())
    _put(founded, bytes(replace(changed.line, signature=newest.line.signature)), 3)


def _by(name: str, signer: str | None = None) -> Callable[[Founded], None]:
    """A next version in `name`'s name, by whoever it says (None: a stranger)."""

    def put(founded: Founded) -> None:
        household = read_household(founded.store_root)
        changed = _with_recipient_of_the_box(household.manifest)
        version = replace(changed, version=4, previous=household.newest.digest, signed_by=name)
        _put(founded, signed(version, founded.people[signer] if signer else an_identity()), 4)

    return put


def _by_a_removed_owner(founded: Founded) -> None:
    carol = founded.people["carol"] = an_identity()
    founded.change(members=(*founded.manifest.members, an_owner("carol", carol)))
    founded.change(members=founded.manifest.members[:-1])
    household = read_household(founded.store_root)
    changed = replace(household.manifest, version=6, previous=household.newest.digest, signed_by="carol")
    _put(founded, signed(changed, carol), 6)


def _two_owners_at_once(founded: Founded) -> None:
    """Version 3 was exchanged for another that alice signed, and 4 was made from the first."""
    fourth = founded.next_version(default_group="home")
    second = read_household(founded.store_root).versions[1]
    other = replace(second.manifest, version=3, previous=second.digest, made_ms=7, signed_by="alice")
    _put(founded, signed(other, founded.people["alice"]), 3)
    _put(founded, fourth, 4)


def _mixed(founded: Founded) -> None:
    household = read_household(founded.store_root)
    dora = a_viewer("dora", an_identity(post_quantum=True))
    manifest = replace(
        household.manifest,
        version=4,
        previous=household.newest.digest,
        members=(*household.manifest.members, dora),
    )
    _put(founded, signed(manifest, founded.people["alice"]), 4)


def _remove(number: int) -> Callable[[Founded], None]:
    return lambda founded: (founded.store_root / manifest_path(number)).unlink()


def _cut_off(founded: Founded) -> None:
    _put(founded, bytes(read_version(founded.store_root, 3))[:-9], 3)


def _another_version_under_its_name(founded: Founded) -> None:
    _put(founded, read_version(founded.store_root, 2), 3)


def _too_large(founded: Founded) -> None:
    with (founded.store_root / manifest_path(4)).open("wb") as file:
        file.truncate(1 << 30)


@pytest.mark.parametrize(
    ("harm", "kind", "why"),
    [
        (_slip_in, NotSignedByOwner, "does not bear alice's signature: it was changed without an owner"),
        (_by("alice"), NotSignedByOwner, "does not bear alice's signature"),
        (_by("bob", "bob"), NotSignedByOwner, "signed by bob, a viewer: only owners may change it"),
        (_by("alice", "bob"), NotSignedByOwner, "does not bear alice's signature"),
        (_by("mallory"), NotSignedByOwner, "'mallory', who was no member before it"),
        (_by_a_removed_owner, NotSignedByOwner, "'carol', who was no member before it"),
        (_two_owners_at_once, NotAllowed, "version 4 was not made from the version 3 that is here"),
        (_mixed, NotAllowed, "never mixed"),
        (_remove(1), ManifestMissing, "version 1 of the household is missing"),
        (_remove(2), ManifestMissing, "version 2 of the household is missing"),
        (_cut_off, ManifestDamaged, r"3.json is damaged .*: put it back from a copy"),
        (_another_version_under_its_name, ManifestMissing, "holds version 2, and 3 is missing"),
        (_too_large, ManifestDamaged, "larger than such a file can be"),
    ],
)
def test_what_is_not_the_owners_is_refused(
    founded: Founded, harm: Callable[[Founded], None], kind: type[HouseholdError], why: str
) -> None:
    harm(founded)
    with pytest.raises(kind, match=why) as refused:
        read_household(founded.store_root)
    assert "\n" not in str(refused.value)


def test_no_household_at_all(tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing, match="there is no household in"):
        read_household(tmp_path)


def test_an_older_manifest_is_noticed_by_whoever_saw_a_newer_one(founded: Founded) -> None:
    household = read_household(founded.store_root)
    _remove(3)(founded)
    assert read_household(founded.store_root).manifest.version == 2, "nobody who saw nothing can tell"
    with pytest.raises(Replayed, match=r"shows version 2 .* version 3 was seen before"):
        read_household(founded.store_root, household.pin)


def test_two_owners_that_changed_it_at_once_are_noticed(founded: Founded) -> None:
    """Two copies of a store, each changed soundly: each signature is good, and only one may follow."""
    copy = founded.store_root.with_name("copy")
    shutil.copytree(founded.store_root, copy)
    founded.change(default_group="home")
    seen = read_household(founded.store_root).pin
    elsewhere = replace(founded, store_root=copy)
    elsewhere.rotate()
    assert read_household(copy).manifest.version == 4
    with pytest.raises(Forked, match=r"version 4 .* not the one that was seen before: two owners changed it"):
        read_household(copy, seen)
    elsewhere.rotate()
    with pytest.raises(Forked):
        read_household(copy, seen)


def test_another_household_is_told_by_its_root(founded: Founded, tmp_path: Path) -> None:
    other = found(tmp_path / "other", tmp_path / "other state")
    with pytest.raises(
        AnotherHousehold, match=f"is {fingerprint(founded.root)}, and {fingerprint(other.root)}"
    ):
        read_household(founded.store_root, Pin(other.root))


def test_a_version_is_written_once(founded: Founded) -> None:
    mine, theirs = founded.next_version(made_ms=1), founded.next_version(made_ms=2)
    write_version(founded.store_root, theirs)
    with pytest.raises(ChangedMeanwhile, match="somebody else changed the household just now; run it again"):
        write_version(founded.store_root, mine)
    assert read_household(founded.store_root).newest == theirs
    assert versions_in(founded.store_root) == [1, 2, 3, 4]
    assert not list((founded.store_root / "keys/manifest").glob(".*"))


def test_what_may_not_follow_is_not_even_written(founded: Founded) -> None:
    wrong = replace(founded.manifest, version=4, previous=bytes(32))
    with pytest.raises(NotAllowed):
        write_version(founded.store_root, signed(wrong, founded.people["alice"]))
    too_far = replace(founded.manifest, version=9)
    with pytest.raises(ManifestMissing):
        write_version(founded.store_root, signed(too_far, founded.people["alice"]))
    assert versions_in(founded.store_root) == [1, 2, 3]


def test_following_goes_as_far_as_it_may_and_says_what_stopped_it(founded: Founded) -> None:
    first, root = read_version(founded.store_root, 1), founded.root
    followed = follow(founded.store_root, root, first)
    assert (followed.newest.manifest, followed.problem) == (founded.manifest, None)
    _by("bob", "bob")(founded)
    followed = follow(founded.store_root, root, first)
    assert followed.newest.manifest.version == 3
    assert isinstance(followed.problem, NotSignedByOwner)


@pytest.mark.parametrize(
    ("harm", "kind"),
    [(_remove(3), Replayed), (_remove(1), ManifestMissing), (_cut_off, ManifestDamaged), (_slip_in, Forked)],
)
def test_following_stays_with_what_was_accepted(
    founded: Founded, harm: Callable[[Founded], None], kind: type[HouseholdError]
) -> None:
    root, accepted = founded.root, read_household(founded.store_root).newest
    harm(founded)
    followed = follow(founded.store_root, root, accepted)
    assert followed.newest == accepted
    assert isinstance(followed.problem, kind)


def test_a_fingerprint_is_what_people_compare() -> None:
    root = bytes(range(32))
    assert fingerprint(root) == "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f"
    assert given_fingerprint(" 0001-0203 0405 0607 0809 0A0B 0c0d 0e0f\n") == root.hex()[:32]
    assert given_fingerprint(root.hex()) == root.hex()
    for wrong in ("", root.hex()[:31], root.hex() + "0", "age1" * 8):
        with pytest.raises(HouseholdError, match="no fingerprint"):
            given_fingerprint(wrong)


def test_the_noun_is_what_is_signed(founded: Founded) -> None:
    line = sign("manifest", to_noun(founded.manifest), member_key(founded.people["alice"]))
    assert bytes(line) == bytes(read_household(founded.store_root).newest)
