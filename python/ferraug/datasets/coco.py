"""COCO JSON, read (format: cocodataset.org/#format-data; run lengths: pycocotools `maskApi`, BSD).

    {"images": [{"id", "file_name", "width", "height", …}],
     "annotations": [{"id", "image_id", "category_id", "bbox": [x, y, w, h], "area", "iscrowd",
                      "segmentation": [[x, y, …], …] | {"size": [h, w], "counts": [n, …] | "string"},
                      "keypoints": [x, y, v, …], "num_keypoints"}],
     "categories": [{"id", "name", "keypoints", "skeleton"}], …}

Numbers are edges: the polygon 10,10 20,10 20,20 10,20 covers 100 pixels and has the box 10 10 10 10. Keypoints are
pixel indices. Several files may describe the same images (instances, keypoints, captions): each keeps its own ids.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Any

from .._core import ConfigError, DecodeError, UnsafePathError
from . import jsonspan
from .coco_values import Invalid, box_of, declared_size, flip_pairs, keypoints_of, mask_box, outline_of, turn
from .common import ROUNDING, canonical_split, clip_box, folder_split, number, open_sample
from .model import Category, Dataset, Instance, Reporter, Sample
from .paths import MAX_JSON, MAX_OBJECTS, is_image_name, open_beneath, read_bytes, safe_rel_path, walk
from .polygon import area, clip, extent

_NUMBERS = {int, float}

#: keys of a record whose number lists are geometry
GEOMETRY_KEYS = frozenset(("bbox", "segmentation", "keypoints"))


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
    """The place of an image's record in one document, and the annotations' in reader order."""

    index: int
    id: Any
    file_name: str


def find_documents(root: str, files: list[str]) -> list[tuple[str, str]]:
    """JSON files that may be COCO by their place, with the kind their content shows; others are left out."""
    found = []
    for path in files:
        if not path.lower().endswith(".json"):
            continue
        folders = path.split("/")[:-1]
        if len(folders) > 1 or (folders and not _annotation_folder(folders[0])):
            continue
        kind = kind_of(root, path)
        if kind is not None:
            found.append((path, kind))
    return found


def _annotation_folder(name: str) -> bool:
    return name.lower() in ("annotations", "annotation") or canonical_split(name) is not None


def kind_of(root: str, path: str) -> str | None:
    """instances, captions or panoptic by the first annotation; None if it is no COCO file.

    Looks at the text only: the arrays' keys and the first record, so that detection does not read a file twice.
    """
    try:
        with os.fdopen(open_beneath(root, path), "rb") as file:
            head = file.read(1 << 16)
            size = os.fstat(file.fileno()).st_size
            tail = b""
            if size > len(head):
                file.seek(max(len(head), size - (1 << 16)))
                tail = file.read()
    except (OSError, DecodeError, UnsafePathError):
        return None
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    text = head + tail
    images = re.search(rb'"images"\s*:\s*\[', text)
    annotations = re.search(rb'"annotations"\s*:\s*\[', text)
    # a large file may hide one key in its middle, and a cut one may have lost it: then the other one speaks for both
    partial = size > len(text) or not text.rstrip().endswith(b"}")
    if not ((images or annotations) if partial else (images and annotations)):
        return None
    if re.search(rb'"segments_info"\s*:', text):
        return "panoptic"
    if re.search(rb'"caption"\s*:', text) and not re.search(rb'"bbox"\s*:', text):
        return "captions"
    return "instances"


def read(
    root: str, errors: str = "raise", documents: list[str] | None = None, files: list[str] | None = None
) -> Dataset:
    """Reads the JSON files `documents` (found by their place if None) of the tree `root`."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    if documents is None:
        documents = [path for path, _ in find_documents(root, files)]
    if not documents:
        raise ConfigError(f"{root}: no JSON file with arrays images and annotations")
    data = Dataset(root=root, format="coco", task="detect")
    reader = _Reader(root, files, data, report)
    for path in documents:
        reader.document(path)
    reader.finish()
    data.problems = report.problems
    return data


