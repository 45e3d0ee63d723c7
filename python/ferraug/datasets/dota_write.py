"""DOTA, written, and any data set as DOTA: <split>/images and <split>/labelTxt. Corners are not clamped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .._core import ConfigError
from . import writer as base
from .dota import DotaSet
from .model import Category, Copy, Dataset, Mapped, Sample
from .paths import stem
from .yolo_adopt import Losses, Places, merged_categories, moved_sample, objects_once, oriented, side_files
from .yolo_rows import LabelFile
from .yolo_write import without

#: what a label says about an image of which nothing is known
_HEAD = ("imagesource:null", "gsd:null")


class Writer(base.Writer):
    """One label file a copy."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.set: DotaSet = data.header

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """The label file of a copy at `path`; none if the source has none."""
        if sample.label is None:
            return []
        folder = sample.label.rsplit("/", 1)[0] + "/" if "/" in sample.label else ""
        return [folder + stem(path.rsplit("/", 1)[-1]) + ".txt"]

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """The source's lines about the image, then the copy's rows."""
        if copy.sample.label is None:
            return []
        rows = [*self.set.heads.get(copy.sample.label, ()), *map(self.row, copy.objects)]
        text = "".join(f"{row}\n" for row in rows).encode("utf-8", "surrogateescape")
        return [(path, text) for path in self.label_paths(copy.sample, copy.path)]

    def row(self, mapped: Mapped) -> str:
        """One row; the source's own text if nothing moved."""
        raw = str(mapped.instance.raw)
        if not mapped.changed:
            return raw
        assert mapped.quad is not None
        return " ".join([*corner_columns(mapped.quad, self.set.whole), *raw.split()[8:]])

    def originals(self, gone: set[int]) -> Iterator[tuple[str, bytes | None]]:
        """Label files of the sources: None for a byte copy, else their text without its invalid rows."""
        for sample in self.data.samples():
            if sample.label is not None and id(sample) not in gone:
                label = self.set.labels[sample.label]
                yield label.path, without(label) if label.dropped or label.fresh else None


def corner_columns(quad: Sequence[float], whole: bool) -> list[str]:
    """Pixels with two decimals, or whole ones if the set has no others (halves go away from zero)."""
    if whole:
        return [str(int(math.copysign(math.floor(abs(v) + 0.5), v))) for v in quad]
    return [f"{v + 0.0:.2f}".replace("-0.00", "0.00") if abs(v) < 0.005 else f"{v:.2f}" for v in quad]


def adopt(data: Dataset) -> Dataset:
    """`data` as DOTA; outlines become their smallest oriented boxes."""
    if data.format == "dota":
        return data
    if data.task in ("plain", "classify", "semantic"):
        raise ConfigError(f"--to dota: objects are needed; a set of {data.format} has none")
    header = DotaSet(whole=False)
    new = Dataset(data.root, "dota", "obb", problems=data.problems, options=data.options, header=header)
    new.losses.update(data.losses)
    losses, places = Losses(new.losses), Places()
    kept, became = merged_categories(data)
    rank = {i: n for n, i in enumerate(kept)}
    new.categories = [Category(name, name) for name in (_one_word(data.categories[i].name) for i in kept)]
    losses.count(
        "class names whose blanks became -",
        sum(data.categories[i].name != c.name for i, c in zip(kept, new.categories, strict=True)),
    )
    for split, samples in data.splits.items():
        part = []
        for sample in samples:
            inside = places.place(sample)
            label = f"{split}/labelTxt/{stem(inside)}.txt"
            made = moved_sample(sample, f"{split}/images/{inside}", label)
            losses.count("records without geometry, such as captions", sum(not i.is_object for i in sample.instances))
            for old in objects_once(sample, became):
                if "crowd" in old.flags:
                    losses.count("crowd regions left out")
                    continue
                if old.keypoints:
                    losses.count("keypoints of objects")
                if data.format not in ("yolo", "instances"):
                    losses.count("ids and other fields of records")
                if any(old.flags.get(name) for name in ("truncated", "occluded")):
                    losses.count("truncated and occluded flags")
                instance = oriented(old, sample.size, losses)
                instance.category, instance.rank = rank[became[old.category]], len(made.instances)
                assert instance.quad is not None
                difficult = "1" if old.flags.get("difficult") else "0"
                name = new.categories[instance.category].name
                instance.raw = " ".join([*corner_columns(instance.quad, False), name, difficult])
                made.instances.append(instance)
            header.heads[label] = list(_HEAD)
            text = "".join(f"{row}\n" for row in (*_HEAD, *(i.raw for i in made.instances)))
            header.labels[label] = LabelFile(label, text, fresh=True)
            part.append(made)
        new.splits[split] = part
    new.files = side_files(data, losses)
    return new


def _one_word(name: str) -> str:
    """A class name without blanks, since blanks separate columns."""
    return "-".join(name.split()) or "-"
