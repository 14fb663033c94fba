"""Heads: what a member remembers of all chains, so that nobody can cut or rewrite them unnoticed. Pure.

A head is a canonical JSON noun; alone, or in a line that a member signed (purpose `head`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.errors import BadSignature
from crypto.signing import SignedLine, canonical
from pipeline.chain.log import Head
from pipeline.names import LAST_MS, NotAName, camera_name

PURPOSE = "head"
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = {"root", "device", "made_ms", "manifest", "cameras", "by"}


class NotAHead(ValueError):
    """The text holds no head; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Where all chains of a device stood at `made_ms`. `root` and `manifest` (version, digest) say which
    household it was; hex, empty and 0 where there was none. `by`: the member who signed, or empty.
    """

    root: str
    device: bytes
    made_ms: int
    manifest_version: int
    manifest_digest: str
    cameras: Mapping[str, Head]
    by: str = ""

    @property
    def noun(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {
            "root": self.root,
            "device": self.device.hex(),
            "made_ms": self.made_ms,
            "manifest": [self.manifest_version, self.manifest_digest],
            "cameras": {
                camera: {"number": head.number, "count": head.count, "head": head.head.hex()}
                for camera, head in self.cameras.items()
            },
            "by": self.by,
        }

    def __bytes__(self) -> bytes:
        return canonical(self.noun) + b"\n"


def parse_heads(content: bytes) -> tuple[Heads, SignedLine | None]:
    """The heads in a file, and its signed line if it is one, whose signature is not checked yet. Raises
    NotAHead.
    """
    stripped = content.strip()
    line = None
    try:
        if stripped.endswith(b"}"):
            noun = json.loads(stripped)
        else:
            line = SignedLine.parse(stripped)
            noun = line.noun
        return _heads(noun), line
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, BadSignature):
        raise NotAHead("This file holds no head, or it was changed: make one with nvr head.") from None


def _heads(noun: Any) -> Heads:
    version, digest = noun["manifest"]
    device = bytes.fromhex(noun["device"])
    cameras = {camera_name(camera): _head(head) for camera, head in noun["cameras"].items()}
    whole = set(noun) == _FIELDS and len(device) == 16 and isinstance(noun["by"], str)
    numbers = type(version) is int and type(noun["made_ms"]) is int and 0 <= noun["made_ms"] <= LAST_MS
    hashes = all(not text or _HASH.fullmatch(text) for text in (noun["root"], digest))
    if not (whole and numbers and hashes):
        raise NotAName("not a head")
    return Heads(noun["root"], device, noun["made_ms"], version, digest, cameras, noun["by"])


def _head(noun: Any) -> Head:
    number, count, head = noun["number"], noun["count"], noun["head"]
    if type(number) is not int or type(count) is not int or not _HASH.fullmatch(head) or len(noun) != 3:
        raise NotAName("not a head")
    return Head(number, count, bytes.fromhex(head))
