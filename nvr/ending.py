"""How a failed command ends: the one place that turns errors into a sentence and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from types import TracebackType

from crypto.errors import CryptoError, WrongIdentity
from nvr.errors import FAULT, RUNNING, STORE, WRONG_IDENTITY, NvrError
from pipeline.household.errors import ChangedMeanwhile, HouseholdError, ManifestMissing
from pipeline.index.errors import IndexFault
from pipeline.store.errors import AlreadyRunning, StoreError

EXPECTED = (NvrError, CryptoError, HouseholdError, StoreError, IndexFault, OSError)
_DISK = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO}


def sentence_and_code(error: BaseException) -> tuple[str, int]:
    """What to tell the person, and what to exit with, for an error of `EXPECTED`."""
    if isinstance(error, NvrError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return (
            f"{what}{error.strerror or 'input or output failed'}.",
            STORE if error.errno in _DISK else FAULT,
        )
    codes = {
        AlreadyRunning: RUNNING,
        ChangedMeanwhile: RUNNING,
        StoreError: STORE,
        IndexFault: STORE,
        ManifestMissing: STORE,
        WrongIdentity: WRONG_IDENTITY,
    }
    return sentence(str(error)), next(
        (code for kind, code in codes.items() if isinstance(error, kind)), FAULT
    )


def sentence(text: str) -> str:
    """The pipeline's messages are clauses for log lines; people get a sentence."""
    begun = text if text.startswith(("nvr ", "/")) else text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "?", "!")) else f"{begun}."


def say_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: a fault of ours, without the values that a message may hold."""
    if os.environ.get("NVR_TRACEBACK"):
        traceback.print_exception(kind, error, trace)
        return
    frames = traceback.extract_tb(trace)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    sys.stderr.write(
        f"Unexpected fault ({kind.__name__}{place}); this is ours to mend. Please report it. "
        "NVR_TRACEBACK=1 shows more: look for passwords in it before you send it.\n"
    )
