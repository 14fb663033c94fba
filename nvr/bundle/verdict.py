"""What a check of a bundle found: nouns only.

A bundle is sound when there are no findings. All else is what it shows, and how far.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nvr.bundle.document import Document


@dataclass(frozen=True, slots=True)
class Finding:
    """A file of the bundle that is not as it must be, and why, in a sentence.

    `left_out`: the exporter left it out; the rest of the bundle is as good as it was.
    """

    path: str
    text: str
    left_out: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Recording of the stream stopped, and why."""

    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """So many segments from `first` on were deleted by the recorder, for `reason`."""

    first: int
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class StreamProof:
    """What the chain shows of a stream within the bundle's span.

    `recorded` segments stand in it, of which `present` are here. `unnamed` sequence numbers have no record
    though those before and after them have. `whole`: the part of the chain that has them has no hole.
    `begins` and `ends`: whether what came right before the first of them, and right after the last, is known.
    """

    stream: str
    recorded: int
    present: int
    first_ms: int
    last_ms: int
    whole: bool
    begins: bool
    ends: bool
    unsigned: int
    found_later: int
    clock_unsure: int
    unfinished: int
    stops: tuple[Stopped, ...] = ()
    expired: tuple[Expired, ...] = ()
    unnamed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result. `document` is None when `bundle.json` cannot be believed; then little else was looked at.

    `fingerprint` is the household's, for people to compare; `root_given`: whether it has been compared.
    `signed_ms` is when the recorder last signed what is here, 0 for never.
    """

    document: Document | None
    fingerprint: str
    root_given: bool
    findings: tuple[Finding, ...]
    streams: tuple[StreamProof, ...] = ()
    signed_ms: int = 0
    members: tuple[str, ...] = field(default=())

    @property
    def is_as_exported(self) -> bool:
        """Whether nothing is wrong but what the exporter left out."""
        return self.document is not None and all(one.left_out for one in self.findings)

    @property
    def is_sound(self) -> bool:
        """Whether every file is what it must be."""
        return self.document is not None and not self.findings
