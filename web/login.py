"""Login by key: a signed line over a fresh challenge and the origin of the page. Pure.

    {"challenge":"<hex as it was given>","member":"<name>","origin":"https://nvr.local"} <signature>\\n

It is a signed line as `crypto.signing` has it, for the purpose `login`. The origin is the browser's own word
for the page that runs: a page of somebody else that passes our challenge on gets a signature for its own,
which is worth nothing here. The server keeps public keys only.
"""

from __future__ import annotations

from crypto.errors import BadSignature
from crypto.signing import SignedLine
from pipeline.household.model import Manifest, Member
from web.challenges import Challenges
from web.errors import WebError

PURPOSE = "login"
_NAMES = {"challenge", "member", "origin"}


class LoginRefused(WebError):
    """Nobody is logged in. `code` is for programs: challenge, member, origin, signature."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def log_in(line: bytes, manifest: Manifest, origin: str, challenges: Challenges, now_s: float) -> Member:
    """The member who signed `line` for a page of `origin`. The challenge is spent. Raises LoginRefused."""
    try:
        signed = SignedLine.parse(line)
    except BadSignature:
        raise LoginRefused("signature", "This is not a signed login.") from None
    said = {name: signed.noun.get(name) for name in _NAMES}
    if signed.noun.keys() != _NAMES or not all(isinstance(value, str) for value in said.values()):
        raise LoginRefused("signature", "This is not a signed login.")
    if not challenges.take(str(said["challenge"]), origin, now_s):
        raise LoginRefused("challenge", "This challenge was used, is too old, or was never given; try again.")
    if said["origin"] != origin:
        raise LoginRefused("origin", "This login was signed for another page.")
    return _signer(signed, manifest, str(said["member"]))


def _signer(signed: SignedLine, manifest: Manifest, name: str) -> Member:
    member = manifest.member(name)
    if member is None or not member.member_key:
        raise LoginRefused(
            "member", "The household has no such member; whoever was removed can be invited again."
        )
    try:
        signed.check(PURPOSE, member.member_key)
    except BadSignature:
        raise LoginRefused("signature", "This key is not the one that the household knows.") from None
    return member
