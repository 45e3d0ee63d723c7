"""Arrays that the tests work on."""

from __future__ import annotations

import numpy as np

H, W = 64, 81


def noise(shape: tuple[int, ...], dtype: str = "uint8", seed: int = 0) -> np.ndarray:
    """White noise over the whole range of the dtype."""
    rng = np.random.default_rng([seed, *shape])
    if dtype == "uint8":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if dtype == "float32":
        return rng.random(shape, dtype=np.float32)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    return rng.integers(0, 100, shape).astype(dtype)


def shape_of(h: int, w: int, channels: int) -> tuple[int, ...]:
    """0 channels is a two-dimensional array."""
    return (h, w, channels) if channels else (h, w)


def labels(h: int, w: int, dtype: str = "uint8") -> np.ndarray:
    """A mask of blocks with values 0..7."""
    y, x = np.mgrid[:h, :w]
    return ((y // 9 * 5 + x // 7 * 3) % 8).astype(dtype)
