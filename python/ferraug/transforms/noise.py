"""Noise."""

from __future__ import annotations

from ferraug.context import Context
from ferraug.params import Bool, Float, Prob, Range
from ferraug.transform import Transform


class GaussNoise(Transform):
    """Add normal noise."""

    std_range: Range = Range(
        "Range of the standard deviation as a fraction of the highest value.", low=0, high=1, default=(0.2, 0.44)
    )
    mean_range: Range = Range(
        "Range of the mean as a fraction of the highest value.", low=-1, high=1, default=(0.0, 0.0)
    )
    per_channel: Bool = Bool("Other noise for every channel.", default=True)
    noise_scale_factor: Float = Float(
        "Noise is drawn at this share of the size and enlarged: less is coarser and faster.",
        low=1e-6,
        high=1,
        default=1,
    )
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        draw, scale = ctx.draw, self.noise_scale_factor
        std, mean = draw.within(self.std_range), draw.within(self.mean_range)
        layout = "pixel" if self.per_channel else "shared"
        gw, gh = (max(1, int(ctx.w * scale)), max(1, int(ctx.h * scale))) if scale < 1 else (0, 0)
        ctx.op("field", ("noise", draw.seed(), "normal", mean, std, layout, gw, gh), "add", 1.0, 0.0)
