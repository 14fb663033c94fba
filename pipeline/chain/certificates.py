"""Certificates: each day key vouches for its successor, and for what all chains were until then. Pure.

Rules:
- A certificate is a signed line (purpose `day`) that names a key and its number. The key of the number before
  signs it; the first of a series signs itself, and counts only if an owner listed its key.
- It commits itself to the START of every chain that goes on under the new key. So the end of yesterday stands
  under the signature of a key that is no more.
- Each names the digest of the one before: none can be left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.errors import BadSignature
from crypto.signing import SignedLine, sign
from pipeline.names import LAST_MS

PURPOSE = "day"
SET_BACK_MS = 3_600_000
_HASH = re.compile(r"[0-9a-f]{64}")
_DEVICE = re.compile(r"[0-9a-f]{32}")
_FIELDS = {"number", "key", "device", "at_ms", "previous", "commitments"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The key `public` (32 bytes) signs from `at_ms` on, in the files of that number. `previous`: the digest
    of the certificate before, empty for the first. `commitments`: digests of STARTs, sorted.
    """

    number: int
    public: bytes
    device: bytes
    at_ms: int
    previous: bytes = b""
    commitments: tuple[bytes, ...] = ()

    @property
    def noun(self) -> dict[str, Any]:
        """As it stands in the line."""
        return {
            "number": self.number,
            "key": self.public.hex(),
            "device": self.device.hex(),
            "at_ms": self.at_ms,
            "previous": self.previous.hex(),
            "commitments": sorted(commitment.hex() for commitment in self.commitments),
        }

    def signed(self, signer: Ed25519PrivateKey) -> SignedLine:
        """The line."""
        return sign(PURPOSE, self.noun, signer)


def parse_certificate(line: bytes) -> tuple[Certificate, SignedLine]:
    """The certificate in a line, whose signature is not checked yet. Raises BadSignature."""
    signed = SignedLine.parse(line)
    noun = signed.noun
    if not _is_certificate(noun):
        raise BadSignature("It is not the certificate of a day key.")
    commitments = tuple(bytes.fromhex(text) for text in noun["commitments"])
    return (
        Certificate(
            noun["number"],
            bytes.fromhex(noun["key"]),
            bytes.fromhex(noun["device"]),
            noun["at_ms"],
            bytes.fromhex(noun["previous"]),
            commitments,
        ),
        signed,
    )


def _is_certificate(noun: dict[str, Any]) -> bool:
    if set(noun) != _FIELDS or type(noun["number"]) is not int or type(noun["at_ms"]) is not int:
        return False
    texts, commitments = (noun["key"], noun["device"], noun["previous"]), noun["commitments"]
    if not all(isinstance(text, str) for text in texts) or not isinstance(commitments, list):
        return False
    if not all(isinstance(text, str) and _HASH.fullmatch(text) for text in commitments):
        return False
    in_order = commitments == sorted(set(commitments))
    numbers = noun["number"] >= 1 and 0 <= noun["at_ms"] <= LAST_MS
    fields = _HASH.fullmatch(texts[0]) and _DEVICE.fullmatch(texts[1])
    return bool(numbers and in_order and fields and (not texts[2] or _HASH.fullmatch(texts[2])))


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate as far as it can be trusted. `confirmed`: an owner listed the key its series began
    with.
    """

    certificate: Certificate
    line: SignedLine
    begins_series: bool
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The certificates that hold together, by number, and a clause for each fault."""

    known: dict[int, Known]
    faults: tuple[str, ...]
    unconfirmed: tuple[int, ...]
    """The numbers of series beginnings that no owner has confirmed."""
    set_back: tuple[tuple[int, int], ...] = ()
    """Keys that say they were made long before the one before them: number, and by how many ms."""

    @property
    def newest(self) -> int:
        """The highest number; 0 without any."""
        return max(self.known, default=0)


def judge(lines: Iterable[bytes], device: bytes, owners_keys: Collection[bytes] | None) -> Judged:
    """Judges all certificates of a device in their order. `owners_keys`: the keys that owners listed for it;
    None if nobody can say, and then every series counts as confirmed.
    """
    known: dict[int, Known] = {}
    faults: list[str] = []
    set_back: list[tuple[int, int]] = []
    last: Known | None = None
    for place, line in enumerate(lines, 1):
        try:
            found = _judge_one(line, device, last, owners_keys)
        except BadSignature as fault:
            faults.append(f"line {place} of the certificates: {str(fault).rstrip('.')}")
            continue
        faults += _order_faults(found, last)
        back_ms = last.certificate.at_ms - found.certificate.at_ms if last else 0
        if back_ms > SET_BACK_MS:
            set_back.append((found.certificate.number, back_ms))
        if found.certificate.number in known:
            faults.append(f"there are two certificates with the number {found.certificate.number}")
            continue
        known[found.certificate.number] = last = found
    unconfirmed = tuple(n for n, one in known.items() if one.begins_series and not one.confirmed)
    return Judged(known, tuple(faults), unconfirmed, tuple(set_back))


def _judge_one(
    line: bytes, device: bytes, last: Known | None, owners_keys: Collection[bytes] | None
) -> Known:
    certificate, signed = parse_certificate(line)
    if certificate.device != device:
        raise BadSignature("it is of another device.")
    follows = last is not None and last.certificate.number + 1 == certificate.number
    if last is not None and follows and _is_signed_by(signed, last.certificate.public):
        return Known(certificate, signed, False, last.confirmed)
    if _is_signed_by(signed, certificate.public):
        is_owned = owners_keys is None or certificate.public in owners_keys
        return Known(certificate, signed, True, is_owned)
    if last is not None and follows:
        raise BadSignature(
            f"certificate {certificate.number} is not signed by the key before it, which has been erased"
        )
    return Known(certificate, signed, True, False)  # who signed it is missing, and that is said


def _is_signed_by(signed: SignedLine, public: bytes) -> bool:
    try:
        signed.check(PURPOSE, public)
    except BadSignature:
        return False
    return True


def _order_faults(found: Known, last: Known | None) -> list[str]:
    certificate = found.certificate
    before = last.certificate.number if last else 0
    if certificate.number != before + 1:
        if certificate.number == before + 2:
            return [f"certificate {before + 1} is missing before {certificate.number}"]
        if certificate.number > before:
            missing = f"certificates {before + 1} to {certificate.number - 1}"
            return [f"{missing} are missing before {certificate.number}"]
        return [f"certificate {certificate.number} stands behind {before}"]
    if certificate.previous != (last.line.digest if last else b""):
        return [f"certificate {certificate.number} does not continue the one before it"]
    return []
