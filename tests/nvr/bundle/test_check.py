"""A bundle is sound as it was made, on any machine; whatever is done to it is named by its file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nvr.bundle import OtherHousehold, Verdict, check_bundle, told
from nvr.errors import UsageFault
from tests.support.bundles import Scene

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two segments; the household that made it is no more."""
    place = tmp_path_factory.mktemp("made")
    scene = Scene.found(place / "house")
    scene.record(range(2))
    scene.made(place / "evidence")
    shutil.rmtree(place / "house")
    return place / "evidence"


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may do anything to."""
    return Path(shutil.copytree(made, tmp_path / "received"))


def _files(bundle: Path) -> list[str]:
    return sorted(str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file())


def _named(verdict: Verdict) -> list[str]:
    return [finding.path for finding in verdict.findings]


def _tampered(bundle: Path, path: str, change: Callable[[bytes], bytes]) -> Verdict:
    """The verdict over the bundle with one file changed, which is then as before."""
    file = bundle / path
    before = file.read_bytes()
    file.write_bytes(change(before))
    try:
        return check_bundle(bundle)
    finally:
        file.write_bytes(before)


def test_it_is_sound_without_its_household(bundle: Path) -> None:
    verdict = check_bundle(bundle)
    assert verdict.is_sound
    (main,) = verdict.streams
    assert (main.recorded, main.present, main.unsigned) == (2, 2, 0)
    assert main.begins
    assert verdict.members == ("anna", "recovery-sheet")
    assert check_bundle(bundle, verdict.fingerprint).root_given


def test_it_is_checked_where_there_is_nothing_else(bundle: Path, tmp_path: Path) -> None:
    """No home, no state, no configuration; and nothing that knows identities is even loaded."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from nvr.bundle import check_bundle, told\n"
        f"verdict = check_bundle(Path({str(bundle)!r}))\n"
        "print('\\n'.join(told(verdict)))\n"
        "unwanted = ('nvr.config', 'crypto.identity', 'crypto.unseal', 'nvr.keyholder', 'sqlite3', 'av')\n"
        "print([name for name in unwanted if name in sys.modules])\n"
        "sys.exit(0 if verdict.is_sound else 1)\n"
    )
    home = tmp_path / "empty"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[]\n")
    assert list(home.iterdir()) == []


def test_the_household_is_compared(bundle: Path) -> None:
    root = check_bundle(bundle).fingerprint
    other = ("0" if root[0] != "0" else "1") + root[1:]
    with pytest.raises(OtherHousehold, match=r"^This bundle is of another household: its fingerprint is"):
        check_bundle(bundle, other)
    with pytest.raises(UsageFault, match="no fingerprint"):
        check_bundle(bundle, root[:20])
    assert check_bundle(bundle, root.replace(" ", "-").upper()).is_sound


def test_without_a_root_it_says_what_to_compare(bundle: Path) -> None:
    verdict = check_bundle(bundle)
    text = "\n".join(told(verdict))
    assert f"Fingerprint of its household: {verdict.fingerprint}\nCompare it" in text
    assert "as you said" in "\n".join(told(check_bundle(bundle, verdict.fingerprint)))


SMALL = [
    "README.txt",
    "SHA256SUMS",
    "bundle.json",
    "certificates.jsonl",
    "chain/1.1.slice",
    "household/1.json",
]


@pytest.mark.parametrize("path", SMALL)
@pytest.mark.parametrize("part", range(4))
def test_every_byte_of_a_small_file_counts(bundle: Path, path: str, part: int) -> None:
    """All bytes with one bit flipped, a quarter of them here."""
    for at in range(part, len((bundle / path).read_bytes()), 4):

        def flip(data: bytes, at: int = at) -> bytes:
            return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]

        assert _named(_tampered(bundle, path, flip)) == [path], at


