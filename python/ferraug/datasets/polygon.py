"""Small polygon arithmetic on flat x y x y arrays: extent, area, clipping to a frame."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from .model import Box, Instance


def extent(parts: Sequence[Sequence[float]]) -> Box:
    """Least and greatest x and y of all parts."""
    if len(parts) == 1:
        ax, ay = parts[0][0::2], parts[0][1::2]
        return min(ax), min(ay), max(ax), max(ay)
    xs = [x for part in parts for x in part[0::2]]
    ys = [y for part in parts for y in part[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


def area(part: Sequence[float]) -> float:
    """Absolute shoelace area of one part. A loop, because `sum` of floats rounds differently from Python 3.12 on."""
    xs, ys = part[0::2], part[1::2]
    total = 0.0
    px, py = xs[-1], ys[-1]
    for x, y in zip(xs, ys, strict=True):
        total += px * y - x * py
        px, py = x, y
    return abs(total) / 2


def clip(part: Sequence[float], w: float, h: float) -> array[float]:
    """The part cut to [0, w] x [0, h], one edge of the frame after the other; fewer than 3 points if nothing is left.

    A concave part that leaves and returns keeps a seam of zero width along the border, which changes no area.
    """
    points = list(zip(part[0::2], part[1::2], strict=True))
    for axis, bound, keep_below in ((0, 0.0, False), (0, w, True), (1, 0.0, False), (1, h, True)):
        if not points:
            break
        out: list[tuple[float, float]] = []
        before = points[-1]
        for point in points:
            inside = point[axis] <= bound if keep_below else point[axis] >= bound
            was = before[axis] <= bound if keep_below else before[axis] >= bound
            if inside != was:
                share = (bound - before[axis]) / (point[axis] - before[axis])
                other = before[1 - axis] + share * (point[1 - axis] - before[1 - axis])
                out.append((bound, other) if axis == 0 else (other, bound))
            if inside:
                out.append(point)
            before = point
        points = out
    return array("d", [v for point in points for v in point])


def turned(x: float, y: float, stored: tuple[int, int], orientation: int) -> tuple[float, float]:
    """An edge point of the stored frame (w, h) in the upright one."""
    w, h = stored
    match orientation:
        case 2:
            return w - x, y
        case 3:
            return w - x, h - y
        case 4:
            return x, h - y
        case 5:
            return y, x
        case 6:
            return h - y, x
        case 7:
            return h - y, w - x
        case 8:
            return y, w - x
    return x, y


def turned_box(box: Box, stored: tuple[int, int], orientation: int) -> Box:
    """A box of the stored frame in the upright one."""
    ax, ay = turned(box[0], box[1], stored, orientation)
    bx, by = turned(box[2], box[3], stored, orientation)
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def is_amodal(instance: Instance) -> bool:
    """The source's box is not its outline's extent (more than 2 px and 2 %), so it is mapped by itself."""
    if not instance.parts or instance.box is None:
        return False
    box = instance.box
    off = max(abs(a - b) for a, b in zip(extent(instance.parts), box, strict=True))
    return off > 2 and off > 0.02 * max(box[2] - box[0], box[3] - box[1])
