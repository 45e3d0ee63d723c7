"""Sets with outlines as masks: the targets `masks` and `instances` of a conversion.

Objects are painted in the order of their annotations, pixels by their centres. What has only a box is left out and
counted; a set that has nothing but boxes is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import ConfigError
from . import maskfile, rle
from .common import folder_split
from .fill import polygon_mask
from .model import Category, Copy, Dataset, Instance, Mapped, Sample
from .paths import stem

#: folders of a path that say what a file is, not which
_ROLES = ("images", "image", "imgs", "img", "jpegimages", "masks", "mask", "labels", "annotations", "gt",
          "segmentationclass")  # fmt: skip

_KEPT = ("readme", "license", "licence", "notice", "attribution")


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
    samples, losses = _outlined(data, "masks")
    painted = Painted(fill=data.options.mask_fill or 0)
    painted.values, painted.table = _values(data.categories)
    splits: dict[str, list[Sample]] = {}
    for sample in samples:
        place = _place(sample, data)
        sample.path = f"images/{place}"
        painted.places[sample.path] = f"masks/{stem(place)}.png"
        splits.setdefault(sample.split, []).append(sample)
    losses["objects merged into regions of their class"] = sum(len(s.instances) for s in samples)
    return _set(data, "masks", "semantic", splits, painted, losses)


def as_instances(data: Dataset) -> Dataset:
    """Any set with outlines as a mask an object: `<id>/images/…` and `<id>/masks/0001.png`."""
    samples, losses = _outlined(data, "instances")
    names = Counter(stem(s.path.rsplit("/", 1)[-1]) for s in samples)
    splits: dict[str, list[Sample]] = {}
    for sample in samples:
        place = _place(sample, data)
        folder, _, name = place.rpartition("/")
        split, ident = _split_folder(folder), stem(name)
        if names[ident] > 1:
            ident = stem(place).replace("/", "_")
        sample.path = f"{split}{ident}/images/{name}"
        for number, instance in enumerate(sample.instances, 1):
            blank = maskfile.gray(np.zeros((1, 1), np.uint8))
            instance.raw = maskfile.Look(f"{number:04d}.png", blank, np.uint8(255), np.uint8(0))
        splits.setdefault(sample.split, []).append(sample)
    kinds = len({data.categories[c].name for s in samples for c in s.classes()})
    if kinds > 1:
        losses["classes of objects"] = sum(len(s.instances) for s in samples)
    for sample in samples:
        for instance in sample.instances:
            instance.category = 0
    found = _set(data, "instances", "instance", splits, Painted(), losses)
    found.categories = [Category(1, "object")]
    return found


def _split_folder(folder: str) -> str:
    name = next((p for p in folder.split("/") if folder_split(f"{p}/x") is not None), None)
    return f"{name}/" if name else ""


def _outlined(data: Dataset, target: str) -> tuple[list[Sample], dict[str, int]]:
    """New samples with the objects that have an outline, and what is lost with the rest."""
    objects = [i for s in data.samples() for i in s.objects()]
    if data.task in ("classify", "semantic", "plain"):
        what = {"classify": "classes of whole images", "semantic": "masks of classes", "plain": "no annotations"}
        raise ConfigError(f"--to {target}: this set holds {what[data.task]}; outlines of objects are needed")
    if objects and not any(i.parts or i.rle or i.quad for i in objects):
        raise ConfigError(f"--to {target}: this set holds boxes without outlines, of which no mask can be made")
    lost: Counter[str] = Counter()
    samples = []
    for sample in data.samples():
        kept: list[Instance] = []
        known = set()
        for instance in sample.objects():
            lost["keypoints"] += any(p[2] for p in instance.keypoints or ())
            if not (instance.parts or instance.rle or instance.quad):
                lost["objects without an outline, left out"] += 1
                continue
            shape = (
                data.categories[instance.category].name, instance.box,
                tuple(tuple(p) for p in instance.parts or ()), tuple(instance.rle.counts) if instance.rle else (),
            )  # fmt: skip
            if instance.doc and shape in known:
                continue  # the same object in another document
            known.add(shape)
            parts = instance.parts or ([instance.quad] if instance.quad else None)
            lost["outlines rounded to pixels"] += instance.rle is None
            lost["crowd flags"] += "crowd" in instance.flags
            kept.append(replace(instance, parts=parts, quad=None, keypoints=None, flags={}, doc=0, rank=len(kept)))
        samples.append(
            replace(sample, file=sample.source, instances=kept, raw=None, label=None, mask=None, frame="upright")
        )
    return samples, {text: count for text, count in lost.items() if count}


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


def _place(sample: Sample, data: Dataset) -> str:
    """The path beneath `images/`: folders that only say what they hold are left out, the split is said."""
    *folders, name = sample.source.split("/")
    kept = [p for p in folders if p.lower() not in _ROLES]
    if folder_split("/".join([*kept, name])) != sample.split and (len(data.splits) > 1 or sample.split != "train"):
        kept.insert(0, sample.split)
    return "/".join([*kept, name])


def _set(
    data: Dataset, name: str, task: str, splits: dict[str, list[Sample]], header: Any, losses: dict[str, int]
) -> Dataset:
    files = [f for f in data.files if f.rsplit("/", 1)[-1].lower().startswith(_KEPT)]
    order = {split: splits.get(split, []) for split in data.splits}
    merged = {**data.losses, **losses}
    return replace(data, format=name, task=task, splits=order, header=header, files=files, losses=merged)
