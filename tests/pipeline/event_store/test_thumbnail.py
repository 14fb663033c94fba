"""The thumbnail: two JPEGs that say where they belong."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.event_store.jpeg import NotAJpeg, with_comment
from pipeline.event_store.thumbnail import PREFIX, Thumbnail, parse_thumbnail
from pipeline.model import SegmentMark, StreamName
from tests.support.events import jpeg, size_of
from tests.support.store_writing import DEVICE, NOON_MS

MARK = SegmentMark(DEVICE, StreamName("front", "thumbs"), 42, NOON_MS * 1_000_000, 3, True)
CROP, WHOLE = jpeg(64, 48), jpeg(160, 120)


def test_it_comes_back_with_its_mark() -> None:
    found = parse_thumbnail(bytes(Thumbnail(MARK, CROP, WHOLE)))
    assert found.mark == MARK
    assert (size_of(found.crop), size_of(found.whole)) == ((64, 48), (160, 120))


def test_a_viewer_shows_the_crop_of_both() -> None:
    assert size_of(bytes(Thumbnail(MARK, CROP, WHOLE))) == (64, 48)


def test_without_a_whole_picture_the_crop_stands_for_it() -> None:
    assert size_of(parse_thumbnail(bytes(Thumbnail(MARK, CROP, b""))).whole) == (64, 48)


def _comment(**changes: object) -> bytes:
    noun = {
        "device": DEVICE.hex(),
        "camera": "front",
        "stream": "thumbs",
        "sequence": 42,
        "start_ms": NOON_MS,
        "generation": 3,
        "clock_unsure": True,
        "picture": "crop",
    }
    return PREFIX + json.dumps({**noun, **changes}, sort_keys=True, separators=(",", ":")).encode()


def test_what_is_not_made_so_is_refused() -> None:
    whole = bytes(Thumbnail(MARK, CROP, WHOLE))
    other = bytes(Thumbnail(replace(MARK, sequence=43), CROP, WHOLE))
    middle = len(whole) - len(other) + len(parse_thumbnail(other).crop)
    for data in (
        CROP,
        CROP + WHOLE,
        whole + b"x",
        whole[:-1],
        whole + CROP,
        whole[:middle] + other[middle:],
        whole[middle:] + whole[:middle],
    ):
        with pytest.raises(NotAJpeg):
            parse_thumbnail(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"camera": "../keys"},
        {"sequence": "42"},
        {"sequence": True},
        {"device": 1},
        {"start_ms": None},
        {"picture": "whole"},
        {"more": 1},
        {"stream": []},
    ],
    ids=str,
)
def test_a_forged_mark_is_none(changes: dict[str, object]) -> None:
    real = parse_thumbnail(bytes(Thumbnail(MARK, CROP, WHOLE)))
    assert with_comment(CROP, _comment()) == real.crop
    with pytest.raises(NotAJpeg):
        parse_thumbnail(with_comment(CROP, _comment(**changes)) + real.whole)
