"""Invitations and requests from one person to another: text, file, or QR code. Overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import click

from nvr.errors import StoreTrouble, UsageFault
from nvr.qr import terminal_qr, write_text_or_picture

_LARGEST_TEXT_BYTES = 1 << 16


def text_of(given: str, *prefixes: str) -> str:
    """The text itself, or what stands in the file of that name. Raises UsageFault."""
    if given.strip().lower().startswith(prefixes):
        return given
    try:
        with Path(given).expanduser().open("rb") as file:
            return file.read(_LARGEST_TEXT_BYTES).decode("ascii")
    except UnicodeDecodeError:
        raise UsageFault(f"{given} is not a text that begins with {prefixes[0]}1.") from None
    except OSError as fault:
        raise UsageFault(
            f"That is neither a text that begins with {prefixes[0]}1 nor a file that can be read "
            f"({fault.strerror})."
        ) from None


def refuse_taken(output: Path | None) -> None:
    """Raises UsageFault when there is such a file already."""
    if output is not None and output.exists():
        raise UsageFault(f"{output} exists already; choose another name.")


def hand_out(text: str, output: Path | None) -> None:
    """Prints the text and its code, or writes one of them. Raises UsageFault, StoreTrouble."""
    if output is None:
        click.echo(text)
        code = terminal_qr(text)
        if code:
            click.echo(f"\n{code}")
        return
    refuse_taken(output)
    try:
        write_text_or_picture(output, text)
    except OSError as fault:
        raise StoreTrouble(f"Cannot write {output}: {fault.strerror}.") from None
    click.echo(f"Written to {output}.")
