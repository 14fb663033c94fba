"""Memory goes back to the machine when frames go: glibc would keep it for each thread.

glibc takes pieces above a threshold from the kernel one by one and gives them back; but with the first piece
that is given back, the threshold rises to its size (mallopt(3), M_MMAP_THRESHOLD), and from then on frames
come from what each camera's thread keeps. A threshold that is set does not rise.
"""

from __future__ import annotations

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 1_000_000  # less than a plane of 1080p, more than what motion computes with


def give_back_frames() -> None:
    """For the whole process. Another C library than glibc does not know it, and needs it less."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
