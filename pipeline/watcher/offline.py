"""Looking at a file: the same heart as in the process, with the detector called in between. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipeline.clip import clip_messages
from pipeline.detect import Detector
from pipeline.event import EventMaker, Happening, Rules
from pipeline.event.nouns import Judge
from pipeline.scene import Detection
from pipeline.track import Tracker
from pipeline.watcher.eye import Eye, EyeSettings
from pipeline.watcher.looking import Look, Looking
from pipeline.wire import Message


def look_at_file(
    path: Path,
    detector: Detector,
    rules: Rules,
    start_ns: int,
    feedback: Judge | None = None,
    answered: Callable[[Look, list[Detection]], object] = lambda look, detections: None,
) -> Iterator[Happening]:
    """The happenings of a video file whose first picture is shown at `start_ns` (UTC), in their order.

    Raises `SourceError` for what is not there or not video.
    """
    return look_at(clip_messages(path, start_ns), detector, rules, feedback, answered)


def look_at(
    messages: Iterable[Message],
    detector: Detector,
    rules: Rules,
    feedback: Judge | None = None,
    answered: Callable[[Look, list[Detection]], object] = lambda look, detections: None,
) -> Iterator[Happening]:
    """The happenings that these messages of a tap give; each look is answered before the next message.

    `answered` is told of every look and what was found there.
    """
    told: list[Happening] = []
    looking = Looking(
        Eye(EyeSettings(rules.masks)),
        Tracker(),
        EventMaker(rules, feedback),
        detector.input_size,
        told.append,
    )
    for message in messages:
        for look in looking.take(message):
            found = detector.detect(look.sight.frame.picture, look.regions, look.minimum, rules.labels)
            answered(look, found)
            looking.found(look, found)
        yield from told
        told.clear()
    looking.finish()
    yield from told
