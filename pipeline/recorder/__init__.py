"""The recorder: the assembly of source, segmenter, mux, seal, store, index and tap for one camera."""

from pipeline.recorder.camera import Recorder, RecorderFailed
from pipeline.recorder.settings import RecorderSettings, always

__all__ = ["Recorder", "RecorderFailed", "RecorderSettings", "always"]
