"""Brightness, contrast, colour: the value of a pixel changes, its place does not."""

from __future__ import annotations

import warnings

from ferraug.context import Context
from ferraug.params import (
    Anything,
    Around,
    Bool,
    Choice,
    Float,
    Int,
    Maybe,
    OnePlus,
    PerChannel,
    Prob,
    Sym,
)
from ferraug.transform import Transform


def need_channels(
    transform: Transform, ctx: Context, allowed: tuple[int, ...], kind: type[Exception] = TypeError
) -> None:
    """An error that names the transform, if the image has other numbers of channels."""
    if ctx.c and ctx.c not in allowed:
        words = " or ".join(map(str, allowed))
        raise kind(f"{type(transform).__name__} needs {words} channels, got {ctx.c}")


class RandomBrightnessContrast(Transform):
    """Change contrast and brightness: v·a + b, clipped."""

    brightness_limit: Sym = Sym("Range of b as a fraction of the highest value, or of the mean.", default=(-0.2, 0.2))
    contrast_limit: Sym = Sym("Range of a − 1.", default=(-0.2, 0.2))
    brightness_by_max: Bool = Bool("Brightness is relative to the highest value, not to the mean.", default=True)
    ensure_safe_range: Bool = Bool("Limit a and b so that nothing is clipped.", default=False)
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        draw = ctx.draw
        a, b = 1.0 + draw.within(self.contrast_limit), draw.within(self.brightness_limit)
        if not self.brightness_by_max:
            ctx.op("linear_mean", a, b, "all", self.ensure_safe_range, "first")
            return
        if self.ensure_safe_range and a > 0:
            b = min(max(b, 0.0), 1.0)
            a = min(a, 1.0 - b)
        ctx.op("linear", a, b, "trunc", True, "max")


class RandomGamma(Transform):
    """Raise values to a power: (v/max)^g·max."""

    gamma_limit: OnePlus = OnePlus("Range of g in hundredths.", default=(80, 120))
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        ctx.op("gamma", ctx.draw.within(self.gamma_limit) / 100)


class InvertImg(Transform):
    """Make a negative: max − v."""

    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        ctx.op("linear", -1.0, 1.0, "trunc", True, "max")


class Normalize(Transform):
    """Turn values into float32 of a given or the image's own scale.

    "standard" is (v − mean·max_pixel_value) / (std·max_pixel_value), not clipped; the other forms use the statistics of
    the image (of the whole stack or volume) and clip to ±20. The default mean and std are those of ImageNet.
    """

    mean: PerChannel = PerChannel("Mean, as a fraction of max_pixel_value.", default=(0.485, 0.456, 0.406))
    std: PerChannel = PerChannel("Standard deviation, as a fraction of max_pixel_value.", default=(0.229, 0.224, 0.225))
    max_pixel_value: Maybe = Maybe(Float(), "Highest value: 255 for uint8, 1 for float images in 0..1.", default=255.0)
    normalization: Choice = Choice(
        "What the values are scaled by.",
        options=("standard", "image", "image_per_channel", "min_max", "min_max_per_channel"),
        default="standard",
    )
    p: Prob = Prob(default=1.0)

    def check(self) -> None:
        std = self.std if isinstance(self.std, tuple) else (self.std,)
        mean = self.mean if isinstance(self.mean, tuple) else (self.mean,)
        if not std or not mean or 0 in std:
            raise ValueError(f"Normalize: mean must not be empty and std not empty or 0, got {self.mean}, {self.std}")
        if self.normalization == "standard":
            if not self.max_pixel_value:
                raise ValueError(f"Normalize: max_pixel_value must not be {self.max_pixel_value}")
            self._mean = tuple(m * self.max_pixel_value for m in mean)
            self._denom = tuple(1 / (s * self.max_pixel_value) for s in std)

    def emit(self, ctx: Context) -> None:
        if self.normalization == "standard":
            for values in (self._mean, self._denom):
                if 1 < len(values) < ctx.c:
                    warnings.warn(
                        f"Normalize: {len(values)} values of mean or std for {ctx.c} channels; the first is used for all",
                        UserWarning,
                        stacklevel=2,
                    )
            ctx.op("normalize", self._mean, self._denom)
        else:
            ctx.op("standardize", self.normalization, "stack")
        ctx.retype("float32", 1.0)


class ToFloat(Transform):
    """Turn values into float32: v / max_value; images of floats are taken to be in 0..1 already."""

    max_value: Maybe = Maybe(Float(), "What becomes 1; None is the highest value of the dtype.", default=None)
    p: Prob = Prob(default=1.0)

    def check(self) -> None:
        if self.max_value == 0:
            raise ValueError("ToFloat: max_value must not be 0")

    def emit(self, ctx: Context) -> None:
        if ctx.dtype and not (self.max_value or ctx.max_value):
            raise RuntimeError(f"ToFloat: dtype {ctx.dtype} has no highest value; set max_value")
        ctx.op("cast", "float32", self.max_value)
        if ctx.dtype:
            ctx.retype("float32", 1.0)


