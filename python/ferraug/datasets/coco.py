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

import gc
import json
import os
import re
from typing import Any

from .._core import ConfigError, DecodeError, UnsafePathError
from . import jsonspan
from .coco_records import CocoDoc, CocoImage, Work, is_id
from .coco_values import declared_size, flip_pairs
from .common import canonical_split, folder_split, open_sample
from .model import Category, Dataset, Reporter, Sample
from .paths import MAX_JSON, is_image_name, open_beneath, read_bytes, safe_rel_path, walk


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
    # a million small objects that all stay: looking for cycles among them again and again doubles the time
    collecting = gc.isenabled()
    gc.disable()
    try:
        for path in documents:
            reader.document(path)
    finally:
        if collecting:
            gc.enable()
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
        self.outlined = False
        self.plain = True
        data.header = self.docs

    def document(self, path: str) -> None:
        """Reads one file. Annotations are taken as they are parsed and not kept, if images and categories are known by
        then; else each is parsed once more from its place."""
        raw = read_bytes(self.root, path, MAX_JSON)
        categories = _early_categories(raw)
        text, bom = jsonspan.decode_text(raw, path)
        del raw
        self.plain = "true" not in text and "false" not in text
        images: list[dict[str, Any]] = []
        work: Work | None = None
        late = categories is None

        def annotation(value: Any, index: int) -> None:
            nonlocal work, late
            late = late or (work is None and not images)
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
            for index, start in enumerate(spans.starts):
                work.take(jsonspan.value_at(text, start), index)
        work.doc.document = document
        work.finish(text)
        self.outlined = self.outlined or work.outlined
        if work.doc.kind == "panoptic":
            self.report.notice(path, "panoptic: copied as it is; new images get no panoptic records")

    def _begin(self, path: str, first: Any, images: list[dict[str, Any]], categories: Any) -> Work:
        """Opens a document whose images and categories are known."""
        kind = _kind(first)
        split = folder_split(path) or _name_split(path.rsplit("/", 1)[-1]) or "train"
        doc = CocoDoc(path, split, kind, jsonspan.Document(""))
        number_of = len(self.docs)
        if kind == "panoptic":
            return Work(self.data, self.report, self.number_lists, doc, number_of, {}, {})
        self.docs.append(doc)
        self.owned.add(path)
        keys = self._categories(doc, number_of, categories)
        doc.folder = self._folder(path, split, images)
        by_id = self._images(doc, number_of, images)
        images.clear()
        return Work(self.data, self.report, self.number_lists, doc, number_of, by_id, keys, self.plain)

    def _categories(self, doc: CocoDoc, number_of: int, records: Any) -> dict[Any, int]:
        keys: dict[Any, int] = {}
        if records is None and doc.kind == "captions":
            return keys
        if not isinstance(records, list):
            raise ConfigError(f"{doc.path}: array categories is needed")
        for i, record in enumerate(records):
            where = f"{doc.path}: categories[{i}]"
            if not isinstance(record, dict) or not is_id(record.get("id")):
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
            if not isinstance(record, dict) or not is_id(record.get("id")):
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
            if isinstance(record, jsonspan.NotJson):
                self.report.invalid(where, jsonspan.NotJson.WHY, "image")
                self.owned.add(path)
                bad.add(index)
                continue
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

    def finish(self) -> None:
        data = self.data
        if not self.docs:
            raise ConfigError(f"{self.root}: only panoptic JSON files; they are not read")
        for sample in self.by_path.values():
            data.splits.setdefault(sample.split, []).append(sample)
        data.files = [f for f in self.files if f not in self.owned]
        if any(c.keypoints for c in data.categories):
            data.task = "pose"
        elif self.outlined:
            data.task = "segment"
        spare = sum(is_image_name(f) for f in data.files)
        if spare:
            self.report.notice(self.docs[0].path, f"{spare} image files have no record; copied, not multiplied")


def _kind(record: Any) -> str:
    """What a document is for, by its first annotation."""
    if isinstance(record, dict):
        if "segments_info" in record:
            return "panoptic"
        if "caption" in record and "bbox" not in record and "category_id" not in record:
            return "captions"
    return "instances"


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


__all__ = ["CocoDoc", "CocoImage", "find_documents", "flip_pairs", "kind_of", "read"]
