"""What owners may do follows; whatever else somebody makes of it is refused, and why is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.household.document import SignedManifest
from pipeline.household.errors import (
    HouseholdError,
    ManifestDamaged,
    ManifestMissing,
    NotAllowed,
    NotSignedByOwner,
)
from pipeline.household.model import Device, Generation, Group, Manifest, Member, Role
from pipeline.household.succession import check_first, check_next
from tests.support.founding import AnIdentity, a_viewer, an_identity, an_owner, signed
from tests.support.manifest_histories import STEPS, Step, play

SEEDS = st.integers(0, 2**32)


@given(STEPS, SEEDS)
def test_whatever_owners_do_follows(steps: list[Step], seed: int) -> None:
    _, history = play(steps, seed)
    check_first(history[0])
    for before, after in pairwise(history):
        check_next(before, after)


@given(STEPS, SEEDS, st.data())
def test_no_byte_of_a_version_can_be_changed(steps: list[Step], seed: int, data: st.DataObject) -> None:
    _, history = play(steps, seed)
    before, after = history[-2:]
    line = bytearray(bytes(after))
    at = data.draw(st.integers(0, len(line) - 2))
    line[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(HouseholdError):
        check_next(before, SignedManifest.parse(bytes(line)))


@given(STEPS, SEEDS)
def test_no_version_can_be_left_out_exchanged_or_repeated(steps: list[Step], seed: int) -> None:
    _, history = play([*steps, *steps], seed)
    for before in history:
        for after in history:
            if after.manifest.version != before.manifest.version + 1:
                with pytest.raises((ManifestMissing, NotSignedByOwner, NotAllowed)):
                    check_next(before, after)


@given(STEPS, SEEDS)
def test_the_same_by_somebody_who_is_no_owner_is_refused(steps: list[Step], seed: int) -> None:
    played, history = play(steps, seed)
    before, after = history[-2:]
    owners = {one.name for one in before.manifest.owners()}
    for name, identity in {**played.people, "stranger": an_identity()}.items():
        if name not in owners:
            for claimed in (name, after.manifest.signed_by):
                with pytest.raises(NotSignedByOwner):
                    check_next(before, signed(replace(after.manifest, signed_by=claimed), identity))


# One household that has everything, and everything that can be wrong with what follows it.

ALICE, BOB, CAROL, EVE = (an_identity() for _ in range(4))


def _recipient() -> str:
    return str(an_identity().recipient)


OLD = Manifest(
    1,
    b"",
    1_793_500_000_000,
    "alice",
    False,
    "home",
    (
        an_owner("alice", ALICE, ("home", "yard")),
        a_viewer("bob", BOB, ("yard",)),
        an_owner("carol", CAROL, ("home", "yard")),
    ),
    (
        Group("home", ("hall",), (Generation(1, _recipient(), 0), Generation(2, _recipient(), 2000))),
        Group(
            "yard", ("door", "gate"), (Generation(3, _recipient(), 1000), Generation(7, _recipient(), 5000))
        ),
    ),
    (Device(bytes(16), bytes(32), 0), Device(bytes([1] * 16), bytes([1] * 32), 0)),
)
FIRST = signed(OLD, ALICE)
NEW = replace(OLD, version=2, previous=FIRST.digest, made_ms=0)
HOME, YARD = OLD.groups


def _members(**changes: Any) -> Callable[[], Manifest]:
    """With other values for the viewer."""
    alice, bob, carol = OLD.members
    return lambda: replace(NEW, members=(alice, replace(bob, **changes), carol))


def _owner(**changes: Any) -> Callable[[], Manifest]:
    alice, bob, carol = OLD.members
    return lambda: replace(NEW, members=(alice, bob, replace(carol, **changes)))


def _yard(*generations: Generation, **changes: Any) -> Callable[[], Manifest]:
    changed = replace(YARD, generations=generations or YARD.generations, **changes)
    return lambda: replace(NEW, groups=(HOME, changed))


def _of(**changes: Any) -> Callable[[], Manifest]:
    return lambda: replace(NEW, **changes)


THIRD, SEVENTH = YARD.generations
TEN = Generation(10, _recipient(), 6000)


def test_what_is_refused_below_is_well_otherwise() -> None:
    check_first(FIRST)
    for well in (NEW, _yard(THIRD, SEVENTH, TEN)(), _yard(THIRD, TEN)(), _yard(TEN)()):
        check_next(FIRST, signed(well, ALICE))
    check_next(FIRST, signed(replace(NEW, signed_by="carol"), CAROL))
    alone = signed(replace(NEW, members=OLD.members[2:]), ALICE)
    check_next(FIRST, alone)
    late = replace(NEW, version=3, previous=alone.digest)
    with pytest.raises(NotSignedByOwner, match="'alice', who was no member before it"):
        check_next(alone, signed(late, ALICE))


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (_of(version=3), "version 2 is missing"),
        (_of(version=1), "version 2 is missing"),
        (_of(previous=bytes(32)), "not made from the version 1"),
        (_of(previous=b""), "not made from the version 1"),
        (_of(post_quantum=True), "never mixed"),
        (_of(default_group="attic"), "default group 'attic'"),
        (_of(members=OLD.members[1:2]), "no owner"),
        (_of(members=OLD.members[::-1]), "members are out of order"),
        (_of(members=(OLD.members[0], *OLD.members)), "one stands there twice"),
        (_of(groups=(YARD, HOME)), "groups are out of order"),
        (_of(devices=OLD.devices[::-1]), "devices are out of order"),
        (_of(devices=OLD.devices[:1]), "a device is gone"),
        (_of(devices=(*OLD.devices, Device(bytes([2] * 16), bytes(32), 0))), "day key .* twice"),
        (_members(name="boB"), "cannot be a member's name"),
        (_members(name="b/../ob"), "cannot be a member's name"),
        (_members(groups=()), "bob is in no group"),
        (_members(groups=("attic",)), "the group 'attic', which there is not"),
        (_members(groups=("yard", "home")), "groups of bob are out of order"),
        (_members(recipient=OLD.members[0].recipient), "stands there twice"),
        (_members(recipient=SEVENTH.recipient), "stands there twice"),
        (_members(recipient=OLD.members[1].recipient.upper()), "one spelling"),
        (_members(recipient=" " + OLD.members[1].recipient), "one spelling"),
        (_members(recipient=str(ALICE)), "none that can be sealed to"),
        (_members(recipient="age1"), "none that can be sealed to"),
        (_members(recipient=str(an_identity(post_quantum=True).recipient)), "never mixed"),
        (_members(member_key=OLD.members[0].member_key), "member key .* twice"),
        (_members(role=Role.OWNER), "bob is an owner and not in every group"),
        (_owner(member_key=b""), "carol is an owner without a member key"),
        (_owner(groups=("home",)), "carol is an owner and not in every group"),
        (_of(groups=(HOME,), members=(replace(OLD.members[0], groups=("home",)),)), "the group yard is gone"),
        (_yard(name="yard.age"), "cannot be a group's name"),
        (_yard(name="manifest"), "cannot be a group's name"),
        (_yard(cameras=("gate", "door")), "cameras of yard are out of order"),
        (_yard(cameras=("keys",)), "cannot be a camera's name"),
        (_yard(cameras=("hall",)), "camera hall stands there twice"),
        (_yard(SEVENTH, THIRD), "generations of yard are out of order"),
        (_yard(THIRD, SEVENTH, replace(TEN, from_ms=4999)), "begins before an earlier one"),
        (_yard(THIRD, replace(SEVENTH, from_ms=5001)), "generation 7 of yard is not what it was"),
        (_yard(THIRD, replace(SEVENTH, recipient=_recipient())), "generation 7 of yard is not what it was"),
        (_yard(replace(THIRD, recipient=_recipient()), SEVENTH), "generation 3 of yard is not what it was"),
        (_yard(Generation(2, _recipient(), 0), THIRD, SEVENTH), "generation 2 of yard is not what it was"),
        (_yard(THIRD, Generation(5, _recipient(), 3000), SEVENTH), "generation 5 of yard is not what it was"),
        (_yard(THIRD), "generation 7 of yard is gone"),
        (_yard(THIRD, replace(SEVENTH, number=8)), "generation 8 of yard has a recipient used before"),
        (_yard(replace(TEN, recipient=HOME.newest.recipient)), "twice"),
    ],
)
def test_each_broken_rule_is_refused_though_an_owner_signed(made: Callable[[], Manifest], why: str) -> None:
    with pytest.raises(HouseholdError, match=why) as refused:
        check_next(FIRST, signed(made(), ALICE))
    assert "\n" not in str(refused.value) and "SECRET" not in str(refused.value)


def test_a_group_without_a_generation() -> None:
    with pytest.raises(NotAllowed, match="yard has no generation"):
        check_next(FIRST, signed(replace(NEW, groups=(HOME, replace(YARD, generations=()))), ALICE))


@dataclass(frozen=True)
class Forgery:
    """Who signs, as whom, and what is said of it."""

    signer: AnIdentity
    signed_by: str
    why: str


@pytest.mark.parametrize(
    "forgery",
    [
        Forgery(BOB, "bob", "signed by bob, a viewer: only owners may change it"),
        Forgery(BOB, "alice", "does not bear alice's signature"),
        Forgery(CAROL, "alice", "does not bear alice's signature"),
        Forgery(EVE, "eve", "'eve', who was no member before it"),
        Forgery(EVE, "alice", "does not bear alice's signature"),
    ],
)
def test_only_owners_of_the_version_before_sign(forgery: Forgery) -> None:
    with_eve = replace(
        NEW, signed_by=forgery.signed_by, members=(*OLD.members, an_owner("eve", EVE, ("home", "yard")))
    )
    with pytest.raises(NotSignedByOwner, match=forgery.why):
        check_next(FIRST, signed(with_eve, forgery.signer))


def test_a_recipient_that_the_box_slips_in_breaks_the_signature() -> None:
    slipped = replace(YARD, generations=(THIRD, replace(SEVENTH, recipient=_recipient())))
    honest = signed(replace(NEW, groups=(HOME, replace(YARD, generations=(THIRD, SEVENTH, TEN)))), ALICE)
    forged = signed(replace(honest.manifest, groups=(HOME, slipped)), EVE)
    with pytest.raises(NotSignedByOwner, match="was changed without an owner"):
        check_next(FIRST, forged)


def test_a_first_version_is_signed_by_an_owner_in_itself() -> None:
    for wrong in (
        signed(OLD, EVE),
        signed(replace(OLD, signed_by="bob"), BOB),
        signed(replace(OLD, signed_by="x"), EVE),
    ):
        with pytest.raises(NotSignedByOwner):
            check_first(wrong)
    with pytest.raises(ManifestMissing, match="version 1 is missing"):
        check_first(signed(NEW, ALICE))
    with pytest.raises(NotAllowed, match="only version 1 comes after none"):
        check_first(signed(replace(OLD, previous=bytes(32)), ALICE))


def test_a_signature_for_something_else_is_none() -> None:
    other = SignedManifest(OLD, FIRST.line.__class__(FIRST.line.noun, FIRST.line.body, os.urandom(64)))
    with pytest.raises(NotSignedByOwner):
        check_first(other)


def test_a_post_quantum_household_keeps_to_hybrid_recipients() -> None:
    dora = an_identity(post_quantum=True)
    group = Group("home", (), (Generation(1, str(an_identity(post_quantum=True).recipient), 0),))
    first = Manifest(1, b"", 0, "dora", True, "home", (an_owner("dora", dora),), (group,))
    check_first(signed(first, dora))
    classic: Member = a_viewer("eve", EVE)
    with pytest.raises(NotAllowed, match=r"never mixed, and age1.* is classic"):
        check_first(signed(replace(first, members=(*first.members, classic)), dora))


def test_damage_is_told_from_disobedience() -> None:
    with pytest.raises(ManifestDamaged):
        SignedManifest.parse(bytes(FIRST)[:-5])
