"""COCO's annotation records, read one after the other: a million of them in a big file, so the common case is short.

A record that is anything but plain (stored frame, run lengths, keypoints, beyond the image) takes the longer way.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from .._core import ConfigError
from . import jsonspan
from .coco_values import Invalid, box_of, keypoints_of, mask_box, outline_of, turn, turn_keypoints
from .common import ROUNDING, clip_box, number
from .model import Box, Dataset, Instance, Reporter, Sample
from .paths import MAX_OBJECTS, MAX_POINTS
from .polygon import area, clip, extent

#: keys of a record whose number lists are geometry
GEOMETRY_KEYS = frozenset(("bbox", "segmentation", "keypoints"))

#: keys that need no look for lists of numbers
_PLAIN_KEYS = {"id", "image_id", "category_id", "area", "iscrowd", "num_keypoints", *GEOMETRY_KEYS}

#: one for all records without flags; nobody can write to it
_NO_FLAGS = cast("dict[str, Any]", MappingProxyType({}))


@dataclass(slots=True)
class CocoDoc:
    """One annotation file: its text with places, its kind, and what was dropped from it."""

    path: str
    split: str
    kind: str
    document: jsonspan.Document
    folder: str = ""
    samples: list[Sample] = field(default_factory=list)
    dropped: dict[str, set[int]] = field(default_factory=lambda: {"images": set(), "annotations": set()})
    count: int = 0
    last_image: int = 0
    last_annotation: int = 0


@dataclass(slots=True)
class CocoImage:
    """The place of an image's record in one document, and its name there."""

    index: int
    id: Any
    file_name: str


class CocoInstance(Instance):
    """An object whose outline stays text until somebody asks for it: most of a big file is coordinates."""

    __slots__ = ()

    @property
    def parts(self) -> Any:
        """The outline, parsed at the first look."""
        held = _held(self)
        if isinstance(held, CocoDoc):
            start, end = held.document.arrays["annotations"][self.raw]
            record = json.loads(held.document.text[start:end])
            held = [array("d", part) for part in record["segmentation"]]
            _hold(self, held)
        return held

    @parts.setter
    def parts(self, value: Any) -> None:
        _hold(self, value)


_SLOT: Any = Instance.__dict__["parts"]
_held, _hold = _SLOT.__get__, _SLOT.__set__


def is_id(value: Any) -> bool:
    """A number that is no bool, or a text that is not empty."""
    return type(value) is int or (type(value) is str and value != "")


