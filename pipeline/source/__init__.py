"""A camera's stream as items: `open_source`, what it needs and how it ends."""

from pipeline.source.candidates import sub_stream_candidates
from pipeline.source.errors import Interrupted, NotVideo, Refused, SourceError, Unreachable
from pipeline.source.opening import open_source
from pipeline.source.probing import Probed, probe
from pipeline.source.settings import EncodeBudget, SourceSettings, without_secrets
from pipeline.source.video import Item

__all__ = [
    "EncodeBudget",
    "Interrupted",
    "Item",
    "NotVideo",
    "Probed",
    "Refused",
    "SourceError",
    "SourceSettings",
    "Unreachable",
    "open_source",
    "probe",
    "sub_stream_candidates",
    "without_secrets",
]
