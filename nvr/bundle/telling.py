"""A verdict in plain words: what was found, what it proves, and what it does not.

Pure but for the zone: times are shown in UTC, which everybody who gets a bundle can agree upon.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from nvr.bundle.document import Document
from nvr.bundle.verdict import StreamProof, Verdict

MOST_SHOWN = 50
"""Lines of a kind that are written out; behind them stands how many more there are."""

NOT_PROVEN = (
    "What this does not prove:",
    "- that the clock was right: times are those of the recorder, and of the day it was made by its members;",
    "- what the camera was looking at, or that nobody had taken over the recorder while it recorded;",
    "- that an owner of the household did not set up the recorder, or its clock, to deceive;",
    "- anything before the first or after the last moment named above.",
)


def told(verdict: Verdict) -> list[str]:
    """The lines to print."""
    return list(_lines(verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    document = verdict.document
    if document is not None:
        yield from _heading(verdict, document)
    for finding in verdict.findings[:MOST_SHOWN]:
        yield f"WRONG  {_clean(str(finding))}"
    if more := verdict.findings[MOST_SHOWN:]:
        yield f"WRONG  and {len(more)} more files."
    if document is None or not verdict.is_as_exported:
        yield "This bundle is not what its exporter made: do not rely on it. Ask for a new one."
        return
    if verdict.findings:
        yield "The rest of the bundle is as it was exported. Ask why these were left out."
    for proof in verdict.streams:
        yield from stream_facts(proof, document)
    yield from _signed(verdict, document)
    yield from NOT_PROVEN


def _heading(verdict: Verdict, document: Document) -> Iterator[str]:
    yield (
        f"Bundle of camera {document.camera}, {_at(document.from_ms)} to {_at(document.to_ms)}, "
        f"made by {document.by} on {_at(document.made_ms)}."
    )
    if verdict.root_given:
        yield f"It is of the household with the fingerprint {verdict.fingerprint}, as you said."
    else:
        yield f"Fingerprint of its household: {verdict.fingerprint}"
        yield (
            "Compare it with the one that the household told you by another way (--root does it for you): "
            "anybody can make a bundle of a household of their own."
        )


def stream_facts(proof: StreamProof, document: Document) -> Iterator[str]:
    """What is shown of one stream, a line each."""
    name = f"{document.camera}/{proof.stream}"
    if not proof.recorded:
        yield f"{name}: nothing was recorded in that time, as far as the chain that is here shows."
        return
    yield (
        f"{name}: {proof.present} of {_many(proof.recorded, 'recorded segment')} are here, unaltered"
        + (f", from {_at(proof.first_ms)} to {_at(proof.last_ms)}." if proof.present else ".")
    )
    yield from (f"  {line}" for line in (*_not_here(proof), *_edges(proof), *_doubts(proof)))


def _not_here(proof: StreamProof) -> Iterator[str]:
    for expired in proof.expired[:MOST_SHOWN]:
        last = expired.first + expired.count - 1
        which = f"Segments {expired.first} to {last} were" if expired.count > 1 else f"Segment {last} was"
        yield f"{which} deleted by the recorder: {expired.reason}."
    for stop in proof.stops[:MOST_SHOWN]:
        yield f"Recording stopped at {_at(stop.at_ms)}: {_clean(stop.reason)}."
    more = max(len(proof.expired) - MOST_SHOWN, 0) + max(len(proof.stops) - MOST_SHOWN, 0)
    if more:
        yield f"There are {more} more such lines; --json has them all."
    if proof.unnamed:
        numbers = ", ".join(str(number) for number in proof.unnamed[:10])
        yield f"Of these numbers nothing was ever recorded: {numbers}{', …' * (len(proof.unnamed) > 10)}."


def _edges(proof: StreamProof) -> Iterator[str]:
    if not proof.whole:
        yield "The chain that is here has a hole among them: what was recorded in it is not shown."
    elif not proof.begins:
        yield "What was recorded right before the first of them is not shown."
    if proof.whole and not proof.ends:
        yield "What was recorded right after the last of them is not shown."


def _doubts(proof: StreamProof) -> Iterator[str]:
    if proof.unfinished:
        yield f"{_many(proof.unfinished, 'segment')} broke off when the recorder was interrupted."
    if proof.clock_unsure:
        yield f"The recorder was unsure of its clock for {_many(proof.clock_unsure, 'segment')}."
    if proof.found_later:
        yield (
            f"{_many(proof.found_later, 'segment')} entered the chain at the next start only: what happened "
            "to them before that start is not proven."
        )
    if proof.unsigned:
        yield (
            f"{_many(proof.unsigned, 'newest segment')} of these bear no signature of the recorder yet: "
            "for them there is the exporter's word only."
        )


def _signed(verdict: Verdict, document: Document) -> Iterator[str]:
    if not verdict.signed_ms:
        yield "Nothing here bears the recorder's signature: all of it is the exporter's word."
        return
    yield (
        f"The recorder last signed this at {_at(verdict.signed_ms)}, with a day key that owners of the "
        "household vouch for."
    )
    yield "What this proves:"
    yield "- these files are what the recorder sealed and signed, unaltered and in their order;"
    if not verdict.findings and all(proof.whole or not proof.recorded for proof in verdict.streams):
        yield "- between the first and the last segment named above, nothing was left out but what is named;"
    yield f"- {document.by}, a member of that household, made this bundle."


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _at(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
