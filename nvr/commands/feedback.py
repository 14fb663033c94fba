"""`nvr feedback`: teaching a camera that an event was wrong or right; listing and erasing what it learned."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from nvr.asking import KEY_FILE_PROMPT, passphrases
from nvr.commands.household_options import root_option, tell_doubt
from nvr.errors import NvrError, UsageFault
from nvr.event_telling import shown
from nvr.keyholder.events import EventOpener
from nvr.keyholder.feedback import lessons_from, with_lessons
from nvr.keyholder.membership import open_membership
from nvr.local_zone import local_zone
from nvr.located import Located, locate
from nvr.stored_events import find_event
from nvr.times import show
from pipeline.event import EventRecord
from pipeline.feedback import Feedback, Lesson, NotFeedback, Verdict, cameras_taught, load, save
from pipeline.feedback.rule import GRID, HOURS

_ID = re.compile(r"(.+):([1-9][0-9]{0,14})")


@dataclass(frozen=True, slots=True)
class _Taught:
    """One lesson and whose it is."""

    camera: str
    lesson: Lesson

    def __str__(self) -> str:
        return f"{self.camera}:{self.lesson.number}"


@click.command()
@click.argument("event", required=False)
@click.option("--wrong", is_flag=True, help="It was none: be harder to convince.")
@click.option("--right", is_flag=True, help="It was one: take a wrong back.")
@click.option("--object", "number", type=int, metavar="N", help="Only this object of it, counted from 1.")
@click.option("--identity", metavar="FILE", help="Your key file, or the recovery sheet (HTML or its text).")
@root_option
@click.option("--list", "listing", is_flag=True, help="Show what was learned.")
@click.option("--forget", metavar="ID", help='Erase this lesson, or "all".')
@click.option("--camera", metavar="C", help="With --list and --forget all: only this camera's.")
@click.option("--json", "as_json", is_flag=True, help="With --list, for programs.")
@click.pass_obj
def feedback(
    config: Path | None,
    event: str | None,
    wrong: bool,
    right: bool,
    number: int | None,
    identity: str | None,
    root: str | None,
    listing: bool,
    forget: str | None,
    camera: str | None,
    as_json: bool,
) -> None:
    """Teach a camera that an event was wrong or right; it learns on this machine, and only numbers.

    \b
    Examples:
      nvr feedback front-42 --wrong --identity alice.key
      nvr feedback front-42 --right --object 2 --identity alice.key
      nvr feedback --list
      nvr feedback --forget front:3
      nvr feedback --forget all --camera front
    """
    if sum((event is not None, listing, forget is not None)) != 1:
        raise click.UsageError("Say one of: an event with --wrong or --right, --list, --forget.")
    if wrong and right:
        raise click.UsageError("It was either wrong or right; with --object N say it of one of its objects.")
    located = locate(config)
    _check_state(located)
    if camera is not None:
        located.checked_camera(camera)
    if listing:
        _list(located, camera, as_json=as_json)
    elif forget is not None:
        _forget(located, forget, camera)
    else:
        _teach(located, event or "", _verdict(wrong=wrong, right=right), number, identity, root)


def _verdict(*, wrong: bool, right: bool) -> Verdict | None:
    if wrong:
        return Verdict.WRONG
    return Verdict.RIGHT if right else None


def _check_state(located: Located) -> None:
    if not located.loaded.file.is_file():
        raise UsageFault(
            "A store alone has no place for what a camera learns: name the configuration with --config."
        )
    state = located.loaded.state_dir
    if not state.is_dir():
        raise NvrError(
            f"{state} is missing: the machine that looks at the cameras keeps there what it learns."
        )


def _teach(
    located: Located,
    event: str,
    verdict: Verdict | None,
    number: int | None,
    identity: str | None,
    root: str | None,
) -> None:
    if identity is None:
        raise click.UsageError("Say --wrong or --right, and --identity FILE: the event is sealed.")
    record = _opened(located, event, identity, root)
    if verdict is None:
        _show_objects(record)
        raise UsageFault("Say --wrong or --right; with --object N only of that one.")
    camera, state = record.mark.name.camera, located.loaded.state_dir
    new = lessons_from(record, number, verdict, round(time.time() * 1000))
    kept, taught = with_lessons(_load(located, camera), new)
    save(state, camera, kept)
    for lesson in taught:
        click.echo(f"Learned as {camera}:{lesson.number}: {_effect(lesson, kept)}")
    if not located.loaded.config.detect.enabled:
        click.echo("Nobody looks at the cameras: [detect] says enabled = false.", err=True)


def _show_objects(record: EventRecord) -> None:
    for number, one in enumerate(record.objects, 1):
        start, end = (
            show(datetime.fromtimestamp(at / 1e9, UTC), local_zone()) for at in (one.first_ns, one.last_ns)
        )
        click.echo(f"{number}  {shown(one.label)} {one.score:.2f}  {start} – {end}")


def _opened(located: Located, event: str, identity: str, root: str | None) -> EventRecord:
    stored = find_event(located.store.root, event)
    membership = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    return EventOpener(located.store, membership).record(stored)


def _effect(lesson: Lesson, lessons: list[Lesson]) -> str:
    """What is asked of such a thing from now on, at that time of day."""
    needed = Feedback(lessons).needed_for(lesson, 0.0)
    what = f"{shown(lesson.label)} at that place and size"
    if needed > 1:
        return f"{what} does not count any more around that time of day."
    return f"{what} needs a score of {needed:.2f}." if needed else f"{what} counts as usual."


def _list(located: Located, camera: str | None, *, as_json: bool) -> None:
    taught = [
        _Taught(name, lesson)
        for name in ([camera] if camera else cameras_taught(located.loaded.state_dir))
        for lesson in _load(located, name)
    ]
    if as_json:
        click.echo(json.dumps({"lessons": [_noun(one) for one in taught]}, indent=2))
        return
    for one in taught:
        click.echo(_line(one))
    if not taught:
        click.echo("Nothing was learned yet.")


def _noun(one: _Taught) -> dict[str, Any]:
    return {"id": str(one), "camera": one.camera} | asdict(one.lesson)


def _line(one: _Taught) -> str:
    lesson = one.lesson
    made = show(datetime.fromtimestamp(lesson.made_ms / 1000, UTC), local_zone())
    hours = 24 // HOURS
    return (
        f"{one}  {lesson.verdict}  {shown(lesson.label)} {lesson.score:.2f}  "
        f"column {lesson.column + 1}, row {lesson.row + 1} of {GRID}  "
        f"about 1/{2**-lesson.size} high  {lesson.hours * hours:02}–{(lesson.hours + 1) * hours:02} h UTC  "
        f"object {lesson.object + 1} of {one.camera}-{lesson.event}, said {made}"
    )


def _forget(located: Located, what: str, camera: str | None) -> None:
    if what == "all":
        _forget_all(located, camera)
        return
    parts = _ID.fullmatch(what)
    if parts is None:
        raise UsageFault("That is no lesson: say one as --list shows it, such as front:3, or all.")
    name, number = parts[1], int(parts[2])
    lessons = _load(located, located.checked_camera(name))
    if all(one.number != number for one in lessons):
        raise NvrError(f"There is no lesson {name}:{number}; nvr feedback --list shows those that there are.")
    save(located.loaded.state_dir, name, [one for one in lessons if one.number != number])
    click.echo(f"Forgotten: {name}:{number}.")


def _forget_all(located: Located, camera: str | None) -> None:
    """Also what cannot be read."""
    cameras = [camera] if camera else cameras_taught(located.loaded.state_dir)
    for name in cameras:
        save(located.loaded.state_dir, name, [])
    click.echo(
        f"Forgotten: everything learned about {', '.join(cameras)}."
        if cameras
        else "Nothing was learned yet."
    )


def _load(located: Located, camera: str) -> tuple[Lesson, ...]:
    try:
        return load(located.loaded.state_dir, camera)
    except NotFeedback as fault:
        raise NvrError(str(fault)) from None
