"""LabelMe JSON, written: the source's own text with shapes, size and image name replaced; and any set as LabelMe.

A shape that did not change stays token for token, a changed one keeps its other fields. A circle that changed is a
polygon of 32 corners. Further parts of an object get a group_id. New files hold no picture in `imageData`.
"""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .. import _core
from . import jsonspan, rle
from . import writer as base
from .coco_write import rounded_parts
from .convert import CLASSES, neutral, place, tidy
from .geometry import mask_extent
from .labelme import LabelmeFile
from .model import Box, Copy, Dataset, Instance, Mapped, Sample
from .paths import stem
from .polygon import area, clip

_MARKS = ("crowd", "difficult", "truncated", "occluded")


class Writer(base.Writer):
    """One JSON file a copy, beside the source's."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.files: dict[str, LabelmeFile] = data.header

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """The JSON of a copy at `path`."""
        folder = (sample.label or "").rpartition("/")[0]
        return [(folder + "/" if folder else "") + stem(path.rsplit("/", 1)[-1]) + ".json"]

    def prepare(self, sample: Sample) -> jsonspan.Document:
        """The source's text with the places of its shapes."""
        return self.files[sample.path].document(self.data.root)

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """The source's JSON, edited in place."""
        document: jsonspan.Document = prepared
        records: list[str] = []
        groups = _Groups(document)
        style = jsonspan.style_of(document, "shapes")
        for mapped in copy.objects:
            instance: Instance = mapped.instance
            texts = [jsonspan.record_text(document, "shapes", index) for index in instance.raw]
            if not mapped.changed and not mapped.ghost and not instance.clipped and copy.sample.frame != "stored":
                records += texts
                continue
            records += [style.dumps(shape) for shape in _shapes([json.loads(t) for t in texts], mapped, groups)]
        old = document.values.get("imagePath")
        folder = old.rpartition("/")[0] if isinstance(old, str) and "\\" not in old else ""
        name = copy.path.rsplit("/", 1)[-1]
        beside = (copy.sample.label or "").rpartition("/")[0] == copy.sample.path.rpartition("/")[0]
        edits = {
            "imagePath": f"{folder}/{name}" if folder and not beside else name,
            "imageData": None,
            "imageHeight": copy.size[1],
            "imageWidth": copy.size[0],
        }
        text = jsonspan.with_values(document, edits, {"shapes": records})
        return [(path, text.encode("utf-8")) for path in self.label_paths(copy.sample, copy.path)]

    def originals(self, gone: set[int]) -> Iterator[tuple[str, bytes | None]]:
        """JSON files of the sources: None for a byte copy, else the text without its invalid shapes."""
        for sample in self.data.samples():
            if id(sample) in gone:
                continue
            file = self.files[sample.path]
            if not file.dropped:
                yield file.path, file.text
                continue
            document = file.document(self.data.root)
            pieces = jsonspan.edited(document, {"shapes": file.dropped}, {})
            yield file.path, (b"\xef\xbb\xbf" if document.bom else b"") + "".join(pieces).encode("utf-8")


class _Groups:
    """Group numbers that the file does not use yet."""

    def __init__(self, document: jsonspan.Document) -> None:
        self.document = document
        self.last: int | None = None

    def new(self) -> int:
        """The next one."""
        if self.last is None:
            used = [json.loads(jsonspan.record_text(self.document, "shapes", i)).get("group_id")
                    for i in range(len(self.document.arrays["shapes"]))]  # fmt: skip
            self.last = max((g for g in used if isinstance(g, int)), default=0)
        self.last += 1
        return self.last


