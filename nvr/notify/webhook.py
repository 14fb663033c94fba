"""Posts notices to one address.

Rules:
- Straight to the named host: no proxy, no redirect (it is refused and said), certificates are checked.
- Every step ends in time. What cannot be delivered is tried again a few times, then given up.
- With a secret each post is signed: `X-Sealed-NVR-Signature: sha256=` and the body's HMAC-SHA-256, in hex.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from nvr.notify.notice import Notice
from nvr.notify.problem import Problem

TIMEOUT_S = 5.0
RETRIES_S = (1.0, 5.0, 15.0)  # a router that begins anew is back within some seconds
SIGNATURE = "X-Sealed-NVR-Signature"
_AGAIN = frozenset({408, 425, 429})  # refusals that time may heal; those from 500 on, too


class Webhook:
    """One address. `deliver` blocks for a minute at most; for one thread."""

    def __init__(
        self, url: str, secret: str, problem: Problem, retries_s: Sequence[float] = RETRIES_S
    ) -> None:
        self._parts = urlsplit(url)
        self._secret = secret.encode()
        self._problem = problem
        self._retries_s = retries_s
        self._closing = threading.Event()

    def hurry(self) -> None:
        """Nothing is tried again from now on."""
        self._closing.set()

    def deliver(self, notice: Notice) -> None:
        """Posts it."""
        body = body_of(notice)
        for pause_s in (*self._retries_s, None):
            fault, worth_another = self._post(body)
            if not fault:
                self._problem.is_over()
                return
            self._problem.is_there(fault)
            if not worth_another or pause_s is None or self._closing.wait(pause_s):
                return

    def _post(self, body: bytes) -> tuple[str, bool]:
        """What went wrong (nothing: empty), and whether trying again may help."""
        connection = self._connection()
        try:
            connection.request("POST", self._target(), body, self._headers(body))
            status = connection.getresponse().status
        except ssl.SSLCertVerificationError:
            return "the receiver's certificate is not one that this machine trusts", False
        except (OSError, http.client.HTTPException) as error:
            return f"the receiver does not answer ({type(error).__name__})", True
        finally:
            connection.close()
        return _judged(status)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)

    def _target(self) -> str:
        query = f"?{self._parts.query}" if self._parts.query else ""
        return (self._parts.path or "/") + query

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "Sealed-NVR"}
        return {**headers, SIGNATURE: signature(self._secret, body)} if self._secret else headers


def signature(secret: bytes, body: bytes) -> str:
    """What stands in the signature's header."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def body_of(notice: Notice) -> bytes:
    """The JSON that is posted; with a picture (base64 of a JPEG) where that is allowed and there is one."""
    said = notice.fields()
    if notice.picture is not None:
        said["picture"] = base64.b64encode(notice.picture.jpeg()).decode()
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _judged(status: int) -> tuple[str, bool]:
    if status < 300:
        return "", False
    if status < 400:
        return f"the receiver answers with a redirect ({status}), which is not followed", False
    return f"the receiver refuses ({status})", status >= 500 or status in _AGAIN
