"""Our age as a program, to stand beside `age`: `python -m bench.seal_file seal RECIPIENT IN OUT`, or
`open IDENTITY_FILE IN OUT`.
"""

from __future__ import annotations

import sys
from pathlib import Path

_READ_BYTES = 1 << 20


def seal(recipient: str, source: Path, target: Path) -> None:
    """Seals a file as a recorder seals: bytes are pushed as they come."""
    from crypto.recipient import parse_recipient
    from crypto.seal import SealWriter

    with source.open("rb", buffering=0) as reading, target.open("wb", buffering=0) as writing:
        writer = SealWriter([parse_recipient(recipient)], writing.write)
        buffer = bytearray(_READ_BYTES)
        while count := reading.readinto(buffer):
            writer.write(memoryview(buffer)[:count])
        writer.finish()


def unseal(identity: Path, source: Path, target: Path) -> None:
    """Opens a file as an export does: chunk by chunk, each verified before it is written."""
    from crypto.identity import parse_identities
    from crypto.unseal import open_stream

    identities = parse_identities(identity.read_text("ascii"))
    with source.open("rb") as reading, target.open("wb", buffering=0) as writing:
        for chunk in open_stream(reading, identities):
            writing.write(chunk)


if __name__ == "__main__":
    action, whom, given, wanted = sys.argv[1:]
    if action == "seal":
        seal(whom, Path(given), Path(wanted))
    else:
        unseal(Path(whom), Path(given), Path(wanted))
