"""Planes that follow a copy's geometry but none of its colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..replay import as_op, replay

#: where an op names the interpolation and the fill of masks, and what an alpha plane wants there: bilinear, nothing
_FIELDS: dict[str, dict[int, Any]] = {"resize": {4: 1}, "warp": {5: 1, 8: 0}, "pad": {7: 0}, "paint": {4: None}}


def move_alpha(record: Mapping[str, Any], alpha: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Alpha after the run of a record: it goes as a mask, which only moves, but bilinear and with 0 outside. None if
    the run has user code, which a record does not hold."""
    ops = [as_op(op) for op in record["ops"]]
    if any(op[0] == "call" for op in ops):
        return None
    moved = []
    for op in ops:
        fields = _FIELDS.get(op[0], {})
        moved.append(tuple(fields.get(i, value) for i, value in enumerate(op)))
    plain = {**record, "ops": moved, "input": None, "additional_targets": {}, "bbox_params": None, "nodes": []}
    return np.asarray(replay({**plain, "keypoint_params": None, "tensors": False}, mask=alpha)["mask"])
