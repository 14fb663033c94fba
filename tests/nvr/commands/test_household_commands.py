"""`nvr member`, `nvr group` and `nvr key` as people meet them: what they print, ask, write and refuse."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.recipient import parse_recipient
from nvr.cli import main
from nvr.errors import FAULT, RUNNING, STORE, USAGE, WRONG_IDENTITY, NothingOpened
from nvr.keyholder.own_key import rewrap
from nvr.keyholder.recovery_sheet import identity_in_sheet
from pipeline.household.choosing import choose
from pipeline.household.files import read_household
from pipeline.store import Store, open_segment
from tests.support.footage import clip
from tests.support.packets import read_packets
from tests.support.recorded import record

SPAN = ("--from", "2026-11-18T11:06:40Z", "--to", "2026-11-18T11:10:00Z")


@dataclass(frozen=True, slots=True)
class Cabin:
    """A household made by `nvr init`, without passphrases unless a test says so."""

    place: Path
    out: pytest.CaptureFixture[str]

    @property
    def store(self) -> Path:
        return self.place / "cabin" / "store"

    @property
    def anna(self) -> Path:
        return self.place / "keys" / "anna.key"

    @property
    def sheet(self) -> Path:
        return self.place / "keys" / "recovery-sheet.html"

    def nvr(self, *words: str | Path, code: int = 0) -> str:
        """What a command says, on both outputs."""
        self.out.readouterr()
        ended = main(["--config", str(self.place / "cabin"), *(str(word) for word in words)])
        said = self.out.readouterr()
        assert ended == code, said
        return said.out + said.err

    def alone(self, *words: str | Path, code: int = 0) -> str:
        """The same with nothing but the store."""
        self.out.readouterr()
        ended = main(["--store", str(self.store), *(str(word) for word in words)])
        said = self.out.readouterr()
        assert ended == code, said
        return said.out + said.err

    def join(self, name: str, *words: str | Path) -> Path:
        """The new member's key file."""
        invitation, request = self.place / f"{name}.invitation", self.place / f"{name}.request"
        self.nvr("member", "invite", "-o", invitation)
        keys = self.place / name
        self.nvr(
            "member", "join", invitation, "--keys-to", keys, "--name", name, "-o", request, "--no-passphrase"
        )
        self.nvr("member", "approve", request, "--name", name, "--identity", self.anna, *words)
        return keys / f"{name}.key"

    def footage(self) -> None:
        """Six seconds of `front`, sealed as the recorder would."""
        choice = choose(read_household(self.store).manifest, "front", 0)
        store = Store(self.store)
        for one in record(*read_packets(clip(audio="aac", seconds=6))):
            mark = replace(one.mark, device=store.device, generation=choice.generation)
            segment = open_segment(store, mark, [parse_recipient(choice.recipient)])
            segment.append(one.plaintext.replace(one.mark.device, store.device, 1), one.duration_ns)
            segment.finish(one.duration_ns)


@pytest.fixture
def cabin(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cabin:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TZ", "UTC")
    words = ("--keys-to", str(tmp_path / "keys"), "--no-passphrase", "--member", "anna")
    assert main(["init", str(tmp_path / "cabin"), *words]) == 0
    return Cabin(tmp_path, capsys)


def test_joining_shows_the_same_fingerprints_on_both_sides(cabin: Cabin) -> None:
    invited = cabin.nvr("member", "invite")
    (text,) = re.findall(r"nvr-invite1\w+", invited)
    said = cabin.nvr("member", "join", text.upper(), "--keys-to", cabin.place / "bob", "--no-passphrase")
    household, request = re.findall(r"(?:[0-9a-f]{4} ?){8}", said)
    assert household.strip() in invited
    assert "Give this to an owner" in said
    (asked,) = re.findall(r"nvr-join1\w+", said)
    approved = cabin.nvr("member", "approve", asked, "--name", "bob", "--identity", cabin.anna)
    assert "bob is a viewer and opens home." in approved
    assert f"This request is {request.strip()}" in approved
    listed = cabin.nvr("member", "list")
    assert re.search(r"bob +viewer +home\n", listed) and household.strip() in listed
    again = cabin.nvr(
        "member", "approve", asked, "--name", "bob", "--role", "owner", "--identity", cabin.anna
    )
    assert "bob is an owner and opens home." in again


def test_joining_needs_no_store_and_makes_a_passphrase(cabin: Cabin, tmp_path: Path) -> None:
    cabin.nvr("member", "invite", "-o", tmp_path / "invitation.txt")
    shutil.rmtree(cabin.place / "cabin")
    picture = tmp_path / "request.png"
    words = ["member", "join", tmp_path / "invitation.txt", "--keys-to", tmp_path / "bob", "--name", "bob"]
    assert main([str(word) for word in [*words, "-o", picture]]) == 0
    said = cabin.out.readouterr().out
    assert len(re.findall(r"\b[a-z]+(?:-[a-z]+){5}\b", said)) == 1
    assert b"AGE-SECRET-KEY" not in (tmp_path / "bob/bob.key").read_bytes()
    scanned = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True, timeout=30)
    assert scanned.stdout.startswith("NVR-JOIN1")
    assert main([str(word) for word in words]) == USAGE
    assert "keys are never overwritten" in cabin.out.readouterr().err


