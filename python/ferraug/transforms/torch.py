"""Results as PyTorch tensors."""

from __future__ import annotations

from typing import ClassVar

from ferraug.context import Context
from ferraug.params import Bool, Prob
from ferraug.transform import Transform


class ToTensorV2(Transform):
    """Turn images into tensors (C, H, W) and masks into tensors, with values and dtype as they are."""

    kind: ClassVar[str] = "tensor"
    transpose_mask: Bool = Bool("Masks with channels become (C, H, W) too.", default=False)
    p: Prob = Prob(default=1.0)

    def emit(self, ctx: Context) -> None:
        ctx.op("layout", "chw", self.transpose_mask)
        ctx.to_tensors()
