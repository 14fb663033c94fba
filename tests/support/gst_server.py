"""A camera by GStreamer's RTSP server: serves clips for ever, with timestamps that never jump back.

A script for the system's Python (`/usr/bin/python3` has `gi`, the project's venv has not), started by
`tests.support.rtsp`; it imports nothing of ours. It reads one JSON object from standard input:

    {"port": 8554, "mounts": {"main": "/clip.mp4"},
     "login": ["user", "password", "digest"], "tls": ["certificate.pem", "its-key.pem"]}

prints `ready` once it listens, and dies with the process that started it. Clips are already encoded, so it
costs next to nothing: their access units are read once by a demuxer and then pushed when they are due. Each
track loops by its own length, so neither ever has a seam.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401

PR_SET_PDEATHSIG = 1
TICK_MS = 5
PAYLOADERS = {
    "video/x-h264": "rtph264pay config-interval=-1",  # parameter sets before every keyframe
    "video/x-h265": "rtph265pay config-interval=-1",
    "audio/mpeg": "rtpmp4gpay",
    "audio/x-opus": "rtpopuspay",
    # 20 ms a packet, as telephones and cameras do
    "audio/x-mulaw": "rtppcmupay min-ptime=20000000 max-ptime=20000000",
    "audio/x-alaw": "rtppcmapay min-ptime=20000000 max-ptime=20000000",
}


@dataclass(frozen=True)
class Unit:
    """One access unit of a clip, times in nanoseconds from the track's first decode time."""

    data: bytes = field(repr=False)
    pts: int
    dts: int
    duration: int
    is_keyframe: bool


@dataclass(frozen=True)
class Track:
    """One track of a clip: what its payloader needs, and every access unit in decode order."""

    kind: str
    caps: Any
    units: list[Unit]

    @property
    def length(self) -> int:
        """Nanoseconds from the first unit to the end of the last.

        The last AAC unit may be cut to the length that the container states: played on, it is a whole one.
        """
        last, before = self.units[-1], self.units[-2]
        is_even = "law" not in self.caps.get_structure(0).get_name()
        return last.dts + (last.dts - before.dts if is_even else last.duration)


def read_clip(path: str) -> list[Track]:
    """The tracks of an MP4 or MOV, video first."""
    pipeline = Gst.parse_launch(f'filesrc location="{path}" ! qtdemux name=demux')
    sinks: dict[str, Any] = {}

    def add_sink(_demux: Any, pad: Any) -> None:
        sink = Gst.ElementFactory.make("appsink")
        sink.set_property("sync", False)
        pipeline.add(sink)
        queue = Gst.ElementFactory.make("queue")
        for limit in ("max-size-buffers", "max-size-bytes", "max-size-time"):
            queue.set_property(limit, 0)  # one track is read after the other
        pipeline.add(queue)
        queue.link(sink)
        queue.sync_state_with_parent()
        sink.sync_state_with_parent()
        pad.link(queue.get_static_pad("sink"))
        sinks[pad.get_name().partition("_")[0]] = sink

    demux = pipeline.get_by_name("demux")
    demux.connect("pad-added", add_sink)
    complete = threading.Event()
    demux.connect("no-more-pads", lambda _demux: complete.set())
    pipeline.set_state(Gst.State.PLAYING)
    while not complete.wait(0.02):
        if pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR):
            raise SystemExit(f"GStreamer cannot read the clip {path}.")
    tracks = [read_track(kind, sinks[kind]) for kind in ("video", "audio") if kind in sinks]
    pipeline.set_state(Gst.State.NULL)
    return tracks


def read_track(kind: str, sink: Any) -> Track:
    """Everything that arrives at one sink, until its end."""
    samples = list(iter(lambda: sink.emit("pull-sample"), None))
    buffers = [sample.get_buffer() for sample in samples]
    first = decode_time(buffers[0])
    units = [
        Unit(
            data=buffer.extract_dup(0, buffer.get_size()),
            pts=buffer.pts - first,
            dts=decode_time(buffer) - first,
            duration=buffer.duration,
            is_keyframe=not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT),
        )
        for buffer in buffers
    ]
    return Track(kind, samples[0].get_caps(), units)


