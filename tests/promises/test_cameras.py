"""Real cameras, one household, one `nvr run`: every codec, login, transport; cameras that die, freeze, lie.

All cameras are recorded side by side for the whole module; each test waits only for what it looks at.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.health import State
from pipeline.model import Kind, Packet
from pipeline.tap import TapClient
from pipeline.wire import Dropped, Hello, Message
from tests.support.certificates import Certificate, make_certificate
from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, make_household, until
from tests.support.listed import Listed, export, listed
from tests.support.live import Sent
from tests.support.players import packet_hashes, play, probe
from tests.support.rtsp import Login, camera
from tests.support.street import Street

pytestmark = pytest.mark.slow

LOGIN = Login("eye", "hunter2-at-the-gate", "digest")
ANOTHER = Login(LOGIN.user, "another-one-at-the-gate")
REFUSED = "wrong user or password"
BACK_WITHIN_MS = 10_000
LONG_GOP_S = 5.0
FPS = 25
TAGS = {
    "aac": ("video avc1", "audio mp4a"),
    "pcmu": ("video avc1", "audio mp4a"),
    "h265": ("video hvc1", "audio mp4a"),
    "opus": ("video avc1", "audio Opus"),
    "udp": ("video avc1", "audio mp4a"),
    "basic": ("video avc1",),
    "digest": ("video avc1", "audio mp4a"),
    "tls": ("video avc1", "audio mp4a"),
}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    place = tmp_path_factory.mktemp("street")
    with contextlib.ExitStack() as stack:
        house = make_household(place)
        certificate = make_certificate(place)
        _add_servers(stack, house, certificate, _other_authority(place))
        killed = stack.enter_context(camera({"main": clip(audio="aac")}))
        frozen = stack.enter_context(camera({"main": clip(audio="aac")}))
        house.add("killed", url=killed.url("main"))
        house.add("frozen", url=frozen.url("main"))
        names = ("resized", "jumping", "page", "locked", "mistyped")
        faulty = {name: _add_faulty(stack, house, name) for name in names}
        faulty["mistyped"].require(ANOTHER)
        run = stack.enter_context(house.running())
        yield Street(house, run, killed, frozen, faulty)


def _add_servers(
    stack: contextlib.ExitStack, house: Household, certificate: Certificate, other: Certificate
) -> None:
    mounts = {
        "aac": clip(audio="aac"),
        "sub": clip(size="320x180"),
        "pcmu": clip(audio="pcmu"),
        "h265": clip("h265", audio="pcma"),
        "opus": clip(audio="opus", b_frames=True),
        "long": clip(audio="aac", gop_s=LONG_GOP_S),
        "busy": clip(size="1280x720", bitrate="24M", seconds=6),
    }
    plain = stack.enter_context(camera(mounts))
    house.add("aac", url=plain.url("aac"), sub=plain.url("sub"))
    for name in ("pcmu", "h265", "opus", "long"):
        house.add(name, url=plain.url(name))
    house.add("udp", url=plain.url("aac"), transport="udp")
    house.add("busy", url=plain.url("busy"), record="schedule", schedule=[_not_now()])
    basic = stack.enter_context(camera({"main": clip()}, login=Login(LOGIN.user, LOGIN.password, "basic")))
    digest = stack.enter_context(camera({"main": clip(audio="aac")}, login=LOGIN))
    tls = stack.enter_context(camera({"main": clip(audio="aac")}, login=LOGIN, tls=certificate))
    login = {"user": LOGIN.user, "password": LOGIN.password}
    house.add("basic", url=basic.url("main"), **login)
    house.add("digest", url=digest.url("main"), **login)
    house.add("tls", url=tls.url("main"), tls_ca=str(certificate.ca_file), **login)
    house.add("stranger", url=tls.url("main"), tls_ca=str(other.ca_file), **login)


def _other_authority(place: Path) -> Certificate:
    other = place / "other"
    other.mkdir()
    return make_certificate(other)


def _add_faulty(stack: contextlib.ExitStack, house: Household, name: str) -> FaultyCamera:
    added = stack.enter_context(faulty_camera({"main": clip(audio="aac", seconds=6)}))
    house.add(name, url=added.url("main"), password=LOGIN.password, user=LOGIN.user)
    return added


def _not_now() -> str:
    """A schedule that does not want footage today: the camera is connected, but not recorded."""
    other_day = datetime.now(UTC) + timedelta(days=3)
    return f"{other_day:%a}".lower() + " 00:00-23:59"


def test_who_reads_the_tap_late_has_a_picture_at_once(street: Street) -> None:
    street.await_state("long", State.RECORDING)
    first = TapClient(street.house.run_dir / "long.main.tap", 10)
    video = (m for m in first if isinstance(m, Packet) and m.kind is Kind.VIDEO)
    began = next(packet for packet in video if packet.is_keyframe).pts
    next(packet for packet in video if packet.pts - began > 90_000 * LONG_GOP_S / 2)
    asked_s = time.monotonic()
    late = TapClient(street.house.run_dir / "long.main.tap", 10)
    frame = _first_picture(iter(late))
    waited_s = time.monotonic() - asked_s
    first.close()
    late.close()
    assert (frame.width, frame.height) == (640, 360)
    assert waited_s < LONG_GOP_S / 4, "it waited for the next keyframe"


def _first_picture(messages: Iterator[Message]) -> av.VideoFrame:
    hello = next(messages)
    assert isinstance(hello, Hello)
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.extradata = hello.info.video.extradata
    packet = next(messages)
    assert isinstance(packet, Packet) and packet.is_keyframe
    frames: list[av.VideoFrame] = decoder.decode(av.Packet(packet.data)) or decoder.decode(None)
    return frames[0]


def test_who_reads_the_tap_slowly_loses_whole_gops_and_they_are_counted(street: Street) -> None:
    assert street.await_state("busy", State.PAUSED).packets > 0
    slow = TapClient(street.house.run_dir / "busy.main.tap", 10)
    street.await_report("busy", lambda one: one.tap_lost_packets > 0)
    messages = _until_told(iter(slow))
    slow.close()
    told = [message for message in messages if isinstance(message, Dropped)]
    assert told[0].gops >= 1
    assert street.house.stream("busy")["report"]["tap_lost_packets"] >= told[0].packets
    assert {len(gop) for gop in _gops(messages)[:-1]} == {FPS}, "a GOP was torn"


def _until_told(messages: Iterator[Message]) -> list[Message]:
    """What a slow reader gets once it reads again, up to some two seconds after it was told of its loss."""
    seen: list[Message] = []
    for message in messages:
        seen.append(message)
        if isinstance(message, Dropped):
            return seen + list(itertools.islice(messages, 2 * FPS + 1))
    raise AssertionError("the tap ended")


def _gops(messages: list[Message]) -> list[list[Packet]]:
    gops: list[list[Packet]] = []
    for message in messages:
        if isinstance(message, Packet) and message.kind is Kind.VIDEO:
            if message.is_keyframe:
                gops.append([])
            gops[-1].append(message)
    return gops


@dataclass(frozen=True)
class Outage:
    """Why a camera could not be recorded, by its recorder; when it could again, and the list after that."""

    reason: str
    returned_ms: int
    found: Listed


@pytest.fixture(scope="module")
def outages(street: Street) -> dict[str, Outage]:
    """Four cameras that fail side by side and come back at the same moment: one by a corrected password."""
    page, locked = street.faulty["page"], street.faulty["locked"]
    reasons = {
        "killed": "camera refuses connections",
        "frozen": "camera silent",
        "page": "no video there",
        "locked": REFUSED,
    }
    for name in reasons:
        street.await_state(name, State.RECORDING)
    _send_video(page, 2 * FPS)
    street.killed.kill()
    street.frozen.freeze()
    page.answer_html()
    locked.require(ANOTHER)
    for lens in (page, locked):
        lens.reset()
    for name, reason in reasons.items():
        street.await_report(name, lambda one, reason=reason: one.reason == reason)  # type: ignore[misc]
    street.killed.restart()
    street.frozen.thaw()
    page.answer_html(False)
    _correct_password(street, "locked", ANOTHER.password)
    returned_ms = time.time_ns() // 1_000_000
    found: dict[str, Listed] = {}
    for name in reasons:
        found[name] = street.await_segments(name, lambda names: names[-1].start_ms > returned_ms)
    return {name: Outage(reason, returned_ms, found[name]) for name, reason in reasons.items()}


def _correct_password(street: Street, name: str, password: str) -> None:
    """As its owner does: with an editor, then SIGHUP."""
    before, section = street.house.config.read_text("utf-8").split(f"[cameras.{name}]", 1)
    changed = section.replace(f'password = "{LOGIN.password}"', f'password = "{password}"', 1)
    street.house.config.write_text(f"{before}[cameras.{name}]{changed}", "utf-8")
    street.run.process.send_signal(signal.SIGHUP)


@pytest.mark.parametrize("name", ["killed", "frozen", "page", "locked"])
def test_recording_resumes_within_ten_seconds_and_the_gap_says_why(
    street: Street, outages: dict[str, Outage], name: str
) -> None:
    outage = outages[name]
    gap = next(gap for gap in outage.found.ended_gaps if gap["to_ms"] > outage.returned_ms)
    assert outage.reason in gap["reason"]
    assert gap["to_ms"] - outage.returned_ms < BACK_WITHIN_MS
    assert f": {gap['reason']}\n" in street.house.nvr("list", "--camera", name).stdout


@pytest.mark.parametrize("name", ["page", "locked"])
def test_nothing_recorded_before_an_outage_is_lost(
    street: Street, outages: dict[str, Outage], name: str, tmp_path: Path
) -> None:
    """But for what was on its way when the connection was reset."""
    silent_ms = outages[name].found.ended_gaps[0]["from_ms"] + 1000
    before = _sent_hashes([one for one in street.faulty[name].sent if one.wall_ns < silent_ms * 1_000_000])
    found = _video_hashes(_exported(street, name, tmp_path, 1)[0])
    kept = len(before) - FPS // 2
    assert kept > FPS
    assert found[:kept] == before[:kept]


def test_a_wrong_password_is_said_and_seldom_tried(street: Street) -> None:
    """Many cameras lock the account after some five tries."""
    first = street.await_report("mistyped", lambda one: one.reason == REFUSED)
    assert first.state == State.AWAY
    assert f"mistyped/main: away: {REFUSED}; correct the camera's user and password and" in street.run.log()
    found = street.await_report("mistyped", lambda one: one.reconnects > 1)
    waited_s = time.time() - first.since_ms / 1000
    assert found.reconnects <= 1 + sum(after_s <= waited_s for after_s in (5, 35, 155, 455))
    assert street.house.segments("mistyped") == []


def test_a_certificate_of_another_authority_is_refused(street: Street) -> None:
    assert street.await_state("stranger", State.AWAY).reason == "no encrypted connection"
    assert street.house.segments("stranger") == []


def test_changed_parameters_begin_a_new_segment_and_nothing_is_lost(street: Street, tmp_path: Path) -> None:
    lens = street.faulty["resized"]
    street.await_state("resized", State.RECORDING)
    _send_video(lens, 2 * FPS)
    lens.switch("main", clip(audio="aac", size="320x180", seconds=6))
    _send_video(lens, 3 * FPS)
    sent = lens.sent
    files = _exported(street, "resized", tmp_path, 2)
    assert [_size(file) for file in files] == ["640x360", "320x180"]
    assert listed(street.house, "resized").gaps == []
    _assert_as_sent(sent, [shown for file in files for shown in _video_hashes(file)])


def test_a_camera_clock_that_jumps_an_hour_tears_nothing(street: Street, tmp_path: Path) -> None:
    lens = street.faulty["jumping"]
    street.await_state("jumping", State.RECORDING)
    _send_video(lens, 2 * FPS)
    lens.jump(3600)
    _send_video(lens, 2 * FPS)
    lens.jump(-7200)
    _send_video(lens, 3 * FPS)
    sent = lens.sent
    files = _exported(street, "jumping", tmp_path, 1)
    hashes = _video_hashes(files[0])
    _assert_as_sent(sent, hashes)
    assert probe(files[0]).duration_s == pytest.approx(len(hashes) / FPS, abs=0.2)
    found = street.await_segments("jumping", lambda names: len(names) >= 3)
    assert len(found.runs) == 1
    assert abs(found.runs[0]["to_ms"] - time.time() * 1000) < 30_000


@pytest.mark.parametrize("name", TAGS)
def test_clips_are_clean_and_have_their_sound(street: Street, name: str, tmp_path: Path) -> None:
    from_ms = street.await_run(name)["to_ms"] - 13_500
    made = export(street.house, name, from_ms, from_ms + 12_000, tmp_path / "out.mp4")
    assert made.returncode == 0, made.stderr
    play(tmp_path / "out.mp4")
    probed = probe(tmp_path / "out.mp4")
    assert probed.tags == TAGS[name]
    frames = packet_hashes(tmp_path / "out.mp4", "v:0")
    assert 12.0 <= probed.duration_s <= 14.4, "whole GOPs of a second, and an audio packet of 0.128 s"
    assert len(frames) / FPS == pytest.approx(probed.duration_s, abs=0.2)
    if len(TAGS[name]) > 1:
        sound = packet_hashes(tmp_path / "out.mp4", "a:0")
        assert sound[-1][0] - sound[0][0] == pytest.approx(probed.duration_s, abs=0.3)


def test_both_streams_of_a_camera_are_recorded(street: Street, tmp_path: Path) -> None:
    until(lambda: any(one.stream.stream == "sub" for one in street.house.segments("aac")))
    until(lambda: listed(street.house, "aac", "sub").runs)
    run = listed(street.house, "aac", "sub").runs[0]
    small = tmp_path / "sub.mp4"
    made = export(street.house, "aac", run["from_ms"], run["to_ms"], small, "--stream", "sub")
    assert made.returncode == 0, made.stderr
    assert _size(small) == "320x180"


def test_no_password_is_shown_anywhere(street: Street) -> None:
    said = street.run.log() + street.house.nvr("status").stdout + street.house.nvr("camera", "list").stdout
    for password in (LOGIN.password, ANOTHER.password):
        assert password not in said
    assert "Traceback" not in said


def _send_video(lens: FaultyCamera, frames: int) -> None:
    """Waits until the camera has sent so many frames more."""
    wanted = sum(one.unit.kind == "video" for one in lens.sent) + frames
    assert lens.wait_until(lambda: sum(one.unit.kind == "video" for one in lens.sent) >= wanted, 30)


def _exported(street: Street, name: str, place: Path, count: int) -> list[Path]:
    """Everything of a camera from its first frame until now: each file clean, and as many as expected."""
    start_ms = min(segment.name.start_ms for segment in street.house.segments(name))
    made = export(street.house, name, start_ms - 1000, time.time_ns() // 1_000_000, place / "out.mp4")
    assert made.returncode == 0, made.stderr
    files = sorted(place.glob("out*.mp4"), key=lambda file: (len(file.name), file.name))
    assert len(files) == count, made.stdout
    for file in files:
        play(file)
    return files


def _size(file: Path) -> str:
    with av.open(str(file)) as opened:
        return f"{opened.streams.video[0].width}x{opened.streams.video[0].height}"


def _video_hashes(file: Path) -> list[str]:
    return [shown for _, shown in packet_hashes(file, "v:0")]


def _sent_hashes(sent: list[Sent]) -> list[str]:
    """Of all video from the first keyframe on."""
    video = (one.unit for one in sent if one.unit.kind == "video")
    whole = itertools.dropwhile(lambda unit: not unit.is_keyframe, video)
    return [hashlib.sha256(unit.data).hexdigest() for unit in whole]


def _assert_as_sent(sent: list[Sent], found: list[str]) -> None:
    """Nothing is left out of what was sent, but for what was on its way when the clip was made."""
    expected = _sent_hashes(sent)
    count = min(len(found), len(expected))
    assert found[:count] == expected[:count]
    assert len(expected) - count <= 2 * FPS
