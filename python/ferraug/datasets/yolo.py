"""YOLO, read (formats: docs.ultralytics.com/datasets, roboflow.com/formats, docs.cvat.ai); its rows: `yolo_rows`.

    data.yaml   path, train, val, test (folder, list of folders, or .txt list of images), names (list or map), nc,
                kpt_shape [K, 2 or 3] and flip_idx of poses, kpt_names
    obj.data    key = value lines of Darknet: train, valid, names

Layouts: images/<split> + labels/<split>; <split>/images + <split>/labels; flat images + labels; labels beside images.
A label lies where the image lies, with the last folder named `images` called `labels` and the suffix `.txt`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .._core import ConfigError, LimitError, UnsafePathError
from .common import SPLIT_NAMES, canonical_split, folder_split, open_sample
from .model import Category, Dataset, Reporter, Sample
from .paths import MAX_LABEL, is_image_name, read_bytes, stem, walk
from .yamlsubset import Yaml, load
from .yolo_rows import LabelFile, Pose, RowReader, pose_of, rows_of

TASKS = ("detect", "segment", "pose", "obb")

KEYS = ("train", "val", "valid", "test")


@dataclass(slots=True)
class ImageList:
    """A `.txt` list of images: its lines, and which sample each names."""

    path: str
    text: str
    entries: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class YoloSet:
    """What the writer needs besides samples: the yaml, where its keys lead, lists and label files, and the points of a
    pose. `adopted`: the set comes from elsewhere, so that every row is written as the task asks and all texts are new.
    """

    yaml_path: str | None = None
    yaml: Yaml | None = None
    keys: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)
    lists: list[ImageList] = field(default_factory=list)
    labels: dict[str, LabelFile] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)
    pose: Pose | None = None
    adopted: bool = False


class Tree:
    """Questions about the files of a data set."""

    def __init__(self, files: list[str]) -> None:
        self.files = files
        self.known = set(files)
        self.folders: set[str] = {""}
        for path in files:
            while "/" in path:
                path = path.rsplit("/", 1)[0]
                if path in self.folders:
                    break
                self.folders.add(path)

    def images(self, folder: str) -> list[str]:
        """Image files beneath a folder, in order."""
        head = folder + "/" if folder else ""
        return [f for f in self.files if f.startswith(head) and is_image_name(f)]

    def resolve(self, base: str, *parts: Any) -> str | None:
        """The longest suffix of the joined parts that exists beneath `base`, else beneath the root.

        Exports carry drives, roots and steps upward that fit the exporter's machine, not the folder at hand.
        """
        words = []
        for part in parts:
            for word in re.split(r"[/\\]", str(part)) if part is not None else ():
                if word not in ("", ".", "..") and not re.fullmatch(r"[A-Za-z]:", word):
                    words.append(word)
        for head in dict.fromkeys((base, "")):
            for i in range(len(words) + 1):
                path = "/".join(([head] if head else []) + words[i:])
                if i == len(words) and words:
                    break
                if path in self.folders or path in self.known:
                    return path
        return None

    def label_of(self, image: str) -> str:
        """Where the label of an image lies or would lie."""
        beside = stem(image) + ".txt"
        folders = image.split("/")
        for i in range(len(folders) - 2, -1, -1):
            if folders[i] == "images":
                there = stem("/".join([*folders[:i], "labels", *folders[i + 1 :]])) + ".txt"
                return beside if there not in self.known and beside in self.known else there
        return beside


def find_yaml(root: str, files: list[str]) -> tuple[str, str] | None:
    """(path, why not) of a yaml that describes YOLO data: `names` and a split key that leads to images with labels.

    Returns (path, "") if one fits, (path, reason) if one has the keys but leads nowhere, None if there is none.
    """
    tree = Tree(files)
    near = None
    for path in files:
        if path.count("/") > 1 or not path.lower().endswith((".yaml", ".yml")):
            continue
        try:
            value = load(_text(root, path)[0], path).value
        except (ConfigError, LimitError, OSError):
            continue
        if not isinstance(value, dict) or "names" not in value or not any(value.get(k) for k in KEYS):
            continue
        base = path.rsplit("/", 1)[0] if "/" in path else ""
        for key in KEYS:
            for _, place in _values(value.get(key)):
                found = tree.resolve(base, value.get("path"), place)
                if found is None:
                    continue
                images = tree.images(found) if found in tree.folders else [found]
                if found not in tree.folders or any(tree.label_of(i) in tree.known for i in images):
                    return path, ""
        near = near or (path, "its split keys lead to no folder with images and labels")
    return near


def _values(value: Any) -> list[tuple[Any, str]]:
    """(position, text) of a split value: one text or a list of them."""
    if isinstance(value, str):
        return [(None, value)]
    if isinstance(value, list):
        return [(i, v) for i, v in enumerate(value) if isinstance(v, str)]
    return []


def _text(root: str, path: str) -> tuple[str, bool]:
    raw = read_bytes(root, path, MAX_LABEL)
    try:
        return raw.decode("utf-8"), True
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape"), False


def read(
    root: str,
    errors: str = "raise",
    yaml: str | None = None,
    task: str | None = None,
    files: list[str] | None = None,
) -> Dataset:
    """Reads the tree `root`; `yaml` is the description to use (found if None), `task` overrides what the rows say."""
    if task is not None and task not in TASKS:
        raise ConfigError(f"--task {task}: allowed {', '.join(TASKS)}")
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="yolo", task=task or "detect")
    reader = _Reader(root, files, data, report)
    if yaml is None:
        found = find_yaml(root, files)
        yaml = found[0] if found and not found[1] else None
    reader.describe(yaml)
    reader.samples()
    reader.rows(task)
    data.problems = report.problems
    return data


class _Reader:
    def __init__(self, root: str, files: list[str], data: Dataset, report: Reporter) -> None:
        self.root, self.data, self.report = root, data, report
        self.tree = Tree(files)
        self.set = YoloSet()
        data.header = self.set
        self.owned: set[str] = set()
        self.plan: list[tuple[str, list[str]]] = []
        self.names: dict[int, str] | None = None

    def describe(self, path: str | None) -> None:
        """Where the splits lie and what the classes are called."""
        if path is not None:
            self._yaml(path)
        elif not self._darknet():
            by_split: dict[str, list[str]] = {}
            for image in self.tree.images(""):
                by_split.setdefault(folder_split(image) or "train", []).append(image)
            order = [s for s in SPLIT_NAMES if s in by_split]
            self.plan = [(s, by_split[s]) for s in order]
        if self.names is None:
            for file in self.tree.files:
                name = file.rsplit("/", 1)[-1].lower()
                if name in ("classes.txt", "obj.names") or name.endswith(".names"):
                    self._names_file(file)
                    break

    def _yaml(self, path: str) -> None:
        text, clean = _text(self.root, path)
        if not clean:
            raise ConfigError(f"{path}: not UTF-8")
        parsed = load(text, path)
        value = parsed.value
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: a map is needed")
        self.set.yaml_path, self.set.yaml = path, parsed
        self.owned.add(path)
        self.set.pose = pose_of(value, path)
        self._yaml_names(path, value)
        base = path.rsplit("/", 1)[0] if "/" in path else ""
        for key in value:
            if key not in KEYS:
                continue
            images: list[str] = []
            for position, place in _values(value[key]):
                found = self.tree.resolve(base, value.get("path"), place)
                if found is None:
                    self.report.notice(path, f"{key}: {place!r} leads to no folder here")
                    continue
                self.set.keys.setdefault(key, []).append((position, found))
                images += self.tree.images(found) if found in self.tree.folders else self._list(found, base)
            if images:
                self.plan.append((key, images))
        self._siblings()

    def _yaml_names(self, path: str, value: dict[Any, Any]) -> None:
        names = value.get("names")
        if isinstance(names, list):
            self.names = {i: str(n) for i, n in enumerate(names)}
        elif isinstance(names, dict):
            pairs = {}
            for key, name in names.items():
                if not str(key).isdigit():
                    raise ConfigError(f"{path}: names: key {key!r}; class numbers are needed")
                pairs[int(key)] = str(name)
            self.names = pairs
        elif names is not None:
            raise ConfigError(f"{path}: names: a list or map is needed")
        count = value.get("nc")
        if self.names is not None and isinstance(count, int) and count != len(self.names):
            self.report.warn(path, f"nc: {count}, but {len(self.names)} names; the names count", "set")

    def _siblings(self) -> None:
        """Split folders beside resolved ones that the yaml does not name."""
        used = {place for places in self.set.keys.values() for _, place in places}
        for _, place in [p for places in self.set.keys.values() for p in places]:
            parts = place.split("/")
            for i, part in enumerate(parts):
                if canonical_split(part) is None:
                    continue
                for name in SPLIT_NAMES:
                    other = "/".join([*parts[:i], name, *parts[i + 1 :]])
                    if other in used or other not in self.tree.folders or any(k == name for k, _ in self.plan):
                        continue
                    images = self.tree.images(other)
                    if images:
                        used.add(other)
                        self.plan.append((name, images))
                        self.report.notice(other, f"split {name} is not in {self.set.yaml_path}; added")

    def _list(self, path: str, base: str) -> list[str]:
        """Images that a `.txt` list names."""
        text, _ = _text(self.root, path)
        found = ImageList(path, text)
        images = []
        for number, line in enumerate(text.split("\n"), 1):
            entry = line.strip("\r\t \ufeff")
            if not entry or entry.startswith("#"):
                continue
            where = f"{path}:{number}"
            if "\0" in entry:
                raise UnsafePathError(f"{where}: unsafe path {entry!r}: control character")
            image = self.tree.resolve(base, entry)
            if image is None or image in self.tree.folders:
                if ".." in re.split(r"[/\\]", entry) or entry.startswith(("/", "\\")) or re.match("[A-Za-z]:", entry):
                    raise UnsafePathError(f"{where}: unsafe path {entry!r}: leads out of the data set")
                self.report.invalid(where, f"{entry}: no such file", "image")
                continue
            found.entries.append((entry, image))
            images.append(image)
        self.set.lists.append(found)
        self.owned.add(path)
        return images

    def _darknet(self) -> bool:
        for path in self.tree.files:
            if not path.lower().endswith(".data") or path.count("/") > 1:
                continue
            pairs: dict[str, str] = {}
            for line in _text(self.root, path)[0].splitlines():
                key, equals, value = line.partition("=")
                if equals and not key.lstrip().startswith("#"):
                    pairs[key.strip()] = value.strip()
            base = path.rsplit("/", 1)[0] if "/" in path else ""
            for key, value in pairs.items():
                if key not in KEYS:
                    continue
                found = self.tree.resolve(base, value)
                if found is None:
                    self.report.notice(path, f"{key}: {value!r} leads to no file here")
                    continue
                images = self.tree.images(found) if found in self.tree.folders else self._list(found, base)
                if images:
                    self.plan.append((key, images))
            names = self.tree.resolve(base, pairs.get("names"))
            if names is not None and names in self.tree.known:
                self._names_file(names)
            return bool(self.plan)
        return False

    def _names_file(self, path: str) -> None:
        lines = _text(self.root, path)[0].lstrip("\ufeff").splitlines()
        while lines and not lines[-1].strip():
            lines.pop()
        self.names = {i: line.strip() for i, line in enumerate(lines)}

    def samples(self) -> None:
        taken: dict[str, str] = {}
        for split, images in self.plan:
            part: list[Sample] = []
            others = 0
            for path in dict.fromkeys(images):
                if path in taken:
                    others += taken[path] != split
                    continue
                taken[path] = split
                self.owned.add(path)
                sample = open_sample(self.root, path, split, self.report)
                label = self.tree.label_of(path)
                if sample is None:
                    self.owned.add(label)
                    continue
                if label in self.tree.known:
                    sample.label = label
                part.append(sample)
            if others:
                self.set.shared[split] = list(dict.fromkeys(images))
                self.report.notice(split, f"{others} images also belong to an earlier split; written as a list of them")
            self.data.splits.setdefault(split, []).extend(part)

    def rows(self, task: str | None) -> None:
        """Reads all label files, decides the task, then takes the rows."""
        files: list[tuple[Sample, LabelFile]] = []
        nine = others = polygons = 0
        for sample in self.data.samples():
            if sample.label is None:
                continue
            label = self.set.labels.get(sample.label)
            if label is None:
                try:
                    label = LabelFile(sample.label, _text(self.root, sample.label)[0])
                except (LimitError, ValueError, OSError) as error:
                    self.report.invalid(sample.label, str(error), "image")
                    self.data.splits[sample.split].remove(sample)
                    continue
                self.set.labels[sample.label] = label
            self.owned.add(sample.label)
            files.append((sample, label))
            for _, tokens in rows_of(label.text):
                nine += len(tokens) == 9
                others += len(tokens) != 9
                polygons += len(tokens) >= 7 and len(tokens) % 2
        if task is None:
            if self.set.pose is not None:
                task = "pose"
            elif nine and not others:
                task = "obb"
                self.report.notice(
                    self.set.yaml_path or ".",
                    "every row is 4 points: taken as oriented boxes; --task segment if they are polygons",
                )
            elif polygons:
                task = "segment"
            else:
                task = "detect"
        self.data.task = task
        if task != "pose":
            self.set.pose = None
        elif self.set.pose is None:
            raise ConfigError(f"{self.set.yaml_path or self.root}: pose rows need kpt_shape: [K, 2 or 3] in the yaml")
        elif self.set.pose.flips is None:
            self.report.notice(self.set.yaml_path or ".", "no flip_idx: left and right do not change places in mirrors")
        reader = RowReader(task, self.names, self.set.pose, self.report)
        for sample, label in files:
            reader.take(sample, label)
        used = reader.used
        names = self.names
        if names is None:
            names = {i: f"class_{i}" for i in sorted(used)}
        index = {key: i for i, key in enumerate(names)}
        self.data.categories = [self._category(key, name) for key, name in names.items()]
        for sample, _ in files:
            for instance in sample.instances:
                instance.category = index[instance.category]
        self.data.files = [f for f in self.tree.files if f not in self.owned]
        orphans = [
            f for f in self.data.files
            if f.endswith(".txt") and "/labels/" in f"/{f}" and not f.endswith("classes.txt")
        ]  # fmt: skip
        if orphans:
            self.report.notice(orphans[0], f"{len(orphans)} label files without an image; copied as they are")

    def _category(self, key: int, name: str) -> Category:
        pose = self.set.pose
        if pose is None:
            return Category(key, name)
        return Category(key, name, keypoints=pose.names.get(key), flip_pairs=pose.flips)
