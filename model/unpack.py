"""Takes the default detector's model and its labels out of MediaPipe's package: `python model/unpack.py
PACKED TARGET`.

The package is checked by npm against model/package-lock.json; the model is checked here once more by its own
hash, so that nothing else can become what every camera is looked at with. Used when Sealed NVR is built,
never later.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

LABELS = slice(0, 184)
MODEL = slice(184, 9_987_912)
MODEL_SHA256 = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"


def unpack(packed: Path, target: Path) -> None:
    """Writes `target` (a .tflite file) and its labels beside it (.txt). Exits when it is another model."""
    everything = packed.read_bytes()
    digest = hashlib.sha256(everything[MODEL]).hexdigest()
    if digest != MODEL_SHA256:
        sys.exit(f"{packed} holds another model than the one that was chosen: its SHA-256 is {digest}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target.with_suffix(".txt"), everything[LABELS].rstrip(b"\n") + b"\n")
    _write(target, everything[MODEL])


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: an interrupted `make` must not take a stump for the model."""
    unfinished = path.with_name(f"{path.name}.making")
    unfinished.write_bytes(content)
    unfinished.replace(path)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
