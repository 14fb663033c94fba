"""Labels: one a line, as models come with them. Line 1 is class 0."""

from __future__ import annotations

from pathlib import Path

from pipeline.detect.errors import ModelError

NOTHING = ("???", "background", "__background__")
MOST_BYTES = 1_000_000


def read_labels(path: Path) -> tuple[str, ...]:
    """The lines in lower case; an empty one is a class without a name. Raises ModelError."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise ModelError(f"the labels {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"the labels {path} are not text: name a file with one label a line") from None
    labels = tuple(line.strip().lower() for line in text.rstrip().splitlines())
    if not any(labels):
        raise ModelError(f"the labels {path} are empty: write one label a line, in the model's order")
    return labels


def fitting(
    labels: tuple[str, ...], classes: int | None, has_background: bool, path: Path
) -> tuple[str, ...]:
    """The labels by class, whether or not the file names the background. Raises ModelError when there are too
    few.

    `classes` counts the background if `has_background`; None where the model does not say how many there are.
    """
    named = labels[1:] if labels[0] in NOTHING else labels
    by_class = (NOTHING[0], *named) if has_background else named
    if classes is not None and len(by_class) < classes:
        raise ModelError(
            f"the labels {path} are too few: the model knows {classes - has_background} things, "
            f"and the file names {len(named)}"
        )
    return by_class
