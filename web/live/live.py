"""Live view put together: `start` after the fork, `close` at the end."""

from __future__ import annotations

import contextlib
from pathlib import Path

from web.live.errors import NotInTime
from web.live.loop import LiveLoop
from web.live.mse import MOST_ANSWERS, MseAnswers
from web.live.relay import RelayReport
from web.live.relays import Relays
from web.live.whep import MOST_SESSIONS, WhepSessions


class Live:
    """Everything that serves live pictures, of the taps in `run_dir`. For any thread."""

    def __init__(self, run_dir: Path, most_whep: int = MOST_SESSIONS, most_mse: int = MOST_ANSWERS) -> None:
        self._relays = Relays(run_dir)
        self._loop = LiveLoop()
        self.whep = WhepSessions(self._relays, self._loop, most_whep)
        self.mse = MseAnswers(self._relays, most_mse)

    def start(self) -> None:
        """Starts the loop's thread; a second time does nothing."""
        self._loop.start()

    def owners(self) -> set[str]:
        """Whose login sessions watch something."""
        return self.whep.owners() | self.mse.owners()

    def end_owner(self, owner: str) -> int:
        """A login session has ended: ends all that it watches. Returns how many. Raises NotInTime."""
        return self.mse.end_owner(owner) + (self.whep.end_owner(owner) if owner in self.whep.owners() else 0)

    def reports(self) -> list[RelayReport]:
        """Of every stream that has been watched."""
        return self._relays.reports()

    def close(self) -> None:
        """Ends everything and waits for the threads."""
        self.mse.end_owner(None)
        with contextlib.suppress(NotInTime):
            self.whep.end_owner(None)
        self._loop.close()
        self._relays.close()
