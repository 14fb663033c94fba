"""Promise 2: nothing on the recorder's disk opens a finished segment, and no key of one stays in memory.

A real recorder under `nvr run`: the household's key, which is kept elsewhere, tells which bytes to look for.
That the search can find is shown by the one key that must be there, that of the segment being written.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.bech32 import decode
from crypto.errors import WrongIdentity
from crypto.header import header_end, parse_header
from crypto.identity import Identity
from crypto.payload import NONCE_BYTES, derive
from crypto.unseal import open_stream
from nvr.errors import NvrError
from nvr.keyholder.given import member_identities
from nvr.keyholder.opening import footage_identities
from tests.support.canaries import family, files_below
from tests.support.faulty import faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, make_household, until
from tests.support.memory import found_in_memory, mapped_files

FINISHED = 3
SEGMENTS_S = 60.0
FORBIDDEN = ("crypto.identity", "crypto.unseal", "nvr.keyholder", "numpy", "cv2", "flask", "aiortc")
IMPORTED = re.compile(r"^import time: .*\| +([\w.]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileKeys:
    """What opens one sealed file: its file key, and the key of its chunks made from it."""

    file_key: bytes = field(repr=False)
    payload_key: bytes = field(repr=False)

    def __iter__(self) -> Iterator[bytes]:
        yield self.file_key
        yield self.payload_key


def keys_of(file: Path, identities: Sequence[Identity]) -> FileKeys:
    """Opens the header of a file, finished or not."""
    data = file.read_bytes()
    end = header_end(data)
    assert end is not None
    stanzas = parse_header(data[:end]).stanzas
    file_key = next(key for one in identities if (key := one.unwrap(stanzas)) is not None)
    return FileKeys(file_key, derive(file_key, data[end : end + NONCE_BYTES], b"payload"))


@dataclass(frozen=True, slots=True)
class Box:
    """A recorder at work that has finished some segments, and what people keep elsewhere."""

    house: Household
    pids: list[int]
    identities: list[Identity]
    log: Path

    @property
    def finished(self) -> list[Path]:
        """The published segments, oldest first."""
        return sorted(self.house.store.rglob("*.mp4.age"))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    place = tmp_path_factory.mktemp("box")
    with faulty_camera({"main": clip(audio="aac")}) as camera:
        house = make_household(place)
        house.add("front", url=camera.url("main"))
        log_file = place / "run.log"
        with log_file.open("wb") as log:
            environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
            process = subprocess.Popen(house.command("run"), stdout=log, stderr=log, env=environment)
        try:
            identities = footage_identities(str(house.key_file), house.store, [])
            found = Box(house, [], identities, log_file)
            until(lambda: len(found.finished) >= FINISHED, SEGMENTS_S, log_file.read_text)
            found.pids.extend(family(process.pid))
            assert len(found.pids) == 2
            yield found
        finally:
            process.terminate()
            process.wait(15)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_process_keeps_a_key_of_a_finished_segment(box: Box) -> None:
    finished = [keys_of(file, box.identities) for file in box.finished[: FINISHED - 1]]
    part = max(box.house.store.rglob("*.part"))  # an older one is complete, and waits for its flush
    growing = keys_of(part, box.identities)
    wanted = {one for keys in [*finished, growing] for one in keys}
    found = {pid: found_in_memory(pid, wanted) for pid in box.pids}
    assert growing.payload_key in set().union(*found.values()), "the search does not find what must be there"
    for keys in finished:
        assert not any(found[pid] & set(keys) for pid in box.pids)
    assert not any(growing.file_key in found[pid] for pid in box.pids)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_process_has_an_identity(box: Box) -> None:
    secrets = {form for one in all_identities(box) for form in (str(one).encode(), raw_secret(one))}
    assert len(secrets) == 2 * (2 + 13)  # two members, a year of generations; each as text and raw
    for pid in box.pids:
        assert found_in_memory(pid, secrets) == set()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_process_loads_what_unseals(box: Box) -> None:
    imported = set(IMPORTED.findall(box.log.read_text("utf-8", "replace")))
    assert {"crypto.seal", "pipeline.recorder.camera", "nvr.supervisor", "av"} <= imported
    loaded = {name for name in imported if name.startswith(FORBIDDEN)}
    assert loaded == set()
    for pid in box.pids:
        assert not [file for file in mapped_files(pid) if "numpy" in file or "cv2" in file]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_on_the_disk_opens_a_finished_segment(box: Box) -> None:
    files = files_below(box.house.directory, box.house.run_dir, box.log.parent / "run")
    assert len([file for file in files if file.endswith((".age", ".toml", ".sqlite", ".json"))]) >= 5
    finished = box.finished[0]
    secrets = [form for one in all_identities(box) for form in (str(one).encode(), raw_secret(one))]
    secrets += keys_of(finished, box.identities)
    for place, content in files.items():
        assert not any(form in content for secret in secrets for form in forms(secret)), place
        assert b"AGE-SECRET-KEY-" not in content.upper(), place
        assert not opens(Path(place), finished, box.house.store), place
    assert opens(box.house.key_file, finished, box.house.store)


def all_identities(box: Box) -> list[Identity]:
    """The group's, the member's and the recovery sheet's."""
    sheet = box.house.keys / "recovery-sheet.html"
    kept = [*member_identities(str(box.house.key_file), []), *member_identities(str(sheet), [])]
    return [*kept, *box.identities]


def raw_secret(identity: Identity) -> bytes:
    """The 32 bytes of an X25519 identity."""
    return bytes(decode(str(identity))[1])


def forms(secret: bytes) -> tuple[bytes, ...]:
    """As it is, in hex and in base64."""
    return secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")


def opens(key_file: Path, segment: Path, store: Path) -> bool:
    """Whether what a file holds, as a person would give it to the keyholder, opens a segment."""
    try:
        identities = footage_identities(str(key_file), store, [])
    except NvrError:
        return False
    try:
        with segment.open("rb") as file:
            return any(open_stream(file, identities))
    except WrongIdentity:
        return False
