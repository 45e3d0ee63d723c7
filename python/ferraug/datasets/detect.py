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
from . import coco, voc, yolo
from .common import canonical_split
from .formats import FORMATS
from .model import Dataset, Options, Reporter
from .paths import is_image_name, read_head, stem, walk

KNOWN = (*FORMATS, *(n for n in ("classes", "masks", "instances", "cvat", "labelme", "createml", "dota") if n not in FORMATS))

_MASK_FOLDERS = ("masks", "mask", "labels", "annotations", "gt", "segmentationclass")
_NOT_CLASSES = {*_MASK_FOLDERS, "images", "jpegimages", "panoptic", "segmentationobject"}
_MASK_TAIL = re.compile(r"_(mask|label|labels|seg|gt)$")


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
            raise ConfigError(f"no data set found in {src}: looked for COCO, YOLO, Pascal VOC and plain images")
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
        kind = "coco" if coco.kind_of(root, name) else None
    elif low.endswith(".xml"):
        kind = "voc" if voc.looks_like_voc(root, name) else None
    kind = wanted or kind
    if kind is None:
        raise ConfigError(f"{src}: neither a YOLO yaml nor COCO JSON nor Pascal VOC XML")
    if kind in ("coco", "voc") and os.path.basename(root).lower() in ("annotations", "annotation"):
        # its images lie beside the folder, so that is the data set
        name = f"{os.path.basename(root)}/{name}"
        root = os.path.dirname(root)
    return Found(kind, root, walk(root, report), only=name, report=report)


def read(
    src: str, wanted: str | None = None, errors: str = "collect", options: Options | None = None
) -> tuple[Dataset, Found]:
    """The data set at `src`; ConfigError for a format that is recognised but not multiplied."""
    found = detect(src, wanted)
    options = options or Options()
    if found.format not in FORMATS:
        raise ConfigError(f"{src}: recognised as {found.format}, which this command does not multiply yet")
    data = FORMATS[found.format].read(found.root, errors, found.files, found.only, options)
    if found.format == "yolo" and data.task != "detect":
        raise ConfigError(f"{src}: YOLO {data.task} labels; this command multiplies YOLO boxes only yet")
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
    return any(_holds(root, f, rb"<\s*annotations\b") for f in files if f.lower().endswith(".xml"))


def _is_labelme(root: str, files: list[str]) -> bool:
    return any(_holds(root, f, rb'"shapes"\s*:') for f in files if f.lower().endswith(".json"))


def _is_createml(root: str, files: list[str]) -> bool:
    return any(_holds(root, f, rb'^\s*\[\s*\{[^\[]*"image"\s*:') for f in files if f.lower().endswith(".json"))


def _is_dota(root: str, files: list[str]) -> bool:
    return any("/labelTxt/" in f"/{f}" and f.endswith(".txt") for f in files)


def _holds(root: str, path: str, pattern: bytes) -> bool:
    return re.search(pattern, read_head(root, path)) is not None


def _mask_pairs(files: list[str]) -> tuple[int, int]:
    """(masks that pair with an image, masks that do not) of the tree's mask folders and `_mask` files."""
    images: set[str] = set()
    masks: list[str] = []
    for path in files:
        if not is_image_name(path):
            continue
        folders = [p.lower() for p in path.split("/")[:-1]]
        name = stem(path.rsplit("/", 1)[-1])
        if any(f in _MASK_FOLDERS for f in folders) or (_MASK_TAIL.search(name) and path.lower().endswith(".png")):
            masks.append(name)
        else:
            images.add(name)
    paired = sum(name in images or _MASK_TAIL.sub("", name) in images for name in masks)
    return paired, len(masks) - paired


def _is_instances(root: str, files: list[str]) -> bool:
    folders = {f.rsplit("/", 1)[0] for f in files if is_image_name(f) and "/" in f}
    pairs = [f for f in folders if f.split("/")[-1] == "images" and f[: -len("images")] + "masks" in folders]
    paired, single = _mask_pairs(files)
    return bool(pairs) and single > paired


def _is_masks(root: str, files: list[str]) -> bool:
    paired, single = _mask_pairs(files)
    return paired > 0 and paired >= single


def _is_classes(root: str, files: list[str]) -> bool:
    children: dict[str, set[str]] = {}
    for path in files:
        if not is_image_name(path):
            continue
        parts = path.split("/")
        base = ""
        if len(parts) > 1 and canonical_split(parts[0]):
            base, parts = parts[0], parts[1:]
        children.setdefault(base, set()).add(parts[0] if len(parts) > 1 else "")
    if not children or any("" in names for names in children.values()):
        return False
    return max(len({n for n in names if n.lower() not in _NOT_CLASSES}) for names in children.values()) >= 2


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
