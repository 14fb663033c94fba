"""A household as a user has it: made by `nvr init`, worked on by real `nvr` processes.

house = make_household(tmp_path)
house.add_street("street")
with house.running() as run:
    until(lambda: house.stream("street")["recording"])
    run.process.send_signal(signal.SIGHUP)
    assert "taken over" in run.log()
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import walk
from pipeline.names import StoredSegment

STREET = Path(__file__).parents[2] / "nvr" / "assets" / "street.mp4"
STOP_S = 15.0


@dataclass(frozen=True)
class Running:
    """An `nvr` process and what it has logged so far."""

    process: subprocess.Popen[bytes]
    log_file: Path

    def log(self) -> str:
        """Everything on its standard error until now."""
        return self.log_file.read_text("utf-8")

    def children(self) -> list[int]:
        """The processes it has started that still live."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@dataclass(frozen=True)
class Household:
    """Where things are, and how to type `nvr` there."""

    directory: Path
    keys: Path
    run_dir: Path

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.directory / "nvr.toml"

    @property
    def store(self) -> Path:
        """The store."""
        return self.directory / "store"

    @property
    def key_file(self) -> Path:
        """The first member's identity, not wrapped."""
        return self.keys / "owner.key"

    def command(self, *words: str) -> list[str]:
        """`nvr` with this configuration."""
        return [sys.executable, "-m", "nvr", "--config", str(self.config), *words]

    def nvr(self, *words: str, timeout_s: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, without a terminal."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )

    def json(self, *words: str, code: int = 0) -> Any:
        """What a command says with `--json`, ending with that exit code."""
        done = self.nvr(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def add(self, name: str, **settings: str | bool | float | list[str]) -> None:
        """Writes a camera into the configuration as a person would with an editor."""
        lines = [f"{setting} = {json.dumps(value)}" for setting, value in settings.items()]
        with self.config.open("a", encoding="utf-8") as file:
            file.write("\n".join(["", f"[cameras.{name}]", *lines, ""]))

    def add_street(self, name: str = "street") -> None:
        """A camera that plays the street clip."""
        self.add(name, url=STREET.as_uri())

    def stream(self, camera: str, stream: str = "main") -> dict[str, Any]:
        """What `nvr status` says of a stream."""
        streams: list[dict[str, Any]] = self.json("status")["streams"]
        return next(one for one in streams if (one["camera"], one["stream"]) == (camera, stream))

    def segments(self, camera: str = "street") -> list[StoredSegment]:
        """What is published of a camera."""
        return [
            segment
            for stream in walk.streams(self.store, camera)
            for hour in walk.hours(self.store, stream)
            for segment in walk.segments(self.store, hour)
        ]

    @contextmanager
    def running(self, *words: str) -> Iterator[Running]:
        """A command that lasts (`run` unless said otherwise), ended with SIGTERM after the block."""
        log_file = self.directory / "run.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                self.command(*(words or ("run",))), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield Running(process, log_file)
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def make_household(place: Path, *options: str, watched: bool = False) -> Household:
    """By `nvr init`, without a passphrase. Somebody looks only if `watched`: it costs a core for seconds."""
    house = Household(place / "house", place / "keys", place / "run")
    arguments = ["init", str(house.directory), "--keys-to", str(house.keys), "--no-passphrase", *options]
    subprocess.run([sys.executable, "-m", "nvr", *arguments], check=True, capture_output=True, timeout=60)
    text = house.config.read_text("utf-8")
    text = text.replace("[store]\n", f'[store]\nrun_dir = "{house.run_dir}"\n', 1)
    house.config.write_text(text if watched else text + "\n[detect]\nenabled = false\n", "utf-8")
    return house


def until(condition: Callable[[], object], timeout_s: float = 30, why: Callable[[], str] = str) -> None:
    """Waits for what another process brings about; an AssertionError when it does not come."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, f"it did not happen within {timeout_s} s: {why()}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
