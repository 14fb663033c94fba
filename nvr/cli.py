"""The command line: which commands there are, and what every error ends with.

Commands are imported when they are called. A recorder is started by `nvr record`, and must not carry what
the others need; so nothing heavy may be imported here.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from nvr.ending import EXPECTED, say_unexpected, sentence_and_code
from nvr.errors import StoreTrouble

_COMMANDS = {
    "init": (
        "nvr.commands.init:init",
        "Make a household in DIR: keys, recovery sheet, store and configuration.",
    ),
    "camera": ("nvr.commands.camera:camera", "Add, list, test and remove cameras."),
    "run": ("nvr.commands.run:run", "Record and look at all cameras until stopped."),
    "record": ("nvr.commands.record:record", "Record one camera in the foreground, until Ctrl-C or SIGTERM."),
    "watch": (
        "nvr.commands.watch:watch",
        "Look for people, cars and animals on all cameras in the foreground, until Ctrl-C or SIGTERM.",
    ),
    "serve": (
        "nvr.commands.serve:serve",
        "Answer browsers and programs over HTTPS with sealed footage, until Ctrl-C or SIGTERM.",
    ),
    "status": (
        "nvr.commands.status:status",
        "Show what is being recorded and looked at, and the state of the disk.",
    ),
    "list": ("nvr.commands.list:list_footage", "List footage, gaps with their reason, and holds."),
    "events": ("nvr.commands.events:events", "List events; with --identity also what was seen."),
    "export": (
        "nvr.commands.export:export",
        "Make a playable MP4 of footage, without re-encoding; needs an identity.",
    ),
    "member": ("nvr.commands.member:member", "List, invite, approve and remove members; join."),
    "group": ("nvr.commands.group:group", "List and add groups; give a group a new generation."),
    "key": ("nvr.commands.key:key", "Your own key file: show it, new passphrase, new recovery sheet, drill."),
    "detect": (
        "nvr.commands.detect:detect",
        "Try the detector: what it finds in a picture, a video, at an address, or on a configured camera.",
    ),
    "feedback": (
        "nvr.commands.feedback:feedback",
        "Teach a camera that an event was wrong or right; it learns on this machine, and only numbers.",
    ),
    "hold": ("nvr.commands.hold:hold", "Keep footage from being deleted, whatever the limits say."),
    "unhold": ("nvr.commands.hold:unhold", "Let held footage expire again; the rest stays held."),
    "check": (
        "nvr.commands.check:check",
        "Compare the store with its index, and name what is not as it should be.",
    ),
    "verify": (
        "nvr.commands.verify:verify",
        "Show whether footage, or a BUNDLE, is complete and unaltered; needs no key.",
    ),
    "head": ("nvr.commands.head:head", "Print what to remember of all footage, to verify it later."),
    "index": ("nvr.commands.index:index", "Rebuild the index from the store alone."),
    "demo": (
        "nvr.commands.demo:demo",
        "Try it: record a street clip into a temporary folder, then export it.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and summary, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command's module."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, from the summaries alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The configuration to use.")
@click.option(
    "--store", type=click.Path(path_type=Path), metavar="DIR", help="A store without a configuration."
)
@click.version_option(package_name="sealed-nvr", message="%(version)s")
@click.pass_context
def nvr(ctx: click.Context, config: Path | None, store: Path | None) -> None:
    """A home video recorder that can write footage and cannot read it.

    \b
    To begin:
      nvr init DIR
      nvr --config DIR/nvr.toml camera add front rtsp://192.168.1.20/stream1
      nvr --config DIR/nvr.toml run

    Without --config, nvr.toml is looked for in this folder, your configuration folder, and /etc/sealed-nvr.
    With --store, a store or a copy of one is enough: to list, export, verify, and for the household.
    """
    ctx.obj = _checked_store(store, config) if store is not None else config


def _checked_store(store: Path, config: Path | None) -> Path:
    """The store, which `nvr.located` knows by its own file."""
    if config is not None:
        raise click.UsageError("Say --config or --store, not both.")
    if not (store / "store.json").is_file():
        raise StoreTrouble(f"{store} is not a store: it has no store.json. Is its disk mounted?")
    return store


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit code, after one sentence on standard error when it failed."""
    sys.excepthook = say_unexpected
    try:
        code = nvr.main(args=arguments, prog_name="nvr", standalone_mode=False)
    except click.Abort:
        return _say("Stopped.", 130)
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except BrokenPipeError:  # somebody closed the pager; nothing more may be written, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except EXPECTED as error:
        return _say(*sentence_and_code(error))
    return code if isinstance(code, int) else 0


def _say(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code
