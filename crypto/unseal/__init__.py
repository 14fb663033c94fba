"""Opening sealed files. Nothing that records or serves may import this.

Nothing is handed out that is not verified, and a file counts as whole only when its last chunk says so.
"""

from crypto.unseal.opening import Readable
from crypto.unseal.reader import SealedReader, SeekableFile
from crypto.unseal.salvage import Salvaged, salvage
from crypto.unseal.stream import open_stream, unseal_bytes

__all__ = [
    "Readable",
    "Salvaged",
    "SealedReader",
    "SeekableFile",
    "open_stream",
    "salvage",
    "unseal_bytes",
]
