"""Oriented boxes: four corners in edge coordinates, whose first edge is the head.

Corners move exactly. Where the frame cuts an oriented box, what still shows of it is boxed again along the box's own
axes: the smallest rectangle around a cut corner would lie along the cut, not along the object.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from .model import Box
from .polygon import clip

Point = tuple[float, float]

#: sine of one degree: how far from square a rectangle may be
_DEGREE = math.sin(math.pi / 180)

#: a share of the area, or a distance in pixels, that counts as rounding
_SLACK = 1e-9


def corners_of(flat: Sequence[float]) -> list[Point]:
    """x y x y … as points."""
    return list(zip(flat[0::2], flat[1::2], strict=True))


def flat_of(points: Sequence[Point]) -> array[float]:
    """Points as x y x y …"""
    return array("d", [v for point in points for v in point])


def ring(quad: Sequence[float], size: tuple[int, int]) -> array[float]:
    """What the image shows of the box: an outline with fewer than 3 points if nothing."""
    w, h = size
    if all(0 <= v <= (w, h)[i % 2] for i, v in enumerate(quad)):
        return array("d", quad)
    return clip(quad, w, h)


def moved(
    before: Sequence[float],
    corners: Sequence[Point | None],
    pieces: Sequence[Sequence[float]],
    whole: bool,
    size: tuple[int, int],
) -> array[float]:
    """The box in the new image of `size`: `corners` are where its corners went, None for one that has no place, and
    `pieces` the outlines of what shows. A map that mirrors gives the order 2, 1, 4, 3: winding and head edge stay."""
    known = [c for c in corners if c is not None]
    if whole and known == corners_of(before):
        return array("d", before)
    if len(known) < 4:
        return flat_of(smallest([p for piece in pieces for p in corners_of(piece)], like=corners_of(before)))
    if signed_area(corners_of(before)) * signed_area(known) < 0:
        known = [known[1], known[0], known[3], known[2]]
    if whole and all(-_SLACK <= x <= size[0] + _SLACK and -_SLACK <= y <= size[1] + _SLACK for x, y in known):
        return flat_of(known)
    return flat_of(boxed_again(known, [p for piece in pieces for p in corners_of(piece)]))


def mirrored_copy(before: Sequence[float], pieces: Sequence[Sequence[float]], whole: bool) -> array[float]:
    """The box of a mirrored copy, of which only outlines are known."""
    points = [p for piece in pieces for p in corners_of(piece)]
    start = corners_of(before)
    if whole and len(points) == 4:
        if signed_area(start) * signed_area(points) < 0:
            points = [points[1], points[0], points[3], points[2]]
        return flat_of(points)
    return flat_of(smallest(points, winding=signed_area(start)))


def shorter_side(quad: Sequence[float]) -> float:
    """The mean width across the longest edge."""
    points = corners_of(quad)
    edges = [_sub(points[i], points[i - 1]) for i in range(4)]
    longest = max(math.sqrt(_dot(e, e)) for e in edges)
    return abs(signed_area(points)) / longest if longest else 0.0


def is_whole(share: float) -> bool:
    """Nothing was cut off."""
    return share >= 1 - _SLACK


def overlap(a: Box, b: Box) -> bool:
    """Two boxes touch or overlap."""
    return a[0] <= b[2] + 1 and b[0] <= a[2] + 1 and a[1] <= b[3] + 1 and b[1] <= a[3] + 1


def boxed_again(quad: Sequence[Point], points: Sequence[Point]) -> list[Point]:
    """A box around `points` with the axes and the corner order of `quad`; the smallest one if it is no rectangle."""
    if is_rectangle(quad):
        return _rectangle(points, *_axes(quad[0], quad[1], quad[3]))
    return smallest(points, like=quad)


def is_rectangle(quad: Sequence[Point]) -> bool:
    """Within a degree or a pixel."""
    a, b = _sub(quad[1], quad[0]), _sub(quad[3], quad[0])
    la, lb = math.sqrt(_dot(a, a)), math.sqrt(_dot(b, b))
    if la <= 0 or lb <= 0:
        return False
    skew = abs(_dot(a, b))
    gap = _sub(_sub(quad[2], quad[1]), b)
    open_by = math.sqrt(_dot(gap, gap))
    return (skew <= _DEGREE * la * lb or skew <= max(la, lb)) and (open_by <= 1 or open_by <= _DEGREE * min(la, lb))


def smallest(points: Sequence[Point], like: Sequence[Point] | None = None, winding: float = 1.0) -> list[Point]:
    """The rectangle of least area around points; one of its sides lies on their hull.

    Corners run as those of `like` and begin nearest to its first; without `like` they run clockwise on the screen, or
    the other way if `winding` is negative, and begin at the top.
    """
    rim = hull(points)
    best, least = list(rim[:1]) * 4, math.inf
    for i, p in enumerate(rim):
        q = rim[(i + 1) % len(rim)]
        if p == q:
            continue
        found = _rectangle(rim, *_axes(p, q, (p[0] - (q[1] - p[1]), p[1] + (q[0] - p[0]))))
        size = abs(signed_area(found))
        if size < least - _SLACK * max(least if math.isfinite(least) else 0.0, 1.0):
            best, least = found, size
    if like is not None:
        winding = signed_area(like)
    if signed_area(best) * winding < 0:
        best.reverse()
    if like is not None:
        start = like[0]
        first = min(range(4), key=lambda i: (best[i][0] - start[0]) ** 2 + (best[i][1] - start[1]) ** 2)
    else:
        first = min(range(4), key=lambda i: (best[i][1], best[i][0]))
    return best[first:] + best[:first]


def hull(points: Sequence[Point]) -> list[Point]:
    """The convex hull (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered

    def half(run: Sequence[Point]) -> list[Point]:
        found: list[Point] = []
        for p in run:
            while len(found) > 1:
                a, b = _sub(found[-1], found[-2]), _sub(p, found[-2])
                if a[0] * b[1] - a[1] * b[0] > 0:
                    break
                found.pop()
            found.append(p)
        return found[:-1]

    return half(ordered) + half(ordered[::-1])


def signed_area(points: Sequence[Point]) -> float:
    """Positive if the points run clockwise on the screen, where y grows downward."""
    total = 0.0
    px, py = points[-1]
    for x, y in points:
        total += px * y - x * py
        px, py = x, y
    return total / 2


def _sub(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1]


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1]


def _axes(o: Point, a: Point, b: Point) -> tuple[Point, Point]:
    """Unit vectors along o→a and across it on the side of b."""
    d = _sub(a, o)
    length = math.sqrt(_dot(d, d))
    u = d[0] / length, d[1] / length
    v = -u[1], u[0]
    return (u, (-v[0], -v[1])) if _dot(_sub(b, o), v) < 0 else (u, v)


def _rectangle(points: Sequence[Point], u: Point, v: Point) -> list[Point]:
    """The rectangle along u and v around points: the corner of least u and v first, then along u."""
    us, vs = [_dot(p, u) for p in points], [_dot(p, v) for p in points]
    u0, u1, v0, v1 = min(us), max(us), min(vs), max(vs)
    return [(a * u[0] + b * v[0], a * u[1] + b * v[1]) for a, b in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]
