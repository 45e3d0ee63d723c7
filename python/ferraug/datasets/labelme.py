"""LabelMe JSON, read (format: github.com/wkentaro/labelme, `labelme/label_file.py` and `shape.py`).

    {"version", "flags": {}, "shapes": [
        {"label", "points": [[x, y], …], "group_id", "description", "flags": {}, "mask", "shape_type":
            "polygon" | "rectangle" | "circle" | "point" | "points" | "line" | "linestrip" | "mask"}],
     "imagePath", "imageData": base64 | null, "imageHeight", "imageWidth"}

One file an image. Coordinates are continuous edges. A rectangle has two corners, a circle its centre and a point of its
rim, a mask the first and the last pixel of its box and in `mask` that box as a PNG in base64. Polygons of one label and
one group_id are the parts of one object.
"""

from __future__ import annotations

import base64
import binascii
import math
import posixpath
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from .._core import ConfigError, DecodeError, LimitError, UnsafePathError
from . import jsonspan, rle
from .coco_values import declared_size, turn, turn_keypoints
from .common import ROUNDING, SPLIT_NAMES, clip_box, folder_split, number, open_sample
from .model import Category, Dataset, Instance, Reporter, Rle, Sample
from .paths import MAX_JSON, MAX_OBJECTS, MAX_POINTS, is_image_name, read_bytes, safe_rel_path, stem, walk
from .polygon import area, clip, extent

#: a circle that changes is written as a polygon of so many corners
CIRCLE = 32

#: how many points a shape needs, at least and at most
_COUNTS = {
    "polygon": (3, MAX_POINTS), "rectangle": (2, 2), "circle": (2, 2), "point": (1, 1), "points": (1, MAX_POINTS),
    "line": (2, 2), "linestrip": (2, MAX_POINTS), "mask": (2, 2),
}  # fmt: skip

#: half side of the box that stands for points and lines
_DOT = 0.5


@dataclass(slots=True)
class LabelmeFile:
    """One JSON file: its place, and its shapes that are invalid. `text` if it lies nowhere yet (a conversion)."""

    path: str
    dropped: set[int] = field(default_factory=set)
    text: bytes | None = None

    def document(self, root: str) -> jsonspan.Document:
        """Its text with the places of the shapes."""
        raw = read_bytes(root, self.path, MAX_JSON) if self.text is None else self.text
        return jsonspan.parse(raw, self.path, {"shapes": lambda value, index: None})


