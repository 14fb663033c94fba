"""`nvr demo`: a household in a temporary folder, a street clip as its camera, the real `nvr run` at work.

What is found in the clip is shown as it is found: the sealed events are opened with the guest's key, as
anybody would who holds an identity. The folder stays afterwards, so that the export can be tried; the last
lines say how to remove it.
"""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import tomlkit

from nvr.config_edit import with_camera, write_config
from nvr.errors import NvrError, UsageFault
from nvr.invocation import typed_command
from nvr.keyholder.household import HouseholdPlan, make_household
from nvr.keyholder.newest_events import NewestEvents, Sighting
from nvr.keyholder.opening import footage_identities
from nvr.local_zone import local_zone
from nvr.quantities import format_size
from pipeline import walk
from pipeline.names import StoredSegment

CAMERA = "street"
CLIP = "assets/street.mp4"
LOOK_S = 0.25
END_S = 12.0
_DISK_TO_LEAVE = "200MB"  # a demonstration must run where the usual floor would stop it

Say = Callable[[str], object]


def run_demo(seconds: float, say: Say) -> None:
    """Records for `seconds` (or until SIGINT or SIGTERM). Raises `NvrError` when nothing was recorded."""
    clip = Path(str(resources.files("nvr").joinpath(CLIP)))
    if not clip.is_file():
        raise UsageFault(f"The demonstration's clip is missing ({clip}). In the source tree, say: make demo")
    plan = demo_household(Path(tempfile.mkdtemp(prefix="sealed-nvr-demo-")), clip)
    say(f"A household for trying things out: {plan.directory.parent}")
    say(f"Its camera plays {clip.name} in a loop. Recording and looking; Ctrl-C ends it.\n")
    shown: list[StoredSegment] = []
    events = NewestEvents(
        plan.store_root, CAMERA, footage_identities(str(plan.key_file), plan.store_root, [])
    )
    with _until_told(seconds) as going_on, _recording(plan.config_file) as recorder:
        hinted = not math.isinf(seconds)  # who watches for a while should not have to wait for the end
        while going_on() and recorder.poll() is None:
            _show_new(plan.store_root, shown, say)
            _show_events(events, say)
            if len(shown) > 1 and not hinted:
                hinted = True
                say(f"\nMeanwhile, in another terminal:\n\n  {export_command(plan, shown)}\n")
            time.sleep(LOOK_S)
    _show_new(plan.store_root, shown, say)
    _show_events(events, say)
    if not shown:
        raise NvrError(
            f"Nothing was recorded; the lines above say why. The folder stays: {plan.directory.parent}"
        )
    say_what_to_try(plan, shown, events.event_ids, say)


def demo_household(place: Path, clip: Path) -> HouseholdPlan:
    """A household whose key needs no passphrase, with the clip as its camera."""
    plan = HouseholdPlan(
        directory=place / "house",
        keys_directory=place / "keys",
        member="guest",
        device=os.urandom(16),
        now=datetime.now(local_zone()),
    )
    make_household(plan)
    document = tomlkit.parse(plan.config_file.read_text("utf-8"))
    document["store"]["min_free"] = _DISK_TO_LEAVE
    text = with_camera(tomlkit.dumps(document), CAMERA, {"url": clip.absolute().as_uri()})
    write_config(plan.config_file, text)
    return plan


def say_what_to_try(
    plan: HouseholdPlan, recorded: list[StoredSegment], event_ids: list[str], say: Say
) -> None:
    """The commands to paste, once recording has ended."""
    say("\nEverything above is sealed; nothing in the store opens it. The guest's key does. Try:\n")
    say(f"  {export_command(plan, recorded)}\n")
    identity = ("--identity", plan.key_file)
    for event_id in event_ids[:1]:
        say("What was found, and a picture of it:\n")
        say(f"  {typed_command('--config', plan.config_file, 'events', *identity)}")
        picture = plan.directory.parent / f"{event_id}.jpg"
        show = ("events", "show", event_id, *identity, "-o", picture)
        say(f"  {typed_command('--config', plan.config_file, *show)}\n")
    say("See what is there, and remove it all:\n")
    say(f"  {typed_command('--config', plan.config_file, 'list')}")
    say(f"  {shlex.join(['rm', '-r', str(plan.directory.parent)])}")


def export_command(plan: HouseholdPlan, recorded: list[StoredSegment]) -> str:
    """A line to paste that exports all of this."""
    config = ("--config", plan.config_file)
    clip = plan.directory.parent / f"{CAMERA}.mp4"
    start = min(segment.name.start_ms for segment in recorded) // 1000
    end = -(-max(segment.name.end_ms for segment in recorded) // 1000)
    export = ("export", "--camera", CAMERA, "--from", _stamp(start), "--to", _stamp(end))
    return typed_command(*config, *export, "--identity", plan.key_file, "-o", clip)


def _stamp(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).astimezone(local_zone()).isoformat(timespec="seconds")


def _show_new(root: Path, shown: list[StoredSegment], say: Say) -> None:
    for stream in walk.streams(root, CAMERA):
        for hour in walk.hours(root, stream):
            for segment in walk.segments(root, hour):
                if not any(
                    one.name.sequence == segment.name.sequence for one in shown
                ):  # its deadline may rise
                    shown.append(segment)
                    seconds = segment.name.duration_ms / 1000
                    say(f"  {seconds:4.1f} s  {format_size(segment.size_bytes):>7}  {segment.path}")


def _show_events(events: NewestEvents, say: Say) -> None:
    for sighting in events.look():
        say(f"  {sighting_line(sighting)}")


def sighting_line(sighting: Sighting) -> str:
    """As in `18:44:07  car      found in street-0, score 0.55`."""
    at = datetime.fromtimestamp(sighting.thing.first_ns / 1e9, UTC).astimezone(local_zone())
    return (
        f"{at:%H:%M:%S}  {sighting.thing.label:<8} found in {sighting.event_id}, "
        f"score {sighting.thing.score:.2f}"
    )


@contextlib.contextmanager
def _recording(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`nvr run` in a process group of its own: Ctrl-C reaches us, and we end it in order."""
    arguments = [sys.executable, "-P", "-m", "nvr", "--config", str(config), "run"]
    arguments += ["--end-with", str(os.getpid())]
    recorder = subprocess.Popen(arguments, process_group=0)
    try:
        yield recorder
    finally:
        recorder.send_signal(signal.SIGTERM)
        try:
            recorder.wait(END_S)
        except subprocess.TimeoutExpired:
            recorder.kill()
            recorder.wait()


@contextlib.contextmanager
def _until_told(seconds: float) -> Iterator[Callable[[], bool]]:
    """Whether to go on: not after `seconds`, nor after SIGINT or SIGTERM."""
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda n, _: told.append(n))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    end_s = time.monotonic() + seconds
    try:
        yield lambda: not told and time.monotonic() < end_s
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def terminal_is_there() -> bool:
    """Whether somebody can press Ctrl-C and read along."""
    return sys.stdout.isatty()
