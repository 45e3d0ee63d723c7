"""Any set as Pascal VOC: `Annotations/*.xml`, `JPEGImages/`, and one list a split in `ImageSets/Main/`.

Boxes alone, in whole pixels (halves away from zero), with the marks that VOC knows. A crowd is written as `difficult`,
which evaluation leaves out.
"""

from __future__ import annotations

from dataclasses import replace

from .convert import CLASSES, CROWDS_DIFFICULT, ROUNDED, neutral, place
from .model import Dataset, Instance, Sample
from .paths import stem
from .voc import VocFile, VocSet
from .voc_write import box_texts, round_half_away
from .xmlspan import escape


def adopt(data: Dataset) -> Dataset:
    """`data` as a VOC set whose XML files exist as text only."""
    found = neutral(data, "voc")
    found.keep("marks", "crowd")
    found.lose(CROWDS_DIFFICULT, sum("crowd" in i.flags for s in found.samples for i in s.instances))
    place(found.samples, lambda sample: "JPEGImages")
    header = VocSet()
    for sample in found.samples:
        for instance in sample.instances:
            assert instance.box is not None
            header.least = min(header.least, *(round_half_away(v) for v in instance.box[:2]))
    origin = data.options.voc_origin
    used = {i.category for s in found.samples for i in s.instances}
    found.lose(CLASSES, sum(c not in used for c in range(len(found.categories))))
    names = [c.name for c in found.categories]
    splits = found.splits()
    for split, samples in splits.items():
        listed = "val" if split == "valid" else split
        path = f"ImageSets/Main/{listed}.txt"
        header.lists[path] = header.lists.get(path, "") + "".join(f"{_stem(s)}\n" for s in samples)
    for sample in found.samples:
        path = f"Annotations/{_stem(sample)}.xml"
        objects = []
        for index, instance in enumerate(sample.instances):
            texts = box_texts(instance.box or (0, 0, 0, 0), sample.size, True, header.floor(origin), origin)
            assert instance.box is not None
            low = (origin, origin, 0, 0)
            found.lose(ROUNDED, int(any(int(t) - o != v for t, o, v in zip(texts, low, instance.box, strict=True))))
            objects.append(_object(names[instance.category], instance, texts))
            instance.raw = instance.rank = index
        sample.label = path
        header.files[sample.path] = VocFile(path, text=_document(sample, objects))
    return replace(
        data, format="voc", task="detect", categories=found.categories, splits=splits, header=header,
        files=found.files, losses=found.losses,
    )  # fmt: skip


def _stem(sample: Sample) -> str:
    return stem(sample.path.rsplit("/", 1)[-1])


def _document(sample: Sample, objects: list[str]) -> bytes:
    w, h = sample.size
    name = escape(sample.path.rsplit("/", 1)[-1]).decode()
    head = (
        f"<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>{name}</filename>\n\t<size>\n\t\t<width>{w}</width>\n"
        f"\t\t<height>{h}</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n"
    )
    return (head + "".join(objects) + "</annotation>\n").encode()


def _object(name: str, instance: Instance, texts: list[str]) -> str:
    flags = instance.flags
    rows = [
        ("name", name),
        ("pose", str(flags.get("pose", "Unspecified"))),
        ("truncated", "1" if flags.get("truncated") else "0"),
        ("difficult", "1" if flags.get("difficult") or flags.get("crowd") else "0"),
    ]
    if "occluded" in flags:
        rows.append(("occluded", "1" if flags["occluded"] else "0"))
    text = "".join(f"\t\t<{tag}>{escape(value).decode()}</{tag}>\n" for tag, value in rows)
    box = "".join(
        f"\t\t\t<{tag}>{value}</{tag}>\n" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), texts, strict=True)
    )
    return f"\t<object>\n{text}\t\t<bndbox>\n{box}\t\t</bndbox>\n\t</object>\n"
