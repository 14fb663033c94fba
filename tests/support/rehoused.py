"""A household changed by hand: copied to another place, settings edited as a person would."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from tests.support.household import Household


def copy_household(house: Household, place: Path) -> Household:
    """A copy of its configuration and store; the keys stay where they are. Nothing may be running."""
    shutil.copytree(house.directory, place / "house")
    copy = Household(place / "house", house.keys, place / "run")
    change_store(copy, run_dir=str(copy.run_dir))
    return copy


def change_store(house: Household, **settings: str | float) -> None:
    """Settings of `[store]` that stand in the file already."""
    text = house.config.read_text("utf-8")
    for setting, value in settings.items():
        text, count = re.subn(rf"(?m)^{setting} = .*$", f"{setting} = {json.dumps(value)}", text)
        assert count == 1, setting
    house.config.write_text(text, "utf-8")
