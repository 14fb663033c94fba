"""Which kind of model it is: the shapes of its tensors decide, and where they leave two ways open, how many
labels there are. What is not known is refused with its shapes.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.candidates import Candidates, Floats
from pipeline.detect.errors import ModelError
from pipeline.detect.interpreter import Model, Tensor
from pipeline.detect.postprocessed import PostprocessedHead
from pipeline.detect.ssd import SsdHead, anchors
from pipeline.detect.yolo import EndToEndHead, YoloHead

KINDS = (
    "known are SSD models with or without TFLite_Detection_PostProcess and YOLO models with one output, "
    "each with one picture [1, height, width, 3] as input"
)
SMALLEST_INPUT = 32
YOLO_STRIDES = (8, 16, 32)
MOST_END_TO_END_ROWS = 1000  # such models keep 100 to 300 rows; the others have thousands of places


class Head(Protocol):
    """How outputs become candidates."""

    def read(self, outputs: list[Floats], minimum: float) -> Candidates:
        """What reaches `minimum`."""


def input_size(model: Model) -> tuple[int, int]:
    """Width and height of what the model looks at. Raises ModelError when it takes something else."""
    shape = model.inputs[0].shape
    is_picture = len(model.inputs) == 1 and len(shape) == 4 and shape[0] == 1 and shape[3] == 3
    if not is_picture or min(shape[1:3]) < SMALLEST_INPUT or model.inputs[0].dtype.name not in _TYPES:
        raise unknown(model)
    return shape[2], shape[1]


def choose_head(model: Model, labels: int) -> Head:
    """What reads this model's outputs. `labels`: how many the user named. Raises ModelError when nothing
    does.
    """
    shapes = [output.shape for output in model.outputs]
    size = input_size(model)
    if len(shapes) == 4:
        return _postprocessed(model)
    if len(shapes) == 2:
        return _ssd(model, size)
    if len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] == 1:
        return _yolo(model, shapes[0][1], shapes[0][2], size, labels)
    raise unknown(model)


def _ssd(model: Model, size: tuple[int, int]) -> Head:
    shapes = [output.shape for output in model.outputs]
    around = anchors(*size)
    for boxes_at, scores_at in ((0, 1), (1, 0)):
        boxes, scores = shapes[boxes_at], shapes[scores_at]
        if boxes == (1, len(around), 4) and scores[:2] == boxes[:2] and len(scores) == 3:
            return SsdHead(around, boxes_at, scores_at)
    raise unknown(model)


def _postprocessed(model: Model) -> Head:
    shapes = [output.shape for output in model.outputs]
    boxes = [at for at, shape in enumerate(shapes) if len(shape) == 3 and shape[2] == 4]
    counts = [at for at, shape in enumerate(shapes) if shape in ((1,), (1, 1), ())]
    rows = [at for at, shape in enumerate(shapes) if at not in (*boxes, *counts) and len(shape) == 2]
    if len(boxes) == 1 and len(counts) == 1 and len(rows) == 2:
        return PostprocessedHead(boxes[0], rows[0], rows[1], counts[0])
    raise unknown(model)


def _yolo(model: Model, first: int, second: int, size: tuple[int, int], labels: int) -> Head:
    if first < second and first > 4:
        return YoloHead(size, is_transposed=True, has_objectness=False)
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in YOLO_STRIDES)
    if second == 6 and first <= MOST_END_TO_END_ROWS and first not in (cells, 3 * cells):
        return EndToEndHead(size)
    if first > second > 4:
        return YoloHead(size, is_transposed=False, has_objectness=second - 4 != labels)
    raise unknown(model)


def classes_of(model: Model, head: Head) -> int | None:
    """How many classes the outputs speak of; None where the shapes do not say."""
    if isinstance(head, SsdHead):
        return model.outputs[head.scores_at].shape[2]
    if isinstance(head, YoloHead):
        shape = model.outputs[0].shape
        return (shape[1] if head.is_transposed else shape[2]) - (5 if head.has_objectness else 4)
    return None


def has_background(head: Head) -> bool:
    """Whether class 0 means that nothing is there."""
    return isinstance(head, SsdHead)


def is_letterboxed(head: Head) -> bool:
    """Whether the model was taught pictures in their own proportions, with grey around them; the others were
    taught pictures stretched to the input's size.
    """
    return isinstance(head, (YoloHead, EndToEndHead))


def table_for(model: Model, head: Head) -> NDArray[Any]:
    """What the model is told for each of the 256 values of a pixel's colour.

    Quantised inputs span the values of a picture from end to end. Of floating ones, SSD models are taught
    with -1 to 1, YOLO models with 0 to 1.
    """
    values = np.arange(256)
    dtype = model.inputs[0].dtype
    if dtype == np.uint8:
        return values.astype(np.uint8)
    if dtype == np.int8:
        return (values - 128).astype(np.int8)
    if is_letterboxed(head):
        return (values / 255).astype(dtype)
    return (values / 127.5 - 1).astype(dtype)


def unknown(model: Model) -> ModelError:
    """The refusal, with the shapes."""
    return ModelError(
        f"the model takes {_shapes(model.inputs)} and gives {_shapes(model.outputs)}, "
        f"which is no kind of detector known here; {KINDS}"
    )


def _shapes(tensors: tuple[Tensor, ...]) -> str:
    return ", ".join(f"{list(one.shape)} {one.dtype.name}" for one in tensors) or "nothing"


_TYPES = ("uint8", "int8", "float32")
