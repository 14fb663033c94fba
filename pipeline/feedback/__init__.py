"""What people taught a camera by saying that an event was wrong or right, and what follows from it.

Rules: only numbers that cannot be turned back into a picture are kept: a label, a coarse place and size, a
time of day, a score. Everything is listed and erasable. Neither numpy nor OpenCV is needed here.
"""

from __future__ import annotations

from pipeline.feedback.file import KeptFeedback, cameras_taught, feedback_path, load, save
from pipeline.feedback.rule import Feedback, Lesson, Verdict, lesson_of
from pipeline.feedback.written import NotFeedback

__all__ = [
    "Feedback",
    "KeptFeedback",
    "Lesson",
    "NotFeedback",
    "Verdict",
    "cameras_taught",
    "feedback_path",
    "lesson_of",
    "load",
    "save",
]
