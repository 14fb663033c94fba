"""Asks the kernel whether its clock is synchronised (by any NTP client): `adjtimex` with nothing to set."""

from __future__ import annotations

import ctypes

_STA_UNSYNC, _TIME_ERROR = 0x40, 5
_STATUS_AT = 5  # in longs: behind modes, offset, freq, maxerror, esterror
_TIMEX_LONGS = 64  # struct timex has 26 on 64-bit Linux; generous, for the kernel writes into it


def kernel_synchronised() -> bool:
    """Whether an NTP client keeps the clock right. False where the kernel does not say. Does not block."""
    timex = (ctypes.c_long * _TIMEX_LONGS)()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except (OSError, AttributeError):
        return False
    status = ctypes.c_int.from_buffer(timex, _STATUS_AT * ctypes.sizeof(ctypes.c_long)).value
    return 0 <= state < _TIME_ERROR and not status & _STA_UNSYNC