class Work:
    """The annotations of one document, one after the other."""

    def __init__(
        self,
        data: Dataset,
        report: Reporter,
        number_lists: set[str],
        doc: CocoDoc,
        number_of: int,
        by_id: dict[Any, Sample | None],
        categories: dict[Any, int],
        plain: bool = True,
    ) -> None:
        self.plain = plain
        self.data, self.report, self.number_lists = data, report, number_lists
        self.doc, self.number_of = doc, number_of
        self.by_id, self.categories = by_id, categories
        self.seen: set[Any] = set()
        self.outlined = False

    def take(self, record: Any, index: int) -> None:
        """Checks one record and hangs it on its image."""
        doc = self.doc
        if doc.kind == "panoptic":
            return
        try:
            sample, instance = self._instance(record, index)
        except Invalid as error:
            doc.dropped["annotations"].add(index)
            if not error.quiet:
                self.report.invalid(self._where(record, index), str(error))
            return
        sample.instances.append(instance)
        if len(sample.instances) > MAX_OBJECTS and sum(i.doc == self.number_of for i in sample.instances) > MAX_OBJECTS:
            raise ConfigError(f"{instance.where}: more than {MAX_OBJECTS} objects in one image")

    def _where(self, record: Any, index: int) -> str:
        if isinstance(record, dict) and is_id(record.get("id")):
            return f"{self.doc.path}: annotation {record['id']}"
        return f"{self.doc.path}: annotations[{index}]"

    def _instance(self, record: Any, index: int) -> tuple[Sample, Instance]:
        doc = self.doc
        if type(record) is not dict:
            raise Invalid(jsonspan.NotJson.WHY if isinstance(record, jsonspan.NotJson) else "not an object")
        own = record.get("id")
        if not is_id(own):
            raise Invalid("no id")
        if own in self.seen:
            raise Invalid("id used twice")
        self.seen.add(own)
        if type(own) is int and own > doc.last_annotation:
            doc.last_annotation = own
        key = record.get("image_id")
        if not is_id(key) or key not in self.by_id:
            raise Invalid(f"unknown image {key!r:.40}")
        sample = self.by_id[key]
        if sample is None:
            raise Invalid("its image is invalid", quiet=True)
        where = f"{doc.path}: annotation {own}"
        rank = doc.count
        if doc.kind == "captions":
            doc.count += 1
            return sample, Instance(-1, None, where, index, self.number_of, rank=rank)
        kind = record.get("category_id")
        if not is_id(kind) or kind not in self.categories:
            raise Invalid(f"unknown category {kind!r:.40}")
        category = self.categories[kind]
        bbox, outline = record.get("bbox"), record.get("segmentation")
        box = _plain_box(bbox, sample.size) if self.plain and sample.frame == "upright" else None
        plain = _plain_outline(outline, sample.size) if box is not None else None
        if box is None or plain is None:
            instance: Instance = self._odd(category, bbox, outline, sample, where)
            self.outlined = self.outlined or bool(instance.parts or instance.rle)
        else:
            held: Any = doc if plain else None
            instance = CocoInstance(category, box, where, None, 0, None, held, flags=_NO_FLAGS)
            self.outlined = self.outlined or plain
        if record.get("iscrowd"):
            instance.flags = {"crowd": True}
        if not record.keys() <= _PLAIN_KEYS or "keypoints" in record:
            self._more(record, instance, sample, where)
        instance.raw, instance.doc, instance.rank = index, self.number_of, index if rank == index else rank
        doc.count += 1
        return sample, instance

    def _odd(self, category: int, bbox: Any, outline: Any, sample: Sample, where: str) -> Instance:
        """A record that needs turning, clipping, deriving, or refusing."""
        box = box_of(bbox)
        parts, mask, dropped = outline_of(outline, sample)
        if dropped:
            self.report.warn(where, "polygon part of fewer than 3 points; part dropped")
        if box is None:
            if parts:
                box = extent(parts)
            elif mask is not None:
                box = mask_box(mask)
            else:
                raise Invalid("neither bbox nor outline")
            self.report.warn(where, "no bbox; derived from the outline")
        instance = Instance(category, box, where, parts=parts, rle=mask, flags=_NO_FLAGS)
        if sample.frame == "stored":
            turn(instance, sample)
        self._fit(instance, sample, where)
        return instance

    def _fit(self, instance: Instance, sample: Sample, where: str) -> None:
        """Clips a record to its image."""
        assert instance.box is not None
        w, h = sample.size
        given = instance.box
        fitted = clip_box(given, w, h)
        if fitted is None:
            raise Invalid("wholly outside the image")
        instance.box, over = fitted
        if instance.parts:
            x0, y0, x1, y1 = extent(instance.parts)
            part_over = max(-x0, -y0, x1 - w, y1 - h, 0.0)
            if part_over > 0:
                kept = [clip(part, w, h) for part in instance.parts]
                instance.parts = [p for p in kept if len(p) >= 6 and area(p) > 0] or None
            over = max(over, part_over)
        if over > ROUNDING:
            instance.clipped, instance.box_given = True, given
            self.report.warn(where, f"{over:.1f} px beyond the image; clipped")

    def _more(self, record: dict[str, Any], instance: Instance, sample: Sample, where: str) -> None:
        """Keypoints, and a notice for fields that look like geometry nobody knows."""
        points = record.get("keypoints")
        if points is not None:
            names = self.data.categories[instance.category].keypoints
            instance.keypoints = keypoints_of(points, len(names) if names else None)
            if sample.frame == "stored":
                turn_keypoints(instance, sample)
        for name, value in record.items():
            if (
                type(value) is list
                and value
                and name not in _PLAIN_KEYS
                and name not in self.number_lists
                and all(number(v) is not None for v in value)
            ):
                self.number_lists.add(name)
                self.report.notice(where, f"field {name!r} holds numbers; it is copied unchanged")

    def finish(self, text: str) -> None:
        """Marks exact duplicates: the same class, box and outline in one image."""
        if self.doc.kind in ("panoptic", "captions"):
            return
        spans = self.doc.document.arrays["annotations"]
        for sample in self.doc.samples:
            if len(sample.instances) < 2:
                continue
            known: dict[tuple[int, Box | None], list[Instance]] = {}
            for instance in sample.instances:
                if instance.doc == self.number_of and instance.box is not None:
                    known.setdefault((instance.category, instance.box), []).append(instance)
            for group in known.values():
                if len(group) < 2:
                    continue
                drawn: set[str] = set()
                for instance in group:
                    start, end = spans[instance.raw]
                    record = json.loads(text[start:end])
                    shape = repr((record.get("bbox"), record.get("segmentation")))
                    if shape in drawn:
                        instance.duplicate = True
                        self.report.warn(instance.where, "duplicate of an earlier record; augmented once")
                    drawn.add(shape)


def _plain_box(bbox: Any, size: tuple[int, int]) -> Box | None:
    """The box if it is four numbers inside the image, else None."""
    try:
        x, y, w, h = bbox
        x1, y1 = x + w, y + h
        if x >= 0 and y >= 0 and w > 0 and h > 0 and x1 <= size[0] and y1 <= size[1]:
            return float(x), float(y), float(x1), float(y1)
    except (TypeError, ValueError):
        pass
    return None


def _plain_outline(value: Any, size: tuple[int, int]) -> bool | None:
    """True for polygons of numbers inside the image, False if there is no outline, None for anything else.

    What is no number compares with none and takes the longer way; bools do, so their files do not come here. NaN and
    infinity come out of the parser as texts.
    """
    if value is None or value == []:
        return False
    if type(value) is not list:
        return None
    w, h = size
    side = min(w, h)
    points = 0
    try:
        for part in value:
            points += len(part)
            if len(part) < 6 or len(part) & 1 or points > 2 * MAX_POINTS or min(part) < 0:
                return None
            if max(part) > side and (max(part[0::2]) > w or max(part[1::2]) > h):
                return None
    except TypeError:
        return None
    return True
