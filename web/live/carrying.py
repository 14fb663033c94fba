"""What WebRTC can carry of a stream. Pure."""

from __future__ import annotations

from pipeline.model import Codec, StreamInfo
from web.live.errors import Reason

OPUS_RATE = 48_000


def unfit(info: StreamInfo) -> Reason | None:
    """Why the stream cannot go by WebRTC; None if it can."""
    if info.video.codec is not Codec.H264:
        return Reason.H265
    return Reason.B_FRAMES if info.video.reorder else None


def carries_audio(info: StreamInfo) -> bool:
    """Whether the stream's sound can go by WebRTC as it is."""
    audio = info.audio
    return audio is not None and audio.codec is Codec.OPUS and audio.timescale == OPUS_RATE


def audio_note(info: StreamInfo, carried: bool) -> str:
    """What a viewer is told of the sound; empty when nothing is missing."""
    if info.audio is None or carried:
        return ""
    if carries_audio(info):
        return "This browser did not ask for sound."
    return f"The sound ({info.audio.codec.value}) cannot go by WebRTC; it plays by MSE."
