"""CreateML JSON, read (format: developer.apple.com/documentation/createml, "Building an object detector data source").

    [{"image": "a.jpg", "annotations": [{"label": "", "coordinates": {"x", "y", "width", "height"}}]}]

x and y are the middle of the box, all in pixels. One file describes a folder of images; names without a folder lie
beside it. `annotation` and `imagefilename` are read as `annotations` and `image`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from .._core import ConfigError, LimitError
from . import jsonspan
from .common import ROUNDING, SPLIT_NAMES, canonical_split, clip_box, folder_split, number, open_sample
from .model import Box, Category, Dataset, Instance, Reporter, Sample
from .paths import MAX_JSON, MAX_OBJECTS, is_image_name, read_bytes, safe_rel_path, walk

#: names of the top level's keys, the first one is Apple's
IMAGE_KEYS = ("image", "imagefilename")
LIST_KEYS = ("annotations", "annotation")


@dataclass(slots=True)
class CreatemlDoc:
    """One file: its text with the records' places, and what was dropped: whole images, or objects by image."""

    path: str
    document: jsonspan.Document
    bad_images: set[int] = field(default_factory=set)
    bad_objects: dict[int, set[int]] = field(default_factory=dict)


@dataclass(slots=True)
class CreatemlImage:
    """The place of an image's record."""

    doc: int
    index: int


def looks_like_createml(root: str, path: str) -> bool:
    """An array whose first record names an image; told from the first bytes."""
    try:
        with open(os.path.join(root, path), "rb") as file:
            head = file.read(1 << 14)
    except OSError:
        return False
    return re.match(rb'(\xef\xbb\xbf)?\s*\[\s*\{[^{]*?"(image|imagefilename|annotations?)"\s*:', head) is not None


def read(root: str, errors: str = "raise", files: list[str] | None = None, only: str | None = None) -> Dataset:
    """Reads all CreateML files of the tree `root` (or the one file `only`)."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="createml", task="detect")
    reader = _Reader(root, files, data, report)
    for path in files:
        if path.lower().endswith(".json") and (only is None or path == only) and looks_like_createml(root, path):
            reader.file(path)
    reader.finish()
    data.problems = report.problems
    return data


def key_of(record: dict[str, Any], names: tuple[str, ...]) -> str:
    """Which of a key's names the record uses."""
    return next((name for name in names if name in record), names[0])


