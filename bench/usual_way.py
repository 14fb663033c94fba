"""How watching is usually done, for comparison: `python -m bench.usual_way CLIP`

ffmpeg decodes everything in real time, takes five frames a second at the detector's size, and hands them on
raw; the reader compares each with the one before.
"""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np

_SIDE = 300
_COMMAND = ("ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i")
_RAW = ("-an", "-vf", f"fps=5,scale={_SIDE}:{_SIDE}", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")


def main() -> None:
    """Until killed, or ffmpeg ends."""
    decoding = subprocess.Popen([*_COMMAND, sys.argv[1], *_RAW], stdout=subprocess.PIPE)
    assert decoding.stdout is not None
    before = np.zeros((_SIDE, _SIDE), np.uint8)
    while data := decoding.stdout.read(3 * _SIDE * _SIDE):
        grey = cv2.cvtColor(np.frombuffer(data, np.uint8).reshape(_SIDE, _SIDE, 3), cv2.COLOR_RGB2GRAY)
        int(np.count_nonzero(cv2.absdiff(grey, before) > 20))
        before = np.asarray(grey, np.uint8)


if __name__ == "__main__":
    main()
