"""Nothing."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import Prob
from ferraug.transform import Transform


class NoOp(Transform):
    """Leave everything as it is."""

    kind: ClassVar[str] = "dual"
    p: Prob = Prob(default=0.5)

    def emit(self, ctx: Context) -> None:
        """Says nothing."""
