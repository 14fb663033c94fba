"""The dashboard put together: which parts there are, and how every fault becomes an answer."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from pipeline.household.errors import HouseholdError
from pipeline.index.errors import IndexFault
from web.api.footage import footage_api
from web.api.household import household_api
from web.api.live import live_api
from web.api.login import login_api
from web.api.state import state_api
from web.background import Background
from web.challenges import Challenges
from web.guard import COOKIE, guard
from web.headers import with_headers
from web.hosts import AllowedHosts
from web.household import HouseholdView
from web.live.errors import LiveError
from web.live.live import Live
from web.media import media_api
from web.plan import DashboardPlan
from web.problem import Problem, from_fault, from_http, invalid
from web.sessions import Sessions

SWEEP_S = 2.0
LARGEST_REQUEST_BYTES = 64 * 1024
_log = logging.getLogger("nvr.web")


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The application, and what outlives a request."""

    app: OpenAPI
    sessions: Sessions
    household: HouseholdView
    live: Live

    def start(self) -> None:
        """Starts what has threads: live view, and the end of sessions. After the fork, once."""
        self.live.start()
        Background("dashboard-sweep", self.sweep, SWEEP_S).start()

    def sweep(self) -> None:
        """Ends sessions whose time is up or whose member has left, and the live streams of all that ended.

        Who watches is not idle.
        """
        now_s = time.monotonic()
        self.sessions.sweep(self.household.manifest(), now_s)
        for owner in self.live.owners():
            if not self.sessions.still(owner, now_s):
                self.live.end_owner(owner)


def make_dashboard(plan: DashboardPlan, hosts: AllowedHosts) -> Dashboard:
    """Raises HouseholdError, OSError when the store has no household that can be believed."""
    household = HouseholdView(plan)
    sessions = Sessions(secrets.token_bytes)
    live = Live(plan.run_dir)
    app = _application()
    guard(app, hosts, household, sessions)
    app.register_api(login_api(household, sessions, Challenges(secrets.token_bytes)))
    app.register_api(household_api(plan, household))
    app.register_api(footage_api(plan))
    app.register_api(media_api(plan))
    app.register_api(state_api(plan, household, sessions))
    app.register_api(live_api(live))
    app.add_url_rule("/api/v1/openapi.json", "openapi", lambda: jsonify(app.api_doc))
    return Dashboard(app, sessions, household, live)


def _application() -> OpenAPI:
    app = OpenAPI(
        __name__,
        info=Info(title="Sealed NVR", version="1"),
        static_folder=None,
        security_schemes={"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        doc_ui=False,
        validation_error_status=HTTPStatus.BAD_REQUEST,
        validation_error_callback=_invalid,
    )
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST_BYTES
    app.after_request(with_headers)
    _map_faults(app)
    return app


def _invalid(error: ValidationError) -> Response:
    errors: list[dict[str, Any]] = list(error.errors(include_url=False, include_input=False))  # type: ignore[arg-type]
    return invalid(errors)


def _map_faults(app: Flask) -> None:
    """The one place that turns errors into answers."""
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(LiveError, _no_picture)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(IndexFault, lambda fault: _unavailable("index", "The index"))
    app.register_error_handler(HouseholdError, lambda fault: _unavailable("household", "The household"))
    app.register_error_handler(OSError, lambda fault: _unavailable("disk", "The disk"))
    app.register_error_handler(Exception, _fault)


def _no_picture(error: LiveError) -> Response:
    return Problem(error.status, error.code, str(error)).response()


def _unavailable(code: str, what: str) -> Response:
    sentence = f"{what} cannot be read now; nvr check says more."
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, code, sentence).response()


def _fault(error: Exception) -> Response:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "?"
    _log.error("a request failed: %s at %s", type(error).__name__, place)
    return from_fault()
