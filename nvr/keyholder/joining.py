"""Joining without a network: an invitation goes one way and a request comes back, each a line of text. Pure.

Rules:
- Both are Bech32, so that a wrong letter is noticed; in capitals it is the same text, shorter as a QR code.
- An invitation says which household is meant. Nothing in it is secret.
- A request is signed by the member key that it names: nobody asks in the name of somebody else's key. Whose
  it is, only people can tell: they compare its fingerprint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from crypto import bech32
from crypto.errors import BadRecipient, BadSignature, CryptoError
from crypto.hybrid import HybridRecipient
from crypto.identity import Identity
from crypto.member_key import member_key, member_public
from crypto.recipient import PREFIX as CLASSIC_PREFIX
from crypto.recipient import X25519Recipient, parse_recipient
from crypto.signing import SignedLine, canonical, sign
from nvr.errors import UsageFault
from pipeline.household.fingerprint import SHOWN_DIGITS

INVITATION = "nvr-invite"
REQUEST = "nvr-join"
PURPOSE = "join"
_CLASSIC, _POST_QUANTUM = 0, 1
_DIGEST_BYTES = 32
_SIGNED_BYTES = 32 + _DIGEST_BYTES + 64  # member key, root, signature


@dataclass(frozen=True, slots=True)
class Invitation:
    """Which household a newcomer is asked into, and which kind of recipient it takes."""

    root: bytes
    post_quantum: bool

    def __str__(self) -> str:
        return bech32.encode(INVITATION, bytes([self.post_quantum]) + self.root)

    @classmethod
    def parse(cls, text: str) -> Invitation:
        """The invitation that a text spells. Raises UsageFault."""
        data = _decoded(text, INVITATION, "an invitation")
        if len(data) != 1 + _DIGEST_BYTES or data[0] not in (_CLASSIC, _POST_QUANTUM):
            raise _wrong("an invitation", "it is of a kind that this program does not know")
        return cls(data[1:], data[0] == _POST_QUANTUM)


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A newcomer's recipient and member key (32 bytes), for the household with this root digest."""

    recipient: str
    member_key: bytes
    root: bytes
    signature: bytes

    @classmethod
    def make(cls, identity: Identity, root: bytes) -> JoinRequest:
        """The request of whoever holds `identity`."""
        recipient, public = str(identity.recipient), member_public(identity)
        line = sign(PURPOSE, _noun(recipient, public, root), member_key(identity))
        return cls(recipient, public, root, line.signature)

    def __str__(self) -> str:
        prefix, public = bech32.decode(self.recipient)
        kind = _CLASSIC if prefix == CLASSIC_PREFIX else _POST_QUANTUM
        return bech32.encode(REQUEST, bytes([kind]) + public + self.member_key + self.root + self.signature)

    @property
    def fingerprint(self) -> str:
        """What both sides compare: 32 hexadecimal digits, in fours."""
        return fingerprint_of(canonical(_noun(self.recipient, self.member_key, self.root)))

    @classmethod
    def parse(cls, text: str) -> JoinRequest:
        """The request that a text spells, its signature checked. Raises UsageFault."""
        data = _decoded(text, REQUEST, "a request to join")
        public, rest = data[1:-_SIGNED_BYTES], data[-_SIGNED_BYTES:]
        try:
            if data[0] not in (_CLASSIC, _POST_QUANTUM) or len(rest) != _SIGNED_BYTES:
                raise BadRecipient("kind")
            recipient = str((HybridRecipient if data[0] else X25519Recipient)(public))
        except (BadRecipient, IndexError):
            raise _wrong("a request to join", "it does not hold a recipient that can be sealed to") from None
        request = cls(recipient, rest[:32], rest[32:64], rest[64:])
        request.check()
        return request

    def check(self) -> None:
        """Returns if the member key that stands in it has signed it. Raises UsageFault."""
        noun = _noun(self.recipient, self.member_key, self.root)
        try:
            SignedLine(noun, canonical(noun), self.signature).check(PURPOSE, self.member_key)
        except BadSignature:
            raise _wrong("a request to join", "its signature does not fit what it asks for") from None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to approve. `member_key` is empty for a plain age recipient; `root` is None then."""

    recipient: str
    member_key: bytes = b""
    root: bytes | None = None
    fingerprint: str = ""


def newcomer(text: str) -> Newcomer:
    """Whom a request, or a plain recipient (`age1…`), stands for. Raises UsageFault."""
    stripped = _one_line(text)
    if not stripped.lower().startswith("age"):
        request = JoinRequest.parse(stripped)
        return Newcomer(request.recipient, request.member_key, request.root, request.fingerprint)
    try:
        recipient = str(parse_recipient(stripped))
    except CryptoError as fault:
        raise UsageFault(str(fault)) from None
    return Newcomer(recipient, fingerprint=fingerprint_of(recipient.encode("ascii")))


def fingerprint_of(data: bytes) -> str:
    """The first 32 hexadecimal digits of the SHA-256, in fours."""
    digits = sha256(data).hexdigest()[:SHOWN_DIGITS]
    return " ".join(digits[at : at + 4] for at in range(0, SHOWN_DIGITS, 4))


def _noun(recipient: str, public: bytes, root: bytes) -> dict[str, str]:
    return {"recipient": recipient, "member_key": public.hex(), "root": root.hex()}


def _decoded(text: str, prefix: str, what: str) -> bytes:
    stripped = _one_line(text)
    try:
        found, data = bech32.decode(stripped)
    except ValueError as fault:
        if stripped.lower().startswith(f"{prefix}1"):
            raise _wrong(what, str(fault)) from None
        raise UsageFault(f"This is not {what}, which begins with {prefix}1.") from None
    if found != prefix:
        raise UsageFault(f"This is not {what}, which begins with {prefix}1.")
    return data


def _wrong(what: str, why: str) -> UsageFault:
    return UsageFault(f"This is not {what} as it was made: {why}. Copy or scan it again.")


def _one_line(text: str) -> str:
    """Mail programs break lines."""
    return re.sub(r"\s", "", text)
