"""Two writers of a camera, or two supervisors of a store, are refused, whoever they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import walk
from pipeline.store import AlreadyRunning, Store, StoreError, lock_camera, lock_store

HOLDER = """
import sys, pathlib
from pipeline.store import Store, lock_camera
lock = lock_camera(Store(pathlib.Path(sys.argv[1])), "front")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_recorder_of_a_camera_is_told_who_is_running(store: Store) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(
            AlreadyRunning, match=rf"front is already running \(pid {holder.pid}\)"
        ) as refused:
            lock_camera(store, "front")
        assert refused.value.pid == holder.pid
        assert walk.is_being_recorded(store.root, "front")
        lock_camera(store, "back").release()
        holder.kill()
    assert not walk.is_being_recorded(store.root, "front")
    lock_camera(store, "front").release()


def test_a_camera_on_another_disk_is_refused(store: Store, tmp_path: Path) -> None:
    (store.root / "front").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(StoreError, match="front is a symbolic link: a store lies on one disk"):
        lock_camera(store, "front")


def test_a_second_supervisor_is_refused_until_the_first_ends(store: Store) -> None:
    with lock_store(store), pytest.raises(AlreadyRunning, match=rf"already running \(pid {os.getpid()}\)"):
        lock_store(store)
    lock_store(store).release()


def test_a_lock_without_a_pid_still_refuses(store: Store) -> None:
    with lock_store(store):
        (store.root / "lock").write_bytes(b"")
        with pytest.raises(AlreadyRunning, match="pid unknown"):
            lock_store(store)


def test_a_camera_without_a_lock_is_not_being_recorded(store: Store) -> None:
    assert not walk.is_being_recorded(store.root, "front")
