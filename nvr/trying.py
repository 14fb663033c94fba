"""What `nvr detect` says of what was found: lines for people, nouns for programs. Pure.

Rules: a detection is told with the reason why it would not count, in the order in which a person would mend
it. Whether a thing moves or stays long enough is not to be seen in one picture: `--events` tells that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.event.geometry import contains
from pipeline.event.nouns import Event
from pipeline.event.rules import Rules
from pipeline.scene import Box, Detection
from pipeline.watcher.trying import Tried


def lines_of(tried: Tried, rules: Rules, *, with_time: bool) -> list[str]:
    """A line for each thing: label, score, place in percent of the picture, what speaks for or against it."""
    time = f"{tried.at_s:7.1f} s  " if with_time else ""
    if not tried.found:
        return [f"{time}nothing"]
    lines = []
    for one in tried.found:
        remarks = ", ".join(_against(one, rules) or _zones(one, rules))
        lines.append(f"{time}{one.label:<10} {one.score:.2f}  {_place(one.box)}  {remarks}".rstrip())
    return lines


def noun_of(tried: Tried, rules: Rules) -> dict[str, Any]:
    """One picture in the stable shape of `--json`."""
    found = [
        {
            "label": one.label,
            "score": round(one.score, 3),
            "box": _rounded(one.box),
            "against": _against(one, rules),
            "zones": _zones(one, rules),
        }
        for one in tried.found
    ]
    return {"at_s": round(tried.at_s, 3), "found": found}


def event_noun(event: Event, start_ns: int) -> dict[str, Any]:
    """An event in the stable shape of `--json`; times count from the file's beginning."""
    objects = [
        {
            "label": one.label,
            "score": round(one.score, 3),
            "first_s": _seconds(one.first_ns, start_ns),
            "last_s": _seconds(one.last_ns, start_ns),
            "zones": list(one.zones),
            "loitered": list(one.loitered),
            "lines": [{"line": each.line, "direction": each.direction} for each in one.lines],
        }
        for one in event.objects
    ]
    start, end = _seconds(event.start_ns, start_ns), _seconds(event.end_ns, start_ns)
    return {"start_s": start, "end_s": end, "objects": objects}


def event_lines(noun: dict[str, Any]) -> list[str]:
    """The event's line and one for each of its objects."""
    lines = [f"event from {noun['start_s']:.1f} s to {noun['end_s']:.1f} s"]
    for one in noun["objects"]:
        crossed = [f"crossed {each['line']} {each['direction']}" for each in one["lines"]]
        stayed = [f"stayed in {zone}" for zone in one["loitered"]]
        remarks = ", ".join((*one["zones"], *stayed, *crossed))
        span = f"{one['first_s']:.1f} s to {one['last_s']:.1f} s"
        lines.append(f"  {one['label']:<10} {one['score']:.2f}  {span}  {remarks}".rstrip())
    return lines


def best(tried: Iterable[Tried]) -> Tried | None:
    """The picture that shows most: the sum of scores decides, the first one where two are equal."""
    return max(tried, key=lambda one: sum(each.score for each in one.found), default=None)


def _against(one: Detection, rules: Rules) -> list[str]:
    reasons = []
    if one.score < rules.needed_score(one.label):
        reasons.append(f"below {rules.needed_score(one.label):.2f}")
    if one.box.height < rules.needed_height(one.label):
        reasons.append("too small")
    if any(contains(mask.corners, one.box.base) for mask in rules.masks):
        reasons.append("masked")
    elif rules.zones and not rules.lines and not _zones(one, rules):
        reasons.append("in no zone")
    return reasons


def _zones(one: Detection, rules: Rules) -> list[str]:
    return [
        zone.name
        for zone in rules.zones
        if (not zone.labels or one.label in zone.labels) and contains(zone.polygon.corners, one.box.base)
    ]


def _place(box: Box) -> str:
    return (
        f"x {box.left * 100:3.0f}–{box.right * 100:3.0f} %  y {box.top * 100:3.0f}–{box.bottom * 100:3.0f} %"
    )


def _rounded(box: Box) -> Sequence[float]:
    return [round(edge, 4) for edge in (box.left, box.top, box.right, box.bottom)]


def _seconds(at_ns: int, start_ns: int) -> float:
    return round((at_ns - start_ns) / 1e9, 3)
