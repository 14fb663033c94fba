"""Logging in and out, and one's own sessions."""

from __future__ import annotations

import time
from http import HTTPStatus

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from web.api.answering import SESSION, answer, problems
from web.challenges import LIFE_S, Challenges
from web.guard import COOKIE
from web.household import HouseholdView
from web.login import LoginRefused, log_in
from web.problem import Problem, not_found
from web.sessions import IDLE_S, Session, Sessions
from web.throttle import Throttle
from web.visitor import visitor

BURST, PER_S = 20, 0.5  # logins of one address; a household behind one proxy still gets in
_REFUSED = problems(401, 403, 429)


class Challenge(BaseModel):
    """What to sign."""

    challenge: str = Field(description="hexadecimal; to be signed once, together with the page's origin")
    life_s: int


class Login(BaseModel):
    """A signed line for the purpose `login`."""

    line: str = Field(min_length=80, max_length=2000)


class LoggedIn(BaseModel):
    """Who that was, and how long the session lasts without a request."""

    session_id: str
    member: str
    role: str
    groups: list[str]
    idle_s: int


class SessionShown(BaseModel):
    """One of the member's sessions."""

    session_id: str
    since_ms: int
    agent: str
    is_this: bool


class SessionList(BaseModel):
    """The member's sessions, newest first."""

    sessions: list[SessionShown]


class SessionPath(BaseModel):
    """One session."""

    session_id: str = Field(max_length=64)


def login_api(household: HouseholdView, sessions: Sessions, challenges: Challenges) -> APIBlueprint:
    """The blueprint `login`."""
    api = APIBlueprint("login", __name__, url_prefix="/api/v1", abp_responses=problems(400))
    throttle = Throttle(BURST, PER_S)

    @api.post("/login/challenge", responses={200: Challenge, **_REFUSED}, summary="Ask for a challenge")
    def challenge() -> Response:
        _check_pace(throttle)
        given = challenges.give(g.origin, time.monotonic())
        return answer(Challenge(challenge=given, life_s=int(LIFE_S)))

    @api.post("/login", responses={200: LoggedIn, **_REFUSED}, summary="Log in with a signed challenge")
    def log_in_(body: Login) -> Response:
        _check_pace(throttle)
        try:
            member = log_in(
                body.line.encode("utf-8"), household.manifest(), g.origin, challenges, time.monotonic()
            )
        except LoginRefused as refused:
            raise Problem(HTTPStatus.UNAUTHORIZED, f"login_{refused.code}", str(refused)) from None
        agent = request.headers.get("User-Agent", "")
        token, session = sessions.begin(member, agent, time.monotonic(), time.time_ns() // 1_000_000)
        logged_in = answer(
            LoggedIn(
                session_id=session.session_id,
                member=member.name,
                role=str(member.role),
                groups=list(member.groups),
                idle_s=int(IDLE_S),
            )
        )
        logged_in.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Strict", path="/")
        return logged_in

    @api.get(
        "/sessions",
        security=SESSION,
        responses={200: SessionList, **problems(401)},
        summary="Your own sessions",
    )
    def list_sessions() -> Response:
        ours = visitor().session
        found = sessions.of_member(ours.member, time.monotonic())
        return answer(SessionList(sessions=[_shown(one, ours) for one in found]))

    @api.delete(
        "/sessions", security=SESSION, responses={204: None, **problems(401)}, summary="Log out everywhere"
    )
    def end_sessions() -> Response:
        sessions.end_all(visitor().session.member)
        return _without_cookie()

    @api.delete(
        "/sessions/<session_id>",
        security=SESSION,
        responses={204: None, **problems(401, 404)},
        summary="End one session",
    )
    def end_session(path: SessionPath) -> Response:
        ours = visitor().session
        if not sessions.end(path.session_id, ours.member):
            raise not_found("session")
        return _without_cookie() if path.session_id == ours.session_id else Response(status=204)

    return api


def _check_pace(throttle: Throttle) -> None:
    wait_s = throttle.wait_s(request.remote_addr or "", time.monotonic())
    if wait_s:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS, "pace", f"Too many logins from this address; wait {wait_s:.0f} s."
        )


def _shown(session: Session, ours: Session) -> SessionShown:
    return SessionShown(
        session_id=session.session_id,
        since_ms=session.since_ms,
        agent=session.agent,
        is_this=session.session_id == ours.session_id,
    )


def _without_cookie() -> Response:
    gone = Response(status=204)
    gone.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
    return gone
