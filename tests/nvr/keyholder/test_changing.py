"""A change is whole or not at all: crashes, full disks, and what an owner's other commands do in passing."""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path

import pytest

from nvr.errors import NvrError
from nvr.keyholder import changing
from nvr.keyholder.changes import approved, removed, rotated, with_group
from nvr.keyholder.changing import prepare_ahead, prepare_quietly
from nvr.keyholder.joining import newcomer
from nvr.keyholder.new_sheet import replace_sheet
from pipeline.durable import sync_file_system
from pipeline.household.document import SignedManifest
from pipeline.household.model import Role
from tests.support.people import DAY_MS, NOW, People

CRASHED = 9


@pytest.fixture
def people(tmp_path: Path) -> People:
    people = People.found(tmp_path)
    people.join("bob")
    people.now_ms += DAY_MS
    return people


def names(people: People) -> set[str]:
    return {str(path.relative_to(people.root)) for path in people.root.rglob("*")}


def crashes(people: People, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anna removes bob in another process, which dies there."""
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(changing, where, lambda *_: os._exit(CRASHED))
        people.change("anna", partial(removed, name="bob"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == CRASHED


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_crash_before_the_version_changes_nothing_for_anybody(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, sealed = names(people), people.record("front")
    crashes(people, "write_version", monkeypatch)
    assert people.household.manifest.version == 2 and "keys/home/14" in names(people) - before
    assert all(people.opens(who, sealed) for who in ("anna", "bob", "recovery-sheet"))
    assert people.opens("bob", people.record("front"))
    people.change("anna", partial(with_group, name="home", cameras=["front"]))
    assert "keys/home/14" not in names(people)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_crash_after_the_version_leaves_what_the_next_change_removes(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes(people, "sweep", monkeypatch)
    assert people.household.manifest.member("bob") is None
    assert "keys/home/1/bob.age" in names(people) and "keys/home/2" in names(people)
    sealed = people.record("front")
    assert people.opens("anna", sealed) and not people.opens("bob", sealed)
    people.change("anna", partial(rotated, name="home"))
    assert not {name for name in names(people) if "bob" in name or name.startswith("keys/home/2/")}


def test_a_disk_that_takes_no_more_leaves_nothing_half_done(
    people: People, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = newcomer(people.request("dora"))
    before = names(people)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse(root: Path, signed: SignedManifest) -> None:
        raise full

    monkeypatch.setattr(changing, "write_version", refuse)
    dora = partial(approved, newcomer=asked, name="dora", role=Role.VIEWER, groups=())
    for plan in (partial(rotated, name="home"), dora, partial(with_group, name="barn", cameras=[])):
        with pytest.raises(OSError, match="No space left"):
            people.change("anna", plan)
        assert names(people) == before
    with pytest.raises(NvrError, match="No space left"):
        replace_sheet(people.membership("anna"), "cabin", b"", tmp_path / "sheet", NOW)
    assert not (tmp_path / "sheet").exists() and names(people) == before


def test_one_syncfs_and_no_fsync_for_each_file(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    fsync = os.fsync

    def counted_fsync(descriptor: int) -> None:
        called.append("fsync")
        fsync(descriptor)

    def counted_syncfs(descriptor: int) -> None:
        called.append("syncfs")
        sync_file_system(descriptor)

    monkeypatch.setattr(os, "fsync", counted_fsync)
    monkeypatch.setattr("nvr.keyholder.wrapped_files.sync_file_system", counted_syncfs)
    people.change("anna", partial(removed, name="bob"))
    assert called.count("syncfs") == 2 and called.count("fsync") <= 5  # the version and the memory


def test_every_owners_change_prepares_a_year(people: People) -> None:
    people.now_ms += 60 * DAY_MS
    people.change("anna", partial(with_group, name="outdoor", cameras=[]))
    newest = [group.newest.from_ms for group in people.household.manifest.groups]
    assert len(set(newest)) == 1 and newest[0] > people.now_ms + 300 * DAY_MS
    assert people.opens("bob", people.record("front", newest[0]))


def test_preparing_in_passing(people: People) -> None:
    prepare_quietly(people.membership("anna"), people.now_ms)
    assert people.household.manifest.version == 2  # a year is prepared: nothing to do
    people.now_ms += 60 * DAY_MS
    prepare_quietly(people.membership("bob"), people.now_ms)
    assert people.household.manifest.version == 2  # a viewer prepares nothing, and is not told so
    member = people.membership("anna")
    prepare_quietly(member, people.now_ms)
    assert people.household.manifest.version == 3
    prepare_quietly(member, people.now_ms + 60 * DAY_MS)  # somebody changed it meanwhile: silently nothing
    assert people.household.manifest.version == 3
    with pytest.raises(NvrError, match="bob is a viewer"):
        prepare_ahead(people.membership("bob"), people.now_ms)


def test_years_go_by_in_an_attic(people: People) -> None:
    """Footage goes on with the last generation that was prepared, and one change puts it right."""
    people.now_ms += 1200 * DAY_MS
    late = people.record("front")
    assert people.opens("anna", late)
    people.change("anna", partial(rotated, name="home"))
    new = people.record("front")
    assert people.opens("bob", new) and people.opens("recovery-sheet", new)
    assert people.household.manifest.groups[0].newest.from_ms > people.now_ms + 300 * DAY_MS
