"""`nvr export` against a store with real, sealed footage."""

from __future__ import annotations

import hashlib
import resource
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crypto.recipient import Recipient, parse_recipient
from nvr.cli import main
from nvr.errors import FAULT, USAGE, WRONG_IDENTITY, UsageFault
from nvr.keyholder.export_files import ExportFiles
from pipeline import walk
from pipeline.household.choosing import choose
from pipeline.household.files import read_household
from pipeline.model import Kind, StreamName
from pipeline.names import DAY_MS, StoredSegment, hour_directory
from pipeline.store import SegmentFile, Store, open_segment, recover
from tests.support.footage import clip
from tests.support.packets import read_packets
from tests.support.players import packet_hashes, play, probe, shown_frames
from tests.support.recorded import BEGAN_NS, Recorded, later, record

BEGAN = "2026-11-18T11:06:40Z"
WHOLE = ("--from", "2026-11-18T11:06:40Z", "--to", "2026-11-18T11:10:00Z")


@dataclass(frozen=True, slots=True)
class House:
    """A household with a camera `front`, its store, and where exports go."""

    folder: Path
    store: Store

    @property
    def config(self) -> Path:
        return self.folder / "cabin" / "nvr.toml"

    @property
    def identity(self) -> Path:
        return next(p for p in (self.folder / "keys").iterdir() if p.suffix != ".html")

    @property
    def out(self) -> Path:
        return self.folder / "out.mp4"

    def recipients(self) -> Sequence[Recipient]:
        return [parse_recipient(choose(read_household(self.store.root).manifest, "front", 0).recipient)]

    def begin(self, recorded: Recorded) -> SegmentFile:
        """The segment in the store with everything in it, not finished."""
        mark = replace(recorded.mark, device=self.store.device)
        data = recorded.plaintext.replace(recorded.mark.device, self.store.device, 1)
        segment = open_segment(self.store, mark, self.recipients())
        for at in range(0, len(data), 100_000):
            segment.append(data[at : at + 100_000], recorded.duration_ns)
        return segment

    def keep(self, segments: Sequence[Recorded]) -> list[Path]:
        """Publishes them; where they lie."""
        return [self.store.root / self.begin(s).finish(s.duration_ns).path for s in segments]

    def export(self, *words: str | Path, span: Sequence[str] = WHOLE, camera: str = "front") -> int:
        command = ["--config", self.config, "export", "--camera", camera, *span]
        return main([str(w) for w in [*command, "--identity", self.identity, "-o", self.out, *words]])


@pytest.fixture
def house(tmp_path: Path) -> House:
    directory = tmp_path / "cabin"
    assert main(["init", str(directory), "--keys-to", str(tmp_path / "keys"), "--no-passphrase"]) == 0
    file = directory / "nvr.toml"
    file.write_text(file.read_text() + '\n[cameras.front]\nurl = "/dev/video0"\n')
    store = Store(directory / "store")
    store.open_check()
    return House(tmp_path, store)


def hashed(path: Path, kind: Kind) -> list[str]:
    return [digest for _, digest in packet_hashes(path, "v:0" if kind is Kind.VIDEO else "a:0")]


def expected(kind: Kind) -> list[str]:
    packets = [p for p in read_packets(clip(audio="aac", seconds=6))[1] if p.kind is kind and p.pts >= 0]
    return [hashlib.sha256(p.data).hexdigest() for p in packets]


def six_seconds() -> list[Recorded]:
    return record(*read_packets(clip(audio="aac", seconds=6)))


def leftovers(house: House) -> list[str]:
    return sorted(p.name for p in house.folder.iterdir() if p.is_file())


