"""A newcomer's own key: made on their device, which needs no store; only the request leaves it.

Rules:
- Nothing is overwritten, and a failure takes back what was made.
- The key file is read back and opened before the request is handed out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crypto.header import RandomBytes
from nvr.errors import NvrError, UsageFault
from nvr.keyholder.given import holder_of
from nvr.keyholder.joining import Invitation, JoinRequest
from nvr.keyholder.key_file import key_file_lines, make_identity, wrapped
from nvr.keyholder.new_files import taken_back_on_failure


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What a newcomer wants made, and where. `now` is local; without a passphrase the file is not wrapped."""

    invitation: Invitation
    keys_directory: Path
    name: str
    now: datetime
    passphrase: str = field(default="", repr=False)

    @property
    def key_file(self) -> Path:
        """The newcomer's key file."""
        return self.keys_directory / f"{self.name}.key"


def join(plan: JoinPlan, random: RandomBytes = os.urandom) -> JoinRequest:
    """Makes the key file; what to send to an owner. Raises `UsageFault`, `StoreTrouble`."""
    if plan.key_file.exists():
        raise UsageFault(
            f"{plan.key_file} exists already, and keys are never overwritten; say another --name."
        )
    identity = make_identity(random, post_quantum=plan.invitation.post_quantum)
    lines = key_file_lines(identity, plan.name, plan.invitation.root, plan.now)
    with taken_back_on_failure() as made:
        made.folder(plan.keys_directory)
        made.file(plan.key_file, wrapped(lines, plan.passphrase, random))
        back = holder_of(str(plan.key_file), [plan.passphrase])
        if [str(one) for one in back.identities] != [str(identity)]:
            raise NvrError(f"{plan.key_file} does not read back; the disk may be failing. Nothing was kept.")
    return JoinRequest.make(identity, plan.invitation.root)
