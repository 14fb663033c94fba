"""`nvr detect`: tries model and zones. The only command that writes a picture nobody sealed, where it is
told.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nvr.errors import NvrError, UsageFault

if TYPE_CHECKING:
    from nvr.trying_place import TryingPlace
    from pipeline.detect.detector import Detector
    from pipeline.watcher.trying import Tried

START_NS = 0  # of a file: its times are told from its beginning
LIVE_S = 5.0
SLOWEST_S = 15.0  # more than that a camera's first picture may take
ENDINGS = (".jpg", ".jpeg", ".png")


@click.command()
@click.argument("source", metavar="FILE_OR_URL_OR_CAMERA")
@click.option("--camera", metavar="NAME", help="Whose zones, masks, lines, labels and scores count.")
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path),
    metavar="PICTURE",
    help="Write the picture that shows most, with boxes and zones (.jpg, .png). It is NOT sealed.",
)
@click.option("--seconds", type=click.FloatRange(0.1), metavar="N", help="Of a file: all; of a camera: 5.")
@click.option("--events", "as_events", is_flag=True, help="Look as the watcher does, and tell the events.")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference.md describes it.")
@click.pass_obj
def detect(
    config: Path | None,
    source: str,
    camera: str | None,
    output: Path | None,
    seconds: float | None,
    as_events: bool,
    as_json: bool,
) -> None:
    """Try the detector: what it finds in a picture, a video, at an address, or on a configured camera.

    Looks at one picture in each second. With -o a picture is written that anybody can open; nothing else is
    kept. At an address and on a camera this opens a connection of its own, beside the recorder's.

    \b
    Examples:
      nvr detect holiday.jpg
      nvr detect front -o front.jpg
      nvr detect walk.mp4 --camera front --events
    """
    from nvr.trying_place import trying_place

    _check_output(output)
    place = trying_place(config, source, camera)
    detector = _detector(place)
    if not as_json:
        click.echo(f"{place.what}: {detector.describe()}", err=True)
    tell = _Telling(place, as_json)
    shows_most = _try(place, detector, seconds, tell, as_events=as_events)
    if output is not None:
        _write(output, shows_most, place)
    if as_json:
        click.echo(json.dumps(tell.noun(detector.model_id), indent=2))


class _Telling:
    """Says at once what people read; gathers what programs do."""

    def __init__(self, place: TryingPlace, as_json: bool) -> None:
        self._place, self._as_json = place, as_json
        self._pictures: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def tried(self, tried: Tried, *, with_time: bool) -> None:
        """One picture."""
        from nvr.trying import lines_of, noun_of

        self._pictures.append(noun_of(tried, self._place.rules))
        if not self._as_json:
            click.echo("\n".join(lines_of(tried, self._place.rules, with_time=with_time)))

    def event(self, noun: dict[str, Any]) -> None:
        """One event that has ended."""
        from nvr.trying import event_lines

        self._events.append(noun)
        if not self._as_json:
            click.echo("\n".join(event_lines(noun)))

    def noun(self, model: str) -> dict[str, Any]:
        """Everything."""
        return {
            "source": self._place.what,
            "model": model,
            "pictures": self._pictures,
            "events": self._events,
        }

    @property
    def has_events(self) -> bool:
        """Whether there was any."""
        return bool(self._events)


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in ENDINGS:
        raise UsageFault(
            f"{output} must end in {', '.join(ENDINGS)}: that says what kind of picture to write."
        )
    if output.exists():
        raise UsageFault(f"{output} exists already. Nothing is overwritten: name another file.")
    if not output.parent.is_dir():
        raise UsageFault(f"There is no folder {output.parent}; make it first.")


def _detector(place: TryingPlace) -> Detector:
    from nvr.ending import sentence
    from pipeline.detect import Detector, ModelError

    try:
        with _silence():
            return Detector.load(place.model, place.labels)
    except ModelError as fault:
        raise UsageFault(sentence(str(fault))) from None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """LiteRT tells standard error how it will calculate, past Python and without a switch."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _try(
    place: TryingPlace, detector: Detector, seconds: float | None, tell: _Telling, *, as_events: bool
) -> Tried | None:
    """Tells everything; returns the picture that shows most."""
    from nvr.ending import sentence
    from nvr.trying import best
    from pipeline.detect import ModelError
    from pipeline.drawing import read_picture
    from pipeline.source import SourceError
    from pipeline.source.errors import NotVideo, Unreachable
    from pipeline.watcher.trying import try_picture

    picture = read_picture(place.path) if place.path else None
    if picture is not None:
        if as_events:
            raise UsageFault("A picture has no events: name a video, or leave --events out.")
        tried = try_picture(picture, detector, place.rules)
        tell.tried(tried, with_time=False)
        return tried
    try:
        looking = _events if as_events else _pictures
        return best(looking(place, detector, seconds, tell))
    except ModelError as fault:
        raise NvrError(sentence(str(fault))) from None
    except SourceError as fault:
        if place.path is not None and isinstance(fault, NotVideo | Unreachable):
            raise NvrError(f"{place.what} is neither a picture nor a video that can be read.") from None
        raise NvrError(f"{place.what}: {fault}.") from None


def _pictures(
    place: TryingPlace, detector: Detector, seconds: float | None, tell: _Telling
) -> Iterator[Tried]:
    from pipeline.watcher.trying import try_stream, until

    limit, stop = _limits(place, seconds)
    for tried in try_stream(until(place.messages(START_NS, stop), limit), detector, place.rules):
        tell.tried(tried, with_time=True)
        yield tried


def _events(place: TryingPlace, detector: Detector, seconds: float | None, tell: _Telling) -> Iterator[Tried]:
    """Looks as the watcher does; yields every look, so that the best can be drawn."""
    from nvr.trying import event_noun
    from pipeline.event import Ended
    from pipeline.watcher.offline import look_at
    from pipeline.watcher.trying import Tried, until

    limit, stop = _limits(place, seconds)
    looks: list[Tried] = []

    def answered(look: Any, found: Any) -> None:
        frame = look.sight.frame
        looks[:] = [Tried((frame.at_ns - START_NS) / 1e9, tuple(found), frame.picture)]

    for happening in look_at(
        until(place.messages(START_NS, stop), limit), detector, place.rules, answered=answered
    ):
        yield from looks
        looks.clear()
        if isinstance(happening, Ended):
            tell.event(event_noun(happening.event, START_NS))
    yield from looks
    if not tell.has_events:
        click.echo("no event", err=True)


def _limits(place: TryingPlace, seconds: float | None) -> tuple[float, Callable[[], bool]]:
    """How much of the stream, and when at the latest to give up a camera."""
    if place.path is not None:
        return (float("inf") if seconds is None else seconds), lambda: False
    wanted = LIVE_S if seconds is None else seconds
    end_s = time.monotonic() + wanted + SLOWEST_S
    return wanted, lambda: time.monotonic() > end_s


def _write(output: Path, tried: Tried | None, place: TryingPlace) -> None:
    from pipeline.drawing import annotated

    if tried is None:
        raise NvrError(f"There was no picture to be written to {output}.")
    rules = place.rules
    data = annotated(
        tried.picture,
        tried.found,
        [(zone.name, zone.polygon) for zone in rules.zones],
        rules.masks,
        [(line.name, line.start, line.end) for line in rules.lines],
        ending=output.suffix.lower(),
    )
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    click.echo(f"Wrote {output}: anybody who gets this file can look at it.", err=True)
