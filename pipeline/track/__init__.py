"""From boxes to things: `Tracker` follows what was detected from look to look.

Why one of our own: those at hand (norfair, supervision, motpy, trackers) all bring SciPy and Matplotlib, 317
to 635 MB installed and 60 to 95 MB in memory beside numpy's, where the whole watcher has 250; norfair wants
an older numpy. None holds what stands still. What is needed of them is this package; it needs not even numpy.
"""

from pipeline.track.noun import Track
from pipeline.track.tracker import Tracker

__all__ = ["Track", "Tracker"]
