"""Rows of boxes and keypoints as user code sees them.

Handed out: the coordinates, the caller's extra columns, every label field (strings as codes), and the number of the
row. Taken back: coordinates and numbers go to the core; a label that was changed, or a row without a valid number,
becomes a row that user code made, whose labels are kept aside and picked like the others.
"""

from __future__ import annotations

from typing import Any

from ferraug.context import Context

WIDTH = {"bboxes": 4, "keypoints": 5}


def coded(values: Any) -> tuple[list[float], list[Any]]:
    """A label field as numbers: itself if it is numeric, else codes into the sorted values."""
    items = list(values)
    if all(isinstance(v, (int, float)) or hasattr(v, "__float__") for v in items):
        return [float(v) for v in items], []
    known = sorted(set(items), key=lambda v: (not isinstance(v, (int, float)), str(v)))
    return [float(known.index(v)) for v in items], known


def fields_of(ctx: Context, target: str) -> list[str]:
    """Label fields of a target."""
    return [name for owner, name in ctx.label_fields if owner == target]


def labels_of(ctx: Context, target: str, name: str) -> list[Any]:
    """Every label of a field, of the rows that came in and of those user code made."""
    return [*ctx.data[name], *(row[name] for row in ctx.relabel.get(target, ()))]


def extras_of(ctx: Context, target: str, kind: str) -> list[list[float]]:
    """The caller's columns after the coordinates, row by row."""
    width = ctx.columns.get(kind, WIDTH[kind])
    return [[float(v) for v in row[width:]] for row in ctx.data[target]]


def hand_out(ctx: Context, target: str, kind: str) -> Any:
    """The rows of a target as an array for user code."""
    import numpy as np

    rows, index = ctx.session.rows(ctx.ops, target)
    source = index.astype(np.int64)
    columns = [np.asarray(rows, dtype=np.float64)]
    extras = extras_of(ctx, target, kind)
    if extras and extras[0]:
        made = [[0.0] * len(extras[0])] * len(ctx.relabel.get(target, ()))
        columns.append(np.asarray(extras + made, dtype=np.float64)[source])
    for name in fields_of(ctx, target):
        codes, _ = coded(labels_of(ctx, target, name))
        columns.append(np.asarray(codes, dtype=np.float64)[source][:, None])
    columns.append(source[:, None].astype(np.float64))
    return np.concatenate(columns, axis=1)


def take_back(ctx: Context, target: str, kind: str, result: Any) -> None:
    """Gives the rows that user code returned to the core."""
    import numpy as np

    width = WIDTH[kind]
    fields = fields_of(ctx, target)
    extras = extras_of(ctx, target, kind)
    total = width + (len(extras[0]) if extras else 0) + len(fields) + 1
    rows = np.asarray(result, dtype=np.float64)
    if rows.size == 0:
        rows = rows.reshape(0, total)
    if rows.ndim != 2 or rows.shape[1] != total:
        raise ValueError(f"{target}: rows of {total} columns expected, got shape {rows.shape}")
    count = len(ctx.data[target]) + len(ctx.relabel.get(target, ()))
    every = {name: labels_of(ctx, target, name) for name in fields}
    tables = {name: coded(values) for name, values in every.items()}
    index = []
    if not ctx.relabel:
        ctx.relabel = {}
    made = ctx.relabel.setdefault(target, [])  # type: ignore[attr-defined]
    for row in rows:
        n = row[-1]
        known = n == int(n) and 0 <= n < count if np.isfinite(n) else False
        own = row[total - 1 - len(fields) : total - 1]
        if known and all(tables[name][0][int(n)] == value for name, value in zip(fields, own)):
            index.append(int(n))
            continue
        made.append({name: decoded(every[name], tables[name][1], value) for name, value in zip(fields, own)})
        index.append(len(ctx.data[target]) + len(made) - 1)
    ctx.session.put_rows(target, np.ascontiguousarray(rows[:, :width]), index)


def decoded(values: list[Any], known: list[Any], code: float) -> Any:
    """A label column's number as a value of the field's type."""
    if known:
        return known[min(max(int(code), 0), len(known) - 1)]
    return int(code) if values and all(isinstance(v, int) for v in values) and code == int(code) else float(code)