def _shapes(sources: list[dict[str, Any]], mapped: Mapped, groups: _Groups) -> list[dict[str, Any]]:
    """The object's shapes with new points; the fields beside geometry come from the source's shapes in turn."""
    instance = mapped.instance
    first = sources[0]
    if mapped.keypoints is not None:
        return [{**first, "points": [[round(x, 2), round(y, 2)] for x, y, v in mapped.keypoints if v]}]
    if mapped.mask is not None:
        return [{**first, **_mask(mapped.mask, mapped.box)}]
    if not mapped.parts:
        x0, y0, x1, y1 = (round(v, 2) for v in mapped.box)
        return [{**first, "points": [[x0, y0], [x1, y1]]}]
    parts = rounded_parts(mapped.parts)
    group = first.get("group_id")
    if (len(parts) > 1 and group is None) or (mapped.ghost and group is not None):
        group = groups.new()
    shapes = []
    for number, part in enumerate(parts):
        shape = {**sources[min(number, len(sources) - 1)], "points": _pairs(part)}
        if instance.flags.get("shape") == "circle":
            shape["shape_type"] = "polygon"
        if group is not None:
            shape["group_id"] = group
        shapes.append(shape)
    return shapes


def _pairs(flat: list[float] | array[float]) -> list[list[float]]:
    return [[x, y] for x, y in zip(flat[0::2], flat[1::2], strict=True)]


def _mask(mask: Any, box: Box) -> dict[str, Any]:
    """The points and the picture of a mask's box: its first and its last pixel."""
    x0, y0, x1, y1 = (int(v) for v in mask_extent(mask) or box)
    content = _core.encode_png(np.ascontiguousarray((np.asarray(mask)[y0:y1, x0:x1] != 0).astype(np.uint8)))
    return {"points": [[x0, y0], [x1 - 1, y1 - 1]], "mask": base64.b64encode(content).decode()}


def adopt(data: Dataset) -> Dataset:
    """`data` as a LabelMe set whose JSON files exist as text only: `<split>/*.json` beside the images."""
    found = neutral(data, "labelme")
    found.keep("outlines", "quads", "crowd", "marks")
    used = {i.category for s in found.samples for i in s.instances}
    found.lose(CLASSES, sum(c not in used for c in range(len(found.categories))))
    place(found.samples, lambda sample: sample.split)
    header: dict[str, LabelmeFile] = {}
    for sample in found.samples:
        shapes: list[dict[str, Any]] = []
        groups = 0
        for instance in sample.instances:
            made = _new_shapes(found.categories[instance.category].name, instance, sample)
            if len(made) > 1:
                groups += 1
                for shape in made:
                    shape["group_id"] = groups
            instance.raw = list(range(len(shapes), len(shapes) + len(made)))
            instance.flags["shape"] = made[0]["shape_type"]
            shapes += made
        value: dict[str, Any] = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": sample.path.rsplit("/", 1)[-1],
            "imageData": None,
            "imageHeight": sample.size[1],
            "imageWidth": sample.size[0],
        }
        sample.label = stem(sample.path) + ".json"
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        header[sample.path] = LabelmeFile(sample.label, text=text.encode())
    return replace(
        data, format="labelme", categories=found.categories, splits=found.splits(), header=header, files=found.files,
        losses=found.losses,
    )  # fmt: skip


def _new_shapes(name: str, instance: Instance, sample: Sample) -> list[dict[str, Any]]:
    flags = {mark: True for mark in _MARKS if instance.flags.get(mark)}

    def shape(kind: str, points: list[list[float]], mask: str | None = None) -> dict[str, Any]:
        return {
            "label": name, "points": points, "group_id": None, "description": "", "shape_type": kind, "flags": flags,
            "mask": mask,
        }  # fmt: skip

    assert instance.box is not None
    if instance.quad is not None and not instance.parts:
        ring = clip(instance.quad, *sample.size)
        instance.parts = [ring] if len(ring) >= 6 and area(ring) > 0 else None
    instance.quad = None
    if instance.parts:
        return [shape("polygon", [[tidy(x), tidy(y)] for x, y in _pairs(part)]) for part in instance.parts]
    if instance.rle is not None:
        made = _mask(rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w), instance.box)
        return [shape("mask", made["points"], made["mask"])]
    x0, y0, x1, y1 = (tidy(v) for v in instance.box)
    return [shape("rectangle", [[x0, y0], [x1, y1]])]
