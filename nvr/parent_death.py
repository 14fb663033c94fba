"""A recorder must not outlive its supervisor: two of them would write one camera after a restart."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> bool:
    """From now on the kernel sends SIGTERM when the parent ends. False when `parent` is gone already.

    The parent's thread that started us is what counts: it must be one that lives as long as the process.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent
