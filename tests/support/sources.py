"""Watches a source as a recorder does: what came, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.model import Kind, Packet, StreamInfo
from pipeline.source import Item, SourceError, SourceSettings, open_source


@dataclass
class Watched:
    """Items in order; `error` is how it ended, None when it was asked to stop."""

    items: list[Item] = field(default_factory=list)
    error: SourceError | None = None
    seconds: float = 0.0

    @property
    def infos(self) -> list[StreamInfo]:
        """What the stream said of itself."""
        return [item for item in self.items if isinstance(item, StreamInfo)]

    @property
    def video(self) -> list[Packet]:
        """Video packets in order."""
        return self.packets(Kind.VIDEO)

    @property
    def audio(self) -> list[Packet]:
        """Audio packets in order."""
        return self.packets(Kind.AUDIO)

    def packets(self, kind: Kind) -> list[Packet]:
        """Packets of one track in order."""
        return [item for item in self.items if isinstance(item, Packet) and item.kind is kind]


def watch(
    settings: SourceSettings,
    frames: int = 60,
    *,
    limit_s: float = 30.0,
    at: dict[int, Callable[[], object]] | None = None,
    nap_s: float = 0.1,
) -> Watched:
    """Reads until `frames` video packets came, it ended or time is up. `at` acts after so many frames."""
    watched, began, count = Watched(), time.monotonic(), 0

    def stop() -> bool:
        return count >= frames or time.monotonic() - began > limit_s

    try:
        for item in open_source(settings, stop, lambda: nap_s):
            watched.items.append(item)
            if isinstance(item, Packet) and item.kind is Kind.VIDEO:
                count += 1
                if at and count in at:
                    at[count]()
    except SourceError as error:
        watched.error = error
    watched.seconds = time.monotonic() - began
    return watched
