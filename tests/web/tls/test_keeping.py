"""The house's certificate over the years: first start, renewal, new names, wrong clocks, damaged files."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pipeline.keys_audit import TLS_FOLDER, strangers_in_state
from tests.web.tls.verifying import NOW, refusal
from web.errors import CertificateTrouble, WebError
from web.tls import issuing
from web.tls.due import Reason
from web.tls.files import AUTHORITY, ROOT, SERVER, root_pem
from web.tls.issuing import LEAF_LIFE, ROOT_LIFE
from web.tls.keeping import HouseCertificate, keep_certificate, make_new_root
from web.tls.names import Names
from web.tls.reading import Window, names_in

HOUSE = Names.of(["nvr", "nvr.local", "192.168.1.5"])
PEM_BODY = re.compile(rb"-----BEGIN [A-Z ]+-----\n(.*?)-----END", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tls"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def reason(kept: HouseCertificate) -> Reason | None:
    return kept.need.reason if kept.need else None


def is_served(folder: Path, kept: HouseCertificate) -> bool:
    """Whether the file holds leaf, authority and the leaf's key, and openssl takes them under the root."""
    content = kept.file.read_bytes()
    leaf, intermediate = x509.load_pem_x509_certificates(content)
    fits = load_pem_private_key(content, None).public_key() == leaf.public_key()
    begin = str(int(max(Window.of(leaf).begin, Window.of(intermediate).begin).timestamp()) + 1)
    why = refusal(folder.parent, kept.root, [intermediate], leaf, "-attime", begin)
    return fits and leaf == kept.leaf and why == ""


def test_the_first_start_makes_all_of_it(folder: Path) -> None:
    kept = keep_certificate(folder, HOUSE, NOW)
    assert kept.need is None
    assert names_in(kept.leaf) == HOUSE
    assert is_served(folder, kept)
    assert x509.load_pem_x509_certificate(root_pem(folder)) == kept.root


