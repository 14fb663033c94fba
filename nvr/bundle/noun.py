"""A verdict for programs: the stable shape of `nvr verify BUNDLE --json`. Pure.

Times are UTC milliseconds; null is what is not known.
"""

from __future__ import annotations

from typing import Any

from nvr.bundle.document import Document
from nvr.bundle.verdict import StreamProof, Verdict


def noun_of(verdict: Verdict) -> dict[str, Any]:
    """What `json.dumps` takes."""
    return {
        "sound": verdict.is_sound,
        "fingerprint": verdict.fingerprint,
        "root_given": verdict.root_given,
        "findings": [
            {"path": one.path, "text": one.text, "left_out": one.left_out} for one in verdict.findings
        ],
        "bundle": _document(verdict.document) if verdict.document else None,
        "streams": [_stream(one) for one in verdict.streams],
        "signed_ms": verdict.signed_ms or None,
        "members": list(verdict.members),
    }


def _document(document: Document) -> dict[str, Any]:
    return {
        "camera": document.camera,
        "from_ms": document.from_ms,
        "to_ms": document.to_ms,
        "made_ms": document.made_ms,
        "by": document.by,
        "device": document.device.hex(),
    }


def _stream(proof: StreamProof) -> dict[str, Any]:
    return {
        "stream": proof.stream,
        "recorded": proof.recorded,
        "present": proof.present,
        "first_ms": proof.first_ms if proof.present else None,
        "last_ms": proof.last_ms if proof.present else None,
        "whole": proof.whole,
        "begins": proof.begins,
        "ends": proof.ends,
        "unsigned": proof.unsigned,
        "found_at_start": proof.found_later,
        "clock_unsure": proof.clock_unsure,
        "unfinished": proof.unfinished,
        "gaps": [{"at_ms": one.at_ms, "reason": one.reason} for one in proof.stops],
        "expired": [{"first": one.first, "count": one.count, "reason": one.reason} for one in proof.expired],
        "unnamed": list(proof.unnamed),
    }
