"""Outlines of a mask: its pixels' outer edges, followed and made simple."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: how far a simple outline may lie from the pixels' edges
TOLERANCE = 0.5


def outlines(mask: NDArray[Any], tolerance: float = TOLERANCE) -> tuple[list[array[float]], int]:
    """The outlines of the mask's pieces (pixels that share an edge), in reading order, and the number of holes, which
    are left out."""
    found, holes = [], 0
    for ring in rings(mask):
        if _area(ring) < 0:
            holes += 1
            continue
        found.append(array("d", simple(ring, tolerance).ravel().tolist()))
    return found, holes


def rings(mask: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Closed runs along pixel edges: clockwise on the screen around pieces, the other way around holes. Straight runs
    have no points within."""
    h, w = mask.shape
    inside = np.zeros((h + 2, w + 2), bool)
    inside[1:-1, 1:-1] = np.asarray(mask) != 0
    core = inside[1:-1, 1:-1]
    # an edge is (x, y, direction), the piece on its right; directions are east, south, west, north
    edges: dict[tuple[int, int], list[int]] = {}
    for direction, other, dx, dy in (
        (0, inside[:-2, 1:-1], 0, 0),
        (1, inside[1:-1, 2:], 1, 0),
        (2, inside[2:, 1:-1], 1, 1),
        (3, inside[1:-1, :-2], 0, 1),
    ):
        ys, xs = np.nonzero(core & ~other)
        for x, y in zip((xs + dx).tolist(), (ys + dy).tolist(), strict=True):
            edges.setdefault((y, x), []).append(direction)
    found = []
    for start in sorted(edges):
        while edges[start]:
            found.append(_follow(edges, start))
    return found


_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def _follow(edges: dict[tuple[int, int], list[int]], start: tuple[int, int]) -> NDArray[np.float64]:
    """One closed run. Where two pieces touch at a corner the run turns right and stays with its own."""
    points: list[tuple[int, int]] = []
    at, last = start, -1
    while True:
        ways = edges[at]
        if not ways:
            break
        way = ways[0] if last < 0 or len(ways) == 1 else min(ways, key=lambda d: (last + 1 - d) % 4)
        ways.remove(way)
        if way != last:
            points.append((at[1], at[0]))
        last = way
        dx, dy = _STEPS[way]
        at = at[0] + dy, at[1] + dx
        if at == start and not _goes_on(edges[at], last):
            break
    return np.array(points, np.float64)


def _goes_on(ways: list[int], last: int) -> bool:
    """The run passes its start and comes back to it: a corner where pieces of the same run touch."""
    return bool(ways) and (last + 1) % 4 in ways


def _area(ring: NDArray[np.float64]) -> int:
    """Twice the signed area; whole numbers, so that no order of sums matters."""
    x, y = ring[:, 0].astype(np.int64), ring[:, 1].astype(np.int64)
    return int((np.roll(x, 1) * y - x * np.roll(y, 1)).sum())


def simple(ring: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """The closed ring with as few of its points as keep within the tolerance (Douglas and Peucker)."""
    n = len(ring)
    if n <= 4:
        return ring
    far = ((ring - ring[0]) ** 2).sum(axis=1)
    middle = int(far.argmax())
    closed = np.concatenate([ring, ring[:1]])
    keep = np.zeros(n + 1, bool)
    keep[[0, middle, n]] = True
    stack = [(0, middle), (middle, n)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        p, d = closed[a], closed[b] - closed[a]
        off = closed[a + 1 : b] - p
        length = float(np.sqrt(d[0] * d[0] + d[1] * d[1]))
        gap = np.abs(off[:, 0] * d[1] - off[:, 1] * d[0]) / length if length else np.sqrt((off**2).sum(axis=1))
        worst = int(gap.argmax())
        if gap[worst] > tolerance:
            keep[a + 1 + worst] = True
            stack += [(a, a + 1 + worst), (a + 1 + worst, b)]
    kept = closed[:n][keep[:n]]
    return kept if len(kept) >= 3 else ring
