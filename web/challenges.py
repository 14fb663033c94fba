"""Challenges: what a login signs, so that a signature is worth something once, here, and for a minute."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

CHALLENGE_BYTES = 32
LIFE_S = 60.0
MOST = 1000  # waiting at once; the oldest makes room, so that nobody can fill the memory or lock others out


class Challenges:
    """Gives challenges out and takes each back once. For any thread; times are monotonic seconds."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def give(self, origin: str, now_s: float) -> str:
        """A fresh one, as hexadecimal digits, for a page of that origin."""
        challenge = self._random(CHALLENGE_BYTES).hex()
        with self._lock:
            while len(self._waiting) >= MOST:
                self._waiting.popitem(last=False)
            self._waiting[challenge] = (origin, now_s + LIFE_S)
        return challenge

    def take(self, challenge: str, origin: str, now_s: float) -> bool:
        """Whether it was given to that origin, not long ago, and not yet taken. It is spent either way."""
        with self._lock:
            given_to, until_s = self._waiting.pop(challenge, ("", 0.0))
        return given_to == origin and now_s < until_s
