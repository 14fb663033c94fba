"""A real HTTP server is told of events; slow ones, faulty ones, redirects."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time

import pytest

from nvr.notify import Notifiers
from nvr.notify.notice import Allowed, Notice, notice_of
from nvr.notify.outbox import Outbox
from nvr.notify.problem import Problem
from nvr.notify.webhook import Webhook
from nvr.watch_plan import NotifyPlan, WebhookPlan
from pipeline.event import Began, Changed, Ended, Happening
from tests.support.events import an_event
from tests.support.household import until
from tests.support.ports import free_port
from tests.support.receiver import receiver


def _notice() -> Notice:
    notice = notice_of("front", Began(an_event()), "front-7", Allowed())
    assert notice is not None
    return notice


def _deliver(url: str, secret: str = "", retries_s: tuple[float, ...] = (0.01, 0.01)) -> str:
    problem = Problem("webhook")
    Webhook(url, secret, problem, retries_s).deliver(_notice())
    return problem.text


def test_an_event_is_posted_and_signed() -> None:
    with receiver() as one:
        plan = NotifyPlan(webhooks=(WebhookPlan(one.url, "s3cret"),))
        with Notifiers.at_work(plan, ["front"]) as notifiers:
            notifiers.happened("front", Began(an_event()), "front-7")
            until(lambda: one.posts, 10)
        path, headers, body = one.posts[0]
        assert path == "/hook?token=abc"
        assert json.loads(body)["event"] == "front-7"
        assert "labels" not in json.loads(body)
        signed = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["X-Sealed-NVR-Signature"] == f"sha256={signed}"


def test_without_a_secret_nothing_is_signed() -> None:
    with receiver() as one:
        assert not _deliver(one.url)
        assert "X-Sealed-NVR-Signature" not in one.posts[0][1]


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as one, receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert not _deliver(one.url)
        assert (len(one.posts), len(proxy.posts)) == (1, 0)


def test_a_redirect_is_not_followed() -> None:
    with receiver() as elsewhere, receiver([307], location=elsewhere.url) as one:
        assert "redirect" in _deliver(one.url)
        assert (len(one.posts), elsewhere.posts) == (1, [])


def test_a_fault_of_the_server_is_tried_again() -> None:
    with receiver([500, 429]) as one:
        assert not _deliver(one.url)
        assert len(one.posts) == 3


def test_a_refusal_is_not_tried_again() -> None:
    with receiver([403]) as one:
        assert "refuses (403)" in _deliver(one.url)
        assert len(one.posts) == 1


def test_who_does_not_answer_is_given_up_without_naming_the_address() -> None:
    said = _deliver(f"http://127.0.0.1:{free_port()}/secret-path")
    assert "does not answer" in said
    assert "secret-path" not in said


def test_a_slow_server_delays_nobody() -> None:
    with receiver(slow_s=30) as one:
        plan = NotifyPlan(webhooks=(WebhookPlan(one.url, ""),))
        notifiers = Notifiers(plan, ["front"])
        notifiers.start()
        for number in range(1000):
            notifiers.happened("front", Began(an_event(number)), f"front-{number}")
        assert len(one.posts) <= 1
        assert "did not fit" in notifiers.problem
        one.ending.set()
        notifiers.close()


def test_a_full_outbox_drops_the_oldest_and_goes_on_after_a_fault() -> None:
    delivered: list[str] = []
    may_go = threading.Event()

    def deliver(notice: Notice) -> None:
        may_go.wait(20)
        delivered.append(notice.event)
        raise RuntimeError("a fault nobody foresaw")

    outbox = Outbox("test", deliver, most=2)
    outbox.start()
    for number in range(6):
        notice = notice_of("front", Began(an_event()), f"front-{number}", Allowed())
        assert notice is not None
        outbox.put(notice)
        time.sleep(0.05 if number == 0 else 0)
    may_go.set()
    outbox.close(20)
    assert delivered == ["front-0", "front-4", "front-5"]
    assert outbox.dropped == 3


def test_while_a_receiver_is_away_the_newest_change_of_an_event_waits_alone() -> None:
    delivered: list[tuple[str, str]] = []
    may_go = threading.Event()

    def deliver(notice: Notice) -> None:
        may_go.wait(20)
        delivered.append((notice.event, notice.state))

    outbox = Outbox("test", deliver, most=10)
    changes: list[Happening] = [Changed(an_event(label=f"car {number}")) for number in range(50)]
    told: list[tuple[str, Happening]] = [
        *(("front-1", one) for one in [Began(an_event()), *changes]),
        ("front-2", Began(an_event())),
        ("front-1", Ended(an_event())),
        ("front-2", Changed(an_event())),
    ]
    for event, happening in told:
        notice = notice_of("front", happening, event, Allowed())
        assert notice is not None
        outbox.put(notice)
    outbox.start()
    may_go.set()
    outbox.close(20)
    assert delivered == [
        ("front-1", "began"),
        ("front-2", "began"),
        ("front-1", "ended"),
        ("front-2", "changed"),
    ]
    assert outbox.dropped == 0


def test_without_receivers_there_is_no_thread_and_no_problem() -> None:
    before = threading.active_count()
    with Notifiers.at_work(NotifyPlan(), ["front"]) as notifiers:
        notifiers.happened("front", Began(an_event()), "front-1")
        assert (threading.active_count(), notifiers.problem) == (before, "")
