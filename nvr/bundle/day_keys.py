"""The day keys that a bundle's certificates prove: those of series that an owner of the household listed.

A certificate that is missing, changed or signed by somebody else is a finding, and so is a series that no
owner knows: anybody could have begun it. Nothing that such a key signed is taken for proven. Pure.
"""

from __future__ import annotations

from nvr.bundle.layout import CERTIFICATES
from nvr.bundle.runs import DayKey
from nvr.bundle.verdict import Finding
from pipeline.chain.certificates import judge
from pipeline.household.model import Manifest


def day_keys_of(data: bytes, manifest: Manifest, device: bytes) -> tuple[dict[int, DayKey], list[Finding]]:
    """The confirmed keys by their number, and what is wrong with the certificates."""
    listed = frozenset(one.day_key for one in manifest.devices if one.device == device)
    judged = judge(data.splitlines(keepends=True), device, listed)
    findings = [
        Finding(CERTIFICATES, f"The certificates do not hold together: {one}.") for one in judged.faults
    ]
    if judged.unconfirmed:
        numbers = ", ".join(str(number) for number in judged.unconfirmed)
        text = f"No owner of the household has listed the day key that begins the series at number {numbers}."
        findings.append(Finding(CERTIFICATES, text))
    keys = {
        number: DayKey(one.certificate.public, frozenset(one.certificate.commitments))
        for number, one in judged.known.items()
        if one.confirmed
    }
    return keys, findings[:1]
