"""What stands in the memory of a running process, read as root or its owner can."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def found_in_memory(pid: int, wanted: Iterable[bytes]) -> set[bytes]:
    """Which of these bytes stand in its writable memory now. Raises PermissionError, FileNotFoundError."""
    left, found = set(wanted), set[bytes]()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for first, last in _writable(pid):
            memory.seek(first)
            try:
                content = memory.read(last - first)
            except OSError:
                continue  # reserved and never touched, or gone meanwhile
            found |= {one for one in left if one in content}
    return found


def _writable(pid: int) -> list[tuple[int, int]]:
    mappings = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, rights, *_ = line.split()
        first, _, last = addresses.partition("-")
        if "w" in rights:
            mappings.append((int(first, 16), int(last, 16)))
    return mappings


def mapped_files(pid: int) -> set[str]:
    """The files that a process has loaded or mapped."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {fields[5] for line in lines if len(fields := line.split(maxsplit=5)) == 6 and fields[5][0] == "/"}
