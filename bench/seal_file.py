"""Our age as a program, to stand beside `age`: `python -m bench.seal_file seal RECIPIENT IN OUT`, or
`open IDENTITY_FILE IN OUT`.
"""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

from bench.programs import WORKED
from crypto.recipient import parse_recipient
from crypto.seal import SealWriter


def seal(recipient: str, source: Path, target: Path) -> None:
    """Seals a file by the push writer."""
    with source.open("rb") as reading, target.open("wb", buffering=0) as writing:
        writer = SealWriter([parse_recipient(recipient)], writing.write)
        # Mapped, for a recorder's bytes are in its memory as well: nothing of reading is in the figure.
        plain = mmap.mmap(reading.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
        writer.write(memoryview(plain))
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
    began_s = time.process_time()
    if action == "seal":
        seal(whom, Path(given), Path(wanted))
    else:
        unseal(Path(whom), Path(given), Path(wanted))
    print(f"{WORKED}{time.process_time() - began_s}")
