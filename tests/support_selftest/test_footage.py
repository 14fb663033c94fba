"""The clips are what their names say, by ffprobe's word."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support import footage


def probe(path: Path) -> dict[str, dict[str, str]]:
    """ffprobe's streams by kind, packets counted."""
    command = ("ffprobe", "-v", "error", "-count_packets", "-show_streams", "-of", "json", str(path))
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return {stream["codec_type"]: stream for stream in json.loads(done.stdout)["streams"]}


def keyframes(path: Path) -> list[int]:
    """The numbers of the packets that are keyframes."""
    command = (
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        "packet=flags",
        "-of",
        "csv=p=0",
    )
    done = subprocess.run((*command, str(path)), capture_output=True, text=True, timeout=30, check=True)
    return [number for number, flags in enumerate(done.stdout.split()) if "K" in flags]


@pytest.mark.parametrize(
    ("codec", "audio", "b_frames", "names"),
    [
        ("h264", None, False, ("h264", None)),
        ("h264", "aac", False, ("h264", "aac")),
        ("h264", "opus", True, ("h264", "opus")),
        ("h264", "pcmu", False, ("h264", "pcm_mulaw")),
        ("h265", None, False, ("hevc", None)),
        ("h265", "pcma", True, ("hevc", "pcm_alaw")),
    ],
)
def test_clip_is_what_was_asked_for(
    codec: footage.VideoCodec,
    audio: footage.AudioCodec | None,
    b_frames: bool,
    names: tuple[str, str | None],
) -> None:
    path = footage.clip(codec, audio=audio, b_frames=b_frames)
    streams = probe(path)
    assert streams["video"]["codec_name"] == names[0]
    assert (int(streams["video"]["has_b_frames"]) > 0) == b_frames
    assert streams["video"]["nb_read_packets"] == "500"
    assert keyframes(path) == list(range(0, 500, 25))
    assert streams.get("audio", {}).get("codec_name") == names[1]
    assert 0.8e6 < int(streams["video"]["bit_rate"]) < 1.2e6


def test_quiet_clip_is_quiet() -> None:
    assert 15_000 < int(probe(footage.quiet_clip())["video"]["bit_rate"]) < 45_000


def test_same_recipe_is_made_once() -> None:
    first = footage.clip()
    made = first.stat().st_mtime_ns
    assert footage.clip() == first
    assert first.stat().st_mtime_ns == made
    assert footage.clip(size="320x180", seconds=4) != first


def test_failing_recipe_is_said_and_leaves_nothing() -> None:
    with pytest.raises(RuntimeError, match="ffmpeg could not make"):
        footage.clip(bitrate="notabitrate")
    assert not list(footage.FOOTAGE.glob("*notabitrate*"))
