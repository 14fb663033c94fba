"""Why a household's manifest is refused, by what the caller does next.

Each message is one clause for a person, as the pipeline's are (`nvr.ending.sentence` makes it a sentence).

No message holds an identity or anything else that is secret; names, versions and fingerprints are public.
"""

from __future__ import annotations


class HouseholdError(Exception):
    """The household's manifest cannot be believed or used; the message says why, and what to do."""


class ManifestMissing(HouseholdError):
    """A version is not there: none at all, or one in the middle. Put the store's copy back."""


class ManifestDamaged(HouseholdError):
    """A file is not a manifest in its one spelling. Put back its copy from a backup."""


class NotAllowed(HouseholdError):
    """The manifest reads well and breaks a rule: whoever made it may not, or must not, do so."""


class NotSignedByOwner(NotAllowed):
    """Somebody other than an owner of the version before made or changed it: do not follow it."""


class AnotherHousehold(HouseholdError):
    """It is sound, and not the household that was meant: its first version is another."""


class Replayed(HouseholdError):
    """The store shows an older version than was seen before: go on with the one that was seen."""


class Forked(HouseholdError):
    """A version is another than the one that was seen: two owners changed it at once, or it was exchanged."""


class ChangedMeanwhile(HouseholdError):
    """Somebody else wrote the next version first: read the household again and do it anew."""
