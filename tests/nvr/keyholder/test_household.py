"""What `nvr init` writes: secrets where they belong, openable by stock age, never overwriting anything."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crypto.identity import X25519Identity, parse_identities
from nvr.config_file import load_config
from nvr.errors import NothingOpened, StoreTrouble, UsageFault
from nvr.keyholder.household import HouseholdPlan, make_household
from nvr.keyholder.opening import footage_identities, member_identities, open_groups
from nvr.keyholder.passphrase import make_passphrase, word_list
from nvr.keyholder.recovery_sheet import identity_in_sheet
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
        "cabin/store/keys/home/1/recipient.txt",
        "cabin/store/keys/home/1/anna.age",
        "cabin/store/keys/home/1/recovery-sheet.age",
        "keys/anna.key",
        "keys/recovery-sheet.html",
    }
    for secret in ("cabin/nvr.toml", "keys/anna.key", "keys/recovery-sheet.html"):
        assert modes[secret] == 0o600
    assert stat.S_IMODE(household.keys_directory.stat().st_mode) == 0o700
    assert Store(household.store_root).device == household.device
    assert load_config(household.config_file).store_root == household.store_root


def test_no_identity_lies_unsealed_on_the_recorders_side(household: HouseholdPlan) -> None:
    for path in household.directory.rglob("*"):
        assert path.is_dir() or b"AGE-SECRET-KEY-" not in path.read_bytes().upper()


@pytest.mark.parametrize("post_quantum", [False, True])
def test_key_file_and_sheet_open_the_same_group(tmp_path: Path, post_quantum: bool) -> None:
    plan = plan_in(tmp_path, post_quantum=post_quantum)
    make_household(plan)
    recipient = (plan.generation_directory / "recipient.txt").read_text().strip()
    assert recipient.startswith("age1pq1" if post_quantum else "age1")
    by_file = open_groups(plan.store_root, member_identities(str(plan.key_file), []))
    by_sheet = open_groups(plan.store_root, member_identities(str(plan.sheet_file), []))
    assert [str(group.identity) for group in by_file] == [str(group.identity) for group in by_sheet]
    assert (by_file[0].group, by_file[0].generation) == ("home", 1)
    assert str(by_file[0].identity) not in repr(by_file)


def test_stock_age_opens_footage_in_the_two_steps_that_the_sheet_prints(household: HouseholdPlan) -> None:
    place = household.keys_directory
    recipient = (household.generation_directory / "recipient.txt").read_text().strip()
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
    groups = open_groups(household.store_root, member_identities(f" {sheet.lower()}\n", []))
    again = open_groups(household.store_root, parse_identities(str(groups[0].identity)))
    assert str(again[0].identity) == str(groups[0].identity)


def test_a_strangers_identity_opens_nothing(household: HouseholdPlan) -> None:
    with pytest.raises(NothingOpened, match="opens none of the household's groups") as refused:
        open_groups(household.store_root, [X25519Identity.generate(os.urandom)])
    assert "anna, recovery-sheet" in str(refused.value)


def test_a_store_without_keys(tmp_path: Path) -> None:
    with pytest.raises(StoreTrouble, match="is the store mounted"):
        open_groups(tmp_path, [X25519Identity.generate(os.urandom)])


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
    ],
)
def test_files_that_are_no_identity(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "given"
    file.write_bytes(content)
    with pytest.raises(UsageFault, match=words) as refused:
        member_identities(str(file), ["hunter2"])
    assert "hunter2" not in str(refused.value).lower()


def test_a_missing_identity_file(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="Cannot read the identity file"):
        member_identities(str(tmp_path / "absent"), [])


def test_nothing_is_overwritten(household: HouseholdPlan) -> None:
    before = {path: path.read_bytes() for path in household.directory.parent.rglob("*") if path.is_file()}
    with pytest.raises(UsageFault, match="There is a household"):
        make_household(household)
    household.config_file.rename(household.directory / "elsewhere")
    household.store_root.rename(household.directory / "old-store")
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
