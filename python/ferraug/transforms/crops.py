"""Crops: windows of the image, some of them resized afterwards."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import (
    MAX_SIDE,
    Bool,
    Border,
    Choice,
    Fill,
    Float,
    Int,
    Ints,
    Maybe,
    Prob,
    Range,
    ResizeInterp,
    Side,
    SizePair,
)
from ferraug.transform import CropSizeError, Transform

POSITIONS = ("center", "top_left", "top_right", "bottom_left", "bottom_right", "random")
AREA_FOR = Choice(options=("image", "image_mask"))


class _Window(Transform):
    """A window of fixed size; the image may be padded to hold it."""

    kind: ClassVar[str] = "dual"
    height: Side = Side("Height of the window in pixels.")
    width: Side = Side("Width of the window in pixels.")
    pad_if_needed: Bool = Bool("Pad a smaller image instead of raising CropSizeError.", default=False)
    pad_position: Choice = Choice("Where the image lies on the padded canvas.", options=POSITIONS, default="center")
    border_mode: Border = Border("What the padding shows.", default=0)
    fill: Fill = Fill("Fill of constant padding.", default=0.0)
    fill_mask: Fill = Fill("The same for masks.", default=0.0)
    p: Prob = Prob(default=1.0)

    def make_room(self, ctx: Context) -> None:
        """Pads the image, which is smaller than the window, or refuses it."""
        w, h = max(ctx.w, self.width), max(ctx.h, self.height)
        if not self.pad_if_needed:
            raise CropSizeError(
                f"{type(self).__name__}: crop (height {self.height}, width {self.width}) is larger than the image "
                f"(height {ctx.h}, width {ctx.w}); use pad_if_needed=True"
            )
        left, top = ctx.place(self.pad_position, w - ctx.w, h - ctx.h)
        ctx.pad(left, top, w, h, self.border_mode, self.fill, self.fill_mask)


class RandomCrop(_Window):
    """Crop a window of fixed size at a random place."""

    def emit(self, ctx: Context) -> None:
        w, h = self.width, self.height
        if w > ctx.w or h > ctx.h:
            self.make_room(ctx)
        x, y = ctx.corner(w, h)
        ctx.crop(x, y, w, h)


class CenterCrop(_Window):
    """Crop a window of fixed size from the middle."""

    def emit(self, ctx: Context) -> None:
        w, h = self.width, self.height
        if w > ctx.w or h > ctx.h:
            self.make_room(ctx)
        ctx.crop((ctx.w - w) // 2, (ctx.h - h) // 2, w, h)


class Crop(Transform):
    """Crop a window at a fixed place."""

    kind: ClassVar[str] = "dual"
    x_min: Int = Int("Left edge of the window in pixels.", low=0, high=MAX_SIDE, default=0)
    y_min: Int = Int("Upper edge.", low=0, high=MAX_SIDE, default=0)
    x_max: Side = Side("Right edge (not included).", default=1024)
    y_max: Side = Side("Lower edge (not included).", default=1024)
    pad_if_needed: Bool = Bool("Pad a smaller image instead of raising ValueError.", default=False)
    pad_position: Choice = Choice("Where the image lies on the padded canvas.", options=POSITIONS, default="center")
    border_mode: Border = Border("What the padding shows.", default=0)
    fill: Fill = Fill("Fill of constant padding.", default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    p: Prob = Prob(default=1.0)

    def check(self) -> None:
        if self.x_min >= self.x_max or self.y_min >= self.y_max:
            raise ValueError(
                f"Crop: x_min < x_max and y_min < y_max are needed, got x {self.x_min}..{self.x_max}, "
                f"y {self.y_min}..{self.y_max}"
            )

    def emit(self, ctx: Context) -> None:
        right, bottom = max(0, self.x_max - ctx.w), max(0, self.y_max - ctx.h)
        if right or bottom:
            if not self.pad_if_needed:
                raise ValueError(
                    f"Crop: the window (x {self.x_min}..{self.x_max}, y {self.y_min}..{self.y_max}) leaves the image "
                    f"(width {ctx.w}, height {ctx.h}); use pad_if_needed=True"
                )
            # as in 2.0.8: the position moves the image, the room right and below it stays what the window needs
            left, top = ctx.place(self.pad_position, right, bottom)
            w, h = ctx.w + left + right, ctx.h + top + bottom
            ctx.pad(left, top, w, h, self.border_mode, self.fill, self.fill_mask)
        ctx.crop(self.x_min, self.y_min, self.x_max - self.x_min, self.y_max - self.y_min)


class RandomResizedCrop(Transform):
    """Crop a window of random area and shape and resize it, as in the training of Inception (Szegedy et al. 2014)."""

    kind: ClassVar[str] = "dual"
    size: SizePair = SizePair("Size of the result.")
    scale: Range = Range("Area of the window as a fraction of the image.", low=0, high=1, default=(0.08, 1.0))
    ratio: Range = Range("Width of the window by its height.", low=0, default=(0.75, 1.3333333333333333))
    interpolation: ResizeInterp = ResizeInterp(default=1)
    mask_interpolation: ResizeInterp = ResizeInterp("Interpolation of masks.", default=0)
    area_for_downscale: Maybe = Maybe(AREA_FOR, "Where shrinking uses interpolation 3 (area) instead.", default=None)
    p: Prob = Prob(default=1.0)

    def window(self, ctx: Context) -> tuple[int, int, int, int]:
        """(x, y, w, h): ten tries, then the largest window in the middle whose shape is allowed."""
        draw = ctx.draw
        low, high = self.ratio
        if low > 0:
            area, log = ctx.w * ctx.h, (ctx.ln(low), ctx.ln(high))
            for _ in range(10):
                target = area * draw.within(self.scale)
                ratio = ctx.exp(draw.within(log))
                w, h = round(ctx.sqrt(target * ratio)), round(ctx.sqrt(target / ratio))
                if 0 < w <= ctx.w and 0 < h <= ctx.h:
                    return (*ctx.corner(w, h), w, h)
        w, h = ctx.w, ctx.h
        if w < h * low:
            h = max(1, round(w / low))
        elif w > h * high:
            w = max(1, round(h * high))
        return (ctx.w - w) // 2, (ctx.h - h) // 2, w, h

    def emit(self, ctx: Context) -> None:
        ctx.crop(*self.window(ctx))
        h, w = self.size
        ctx.resize(w, h, self.interpolation, self.mask_interpolation, self.area_for_downscale)


class BBoxSafeRandomCrop(Transform):
    """Crop a random window that keeps every box; the size of the result varies."""

    kind: ClassVar[str] = "dual"
    erosion_rate: Float = Float(
        "How much of the boxes' common extent may be lost, 0 none, 1 all; without boxes, of the image.",
        low=0, high=1, default=0.0,
    )  # fmt: skip
    p: Prob = Prob(default=1.0)

    def must_keep(self, ctx: Context) -> tuple[float, float, float, float] | None:
        """The extent that may not be cut, as fractions of the image."""
        if not ctx.has_boxes:
            raise KeyError("BBoxSafeRandomCrop needs bboxes")
        rows = ctx.boxes()
        if not rows or self.erosion_rate == 1:
            return None
        x0, y0 = min(row[0] for row in rows) / ctx.w, min(row[1] for row in rows) / ctx.h
        x1, y1 = max(row[2] for row in rows) / ctx.w, max(row[3] for row in rows) / ctx.h
        if len(rows) > 1:
            dx, dy = self.erosion_rate * (x1 - x0) / 2, self.erosion_rate * (y1 - y0) / 2
            x0, y0, x1, y1 = x0 + dx, y0 + dy, x1 - dx, y1 - dy
        if x1 - x0 < 1e-6 or y1 - y0 < 1e-6:
            return None
        return max(x0, 0.0), max(y0, 0.0), min(x1, 1.0), min(y1, 1.0)

    def emit(self, ctx: Context) -> None:
        draw, w, h = ctx.draw, ctx.w, ctx.h
        keep = self.must_keep(ctx)
        if keep is None:
            least = int(h * (1.0 - self.erosion_rate))
            ch = h if least >= h else max(1, draw.integers(least, h))
            cw = max(1, int(ch * w / h))
            ctx.crop(*ctx.corner(min(cw, w), ch), min(cw, w), ch)
            return
        left, top, right, bottom = keep
        x0, y0 = int(left * draw.random() * w), int(top * draw.random() * h)
        x1 = int((right + (1 - right) * draw.random()) * w)
        y1 = int((bottom + (1 - bottom) * draw.random()) * h)
        ctx.crop(x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))


class CropNonEmptyMaskIfExists(Transform):
    """Crop a window of fixed size that contains a set pixel of the mask, if there is one."""

    kind: ClassVar[str] = "dual"
    height: Side = Side("Height of the window in pixels.")
    width: Side = Side("Width of the window in pixels.")
    ignore_values: Maybe = Maybe(Ints(), "Values of the mask that count as not set.", default=None)
    ignore_channels: Maybe = Maybe(Ints(), "Channels of the mask that do not count.", default=None)
    p: Prob = Prob(default=1.0)

    def emit(self, ctx: Context) -> None:
        if not ctx.has_mask:
            raise RuntimeError("CropNonEmptyMaskIfExists needs a mask or masks")
        width, height, draw = self.width, self.height, ctx.draw
        if width > ctx.w or height > ctx.h:
            raise CropSizeError(
                f"CropNonEmptyMaskIfExists: crop (height {height}, width {width}) is larger than the mask "
                f"(height {ctx.h}, width {ctx.w})"
            )
        count = ctx.nonzero(self.ignore_values, self.ignore_channels)
        if count:
            x, y = ctx.nonzero_at(draw.integers(0, count - 1))
            x = min(max(x - draw.integers(0, width - 1), 0), ctx.w - width)
            y = min(max(y - draw.integers(0, height - 1), 0), ctx.h - height)
        else:
            x, y = draw.integers(0, ctx.w - width), draw.integers(0, ctx.h - height)
        ctx.crop(x, y, width, height)
