"""The household's manifest, which browsers verify themselves, and the member's own wrapped identities."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from pipeline.household.model import Manifest, Member
from pipeline.key_names import generation_directory, wrapped_name
from pipeline.plain_file import read_plain
from web.api.answering import SESSION, answer, problems
from web.household import HouseholdView
from web.plan import DashboardPlan
from web.visitor import visitor

LARGEST_WRAPPED_BYTES = 64 * 1024  # a hybrid header is 1.6 kB


class ManifestHistory(BaseModel):
    """Every version, from the first: signed lines as docs/format.md has them."""

    versions: list[str]


class WrappedIdentity(BaseModel):
    """A generation's identity, sealed to the member who asks."""

    group: str
    generation: int
    from_ms: int
    sealed: str = Field(description="an age file, in base64")


class WrappedIdentities(BaseModel):
    """Of all groups of the member, as far as their footage has not expired."""

    identities: list[WrappedIdentity]


def household_api(plan: DashboardPlan, household: HouseholdView) -> APIBlueprint:
    """The blueprint `household`."""
    api = APIBlueprint(
        "household", __name__, url_prefix="/api/v1", abp_security=SESSION, abp_responses=problems(401, 503)
    )

    @api.get("/manifest", responses={200: ManifestHistory}, summary="The household, in all its versions")
    def manifest() -> Response:
        return answer(ManifestHistory(versions=household.lines()))

    @api.get("/identities", responses={200: WrappedIdentities}, summary="The group identities for your key")
    def identities() -> Response:
        asking = visitor()
        found = _wrapped(plan.store_root, asking.manifest, asking.member)
        return answer(WrappedIdentities(identities=list(found)))

    return api


def _wrapped(store_root: Path, manifest: Manifest, member: Member) -> Iterator[WrappedIdentity]:
    for group in manifest.groups:
        for one in group.generations if group.name in member.groups else ():
            file = store_root / generation_directory(group.name, one.number) / wrapped_name(member.name)
            with contextlib.suppress(FileNotFoundError):  # destroyed, since its footage has expired
                sealed = base64.b64encode(read_plain(file, LARGEST_WRAPPED_BYTES)).decode("ascii")
                yield WrappedIdentity(
                    group=group.name, generation=one.number, from_ms=one.from_ms, sealed=sealed
                )
