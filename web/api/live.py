"""Live pictures: WHEP for one camera large, one multiplexed answer for a grid. Nothing of them is kept."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from pipeline.model import StreamName
from pipeline.names import EVENT_STREAMS
from web.api.answering import SESSION, problems
from web.api.footage import StreamPath, checked_stream
from web.live.live import Live
from web.live.multiplex import CONTENT_TYPE as MULTIPLEX_TYPE
from web.problem import Problem, not_found
from web.visitor import Visitor, visitor

SDP_TYPE = "application/sdp"
_SDP: dict[str, Any] = {"content": {SDP_TYPE: {"schema": {"type": "string"}}}}
_FRAMES: dict[str, Any] = {"content": {MULTIPLEX_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


class WhepPath(BaseModel):
    """One WebRTC session."""

    camera: str = Field(max_length=64)
    stream: str = Field(max_length=64)
    session_id: str = Field(max_length=64)


class Streams(BaseModel):
    """Which streams one answer carries, numbered from 0 in this order."""

    stream: list[str] = Field(min_length=1, max_length=64, description="as front/sub")


def live_api(live: Live) -> APIBlueprint:
    """The blueprint `live`."""
    api = APIBlueprint(
        "live",
        __name__,
        url_prefix="/api/v1/live",
        abp_security=SESSION,
        abp_responses=problems(400, 401, 503),
    )

    @api.post(
        "/whep/<camera>/<stream>",
        responses={201: _SDP, **problems(404, 406, 409, 415)},
        summary="A live stream by WebRTC: an SDP offer, answered (RFC 9725)",
    )
    def offer(path: StreamPath) -> Response:
        asking = visitor()
        stream = _footage_stream(path, asking)
        if request.mimetype != SDP_TYPE:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "An offer is application/sdp."
            )
        sdp = request.get_data().decode("utf-8", "replace")
        answer = live.whep.offer(asking.session.session_id, stream, sdp)
        made = Response(answer.sdp, status=201, content_type=SDP_TYPE)
        made.headers["Location"] = f"{request.path}/{answer.session_id}"
        if answer.note:
            made.headers["Sealed-NVR-Note"] = answer.note
        return made

    @api.delete(
        "/whep/<camera>/<stream>/<session_id>",
        responses={204: None, **problems(404)},
        summary="End a WebRTC session",
    )
    def end(path: WhepPath) -> Response:
        if not live.whep.end(path.session_id, visitor().session.session_id):
            raise not_found("session")
        return Response(status=204)

    @api.get(
        "/frames",
        responses={200: _FRAMES, **problems(404)},
        summary="Live streams for Media Source Extensions, many on one connection",
    )
    def frames(query: Streams) -> Response:
        asking = visitor()
        names = [_named(text, asking) for text in query.stream]
        answer = live.mse.open(asking.session.session_id, names)
        return Response(answer, content_type=MULTIPLEX_TYPE)

    return api


def _named(text: str, asking: Visitor) -> StreamName:
    camera, _, stream = text.partition("/")
    return _footage_stream(StreamPath.model_construct(camera=camera, stream=stream), asking)


def _footage_stream(path: StreamPath, asking: Visitor) -> StreamName:
    stream = checked_stream(path, asking)
    if stream.stream in EVENT_STREAMS:
        raise not_found("live stream")
    return stream
