"""What looking finds, and what it says that is not there, for each type of camera.

Found: real footage annotated by eye (`bench/truth/`), also cut to a lawn on which nobody is until two people
come, so that the eye sleeps first. False: an empty scene made difficult (`tests.support.difficult`).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.annotations import Truth, read_truth
from bench.found import START_NS, Score, Seen, look, score
from bench.looped import messages
from bench.scale import Scale
from bench.scene import Place
from bench.table import Findings, Goal, Row
from pipeline.clip import clip_messages
from pipeline.detect import Detector
from tests.support.difficult import FPS, Difficulty, difficult
from tests.support.footage import STREET, made, pedestrians

_RECALL = Goal("≥", 100, "%")
_FALSE = Goal("≤", 1, "an hour")
_DELAY_S = 0.6
_LAWN = (0, 340, 384, 216)  # left, top, width, height in vtest.avi
_LAWN_FRAMES = (380, 734)  # nobody, two people from 50.4 s on, nobody
_PHASES = (0, 3, 7, 13)  # frames by which GOPs begin later: somebody comes anywhere in one
_ASKED: tuple[Difficulty, ...] = ("still", "noise", "pulses", "lights", "infrared", "rain")
_BEYOND: tuple[Difficulty, ...] = ("shadows", "leaves")  # no goal was set for these
_CLASSES = ((40, "≥ 40"), (24, "24 to 40"), (0, "< 24"))


@dataclass(frozen=True, slots=True)
class CameraType:
    """`bitrate` of a constant rate; empty for a variable one."""

    what: str
    is_sub: bool
    gop_s: float
    bitrate: str = ""

    @property
    def goal(self) -> Goal:
        """Of the median delay: without a sub stream half a GOP more."""
        return Goal("≤", _DELAY_S + (0.0 if self.is_sub else self.gop_s / 2), "s")

    @property
    def size(self) -> str:
        """Of the stream that is looked at."""
        return "640x480" if self.is_sub else "768x576"


TYPES = (
    CameraType("sub stream, variable rate", True, 2.0),
    CameraType("sub stream, constant rate", True, 2.0, "500k"),
    CameraType("main stream, GOP 1 s, variable rate", False, 1.0),
    CameraType("main stream, GOP 2 s, variable rate", False, 2.0),
    CameraType("main stream, GOP 2 s, constant rate", False, 2.0, "900k"),
)


def measure(scale: Scale, place: Place) -> Findings:
    """Looks at everything, for every type of camera."""
    detector = Detector.load(None, None)
    rows = [row for kind in TYPES for row in _rows(kind, detector, scale.difficult_s)]
    notes = (
        "Found: of what bench/truth/README.md asks for (moves, 40 pixels tall, visible for 2 s), what "
        "is in an event by place and label. Delay from the first such frame until the event says so: stream "
        "time, the packet's CPU time, half a burst of reading the tap.",
        "Of things below 40 pixels there is one, a person of 37 to 39; heights are the main stream's.",
        f"False events: {', '.join(_ASKED)}; {scale.difficult_s / 60:g} min of each for each type of camera.",
        "Clouds: a shadow with a sharp edge takes 45 % of the light and sweeps over two parked cars.",
    )
    return Findings(rows, notes)


def _rows(kind: CameraType, detector: Detector, difficult_s: float) -> Iterator[Row]:
    scores = [score(_looked(path, detector, kind), truth) for path, truth in annotated_clips(kind)]
    yield from _found(kind, scores)
    lawn = [score(_looked(path, detector, kind), truth) for path, truth in lawn_clips(kind)]
    yield _delay(f"{kind.what}: delay where nobody was before", lawn, kind.goal)
    yield _false(f"{kind.what}: false events", kind, detector, difficult_s, _ASKED, _FALSE)
    yield _false(f"{kind.what}: the same, clouds and leaves", kind, detector, difficult_s, _BEYOND)


def _looked(path: Path, detector: Detector, kind: CameraType) -> Seen:
    return look(clip_messages(path, START_NS, audio=False), detector, is_sub=kind.is_sub)


def _found(kind: CameraType, scores: Sequence[Score]) -> Iterator[Row]:
    must = [delay for one in scores for delay in one.must]
    found = sum(delay is not None for delay in must)
    share = 100 * found / len(must)
    yield Row(f"{kind.what}: found", f"{found} of {len(must)}", goal=_RECALL, figure=share)
    small = [(height, delay) for one in scores for height, delay in one.may]
    for least, name in _CLASSES[1:]:
        of_class = [delay for height, delay in small if _class_of(height) == least]
        if of_class:
            seen = sum(delay is not None for delay in of_class)
            yield Row(f"{kind.what}: found, {name} pixels", f"{seen} of {len(of_class)}")
    objects, true = sum(one.objects for one in scores), sum(one.true_objects for one in scores)
    yield Row(f"{kind.what}: objects that are there", f"{true} of {objects} ({100 * true / objects:.0f} %)")
    yield _delay(f"{kind.what}: delay", scores, kind.goal)


def _class_of(height: float) -> int:
    return next(least for least, _ in _CLASSES if height >= least or least == 0)


def _delay(what: str, scores: Sequence[Score], goal: Goal) -> Row:
    delays = sorted(delay for one in scores for delay in one.must if delay is not None)
    if not delays:
        return Row(what, "nothing found", goal=goal, figure=float("inf"))
    median, late = statistics.median(delays), delays[min(len(delays) - 1, int(0.9 * len(delays)))]
    return Row(what, f"median {median:.2f} s, p90 {late:.2f} s", goal=goal, figure=median)


def _false(
    what: str,
    kind: CameraType,
    detector: Detector,
    seconds: float,
    scenes: Sequence[Difficulty],
    goal: Goal | None = None,
) -> Row:
    counts = {}
    for scene in scenes:
        clip = difficult(scene, gop_s=kind.gop_s, size=kind.size, bitrate=kind.bitrate)
        counts[scene] = len(look(messages(clip, seconds, START_NS), detector, is_sub=kind.is_sub).began)
    an_hour = sum(counts.values()) * 3600 / (seconds * len(counts))
    where = ", ".join(f"{scene} {count}" for scene, count in counts.items() if count)
    text = f"{an_hour:.1f} an hour" + (f" ({where})" if where else "")
    return Row(what, text, goal=goal, figure=an_hour)


def annotated_clips(kind: CameraType) -> Iterator[tuple[Path, Truth]]:
    """The annotated clips as such a camera sends them, made if needed."""
    yield (
        _encoded("pedestrians", pedestrians(), f"scale={kind.size.replace('x', ':')}", kind, 80, FPS),
        read_truth("pedestrians"),
    )
    yield _encoded("street", STREET, "null", kind, 10, 25), read_truth("street")


def lawn_clips(kind: CameraType) -> Iterator[tuple[Path, Truth]]:
    """The lawn on which nobody is until two people come, beginning at several places in a GOP."""
    left, top, width, height = _LAWN
    for phase in _PHASES:
        first, last = _LAWN_FRAMES[0] + phase, _LAWN_FRAMES[1]
        shown = (
            f"trim=start_frame={first}:end_frame={last + 1},setpts=PTS-STARTPTS,"
            f"crop={width}:{height}:{left}:{top},noise=alls=4:allf=t"
        )
        truth = read_truth("pedestrians").cut(first, last, left, top, width, height)
        yield _encoded(f"lawn-{phase}", pedestrians(), shown, kind, 36, FPS), truth


def _encoded(name: str, clip: Path, shown: str, kind: CameraType, seconds: int, fps: int) -> Path:
    gop = str(round(kind.gop_s * fps))
    rate = kind.bitrate
    how = ("-b:v", rate, "-maxrate", rate, "-bufsize", rate) if rate else ("-crf", "24")
    regular = ("-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-bf", "0")
    video = ("-vf", f"{shown},format=yuv420p", "-c:v", "libx264", "-preset", "veryfast", *regular, *how)
    return made(f"truth-{name}-{'sub' if kind.is_sub else 'main'}-{gop}", seconds, ("-i", str(clip)), video)
