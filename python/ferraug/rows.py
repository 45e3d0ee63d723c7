"""Rows of boxes and keypoints as user code sees them.

Handed out: the coordinates, the caller's extra columns, every label field, and the number of the row. Columns that do
not hold numbers are codes into their sorted values. Taken back: coordinates and numbers go to the core. A row whose
extra columns or labels were changed, or that has no valid number, is one that user code made: what it has beside its
coordinates is kept under a new number and picked like that of the rows that came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ferraug.values import show

if TYPE_CHECKING:
    import numpy as np

    from ferraug.context import Context

WIDTH = {"bboxes": 4, "keypoints": 5}


class Made(NamedTuple):
    """What a row that user code made has beside its coordinates."""

    extras: list[Any]
    labels: Mapping[str, Any]


def is_number(value: Any) -> bool:
    """An int, a float or a bool, of Python or of NumPy."""
    return isinstance(value, (int, float)) or (
        getattr(getattr(value, "dtype", None), "kind", "") in "biuf" and getattr(value, "ndim", 1) == 0
    )


class Column:
    """One column beside the coordinates: every row's value, and the number that user code sees instead."""

    __slots__ = ("codes", "known", "name", "source", "values")

    def __init__(self, name: str, source: Any, values: list[Any]) -> None:
        self.name = name
        dtype = getattr(source, "dtype", None)
        self.source: np.dtype[Any] | None = dtype if hasattr(dtype, "kind") else None  # of a label array
        self.values = values
        self.known: list[Any] | None = None  # what the codes stand for, unless they are the values
        numbers = self.source is None or self.source.kind in "biuf"
        if numbers and all(map(is_number, values)):
            self.codes = [float(v) for v in values]
            return
        try:
            self.known = sorted(set(values), key=lambda v: (not isinstance(v, (int, float)), str(v)))
            places = {value: i for i, value in enumerate(self.known)}
            self.codes = [float(places[v]) for v in values]
        except TypeError:  # values that have no hash stand for themselves
            self.known = values
            self.codes = [float(i) for i in range(len(values))]

    def decoded(self, code: float) -> Any:
        """A number that user code returned, as a value of this column's type."""
        if self.known is not None:
            if not (0 <= code < len(self.known) and code == int(code)):
                raise ValueError(f"{self.name}: {code} is not the code of a value; codes are 0..{len(self.known) - 1}")
            return self.known[int(code)]
        if self.source is not None:
            return cast(self.name, code, self.source)
        whole = code == int(code) if code - code == 0 else False
        if whole and self.values and all(isinstance(v, bool) for v in self.values) and code in (0, 1):
            return bool(code)
        if whole and self.values and all(isinstance(v, int) for v in self.values):
            return int(code)
        return float(code)


