"""All receivers that a plan names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nvr.notify.mqtt import Mqtt
from nvr.notify.notice import Allowed, notice_of
from nvr.notify.outbox import Outbox
from nvr.notify.problem import Problem
from nvr.notify.webhook import Webhook
from nvr.watch_plan import NotifyPlan
from pipeline.event import Happening

_GOODBYE_S = 3.0  # for what still waits, when the watcher ends


class Notifiers:
    """Told of events by `happened`, from one thread. Without receivers it has no thread and does nothing."""

    def __init__(self, plan: NotifyPlan, cameras: Sequence[str]) -> None:
        self._allowed = Allowed(plan.labels, plan.pictures)
        self._problems: list[Problem] = []
        self._receivers: list[tuple[Mqtt | Webhook, Outbox]] = []
        if plan.mqtt is not None:
            self._add("mqtt", Mqtt(plan.mqtt, cameras, self._allowed, self._problem("mqtt")))
        for number, hook in enumerate(plan.webhooks, 1):
            name = f"webhook-{number}"
            self._add(name, Webhook(hook.url, hook.secret, self._problem(name)))

    @classmethod
    @contextmanager
    def at_work(cls, plan: NotifyPlan, cameras: Sequence[str]) -> Iterator[Notifiers]:
        """Started, and closed at the end of the block."""
        notifiers = cls(plan, cameras)
        notifiers.start()
        try:
            yield notifiers
        finally:
            notifiers.close()

    def start(self) -> None:
        """Begins to deliver; receivers need not be there."""
        for receiver, outbox in self._receivers:
            if isinstance(receiver, Mqtt):
                receiver.start()
            outbox.start()

    def happened(self, camera: str, happening: Happening, event_id: str) -> None:
        """Notes it for every receiver; never waits, never raises."""
        if not self._receivers:
            return
        notice = notice_of(camera, happening, event_id, self._allowed)
        if notice is not None:
            for _, outbox in self._receivers:
                outbox.put(notice)

    def close(self) -> None:
        """Delivers what waits, for some seconds, and ends."""
        for receiver, outbox in self._receivers:
            receiver.hurry()
            outbox.close(_GOODBYE_S)
            if isinstance(receiver, Mqtt):
                receiver.close()

    @property
    def problem(self) -> str:
        """What is wrong with receivers, for the report; empty for nothing."""
        lost = sum(outbox.dropped for _, outbox in self._receivers)
        said = [f"{problem.name}: {problem.text}" for problem in self._problems if problem.text]
        return "; ".join([*said, f"{lost} notices did not fit"] if lost else said)

    def _problem(self, name: str) -> Problem:
        self._problems.append(Problem(name))
        return self._problems[-1]

    def _add(self, name: str, receiver: Mqtt | Webhook) -> None:
        self._receivers.append((receiver, Outbox(f"notify-{name}", receiver.deliver)))
