"""Masks of classes beside images: pairing, reading, writing (layouts: Pascal VOC, Roboflow, plain folder pairs).

An image and its mask agree in name and in the folders that say more than their role: `train/images/a.jpg` pairs with
`train/masks/a.png`, `images/train/a.jpg` with `masks/train/a.png`, `a.jpg` with `a_mask.png` beside it. The name of a
mask may end in `_mask`, `_label`, `_labels`, `_seg` or `_gt`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._core import ConfigError, DecodeError, LimitError
from . import maskfile, paint
from . import writer as base
from .common import SPLIT_NAMES, folder_split, open_sample
from .model import Category, Copy, Dataset, Options, Reporter, Sample
from .paths import MAX_IMAGE, MAX_LABEL, is_image_name, nfc, read_bytes, stem, walk

#: folders that hold masks; the first in this order wins if an image has several
MASK_FOLDERS = ("masks", "mask", "labels", "annotations", "gt", "segmentationclass")
IMAGE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages")
TAIL = re.compile(r"_(mask|label|labels|seg|gt)$")

#: Roboflow's table of classes, in any folder
TABLE = "_classes.csv"

_Key = tuple[str, ...]


@dataclass(slots=True)
class MaskSet:
    """What the masks are: how many of each mode, the tables of classes that were found, and where masks go that do not
    stay where they are, by their image's path."""

    modes: Counter[str] = field(default_factory=Counter)
    tables: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)


def _role(path: str) -> int | None:
    """Which of the mask folders a path runs through."""
    found = [MASK_FOLDERS.index(p) for p in path.lower().split("/")[:-1] if p in MASK_FOLDERS]
    return found[-1] if found else None


def _key(path: str, name: str) -> _Key:
    folders = [p for p in path.split("/")[:-1] if p.lower() not in (*MASK_FOLDERS, *IMAGE_FOLDERS)]
    return (*map(nfc, folders), nfc(name))


def pair(files: list[str]) -> tuple[dict[str, list[str]], list[str], list[str]]:
    """(masks of each image, the likeliest first; images without; masks without) of a tree's files."""
    images: dict[_Key, list[str]] = {}
    masks: list[str] = []
    beside: list[str] = []
    for path in files:
        if not is_image_name(path):
            continue
        name = stem(path.rsplit("/", 1)[-1])
        if _role(path) is not None:
            masks.append(path)
        else:
            images.setdefault(_key(path, name), []).append(path)
            if TAIL.search(name):
                beside.append(path)
    for path in beside:
        name = stem(path.rsplit("/", 1)[-1])
        own = _key(path, name)
        if _key(path, TAIL.sub("", name)) in images:
            images[own].remove(path)
            masks.append(path)
    pairs: dict[str, list[str]] = {path: [] for paths in images.values() for path in paths}
    left = []
    for path in sorted(masks, key=lambda p: (_rank(p), p)):
        name = stem(path.rsplit("/", 1)[-1])
        found = images.get(_key(path, name)) or images.get(_key(path, TAIL.sub("", name))) or []
        for image in found:
            pairs[image].append(path)
        if not found:
            left.append(path)
    spare = _by_name(pairs, left)
    alone = [image for image, found in pairs.items() if not found]
    return {image: found for image, found in pairs.items() if found}, alone, spare


def _by_name(pairs: dict[str, list[str]], masks: list[str]) -> list[str]:
    """Pairs masks that lie deeper than their images (`annotations/trimaps/a.png` with `images/a.jpg`) by their names,
    if no two images of the split have the name; returns those that are left."""
    named: dict[tuple[str | None, str], list[str]] = {}
    for image in pairs:
        if any(p.lower() in IMAGE_FOLDERS for p in image.split("/")[:-1]):
            named.setdefault((folder_split(image), nfc(stem(image.rsplit("/", 1)[-1]))), []).append(image)
    spare = []
    for path in masks:
        name, split = nfc(stem(path.rsplit("/", 1)[-1])), folder_split(path)
        found = named.get((split, name)) or named.get((split, TAIL.sub("", name))) or []
        if len(found) == 1 and not pairs[found[0]]:
            pairs[found[0]].append(path)
        else:
            spare.append(path)
    return spare


def _rank(path: str) -> int:
    role = _role(path)
    return -1 if role is None else role


