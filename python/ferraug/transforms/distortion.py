"""Distortions: resampling through a field."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import Bool, Border, Choice, Fill, Int, Interp, Prob, Sym
from ferraug.transform import Transform


class GridDistortion(Transform):
    """Stretch and squeeze the columns and rows of a grid.

    Boxes and keypoints follow the pixels; those that leave the image are dropped.
    """

    kind: ClassVar[str] = "dual"
    num_steps: Int = Int("Cells of the grid in each direction.", low=1, high=32767, default=5)
    distort_limit: Sym = Sym("Relative change of a cell's side.", low=-1, high=1, default=(-0.3, 0.3))
    interpolation: Interp = Interp(default=1)
    normalized: Bool = Bool("Keep the image's edges in place.", default=True)
    mask_interpolation: Interp = Interp("Interpolation of masks.", default=0)
    keypoint_remapping_method: Choice = Choice(
        "Kept from Albumentations: both find the pixel that the keypoint's pixel went to.",
        options=("mask", "direct"), default="mask",
    )  # fmt: skip
    p: Prob = Prob(default=0.5)
    border_mode: Border = Border(default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)

    def emit(self, ctx: Context) -> None:
        within, limit, n = ctx.draw.within, self.distort_limit, self.num_steps
        across = [1 + within(limit) for _ in range(n + 1)]
        down = [1 + within(limit) for _ in range(n + 1)]
        steps_x = tuple(ctx.grid_steps(n, ctx.w, across, self.normalized))
        steps_y = tuple(ctx.grid_steps(n, ctx.h, down, self.normalized))
        ctx.warp(
            ("axes", steps_x, steps_y), ctx.w, ctx.h, self.interpolation, self.mask_interpolation, self.border_mode,
            self.fill, self.fill_mask,
        )  # fmt: skip
