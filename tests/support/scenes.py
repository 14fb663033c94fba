"""Clips of one scene of the street, as a fixed camera would send it: still, or with a man passing. Made once.

The frames are the street clip's own last scene: a man walks by in its first second, then nothing moves. They
go forwards and backwards, with noise of its own on every frame, as a sensor has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.support.footage import STREET, made

Rate = Literal["variable", "constant"]

_STILL = "trim=8.72:9.60,setpts=PTS-STARTPTS,split[a][b];[b]reverse[c];[a][c]concat,loop=loop={times}:size=44"
_WALK = "trim=7.52:8.70,setpts=2*(PTS-STARTPTS),fps=25"
_PASSING = (
    f"split=3[x][y][z];[x]{_WALK}[one];[y]{_STILL.format(times=3)},setpts=N/25/TB[two];"
    f"[z]{_WALK},reverse,setpts=N/25/TB[three];[one][two][three]concat=n=3,loop=loop=-1:size=2000"
)
# Mbit/s of a constant rate, as cameras are set; of a variable one the quality, as x264 counts it.
_CONSTANT = {"1920x1080": "4M", "640x360": "600k"}
_QUALITY = "24"
_NOISE = 4  # of 255, at most: a sensor by day


def still_scene(size: str, rate: Rate = "variable", *, fps: int = 25, seconds: int = 20) -> Path:
    """Nothing moves but the sensor's noise."""
    return _scene("still", _STILL.format(times=-1), size, rate, fps, seconds)


def passing_scene(size: str, rate: Rate = "variable", *, fps: int = 25, seconds: int = 36) -> Path:
    """A man passes in 2.4 s, nothing moves for 7 s, he passes back in 2.4 s; and again."""
    return _scene("passing", _PASSING, size, rate, fps, seconds)


def _scene(what: str, frames: str, size: str, rate: Rate, fps: int, seconds: int) -> Path:
    wide = size.replace("x", ":")
    shape = (
        f"setpts=N/25/TB,fps={fps},scale={wide}:force_original_aspect_ratio=increase,crop={wide},"
        f"noise=alls={_NOISE}:allf=t,setsar=1,format=yuv420p"
    )
    bits = _CONSTANT.get(size, "1M")
    how = ("-crf", _QUALITY) if rate == "variable" else ("-b:v", bits, "-maxrate", bits, "-bufsize", bits)
    gop = str(2 * fps)
    encoder = ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-g", gop, "-keyint_min", gop)
    video = ("-vf", f"{frames},{shape}", *encoder, "-sc_threshold", "0", "-bf", "0", *how)
    return made(f"{what}-{rate}-{size}-{fps}-{seconds}s", seconds, ("-i", str(STREET)), video)
