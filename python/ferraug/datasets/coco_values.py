"""Values of COCO records: boxes, outlines, run lengths and keypoints, checked as they are read."""

from __future__ import annotations

import math
from array import array
from typing import Any

from . import rle
from .common import number
from .model import Box, Instance, Rle, Sample
from .paths import MAX_POINTS
from .polygon import turned, turned_box

_NUMBERS = {int, float}


class Invalid(Exception):
    """A record that leaves; quiet if its image has been reported already."""

    def __init__(self, text: str, quiet: bool = False) -> None:
        super().__init__(text)
        self.quiet = quiet


def declared_size(record: dict[str, Any]) -> tuple[int, int] | None:
    w, h = record.get("width"), record.get("height")
    ok = all(isinstance(v, (int, float)) and not isinstance(v, bool) and v == v and abs(v) < 1e9 for v in (w, h))
    return (int(w), int(h)) if ok else None  # type: ignore[arg-type]


def box_of(value: Any) -> Box | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise Invalid(f"bbox: 4 numbers needed, got {value!r:.60}")
    if not set(map(type, value)) <= _NUMBERS or not all(map(_finite, value)):
        raise Invalid(f"bbox: finite numbers needed, got {value!r:.60}")
    x, y, w, h = map(float, value)
    if w <= 0 or h <= 0:
        raise Invalid(f"bbox: width and height must be positive, got {w:g} and {h:g}")
    return x, y, x + w, y + h


def _finite(value: float) -> bool:
    return -1e15 < value < 1e15


def outline_of(value: Any, sample: Sample) -> tuple[list[array[float]] | None, Rle | None, bool]:
    """(polygon parts, RLE, whether a part was dropped)."""
    if value is None or value == []:
        return None, None, False
    if isinstance(value, dict):
        return None, _rle(value, sample), False
    if not isinstance(value, list):
        raise Invalid("segmentation: a list of polygons or an RLE is needed")
    parts = []
    dropped = False
    points = 0
    for part in value:
        if not isinstance(part, list):
            raise Invalid("segmentation: a polygon is a list of numbers")
        if len(part) % 2:
            raise Invalid(f"segmentation: {len(part)} coordinates, an even count is needed")
        points += len(part)
        if points > 2 * MAX_POINTS:
            raise Invalid(f"segmentation: more than {MAX_POINTS} points")
        if not set(map(type, part)) <= _NUMBERS:
            raise Invalid("segmentation: finite numbers are needed")
        try:
            flat = array("d", part)
        except OverflowError:
            raise Invalid("segmentation: finite numbers are needed") from None
        # a sum is finite only if every number is
        if not math.isfinite(sum(flat)):
            raise Invalid("segmentation: finite numbers are needed")
        if len(part) < 6:
            dropped = True
        else:
            parts.append(flat)
    return parts or None, None, dropped


def _rle(value: dict[str, Any], sample: Sample) -> Rle:
    size, counts = value.get("size"), value.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(v) is int and v > 0 for v in size)):
        raise Invalid(f"segmentation: size [h, w] is needed, got {size!r:.40}")
    h, w = size
    if (w, h) != (sample.stored if sample.frame == "stored" else sample.size):
        raise Invalid(f"segmentation: RLE of {w}x{h}, image is {sample.size[0]}x{sample.size[1]}")
    compressed = isinstance(counts, str)
    if compressed:
        try:
            counts = rle.from_string(str(counts))
        except ValueError as error:
            raise Invalid(f"segmentation: {error}") from None
    if not isinstance(counts, list) or not set(map(type, counts)) <= {int} or min(counts, default=0) < 0:
        raise Invalid("segmentation: RLE counts are non-negative integers")
    if sum(counts) != h * w:
        raise Invalid(f"segmentation: RLE counts sum to {sum(counts)}, image has {h * w} pixels")
    return Rle(array("i", counts), h, w, compressed)


def mask_box(mask: Rle) -> Box:
    """Pixel extent of a run-length mask."""
    x0, y0, x1, y1 = mask.w, mask.h, 0, 0
    at = 0
    for i, count in enumerate(mask.counts):
        if i % 2 and count:
            first, last = divmod(at, mask.h), divmod(at + count - 1, mask.h)
            x0, x1 = min(x0, first[0]), max(x1, last[0] + 1)
            if first[0] == last[0]:
                y0, y1 = min(y0, first[1]), max(y1, last[1] + 1)
            else:
                y0, y1 = 0, mask.h
        at += count
    if x1 <= x0:
        raise Invalid("neither bbox nor outline")
    return float(x0), float(y0), float(x1), float(y1)


def keypoints_of(value: Any, wanted: int | None) -> list[tuple[float, float, int]]:
    if not isinstance(value, list) or len(value) % 3 or (wanted is not None and len(value) != 3 * wanted):
        count = len(value) if isinstance(value, list) else type(value).__name__
        raise Invalid(f"keypoints: 3 numbers a point{f', {wanted} points' if wanted else ''} needed, got {count}")
    if any(number(v) is None for v in value):
        raise Invalid("keypoints: finite numbers are needed")
    if any(v not in (0, 1, 2) for v in value[2::3]):
        raise Invalid("keypoints: visibility is 0, 1 or 2")
    return [
        (x + 0.5, y + 0.5, int(v)) if v else (0.0, 0.0, 0)
        for x, y, v in zip(value[0::3], value[1::3], value[2::3], strict=True)
    ]


def flip_pairs(names: list[str]) -> list[tuple[int, int]] | None:
    """Pairs of point indices whose names differ by left and right."""
    index = {name: i for i, name in enumerate(names)}
    pairs = []
    for name, i in index.items():
        other = name.replace("left", "right").replace("Left", "Right")
        if other != name and other in index:
            pairs.append((i, index[other]))
    return pairs or None


def turn(instance: Instance, sample: Sample) -> None:
    """Box and outline of the stored frame in the upright one."""
    assert instance.box is not None
    instance.box = turned_box(instance.box, sample.stored, sample.orientation)

    def move(x: float, y: float) -> tuple[float, float]:
        return turned(x, y, sample.stored, sample.orientation)

    if instance.parts:
        instance.parts = [
            array("d", [v for x, y in zip(part[0::2], part[1::2], strict=True) for v in move(x, y)])
            for part in instance.parts
        ]
    if instance.rle:
        mask = turn_mask(rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w), sample.orientation)
        instance.rle = Rle(rle.encode(mask), mask.shape[0], mask.shape[1], instance.rle.compressed)


def turn_keypoints(instance: Instance, sample: Sample) -> None:
    """Keypoints of the stored frame in the upright one."""
    assert instance.keypoints is not None
    stored, way = sample.stored, sample.orientation
    instance.keypoints = [(*turned(x, y, stored, way), v) if v else (x, y, v) for x, y, v in instance.keypoints]


def turn_mask(mask: Any, orientation: int) -> Any:
    """A mask of the stored frame in the upright one."""
    if orientation in (5, 6, 7, 8):
        mask = mask.T
    if orientation in (2, 3, 6, 7):
        mask = mask[:, ::-1]
    if orientation in (3, 4, 7, 8):
        mask = mask[::-1]
    return mask
