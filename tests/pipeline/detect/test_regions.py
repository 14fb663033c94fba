"""Where is looked: everything that moves, in at most so many regions, none smaller than the model's input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect import plan_regions
from pipeline.scene import WHOLE, Box

BOXES = st.lists(
    st.tuples(st.floats(0, 0.98), st.floats(0, 0.98), st.floats(0.005, 1), st.floats(0.005, 1)).map(
        lambda e: Box(e[0], e[1], min(1.0, e[0] + e[2]), min(1.0, e[1] + e[3]))
    ),
    max_size=8,
)
SIZES = st.sampled_from([(640, 360), (1920, 1080), (360, 640), (2560, 1920), (200, 100)])


@given(SIZES, BOXES, BOXES, st.booleans(), st.integers(1, 6))
def test_everything_is_covered_by_few_regions_in_the_picture(
    size: tuple[int, int], motion: list[Box], tracks: list[Box], whole: bool, most: int
) -> None:
    regions = plan_regions(*size, 300, motion, tracks, whole, most)
    assert len(regions) <= most
    assert bool(regions) == bool(whole or motion or tracks)
    assert (not whole) or regions[0] == WHOLE
    for region in regions:
        assert 0 <= region.left < region.right <= 1
        assert 0 <= region.top < region.bottom <= 1
        assert region.width * size[0] >= min(300, size[0]) - 0.01
        assert region.height * size[1] >= min(300, size[1]) - 0.01
    for box in (*motion, *tracks):
        assert any(box.overlap(region) >= 0.999 * box.area for region in regions)


def test_a_small_far_thing_is_looked_at_as_it_is() -> None:
    (region,) = plan_regions(1920, 1080, 300, [Box(0.5, 0.5, 0.51, 0.54)], [], False, 6)
    assert region.width * 1920 == pytest.approx(300)
    assert region.height * 1080 == pytest.approx(300)


def test_things_near_each_other_share_a_region_and_far_ones_do_not() -> None:
    near = [Box(0.5, 0.5, 0.52, 0.55), Box(0.54, 0.5, 0.56, 0.55)]
    assert len(plan_regions(1920, 1080, 300, near, [], False, 6)) == 1
    assert len(plan_regions(1920, 1080, 300, [near[0], Box(0.1, 0.1, 0.12, 0.15)], [], False, 6)) == 2


def test_a_whole_look_at_a_large_picture_has_tiles() -> None:
    regions = plan_regions(1920, 1080, 300, [], [], True, 6)
    assert len(regions) == 3
    assert regions[1].right > regions[2].left  # they overlap
    assert plan_regions(640, 360, 300, [], [], True, 6) == [WHOLE]
