"""The sample dict and what the core makes of it: kinds of targets, layouts, filters of one pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferraug import _core
from ferraug.boxes import BboxParams
from ferraug.call import EVERY, Filters
from ferraug.keypoints import KeypointParams
from ferraug.values import closest, show


def as_params(name: str, value: Any, kind: type[Any]) -> Any:
    """Parameters given as an object, as a dict of its arguments, or not at all."""
    if not value:
        return None
    if isinstance(value, Mapping):
        known = kind.stored_names
        for key in value:
            if key not in known:
                guess = closest(key, known)
                hint = f"did you mean {guess!r}?" if guess else f"it takes {', '.join(known)}"
                raise TypeError(f"{name}: unknown argument {key!r}; {hint}")
        return kind(**value)
    if isinstance(value, kind):
        return value
    raise ValueError(f"unknown format of {name}: must be {kind.__name__} or a dict of its arguments, got {show(value)}")


def make_layout(
    targets: Mapping[str, str], boxes: BboxParams | None, points: KeypointParams | None, check_shapes: bool
) -> _core.Layout:
    """What the keys of a call mean, for the core."""
    return _core.Layout(
        dict(targets),
        None if boxes is None else boxes.layout(),
        None if points is None else points.layout(),
        check_shapes,
    )


def make_filters(boxes: BboxParams | None, points: KeypointParams | None) -> Filters:
    """By whether a call has boxes and keypoints: the filter op that runs after each child, and the one at the end."""
    each_box = boxes is not None and boxes.check_each_transform
    each_point = points is not None and points.check_each_transform
    filters: Filters = {}
    for has_boxes in (False, True):
        for has_points in (False, True):
            box, point = boxes is not None and has_boxes, points is not None and has_points
            each: tuple[str, ...] | None = None
            if (box and each_box) == box and (point and each_point) == point:
                each = EVERY if box or point else None
            elif box and each_box:
                each = ("filter", "boxes")
            elif point and each_point:
                each = ("filter", "points")
            filters[has_boxes, has_points] = each, EVERY if has_boxes or has_points else None
    return filters
