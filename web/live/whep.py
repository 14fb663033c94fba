"""WHEP: how a browser asks for a live stream by WebRTC. For any thread; the work is done in `live-loop`.

What the API makes of it (as RFC 9725 does for WHIP; no trickle, so the offer must hold its candidates):

| request | answer |
| --- | --- |
| POST `application/sdp` | `offer`: 201, `Location` with the session's id, the answer as `application/sdp` |
| DELETE at that location | `end`: 200, or 404 when it returns False |
| PATCH at that location | 405 with `Allow: DELETE` |
| an error | its `status` and `code`; 406 `use_mse` with `reason` |
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass

from pipeline.model import StreamInfo, StreamName
from web.live.carrying import audio_note, unfit
from web.live.errors import CameraAway, TooManySessions, UseMse
from web.live.loop import LiveLoop
from web.live.relays import Relays
from web.live.session import WhepSession, wanted_kinds

MOST_SESSIONS = 64
ID_BYTES = 16
ANSWER_S = 10.0
INFO_S = 3.0  # of them for the tap, which says it at once
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class WhepAnswer:
    """What goes back to the browser. `note` says what of the sound is missing; empty when nothing is."""

    session_id: str
    sdp: str
    has_audio: bool
    note: str


class WhepSessions:
    """All viewers by WebRTC."""

    def __init__(self, relays: Relays, loop: LiveLoop, most: int = MOST_SESSIONS) -> None:
        self._relays = relays
        self._loop = loop
        self._most = most
        self._sessions: dict[str, WhepSession] = {}  # changed in the loop's thread alone

    def offer(self, owner: str, name: StreamName, sdp: str, limit_s: float = ANSWER_S) -> WhepAnswer:
        """Begins a session for the login session `owner`, who may see the stream: the caller has checked.

        Blocks for at most about `limit_s`. Raises BadOffer, BadStreams, UseMse, CameraAway, TooManySessions,
        NotInTime.
        """
        until_s = time.monotonic() + limit_s
        wanted_kinds(sdp)  # before anything is waited for
        if len(self._sessions) >= self._most:
            raise _too_many()
        watch = self._relays.watch(name, lambda: None, frozenset())
        try:
            info = _fit(watch.wait_info(min(INFO_S, limit_s)))
            return self._loop.run(self._open(owner, name, info, sdp), max(0.0, until_s - time.monotonic()))
        finally:
            watch.close()

    def end(self, session_id: str, owner: str) -> bool:
        """Ends that session of that owner. Returns whether there was one. Raises NotInTime."""
        return self._loop.run(self._end(session_id, owner), _END_S) > 0

    def end_owner(self, owner: str | None) -> int:
        """Ends all of this owner, or with None all. Returns how many there were. Raises NotInTime."""
        return self._loop.run(self._end(None, owner), _END_S)

    def owners(self) -> set[str]:
        """Who watches."""
        return {session.owner for session in list(self._sessions.values())}

    def __len__(self) -> int:
        return len(self._sessions)

    async def _open(self, owner: str, name: StreamName, info: StreamInfo, offer: str) -> WhepAnswer:
        if len(self._sessions) >= self._most:
            raise _too_many()
        session_id = secrets.token_hex(ID_BYTES)
        session = WhepSession(owner, name, lambda: self._sessions.pop(session_id, None))
        self._sessions[session_id] = session
        try:
            sdp = await session.answer(self._relays, info, offer)
        except BaseException:  # a time limit cancels it
            await session.close()
            raise
        return WhepAnswer(session_id, sdp, session.has_audio, audio_note(info, session.has_audio))

    async def _end(self, session_id: str | None, owner: str | None) -> int:
        ending = [
            session
            for key, session in self._sessions.items()
            if session_id in (None, key) and owner in (None, session.owner)
        ]
        await asyncio.gather(*(session.close() for session in ending))
        return len(ending)


def _fit(info: StreamInfo | None) -> StreamInfo:
    if info is None:
        raise CameraAway("This camera's recorder cannot be reached now; try again in a moment.")
    reason = unfit(info)
    if reason is not None:
        raise UseMse(reason)
    return info


def _too_many() -> TooManySessions:
    return TooManySessions("All places for live view are taken; close one and try again.")
