"""The index: what is in the store, searchable. It can be deleted at any time; the store alone makes it
anew.
"""

from pipeline.index.database import UNSURE, Index, Row, Total, row_of
from pipeline.index.errors import IndexBusy, IndexDamaged, IndexFault, IndexMissing
from pipeline.index.rebuild import Rebuilt, index_path, open_or_restore, rebuild
from pipeline.index.thread import IndexThread

__all__ = [
    "UNSURE",
    "Index",
    "IndexBusy",
    "IndexDamaged",
    "IndexFault",
    "IndexMissing",
    "IndexThread",
    "Rebuilt",
    "Row",
    "Total",
    "index_path",
    "open_or_restore",
    "rebuild",
    "row_of",
]
