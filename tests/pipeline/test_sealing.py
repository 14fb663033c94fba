"""Each segment goes to the generation that counts when it begins, whatever becomes of the household."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.durable import DiskCalls
from pipeline.household.choosing import Choice
from pipeline.household.errors import ManifestMissing
from pipeline.key_names import manifest_path
from pipeline.model import StreamName
from pipeline.sealing import RUN_OUT, Sealing, recipient_of
from pipeline.store import Store
from tests.support.founding import Founded, a_viewer, an_identity, found, signed

MAIN, SUB = StreamName("front", "main"), StreamName("front", "sub")
NOW_MS = 1_795_348_800_000
HOUR_MS = 3_600_000


@pytest.fixture
def founded(store: Store, tmp_path: Path) -> Founded:
    """`home` for all cameras but `gate`, which belongs to `yard`."""
    return found(store.root, tmp_path / "state", groups=("home", "yard"), cameras={"yard": ("gate",)})


def _sealing(founded: Founded, camera: str = "front", newest_sure_ns: int | None = None) -> Sealing:
    return Sealing(founded.store_root, founded.state_dir, camera, newest_sure_ns)


def _at(sealing: Sealing, now_ms: int = NOW_MS, *, unsure: bool = False) -> Choice:
    return sealing.choose(now_ms * 1_000_000, unsure=unsure)


def _marks(founded: Founded) -> set[str]:
    return {str(path.relative_to(founded.store_root / "keys")) for path in founded.store_root.rglob("*.used")}


def test_a_camera_is_sealed_to_its_groups_generation(founded: Founded) -> None:
    for camera, group in (("front", "home"), ("gate", "yard")):
        choice = _at(_sealing(founded, camera))
        assert (choice.group, choice.generation) == (group, 1)
        assert str(recipient_of(choice)) == str(founded.identity(group, 1).recipient)


def test_a_new_generation_is_taken_when_its_time_comes(founded: Founded) -> None:
    sealing = _sealing(founded)
    founded.rotate("home", from_ms=NOW_MS + HOUR_MS)
    assert _at(sealing, NOW_MS + HOUR_MS - 1).generation == 1
    assert _at(sealing, NOW_MS + HOUR_MS).generation == 3
    assert _at(sealing, NOW_MS).generation == 1, "a clock that was set back"


def test_a_camera_that_changes_its_group_is_sealed_to_the_other(founded: Founded) -> None:
    sealing = _sealing(founded)
    home, yard = founded.manifest.groups
    founded.change(groups=(home, replace(yard, cameras=("front", "gate"))))
    assert _at(sealing).group == "yard"


def test_an_unsure_clock_brings_no_newer_generation(founded: Founded) -> None:
    founded.rotate("home", from_ms=NOW_MS)
    far = NOW_MS + 1000 * HOUR_MS
    assert _at(_sealing(founded), far, unsure=True).generation == 1, "nothing sure was ever recorded"
    before = _sealing(founded, newest_sure_ns=(NOW_MS - 1) * 1_000_000)
    assert _at(before, far, unsure=True).generation == 1
    after = _sealing(founded, newest_sure_ns=NOW_MS * 1_000_000)
    assert _at(after, 0, unsure=True).generation == 3
    assert _at(before, NOW_MS).generation == 3
    assert _at(before, 0, unsure=True).generation == 3, "unsure again: not behind what was sure"


def test_what_is_forged_older_or_missing_stops_nothing(
    founded: Founded, caplog: pytest.LogCaptureFixture
) -> None:
    sealing = _sealing(founded)
    chosen = _at(sealing)
    assert sealing.problem == ""
    group = founded.manifest.groups[0]
    slipped = founded.with_generation(group, 3, 0)
    forged = replace(founded.next_version().manifest, groups=(slipped, founded.manifest.groups[1]))
    (founded.store_root / manifest_path(2)).write_bytes(bytes(signed(forged, an_identity())))
    assert [_at(sealing), _at(sealing)] == [chosen, chosen]
    assert "does not bear alice's signature" in sealing.problem
    assert caplog.text.count("does not bear alice's signature") == 1, "said once"
    assert caplog.text.count("front: household: version 2") == 1
    shutil.rmtree(founded.store_root / "keys" / "manifest")
    assert _at(sealing) == chosen == _at(_sealing(founded))
    assert "version 1 of the household is missing" in sealing.problem


def test_it_says_so_when_the_prepared_generations_have_run_out(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    founded = found(store.root, tmp_path / "state", from_ms=0, until_ms=NOW_MS)
    sealing = _sealing(founded)
    assert (_at(sealing, NOW_MS + HOUR_MS).generation, sealing.problem) == (2, "")
    late = NOW_MS + 24 * 40 * HOUR_MS
    assert (_at(sealing, late).generation, sealing.problem) == (2, RUN_OUT)
    founded.rotate("home", from_ms=late)
    assert (_at(sealing, late).generation, sealing.problem) == (3, "")
    assert caplog.text.count(RUN_OUT) == 1 and "household: in order again" in caplog.text


def test_a_members_missing_file_is_told(founded: Founded) -> None:
    founded.people["bob"] = an_identity()
    bob = a_viewer("bob", founded.people["bob"])
    founded.wrap("home", 1, ["bob"])
    founded.change(members=(*founded.manifest.members, bob))
    sealing = _sealing(founded)
    _at(sealing)
    assert sealing.problem == ""
    (founded.store_root / "keys/home/1/bob.age").unlink()
    assert _at(sealing).generation == 1
    assert sealing.problem.startswith(
        "bob cannot open what is recorded now, for keys/home/1/bob.age is missing"
    )
    founded.wrap("home", 1, ["bob"])
    _at(sealing)
    assert sealing.problem == ""


def test_a_generation_that_nobody_opens_is_passed_over_for_a_later_one_only(
    founded: Founded,
) -> None:
    founded.rotate("home", from_ms=NOW_MS - HOUR_MS)
    founded.rotate("home", from_ms=NOW_MS + HOUR_MS)
    sealing = _sealing(founded)
    assert _at(sealing).generation == 3
    shutil.rmtree(founded.store_root / "keys/home/3")
    assert _at(sealing).generation == 4
    assert "nobody's file is left in keys/home/3, so generation 4 is used" in sealing.problem
    shutil.rmtree(founded.store_root / "keys/home/4")
    assert _at(sealing).generation == 3, "not 1, which somebody who has left may open"


def test_the_mark_of_use_is_made_once_for_each_stream_and_generation(founded: Founded) -> None:
    sealing = _sealing(founded)
    first = _at(sealing)
    for sequence in (7, 8, 9):
        sealing.begin(MAIN, sequence, first)
    sealing.begin(SUB, 4, first)
    assert _marks(founded) == {"home/1/front.main.7.used", "home/1/front.sub.4.used"}
    founded.rotate("home", from_ms=NOW_MS)
    second = _at(sealing)
    sealing.begin(MAIN, 10, second)
    again = _sealing(founded)
    again.begin(MAIN, 11, second)
    assert _marks(founded) == {
        "home/1/front.main.7.used",
        "home/1/front.sub.4.used",
        "home/3/front.main.10.used",
    }
    again.begin(MAIN, 12, first)
    again.begin(MAIN, 13, second)
    assert {"home/1/front.main.12.used", "home/3/front.main.13.used"} < _marks(founded)


def test_a_crash_between_mark_and_segment_leaves_both_marks_in_force(founded: Founded) -> None:
    founded.rotate("home", from_ms=NOW_MS)
    first, second = _at(_sealing(founded), NOW_MS - 1), _at(_sealing(founded), NOW_MS)
    _sealing(founded).begin(MAIN, 7, first)
    restarted = _sealing(founded)
    assert restarted.next_sequence(MAIN, 6) == 7
    restarted.begin(MAIN, 7, second)
    _sealing(founded).begin(MAIN, 8, first)
    assert _marks(founded) == {"home/1/front.main.7.used", "home/3/front.main.7.used"}


def test_sequences_go_on_above_the_marks_though_all_footage_is_gone(founded: Founded) -> None:
    sealing = _sealing(founded)
    assert sealing.next_sequence(MAIN, 0) == 1
    sealing.begin(MAIN, 5000, _at(sealing))
    again = _sealing(founded)
    assert [again.next_sequence(MAIN, last) for last in (0, 4999, 5000, 6000)] == [5000, 5000, 5001, 6001]
    assert again.next_sequence(SUB, 0) == 1


def test_a_mark_that_the_disk_does_not_take_is_tried_again(founded: Founded) -> None:
    refusing = True

    def fsync(descriptor: int) -> None:
        if refusing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)

    disk = DiskCalls(os.pwrite, os.fdatasync, fsync)
    sealing = Sealing(founded.store_root, founded.state_dir, "front", None, disk)
    choice = _at(sealing)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            sealing.begin(MAIN, 7, choice)
    refusing = False
    sealing.begin(MAIN, 7, choice)
    assert _marks(founded) == {"home/1/front.main.7.used"}


def test_nobody_to_seal_to(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing):
        Sealing(store.root, tmp_path / "state", "front", None)


def test_a_disk_that_is_away_is_no_problem_of_the_household(founded: Founded) -> None:
    sealing = _sealing(founded)
    chosen = _at(sealing)
    founded.store_root.rename(founded.store_root.with_name("away"))
    assert (_at(sealing), sealing.problem) == (chosen, "")


def test_a_folder_that_the_recorder_may_not_write_to_stops_nothing(
    founded: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another user's command made it. Tests run as root, whom no mode keeps out."""
    sealing = _sealing(founded)
    choice = _at(sealing)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.sealing.make_mark", refuse)
        sealing.begin(MAIN, 7, choice)
        sealing.begin(MAIN, 8, choice)
        assert _at(sealing) == choice
        assert "the recorder may not write in keys/home/1: give the folder to the user" in sealing.problem
    sealing.begin(MAIN, 9, choice)
    assert _marks(founded) == {"home/1/front.main.7.used"}, "from the first that was sealed so"
    _at(sealing)
    assert sealing.problem == ""