def looks_like_labelme(head: bytes) -> bool:
    """Told from the first bytes of a JSON file."""
    return b'"shapes"' in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def read(root: str, errors: str = "raise", files: list[str] | None = None, only: str | None = None) -> Dataset:
    """Reads all LabelMe files of the tree `root` (or the one file `only`)."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="labelme", task="detect")
    reader = _Reader(root, files, data, report)
    for path in files:
        if path.lower().endswith(".json") and (only is None or path == only):
            reader.file(path)
    reader.finish()
    data.problems = report.problems
    return data


class _Reader:
    def __init__(self, root: str, files: list[str], data: Dataset, report: Reporter) -> None:
        self.root, self.files, self.data, self.report = root, files, data, report
        self.known = set(files)
        self.by_stem = {stem(f): f for f in reversed(files) if is_image_name(f)}
        self.header: dict[str, LabelmeFile] = {}
        data.header = self.header
        self.owned: set[str] = set()
        self.samples: list[Sample] = []
        self.classes: dict[str, int] = {}

    def file(self, path: str) -> None:
        """One JSON file as a sample; whatever is wrong with it is reported and leaves."""
        shapes: list[Any] = []
        try:
            raw = read_bytes(self.root, path, MAX_JSON)
            if not looks_like_labelme(raw[: 1 << 16]):
                return
            document = jsonspan.parse(raw, path, {"shapes": lambda value, index: shapes.append(value)})
        except (ConfigError, LimitError, OSError) as error:
            self.report.invalid(path, str(error).removeprefix(f"{path}: "), "image")
            self.owned |= {path, self.by_stem.get(stem(path), path)}
            return
        self.owned.add(path)
        values = document.values
        image = self._image(path, values.get("imagePath"))
        if image is None:
            self.report.invalid(path, f"no image {values.get('imagePath')!r:.80} and none named like the JSON", "image")
            return
        if image in self.header:
            self.report.invalid(path, f"{image}: {self.header[image].path} describes this image already", "image")
            return
        self.owned.add(image)
        declared = declared_size({"width": values.get("imageWidth"), "height": values.get("imageHeight")})
        split = folder_split(path) or "train"
        sample = open_sample(self.root, image, split, self.report, declared, path)
        if sample is None:
            return
        sample.label = path
        self.header[image] = LabelmeFile(path)
        if len(shapes) > MAX_OBJECTS:
            raise ConfigError(f"{path}: more than {MAX_OBJECTS} objects in one image")
        self._shapes(shapes, sample, self.header[image])
        self.samples.append(sample)

    def _image(self, path: str, name: Any) -> str | None:
        folder = path.rpartition("/")[0]
        if isinstance(name, str) and name:
            # written on another system, or in a folder beside the images: only where it leads counts
            place = posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))
            if place.startswith(("../", "/")) or place == "..":
                raise UnsafePathError(f"{path}: imagePath: unsafe path {name!r:.80}: leads out of the data set")
            place = safe_rel_path(place, f"{path}: imagePath")
            if place in self.known and is_image_name(place):
                return place
        return self.by_stem.get(stem(path))

    def _shapes(self, shapes: list[Any], sample: Sample, file: LabelmeFile) -> None:
        groups: dict[tuple[str, Any], Instance] = {}
        seen: set[str] = set()
        for index, shape in enumerate(shapes):
            where = f"{file.path}: shapes[{index}]"
            try:
                name, kind, points = _checked(shape)
                instance = _instance(shape, kind, points, sample, where)
                over = _fit(instance, sample)
            except ValueError as error:
                file.dropped.add(index)
                self.report.invalid(where, str(error))
                continue
            instance.category = self.classes.setdefault(name, len(self.classes))
            instance.raw, instance.rank = [index], len(sample.instances)
            instance.flags["shape"] = kind
            if over > ROUNDING:
                instance.clipped = True
                if kind != "circle":
                    self.report.warn(where, f"{over:.1f} px beyond the image; clipped")
            group = shape.get("group_id")
            if kind == "polygon" and instance.parts and group is not None and not isinstance(group, (list, dict)):
                first = groups.setdefault((name, group), instance)
                if first is not instance:
                    assert first.parts is not None
                    first.parts += instance.parts
                    first.box = extent(first.parts)
                    first.raw.append(index)
                    first.clipped = first.clipped or instance.clipped
                    continue
            key = repr((name, kind, points, shape.get("mask"), group))
            if key in seen:
                instance.duplicate = True
                self.report.warn(where, "duplicate of an earlier shape; augmented once")
            seen.add(key)
            sample.instances.append(instance)

    def finish(self) -> None:
        data = self.data
        if not self.samples and not any(p.what == "image" for p in self.report.problems):
            raise ConfigError(f"{self.root}: no LabelMe JSON file")
        data.categories = [Category(name, name) for name in self.classes]
        for split in SPLIT_NAMES:
            part = [s for s in self.samples if s.split == split]
            if part:
                data.splits[split] = part
        if any(i.parts or i.rle for s in self.samples for i in s.instances):
            data.task = "segment"
        data.files = [f for f in self.files if f not in self.owned]
        spare = sum(is_image_name(f) for f in data.files)
        if spare:
            self.report.notice("LabelMe", f"{spare} image files have no JSON; copied, not multiplied")


def _checked(shape: Any) -> tuple[str, str, list[tuple[float, float]]]:
    """(label, kind, points) of a shape; ValueError says what is wrong."""
    if isinstance(shape, jsonspan.NotJson) or not isinstance(shape, dict):
        raise ValueError(jsonspan.NotJson.WHY if isinstance(shape, dict) else "not an object")
    name, kind, given = shape.get("label"), shape.get("shape_type", "polygon"), shape.get("points")
    if not isinstance(name, str) or not name:
        raise ValueError("no label")
    if kind not in _COUNTS:
        raise ValueError(f"shape_type {kind!r:.40}: allowed {', '.join(_COUNTS)}")
    if not isinstance(given, list):
        raise ValueError("points: a list is needed")
    points = []
    for point in given:
        if not isinstance(point, list) or len(point) != 2 or any(number(v) is None for v in point):
            raise ValueError(f"points: two finite numbers a point needed, got {point!r:.60}")
        points.append((float(point[0]), float(point[1])))
        if max(map(abs, points[-1])) > 1e9:
            raise ValueError(f"points: {point!r:.60} is out of range")
    low, high = _COUNTS[kind]
    if not low <= len(points) <= high:
        raise ValueError(f"{kind}: {low}{'' if low == high else ' or more'} points needed, got {len(points)}")
    return name, kind, points


def _instance(shape: Any, kind: str, points: list[tuple[float, float]], sample: Sample, where: str) -> Instance:
    """The shape as it stands, turned upright."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    box = (min(xs), min(ys), max(xs), max(ys))
    instance = Instance(0, box, where)
    if kind == "polygon":
        instance.parts = [array("d", [v for p in points for v in p])]
        if area(instance.parts[0]) == 0:
            raise ValueError("polygon: no area")
    elif kind == "rectangle":
        if box[0] == box[2] or box[1] == box[3]:
            raise ValueError("rectangle: no area")
    elif kind == "circle":
        radius = math.hypot(xs[1] - xs[0], ys[1] - ys[0])
        if radius == 0:
            raise ValueError("circle: no area")
        instance.parts = [circle(xs[0], ys[0], radius)]
        instance.box = extent(instance.parts)
    elif kind == "mask":
        stored = sample.stored if sample.frame == "stored" else sample.size
        instance.rle = _mask(shape.get("mask"), points, stored)
        instance.box = (box[0], box[1], box[2] + 1, box[3] + 1)
    else:
        w, h = sample.stored if sample.frame == "stored" else sample.size
        if not all(0 <= x <= w and 0 <= y <= h for x, y in points):
            raise ValueError(f"{kind}: outside the image")
        instance.keypoints = [(x, y, 2) for x, y in points]
        instance.box = (box[0] - _DOT, box[1] - _DOT, box[2] + _DOT, box[3] + _DOT)
        instance.flags["bare"] = "line" if kind.startswith("line") else "points"
    if sample.frame == "stored":
        turn(instance, sample)
        if instance.keypoints:
            turn_keypoints(instance, sample)
    return instance


