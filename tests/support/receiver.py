"""A real HTTP server that is posted to, and answers as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Post = tuple[str, dict[str, str], bytes]


@dataclass
class Receiver:
    """`answers` are the statuses to answer with, in turn, then 204; `slow_s`: how long each answer takes."""

    answers: list[int] = field(default_factory=list)
    slow_s: float = 0.0
    location: str = ""
    posts: list[Post] = field(default_factory=list)
    url: str = ""
    ending: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiver(answers: list[int] | None = None, slow_s: float = 0.0, location: str = "") -> Iterator[Receiver]:
    """Serves until the block ends."""
    one = Receiver(answers or [], slow_s, location)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one.posts.append((self.path, dict(self.headers), body))
            one.ending.wait(one.slow_s)
            self.send_response(one.answers.pop(0) if one.answers else 204)
            if one.location:
                self.send_header("Location", one.location)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    one.url = f"http://127.0.0.1:{server.server_port}/hook?token=abc"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield one
    finally:
        one.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()
