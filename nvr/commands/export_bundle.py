"""`nvr export --bundle`: evidence for the police or an insurer, in a folder, and the key to it beside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from nvr.bundle import told
from nvr.keyholder.bundle import BundleReport, make_bundle
from nvr.keyholder.bundle_folder import BundleOutput
from nvr.keyholder.bundle_segments import BundleRequest, bundle_bytes
from nvr.keyholder.clip_choice import Span
from nvr.keyholder.membership import Membership
from nvr.local_zone import local_zone
from pipeline import walk
from pipeline.household.fingerprint import fingerprint
from pipeline.names import NotAName, stream_name
from pipeline.store import Store

_MS = 1_000_000


def bundle_request(
    store: Store, camera: str, stream: str | None, span: Span, *, keep_going: bool
) -> BundleRequest:
    """What was asked for; without a stream all that the camera has. Raises BadParameter."""
    try:
        streams = [stream_name(camera, stream)] if stream else walk.streams(store.root, camera)
        names = tuple(sorted(one.stream for one in streams))
    except NotAName as fault:
        raise click.BadParameter(str(fault), param_hint="--stream") from None
    from_ms, to_ms = span.from_ns // _MS, -(-span.to_ns // _MS)
    now_ms = time.time_ns() // _MS
    return BundleRequest(camera, names, from_ms, to_ms, now_ms, local_zone(), keep_going)


def export_bundle(
    store: Store,
    request: BundleRequest,
    open_household: Callable[[], Membership],
    target: Path,
    *,
    force: bool,
) -> Membership:
    """Makes it, and says what is in it and what to do with it. `open_household` may ask for a passphrase."""
    with BundleOutput(Path(os.path.normpath(target)), force=force) as output:
        membership = open_household()
        with _progress(bundle_bytes(store, request)) as advance:
            report = make_bundle(store, request, membership, output, advance)
    _tell(report, output, membership)
    return membership


@contextmanager
def _progress(total_bytes: int) -> Iterator[Callable[[int], object]]:
    columns = (TextColumn("Exporting"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("export", total=total_bytes)
        yield lambda done: progress.advance(task, done)


def _tell(report: BundleReport, output: BundleOutput, membership: Membership) -> None:
    for line in told(report.verdict):
        click.echo(line)
    click.echo("")
    click.echo(f"{output.target}: the bundle, {report.size_bytes / 1e6:.1f} MB. README.txt in it says all.")
    click.echo(f"{output.identity_file}: opens it. Send it by another way than the bundle.")
    click.echo(f"Fingerprint to tell the receiver: {fingerprint(membership.household.root)}")
    for text in report.left_out:
        click.echo(f"Left out: {text}", err=True)
