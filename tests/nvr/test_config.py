"""The configuration: every fault named at once with its place, and no secret in any message."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.config_file import ConfigFaults, find_config, load_config, parse_config, search_places
from nvr.errors import UsageFault

FILE = Path("/srv/nvr.toml")
GOOD = """
[store]
path = "footage"
min_free = "5GB"
days = 14

[cameras.front]
url = "rtsp://192.168.1.20/stream1"
user = "admin"
password = "hunter2"
record = "schedule"
schedule = ["mon-fri 08:00-18:00", "sat,sun"]
max_bytes = "200GiB"

[cameras.porch]
url = "/dev/video0"
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(ConfigFaults) as refused:
        parse_config(text, FILE)
    return [str(fault) for fault in refused.value.faults]


def test_a_good_file_is_read() -> None:
    config = parse_config(GOOD, FILE)
    assert config.store.min_free == 5_000_000_000
    assert config.cameras["front"].max_bytes == 200 * 1024**3
    assert config.cameras["front"].password.get_secret_value() == "hunter2"
    assert config.cameras["porch"].record == "continuous"
    assert "hunter2" not in repr(config)


def test_five_faults_are_all_named_with_their_place() -> None:
    found = faults_of("""
[store]
flush_s = "often"
dayz = 3
[cameras.front]
url = "gopher://camera"
transport = "pigeon"
[cameras."Front Door"]
url = "rtsp://camera/1"
""")
    assert len(found) == 5
    assert found[0] == "/srv/nvr.toml:3: store.flush_s should be a number"
    assert found[1] == "/srv/nvr.toml:4: store.dayz is not a setting; did you mean days?"
    assert found[2].startswith("/srv/nvr.toml:6: cameras.front.url is not an address of a camera")
    assert found[3] == "/srv/nvr.toml:7: cameras.front.transport should be 'tcp' or 'udp'"
    assert found[4].startswith("/srv/nvr.toml:8: cameras.Front Door is not a name")


@pytest.mark.parametrize(
    "line",
    [
        'pasword = "hunter2"',
        'url = "rtsp://admin:hunter2@host:port/x"',
        'url = "hunter2"',
        'transport = "hunter2"',
        'days = "hunter2"',
        'max_bytes = "hunter2"',
        'schedule = ["hunter2"]',
        'password = ["hunter2"]',
        'password = {hunter = "hunter2"}',
        'password = "hunter2',
        'tls_verify = "hunter2"',
        "password = hunter2",
        'user = "a"\npassword = "b"\nuser = "hunter2"',
        'url = "rtsp://a:hunter2@h/1"\npassword = "hunter2"',
        '"rtsp://admin:hunter2@h/1" = 1',
    ],
)
@pytest.mark.parametrize("table", ["[cameras.front]", "[store]", "[camera.front]", ""])
def test_no_message_repeats_what_was_written(table: str, line: str) -> None:
    assert not [fault for fault in faults_of(f"{table}\n{line}\n") if "hunter2" in fault]


def test_a_camera_that_is_no_table() -> None:
    assert faults_of('[cameras]\nfront = "rtsp://u:hunter2@h/"') == [
        "/srv/nvr.toml:2: cameras.front should be a table such as [cameras.front]"
    ]


def test_a_missing_setting_points_to_its_table() -> None:
    assert faults_of('[store]\n\n[cameras.front]\nuser = "x"\n') == [
        "/srv/nvr.toml:3: cameras.front.url is missing"
    ]


@pytest.mark.parametrize("name", ["keys", "holds"])
def test_names_that_the_store_needs_are_refused(name: str) -> None:
    assert "the store needs for itself" in faults_of(f'[cameras.{name}]\nurl = "/dev/video0"')[0]


def test_a_schedule_is_asked_for() -> None:
    assert "has no schedule" in faults_of('[cameras.a]\nurl = "/dev/video0"\nrecord = "schedule"')[0]


@given(st.text())
def test_any_text_is_either_a_configuration_or_faults(text: str) -> None:
    try:
        parse_config(text, FILE)
    except ConfigFaults as refused:
        assert refused.faults


def test_a_file_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    file = tmp_path / "nvr.toml"
    file.write_text(GOOD)
    file.chmod(0o640)
    assert "chmod 600" in load_config(file).warnings[0]
    file.chmod(0o600)
    loaded = load_config(file)
    assert loaded.warnings == ()
    assert loaded.store_root == tmp_path / "footage"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "nvr.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigFaults, match="is not UTF-8"):
        load_config(file)


def test_the_order_in_which_files_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    places = search_places(tmp_path / "home/sealed-nvr")
    assert places[2] == Path("/etc/sealed-nvr/nvr.toml")
    with pytest.raises(UsageFault, match="nvr init"):
        find_config(None)
    places[1].parent.mkdir(parents=True)
    places[1].write_text("")
    assert find_config(None) == places[1]
    (tmp_path / "nvr.toml").write_text("")
    assert find_config(None) == tmp_path / "nvr.toml"
    given_file = tmp_path / "other.toml"
    given_file.write_text("")
    assert find_config(given_file) == given_file
    assert find_config(tmp_path) == tmp_path / "nvr.toml"
    with pytest.raises(UsageFault, match="no configuration at"):
        find_config(tmp_path / "absent.toml")
