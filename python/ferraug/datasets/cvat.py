"""CVAT for images 1.1 XML, read (format: docs.cvat.ai, "CVAT for image"; `cvat/apps/dataset_manager/formats/cvat.py`).

    <annotations> <version>1.1</version> <meta><task><labels><label><name/>…</label></labels></task></meta>
      <image id="0" name="a.jpg" width="" height="" subset="">
        <box label="" xtl="" ytl="" xbr="" ybr="" rotation="" occluded="" group_id=""> <attribute name=""/> </box>
        <polygon points="x,y;x,y"/> <polyline/> <points/> <ellipse cx="" cy="" rx="" ry="" rotation=""/>
        <mask rle="n, n" left="" top="" width="" height=""/> <tag label=""/> <cuboid/> <skeleton/>
      </image>
    </annotations>

Coordinates are continuous edges. A rotation turns a box around its middle, in degrees, clockwise on the screen. The runs
of a mask go along the rows of its box, zeros first. Polygons of one label and one group_id (not 0) are the parts of one
object. Tags belong to the image and stay. Tracks of videos are refused.
"""

from __future__ import annotations

import math
import os
import re
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._core import ConfigError, LimitError
from . import rle
from .coco_values import declared_size, turn, turn_keypoints
from .common import ROUNDING, SPLIT_NAMES, canonical_split, clip_box, folder_split, open_sample
from .labelme import circle
from .model import Category, Dataset, Instance, Reporter, Rle, Sample
from .paths import MAX_OBJECTS, MAX_POINTS, MAX_XML, is_image_name, read_bytes, safe_rel_path, walk
from .polygon import area, clip, extent, turned
from .xmlspan import Element, XmlError, parse

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")

#: shapes that are objects
SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "mask")

#: shapes that are recognised and left out of new images
OTHERS = ("cuboid", "skeleton")

_DOT = 0.5


@dataclass(slots=True)
class CvatDoc:
    """One XML file: its bytes with places, and what was dropped: whole images, or shapes by (image, child)."""

    path: str
    text: bytes
    root: Element
    images: list[Element]
    bad_images: set[int] = field(default_factory=set)
    bad_shapes: set[tuple[int, int]] = field(default_factory=set)
    last_id: int = 0


@dataclass(slots=True)
class CvatImage:
    """The place of an image's element: which document, which image there."""

    doc: int
    index: int


