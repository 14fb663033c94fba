"""The household in a bundle: its versions as far as they can be believed, and whether a member signed."""

from __future__ import annotations

from crypto.errors import BadSignature
from crypto.signing import SignedLine
from nvr.bundle.document import PURPOSE, Document
from nvr.bundle.files import BundleFolder
from nvr.bundle.layout import manifest_version
from nvr.bundle.verdict import Finding
from pipeline.household.document import SignedManifest
from pipeline.household.errors import HouseholdError
from pipeline.household.files import Household
from pipeline.household.succession import check_first, check_next


def read_versions(folder: BundleFolder) -> tuple[Household | None, Finding | None]:
    """The longest row of versions, from the first on, of which each may follow the one before; and what is
    wrong with the file that ends it. Raises OSError.
    """
    paths = {manifest_version(entry.path): entry.path for entry in folder.entries() if entry.is_regular}
    versions: list[SignedManifest] = []
    while path := paths.get(len(versions) + 1):
        try:
            versions.append(_next(versions, folder.read(path)))
        except HouseholdError as wrong:
            fault = Finding(path, f"The household cannot be believed: {wrong}.")
            return (Household(tuple(versions)) if versions else None), fault
    return (Household(tuple(versions)) if versions else None), None


def _next(versions: list[SignedManifest], line: bytes) -> SignedManifest:
    found = SignedManifest.parse(line)
    if bytes(found) != line:
        raise HouseholdError("it is not a signed line: its text was changed or cut off")
    if versions:
        check_next(versions[-1], found)
    else:
        check_first(found)
    return found


def is_signed_by_member(household: Household, document: Document, line: SignedLine) -> bool:
    """Whether the member whom the document names has signed it, and it is of this household."""
    member = household.manifest.member(document.by)
    try:
        line.check(PURPOSE, member.member_key if member else b"")
    except BadSignature:
        return False
    return household.root == document.root
