"""The instance lane: annotations of one sample through the ops of one run.

The only file that calls the core's tracing functions. Outlines, and boxes as rings of four corners, are cut to the frame
after every op that changes it, so that a part cropped away and padded back does not return; what an object keeps of its
area through all those cuts is its visible share. Nothing is filtered before the end.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .coco_write import is_amodal
from .model import Box, Category, Instance, Mapped, Sample
from .polygon import area, extent

#: a piece of an outline below this many square pixels is noise of the clipping
LEAST_PART = 1.0

#: half side of the square that stands for a keypoint when the frame cuts
_DOT = 0.01

#: mask pixels that are followed to tell how much of a mask still shows
_PROBES = 1024


@dataclass(slots=True)
class Dropped:
    """An object that left, why, and where it would have been (unclipped)."""

    instance: Instance
    reason: str
    value: float
    limit: float
    box: Box | None

    def text(self) -> str:
        """`visibility 0.04 < 0.1`."""
        return f"{self.reason} {self.value:.2f} < {self.limit:g}"


@dataclass(slots=True)
class Limits:
    """What a copy's object must keep."""

    visibility: float = 0.1
    side: float = 2.0


def _corners(box: Box) -> list[float]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def _ring(flat: Sequence[float]) -> NDArray[np.float64]:
    return np.array(flat, np.float64).reshape(-1, 2)


def map_sample(
    ops: Sequence[Any],
    sample: Sample,
    size: tuple[int, int],
    masks: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    limits: Limits,
    categories: list[Category],
) -> tuple[list[Mapped], list[Dropped]]:
    """The sample's objects in the new image of `size`; `masks` holds run-length
    masks before and after, by id of instance."""
    objects = sample.objects()
    if not objects:
        return [], []
    rings: list[NDArray[np.float64]] = []
    plans: list[tuple[list[int], int | None, list[int | None], list[int]]] = []

    def add(flat: Sequence[float]) -> int:
        rings.append(_ring(flat))
        return len(rings) - 1

    for instance in objects:
        assert instance.box is not None
        parts = [add(p) for p in instance.parts] if instance.parts else []
        own = add(_corners(instance.box)) if not parts or is_amodal(instance) else None
        extras = [None if b is None else add(_corners(b)) for b in instance.flags.get("parts", ())]
        dots = [
            add((x - _DOT, y - _DOT, x + _DOT, y - _DOT, x + _DOT, y + _DOT, x - _DOT, y + _DOT))
            for x, y, v in instance.keypoints or ()
            if v
        ]
        plans.append((parts, own, extras, dots))
    pieces, shares = _core.trace_rings(ops, sample.size, rings)
    by_ring: dict[int, list[array[float]]] = {}
    for index, ring in pieces:
        by_ring.setdefault(int(index), []).append(array("d", np.asarray(ring, np.float64).reshape(-1).tolist()))

    kept: list[Mapped] = []
    dropped: list[Dropped] = []
    for instance, (parts, own, extras, dots) in zip(objects, plans, strict=True):
        assert instance.box is not None
        mapped = _one(instance, parts, own, by_ring, shares, size, masks, ops, sample)
        if mapped is None or mapped.share < limits.visibility:
            share = 0.0 if mapped is None else mapped.share
            dropped.append(Dropped(instance, "visibility", share, limits.visibility, _loose(ops, sample, instance)))
            continue
        x0, y0, x1, y1 = mapped.box
        if min(x1 - x0, y1 - y0) < limits.side:
            dropped.append(Dropped(instance, "side", min(x1 - x0, y1 - y0), limits.side, _loose(ops, sample, instance)))
            continue
        mapped.extras = [_hull(by_ring.get(e, []), size) if e is not None else None for e in extras]
        if instance.keypoints is not None:
            mapped.keypoints = _keypoints(ops, sample, instance, dots, shares, categories)
            mapped.changed = mapped.changed or mapped.keypoints != instance.keypoints
        kept.append(mapped)
    return kept, dropped


def _one(
    instance: Instance,
    parts: list[int],
    own: int | None,
    by_ring: dict[int, list[array[float]]],
    shares: Sequence[float],
    size: tuple[int, int],
    masks: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    ops: Sequence[Any],
    sample: Sample,
) -> Mapped | None:
    same_size = size == sample.size
    if instance.rle is not None:
        before, mask = masks[id(instance)]
        box = mask_extent(mask)
        if box is None:
            return None
        share = _mask_share(ops, sample, instance, mask)
        changed = not same_size or not np.array_equal(mask, before)
        return Mapped(instance, box, share, changed, mask=mask)
    assert instance.box is not None
    if not parts:
        assert own is not None
        pieces = by_ring.get(own, [])
        hull = _hull(pieces, size)
        if hull is None:
            return None
        return Mapped(instance, hull, float(shares[own]), not same_size or hull != instance.box)
    assert instance.parts is not None
    total = sum(area(p) for p in instance.parts)
    share = sum(area(p) * float(shares[i]) for p, i in zip(instance.parts, parts, strict=True)) / total if total else 0
    moved = [[p for p in by_ring.get(i, []) if len(p) >= 6 and area(p) >= LEAST_PART] for i in parts]
    flat = [p for found in moved for p in found]
    if not flat:
        return None
    unchanged = same_size and flat == list(instance.parts)
    outer = extent(flat)
    if own is not None:
        outer = _hull(by_ring.get(own, []), size) or outer
    elif unchanged:
        outer = instance.box
    return Mapped(instance, _inside(outer, size), share, not unchanged, parts=flat)


