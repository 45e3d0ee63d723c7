"""Which format a folder or file holds, and the one way to read it.

Rules in order, the first that fits wins and the others are named: what a yaml says (YOLO), arrays of images and
annotations (COCO), XML with objects (VOC), other annotation formats, mask and class folders, images alone. Annotation
files that no rule explains stop the guess: nothing is read as plain images while labels lie beside them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from .._core import ConfigError
from . import classes, coco, createml, cvat, dota, instances, masks, voc, yolo
from .formats import FORMATS
from .model import Dataset, Options, Reporter
from .paths import is_image_name, read_head, stem, walk

KNOWN = tuple(FORMATS)


@dataclass(slots=True)
class Found:
    """A format, where its root is, which file described it, and what else would have fitted."""

    format: str
    root: str
    files: list[str]
    only: str | None = None
    others: list[str] = field(default_factory=list)
    report: Reporter = field(default_factory=lambda: Reporter("collect"))


def detect(src: str, wanted: str | None = None) -> Found:
    """The format of `src`; `wanted` ends all guessing. ConfigError if nothing fits or annotations are left over."""
    if wanted is not None and wanted not in KNOWN:
        raise ConfigError(f"--from {wanted}: allowed {', '.join(FORMATS)}")
    report = Reporter("collect")
    if os.path.isfile(src):
        return _file(src, wanted, report)
    if not os.path.isdir(src):
        raise ConfigError(f"{src}: no such file or folder")
    files = walk(src, report)
    if wanted is not None:
        return Found(wanted, src, files, report=report)
    fits = [name for name, test in _TESTS if test(src, files)]
    if not fits:
        if not any(is_image_name(f) for f in files):
            looked = ", ".join(f.title for f in FORMATS.values())
            raise ConfigError(f"no data set found in {src}: looked for {looked}")
        left = leftovers(files)
        if left:
            shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
            raise ConfigError(
                f"{src}: images, but no format explains {shown}; name it by --from, or use --from plain to ignore them"
            )
        fits = ["plain"]
    return Found(fits[0], src, files, others=fits[1:], report=report)


def _file(src: str, wanted: str | None, report: Reporter) -> Found:
    low = src.lower()
    root = os.path.dirname(os.path.abspath(src))
    name = os.path.basename(src)
    kind = None
    if low.endswith((".yaml", ".yml", ".data")):
        kind = "yolo"
    elif low.endswith(".json"):
        kind = "coco" if coco.kind_of(root, name) else _json_kind(root, name)
    elif low.endswith(".xml"):
        kind = "voc" if voc.looks_like_voc(root, name) else "cvat" if _is_cvat(root, [name]) else None
    kind = wanted or kind
    if kind is None:
        raise ConfigError(f"{src}: no YOLO yaml, COCO, LabelMe or CreateML JSON, Pascal VOC or CVAT XML")
    if kind in ("coco", "voc", "cvat") and os.path.basename(root).lower() in ("annotations", "annotation"):
        # its images lie beside the folder, so that is the data set
        name = f"{os.path.basename(root)}/{name}"
        root = os.path.dirname(root)
    return Found(kind, root, walk(root, report), only=name, report=report)


def _json_kind(root: str, name: str) -> str | None:
    return next(
        (kind for kind, fits in (("labelme", _is_labelme), ("createml", _is_createml)) if fits(root, [name])), None
    )


def read(
    src: str, wanted: str | None = None, errors: str = "collect", options: Options | None = None
) -> tuple[Dataset, Found]:
    """The data set at `src`; ConfigError for a format that is recognised but not multiplied."""
    found = detect(src, wanted)
    options = options or Options()
    if found.format not in FORMATS:
        raise ConfigError(f"{src}: recognised as {found.format}, which this command does not multiply yet")
    data = FORMATS[found.format].read(found.root, errors, found.files, found.only, options)
    data.options = options
    data.problems[:0] = found.report.problems
    return data, found


def leftovers(files: list[str]) -> list[str]:
    """Files that look like annotations: by suffix, or a `.txt` named like an image."""
    stems = {stem(f.rsplit("/", 1)[-1]) for f in files if is_image_name(f)}
    found = []
    for path in files:
        low = path.lower()
        name = path.rsplit("/", 1)[-1]
        if name == path and name.startswith("ferraug-"):
            continue  # an earlier run's own
        if low.endswith((".json", ".xml", ".csv", ".yaml", ".yml")) or (low.endswith(".txt") and stem(name) in stems):
            found.append(path)
    return found


def _is_yolo(root: str, files: list[str]) -> bool:
    found = yolo.find_yaml(root, files)
    if found is not None and found[1] == "":
        return True
    tree = yolo.Tree(files)
    named = any(f.rsplit("/", 1)[-1].lower() in ("classes.txt", "obj.names") or f.endswith(".names") for f in files)
    return named and any(tree.label_of(image) in tree.known for image in tree.images(""))


def _is_coco(root: str, files: list[str]) -> bool:
    return any(kind != "panoptic" for _, kind in coco.find_documents(root, files))


def _is_voc(root: str, files: list[str]) -> bool:
    return any(
        voc.looks_like_voc(root, f) and _holds(root, f, rb"<\s*object\b") for f in files if f.lower().endswith(".xml")
    )


def _is_cvat(root: str, files: list[str]) -> bool:
    return any(cvat.looks_like_cvat(root, f) for f in files if f.lower().endswith(".xml"))


def _is_labelme(root: str, files: list[str]) -> bool:
    return any(_holds(root, f, rb'"shapes"\s*:') for f in files if f.lower().endswith(".json"))


def _is_createml(root: str, files: list[str]) -> bool:
    return any(createml.looks_like_createml(root, f) for f in files if f.lower().endswith(".json"))


def _is_dota(root: str, files: list[str]) -> bool:
    return any(map(dota.looks_like_dota, files))


def _holds(root: str, path: str, pattern: bytes) -> bool:
    return re.search(pattern, read_head(root, path)) is not None


def _is_instances(root: str, files: list[str]) -> bool:
    found, _, single = masks.pair(files)
    return bool(instances.pairs(files)) and len(single) > len(found)


def _is_masks(root: str, files: list[str]) -> bool:
    found, _, single = masks.pair(files)
    return 0 < len(found) >= len(single)


def _is_classes(root: str, files: list[str]) -> bool:
    children: dict[str | None, set[str | None]] = {}
    roles = {*masks.IMAGE_FOLDERS, "panoptic", "segmentationobject"}
    for split, name in classes.places(files).values():
        children.setdefault(split, set()).add(name)
    if instances.pairs(files):
        return False  # a folder above `images` and `masks` is no class
    # a split may hold loose images without labels, but no folder both
    named = [{n for n in names if n is not None} for names in children.values() if names != {None}]
    if any(None in names and len(names) > 1 for names in children.values()):
        return False

    def count(names: set[str]) -> int:
        low = {n.lower() for n in names}
        # `mask` may be a class, but not beside `images`
        return len(low - roles - set(masks.MASK_FOLDERS) if low & roles else low)

    return max((count(names) for names in named), default=0) >= 2


_TESTS = (
    ("yolo", _is_yolo),
    ("coco", _is_coco),
    ("voc", _is_voc),
    ("cvat", _is_cvat),
    ("labelme", _is_labelme),
    ("createml", _is_createml),
    ("dota", _is_dota),
    ("instances", _is_instances),
    ("masks", _is_masks),
    ("classes", _is_classes),
)
