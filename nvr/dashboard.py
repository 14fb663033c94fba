"""From a configuration to a dashboard at work: its certificate, its names, its household, its port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from nvr.config_file import LoadedConfig
from nvr.errors import NvrError
from nvr.located import Located
from nvr.run_directory import find_run_directory
from web.app import Dashboard, make_dashboard
from web.background import Background
from web.errors import WebError
from web.hosts import AllowedHosts
from web.plan import DashboardPlan
from web.serving import listen, serve
from web.tls.context import CurrentContext
from web.tls.files import ROOT
from web.tls.keeping import HouseCertificate, keep_certificate, make_new_root
from web.tls.looking import find_names
from web.tls.names import Names
from web.tls.own import own_certificate
from web.tls.reading import fingerprint

RENEW_S = 24 * 3600.0
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Certified:
    """What the server shows. `key_file` is None where it is in `file`; `sentences` are for people."""

    file: Path
    key_file: Path | None
    sentences: tuple[str, ...]
    renew: Callable[[], object]


def serve_dashboard(located: Located, say: Say, *, new_root: bool = False) -> None:
    """Until SIGINT or SIGTERM, then SystemExit. Raises `NvrError`, HouseholdError, OSError at its start."""
    settings = located.loaded.config.web
    try:
        names = find_names() | Names.of([*settings.names, *_reachable(settings.address)])
        certified = _certified(located.loaded, names, new_root)
        listening = listen(settings.address, settings.port)
        context = CurrentContext(certified.file, certified.key_file)
    except WebError as fault:
        raise NvrError(str(fault)) from None
    hosts = AllowedHosts.of(names.texts, listening.port)
    dashboard = make_dashboard(_plan(located), hosts)
    for sentence in (*certified.sentences, "Answering at:", *(f"  {one}" for one in sorted(hosts.origins))):
        say(sentence)
    serve(dashboard.app, [listening], certified.file, context, lambda: _begin(dashboard, certified))


def _reachable(address: str) -> list[str]:
    """The address to listen at, if others can say it: not the one that stands for all."""
    return [address] if address and not ip_address(address).is_unspecified else []


def _begin(dashboard: Dashboard, certified: Certified) -> None:
    dashboard.start()
    Background("dashboard-certificate", certified.renew, RENEW_S).start()


def _plan(located: Located) -> DashboardPlan:
    loaded, store = located.loaded, located.store
    return DashboardPlan(
        store_root=store.root,
        state_dir=loaded.state_dir,
        run_dir=find_run_directory(loaded.config.store.run_dir, store.device),
        cameras=tuple(sorted(loaded.config.cameras)),
    )


def _certified(loaded: LoadedConfig, names: Names, new_root: bool) -> Certified:
    """Raises CertificateTrouble."""
    settings, now = loaded.config.web, datetime.now(UTC)
    if settings.certificate:
        place = loaded.file.parent
        own = own_certificate(place / settings.certificate, place / settings.certificate_key, now)
        return Certified(own.file, own.key_file, (), lambda: None)
    folder = loaded.state_dir / "tls"
    keep = make_new_root if new_root else keep_certificate
    house = keep(folder, names, now)
    return Certified(house.file, None, tuple(_told(folder, house)), lambda: _renew(folder, names))


def _renew(folder: Path, names: Names) -> None:
    keep_certificate(folder, names, datetime.now(UTC))


def _told(folder: Path, house: HouseCertificate) -> list[str]:
    told = [
        "Browsers warn until they trust the house's root certificate:",
        f"  {folder / ROOT}",
        f"  SHA-256 {fingerprint(house.root)}",
    ]
    if house.need:
        told.append(f"{house.need.sentence} That is: nvr serve --new-root")
    return told
