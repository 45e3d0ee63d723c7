"""What the readers share: the images of a tree, the rules for a box, and duplicates."""

from __future__ import annotations

import math
from typing import Any

from .._core import DecodeError, LimitError
from .model import Box, Reporter, Sample
from .paths import nfc, read_header

SPLIT_NAMES = ("train", "valid", "val", "test")

#: overhang in pixels that counts as rounding
ROUNDING = 1.0


def number(value: Any) -> float | None:
    """A finite number that is not a bool, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def open_sample(
    root: str, path: str, split: str, report: Reporter, declared: tuple[int, int] | None = None, where: str = ""
) -> Sample | None:
    """The sample of an image from its header; None, with the problem reported, if it cannot be one.

    A declared size decides in which frame the annotations are: equal to the stored size and not to the upright one
    means stored; neither means that the annotations belong to another picture.
    """
    try:
        info: dict[str, Any] = read_header(root, path)
    except (DecodeError, LimitError) as error:
        report.invalid(where or path, f"{path}: {error}" if where else str(error), "image")
        return None
    except OSError as error:
        report.invalid(where or path, f"{path}: {error.strerror}", "image")
        return None
    size, stored = info["size"], info["stored"]
    frame = "upright"
    if declared is not None and declared != size:
        if declared != stored:
            report.invalid(
                where or path, f"{path}: declared {declared[0]}x{declared[1]}, file {size[0]}x{size[1]}", "image"
            )
            return None
        frame = "stored"
    suffix = path.rsplit(".", 1)[-1].lower()
    if info["format"] != ("jpeg" if suffix in ("jpg", "jpe", "jfif") else suffix):
        report.warn(path, f"a {info['format']} with the suffix .{suffix}", "image")
    return Sample(
        path=path,
        source_id=nfc(path),
        split=split,
        size=size,
        orientation=info["orientation"],
        stored=stored,
        frame=frame,
        format=info["format"],
    )


def clip_box(box: Box, w: float, h: float) -> tuple[Box, float] | None:
    """The box inside the image and by how much it overhung; None if it is wholly outside."""
    x0, y0, x1, y1 = box
    if x0 >= 0 and y0 >= 0 and x1 <= w and y1 <= h:
        return (box, 0.0) if x1 > x0 and y1 > y0 else None
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, w), min(y1, h))
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    return inside, max(-x0, -y0, x1 - w, y1 - h, 0.0)


def folder_split(path: str) -> str | None:
    """The split that a path's folders name: their first part or the part after `images`."""
    for part in path.split("/")[:-1]:
        name = canonical_split(part)
        if name is not None:
            return name
    return None


def canonical_split(name: str) -> str | None:
    """`train`, `valid`, `val` or `test` if that is what a folder or key is called, also with a year."""
    low = name.lower().rstrip("0123456789")
    for split, names in (
        ("train", ("train", "training")),
        ("valid", ("valid", "validation")),
        ("val", ("val",)),
        ("test", ("test", "testing")),
    ):
        if low in names:
            return split
    return None
