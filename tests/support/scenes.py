"""Clips of one scene as a fixed camera would send it: nothing moves, or people pass now and then. Made once.

The frames are of Debian's opencv-doc: a lawn at the edge of a car park, where nobody is for fifty seconds and
then some people cross. They go forwards and backwards, so that a clip can be looped, with noise on every
frame as a sensor has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.support.footage import made, pedestrians

Rate = Literal["variable", "constant"]

_LAWN = "crop=384:216:0:340"
_THERE_AND_BACK = (
    ",setpts=N/10/TB,split[a][b];[b]reverse,setpts=N/10/TB[c];[a][c]concat,loop=loop=-1:size=2000"
)
_STILL = f"trim=end_frame=490,{_LAWN}{_THERE_AND_BACK}"
_PASSING = f"trim=start_frame=490,{_LAWN}{_THERE_AND_BACK}"
# Mbit/s of a constant rate, as cameras are set; of a variable one the quality, as x264 counts it.
_CONSTANT = {"1920x1080": "4M", "640x360": "600k"}
_QUALITY = "24"
_NOISE = 4  # of 255, at most: a sensor by day


def still_scene(size: str, rate: Rate = "variable", *, fps: int = 25, seconds: int = 20) -> Path:
    """Nothing moves but the sensor's noise."""
    return _scene("still", _STILL, size, rate, fps, seconds)


def passing_scene(size: str, rate: Rate = "variable", *, fps: int = 25, seconds: int = 60) -> Path:
    """People cross for about half of the time."""
    return _scene("passing", _PASSING, size, rate, fps, seconds)


def _scene(what: str, frames: str, size: str, rate: Rate, fps: int, seconds: int) -> Path:
    wide = size.replace("x", ":")
    shape = (
        f"setpts=N/10/TB,fps={fps},scale={wide}:force_original_aspect_ratio=increase,crop={wide},"
        f"noise=alls={_NOISE}:allf=t,setsar=1,format=yuv420p"
    )
    bits = _CONSTANT.get(size, "1M")
    how = ("-crf", _QUALITY) if rate == "variable" else ("-b:v", bits, "-maxrate", bits, "-bufsize", bits)
    gop = str(2 * fps)
    encoder = ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-g", gop, "-keyint_min", gop)
    video = ("-vf", f"{frames},{shape}", *encoder, "-sc_threshold", "0", "-bf", "0", *how)
    return made(f"{what}-{rate}-{size}-{fps}-{seconds}s", seconds, ("-i", str(pedestrians())), video)
