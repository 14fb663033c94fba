"""Asking people for secrets, without an echo and never on the command line; scripts name a file instead."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from nvr.errors import UsageFault

PASSPHRASE_FILE = "NVR_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
NEW_PASSPHRASE_FILE = "NVR_NEW_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
CAMERA_PASSWORD_FILE = "NVR_CAMERA_PASSWORD_FILE"  # noqa: S105 - the name of a variable
KEY_FILE_PROMPT = "The passphrase of your key file"
TRIES = 3


def secret_from_file(variable: str) -> str | None:
    """The first line of the file that an environment variable names; None when it is not set."""
    name = os.environ.get(variable)
    if not name:
        return None
    try:
        lines = Path(name).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageFault(f"Cannot read the file that {variable} names.") from None
    if not lines or not lines[0]:
        raise UsageFault(f"The file that {variable} names is empty.")
    return lines[0]


def passphrases(prompt: str) -> Iterator[str]:
    """The file's, else up to three answers. Raises `UsageFault` where nobody can be asked."""
    given = secret_from_file(PASSPHRASE_FILE)
    if given is not None:
        yield given
        return
    for attempt in range(TRIES):
        if attempt:
            click.echo("That passphrase does not fit.", err=True)
        yield ask_secret(prompt, PASSPHRASE_FILE)


def ask_secret(prompt: str, variable: str) -> str:
    """One answer, not echoed. Raises `UsageFault` without a terminal."""
    if not sys.stdin.isatty():
        raise UsageFault(
            f"{prompt} is needed and nobody can be asked; put it into a file and name it in {variable}."
        )
    answer: str = click.prompt(prompt, hide_input=True, err=True, default="", show_default=False)
    return answer
