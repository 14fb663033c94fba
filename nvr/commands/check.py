"""`nvr check`: the store against its index, without a key. It changes nothing unless asked to."""

from __future__ import annotations

import json
import time

import click

from nvr.ending import sentence
from nvr.errors import FAULT
from nvr.index_access import open_index
from nvr.located import Located, locate
from pipeline.audit import REPAIRED_BY_REBUILD, Finding
from pipeline.audit import check as findings_of
from pipeline.repair import repair as repair_store


@click.command()
@click.option("--repair", is_flag=True, help="Recover leftovers of a crash and make the index anew.")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference.md describes it.")
@click.pass_context
def check(ctx: click.Context, repair: bool, as_json: bool) -> None:
    """Compare the store with its index, and name what is not as it should be.

    It needs no key, so it sees whether a file is sealed and whole, not whether its chunks are genuine: that
    shows when it is exported. Footage is never changed or deleted. Exit code 1 when something was found.

    \b
    Examples:
      nvr check
      nvr check --repair
    """
    located = locate(ctx.obj)
    if repair:
        _repair(located)
    with open_index(located.store) as index:
        findings = list(findings_of(located.store.root, index, time.time(), located.loaded.state_dir))
    if as_json:
        noun = [{"path": found.path, "fault": found.fault.name.lower()} for found in findings]
        click.echo(json.dumps({"findings": noun}, indent=2))
    else:
        _say(findings)
    if findings:
        ctx.exit(FAULT)


def _repair(located: Located) -> None:
    done = repair_store(located.store.root)
    for fault in done.faults:
        click.echo(sentence(fault), err=True)
    click.echo(
        f"Recovered {len(done.recovered)} interrupted segments; index made of {done.rebuilt.segments:,}.",
        err=True,
    )


def _say(findings: list[Finding]) -> None:
    for found in findings:
        click.echo(str(found))
    if not findings:
        click.echo("Store and index agree, and every file is as its name says.")
        return
    click.echo("1 finding." if len(findings) == 1 else f"{len(findings)} findings.")
    if any(found.fault in REPAIRED_BY_REBUILD for found in findings):
        click.echo("nvr check --repair puts right what concerns the index and leftovers of a crash.")
