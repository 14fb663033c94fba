"""Sealing a sealed file to somebody else: a new header with the same file key, before the payload as it is.

Rules:
- Whoever could open the old file can make the new header; the payload is never opened, and not one byte of it
  changes. So the copy is shown to hold what the original held.
- Classic stays classic and post-quantum stays post-quantum: a copy is no weaker than its original, and its
  header is as long (168 bytes, or about 1.6 kB).
- The file key is drawn from the old header, wrapped, and forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from crypto import hybrid
from crypto.errors import BadRecipient
from crypto.header import Header, RandomBytes, make_header
from crypto.identity import Identity
from crypto.recipient import Recipient
from crypto.unseal.opening import file_key_of


def rewrap(
    header: Header, identities: Sequence[Identity], recipient: Recipient, random: RandomBytes = os.urandom
) -> Header:
    """The header that, in the place of `header`, lets `recipient` open the file.

    Raises WrongIdentity, DamagedHeader or HeaderMac for a header that `identities` do not open, BadRecipient
    for a recipient of the other kind.
    """
    file_key = file_key_of(header, identities)
    if recipient.post_quantum != is_hybrid(header):
        raise BadRecipient(
            "A file is sealed anew only to a recipient of its own kind: "
            "post-quantum (age1pq1…) stays post-quantum, classic (age1…) stays classic."
        )
    return make_header([recipient.wrap(file_key, random)], file_key)


def is_hybrid(header: Header) -> bool:
    """Whether the file is sealed to post-quantum recipients."""
    return any(stanza.args[0] == hybrid.STANZA_KIND for stanza in header.stanzas)
