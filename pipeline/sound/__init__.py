"""Sound: when a camera hears something much louder than what is usual around it.

Rules: no sound is kept, only how loud it was. Audio is decoded only where somebody asked for it.
"""

from __future__ import annotations

from pipeline.sound.decoding import Loudness
from pipeline.sound.levels import LoudSpan

__all__ = ["LoudSpan", "Loudness"]
