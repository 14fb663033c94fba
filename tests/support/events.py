"""Events as the watcher hands them on, with real JPEGs, and a store that keeps them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from pipeline.durable import DISK, DiskCalls
from pipeline.event import Crossing, Event, EventObject, PictureNote, Place
from pipeline.event.nouns import BestPicture
from pipeline.event_store import EventPlace, EventStore, KeptEvent
from pipeline.names import StoredSegment
from pipeline.picture import Picture
from pipeline.scene import Box
from pipeline.store import Store
from tests.support.store_writing import NOON_MS

MS = 1_000_000


def jpeg(width: int, height: int, shade: int = 128) -> bytes:
    """A real picture of that size, by FFmpeg's encoder."""
    out = io.BytesIO()
    with av.open(out, "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        frame = VideoFrame(width, height, "yuvj420p")
        for plane in frame.planes:
            plane.update(bytes((shade + row) % 256 for row in range(plane.buffer_size)))
        frame.pts = 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return out.getvalue()


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a JPEG, as a decoder sees it."""
    with av.open(io.BytesIO(picture), "r", format="mjpeg") as file:
        frame = next(file.decode(video=0))
        return frame.width, frame.height


def an_event(
    number: int = 1,
    start_ms: int = NOON_MS,
    duration_ms: int = 8_000,
    *,
    label: str = "person",
    continues: int | None = None,
) -> Event:
    """Somebody comes, crosses a line, and goes."""
    start_ns, end_ns = start_ms * MS, (start_ms + duration_ms) * MS
    box = Box(0.25, 0.25, 0.5, 0.75)
    thing = EventObject(
        label,
        0.625,
        start_ns,
        end_ns,
        ("drive",),
        (),
        (Crossing("gate", "left-to-right", start_ns + 2_000 * MS),),
        (Place(start_ns, box, 0.5),),
    )
    note = PictureNote(start_ns, 0, box, box, 1280, 720)
    grey = Picture.from_rgb(np.full((120, 160, 3), 128, np.uint8))
    best = BestPicture(note, grey.copied(box), grey)
    return Event(number, start_ns, end_ns, (thing,), best, None, continues)


def kept(event: Event, *, keep_days: float = 60, picture: bool = True, unsure: bool = False) -> KeptEvent:
    """As the watcher hands it to the store."""
    crop, whole = (jpeg(64, 48), jpeg(160, 120)) if picture else (b"", b"")
    return KeptEvent(event, keep_days, crop, whole, "0123456789abcdef", unsure)


@dataclass
class Told:
    """The index as the store of events sees it."""

    segments: list[StoredSegment] = field(default_factory=list)

    def published(self, segment: StoredSegment) -> None:
        """Noted."""
        self.segments.append(segment)


@dataclass
class Keeping:
    """A store of events that begins anew as often as a test wants."""

    store: Store
    state_dir: Path
    camera: str = "front"
    disk: DiskCalls = DISK
    told: Told = field(default_factory=Told)

    def begin(self, now_ms: int = NOON_MS) -> EventStore:
        """As when the watcher starts."""
        return EventStore(EventPlace(self.store, self.state_dir, self.camera), self.told, now_ms, self.disk)

    def files(self) -> list[str]:
        """What lies in the store of this camera's events and thumbs, by its path behind the camera."""
        root = self.store.root / self.camera
        found = [
            path for stream in ("events", "thumbs") for path in (root / stream).rglob("*") if path.is_file()
        ]
        return sorted(path.relative_to(root).as_posix() for path in found)
