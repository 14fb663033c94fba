"""Sessions: who is logged in, from when, until when. In memory alone: a restart logs everybody out, and their
browsers, which hold the key, log in again by themselves.

Rules:
- The cookie's token is kept as its SHA-256 only; a session's `session_id` is not secret and opens nothing.
- A session ends after `IDLE_S` without a request, `LIFE_S` after login, when it is ended here, or when the
  household no longer has its member with that member key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from pipeline.household.model import Manifest, Member

TOKEN_BYTES = 32
ID_BYTES = 8
IDLE_S = 30 * 60.0
LIFE_S = 12 * 3600.0
MOST_OF_MEMBER = 50  # the one that was silent longest makes room

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Session:
    """One login. Times are monotonic seconds, `since_ms` UTC; `agent` is what the browser says it is."""

    session_id: str
    member: str
    member_key: bytes
    since_ms: int
    began_s: float
    seen_s: float
    agent: str

    def is_over(self, now_s: float) -> bool:
        """Whether its time is up."""
        return now_s - self.seen_s >= IDLE_S or now_s - self.began_s >= LIFE_S

    def member_in(self, manifest: Manifest) -> Member | None:
        """Its member as the household has it now; None for one who has left or has another key."""
        member = manifest.member(self.member)
        return member if member and member.member_key == self.member_key else None


class Sessions:
    """All sessions. For any thread."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._lock = threading.Lock()
        self._by_digest: dict[bytes, Session] = {}

    def begin(self, member: Member, agent: str, now_s: float, now_ms: int) -> tuple[str, Session]:
        """A new session, and the token that its cookie carries."""
        token = self._random(TOKEN_BYTES).hex()
        session = Session(
            self._random(ID_BYTES).hex(), member.name, member.member_key, now_ms, now_s, now_s, agent[:200]
        )
        with self._lock:
            self._by_digest[_digest(token)] = session
        self._make_room(member.name)
        return token, session

    def of(self, token: str, manifest: Manifest, now_s: float) -> tuple[Session, Member] | None:
        """The session with this token and its member, noted as seen; None when there is none (any more)."""
        with self._lock:
            session = self._by_digest.get(_digest(token))
            if session is None:
                return None
            member = session.member_in(manifest)
            if member is not None and not session.is_over(now_s):
                seen = self._by_digest[_digest(token)] = replace(session, seen_s=now_s)
                return seen, member
        self.end(session.session_id, session.member)
        return None

    def of_member(self, member: str, now_s: float) -> list[Session]:
        """The member's sessions, newest first."""
        with self._lock:
            found = [one for one in self._by_digest.values() if one.member == member]
        return sorted((one for one in found if not one.is_over(now_s)), key=lambda one: -one.began_s)

    def still(self, session_id: str, now_s: float) -> bool:
        """Whether that session has not ended; whoever watches keeps it alive until its life is over."""
        with self._lock:
            for digest, one in self._by_digest.items():
                if one.session_id == session_id and not one.is_over(now_s):
                    self._by_digest[digest] = replace(one, seen_s=now_s)
                    return True
        return False

    def end(self, session_id: str, member: str) -> bool:
        """Ends that session of that member. Returns whether there was one."""
        return self._end_where(lambda one: one.session_id == session_id and one.member == member) > 0

    def end_all(self, member: str) -> int:
        """Ends every session of the member. Returns how many there were."""
        return self._end_where(lambda one: one.member == member)

    def sweep(self, manifest: Manifest, now_s: float) -> int:
        """Ends those whose time is up or whose member has left, so that their live pictures end too."""
        return self._end_where(lambda one: one.is_over(now_s) or one.member_in(manifest) is None)

    def _make_room(self, member: str) -> None:
        with self._lock:
            ours = sorted(
                (one.seen_s, one.session_id) for one in self._by_digest.values() if one.member == member
            )
        for _, session_id in ours[: max(0, len(ours) - MOST_OF_MEMBER)]:
            self.end(session_id, member)

    def _end_where(self, wanted: Callable[[Session], bool]) -> int:
        with self._lock:
            ending = [digest for digest, one in self._by_digest.items() if wanted(one)]
            for digest in ending:
                del self._by_digest[digest]
        return len(ending)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
