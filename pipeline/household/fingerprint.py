"""How people compare households: by the first 32 hexadecimal digits of version 1's digest, in fours. Pure."""

from __future__ import annotations

import re

from pipeline.household.errors import HouseholdError

SHOWN_DIGITS = 32
_GIVEN = re.compile("[0-9a-f]{32,64}")


def fingerprint(root: bytes) -> str:
    """A household's root digest as people see it: `9f3a 01c2 …`, eight groups of four digits."""
    digits = root.hex()[:SHOWN_DIGITS]
    return " ".join(digits[i : i + 4] for i in range(0, SHOWN_DIGITS, 4))


def given_fingerprint(text: str) -> str:
    """The 32 to 64 digits that a person typed; spaces and dashes are nothing. Raises HouseholdError."""
    digits = re.sub(r"[\s-]", "", text).lower()
    if not _GIVEN.fullmatch(digits):
        raise HouseholdError("that is no fingerprint of a household: it has 32 to 64 digits of 0-9 and a-f")
    return digits
