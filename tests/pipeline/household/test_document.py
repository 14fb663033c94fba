"""Manifests as text: whatever can be one comes back the same; whatever else is refused, by its place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.signing import canonical
from pipeline.household.document import LAST_NUMBER, SignedManifest, from_noun, to_noun
from pipeline.household.errors import ManifestDamaged
from pipeline.household.model import Device, Generation, Group, Manifest, Member, Role
from pipeline.names import LAST_MS
from tests.support.founding import an_identity, an_owner, signed

TIMES = st.integers(0, LAST_MS)
NUMBERS = st.integers(1, LAST_NUMBER)
NAMES = st.from_regex("[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32)
GENERATIONS = st.builds(Generation, NUMBERS, st.text(max_size=70), TIMES)
MANIFESTS = st.builds(
    Manifest,
    version=NUMBERS,
    previous=st.just(b"") | DIGESTS,
    made_ms=TIMES,
    signed_by=NAMES,
    post_quantum=st.booleans(),
    default_group=NAMES,
    members=st.lists(
        st.builds(
            Member,
            NAMES,
            st.sampled_from(Role),
            st.text(max_size=70),
            st.just(b"") | DIGESTS,
            st.lists(NAMES, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    groups=st.lists(
        st.builds(
            Group, NAMES, st.lists(NAMES, max_size=3).map(tuple), st.lists(GENERATIONS, max_size=3).map(tuple)
        ),
        max_size=3,
    ).map(tuple),
    devices=st.lists(st.builds(Device, st.binary(min_size=16, max_size=16), DIGESTS, TIMES), max_size=2).map(
        tuple
    ),
)

ALICE = an_identity()
SMALL = Manifest(
    1,
    b"",
    1_793_500_000_000,
    "alice",
    False,
    "home",
    (an_owner("alice", ALICE),),
    (Group("home", ("front",), (Generation(1, str(an_identity().recipient), 0),)),),
    (Device(bytes(16), bytes(32), 5),),
)


@given(MANIFESTS)
def test_every_manifest_comes_back_from_its_text(manifest: Manifest) -> None:
    assert from_noun(to_noun(manifest)) == manifest


def test_a_signed_line_gives_the_manifest_and_the_same_line_back() -> None:
    version = signed(SMALL, ALICE)
    assert version.manifest == SMALL
    assert SignedManifest.parse(bytes(version)) == version


def _noun(path: str, value: Any) -> dict[str, Any]:
    """The small manifest's noun with something else at a place."""
    noun = copy.deepcopy(to_noun(SMALL))
    *above, last = path.split(".")
    inner: Any = noun
    for step in above:
        inner = inner[int(step)] if step.isdecimal() else inner[step]
    inner[last] = value
    return noun


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 0),
        ("version", True),
        ("version", "1"),
        ("version", LAST_NUMBER + 1),
        ("previous", "00"),
        ("previous", "A" * 64),
        ("previous", None),
        ("made_ms", -1),
        ("made_ms", LAST_MS + 1),
        ("signed_by", 1),
        ("post_quantum", 0),
        ("default_group", None),
        ("members", {}),
        ("members", ["alice"]),
        ("members.0.role", "admin"),
        ("members.0.role", 1),
        ("members.0.recipient", None),
        ("members.0.member_key", "zz" * 32),
        ("members.0.member_key", "ab" * 31),
        ("members.0.groups", "home"),
        ("members.0.groups", [1]),
        ("members.0.passphrase", "surplus"),
        ("groups.0.cameras", [None]),
        ("groups.0.generations", [[1, "age1", 0]]),
        ("groups.0.generations.0.number", 0),
        ("groups.0.generations.0.from_ms", "0"),
        ("groups.0.generations.0.identity", "surplus"),
        ("devices.0.device", "00"),
        ("devices.0.day_key", ""),
        ("devices.0.from_ms", None),
        ("comment", "surplus"),
    ],
)
def test_what_is_no_manifest_is_refused_by_its_place(path: str, value: Any) -> None:
    noun = _noun(path, value)
    with pytest.raises(ManifestDamaged, match=path.rpartition(".")[2][:-1]) as fault:
        from_noun(noun)
    assert "\n" not in str(fault.value) and len(str(fault.value)) < 120


@pytest.mark.parametrize("where", ["", "members.0", "groups.0", "groups.0.generations.0", "devices.0"])
def test_every_key_must_be_there(where: str) -> None:
    noun = copy.deepcopy(to_noun(SMALL))
    inner: Any = noun
    for step in filter(None, where.split(".")):
        inner = inner[int(step)] if step.isdecimal() else inner[step]
    for name in list(inner):
        value = inner.pop(name)
        with pytest.raises(ManifestDamaged, match=f'lacks "{name}"'):
            from_noun(noun)
        inner[name] = value
    assert from_noun(noun) == SMALL


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line[:-20],
        lambda line: line.replace(b'"version":1', b'"version": 1'),
        lambda line: line.replace(b'"alice"', b'"\\u0061lice"', 1),
        lambda line: line.replace(b'"made_ms":1793500000000', b'"made_ms":1793500000000.0'),
        lambda line: line.replace(b"{", b'{"version":1,', 1),
        lambda line: b"[" * 100_000 + line,
        lambda line: b"",
        lambda line: b"\xff" + line,
        lambda line: line + line,
    ],
)
def test_another_spelling_of_the_same_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    spoiled = spoil(bytes(signed(SMALL, ALICE)))
    with pytest.raises(ManifestDamaged, match="its text was changed or cut off"):
        SignedManifest.parse(spoiled)


def test_a_signed_line_that_is_no_manifest() -> None:
    line = canonical({"a": 1}) + b" " + bytes(signed(SMALL, ALICE)).rpartition(b" ")[2]
    with pytest.raises(ManifestDamaged, match='unknown "a"'):
        SignedManifest.parse(line)


def test_nouns_answer_what_is_asked_of_them() -> None:
    bob = Member("bob", Role.VIEWER, "age1x", b"", ("home",))
    yard = Group("yard", ("gate",), (Generation(4, "age1y", 0), Generation(7, "age1z", 9)))
    manifest = replace(SMALL, members=(*SMALL.members, bob), groups=(*SMALL.groups, yard))
    assert manifest.member("bob") == bob and manifest.member("eve") is None
    assert manifest.group("yard") == yard and manifest.group("attic") is None
    assert manifest.group_of("gate") == yard
    assert manifest.group_of("front").name == manifest.group_of("nobody-named-it").name == "home"
    assert [one.name for one in manifest.owners()] == ["alice"]
    assert [one.name for one in manifest.members_of("home")] == ["alice", "bob"]
    assert yard.newest.number == 7 and yard.generation(4) == Generation(4, "age1y", 0)
    assert yard.generation(5) is None