def circle(x: float, y: float, radius: float) -> array[float]:
    """A regular polygon in the circle."""
    ring = array("d")
    for k in range(CIRCLE):
        c, s = _UNIT[k]
        ring += array("d", (x + radius * c, y + radius * s))
    return ring


def _unit() -> list[tuple[float, float]]:
    """32 points of the unit circle by halving angles: only square roots, so that no library's cosine decides."""
    eighth = [(1.0, 0.0)]
    half = math.sqrt(0.5)
    # cosines of 45, 22.5 and 11.25 degrees
    c1 = math.sqrt((1 + half) / 2)
    c2 = math.sqrt((1 + c1) / 2)
    s1, s2 = math.sqrt(1 - c1 * c1), math.sqrt(1 - c2 * c2)
    eighth += [(c2, s2), (c1, s1), (c1 * c2 - s1 * s2, s1 * c2 + c1 * s2)]
    quarter = [*eighth, (half, half), *((s, c) for c, s in reversed(eighth[1:]))]
    points = []
    for _ in range(4):
        points += quarter
        quarter = [(-s, c) for c, s in quarter]
    return points


_UNIT = _unit()


def _mask(text: Any, points: list[tuple[float, float]], size: tuple[int, int]) -> Rle:
    """Run lengths of the whole image from the PNG of a box."""
    (x0, y0), (x1, y1) = ((round(x), round(y)) for x, y in points)
    w, h = size
    if not isinstance(text, str):
        raise ValueError("mask: a PNG in base64 is needed")
    if not (0 <= x0 <= x1 < w and 0 <= y0 <= y1 < h):
        raise ValueError(f"mask: box {x0} {y0} {x1} {y1} is not inside {w}x{h}")
    try:
        pixels, _ = _core.decode(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, DecodeError, LimitError) as error:
        raise ValueError(f"mask: {error}") from None
    pixels = pixels if pixels.ndim == 2 else pixels[:, :, 0]
    if pixels.shape != (y1 - y0 + 1, x1 - x0 + 1):
        raise ValueError(f"mask: {pixels.shape[1]}x{pixels.shape[0]} pixels for a box of {x1 - x0 + 1}x{y1 - y0 + 1}")
    if not pixels.any():
        raise ValueError("mask: empty")
    full = np.zeros((h, w), np.uint8)
    full[y0 : y1 + 1, x0 : x1 + 1] = pixels != 0
    return Rle(array("i", rle.encode(full)), h, w, True)


def _fit(instance: Instance, sample: Sample) -> float:
    """Clips to the image; by how much it overhung."""
    assert instance.box is not None
    w, h = sample.size
    given = instance.box
    fitted = clip_box(given, w, h)
    if fitted is None:
        raise ValueError("wholly outside the image")
    instance.box, over = fitted
    if instance.flags.get("bare"):
        return 0.0
    if over and instance.parts:
        instance.box_given = given
        instance.parts = [p for p in (clip(part, w, h) for part in instance.parts) if len(p) >= 6 and area(p) > 0]
        if not instance.parts:
            raise ValueError("wholly outside the image")
        instance.box = extent(instance.parts)
    return over
