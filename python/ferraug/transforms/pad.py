"""Padding: the image on a larger canvas."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import Border, Choice, Fill, Maybe, Padding, Prob, Side
from ferraug.transform import Transform
from ferraug.transforms.crops import POSITIONS


class Pad(Transform):
    """Pad by fixed margins."""

    kind: ClassVar[str] = "dual"
    padding: Padding = Padding("Margins in pixels.", default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    border_mode: Border = Border(default=0)
    p: Prob = Prob(default=1.0)

    def emit(self, ctx: Context) -> None:
        margins = self.padding
        if type(margins) is int:
            margins = (margins,) * 4
        left, top, right, bottom = margins if len(margins) == 4 else (*margins, *margins)
        w, h = ctx.w + left + right, ctx.h + top + bottom
        ctx.pad(left, top, w, h, self.border_mode, self.fill, self.fill_mask)


def grown(side: int, least: int | None, divisor: int | None) -> int:
    """The side raised to a least one, or to the next multiple of a divisor."""
    return -(-side // divisor) * divisor if divisor else max(side, least or side)


class PadIfNeeded(Transform):
    """Pad up to a least size, or to the next multiple; never shrinks.

    Each axis takes either a least side or a divisor: to use divisors, set the least sides to None.
    """

    kind: ClassVar[str] = "dual"
    min_height: Maybe = Maybe(Side(), "Least height in pixels.", default=1024)
    min_width: Maybe = Maybe(Side(), "Least width in pixels.", default=1024)
    pad_height_divisor: Maybe = Maybe(Side(), "The height becomes a multiple of this.", default=None)
    pad_width_divisor: Maybe = Maybe(Side(), "The width becomes a multiple of this.", default=None)
    position: Choice = Choice("Where the image lies on the canvas.", options=POSITIONS, default="center")
    border_mode: Border = Border(default=0)
    fill: Fill = Fill(default=0)
    fill_mask: Fill = Fill("The same for masks.", default=0)
    p: Prob = Prob(default=1.0)

    def check(self) -> None:
        for axis in ("height", "width"):
            least, divisor = getattr(self, f"min_{axis}"), getattr(self, f"pad_{axis}_divisor")
            if (least is None) == (divisor is None):
                raise ValueError(
                    f"PadIfNeeded: exactly one of min_{axis} and pad_{axis}_divisor must be set, got "
                    f"min_{axis}={least}, pad_{axis}_divisor={divisor}"
                )

    def emit(self, ctx: Context) -> None:
        w = grown(ctx.w, self.min_width, self.pad_width_divisor)
        h = grown(ctx.h, self.min_height, self.pad_height_divisor)
        left, top = ctx.place(self.position, w - ctx.w, h - ctx.h)
        if (w, h) != (ctx.w, ctx.h):
            ctx.pad(left, top, w, h, self.border_mode, self.fill, self.fill_mask)
