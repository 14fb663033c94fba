"""All generations that a person opens, as one identity.

Rules:
- The one that opened last is tried first: an hour of footage has one generation, maybe two, of many.
- It tells which generations have opened something since `begin`, for these must be what stands inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from crypto.header import Stanza
from crypto.recipient import Recipient
from nvr.keyholder.opening import OpenedGroup, Opening


class GroupIdentities:
    """Takes the place of `crypto.identity.Identity`. `faults` say which generations did not open."""

    def __init__(self, opening: Opening) -> None:
        """`opening` holds one generation at least."""
        self.faults = opening.faults
        self._in_order: list[OpenedGroup] = list(opening.groups)
        self._used: set[int] = set()

    @property
    def recipient(self) -> Recipient:
        """That of the generation which opened last."""
        return self._in_order[0].identity.recipient

    @property
    def generations(self) -> AbstractSet[int]:
        """The numbers of those that have opened something since `begin`."""
        return self._used

    def begin(self) -> None:
        """A new file follows."""
        self._used = set()

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See Identity."""
        for place, one in enumerate(self._in_order):
            file_key = one.identity.unwrap(stanzas)
            if file_key is not None:
                self._used.add(one.generation)
                if place:
                    self._in_order.insert(0, self._in_order.pop(place))
                return file_key
        return None
