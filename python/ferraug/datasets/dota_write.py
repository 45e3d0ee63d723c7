"""DOTA, written, and any data set as DOTA: <split>/images and <split>/labelTxt. Corners are not clamped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from . import writer as base
from .convert import neutral
from .dota import DotaSet
from .model import Category, Copy, Dataset, Instance, Mapped, Sample
from .paths import stem
from .polygon import area
from .yolo_adopt import TINY, leave_crowds, orient, place
from .yolo_rows import LabelFile
from .yolo_write import without

#: sentences of what is lost
MARKS = "truncated, occluded and pose marks not kept"
BLANKS = "class names whose blanks became -"

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
        text = "".join(f"{row}\n" for row in rows if row).encode("utf-8", "surrogateescape")
        return [(path, text) for path in self.label_paths(copy.sample, copy.path)]

    def row(self, mapped: Mapped) -> str:
        """One row; the source's own text if nothing moved, nothing if no area is left as rounded."""
        raw = str(mapped.instance.raw)
        if not mapped.changed:
            return raw
        assert mapped.quad is not None
        columns = corner_columns(mapped.quad, self.set.whole)
        return " ".join([*columns, *raw.split()[8:]]) if has_area(columns) else ""

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


def has_area(columns: Sequence[str]) -> bool:
    """The corners as written enclose something."""
    return area([float(v) for v in columns]) > 0


def adopt(data: Dataset) -> Dataset:
    """`data` as DOTA; outlines become their smallest oriented boxes."""
    if data.format == "dota":
        return data
    found = neutral(data, "dota")
    leave_crowds(found)
    for sample in found.samples:
        for instance in sample.instances:
            found.lose(MARKS, int(any(instance.flags.get(m) for m in ("truncated", "occluded", "pose"))))
    found.keep("quads", "outlines", "marks")
    place(found.samples, "{split}/images", "{split}/labelTxt")
    header = DotaSet(whole=False)
    categories = [Category(name, name) for name in (_one_word(c.name) for c in found.categories)]
    found.lose(BLANKS, sum(c.name != old.name for c, old in zip(categories, found.categories, strict=True)))
    for sample in found.samples:
        assert sample.label is not None
        header.heads[sample.label] = list(_HEAD)
        rows = [*_HEAD]
        kept: list[Instance] = []
        for instance in sample.instances:
            orient(instance, sample.size, found)
            assert instance.quad is not None
            columns = corner_columns(instance.quad, False)
            if not has_area(columns):
                found.lose(TINY)
                continue
            difficult = "1" if instance.flags.get("difficult") else "0"
            name = categories[instance.category].name
            instance.raw = " ".join([*columns, name, difficult])
            instance.rank = len(kept)
            kept.append(instance)
            rows.append(instance.raw)
        sample.instances = kept
        header.labels[sample.label] = LabelFile(sample.label, "".join(f"{row}\n" for row in rows), fresh=True)
    new = Dataset(data.root, "dota", "obb", categories, found.splits(), header, found.files, data.problems)
    new.options, new.losses = data.options, found.losses
    return new


def _one_word(name: str) -> str:
    """A class name without blanks, since blanks separate columns."""
    return "-".join(name.split()) or "-"
