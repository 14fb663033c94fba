"""Models of a few bytes: TFLite files whose outputs are constants, built by LiteRT's own schema.

Real models of these kinds are megabytes and in no package; what is tested with these is how outputs of their
shapes, orders, types and quantisation are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "uint8": schema.TensorType.UINT8,
    "int8": schema.TensorType.INT8,
    "int64": schema.TensorType.INT64,
}
Quantised = tuple[float, int]


def write_model(
    path: Path,
    outputs: Sequence[np.ndarray[Any, Any]],
    *,
    input_shape: Sequence[int] = (1, 64, 64, 3),
    input_type: str = "float32",
    quantised: Quantised | None = None,
) -> Path:
    """A model that answers every picture with `outputs`; `quantised`: their scale and zero."""
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor("picture", input_shape, input_type, 0, None)]
    for number, values in enumerate(outputs):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        model.buffers.append(buffer)
        graph.tensors.append(_tensor(f"out:{number}", values.shape, values.dtype.name, number + 1, quantised))
    graph.inputs, graph.outputs = [0], list(range(1, len(outputs) + 1))
    graph.operators = []
    model.subgraphs, model.operatorCodes = [graph], []
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(
    name: str, shape: Sequence[int], dtype: str, buffer: int, quantised: Quantised | None
) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), _TYPES[dtype], buffer
    if quantised:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [quantised[0]], [quantised[1]]
    return tensor


def write_labels(path: Path, *labels: str) -> Path:
    """One a line."""
    path.write_text("\n".join(labels) + "\n", "utf-8")
    return path
