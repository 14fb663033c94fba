"""The file SHA256SUMS, as `sha256sum -c` reads it. Pure.

One line for each file, in the order of their paths: 64 hexadecimal digits, two spaces, the path. No path of a
bundle has a character that `sha256sum` would write in another way.
"""

from __future__ import annotations

from collections.abc import Mapping


def sums_text(files: Mapping[str, str]) -> bytes:
    """The text for these digests by path. A bundle's file of that name holds exactly this."""
    return "".join(f"{files[path]}  {path}\n" for path in sorted(files)).encode("ascii")


def parse_sums(text: bytes) -> dict[str, str]:
    """The digests by path, as far as lines are whole; what is none is passed over. `sums_text` says if all
    was read.
    """
    found = {}
    for line in text.decode("ascii", "replace").split("\n"):
        digest, _, path = line.partition("  ")
        if len(digest) == 64 and path:
            found[path] = digest
    return found
