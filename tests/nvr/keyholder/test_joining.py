"""Invitations and requests as text: a wrong letter is noticed, whoever signs asks for themselves alone."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import bech32
from crypto.identity import HybridIdentity, Identity, X25519Identity
from nvr.errors import UsageFault
from nvr.keyholder.joining import INVITATION, REQUEST, Invitation, JoinRequest, newcomer
from nvr.qr import terminal_qr

ROOT = bytes(range(32))


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_invitations_round_trip_in_both_cases(root: bytes, post_quantum: bool) -> None:
    invitation = Invitation(root, post_quantum)
    assert Invitation.parse(str(invitation)) == Invitation.parse(str(invitation).upper()) == invitation


@pytest.mark.parametrize("kind", [X25519Identity, HybridIdentity])
def test_requests_round_trip_also_when_mail_breaks_lines(
    kind: type[X25519Identity] | type[HybridIdentity],
) -> None:
    identity: Identity = kind.generate(os.urandom)
    request = JoinRequest.make(identity, ROOT)
    text = str(request)
    broken = "\n> ".join(text[at : at + 70] for at in range(0, len(text), 70)).replace("> ", " ")
    assert JoinRequest.parse(broken) == JoinRequest.parse(text.upper()) == request
    asked = newcomer(f"\n{text}\n")
    assert (asked.recipient, asked.root) == (str(identity.recipient), ROOT)
    assert asked.fingerprint == request.fingerprint
    assert len(request.fingerprint.replace(" ", "")) == 32


def test_every_wrong_letter_is_noticed() -> None:
    request = str(JoinRequest.make(X25519Identity.generate(os.urandom), ROOT))
    for text, parse in ((str(Invitation(ROOT, False)), Invitation.parse), (request, JoinRequest.parse)):
        for place in range(len(text.partition("1")[0]) + 1, len(text)):
            wrong = text[:place] + ("q" if text[place] != "q" else "p") + text[place + 1 :]
            with pytest.raises(UsageFault, match="Copy or scan it again"):
                parse(wrong)


def test_nobody_asks_with_somebody_elses_member_key() -> None:
    own, other = (JoinRequest.make(X25519Identity.generate(os.urandom), ROOT) for _ in range(2))
    mixed = JoinRequest(own.recipient, other.member_key, ROOT, own.signature)
    with pytest.raises(UsageFault, match="its signature does not fit"):
        JoinRequest.parse(str(mixed))
    elsewhere = JoinRequest(own.recipient, own.member_key, bytes(32), own.signature)
    with pytest.raises(UsageFault, match="its signature does not fit"):
        JoinRequest.parse(str(elsewhere))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "This is not an invitation, which begins with nvr-invite1"),
        ("hunter2", "This is not an invitation, which begins with nvr-invite1"),
        (str(Invitation(ROOT, True))[:-1], "is not an invitation as it was made"),
        (bech32.encode(INVITATION, b""), "of a kind that this program does not know"),
        (bech32.encode(INVITATION, b"\x02" + ROOT), "of a kind that this program does not know"),
        (bech32.encode(REQUEST, ROOT), "This is not an invitation, which begins with nvr-invite1"),
    ],
)
def test_what_is_no_invitation(text: str, words: str) -> None:
    with pytest.raises(UsageFault, match=words):
        Invitation.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AGE-SECRET-KEY-1HUNTER2", "This is an identity, which is secret"),
        ("age1hunter2", "This is not a recipient"),
        (str(Invitation(ROOT, False)), "This is not a request to join"),
        (bech32.encode(REQUEST, b""), "does not hold a recipient"),
        (bech32.encode(REQUEST, b"\x07" + bytes(160)), "does not hold a recipient"),
        (bech32.encode(REQUEST, bytes(161)), "does not hold a recipient"),
    ],
)
def test_what_is_no_request(text: str, words: str) -> None:
    with pytest.raises(UsageFault, match=words) as refused:
        newcomer(text)
    assert "hunter2" not in str(refused.value).lower()


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(UsageFault):
        newcomer(bech32.encode(REQUEST, data))


def test_the_code_is_drawn_where_it_fits() -> None:
    text = str(Invitation(ROOT, False))
    drawn = terminal_qr(text, 120)
    assert drawn.count("\n") > 15 and terminal_qr(text, 20) == ""