class _Reader:
    def __init__(self, root: str, files: list[str], data: Dataset, report: Reporter) -> None:
        self.root, self.files, self.data, self.report = root, files, data, report
        self.known = set(files)
        self.docs: list[CreatemlDoc] = []
        data.header = self.docs
        self.owned: set[str] = set()
        self.used: set[str] = set()
        self.samples: list[Sample] = []
        self.classes: dict[str, int] = {}

    def file(self, path: str) -> None:
        """One file; a broken one stops the run, since it describes all images."""
        records: list[Any] = []
        try:
            raw = read_bytes(self.root, path, MAX_JSON)
        except (LimitError, OSError) as error:
            raise ConfigError(f"{path}: {error}") from None
        doc = CreatemlDoc(path, jsonspan.parse_array(raw, path, lambda value, index: records.append(value)))
        number_of = len(self.docs)
        self.docs.append(doc)
        self.owned.add(path)
        folder = self._folder(path, records)
        words = re.split(r"[^A-Za-z0-9]+", path.rsplit("/", 1)[-1])
        named = next((s for s in map(canonical_split, words) if s), None)
        for index, record in enumerate(records):
            where = f"{path}: [{index}]"
            sample = self._image(record, folder, named, where)
            if sample is None:
                doc.bad_images.add(index)
                continue
            sample.raw = CreatemlImage(number_of, index)
            self._objects(record.get(key_of(record, LIST_KEYS)) or [], sample, doc, index)
            self.samples.append(sample)

    def _folder(self, path: str, records: list[Any]) -> str:
        here = path.rsplit("/", 1)[0] + "/" if "/" in path else ""
        above = here.rstrip("/").rpartition("/")[0]
        above = above + "/" if above else ""
        names = [r.get(key_of(r, IMAGE_KEYS)) for r in records if isinstance(r, dict)]
        tries = list(dict.fromkeys((here, f"{here}images/", f"{above}images/", above)))
        counts = [sum(isinstance(n, str) and t + n in self.known for n in names) for t in tries]
        return tries[counts.index(max(counts))]

    def _image(self, record: Any, folder: str, named: str | None, where: str) -> Sample | None:
        if not isinstance(record, dict) or not isinstance(record.get(key_of(record, LIST_KEYS)) or [], list):
            self.report.invalid(where, "not a record of an image and its annotations", "image")
            return None
        path = folder + safe_rel_path(record.get(key_of(record, IMAGE_KEYS)), where)
        if path not in self.known or not is_image_name(path):
            self.report.invalid(where, f"{path}: no such image", "image")
            return None
        self.owned.add(path)
        if path in self.used:
            self.report.invalid(where, f"{path}: another record uses this file", "image")
            return None
        self.used.add(path)
        split = folder_split(path) or named or "train"
        return open_sample(self.root, path, split, self.report, None, where)

    def _objects(self, rows: list[Any], sample: Sample, doc: CreatemlDoc, index: int) -> None:
        if len(rows) > MAX_OBJECTS:
            raise ConfigError(f"{doc.path}: more than {MAX_OBJECTS} objects in one image")
        seen: set[tuple[str, Box]] = set()
        for place, row in enumerate(rows):
            where = f"{doc.path}: [{index}].annotations[{place}]"
            try:
                name, given = _box(row)
                fitted = clip_box(given, *sample.size)
                if fitted is None:
                    raise ValueError("wholly outside the image")
            except ValueError as error:
                doc.bad_objects.setdefault(index, set()).add(place)
                self.report.invalid(where, str(error))
                continue
            category = self.classes.setdefault(name, len(self.classes))
            instance = Instance(category, fitted[0], where, place, box_given=given, rank=len(sample.instances))
            if fitted[1] > ROUNDING:
                instance.clipped = True
                self.report.warn(where, f"{fitted[1]:.1f} px beyond the image; clipped")
            if (name, given) in seen:
                instance.duplicate = True
                self.report.warn(where, "duplicate of an earlier object; augmented once")
            seen.add((name, given))
            sample.instances.append(instance)

    def finish(self) -> None:
        data = self.data
        if not self.docs:
            raise ConfigError(f"{self.root}: no JSON array of images and annotations")
        data.categories = [Category(name, name) for name in self.classes]
        for split in SPLIT_NAMES:
            part = [s for s in self.samples if s.split == split]
            if part:
                data.splits[split] = part
        data.files = [f for f in self.files if f not in self.owned]
        spare = sum(is_image_name(f) for f in data.files)
        if spare:
            self.report.notice(self.docs[0].path, f"{spare} image files have no record; copied, not multiplied")


def _box(row: Any) -> tuple[str, Box]:
    if not isinstance(row, dict):
        raise ValueError("not an object")
    name, place = row.get("label"), row.get("coordinates")
    if not isinstance(name, str) or not name:
        raise ValueError("no label")
    if not isinstance(place, dict):
        raise ValueError("coordinates: an object with x, y, width and height is needed")
    values = [number(place.get(key)) for key in ("x", "y", "width", "height")]
    if any(v is None or abs(v) > 1e9 for v in values):
        raise ValueError(f"coordinates: four finite numbers needed, got {place!r:.80}")
    x, y, w, h = (float(v) for v in values if v is not None)
    if w <= 0 or h <= 0:
        raise ValueError(f"coordinates: width and height must be positive, got {w:g} and {h:g}")
    return name, (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
