"""How a model becomes an answer, and how answers are described."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response
from pydantic import BaseModel

from web.problem import ProblemDetails

Described = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]


def answer(model: BaseModel) -> Response:
    """200, as JSON."""
    return Response(model.model_dump_json(), content_type="application/json")


def problems(*statuses: int) -> Described:
    """The description of answers that are a problem."""
    return {status: ProblemDetails for status in statuses}
