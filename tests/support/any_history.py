"""A household with cameras, and what should be true of it: who opens which segment. All real but the cameras.

history = History(tmp_path)
history.record("front"); history.change(...); history.expire(2)
history.check()
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from crypto.errors import WrongIdentity
from crypto.identity import Identity
from crypto.recipient import parse_recipient
from crypto.unseal import unseal_bytes
from nvr.errors import NothingOpened
from nvr.keyholder.changes import Plan, approved, kept_ahead, removed, rotated, with_group
from nvr.keyholder.changing import change_household
from nvr.keyholder.joining import newcomer
from pipeline.chain.collapse import collapse
from pipeline.chain.content import content_of
from pipeline.chain.log import ChainKeeper, ChainPlace
from pipeline.chain.tombstones import Tombstones
from pipeline.chain.verify import Question, verify
from pipeline.chaining import Beginnings, Chaining, next_in_chain
from pipeline.household.destroying import destroy_spent
from pipeline.household.model import Role
from pipeline.index import Index, index_path, rebuild
from pipeline.model import SegmentMark, StreamName
from pipeline.names import StoredSegment, chain_path
from pipeline.retention import Removal, Why
from pipeline.sealing import Sealing
from pipeline.store import Store, last_sequence, open_segment
from tests.support.people import DAY_MS, NOW_MS, People

CAMERAS = ("front", "hall")
NEWCOMERS = ("bob", "cleo", "dora")
HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True)
class Recorded:
    """A segment, a copy of it that somebody kept, and what it was sealed to."""

    stored: StoredSegment
    copy: Path
    group: str
    generation: int
    at_ms: int


@dataclass
class Leaver:
    """Somebody who left with a copy of all wrapped files, and what they could open then."""

    name: str
    keys: Path
    could: frozenset[str]
    left_ms: int


@dataclass
class History:
    """All of it, and a clock that only the test moves."""

    place: Path
    people: People = field(init=False)
    live: list[Recorded] = field(default_factory=list)
    expired: list[Recorded] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)
    found: int = 0

    def __post_init__(self) -> None:
        self.people = People.found(self.place)
        store = Store(self.people.root)
        store.open_check()
        self.store = store
        self.now_ms = NOW_MS
        self._boot_ns = HOUR_NS
        for name in NEWCOMERS:
            self.people.request(name)
        self._requests = {name: self.people.request(f"{name}-key") for name in NEWCOMERS}
        for name in NEWCOMERS:
            self.people.files[name] = self.people.files[f"{name}-key"]
        self._restart()

    @property
    def state(self) -> Path:
        """The recorder's state directory."""
        return self.people.plan.directory / "state"

    def _restart(self) -> None:
        """Recorder and supervisor come up, as after a crash."""
        self.keeper = ChainKeeper(ChainPlace(self.people.root, self.state, self.store.device))
        self.tombstones = Tombstones(self.keeper, lambda: self.now_ms)
        newest_ns = max((one.at_ms for one in self.live), default=0) * 1_000_000
        self._sealing = {
            camera: Sealing(self.people.root, self.state, camera, newest_ns) for camera in CAMERAS
        }
        self._sequences = {camera: self._next_sequence(StreamName(camera, "main")) for camera in CAMERAS}
        self._flushed: dict[str, tuple[Path, int]] = {}
        self._chains = {camera: self._chaining(camera) for camera in CAMERAS}
        self._tend()
        for chain in self._chains.values():
            chain.run_once(self.now_ms)

    def _next_sequence(self, stream: StreamName) -> int:
        marked = self._sealing[stream.camera].next_sequence(stream, last_sequence(self.store, stream))
        return max(marked, next_in_chain(self.people.root, stream))

    def _chaining(self, camera: str) -> Chaining:
        stream = StreamName(camera, "main")
        beginnings = Beginnings((), {stream: self._sequences[camera]})
        return Chaining(self.keeper, camera, beginnings, lambda: True, durably=True)

    def _tend(self) -> None:
        self._boot_ns += HOUR_NS
        self.keeper.tend(self.now_ms, self._boot_ns, sure=True)

    # What happens.

    def record(self, camera: str) -> None:
        """A segment, as the recorder makes, seals, publishes and chains it."""
        self.now_ms += 10_000
        stream, sequence = StreamName(camera, "main"), self._sequences[camera]
        self._sequences[camera] += 1
        choice = self._sealing[camera].choose(self.now_ms * 1_000_000, unsure=False)
        self._sealing[camera].begin(stream, sequence, choice)
        mark = SegmentMark(
            self.store.device, stream, sequence, self.now_ms * 1_000_000, choice.generation, False
        )
        file = open_segment(self.store, mark, [parse_recipient(choice.recipient)])
        file.append(b"moof", 10_000_000_000)
        stored = file.finish(10_000_000_000)
        copy = self.place / f"{camera}.{self.now_ms}.age"
        shutil.copy(self.people.root / stored.path, copy)
        self.live.append(Recorded(stored, copy, choice.group, choice.generation, self.now_ms))
        with copy.open("rb", buffering=0) as opened:
            content = content_of(opened, unfinished=False)
        self._tend()
        self._flushed[camera] = self._chain_place(camera)
        self._chains[camera].published(stored, choice.generation, content)
        self._chains[camera].run_once(self.now_ms, sign=sequence % 3 == 0)

    def change(self, plan: Plan) -> None:
        """By anna."""
        self.people.now_ms = self.now_ms
        self.people.change("anna", plan)

    def join(self, name: str, role: Role, groups: list[str]) -> None:
        """A newcomer; or a member gets another role or other groups."""
        asked = newcomer(self._requests[name])
        self.change(partial(approved, newcomer=asked, name=name, role=role, groups=groups))
        self.leavers = [one for one in self.leavers if one.name != name]

    def leave(self, name: str) -> None:
        """A member is removed, who has copied everything in `keys/` the moment before."""
        self.now_ms += 1000
        keys = self.place / f"kept by {name} {self.now_ms}"
        shutil.copytree(self.people.root / "keys", keys / "keys")
        shutil.copy(self.people.root / "store.json", keys)
        could = frozenset(one.stored.path for one in self.live if self._should_open(name, one))
        self.leavers.append(Leaver(name, keys, could, self.now_ms))
        self.change(partial(removed, name=name))

    def rotate(self, group: str) -> None:
        """A new generation."""
        self.change(partial(rotated, name=group))

    def move(self, camera: str, group: str) -> None:
        """A camera is sealed to another group, made if needed, from now on."""
        found = self.people.household.manifest.group(group)
        if found is None or camera not in found.cameras:
            self.change(partial(with_group, name=group, cameras=[camera]))

    def wait(self, days: int) -> None:
        """Time passes."""
        self.now_ms += days * DAY_MS
        self._tend()

    def expire(self, count: int) -> None:
        """The oldest segments go, as retention and upkeep do it."""
        going, self.live = self.live[:count], self.live[count:]
        for one in going:
            self.tombstones.before([Removal(one.stored, Why.AGE)])
            (self.people.root / one.stored.path).unlink()
        self.tombstones.settle()
        self.expired += going
        rebuild(self.people.root)
        with Index(index_path(self.people.root)) as index:
            destroy_spent(self.people.root, self.people.household.manifest, index, self.now_ms)
        for camera in CAMERAS:
            collapse(self.tombstones.log(camera), self.people.root, camera, self.now_ms)
        self._flushed = {camera: self._chain_place(camera) for camera in CAMERAS}

    def crash_in_a_change(self, group: str, at_call: int) -> None:
        """The owner's machine dies while it draws random bytes for a rotation; later it is done."""
        child = os.fork()
        if child == 0:
            self._die_changing(group, at_call)
        os.waitpid(child, 0)
        self.rotate(group)

    def _die_changing(self, group: str, at_call: int) -> None:
        calls = 0

        def random(count: int) -> bytes:
            nonlocal calls
            calls += 1
            if calls > at_call:
                os._exit(9)
            return os.urandom(count)

        try:
            change_household(
                self.people.membership("anna"), partial(rotated, name=group), self.now_ms, random
            )
        finally:
            os._exit(0)

    def lose_power(self, camera: str, torn_bytes: int) -> None:
        """The end of a chain is torn off, as far as no flush had ended yet, and everything starts again."""
        path, durable_bytes = self._flushed.get(camera, self._chain_place(camera))
        if (path, durable_bytes) != self._chain_place(camera) and path == self._chain_place(camera)[0]:
            os.truncate(path, max(durable_bytes, path.stat().st_size - torn_bytes))
        self._restart()

    def _chain_place(self, camera: str) -> tuple[Path, int]:
        """The chain's file in use, and how long it is."""
        with self.keeper.turn(self.now_ms) as label:
            path = self.people.root / chain_path(camera, label.number)
        return path, path.stat().st_size if path.exists() else 0

    def prepare_ahead(self) -> None:
        """An owner's device is unlocked."""
        self.change(kept_ahead)

    # What should be true.

    def _should_open(self, name: str, one: Recorded) -> bool:
        member = self.people.household.manifest.member(name)
        return member is not None and one.group in member.groups

    def check(self) -> None:
        """Who should open can, who should not cannot, and the chains verify."""
        self._check_members()
        for leaver in self.leavers:
            self._check_leaver(leaver)
        self._check_expired()
        self._check_chains()

    def _identities(self, name: str, keys: Path | None = None) -> list[Identity]:
        """What their key opens of the wrapped files in the store, or of a copy of these."""
        try:
            groups = self.people.membership(name, keys).opening.groups
        except NothingOpened:
            return []
        return [one.identity for one in groups]

    def _check_members(self) -> None:
        for name in ("anna", "recovery-sheet", *NEWCOMERS):
            identities = self._identities(name)
            for one in self.live:
                assert _opens(identities, one) == self._should_open(name, one), (name, one.stored.path)

    def _check_leaver(self, leaver: Leaver) -> None:
        identities = self._identities(leaver.name, leaver.keys)
        for one in self.live:
            should = one.at_ms <= leaver.left_ms and one.stored.path in leaver.could
            assert _opens(identities, one) == should, (leaver.name, one.stored.path)

    def _check_expired(self) -> None:
        """What was sealed to a generation that is destroyed opens for no one, whatever copies there are."""
        used = {(one.group, one.generation) for one in self.live}
        identities = self._identities("anna") + self._identities("recovery-sheet")
        for one in self.expired:
            folder = self.people.root / "keys" / one.group / str(one.generation)
            assert folder.exists() or (one.group, one.generation) not in used
            assert folder.exists() or not _opens(identities, one)

    def _check_chains(self) -> None:
        keys = [one.day_key for one in self.people.household.manifest.devices]
        report = verify(
            self.people.root, Question(self.store.device, owners_keys=keys), self.now_ms / 1000 + DAY_MS
        )
        assert report.findings == (), report.findings
        assert sum(camera.verified for camera in report.cameras) == len(self.live)


def _opens(identities: Sequence[Identity], one: Recorded) -> bool:
    try:
        return bool(identities) and unseal_bytes(one.copy.read_bytes(), identities) == b"moof"
    except WrongIdentity:
        return False
