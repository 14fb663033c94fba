"""The configuration that the guide shows is one that the program takes, and says what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

from nvr.config_file import load_config
from nvr.watch_plan import rules_of
from pipeline.event import Direction
from pipeline.event.geometry import contains
from pipeline.scene import Point

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"


def test_the_example_of_zones_masks_and_lines_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(\[detect\].*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    file = tmp_path / "nvr.toml"
    file.write_text(example)
    config = load_config(file).config
    camera = config.cameras["drive"].detect
    rules = rules_of(config.detect.of(camera), camera)

    assert rules.labels == ("person", "car", "vehicle", "dog")
    assert (rules.needed_score("dog"), rules.needed_score("person")) == (0.6, 0.4)
    assert (rules.needed_height("person"), rules.needed_height("car")) == (0.08, 0.0)
    assert [(zone.name, zone.labels, zone.loiter_s) for zone in rules.zones] == [
        ("yard", (), 0.0),
        ("door", ("person",), 20.0),
    ]
    assert contains(rules.masks[0].corners, Point(0.5, 0.1))
    (line,) = rules.lines
    assert (line.name, line.direction, line.labels) == ("gate", Direction.LEFT_TO_RIGHT, ("person", "car"))
