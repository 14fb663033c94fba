"""`nvr camera`: cameras in the configuration. Passwords are asked for, and never shown again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from nvr.address import check_address, shown, split_credentials
from nvr.asking import CAMERA_PASSWORD_FILE, ask_secret, secret_from_file
from nvr.camera_test import CameraAccess, WrongPassword, describe, find_sub_stream, look_at
from nvr.config import check_name
from nvr.config_edit import with_camera, without_camera, write_config
from nvr.config_file import LoadedConfig, find_config, load_config, parse_config
from nvr.errors import UsageFault
from nvr.running import supervisor_pid


@click.group()
def camera() -> None:
    """Add, list, test and remove cameras.

    \b
    Examples:
      nvr camera add front rtsp://192.168.1.20/stream1
      nvr camera list
      nvr camera test front
    """


def _access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to get at a camera, for `add` and `test`."""
    for option in (
        click.option("--insecure", is_flag=True, help="Accept any certificate (rtsps, https)."),
        click.option(
            "--tls-ca", metavar="FILE", default="", help="The camera's certificate authority (PEM)."
        ),
        click.option("--transport", type=click.Choice(["tcp", "udp"]), default="tcp", show_default=True),
        click.option("--user", metavar="USER", default="", help="Whose password is then asked for."),
    ):
        command = option(command)
    return command


@camera.command()
@click.argument("name")
@click.argument("url")
@click.option("--sub", metavar="URL", default="", help="The address of the small picture.")
@click.option("--no-sub", is_flag=True, help="Do not look for a small picture.")
@click.option("--no-audio", is_flag=True, help="Do not record sound.")
@click.option("--no-test", is_flag=True, help="Add it without looking at the stream.")
@_access_options
@click.pass_obj
def add(
    config: Path | None,
    name: str,
    url: str,
    sub: str,
    no_sub: bool,
    no_audio: bool,
    no_test: bool,
    user: str,
    transport: str,
    tls_ca: str,
    insecure: bool,
) -> None:
    """Add a camera: look at its stream, find its small one, write both into the configuration.

    URL is rtsp://, rtsps://, http:// or https:// (MJPEG), file:///clip.mp4 (plays in a loop) or /dev/video0.
    The password is asked for, or taken from the file that NVR_CAMERA_PASSWORD_FILE names; one in URL is moved
    into its own setting.

    \b
    Examples:
      nvr camera add front rtsp://192.168.1.20/stream1 --user admin
      nvr camera add drive rtsp://192.168.1.21/Streaming/Channels/101 --transport udp
      nvr camera add desk /dev/video0
    """
    loaded = load_config(find_config(config))
    _check(name, url, sub)
    if name in loaded.config.cameras:
        raise UsageFault(f'There is a camera "{name}" already. Remove it first: nvr camera remove {name}')
    access = _asked(_access(url, user, transport, tls_ca, insecure))
    sub_url = split_credentials(sub).url
    if not no_test:
        access, size = _tested(name, access)
        if not sub_url and not no_sub and (found := find_sub_stream(access, size, click.echo)):
            sub_url = found
    settings = _settings(access, sub_url, audio=not no_audio)
    text = with_camera(loaded.file.read_text("utf-8"), name, settings)
    parse_config(text, loaded.file)
    write_config(loaded.file, text)
    click.echo(f'Added "{name}" to {loaded.file}.')
    _say_how_to_take_over(loaded)


def _check(name: str, url: str, sub: str) -> None:
    """Raises `UsageFault` for what the configuration would refuse; never repeats an address."""
    checks: list[tuple[str, Callable[[str], object], str]] = [
        (f'The name "{shown(name)}"', check_name, name),
        ("URL", check_address, url),
    ]
    if sub:
        checks.append(("--sub", check_address, sub))
    for what, check, value in checks:
        try:
            check(value)
        except ValueError as fault:
            raise UsageFault(f"{what} {fault}.") from None


def _access(url: str, user: str, transport: str, tls_ca: str, insecure: bool) -> CameraAccess:
    split = split_credentials(url)
    if split.password:
        click.echo(
            "The password was taken out of the address; your shell's history may still hold it.", err=True
        )
    return CameraAccess(
        url=split.url,
        user=user or split.user,
        password=split.password,
        transport="udp" if transport == "udp" else "tcp",
        tls_ca=str(Path(tls_ca).expanduser().absolute()) if tls_ca else "",
        tls_verify=not insecure,
    )


def _asked(access: CameraAccess) -> CameraAccess:
    """With the password, where there is a user but none yet."""
    if access.password or not (access.user or secret_from_file(CAMERA_PASSWORD_FILE)):
        return access
    given = secret_from_file(CAMERA_PASSWORD_FILE)
    prompt = f"Password of {access.user} at the camera"
    return replace(access, password=given or ask_secret(prompt, CAMERA_PASSWORD_FILE))


