"""The house's own certificate: made on the first start, renewed in time, never with a new root unasked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from web.tls.due import NewRootNeeded, is_leaf_due, need_of_new_root
from web.tls.files import (
    SERVER,
    opened_folder,
    read_authority,
    read_leaf,
    write_authority,
    write_leaf,
    write_root,
)
from web.tls.issuing import Authority, new_authority, new_leaf
from web.tls.names import Names


@dataclass(frozen=True, slots=True)
class HouseCertificate:
    """What a server loads: one file with key, leaf and authority.

    `need` is set where that is not good enough: it serves all the same, for those wanted names that it can.
    """

    file: Path
    leaf: x509.Certificate
    root: x509.Certificate
    need: NewRootNeeded | None


def keep_certificate(folder: Path, names: Names, now: datetime) -> HouseCertificate:
    """The certificate for `names`, made or renewed where it is time; ask at every start and daily. Blocks.

    Raises CertificateTrouble if the authority is damaged or lost, or the disk refuses.
    """
    with opened_folder(folder):
        authority = read_authority(folder)
        if authority is None:
            authority = new_authority(names, now)
            write_authority(folder, authority)
        write_root(folder, authority)
        return _kept(folder, authority, names, now)


def make_new_root(folder: Path, names: Names, now: datetime) -> HouseCertificate:
    """A root for `names` in the place of whatever is there; every device must trust it anew. Blocks. Raises
    CertificateTrouble.
    """
    with opened_folder(folder):
        authority = new_authority(names, now)
        write_authority(folder, authority)
        return _kept(folder, authority, names, now)


def _kept(folder: Path, authority: Authority, names: Names, now: datetime) -> HouseCertificate:
    possible = names.permitted_by(authority.constraint)
    leaf = read_leaf(folder, authority)
    if leaf is None or is_leaf_due(leaf, authority, possible, now):
        fresh = new_leaf(authority, possible, now)
        write_leaf(folder, authority, fresh)
        leaf = fresh.certificate
    return HouseCertificate(folder / SERVER, leaf, authority.root, need_of_new_root(authority, names, now))
