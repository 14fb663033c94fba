"""The drill: opens real footage with what somebody holds, and says what it opened. It changes nothing.

- The newest segment of each group is opened whole, as an export would: whatever keeps it closed is a fault.
- The oldest segment that opens tells from when on one reads. Members who came later, or into whose group a
  camera was moved, do not open what lies before, and that is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crypto.errors import CryptoError
from crypto.header import MAX_HEADER_BYTES, parse_header
from nvr.keyholder.footage import Found, SegmentFault, found_of, open_found
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.membership import Membership
from pipeline import walk
from pipeline.household.choosing import prepared_until_ms
from pipeline.household.model import Group
from pipeline.model import StreamName
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class Drilled:
    """What became of one group. `newest` was opened, `oldest` would be; None: there is no footage of it yet.

    `fault` is a sentence, empty when all is well.
    """

    group: str
    newest: Found | None
    oldest: Found | None
    prepared_until_ms: int
    fault: str = ""


def drill(store: Store, membership: Membership) -> list[Drilled]:
    """One for each group that the member is in, or whose own identity was given."""
    member = membership.opening.member
    groups = set(member.groups) if member else {one.group for one in membership.opening.groups}
    return [
        _drilled(store, membership, group)
        for group in membership.household.manifest.groups
        if group.name in groups
    ]


def _drilled(store: Store, membership: Membership, group: Group) -> Drilled:
    identities = GroupIdentities(membership.opening)
    streams = _streams(store, membership, group)
    faults = [fault for fault in membership.opening.faults if f" of {group.name} cannot be opened" in fault]
    fault = faults[-1] if faults else ""
    newest = None
    try:
        newest = _newest_opened(store, streams, identities)
    except SegmentFault as closed:
        fault = fault or str(closed)
    oldest = _oldest(store, streams, identities) if newest else None
    return Drilled(group.name, newest, oldest, prepared_until_ms(group), fault)


def _streams(store: Store, membership: Membership, group: Group) -> list[StreamName]:
    manifest = membership.household.manifest
    cameras = [name for name in walk.cameras(store.root) if manifest.group_of(name) == group]
    return [stream for camera in cameras for stream in walk.streams(store.root, camera)]


def _newest_opened(store: Store, streams: Iterable[StreamName], identities: GroupIdentities) -> Found | None:
    """Raises SegmentFault."""
    newest = [found for stream in streams if (found := _last_of(store, stream)) is not None]
    for found in sorted(newest, key=lambda one: one.start_ms, reverse=True):
        if open_found(found, store.device, identities) is not None:  # else it was deleted meanwhile
            return found
    return None


def _last_of(store: Store, stream: StreamName) -> Found | None:
    for hour in reversed(list(walk.hours(store.root, stream))):
        segments = walk.segments(store.root, hour)
        if segments:
            return found_of(store.root, segments[-1])
    return None


def _oldest(store: Store, streams: Iterable[StreamName], identities: GroupIdentities) -> Found | None:
    found = [one for stream in streams if (one := _oldest_of(store, stream, identities)) is not None]
    return min(found, key=lambda one: one.start_ms, default=None)


def _oldest_of(store: Store, stream: StreamName, identities: GroupIdentities) -> Found | None:
    """Looks at one header an hour until one opens, then at all of that hour."""
    for hour in walk.hours(store.root, stream):
        segments = [found_of(store.root, one) for one in walk.segments(store.root, hour)]
        if segments and _unwraps(segments[-1], identities):
            return next((one for one in segments if _unwraps(one, identities)), None)
    return None


def _unwraps(found: Found, identities: GroupIdentities) -> bool:
    try:
        with found.path.open("rb") as file:
            return identities.unwrap(parse_header(file.read(MAX_HEADER_BYTES >> 6)).stanzas) is not None
    except (OSError, CryptoError):
        return False
