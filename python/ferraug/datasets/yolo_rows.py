"""Rows of YOLO label files, read: blank-separated, all but the class normalised by image width and height.

    detect    c cx cy w h                      one more column is a confidence if every row of the file has it
    segment   c x1 y1 … xn yn                  n >= 3
    pose      c cx cy w h (x y)·K | (x y v)·K  as `kpt_shape` says; v = 0 is written 0 0 0, without v a lost point 0 0
    obb       c x1 y1 … x4 y4

Boxes, polygons and oriented boxes may be mixed in a file; each row is taken by its own count.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core import ConfigError, LimitError
from . import quads
from .common import ROUNDING, clip_box
from .model import Instance, Reporter, Sample
from .paths import MAX_OBJECTS
from .polygon import area, clip, extent

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_CLASS = re.compile(r"[0-9]{1,9}")
_FLOAT_CLASS = re.compile(r"[0-9]{1,9}\.0*")

#: points of a pose; no skeleton comes near
_MOST_POINTS = 10_000

#: overhang in pixels that is not worth a new row
_TRIFLE = 1e-4


@dataclass(slots=True)
class LabelFile:
    """A label file's text and the numbers of the lines that are invalid. `fresh`: no file of the source holds it."""

    path: str
    text: str
    dropped: set[int] = field(default_factory=set)
    fresh: bool = False


@dataclass(slots=True)
class Pose:
    """The points of every object: how many, with how many numbers each, which change places in a mirror, names."""

    count: int
    width: int
    flips: list[tuple[int, int]] | None = None
    names: dict[int, list[str]] = field(default_factory=dict)


def pose_of(value: dict[Any, Any], path: str) -> Pose | None:
    """What a yaml says about points; ConfigError if it cannot be meant."""
    shape = value.get("kpt_shape")
    if shape is None:
        return None
    good = isinstance(shape, list) and len(shape) == 2 and all(type(v) is int for v in shape)
    if not good or not 1 <= shape[0] <= _MOST_POINTS or shape[1] not in (2, 3):
        raise ConfigError(f"{path}: kpt_shape: {shape!r:.40}; [points, 2 or 3] is needed")
    pose = Pose(shape[0], shape[1])
    order = value.get("flip_idx")
    if order is not None and order != []:
        if not isinstance(order, list) or sorted(map(str, order)) != sorted(map(str, range(pose.count))):
            raise ConfigError(f"{path}: flip_idx: each of 0 to {pose.count - 1} once is needed")
        pose.flips = swaps_of(order)
    named = value.get("kpt_names")
    for key, names in named.items() if isinstance(named, dict) else ():
        if str(key).isdigit() and isinstance(names, list) and len(names) == pose.count:
            pose.names[int(key)] = [str(n) for n in names]
    return pose


def swaps_of(order: Sequence[int]) -> list[tuple[int, int]]:
    """Swaps that, made one after the other, put point order[i] at place i."""
    now = list(range(len(order)))
    place = list(range(len(order)))
    swaps = []
    for i, wanted in enumerate(order):
        j = place[wanted]
        if i != j:
            swaps.append((i, j))
            now[i], now[j] = now[j], now[i]
            place[now[i]], place[now[j]] = i, j
    return swaps


def order_of(swaps: Sequence[tuple[int, int]], count: int) -> list[int]:
    """The inverse of `swaps_of`."""
    order = list(range(count))
    for i, j in swaps:
        order[i], order[j] = order[j], order[i]
    return order


def rows_of(text: str) -> list[tuple[int, list[str]]]:
    """(line index, columns) of the lines that are neither blank nor comments."""
    found = []
    for number, line in enumerate(text.split("\n")):
        tokens = line.lstrip("\ufeff").split()
        if tokens and not tokens[0].startswith("#"):
            found.append((number, tokens))
    return found


