"""The instance lane: annotations of one sample through the ops of one run.

The only file that calls the core's tracing functions. Outlines, and boxes as rings of four corners, are cut to the
frame after every op that changes it, so that a part cropped away and padded back does not return; what an object keeps
of its area through all those cuts is its visible share. Nothing is filtered before the end.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from . import quads
from .model import Box, Category, Instance, Mapped, Sample
from .polygon import area, extent, is_amodal

#: a piece of an outline below this many square pixels is noise of the clipping
LEAST_PART = 1.0

#: half side of the square that stands for a keypoint when the frame cuts
_DOT = 0.01

#: mask pixels that are followed to tell how much of a mask still shows
_PROBES = 1024


@dataclass(slots=True)
class Dropped:
    """An object that left, and why."""

    instance: Instance
    reason: str
    value: float
    limit: float

    def text(self) -> str:
        """`visibility 0.04 < 0.1`."""
        return f"{self.reason} {self.value:.2f} < {self.limit:g}"


@dataclass(slots=True)
class Limits:
    """What a copy's object must keep."""

    visibility: float = 0.1
    side: float = 2.0
    width: float = 0.0
    height: float = 0.0
    area: float = 0.0

    def missed(self, mapped: Mapped) -> tuple[str, float, float] | None:
        """(reason, value, limit) of the first minimum that the object does not reach; the sides of an oriented box are
        its own."""
        box = mapped.box
        w, h = box[2] - box[0], box[3] - box[1]
        shorter = min(w, h) if mapped.quad is None else min(w, h, quads.shorter_side(mapped.quad))
        for reason, value, limit in (
            ("visibility", mapped.share, self.visibility),
            ("side", shorter, self.side),
            ("side", w, self.width),
            ("side", h, self.height),
            ("area", w * h, self.area),
        ):
            if value < limit:
                return reason, value, limit
        return None


def _corners(box: Box) -> list[float]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def _ring(flat: Sequence[float]) -> NDArray[np.float64]:
    return np.array(flat, np.float64).reshape(-1, 2)


class Tracer:
    """One sample's objects, ready to be sent through any number of runs."""

    def __init__(self, sample: Sample, categories: list[Category]) -> None:
        self.sample, self.categories = sample, categories
        self.objects = sample.objects()
        self.plan = _Plan()
        for instance in self.objects:
            self.plan.add(instance, sample.size)

    def map(
        self,
        ops: Sequence[Any],
        size: tuple[int, int],
        masks: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
        limits: Limits,
    ) -> tuple[list[Mapped], list[Dropped]]:
        """The objects in the new image of `size`; `masks` holds run-length masks before and after, by id of instance.

        A mirrored copy that a reflecting border shows is an object of its own, after the one it copies.
        """
        kept: list[Mapped] = []
        dropped: list[Dropped] = []
        if not self.objects:
            return kept, dropped
        plan, sample = self.plan, self.sample
        moved = plan.trace(ops, sample.size)
        corners = plan.corners(ops, sample)
        for number, instance in enumerate(self.objects):
            best: Dropped | None = None
            found = False
            if "bare" in instance.flags:
                alone = _bare(ops, sample, instance, plan.dots_shown(moved, number), self.categories, size)
                if alone is None:
                    dropped.append(Dropped(instance, "visibility", 0.0, limits.visibility))
                else:
                    kept.append(alone)
                continue
            for mapped in _candidates(plan, moved, corners, number, instance, size, masks, ops, sample):
                missed = limits.missed(mapped)
                if missed is not None:
                    best = best or Dropped(instance, *missed)
                    continue
                if instance.keypoints is not None:
                    if found:
                        mapped.keypoints = [(0.0, 0.0, 0)] * len(instance.keypoints)
                    else:
                        shown = plan.dots_shown(moved, number)
                        mapped.keypoints = _keypoints(ops, sample, instance, shown, self.categories)
                    mapped.changed = mapped.changed or mapped.keypoints != instance.keypoints
                extras = plan.extras[number]
                mapped.extras = [None] * len(extras) if found else plan.extra_boxes(moved, number, size)
                mapped.ghost = found
                found = True
                kept.append(mapped)
            if not found:
                dropped.append(best or Dropped(instance, "visibility", 0.0, limits.visibility))
        return kept, dropped

    def where(self, ops: Sequence[Any], gone: Dropped) -> Box | None:
        """Where a dropped box would have been, unclipped."""
        assert gone.instance.box is not None
        rows, _ = _core.trace_boxes(ops, self.sample.size, np.array([gone.instance.box], np.float64))
        if not len(rows):
            return None
        x0, y0, x1, y1 = (float(v) for v in rows[0])
        return x0, y0, x1, y1


