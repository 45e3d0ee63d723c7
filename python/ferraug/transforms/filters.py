"""Sharpening and other filters."""

from __future__ import annotations

from ferraug.context import Context
from ferraug.params import Choice, Float, InterpPair, OddInt, Prob, Range
from ferraug.transform import Transform


class Sharpen(Transform):
    """Sharpen, and blend with the image as it was."""

    alpha: Range = Range("Share of the sharpened image.", low=0, high=1, default=(0.2, 0.5))
    lightness: Range = Range("Added to the middle weight of the kernel, 8.", low=0, default=(0.5, 1.0))
    method: Choice = Choice(
        "A 3×3 Laplacian kernel, or the difference to a Gaussian.", options=("kernel", "gaussian"), default="kernel"
    )
    kernel_size: OddInt = OddInt("Side of the Gaussian.", default=5)
    sigma: Float = Float("Standard deviation of the Gaussian in pixels.", low=0, default=1.0)
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        alpha = ctx.draw.within(self.alpha)
        if self.method == "gaussian":
            with ctx.aside("lerp", 1 + alpha, -alpha):
                ctx.op("gauss", self.kernel_size, self.sigma)
            return
        edge = -alpha
        middle = (1 - alpha) + alpha * (8 + ctx.draw.within(self.lightness))
        ctx.op("conv", ("weights", 3, (edge, edge, edge, edge, middle, edge, edge, edge, edge)))


class Downscale(Transform):
    """Lose detail: resize down and up again."""

    scale_range: Range = Range("Scale of the small image.", low=1e-6, high=1, default=(0.25, 0.25))
    interpolation_pair: InterpPair = InterpPair(
        "Interpolations, in OpenCV's numbers.", default={"upscale": 0, "downscale": 0}
    )
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        scale = ctx.draw.within(self.scale_range)
        w, h = ctx.w, ctx.h
        with ctx.aside("take"):
            down = self.interpolation_pair["downscale"]
            ctx.resize(max(1, round(w * scale)), max(1, round(h * scale)), down, 0, factor=scale)
            ctx.resize(w, h, self.interpolation_pair["upscale"], 0)
