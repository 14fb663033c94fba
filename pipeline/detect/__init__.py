"""What is in a picture: `Detector`, where it looks, and the one queue that all cameras share."""

from pipeline.detect.detector import Detector
from pipeline.detect.errors import ModelError
from pipeline.detect.queue import InferenceQueue, Job
from pipeline.detect.regions import plan_regions

__all__ = ["Detector", "InferenceQueue", "Job", "ModelError", "plan_regions"]
