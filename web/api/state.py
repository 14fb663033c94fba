"""What is being recorded now: the recorders' own reports, once, or as server-sent events for who watches.

An event is sent when something has changed, and a comment every `HEARTBEAT_S`, by which both ends notice that
the other is gone. The stream ends with its session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from pipeline.health import read_report
from pipeline.household.model import Member
from web.api.answering import SESSION, answer, problems
from web.household import HouseholdView
from web.plan import DashboardPlan
from web.problem import Problem
from web.sessions import Session, Sessions
from web.visitor import visitor

LOOK_S = 1.0
HEARTBEAT_S = 10.0
MOST_STREAMS = 24  # each takes a thread of the server while it lasts
_EVENTS: dict[str, Any] = {"content": {"text/event-stream": {"schema": {"type": "string"}}}}


class StreamState(BaseModel):
    """One stream at one moment; counters since its recorder's start."""

    state: str = Field(description="recording, connecting, away, paused, stalled, stopped")
    reason: str
    since_ms: int
    last_segment_end_ms: int
    video: str
    audio: str
    note: str
    bytes_per_s: int
    segments: int
    lost_packets: int
    reconnects: int
    clock_unsure: bool


class CameraState(BaseModel):
    """A camera whose recorder lives; one that is missing here is not being recorded."""

    camera: str
    household: str = Field(description="what is wrong with the household; empty for nothing")
    streams: dict[str, StreamState]


class State(BaseModel):
    """All cameras that the member may see."""

    cameras: list[CameraState]


def state_api(plan: DashboardPlan, household: HouseholdView, sessions: Sessions) -> APIBlueprint:
    """The blueprint `state`."""
    api = APIBlueprint(
        "state", __name__, url_prefix="/api/v1", abp_security=SESSION, abp_responses=problems(401, 503)
    )
    places = threading.BoundedSemaphore(MOST_STREAMS)

    @api.get("/state", responses={200: State}, summary="What is being recorded now")
    def state() -> Response:
        return answer(state_of(plan, household, visitor().member))

    @api.get("/state/events", responses={200: _EVENTS}, summary="The same, whenever it changes")
    def events() -> Response:
        asking = visitor()
        if not places.acquire(blocking=False):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too many windows watch the state; close one."
            )

        def look() -> str | None:
            lives = _member_of(asking.session, household, sessions)
            return state_of(plan, household, lives).model_dump_json() if lives else None

        stream = Response(_changes(look), content_type="text/event-stream")
        stream.call_on_close(places.release)
        return stream

    return api


def _member_of(session: Session, household: HouseholdView, sessions: Sessions) -> Member | None:
    lives = sessions.still(session.session_id, time.monotonic())
    return session.member_in(household.manifest()) if lives else None


def state_of(plan: DashboardPlan, household: HouseholdView, member: Member) -> State:
    """As the recorders' reports have it."""
    manifest = household.manifest()
    seen = (name for name in sorted(plan.cameras) if manifest.group_of(name).name in member.groups)
    reports = (report for name in seen if (report := read_report(plan.run_dir, name)))
    return State(cameras=[CameraState.model_validate(asdict(report)) for report in reports])


def _changes(look: Callable[[], str | None]) -> Iterator[str]:
    """The stream's text, until `look` gives None."""
    said, said_s = "", time.monotonic()
    while (now := look()) is not None:
        if now != said:
            said, said_s = now, time.monotonic()
            yield f"data: {now}\n\n"
        elif time.monotonic() - said_s >= HEARTBEAT_S:
            said_s = time.monotonic()
            yield ": still here\n\n"
        time.sleep(LOOK_S)
    yield "event: over\ndata: {}\n\n"
