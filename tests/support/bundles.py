"""A household with a recorder whose chain a test writes, and bundles made from it as `nvr export` makes them.

scene = Scene.found(tmp_path)
scene.box.record(scene.store, scene.recipients(), range(6))
folder = scene.bundle(tmp_path / "evidence", minutes=1)
assert check_bundle(folder).is_sound
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from crypto.recipient import Recipient, parse_recipient
from nvr.keyholder.bundle import BundleReport, make_bundle
from nvr.keyholder.bundle_folder import BundleOutput
from nvr.keyholder.bundle_segments import BundleRequest
from nvr.keyholder.membership import Membership
from pipeline.chain.log import ChainPlace
from pipeline.household.choosing import choose
from pipeline.household.files import read_household
from pipeline.model import StreamName
from pipeline.names import StoredSegment
from pipeline.store import SegmentFile, Store, open_segment, recover
from tests.support.chain_writing import Box, chain_record
from tests.support.footage import clip
from tests.support.packets import read_packets
from tests.support.people import NOW_MS, People
from tests.support.recorded import Recorded, record

FRONT = StreamName("front", "main")
SUB = StreamName("front", "sub")
BACK = StreamName("back-garden", "main")
MINUTE_MS = 60_000


@dataclass
class HouseholdBox(Box):
    """A device that belongs to a household."""

    device: bytes = bytes(16)

    @property
    def place(self) -> ChainPlace:
        """Where things are."""
        return ChainPlace(self.root, self.state_dir, self.device)


@dataclass
class Scene:
    """People, their store, and the recorder."""

    people: People
    store: Store
    box: HouseholdBox

    @classmethod
    def found(cls, place: Path, *, post_quantum: bool = False) -> Scene:
        """By anna; the recorder's day key is the one that she listed."""
        people = People.found(place, post_quantum=post_quantum)
        store = Store(people.root)
        box = HouseholdBox(people.root, people.plan.state_directory, now_ms=NOW_MS, device=people.plan.device)
        return cls(people, store, box)

    def recipients(self, camera: str = "front") -> list[Recipient]:
        """To whom the camera's footage is sealed now."""
        choice = choose(read_household(self.store.root).manifest, camera, self.box.now_ms)
        return [parse_recipient(choice.recipient)]

    def record(self, sequences: Sequence[int], stream: StreamName = FRONT) -> list[StoredSegment]:
        """Segments of ten seconds each from now on, chained and signed; the clock stays."""
        return self.box.record(self.store, self.recipients(stream.camera), sequences, stream)

    def film(self, *, broken_off: bool = False) -> list[StoredSegment]:
        """Six seconds of real video and audio from now on, in segments of two; the last maybe unfinished."""
        recorded = record(*read_packets(clip(audio="aac", seconds=6)), self.box.now_ms * 1_000_000)
        segments: list[StoredSegment] = []
        for number, one in enumerate(recorded, 1):
            file = self._begun(one)
            if broken_off and number == len(recorded):
                file.abandon()
                segments += recover(self.store, "front").published
            else:
                segments.append(file.finish(one.duration_ns))
        self.box.append(*(chain_record(self.store.root, one) for one in segments), sign=True)
        return segments

    def _begun(self, recorded: Recorded) -> SegmentFile:
        mark = replace(recorded.mark, device=self.store.device)
        data = recorded.plaintext.replace(recorded.mark.device, self.store.device, 1)
        file = open_segment(self.store, mark, self.recipients())
        for at in range(0, len(data), 50_000):
            file.append(data[at : at + 50_000], recorded.duration_ns)
        return file

    def membership(self, who: str = "anna") -> Membership:
        """What their key opens."""
        return self.people.membership(who)

    def made(
        self,
        target: Path,
        from_ms: int = 0,
        to_ms: int = 0,
        *,
        streams: tuple[str, ...] = ("main",),
        who: str = "anna",
        camera: str = "front",
        keep_going: bool = False,
        force: bool = False,
    ) -> BundleReport:
        """A bundle; of the minute from now on unless times are given."""
        start = from_ms or NOW_MS
        end = to_ms or start + MINUTE_MS
        request = BundleRequest(camera, streams, start, end, self.box.now_ms, UTC, keep_going)
        with BundleOutput(target, force=force) as output:
            return make_bundle(self.store, request, self.membership(who), output)
