"""Searches what processes leave behind for pieces of footage and for passwords.

    canaries = footage_canaries(info, packets) + password_canaries("eye", "secret")
    found = search(files_below(tmp_path) + open_files(pids), canaries)
    assert not found, found

Canaries are 16 bytes of footage with at least ten different values, so chance does not bring one about.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from pipeline.model import Packet, StreamInfo

CANARY_BYTES = 16
FEWEST_VALUES = 10
LEAST_BASE64 = 8


@dataclass(frozen=True, slots=True)
class Canary:
    """Bytes that must be nowhere, and what they are a piece of."""

    what: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A canary in a file. Never its bytes."""

    what: str
    place: str


def footage_canaries(info: StreamInfo, packets: Iterable[Packet]) -> list[Canary]:
    """Pieces of the parameter sets, and of each packet at several places."""
    found = _pieces("parameter sets", info.video.extradata)
    for packet in packets:
        kind = "keyframe" if packet.is_keyframe and packet.kind == "video" else packet.kind
        found += _pieces(str(kind), packet.data)
    return found


def _pieces(what: str, data: bytes) -> list[Canary]:
    last = len(data) - CANARY_BYTES
    places = {min(8, last), last // 4, last // 2, last * 3 // 4, last}
    pieces = {data[at : at + CANARY_BYTES] for at in places if at >= 0}
    return [Canary(what, piece) for piece in sorted(pieces) if len(set(piece)) >= FEWEST_VALUES]


def password_canaries(user: str, password: str) -> list[Canary]:
    """A password as it is, and in the forms in which programs write one down."""
    raw = password.encode()
    forms = {raw, quote(password, safe="").encode(), quote(password).encode(), quote_plus(password).encode()}
    forms |= {json.dumps(password)[1:-1].encode(), repr(password)[1:-1].encode(), raw.hex().encode()}
    forms |= {password.encode("latin-1"), password.encode("utf-16-le")}
    for before in (b"", b"1", b"12", f"{user}:".encode()):
        forms.add(_inner_base64(before, raw))
    return [Canary("password", form) for form in sorted(forms)]


def _inner_base64(before: bytes, raw: bytes) -> bytes:
    """The part of `before + raw` in base64 that does not depend on `before`, nor on what follows."""
    text = base64.b64encode(before + raw)
    first = -(-len(before) * 4 // 3) + (len(before) % 3 != 0)
    inner = text[first : (len(before) + len(raw)) // 3 * 4]
    assert len(inner) >= LEAST_BASE64, "the password is too short to be searched for"
    return inner


def files_below(*roots: Path) -> dict[str, bytes]:
    """Every regular file and its content; one that is gone meanwhile is left out."""
    found = {}
    for path in (path for root in roots for path in root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            try:
                found[str(path)] = path.read_bytes()
            except FileNotFoundError:
                continue
    return found


def family(pid: int) -> list[int]:
    """A process and everything it started, as far as it still lives."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        found += [one for child in children for one in family(int(child))]
    return found


def open_files(pid: int) -> dict[str, bytes]:
    """The regular files a process has open, also removed ones; its command and its environment."""
    found = {}
    for link in (Path(f"/proc/{pid}") / name for name in ("cmdline", "environ")):
        found[str(link)] = link.read_bytes()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if descriptor.is_file():
                found[f"{descriptor} -> {descriptor.readlink()}"] = descriptor.read_bytes()
        except OSError:
            continue  # closed meanwhile
    return found


def search(files: dict[str, bytes], canaries: Iterable[Canary]) -> list[Finding]:
    """Which canaries are in which files."""
    wanted = list(canaries)
    findings = {
        Finding(canary.what, place)
        for place, content in files.items()
        for canary in wanted
        if canary.data in content
    }
    return sorted(findings)


def content_canaries(what: str, content: bytes, every: int = 499) -> list[Canary]:
    """Pieces of a whole file, one in so many bytes; `every` is no multiple of anything that repeats."""
    pieces = {content[at : at + CANARY_BYTES] for at in range(0, len(content) - CANARY_BYTES, every)}
    return [Canary(what, piece) for piece in sorted(pieces) if len(set(piece)) >= FEWEST_VALUES]
