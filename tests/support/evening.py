"""What a household does in an evening, as a program: `python -m tests.support.evening PLACE`.

A camera by RTSP is recorded, then every kind of command is used once. Says `done` at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.faulty import faulty_camera
from tests.support.footage import clip
from tests.support.household import make_household, until


def main(place: str) -> None:
    """Raises AssertionError when anything fails."""
    house = make_household(Path(place))
    with faulty_camera({"main": clip(audio="aac", seconds=6)}) as lens:
        house.add("front", url=lens.url("main"))
        with house.running() as run:
            until(lambda: len(house.segments("front")) >= 2, 60, run.log)
            house.json("status")
        tested = house.nvr("camera", "test", lens.url("main"))
        assert tested.returncode == 0, tested.stderr
    out = str(house.directory / "out.mp4")
    span = ("--camera", "front", "--from", "-5m", "--to", "now")
    for words in (
        ("camera", "list"),
        ("list", "--camera", "front"),
        ("check",),
        ("index", "rebuild"),
        ("hold", *span),
        ("export", *span, "--identity", str(house.key_file), "-o", out),
    ):
        done = house.nvr(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
