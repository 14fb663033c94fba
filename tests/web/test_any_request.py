"""Whatever is asked, of the form that is described or not: an answer that is described, never a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.index import rebuild
from tests.support.dashboard import DashboardHouse
from tests.support.people import NOW_MS
from web.guard import COOKIE

AS_DESCRIBED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = {"/api/v1/state/events", "/api/v1/live/frames"}
ENDS_THE_SESSION = ("DELETE", "/api/v1/sessions")
LOGIN = {"/api/v1/login", "/api/v1/login/challenge"}
OURS = {"Origin": "https://localhost"}
MODES = list(schemathesis.GenerationMode)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardHouse]:
    house = DashboardHouse.found(tmp_path_factory.mktemp("any"))
    house.people.record("front", at_ms=NOW_MS)
    rebuild(house.people.root)
    house.dashboard.live.start()
    yield house
    house.dashboard.live.close()


@pytest.fixture
def cookies(house: DashboardHouse) -> dict[str, str]:
    found = house.browser("anna").client.get_cookie(COOKIE, domain="nvr.local")
    assert found is not None
    return {COOKIE: found.value}


def operations(house: DashboardHouse) -> Iterator[Any]:
    """Every operation that is described."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(house.dashboard.app.api_doc)))
    schema.app = house.dashboard.app
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_a_member_gets_an_answer_that_is_described(
    house: DashboardHouse, cookies: dict[str, str], mode: schemathesis.GenerationMode
) -> None:
    seen: set[int] = set()

    def note(_context: Any, response: Any, _case: Any) -> None:
        seen.add(response.status_code)

    for operation in operations(house):
        if operation.path in ENDLESS or (operation.method.upper(), operation.path) == ENDS_THE_SESSION:
            continue
        if mode.is_negative and not _can_be_wrong(operation):
            continue
        _try(operation, mode, cookies, [note, *AS_DESCRIBED])
    assert {400, 404} <= seen if mode.is_negative else {200, 404} <= seen


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_a_stranger_gets_nothing_but_the_login(
    house: DashboardHouse, cookies: dict[str, str], mode: schemathesis.GenerationMode
) -> None:
    def nothing(_context: Any, response: Any, _case: Any) -> None:
        assert response.status_code in {401, 404, 405}  # 404 and 405: no such route at all
        assert b"code" in response.content

    for operation in operations(house):
        if operation.path not in LOGIN and (not mode.is_negative or _can_be_wrong(operation)):
            _try(operation, mode, {}, [nothing])


def _can_be_wrong(operation: Any) -> bool:
    return bool(operation.query or operation.path_parameters or operation.body)


def _try(
    operation: Any, mode: schemathesis.GenerationMode, cookies: dict[str, str], checks: list[Any]
) -> None:
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(headers=OURS, cookies=cookies)
        case.validate_response(response, checks=checks)

    ask()
