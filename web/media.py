"""Sealed bytes for the browser: one file by ranges, or many small ones in one answer. Nothing is opened here.

A **batch** is what `events` and `thumbs` are fetched by, some hundred files of one or two chunks each:

    2 bytes  length of the name, big-endian as all numbers here; 0 ends the batch
    n bytes  the file's name
    4 bytes  length of the file
    m bytes  the file

A batch that was cut off lacks its end, so the browser knows. At most `MOST_FILES` are in one; whoever got so
many asks on from the start of the last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field
from werkzeug.wsgi import wrap_file

from pipeline.index import Index, index_path
from pipeline.names import EVENT_STREAMS, NotAName, StoredSegment
from web.api.answering import SESSION, problems
from web.api.footage import Span, StreamPath, check_span, checked_stream
from web.plan import DashboardPlan
from web.problem import not_found
from web.stored import named, opened
from web.visitor import visitor

SEALED_TYPE = "application/octet-stream"
BATCH_TYPE = "application/vnd.sealed-nvr.batch"
MOST_FILES = 500
LARGEST_BYTES = 8 * 1024 * 1024  # of one file in a batch
_BLOCK_BYTES = 64 * 1024


class FilePath(BaseModel):
    """A file of the store, as it is called there (docs/format.md, section 3)."""

    camera: str = Field(max_length=64)
    stream: str = Field(max_length=64)
    day: str = Field(max_length=10)
    hour: str = Field(max_length=2)
    name: str = Field(max_length=128)


_SEALED = {"content": {SEALED_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
_BATCH = {"content": {BATCH_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


def media_api(plan: DashboardPlan) -> APIBlueprint:
    """The blueprint `media`."""
    api = APIBlueprint(
        "media",
        __name__,
        url_prefix="/api/v1",
        abp_security=SESSION,
        abp_responses=problems(400, 401, 404, 503),
    )

    @api.get(
        "/media/<camera>/<stream>/<day>/<hour>/<name>",
        responses={200: _SEALED, 206: _SEALED, **problems(416)},
        summary="A sealed file, whole or by a range of bytes",
    )
    def file(path: FilePath) -> Response:
        try:
            segment = named(path.camera, path.stream, path.day, path.hour, path.name)
        except NotAName:
            raise not_found("file") from None
        visitor().check_camera(segment.stream.camera)
        return _file(plan.store_root, segment)

    @api.get(
        "/cameras/<camera>/<stream>/batch",
        responses={200: _BATCH},
        summary="The sealed events or thumbs that begin in a span, in one answer",
    )
    def batch(path: StreamPath, query: Span) -> Response:
        stream = checked_stream(path, visitor())
        if stream.stream not in EVENT_STREAMS:
            raise not_found("stream of small files")
        check_span(query)
        with Index(index_path(plan.store_root), read_only=True) as index:
            files = index.starting_in(stream, query.from_ms, query.to_ms)[:MOST_FILES]
        return Response(_batch(plan.store_root, files), content_type=BATCH_TYPE)

    return api


def _file(root: Path, segment: StoredSegment) -> Response:
    try:
        found = opened(root, segment)
    except FileNotFoundError:
        raise not_found("file") from None
    body = wrap_file(request.environ, found.file, _BLOCK_BYTES)
    answer = Response(body, content_type=SEALED_TYPE, direct_passthrough=True)
    answer.call_on_close(found.file.close)
    answer.content_length = found.size_bytes
    try:
        answer.make_conditional(request.environ, accept_ranges=True, complete_length=found.size_bytes)
    except BaseException:
        found.file.close()
        raise
    return answer


def _batch(root: Path, files: list[StoredSegment]) -> Iterator[bytes]:
    for segment in files:
        with contextlib.suppress(OSError):  # deleted since the index was asked: then it is not in the batch
            found = opened(root, segment)
            with found.file as file:
                content = file.read(LARGEST_BYTES) if found.size_bytes <= LARGEST_BYTES else b""
            name = str(segment.name).encode("ascii")
            yield len(name).to_bytes(2, "big") + name + len(content).to_bytes(4, "big") + content
    yield bytes(2)
