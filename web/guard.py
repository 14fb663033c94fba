"""What every request must pass before anything answers it. Strangers reach `OPEN`, and nothing else.

1. The `Host` is one of ours, so that no foreign name leads here.
2. No page of somebody else asks.
3. Whoever asks for anything else than the login has a session that still holds.
"""

from __future__ import annotations

import time
from http import HTTPStatus

from flask import Flask, g, request

from web.hosts import AllowedHosts, is_foreign
from web.household import HouseholdView
from web.problem import Problem
from web.sessions import Sessions
from web.visitor import Visitor

COOKIE = "__Host-sealed-nvr"
OPEN = frozenset({"login.challenge", "login.log_in_"})
_SAFE = frozenset({"GET", "HEAD"})


def guard(app: Flask, hosts: AllowedHosts, household: HouseholdView, sessions: Sessions) -> None:
    """Puts the three checks before every request of `app`."""

    @app.before_request
    def check() -> None:
        g.origin = _checked_origin(hosts)
        if request.endpoint in OPEN:
            return
        manifest = household.manifest()
        found = sessions.of(request.cookies.get(COOKIE, ""), manifest, time.monotonic())
        if found is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED, "session", "Nobody is logged in here, or no longer; log in again."
            )
        g.visitor = Visitor(*found, manifest)


def _checked_origin(hosts: AllowedHosts) -> str:
    origin = hosts.origin_of(request.headers.get("Host", ""))
    if origin is None:
        raise Problem(
            HTTPStatus.MISDIRECTED_REQUEST,
            "host",
            "This recorder is not known by that name; use a name or address that it lists.",
        )
    headers = request.headers
    changes = request.method not in _SAFE
    if is_foreign(origin, headers.get("Origin"), headers.get("Sec-Fetch-Site"), changes=changes):
        raise Problem(HTTPStatus.FORBIDDEN, "origin", "A page of somebody else may not do this.")
    return origin
