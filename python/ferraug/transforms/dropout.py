"""Dropout: regions of the image are painted over, and what lies under them is hidden."""

from __future__ import annotations

from typing import Any, ClassVar

from ferraug.context import Context
from ferraug.params import Fill, HoleFill, HoleRange, Maybe, Prob, RangeInt
from ferraug.transform import Transform


def hole_ink(ctx: Context, fill: Any) -> Any:
    """What a hole is painted with; the core cuts numbers to integers on integer images, as in 2.0.8."""
    if isinstance(fill, str):
        if fill == "nan":
            return fill
        return ("random" if fill == "random" else "each"), ctx.draw.seed()
    return fill


def lengths(ctx: Context, limits: tuple[float, float], side: int) -> tuple[Any, float, float]:
    """How the length of a hole is drawn along a side: (function, low, high), whose result is to be cut to pixels."""
    low, high = limits
    if isinstance(high, float):
        return ctx.draw.uniform, low * side, high * side
    return ctx.draw.integers, min(low, side), min(high, side)


class CoarseDropout(Transform):
    """Paint over random rectangles (Cutout, DeVries and Taylor 2017).

    Boxes shrink to what is left visible of them; keypoints in a hole go, if invisible ones are removed.
    """

    kind: ClassVar[str] = "dual"
    num_holes_range: RangeInt = RangeInt("Range of the number of holes.", low=1, high=1e6, default=(1, 2))
    hole_height_range: HoleRange = HoleRange("Range of a hole's height.", default=(0.1, 0.2))
    hole_width_range: HoleRange = HoleRange("Range of a hole's width.", default=(0.1, 0.2))
    fill: HoleFill = HoleFill("'random' is drawn per pixel, 'random_uniform' per hole.", default=0)
    fill_mask: Maybe = Maybe(Fill(), "What masks are painted with; None leaves them.", default=None)
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        integers, width, height = ctx.draw.integers, ctx.w, ctx.h
        some_height, least_h, most_h = lengths(ctx, self.hole_height_range, height)
        some_width, least_w, most_w = lengths(ctx, self.hole_width_range, width)
        rects: list[Any] = ["rects"]
        for _ in range(integers(*self.num_holes_range)):
            h, w = int(some_height(least_h, most_h)), int(some_width(least_w, most_w))
            y, x = integers(0, height - h), integers(0, width - w)
            if w and h:
                rects += (x, y, x + w, y + h)
        if len(rects) > 1:
            ctx.paint(tuple(rects), hole_ink(ctx, self.fill), self.fill_mask, "shrink")
