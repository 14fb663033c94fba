"""Where an error that nobody foresaw came from: file and line, never its text, which could hold anything."""

from __future__ import annotations


def place_of(error: BaseException) -> str:
    """The innermost file and line that `error` passed through."""
    trace, place = error.__traceback__, "an unknown place"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
