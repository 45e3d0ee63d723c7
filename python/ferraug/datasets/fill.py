"""Polygons as pixels: those whose centre lies inside an odd number of a part's edges; parts are united."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def polygon_mask(shape: tuple[int, int], parts: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
    """The mask (h, w) of flat x y x y parts: [10,10,20,10,20,20,10,20] covers 100 pixels."""
    h, w = shape
    mask: NDArray[np.bool_] = np.zeros((h, w), np.bool_)
    for part in parts:
        xs, ys = part[0::2], part[1::2]
        if len(xs) < 3:
            continue
        top, bottom = _first(min(ys), h), _first(max(ys), h)
        left, right = _first(min(xs), w), _first(max(xs), w)
        if top >= bottom or left >= right:
            continue
        # each edge toggles all pixels of its rows from its crossing on
        toggles = np.zeros((bottom - top, right - left + 1), np.bool_)
        for i in range(len(xs)):
            x0, y0, x1, y1 = xs[i - 1], ys[i - 1], xs[i], ys[i]
            if y0 > y1:
                x0, y0, x1, y1 = x1, y1, x0, y0
            first, last = _first(y0, h), _first(y1, h)
            if first >= last:
                continue
            rows = np.arange(first, last)
            cuts = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            columns = np.clip(np.ceil(cuts - 0.5), left, right).astype(np.int64) - left
            toggles[rows - top, columns] ^= True
        mask[top:bottom, left:right] |= np.logical_xor.accumulate(toggles, axis=1)[:, :-1]
    return mask


def _first(value: float, end: int) -> int:
    """The first pixel whose centre is at or beyond the value, within 0 … end."""
    return min(max(math.ceil(value - 0.5), 0), end)
