"""docs/format.md section 4, followed literally: bash, dd, od and Debian's age open an unfinished segment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from crypto.identity import X25519Identity
from crypto.recipient import Recipient
from pipeline.store import Store, open_segment, recover
from tests.support.store_writing import append_fragments, mark, plaintext

DOCUMENT = Path(__file__).parents[3] / "docs/format.md"


def _recipe(segment: Path) -> str:
    (block,) = re.findall(r"```bash\n(segment=.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    return re.sub(r'^segment=".*"', f'segment="{segment}"', block)


@pytest.mark.parametrize(("sequence", "fragments"), [(0, 1), (0, 5), (1, 7), (2, 3), (3, 4)])
def test_the_recipe_opens_an_unfinished_segment(
    store: Store,
    recipients: list[Recipient],
    identity: X25519Identity,
    tmp_path: Path,
    sequence: int,
    fragments: int,
) -> None:
    segment = open_segment(store, mark(sequence), recipients)
    length = append_fragments(segment, fragments)
    segment.abandon()
    (published,) = recover(store, "front").published
    (tmp_path / "home-1.key").write_text(str(identity))
    command = ["bash", "-u", "-c", _recipe(store.root / published.path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (tmp_path / "clip.mp4").read_bytes() == plaintext(sequence, length), done.stderr
