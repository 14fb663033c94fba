"""A bundle as its receiver has it: a folder, to be checked anywhere with nothing but itself.

Nothing here needs or knows an identity, a store, a configuration or a network.
"""

from nvr.bundle.check import OtherHousehold, check_bundle
from nvr.bundle.noun import noun_of
from nvr.bundle.telling import told
from nvr.bundle.verdict import Finding, StreamProof, Verdict

__all__ = ["Finding", "OtherHousehold", "StreamProof", "Verdict", "check_bundle", "noun_of", "told"]
