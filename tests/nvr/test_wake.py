"""Signals as something to wait for: none is lost, and no storm of them blocks who waits."""

from __future__ import annotations

import subprocess
import sys

STORM = """
import os, signal, threading, time
from nvr.wake import Wake, set_on_signals

seen = []
wake = Wake(seen.append, (signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM))
assert not wake.wait(0)

def storm():
    for _ in range(20_000):
        os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=storm).start()
while signal.SIGTERM not in seen:
    assert wake.wait(5)
assert signal.SIGHUP in seen  # equal ones that wait are one

stop = threading.Event()
set_on_signals(stop, (signal.SIGINT,))
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
assert stop.wait(5)
print("ended")
"""


def test_a_storm_of_signals_blocks_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "ended\n", done.stderr