def test_groups_and_what_each_member_exports(cabin: Cabin, tmp_path: Path) -> None:
    cabin.footage()
    assert "There is no camera" in cabin.nvr(
        "group", "add", "outdoor", "--camera", "drive", "--identity", cabin.anna
    )
    bob = cabin.join("bob", "--group", "outdoor")
    carol = cabin.join("carol")
    listed = cabin.nvr("group", "list")
    assert re.search(
        r"home \(default\)\n  cameras     front\n  members     anna, carol, recovery-sheet", listed
    )
    assert re.search(r"outdoor\n  cameras     drive\n  members     anna, bob, recovery-sheet", listed)
    export = ("export", "--camera", "front", *SPAN, "-o")
    cabin.nvr(*export, tmp_path / "carol.mp4", "--identity", carol)
    refused = cabin.nvr(*export, tmp_path / "bob.mp4", "--identity", bob, code=WRONG_IDENTITY)
    assert "sealed to somebody else" in refused and not (tmp_path / "bob.mp4").exists()
    assert "It reads from 2026-11-18 11:06:40" in cabin.alone("key", "drill", carol)
    assert "outdoor: there is no footage yet" in cabin.alone("key", "drill", bob)


def test_removing_and_rotating(cabin: Cabin, tmp_path: Path) -> None:
    bob = cabin.join("bob")
    assert "home has a new generation" in cabin.nvr("group", "rotate", "home", "--identity", cabin.anna)
    assert "bob opens nothing" in cabin.nvr("member", "remove", "bob", "--identity", cabin.sheet)
    assert "was it made for another store, or removed?" in cabin.alone(
        "key", "drill", bob, code=WRONG_IDENTITY
    )
    assert 'no member "bob"' in cabin.nvr("member", "remove", "bob", "--identity", cabin.anna, code=USAGE)
    cabin.nvr("member", "remove", "recovery-sheet", "--identity", cabin.anna)
    last = cabin.nvr("member", "remove", "anna", "--identity", cabin.anna, code=USAGE)
    assert "anna is the last owner" in last


def test_the_sheet_alone_is_enough_with_the_store(cabin: Cabin, tmp_path: Path) -> None:
    cabin.footage()
    text = identity_in_sheet(cabin.sheet.read_text())
    assert text is not None
    (tmp_path / "sheet.txt").write_text(text)
    said = cabin.alone("key", "drill", tmp_path / "sheet.txt")
    assert "compare its fingerprint" in said and "home: opened front/main" in said
    assert "compare" not in cabin.alone("key", "drill", tmp_path / "sheet.txt")  # seen by now
    cabin.alone(
        "export", "--camera", "front", *SPAN, "--identity", tmp_path / "sheet.txt", "-o", tmp_path / "a.mp4"
    )
    wrong = text[:-1] + ("Q" if text[-1] != "Q" else "P")
    (tmp_path / "sheet.txt").write_text(wrong)
    refused = cabin.alone("key", "drill", tmp_path / "sheet.txt", code=USAGE)
    assert "a letter is mistyped or missing" in refused and refused.count("\n") == 1


