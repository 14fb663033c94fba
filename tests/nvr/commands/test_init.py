"""`nvr init` as a person meets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from nvr.config_file import load_config
from nvr.errors import USAGE
from nvr.keyholder.opening import footage_identities


def init(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nvr", "init", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_passphrase_is_shown_once_and_opens_the_key_file(tmp_path: Path) -> None:
    done = init(str(tmp_path / "cabin"), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"\b[a-z]+(?:-[a-z]+){5}\b", done.stdout)
    assert len(shown) == 1
    key_file = tmp_path / "sealed-nvr-keys" / "cabin" / "owner.key"
    assert str(key_file) in done.stdout
    assert footage_identities(str(key_file), tmp_path / "cabin" / "store", shown)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or shown[0].encode() not in path.read_bytes()


def test_what_it_says_to_do_next_works(tmp_path: Path) -> None:
    done = init(str(tmp_path / "cabin"), "--keys-to", str(tmp_path / "keys"), "--member", "anna")
    next_lines = done.stdout.partition("Next:\n")[2].splitlines()
    assert next_lines[1].endswith(f"--config {tmp_path}/cabin/nvr.toml run")
    add = [*next_lines[0].split(), "--no-test"]
    assert subprocess.run(add, check=False, capture_output=True, timeout=60).returncode == 0
    assert list(load_config(tmp_path / "cabin" / "nvr.toml").config.cameras) == ["front"]
    assert (tmp_path / "keys" / "anna.key").is_file()


def test_scripts_bring_their_own_passphrase(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("known to the script\n")
    keys = tmp_path / "keys"
    words = (str(tmp_path / "cabin"), "--keys-to", str(keys), "--post-quantum")
    done = init(*words, NVR_PASSPHRASE_FILE=str(tmp_path / "passphrase"))
    assert done.returncode == 0, done.stderr
    assert "known to the script" not in done.stdout
    assert footage_identities(str(keys / "owner.key"), tmp_path / "cabin" / "store", ["known to the script"])


def test_keys_inside_the_household_are_warned_about(tmp_path: Path) -> None:
    done = init(str(tmp_path), "--keys-to", str(tmp_path / "keys"), "--no-passphrase")
    assert "whoever takes that disk can see everything" in done.stdout
    assert "has no passphrase" in done.stdout


def test_what_is_refused_writes_nothing(tmp_path: Path) -> None:
    keys = str(tmp_path / "keys")
    assert init(str(tmp_path / "cabin"), "--keys-to", keys, "--member", "Anna B").returncode == USAGE
    assert init(str(tmp_path / "cabin"), "--keys-to", keys, "--member", "recovery-sheet").returncode == USAGE
    empty = tmp_path / "empty"
    empty.touch()
    assert (
        init(str(tmp_path / "cabin"), "--keys-to", keys, NVR_PASSPHRASE_FILE=str(empty)).returncode == USAGE
    )
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert init(str(tmp_path / "cabin"), "--keys-to", keys, "--no-passphrase").returncode == 0
    again = init(str(tmp_path / "cabin"), "--keys-to", str(tmp_path / "others"))
    assert again.returncode == USAGE
    assert "There is a household in" in again.stderr
    assert not (tmp_path / "others").exists()
