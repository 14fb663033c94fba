"""Texts as QR codes: on a terminal that is wide enough, or as a picture. In capitals, which is shorter."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import segno

PICTURES = frozenset({".png", ".svg"})
_BORDER = 2


def terminal_qr(text: str, columns: int | None = None) -> str:
    """The code in half blocks; empty where it would not fit, or where nobody looks."""
    if columns is None:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    code = segno.make_qr(text.upper(), error="m")
    if code.symbol_size(border=_BORDER)[0] > columns:
        return ""
    drawn = io.StringIO()
    code.terminal(out=drawn, border=_BORDER, compact=True)
    return drawn.getvalue()


def write_text_or_picture(file: Path, text: str) -> None:
    """The text and a line end, or its code when the file's name ends in .png or .svg. Raises OSError."""
    if file.suffix.lower() not in PICTURES:
        with file.open("x", encoding="ascii") as opened:
            opened.write(f"{text}\n")
        return
    drawn = io.BytesIO()
    segno.make_qr(text.upper(), error="m").save(drawn, kind=file.suffix.lower()[1:], scale=6)
    with file.open("xb") as picture:
        picture.write(drawn.getvalue())
