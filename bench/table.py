"""The table of results: rows, and their Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

_HEADINGS = ("what", "ours", "alternative", "ratio", "goal", "met?")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: at most or at least `limit`, in the figure's unit."""

    bound: Literal["≤", "≥"]
    limit: float
    unit: str = ""

    def met(self, figure: float) -> bool:
        """Whether `figure` is on the right side."""
        return figure <= self.limit if self.bound == "≤" else figure >= self.limit

    def __str__(self) -> str:
        return f"{self.bound} {self.limit:,g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `figure` is what the goal speaks of; `ratio` only what the column shows."""

    what: str
    ours: str
    alternative: str = "–"
    ratio: float | None = None
    goal: Goal | None = None
    figure: float | None = None

    def cells(self) -> tuple[str, ...]:
        """The columns' texts."""
        met = "–"
        if self.goal is not None and self.figure is not None:
            met = "yes" if self.goal.met(self.figure) else "**no**"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f} ×"
        return (self.what, self.ours, self.alternative, ratio, str(self.goal or "–"), met)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a section found: rows, and notes that explain them."""

    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())


def markdown(findings: Sequence[Findings]) -> str:
    """All rows as one table, the notes below."""
    cells = [_HEADINGS, *(row.cells() for found in findings for row in found.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {note}" for found in findings for note in found.notes]
    return "\n".join([*lines, "", *notes]).rstrip() + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
