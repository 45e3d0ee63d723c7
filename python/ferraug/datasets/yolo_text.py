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
_BLOCK = 1 << 20


def object_columns(
    mapped: Mapped, size: tuple[int, int], task: str | None, pose: Pose | None, how: str
) -> list[list[str]]:
    """What follows the class in an object's rows, one row as a rule. `task` says what to write; None keeps the kind of
    row that the source has. `how`: what becomes of an outline in several parts."""
    instance = mapped.instance
    if mapped.quad is not None:
        return [point_columns(mapped.quad, size)]
    if instance.parts is not None and task in (None, "segment"):
        return [point_columns(part, size) for part in outlines(mapped.parts or (), how)]
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
    best: dict[int, tuple[float, int, int, int]] = {}
    hangs: dict[tuple[int, int], list[tuple[int, int]]] = {}
    last = 0
    waiting = list(range(1, len(rings)))
    while waiting:
        for other in waiting:
            far, i, j = nearest(rings[last], rings[other])
            if other not in best or far < best[other][0]:
                best[other] = far, last, i, j
        other = min(waiting, key=lambda n: (best[n][0], n))
        _, host, i, j = best[other]
        hangs.setdefault((host, i), []).append((other, j))
        waiting.remove(other)
        last = other
    return array("d", _walk(rings, hangs))


def _walk(rings: list[NDArray[np.float64]], hangs: dict[tuple[int, int], list[tuple[int, int]]]) -> list[float]:
    """All vertices from the first part's first on, with a detour wherever a part hangs."""
    flat: list[float] = []
    # (part, first vertex, vertices done, parts that still hang on the current one)
    stack: list[list[int]] = [[0, 0, 0]]
    pending: list[list[tuple[int, int]]] = [[]]
    while stack:
        part, first, done = stack[-1]
        ring = rings[part]
        if pending[-1]:
            other, j = pending[-1].pop(0)
            stack.append([other, j, 0])
            pending.append([])
            continue
        # a part that hangs is closed at the vertex where the bridge stands
        if done > len(ring) - (part == 0):
            stack.pop()
            pending.pop()
            if stack:
                host, start, count = stack[-1]
                flat += rings[host][(start + count - 1) % len(rings[host])].tolist()
            continue
        at = (first + done) % len(ring)
        flat += ring[at].tolist()
        stack[-1][2] += 1
        if done < len(ring):
            pending[-1] = list(hangs.get((part, at), ()))
    return flat


def nearest(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, int, int]:
    """(squared distance, vertex of a, vertex of b) of the nearest two; the first in order among equals."""
    found = (float("inf"), 0, 0)
    step = max(1, _BLOCK // len(b))
    for start in range(0, len(a), step):
        d = a[start : start + step, None, :] - b[None, :, :]
        far = d[:, :, 0] * d[:, :, 0] + d[:, :, 1] * d[:, :, 1]
        i, j = divmod(int(far.argmin()), len(b))
        if far[i, j] < found[0]:
            found = float(far[i, j]), start + i, j
    return found
