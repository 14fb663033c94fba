"""Which cameras there are, and what the store has of them: times and sizes, no secret from members."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from pipeline import walk
from pipeline.index import Index, Row, index_path
from pipeline.model import StreamName
from pipeline.names import LAST_MS, HoldName, NotAName, stored_stream_name
from web.api.answering import SESSION, answer, problems
from web.plan import DashboardPlan
from web.problem import Problem, not_found
from web.visitor import Visitor, visitor

LONGEST_MS = 32 * 24 * 3600 * 1000


class CameraShown(BaseModel):
    """A camera that the member may see."""

    name: str
    group: str
    is_configured: bool = Field(description="false: there is only footage left of it")
    streams: list[str] = Field(description="what is stored of it: main, sub; events, thumbs")


class CameraList(BaseModel):
    """All of them, by name."""

    cameras: list[CameraShown]


class StreamPath(BaseModel):
    """One stream of a camera, events and thumbs included."""

    camera: str = Field(max_length=64)
    stream: str = Field(max_length=64)


class Span(BaseModel):
    """From `from_ms` until before `to_ms`, UTC milliseconds, at most 32 days."""

    from_ms: int = Field(ge=0, le=LAST_MS)
    to_ms: int = Field(ge=0, le=LAST_MS)


class GapShown(BaseModel):
    """Recording stopped, and why."""

    at_ms: int
    reason: str


class HoldShown(BaseModel):
    """What the camera recorded in this time is never deleted."""

    from_ms: int
    to_ms: int


class Footage(BaseModel):
    """What overlaps the span, in order of start: a row for each file, lean since a day has ten thousand."""

    columns: tuple[str, ...] = Row._fields
    rows: list[Row] = Field(
        description="flags: 1 the clock was unsure, 2 unfinished; kept_until_ms: 0 for no deadline"
    )
    gaps: list[GapShown]
    holds: list[HoldShown]


def footage_api(plan: DashboardPlan) -> APIBlueprint:
    """The blueprint `footage`."""
    api = APIBlueprint(
        "footage", __name__, url_prefix="/api/v1", abp_security=SESSION, abp_responses=problems(401, 404, 503)
    )

    @api.get("/cameras", responses={200: CameraList}, summary="The cameras that you may see")
    def cameras() -> Response:
        return answer(CameraList(cameras=list(_cameras(plan, visitor()))))

    @api.get(
        "/cameras/<camera>/<stream>/footage",
        responses={200: Footage, **problems(400)},
        summary="What the store has of a stream",
    )
    def footage(path: StreamPath, query: Span) -> Response:
        stream = checked_stream(path, visitor())
        check_span(query)
        with Index(index_path(plan.store_root), read_only=True) as index:
            return answer(_footage(index, stream, query))

    return api


def checked_stream(path: StreamPath, asking: Visitor) -> StreamName:
    """The stream, if there can be one and they may see its camera. Raises Problem."""
    try:
        stream = stored_stream_name(path.camera, path.stream)
    except NotAName:
        raise not_found("stream") from None
    asking.check_camera(stream.camera)
    return stream


def check_span(span: Span) -> None:
    """Raises Problem for one that ends before it begins, or is too long."""
    if not 0 <= span.to_ms - span.from_ms <= LONGEST_MS:
        raise Problem(HTTPStatus.BAD_REQUEST, "span", "A span ends after it begins, and has 32 days at most.")


def _cameras(plan: DashboardPlan, asking: Visitor) -> Iterator[CameraShown]:
    stored = set(walk.cameras(plan.store_root))
    for name in sorted(stored | set(plan.cameras)):
        if asking.may_see(name):
            yield CameraShown(
                name=name,
                group=asking.manifest.group_of(name).name,
                is_configured=name in plan.cameras,
                streams=[one.stream for one in walk.all_streams(plan.store_root, name)],
            )


def _footage(index: Index, stream: StreamName, span: Span) -> Footage:
    marks = index.gap_marks(stream, span.from_ms, span.to_ms)
    holds = index.holds(stream.camera)
    return Footage(
        rows=index.rows(stream, span.from_ms, span.to_ms),
        gaps=[GapShown(at_ms=mark.at_ms, reason=mark.reason) for mark in marks],
        holds=[HoldShown(from_ms=one.from_ms, to_ms=one.to_ms) for one in holds if _overlap(one, span)],
    )


def _overlap(hold: HoldName, span: Span) -> bool:
    return hold.from_ms < span.to_ms and span.from_ms < hold.to_ms
