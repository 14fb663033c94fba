"""Sealing and opening, beside the `age` program: whole processes, in turn, on the same file in memory.

What they make goes to /dev/null, for keeping it would cost both the same and as much again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.programs import Took, in_turn, new_identity
from bench.scale import Scale
from bench.scene import Place
from bench.segments import minute
from bench.table import Findings, Goal, Row
from crypto.recipient import Recipient, parse_recipient
from crypto.seal import SealWriter, seal_bytes
from pipeline.model import SegmentMark, StreamName

_OURS = (sys.executable, "-m", "bench.seal_file")
_NOWHERE = "/dev/null"
_FASTER = Goal("≥", 1.2, "×")
_PIECE_BYTES = 1 << 20
_MARK = SegmentMark(bytes(16), StreamName("front", "main"), 1, 1_795_348_800_000_000_000, 1)
_MINUTES = 5


def measure(scale: Scale, place: Place) -> Findings:
    """A large file both ways, and a camera's minute."""
    identity, plain, sealed = (place.memory / name for name in ("identity", "plain", "sealed"))
    recipient = new_identity(identity)
    _fill(plain, scale.sealed_bytes)
    subprocess.run(["age", "-r", recipient, "-o", sealed, plain], check=True)
    commands: dict[str, Sequence[str | Path]] = {
        "seal": [*_OURS, "seal", recipient, plain, _NOWHERE],
        "age seals": ["age", "-r", recipient, "-o", _NOWHERE, plain],
        "open": [*_OURS, "open", identity, sealed, _NOWHERE],
        "age opens": ["age", "-d", "-i", identity, "-o", _NOWHERE, sealed],
    }
    took = in_turn(commands, scale.sealing_rounds)
    size = f"{scale.sealed_bytes / (1 << 20):,.0f} MiB"
    alone, with_tail = _camera_minute([parse_recipient(recipient)])
    return Findings(
        [
            *_against(f"sealing {size}", took["seal"], took["age seals"]),
            *_against(f"opening {size}", took["open"], took["age opens"]),
            Row(
                "sealing a camera-minute, 4 Mbit/s: CPU",
                f"{alone:.3f} s",
                goal=Goal("≤", 0.06, "s"),
                figure=alone,
            ),
            Row("the same with the tail log's records, one a fragment", f"{with_tail:.3f} s"),
        ]
    )


def _against(what: str, ours: Took, theirs: Took) -> list[Row]:
    """A recorder starts once, so the goal is for the work; what starting Python adds stands below it."""
    worked, whole = theirs.worked_s / ours.worked_s, theirs.cpu_s / ours.cpu_s
    alternative = f"{theirs}, age"
    return [
        Row(f"{what}: CPU, once started", f"{ours.worked_s:.2f} s", alternative, worked, _FASTER, worked),
        Row("the same with starting the interpreter", str(ours), alternative, whole),
    ]


def _fill(file: Path, size_bytes: int) -> None:
    piece = os.urandom(_PIECE_BYTES)
    with file.open("wb") as writing:
        for _ in range(size_bytes // _PIECE_BYTES):
            writing.write(piece)


def _camera_minute(recipients: Sequence[Recipient]) -> tuple[float, float]:
    """CPU seconds a minute of the camera: sealing alone, and with what else goes to the tail log."""
    alone = tail = 0.0
    for segment in minute() * _MINUTES:
        sealed = logged = 0.0
        sealed, logged = _seal_segment(segment.pieces(_MARK), recipients)
        alone, tail = alone + sealed, tail + logged
    return alone / _MINUTES, (alone + tail) / _MINUTES


def _seal_segment(pieces: Sequence[bytes], recipients: Sequence[Recipient]) -> tuple[float, float]:
    """CPU seconds of a segment's own sealing, and of its tail records."""
    began = time.thread_time()
    writer = SealWriter(recipients, len)
    alone, tail = time.thread_time() - began, 0.0
    for piece in pieces:
        began = time.thread_time()
        writer.write(piece)
        written = time.thread_time()
        seal_bytes(writer.pending, recipients)
        alone, tail = alone + written - began, tail + time.thread_time() - written
    began = time.thread_time()
    writer.finish()
    return alone + time.thread_time() - began, tail
