"""`nvr export --bundle`: the sealed segments of a camera as evidence, for somebody outside of the household.

Rules:
- Nothing is unsealed: segments are sealed anew to a one-time identity, which never lies in the bundle.
- Only what the chain has goes in, and what goes in is what the chain has. Of other cameras nothing does, but
  what the household's manifest says of them.
- A bundle is checked as its receiver would, before it gets its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from crypto.errors import BadSignature
from crypto.header import RandomBytes
from crypto.identity import HybridIdentity, Identity, X25519Identity
from crypto.member_key import member_key
from crypto.signing import sign
from nvr.bundle.check import check_bundle
from nvr.bundle.completeness import last_signed_ms, recorded, stream_proof
from nvr.bundle.day_keys import day_keys_of
from nvr.bundle.document import PURPOSE, Document, to_noun
from nvr.bundle.layout import CERTIFICATES, DOCUMENT, README, SUMS, manifest_path, slice_path
from nvr.bundle.runs import check_slices
from nvr.bundle.sums import sums_text
from nvr.bundle.verdict import Verdict
from nvr.errors import NvrError
from nvr.keyholder.bundle_folder import BundleOutput
from nvr.keyholder.bundle_readme import ReadmeFacts, readme
from nvr.keyholder.bundle_segments import Advance, BundleRequest, Making, copy_segments
from nvr.keyholder.chain_choice import ChainChoice, Part, Wanted
from nvr.keyholder.membership import Membership
from nvr.keyholder.opening import member_among
from pipeline.chain.certificates import parse_certificate
from pipeline.chain.reading import chain_numbers
from pipeline.chain.rotation import certificate_lines
from pipeline.household.model import Member
from pipeline.names import chain_path
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class BundleReport:
    """A bundle that has its name. `left_out` are sentences about segments that are not in it."""

    verdict: Verdict
    size_bytes: int
    left_out: tuple[str, ...]


def signer_of(membership: Membership) -> tuple[Member, Identity]:
    """The member who signs a bundle, and the identity they sign with. Raises NvrError for anybody else."""
    member, identity = member_among(membership.household.manifest, membership.holder.identities)
    if member is None or identity is None or not member.member_key:
        raise NvrError(
            "Only a member of the household can make a bundle, since they sign it, and this key is no "
            "member's who can: give your own key file or the recovery sheet."
        )
    return member, identity


def make_bundle(
    store: Store,
    request: BundleRequest,
    membership: Membership,
    output: BundleOutput,
    advance: Advance = int,
    random: RandomBytes = os.urandom,
) -> BundleReport:
    """Fills `output`, and commits it. Raises NvrError, CryptoError, OSError: then nothing of it is left.

    1. look through the camera's chain for the span, and then through the store
    2. copy the segments for the one-time recipient, each compared with its record
    3. add the parts of the chain, the certificates and the household; README, SHA256SUMS, bundle.json
    4. check the folder as its receiver would; give it and the one-time identity their names
    """
    member, identity = signer_of(membership)
    one_time = _one_time(membership, random)
    choice = _looked_through(store, request)
    making = Making(output)
    copy_segments(store, request, membership, one_time, choice, making, advance)
    _add_proof(store, request, membership, choice, making)
    root = membership.household.root
    document = Document(
        root=root,
        device=store.device,
        camera=request.camera,
        streams=tuple(sorted(request.streams)),
        from_ms=request.from_ms,
        to_ms=request.to_ms,
        made_ms=request.now_ms,
        by=member.name,
        recipient=str(one_time.recipient),
        files=making.files,
        headers=making.headers,
    )
    _add_readme(request, membership, document, making)
    output.write(SUMS, sums_text(making.files))
    output.write(DOCUMENT, bytes(sign(PURPOSE, to_noun(document), member_key(identity))))
    verdict = check_bundle(output.folder, root.hex())
    _refuse_unsound(verdict, request)
    output.write_identity(_identity_text(document, one_time, output))
    output.commit()
    return BundleReport(verdict, making.size_bytes, tuple(making.left_out))


def _one_time(membership: Membership, random: RandomBytes) -> X25519Identity | HybridIdentity:
    kind = HybridIdentity if membership.household.manifest.post_quantum else X25519Identity
    return kind.generate(random)


def _identity_text(document: Document, one_time: Identity, output: BundleOutput) -> str:
    return (
        f"# Opens the recordings in {output.target.name} (camera {document.camera}), and nothing else.\n"
        "# Send it by another way than the recordings, and delete it when they are not needed any more.\n"
        f"# public key: {document.recipient}\n{one_time}\n"
    )


def _looked_through(store: Store, request: BundleRequest) -> ChainChoice:
    choice = ChainChoice(Wanted(frozenset(request.streams), request.from_ms, request.to_ms))
    for number in chain_numbers(store.root, request.camera):
        choice.look((store.root / chain_path(request.camera, number)).read_bytes())
    return choice


def _add_proof(
    store: Store, request: BundleRequest, membership: Membership, choice: ChainChoice, making: Making
) -> None:
    """The parts of the chain, and what they hang by."""
    parts = choice.parts(frozenset(choice.recorded) - making.present(request.camera))
    for part in parts:
        data = (store.root / chain_path(request.camera, part.start.number)).read_bytes()
        making.write(slice_path(part.start.number, part.begin.count), bytes(part.cut(data)))
    making.write(CERTIFICATES, _certificates(store, parts))
    for version, line in enumerate(membership.household.lines, 1):
        making.write(manifest_path(version), line)


def _certificates(store: Store, parts: Iterable[Part]) -> bytes:
    """Those up to the last that is needed, and the one that shows that its key is no more."""
    last = max((part.start.number for part in parts), default=0) + 1
    return b"".join(line + b"\n" for line in certificate_lines(store.root) if _number(line) <= last)


def _number(line: bytes) -> int:
    """Of a certificate; 0 for what is none, which is left to the check to name."""
    try:
        return parse_certificate(line)[0].number
    except BadSignature:
        return 0


def _add_readme(request: BundleRequest, membership: Membership, document: Document, making: Making) -> None:
    folder = making.output.folder
    slices = {path: (folder / path).read_bytes() for path in document.files if path.endswith(".slice")}
    certificates = (folder / CERTIFICATES).read_bytes()
    day_keys, _ = day_keys_of(certificates, membership.household.manifest, document.device)
    runs, _ = check_slices(slices, document, day_keys)
    found = recorded(runs, document.streams)
    present = making.present(document.camera)
    facts = ReadmeFacts(
        folder=making.output.target.name,
        identity=making.output.identity_file.name,
        streams=[stream_proof(document, one, runs, found, present) for one in document.streams],
        signed_ms=last_signed_ms(runs),
        post_quantum=membership.household.manifest.post_quantum,
        zone=request.zone,
    )
    making.write(README, readme(document, facts).encode())


def _refuse_unsound(verdict: Verdict, request: BundleRequest) -> None:
    if verdict.findings and not request.keep_going:
        raise NvrError(
            f"The bundle would not pass its check: {verdict.findings[0]} Nothing was exported; --keep-going "
            "makes it all the same, and nvr verify will say so."
        )
