"""`nvr verify`: a store against its chains, or a bundle against itself. Needs no key, changes nothing."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TransferSpeedColumn

from nvr.errors import FAULT, UsageFault
from nvr.household_known import known_household
from nvr.local_zone import local_zone
from nvr.located import Located, locate
from nvr.quantities import format_size
from nvr.remembered_heads import Remembered, in_files, in_store
from nvr.times import parse_moment, parse_range, show
from pipeline.chain.findings import CameraReport, Finding, Report
from pipeline.chain.footage_check import Asked
from pipeline.chain.records import Reason
from pipeline.chain.verify import Question
from pipeline.chain.verify import verify as verify_store
from pipeline.household.files import Household

MOST_ALIKE = 5
REASONS = {
    Reason.AGE: "for its age",
    Reason.CAMERA_BYTES: "for its camera's bytes",
    Reason.STORE_BYTES: "for the store's bytes",
    Reason.FREE_SPACE: "for free space on the disk",
    Reason.NO_EVENT: "since no event touches them",
}


@click.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--camera", metavar="C", help="Only this camera.")
@click.option("--from", "from_text", metavar="T", help="Hash only footage since then.")
@click.option("--to", "to_text", metavar="T", help="Hash only footage until then.")
@click.option(
    "--head",
    "head_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A head that somebody kept (nvr head); may be said again.",
)
@click.option("--root", metavar="FINGERPRINT", help="The household that is meant: 32 to 64 digits.")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference.md describes it.")
@click.pass_context
def verify(
    ctx: click.Context,
    bundle: Path | None,
    camera: str | None,
    from_text: str | None,
    to_text: str | None,
    head_files: tuple[Path, ...],
    root: str | None,
    as_json: bool,
) -> None:
    """Show whether footage, or a BUNDLE, is complete and unaltered; needs no key.

    Every file is hashed and compared with its camera's chain, and the chains with the certificates of their
    day keys and with what members remember. What expired is told apart from what is missing. Without --from
    and --to all footage is hashed, which takes as long as reading the disk. Exit code 1 when something is
    wrong.

    \b
    Examples:
      nvr verify
      nvr verify --camera front --from yesterday --to yesterday
      nvr verify --head head-of-november.json
      nvr verify evidence --root "9f3a 01c2 77b0 1d5e 2a4c 90aa 41fe 0c3d"
    """
    if bundle is not None:
        if camera or from_text or to_text or head_files:
            raise UsageFault("A bundle is checked as a whole: leave out --camera, --from, --to and --head.")
        _verify_bundle(ctx, bundle, root, as_json=as_json)
        return
    located = locate(ctx.obj)
    known = known_household(located, root)
    if known is not None and known.doubt:
        click.echo(known.doubt, err=True)
    household = known.household if known else None
    remembered = _heads(located, household, head_files)
    question = _question(located, household, remembered, camera, _asked(from_text, to_text))
    report = _verified(located.store.root, question)
    if as_json:
        click.echo(json.dumps(_noun(report, (*remembered.notes, *report.notes)), indent=2))
    else:
        _say(report, (*remembered.notes, *report.notes))
    if report.findings:
        ctx.exit(FAULT)


def _verify_bundle(ctx: click.Context, bundle: Path, root: str | None, *, as_json: bool) -> None:
    from nvr.bundle import check_bundle, noun_of, told

    verdict = check_bundle(bundle, root)
    if as_json:
        click.echo(json.dumps(noun_of(verdict), indent=2))
    else:
        for line in told(verdict):
            click.echo(line)
    if not verdict.is_sound:
        ctx.exit(FAULT)


def _heads(located: Located, household: Household | None, files: tuple[Path, ...]) -> Remembered:
    device = located.store.device
    stored = in_store(located.store.root, device, household)
    return Remembered({**stored.heads, **in_files(files, device, household)}, stored.notes)


def _asked(from_text: str | None, to_text: str | None) -> Asked:
    now, zone = datetime.now(UTC), local_zone()
    if from_text is None:
        return Asked(None, parse_moment(to_text, now, zone).utc_ms if to_text else None)
    start, end = parse_range(from_text, to_text or "now", now, zone)
    for note in filter(None, (start.note, end.note)):
        click.echo(note, err=True)
    return Asked(start.utc_ms, end.utc_ms if to_text else None)


def _question(
    located: Located,
    household: Household | None,
    remembered: Remembered,
    camera: str | None,
    asked: Asked,
) -> Question:
    device = located.store.device
    if camera is not None and not any(camera in one.cameras for one in remembered.heads.values()):
        located.checked_camera(camera)
    owned = [one.day_key for one in household.manifest.devices if one.device == device] if household else []
    cameras = frozenset({camera}) if camera is not None else frozenset[str]()
    return Question(device, cameras, asked, owned, remembered.heads)


def _verified(root: Path, question: Question) -> Report:
    columns = (SpinnerColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        return verify_store(root, question, time.time(), lambda count: progress.advance(task, count))


def _noun(report: Report, notes: tuple[str, ...]) -> dict[str, Any]:
    """The stable shape of `--json`: times in UTC ms, sizes in bytes."""
    return {
        "cameras": [_camera_noun(one) for one in report.cameras],
        "findings": [
            {
                "fault": one.fault.name.lower(),
                "camera": one.camera,
                "stream": one.stream,
                "sequence": one.sequence,
                "start_ms": one.start_ms,
                "path": one.path,
                "note": one.note,
            }
            for one in report.findings
        ],
        "notes": list(notes),
    }


def _camera_noun(one: CameraReport) -> dict[str, Any]:
    return {
        "camera": one.camera,
        "verified": one.verified,
        "verified_events": one.verified_events,
        "verified_thumbs": one.verified_thumbs,
        "verified_bytes": one.verified_bytes,
        "not_asked": one.not_asked,
        "expired": {reason.name.lower(): count for reason, count in sorted(one.expired.items())},
        "gaps": dict(sorted(one.gaps.items())),
        "found_at_start": one.found,
        "before_chain": one.before_chain,
        "records": one.records,
        "unsigned": one.unsigned,
        "last_signed_ms": one.last_signed_ms,
        "collapsed": one.collapsed,
        "begins_ms": one.begins_ms,
    }


def _say(report: Report, notes: tuple[str, ...]) -> None:
    for _, alike in groupby(report.findings, key=_kind):
        _say_alike(list(alike))
    for one in report.cameras:
        _say_camera(one)
    for note in notes:
        click.echo(f"Note: {note}")
    if report.findings:
        count = len(report.findings)
        click.echo("1 finding." if count == 1 else f"{count} findings.")
    else:
        click.echo("What was looked at is complete and unaltered, as far as its chains reach.")


def _kind(finding: Finding) -> tuple[str, ...]:
    """Findings of one kind that follow each other are told together."""
    place = () if finding.start_ms is not None else (finding.path,)
    return (finding.fault, finding.note, finding.camera, finding.stream, *place)


def _say_alike(findings: list[Finding]) -> None:
    """Each by itself, or many by the first and the last; --json has them all."""
    if len(findings) <= MOST_ALIKE:
        for finding in findings:
            click.echo(_told(finding))
        return
    click.echo(_told(findings[0]))
    click.echo(f"  … and {len(findings) - 2:,} more of this stream, until")
    click.echo(_told(findings[-1]))


def _told(finding: Finding) -> str:
    place = finding.path or finding.camera
    when = f" ({_shown(finding.start_ms)})" if finding.start_ms is not None else ""
    note = f"; {finding.note}" if finding.note else ""
    return f"{place}{when}: {finding.fault.value}{note}"


def _say_camera(one: CameraReport) -> None:
    segments = "1 segment" if one.verified == 1 else f"{one.verified:,} segments"
    click.echo(f"{one.camera}: {segments} verified, {format_size(one.verified_bytes)}")
    for count, what in (
        (one.verified_events, "verified of its events"),
        (one.verified_thumbs, "verified of their pictures"),
        (one.not_asked, "not hashed, since they were not asked for"),
        *((count, f"expired {REASONS[reason]}") for reason, count in sorted(one.expired.items())),
        (one.found, "found at a start: nobody vouches for what they were before"),
        (one.before_chain, "from before the chain began: nothing vouches for them"),
    ):
        if count:
            click.echo(f"  {count:,} {what}")
    if one.collapsed:
        click.echo(
            f"  its chain begins {_shown(one.begins_ms)}: the recorder says that all from before has "
            "expired; if that is too short a time, somebody deleted it"
        )
    for reason, count in sorted(one.gaps.items()):
        click.echo(f"  {count:,} gap{'s' * (count != 1)}: {reason}")
    if one.last_signed_ms:
        waiting = "1 record since waits" if one.unsigned == 1 else f"{one.unsigned:,} records since wait"
        tail = f"; {waiting} for a signature" if one.unsigned else ""
        click.echo(f"  signed last {_shown(one.last_signed_ms)}{tail}")


def _shown(at_ms: int) -> str:
    return show(datetime.fromtimestamp(at_ms / 1000, UTC), local_zone())
