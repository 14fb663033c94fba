"""`nvr demo`: see it work without owning a camera."""

from __future__ import annotations

import math

import click

from nvr.demo import run_demo, terminal_is_there

UNATTENDED_S = 60.0


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    help="How long; by default until Ctrl-C, or a minute without a terminal.",
)
def demo(seconds: float | None) -> None:
    """Try it: record a street clip into a temporary folder, then export it.

    \b
    Examples:
      nvr demo
      nvr demo --seconds 30
    """
    run_demo(seconds or (math.inf if terminal_is_there() else UNATTENDED_S), click.echo)
