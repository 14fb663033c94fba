"""docs/format.md section 5: its example follows from what it says, without our code where that goes."""

from __future__ import annotations

import base64
import hmac
import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.identity import X25519Identity
from crypto.member_key import member_key, member_public
from crypto.recipient import parse_recipient
from crypto.seal import seal_bytes
from crypto.signing import sign
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.fingerprint import fingerprint
from pipeline.household.succession import check_first
from pipeline.names import RESERVED_GROUPS

TEXT = (Path(__file__).parents[3] / "docs/format.md").read_text("utf-8")
SECTION = TEXT[TEXT.index("## 5. The household") :]
VALUES = dict(re.findall(r"^\| ([^|]+) \| `([0-9a-f]{64})` \|$", TEXT, re.M))
ALICE = X25519Identity(bytes([0x42]) * 32)


@pytest.fixture
def line() -> bytes:
    """The manifest of the example, as it lies in a store."""
    found: list[str] = re.findall(r"^```json manifest\n(.*\n)```$", SECTION, re.M)
    return found[0].encode("ascii")


def test_the_member_key_follows_from_the_identity() -> None:
    extracted = hmac.digest(bytes(32), bytes([0x42]) * 32, "sha256")
    seed = hmac.digest(extracted, b"sealed-nvr/member-key/v1/x25519\x01", "sha256")
    assert seed.hex() == VALUES["member key's seed"]
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert public.hex() == VALUES["member key"]
    assert member_public(ALICE) == public


def test_the_line_is_what_the_page_says(line: bytes) -> None:
    body, _, signature = line.removesuffix(b"\n").rpartition(b" ")
    assert json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode() == body
    assert f"line of {len(line)} bytes" in SECTION
    root = sha256(body)
    assert root.hexdigest() == VALUES["the household's root"]
    assert f"`{fingerprint(root.digest())}`" in SECTION
    signer = member_key(ALICE).public_key()
    signer.verify(base64.b64decode(signature), b"sealed-nvr/manifest/v1\n" + body)
    with pytest.raises(InvalidSignature):
        signer.verify(base64.b64decode(signature), b"sealed-nvr/head/v1\n" + body)


def test_we_make_the_same_line_and_believe_it(line: bytes) -> None:
    version = SignedManifest.parse(line)
    check_first(version)
    assert bytes(sign("manifest", to_noun(version.manifest), member_key(ALICE))) == line
    assert version.manifest.members[0].recipient == str(ALICE.recipient)
    (generation,) = version.manifest.groups[0].generations
    assert generation.recipient == str(X25519Identity(bytes([0x43]) * 32).recipient)


def test_every_name_of_the_manifest_is_explained(line: bytes) -> None:
    noun = SignedManifest.parse(line).line.noun
    explained = set(re.findall(r"`(\w+)`", SECTION))
    assert set(noun) <= explained
    assert set(noun["members"][0]) | set(noun["groups"][0]) <= explained
    assert set(noun["groups"][0]["generations"][0]) | {"device", "day_key"} <= explained
    assert explained >= RESERVED_GROUPS


def test_all_generations_at_once_open_a_segment_too(tmp_path: Path) -> None:
    (commands,) = re.findall(r"^```sh\n(cp alice\.key.*?)^```$", TEXT, re.M | re.S)
    groups = [X25519Identity(bytes([number]) * 32) for number in (1, 2, 3)]
    for number, identity in enumerate(groups, 1):
        wrapped = tmp_path / f"store/keys/home/{number}/alice.age"
        wrapped.parent.mkdir(parents=True)
        wrapped.write_bytes(seal_bytes(f"{identity}\n".encode(), [ALICE.recipient]))
    segment = tmp_path / re.findall(r'"(store/front/.*)"', commands)[0]
    segment.parent.mkdir(parents=True)
    segment.write_bytes(seal_bytes(b"footage", [parse_recipient(str(groups[1].recipient))]))
    (tmp_path / "alice.key").write_text(f"# Alice's\n{ALICE}\n")
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, timeout=60, check=True)
    assert (tmp_path / "clip.mp4").read_bytes() == b"footage"
    assert not [
        path for path in tmp_path.iterdir() if path.suffix == ".txt" or path.name == "generations.key"
    ]
