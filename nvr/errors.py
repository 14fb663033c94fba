"""What can go wrong for the person at the keyboard: one sentence, what to do, and the exit code it ends with.

No message ever holds a password, a passphrase, an identity, or an address with a password in it.
"""

from __future__ import annotations

FAULT = 1  # in what was asked for: damaged footage, a camera that does not answer
USAGE = 2  # wrong use or a faulty configuration
WRONG_IDENTITY = 3  # nothing opened
STORE = 4  # store missing, disk
RUNNING = 5  # somebody else is already doing it


class NvrError(Exception):
    """Base of what commands raise. The text is shown as it is; `exit_code` is what the process ends with."""

    exit_code = FAULT


class UsageFault(NvrError):
    """What was typed cannot be done as it stands."""

    exit_code = USAGE


class NothingOpened(NvrError):
    """The identity that was given opens nothing here."""

    exit_code = WRONG_IDENTITY


class StoreTrouble(NvrError):
    """The store is not there, or the disk refuses."""

    exit_code = STORE


class AlreadyRunning(NvrError):
    """Another process holds what only one may hold."""

    exit_code = RUNNING
