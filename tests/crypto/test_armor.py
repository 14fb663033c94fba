"""Armor: one text for each file, and every other text refused. CCTV's vectors test fault by fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.armor import armor, dearmor, is_armored
from crypto.errors import DamagedArmor


@given(st.binary(max_size=300))
def test_dearmor_gives_what_was_armored(data: bytes) -> None:
    text = armor(data)
    assert is_armored(text.encode())
    assert (
        dearmor(text) == dearmor(text.encode()) == dearmor(" \n" + text.replace("\n", "\r\n") + "\t") == data
    )
    assert all(len(line) <= 64 for line in text.splitlines())


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_changed_character_gives_another_file_or_a_refusal(data: bytes, draw: st.DataObject) -> None:
    text = armor(data).rstrip()
    place = draw.draw(st.integers(0, len(text) - 1))
    letter = draw.draw(
        st.characters(min_codepoint=0x20, max_codepoint=0xFF).filter(lambda c: c != text[place])
    )
    try:
        found = dearmor(text[:place] + letter + text[place + 1 :])
    except DamagedArmor:
        return
    assert found != data


@pytest.mark.parametrize("text", ["", "\n", "-----BEGIN AGE ENCRYPTED FILE-----", "\ud800", "hello"])
def test_what_is_no_armor_is_refused(text: str) -> None:
    with pytest.raises(DamagedArmor):
        dearmor(text)
    assert not is_armored(b"age-encryption.org/v1\n")
