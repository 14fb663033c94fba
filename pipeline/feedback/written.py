"""How lessons are written: one JSON object a camera. Pure.

Rules: one spelling; `parsed(written(camera, lessons)) == lessons`. What is not of the form is refused with a
sentence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from pipeline.feedback.rule import GRID, HOURS, SMALLEST_SIZE, Lesson, Verdict
from pipeline.names import LAST_MS, LAST_SEQUENCE

FORMAT = 1
MOST = 1000  # lessons of a camera; the oldest go first. 200 bytes each
_NAMES = {one.name for one in fields(Lesson)}
_RANGES = {
    "number": (1, LAST_SEQUENCE),
    "event": (0, LAST_SEQUENCE),
    "object": (0, 100_000),
    "column": (0, GRID - 1),
    "row": (0, GRID - 1),
    "size": (SMALLEST_SIZE, 0),
    "hours": (0, HOURS - 1),
    "made_ms": (0, LAST_MS),
}


class NotFeedback(ValueError):
    """A file of lessons is not of its form; the message is a sentence."""


def written(camera: str, lessons: Sequence[Lesson]) -> bytes:
    """The file of a camera, with its newest lessons."""
    noun = {"format": FORMAT, "camera": camera, "lessons": [asdict(one) for one in lessons[-MOST:]]}
    return (json.dumps(noun, sort_keys=True, indent=1, allow_nan=False) + "\n").encode("ascii")


def parsed(content: bytes, camera: str) -> tuple[Lesson, ...]:
    """The lessons in a file of this camera. Raises NotFeedback."""
    try:
        noun = json.loads(content)
        if set(noun) != {"format", "camera", "lessons"} or noun["format"] != FORMAT:
            raise ValueError("another form")
        if noun["camera"] != camera or len(noun["lessons"]) > MOST:
            raise ValueError("of another camera")
        return tuple(_lesson(one) for one in noun["lessons"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise NotFeedback(
            f"What was taught about {camera} cannot be read: the file was damaged or changed. "
            f"Begin anew with: nvr feedback --forget all --camera {camera}"
        ) from None


def _lesson(noun: Any) -> Lesson:
    if set(noun) != _NAMES:
        raise ValueError("another form")
    for name, (first, last) in _RANGES.items():
        if type(noun[name]) is not int or not first <= noun[name] <= last:
            raise ValueError(name)
    score, label = noun["score"], noun["label"]
    if type(score) not in (int, float) or not math.isfinite(score) or not 0 <= score <= 1:
        raise ValueError("score")
    if not isinstance(label, str) or not 1 <= len(label) <= 200:
        raise ValueError("label")
    return Lesson(**noun | {"score": float(score), "verdict": Verdict(noun["verdict"])})
