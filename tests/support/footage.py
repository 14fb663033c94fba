"""Test clips, made once by Debian's ffmpeg from the real street clip and kept in build/footage/.

The name of a clip holds a digest of the command that makes it, so a changed recipe makes a new clip. Clips
are written beside their place and renamed, so tests may ask for the same one at the same time. Every clip
starts with a keyframe and has whole closed GOPs of constant length, so it can be looped by copying packets.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]
STREET = ROOT / "nvr" / "assets" / "street.mp4"
FOOTAGE = ROOT / "build" / "footage"
MAKING_TIMEOUT_S = 170
# From second 10 to 13 the noise is 30 dB stronger: a shout in a quiet yard.
QUIET_WITH_A_SHOUT = (
    "anoisesrc=amplitude=0.01:seed=7[a];anoisesrc=amplitude=0.3:seed=8,"
    "volume='between(t,10,13)':eval=frame[b];[a][b]amix=normalize=0"
)
TONE_AND_NOISE = "sine=frequency=440:beep_factor=4[a];anoisesrc=amplitude=0.05:seed=7[b];[a][b]amix"

_SHARP = (
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-crf",
    "18",
    "-g",
    "20",
    "-bf",
    "0",
    "-pix_fmt",
    "yuv420p",
)

VideoCodec = Literal["h264", "h265"]
AudioCodec = Literal["aac", "opus", "pcmu", "pcma"]

_AUDIO: dict[AudioCodec, tuple[str, ...]] = {
    "aac": ("-c:a", "aac", "-ar", "48000", "-b:a", "64k"),
    "opus": ("-c:a", "libopus", "-ar", "48000", "-b:a", "32k"),
    "pcmu": ("-c:a", "pcm_mulaw", "-ar", "8000"),
    "pcma": ("-c:a", "pcm_alaw", "-ar", "8000"),
}


def pedestrians() -> Path:
    """OpenCV's `vtest.avi`, from Debian's package `opencv-doc`: installed, or unpacked in build/assets/."""
    inside = Path("usr/share/doc/opencv-doc/examples/data/vtest.avi")
    for root in (Path("/"), ROOT / "build" / "assets" / "opencv-doc"):
        if (root / inside).is_file():
            return root / inside
    raise RuntimeError("vtest.avi is missing; Debian's package opencv-doc has it: make debian-packages")


def clip(
    codec: VideoCodec = "h264",
    *,
    audio: AudioCodec | None = None,
    b_frames: bool = False,
    gop_s: float = 1.0,
    size: str = "640x360",
    fps: int = 25,
    bitrate: str = "1M",
    seconds: int = 20,
) -> Path:
    """The path of a clip of the street, made if needed: MP4, or MOV with G.711, which MP4 cannot hold."""
    wide = size.replace("x", ":")
    picture = ("-stream_loop", "-1", "-i", str(STREET))
    shape = f"scale={wide}:force_original_aspect_ratio=increase,crop={wide},fps={fps},setsar=1,format=yuv420p"
    encoder = _encoder(codec, round(gop_s * fps), b_frames, bitrate)
    bframes = "-b" if b_frames else ""
    name = f"{codec}{bframes}-{audio or 'silent'}-{size}-{fps}-{bitrate}-{seconds}s"
    return _made(name, audio, seconds, picture, ("-vf", shape, *encoder))


def benchmark_clip() -> Path:
    """1080p30 at 4 Mbit/s H.264 with AAC, 60 s, a keyframe every 2 s: what a common good camera sends."""
    return clip(audio="aac", gop_s=2.0, size="1920x1080", fps=30, bitrate="4M", seconds=60)


def quiet_clip(audio: AudioCodec | None = None, sound: str = TONE_AND_NOISE) -> Path:
    """A standing picture at some 30 kbit/s: a 640x360 camera at night, where nothing moves."""
    picture = ("-i", str(STREET))
    standing = "trim=end_frame=1,loop=loop=-1:size=1,settb=1/25,setpts=N"
    shape = f"scale=640:360,{standing},gblur=sigma=2,setsar=1,format=yuv420p"
    encoder = ("-r", "25", *_encoder("h264", 100, False, None), "-crf", "22")
    return _made(f"quiet-{audio or 'silent'}", audio, 20, picture, ("-vf", shape, *encoder), sound)


def pedestrians_clip(seconds: int = 14) -> Path:
    """People who walk over a car park, seen by a fixed camera (768x576, 10 fps)."""
    return _made(f"pedestrians-{seconds}s", None, seconds, ("-i", str(pedestrians())), _SHARP)


def poster_clip(seconds: int = 9) -> Path:
    """The same; from second 3 to 9 a life-size picture of a walker, cut out of it, sways on the lawn."""
    walker = "trim=start_frame=20:end_frame=21,crop=48:116:682:266,loop=loop=-1:size=1,setpts=N/10/TB"
    sways = "overlay=x='150+10*sin(2*PI*0.7*t)':y=330:enable='between(t,3,9)'"
    video = ("-vf", f"split[a][b];[b]{walker}[p];[a][p]{sways},format=yuv420p", *_SHARP)
    return _made(f"poster-{seconds}s", None, seconds, ("-i", str(pedestrians())), video)


def made(name: str, seconds: int, picture: Sequence[str], video: Sequence[str]) -> Path:
    """A silent clip by a recipe of one's own: what ffmpeg reads, and how it filters and encodes it."""
    return _made(name, None, seconds, picture, video)


def _encoder(codec: VideoCodec, gop: int, b_frames: bool, bitrate: str | None) -> tuple[str, ...]:
    rate = ("-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate) if bitrate else ()
    reordered = 2 if b_frames else 0
    if codec == "h265":
        strict = f"bframes={reordered}:keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:log-level=error"
        return ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", strict, "-tag:v", "hvc1", *rate)
    regular = ("-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", "-bf", str(reordered))
    return ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", *regular, *rate)


def _made(
    name: str,
    audio: AudioCodec | None,
    seconds: int,
    picture: Sequence[str],
    video: Sequence[str],
    heard: str = TONE_AND_NOISE,
) -> Path:
    sound: tuple[str, ...] = ()
    kept: tuple[str, ...] = ("-an",)
    if audio:
        sound = ("-f", "lavfi", "-i", heard)
        kept = ("-map", "1:a", "-ac", "1", *_AUDIO[audio])
    ending = "mov" if audio in ("pcmu", "pcma") else "mp4"
    recipe = (
        *picture,
        *sound,
        "-map",
        "0:v",
        *video,
        *kept,
        "-t",
        str(seconds),
        "-map_metadata",
        "-1",
        "-f",
        ending,
    )
    digest = hashlib.sha256("\0".join(recipe).replace(str(ROOT), "").encode()).hexdigest()[:10]
    path = FOOTAGE / f"{name}-{digest}.{ending}"
    if not path.exists():
        _make(recipe, path)
    return path


def _make(recipe: Sequence[str], path: Path) -> None:
    FOOTAGE.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=FOOTAGE, suffix=".making")
    os.close(handle)
    unfinished = Path(name)
    command = ("ffmpeg", "-v", "error", "-nostdin", "-y", *recipe, name)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAKING_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"ffmpeg could not make the test clip {path.name}: {done.stderr.strip()}")
        unfinished.chmod(0o644)  # mkstemp makes 0600; another user may run the tests next
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
