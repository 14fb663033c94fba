"""`nvr run`: keeps recorders and the watcher alive and the store within limits. It records nothing itself.

- One supervisor per store; a recorder dies with its supervisor, and never takes it or another recorder
  along.
- SIGHUP takes a changed configuration over as a whole or not at all; only changed cameras are started anew,
  and the watcher if what it is told has changed. Recorders never wait for it.
- SIGINT and SIGTERM end everything within `END_S`: recorders publish what they have, who hangs is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from nvr.chain_upkeep import ChainUpkeep
from nvr.child_process import end_all
from nvr.config_file import LoadedConfig, load_config
from nvr.errors import NvrError
from nvr.keys_nearby import keys_nearby
from nvr.recorder_process import RecorderProcess, Starter, report_time_ns, start_recorder
from nvr.recording_plan import RecordingPlan, plan_for
from nvr.retention_policy import policy_of
from nvr.run_directory import make_run_directory, run_directory
from nvr.spent_generations import SpentGenerations
from nvr.upkeep import Upkeep
from nvr.wake import Wake
from nvr.watch_plan import WatchPlan, watch_plan
from nvr.watcher_process import WatcherProcess, WatchStarter, start_watcher
from pipeline.health import State, StreamReport, read_report, report_path
from pipeline.store import Store, lock_store

TICK_S = 0.5
END_S = 7.0  # then SIGKILL; with the upkeep it makes less than 10
HEALTH_S = 3600.0
KEY_WARNING_S = 3600.0
WATCHER = "the watcher"  # in the log; no camera can be called that
log = logging.getLogger(__name__)


def supervise(file: Path) -> None:
    """Until SIGINT or SIGTERM. Raises `ConfigFaults`, `AlreadyRunning`, `StoreError`, `StoreTrouble`."""
    loaded = load_config(file)
    store = Store(loaded.store_root)
    device = store.device
    run_dir = run_directory(loaded.config.store.run_dir, device, os.environ, os.getuid())
    with lock_store(store):
        spent = SpentGenerations(store.root, loaded.state_dir)
        chains = ChainUpkeep(store, loaded.state_dir)
        upkeep = Upkeep(store, policy_of(loaded.config), chains.run_pass, spent=spent)
        Supervisor(loaded, make_run_directory(run_dir), upkeep).run()


class Supervisor:
    """All recorders of one store. Takes the process's signals: one a process, made in the main thread."""

    def __init__(
        self,
        loaded: LoadedConfig,
        run_dir: Path,
        upkeep: Upkeep,
        start: Starter = start_recorder,
        load: Callable[[Path], LoadedConfig] = load_config,
        start_watch: WatchStarter = start_watcher,
    ) -> None:
        self._loaded = loaded
        self._run_dir = run_dir
        self._upkeep = upkeep
        self._start = start
        self._load = load
        self._start_watch = start_watch
        self._watcher: WatcherProcess | None = None
        self._recorders: dict[str, RecorderProcess] = {}
        self._wake = Wake(self._on_signal, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD))
        self._ending = False
        self._reload_asked = False
        self._next_health_s = time.monotonic() + HEALTH_S
        self._next_warning_s = 0.0

    def _on_signal(self, number: int) -> None:
        """SIGCHLD does nothing but wake us: an ended recorder is noticed at once."""
        if number == signal.SIGHUP:
            self._reload_asked = True
        elif number != signal.SIGCHLD:
            self._ending = True

    def run(self) -> None:
        """Until told to end."""
        self._say_warnings()
        self._take_over(self._loaded)
        self._upkeep.start()
        try:
            while not self._ending:
                self.run_once(time.monotonic())
                self._wake.wait(TICK_S)
        finally:
            self._end()

    def run_once(self, now_s: float) -> None:
        """Whatever is due; never blocks for long."""
        if self._reload_asked:
            self._reload_asked = False
            self._reload()
        for camera, recorder in list(self._recorders.items()):
            recorder.tend(now_s)
            if recorder.plan is None and recorder.ended:
                del self._recorders[camera]
        if self._watcher is not None:
            self._watcher.tend(now_s)
        if now_s >= self._next_health_s:
            self._next_health_s = now_s + HEALTH_S
            self._say_health()
        if now_s >= self._next_warning_s:
            self._next_warning_s = now_s + KEY_WARNING_S
            self._warn_of_keys()

    def _reload(self) -> None:
        try:
            loaded = self._load(self._loaded.file)
        except NvrError as fault:
            for line in str(fault).splitlines():
                log.error("configuration not taken over: %s", line.strip())
            return
        old, new = self._loaded, loaded
        if _places(old) != _places(new):
            log.error(
                "configuration not taken over: store.path, run_dir and state_dir need a restart of nvr run"
            )
            return
        self._loaded = loaded
        self._say_warnings()
        self._take_over(loaded)
        self._upkeep.change(policy_of(loaded.config))
        log.info("configuration taken over")

    def _take_over(self, loaded: LoadedConfig) -> None:
        plans = {plan.camera: plan for plan in wanted_plans(loaded, self._run_dir)}
        for camera, recorder in self._recorders.items():
            plan = plans.pop(camera, None)
            if recorder.plan != plan:
                log.info("%s: %s", camera, "starting anew with changed settings" if plan else "ending")
                recorder.change(plan)
        for camera, plan in plans.items():
            log.info("%s: starting", camera)
            self._recorders[camera] = RecorderProcess(plan, self._start, self._report_time_ns)
        self._take_over_watch(watch_plan(loaded, self._run_dir))
        if not self._recorders:
            log.warning("no camera is configured; add one with: nvr camera add, then send SIGHUP or restart")

    def _take_over_watch(self, plan: WatchPlan) -> None:
        wanted = plan if plan.cameras else None
        if self._watcher is not None:
            if self._watcher.plan != wanted:
                log.info("watch: %s", "starting anew with changed settings" if wanted else "ending")
                self._watcher.change(wanted)
        elif wanted is not None:
            log.info("watch: starting")
            self._watcher = WatcherProcess(wanted, self._run_dir, self._start_watch)

    def _report_time_ns(self, camera: str) -> int:
        return report_time_ns(report_path(self._run_dir, camera))

    def _say_warnings(self) -> None:
        for warning in self._loaded.warnings:
            log.warning("%s", warning)

    def _warn_of_keys(self) -> None:
        for file in keys_nearby([self._loaded.file.parent, self._loaded.store_root]):
            log.warning("a key lies beside the footage: move %s to another device", file)

    def _say_health(self) -> None:
        for camera in self._recorders:
            report = read_report(self._run_dir, camera)
            for name, stream in (report.streams if report else {}).items():
                log.info("%s/%s: %s", camera, name, health_line(stream))

    def _end(self) -> None:
        log.info("ending")
        watcher = {WATCHER: self._watcher} if self._watcher else {}
        end_all({**self._recorders, **watcher}, END_S, self._wake.wait)
        self._upkeep.stop()
        log.info("ended")


def _places(loaded: LoadedConfig) -> tuple[Path, Path, str]:
    """What cannot be changed while anything runs."""
    return loaded.store_root, loaded.state_dir, loaded.config.store.run_dir


def wanted_plans(loaded: LoadedConfig, run_dir: Path) -> Iterable[RecordingPlan]:
    """The plans of all cameras that are to be recorded at some time."""
    plans = (plan_for(loaded, camera, run_dir) for camera in loaded.config.cameras)
    return (plan for plan in plans if plan.record != "off")


def health_line(stream: StreamReport) -> str:
    """One stream's state in a line for the log."""
    state = f"{stream.state} ({stream.reason})" if stream.reason else str(stream.state)
    kept = f"{stream.bytes_per_s / 1000:.0f} kB/s, {stream.segments} segments"
    lost = f"{stream.lost_packets} packets dropped, {stream.reconnects} reconnects"
    unsure = ", clock unsure" if stream.clock_unsure else ""
    return f"{state}: {kept}, {lost}{unsure}" if stream.state == State.RECORDING else f"{state}: {lost}"
