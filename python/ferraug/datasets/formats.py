"""The formats: one row each names who recognises, reads, writes and, as a target of `--to`, adopts a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._core import ConfigError
from . import (
    classes,
    coco,
    coco_adopt,
    coco_write,
    createml,
    createml_write,
    cvat,
    cvat_write,
    dota,
    dota_write,
    instances,
    labelme,
    labelme_write,
    masks,
    paint,
    plain,
    voc,
    voc_adopt,
    voc_write,
    yolo,
    yolo_adopt,
    yolo_write,
)
from . import writer as base
from .model import Dataset, Options


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    `read(root, errors, files, only, options)`: the set beneath `root`, described by the file `only` if one was named.
    `fits(root, files)`: the files look like it. `adopt(data)`: any set as one of this format whose images are read
    from where they are; what it cannot keep is counted in `losses`, ConfigError if the target needs what is not there.
    """

    name: str
    title: str
    read: Callable[[str, str, list[str], str | None, Options], Dataset]
    write: type[base.Writer]
    adopt: Callable[[Dataset], Dataset] | None = None


def _yolo(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return yolo.read(root, errors, only, options.task, files)


def _coco(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return coco.read(root, errors, [only] if only else None, files)


def _voc(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return voc.read(root, errors, files, only, options.voc_origin)


def _labelme(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return labelme.read(root, errors, files, only)


def _cvat(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return cvat.read(root, errors, files, only)


def _createml(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return createml.read(root, errors, files, only)


def _dota(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return dota.read(root, errors, files)


def _instances(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return instances.read(root, errors, files)


def _classes(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return classes.read(root, errors, files)


def _masks(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return masks.read(root, errors, files, options)


def _plain(root: str, errors: str, files: list[str], only: str | None, options: Options) -> Dataset:
    return plain.read(root, errors, files)


def _to_yolo(data: Dataset) -> Dataset:
    return yolo_adopt.adopt(data, data.options.task)


#: in the order of guessing
FORMATS = {
    f.name: f
    for f in (
        Format("yolo", "YOLO", _yolo, yolo_write.Writer, _to_yolo),
        Format("coco", "COCO", _coco, coco_write.Writer, coco_adopt.adopt),
        Format("voc", "Pascal VOC", _voc, voc_write.Writer, voc_adopt.adopt),
        Format("cvat", "CVAT", _cvat, cvat_write.Writer, cvat_write.adopt),
        Format("labelme", "LabelMe", _labelme, labelme_write.Writer, labelme_write.adopt),
        Format("createml", "CreateML", _createml, createml_write.Writer, createml_write.adopt),
        Format("dota", "DOTA", _dota, dota_write.Writer, dota_write.adopt),
        Format("instances", "a mask an object", _instances, instances.Writer, paint.as_instances),
        Format("masks", "masks of classes", _masks, masks.Writer, paint.as_masks),
        Format("classes", "class folders", _classes, base.Writer),
        Format("plain", "plain images", _plain, base.Writer),
    )
}


def adopt(data: Dataset, target: str) -> Dataset:
    """`data` as a set of the format `target`; itself if it is one already."""
    if target == data.format and target != "yolo":
        return data
    able = [name for name, f in FORMATS.items() if f.adopt is not None]
    take = FORMATS[target].adopt if target in FORMATS else None
    if take is None:
        raise ConfigError(f"--to {target}: allowed {', '.join(able)}")
    adopted = take(data)
    # what belongs to no record does not come along
    adopted.problems = [p for p in data.problems if not p.text.endswith("copied, not multiplied")]
    return adopted
