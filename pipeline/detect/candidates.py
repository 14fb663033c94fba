"""What a model's outputs say, before anything is suppressed: arrays, one row a thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """`boxes` [n, 4]: left, top, right, bottom as fractions of the model's input; `scores` [n], 0 to 1;
    `classes` [n]: rows of the labels.
    """

    boxes: Floats
    scores: Floats
    classes: NDArray[np.intp]


def pairs_above(scores: Floats, minimum: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of `scores` [places, classes] that reach `minimum`. A place may speak for two classes:
    which of them is wanted is not the model's business.
    """
    places = np.flatnonzero(scores.max(axis=1) >= minimum)
    rows, classes = np.nonzero(scores[places] >= minimum)
    return places[rows], classes
