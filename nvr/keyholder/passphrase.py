"""Passphrases that people can keep: six words drawn from the EFF's long list, 77 bits."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import diceware

WORDS = 6
_LIST = Path(diceware.__file__).parent / "wordlists" / "wordlist_en_eff.txt"
Word = TypeVar("Word")


def word_list() -> tuple[str, ...]:
    """The EFF's long list without its four hyphenated words, since words are joined by hyphens."""
    lines = _LIST.read_text("ascii").splitlines()
    words = (line.split()[-1] for line in lines if line.strip())
    return tuple(word for word in words if word.isalpha() and word.islower())


def make_passphrase(choose: Callable[[Sequence[str]], str] = secrets.choice) -> str:
    """Six words joined by hyphens; `choose` must be a secure random choice."""
    words = word_list()
    return "-".join(choose(words) for _ in range(WORDS))
