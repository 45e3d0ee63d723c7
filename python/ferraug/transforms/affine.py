"""Rotations, affine maps and perspective: resampling through a matrix."""

from __future__ import annotations

import warnings
from typing import ClassVar

from ferraug.context import Context
from ferraug.params import AxisRange, Bool, Border, Choice, Fill, Fixed, Interp, Maybe, NonNeg, Prob, Sym
from ferraug.transform import Transform

BOX_METHODS = ("largest_box", "ellipse")


class Rotate(Transform):
    """Turn by a random angle about the centre; the size stays."""

    kind: ClassVar[str] = "dual"
    limit: Sym = Sym("Range of the angle in degrees, counter-clockwise.", default=(-90, 90))
    interpolation: Interp = Interp(default=1)
    border_mode: Border = Border(default=0)
    rotate_method: Choice = Choice(
        "How boxes turn: the extent of their corners, or of the ellipse in them.", options=BOX_METHODS,
        default="largest_box",
    )  # fmt: skip
    crop_border: Bool = Bool("Crop to the largest rectangle that shows no border; the size varies.", default=False)
    mask_interpolation: Interp = Interp("Interpolation of masks.", default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        angle = ctx.draw.within(self.limit)
        w, h = ctx.w, ctx.h
        matrix = ctx.affine(angle, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, w / 2 - 0.5, h / 2 - 0.5)
        ctx.warp(
            ("affine", *matrix, 1.0, self.rotate_method), w, h, self.interpolation, self.mask_interpolation,
            self.border_mode, self.fill, self.fill_mask, True,
        )  # fmt: skip
        if self.crop_border:
            ctx.crop(*ctx.inner_rect(w, h, angle))


class Affine(Transform):
    """Scale, turn, shear and move, in that order, about the centre."""

    kind: ClassVar[str] = "dual"
    scale: AxisRange = AxisRange("Factor of the size.", neutral=1.0, low=1e-6, high=1e6, default=(1.0, 1.0))
    translate_percent: Maybe = Maybe(
        AxisRange(), "Move as a fraction of the side; not with translate_px.", default=None
    )
    translate_px: Maybe = Maybe(AxisRange(ints=True), "Move in whole pixels; not with translate_percent.", default=None)
    rotate: Fixed = Fixed("Angle in degrees, counter-clockwise.", default=0.0)
    shear: AxisRange = AxisRange("Shear angle in degrees.", default=(0.0, 0.0))
    interpolation: Interp = Interp(default=1)
    mask_interpolation: Interp = Interp("Interpolation of masks.", default=0)
    fit_output: Bool = Bool("Make the canvas hold the whole image; the size varies.", default=False)
    keep_ratio: Bool = Bool("Use the same scale for x and y.", default=False)
    rotate_method: Choice = Choice(
        "How boxes turn: the extent of their corners, or of the ellipse in them.", options=BOX_METHODS,
        default="largest_box",
    )  # fmt: skip
    balanced_scale: Bool = Bool("Shrink and enlarge equally often, whatever the range.", default=False)
    border_mode: Border = Border(default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    p: Prob = Prob(default=0.5)

    def check(self) -> None:
        if self.translate_percent is not None and self.translate_px is not None:
            raise ValueError("Affine: only one of translate_percent and translate_px may be set")
        if self.keep_ratio and self.scale["x"] != self.scale["y"]:
            raise ValueError(f"Affine: keep_ratio needs equal scales for x and y, got {self.scale}")

    def translation(self, ctx: Context) -> tuple[int, int]:
        """Whole pixels in x and y."""
        if self.translate_px is not None:
            return ctx.draw.integers(*self.translate_px["x"]), ctx.draw.integers(*self.translate_px["y"])
        if self.translate_percent is not None:
            x, y = ctx.draw.within(self.translate_percent["x"]), ctx.draw.within(self.translate_percent["y"])
            return int(x * ctx.w), int(y * ctx.h)
        return 0, 0

    def factor(self, ctx: Context, axis: str) -> float:
        """The scale of one axis."""
        low, high = self.scale[axis]
        if self.balanced_scale and low < high:
            if low < 1 < high:
                low, high = (low, 1.0) if ctx.draw.random() < 0.5 else (1.0, high)
            elif low >= 1:
                low = max(low, 1.0)
        return ctx.draw.uniform(low, high)

    def emit(self, ctx: Context) -> None:
        draw, w, h = ctx.draw, ctx.w, ctx.h
        tx, ty = self.translation(ctx)
        shear_x, shear_y = draw.within(self.shear["x"]), draw.within(self.shear["y"])
        sx = self.factor(ctx, "x")
        sy = sx if self.keep_ratio else self.factor(ctx, "y")
        angle = draw.within(self.rotate)
        if not (tx or ty or shear_x or shear_y or angle or self.fit_output) and sx == sy == 1:
            return
        matrix = ctx.affine(angle, sx, sy, shear_x, shear_y, float(tx), float(ty), w / 2 - 0.5, h / 2 - 0.5)
        if self.fit_output:
            matrix, w, h = ctx.fit_output(matrix, w, h)
        ctx.warp(
            ("affine", *matrix, max(sx, sy), self.rotate_method), w, h, self.interpolation, self.mask_interpolation,
            self.border_mode, self.fill, self.fill_mask, True,
        )  # fmt: skip


class ShiftScaleRotate(Transform):
    """Move, scale and turn about the centre; the size stays."""

    kind: ClassVar[str] = "dual"
    shift_limit: Sym = Sym("Move as a fraction of the side.", low=-1, high=1, default=(-0.0625, 0.0625))
    scale_limit: Sym = Sym("Scale minus 1, drawn for x and y apart.", low=-0.999999, default=(-0.1, 0.1))
    rotate_limit: Sym = Sym("Angle in degrees, counter-clockwise.", default=(-45, 45))
    interpolation: Interp = Interp(default=1)
    border_mode: Border = Border(default=0)
    shift_limit_x: Maybe = Maybe(Sym(low=-1, high=1), "The move in x, if it differs.", default=None)
    shift_limit_y: Maybe = Maybe(Sym(low=-1, high=1), "The move in y, if it differs.", default=None)
    rotate_method: Choice = Choice(
        "How boxes turn: the extent of their corners, or of the ellipse in them.", options=BOX_METHODS,
        default="largest_box",
    )  # fmt: skip
    mask_interpolation: Interp = Interp("Interpolation of masks.", default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    p: Prob = Prob(default=0.5)

    def check(self) -> None:
        warnings.warn(
            "ShiftScaleRotate does what Affine does with translate_percent, scale and rotate; prefer Affine",
            UserWarning,
            stacklevel=5,
        )

    def emit(self, ctx: Context) -> None:
        draw, w, h = ctx.draw, ctx.w, ctx.h
        tx = int(draw.within(self.shift_limit_x or self.shift_limit) * w)
        ty = int(draw.within(self.shift_limit_y or self.shift_limit) * h)
        sx, sy = 1 + draw.within(self.scale_limit), 1 + draw.within(self.scale_limit)
        angle = draw.within(self.rotate_limit)
        matrix = ctx.affine(angle, sx, sy, 0.0, 0.0, float(tx), float(ty), w / 2 - 0.5, h / 2 - 0.5)
        ctx.warp(
            ("affine", *matrix, max(sx, sy), self.rotate_method), w, h, self.interpolation, self.mask_interpolation,
            self.border_mode, self.fill, self.fill_mask, True,
        )  # fmt: skip


class Perspective(Transform):
    """Look at the image from a random direction: its corners are moved inwards and pulled back to the edges."""

    kind: ClassVar[str] = "dual"
    scale: NonNeg = NonNeg("Standard deviation of the corners' moves, as a fraction of the side.", default=(0.05, 0.1))
    keep_size: Bool = Bool("Resize the result to the size of the image.", default=True)
    fit_output: Bool = Bool("Show the whole image instead of cutting at the moved corners.", default=False)
    interpolation: Interp = Interp(default=1)
    mask_interpolation: Interp = Interp("Interpolation of masks.", default=0)
    border_mode: Border = Border(default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        scale, normal = ctx.draw.within(self.scale), ctx.draw.normal
        a, b, c, d, e, f, g, h = [abs(normal(0.0, scale)) % 0.32 for _ in range(8)]
        corners = (a, b, 1 - c, d, 1 - e, 1 - f, g, 1 - h)
        matrix, width, height, stretch, turn = ctx.perspective(ctx.w, ctx.h, corners, self.keep_size, self.fit_output)
        ctx.warp(
            ("homography", *matrix, stretch, turn), width, height, self.interpolation, self.mask_interpolation,
            self.border_mode, self.fill, self.fill_mask,
        )  # fmt: skip
