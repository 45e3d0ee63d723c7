"""Conversion: a set of any format in one neutral form, from which every target takes what it can hold.

Classes of one name are one class, in the order of the source. A COCO set of several documents says the same object in
each of them: records of one image with one class name and one box are one object, which keeps the first outline and the
first keypoints that any of them has. What a target cannot keep is counted by a short sentence; what it cannot do
without is a ConfigError.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .._core import ConfigError
from .model import Box, Category, Dataset, Instance, Sample
from .paths import is_image_name, nfc, stem

#: sentences of what is lost
OUTLINES = "outlines reduced to boxes"
QUADS = "oriented boxes reduced to upright boxes"
KEYPOINTS = "keypoints not kept"
CROWDS = "crowd marks not kept"
CROWDS_DIFFICULT = "crowds written as difficult boxes"
MARKS = "difficult, truncated, occluded and pose marks not kept"
SCORES = "confidences not kept"
FIELDS = "unknown fields of objects not kept"
IMAGE_FIELDS = "unknown fields of images not kept"
CAPTIONS = "captions not kept"
CLASSES = "classes without objects not kept"
DUPLICATES = "exact duplicates written once"
MASKS = "masks of classes not kept"
SPARE = "image files without annotations not taken along"
ROUNDED = "boxes rounded to whole pixels"
MERGED = "records of several documents merged to one object"
BARE = "points and lines not kept"
PARTS = "boxes of named parts not kept"
SIDES = "left and right of keypoints not kept"

#: keys of a COCO record that the neutral form holds
_COCO = {
    "id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "keypoints", "num_keypoints",
    "truncated", "difficult", "occluded", "pose", "score", "attributes",
}  # fmt: skip
_COCO_IMAGE = {"id", "file_name", "width", "height"}
_MARKS = ("difficult", "truncated", "occluded", "pose")


@dataclass(slots=True)
class Neutral:
    """Samples with new instances, ready to be dressed by the target; `losses` already holds what is gone."""

    categories: list[Category]
    samples: list[Sample]
    files: list[str]
    losses: dict[str, int]

    def lose(self, sentence: str, count: int = 1) -> None:
        """Counts a loss."""
        if count:
            self.losses[sentence] = self.losses.get(sentence, 0) + count

    def keep(self, *kept: str) -> None:
        """Counts and removes what the target does not hold. `kept`: outlines, quads, keypoints, crowd, marks, score,
        attributes. Outlines stay with the objects, since they make tight boxes: only their writing is lost."""
        for sample in self.samples:
            for i in sample.instances:
                if "outlines" not in kept:
                    self.lose(OUTLINES, int(bool(i.parts or i.rle)))
                if "quads" not in kept:
                    self.lose(QUADS, int(i.quad is not None))
                if "keypoints" not in kept and i.keypoints is not None:
                    self.lose(KEYPOINTS)
                    i.keypoints = None
                if "crowd" not in kept:
                    self.lose(CROWDS, int("crowd" in i.flags))
                if "marks" not in kept:
                    self.lose(MARKS, int(any(m in i.flags for m in _MARKS)))
                if "score" not in kept:
                    self.lose(SCORES, int("score" in i.flags))
                if "attributes" not in kept:
                    self.lose(FIELDS, int("attributes" in i.flags))

    def splits(self) -> dict[str, list[Sample]]:
        """The samples by split, in order."""
        parts: dict[str, list[Sample]] = {}
        for sample in self.samples:
            parts.setdefault(sample.split, []).append(sample)
        return parts


def neutral(data: Dataset, target: str) -> Neutral:
    """`data` in the neutral form; ConfigError if it holds no objects that `target` could annotate."""
    if data.task in ("plain", "classify", "semantic"):
        what = {"plain": "no annotations", "classify": "classes of whole images", "semantic": "masks of classes"}
        raise ConfigError(f"--to {target}: the source holds {what[data.task]}; objects are needed")
    index: dict[str, int] = {}
    categories: list[Category] = []
    number: list[int] = []
    for kind in data.categories:
        at = index.get(kind.name)
        if at is None:
            at = index[kind.name] = len(categories)
            categories.append(replace(kind, doc=0))
        elif categories[at].keypoints is None and kind.keypoints is not None:
            categories[at] = replace(kind, doc=0)
        number.append(at)
    found = Neutral(categories, [], _side_files(data), dict(data.losses))
    found.lose(SPARE, sum(is_image_name(f) for f in data.files))
    fields = _CocoFields(data) if data.format == "coco" else None
    for sample in data.samples():
        instances: dict[int, Instance] = {}
        first: dict[tuple[int, Box], list[Instance]] = {}
        for old in sample.instances:
            if old.box is None:
                found.lose(CAPTIONS)
                continue
            if old.duplicate:
                found.lose(DUPLICATES)
                continue
            if "bare" in old.flags:
                found.lose(BARE)
                continue
            flags = dict(old.flags)
            found.lose(PARTS, int(flags.pop("parts", None) is not None))
            if fields is not None:
                found.lose(FIELDS, fields.flags(old, flags))
            category = number[old.category]
            same = first.setdefault((category, old.box), [])
            twin = next((i for i in same if i.doc != old.doc), None)
            if twin is not None:
                found.lose(MERGED)
                if twin.parts is None and twin.rle is None:
                    twin.parts, twin.rle = old.parts, old.rle
                twin.keypoints = old.keypoints if twin.keypoints is None else twin.keypoints
                twin.flags = {**flags, **twin.flags}
                continue
            new = Instance(
                category, old.box, old.where, None, old.doc, None, old.parts, old.rle, old.quad, old.keypoints, flags
            )
            new.rank = len(instances)
            same.append(new)
            instances[id(new)] = new
        for new in instances.values():
            new.doc = 0
        if fields is not None:
            found.lose(IMAGE_FIELDS, fields.of_image(sample))
        found.lose(MASKS, int(sample.mask is not None))
        found.samples.append(
            replace(
                sample,
                file=sample.source,
                frame="upright",
                instances=list(instances.values()),
                label=None,
                mask=None,
                second=None,
            )
        )
    points: dict[int, int] = {}
    for sample in found.samples:
        for new in sample.instances:
            if new.keypoints is not None:
                points[new.category] = max(points.get(new.category, 0), len(new.keypoints))
    for at, count in points.items():
        if found.categories[at].keypoints is None:
            found.categories[at].keypoints = [f"kp_{n + 1}" for n in range(count)]
    return found


class _CocoFields:
    """What a COCO record says beyond its geometry, parsed from its place in the text."""

    def __init__(self, data: Dataset) -> None:
        self.docs = data.header

    def _record(self, doc: int, key: str, index: int) -> Any:
        document = self.docs[doc].document
        start, end = document.arrays[key][index]
        return json.loads(document.text[start:end])

    def flags(self, instance: Instance, flags: dict[str, Any]) -> int:
        """Adds known marks to `flags`; 1 if the record has fields that are not known."""
        record = self._record(instance.doc, "annotations", instance.raw)
        for mark in ("difficult", "truncated", "occluded"):
            if record.get(mark) in (1, True):
                flags[mark] = True
        for key, kind in (("pose", str), ("score", (int, float)), ("attributes", dict)):
            if isinstance(record.get(key), kind) and record[key] != {}:
                flags[key] = record[key]
        return int(not record.keys() <= _COCO)

    def of_image(self, sample: Sample) -> int:
        """1 if the image's record has fields that the target does not know."""
        doc, entry = next(iter(sample.raw.items()))
        return int(not self._record(doc, "images", entry.index).keys() <= _COCO_IMAGE)


