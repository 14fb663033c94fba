"""How to type `nvr` again: for the commands that we print, which must work when pasted."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def typed_command(*words: str | Path) -> str:
    """`nvr` with these words, quoted for a shell, so that it is the program running now."""
    return shlex.join([*_program(sys.argv[0]), *(str(word) for word in words)])


def _program(started_as: str) -> list[str]:
    program = Path(started_as)
    if program.name != "nvr":  # python -m nvr, or a test
        return [sys.executable, "-m", "nvr"]
    on_path = shutil.which("nvr")
    if on_path and Path(on_path).resolve() == program.resolve():
        return ["nvr"]
    return [str(program.absolute())]
