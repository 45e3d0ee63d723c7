"""Resizing."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import Choice, Maybe, Prob, ResizeInterp, Side, SizeHw, Sizes
from ferraug.transform import Transform

AREA_FOR = Choice(options=("image", "image_mask"))


class Resize(Transform):
    """Resize to a fixed size."""

    kind: ClassVar[str] = "dual"
    height: Side = Side("Height of the result in pixels.")
    width: Side = Side("Width of the result in pixels.")
    interpolation: ResizeInterp = ResizeInterp(default=1)
    mask_interpolation: ResizeInterp = ResizeInterp("Interpolation of masks.", default=0)
    area_for_downscale: Maybe = Maybe(AREA_FOR, "Where shrinking uses interpolation 3 (area) instead.", default=None)
    p: Prob = Prob(default=1)

    def emit(self, ctx: Context) -> None:
        ctx.resize(self.width, self.height, self.interpolation, self.mask_interpolation, self.area_for_downscale)


class _Proportional(Transform):
    """A resize that keeps the proportions."""

    kind: ClassVar[str] = "dual"
    max_size: Maybe = Maybe(Sizes(), "The side in pixels; of several, one is drawn.", default=None)
    max_size_hw: Maybe = Maybe(SizeHw(), "Instead, bounds for height and width.", default=None)
    interpolation: ResizeInterp = ResizeInterp(default=1)
    mask_interpolation: ResizeInterp = ResizeInterp("Interpolation of masks.", default=0)
    area_for_downscale: Maybe = Maybe(AREA_FOR, "Where shrinking uses interpolation 3 (area) instead.", default=None)
    p: Prob = Prob(default=1)

    def check(self) -> None:
        if (self.max_size is None) == (self.max_size_hw is None):
            raise ValueError(f"{type(self).__name__}: exactly one of max_size and max_size_hw must be set")

    def pick(self, *values: float) -> float:
        """Which of two sides or scales counts."""
        raise NotImplementedError

    def emit(self, ctx: Context) -> None:
        size = self.max_size
        if size is not None:
            if type(size) is tuple:
                size = size[ctx.draw.integers(0, len(size) - 1)]
            scale = size / self.pick(ctx.h, ctx.w)
        else:
            h, w = self.max_size_hw
            if h is None or w is None:
                scale = w / ctx.w if h is None else h / ctx.h
            else:
                scale = (min, max)[self.pick(0, 1) == 0](h / ctx.h, w / ctx.w)
        w, h = max(1, round(ctx.w * scale)), max(1, round(ctx.h * scale))
        # As 2.0.8: keypoints are multiplied by the scale itself, pixels by the ratio of the rounded sizes.
        ctx.resize(w, h, self.interpolation, self.mask_interpolation, self.area_for_downscale, points=scale)


class LongestMaxSize(_Proportional):
    """Resize so that the longer side has a given length; with `max_size_hw`, so that the image just fits in."""

    def pick(self, *values: float) -> float:
        return max(values)


class SmallestMaxSize(_Proportional):
    """Resize so that the shorter side has a given length; with `max_size_hw`, so that the image just covers it."""

    def pick(self, *values: float) -> float:
        return min(values)