class _Reader:
    def __init__(self, root: str, files: list[str], data: Dataset, report: Reporter) -> None:
        self.root, self.files, self.data, self.report = root, files, data, report
        self.known = set(files)
        self.by_path: dict[str, Sample] = {}
        self.bad: dict[str, str] = {}
        self.docs: list[CocoDoc] = []
        self.owned: set[str] = set()
        self.number_lists: set[str] = set()
        data.header = self.docs

    def document(self, path: str) -> None:
        """Reads one file. Annotations are taken as they are parsed and not kept, if images and categories are known by
        then; else each is parsed once more from its place."""
        raw = read_bytes(self.root, path, MAX_JSON)
        categories = _early_categories(raw)
        text, bom = jsonspan.decode_text(raw, path)
        del raw
        images: list[dict[str, Any]] = []
        work: _Work | None = None
        late = categories is None

        def annotation(value: Any, index: int) -> None:
            nonlocal work, late
            late = late or not images
            if late:
                return
            work = work or self._begin(path, value, images, categories)
            work.take(value, index)

        takers = {"images": lambda v, i: images.append(v), "annotations": annotation}
        document = jsonspan.parse_text(text, bom, path, takers)
        if "images" not in document.arrays or "annotations" not in document.arrays:
            raise ConfigError(f"{path}: arrays images and annotations are needed")
        if work is None:
            spans = document.arrays["annotations"]
            first = json.loads(text[spans.starts[0] : spans.ends[0]]) if spans else None
            work = self._begin(path, first, images, document.values.get("categories"))
            for index, (start, end) in enumerate(zip(spans.starts, spans.ends, strict=True)):
                work.take(json.loads(text[start:end]), index)
        work.doc.document = document
        if work.doc.kind == "panoptic":
            self.report.notice(path, "panoptic: copied as it is; new images get no panoptic records")

    def _begin(self, path: str, first: Any, images: list[dict[str, Any]], categories: Any) -> _Work:
        """Opens a document whose images and categories are known."""
        kind = _kind(first)
        split = folder_split(path) or _name_split(path.rsplit("/", 1)[-1]) or "train"
        doc = CocoDoc(path, split, kind, jsonspan.Document(""))
        number_of = len(self.docs)
        if kind == "panoptic":
            return _Work(self, doc, number_of, {}, {})
        self.docs.append(doc)
        self.owned.add(path)
        keys = self._categories(doc, number_of, categories)
        doc.folder = self._folder(path, split, images)
        return _Work(self, doc, number_of, self._images(doc, number_of, images), keys)

    def _categories(self, doc: CocoDoc, number_of: int, records: Any) -> dict[Any, int]:
        keys: dict[Any, int] = {}
        if records is None and doc.kind == "captions":
            return keys
        if not isinstance(records, list):
            raise ConfigError(f"{doc.path}: array categories is needed")
        for i, record in enumerate(records):
            where = f"{doc.path}: categories[{i}]"
            if not isinstance(record, dict) or not _is_id(record.get("id")):
                raise ConfigError(f"{where}: an object with an id is needed")
            key, name = record["id"], record.get("name")
            if key in keys:
                raise ConfigError(f"{where}: id {key!r} is used twice")
            points = record.get("keypoints")
            points = points if isinstance(points, list) and all(isinstance(p, str) for p in points) else None
            keys[key] = len(self.data.categories)
            self.data.categories.append(
                Category(
                    key,
                    name if isinstance(name, str) else f"class_{key}",
                    number_of,
                    points,
                    record.get("skeleton") if isinstance(record.get("skeleton"), list) else None,
                    flip_pairs(points) if points else None,
                )
            )
        return keys

    def _folder(self, path: str, split: str, images: list[dict[str, Any]]) -> str:
        """The folder that holds most of the file names."""
        here = path.rsplit("/", 1)[0] + "/" if "/" in path else ""
        above = here.rstrip("/").rsplit("/", 1)[0] + "/" if "/" in here.rstrip("/") else ""
        name = path.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower()
        words = [w for w in re.split(r"[^a-z0-9]+", name) if canonical_split(w)] + [split]
        tries = [here, f"{here}images/", above, f"{above}images/"]
        for word in words:
            tries += [f"{above}{word}/", f"{above}images/{word}/", f"{here}{word}/", f"{here}images/{word}/"]
        tries = list(dict.fromkeys(tries))
        names = [n for n in (r.get("file_name") for r in images if isinstance(r, dict)) if isinstance(n, str)]
        counts = [sum(f"{t}{n}" in self.known for n in names) for t in tries]
        return tries[counts.index(max(counts))]

    def _images(self, doc: CocoDoc, number_of: int, images: list[dict[str, Any]]) -> dict[Any, Sample | None]:
        by_id: dict[Any, Sample | None] = {}
        used: set[str] = set()
        for index, record in enumerate(images):
            where = f"{doc.path}: images[{index}]"
            bad = doc.dropped["images"]
            if not isinstance(record, dict) or not _is_id(record.get("id")):
                self.report.invalid(where, "no id", "image")
                bad.add(index)
                continue
            key = record["id"]
            where = f"{doc.path}: image {key}"
            if key in by_id:
                self.report.invalid(where, "id used twice", "image")
                bad.add(index)
                continue
            by_id[key] = None
            if isinstance(key, int):
                doc.last_image = max(doc.last_image, key)
            name = safe_rel_path(record.get("file_name"), where)
            path = doc.folder + name
            if path not in self.known:
                self.report.invalid(where, f"{path}: no such file", "image")
                bad.add(index)
                continue
            if path in used:
                self.report.invalid(where, f"{path}: another record uses this file", "image")
                bad.add(index)
                continue
            used.add(path)
            sample = self.by_path.get(path)
            if sample is None and path not in self.bad:
                declared = declared_size(record)
                sample = open_sample(self.root, path, doc.split, self.report, declared, where)
                if sample is None:
                    self.bad[path] = "invalid"
                    self.owned.add(path)
                else:
                    sample.raw = {}
                    self.by_path[path] = sample
                    self.owned.add(path)
            if sample is None:
                bad.add(index)
                continue
            if sample.split != doc.split:
                self.report.notice(where, f"{path}: also in split {sample.split}; it counts there")
            sample.raw[number_of] = CocoImage(index, key, record["file_name"])
            by_id[key] = sample
            doc.samples.append(sample)
        return by_id

    def instance(
        self,
        doc: CocoDoc,
        record: Any,
        seen: set[Any],
        by_id: dict[Any, Sample | None],
        categories: dict[Any, int],
        where: str,
    ) -> tuple[Instance, Sample]:
        if not isinstance(record, dict):
            raise Invalid("not an object")
        if not _is_id(record.get("id")):
            raise Invalid("no id")
        if record["id"] in seen:
            raise Invalid("id used twice")
        seen.add(record["id"])
        if isinstance(record["id"], int) and record["id"] > doc.last_annotation:
            doc.last_annotation = record["id"]
        key = record.get("image_id")
        if not _is_id(key) or key not in by_id:
            raise Invalid(f"unknown image {key!r:.40}")
        sample = by_id[key]
        if sample is None:
            raise Invalid("its image is invalid", quiet=True)
        if doc.kind == "captions":
            return Instance(category=-1, box=None, where=where), sample
        if not _is_id(record.get("category_id")) or record["category_id"] not in categories:
            raise Invalid(f"unknown category {record.get('category_id')!r:.40}")
        category = categories[record["category_id"]]
        box = box_of(record.get("bbox"))
        parts, mask, dropped = outline_of(record.get("segmentation"), sample)
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
        instance = Instance(category=category, box=box, where=where, parts=parts, rle=mask)
        crowd = record.get("iscrowd")
        if crowd:
            instance.flags["crowd"] = True
        points = record.get("keypoints")
        if points is not None:
            names = self.data.categories[category].keypoints
            instance.keypoints = keypoints_of(points, len(names) if names else None)
        for name, value in record.items():
            if (
                type(value) is list
                and value
                and name not in GEOMETRY_KEYS
                and name not in self.number_lists
                and all(number(v) is not None for v in value)
            ):
                self.number_lists.add(name)
                self.report.notice(where, f"field {name!r} holds numbers; it is copied unchanged")
        self._fit(instance, sample, where)
        return instance, sample

    def _fit(self, instance: Instance, sample: Sample, where: str) -> None:
        """Turns the record upright and clips it to the image."""
        assert instance.box is not None
        if sample.frame == "stored":
            turn(instance, sample)
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

    def finish(self) -> None:
        data = self.data
        if not self.docs:
            raise ConfigError(f"{self.root}: only panoptic JSON files; they are not read")
        for sample in self.by_path.values():
            data.splits.setdefault(sample.split, []).append(sample)
        data.files = [f for f in self.files if f not in self.owned]
        if any(c.keypoints for c in data.categories):
            data.task = "pose"
        elif any(i.parts or i.rle for s in self.by_path.values() for i in s.instances):
            data.task = "segment"
        spare = sum(is_image_name(f) for f in data.files)
        if spare:
            self.report.notice(self.docs[0].path, f"{spare} image files have no record; copied, not multiplied")