def _tested(name: str, access: CameraAccess) -> tuple[CameraAccess, tuple[int, int]]:
    click.echo("Looking at the stream…", err=True)
    consequence = f'"{name}" was not added (--no-test adds it all the same)'
    try:
        probed = look_at(access, consequence)
    except WrongPassword as wrong:
        if access.password or not sys.stdin.isatty():
            raise
        click.echo(str(wrong).partition(f" {consequence}")[0], err=True)
        access = _asked(replace(access, user=click.prompt("User at the camera", err=True)))
        probed = look_at(access, consequence)
    click.echo(f"  {describe(probed)}")
    return access, (probed.info.video.width, probed.info.video.height)


def _settings(access: CameraAccess, sub: str, *, audio: bool) -> dict[str, str | bool]:
    wanted = {
        "url": access.url,
        "sub": sub,
        "user": access.user,
        "password": access.password,
        "tls_ca": access.tls_ca,
    }
    settings: dict[str, str | bool] = {setting: value for setting, value in wanted.items() if value}
    if access.transport != "tcp":
        settings["transport"] = access.transport
    if not access.tls_verify:
        settings["tls_verify"] = False
    if not audio:
        settings["audio"] = False
    return settings


def _say_how_to_take_over(loaded: LoadedConfig) -> None:
    pid = supervisor_pid(loaded.store_root)
    if pid:
        click.echo(f"The running recorder takes it over with: kill -HUP {pid}")


@dataclass(frozen=True, slots=True)
class _Row:
    """A camera as `list` shows it: addresses without credentials."""

    name: str
    url: str
    sub: str
    user: str
    transport: str
    record: str
    schedule: list[str] = field(default_factory=list)
    audio: bool = True


@camera.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_cameras(config: Path | None, as_json: bool) -> None:
    """List the configured cameras, without passwords.

    \b
    Examples:
      nvr camera list
      nvr camera list --json
    """
    loaded = load_config(find_config(config))
    rows = [
        _Row(
            name,
            shown(split_credentials(settings.url).url),
            shown(split_credentials(settings.sub).url),
            settings.user or split_credentials(settings.url).user,
            settings.transport,
            settings.record,
            settings.schedule,
            settings.audio,
        )
        for name, settings in loaded.config.cameras.items()
    ]
    if as_json:
        click.echo(json.dumps({"cameras": [asdict(row) for row in rows]}, indent=2))
        return
    for row in rows:
        mode = ", ".join(row.schedule) if row.record == "schedule" else row.record
        click.echo(f"{row.name:<12} {row.url}" + (f"  sub {row.sub}" if row.sub else "") + f"  ({mode})")
    if not rows:
        click.echo("No camera yet. Add one with: nvr camera add front rtsp://192.168.1.20/stream1")


@camera.command("test")
@click.argument("camera_or_url", metavar="CAMERA|URL")
@_access_options
@click.pass_obj
def test_camera(
    config: Path | None, camera_or_url: str, user: str, transport: str, tls_ca: str, insecure: bool
) -> None:
    """Look at a camera's streams for a few seconds and say what they are. Writes nothing.

    \b
    Examples:
      nvr camera test front
      nvr camera test rtsp://192.168.1.20/stream1 --user admin
    """
    if "/" not in camera_or_url:
        for stream, access in _configured(load_config(find_config(config)), camera_or_url).items():
            click.echo(f"{camera_or_url}/{stream}: {describe(look_at(access, ''))}")
        return
    _check("any", camera_or_url, "")
    access = _asked(_access(camera_or_url, user, transport, tls_ca, insecure))
    click.echo(describe(look_at(access, "")))


def _configured(loaded: LoadedConfig, name: str) -> dict[str, CameraAccess]:
    from nvr.recording_plan import plan_for

    plan = plan_for(loaded, name, Path())
    return {
        stream: CameraAccess(
            address.url, address.user, address.password, plan.transport, plan.tls_ca, plan.tls_verify
        )
        for stream, address in plan.streams.items()
    }


@camera.command()
@click.argument("name")
@click.pass_obj
def remove(config: Path | None, name: str) -> None:
    """Remove a camera from the configuration. Its footage stays until it expires.

    \b
    Examples:
      nvr camera remove front
    """
    loaded = load_config(find_config(config))
    write_config(loaded.file, without_camera(loaded.file.read_text("utf-8"), name))
    click.echo(f'Removed "{name}" from {loaded.file}. Its footage stays until it expires.')
    _say_how_to_take_over(loaded)
