"""What is looked for: faults with their place and name, a camera's own settings, the watcher's plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.config_edit import with_camera, without_camera
from nvr.config_file import ConfigFaults, LoadedConfig, parse_config
from nvr.recording_plan import plan_for
from nvr.watch_plan import WatchPlan, watch_plan
from pipeline.event import Direction
from pipeline.scene import Point

FILE = Path("/srv/nvr.toml")
CAMERA = '[cameras.front]\nurl = "/dev/video0"\n'
FULL = """
[detect]
score = 0.5
scores = { Person = 0.6 }
keep_days_by_label = { cat = 3 }

[notify]
labels = true
[notify.mqtt]
host = "192.168.1.5"
user = "nvr"
password = "hunter2"
tls = true
tls_ca = "ca.pem"
[[notify.webhooks]]
url = "https://192.168.1.6/hook/hunter3"
secret = "hunter4"

[cameras.front]
url = "rtsp://192.168.1.20/1"
sub = "rtsp://192.168.1.20/2"
days = 7
record = "events"
[cameras.front.detect]
labels = ["person"]
sound = true
[[cameras.front.detect.zones]]
name = "drive"
polygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
loiter_s = 4
[[cameras.front.detect.masks]]
polygon = [[0, 0], [0.2, 0], [0.2, 0.2]]
[[cameras.front.detect.lines]]
name = "gate"
from = [0.5, 0]
to = [0.5, 1]
direction = "left-to-right"

[cameras.yard]
url = "/dev/video0"
[cameras.yard.detect]
enabled = false

[cameras.attic]
url = "/dev/video1"
record = "off"
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(ConfigFaults) as refused:
        parse_config(text, FILE)
    return [str(fault) for fault in refused.value.faults]


def plan_of(text: str) -> WatchPlan:
    return watch_plan(LoadedConfig(FILE, parse_config(text, FILE)), Path("/run/nvr"))


def zone(polygon: str, name: str = "drive") -> str:
    return f'[[cameras.front.detect.zones]]\nname = "{name}"\npolygon = {polygon}\n'


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (zone("[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]"), '3: … Zone "drive" crosses itself'),
        (zone("[[0.1, 0.1], [1.2, 0.1], [0.9, 0.9]]"), '3: … Zone "drive" has the corner [1.2, 0.1] outside'),
        (zone("[[0.1, 0.1], [0.9, 0.1]]"), '3: … Zone "drive" has 2 corners'),
        (zone("[[0.1], [0.9, 0.1], [0, 0]]"), '3: … Zone "drive" has a corner that is not [x, y]'),
        (zone("[[0.1, 0.1], [0.9, 0.1], [nan, 0.9]]"), '3: … Zone "drive" has the corner [nan, 0.9] outside'),
        (2 * zone("[[0, 0], [1, 0], [1, 1]]"), ' … has two called "drive"; give each a name of its own'),
        ('[cameras.front.detect]\nlabels = ["person", ""]', "4: "),
        ("[cameras.front.detect]\nscore = 40", "4: cameras.front.detect.score should be at most 1"),
        (
            "[cameras.front.detect]\nzone = []",
            "4: cameras.front.detect.zone is not a setting; did you mean zones?",
        ),
        ('[detect]\nlabels_file = "x.txt"', "detect has labels_file without model"),
        ("[detect]\nthreads = 0.5", "4: detect.threads should be a whole number"),
        ('[notify.mqtt]\nhost = "a b"', "4: notify.mqtt.host is not a host"),
        ('[notify.mqtt]\nhost = "a"\ntopic = "x/#"', "5: notify.mqtt.topic is not a topic"),
        ('[[notify.webhooks]]\nurl = "http://u:hunter2@h/"', "4: notify.webhooks.url has a user or password"),
        (
            '[[notify.webhooks]]\nurl = "http://h/a b"',
            "4: notify.webhooks.url has a space or a letter beyond",
        ),
        (
            '[[notify.webhooks]]\nurl = "http://h/\u00e4"',
            "4: notify.webhooks.url has a space or a letter beyond",
        ),
        ('[[notify.webhooks]]\nurl = "ftp://h/"', "4: notify.webhooks.url is not an address to send to"),
    ],
)
def test_a_fault_has_its_place_and_its_name(tables: str, said: str) -> None:
    (fault,) = faults_of(CAMERA + tables)
    assert said.replace("…", "cameras.front.detect.zones") in fault
    assert "hunter2" not in fault