def decode_time(buffer: Any) -> int:
    """The decode time, which audio buffers leave out."""
    time: int = buffer.pts if buffer.dts == Gst.CLOCK_TIME_NONE else buffer.dts
    return time


class Feeder:
    """Pushes one media's access units when they are due, until the media is unprepared."""

    def __init__(self, media: Any, tracks: list[Track]) -> None:
        self.element = media.get_element()
        self.tracks = tracks
        self.sources = [self.element.get_by_name(track.kind) for track in tracks]
        self.next_unit = [0] * len(tracks)
        for source, track in zip(self.sources, tracks, strict=True):
            source.set_property("caps", track.caps)
        self.timer = GLib.timeout_add(TICK_MS, self.push_due)
        media.connect("unprepared", self.stop)
        self.push_due()

    def running_time(self) -> int:
        """Nanoseconds since the media began to play, by its clock: so RTCP reports agree with the packets."""
        clock, began = self.element.get_clock(), self.element.get_base_time()
        return clock.get_time() - began if clock and began else 0  # it has a clock before it has begun

    def push_due(self) -> bool:
        """Pushes what is due by now; true, so that the timer goes on."""
        now = self.running_time()
        for index, track in enumerate(self.tracks):
            while self.push_next(index, track, now):
                self.next_unit[index] += 1
        return True

    def push_next(self, index: int, track: Track, now: int) -> bool:
        """Pushes a track's next access unit if it is due."""
        rounds, number = divmod(self.next_unit[index], len(track.units))
        unit, offset = track.units[number], rounds * track.length
        if unit.dts + offset > now:
            return False
        buffer = Gst.Buffer.new_wrapped(unit.data)
        buffer.pts, buffer.dts = unit.pts + offset, unit.dts + offset
        buffer.duration = unit.duration
        if not unit.is_keyframe:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        self.sources[index].emit("push-buffer", buffer)
        return True

    def stop(self, _media: Any) -> None:
        """Ends the pushing."""
        GLib.source_remove(self.timer)


def launch_line(tracks: list[Track]) -> str:
    """The pipeline of one media: an appsrc and a payloader for each track."""
    parts = [
        f"appsrc name={track.kind} is-live=true format=time max-bytes=0 "
        f"! {PAYLOADERS[track.caps.get_structure(0).get_name()]} name=pay{index} pt={96 + index}"
        for index, track in enumerate(tracks)
    ]
    return f"( {' '.join(parts)} )"


def make_factory(clip: str) -> Any:
    """The media of one path: one feeder, shared by everyone who watches."""
    tracks = read_clip(clip)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch_line(tracks))
    factory.set_shared(True)
    factory.connect("media-configure", lambda _factory, media: Feeder(media, tracks))
    permissions = GstRtspServer.RTSPPermissions()
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", permission, True)
    factory.set_permissions(permissions)
    return factory


def make_auth(login: list[str] | None, tls: list[str] | None) -> Any:
    """Who may watch: everyone without a login, else only those who give it, by the one method named."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if login is None:
        auth.set_default_token(token)
    elif login[2] == "basic":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(login[0], login[1]), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(login[0], login[1], token)
    if tls:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*tls))
    return auth


def serve(settings: dict[str, Any]) -> None:
    """Listens and serves until killed."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(settings["port"]))
    server.set_auth(make_auth(settings["login"], settings["tls"]))
    for path, clip in settings["mounts"].items():
        server.get_mount_points().add_factory(f"/{path}", make_factory(clip))
    if not server.attach(None):
        raise SystemExit(f"GStreamer's RTSP server cannot listen on port {settings['port']}.")
    GLib.timeout_add_seconds(1, lambda: server.get_session_pool().cleanup() >= 0)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    Gst.init(None)
    serve(json.load(sys.stdin))
