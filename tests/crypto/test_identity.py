"""Recipients and identities as texts, and that a secret shows nowhere but where it is asked for."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import bech32
from crypto.errors import BadIdentity, BadRecipient, CryptoError, DamagedHeader
from crypto.header import Stanza
from crypto.identity import HybridIdentity, Identity, ScryptIdentity, X25519Identity, parse_identities
from crypto.recipient import HybridRecipient, ScryptRecipient, X25519Recipient, parse_recipient
from crypto.seal import seal_bytes
from crypto.unseal import unseal_bytes

CLASSIC = X25519Identity(bytes(range(32)))  # the same in every process: it names parameters
HYBRID = HybridIdentity(bytes(range(32)))
# the examples of the format's specification
SPEC_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SPEC_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def test_the_example_of_the_specification() -> None:
    (identity,) = parse_identities(SPEC_IDENTITY)
    assert str(identity.recipient) == SPEC_RECIPIENT
    assert str(identity) == SPEC_IDENTITY


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID])
def test_texts_round_trip(identity: X25519Identity | HybridIdentity) -> None:
    (again,) = parse_identities(str(identity))
    assert type(again) is type(identity)
    assert str(again) == str(identity)
    assert str(parse_recipient(f" {identity.recipient}\n")) == str(identity.recipient)


def test_an_identity_file_has_comments_and_several_identities() -> None:
    text = f"# created: today\r\n\n{CLASSIC}\r\n  {HYBRID}  \n# end"
    assert [type(found) for found in parse_identities(text)] == [X25519Identity, HybridIdentity]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no identity in this file"),
        ("# only a comment\n", "no identity in this file"),
        (f"{CLASSIC}\n{str(CLASSIC)[:-1]}", "Line 2 .* checksum"),
        (str(CLASSIC).lower(), "Line 1 .* capital letters"),
        (f"\n{CLASSIC.recipient}", "Line 2 .* is a recipient"),
        (str(HYBRID.recipient), "is a recipient"),
        (bech32.encode("age-secret-key-", bytes(31)).upper(), "wrong length"),
        (bech32.encode("age-secret-key-pq-", bytes(33)).upper(), "wrong length"),
        (bech32.encode("age-plugin-yubikey-", bytes(32)).upper(), "of a kind that we cannot use"),
        ("hunter2", "Line 1 .* not an identity"),
    ],
)
def test_what_is_no_identity_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadIdentity, match=why) as raised:
        parse_identities(text)
    assert_not_shown(text, raised.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (str(CLASSIC), "is an identity, which is secret"),
        (str(HYBRID)[:-3], "is an identity, which is secret"),
        (f"{CLASSIC.recipient}b", "not a recipient"),
        (bech32.encode("age", bytes(31)), "damaged"),
        (
            bech32.encode("age", bytes(32)),
            "damaged",
        ),  # of low order: everyone could open what is sealed to it
        (bech32.encode("age1pq", bytes(1216)), "damaged"),
        (bech32.encode("age1pq", bytes(1215)), "damaged"),
        (bech32.encode("age1pq", b"\xff" * 1216), "damaged"),
        (bech32.encode("age1tag", bytes(33)), "neither age1 nor age1pq1"),
        ("hunter2", "not a recipient"),
    ],
)
def test_what_is_no_recipient_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadRecipient, match=why) as raised:
        parse_recipient(text)
    assert_not_shown(text, raised.value)


@given(st.integers(0, 73), st.characters(min_codepoint=0x21, max_codepoint=0x7E))
def test_a_mistyped_identity_never_shows(place: int, letter: str) -> None:
    text = str(CLASSIC)[:place] + letter + str(CLASSIC)[place + 1 :]
    for parse in (parse_identities, parse_recipient):
        try:
            parse(text)
        except CryptoError as fault:
            assert_not_shown(text, fault)


def assert_not_shown(text: str, fault: BaseException) -> None:
    """Not in the message nor in a cause, nor any long part of the text."""
    shown = "".join(traceback.format_exception_only(fault)).replace("AGE-SECRET-KEY-", "")
    assert fault.__cause__ is None
    assert fault.__suppress_context__ or fault.__context__ is None
    assert not any(text[at : at + 7] in shown for at in range(len(text) - 6))


@pytest.mark.parametrize(
    "identity", [CLASSIC, HYBRID, ScryptIdentity("hunter2hunter2"), ScryptRecipient("hunter2hunter2")]
)
def test_a_secret_shows_in_str_alone(identity: Identity) -> None:
    shown = f"{identity!r} {[identity]} {identity.__dict__.get('recipient')!r} {vars(identity).keys()}"
    assert "SECRET" not in shown.upper()
    assert "hunter2" not in shown + str(identity)


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID, ScryptIdentity("pass")])
def test_identities_are_not_pickled(identity: Identity) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(identity)


def test_recipients_have_short_reprs_and_full_texts() -> None:
    assert isinstance(CLASSIC.recipient, X25519Recipient)
    assert isinstance(HYBRID.recipient, HybridRecipient)
    assert repr(CLASSIC.recipient) == f"X25519Recipient({CLASSIC.recipient})"
    assert len(repr(HYBRID.recipient)) < 60
    assert str(HYBRID.recipient).startswith("age1pq1")


def test_a_passphrase_opens_what_it_sealed_and_no_other_does() -> None:
    sealed = seal_bytes(b"wrapped", [ScryptRecipient("pass", work_factor=10)])
    assert unseal_bytes(sealed, [CLASSIC, ScryptIdentity("pass")]) == b"wrapped"
    with pytest.raises(CryptoError, match="None of the identities"):
        unseal_bytes(sealed, [ScryptIdentity("Pass")])
    assert unseal_bytes(seal_bytes(b"", [ScryptIdentity("x").recipient]), [ScryptIdentity("x")]) == b""


def test_too_much_scrypt_is_refused() -> None:
    sealed = seal_bytes(b"wrapped", [ScryptRecipient("pass", work_factor=11)])
    with pytest.raises(DamagedHeader, match="above 10"):
        unseal_bytes(sealed, [ScryptIdentity("pass", max_work_factor=10)])


@pytest.mark.parametrize(
    "make", [lambda: ScryptRecipient(""), lambda: ScryptRecipient("x", 0), lambda: ScryptRecipient("x", 31)]
)
def test_an_empty_passphrase_or_an_absurd_work_factor_is_refused(make: Callable[[], ScryptRecipient]) -> None:
    with pytest.raises(BadRecipient, match="must not be empty"):
        make()


@pytest.mark.parametrize("asked", ["21", "100", "9" * 5000])  # int() refuses texts of more than 4300 digits
def test_an_absurd_work_factor_in_a_header_is_refused(asked: str) -> None:
    stanza = Stanza(("scrypt", "A" * 22, asked), bytes(32))
    with pytest.raises(DamagedHeader, match="above 20"):
        ScryptIdentity("pass").unwrap([stanza])