def test_of_several_tables_the_line_says_which() -> None:
    good, bad = zone("[[0, 0], [1, 0], [1, 1]]"), zone("[[0, 0], [1, 0]]", "lawn")
    line = '[[cameras.front.detect.lines]]\nname = "gate"\nfrom = [0.5, 0.5]\nto = [0.5, 0.5]\n'
    found = faults_of(f"{CAMERA}{good}{bad}{line}")
    assert [fault.split(":")[1] for fault in found] == ["6", "9"]
    assert 'Zone "lawn" has 2 corners' in found[0]
    assert 'Line "gate" has no length' in found[1]


@pytest.mark.parametrize("switch", ["[detect]\nenabled = false", "[cameras.front.detect]\nenabled = false"])
def test_only_events_are_kept_where_somebody_looks_for_them(switch: str) -> None:
    (fault,) = faults_of(f'{CAMERA}record = "events"\n{switch}\n')
    assert 'cameras.front.record is "events", but nobody looks' in fault
    assert fault.startswith("/srv/nvr.toml:3:")


@pytest.mark.parametrize("sound", ["", "sound = true\n[cameras.front.detect]\nsound = false\n"])
def test_only_events_are_kept_where_something_counts_as_one(sound: str) -> None:
    (fault,) = faults_of(f'{CAMERA}record = "events"\n[detect]\nlabels = []\n{sound}')
    assert 'cameras.front.record is "events", but nothing counts as one there' in fault


def test_only_loud_events_are_events_too() -> None:
    assert plan_of(f'{CAMERA}record = "events"\n[detect]\nlabels = []\nsound = true\n').cameras


def test_a_camera_says_otherwise_than_all_and_what_it_does_not_say_holds() -> None:
    (front,) = plan_of(FULL).cameras
    assert front.camera == "front"
    assert front.streams == ("main", "sub")
    assert front.rules.labels == ("person",)
    assert (front.rules.score, front.rules.scores) == (0.5, {"person": 0.6})
    assert (front.days, front.keep_days, front.keep_days_by_label) == (7, 60, {"cat": 3})
    assert front.sound is not None
    assert [(zone.name, zone.loiter_s) for zone in front.rules.zones] == [("drive", 4.0)]
    assert front.rules.masks[0].corners[1] == Point(0.2, 0)
    assert front.rules.lines[0].direction is Direction.LEFT_TO_RIGHT


def test_the_watchers_plan_crosses_a_pipe_and_shows_no_secret() -> None:
    plan = plan_of(FULL)
    assert WatchPlan.from_json(plan.to_json()) == plan
    assert "hunter" not in repr(plan)
    assert "hunter" not in repr(parse_config(FULL, FILE))
    assert plan.notify.mqtt is not None
    assert (plan.notify.mqtt.port, plan.notify.mqtt.tls_ca) == (8883, "/srv/ca.pem")
    assert set(plan.notify.secrets) == {"hunter2", "hunter4", "https://192.168.1.6/hook/hunter3"}


def test_by_default_everything_is_looked_at_and_nobody_is_told() -> None:
    plan = plan_of(CAMERA)
    assert [camera.camera for camera in plan.cameras] == ["front"]
    assert (plan.notify.mqtt, plan.notify.webhooks) == (None, ())
    assert not plan.notify.labels
    assert not plan_of(f"{CAMERA}[detect]\nenabled = false").cameras


def test_a_recorder_need_not_know_that_only_events_are_kept() -> None:
    loaded = LoadedConfig(FILE, parse_config(FULL, FILE))
    assert plan_for(loaded, "front", Path()).record == "continuous"


def test_adding_and_removing_a_camera_leaves_what_is_looked_for() -> None:
    added = with_camera(FULL, "porch", {"url": "/dev/video2"})
    front = parse_config(FULL, FILE).cameras["front"]
    assert parse_config(added, FILE).cameras["front"] == front
    assert list(parse_config(without_camera(added, "front"), FILE).cameras) == ["yard", "attic", "porch"]
