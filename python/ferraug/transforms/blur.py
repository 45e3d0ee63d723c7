"""Blurs."""

from __future__ import annotations

from ferraug.context import Context
from ferraug.params import NonNeg, NonNegInt, Prob
from ferraug.transform import Transform


class GaussianBlur(Transform):
    """Blur by a Gaussian."""

    blur_limit: NonNegInt = NonNegInt(
        "Range of the kernel's side; even ones are raised by one, 0 follows from sigma.", high=32767, default=0
    )
    sigma_limit: NonNeg = NonNeg("Range of the standard deviation in pixels; 0 changes nothing.", default=(0.5, 3.0))
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        sigma = ctx.draw.within(self.sigma_limit)
        k = ctx.draw.integers(*self.blur_limit)
        if k == 0:
            k = int(3.5 * sigma) * 2 + 1
        k += k % 2 == 0
        if sigma > 0 and k > 1:
            ctx.op("gauss", k, sigma)
