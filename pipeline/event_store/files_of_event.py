"""Both files of one event: its record, and its thumbnail where it has a picture.

Rules:
- They have the same start, duration, sequence and deadline. The record comes first.
- The mark inside each says where it belongs; all that is saved of an event is sealed to one generation.
- A deadline is never lowered while the event goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crypto.recipient import Recipient
from pipeline.content import Content
from pipeline.durable import DISK, DiskCalls
from pipeline.event import record_of
from pipeline.event_store.deadlines import class_of, deadline_ms
from pipeline.event_store.files import FileUnderWay
from pipeline.event_store.nouns import KeptEvent
from pipeline.event_store.raising import TouchedSpan
from pipeline.event_store.thumbnail import NotAJpeg, Thumbnail
from pipeline.model import SegmentMark, StreamName
from pipeline.names import EVENTS, LONGEST_MS, THUMBS, FileKind, SegmentName, StoredSegment

_log = logging.getLogger("nvr.watch")


class FilesOfEvent:
    """An event that has its sequence. `mark` is its record's. For one thread."""

    def __init__(
        self,
        root: Path,
        mark: SegmentMark,
        recipient: Recipient,
        continues: int | None,
        disk: DiskCalls = DISK,
    ) -> None:
        """Does nothing yet. `continues`: the sequence of the event that was split off before it."""
        self._mark = mark
        self._recipient = recipient
        self._continues = continues
        self._class_days = 0
        start_ms = mark.start_ns // 1_000_000
        camera = mark.name.camera
        self._record = FileUnderWay(root, StreamName(camera, EVENTS), start_ms, disk)
        self._thumb = FileUnderWay(root, StreamName(camera, THUMBS), start_ms, disk)
        self._unpublished = [self._record, self._thumb]

    @property
    def mark(self) -> SegmentMark:
        """Where it belongs."""
        return self._mark

    def span(self, kept: KeptEvent, *, ended: bool) -> TouchedSpan:
        """The time whose footage is kept with it, and how long."""
        self._class_days = max(self._class_days, class_of(kept.keep_days))
        end_ms = max(kept.end_ms, kept.start_ms + 1)
        return TouchedSpan(self._mark.start_ns // 1_000_000, end_ms, self._class_days, ended)

    def save(self, kept: KeptEvent, *, ended: bool) -> None:
        """Keeps what there is of it, durably, as `.part`. Raises OSError."""
        name = self._name(self.span(kept, ended=ended))
        record = record_of(
            kept.event, self._mark, model=kept.model, continues=self._continues, unfinished=not ended
        )
        self._record.save(bytes(record), name, self._recipient)
        if thumbnail := self._thumbnail(kept):
            self._thumb.save(thumbnail, replace(name, kind=FileKind.THUMBNAIL), self._recipient)

    def publish(self) -> Iterator[tuple[StoredSegment, Content]]:
        """Gives what was saved its last names, one after the other, and tells each once. Raises OSError; call
        it again then.
        """
        while self._unpublished:
            content = self._unpublished[0].content
            stored = self._unpublished[0].publish() if content else None
            self._unpublished.pop(0)
            if stored and content:
                yield stored, content

    def _name(self, span: TouchedSpan) -> SegmentName:
        return SegmentName(
            span.from_ms,
            min(span.to_ms - span.from_ms, LONGEST_MS),
            self._mark.sequence,
            self._mark.clock_unsure,
            False,
            deadline_ms(span.from_ms, span.class_days),
            FileKind.RECORD,
        )

    def _thumbnail(self, kept: KeptEvent) -> bytes:
        if not kept.crop:
            return b""
        name = StreamName(self._mark.name.camera, THUMBS)
        try:
            return bytes(Thumbnail(replace(self._mark, name=name), kept.crop, kept.whole))
        except NotAJpeg as fault:
            _log.error("%s: an event's picture is left out: %s", self._mark.name.camera, fault)
            return b""
