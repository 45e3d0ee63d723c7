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
        count = draw.integers(*self.num_holes_range)
        rects = draw.holes(count, self.hole_height_range, self.hole_width_range, ctx.w, ctx.h)
        if len(rects) > 1:
            ctx.paint(rects, hole_ink(ctx, self.fill), self.fill_mask, "shrink")