def test_a_new_sheet(cabin: Cabin, tmp_path: Path) -> None:
    cabin.footage()
    said = cabin.alone("key", "sheet", "--identity", cabin.anna, "--keys-to", tmp_path / "safe")
    assert "for whoever has copies" in said
    fresh = tmp_path / "safe/recovery-sheet.html"
    assert "home: opened front/main" in cabin.alone("key", "drill", fresh)
    assert "recovery-sheet-2" in cabin.alone("member", "list")
    cabin.alone("key", "drill", cabin.sheet, code=WRONG_IDENTITY)
    refused = cabin.alone(
        "key", "sheet", "--identity", cabin.anna, "--keys-to", tmp_path / "safe", code=USAGE
    )
    assert "keys are never overwritten" in refused


def test_the_drill_names_what_does_not_open(cabin: Cabin) -> None:
    cabin.footage()
    (cabin.store / "keys/home/1/anna.age").unlink()
    said = cabin.alone("key", "drill", cabin.anna, code=FAULT)
    assert "home: not everything opens." in said and "anna.age is missing" in said
    assert "home: opened" in cabin.alone("key", "drill", cabin.sheet)


def test_the_drill_names_an_older_generation_that_does_not_open(cabin: Cabin) -> None:
    cabin.footage()
    cabin.nvr("group", "rotate", "home", "--identity", cabin.anna)
    (cabin.store / "keys/home/2/anna.age").unlink(missing_ok=True)
    (cabin.store / "keys/home/1/anna.age").unlink()
    said = cabin.alone("key", "drill", cabin.anna, code=FAULT)
    assert "home: not everything opens." in said and "anna.age is missing" in said


def test_a_wrong_passphrase_is_said_before_a_new_one_is_asked_for(cabin: Cabin) -> None:
    cabin.nvr("key", "change-passphrase", cabin.anna)
    with pytest.raises(NothingOpened):
        rewrap(cabin.anna, ["wrong"], lambda: pytest.fail("asked for a new one"))


