"""Who opens what, with real files: three members, two groups, one who leaves, one who comes late."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from crypto.errors import WrongIdentity
from crypto.unseal import unseal_bytes
from nvr.errors import NothingOpened, NvrError, UsageFault
from nvr.keyholder.changes import approved, removed, rotated, with_group
from nvr.keyholder.given import member_identities
from nvr.keyholder.joining import newcomer
from nvr.keyholder.new_sheet import replace_sheet
from nvr.keyholder.recovery_sheet import identity_in_sheet
from pipeline.household.errors import NotAllowed
from pipeline.household.model import Role
from tests.support.age_programs import age
from tests.support.people import DAY_MS, NOW, NOW_MS, People


@pytest.fixture(params=[False, True], ids=["classic", "post-quantum"])
def people(tmp_path: Path, request: pytest.FixtureRequest) -> People:
    """Anna and Carol are owners, Bob views what is outdoors: the drive."""
    people = People.found(tmp_path, post_quantum=request.param)
    people.change("anna", partial(with_group, name="outdoor", cameras=["drive"]))
    people.join("bob", groups=["outdoor"])
    people.join("carol", Role.OWNER)
    return people


def test_three_members_and_two_groups(people: People) -> None:
    indoor, outdoor = people.record("front"), people.record("drive")
    for owner in ("anna", "carol", "recovery-sheet"):
        assert people.opens(owner, indoor) and people.opens(owner, outdoor)
    assert people.opens("bob", outdoor) and not people.opens("bob", indoor)


def test_a_viewer_cannot_open_the_other_group_with_all_raw_files_in_hand(people: People) -> None:
    indoor = people.record("front")
    own = member_identities(str(people.files["bob"]), [])
    unwrapped = []
    for file in people.root.glob("keys/*/*/*.age"):
        try:
            text = unseal_bytes(file.read_bytes(), own).decode()
        except WrongIdentity:
            assert file.stem != "bob"
            continue
        assert file.stem == "bob" and "/outdoor/" in str(file)
        unwrapped += member_identities(text, [])
    assert len(unwrapped) == 13
    with pytest.raises(WrongIdentity):
        unseal_bytes(indoor.read_bytes(), [*own, *unwrapped])


def test_a_removed_member_opens_the_old_and_not_the_new(people: People, tmp_path: Path) -> None:
    old = people.record("drive")
    aside = tmp_path / "aside"
    shutil.copytree(people.root, aside)
    people.now_ms += DAY_MS
    people.change("anna", partial(removed, name="bob"))
    assert not list(people.root.glob("keys/*/*/bob.age"))
    new = people.record("drive")
    later = people.record("drive", people.now_ms + 300 * DAY_MS)
    assert people.opens("bob", old, aside)
    assert not people.opens("bob", new, aside) and not people.opens("bob", later, aside)
    assert not people.opens("bob", new) and not people.opens("bob", old)
    for owner in ("anna", "carol", "recovery-sheet"):
        assert all(people.opens(owner, one) for one in (old, new, later))


def test_a_newcomer_opens_last_week(people: People) -> None:
    last_week = people.record("front", NOW_MS - 7 * DAY_MS)
    people.change("anna", partial(rotated, name="home"))
    people.join("dora")
    assert people.opens("dora", last_week) and people.opens("dora", people.record("front"))
    assert not people.opens("dora", people.record("drive"))


def test_a_member_who_loses_a_group_opens_nothing_new_of_it(people: People) -> None:
    asked = newcomer(people.household.manifest.members[1].recipient)
    assert people.household.manifest.members[1].name == "bob"
    people.now_ms += DAY_MS
    people.change("carol", partial(approved, newcomer=asked, name="bob", role=Role.VIEWER, groups=["home"]))
    assert not people.opens("bob", people.record("drive")) and people.opens("bob", people.record("front"))
    assert not list(people.root.glob("keys/outdoor/*/bob.age"))


def test_a_camera_that_moves_is_sealed_to_its_new_group(people: People) -> None:
    before = people.record("front")
    people.change("anna", partial(with_group, name="outdoor", cameras=["front"]))
    assert not people.opens("bob", before) and people.opens("bob", people.record("front"))
    people.change("anna", partial(with_group, name="home", cameras=["front"]))
    assert not people.opens("bob", people.record("front"))


def test_an_owner_who_leaves_by_their_own_hand(people: People) -> None:
    people.now_ms += DAY_MS
    people.change("carol", partial(removed, name="carol"))
    assert people.household.manifest.signed_by == "carol"
    with pytest.raises(NothingOpened):
        people.membership("carol")
    assert people.opens("anna", people.record("front"))


def test_the_last_owner_stays(people: People) -> None:
    people.change("anna", partial(removed, name="carol"))
    people.change("anna", partial(removed, name="recovery-sheet"))
    for plan in (
        partial(removed, name="anna"),
        partial(
            approved,
            newcomer=newcomer(people.household.manifest.members[0].recipient),
            name="anna",
            role=Role.VIEWER,
            groups=(),
        ),
    ):
        with pytest.raises(UsageFault, match="anna is the last owner"):
            people.change("anna", plan)


def test_viewers_and_strangers_change_nothing(people: People, tmp_path: Path) -> None:
    with pytest.raises(NvrError, match="bob is a viewer: only owners may change"):
        people.change("bob", partial(rotated, name="outdoor"))
    other = People.found(tmp_path / "other", post_quantum=people.plan.post_quantum)
    people.files["stranger"] = other.plan.key_file
    with pytest.raises(NothingOpened, match="not for this store"):
        people.change("stranger", partial(rotated, name="home"))
    assert people.household.manifest.version == 4


def test_kinds_are_never_mixed(people: People) -> None:
    before = sorted(people.root.rglob("*"))
    asked = newcomer(people.request("eve", post_quantum=not people.plan.post_quantum))
    with pytest.raises(NotAllowed, match="never mixed"):
        people.change("anna", partial(approved, newcomer=asked, name="eve", role=Role.VIEWER, groups=()))
    assert sorted(people.root.rglob("*")) == before


def test_a_plain_recipient_opens_footage_and_signs_nothing(people: People, tmp_path: Path) -> None:
    other = People.found(tmp_path / "other", post_quantum=people.plan.post_quantum)
    (identity,) = member_identities(str(other.plan.key_file), [])
    asked = newcomer(str(identity.recipient))
    plain = partial(approved, newcomer=asked, name="plain", groups=())
    with pytest.raises(UsageFault, match="A plain recipient cannot be an owner"):
        people.change("anna", partial(plain, role=Role.OWNER))
    people.change("anna", partial(plain, role=None))
    people.files["plain"] = tmp_path / "plain.txt"
    people.files["plain"].write_text(str(identity))
    assert people.opens("plain", people.record("front"))
    with pytest.raises(NvrError, match="plain is a viewer"):
        people.change("plain", partial(rotated, name="home"))


def test_a_new_sheet_takes_the_old_ones_place(people: People, tmp_path: Path) -> None:
    old = people.record("drive")
    aside = tmp_path / "aside"
    shutil.copytree(people.root, aside)
    people.now_ms += DAY_MS
    made = replace_sheet(people.membership("anna"), "cabin", b"", tmp_path / "sheet", NOW)
    people.files["new"] = made.file
    assert made.member == "recovery-sheet-2" and made.changed.faults == ()
    assert f"/{made.member}.age" in made.file.read_text()
    new = people.record("front")
    assert people.opens("new", old) and people.opens("new", new)
    assert people.opens("recovery-sheet", old, aside) and not people.opens("recovery-sheet", new, aside)
    with pytest.raises(NothingOpened):
        people.membership("recovery-sheet")
    again = replace_sheet(people.membership("new"), "cabin", b"", tmp_path / "third", NOW)
    assert again.member == "recovery-sheet"  # the name is free again, and so are its files
    people.files["third"] = again.file
    assert people.opens("third", old) and people.opens("third", people.record("front"))


def test_stock_age_opens_all_of_it_with_the_sheet_and_the_disk_alone(tmp_path: Path) -> None:
    people = People.found(tmp_path)
    people.change("anna", partial(with_group, name="outdoor", cameras=["drive"]))
    people.join("bob", groups=["outdoor"])
    sealed = [people.record("front"), people.record("drive")]
    own = b"".join(age("-d", "-i", people.files["bob"], one) for one in people.root.glob("keys/*/*/bob.age"))
    (tmp_path / "bob.txt").write_bytes(own)
    assert age("-d", "-i", tmp_path / "bob.txt", sealed[1]) == b"moof"
    with pytest.raises(subprocess.CalledProcessError):
        age("-d", "-i", tmp_path / "bob.txt", sealed[0])
    people.change("anna", partial(removed, name="bob"))
    sealed += [
        people.record(camera, NOW_MS + days * DAY_MS) for camera in ("front", "drive") for days in (1, 40)
    ]
    machine = tmp_path / "machine"
    shutil.copytree(people.root, machine / "STORE")
    text = identity_in_sheet(people.plan.sheet_file.read_text())
    assert text is not None
    (machine / "sheet.txt").write_text(text)
    page = people.plan.sheet_file.read_text()
    line = (
        page[page.index("<pre>for file") + 5 : page.index("home.txt\nage")].replace("&gt;", ">") + "home.txt"
    )
    subprocess.run(["bash", "-euc", line], cwd=machine, check=True, timeout=60)
    for file in sealed:
        copy = machine / "STORE" / file.relative_to(people.root)
        assert age("-d", "-i", machine / "home.txt", copy) == b"moof"
