"""From a recording plan to what the pipeline's recorder is told."""

from __future__ import annotations

from pathlib import Path

from nvr.errors import StoreTrouble
from nvr.local_zone import local_zone
from nvr.recording_plan import RecordingPlan, StreamAddress
from pipeline.names import KEYS
from pipeline.recorder import RecorderSettings
from pipeline.source import SourceSettings

INDEX = "index.sqlite"


def recorder_settings(plan: RecordingPlan) -> RecorderSettings:
    """Reads the group's newest recipient. Raises `StoreTrouble` when there is none."""
    root = Path(plan.store_root)
    generation, recipient = newest_recipient(root, plan.group)
    return RecorderSettings(
        camera=plan.camera,
        sources={name: source_settings(plan, stream) for name, stream in plan.streams.items()},
        store_root=root,
        index_path=root / INDEX,
        run_dir=Path(plan.run_dir),
        recipients=(recipient,),
        generation=generation,
        wanted=plan.wanted(local_zone()),
        flush_s=plan.flush_s,
    )


def source_settings(plan: RecordingPlan, stream: StreamAddress) -> SourceSettings:
    """One stream's."""
    return SourceSettings(
        url=stream.url,
        user=stream.user,
        password=stream.password,
        transport=plan.transport,
        audio=plan.audio,
        tls_ca_file=plan.tls_ca or None,
        tls_verify=plan.tls_verify,
    )


def newest_recipient(store_root: Path, group: str) -> tuple[int, str]:
    """The group's highest generation and its recipient's text. Raises `StoreTrouble`."""
    folder = store_root / KEYS / group
    generations = sorted(
        (int(path.parent.name), path)
        for path in folder.glob("*/recipient.txt")
        if path.parent.name.isdecimal()
    )
    if not generations:
        raise StoreTrouble(
            f'The group "{group}" has no recipient in {folder}, so nothing can be sealed to it.'
        )
    generation, file = generations[-1]
    try:
        return generation, file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise StoreTrouble(f"Cannot read {file}; copy it back from a backup.") from None
