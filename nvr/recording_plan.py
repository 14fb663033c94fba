"""What one recorder process is told: plain values that cross from the supervisor by a pipe, as JSON.

So a recorder need not load the validator, and one that is started again after a faulty edit of the file
gets the settings that were good. A plan holds the camera's password: it goes through pipes only, never into
arguments, environment, files or logs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nvr.address import split_credentials
from nvr.schedule import in_schedule, parse_span

if TYPE_CHECKING:
    from nvr.config_file import LoadedConfig


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """One stream of a camera. The address holds no credentials."""

    url: str = field(repr=False)
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """One camera's settings, complete. Two equal plans need no restart."""

    camera: str
    streams: dict[str, StreamAddress]
    transport: Literal["tcp", "udp"]
    audio: bool
    tls_ca: str
    tls_verify: bool
    record: Literal["continuous", "off", "schedule"]
    schedule: tuple[str, ...]
    flush_s: float
    store_root: str
    state_dir: str
    run_dir: str

    def to_json(self) -> str:
        """For a pipe, and nowhere else."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RecordingPlan:
        """What `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        streams = {name: StreamAddress(**stream) for name, stream in fields.pop("streams").items()}
        return cls(**{**fields, "schedule": tuple(fields["schedule"])}, streams=streams)

    def wanted(self, zone: tzinfo) -> Callable[[int], bool]:
        """Tells for a UTC instant (ns) whether footage is to be kept. Local times of `zone` are meant."""
        spans = [parse_span(line) for line in self.schedule]
        if self.record == "schedule":
            return lambda utc_ns: in_schedule(spans, datetime.fromtimestamp(utc_ns / 1e9, zone))
        keep = self.record == "continuous"
        return lambda _utc_ns: keep


def plan_for(loaded: LoadedConfig, camera: str, run_dir: Path) -> RecordingPlan:
    """The plan of a configured camera. Raises `UsageFault` for an unknown one."""
    settings = loaded.camera(camera)
    urls = {"main": settings.url, "sub": settings.sub}
    password = settings.password.get_secret_value()
    return RecordingPlan(
        camera=camera,
        streams={name: _stream(url, settings.user, password) for name, url in urls.items() if url},
        transport=settings.transport,
        audio=settings.audio,
        tls_ca=str(loaded.file.parent / Path(settings.tls_ca).expanduser()) if settings.tls_ca else "",
        tls_verify=settings.tls_verify,
        record="continuous" if settings.record == "events" else settings.record,  # what stays, retention says
        schedule=tuple(settings.schedule),
        flush_s=loaded.config.store.flush_s,
        store_root=str(loaded.store_root),
        state_dir=str(loaded.state_dir),
        run_dir=str(run_dir),
    )


def _stream(url: str, user: str, password: str) -> StreamAddress:
    split = split_credentials(url)
    return StreamAddress(split.url, user or split.user, password or split.password)
