"""Comments in JPEGs, and where one ends: on real pictures, and on whatever else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.event_store.jpeg import LONGEST_COMMENT, NotAJpeg, comments, end_of, with_comment
from tests.support.events import jpeg, size_of

PICTURE = jpeg(64, 48)


def test_the_end_of_a_real_picture_is_found_also_behind_another() -> None:
    other = jpeg(160, 120)
    assert end_of(PICTURE) == len(PICTURE)
    assert end_of(PICTURE + other) == len(PICTURE)
    assert end_of(PICTURE + other, len(PICTURE)) == len(PICTURE) + len(other)


@given(st.lists(st.binary(max_size=200), max_size=3))
@settings(max_examples=50, deadline=None)
def test_comments_come_back_and_change_no_picture(texts: list[bytes]) -> None:
    marked, before = PICTURE, comments(PICTURE)
    for text in texts:
        marked = with_comment(marked, text)
    assert sorted(comments(marked)) == sorted([*before, *texts])
    assert size_of(marked) == (64, 48)
    assert end_of(marked) == len(marked)


def test_a_comment_stands_behind_the_application_segments() -> None:
    app = b"\xff\xe0\x00\x10JFIF\0" + bytes(9)
    marked = with_comment(PICTURE[:2] + app + PICTURE[2:], b"here")
    assert marked.startswith(b"\xff\xd8" + app + b"\xff\xfe\x00\x06here")


def test_what_is_too_long_is_refused() -> None:
    assert comments(with_comment(PICTURE, bytes(LONGEST_COMMENT)))
    with pytest.raises(NotAJpeg, match="65,533"):
        with_comment(PICTURE, bytes(LONGEST_COMMENT + 1))


@given(st.binary(max_size=300))
def test_garbage_is_no_jpeg(data: bytes) -> None:
    for begin in (b"", b"\xff\xd8", b"\xff\xd8\xff\xda\x00\x02"):
        try:
            end = end_of(begin + data)
        except NotAJpeg:
            continue
        assert (begin + data)[end - 2 : end] == b"\xff\xd9"


@given(st.integers(0, len(PICTURE) - 1))
@settings(max_examples=100, deadline=None)
def test_a_picture_that_breaks_off_is_none(length: int) -> None:
    with pytest.raises(NotAJpeg):
        end_of(PICTURE[:length])


@pytest.mark.parametrize(
    "data",
    [b"\x00", b"\xff\x00", b"\xff\xd8", b"\xff\xd0", b"\xff\xe0\x00\x01"],
    ids=["no marker", "stuffing", "begins twice", "restart", "length 1"],
)
def test_what_cannot_stand_there_is_named(data: bytes) -> None:
    with pytest.raises(NotAJpeg):
        end_of(b"\xff\xd8" + data + b"\xff\xd9")


def test_fill_bytes_before_a_marker_are_passed_over() -> None:
    data = b"\xff\xd8" + b"\xff\xff\xff\xd9"
    assert end_of(data) == len(data)
