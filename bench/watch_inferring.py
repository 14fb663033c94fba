"""Our side of `bench.watch_inference`, as a program: `python -m bench.watch_inferring RUNS` prints JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import av

from pipeline.detect.detector import DEFAULT_MODEL, Detector
from pipeline.detect.heads import choose_head, table_for
from pipeline.detect.interpreter import open_model
from pipeline.detect.suppress import suppressed
from pipeline.frames import picture_of
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box
from tests.support.footage import STREET

WARM_UP = 5
CROP = Box(0.3, 0.0, 0.8, 1.0)
CLASSES = 24


def main(runs: int) -> None:
    """Milliseconds: medians of the model alone, of what comes before and after, and of a whole look."""
    picture, detector = _picture(), Detector.load()
    model = open_model(DEFAULT_MODEL, 1)
    head = choose_head(model, CLASSES)
    table, pixels = table_for(model, head), picture.rgb(WHOLE, (300, 300))
    outputs = model.run(pixels, table)
    measured = {
        "model": _median(lambda: model.run(pixels, table), runs),
        "before": _median(lambda: picture.rgb(CROP, (300, 300)), runs),
        "after": _median(lambda: suppressed(head.read(outputs, 0.3)), runs),
        "look": _median(lambda: detector.detect(picture, [CROP]), runs),
    }
    print(json.dumps(measured))


def _picture() -> Picture:
    with av.open(str(STREET)) as container:
        return picture_of(next(iter(container.decode(video=0))))


def _median(work: Callable[[], object], runs: int) -> float:
    for _ in range(WARM_UP):
        work()
    times = []
    for _ in range(runs):
        began_ns = time.perf_counter_ns()
        work()
        times.append((time.perf_counter_ns() - began_ns) / 1e6)
    return statistics.median(times)


if __name__ == "__main__":
    main(int(sys.argv[1]))
