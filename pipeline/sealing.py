"""To whom each segment is sealed: asked when it begins, so that a new generation needs no gap and no restart.

Rules:
- Only what an owner signed counts (`pipeline.household.accepting`); nothing that lies in the store stops it.
- By a clock that is unsure nothing newer is chosen than by the newest footage of a sure one.
- A generation whose wrapped identities are gone is passed over for a later one, never for an earlier one,
  which somebody who has left may open. If no later one has any, it is sealed to all the same: a copy of the
  store may have them.
- Before the first segment of a stream under a generation, its mark is durable: the generation is not
  destroyed while anything is sealed to it.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from crypto.recipient import Recipient, parse_recipient
from pipeline import walk
from pipeline.durable import DISK, DiskCalls
from pipeline.household.accepting import AcceptedHousehold
from pipeline.household.choosing import Choice, current, has_run_out
from pipeline.household.model import Generation, Group, Manifest
from pipeline.household.used_marks import UsedMark, last_marks, make_mark, used_marks
from pipeline.key_names import UsedName, generation_directory, wrapped_name
from pipeline.model import StreamName
from pipeline.names import STORE_FILE

_log = logging.getLogger("nvr.recorder")

RUN_OUT = "the prepared generations have run out; an owner's command prepares more: nvr group list --identity"


class Sealing:
    """One camera's. For the writer's thread; `problem` may be read by any."""

    def __init__(
        self,
        store_root: Path,
        state_dir: Path,
        camera: str,
        newest_sure_ns: int | None,
        disk: DiskCalls = DISK,
    ) -> None:
        """Raises HouseholdError when there is nobody to seal to, OSError when nothing can be read."""
        self._store_root = store_root
        self._camera = camera
        self._disk = disk
        self._household = AcceptedHousehold(store_root, state_dir)
        self._sure_ms = (newest_sure_ns or 0) // 1_000_000
        self._marks = [one for one in used_marks(store_root) if one.used.stream.camera == camera]
        self._unmarked: dict[tuple[StreamName, Choice], int] = {}
        self.problem = ""
        """Empty, or a clause for a person: what is wrong with the household, and what to do."""
        self._note(self._household.problem)

    def next_sequence(self, stream: StreamName, last_sequence: int) -> int:
        """What a stream goes on with after `last_sequence`: not below its marks, if these are all it left."""
        marked = [mark.used.first_sequence for mark in last_marks(self._marks, stream)]
        return max([last_sequence + 1, *marked])

    def choose(self, start_ns: int, *, unsure: bool) -> Choice:
        """What a segment that begins at `start_ns` (UTC) is sealed to. Never raises, never waits."""
        if not unsure:
            self._sure_ms = start_ns // 1_000_000
        manifest = self._household.look()
        group = manifest.group_of(self._camera)
        meant = current(group, self._sure_ms)
        generation = meant
        if (self._store_root / STORE_FILE).exists():  # else the disk is away, and the writer says so
            files = self._wrapped(group, meant)
            generation = meant if files else self._later(group, meant)
            self._note(self._household.problem or self._trouble(manifest, group, meant, generation, files))
        return Choice(group.name, generation.number, generation.recipient)

    def begin(self, stream: StreamName, sequence: int, choice: Choice) -> None:
        """Notes durably that the stream's segments, from this one on, are sealed to the choice.

        Does nothing when that is known already. Raises OSError; but where the recorder may not write, which
        waiting does not mend, it is a problem to tell, and tried again with the next segment.
        """
        latest = last_marks(self._marks, stream)
        if any((mark.group, mark.generation) == (choice.group, choice.generation) for mark in latest):
            return
        first = self._unmarked.setdefault((stream, choice), sequence)
        mark = UsedMark(choice.group, choice.generation, UsedName(stream, first))
        try:
            make_mark(self._store_root, mark, self._disk)
        except PermissionError:
            return
        self._marks.append(mark)
        self._unmarked = {which: first for which, first in self._unmarked.items() if which[0] != stream}

    def _later(self, group: Group, meant: Generation) -> Generation:
        """The first generation after `meant` that somebody's file is left of; `meant` where there is none."""
        later = (one for one in group.generations if one.number > meant.number)
        return next((one for one in later if self._wrapped(group, one)), meant)

    def _wrapped(self, group: Group, generation: Generation) -> frozenset[str]:
        """The files that lie in the generation's folder, if there is a wrapped identity among them."""
        folder = self._store_root / generation_directory(group.name, generation.number)
        try:
            return frozenset(entry.name for entry in walk.entries(folder) if entry.name.endswith(".age"))
        except OSError:
            return frozenset()

    def _trouble(
        self,
        manifest: Manifest,
        group: Group,
        meant: Generation,
        chosen: Generation,
        files: frozenset[str],
    ) -> str:
        folder = generation_directory(group.name, meant.number)
        if not files:
            instead = f", so generation {chosen.number} is used" if chosen != meant else ""
            return f"nobody's file is left in {folder}{instead}: put the folder back from a copy of the store"
        for member in manifest.members_of(group.name):
            if wrapped_name(member.name) not in files:
                missing = f"{folder}/{wrapped_name(member.name)}"
                return (
                    f"{member.name} cannot open what is recorded now, for {missing} is missing: put it back "
                    "from a copy of the store"
                )
        if any(choice.generation == chosen.number for _, choice in self._unmarked):
            return f"the recorder may not write in {folder}: give the folder to the user that runs it (chown)"
        return RUN_OUT if has_run_out(group, self._sure_ms) else ""

    def _note(self, problem: str) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        if problem:
            _log.error("%s: household: %s", self._camera, problem)
        else:
            _log.warning("%s: household: in order again", self._camera)


@lru_cache(maxsize=64)
def recipient_of(choice: Choice) -> Recipient:
    """The choice's recipient, to seal to; the manifest has been checked for it."""
    return parse_recipient(choice.recipient)
