"""`nvr serve`: the dashboard's server, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from nvr.logs import start_logging
from nvr.parent_death import end_with_parent


@click.command()
@click.option("--supervised-by", type=int, hidden=True, help="The process that started us.")
@click.option("--new-root", is_flag=True, help="Make a new root certificate, which every device trusts anew.")
@click.pass_obj
def serve(config: Path | None, supervised_by: int | None, new_root: bool) -> None:
    """Answer browsers and programs over HTTPS with sealed footage, until Ctrl-C or SIGTERM.

    It only reads the store, and opens nothing of it: whoever logs in with their key gets sealed files, which
    their own device opens. The first start makes a certificate for this machine's names and addresses.

    \b
    Examples:
      nvr serve
      nvr --config /srv/nvr/nvr.toml serve
    """
    start_logging()
    if supervised_by is not None and not end_with_parent(supervised_by):
        return
    from nvr.dashboard import serve_dashboard
    from nvr.located import locate

    serve_dashboard(locate(config), click.echo, new_root=new_root)
