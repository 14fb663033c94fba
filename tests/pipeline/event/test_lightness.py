"""Every process that reads the settings loads the rules of events: they must stay light."""

from __future__ import annotations

import subprocess
import sys


def test_neither_numpy_nor_decoders_are_loaded() -> None:
    heavy = ("numpy", "cv2", "av", "ai_edge_litert", "pydantic")
    program = (
        "import sys, pipeline.event, pipeline.feedback\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
