"""The store of events: sealed records and thumbnails beside the footage, and deadlines of what they touch.

What others need of it is named here; the procedures stand in the docstrings of the modules.
"""

from pipeline.event_store.nouns import KeptEvent
from pipeline.event_store.store import Catalogue, EventPlace, EventStore

__all__ = ["Catalogue", "EventPlace", "EventStore", "KeptEvent"]
