"""Other libraries' arrays. They are imported when first needed, never with ferraug."""

from __future__ import annotations

import sys
from typing import Any

from ferraug.call import KINDS

WRAPPED = ("image", "images", "mask", "masks")


def torch() -> Any:
    """PyTorch, if it is installed."""
    module = sys.modules.get("torch")
    if module is None:
        try:
            import torch as module  # type: ignore[import-not-found,no-redef,unused-ignore]
        except ImportError:
            raise ImportError("ToTensorV2 needs PyTorch: pip install torch") from None
    return module


def to_tensor(value: Any) -> Any:
    """An array (or a list of them) as a tensor on the same memory."""
    if isinstance(value, (list, tuple)):
        return [to_tensor(item) for item in value]
    return torch().from_numpy(value)


def wrap_result(data: dict[str, Any], kinds: Any = KINDS) -> None:
    """Turns the image and mask targets of a result into tensors."""
    for name, value in data.items():
        if value is not None and kinds.get(name) in WRAPPED:
            data[name] = to_tensor(value)
