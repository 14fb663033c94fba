"""Where a picture has changed, but for noise, light and weather: at low resolution, in brightness alone.

Rules:
- The detector decides what is there; this only says where to look and when to wake. So a person 40 pixels
  high must not be missed, and what is wrongly said costs time, no event.
- What a stream does all the time is learnt: noise of each pixel, what flickers, the pulse of keyframes.
- A change of light is no motion. When the whole scene is another, that is said and learnt anew.
- What stands still for some time becomes background; until then it counts as motion.
"""

from pipeline.motion.detector import Motion, MotionDetector

__all__ = ["Motion", "MotionDetector"]
