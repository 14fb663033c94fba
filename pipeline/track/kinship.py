"""Which labels may be one thing that the model is not sure of, and the vote on it."""

from __future__ import annotations

FAMILIES = (
    frozenset({"car", "vehicle", "truck", "bus", "van", "train"}),
    frozenset({"bicycle", "motorcycle", "stationary bicycle"}),
    frozenset({"cat", "dog", "cattle", "cow", "horse", "sheep", "bear"}),
)
MEMORY = 0.9  # a vote's weight is multiplied by that with each later one: about the last ten decide


def are_kin(one: str, other: str) -> bool:
    """Whether both may be said of one thing."""
    return one == other or any(one in family and other in family for family in FAMILIES)


class Votes:
    """What looks said a thing is, weighed by score."""

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}

    def add(self, label: str, score: float) -> None:
        """One look's vote. Older ones fade."""
        for name in self._weights:
            self._weights[name] *= MEMORY
        self._weights[label] = self._weights.get(label, 0.0) + score

    @property
    def label(self) -> str:
        """The winner; the one that was named first where two are equal."""
        return max(self._weights, key=lambda name: self._weights[name])