def test_what_was_recorded_comes_out(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.keep(six_seconds())
    assert house.export() == 0
    said = capsys.readouterr().out
    assert f"{house.out}: " in said and "6.0 s, 150 frames, " in said
    assert "No footage from 2026-11-18 11:06:46 +0000 to 2026-11-18 11:10:00 +0000" in said
    assert hashed(house.out, Kind.VIDEO) == expected(Kind.VIDEO)
    assert hashed(house.out, Kind.AUDIO) == expected(Kind.AUDIO)
    play(house.out)
    assert probe(house.out).creation_time == "2026-11-18T11:06:40.000000Z"
    assert stat.S_IMODE(house.out.stat().st_mode) == 0o600
    assert leftovers(house) == ["out.mp4"]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def test_exact_is_exact_and_says_what_is_hidden(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.keep(six_seconds())
    span = ("--from", "2026-11-18T11:06:41.48Z", "--to", "2026-11-18T11:06:44Z")
    assert house.export("--exact", span=span) == 0
    assert "are hidden, not removed: 0.5 s stay in the file" in capsys.readouterr().out
    assert len(shown_frames(house.out)) == 63
    assert probe(house.out).duration_s == pytest.approx(2.52, abs=0.001)


def test_an_existing_file_is_only_overwritten_by_force(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.keep(six_seconds())
    house.out.write_text("precious")
    assert house.export() == USAGE
    assert "exists already; choose another name, or overwrite it with --force" in capsys.readouterr().err
    assert house.out.read_text() == "precious"
    assert house.export("--force") == 0
    play(house.out)


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with ExportFiles(out, force=False) as files:
        files.open(1).write(b"footage")
        out.write_text("precious")
        with pytest.raises(UsageFault, match="exists already"):
            files.commit()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("out.mp4", "precious")]


@pytest.mark.parametrize("output", ["nowhere/out.mp4", "."])
def test_a_place_that_is_none_is_said_before_anything_is_opened(
    house: House, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert house.export("-o", house.folder / output) == USAGE
    assert "folder" in capsys.readouterr().err


def test_a_disk_that_takes_no_more_is_one_sentence_and_leaves_nothing(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.keep(six_seconds())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        assert house.export() == FAULT
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert capsys.readouterr().err == f"{house.out}: File too large.\n"
    assert leftovers(house) == []


def test_a_gap_inside_is_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    info, packets = read_packets(clip(audio="aac", seconds=6))
    house.keep(six_seconds() + record(info, later(packets, 60), sequence=9))
    assert house.export() == 0
    said = capsys.readouterr().out
    assert "No footage from 2026-11-18 11:06:46 +0000 to 2026-11-18 11:07:40 +0000" in said
    assert probe(house.out).duration_s == pytest.approx(12, abs=0.1)


def test_new_parameters_give_numbered_files(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    other, others = read_packets(clip(size="320x180", seconds=6))
    house.keep(six_seconds() + record(other, later(others, 6), sequence=9))
    assert house.export() == 0
    assert leftovers(house) == ["out-2.mp4", "out.mp4"]
    assert "out-2.mp4: 2026-11-18 11:06:46" in capsys.readouterr().out
    play(house.folder / "out-2.mp4")


def test_a_damaged_segment_is_named_and_can_be_left_out(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = house.keep(six_seconds())[1]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.chmod(0o600)
    damaged.write_bytes(data)
    assert house.export() == FAULT
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(damaged) in said and "is damaged" in said and "--keep-going" in said
    assert leftovers(house) == []
    assert house.export("--keep-going") == 0
    captured = capsys.readouterr()
    assert f"Left out: {damaged} is damaged" in captured.err
    assert "No footage from 2026-11-18 11:06:42" in captured.out
    assert len(hashed(house.out, Kind.VIDEO)) == 100


def test_a_truncated_segment_is_damage_and_not_salvaged(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = house.keep(six_seconds())[2]
    cut.chmod(0o600)
    cut.write_bytes(cut.read_bytes()[:-100])
    assert house.export() == FAULT
    assert f"{cut} is damaged" in capsys.readouterr().err


def test_swapped_segments_are_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, _ = house.keep(six_seconds())
    held = first.read_bytes()
    for path, data in ((first, second.read_bytes()), (second, held)):
        path.unlink()
        path.write_bytes(data)
    assert house.export() == FAULT
    assert f"{first} was swapped: inside is segment 2 of front/main" in capsys.readouterr().err


def test_a_segment_of_another_camera_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (path, *_) = house.keep(six_seconds())
    garden = StreamName("garden", "main")
    place = house.store.root / hour_directory(garden, BEGAN_NS // 10**6)
    place.mkdir(parents=True)
    (place / path.name).write_bytes(path.read_bytes())
    (house.store.root / "garden" / "lock").touch()
    assert house.export(camera="garden") == FAULT
    assert "was swapped: inside is segment 1 of front/main" in capsys.readouterr().err


def test_a_strangers_identity_opens_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.keep(six_seconds())
    strange = house.folder / "strange"
    assert main(["init", str(strange), "--keys-to", str(strange / "keys"), "--no-passphrase"]) == 0
    theirs = next(p for p in (strange / "keys").iterdir() if p.suffix != ".html")
    capsys.readouterr()
    assert house.export("--identity", theirs) == WRONG_IDENTITY
    assert "This key is not for this store" in capsys.readouterr().err
    assert leftovers(house) == []


def test_a_segment_sealed_to_another_generation_than_it_says_is_refused(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    other = read_household(house.store.root).manifest.groups[0].generations[1].recipient
    recorded = six_seconds()[0]
    data = recorded.plaintext.replace(recorded.mark.device, house.store.device, 1)
    mark = replace(recorded.mark, device=house.store.device)
    segment = open_segment(house.store, mark, [parse_recipient(other)])
    segment.append(data, recorded.duration_ns)
    segment.finish(recorded.duration_ns)
    assert house.export() == FAULT
    assert "was exchanged: inside it says generation 1" in capsys.readouterr().err
    assert leftovers(house) == []


def test_a_strangers_segment_is_named(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (path, *_) = house.keep(six_seconds())
    strange = House(house.folder / "strange", Store(house.folder / "strange" / "cabin" / "store"))
    assert (
        main(["init", str(strange.folder / "cabin"), "--keys-to", str(strange.folder), "--no-passphrase"])
        == 0
    )
    strange.store.open_check()
    (theirs, *_) = strange.keep(six_seconds())
    path.unlink()
    path.write_bytes(theirs.read_bytes())
    capsys.readouterr()
    assert house.export() == WRONG_IDENTITY
    assert f"{path} is sealed to somebody else" in capsys.readouterr().err


def test_no_footage_is_one_sentence(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.keep(six_seconds())
    assert house.export(span=("--from", "2026-11-17T00:00Z", "--to", "2026-11-18T00:00Z")) == FAULT
    assert "There is no footage of front between" in capsys.readouterr().err
    assert house.export("--stream", "../x") == USAGE
    assert leftovers(house) == []


def test_the_segment_being_recorded_now_is_exported_too(house: House) -> None:
    segments = six_seconds()
    house.keep(segments[:2])
    open_now = house.begin(segments[2])
    assert house.export() == 0
    assert hashed(house.out, Kind.VIDEO) == expected(Kind.VIDEO)
    play(house.out)
    open_now.abandon()


@pytest.mark.parametrize("when", ["before", "behind"])
def test_a_segment_published_while_we_look_is_exported_too(
    house: House, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    segments = six_seconds()
    house.keep(segments[:2])
    open_now = house.begin(segments[2])
    listed = walk.segments

    def publish() -> None:
        if open_now.part_path.exists():
            open_now.finish(segments[2].duration_ns)

    def and_published(root: Path, hour: walk.Hour) -> list[StoredSegment]:
        if when == "before":
            publish()
        found = listed(root, hour)
        publish()
        return found

    monkeypatch.setattr(walk, "segments", and_published)
    assert house.export() == 0
    assert hashed(house.out, Kind.VIDEO) == expected(Kind.VIDEO)


def test_footage_that_an_event_keeps_while_we_look_is_exported_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.keep(six_seconds())
    listed = walk.segments

    def and_renamed(root: Path, hour: walk.Hour) -> list[StoredSegment]:
        found = listed(root, hour)
        for one in found:
            kept = replace(one, name=replace(one.name, kept_until_ms=one.name.kept_until_ms + DAY_MS))
            (root / one.path).rename(root / kept.path)
        return found

    monkeypatch.setattr(walk, "segments", and_renamed)
    assert house.export() == 0
    assert hashed(house.out, Kind.VIDEO) == expected(Kind.VIDEO)


def test_an_unfinished_segment_is_exported_up_to_its_last_fragment(house: House) -> None:
    segments = six_seconds()
    house.keep(segments[:2])
    house.begin(segments[2])  # the process ends here, as it were
    assert len(recover(house.store, "front").published) == 1
    assert house.export() == 0
    assert hashed(house.out, Kind.VIDEO) == expected(Kind.VIDEO)