class _Work:
    """The annotations of one document, one after the other."""

    def __init__(
        self,
        reader: _Reader,
        doc: CocoDoc,
        number_of: int,
        by_id: dict[Any, Sample | None],
        categories: dict[Any, int],
    ) -> None:
        self.reader, self.doc, self.number_of = reader, doc, number_of
        self.by_id, self.categories = by_id, categories
        self.seen: set[Any] = set()
        self.shapes: set[int] = set()
        self.count: dict[int, int] = {}

    def take(self, record: Any, index: int) -> None:
        """Checks one record and hangs it on its image."""
        doc, report = self.doc, self.reader.report
        if doc.kind == "panoptic":
            return
        where = f"{doc.path}: annotations[{index}]"
        if isinstance(record, dict) and _is_id(record.get("id")):
            where = f"{doc.path}: annotation {record['id']}"
        try:
            instance, sample = self.reader.instance(doc, record, self.seen, self.by_id, self.categories, where)
        except Invalid as error:
            doc.dropped["annotations"].add(index)
            if not error.quiet:
                report.invalid(where, str(error))
            return
        instance.doc, instance.raw, instance.rank = self.number_of, index, doc.count
        doc.count += 1
        key = id(sample)
        self.count[key] = self.count.get(key, 0) + 1
        if self.count[key] > MAX_OBJECTS:
            raise ConfigError(f"{where}: more than {MAX_OBJECTS} objects in one image")
        if instance.is_object:
            shape = _fingerprint(key, record, instance)
            if shape in self.shapes:
                instance.duplicate = True
                report.warn(where, "duplicate of an earlier record; augmented once")
            self.shapes.add(shape)
        sample.instances.append(instance)


