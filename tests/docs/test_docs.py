"""What can be typed, set, seen or met is found in the documentation, and what stands there exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from nvr import errors
from nvr.cli import nvr
from nvr.config import CameraSettings, StoreSettings
from nvr.detect_settings import (
    CameraDetectSettings,
    DetectSettings,
    LineSettings,
    MaskSettings,
    ZoneSettings,
)
from nvr.notify_settings import MqttSettings, NotifySettings, WebhookSettings
from nvr.quantities import parse_size
from nvr.recorder_process import PAUSES_S, SILENT_S
from nvr.web_settings import WebSettings
from pipeline.audit import Fault
from pipeline.chain.findings import Fault as VerifyFault
from pipeline.health import State
from pipeline.recorder import RecorderSettings
from pipeline.source import EncodeBudget
from pipeline.watch_report import LookState

ROOT = Path(__file__).parents[2]
TABLES = (CameraDetectSettings,)  # settings that are tables of their own, with a heading of their own
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
}
REFERENCE = PAGES["docs/reference.md"]
SOURCES = [
    path.read_text("utf-8")
    for package in ("crypto", "pipeline", "web", "nvr")
    for path in ROOT.glob(f"{package}/**/*.py")
    if "node_modules" not in path.parts
]


def section(heading: str, page: str = REFERENCE) -> str:
    """From the heading whose text begins so, to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}", page, re.M)
    assert found, f"no heading {heading!r}"
    level = len(found[1])
    rest = page[found.end() :]
    end = re.search(rf"^#{{1,{level}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


def rows(text: str) -> dict[str, list[str]]:
    """The tables in a text: the first cell's code spans, each with the cells beside it."""
    found: dict[str, list[str]] = {}
    without_headings = re.sub(r"^\|.*\|\n\| ---.*\|$", "", text, flags=re.M)
    for line in re.findall(r"^\| (.*) \|$", without_headings, re.M):
        first, *others = re.split(r"(?<!\\) \| ", line)
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", first) or [first], others)
    return found


def commands(
    group: click.Group = nvr, words: tuple[str, ...] = ("nvr",)
) -> Iterator[tuple[str, click.Command]]:
    """Every command as it is typed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*words, name)), command


def test_every_command_and_option_is_in_the_reference() -> None:
    headings = re.findall(r"^### (.*`nvr .*)$", REFERENCE, re.M)
    for typed, command in commands():
        heading = next((text for text in headings if re.search(rf"`{re.escape(typed)}[ `]", text)), None)
        assert heading, typed
        told = section(heading)
        options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
        missing = [name for option in options for name in option.opts if f"`{name}" not in told]
        assert not missing, typed


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("`[store]`", StoreSettings),
        ("`[detect]`", DetectSettings),
        ("`[cameras.NAME]`", CameraSettings),
        ("`[web]`", WebSettings),
    ],
)
def test_every_setting_is_in_the_reference_with_its_default(heading: str, model: type[BaseModel]) -> None:
    told = rows(section(heading))
    settings = {name: one for name, one in model.model_fields.items() if one.annotation not in TABLES}
    assert set(told) == set(settings)
    for name, setting in settings.items():
        code = re.search(r"`(.+)`", told[name][1])
        default = setting.get_default(call_default_factory=True)
        if code is None:
            assert setting.is_required() or not str(default).strip("*") or default is None, name
        elif name == "min_free":
            assert parse_size(json.loads(code[1])) == default
        else:
            assert json.loads(code[1]) == default, name


@pytest.mark.parametrize(
    ("heading", "models"),
    [
        ("`[cameras.NAME.detect]`", (ZoneSettings, MaskSettings, LineSettings)),
        ("`[notify]`", (NotifySettings, MqttSettings, WebhookSettings)),
    ],
)
def test_every_setting_of_a_table_within_is_in_the_reference(
    heading: str, models: tuple[type[BaseModel], ...]
) -> None:
    told = section(heading)
    for name, setting in [pair for model in models for pair in model.model_fields.items()]:
        assert f"`{setting.alias or name}`" in told or f".{name}]" in told, name


def test_every_environment_variable_is_in_the_reference() -> None:
    code = "\n".join(SOURCES)
    read = {
        *re.findall(r"\bNVR_[A-Z_]*[A-Z]\b", code),
        *re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', code),
    }
    told = set(rows(section("Environment")))
    assert read <= told
    assert {name for name in told if name.startswith("NVR_")} <= read


def test_every_exit_code_is_in_the_reference() -> None:
    ours = {errors.FAULT, errors.USAGE, errors.WRONG_IDENTITY, errors.STORE, errors.RUNNING}
    assert {int(code) for code in rows(section("Exit codes"))} == {0, 130, *ours}


def test_every_state_and_finding_is_in_the_reference() -> None:
    states = {state.value for state in (*State, *LookState)}
    assert set(rows(section("`nvr status`"))) - {"not recording"} == states
    assert set(rows(section("`nvr check`"))) == {fault.name.lower() for fault in Fault}
    wrong = {fault.name.lower() for fault in VerifyFault}
    assert {name for name in rows(section("`nvr verify")) if not name.startswith("-")} == wrong


def test_figures_that_the_pages_repeat_are_those_of_the_code() -> None:
    settings = RecorderSettings("front", {}, ROOT, ROOT, ROOT)
    for pauses_s in (settings.retry_pauses_s, settings.refused_pauses_s):
        *growing, last = (f"{pause_s:g}" for pause_s in pauses_s)
        said = f"after {', '.join(growing)} s and then every {last} s"
        assert said in REFERENCE and said in " ".join(PAGES["docs/design.md"].split())
    assert f"{settings.backlog_bytes // 2**20} MiB" in section("`nvr status`")
    assert f"up to {PAUSES_S[-1]:g} s; one that has not reported for {SILENT_S:g} s" in " ".join(
        REFERENCE.split()
    )
    budget = EncodeBudget()
    limit = f"at most {budget.max_width}×{budget.max_height} at {budget.max_fps:g} fps"
    assert limit in section("`nvr camera add") and limit in PAGES["docs/guide.md"]


def test_every_word_of_the_glossary_is_used() -> None:
    elsewhere = " ".join(text for name, text in PAGES.items() if name != "docs/glossary.md").lower()
    words = [word for cell in rows(PAGES["docs/glossary.md"]) for word in cell.split(", ")]
    assert len(words) > 30
    assert [word for word in words if word.lower().removeprefix("to ") not in elsewhere] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_resolve(page: str) -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text("utf-8")), target


def anchors(page: str) -> set[str]:
    """What headings are called in links."""
    headings = re.findall(r"^#+ (.+)$", page, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version
    assert f"## [{version[1]}]" in PAGES["CHANGELOG.md"]


def test_the_unit_keeps_memory_off_the_disk_and_is_sound(tmp_path: Path) -> None:
    unit = (ROOT / "systemd/sealed-nvr.service").read_text("utf-8")
    wanted = {
        "LimitCORE=0",
        "MemorySwapMax=0",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "KillMode=mixed",
    }
    assert wanted <= set(unit.splitlines())
    if shutil.which("systemd-analyze"):  # where the program that is started need not be there
        copy = tmp_path / "sealed-nvr.service"
        copy.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", unit, flags=re.M))
        done = subprocess.run(
            ["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_every_request_and_problem_of_the_api_is_in_its_page() -> None:
    told = PAGES["docs/api.md"]
    sources = [path.read_text("utf-8") for path in ROOT.glob("web/**/*.py") if "ui" not in path.parts]
    routes = {
        (method.upper(), path)
        for source in sources
        for method, path in re.findall(r'@api\.(get|post|delete)\(\s*"([^"]+)"', source)
    }
    said = {
        (method, path)
        for method, path in re.findall(r"^\| (GET|POST|DELETE) \| `/api/v1([^`]*)`", told, re.M)
    }
    assert routes
    assert {(method, path.removeprefix("/live")) for method, path in said} == routes
    codes = {
        code
        for source in sources
        for code in re.findall(r'(?:code = |Problem\(\s*HTTPStatus\.\w+,\s*)"(\w+)"', source)
    }
    assert codes >= {"session", "host", "origin", "pace"}
    assert [code for code in sorted(codes - {"live"}) if f"`{code}`" not in told] == []
