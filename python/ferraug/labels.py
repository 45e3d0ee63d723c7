"""Labels: values that belong to boxes or keypoints and never cross into the core.

The core says which rows are left, by the number each had when it came in; the labels are picked by those numbers. So
integers stay integers, strings stay strings, and a list, tuple or array comes back as what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ferraug.values import show

if TYPE_CHECKING:
    from ferraug.rows import Made

NOUNS = {"bboxes": "boxes", "keypoints": "keypoints"}


class Labels:
    """The label fields of a pipeline."""

    __slots__ = ("fields", "shared")

    def __init__(self, fields: Mapping[str, list[str] | None]) -> None:
        self.fields = [(target, name) for target, names in fields.items() for name in names or ()]
        names = [name for _, name in self.fields]
        self.shared = {name for name in names if names.count(name) > 1}  # of a call with one of the targets

    def check(self, data: Mapping[str, Any]) -> None:
        """Every declared field is there and has one item per row."""
        for target, name in self.fields:
            if name not in data:
                raise ValueError(
                    f"Your 'label_fields' are not valid - them must have same names as params in dict: {name!r} of "
                    f"{target} is missing"
                )
            rows = data.get(target)
            if rows is None:
                continue
            values = data[name]
            if name in self.shared:
                self.check_shared(data, name)
            if type(values) is not list:
                check_container(name, values)
            if hasattr(rows, "__len__") and len(values) != len(rows):
                raise ValueError(f"{name}: {len(values)} items for {len(rows)} {NOUNS[target]}")

    def check_shared(self, data: Mapping[str, Any], name: str) -> None:
        """ValueError if the rows of two targets would have to share their labels."""
        owners = [target for target, field in self.fields if field == name and data.get(target) is not None]
        if len(owners) > 1 and any(len(data[owner]) for owner in owners):
            raise ValueError(f"{name}: one label field cannot serve {' and '.join(owners)} in one call; give each its own")

    def give_back(
        self, data: dict[str, Any], kept: Mapping[str, list[int]] | None, made: Mapping[str, list[Made]]
    ) -> None:
        """Puts the labels of the rows that are left into `data`; `made` are the labels of rows that user code made,
        numbered after those that came in. `kept` is None if the call had no rows: its labels stay as they are."""
        if kept is None:
            return
        for target, name in self.fields:
            indices = kept.get(target)
            if indices is None:
                continue
            new = [row.labels[name] for row in made[target]] if target in made else []
            data[name] = pick(data[name], indices, new)


def check_container(name: str, values: Any) -> None:
    """Something that has items to pick from."""
    if isinstance(values, (str, bytes, set, frozenset)) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name}: must be a list, tuple or array with one item per row, got {show(values)}")


def pick(values: Any, indices: list[int], new: list[Any]) -> Any:
    """The items of `values` (continued by `new`) at `indices`, in the container they came in."""
    if type(values) is list:
        items = values + new if new else values
        return [items[i] for i in indices]
    if hasattr(values, "dtype") and hasattr(values, "shape"):
        if new:
            values = continued(values, new)
        return values[indices]
    every = [*values, *new]
    items = [every[i] for i in indices]
    return tuple(items) if isinstance(values, tuple) else items


def continued(values: Any, new: list[Any]) -> Any:
    """An array of labels and some more of them, of the same type."""
    import numpy as np

    more = np.empty((len(new), *values.shape[1:]), values.dtype)
    for i, value in enumerate(new):
        more[i] = value
    join = np.ma.concatenate if isinstance(values, np.ma.MaskedArray) else np.concatenate
    return join([values, more])
