"""The run-time directory: sockets and reports of running recorders. In memory, never on the store.

It is ours alone (0700): a tap hands out footage unsealed to whoever may connect.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from nvr.errors import StoreTrouble

SYSTEM_DIRECTORY = Path("/run/sealed-nvr")  # what RuntimeDirectory=sealed-nvr makes


def run_directory(configured: str, device: bytes, environ: Mapping[str, str], uid: int) -> Path:
    """Where a recorder of this store puts it. Pure."""
    if configured:
        return Path(configured).expanduser().absolute()
    if environ.get("RUNTIME_DIRECTORY"):
        return Path(environ["RUNTIME_DIRECTORY"].split(":")[0])
    short = device.hex()[:8]
    if environ.get("XDG_RUNTIME_DIR"):
        return Path(environ["XDG_RUNTIME_DIR"]) / f"sealed-nvr-{short}"
    return Path("/tmp") / f"sealed-nvr-{uid}-{short}"  # noqa: S108 - checked to be ours when it is made


def find_run_directory(configured: str, device: bytes) -> Path:
    """Where running recorders of this store have it, as seen from another process."""
    ours = run_directory(configured, device, os.environ, os.getuid())
    if configured:
        return ours
    elsewhere = run_directory("", device, {}, os.getuid())  # without a session: started by cron or sudo
    candidates = (ours, SYSTEM_DIRECTORY, elsewhere)
    return next((place for place in candidates if _has_reports(place)), ours)


def _has_reports(directory: Path) -> bool:
    try:
        return any(directory.glob("*.status.json"))
    except OSError:
        return False


def make_run_directory(directory: Path) -> Path:
    """Makes it, or checks that it is ours alone. Raises `StoreTrouble`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise StoreTrouble(f"{directory} belongs to somebody else; remove it, or set run_dir in [store].")
        directory.chmod(0o700)
    except OSError as fault:
        raise StoreTrouble(f"Cannot make the run-time directory {directory}: {fault.strerror}.") from None
    return directory
