"""Opens events: their records, and their thumbnails.

Rules:
- What opens must be what its name says: device, stream, sequence, start; and its generation must be the one
  whose identity opened it. A file that was swapped is refused.
- What is shown of a record is what `parse_record` lets through.
"""

from __future__ import annotations

from crypto.errors import CryptoError, WrongIdentity
from crypto.unseal import unseal_bytes
from nvr.errors import WRONG_IDENTITY, NvrError
from nvr.keyholder.footage import SegmentFault
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.membership import Membership
from nvr.stored_events import StoredEvent
from pipeline.event import EventRecord, NotARecord, parse_record
from pipeline.event_store.jpeg import NotAJpeg
from pipeline.event_store.thumbnail import Thumbnail, parse_thumbnail
from pipeline.model import SegmentMark
from pipeline.names import StoredSegment
from pipeline.store import Store
from pipeline.stored_file import open_stored

LARGEST_BYTES = 32 * 1024 * 1024  # far above two pictures, and a record
_MS = 1_000_000


class EventOpener:
    """What one person opens of one store's events. Raises SegmentFault for an event that does not open."""

    def __init__(self, store: Store, membership: Membership) -> None:
        self._store = store
        self._identities = GroupIdentities(membership.opening)

    def record(self, event: StoredEvent) -> EventRecord:
        """The event's record."""
        plaintext = self._plaintext(event.record)
        try:
            record = parse_record(plaintext)
        except NotARecord as fault:
            raise SegmentFault(f"{event.record.path} is not as it should be. {fault}") from None
        self._check(event.record, record.mark)
        return record

    def thumbnail(self, event: StoredEvent) -> Thumbnail:
        """Its pictures. Raises NvrError for an event that has none."""
        if event.thumb is None:
            raise NvrError(f"{event} has no picture: it was only heard, or its picture is gone.")
        plaintext = self._plaintext(event.thumb)
        try:
            thumbnail = parse_thumbnail(plaintext)
        except NotAJpeg as fault:
            raise SegmentFault(f"{event.thumb.path} does not hold an event's pictures: {fault}.") from None
        self._check(event.thumb, thumbnail.mark)
        return thumbnail

    def _plaintext(self, stored: StoredSegment) -> bytes:
        self._identities.begin()
        if stored.size_bytes > LARGEST_BYTES:
            raise SegmentFault(f"{stored.path} is larger than anything of an event can be.")
        try:
            file, _ = open_stored(self._store.root, stored)
            with file:
                return unseal_bytes(file.read(LARGEST_BYTES), [self._identities])
        except FileNotFoundError:
            raise SegmentFault(f"{stored.path} was deleted just now.") from None
        except OSError as fault:
            raise SegmentFault(f"{stored.path} cannot be read: {fault.strerror}.") from None
        except WrongIdentity:
            raise self._not_opened(stored) from None
        except (CryptoError, EOFError) as fault:
            clause = str(fault)[:1].lower() + str(fault)[1:].rstrip(".")
            raise SegmentFault(f"{stored.path} is damaged: {clause}.") from None

    def _not_opened(self, stored: StoredSegment) -> SegmentFault:
        if self._identities.faults:
            return SegmentFault(f"{stored.path} does not open. {self._identities.faults[-1]}")
        text = f"{stored.path} is sealed to somebody else: this identity does not open it."
        return SegmentFault(text, WRONG_IDENTITY)

    def _check(self, stored: StoredSegment, mark: SegmentMark) -> None:
        """Whether the file is the one that its name says. Raises SegmentFault."""
        name = stored.name
        inside = (mark.device, mark.name, mark.sequence, mark.start_ns // _MS, mark.clock_unsure)
        meant = (self._store.device, stored.stream, name.sequence, name.start_ms, name.clock_unsure)
        if inside != meant:
            where = "" if mark.device == self._store.device else " of another recorder"
            raise SegmentFault(
                f"{stored.path} was swapped: inside is number {mark.sequence} of {mark.name}{where}, from "
                "another place or time than its name says."
            )
        if self._identities.generations != {mark.generation}:
            raise SegmentFault(
                f"{stored.path} was exchanged: inside it says generation {mark.generation}, and it was "
                "sealed to another."
            )