def test_a_byte_anywhere_in_any_file_counts(bundle: Path) -> None:
    for path in _files(bundle):
        size = len((bundle / path).read_bytes())
        for at in {*range(0, size, max(1, size // 40)), 0, 1, 167, 168, 183, 184, size - 17, size - 1}:
            if not 0 <= at < size:
                continue

            def flip(data: bytes, at: int = at) -> bytes:
                return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]

            assert _named(_tampered(bundle, path, flip)) == [path], (path, at)


def test_any_file_cut_or_lengthened_is_named(bundle: Path) -> None:
    for path in _files(bundle):
        for change in (
            lambda data: data[:-1],
            lambda data: data + b"\n",
            lambda _: b"",
            lambda data: data * 2,
        ):
            assert _named(_tampered(bundle, path, change)) == [path]


def test_any_missing_or_renamed_file_is_named(bundle: Path) -> None:
    for path in _files(bundle):
        file = bundle / path
        other = file.with_name(f"{file.name}.bak")
        file.rename(other)
        named = _named(check_bundle(bundle))
        assert named == sorted([path, str(other.relative_to(bundle))])
        other.rename(file)
    assert check_bundle(bundle).is_sound


def test_what_was_added_is_named(bundle: Path) -> None:
    (bundle / "segments" / "main" / "notes.txt").write_text("seen by me")
    (bundle / "empty").mkdir()
    (bundle / "link").symlink_to("/etc/passwd")
    verdict = check_bundle(bundle)
    assert _named(verdict) == ["empty/", "link", "segments/main/notes.txt"]
    assert "was added, or renamed" in "\n".join(told(verdict))


def test_a_file_that_became_a_link_is_named(bundle: Path) -> None:
    (bundle / "README.txt").rename(bundle.parent / "elsewhere.txt")
    (bundle / "README.txt").symlink_to(bundle.parent / "elsewhere.txt")
    assert _named(check_bundle(bundle)) == ["README.txt"]


@pytest.mark.parametrize("path", ["bundle.json", "SHA256SUMS", "household/1.json", "certificates.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "device"])
def test_what_is_no_file_is_neither_followed_nor_waited_for(bundle: Path, path: str, kind: str) -> None:
    file = bundle / path
    moved = bundle.parent / "elsewhere"
    file.rename(moved)
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to(moved if kind == "link" else "/dev/zero")
    named = _named(check_bundle(bundle))
    assert {name.rstrip("/") for name in named} == {path}


def test_folders_in_folders_are_no_trouble(bundle: Path) -> None:
    deep = str(bundle)
    for _ in range(1200):
        deep += "/x"
        os.mkdir(deep)  # noqa: PTH102 - pathlib cannot go as deep
    named = _named(check_bundle(bundle))
    os.removedirs(deep)  # what cleans up after tests cannot go as deep either
    assert named == [f"{deep.removeprefix(f'{bundle}/')}/"]


def test_two_segments_exchanged_are_named(bundle: Path) -> None:
    one, two = sorted((bundle / "segments/main").iterdir())
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert _named(check_bundle(bundle)) == [str(path.relative_to(bundle)) for path in (one, two)]


def test_several_faults_are_all_named(bundle: Path) -> None:
    (bundle / "README.txt").write_text("Believe me.")
    (bundle / "certificates.jsonl").unlink()
    (bundle / "household/1.json").write_bytes(b"{}")
    verdict = check_bundle(bundle)
    assert _named(verdict) == ["README.txt", "certificates.jsonl", "household/1.json"]
    text = told(verdict)
    assert sum(line.startswith("WRONG") for line in text) == 3
    assert text[-1].startswith("This bundle is not what its exporter made")


@pytest.mark.parametrize("what", ["nothing there", "a file", "an empty folder", "a folder of photos"])
def test_what_is_no_bundle_is_told_from_a_bad_one(tmp_path: Path, what: str) -> None:
    place = tmp_path / "it"
    if what == "a file":
        place.write_text("x")
    elif what != "nothing there":
        place.mkdir()
    if what == "a folder of photos":
        (place / "one.jpg").write_bytes(b"jpeg")
    with pytest.raises(UsageFault, match=r"There is no folder|is no bundle"):
        check_bundle(place)
