"""Rows of YOLO label files, written: six decimals, all inside [0, 1] as rounded.

A box is made narrower by 1e-6 until it fits, because trainers throw away a whole image for one value above 1. An
outline of several parts becomes one row whose parts hang together by bridges of no width between nearest vertices.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .model import Box, Mapped
from .polygon import area
from .quads import corners_of, signed_area
from .yolo_rows import Pose

#: distances that are compared at once
_BLOCK = 1 << 18


def object_columns(
    mapped: Mapped, size: tuple[int, int], task: str | None, pose: Pose | None, how: str
) -> list[list[str]]:
    """What follows the class in an object's rows, one row as a rule. `task` says what to write; None keeps the kind of
    row that the source has. `how`: what becomes of an outline in several parts."""
    instance = mapped.instance
    if mapped.quad is not None or (instance.parts is not None and task in (None, "segment")):
        shapes = [mapped.quad] if mapped.quad is not None else outlines(mapped.parts or (), how)
        rows = [point_columns(shape, size) for shape in shapes]
        # what has no area as rounded is no object
        return [row for row in rows if area([float(v) for v in row]) > 0]
    columns = box_columns(mapped.box, size)
    if pose is not None:
        columns += pose_columns(mapped.keypoints or [(0.0, 0.0, 0)] * pose.count, pose.width, size)
    score = instance.flags.get("score")
    return [columns if score is None else [*columns, score]]


def box_columns(box: Box, size: tuple[int, int]) -> list[str]:
    """cx cy w h with six decimals, inside [0, 1] as rounded."""
    columns = []
    for low, high, side in ((box[0], box[2], size[0]), (box[1], box[3], size[1])):
        low, high = max(low, 0.0) / side, min(high, float(side)) / side
        centre = round((low + high) / 2, 6)
        extent = max(round(high - low, 6), 1e-6)
        while extent > 1e-6 and (centre - extent / 2 < 0 or centre + extent / 2 > 1):
            extent = round(extent - 1e-6, 6)
        columns.append((f"{centre:.6f}", f"{extent:.6f}"))
    (cx, w), (cy, h) = columns
    return [cx, cy, w, h]


def point_columns(flat: Sequence[float], size: tuple[int, int]) -> list[str]:
    """x y x y … clamped to the image."""
    return [f"{min(max(v / size[i % 2], 0.0), 1.0):.6f}" for i, v in enumerate(flat)]


def pose_columns(points: Sequence[tuple[float, float, int]], width: int, size: tuple[int, int]) -> list[str]:
    """x y or x y v of every point; one that is not labelled is all zeros."""
    columns = []
    for x, y, v in points:
        columns += point_columns((x, y), size) if v else ["0", "0"]
        if width == 3:
            columns.append(str(v))
    return columns


def outlines(parts: Sequence[array[float]], how: str) -> list[array[float]]:
    """The outlines to write for an object's parts: joined to one, the largest alone, or each by itself."""
    if len(parts) < 2 or how == "split":
        return list(parts)
    return [max(parts, key=area)] if how == "largest" else [joined(parts)]


def joined(parts: Sequence[array[float]]) -> array[float]:
    """One outline that visits all parts: each new part hangs on the vertex nearest to it among those before.

    A bridge is walked to and fro, so that it encloses nothing: the area is the sum of the parts' areas, and a filled
    polygon covers what the parts cover.
    """
    rings = [np.array(part, np.float64).reshape(-1, 2) for part in parts]
    # parts run the same way around, else the walk would subtract one from the other
    turns = [signed_area(corners_of(part)) for part in parts]
    rings = [ring if turn * turns[0] >= 0 else ring[::-1] for ring, turn in zip(rings, turns, strict=True)]
    points = np.concatenate(rings)
    owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    starts = np.cumsum([0] + [len(ring) for ring in rings])
    far = np.full(len(points), np.inf)
    near = np.zeros(len(points), np.int64)
    hangs: dict[int, list[int]] = {}
    last = 0
    for _ in range(len(rings) - 1):
        far[starts[last] : starts[last + 1]] = np.nan  # it hangs already
        _draw_near(points, starts[last], starts[last + 1], far, near)
        vertex = int(np.nanargmin(far))
        hangs.setdefault(int(near[vertex]), []).append(vertex)
        last = int(owner[vertex])
    return array("d", points[_walk(starts, owner, hangs)].ravel().tolist())


def _draw_near(
    points: NDArray[np.float64], start: int, end: int, far: NDArray[np.float64], near: NDArray[np.int64]
) -> None:
    """Updates the squared distance and the nearest vertex of the waiting points by the vertices start … end."""
    waiting = np.flatnonzero(~np.isnan(far))
    step = max(1, _BLOCK // len(waiting))
    for at in range(start, end, step):
        d = points[at : min(at + step, end), None, :] - points[None, waiting, :]
        square = d[:, :, 0] * d[:, :, 0] + d[:, :, 1] * d[:, :, 1]
        best = square.argmin(axis=0)
        least = square[best, np.arange(len(waiting))]
        closer = least < far[waiting]
        far[waiting[closer]] = least[closer]
        near[waiting[closer]] = best[closer] + at


def _walk(starts: NDArray[np.int64], owner: NDArray[np.int64], hangs: dict[int, list[int]]) -> list[int]:
    """All vertices from the first part's first on, with a detour wherever a part hangs."""
    order: list[int] = []
    # (part, its first vertex, vertices done) and what still hangs on the current vertex
    stack: list[list[int]] = [[0, 0, 0]]
    pending: list[list[int]] = [[]]
    while stack:
        part, first, done = stack[-1]
        begin, count = int(starts[part]), int(starts[part + 1] - starts[part])
        if pending[-1]:
            vertex = pending[-1].pop(0)
            stack.append([int(owner[vertex]), vertex, 0])
            pending.append([])
        elif done < count + (part != 0):
            # a part that hangs is closed at the vertex where the bridge stands
            vertex = begin + (first - begin + done) % count
            order.append(vertex)
            stack[-1][2] += 1
            pending[-1] = list(hangs.get(vertex, ())) if done < count else []
        else:
            stack.pop()
            pending.pop()
            if stack:
                host, start, steps = stack[-1]
                begin, count = int(starts[host]), int(starts[host + 1] - starts[host])
                order.append(begin + (start - begin + steps - 1) % count)
    return order
