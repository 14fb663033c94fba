"""What household and chain cost: recording, `nvr verify` beside `sha256sum`, members who come and go."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bench.processes import MeasuringFailed
from bench.programs import in_turn, timed
from bench.scale import Scale
from bench.scene import Place, household
from bench.segments import minute
from bench.table import Findings, Goal, Row
from pipeline.chain.log import ChainKeeper, ChainPlace
from pipeline.chaining import Beginnings, Chaining
from pipeline.content import ContentHash
from pipeline.household.choosing import Choice
from pipeline.model import SegmentMark, StreamName
from pipeline.names import DAY_MS, chain_path
from pipeline.sealing import Sealing, recipient_of
from pipeline.store import Store, open_segment
from tests.support.household import Household
from tests.support.sparse_store import fill

_FRONT = StreamName("front", "main")
_STEP_MS = 10_000
_PER_MINUTE = 6
_ROUNDS = 3


class _Recording:
    """A camera's segments, sealed, published, chained as its recorder does; counts what the proof costs."""

    def __init__(self, house: Household, began_ms: int) -> None:
        self._store = Store(house.store)
        self._store.open_check()
        self._began_ms = began_ms
        state = house.directory / "state"
        self._sealing = Sealing(house.store, state, _FRONT.camera, None)
        self._keeper = ChainKeeper(ChainPlace(house.store, state, self._store.device))
        sequences = Beginnings((), {_FRONT: 0})
        self._chain = Chaining(self._keeper, _FRONT.camera, sequences, lambda: True, durably=False)
        self.cpu_s = 0.0
        self.segments = 0

    def record(self) -> None:
        """One segment."""
        sequence, start_ms = self.segments, self._began_ms + self.segments * _STEP_MS
        self.segments += 1
        began_s = time.thread_time()
        choice = self._sealing.choose(start_ms * 1_000_000, unsure=False)
        self._sealing.begin(_FRONT, sequence, choice)
        self.cpu_s += time.thread_time() - began_s
        self._seal(
            SegmentMark(self._store.device, _FRONT, sequence, start_ms * 1_000_000, choice.generation), choice
        )

    def _seal(self, mark: SegmentMark, choice: Choice) -> None:
        segment = minute()[mark.sequence % len(minute())]
        file = open_segment(self._store, mark, [recipient_of(choice)])
        file.append(b"".join(segment.pieces(mark)), segment.duration_ns)
        stored = file.finish(segment.duration_ns)
        self.cpu_s += _hashing_s(stored.size_bytes)
        began_s = time.thread_time()
        self._chain.published(stored, choice.generation, file.content)
        last_of_minute = mark.sequence % _PER_MINUTE == _PER_MINUTE - 1
        self._chain.run_once(mark.start_ns // 1_000_000, sign=last_of_minute)
        self.cpu_s += time.thread_time() - began_s

    def chain_bytes(self) -> int:
        """How long the chain is."""
        with self._keeper.turn(self._began_ms) as label:
            return (self._store.root / chain_path(_FRONT.camera, label.number)).stat().st_size


def _hashing_s(size_bytes: int) -> float:
    """CPU seconds of hashing so much as it is written, chunk by chunk."""
    chunk, content = bytes(65_552), ContentHash()
    began_s = time.thread_time()
    for _ in range(size_bytes // len(chunk)):
        content.payload(chunk)
    content.payload(chunk[: size_bytes % len(chunk)])
    return time.thread_time() - began_s


def measure(scale: Scale, place: Place) -> Findings:
    """All of it, on a household made by `nvr init`."""
    house = household(place.memory, place.memory)
    now_ms = time.time_ns() // 1_000_000
    recording = _Recording(house, now_ms - scale.proof_s * 1000)
    while recording.segments * _STEP_MS < scale.proof_s * 1000:
        recording.record()
    house.add("front", url="rtsp://127.0.0.1/unused")
    rows = [_cost(recording), _size(recording), _verify(house)]
    return Findings(rows + _changes(house, scale, now_ms))


def _cost(recording: _Recording) -> Row:
    per_minute = recording.cpu_s / recording.segments * _PER_MINUTE
    what = "manifest and chain, a camera-minute of 4 Mbit/s: CPU"
    return Row(what, f"{per_minute:.3f} s", goal=Goal("≤", 0.02, "s"), figure=per_minute)


def _size(recording: _Recording) -> Row:
    each = recording.chain_bytes() / recording.segments
    return Row("chain, signatures included: bytes a segment", f"{each:.0f}", goal=Goal("≤", 100), figure=each)


def _verify(house: Household) -> Row:
    files = sorted(house.store.glob("front/main/*/*/*.mp4.age"))
    commands: dict[str, Sequence[str | Path]] = {
        "ours": house.command("verify", "--camera", "front"),
        "sha256sum": ["sha256sum", *files],
    }
    took = in_turn(commands, _ROUNDS)
    ratio = took["sha256sum"].wall_s / took["ours"].wall_s
    size = sum(file.stat().st_size for file in files) / 1e6
    goal = Goal("≥", 0.8, "×")
    theirs = f"{took['sha256sum']}, sha256sum"
    return Row(f"nvr verify of {size:,.0f} MB: CPU", str(took["ours"]), theirs, ratio, goal, ratio)


def _changes(house: Household, scale: Scale, now_ms: int) -> list[Row]:
    """With so many days of footage of a camera with two streams in the store."""
    segments = 0
    for stream in ("main", "sub"):
        name = StreamName("yard", stream)
        segments += len(fill(house.store, name, now_ms - scale.index_days * DAY_MS, scale.proof_segments))
    request = _request(house)
    owner = ("--identity", str(house.key_file))
    joined = timed(house.command("member", "approve", request, "--name", "bob", *owner))
    removed = timed(house.command("member", "remove", "bob", *owner))
    goal = Goal("≤", 1, "s")
    beside = f"beside {segments:,} segments"
    return [
        Row(f"nvr member approve, {beside}: CPU", str(joined), goal=goal, figure=joined.wall_s),
        Row(f"nvr member remove, {beside}: CPU", str(removed), goal=goal, figure=removed.wall_s),
    ]


def _request(house: Household) -> str:
    """Bob's; his key file lies beside the owner's."""
    invitation, request = house.keys / "invitation", house.keys / "request"
    for words in (
        ("member", "invite", "-o", str(invitation)),
        ("member", "join", str(invitation), "--keys-to", str(house.keys / "bob"), "-o", str(request)),
    ):
        command = [*house.command(*words), *(["--no-passphrase"] if words[1] == "join" else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise MeasuringFailed(f"{' '.join(words[:2])}: {done.stderr.strip()}")
    return str(request)
