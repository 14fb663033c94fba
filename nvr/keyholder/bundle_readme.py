"""README.txt of a bundle, for a police officer or an insurer. Pure.

It is text of at most 110 columns and plain words; every command in it is run by a test.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files
from string import Template

from nvr.bundle.document import Document
from nvr.bundle.telling import stream_facts
from nvr.bundle.verdict import StreamProof
from pipeline.household.fingerprint import fingerprint

HYBRID_AGE = ", version 1.3 or newer"
_COLUMNS = 78


@dataclass(frozen=True, slots=True)
class ReadmeFacts:
    """What the text says beside the document: the folder's name, the identity's, and what is in there."""

    folder: str
    identity: str
    streams: Sequence[StreamProof]
    signed_ms: int
    post_quantum: bool
    zone: tzinfo


def readme(document: Document, facts: ReadmeFacts) -> str:
    """The text, which ends with a line feed."""
    broken_off = [path for path in sorted(document.files) if ".u.mp4" in path or ".cu.mp4" in path]
    values = {
        "camera": document.camera,
        "from": _at(document.from_ms, UTC),
        "to": _at(document.to_ms, UTC),
        "local_from": _at(document.from_ms, facts.zone),
        "local_to": _at(document.to_ms, facts.zone),
        "made": _at(document.made_ms, UTC),
        "by": document.by,
        "root": fingerprint(document.root),
        "folder": facts.folder,
        "identity": facts.identity,
        "age_version": HYBRID_AGE if facts.post_quantum else "",
        "facts": _facts(document, facts),
        "identity_path": shlex.quote(f"../{facts.identity}"),
        "folder_path": shlex.quote(facts.folder),
        "example": broken_off[0] if broken_off else "",
    }
    values["unfinished"] = _text("bundle-readme-unfinished.txt").substitute(values) if broken_off else ""
    return _text("bundle-readme.txt").substitute(values)


def _facts(document: Document, facts: ReadmeFacts) -> str:
    lines = [line for proof in facts.streams for line in stream_facts(proof, document)]
    if facts.signed_ms:
        lines.append(f"The recorder last signed these records at {_at(facts.signed_ms, UTC)}.")
    else:
        lines.append("Nothing here bears the recorder's signature yet: ask for a bundle made later.")
    return "\n".join(wrapped for line in lines for wrapped in _wrapped(line))


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, _COLUMNS, initial_indent="", subsequent_indent=indent + "  ")


def _at(at_ms: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, zone):%Y-%m-%d %H:%M:%S %Z}"


@cache
def _text(name: str) -> Template:
    return Template(files("nvr.keyholder").joinpath(name).read_text("utf-8"))