def cast(name: str, code: float, dtype: np.dtype[Any]) -> float:
    """A number for an array of this type: for one of integers it is cut toward zero, as in 2.0.8, and must fit."""
    if dtype.kind not in "iu":
        return code
    low, high = 0, 2 ** (8 * dtype.itemsize) - 1
    if dtype.kind == "i":
        low, high = -(high // 2) - 1, high // 2
    if not (code - code == 0 and low <= int(code) <= high):
        raise ValueError(f"{name}: {code} does not fit {dtype}")
    return int(code)


def fields_of(ctx: Context, target: str) -> list[str]:
    """Label fields of a target."""
    return [name for owner, name in ctx.label_fields if owner == target]


def columns_of(ctx: Context, target: str, kind: str) -> tuple[list[Column], int]:
    """The extra columns and label fields of all rows, of those that came in and of those that user code made; and how
    many of them are extra columns."""
    given, made = ctx.data[target], ctx.made.get(target, [])
    width = ctx.columns.get(kind, WIDTH[kind])
    if hasattr(given, "dtype"):
        wide = given.shape[1] - width if given.ndim == 2 else 0
        extras = given[:, width:].tolist() if wide > 0 else []
    else:
        extras = [(row.tolist() if hasattr(row, "tolist") else list(row))[width:] for row in given]
        wide = len(extras[0]) if extras else 0
        for i, row in enumerate(extras):
            if len(row) != wide:
                raise ValueError(
                    f"{target}[{i}]: {width + len(row)} values, {target}[0] has {width + wide}; user code needs rows of "
                    "one length"
                )
    columns = [
        Column(f"{target}: column {k}", None, [*(row[k] for row in extras), *(row.extras[k] for row in made)])
        for k in range(max(wide, 0))
    ]
    for name in fields_of(ctx, target):
        values = ctx.data[name]
        columns.append(Column(name, values, [*values, *(row.labels[name] for row in made)]))
    return columns, max(wide, 0)


def codes_of(columns: list[Column]) -> np.ndarray[Any, Any]:
    """What user code sees of the columns, a row each."""
    import numpy as np

    count = len(columns[0].codes) if columns else 0
    codes = np.empty((count, len(columns)))
    for i, column in enumerate(columns):
        codes[:, i] = column.codes
    return codes


def hand_out(ctx: Context, target: str, kind: str) -> Any:
    """The rows of a target as an array for user code."""
    import numpy as np

    rows, index = ctx.session.rows(ctx.ops, target)
    source = index.astype(np.int64)
    parts = [np.asarray(rows, dtype=np.float64)]
    columns, _ = columns_of(ctx, target, kind)
    if columns:
        parts.append(codes_of(columns)[source])
    return np.concatenate([*parts, source[:, None].astype(np.float64)], axis=1)


def labels_now(ctx: Context, target: str, name: str) -> Any:
    """A label field of the rows that are left at this point of the pipeline."""
    from ferraug.labels import pick

    index = ctx.session.rows(ctx.ops, target)[1]
    return pick(ctx.data[name], index.tolist(), [row.labels[name] for row in ctx.made.get(target, [])])


def checked_rows(name: str, target: str, total: int, result: Any) -> np.ndarray[Any, Any]:
    """What a user's function returned for a target of rows, as numbers, or an error that names it."""
    import numpy as np

    if isinstance(result, np.ma.MaskedArray):
        raise TypeError(f"{name}: the function for {target!r} returned a MaskedArray; the mask would be lost")
    if not isinstance(result, (list, tuple, np.ndarray)):
        raise TypeError(f"{name}: the function for {target!r} must return an array of rows, got {show(result)}")
    try:
        rows = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: the function for {target!r} must return rows of numbers: {error}") from None
    if rows.size == 0:
        return rows.reshape(0, total)
    if rows.ndim != 2 or rows.shape[1] != total:
        raise ValueError(
            f"{name}: the function for {target!r} must return rows of {total} columns, as it was given, got shape "
            f"{rows.shape}"
        )
    return rows


def take_back(ctx: Context, name: str, target: str, kind: str, result: Any) -> None:
    """Gives the rows that user code of this class returned to the core."""
    import numpy as np

    width = WIDTH[kind]
    columns, extras = columns_of(ctx, target, kind)
    rows = checked_rows(name, target, width + len(columns) + 1, result)
    came = len(ctx.data[target])
    old = ctx.made.get(target, [])
    number, own = rows[:, -1], rows[:, width:-1]
    known = (number >= 0) & (number < came + len(old)) & (number == np.floor(number))
    index = np.where(known, number, 0).astype(np.int64)
    if columns:
        codes = codes_of(columns)[index[known]]
        same = (codes == own[known]) | (np.isnan(codes) & np.isnan(own[known]))
        known[known] = same.all(axis=1)
    new: list[Made] = []
    for i in np.flatnonzero(~known).tolist():
        values = [column.decoded(code) for column, code in zip(columns, own[i].tolist())]
        labels = {column.name: value for column, value in zip(columns[extras:], values[extras:])}
        index[i] = came + len(old) + len(new)
        new.append(Made(values[:extras], labels))
    if new:
        ctx.made = {**ctx.made, target: [*old, *new]}
    coordinates = np.ascontiguousarray(rows[:, :width])
    ctx.session.put_rows(target, coordinates, index.tolist(), [row.extras for row in new])