def read(root: str, errors: str = "raise", files: list[str] | None = None, options: Options | None = None) -> Dataset:
    """Every image with a mask is a sample; images and masks without a partner are copied only."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="masks", task="semantic", header=MaskSet())
    pairs, alone, spare = pair(files)
    if not pairs:
        raise ConfigError(f"{root}: no mask belongs to an image; expected masks/NAME.png or NAME_mask.png")
    parts: dict[str, list[Sample]] = {}
    owned: set[str] = set()
    taken: dict[str, str] = {}
    several: list[str] = []
    for image in sorted(pairs):
        mask, *others = pairs[image]
        several += others
        owned |= {image, mask}
        if mask in taken:
            report.invalid(image, f"{mask} is the mask of {taken[mask]} already", "image")
            continue
        taken[mask] = image
        sample = _sample(root, image, mask, report, None if options is None else options.mask_fill, data.header)
        if sample is not None:
            parts.setdefault(sample.split, []).append(sample)
    data.splits = {s: parts[s] for s in SPLIT_NAMES if s in parts}
    data.files = [f for f in files if f not in owned]
    data.header.tables = [f for f in data.files if f.rsplit("/", 1)[-1] == TABLE]
    data.categories = _categories(root, data.header.tables, report)
    if alone:
        report.notice(alone[0], f"{len(alone)} images without a mask; copied, not multiplied")
    if spare:
        report.notice(spare[0], f"{len(spare)} masks without an image; copied as they are")
    if several:
        report.notice(several[0], f"{len(several)} further masks of an image that has one; copied, new images get none")
    data.problems = report.problems
    return data


def _sample(root: str, image: str, mask: str, report: Reporter, fill: int | None, found: MaskSet) -> Sample | None:
    try:
        head = maskfile.read_head(root, mask)
    except (DecodeError, LimitError) as error:
        report.invalid(mask, f"{error}", "image")
        return None
    except OSError as error:
        report.invalid(mask, f"{error.strerror}", "image")
        return None
    sample = open_sample(root, image, folder_split(image) or "train", report)
    if sample is None:
        return None
    size = (head.w, head.h)
    if size != sample.size:
        if size != sample.stored:
            w, h = sample.size
            report.invalid(mask, f"{head.w}x{head.h}, but {image} is {w}x{h}", "image")
            return None
        sample.frame = "stored"
    if fill is not None and fill > head.most:
        raise ConfigError(f"--mask-fill {fill}: {mask} is of mode {head.mode} and holds 0 to {head.most}")
    found.modes[head.mode] += 1
    sample.mask = mask
    return sample


def _categories(root: str, tables: list[str], report: Reporter) -> list[Category]:
    """The classes of `_classes.csv`: `value, name` rows under a heading."""
    names: dict[int, str] = {}
    for path in tables:
        try:
            text = read_bytes(root, path, MAX_LABEL).decode("utf-8-sig")
        except (UnicodeDecodeError, LimitError, OSError):
            report.warn(path, "cannot be read as UTF-8; copied as it is", "file")
            continue
        for line in text.splitlines():
            value, comma, name = line.partition(",")
            if comma and value.strip().isdigit() and len(value) < 8:
                names.setdefault(int(value), name.strip().strip('"'))
    return [Category(value, name) for value, name in sorted(names.items())]


def load(root: str, sample: Sample) -> maskfile.MaskImage:
    """A sample's mask in the upright frame; DecodeError if it is damaged."""
    assert sample.mask is not None
    return load_file(root, sample.mask, sample)


def load_file(root: str, path: str, sample: Sample) -> maskfile.MaskImage:
    """Any mask of a sample in the upright frame; DecodeError if it is damaged."""
    mask = maskfile.decode(read_bytes(root, path, MAX_IMAGE))
    if sample.frame == "stored":
        mask = mask.with_array(maskfile.upright(mask.array, sample.orientation))
    return mask


def values(data: Dataset) -> Counter[int | tuple[int, ...]]:
    """How many pixels of all masks hold each value (a colour is a tuple). It decodes them."""
    counts: Counter[int | tuple[int, ...]] = Counter()
    for sample in data.samples():
        counts.update(values_of(data, sample))
    return counts


def values_of(data: Dataset, sample: Sample) -> dict[int | tuple[int, ...], int]:
    """How many pixels of a sample's mask hold each value."""
    array = load(data.root, sample).array
    if array.ndim == 2:
        found: Any = zip(*np.unique(array, return_counts=True), strict=True)
        return {int(v): int(n) for v, n in found}
    found = zip(*np.unique(array.reshape(-1, array.shape[2]), axis=0, return_counts=True), strict=True)
    return {tuple(map(int, v)): int(n) for v, n in found}


def mask_path(image: str, mask: str, path: str) -> str:
    """Where the mask of a copy at `path` lies: in the source's mask folder, its name changed as the image's was."""
    folder, slash, name = mask.rpartition("/")
    tail = stem(name)[len(stem(image.rsplit("/", 1)[-1])) :]
    return f"{folder}{slash}{stem(path.rsplit('/', 1)[-1])}{tail}.png"


class Writer(base.Writer):
    """A mask a copy, in the source's mode, and masks of originals as bytes; or masks painted of another set's objects,
    and a table of their values."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.painted: paint.Painted | None = data.header if isinstance(data.header, paint.Painted) else None
        self.places: dict[str, str] = data.header.places

    def _mask(self, sample: Sample) -> str | None:
        return self.places.get(sample.path, sample.mask)

    def _place(self, sample: Sample, path: str) -> str:
        mask = self._mask(sample)
        assert mask is not None
        return mask_path(sample.path, mask, path)

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """The mask of a copy at `path`."""
        return [self._place(sample, path)]

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """The copy's mask."""
        content = maskfile.encode(copy.mask) if self.painted is None else paint.of_copy(self.painted, copy)
        return [(self._place(copy.sample, copy.path), content)]

    def original_paths(self) -> list[str]:
        """The masks of all samples."""
        return [mask for s in self.data.samples() if (mask := self._mask(s)) is not None]

    def originals(self, gone: set[int]) -> Iterator[tuple[str, bytes | None]]:
        """Those masks, but of samples that are gone."""
        for sample in self.data.samples():
            mask = self._mask(sample)
            if mask is not None and id(sample) not in gone:
                if self.painted is not None:
                    yield mask, paint.original(self.painted, sample)
                elif mask == sample.mask:
                    yield mask, None
                else:
                    assert sample.mask is not None
                    yield mask, read_bytes(self.data.root, sample.mask, MAX_IMAGE)

    def aggregate_paths(self) -> list[str]:
        """The table of values, if there is none yet."""
        return [] if self.painted is None else [TABLE]

    def aggregates(self, records: Callable[[], Iterable[bytes]], gone: set[int]) -> Iterable[base.Aggregate]:
        """That table."""
        return [] if self.painted is None else [(TABLE, [paint.table_file(self.painted)])]
