"""Flips and quarter turns: pixels change places and nothing else."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import Prob
from ferraug.transform import Transform


class HorizontalFlip(Transform):
    """Mirror left and right."""

    kind: ClassVar[str] = "dual"
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        ctx.orient("H-W")


class VerticalFlip(Transform):
    """Mirror up and down."""

    kind: ClassVar[str] = "dual"
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        ctx.orient("-HW")


class Transpose(Transform):
    """Swap rows and columns; width and height change places."""

    kind: ClassVar[str] = "dual"
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        ctx.orient("WH")


class RandomRotate90(Transform):
    """Turn by 0, 1, 2 or 3 quarters counter-clockwise, evenly; odd ones swap width and height."""

    kind: ClassVar[str] = "dual"
    p: Prob = Prob(default=1)

    def emit(self, ctx: Context) -> None:
        quarters = ctx.draw.integers(0, 3)
        if quarters:
            ctx.orient(("-WH", "-H-W", "W-H")[quarters - 1])


class D4(Transform):
    """One of the eight symmetries of the square, evenly: quarter turns, flips, and transposes."""

    kind: ClassVar[str] = "dual"
    p: Prob = Prob(default=1)

    def emit(self, ctx: Context) -> None:
        element = ctx.draw.integers(0, 7)
        if element:
            ctx.orient(("-WH", "-H-W", "W-H", "-HW", "-W-H", "H-W", "WH")[element - 1])
