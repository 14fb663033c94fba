"""How fast the model answers in our hands, beside LiteRT's own benchmark of it, and what is around it.

Both run one after the other, several times, each in a process of its own with one thread; of each the best
round's median counts, for what else the machine does can only slow a round down.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.processes import MeasuringFailed
from bench.scale import Scale
from bench.scene import Place
from bench.table import Findings, Goal, Row
from pipeline.detect.detector import DEFAULT_MODEL

_WORKED_S = 120.0
_LEAST_RATIO = 0.95


def measure(scale: Scale, place: Place) -> Findings:
    """Milliseconds of one look."""
    theirs, ours = [], list[dict[str, float]]()
    for number in range(scale.inference_rounds):
        theirs.append(_theirs(scale.inferences, place.memory / f"litert-{number}.json"))
        ours.append(_ours(scale.inferences))
    alternative, look = min(theirs), min(one["look"] for one in ours)
    model = min(one["model"] for one in ours)
    before, after = (min(one[part] for one in ours) for part in ("before", "after"))
    speed = alternative / model
    rows = [
        Row("the model's answer", _ms(model), _ms(alternative), speed, Goal("≥", _LEAST_RATIO, "×"), speed),
        Row("before it: crop of 640x272, scaled, coloured", _ms(before)),
        Row("after it: scores, boxes, suppression", _ms(after)),
        Row("one look, all of it", _ms(look)),
    ]
    note = (
        "Inference: the default model, one thread, median of a round, best of "
        f"{scale.inference_rounds} rounds in turns. Alternative: "
        "ai_edge_litert.tools.benchmark_litert_model; the ratio is its time by ours."
    )
    return Findings(rows, [note])


def _theirs(runs: int, result: Path) -> float:
    options = {"--model": DEFAULT_MODEL, "--num_threads": 1, "--num_runs": runs, "--result_json": result}
    words = [str(word) for option in options.items() for word in option]
    _run(["ai_edge_litert.tools.benchmark_litert_model", *words])
    return float(json.loads(result.read_text("utf-8"))["latency"]["median_ms"])


def _ours(runs: int) -> dict[str, float]:
    measured: dict[str, float] = json.loads(_run(["bench.watch_inferring", str(runs)]))
    return measured


def _run(module: Sequence[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *module], capture_output=True, text=True, timeout=_WORKED_S, check=False
    )
    if done.returncode != 0:
        raise MeasuringFailed(f"{module[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2f} ms"
