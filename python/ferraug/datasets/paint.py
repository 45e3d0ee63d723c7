"""Sets with outlines as masks: the targets `masks` and `instances` of a conversion.

Objects are painted in the order of their annotations, pixels by their centres. What has only a box is left out and
counted; a set that has nothing but boxes is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import ConfigError
from . import maskfile, rle
from .convert import Neutral, neutral, place
from .fill import polygon_mask
from .model import Category, Copy, Dataset, Instance, Mapped, Sample
from .paths import stem

#: sentences of what is lost
BOXES = "boxes without an outline left out"
ROUNDED = "outlines rounded to pixels"
MERGED = "objects merged into regions of their class"
NAMES = "classes of objects not kept"


@dataclass(slots=True)
class Painted:
    """How objects become a mask of classes: where each image's mask lies, the value of each category, the table."""

    places: dict[str, str] = field(default_factory=dict)
    values: list[int] = field(default_factory=list)
    table: list[tuple[int, str]] = field(default_factory=list)
    fill: int = 0

    @property
    def dtype(self) -> Any:
        """One byte a pixel while the values fit."""
        return np.uint8 if max(self.fill, *self.values, 0) < 256 else np.uint16


def shape_of(instance: Instance, mapped: Mapped | None, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels (h, w) of an object, of the source if it is not mapped."""
    w, h = size
    if mapped is not None:
        if mapped.mask is not None:
            return np.asarray(np.asarray(mapped.mask) != 0)
        return polygon_mask((h, w), mapped.parts or [])
    if instance.rle is not None:
        return np.asarray(rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w) != 0)
    return polygon_mask((h, w), instance.parts or [])


def original(painted: Painted, sample: Sample) -> bytes:
    """The mask of a source."""
    w, h = sample.size
    mask = np.zeros((h, w), painted.dtype)
    for instance in sample.objects():
        mask[shape_of(instance, None, sample.size)] = painted.values[instance.category]
    return maskfile.encode(maskfile.gray(mask))


def of_copy(painted: Painted, copy: Copy) -> bytes:
    """The mask of a copy. Its own mask, if it has one, is 0 where nothing of the source is."""
    w, h = copy.size
    mask = np.zeros((h, w), painted.dtype)
    if copy.mask is not None:
        mask[copy.mask.array == 0] = painted.fill
    for mapped in copy.objects:
        mask[shape_of(mapped.instance, mapped, copy.size)] = painted.values[mapped.instance.category]
    return maskfile.encode(maskfile.gray(mask))


def table_file(painted: Painted) -> bytes:
    """Values and names as Roboflow writes them."""
    rows = [(0, "background"), *painted.table]
    return "".join(f"{value}, {name}\n" for value, name in [("Pixel Value", "Class"), *rows]).encode()


def as_masks(data: Dataset) -> Dataset:
    """Any set with outlines as masks of classes: `images/…` and `masks/…`, classes by their own number."""
    found = _outlined(data, "masks")
    painted = Painted(fill=data.options.mask_fill or 0)
    painted.values, painted.table = _values(found.categories)
    place(found.samples, lambda sample: f"images/{_split(data, sample)}".rstrip("/"))
    for sample in found.samples:
        painted.places[sample.path] = f"masks/{stem(sample.path.removeprefix('images/'))}.png"
    found.lose(MERGED, sum(len(s.instances) for s in found.samples))
    return _set(data, "masks", "semantic", found, painted)


def as_instances(data: Dataset) -> Dataset:
    """Any set with outlines as a mask an object: `<id>/images/…` and `<id>/masks/0001.png`."""
    found = _outlined(data, "instances")
    place(found.samples, lambda sample: _split(data, sample).rstrip("/"))
    if len({i.category for s in found.samples for i in s.instances}) > 1:
        found.lose(NAMES, sum(len(s.instances) for s in found.samples))
    for sample in found.samples:
        sample.path = f"{stem(sample.path)}/images/{sample.path.rsplit('/', 1)[-1]}"
        for number, instance in enumerate(sample.instances, 1):
            blank = maskfile.gray(np.zeros((1, 1), np.uint8))
            instance.raw = maskfile.Look(f"{number:04d}.png", blank, np.uint8(255), np.uint8(0))
            instance.category = 0
    found.categories = [Category(1, "object")]
    return _set(data, "instances", "instance", found, Painted())


def _split(data: Dataset, sample: Sample) -> str:
    """The folder of a split, unless there is none but train."""
    return f"{sample.split}/" if set(data.splits) != {"train"} else ""


def _outlined(data: Dataset, target: str) -> Neutral:
    """The neutral form with the objects that have an outline; ConfigError if there are only others."""
    found = neutral(data, target)
    found.keep("outlines", "quads")
    objects = [i for s in found.samples for i in s.instances]
    if objects and not any(i.parts or i.rle or i.quad for i in objects):
        raise ConfigError(f"--to {target}: this set holds boxes without outlines, of which no mask can be made")
    for sample in found.samples:
        kept = [i for i in sample.instances if i.parts or i.rle or i.quad]
        found.lose(BOXES, len(sample.instances) - len(kept))
        for rank, instance in enumerate(kept):
            found.lose(ROUNDED, int(instance.rle is None))
            if instance.quad is not None and not instance.parts:
                instance.parts = [instance.quad]
            instance.quad, instance.flags, instance.rank = None, {}, rank
        sample.instances, sample.raw = kept, None
    return found


def _values(categories: list[Category]) -> tuple[list[int], list[tuple[int, str]]]:
    """(value of each category, table): their own numbers if those are distinct and none is 0, else counted from 1."""
    keys: dict[str, Any] = {}
    for category in categories:
        keys.setdefault(category.name, category.key)
    numbers = [k for k in keys.values() if type(k) is int and 0 <= k < 65535]
    if len(set(numbers)) == len(keys):
        shift = 1 if 0 in numbers else 0
        values = {name: key + shift for name, key in keys.items()}
    else:
        values = {name: i for i, name in enumerate(keys, 1)}
    return [values[c.name] for c in categories], sorted((value, name) for name, value in values.items())


def _set(data: Dataset, name: str, task: str, found: Neutral, header: Any) -> Dataset:
    return replace(
        data, format=name, task=task, categories=found.categories, splits=found.splits(), header=header,
        files=found.files, losses=found.losses,
    )  # fmt: skip
