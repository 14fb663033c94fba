"""Footage in which nobody comes, made of real frames: what makes detectors see things that are not there.

The scene is the car park of `vtest.avi` without its people: of each pixel the middle of 239 frames. What
stays is what a model takes for people now and then (a tripod, cones, posts) and two parked cars. `leaves` is
a tree in the wind, as filmed. Each clip lasts a minute and can be looped; noise and streaks differ in every
frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from tests.support.footage import made, pedestrians

Difficulty = Literal["still", "noise", "pulses", "lights", "infrared", "rain", "shadows", "leaves"]
DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)
FPS = 10
_SENSOR = "noise=alls=5:allf=t"  # by day; at night, amplified, some four times as much
_LIGHT = "eq=brightness='if(lt(mod(t,20),10),0,-0.28)':eval=frame"
_DUSK = "eq=contrast='1-0.25*gt(mod(t,30),15)':brightness='0.08*gt(mod(t,30),15)':eval=frame"
_FLASH = "eq=brightness='0.6*between(mod(t,15),0,0.4)':eval=frame"  # until the camera's exposure has settled
_CLOUD = "geq=lum='lum(X,Y)*(1-0.45/(1+exp((abs(mod(X+T*W/12,2*W)-W)-W/3)/25)))':cb='cb(X,Y)':cr='cr(X,Y)'"
_STREAKS = (
    f"color=black:s=384x288:r={FPS},format=gray,noise=alls=100:allf=t,lut=y='if(gt(val,97),255,0)',"
    "avgblur=sizeX=1:sizeY=6,lut=y='min(255,val*5)',rotate=0.12,scale=768:576,format=yuv420p,lutyuv=u=128:v=128"
)
_OVER = {
    "still": _SENSOR,
    "noise": "noise=alls=22:allf=t",
    "pulses": _SENSOR,
    "lights": f"{_LIGHT},{_SENSOR}",
    "infrared": f"hue=s=0:enable='gt(mod(t,30),15)',{_DUSK},{_FLASH},{_SENSOR}",
    "rain": f"format=yuv420p[dry];{_STREAKS}[wet];[dry][wet]blend=c0_mode=screen:shortest=1,{_SENSOR}",
    "shadows": f"{_CLOUD},{_SENSOR}",
    "leaves": _SENSOR,
}


def empty_scene() -> Path:
    """The car park without people: one frame, ten times, as it is (lossless)."""
    middle = "fps=3,tmedian=radius=119,select=eq(n\\,0),loop=loop=9:size=1,setpts=N/10/TB"
    video = ("-vf", middle, "-frames:v", "10", "-r", str(FPS), "-c:v", "libx264", "-qp", "0")
    return made("empty-car-park", 1, ("-i", str(pedestrians())), video)


def difficult(what: Difficulty, *, gop_s: float = 2.0, size: str = "640x480", bitrate: str = "") -> Path:
    """A minute of it, variable rate unless `bitrate` (bit/s, as ffmpeg writes it) is given."""
    bitrate = bitrate or ("90k" if what == "pulses" else "")
    gop = str(round(gop_s * FPS))
    rate = ("-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate) if bitrate else ("-crf", "25")
    regular = ("-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-bf", "0")
    source, frames = _filmed(what)
    shown = f"{frames},setpts=N/{FPS}/TB,{_OVER[what]},scale={size.replace('x', ':')},setsar=1,format=yuv420p"
    video = ("-vf", shown, "-r", str(FPS), "-c:v", "libx264", "-preset", "veryfast")
    return made(f"{what}-{size}-{gop}-{bitrate or 'v'}", 60, ("-i", str(source)), (*video, *regular, *rate))


def _filmed(what: Difficulty) -> tuple[Path, str]:
    """The real frames, and how they go on for ever."""
    if what != "leaves":
        return empty_scene(), "loop=loop=-1:size=10"
    there_and_back = "trim=end=21,fps=10,split[a][b];[b]reverse[c];[a][c]concat,loop=loop=-1:size=420"
    return pedestrians().with_name("tree.avi"), there_and_back
