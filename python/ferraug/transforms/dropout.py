"""Dropout: regions of the image are painted over, and what lies under them is hidden."""

from __future__ import annotations

from typing import Any, ClassVar

from ferraug.context import Context
from ferraug.params import Fill, HoleFill, HoleRange, Maybe, Prob, RangeInt
from ferraug.transform import Transform


def hole_ink(ctx: Context, fill: Any) -> Any:
    """What a hole is painted with; on integer images numbers are cut to integers, as in 2.0.8."""
    if fill == "random":
        return ("random", ctx.draw.seed())
    if fill == "random_uniform":
        return ("each", ctx.draw.seed())
    if ctx.dtype[:1] in ("u", "i") and fill != "nan":
        return tuple(int(v) for v in fill) if isinstance(fill, tuple) else int(fill)
    return fill


def length(ctx: Context, limits: tuple[float, float], side: int) -> int:
    """A hole's side in pixels."""
    low, high = limits
    if isinstance(high, float):
        return int(side * ctx.draw.uniform(low, high))
    return ctx.draw.integers(min(int(low), side), min(int(high), side))


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
        draw = ctx.draw
        rects: list[int] = []
        for _ in range(draw.integers(*self.num_holes_range)):
            h = length(ctx, self.hole_height_range, ctx.h)
            w = length(ctx, self.hole_width_range, ctx.w)
            y, x = draw.integers(0, ctx.h - h), draw.integers(0, ctx.w - w)
            if w and h:
                rects += (x, y, x + w, y + h)
        if rects:
            ctx.paint(("rects", *rects), hole_ink(ctx, self.fill), self.fill_mask, "shrink")