class HueSaturationValue(Transform):
    """Shift hue, saturation and value of an RGB image; of a gray one, the value."""

    hue_shift_limit: Sym = Sym("Range of the hue shift in units of 2 degrees.", default=(-20, 20))
    sat_shift_limit: Sym = Sym("Range of the saturation shift, of 255; colourless pixels stay so.", default=(-30, 30))
    val_shift_limit: Sym = Sym("Range of the value shift, of 255.", default=(-20, 20))
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        need_channels(self, ctx, (1, 3))
        draw = ctx.draw
        hue, sat = draw.within(self.hue_shift_limit), draw.within(self.sat_shift_limit)
        val = draw.within(self.val_shift_limit)
        if not (hue or sat or val):
            return
        if ctx.c == 1 and (hue or sat):
            warnings.warn("HueSaturationValue: a gray image has a value only", UserWarning, stacklevel=2)
        ctx.space("rgb", "hsv")
        ctx.op("hsv_shift", hue, sat, val)
        ctx.space("hsv", "rgb")


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue by random factors in random order, as torchvision's."""

    brightness: Around = Around("Range of the factor.", low=0, default=(0.8, 1.2))
    contrast: Around = Around("Range of the factor, about the mean gray.", low=0, default=(0.8, 1.2))
    saturation: Around = Around("Range of the factor, about the gray image.", low=0, default=(0.8, 1.2))
    hue: Around = Around("Range of the shift in turns.", centre=0, low=-0.5, high=0.5, default=(-0.5, 0.5))
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        need_channels(self, ctx, (1, 3))
        draw, colour = ctx.draw, not ctx.all_gray
        brightness, contrast = draw.within(self.brightness), draw.within(self.contrast)
        saturation, hue = draw.within(self.saturation), draw.within(self.hue)
        for step in draw.shuffle(4):
            if step == 0 and brightness != 1:
                ctx.op("linear", brightness, 0.0, "trunc", True)
            elif step == 1 and contrast != 1:
                ctx.op("linear_mean", contrast, 1 - contrast, "gray", False, "slice")
            elif step == 2 and saturation != 1 and colour:
                with ctx.aside("lerp", saturation, 1 - saturation):
                    ctx.gray("weighted_average", 3)
            elif step == 3 and hue != 0 and colour:
                ctx.space("rgb", "hsv")
                ctx.op("hsv_shift", 180 * hue, 0.0, 0.0)
                ctx.space("hsv", "rgb")


class ToGray(Transform):
    """Turn colours into grays, on as many channels as asked."""

    num_output_channels: Int = Int("Channels of the result, all equal.", low=1, high=512, default=3)
    method: Choice = Choice(
        "weighted_average (0.299, 0.587, 0.114) and from_lab (lightness) need RGB; desaturation is (max + min)/2, pca "
        "the first principal component.",
        options=("weighted_average", "from_lab", "desaturation", "average", "max", "pca"),
        default="weighted_average",
    )
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        if ctx.c == 1:
            warnings.warn("ToGray: the image is gray already", UserWarning, stacklevel=2)
            if not ctx.session.mixed:
                return
        elif self.method in ("weighted_average", "from_lab"):
            need_channels(self, ctx, (3,))
        channels = 1 if ctx.c == 1 else self.num_output_channels  # of the primary image; gray ones stay as they are
        if self.method == "pca":
            ctx.op("pca_gray", self.num_output_channels)
        else:
            ctx.gray(self.method, self.num_output_channels)
        ctx.c = channels


class ChannelShuffle(Transform):
    """Put the channels in random order."""

    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        if ctx.c > 1:
            ctx.op("channels", tuple(ctx.draw.shuffle(ctx.c)), 0)


class Equalize(Transform):
    """Make all values equally frequent; float images are worked on in 8 bits."""

    works_in = "u8"
    mode: Choice = Choice("As cv2.equalizeHist, or as PIL.ImageOps.equalize.", options=("cv", "pil"), default="cv")
    by_channels: Bool = Bool("Each channel for itself, else the luma of YCrCb only.", default=True)
    mask: Anything = Anything(
        "Which pixels are counted: an array (H, W) or (H, W, 3), not 0 where they are, or a function of the image and the "
        "mask_params that returns one.",
        default=None,
    )
    mask_params: Anything = Anything("Keys of the call that the mask function takes.", default=())
    p: Prob = Prob(default=0.5)

    def check(self) -> None:
        if self.mask is not None and not callable(self.mask) and not hasattr(self.mask, "shape"):
            raise TypeError(f"Equalize: mask must be an array, a function or None, got {type(self.mask).__name__}")

    def counted(self, ctx: Context) -> int | None:
        """The input that says which pixels are counted."""
        mask = self.mask
        if callable(mask):
            missing = [key for key in self.mask_params if key not in ctx.data]
            if missing and not ctx.blank:
                raise KeyError(f"Equalize: the mask function needs {', '.join(map(repr, missing))} in the call")
            mask = None if ctx.blank else mask(ctx.pixels("image"), **{key: ctx.data[key] for key in self.mask_params})
        if mask is None:
            return None
        if not hasattr(mask, "shape") or not hasattr(mask, "ndim"):
            raise TypeError(f"Equalize: the mask function must return an array or None, got {type(mask).__name__}")
        channels = mask.shape[2] if mask.ndim == 3 else 1
        if channels > 1 and (ctx.c == 1 or not self.by_channels):
            raise ValueError(f"Equalize: mask has {channels} channels, one is needed here")
        return ctx.input(mask)

    def emit(self, ctx: Context) -> None:
        need_channels(self, ctx, (1, 3), ValueError)
        mask = self.counted(ctx)
        if self.by_channels or ctx.all_gray:
            ctx.op("equalize", self.mode, mask)
            return
        ctx.space("rgb", "ycrcb")
        with ctx.aside("put", channels=(0,)):
            ctx.op("equalize", self.mode, mask)
        ctx.space("ycrcb", "rgb")
