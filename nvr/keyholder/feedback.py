"""From an opened event to what a camera is to learn of it.

Rules:
- Of the event only numbers go on: see `pipeline.feedback`.
- One object of one event teaches once: judged again, its lesson is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nvr.errors import NvrError, UsageFault
from nvr.stored_events import event_id
from pipeline.event import EventRecord
from pipeline.feedback import Lesson, Verdict, lesson_of


def lessons_from(
    record: EventRecord, object_number: int | None, verdict: Verdict, now_ms: int
) -> list[Lesson]:
    """What the event's objects teach, or the one of that number (from 1). They have no numbers yet (0).

    Raises UsageFault for an object that is not there, NvrError when there is nothing to learn.
    """
    event, count = event_id(record.mark.name.camera, record.mark.sequence), len(record.objects)
    if object_number is not None and not 1 <= object_number <= count:
        raise UsageFault(f"{event} has no object {object_number}; it has {count}, counted from 1.")
    chosen = range(count) if object_number is None else [object_number - 1]
    lessons = [_lesson(record, index, verdict, now_ms) for index in chosen if record.objects[index].path]
    if not lessons:
        raise NvrError(
            f"There is nothing to learn from {event}: nothing was seen in it. "
            "For sounds, change sound_db or sound_s in the configuration."
        )
    return lessons


def with_lessons(kept: Sequence[Lesson], new: Iterable[Lesson]) -> tuple[list[Lesson], list[Lesson]]:
    """All lessons after these have been taught, and the new ones with their numbers."""
    lessons = list(kept)
    numbered: list[Lesson] = []
    for lesson in new:
        lessons = [one for one in lessons if (one.event, one.object) != (lesson.event, lesson.object)]
        number = 1 + max((one.number for one in (*kept, *numbered)), default=0)
        numbered.append(replace(lesson, number=number))
        lessons.append(numbered[-1])
    return lessons, numbered


def _lesson(record: EventRecord, index: int, verdict: Verdict, now_ms: int) -> Lesson:
    one = record.objects[index]
    return lesson_of(
        number=0,
        event=record.mark.sequence,
        index=index,
        label=one.label,
        score=one.score,
        boxes=[place.box for place in one.path],
        at_ns=one.first_ns,
        verdict=verdict,
        made_ms=now_ms,
    )
