"""The only module that knows LiteRT.

Rules:
- `ai_edge_litert` where the platform has it, else `tflite_runtime`, the same under its older name. A
  tflite_runtime that does not fit the numpy beside it fails only when an interpreter is built: so does
  `open_model` then.
- An `Interpreter` and not LiteRT's newer `CompiledModel`: with the default model it takes 89 MB of memory and
  15.8 ms where that takes 96 MB and 18.1 ms, and that one looks for accelerators and says so on standard
  error.
- The model is read by its path: LiteRT maps the file, and that memory can be given up; not so a copy.
- Pixels go to the model by a table of 256 values: whatever its input is, that is one pass without a float of
  each.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.candidates import Floats
from pipeline.detect.errors import ModelError

RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
NO_RUNTIME = "no LiteRT works here: install ai-edge-litert, or tflite-runtime together with numpy 1"
IDENTIFIER = b"TFL3"  # at byte 4 of every .tflite file (flatbuffers' file identifier of its schema)


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output. `scale` is 0 where values are not quantised."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero: int


class Model:
    """A loaded model. Not to be used by two threads at a time."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self.inputs = tuple(map(_tensor, interpreter.get_input_details()))
        self.outputs = tuple(map(_tensor, interpreter.get_output_details()))

    def run(self, pixels: NDArray[np.uint8], table: NDArray[Any]) -> list[Floats]:
        """The outputs for `pixels` [height, width, 3] of the input's size; `table` says what the model is
        told for each of 256 values. The arrays are copies.
        """
        np.take(table, pixels, out=self._interpreter.tensor(self.inputs[0].index)()[0], mode="clip")
        self._interpreter.invoke()
        return [self._values(output) for output in self.outputs]

    def _values(self, output: Tensor) -> Floats:
        raw = self._interpreter.get_tensor(output.index)
        if output.scale:
            return np.asarray((raw.astype(np.float32) - output.zero) * output.scale, np.float32)
        return np.asarray(raw, np.float32)


def open_model(path: Path, threads: int) -> Model:
    """Raises ModelError when there is no such file, no runtime for it, or it is no model."""
    try:
        with path.open("rb") as file:
            if file.read(8)[4:] != IDENTIFIER:
                raise ModelError(f"{path} is not a TensorFlow Lite model: name a .tflite file")
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from None
    return Model(_interpreter(path, threads))


def _interpreter(path: Path, threads: int, runtimes: Sequence[str] = RUNTIMES) -> Any:
    for name in runtimes:
        try:
            runtime = importlib.import_module(name)
        except ImportError:
            continue
        try:
            interpreter = runtime.Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
        except SystemError:
            continue
        except (ValueError, RuntimeError):
            raise ModelError(
                f"{path} cannot be loaded: it is damaged, or uses operations that this LiteRT lacks"
            ) from None
        return interpreter
    raise ModelError(NO_RUNTIME)


def _tensor(details: dict[str, Any]) -> Tensor:
    scale, zero = details["quantization"]
    shape = tuple(int(size) for size in details["shape"])
    return Tensor(
        details["name"], details["index"], shape, np.dtype(details["dtype"]), float(scale), int(zero)
    )
