"""One mask a file for each object (layout of the 2018 Data Science Bowl): `<id>/images/*`, `<id>/masks/*.png`.

A folder with one such pair may be the whole set; it is written as `<id>/…`, named by its image. Copies are folders of
their own, `<id>__ferraug-0001`, in which every mask keeps its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._core import ConfigError, DecodeError, LimitError
from . import maskfile, paint, rle
from . import writer as base
from .common import SPLIT_NAMES, folder_split, open_sample
from .geometry import mask_extent
from .model import Box, Category, Copy, Dataset, Instance, Reporter, Rle, Sample
from .paths import MAX_IMAGE, MAX_OBJECTS, is_image_name, read_bytes, stem, walk


def pairs(files: list[str]) -> dict[str, tuple[list[str], list[str]]]:
    """(images, masks) of each folder that holds `images` and `masks`, by the folder, sorted."""
    images: dict[str, list[str]] = {}
    masks: dict[str, list[str]] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        above, _, role = folder.rpartition("/")
        if role in ("images", "masks") and is_image_name(name):
            (images if role == "images" else masks).setdefault(above, []).append(path)
    return {above: (images[above], masks[above]) for above in sorted(images) if above in masks}


def read(root: str, errors: str = "raise", files: list[str] | None = None) -> Dataset:
    """Every folder with an image and masks is a sample; its masks are its objects, all of one class."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="instances", task="instance", categories=[Category(1, "object")])
    found = pairs(files)
    if not found:
        raise ConfigError(f"{root}: no folder with images/ and masks/; expected <id>/images/* and <id>/masks/*.png")
    parts: dict[str, list[Sample]] = {}
    owned: set[str] = set()
    for above, (images, masks) in found.items():
        owned.update(images, masks)
        if len(images) > 1:
            report.invalid(images[1], f"{len(images)} images share the masks of {above or '.'}", "image")
            continue
        image = images[0]
        sample = open_sample(root, image, folder_split(image) or "train", report)
        if sample is None:
            continue
        if not above:
            sample.file, sample.path = image, f"{stem(image.rsplit('/', 1)[-1])}/{image}"
        if len(masks) > MAX_OBJECTS:
            raise LimitError(f"{above}: more than {MAX_OBJECTS} objects in one image")
        for mask in masks:
            instance = _instance(root, mask, sample, report)
            if instance is not None:
                instance.rank = len(sample.instances)
                sample.instances.append(instance)
        parts.setdefault(sample.split, []).append(sample)
    data.splits = {s: parts[s] for s in SPLIT_NAMES if s in parts}
    data.files = [f for f in files if f not in owned]
    alone = [f for f in data.files if is_image_name(f)]
    if alone:
        report.notice(alone[0], f"{len(alone)} images without masks; copied, not multiplied")
    data.problems = report.problems
    return data


def _instance(root: str, path: str, sample: Sample, report: Reporter) -> Instance | None:
    try:
        mask = maskfile.decode(read_bytes(root, path, MAX_IMAGE))
    except (DecodeError, LimitError) as error:
        report.invalid(path, str(error))
        return None
    except OSError as error:
        report.invalid(path, f"{error.strerror}")
        return None
    array, size = mask.array, (mask.head.w, mask.head.h)
    if size != sample.size:
        if size != sample.stored:
            report.invalid(path, f"{size[0]}x{size[1]}, but the image is {sample.size[0]}x{sample.size[1]}")
            return None
        array = maskfile.upright(array, sample.orientation)
    shown = _shown(array, mask.mode)
    box = mask_extent(shown)
    if box is None:
        report.warn(path, "an empty mask; dropped")
        return None
    y, x = np.unravel_index(int(shown.argmax()), shown.shape)
    ground = int(shown.argmin())
    v, u = np.unravel_index(ground, shown.shape)
    paper = np.zeros_like(array[0, 0]) if shown[v, u] else array[v, u].copy()
    ink = array[y, x].copy()
    if not np.array_equal(array[shown != 0], np.broadcast_to(ink, array[shown != 0].shape)):
        report.warn(path, "several values in the mask of one object; new masks hold the first")
    look = maskfile.Look(path.rsplit("/", 1)[-1], mask.with_array(array[:1, :1]), ink, paper)
    h, w = shown.shape
    return Instance(category=0, box=box, where=path, raw=look, box_given=box, rle=Rle(_runs(shown, box), h, w, False))


def _runs(shown: Any, box: Box) -> list[int]:
    """Run lengths of a mask of which only the columns of `box` hold anything."""
    h, w = shown.shape
    left, right = int(box[0]), int(box[2])
    counts = rle.encode(shown[:, left:right])
    counts[0] += left * h
    if right < w:
        if len(counts) % 2:
            counts[-1] += (w - right) * h
        else:
            counts.append((w - right) * h)
    return counts


def _shown(array: Any, mode: str) -> Any:
    """1 where the object is: any value but 0, transparency aside."""
    if array.ndim == 2:
        return (array != 0).astype(np.uint8)
    colours = array[:, :, :-1] if mode in ("LA", "RGBA") else array
    return (colours != 0).any(axis=2).astype(np.uint8)


class Writer(base.Writer):
    """A mask an object; masks of originals as bytes."""

    def name_parts(self, sample: Sample) -> tuple[str, str, str]:
        """The folder above `images` is what copies are named by."""
        above, _, name = stem(sample.path).rpartition("/images/")
        head, slash, last = above.rpartition("/")
        return head + slash, last, f"/images/{name}"

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """The masks that a copy at `path` may have."""
        folder = _folder(path)
        return [f"{folder}/{i.raw.name}" for i in sample.objects()]

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """The masks of the objects that are left; a mirrored copy of an object shares its mask."""
        folder = _folder(copy.path)
        shown: dict[str, tuple[maskfile.Look, Any]] = {}
        for mapped in copy.objects:
            look = mapped.instance.raw
            mask = paint.shape_of(mapped.instance, mapped, copy.size)
            shown[look.name] = (look, mask | shown[look.name][1] if look.name in shown else mask)
        return [(f"{folder}/{name}", maskfile.draw(look, mask)) for name, (look, mask) in shown.items() if mask.any()]

    def original_paths(self) -> list[str]:
        """The masks of all samples."""
        return [path for s in self.data.samples() for path in self.label_paths(s, s.path)]

    def originals(self, gone: set[int]) -> Iterator[tuple[str, bytes | None]]:
        """Those masks, but of samples that are gone."""
        painted = isinstance(self.data.header, paint.Painted)
        for sample in self.data.samples():
            if id(sample) in gone:
                continue
            for path, instance in zip(self.label_paths(sample, sample.path), sample.objects(), strict=True):
                if painted:
                    mask = paint.shape_of(instance, None, sample.size)
                    if mask.any():
                        yield path, maskfile.draw(instance.raw, mask)
                else:
                    same = path == instance.where
                    yield path, None if same else read_bytes(self.data.root, instance.where, MAX_IMAGE)


def _folder(path: str) -> str:
    return path.rpartition("/images/")[0] + "/masks"
