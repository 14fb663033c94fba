"""How a model becomes an answer, and how answers are described."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response
from pydantic import BaseModel

from web.problem import CONTENT_TYPE, ProblemDetails

SESSION: list[dict[str, list[Any]]] = [{"session": []}]  # the description of what only members reach
Described = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]


def answer(model: BaseModel) -> Response:
    """200, as JSON."""
    return Response(model.model_dump_json(), content_type="application/json")


def problems(*statuses: int) -> Described:
    """The description of answers that are a problem."""
    described = {"content": {CONTENT_TYPE: {"schema": ProblemDetails.model_json_schema()}}}
    return dict.fromkeys(statuses, described)
