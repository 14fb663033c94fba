"""Tells others of events: an MQTT broker and webhooks, to hosts that the user names. Off by default.

Rules:
- Nothing is sent anywhere unless the plan names where. Neither label nor picture goes along unless allowed.
- `happened` only notes what it is told: each receiver has a thread and a bounded outbox of its own, and what
  does not fit is dropped, oldest first, and counted. Recording and looking never wait for a receiver.
- No proxy is used and no redirect followed: what is sent goes to the named host or nowhere.
- No log line and no report holds a password, a secret, an address, a label or a server's own words.
"""

from nvr.notify.notifiers import Notifiers

__all__ = ["Notifiers"]
