"""What `nvr init` writes: secrets where they belong, openable by stock age, never overwriting anything."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crypto.identity import X25519Identity, parse_identities
from nvr.config_file import load_config
from nvr.errors import NothingOpened, StoreTrouble, UsageFault
from nvr.keyholder.given import holder_of, member_identities
from nvr.keyholder.household import HouseholdPlan, make_household
from nvr.keyholder.opening import Opening, footage_identities, open_generations
from nvr.keyholder.passphrase import make_passphrase, word_list
from nvr.keyholder.recovery_sheet import identity_in_sheet
from pipeline.household.files import read_household
from pipeline.household.fingerprint import fingerprint
from pipeline.household.model import Role
from pipeline.household.remembered import recall
from pipeline.store.layout import Store

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=ZoneInfo("Europe/Berlin"))
PASSPHRASE = "correct-horse-battery-staple-six-words"


def plan_in(place: Path, passphrase: str = "", *, post_quantum: bool = False) -> HouseholdPlan:
    return HouseholdPlan(
        directory=place / "cabin",
        keys_directory=place / "keys",
        member="anna",
        device=bytes(range(16)),
        now=NOW,
        passphrase=passphrase,
        post_quantum=post_quantum,
    )


@pytest.fixture
def household(tmp_path: Path) -> HouseholdPlan:
    plan = plan_in(tmp_path)
    make_household(plan)
    return plan


def age(*arguments: str | Path) -> bytes:
    return subprocess.run(["age", *arguments], check=True, capture_output=True, timeout=30).stdout


def age_with_passphrase(passphrase: str, *arguments: str | Path) -> bytes:
    """Stock age asks on its controlling terminal, so it gets one of its own."""
    ours, theirs = os.openpty()
    try:
        with subprocess.Popen(
            ["setsid", "--ctty", "--wait", "age", *arguments],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as asking:
            os.write(ours, f"{passphrase}\n".encode())
            out, err = asking.communicate(timeout=60)
        assert asking.returncode == 0, err
        return out
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_lies_where_and_who_may_read_it(household: HouseholdPlan) -> None:
    modes = {
        path.relative_to(household.directory.parent).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in household.directory.parent.rglob("*")
        if path.is_file()
    }
    assert set(modes) == {
        "cabin/nvr.toml",
        "cabin/store/store.json",
        "cabin/store/keys/manifest/1.json",
        *(f"cabin/store/keys/home/{number}/anna.age" for number in range(1, 14)),
        *(f"cabin/store/keys/home/{number}/recovery-sheet.age" for number in range(1, 14)),
        "cabin/state/day.key",
        "cabin/state/day.lock",
        "cabin/state/household.json",
        "cabin/state/household.lock",
        "keys/anna.key",
        "keys/recovery-sheet.html",
    }
    for secret in ("cabin/nvr.toml", "cabin/state/day.key", "keys/anna.key", "keys/recovery-sheet.html"):
        assert modes[secret] == 0o600
    for folder in (household.keys_directory, household.state_directory):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert Store(household.store_root).device == household.device
    assert load_config(household.config_file).store_root == household.store_root


def test_no_identity_lies_unsealed_on_the_recorders_side(household: HouseholdPlan) -> None:
    for path in household.directory.rglob("*"):
        assert path.is_dir() or b"AGE-SECRET-KEY-" not in path.read_bytes().upper()


@pytest.mark.parametrize("post_quantum", [False, True])
def test_key_file_and_sheet_open_the_same_group(tmp_path: Path, post_quantum: bool) -> None:
    plan = plan_in(tmp_path, post_quantum=post_quantum)
    make_household(plan)
    manifest = read_household(plan.store_root).manifest
    recipient = manifest.groups[0].generations[0].recipient
    assert recipient.startswith("age1pq1" if post_quantum else "age1")
    by_file, by_sheet = opened(plan, plan.key_file), opened(plan, plan.sheet_file)
    assert [str(one.identity) for one in by_file.groups] == [str(one.identity) for one in by_sheet.groups]
    assert [(one.group, one.generation) for one in by_file.groups] == [("home", n) for n in range(1, 14)]
    assert str(by_file.groups[0].identity) not in repr(by_file)


def opened(plan: HouseholdPlan, file: Path) -> Opening:
    manifest = read_household(plan.store_root).manifest
    return open_generations(plan.store_root, manifest, member_identities(str(file), []))


def test_the_first_version_says_who_and_until_when(household: HouseholdPlan) -> None:
    read = read_household(household.store_root)
    manifest = read.manifest
    assert [(one.name, one.role) for one in manifest.members] == [
        ("anna", Role.OWNER),
        ("recovery-sheet", Role.OWNER),
    ]
    begins = [one.from_ms for one in manifest.groups[0].generations]
    assert begins[0] == 0  # so that a clock that is behind finds it
    months = [datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") for ms in begins[1:]]
    assert (months[0], months[-1], len(months)) == ("2026-12-01 00:00", "2027-11-01 00:00", 12)
    assert [one.device for one in manifest.devices] == [household.device]
    own = recall(household.state_directory)
    assert own is not None and own.root == read.root
    for file in (household.key_file, household.sheet_file):
        assert holder_of(str(file), []).root == read.root
    assert fingerprint(read.root) in household.sheet_file.read_text()


def test_stock_age_opens_footage_in_the_two_steps_that_the_sheet_prints(household: HouseholdPlan) -> None:
    place = household.keys_directory
    recipient = read_household(household.store_root).manifest.groups[0].generations[0].recipient
    (place / "footage").write_bytes(b"moof")
    age("-r", recipient, "-o", place / "footage.age", place / "footage")
    text = identity_in_sheet(household.sheet_file.read_text())
    assert text is not None
    (place / "sheet.txt").write_text(text)
    age(
        "-d",
        "-i",
        place / "sheet.txt",
        "-o",
        place / "home.txt",
        household.generation_directory / "recovery-sheet.age",
    )
    assert age("-d", "-i", place / "home.txt", place / "footage.age") == b"moof"


def test_stock_age_takes_the_wrapped_key_file(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, PASSPHRASE)
    make_household(plan)
    assert b"AGE-SECRET-KEY" not in plan.key_file.read_bytes()
    wrapped = plan.generation_directory / "anna.age"
    text = age_with_passphrase(PASSPHRASE, "-d", "-i", plan.key_file, wrapped).decode()
    ours = footage_identities(str(plan.key_file), plan.store_root, iter(["wrong", PASSPHRASE]))
    assert text.strip() == str(ours[0])


def test_a_wrong_passphrase_opens_nothing_and_is_not_repeated(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, PASSPHRASE)
    make_household(plan)
    with pytest.raises(NothingOpened, match="That passphrase does not open") as refused:
        member_identities(str(plan.key_file), ["hunter2"])
    assert "hunter2" not in str(refused.value)


def test_the_sheets_text_and_the_groups_own_identity_open_too(household: HouseholdPlan) -> None:
    sheet = identity_in_sheet(household.sheet_file.read_text())
    assert sheet is not None
    identities = footage_identities(f" {sheet.lower()}\n", household.store_root, [])
    manifest = read_household(household.store_root).manifest
    again = open_generations(household.store_root, manifest, parse_identities(str(identities[3])))
    assert [(one.group, one.generation) for one in again.groups] == [("home", 4)]
    assert str(again.groups[0].identity) == str(identities[3])


def test_a_strangers_identity_opens_nothing(household: HouseholdPlan) -> None:
    manifest = read_household(household.store_root).manifest
    with pytest.raises(NothingOpened, match="opens none of the household's groups") as refused:
        open_generations(household.store_root, manifest, [X25519Identity.generate(os.urandom)])
    assert "anna, recovery-sheet" in str(refused.value)


def test_a_store_without_keys(tmp_path: Path, household: HouseholdPlan) -> None:
    manifest = read_household(household.store_root).manifest
    with pytest.raises(StoreTrouble, match="is the store mounted"):
        open_generations(tmp_path / "empty", manifest, [X25519Identity.generate(os.urandom)])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not an identity"),
        (b"hunter2", "is not an identity"),
        (b"\xff\xfe\x00hunter2", "is not an identity file"),
        (b"<!doctype html><p>hunter2</p>", "a web page without an identity"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nhunter2\n", "is damaged"),
        (b"age-encryption.org/v1\n-> X25519 abc\n", "not by a passphrase"),
        (b"age-encryption.org/v1\n-> scrypt abc\n", "is damaged"),
        (b"AGE-SECRET-KEY-1HUNTER2", "is not an identity"),
        (b"age1hunter2", "is not an identity"),
    ],
)
def test_files_that_are_no_identity(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "given"
    file.write_bytes(content)
    with pytest.raises(UsageFault, match=words) as refused:
        member_identities(str(file), ["hunter2"])
    assert "hunter2" not in str(refused.value).lower()


def test_a_sheet_with_one_wrong_letter_is_one_sentence(household: HouseholdPlan, tmp_path: Path) -> None:
    text = identity_in_sheet(household.sheet_file.read_text())
    assert text is not None
    for place in range(len("AGE-SECRET-KEY-1"), len(text)):
        wrong = text[:place] + ("Q" if text[place] != "Q" else "P") + text[place + 1 :]
        file = tmp_path / "sheet.txt"
        file.write_text(wrong)
        with pytest.raises(UsageFault, match="a letter is mistyped") as refused:
            member_identities(str(file), [])
        assert wrong[20:30] not in str(refused.value)


def test_a_missing_identity_file(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="Cannot read the identity file"):
        member_identities(str(tmp_path / "absent"), [])


def test_nothing_is_overwritten(household: HouseholdPlan) -> None:
    before = {path: path.read_bytes() for path in household.directory.parent.rglob("*") if path.is_file()}
    with pytest.raises(UsageFault, match="There is a household"):
        make_household(household)
    household.config_file.rename(household.directory / "elsewhere")
    household.store_root.rename(household.directory / "old-store")
    household.state_directory.rename(household.directory / "old-state")
    with pytest.raises(UsageFault, match="keys are never overwritten"):
        make_household(household)
    after = [path.read_bytes() for path in household.directory.parent.rglob("*") if path.is_file()]
    assert sorted(after) == sorted(before.values())


def test_a_failure_takes_back_what_was_made(tmp_path: Path) -> None:
    (tmp_path / "cabin").write_text("not a folder")
    with pytest.raises(StoreTrouble, match="Cannot write"):
        make_household(plan_in(tmp_path))
    assert [path.name for path in tmp_path.rglob("*")] == ["cabin"]


def test_passphrases_are_six_words_of_the_long_list() -> None:
    words = word_list()
    assert len(words) > 7700
    made = make_passphrase()
    assert len(made.split("-")) == 6
    assert set(made.split("-")) <= set(words)
    assert made != make_passphrase()


@pytest.mark.parametrize("post_quantum", [False, True])
def test_the_sheet_as_a_browser_shows_it_scans_to_the_identity(tmp_path: Path, post_quantum: bool) -> None:
    plan = plan_in(tmp_path, post_quantum=post_quantum)
    make_household(plan)
    page = plan.sheet_file.read_text()
    picture = tmp_path / "sheet.png"
    subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--window-size=900,1300", f"--user-data-dir={tmp_path / 'profile'}"),
            *(f"--screenshot={picture}", plan.sheet_file.as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    scanned = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True, timeout=30)
    assert scanned.stdout.strip() == identity_in_sheet(page)
    assert "22 November 2026, 14:05" in page
    assert "{" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