def test_the_list_of_groups_warns_before_generations_run_out(
    cabin: Cabin, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = cabin.nvr("group", "list")
    (until,) = re.findall(r"; prepared until (\d{4}-\d{2}-\d{2})\n", listed)
    end_s = datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp()
    for before_s, said in ((20 * 86_400, "prepared only until"), (-86_400, "it has run out")):
        monkeypatch.setattr(time, "time_ns", lambda before_s=before_s: int((end_s - before_s) * 1e9))
        assert said in cabin.nvr("group", "list")


def test_a_new_passphrase(cabin: Cabin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = cabin.nvr("key", "show", cabin.anna)
    assert re.search(r"^Recipient   age1\w+$", shown, re.M) and "AGE-SECRET" not in shown
    said = cabin.nvr("key", "change-passphrase", cabin.anna)
    (made,) = re.findall(r"\b[a-z]+(?:-[a-z]+){5}\b", said)
    assert b"AGE-SECRET-KEY" not in cabin.anna.read_bytes()
    for variable, text in (("NVR_PASSPHRASE_FILE", made), ("NVR_NEW_PASSPHRASE_FILE", "of my own")):
        (tmp_path / variable).write_text(f"{text}\n")
        monkeypatch.setenv(variable, str(tmp_path / variable))
    said = cabin.nvr("key", "change-passphrase", cabin.anna)
    assert "of my own" not in said
    before = cabin.anna.read_bytes()
    cabin.nvr("key", "change-passphrase", cabin.anna, code=WRONG_IDENTITY)
    assert cabin.anna.read_bytes() == before
    monkeypatch.setenv("NVR_PASSPHRASE_FILE", str(tmp_path / "NVR_NEW_PASSPHRASE_FILE"))
    assert cabin.nvr("key", "show", cabin.anna) == shown
    assert cabin.anna.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in cabin.anna.parent.iterdir()) == ["anna.key", "recovery-sheet.html"]
    assert "is a recovery sheet" in cabin.nvr("key", "change-passphrase", cabin.sheet, code=USAGE)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("member", "approve", "nvr-join1qqqqqqqqqq", "--name", "bob"), USAGE, "as it was made"),
        (
            ("member", "approve", "/nowhere", "--name", "bob"),
            USAGE,
            "neither a text that begins with nvr-join1",
        ),
        (("member", "approve", "age1qqqq", "--name", "bob"), USAGE, "This is not a recipient"),
        (("member", "approve", "{anna}", "--name", "Bob B"), USAGE, "cannot be a member's name"),
        (
            ("member", "approve", "{anna}", "--name", "recovery-sheet-9"),
            USAGE,
            "what a recovery sheet is called",
        ),
        (("member", "approve", "{anna}", "--name", "bob"), USAGE, "This is anna's recipient already"),
        (
            ("member", "approve", "{other}", "--name", "anna"),
            USAGE,
            'There is a member "anna" with another key',
        ),
        (("member", "approve", "{other}", "--name", "bob", "--group", "barn"), USAGE, 'no group "barn"'),
        (("member", "approve", "{other}", "--name", "bob", "--role", "owner"), USAGE, "cannot be an owner"),
        (("group", "add", "manifest"), USAGE, "cannot be a group's name"),
        (("group", "add", "home"), USAGE, "nothing to do"),
        (("group", "rotate", "barn"), USAGE, 'no group "barn"'),
        (("group", "rotate", "home", "--root", "9f3a"), USAGE, "--root: that is no fingerprint"),
    ],
)
def test_what_is_refused_changes_nothing(cabin: Cabin, words: tuple[str, ...], code: int, said: str) -> None:
    people = {
        "{anna}": read_household(cabin.store).manifest.members[0].recipient,
        "{other}": "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    }
    before = sorted((path, path.stat().st_mtime_ns) for path in cabin.store.rglob("*"))
    typed = (people.get(word, word) for word in words)
    refused = cabin.nvr(*typed, "--identity", cabin.anna, code=code)
    assert said in refused.splitlines()[-1]
    assert sorted((path, path.stat().st_mtime_ns) for path in cabin.store.rglob("*")) == before


def test_a_request_for_another_household(cabin: Cabin, tmp_path: Path) -> None:
    other = Cabin(tmp_path / "other", cabin.out)
    words = ("--keys-to", str(other.place / "keys"), "--no-passphrase", "--member", "anna")
    assert main(["init", str(other.place / "cabin"), *words]) == 0
    other.join("bob")
    refused = cabin.nvr(
        "member",
        "approve",
        other.place / "bob.request",
        "--name",
        "bob",
        "--identity",
        cabin.anna,
        code=FAULT,
    )
    assert "the request is for another household" in refused.lower()
    mixed = cabin.nvr("group", "rotate", "home", "--identity", other.anna, code=WRONG_IDENTITY)
    assert "not for this store" in mixed
    root = read_household(other.store).root.hex()[:32]
    assert "another one than --root says" in cabin.nvr("member", "list", "--root", root, code=FAULT)


def test_a_store_alone(cabin: Cabin, tmp_path: Path) -> None:
    cabin.footage()
    assert "Cannot read the head /nowhere" in cabin.alone("verify", "--head", "/nowhere", code=USAGE)
    assert "Known cameras: front." in cabin.alone("verify", "--camera", "frnt", code=USAGE)
    assert "front/main" in cabin.alone("list", "--from", "2026-11-18", "--to", "2026-11-19")
    assert "name the configuration with --config" in cabin.alone("run", code=USAGE)
    assert main(["--store", str(tmp_path), "list"]) == STORE
    assert "is not a store" in cabin.out.readouterr().err
    assert main(["--store", str(cabin.store), "--config", "x", "list"]) == USAGE


def test_exit_codes_of_two_at_once(cabin: Cabin) -> None:
    held = os.open(cabin.store / "keys", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(held, fcntl.LOCK_EX)
    said = cabin.nvr("group", "rotate", "home", "--identity", cabin.anna, code=RUNNING)
    os.close(held)
    assert said == "Somebody else is changing the household just now; run it again in a moment.\n"


def test_at_a_terminal_the_owner_is_asked_about_the_fingerprint(cabin: Cabin, tmp_path: Path) -> None:
    cabin.join("bob")
    request = tmp_path / "bob.request"
    approve = [
        "member",
        "approve",
        str(request),
        "--name",
        "bob",
        "--role",
        "owner",
        "--identity",
        str(cabin.anna),
    ]
    for answer, role in (("n", "viewer"), ("y", "owner")):
        command = [sys.executable, "-m", "nvr", "--config", str(tmp_path / "cabin"), *approve]
        ours, theirs = os.openpty()
        with subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as asking:
            os.write(ours, f"{answer}\n".encode())
            out, err = asking.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert b"Does the newcomer see the same?" in out + err
        assert re.search(rf"bob +{role} +home", cabin.nvr("member", "list"))
