"""Video of a USB camera, or of one that offers neither H.264 nor H.265: a child process reads it, and encodes
what cannot be copied, under a budget.

A process of its own keeps decoder and encoder memory out of the recorder, lets it run at a lower priority,
and can be ended while a driver blocks. Settings go in through its stdin (a command line is visible to
everyone), items come back in the wire format of the tap.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from pipeline.source import errors
from pipeline.source.reading import SILENT_AFTER_NS
from pipeline.source.settings import SourceSettings
from pipeline.source.video import Item
from pipeline.wire import Decoder, Dropped, Hello, Message, WireError

_POLL_MS = 1000
_READ_BYTES = 256 * 1024
_PATIENCE_NS = SILENT_AFTER_NS * 2  # the child sees silence first and says so; this is for a child that hangs
_END_S = 5.0
_KINDS = {
    kind.__name__: kind for kind in (errors.Unreachable, errors.Refused, errors.NotVideo, errors.Interrupted)
}


def encoded_items(settings: SourceSettings, stop: Callable[[], bool]) -> Iterator[Item]:
    """The child's items. Raises what the child reports, or Interrupted when it dies."""
    child = _start(settings)
    try:
        for message in _messages(child, stop):
            if isinstance(message, Hello):
                yield message.info
            elif not isinstance(message, Dropped):
                yield message
    finally:
        _end(child)


def _start(settings: SourceSettings) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "pipeline.encode"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert child.stdin is not None  # noqa: S101  (a fact for the type checker)
    try:
        with child.stdin as pipe:
            pipe.write(json.dumps(asdict(settings)).encode())
    except BrokenPipeError:
        pass  # it died at once: its exit says why
    return child


def _messages(child: subprocess.Popen[bytes], stop: Callable[[], bool]) -> Iterator[Message]:
    assert child.stdout is not None  # noqa: S101  (a fact for the type checker)
    output = child.stdout.fileno()
    poll = select.poll()
    poll.register(output, select.POLLIN)
    decoder = Decoder()
    last = time.monotonic_ns()
    while not stop():
        if not poll.poll(_POLL_MS):
            if time.monotonic_ns() - last > _PATIENCE_NS:
                raise errors.silent()
            continue
        data = os.read(output, _READ_BYTES)
        if not data:
            raise _reported(child)
        last = time.monotonic_ns()
        try:
            yield from decoder.feed(data)
        except WireError:
            raise errors.Interrupted("encoder process failed", "what it sent cannot be read") from None


def _reported(child: subprocess.Popen[bytes]) -> errors.SourceError:
    """What the child said when it ended: one line of JSON. Anything else it wrote is not passed on."""
    assert child.stderr is not None  # noqa: S101  (a fact for the type checker)
    try:
        said = json.loads(child.stderr.read(4096))
        return _KINDS[said["kind"]](str(said["reason"]), str(said["advice"]))
    except (ValueError, KeyError, TypeError):
        return errors.Interrupted("encoder process failed", "it ended without saying why")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
