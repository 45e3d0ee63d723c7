"""COCO JSON, written: originals verbatim and first, then one image record and its annotations a copy, in plan order.

Ids of new records are the greatest source id + 1 + their place in the plan, so they depend neither on what was dropped
nor on the order of the workers. A string id gets the replica's number appended.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._core import ConfigError
from . import jsonspan, rle
from . import writer as base
from .coco import CocoDoc, CocoImage
from .model import Copy, Dataset, Instance, Mapped, Sample
from .polygon import area, extent, is_amodal

MAX_ID = 1 << 53


class Writer(base.Writer):
    """One image record and its annotations a copy, in every document that names the source."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.docs: list[CocoDoc] = data.header
        self.multiplied = multiplied
        self.copies = copies
        self.styles = [
            (jsonspan.style_of(d.document, "images"), jsonspan.style_of(d.document, "annotations")) for d in self.docs
        ]
        self.image_rank: list[dict[int, int]] = []
        self.first_ids: list[tuple[int, int]] = []
        for number, doc in enumerate(self.docs):
            inside = [s for s in multiplied if number in s.raw and s.split == doc.split]
            self.image_rank.append({id(s): i for i, s in enumerate(inside)})
            firsts = []
            for last, amount in ((doc.last_image, len(inside)), (doc.last_annotation, doc.count)):
                first = last + 1
                if first + amount * copies >= MAX_ID:
                    raise ConfigError(f"{doc.path}: ids would pass 2**53")
                firsts.append(first)
            self.first_ids.append((firsts[0], firsts[1]))

    def prepare(self, sample: Sample) -> dict[tuple[int, str, int], dict[str, Any]]:
        """The sample's source records, parsed once for all its copies."""
        found = {}
        for number, entry in sample.raw.items():
            found[number, "images", entry.index] = json.loads(_text(self.docs[number], "images", entry.index))
        for instance in sample.instances:
            text = _text(self.docs[instance.doc], "annotations", instance.raw)
            found[instance.doc, "annotations", instance.raw] = json.loads(text)
        return found

    def record(self, copy: Copy, prepared: Any) -> bytes:
        """The copy's records for all documents as one JSON line: [[doc, image, [annotation, …]], …]."""
        rows = []
        for number, entry in copy.sample.raw.items():
            doc = self.docs[number]
            rank = self.image_rank[number].get(id(copy.sample))
            if rank is None:
                continue
            image_style, style = self.styles[number]
            source: CocoImage = entry
            first_image, first = self.first_ids[number]
            plan = (copy.replica - 1) * len(self.image_rank[number]) + rank
            image = dict(prepared[number, "images", source.index])
            image_id = _new_id(image["id"], first_image + plan, copy.replica)
            image["id"] = image_id
            image["file_name"] = _renamed(source.file_name, copy.path)
            for key, value in (("width", copy.size[0]), ("height", copy.size[1])):
                if key in image:
                    image[key] = value
            annotations = []
            done: dict[int, list[Mapped]] = {}
            for m in copy.objects:
                done.setdefault(id(m.instance), []).append(m)
            for instance in copy.sample.instances:
                if instance.doc != number or (instance.is_object and id(instance) not in done):
                    continue
                place = first + (copy.replica - 1) * doc.count + instance.rank
                for mapped in done.get(id(instance)) or (None,):
                    raw = dict(prepared[number, "annotations", instance.raw])
                    raw["image_id"] = image_id
                    if mapped is not None and (mapped.changed or instance.clipped or copy.sample.frame == "stored"):
                        _replace_geometry(raw, mapped)
                    if mapped is not None and mapped.ghost:
                        annotations.append(raw)  # its id is known when all are
                        continue
                    raw["id"] = _new_id(raw["id"], place, copy.replica)
                    annotations.append(style.dumps(raw))
            rows.append([number, image_style.dumps(image), annotations])
        return json.dumps(rows, separators=(",", ":")).encode()

    def aggregate_paths(self) -> list[str]:
        """The files that are written after all samples."""
        return [doc.path for doc in self.docs]

    def aggregates(
        self, records: Callable[[], Iterable[bytes]], gone: set[int]
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """(path, content) of every document; `records` yields the copies' records in plan order, `gone` are the ids of
        samples whose image turned out unreadable."""
        for number, doc in enumerate(self.docs):
            spare = self.first_ids[number][1] + doc.count * self.copies
            dropped = {key: set(rows) for key, rows in doc.dropped.items()}
            for sample in doc.samples:
                if id(sample) in gone:
                    dropped["images"].add(sample.raw[number].index)
                    dropped["annotations"] |= {i.raw for i in sample.instances if i.doc == number}
            added: dict[str, Iterable[str]] = {
                "images": _images(records, number),
                "annotations": self._annotations(records, number, spare),
            }
            yield doc.path, _encoded(doc.document, dropped, added)

    def _annotations(self, records: Callable[[], Iterable[bytes]], number: int, spare: int) -> Iterator[str]:
        style = self.styles[number][1]
        for line in records():
            for doc, _, rows in json.loads(line):
                for record in rows if doc == number else ():
                    if isinstance(record, str):
                        yield record
                        continue
                    # a mirrored copy: nobody can say before the run how many there will be
                    record["id"] = f"{record['id']}__ferraug-mirror-{spare}" if isinstance(record["id"], str) else spare
                    spare += 1
                    yield style.dumps(record)


def _images(records: Callable[[], Iterable[bytes]], number: int) -> Iterator[str]:
    for line in records():
        for doc, image, _ in json.loads(line):
            if doc == number:
                yield image


def _encoded(
    document: jsonspan.Document, dropped: dict[str, set[int]], added: dict[str, Iterable[str]]
) -> Iterator[bytes]:
    if document.bom:
        yield b"\xef\xbb\xbf"
    for piece in jsonspan.edited(document, dropped, added):
        yield piece.encode("utf-8")


def _text(doc: CocoDoc, key: str, index: int) -> str:
    start, end = doc.document.arrays[key][index]
    return doc.document.text[start:end]


def _new_id(source: Any, number: int, replica: int) -> Any:
    return f"{source}__ferraug-{replica:04d}" if isinstance(source, str) else number


def _renamed(file_name: str, path: str) -> str:
    head = file_name.rsplit("/", 1)[0] + "/" if "/" in file_name else ""
    return head + path.rsplit("/", 1)[-1]


def rounded_parts(parts: list[array[float]]) -> list[list[float]]:
    """Parts to two decimals; those that rounding made empty are left out."""
    import numpy as np

    rounded: list[list[float]] = [np.round(np.frombuffer(part), 2).tolist() for part in parts]
    return [p for p in rounded if len(p) >= 6 and area(p) > 0]


def _replace_geometry(raw: dict[str, Any], mapped: Mapped) -> None:
    instance: Instance = mapped.instance
    box = mapped.box
    had = raw.get("segmentation")
    parts = rounded_parts(mapped.parts) if mapped.parts else []
    total: float | None = None
    if parts:
        raw["segmentation"] = parts
        total = 0.0
        for part in parts:
            total += area(part)
        if not is_amodal(instance):
            box = extent(parts)
    elif mapped.mask is not None and instance.rle is not None:
        counts = rle.encode(mapped.mask)
        h, w = mapped.mask.shape
        raw["segmentation"] = {**had, "size": [h, w]} if isinstance(had, dict) else {"size": [h, w]}
        raw["segmentation"]["counts"] = rle.to_string(counts) if instance.rle.compressed else counts
        total = float(sum(counts[1::2]))
        if isinstance(raw.get("area"), int):
            total = int(total)
    elif had is not None:
        raw["segmentation"] = []
    x0, y0, x1, y1 = (round(v, 2) for v in box)
    raw["bbox"] = [x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)]
    if "area" in raw:
        raw["area"] = raw["bbox"][2] * raw["bbox"][3] if total is None else total
    if mapped.keypoints is not None and "keypoints" in raw:
        whole = all(isinstance(v, int) for v in raw["keypoints"])
        flat: list[float] = []
        for x, y, v in mapped.keypoints:
            if v:
                flat += [_pixel(x, whole, mapped), _pixel(y, whole, mapped), v]
            else:
                flat += [0, 0, 0]
        raw["keypoints"] = flat
        if "num_keypoints" in raw:
            raw["num_keypoints"] = sum(1 for p in mapped.keypoints if p[2])


def _pixel(value: float, whole: bool, mapped: Mapped) -> float:
    """An edge coordinate as the pixel index COCO writes; a whole one is the pixel that holds the point."""
    if whole:
        return max(0, round(value - 0.5))
    return round(value - 0.5, 2)
