"""A member's key file: an age identity file, wrapped by a passphrase if there is one. Pure.

Rules:
- Stock age takes it as it is: what is ours stands in comments.
- Its comments name the household by its root digest, so that another one is noticed.
"""

from __future__ import annotations

import re
from datetime import datetime

from crypto.armor import armor
from crypto.header import RandomBytes
from crypto.identity import HybridIdentity, Identity, X25519Identity
from crypto.recipient import ScryptRecipient
from crypto.seal import seal_bytes

WORK_FACTOR = 16
_HOUSEHOLD = re.compile(r"\bhousehold ([0-9a-f]{64})\b")


def make_identity(random: RandomBytes, *, post_quantum: bool) -> Identity:
    """A new identity of the kind that the household takes."""
    return (HybridIdentity if post_quantum else X25519Identity).generate(random)


def key_file_lines(identity: Identity, member: str, root: bytes, made: datetime) -> str:
    """The text inside a key file. `made` is local time."""
    return f"# Sealed NVR: {member}, {made:%Y-%m-%d}\n# household {root.hex()}\n{identity}\n"


def root_in(text: str) -> bytes | None:
    """The household that a key file or a recovery sheet names; None when it names none."""
    found = _HOUSEHOLD.search(text)
    return bytes.fromhex(found[1]) if found else None


def wrapped(lines: str, passphrase: str, random: RandomBytes) -> str:
    """What the file holds: the lines sealed by the passphrase, or as they are when it is empty."""
    if not passphrase:
        return lines
    return armor(seal_bytes(lines.encode(), [ScryptRecipient(passphrase, WORK_FACTOR)], random))