class RowReader:
    """Takes the rows of label files as instances whose category is still the class number."""

    def __init__(self, task: str, names: dict[int, str] | None, pose: Pose | None, report: Reporter) -> None:
        self.task, self.names, self.pose, self.report = task, names, pose, report
        self.used: set[int] = set()

    def take(self, sample: Sample, label: LabelFile) -> None:
        """All rows of one file."""
        rows = rows_of(label.text)
        scored = bool(rows) and self.pose is None and all(len(tokens) == 6 for _, tokens in rows)
        if len(rows) > MAX_OBJECTS:
            raise LimitError(f"{label.path}: more than {MAX_OBJECTS} objects in one image")
        known: set[tuple[Any, ...]] = set()
        kinds: set[str] = set()
        lines = label.text.split("\n")
        for line, tokens in rows:
            where = f"{label.path}:{line + 1}"
            try:
                instance = self._row(tokens, sample, scored, where)
            except ValueError as error:
                label.dropped.add(line)
                self.report.invalid(where, str(error))
                continue
            self.used.add(instance.category)
            instance.raw = lines[line].strip("\r\t \ufeff")
            instance.rank = len(sample.instances)
            shape = (instance.category, tuple(float(t) for t in tokens[1:]))
            if shape in known:
                instance.duplicate = True
                self.report.warn(where, "duplicate of an earlier row; augmented once")
            known.add(shape)
            kinds.add("oriented box" if instance.quad is not None else "polygon" if instance.parts else "box")
            sample.instances.append(instance)
        if len(kinds) > 1:
            self.report.warn(label.path, f"{' and '.join(sorted(kinds))} rows mixed; trainers drop one kind silently")

    def _row(self, tokens: list[str], sample: Sample, scored: bool, where: str) -> Instance:
        count = len(tokens)
        key = self._class(tokens[0], where)
        if self.pose is not None:
            wanted = 5 + self.pose.count * self.pose.width
            if count != wanted:
                raise ValueError(f"{count} columns; kpt_shape asks for {wanted}")
        elif count < 5 or (count == 6 and not scored) or (count > 6 and count % 2 == 0):
            raise ValueError(f"{count} columns; 5 (box) or 7, 9, … (polygon) are needed")
        values = []
        for token in tokens[1:]:
            if not _NUMBER.fullmatch(token):
                raise ValueError(f"{token!r:.40} is no number")
            values.append(float(token))
        places = values[:4] if count == 6 and self.pose is None else values
        if self.pose is not None and self.pose.width == 3:
            places = [v for i, v in enumerate(values) if i < 4 or (i - 4) % 3 != 2]
        if any(not -1 <= v <= 2 for v in places):
            raise ValueError("a value outside -1 … 2; are these pixels? rows are normalised by width and height")
        if self.pose is not None:
            instance, over = _box(values[:4], sample, key, where)
            instance.keypoints = _points(values[4:], self.pose, sample.size)
            for x, y, v in instance.keypoints:
                if v:
                    over = max(over, -x, -y, x - sample.size[0], y - sample.size[1])
        elif count in (5, 6):
            instance, over = _box(values[:4], sample, key, where)
            if count == 6:
                instance.flags["score"] = tokens[5]
        else:
            instance, over = _outline(values, sample, key, where, self.task == "obb" and count == 9)
        if over > ROUNDING:
            self.report.warn(where, f"{over:.1f} px beyond the image; clipped")
        # any overhang is written clipped: one value over 1 makes trainers discard the image
        instance.clipped = over > _TRIFLE
        return instance

    def _class(self, token: str, where: str) -> int:
        if not _CLASS.fullmatch(token):
            if not _FLOAT_CLASS.fullmatch(token):
                raise ValueError(f"class {token!r:.40}; a whole number >= 0 is needed")
            self.report.warn(where, f"class {token} is written as a decimal")
        key = int(float(token))
        if self.names is not None and key not in self.names:
            raise ValueError(f"class {key}; names has {len(self.names)} classes")
        return key


def _box(values: Sequence[float], sample: Sample, key: int, where: str) -> tuple[Instance, float]:
    cx, cy, bw, bh = values
    w, h = sample.size
    if bw <= 0 or bh <= 0:
        raise ValueError(f"width and height must be positive, got {bw:g} and {bh:g}")
    given = ((cx - bw / 2) * w, (cy - bh / 2) * h, (cx + bw / 2) * w, (cy + bh / 2) * h)
    fitted = clip_box(given, w, h)
    if fitted is None:
        raise ValueError("wholly outside the image")
    return Instance(category=key, box=fitted[0], where=where, box_given=given), fitted[1]


def _outline(values: Sequence[float], sample: Sample, key: int, where: str, oriented: bool) -> tuple[Instance, float]:
    w, h = sample.size
    given = array("d", [v * (w, h)[i % 2] for i, v in enumerate(values)])
    if area(given) <= 0:
        raise ValueError("a polygon without area")
    hull = extent([given])
    fitted = clip_box(hull, w, h)
    if fitted is None:
        raise ValueError("wholly outside the image")
    box, over = fitted
    part = clip(given, w, h) if over > 0 else given
    if len(part) < 6 or area(part) <= 0:
        raise ValueError("wholly outside the image")
    if oriented:
        if over > _TRIFLE:
            given = quads.flat_of(quads.boxed_again(quads.corners_of(given), quads.corners_of(part)))
        return Instance(key, extent([part]), where, box_given=hull, quad=given), over
    return Instance(key, box, where, box_given=hull, parts=[part]), over


def _points(values: Sequence[float], pose: Pose, size: tuple[int, int]) -> list[tuple[float, float, int]]:
    w, h = size
    found = []
    for i in range(0, len(values), pose.width):
        x, y = values[i] * w, values[i + 1] * h
        v = values[i + 2] if pose.width == 3 else 2.0 if x or y else 0.0
        if v not in (0.0, 1.0, 2.0):
            raise ValueError(f"visibility {v:g}; 0, 1 or 2 is needed")
        found.append((x, y, int(v)) if v else (0.0, 0.0, 0))
    return found