def _side_files(data: Dataset) -> list[str]:
    """Files that go along: neither images nor anything a reader could take for annotations."""
    kept = []
    for path in data.files:
        name = path.rsplit("/", 1)[-1].lower()
        texts = (".json", ".xml", ".csv", ".yaml", ".yml", ".txt", ".data", ".names")
        if not is_image_name(name) and (not name.endswith(texts) or name.startswith(("readme", "license"))):
            kept.append(path)
    return kept


def place(samples: list[Sample], folder: Callable[[Sample], str]) -> None:
    """Gives each sample its path: its folder and its own name, or its whole source path if two have one name.

    Names differ in more than their suffix, so that label files named after them differ too.
    """

    def key(sample: Sample, name: str) -> tuple[str, str]:
        return folder(sample), nfc(nfc(stem(name)).casefold())

    names = [s.source.rsplit("/", 1)[-1] for s in samples]
    often = Counter(key(s, n) for s, n in zip(samples, names, strict=True))
    taken = {k for k, count in often.items() if count == 1}
    for sample, name in zip(samples, names, strict=True):
        if often[key(sample, name)] > 1:
            name = sample.source.replace("/", "__")
            while key(sample, name) in taken:
                name = f"{stem(name)}_.{name.rsplit('.', 1)[-1]}"
            taken.add(key(sample, name))
        sample.path = f"{folder(sample)}/{name}" if folder(sample) else name


def tidy(value: float) -> float:
    """A coordinate to a millionth, whole numbers as integers."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
