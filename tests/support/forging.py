"""What a dishonest exporter could do: change a bundle, and sign it anew with their own member key."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from crypto.identity import Identity
from crypto.member_key import member_key
from crypto.signing import sign
from nvr.bundle.document import PURPOSE, Document, parse_document, to_noun
from nvr.bundle.sums import sums_text


def document_of(bundle: Path) -> Document:
    """As the bundle says it."""
    return parse_document((bundle / "bundle.json").read_bytes())[0]


def sign_anew(bundle: Path, identity: Identity, **changes: Any) -> Document:
    """Makes SHA256SUMS and bundle.json fit whatever lies in the folder now, and the changes."""
    files = {
        str(path.relative_to(bundle)): sha256(path.read_bytes()).hexdigest()
        for path in bundle.rglob("*")
        if path.is_file() and path.name not in ("bundle.json", "SHA256SUMS")
    }
    document = replace(document_of(bundle), files=files, **changes)
    (bundle / "SHA256SUMS").write_bytes(sums_text(files))
    line = sign(PURPOSE, to_noun(document), member_key(identity))
    (bundle / "bundle.json").write_bytes(bytes(line))
    return document