def test_only_the_owner_can_look_into_the_folder(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} == {AUTHORITY, SERVER, ROOT}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_folder_that_is_open_to_others_is_closed(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    keep_certificate(folder, HOUSE, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_roots_private_key_is_nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ec.EllipticCurvePrivateKey] = []
    make = issuing._new_private

    def make_and_tell() -> ec.EllipticCurvePrivateKey:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(issuing, "_new_private", make_and_tell)
    kept = keep_certificate(folder, HOUSE, NOW)
    roots = [private for private in made if private.public_key() == kept.root.public_key()]
    others = [private for private in made if private not in roots]
    assert (len(roots), len(others)) == (1, 2)
    written = everything_in(folder)
    assert scalar(roots[0]) not in written
    assert all(scalar(other) in written for other in others)


def everything_in(folder: Path) -> bytes:
    """What all files say, as it is and with the PEM decoded."""
    raw = b"".join(contents(folder).values())
    return raw + b"".join(base64.b64decode(body) for body in PEM_BODY.findall(raw))


def scalar(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_numbers().private_value.to_bytes(32, "big")


def test_no_file_holds_a_private_key_that_fits_the_root(folder: Path) -> None:
    kept = keep_certificate(folder, HOUSE, NOW)
    root = kept.root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for name in (AUTHORITY, SERVER):
        held = load_pem_private_key((folder / name).read_bytes(), None).public_key()
        assert held.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != root
    assert b"PRIVATE" not in (folder / ROOT).read_bytes()


def test_another_start_changes_nothing(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    before = contents(folder)
    keep_certificate(folder, HOUSE, NOW + LEAF_LIFE / 2)
    assert contents(folder) == before


def test_with_a_third_of_its_life_left_the_leaf_is_renewed(folder: Path) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    end = Window.of(first.leaf).end
    early = keep_certificate(folder, HOUSE, end - LEAF_LIFE / 3 - timedelta(seconds=1))
    renewed = keep_certificate(folder, HOUSE, end - LEAF_LIFE / 3)
    assert early.leaf == first.leaf
    assert Window.of(renewed.leaf).end > end
    assert renewed.root == first.root
    assert is_served(folder, renewed)


def test_an_expired_leaf_is_renewed(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    late = NOW + 2 * LEAF_LIFE
    assert late in Window.of(keep_certificate(folder, HOUSE, late).leaf)


def test_a_name_less_makes_a_new_leaf_under_the_same_root(folder: Path) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    fewer = Names.of(["nvr.local"])
    kept = keep_certificate(folder, fewer, NOW)
    assert names_in(kept.leaf) == fewer
    assert (kept.root, kept.need) == (first.root, None)
    assert names_in(keep_certificate(folder, HOUSE, NOW).leaf) == HOUSE


def test_a_name_below_a_permitted_one_needs_no_new_root(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    more = HOUSE | Names.of(["cams.nvr.local"])
    kept = keep_certificate(folder, more, NOW)
    assert (names_in(kept.leaf), kept.need) == (more, None)
    assert is_served(folder, kept)


def test_a_new_address_needs_a_new_root_and_the_old_names_are_served_meanwhile(folder: Path) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    moved = Names.of(["nvr", "nvr.local", "192.168.7.9"])
    kept = keep_certificate(folder, moved, NOW)
    assert reason(kept) is Reason.OUTSIDE
    assert kept.need is not None
    assert "192.168.7.9" in kept.need.sentence
    assert "nvr" not in kept.need.sentence
    assert kept.root == first.root
    assert names_in(kept.leaf) == Names.of(["nvr", "nvr.local"])
    assert is_served(folder, kept)


def test_a_new_root_replaces_everything(folder: Path) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    before = contents(folder)
    moved = Names.of(["nvr", "192.168.7.9"])
    kept = make_new_root(folder, moved, NOW)
    assert kept.need is None
    assert kept.root != first.root
    assert is_served(folder, kept)
    assert x509.load_pem_x509_certificate(root_pem(folder)) == kept.root
    assert all(contents(folder)[name] != before[name] for name in before)
    assert keep_certificate(folder, moved, NOW).leaf == kept.leaf


def test_the_end_of_the_root_is_said_in_time(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    assert reason(keep_certificate(folder, HOUSE, NOW + ROOT_LIFE - timedelta(days=100))) is None
    assert reason(keep_certificate(folder, HOUSE, NOW + ROOT_LIFE - timedelta(days=80))) is Reason.ENDING


@pytest.mark.parametrize("days_left", [300, 100, 2, -1000])
def test_in_the_roots_last_year_the_leaf_is_renewed_once(folder: Path, days_left: int) -> None:
    end = Window.of(keep_certificate(folder, HOUSE, NOW).root).end
    once = keep_certificate(folder, HOUSE, end - timedelta(days=days_left))
    again = keep_certificate(folder, HOUSE, end - timedelta(days=days_left) + timedelta(hours=1))
    if days_left < 200:
        assert Window.of(once.leaf).end == end
    assert again.leaf == once.leaf


def test_made_while_the_clock_was_ahead(folder: Path) -> None:
    ahead = NOW + timedelta(days=4000)
    first = keep_certificate(folder, HOUSE, ahead)
    kept = keep_certificate(folder, HOUSE, NOW)
    assert reason(kept) is Reason.NOT_BEGUN
    assert kept.need is not None
    assert kept.need.sentence == (
        "This machine's clock says 2027-03-01, but its certificates begin on 2038-02-10: "
        "set the clock, or make a new root if the clock was wrong when they were made."
    )
    assert kept.leaf == first.leaf
    assert reason(make_new_root(folder, HOUSE, NOW)) is None


def test_a_clock_that_falls_back_to_1970_renews_nothing(folder: Path) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    before = contents(folder)
    kept = keep_certificate(folder, HOUSE, datetime(1970, 1, 1, tzinfo=UTC))
    assert reason(kept) is Reason.NOT_BEGUN
    assert contents(folder) == before
    assert keep_certificate(folder, HOUSE, NOW).leaf == first.leaf


def test_a_first_start_in_1970_is_good_once_the_clock_is_right(folder: Path) -> None:
    first = keep_certificate(folder, HOUSE, datetime(1970, 1, 1, tzinfo=UTC))
    kept = keep_certificate(folder, HOUSE, NOW)
    assert kept.need is None
    assert kept.root == first.root
    assert NOW in Window.of(kept.leaf)


def test_a_leaf_of_a_clock_that_was_ahead_for_a_while_is_made_anew(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    keep_certificate(folder, HOUSE, NOW + timedelta(days=2000))
    kept = keep_certificate(folder, HOUSE, NOW + timedelta(days=1))
    assert NOW in Window.of(kept.leaf)
    assert kept.need is None


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(content: bytes) -> bytes:
    return b""


def changed(content: bytes) -> bytes:
    place = content.index(b"-----BEGIN CERTIFICATE") + 200
    letter = b"B" if content[place : place + 1] == b"A" else b"A"
    return content[:place] + letter + content[place + 1 :]


def noise(content: bytes) -> bytes:
    return bytes(range(256)) * 4


def without_key(content: bytes) -> bytes:
    return content[content.index(b"-----BEGIN CERTIFICATE") :]


DAMAGES = pytest.mark.parametrize("damage", [cut, empty, changed, noise, without_key])


@DAMAGES
def test_a_damaged_server_file_is_made_anew(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    first.file.write_bytes(damage(first.file.read_bytes()))
    kept = keep_certificate(folder, HOUSE, NOW)
    assert kept.leaf != first.leaf
    assert kept.root == first.root
    assert is_served(folder, kept)


@DAMAGES
def test_a_damaged_authority_is_said_and_left_alone(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    keep_certificate(folder, HOUSE, NOW)
    path = folder / AUTHORITY
    path.write_bytes(damage(path.read_bytes()))
    before = contents(folder)
    with pytest.raises(
        CertificateTrouble, match="is damaged: bring it back from a backup, or make a new root"
    ):
        keep_certificate(folder, HOUSE, NOW)
    assert contents(folder) == before
    assert is_served(folder, make_new_root(folder, HOUSE, NOW))


def test_an_authority_with_another_key_is_damaged(folder: Path, tmp_path: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    keep_certificate(tmp_path / "other", HOUSE, NOW)
    own, other = ((place / AUTHORITY).read_bytes() for place in (folder, tmp_path / "other"))
    mark = b"-----BEGIN CERTIFICATE"
    (folder / AUTHORITY).write_bytes(other[: other.index(mark)] + own[own.index(mark) :])
    with pytest.raises(CertificateTrouble, match="is damaged"):
        keep_certificate(folder, HOUSE, NOW)


def test_a_lost_authority_is_not_replaced_unasked(folder: Path) -> None:
    keep_certificate(folder, HOUSE, NOW)
    (folder / AUTHORITY).unlink()
    with pytest.raises(WebError, match="is lost"):
        keep_certificate(folder, HOUSE, NOW)


@pytest.mark.parametrize("gone", [SERVER, ROOT])
def test_other_lost_files_are_made_again(folder: Path, gone: str) -> None:
    first = keep_certificate(folder, HOUSE, NOW)
    (folder / gone).unlink()
    kept = keep_certificate(folder, HOUSE, NOW)
    assert kept.root == first.root
    assert x509.load_pem_x509_certificate(root_pem(folder)) == kept.root
    assert is_served(folder, kept)


def test_the_server_file_of_another_root_is_made_anew(folder: Path, tmp_path: Path) -> None:
    kept = keep_certificate(folder, HOUSE, NOW)
    other = keep_certificate(tmp_path / "other", HOUSE, NOW)
    kept.file.write_bytes(other.file.read_bytes())
    assert is_served(folder, keep_certificate(folder, HOUSE, NOW))


def test_two_that_start_at_once_make_one_root(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: keep_certificate(folder, HOUSE, NOW), range(4)))
    assert len({each.leaf for each in kept}) == 1
    assert is_served(folder, kept[0])


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CertificateTrouble, match=r"cannot be kept: Not a directory\."):
        keep_certificate(tmp_path / "file" / "tls", HOUSE, NOW)


def test_without_a_root_there_is_nothing_to_trust(tmp_path: Path) -> None:
    with pytest.raises(CertificateTrouble, match="missing or damaged"):
        root_pem(tmp_path)


def test_a_check_of_the_state_directory_knows_what_lies_there(tmp_path: Path) -> None:
    keep_certificate(tmp_path / TLS_FOLDER, HOUSE, NOW)
    assert list(strangers_in_state(tmp_path)) == []
    (tmp_path / TLS_FOLDER / "root.key").touch()
    assert list(strangers_in_state(tmp_path)) == [str(tmp_path / TLS_FOLDER / "root.key")]
