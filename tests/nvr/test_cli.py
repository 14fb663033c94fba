"""The command line as a whole: help with examples everywhere, one sentence for every error, no tracebacks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from nvr.cli import _COMMANDS, main, nvr
from nvr.errors import USAGE
from tests.support.household import Household


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield (*path, name), command
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))


def test_every_command_has_help_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for path, command in commands(nvr):
        assert main([*path, "--help"]) == 0
        said = capsys.readouterr().out
        assert "Example" in said, path
        assert f"nvr {path[0]}" in said, path
        for parameter in command.params:
            documented = not isinstance(parameter, click.Option) or parameter.hidden or parameter.help
            assert documented or isinstance(parameter.type, click.Choice), (path, parameter.name)


def test_the_list_says_what_the_commands_say() -> None:
    for path, command in commands(nvr):
        if len(path) == 1:
            assert (command.help or "").splitlines()[0] == _COMMANDS[path[0]][1]


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys; from nvr.cli import main; main(['--help']);"
        "print([name for name in sys.modules if 'commands.' in name or 'pydantic' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_a_matter_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recrod"]) == USAGE
    assert "No such command" in capsys.readouterr().err


def test_without_a_configuration_it_says_how_to_make_one(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    for words in (["status"], ["list"], ["run"], ["camera", "list"], ["record", "front"]):
        assert main(words) == USAGE
        assert "Make one with: nvr init" in capsys.readouterr().err


def test_a_fault_of_ours_shows_no_values() -> None:
    code = (
        "import nvr.cli\n"
        "def fails(*a, **k): raise KeyError('hunter2')\n"
        "nvr.cli.nvr.main = fails\n"
        "nvr.cli.main([])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Unexpected fault (KeyError at <string>:2)")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_an_empty_household_says_so_kindly(house: Household) -> None:
    assert "No footage in that time." in house.nvr("list").stdout
    assert "nvr run is not running." in house.nvr("status").stdout
    assert "No camera yet." in house.nvr("camera", "list").stdout
    assert house.json("list")["streams"] == []
    assert house.json("status")["supervisor_pid"] is None


@pytest.mark.parametrize(
    "words", [("--from", "soon"), ("--from", "-1h", "--to", "-2h"), ("--camera", "attic")]
)
def test_bad_questions_get_one_sentence(house: Household, words: tuple[str, ...]) -> None:
    done = house.nvr("list", *words)
    assert done.returncode == USAGE
    assert done.stderr.count("\n") == 1
