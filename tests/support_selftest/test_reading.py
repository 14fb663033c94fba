"""What counts as lost: everything from the first missing packet on."""

from __future__ import annotations

import pytest

from tests.support.live import Sent
from tests.support.reading import lost_s
from tests.support.rtp import Unit

# A second each; the clip loops after four.
CLIP = [
    Sent("main", Unit("video", 0, 0, n % 4 == 0, b"%d" % (n % 4), ()), 0, 0, n * 90_000, 1) for n in range(12)
]


def packets(*numbers: int) -> list[bytes]:
    return [CLIP[number].unit.data for number in numbers]


@pytest.mark.parametrize(
    ("found", "lost"),
    [
        (packets(*range(12)), 0),
        (packets(*range(10)), 2),
        (packets(0, 1, 2, 3, 4, 5, 8, 9), 6),
        (packets(1, 2), 9),
        (packets(4, 5, 6), 9),  # they may as well be the first
        ([], 12),
    ],
)
def test_from_the_first_missing_packet_on_all_is_lost(found: list[bytes], lost: float) -> None:
    assert lost_s(CLIP, found) == pytest.approx(lost)


@pytest.mark.parametrize(
    "found", [[b"other"], [*packets(0, 1, 2), b"other"], packets(*range(4, 12), 3, 2, 1)]
)
def test_what_was_never_sent_is_told(found: list[bytes]) -> None:
    with pytest.raises(AssertionError, match="sent"):
        lost_s(CLIP, found)
