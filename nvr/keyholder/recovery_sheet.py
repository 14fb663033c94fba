"""The recovery sheet: one page to print, with an identity as QR code and text. Pure.

It is self-contained (no script, no address is fetched) and says in plain words what it is, so that somebody
who finds it in a drawer in twenty years can open the footage with stock tools.
"""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources

import segno

from pipeline.household.fingerprint import fingerprint

SHEET_FILE = "recovery-sheet.html"
_TEMPLATE = "recovery-sheet.html"
_IDENTITY = re.compile(r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+")


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What stands on a sheet. `made` is local time, `root` is what the household is known by."""

    identity_text: str = field(repr=False)
    recipient_text: str
    household: str
    device: str
    made: datetime
    member: str
    root: bytes


def sheet_html(facts: SheetFacts) -> str:
    """The page. Whoever holds it can see the household's footage."""
    plain = {
        "household": facts.household,
        "device": facts.device,
        "made": facts.made.strftime("%-d %B %Y, %H:%M"),
        "identity": facts.identity_text,
        "recipient": _shortened(facts.recipient_text),
        "member": facts.member,
        "fingerprint": fingerprint(facts.root),
        "root": facts.root.hex(),
    }
    page = resources.files(__package__).joinpath(_TEMPLATE).read_text("utf-8")
    for name, text in plain.items():
        page = page.replace("{" + name + "}", html.escape(text))
    return page.replace("{qr}", qr_svg(facts.identity_text))


def qr_svg(text: str) -> str:
    """The QR code as inline SVG without a size of its own; a quarter of it may be damaged."""
    drawn = io.BytesIO()
    segno.make_qr(text, error="q").save(
        drawn,
        kind="svg",
        border=4,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgns=False,
        nl=False,
        omitsize=True,
    )
    return drawn.getvalue().decode("ascii")


def identity_in_sheet(page: str) -> str | None:
    """The identity's text out of a sheet's HTML; None when there is none."""
    found = _IDENTITY.search(page)
    return found[0] if found else None


def _shortened(recipient: str) -> str:
    """A hybrid recipient has 2000 characters, which nobody compares by eye."""
    return recipient if len(recipient) <= 80 else f"{recipient[:40]}…{recipient[-24:]}"
