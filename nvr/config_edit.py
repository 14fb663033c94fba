"""Changes to the configuration file that keep its comments, and the file that `nvr init` writes.

The text functions are pure; `write_config` replaces a file as a whole, mode 0600, or leaves it as it was.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.items import Table

from nvr.errors import StoreTrouble, UsageFault

NEW_CONFIG = """\
# Sealed NVR. Every setting is explained in docs/reference.md; "nvr camera add" writes the cameras for you.
# This file holds camera passwords: keep it readable by nobody else (mode 0600).

[store]
path = {store}            # where sealed footage goes; a relative path counts from this file
days = 30                 # footage older than this is deleted
min_free = "2GB"          # this much of the disk stays free, whatever else is said
# max_bytes = "500GB"     # at most this much for the whole store
# flush_s = 2.0           # a power cut loses at most this and a second more; say 10 on an SD card

# [cameras.front]
# url = "rtsp://192.168.1.20/stream1"     # or rtsps://, http://…mjpeg, file:///clip.mp4, /dev/video0
# sub = "rtsp://192.168.1.20/stream2"     # the small picture, for scrubbing and phones
# user = "admin"
# password = "…"
# record = "continuous"                   # or "events", "off", or "schedule" with
# schedule = ["mon-fri 08:00-18:00", "sat,sun", "22:00-06:00"]
# audio = true
# days = 14                               # instead of the store's
# max_bytes = "100GB"

# People, cars and animals are looked for on all cameras, on this machine alone.
# [detect]
# enabled = false
# labels = ["person", "car", "dog"]
# keep_days = 60                          # of footage that an event touches
"""


def new_config(store: str) -> str:
    """The text of a first configuration."""
    return NEW_CONFIG.replace("{store}", tomlkit.item(store).as_string())


def with_camera(text: str, name: str, settings: Mapping[str, str | bool]) -> str:
    """The same file with one more camera at its end. Raises `UsageFault` when the name is taken."""
    document = tomlkit.parse(text)
    cameras = document.get("cameras")
    if cameras is not None and name in cameras:
        raise UsageFault(f'There is a camera "{name}" already. Remove it first: nvr camera remove {name}')
    table = tomlkit.table()
    for setting, value in settings.items():
        table.add(setting, value)
    if cameras is None:
        parent = tomlkit.table(is_super_table=True)
        parent.add(name, table)
        document.add("cameras", parent)
    else:
        cameras.add(name, table)
    return tomlkit.dumps(document)


def without_camera(text: str, name: str) -> str:
    """The same file without this camera. Raises `UsageFault` when there is none of that name."""
    document = tomlkit.parse(text)
    cameras = document.get("cameras")
    if cameras is None or name not in cameras:
        known = ", ".join(sorted(cameras)) if isinstance(cameras, Table) and len(cameras) else "none yet"
        raise UsageFault(f'There is no camera "{name}". Known cameras: {known}.')
    cameras.remove(name)
    if not cameras:
        document.remove("cameras")
    return tomlkit.dumps(document)


def write_config(file: Path, text: str) -> None:
    """Replaces the file at once (written beside it, then renamed). Raises `StoreTrouble`."""
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # 0600 from the start
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
            Path(beside).replace(file)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as fault:
        raise StoreTrouble(f"Cannot write the configuration {file}: {fault.strerror}.") from None
