"""`nvr export` of an hour, beside `age -d` alone on the same bytes: both read and write memory."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.processes import MeasuringFailed
from bench.programs import in_turn, new_identity
from bench.scale import Scale
from bench.scene import Place, household
from bench.segments import minute
from bench.table import Findings, Goal, Row
from crypto.recipient import parse_recipient
from pipeline.household.choosing import choose
from pipeline.household.files import read_household
from pipeline.model import SegmentMark, StreamName
from pipeline.store import Store, open_segment
from tests.support.household import Household

_BEGAN_NS = 1_795_348_800_000_000_000
_FRONT = StreamName("front", "main")
_HALF = Goal("≥", 0.5, "×")
_ROUNDS = 2


def measure(scale: Scale, place: Place) -> Findings:
    """The whole command, with the index already there, as after recording."""
    house = household(place.memory, place.memory)
    if house.nvr("export", "--help").returncode != 0:
        return Findings([Row("export", "not yet: there is no `nvr export`")])
    house.add("front", url="rtsp://127.0.0.1/unused")
    plain, sealed = place.memory / "plain", place.memory / "sealed.age"
    recorded_s = _fill(house, plain, scale.export_s)
    identity = place.memory / "identity"
    subprocess.run(["age", "-r", new_identity(identity), "-o", sealed, plain], check=True)
    plain.unlink()
    house.nvr("index", "rebuild", timeout_s=300)
    ours, theirs = place.memory / "ours.mp4", place.memory / "theirs.mp4"
    commands: dict[str, Sequence[str | Path]] = {
        "age": ["age", "-d", "-i", identity, "-o", theirs, sealed],
        "export": [*_export(house, recorded_s), ours],
    }
    took = in_turn(commands, _ROUNDS, (ours, theirs))
    _check(ours, recorded_s)
    ratio = took["age"].wall_s / took["export"].wall_s
    size = sealed.stat().st_size / 1e6
    what = f"nvr export of {recorded_s / 60:.0f} minutes, {size:,.0f} MB: CPU"
    return Findings([Row(what, str(took["export"]), f"{took['age']}, age -d", ratio, _HALF, ratio)])


def _fill(house: Household, plain: Path, seconds: int) -> float:
    """Records so much by mux and store; the plaintext also goes to `plain`, as one file. Returns seconds."""
    store, at_ns, sequence = Store(house.store), _BEGAN_NS, 0
    choice = choose(read_household(house.store).manifest, _FRONT.camera, _BEGAN_NS // 1_000_000)
    recipients = [parse_recipient(choice.recipient)]
    with plain.open("wb") as copy:
        while at_ns < _BEGAN_NS + seconds * 1_000_000_000:
            segment = minute()[sequence % len(minute())]
            mark = SegmentMark(store.device, _FRONT, sequence, at_ns, choice.generation)
            file = open_segment(store, mark, recipients)
            pieces = segment.pieces(mark)
            file.append(b"".join(pieces), segment.duration_ns)
            file.finish(segment.duration_ns)
            copy.writelines(pieces)
            at_ns, sequence = at_ns + segment.duration_ns, sequence + 1
    return (at_ns - _BEGAN_NS) / 1e9


def _export(house: Household, recorded_s: float) -> list[str]:
    """The command; its output file is to follow."""
    span = ("--from", _rfc3339(0), "--to", _rfc3339(recorded_s))
    return house.command("export", "--camera", "front", *span, "--identity", str(house.key_file), "-o")


def _rfc3339(after_s: float) -> str:
    return datetime.fromtimestamp(_BEGAN_NS / 1e9 + after_s, UTC).isoformat(timespec="milliseconds")


def _check(clip: Path, recorded_s: float) -> None:
    """The clip must show all of it."""
    asked = ("-v", "error", "-show_entries", "format=duration", "-of", "json")
    done = subprocess.run(["ffprobe", *asked, clip], capture_output=True, text=True, check=True)
    shown_s = float(json.loads(done.stdout)["format"]["duration"])
    if abs(shown_s - recorded_s) > 1:
        raise MeasuringFailed(f"the clip shows {shown_s:.1f} s instead of {recorded_s:.1f} s")
