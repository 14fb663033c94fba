"""Who asks: the session, its member, and the household at that moment. One for each request."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from pipeline.household.model import Manifest, Member
from web.problem import not_found
from web.sessions import Session


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member who is logged in. What they can open is decided by keys; this spares them what they cannot."""

    session: Session
    member: Member
    manifest: Manifest

    def may_see(self, camera: str) -> bool:
        """Whether the camera's footage is sealed to a group of theirs."""
        return self.manifest.group_of(camera).name in self.member.groups

    def check_camera(self, camera: str) -> None:
        """Raises Problem for a camera that they cannot see, as for one that does not exist."""
        if not self.may_see(camera):
            raise not_found("camera")


def visitor() -> Visitor:
    """Who sent this request. Only for what the guard lets no stranger reach."""
    found: Visitor = g.visitor
    return found
