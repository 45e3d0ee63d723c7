"""Any set as COCO: one document a split, `annotations/instances_<split>.json` with images in `images/<split>/`.

Ids count from 1, classes keep their order. Oriented boxes become polygons, run lengths stay, marks of Pascal VOC become
keys of their own (truncated, difficult, occluded, pose), keypoints without names are called kp_1, kp_2, ...
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from . import jsonspan, rle
from .coco_records import CocoDoc, CocoImage
from .convert import SIDES, neutral, place, tidy
from .model import Category, Dataset, Instance, Sample
from .polygon import area, clip


def adopt(data: Dataset) -> Dataset:
    """`data` as a COCO set whose documents exist as text only."""
    found = neutral(data, "coco")
    found.keep("outlines", "quads", "keypoints", "crowd", "marks", "score", "attributes")
    found.lose(SIDES, sum(bool(c.flip_pairs) and c.keypoints == _numbered(c) for c in found.categories))
    place(found.samples, lambda sample: f"images/{sample.split}")
    marks = any("truncated" in i.flags or "difficult" in i.flags for s in found.samples for i in s.instances)
    for rank, category in enumerate(found.categories):
        category.key = rank + 1
    docs = []
    splits = found.splits()
    for number, (split, samples) in enumerate(splits.items()):
        doc = CocoDoc(
            f"annotations/instances_{split}.json",
            split,
            "instances",
            jsonspan.Document(""),
            f"images/{split}/",
            samples,
        )
        images, annotations = [], []
        for sample in samples:
            doc.last_image += 1
            name = sample.path[len(doc.folder) :]
            sample.raw = {number: CocoImage(doc.last_image - 1, doc.last_image, name)}
            record = {"id": doc.last_image, "file_name": name, "width": sample.size[0], "height": sample.size[1]}
            images.append(json.dumps(record))
            for instance in sample.instances:
                _as_polygon(instance, sample)
                instance.doc, instance.raw, instance.rank = number, doc.count, doc.count
                doc.count += 1
                annotations.append(json.dumps(_record(instance, doc, found.categories, marks)))
        doc.last_annotation = doc.count
        categories = ", ".join(json.dumps(_category(c)) for c in found.categories)
        doc.document = jsonspan.build({"images": images, "annotations": annotations}, f'"categories": [{categories}]')
        docs.append(doc)
    task = "pose" if any(c.keypoints for c in found.categories) else data.task
    return replace(
        data, format="coco", task=task, categories=found.categories, splits=splits, header=docs, files=found.files,
        losses=found.losses,
    )  # fmt: skip


def _numbered(category: Category) -> list[str]:
    return [f"kp_{n + 1}" for n in range(len(category.keypoints or ()))]


def _category(category: Category) -> dict[str, Any]:
    record: dict[str, Any] = {"id": category.key, "name": category.name}
    if category.keypoints is not None:
        record["keypoints"] = category.keypoints
        record["skeleton"] = category.skeleton or []
    return record


def _as_polygon(instance: Instance, sample: Sample) -> None:
    """An oriented box is an outline from here on."""
    if instance.quad is not None and not instance.parts:
        ring = clip(instance.quad, *sample.size)
        instance.parts = [ring] if len(ring) >= 6 and area(ring) > 0 else None
    instance.quad = None


def _record(instance: Instance, doc: CocoDoc, categories: list[Category], marks: bool) -> dict[str, Any]:
    assert instance.box is not None
    x0, y0, x1, y1 = instance.box
    box = [tidy(x0), tidy(y0), tidy(x1 - x0), tidy(y1 - y0)]
    flags = instance.flags
    outline: Any = []
    size: float = tidy((x1 - x0) * (y1 - y0))
    if instance.parts:
        outline = [[tidy(v) for v in part] for part in instance.parts]
        size = 0.0
        for part in outline:
            size += area(part)
    elif instance.rle is not None:
        mask = instance.rle
        outline = {"size": [mask.h, mask.w], "counts": rle.to_string(mask.counts)}
        mask.compressed = True
        size = sum(mask.counts[1::2])
    record: dict[str, Any] = {
        "id": doc.count,
        "image_id": doc.last_image,
        "category_id": categories[instance.category].key,
        "bbox": box,
        "area": size,
        "segmentation": outline,
        "iscrowd": int(bool(flags.get("crowd"))),
    }
    if instance.keypoints is not None:
        flat: list[float] = []
        for x, y, v in instance.keypoints:
            flat += [tidy(x - 0.5), tidy(y - 0.5), v] if v else [0, 0, 0]
        record["keypoints"] = flat
        record["num_keypoints"] = sum(1 for p in instance.keypoints if p[2])
    if marks:
        record["truncated"] = int(bool(flags.get("truncated")))
        record["difficult"] = int(bool(flags.get("difficult")))
    for key in ("occluded", "pose", "score", "attributes"):
        if key in flags:
            record[key] = int(flags[key]) if key == "occluded" else flags[key]
    return record