def _kind(record: Any) -> str:
    """What a document is for, by its first annotation."""
    if isinstance(record, dict):
        if "segments_info" in record:
            return "panoptic"
        if "caption" in record and "bbox" not in record and "category_id" not in record:
            return "captions"
    return "instances"


def _fingerprint(image: int, record: Any, instance: Instance) -> int:
    """A hash of image, class, box and outline: equal for exact duplicates, and for nothing else in practice."""
    box, outline = record.get("bbox"), record.get("segmentation")
    if isinstance(outline, dict):
        drawn: Any = str(outline.get("counts"))
    else:
        sizes = tuple(map(len, outline)) if isinstance(outline, list) else None
        drawn = (sizes, *(part.tobytes() for part in instance.parts or ()))
    return hash((image, instance.category, None if box is None else tuple(box), drawn))


def _early_categories(raw: bytes) -> Any:
    """The categories, wherever they stand in the file; None if that cannot be said without parsing it all."""
    mark = b'"categories"'
    if raw.count(mark) != 1:
        return None
    at = raw.index(mark) + len(mark)
    found = re.match(r"\s*:\s*", text := raw[at : at + (4 << 20)].decode("utf-8", "ignore"))
    try:
        return json.JSONDecoder().raw_decode(text, found.end())[0] if found else None
    except (ValueError, RecursionError):
        return None


def _name_split(name: str) -> str | None:
    for word in re.split(r"[^A-Za-z0-9]+", name):
        split = canonical_split(word)
        if split:
            return split
    return None


def _is_id(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value != "")


__all__ = ["CocoDoc", "CocoImage", "find_documents", "flip_pairs", "kind_of", "read"]
