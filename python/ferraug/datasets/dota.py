"""DOTA, read: oriented boxes of aerial images (captain-whu.github.io/DOTA, dataset page).

    imagesource:GoogleEarth                      lines about the image, kept as they are
    gsd:0.146343
    x1 y1 x2 y2 x3 y3 x4 y4 class difficult      pixels of the image; the last column may be missing

A label lies where its image lies, with the last folder named `images` called `labelTxt` (or labelTxt-v1.0 and the
like) and the suffix `.txt`. A class is what rows call it; classes are numbered as they appear in sorted files.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field

from .._core import ConfigError, LimitError
from . import quads
from .common import ROUNDING, SPLIT_NAMES, clip_box, folder_split, open_sample
from .model import Category, Dataset, Instance, Reporter, Sample
from .paths import MAX_LABEL, MAX_OBJECTS, is_image_name, read_bytes, stem, walk
from .polygon import area, extent
from .yolo_rows import LabelFile

_FOLDER = re.compile(r"labelTxt[^/]*")
_HEAD = re.compile(r"\s*[A-Za-z][A-Za-z_ ]*:")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")

#: no image is larger, so no pixel lies farther out
_FAR = 1e9


@dataclass(slots=True)
class DotaSet:
    """What the writer needs besides samples: the label files, and whether all numbers of the set are whole."""

    labels: dict[str, LabelFile] = field(default_factory=dict)
    heads: dict[str, list[str]] = field(default_factory=dict)
    whole: bool = True


def looks_like_dota(path: str) -> bool:
    """A text in a folder of DOTA labels."""
    parts = path.split("/")
    return path.lower().endswith(".txt") and any(_FOLDER.fullmatch(p) for p in parts[:-1])


def key_of(path: str, folder: re.Pattern[str]) -> str | None:
    """What an image and its label have in common: the path without suffix and without the last folder of that name."""
    parts = stem(path).split("/")
    for i in range(len(parts) - 2, -1, -1):
        if folder.fullmatch(parts[i]):
            return "/".join([*parts[:i], "*", *parts[i + 1 :]])
    return None


def read(root: str, errors: str = "raise", files: list[str] | None = None) -> Dataset:
    """Reads the tree `root`."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="dota", task="obb", header=DotaSet())
    labels: dict[str, str] = {}
    for path in files:
        if looks_like_dota(path):
            labels.setdefault(key_of(path, _FOLDER) or "", path)
    if not labels:
        raise ConfigError(f"{root}: no folder labelTxt with labels")
    reader = _Reader(root, data, report)
    owned: set[str] = set()
    parts: dict[str, list[Sample]] = {}
    for path in files:
        if not is_image_name(path):
            continue
        # images lie in a folder `images`, or straight in the folder that holds labelTxt
        folder, slash, name = path.rpartition("/")
        keys = (key_of(path, re.compile("images")), f"{folder}{slash}*/{stem(name)}")
        label = next((labels[key] for key in keys if key in labels), None)
        if label is None and key_of(path, re.compile("images")) is None:
            continue
        if label in owned:
            report.invalid(path, f"{label} belongs to another image already", "image")
            continue
        sample = open_sample(root, path, folder_split(path) or "train", report)
        owned |= {path} if label is None else {path, label}
        if sample is None:
            continue
        sample.label = label
        if reader.take(sample):
            parts.setdefault(sample.split, []).append(sample)
    if not owned:
        raise ConfigError(f"{root}: no images beside labelTxt")
    data.splits = {s: parts[s] for s in SPLIT_NAMES if s in parts}
    data.files = [f for f in files if f not in owned]
    data.problems = report.problems
    return data


class _Reader:
    def __init__(self, root: str, data: Dataset, report: Reporter) -> None:
        self.root, self.data, self.report = root, data, report
        self.classes: dict[str, int] = {}

    def take(self, sample: Sample) -> bool:
        """The rows of an image's label; False if the label cannot be read."""
        if sample.label is None:
            return True
        try:
            text = read_bytes(self.root, sample.label, MAX_LABEL).decode("utf-8", "surrogateescape")
        except (LimitError, ValueError, OSError) as error:
            self.report.invalid(sample.label, str(error), "image")
            return False
        label = LabelFile(sample.label, text)
        self.data.header.labels[sample.label] = label
        heads = self.data.header.heads.setdefault(sample.label, [])
        known: set[tuple[object, ...]] = set()
        for number, line in enumerate(text.split("\n")):
            row = line.strip("\r\t \ufeff")
            if not row:
                continue
            if _HEAD.match(row):
                heads.append(row)
                continue
            where = f"{sample.label}:{number + 1}"
            if len(sample.instances) >= MAX_OBJECTS:
                raise LimitError(f"{sample.label}: more than {MAX_OBJECTS} objects in one image")
            try:
                instance = self._row(row, sample, where)
            except ValueError as error:
                label.dropped.add(number)
                self.report.invalid(where, str(error))
                continue
            instance.rank = len(sample.instances)
            shape = (instance.category, *(instance.quad or ()))
            if shape in known:
                instance.duplicate = True
                self.report.warn(where, "duplicate of an earlier row; augmented once")
            known.add(shape)
            sample.instances.append(instance)
        return True

    def _row(self, row: str, sample: Sample, where: str) -> Instance:
        tokens = row.split()
        if len(tokens) not in (9, 10):
            raise ValueError(f"{len(tokens)} columns; 8 numbers, a class and difficult are needed")
        for token in tokens[:8]:
            if not _NUMBER.fullmatch(token):
                raise ValueError(f"{token!r:.40} is no number")
        quad = array("d", map(float, tokens[:8]))
        if any(abs(v) > _FAR for v in quad):
            raise ValueError("a number beyond any image")
        if len(tokens) == 10 and not tokens[9].isdigit():
            raise ValueError(f"difficult {tokens[9]!r:.40}; 0 or 1 is needed")
        if area(quad) <= 0:
            raise ValueError("an oriented box without area")
        fitted = clip_box(extent([quad]), *sample.size)
        shown = quads.ring(quad, sample.size)
        if fitted is None or len(shown) < 6 or area(shown) <= 0:
            raise ValueError("wholly outside the image")
        if fitted[1] > ROUNDING:
            self.report.warn(where, f"{fitted[1]:.1f} px beyond the image; clipped")
        name = tokens[8]
        if name not in self.classes:
            self.classes[name] = len(self.data.categories)
            self.data.categories.append(Category(name, name))
        if any("." in t or "e" in t.lower() for t in tokens[:8]):
            self.data.header.whole = False
        instance = Instance(self.classes[name], extent([shown]), where, raw=row, quad=quad)
        instance.clipped = fitted[1] > 0
        if len(tokens) == 10 and tokens[9] != "0":
            instance.flags["difficult"] = True
        return instance
