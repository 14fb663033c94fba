"""When prepared generations run out, said in time. Pure; changes nothing.

Only an owner's command prepares more, so it is said thirty days before, and not only when it is too late.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from pipeline.household.choosing import has_run_out, prepared_until_ms
from pipeline.household.model import Group, Manifest

WARN_MS = 30 * 86_400_000


def ends_soon(group: Group, now_ms: int) -> bool:
    """Whether the group's generations last for less than thirty days, or no more."""
    return prepared_until_ms(group) - now_ms < WARN_MS


def running_out(manifest: Manifest, now_ms: int, zone: tzinfo) -> str:
    """A clause for a person about the groups that end soon; empty when none does, or all of them have ended.

    What has ended is said by the recorders, which use the last generation on.
    """
    ending = [one for one in manifest.groups if ends_soon(one, now_ms) and not has_run_out(one, now_ms)]
    if not ending:
        return ""
    until = datetime.fromtimestamp(min(map(prepared_until_ms, ending)) / 1000, UTC).astimezone(zone)
    return (
        f"generations of {', '.join(one.name for one in ending)} are prepared only until {until:%Y-%m-%d}; "
        "an owner's command prepares more: nvr group list --identity FILE"
    )
