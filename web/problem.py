"""What the API answers when it does not do what was asked: one shape for all (RFC 9457, problem details).

    {"type": "about:blank", "status": 403, "code": "origin", "title": "Forbidden", "detail": "…"}

Rules:
- `code` is for programs and never changes its meaning; `detail` is one sentence for people.
- Neither repeats what was sent, nor a path or an exception of ours.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from web.errors import WebError

CONTENT_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """The body of every answer from 400 on."""

    type: str = "about:blank"
    status: int = Field(description="the HTTP status again")
    code: str = Field(description="what went wrong, for programs")
    title: str
    detail: str = Field(description="what went wrong and what to do, for people")


class Problem(WebError):
    """Raised anywhere while a request is answered; becomes the answer."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code

    def response(self) -> Response:
        """The answer."""
        body = ProblemDetails(
            status=int(self.status), code=self.code, title=self.status.phrase, detail=str(self)
        )
        return Response(body.model_dump_json(), status=int(self.status), content_type=CONTENT_TYPE)


def not_found(what: str) -> Problem:
    """There is no such thing, or none that this member may see: which of the two is not said."""
    return Problem(HTTPStatus.NOT_FOUND, "not_found", f"There is no such {what} here.")


def from_http(error: HTTPException) -> Response:
    """The one shape for what Flask itself refuses, with the headers that belong to it."""
    status = HTTPStatus(error.code or 500)
    answer = Problem(status, status.name.lower(), _SENTENCES.get(status, f"{status.phrase}.")).response()
    for name, value in error.get_headers():
        if name in {"Allow", "Content-Range", "Retry-After"}:
            answer.headers[name] = value
    return answer


def from_fault() -> Response:
    """For a fault of ours: the log has the rest."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(status, "fault", "The dashboard made a mistake; its log says more.").response()


def invalid(errors: list[dict[str, object]]) -> Response:
    """For what does not fit the API's description: names the first field, never its value."""
    places = errors[0].get("loc", ()) if errors else ()
    name = ".".join(str(part) for part in places) if isinstance(places, tuple) else ""
    detail = f"{name[:80] or 'The request'} is missing or not of the form that the API describes."
    return Problem(HTTPStatus.BAD_REQUEST, "invalid", detail).response()


_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not know that method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The request must be of type application/json.",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "The file ends before this range begins.",
}