def _inside(box: Box, size: tuple[int, int]) -> Box:
    w, h = size
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(w)), min(box[3], float(h))


def _hull(pieces: list[array[float]], size: tuple[int, int]) -> Box | None:
    if not pieces:
        return None
    box = _inside(extent(pieces), size)
    return box if box[2] > box[0] and box[3] > box[1] else None


def _loose(ops: Sequence[Any], sample: Sample, instance: Instance) -> Box | None:
    """Where a dropped box would have been, for the sheet."""
    assert instance.box is not None
    rows, _ = _core.trace_boxes(ops, sample.size, np.array([instance.box], np.float64))
    return tuple(float(v) for v in rows[0]) if len(rows) else None  # type: ignore[return-value]


def mask_extent(mask: NDArray[np.uint8]) -> Box | None:
    """Pixel extent of a mask; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _mask_share(ops: Sequence[Any], sample: Sample, instance: Instance, mask: NDArray[np.uint8]) -> float:
    """Share of the source mask's pixels that are still mask pixels where the ops send them."""
    assert instance.rle is not None
    bounds = np.cumsum(np.array(instance.rle.counts, np.int64))
    starts = bounds[0::2][: len(instance.rle.counts) // 2]
    lengths = np.array(instance.rle.counts[1::2], np.int64)
    total = int(lengths.sum())
    if total == 0:
        return 0.0
    ranks = np.unique(np.linspace(0, total - 1, min(total, _PROBES)).astype(np.int64))
    ends = np.cumsum(lengths)
    run = np.searchsorted(ends, ranks, side="right")
    flat = starts[run] + ranks - (ends[run] - lengths[run])
    points = np.stack([flat // instance.rle.h + 0.5, flat % instance.rle.h + 0.5], -1)
    rows, index = _core.trace_points(ops, sample.size, points, True)
    h, w = mask.shape
    padded = np.zeros((h + 2, w + 2), bool)
    padded[1:-1, 1:-1] = mask != 0
    seen = np.zeros(len(ranks), bool)
    x, y = np.floor(rows[:, 0]).astype(np.int64), np.floor(rows[:, 1]).astype(np.int64)
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            hit = inside.copy()
            hit[inside] = padded[y[inside] + dy, x[inside] + dx]
            seen[np.asarray(index)[hit]] = True
    return float(seen.sum()) / len(ranks)


def _keypoints(
    ops: Sequence[Any],
    sample: Sample,
    instance: Instance,
    dots: list[int],
    shares: Sequence[float],
    categories: list[Category],
) -> list[tuple[float, float, int]]:
    """Keypoints moved; one that left the frame at any op is 0, 0, 0; left and right change places in a mirror."""
    assert instance.keypoints is not None and instance.box is not None
    labelled = [i for i, p in enumerate(instance.keypoints) if p[2]]
    moved: list[tuple[float, float, int]] = [(0.0, 0.0, 0)] * len(instance.keypoints)
    if labelled:
        points = np.array([instance.keypoints[i][:2] for i in labelled], np.float64)
        rows, index = _core.trace_points(ops, sample.size, points, True)
        first: dict[int, tuple[float, float]] = {}
        for row, i in zip(rows, index, strict=True):
            first.setdefault(int(i), (float(row[0]), float(row[1])))
        for place, (i, dot) in enumerate(zip(labelled, dots, strict=True)):
            if place in first and float(shares[dot]) >= 0.5:
                moved[i] = (*first[place], instance.keypoints[i][2])
    pairs = categories[instance.category].flip_pairs
    if pairs and is_mirrored(ops, sample.size, instance.box):
        for left, right in pairs:
            moved[left], moved[right] = moved[right], moved[left]
    return moved


def is_mirrored(ops: Sequence[Any], size: tuple[int, int], box: Box) -> bool:
    """The ops turn the orientation around, told by three corners of the box."""
    x0, y0, x1, y1 = box
    rows, index = _core.trace_points(ops, size, np.array([(x0, y0), (x1, y0), (x0, y1)], np.float64), True)
    first: dict[int, Any] = {}
    for row, i in zip(rows, index, strict=True):
        first.setdefault(int(i), row)
    if len(first) < 3:
        return False
    (ax, ay), (bx, by), (cx, cy) = (first[i][:2] for i in range(3))
    return bool((bx - ax) * (cy - ay) - (by - ay) * (cx - ax) < 0)
