"""`nvr export`: a playable clip of a camera's footage, for whoever holds an identity."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from nvr.asking import KEY_FILE_PROMPT, passphrases
from nvr.commands.export_bundle import bundle_request, export_bundle
from nvr.commands.household_options import root_option, tell_doubt
from nvr.errors import NvrError
from nvr.keyholder.changing import prepare_quietly
from nvr.keyholder.clip import GAP_NS, ClipFile, ClipReport, Gap, write_clips
from nvr.keyholder.clip_choice import Span
from nvr.keyholder.export_files import ExportFiles
from nvr.keyholder.footage import Found, SegmentFault, find_footage, open_found
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.membership import Membership, open_membership
from nvr.keyholder.segment_tables import OpenSegment
from nvr.local_zone import local_zone
from nvr.located import Located, locate
from nvr.running import supervisor_pid
from nvr.times import parse_range, show
from pipeline.names import NotAName, stream_name

_NS = 1_000_000_000


@click.command()
@click.option("--camera", required=True, metavar="C", help="The camera's name.")
@click.option("--stream", help="Which of its streams: main or sub.  [default: main; with --bundle all]")
@click.option("--from", "from_text", required=True, metavar="T", help='Since when: "14:05", "-10m".')
@click.option("--to", "to_text", required=True, metavar="T", help='Until when: "14:20", "+10m", "now".')
@click.option(
    "--identity",
    required=True,
    metavar="FILE",
    help="Your key file, or the recovery sheet (HTML or its text).",
)
@root_option
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The MP4 to write; with --bundle, the folder.",
)
@click.option(
    "--bundle", is_flag=True, help="Evidence instead: a folder, sealed to a key made for it, with its proof."
)
@click.option(
    "--exact", is_flag=True, help="Show only the exact span; frames around it stay in the file, hidden."
)
@click.option("--keep-going", is_flag=True, help="Leave out segments that are damaged, and name them.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.pass_obj
def export(
    config: Path | None,
    camera: str,
    stream: str | None,
    from_text: str,
    to_text: str,
    identity: str,
    root: str | None,
    output: Path,
    bundle: bool,
    exact: bool,
    keep_going: bool,
    force: bool,
) -> None:
    """Make a playable MP4 of footage, without re-encoding; needs an identity.

    The clip holds whole groups of pictures, so it may begin a little before --from and end a little after
    --to. Where the camera's format changed, a new file begins: out.mp4, out-2.mp4, and so on.

    With --bundle: a folder for the police or an insurer, and beside it the key that opens it. Its README.txt
    says how to open and to check it with common tools, what it proves, and what not.

    \b
    Examples:
      nvr export --camera front --from 14:05 --to 14:20 --identity alice.key -o front.mp4
      nvr export --camera front --from "yesterday 18:00" --to +10m --identity alice.key -o evening.mp4
      nvr export --bundle --camera front --from 14:05 --to 14:20 --identity alice.key -o evidence
    """
    if bundle and exact:
        raise click.UsageError("--exact is for clips: a bundle holds whole segments, as they were recorded.")
    located = locate(config)
    span = _span(located, camera, from_text, to_text)

    def membership_of() -> Membership:
        opened = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
        tell_doubt(opened)
        return opened

    if bundle:
        request = bundle_request(located.store, camera, stream, span, keep_going=keep_going)
        membership = export_bundle(located.store, request, membership_of, output, force=force)
    else:
        membership = _export_clip(
            located, camera, stream or "main", span, membership_of, output,
            exact=exact, keep_going=keep_going, force=force,
        )  # fmt: skip
    if supervisor_pid(located.store.root):  # in a copy of the store, it would make another household of it
        prepare_quietly(membership, time.time_ns() // 1_000_000)


def _export_clip(
    located: Located,
    camera: str,
    stream: str,
    span: Span,
    membership_of: Callable[[], Membership],
    output: Path,
    *,
    exact: bool,
    keep_going: bool,
    force: bool,
) -> Membership:
    with ExportFiles(output, force=force) as files:
        found = _find(located, camera, stream, span)
        membership = membership_of()
        identities = GroupIdentities(membership.opening)
        opening = _Opening(found, located.store.device, identities, keep_going=keep_going)
        report = write_clips(opening.segments(), span, files.open, exact=exact)
        if not report.files:
            raise opening.faults[-1] if opening.faults else _nothing(camera, span)
        files.commit()
        _tell(report, files, span, exact=exact)
    _tell_doubts(found, opening.faults)
    return membership


def _span(located: Located, camera: str, from_text: str, to_text: str) -> Span:
    located.checked_camera(camera)
    start, end = parse_range(from_text, to_text, datetime.now(UTC), local_zone())
    for note in filter(None, (start.note, end.note)):
        click.echo(note, err=True)
    return Span(start.utc_ms * 1_000_000, end.utc_ms * 1_000_000)


def _find(located: Located, camera: str, stream: str, span: Span) -> list[Found]:
    try:
        found = find_footage(located.store, stream_name(camera, stream), span)
    except NotAName as fault:
        raise click.BadParameter(str(fault), param_hint="--stream") from None
    if not found:
        raise _nothing(camera, span)
    return found


def _nothing(camera: str, span: Span) -> NvrError:
    return NvrError(
        f"There is no footage of {camera} between {_shown(span.from_ns)} and {_shown(span.to_ns)}; "
        "nvr list shows what there is."
    )


class _Opening:
    """Opens segments one after the other under a progress bar; `faults` are those that were left out."""

    def __init__(
        self, found: Sequence[Found], device: bytes, identities: GroupIdentities, *, keep_going: bool
    ) -> None:
        self.faults: list[SegmentFault] = []
        self._found = found
        self._device = device
        self._identities = identities
        self._keep_going = keep_going

    def segments(self) -> Iterator[OpenSegment]:
        """Raises SegmentFault, unless told to keep going."""
        columns = (TextColumn("Exporting"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("export", total=sum(found.size_bytes for found in self._found))
            for found in self._found:
                segment = self._open(found)
                if segment is not None:
                    yield segment
                progress.advance(task, found.size_bytes)

    def _open(self, found: Found) -> OpenSegment | None:
        try:
            return open_found(found, self._device, self._identities)
        except SegmentFault as fault:
            if not self._keep_going:
                raise SegmentFault(
                    f"{fault} Nothing was exported; --keep-going leaves such segments out.", fault.exit_code
                ) from None
            self.faults.append(fault)
            return None


def _tell(report: ClipReport, files: ExportFiles, span: Span, *, exact: bool) -> None:
    for file in report.files:
        click.echo(_told(file, files.path(file.number)))
    for gap in _missing(report, span):
        click.echo(
            f"No footage from {_shown(gap.from_ns)} to {_shown(gap.to_ns)}; the clip goes on without a pause."
        )
    if exact:
        hidden_s = sum(file.hidden_ns for file in report.files) / _NS
        click.echo(
            f"Frames outside of the exact times are hidden, not removed: {hidden_s:.1f} s stay in the file. "
            "Some players and every editor can show them."
        )


def _told(file: ClipFile, path: Path) -> str:
    sound = "" if file.audio_packets else ", no audio"
    return (
        f"{path}: {_shown(file.start_ns)} to {_shown(file.end_ns)}, {file.duration_ns / _NS:.1f} s, "
        f"{file.video_frames} frames{sound}, {file.size_bytes / 1e6:.1f} MB."
    )


def _missing(report: ClipReport, span: Span) -> list[Gap]:
    """The gaps inside, and what is missing at both ends."""
    first, last = report.files[0].start_ns, max(file.end_ns for file in report.files)
    before = [Gap(span.from_ns, first)] if first - span.from_ns > GAP_NS else []
    after = [Gap(last, span.to_ns)] if span.to_ns - last > GAP_NS else []
    return [*before, *report.gaps, *after]


def _tell_doubts(found: Sequence[Found], faults: Sequence[SegmentFault]) -> None:
    unsure = sum(segment.clock_unsure for segment in found)
    if unsure:
        click.echo(
            f"The clock was unsure for {unsure} of {len(found)} segments: their times may be wrong.", err=True
        )
    for fault in faults:
        click.echo(f"Left out: {fault}", err=True)


def _shown(at_ns: int) -> str:
    return show(datetime.fromtimestamp(at_ns / _NS, UTC), local_zone())
