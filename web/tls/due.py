"""Whether a leaf must be renewed, and whether that still helps or a new root is needed. Pure.

A new root must be trusted anew on every phone, so nothing here decides for one: it says that one is needed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from web.tls.issuing import Authority, leaf_window
from web.tls.names import Names
from web.tls.reading import Window, names_in

NOTICE = timedelta(days=90)  # for walking round to every phone


class Reason(enum.Enum):
    """Why the root that is there does not do."""

    NOT_BEGUN = "not_begun"
    ENDING = "ending"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class NewRootNeeded:
    """Why, and the sentence for the owner."""

    reason: Reason
    sentence: str


def need_of_new_root(authority: Authority, wanted: Names, now: datetime) -> NewRootNeeded | None:
    """None while the authority can certify all of `wanted`, for months to come."""
    window = Window.of(authority.intermediate)
    if now < window.begin:
        return NewRootNeeded(Reason.NOT_BEGUN, _not_begun(window, now))
    if now > window.end - NOTICE:
        sentence = f"The house's root certificate ends on {window.end:%Y-%m-%d}: make a new root."
        return NewRootNeeded(Reason.ENDING, sentence)
    outside = wanted - wanted.permitted_by(authority.constraint)
    return NewRootNeeded(Reason.OUTSIDE, _outside(outside)) if outside else None


def _not_begun(window: Window, now: datetime) -> str:
    return (
        f"This machine's clock says {now:%Y-%m-%d}, but its certificates begin on {window.begin:%Y-%m-%d}: "
        "set the clock, or make a new root if the clock was wrong when they were made."
    )


def _outside(names: Names) -> str:
    return (
        f"The house's root certificate does not cover {', '.join(names.texts)}: "
        "use the names of before, or make a new root."
    )


def is_leaf_due(leaf: x509.Certificate, authority: Authority, names: Names, now: datetime) -> bool:
    """Whether a new leaf for `names` would be better than this one of the same authority.

    It would not while the clock is outside the authority's time, or in its last year: a new leaf would be
    valid in the same time as the old one.
    """
    if names_in(leaf) != names:
        return True
    window = Window.of(leaf)
    is_late = now not in window or window.end - now <= (window.end - window.begin) / 3
    return is_late and leaf_window(authority, now) != window
