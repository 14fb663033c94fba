"""Bech32, against the valid and invalid texts of BIP 173 that are not about its limit on length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import bech32


@given(st.text("abcdefghijklmnopqrstuvwxyz-1", min_size=1, max_size=20), st.binary(max_size=200))
def test_decode_gives_what_was_encoded(prefix: str, data: bytes) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, data)


@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    ],
)
def test_valid_texts_of_bip_173(text: str) -> None:
    assert bech32.decode(text) == (text.lower().rpartition("1")[0], b"")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\x201nwldj5", "letter"),
        ("\x7f1axkwrx", "letter"),
        ("pzry9x0s0muk", "no separator"),
        ("1pzry9x0s0muk", "no separator"),
        ("x1b4n0q5v", "letter"),
        ("li1dgmt3", "too short"),
        ("de1lg7wt\xff", "letter"),
        ("A1G7SGD8", "checksum"),
        ("10a06t8", "no separator"),
        ("1qzzfhee", "no separator"),
        ("A12uEL5L", "mixed"),
        ("", "too short"),
    ],
)
def test_invalid_texts_of_bip_173(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        bech32.decode(text)
    assert not text or text not in str(raised.value)


@given(st.data())
def test_one_wrong_letter_is_found(data: st.DataObject) -> None:
    text = bech32.encode("age", bytes(range(32)))
    place = data.draw(st.integers(4, len(text) - 1))
    letter = data.draw(st.sampled_from(sorted(set("qpzry9x8gf2tvdw0s3jn54khce6mua7l") - {text[place]})))
    with pytest.raises(ValueError, match="checksum"):
        bech32.decode(text[:place] + letter + text[place + 1 :])


def test_padding_bits_must_be_zero() -> None:
    # 'p' (1) as the only letter of the data: 5 bits are no byte; 'qp': 8 bits and two that are set
    for values in ([1], [0, 1]):
        body = [*bech32._expand("x"), *values, *[0] * 6]
        checked = bech32._polymod(body) ^ 1
        checksum = [(checked >> 5 * (5 - place)) & 31 for place in range(6)]
        text = "x1" + "".join(bech32._ALPHABET[value] for value in (*values, *checksum))
        with pytest.raises(ValueError, match="padding"):
            bech32.decode(text)
