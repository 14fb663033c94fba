"""What the browser's tests open: written by the recorder's own code, into the folder that is named.

    python web/ui/test/make_fixtures.py FOLDER    (with the repository in PYTHONPATH)

`facts.json` says what each file must give. Every secret in it was made for the test and opens nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crypto.member_key import member_public
from crypto.recipient import ScryptRecipient
from crypto.seal import seal_bytes
from nvr.keyholder.household import HouseholdPlan, make_household
from nvr.keyholder.key_file import key_file_lines
from pipeline.mux import mark_box
from pipeline.store import Store, open_segment, recover
from tests.support.founding import Founded, found
from tests.support.manifest_histories import (
    join,
    leave,
    move_camera,
    new_device,
    new_group,
    play,
    prepare,
    rotate,
)
from tests.support.store_writing import DEVICE, FRONT, NOON_MS, make_store, mark

FTYP = bytes.fromhex("00000014") + b"ftyp" + b"iso6" + bytes(4) + b"iso6"
PASSPHRASE = "correct horse battery staple"
STEPS = (join, new_group, rotate, move_camera, join, prepare, new_device, rotate, leave, join, rotate, join)


def content(sequence: int, length: int) -> bytes:
    """A plaintext that begins as a segment does, followed by noise."""
    start = FTYP + mark_box(mark(sequence, NOON_MS + sequence * 10_000))
    return start + hashlib.shake_256(b"%d" % sequence).digest(length)


def record(store: Store, founded: Founded, sequence: int, length: int, *, unfinished: bool) -> dict[str, Any]:
    """One segment, as the recorder writes it; an unfinished one as a crash leaves it."""
    plaintext = content(sequence, length)
    at = mark(sequence, NOON_MS + sequence * 10_000)
    segment = open_segment(store, at, [founded.identity().recipient])
    for number, begin in enumerate(range(0, len(plaintext), 40_000), 1):
        segment.append(plaintext[begin : begin + 40_000], number * 1_000_000_000)
    if unfinished:
        segment.flush()
        folder = Path(next(iter(store.root.glob("front/main/*/*/*.part")))).parent
        part, tail = (next(iter(folder.glob(f"*.{kind}"))).read_bytes() for kind in ("part", "tail"))
        write("growing.part", part)
        write("growing.tail", tail)
        recover(store, FRONT.camera)
    else:
        segment.finish(10_000_000_000)
    found_file = next(
        path for path in store.root.glob("front/main/*/*/*.age") if f".{sequence}." in path.name
    )
    return {
        "path": str(found_file.relative_to(store.root)),
        "sha256": hashlib.sha256(plaintext).hexdigest(),
        "bytes": len(plaintext),
    }


OUT = Path(sys.argv[1])


def write(name: str, data: bytes) -> None:
    """A file beside facts.json."""
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def house(name: str, *, post_quantum: bool) -> dict[str, Any]:
    """A household with segments of the front door, and its owner's key files."""
    store = make_store(OUT / name / "store")
    founded = found(store.root, OUT / name / "state", post_quantum=post_quantum)
    alice = founded.people["alice"]
    founded.rotate(from_ms=4_000_000_000_000)
    lengths = {1: 0, 2: 65_536 * 2 - 20 - 73, 3: 200_000}
    segments = [record(store, founded, seq, length, unfinished=False) for seq, length in lengths.items()]
    segments.append(record(store, founded, 4, 250_000, unfinished=True))
    lines = key_file_lines(alice, "alice", bytes.fromhex("ab" * 32), datetime(2026, 11, 22, tzinfo=UTC))
    write(f"{name}/plain.key", lines.encode())
    write(f"{name}/binary.key", seal_bytes(lines.encode(), [ScryptRecipient(PASSPHRASE, 10)]))
    return {
        "identity": str(alice),
        "recipient": str(alice.recipient),
        "memberKey": member_public(alice).hex(),
        "group": str(founded.identity()),
        "device": DEVICE.hex(),
        "segments": segments,
        "versions": sorted(int(path.stem) for path in (store.root / "keys/manifest").glob("*.json")),
        "wrapped": sorted(
            str(path.relative_to(store.root)) for path in store.root.glob("keys/*/*/alice.age")
        ),
    }


def init() -> dict[str, Any]:
    """A household as `nvr init` makes it, its key file wrapped by a passphrase."""
    plan = HouseholdPlan(
        OUT / "init", OUT / "init-keys", "owner", os.urandom(16), datetime.now().astimezone(), PASSPHRASE
    )
    return {"fingerprint": make_household(plan), "passphrase": PASSPHRASE}


def histories() -> list[list[str]]:
    """Signed lines of households that grew by every step an owner can take."""
    return [[bytes(one).decode() for one in play(STEPS[seed % 3 :], seed)[1]] for seed in range(4)]


def main() -> None:
    """Writes everything."""
    facts = {
        "classic": house("classic", post_quantum=False),
        "hybrid": house("hybrid", post_quantum=True),
        "init": init(),
        "histories": histories(),
    }
    write("facts.json", json.dumps(facts).encode())


main()