_Moved = dict[int, list[tuple[float, list["array[float]"]]]]


class _Plan:
    """What is traced for each instance: its outline, its box if that goes its own way, parts' boxes, keypoints."""

    def __init__(self) -> None:
        self.objects: list[list[NDArray[np.float64]]] = []
        self.outline: list[int] = []
        self.own: list[int | None] = []
        self.extras: list[list[int | None]] = []
        self.dots: list[list[int]] = []
        self.quads: dict[int, array[float]] = {}

    def _take(self, rings: list[Sequence[float]]) -> int:
        self.objects.append([_ring(flat) for flat in rings])
        return len(self.objects) - 1

    def add(self, instance: Instance, size: tuple[int, int]) -> None:
        """Lists an instance's rings."""
        assert instance.box is not None
        corners: Sequence[float] = _corners(instance.box)
        if instance.quad is not None:
            corners = quads.ring(instance.quad, size)
            self.quads[len(self.outline)] = instance.quad
        self.outline.append(self._take(list(instance.parts) if instance.parts else [corners]))
        self.own.append(self._take([corners]) if is_amodal(instance) else None)
        self.extras.append([None if b is None else self._take([_corners(b)]) for b in instance.flags.get("parts", ())])
        self.dots.append(
            [
                self._take([(x - _DOT, y - _DOT, x + _DOT, y - _DOT, x + _DOT, y + _DOT, x - _DOT, y + _DOT)])
                for x, y, v in instance.keypoints or ()
                if v
            ]
        )

    def trace(self, ops: Sequence[Any], size: tuple[int, int]) -> _Moved:
        """One crossing for all: what became of each object, by its number."""
        moved: _Moved = {}
        for index, share, rings in _core.trace_outlines(ops, size, self.objects):
            flat = [array("d", ring.tobytes()) for _, ring in rings]
            if flat:
                moved.setdefault(int(index), []).append((float(share), flat))
        return moved

    def corners(self, ops: Sequence[Any], sample: Sample) -> dict[int, list[quads.Point | None]]:
        """Where the corners of oriented boxes go, by the object's number, inside the new image or not."""
        if not self.quads:
            return {}
        points = np.concatenate([_ring(quad) for quad in self.quads.values()])
        rows, index = _core.trace_points(ops, sample.size, points, True)
        found: dict[int, list[quads.Point | None]] = {number: [None] * 4 for number in self.quads}
        numbers = list(self.quads)
        for row, i in zip(rows, index, strict=True):
            found[numbers[int(i) // 4]][int(i) % 4] = float(row[0]), float(row[1])
        return found

    def extra_boxes(self, moved: _Moved, number: int, size: tuple[int, int]) -> list[Box | None]:
        """The boxes of an object's named parts; None for one that is gone."""
        found = []
        for extra in self.extras[number]:
            pieces = moved.get(extra, []) if extra is not None else []
            found.append(_hull(pieces[0][1], size) if pieces else None)
        return found

    def dots_shown(self, moved: _Moved, number: int) -> list[bool]:
        """Which labelled keypoints the frame never cut off."""
        return [any(share >= 0.5 for share, _ in moved.get(dot, [])) for dot in self.dots[number]]


def _candidates(
    plan: _Plan,
    moved: _Moved,
    corners: dict[int, list[quads.Point | None]],
    number: int,
    instance: Instance,
    size: tuple[int, int],
    masks: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    ops: Sequence[Any],
    sample: Sample,
) -> list[Mapped]:
    """The object and its mirrored copies as far as anything of them shows."""
    assert instance.box is not None
    same_size = size == sample.size
    if instance.rle is not None:
        before, after = masks[id(instance)]
        box = mask_extent(after)
        if box is None:
            return []
        changed = not same_size or not np.array_equal(before, after)
        return [Mapped(instance, box, _mask_share(ops, sample, instance, after), changed, mask=after)]
    own = plan.own[number]
    outlines = moved.get(plan.outline[number], [])
    if len(outlines) > 1:
        outlines = _own_first(outlines, ops, sample, instance)
    boxes = moved.get(own, []) if own is not None else []
    if len(boxes) > 1:
        boxes = _own_first(boxes, ops, sample, instance)
    found = []
    for place, (share, rings) in enumerate(outlines):
        if not instance.parts:
            hull = _hull(rings, size)
            if hull is not None:
                found.append(Mapped(instance, hull, share, not same_size or hull != instance.box))
                if instance.quad is not None:
                    _turn(found[-1], corners[number], rings, place == 0, size)
            continue
        parts = [p for p in rings if len(p) >= 6 and area(p) >= LEAST_PART]
        if not parts:
            continue
        unchanged = same_size and parts == list(instance.parts)
        hull = _hull(parts, size)
        if own is not None:
            hull = _hull(boxes[place][1], size) if len(boxes) == len(outlines) else hull
        elif unchanged:
            hull = instance.box
        if hull is not None:
            found.append(Mapped(instance, hull, share, not unchanged, parts=parts))
            if instance.quad is not None:
                _turn(found[-1], corners[number], parts, place == 0, size)
    return found


def _turn(
    mapped: Mapped,
    corners: list[quads.Point | None],
    rings: list[array[float]],
    first: bool,
    size: tuple[int, int],
) -> None:
    """Gives a candidate its oriented box: the first one is the object itself if it lies where its corners went."""
    instance = mapped.instance
    assert instance.quad is not None
    whole = quads.is_whole(mapped.share)
    known = quads.flat_of([c for c in corners if c is not None])
    if first and (len(known) < 8 or quads.overlap(extent([known]), extent(rings))):
        mapped.quad = quads.moved(instance.quad, corners, rings, whole, size)
    else:
        mapped.quad = quads.mirrored_copy(instance.quad, rings, whole and not instance.parts)
    mapped.changed = mapped.changed or mapped.quad != instance.quad


def _own_first(
    outlines: list[tuple[float, list[array[float]]]], ops: Sequence[Any], sample: Sample, instance: Instance
) -> list[tuple[float, list[array[float]]]]:
    """The object before its mirrored copies: it is the one where the ops send the middle of its box."""
    assert instance.box is not None
    x0, y0, x1, y1 = instance.box
    rows, _ = _core.trace_points(ops, sample.size, np.array([((x0 + x1) / 2, (y0 + y1) / 2)], np.float64), True)
    if not len(rows):
        return outlines
    x, y = float(rows[0][0]), float(rows[0][1])

    def far(outline: tuple[float, list[array[float]]]) -> float:
        a, b, c, d = extent(outline[1])
        return abs((a + c) / 2 - x) + abs((b + d) / 2 - y)

    return sorted(outlines, key=far)


def _inside(box: Box, size: tuple[int, int]) -> Box:
    w, h = size
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(w)), min(box[3], float(h))


def _hull(pieces: list[array[float]], size: tuple[int, int]) -> Box | None:
    if not pieces:
        return None
    box = _inside(extent(pieces), size)
    return box if box[2] > box[0] and box[3] > box[1] else None


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
    shown: list[bool],
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
        for place, (i, visible) in enumerate(zip(labelled, shown, strict=True)):
            if place in first and visible:
                moved[i] = (*first[place], instance.keypoints[i][2])
    pairs = categories[instance.category].flip_pairs
    if pairs and is_mirrored(ops, sample.size, instance.box):
        for left, right in pairs:
            moved[left], moved[right] = moved[right], moved[left]
    return moved


def _bare(
    ops: Sequence[Any],
    sample: Sample,
    instance: Instance,
    shown: list[bool],
    categories: list[Category],
    size: tuple[int, int],
) -> Mapped | None:
    """Points and lines, which have no area to measure: points that left are gone, a line that lost one is gone."""
    points = _keypoints(ops, sample, instance, shown, categories)
    seen = [p for p in points if p[2]]
    if not seen or (instance.flags["bare"] == "line" and len(seen) < len(points)):
        return None
    xs, ys = [p[0] for p in seen], [p[1] for p in seen]
    box = _inside((min(xs) - 0.5, min(ys) - 0.5, max(xs) + 0.5, max(ys) + 0.5), size)
    return Mapped(instance, box, 1.0, points != instance.keypoints, keypoints=points)


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
