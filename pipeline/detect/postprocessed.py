"""Outputs of models that end in `TFLite_Detection_PostProcess`: boxes, classes, scores and a count.

The operation's own order is boxes [1, n, 4] (top, left, bottom, right), classes [1, n], scores [1, n], count
[1]. Exporters shuffle the outputs and their names, so what is in them decides: classes are whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.detect.candidates import Candidates, Floats


@dataclass(frozen=True, slots=True)
class PostprocessedHead:
    """Reads the four outputs. `first_at`, `second_at`: the two that hold classes and scores."""

    boxes_at: int
    first_at: int
    second_at: int
    count_at: int

    def read(self, outputs: list[Floats], minimum: float) -> Candidates:
        """The rows whose score reaches `minimum`."""
        count = int(outputs[self.count_at].reshape(-1)[0])
        classes, scores = _classes_first(
            outputs[self.first_at][0][:count], outputs[self.second_at][0][:count]
        )
        rows = np.flatnonzero(scores >= minimum)
        boxes = outputs[self.boxes_at][0][rows][:, [1, 0, 3, 2]]
        return Candidates(boxes, scores[rows], classes[rows].round().astype(np.intp))


def _classes_first(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """A score is hardly ever a whole number. Where both look like classes, the operation's order holds."""
    if _is_whole(other) and not _is_whole(one):
        return other, one
    return one, other


def _is_whole(values: Floats) -> bool:
    return bool(np.all(values == values.round()))
