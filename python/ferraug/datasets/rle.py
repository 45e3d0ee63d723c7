"""COCO's run-length masks: counts, their string form, and arrays.

Column-major runs of zeros and ones in turn, zeros first. The string writes each count from the fourth on as the
difference to the count two before it, in groups of five bits, low group first: 0x20 marks that more follow, 0x10 of the
last group is the sign, and 48 is added to make it printable. (Format: cocodataset.org; pycocotools `maskApi`, BSD.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def from_string(text: str) -> list[int]:
    """Counts of a string; ValueError if it is cut or holds a character outside the alphabet."""
    counts: list[int] = []
    value = shift = 0
    for char in text:
        bits = ord(char) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("RLE string: a character outside its alphabet")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        if len(counts) > 2:
            value += counts[-2]
        if value < 0:
            raise ValueError("RLE string: a negative run")
        counts.append(value)
        value = shift = 0
    if shift:
        raise ValueError("RLE string: cut in the middle of a run")
    return counts


def to_string(counts: Sequence[int]) -> str:
    """The inverse of `from_string`."""
    out = []
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        while True:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            out.append(chr(bits + (32 if more else 0) + 48))
            if not more:
                break
    return "".join(out)


def decode(counts: Sequence[int], h: int, w: int) -> NDArray[np.uint8]:
    """The mask as (h, w) of 0 and 1."""
    import numpy as np

    values = np.zeros(len(counts), np.uint8)
    values[1::2] = 1
    flat = np.repeat(values, counts)
    if flat.size != h * w:
        raise ValueError(f"RLE counts sum to {flat.size}, image has {h * w}")
    return np.ascontiguousarray(flat.reshape(w, h).T)


def encode(mask: NDArray[np.uint8]) -> list[int]:
    """Counts of a mask of zeros and others."""
    import numpy as np

    flat = (mask != 0).T.reshape(-1)
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    counts: list[int] = np.diff(bounds).tolist()
    return [0, *counts] if flat[0] else counts
