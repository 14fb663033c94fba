"""`python -m bench [--watch] [--quick] [--only SECTION]...`: prints a table and writes it to build/.

Recording and proving: build/bench.md; with `--watch`, looking: build/bench-watch.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bench import (
    export,
    index,
    machine,
    proof,
    rebuild,
    record,
    sealing,
    sixteen,
    watch_accuracy,
    watch_cpu,
    watch_inference,
)
from bench.processes import MeasuringFailed
from bench.scale import FULL, QUICK, Scale
from bench.scene import Place, working_place
from bench.table import Findings, markdown

SECTIONS: Mapping[str, Callable[[Scale, Place], Findings]] = {
    "record": record.measure,
    "sixteen": sixteen.measure,
    "sealing": sealing.measure,
    "index": index.measure,
    "rebuild": rebuild.measure,
    "export": export.measure,
    "proof": proof.measure,
}
WATCH_SECTIONS: Mapping[str, Callable[[Scale, Place], Findings]] = {
    "cpu": watch_cpu.measure,
    "inference": watch_inference.measure,
    "accuracy": watch_accuracy.measure,
}
BUILD = Path(__file__).parents[1] / "build"


def run(sections: Sequence[str], scale: Scale, build: Path) -> str:
    """Measures; the page that it has written to `build`. Raises MeasuringFailed."""
    now, load = datetime.now().astimezone(), machine.load()
    findings = []
    for name in sections:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        with working_place(build / "bench") as place:
            findings.append({**SECTIONS, **WATCH_SECTIONS}[name](scale, place))
    busy = f"Load before: {load:.1f}.\n" if load > 0.5 else ""
    page = f"{machine.describe(now)}{busy}\n{markdown(findings)}"
    looks = any(name in WATCH_SECTIONS for name in sections)
    (build / ("bench-watch.md" if looks else "bench.md")).write_text(page, "utf-8")
    return page


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measures beside the real alternatives.")
    parser.add_argument("--quick", action="store_true", help="a few minutes, less exact")
    parser.add_argument("--watch", action="store_true", help="what looking costs and finds")
    every = [*SECTIONS, *WATCH_SECTIONS]
    parser.add_argument("--only", action="append", choices=every, help="one section, repeatable")
    options = parser.parse_args()
    try:
        sections = WATCH_SECTIONS if options.watch else SECTIONS
        print(run(options.only or list(sections), QUICK if options.quick else FULL, BUILD))
    except MeasuringFailed as failure:
        sys.exit(f"Nothing was measured: {failure}.")


if __name__ == "__main__":
    main()
