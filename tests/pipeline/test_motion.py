"""Motion on real frames of a fixed camera, and on what is made of them: light, noise, rain, masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.motion import Motion, MotionDetector
from pipeline.picture import Frame, Picture
from pipeline.scene import Box, Point, Polygon
from tests.support.footage import pedestrians

Pixels = NDArray[np.uint8]
_NS = 1_000_000_000
_EMPTY = (slice(340, 556), slice(0, 384))  # a part of the lawn: nobody comes in the first fifty seconds


@lru_cache(maxsize=1)
def _frames() -> tuple[Pixels, ...]:
    """Five a second of the first forty seconds: people all over the car park, but not on the lawn."""
    with av.open(str(pedestrians())) as container:
        every = (np.asarray(one.to_ndarray(format="rgb24"), np.uint8) for one in container.decode(video=0))
        return tuple(pixels for number, pixels in zip(range(400), every, strict=False) if number % 2 == 0)


@lru_cache(maxsize=1)
def _lawn() -> tuple[Pixels, ...]:
    """The same, twice as large, of the lawn alone: nothing moves."""
    return tuple(np.asarray(cv2.resize(one[_EMPTY], (768, 432)), np.uint8) for one in _frames())


def _looked(frames: Sequence[Pixels], masks: Sequence[Polygon] = (), step_s: float = 0.2) -> Iterator[Motion]:
    detector = MotionDetector(masks)
    for number, pixels in enumerate(frames):
        at_ns = round(number * step_s * _NS)
        picture = Picture.from_rgb(np.ascontiguousarray(pixels))
        yield detector.look(Frame(at_ns, at_ns, False, picture))


def _people(number: int) -> list[Box]:
    """Who differs from the median of all frames, by a simple difference at full size; 40 pixels or higher."""
    difference = cv2.absdiff(_smooth(_frames()[number]), _background()).max(axis=2)
    mask = cv2.morphologyEx((difference > 35).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(mask)
    return [
        Box(x / 768, y / 576, (x + wide) / 768, (y + high) / 576)
        for x, y, wide, high, _ in found[1:].tolist()
        if high >= 40 and wide >= 12
    ]


def _smooth(pixels: Pixels) -> Any:
    return cv2.GaussianBlur(pixels, (5, 5), 0)


@lru_cache(maxsize=1)
def _background() -> Any:
    return _smooth(np.median(np.stack(_frames()[::10]), axis=0).astype(np.uint8))


def _found(person: Box, boxes: Sequence[Box]) -> bool:
    return sum(person.overlap(box) for box in boxes) >= 0.5 * person.area


@pytest.mark.parametrize("width", [768, 480])
def test_people_forty_pixels_high_are_found(width: int) -> None:
    frames = [cv2.resize(one, (width, width * 3 // 4), interpolation=cv2.INTER_AREA) for one in _frames()]
    asked = found = 0
    for number, motion in enumerate(_looked([np.asarray(one, np.uint8) for one in frames])):
        if number >= 25 and number % 5 == 0:
            people = _people(number)
            asked += len(people)
            found += sum(_found(person, motion.boxes) for person in people)
    assert asked > 100
    assert found >= 0.95 * asked


def test_boxes_are_few_and_small() -> None:
    motions = list(_looked(_frames()))[25:]
    assert max(len(one.boxes) for one in motions) <= 16
    assert float(np.mean([sum(box.area for box in one.boxes) for one in motions])) < 0.2
    assert not any(one.scene_changed for one in motions)


def _noise(strength: float) -> Callable[[int, Pixels], Pixels]:
    random = np.random.default_rng(5)

    def noisy(_: int, pixels: Pixels) -> Pixels:
        noise = random.normal(0, strength, pixels.shape[:2])[..., None]
        return np.clip(pixels + noise, 0, 255).astype(np.uint8)

    return noisy


def _rain(number: int, pixels: Pixels) -> Pixels:
    """Two hundred bright streaks, elsewhere in each frame."""
    random = np.random.default_rng(number)
    wet = pixels.copy()
    for x, y in random.integers(0, (760, 420), (200, 2)).tolist():
        cv2.line(wet, (x, y), (x + 2, y + 14), (190, 190, 190), 1)
    return np.asarray(cv2.addWeighted(wet, 0.6, pixels, 0.4, 0), np.uint8)


def _dusk(number: int, pixels: Pixels) -> Pixels:
    """To a third of the light in forty seconds."""
    return np.asarray(pixels * (1 - number / 300), np.uint8)


def _exposure(number: int, pixels: Pixels) -> Pixels:
    """A camera that makes up its mind: a tenth brighter and darker, every four seconds."""
    return np.asarray(np.clip(pixels * (1 + 0.1 * np.sin(number * 0.314)), 0, 255), np.uint8)


def _pulse(number: int, pixels: Pixels) -> Pixels:
    """Every two seconds a keyframe: the picture is coarse, then sharp again."""
    if number % 10:
        return pixels
    coarse = cv2.resize(pixels, (192, 108), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (768, 432), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize(
    "change", [_noise(0), _noise(5), _noise(12), _rain, _dusk, _exposure, _pulse], ids=range(7)
)
def test_a_still_scene_stays_still(change: Callable[[int, Pixels], Pixels]) -> None:
    """After three seconds, in which the noise is learnt."""
    motions = list(_looked([change(number, pixels) for number, pixels in enumerate(_lawn())]))[15:]
    assert sum(bool(one.boxes) for one in motions) <= 0.02 * len(motions)
    assert not any(one.scene_changed for one in motions)


def _night(pixels: Pixels) -> Pixels:
    """Infrared: grey, and otherwise lit."""
    grey = 255 - cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.repeat(np.asarray(grey // 2 + 20, np.uint8)[..., None], 3, axis=2)


def _lamp(pixels: Pixels) -> Pixels:
    return np.asarray(pixels * 0.3, np.uint8)


@pytest.mark.parametrize("change", [_night, _lamp])
def test_a_change_of_the_whole_scene_is_said_and_learnt(change: Callable[[Pixels], Pixels]) -> None:
    frames = [change(pixels) if 60 <= number < 120 else pixels for number, pixels in enumerate(_lawn()[:160])]
    motions = list(_looked(frames))
    changes = [number for number, one in enumerate(motions) if one.scene_changed]
    assert {60, 120} <= set(changes) <= {60, 61, 120, 121}
    assert not any(one.boxes for one in motions)


def test_people_are_found_again_soon_after_the_light_was_switched() -> None:
    frames = [_lamp(pixels) if number >= 60 else pixels for number, pixels in enumerate(_frames()[:120])]
    motions = list(_looked(frames))
    assert motions[60].scene_changed and not motions[60].boxes
    assert all(one.boxes for one in motions[70:])


def test_what_lies_in_a_mask_is_not_looked_at() -> None:
    right = Polygon((Point(0.5, -0.1), Point(1.1, -0.1), Point(1.1, 1.1), Point(0.5, 1.1)))
    boxes = [box for one in _looked(_frames()[:60], [right]) for box in one.boxes]
    assert boxes
    assert max(box.left for box in boxes) <= 0.5
    assert max(box.right for box in boxes) <= 0.52  # a pixel of smoothing


def test_all_may_be_masked() -> None:
    whole = Polygon((Point(0, 0), Point(1, 0), Point(1, 1), Point(0, 1)))
    motions = list(_looked(_frames()[:20], [whole]))
    assert all(not one.boxes and not one.scene_changed and one.changed == 0 for one in motions)


def test_what_stops_becomes_background_after_a_while() -> None:
    """A picture of a walker is put on the lawn: motion for less than a minute, then not any more."""
    walker = _frames()[20][266:382, 682:730]
    frames = [pixels.copy() for pixels in (*_lawn()[:170], *_lawn()[:170], *_lawn()[:60])]
    for pixels in frames[50:]:
        pixels[100:216, 300:348] = walker
    motions = list(_looked(frames))
    assert all(one.boxes for one in motions[50 : 50 + 5 * 30])
    assert not any(one.boxes for one in motions[50 + 5 * 50 :])


def test_another_size_begins_anew() -> None:
    detector = MotionDetector()
    for number, size in enumerate([(768, 432), (384, 216), (2, 2), (1, 1), (1000, 31), (768, 432)]):
        pixels = np.asarray(cv2.resize(_lawn()[0], size), np.uint8)
        motion = detector.look(Frame(number * _NS, 0, True, Picture.from_rgb(pixels)))
        assert not motion.boxes


def test_time_may_jump() -> None:
    detector = MotionDetector()
    for at_ns in (0, 10**18, 5, 5, -(10**18), 10**19):
        detector.look(Frame(at_ns, 0, True, Picture.from_rgb(np.ascontiguousarray(_lawn()[0]))))