def looks_like_cvat(root: str, path: str) -> bool:
    """Root element `annotations`; told from the first bytes."""
    try:
        with open(os.path.join(root, path), "rb") as file:
            head = file.read(1 << 14)
    except OSError:
        return False
    found = re.search(rb"<\s*([A-Za-z_][\w.-]*)", re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", head, flags=re.S))
    return found is not None and found[1] == b"annotations"


def read(root: str, errors: str = "raise", files: list[str] | None = None, only: str | None = None) -> Dataset:
    """Reads all CVAT files of the tree `root` (or the one file `only`)."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="cvat", task="detect")
    reader = _Reader(root, files, data, report)
    for path in files:
        if path.lower().endswith(".xml") and (only is None or path == only) and looks_like_cvat(root, path):
            reader.document(path)
    reader.finish()
    data.problems = report.problems
    return data


def open_document(path: str, text: bytes) -> CvatDoc:
    """A document with its places; ConfigError if it is broken or tells of a video."""
    try:
        root = parse(text, path)
    except XmlError as error:
        raise ConfigError(f"{path}: {error}") from None
    if root.tag != "annotations":
        raise ConfigError(f"{path}: root element {root.tag!r}; annotations is needed")
    if root.find("track") is not None:
        raise ConfigError(f"{path}: tracks of a video; export the task as 'CVAT for images 1.1'")
    doc = CvatDoc(path, text, root, root.all("image"))
    for image in doc.images:
        if re.fullmatch(r"[0-9]{1,15}", image.attrs.get("id", "")):
            doc.last_id = max(doc.last_id, int(image.attrs["id"]))
    return doc


class _Reader:
    def __init__(self, root: str, files: list[str], data: Dataset, report: Reporter) -> None:
        self.root, self.files, self.data, self.report = root, files, data, report
        self.known = set(files)
        self.docs: list[CvatDoc] = []
        data.header = self.docs
        self.owned: set[str] = set()
        self.used: set[str] = set()
        self.samples: list[Sample] = []
        self.classes: dict[str, int] = {}
        self.odd = 0

    def document(self, path: str) -> None:
        """One XML file; broken ones stop the run, since they describe all images."""
        try:
            text = read_bytes(self.root, path, MAX_XML)
        except (LimitError, OSError) as error:
            raise ConfigError(f"{path}: {error}") from None
        doc = open_document(path, text)
        number_of = len(self.docs)
        self.docs.append(doc)
        self.owned.add(path)
        for label in _labels(doc.root):
            self.classes.setdefault(label, len(self.classes))
        folder = self._folder(path, [i.attrs.get("name", "") for i in doc.images])
        ids: set[str] = set()
        for index, element in enumerate(doc.images):
            where = f"{path}:{line_of(doc.text, element)}"
            sample = self._image(element, folder, doc, ids, where)
            if sample is None:
                doc.bad_images.add(index)
                continue
            sample.raw = CvatImage(number_of, index)
            self._shapes(element, sample, doc, index)
            self.samples.append(sample)

    def _folder(self, path: str, names: list[str]) -> str:
        """The folder that holds most of the images."""
        here = path.rsplit("/", 1)[0] + "/" if "/" in path else ""
        above = here.rstrip("/").rpartition("/")[0]
        above = above + "/" if above else ""
        tries = list(dict.fromkeys((f"{here}images/", here, f"{above}images/", above)))
        counts = [sum(f"{t}{n}" in self.known for n in names) for t in tries]
        return tries[counts.index(max(counts))]

    def _image(self, element: Element, folder: str, doc: CvatDoc, ids: set[str], where: str) -> Sample | None:
        report = self.report
        own = element.attrs.get("id")
        if own is None or own in ids:
            report.invalid(where, "image without id" if own is None else f"image id {own} used twice", "image")
            return None
        ids.add(own)
        path = folder + safe_rel_path(element.attrs.get("name"), where)
        if path not in self.known or not is_image_name(path):
            report.invalid(where, f"{path}: no such image", "image")
            return None
        self.owned.add(path)
        if path in self.used:
            report.invalid(where, f"{path}: another record uses this file", "image")
            return None
        self.used.add(path)
        size = [element.attrs.get(key, "") for key in ("width", "height")]
        declared = {k: float(v) for k, v in zip(("width", "height"), size, strict=True) if _NUMBER.fullmatch(v)}
        subset = canonical_split(element.attrs.get("subset", ""))
        words = re.split(r"[^A-Za-z0-9]+", doc.path.rsplit("/", 1)[-1])
        split = subset or folder_split(path) or next((s for s in map(canonical_split, words) if s), None) or "train"
        return open_sample(self.root, path, split, report, declared_size(declared), where)

    def _shapes(self, element: Element, sample: Sample, doc: CvatDoc, index: int) -> None:
        if len(element.children) > MAX_OBJECTS:
            raise ConfigError(f"{doc.path}: more than {MAX_OBJECTS} objects in one image")
        seen: set[str] = set()
        groups: dict[tuple[str, str], Instance] = {}
        for place, child in enumerate(element.children):
            if child.tag not in SHAPES:
                self.odd += child.tag in OTHERS
                continue
            where = f"{doc.path}:{line_of(doc.text, child)}"
            try:
                name = child.attrs.get("label")
                if not name:
                    raise ValueError("no label")
                instance = _instance(child, sample, where)
                over = _fit(instance, sample)
            except ValueError as error:
                doc.bad_shapes.add((index, place))
                self.report.invalid(where, str(error))
                continue
            instance.category = self.classes.setdefault(name, len(self.classes))
            instance.raw, instance.rank = [place], len(sample.instances)
            if over > ROUNDING:
                instance.clipped = True
                if child.tag != "ellipse":
                    self.report.warn(where, f"{over:.1f} px beyond the image; clipped")
            if child.attrs.get("occluded") == "1":
                instance.flags["occluded"] = True
            told = {a.attrs.get("name", ""): a.text for a in child.all("attribute")}
            if told:
                instance.flags["attributes"] = told
            group = child.attrs.get("group_id", "0")
            if child.tag == "polygon" and group not in ("", "0") and instance.parts:
                first = groups.setdefault((name, group), instance)
                if first is not instance:
                    assert first.parts is not None
                    first.parts += instance.parts
                    first.box = extent(first.parts)
                    first.raw.append(place)
                    first.clipped = first.clipped or instance.clipped
                    continue
            key = repr((child.tag, sorted((k, v) for k, v in child.attrs.items() if k not in ("z_order", "source"))))
            if key in seen:
                instance.duplicate = True
                self.report.warn(where, "duplicate of an earlier shape; augmented once")
            seen.add(key)
            sample.instances.append(instance)

    def finish(self) -> None:
        data = self.data
        if not self.docs:
            raise ConfigError(f"{self.root}: no XML file with the root element annotations")
        if self.odd:
            self.report.notice(self.docs[0].path, f"{self.odd} cuboids or skeletons; new images get none of them")
        data.categories = [Category(name, name) for name in self.classes]
        for split in SPLIT_NAMES:
            part = [s for s in self.samples if s.split == split]
            if part:
                data.splits[split] = part
        every = [i for s in self.samples for i in s.instances]
        if any(i.parts or i.rle for i in every):
            data.task = "segment"
        elif any(i.quad is not None for i in every):
            data.task = "obb"
        data.files = [f for f in self.files if f not in self.owned]
        spare = sum(is_image_name(f) for f in data.files)
        if spare:
            self.report.notice(self.docs[0].path, f"{spare} image files have no record; copied, not multiplied")


def line_of(text: bytes, element: Element) -> int:
    """The element's line."""
    return text.count(b"\n", 0, element.start) + 1


def _labels(root: Element) -> list[str]:
    """Names of the task's or project's labels, in order."""
    found: list[str] = []

    def look(element: Element) -> None:
        for child in element.children:
            if child.tag == "labels":
                names = [label.value("name") for label in child.all("label") if not label.value("parent")]
                found.extend(name for name in names if name)
            else:
                look(child)

    meta = root.find("meta")
    if meta is not None:
        look(meta)
    return found


def _value(element: Element, name: str, default: float | None = None) -> float:
    text = element.attrs.get(name)
    if text is None and default is not None:
        return default
    if text is None or not _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{element.tag}: {name}: a number is needed, got {text!r:.40}")
    value = float(text)
    if abs(value) > 1e9:
        raise ValueError(f"{element.tag}: {name}: {text:.40} is out of range")
    return value


def _points(element: Element, least: int) -> list[tuple[float, float]]:
    points = []
    text = element.attrs.get("points", "")
    if text.count(";") >= MAX_POINTS:
        raise ValueError(f"{element.tag}: more than {MAX_POINTS} points")
    for pair in text.split(";") if text else ():
        values = [v.strip() for v in pair.split(",")]
        if len(values) != 2 or not all(_NUMBER.fullmatch(v) for v in values):
            raise ValueError(f"{element.tag}: points: x,y needed, got {pair!r:.40}")
        x, y = map(float, values)
        if max(abs(x), abs(y)) > 1e9:
            raise ValueError(f"{element.tag}: points: {pair!r:.40} is out of range")
        points.append((x, y))
    if len(points) < least:
        raise ValueError(f"{element.tag}: {least} points or more needed, got {len(points)}")
    return points


def _instance(element: Element, sample: Sample, where: str) -> Instance:
    """The shape as it stands, turned upright."""
    kind = element.tag
    stored = sample.stored if sample.frame == "stored" else sample.size
    instance = Instance(0, None, where)
    instance.flags["shape"] = kind
    if kind == "box":
        box = tuple(_value(element, key) for key in ("xtl", "ytl", "xbr", "ybr"))
        if box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError(
                f"box: xbr and ybr must be greater than xtl and ytl, got {' '.join(f'{v:g}' for v in box)}"
            )
        instance.box = (box[0], box[1], box[2], box[3])
        angle = _value(element, "rotation", 0.0)
        if angle % 360:
            instance.quad = rotated(instance.box, angle)
            instance.box = extent([instance.quad])
    elif kind == "polygon":
        instance.parts = [array("d", [v for p in _points(element, 3) for v in p])]
        if area(instance.parts[0]) == 0:
            raise ValueError("polygon: no area")
        instance.box = extent(instance.parts)
    elif kind == "ellipse":
        cx, cy, rx, ry = (_value(element, key) for key in ("cx", "cy", "rx", "ry"))
        if rx <= 0 or ry <= 0:
            raise ValueError("ellipse: rx and ry must be positive")
        unit = circle(0.0, 0.0, 1.0)
        ring = array("d", [v for x, y in zip(unit[0::2], unit[1::2], strict=True) for v in (cx + rx * x, cy + ry * y)])
        instance.parts = [spun(ring, cx, cy, _value(element, "rotation", 0.0))]
        instance.box = extent(instance.parts)
    elif kind == "mask":
        instance.rle = _mask(element, stored)
        left, top, w, h = (_value(element, key) for key in ("left", "top", "width", "height"))
        instance.box = (left, top, left + w, top + h)
    else:
        points = _points(element, 2 if kind == "polyline" else 1)
        if not all(0 <= x <= stored[0] and 0 <= y <= stored[1] for x, y in points):
            raise ValueError(f"{kind}: outside the image")
        instance.keypoints = [(x, y, 2) for x, y in points]
        x0, y0, x1, y1 = extent([[v for p in points for v in p]])
        instance.box = (x0 - _DOT, y0 - _DOT, x1 + _DOT, y1 + _DOT)
        instance.flags["bare"] = "line" if kind == "polyline" else "points"
    if sample.frame == "stored":
        if instance.quad is not None:
            q = instance.quad
            way = sample.orientation
            instance.quad = array("d", [v for i in (0, 2, 4, 6) for v in turned(q[i], q[i + 1], sample.stored, way)])
        turn(instance, sample)
        if instance.keypoints:
            turn_keypoints(instance, sample)
    return instance


def spun(ring: array[float], cx: float, cy: float, angle: float) -> array[float]:
    """A ring turned clockwise on the screen around a point."""
    if angle % 360 == 0:
        return ring
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    flat = array("d")
    for x, y in zip(ring[0::2], ring[1::2], strict=True):
        dx, dy = x - cx, y - cy
        flat += array("d", (cx + dx * c - dy * s, cy + dx * s + dy * c))
    return flat


def rotated(box: tuple[float, float, float, float], angle: float) -> array[float]:
    """The corners of a box turned around its middle."""
    x0, y0, x1, y1 = box
    return spun(array("d", (x0, y0, x1, y0, x1, y1, x0, y1)), (x0 + x1) / 2, (y0 + y1) / 2, angle)


def _mask(element: Element, size: tuple[int, int]) -> Rle:
    """Run lengths of the whole image from those of a box."""
    left, top, w, h = (_value(element, key) for key in ("left", "top", "width", "height"))
    if any(v != int(v) for v in (left, top, w, h)):
        raise ValueError("mask: whole numbers are needed")
    x, y, cols, rows = int(left), int(top), int(w), int(h)
    if not (x >= 0 and y >= 0 and cols > 0 and rows > 0 and x + cols <= size[0] and y + rows <= size[1]):
        raise ValueError(f"mask: box {x} {y} {cols} {rows} is not inside {size[0]}x{size[1]}")
    words = [v.strip() for v in element.attrs.get("rle", "").split(",")]
    if not all(re.fullmatch("[0-9]{1,9}", v) for v in words):
        raise ValueError("mask: rle: whole numbers are needed")
    counts = [int(v) for v in words]
    if sum(counts) != cols * rows:
        raise ValueError(f"mask: rle sums to {sum(counts)}, its box has {cols * rows} pixels")
    if not any(counts[1::2]):
        raise ValueError("mask: empty")
    full = np.zeros((size[1], size[0]), np.uint8)
    # runs along rows are runs along columns of the picture on its side
    full[y : y + rows, x : x + cols] = rle.decode(counts, cols, rows).T
    return Rle(array("i", rle.encode(full)), size[1], size[0], True)


def _fit(instance: Instance, sample: Sample) -> float:
    """Clips to the image; by how much it overhung."""
    assert instance.box is not None
    fitted = clip_box(instance.box, *sample.size)
    if fitted is None:
        raise ValueError("wholly outside the image")
    given = instance.box
    instance.box, over = fitted
    if "bare" in instance.flags:
        return 0.0
    if over and instance.parts:
        kept: list[Any] = [clip(part, *sample.size) for part in instance.parts]
        instance.parts = [p for p in kept if len(p) >= 6 and area(p) > 0]
        if not instance.parts:
            raise ValueError("wholly outside the image")
        instance.box = extent(instance.parts)
    if over:
        instance.box_given = given
    return over
