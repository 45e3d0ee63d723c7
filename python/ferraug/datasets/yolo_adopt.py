"""Any data set as YOLO: images/<split> and labels/<split> with a yaml of its own.

A class is the rank of its category in the source's list. Crowds are left out: as objects they would teach that a heap
is one thing. A task that needs what the source does not have is refused.
"""

from __future__ import annotations

from array import array

from .._core import ConfigError
from . import contour, quads, rle
from .common import canonical_split
from .convert import Neutral, neutral
from .model import Category, Dataset, Instance, Mapped, Sample
from .paths import nfc, stem
from .polygon import clip, extent
from .yamlsubset import load, quote
from .yolo import TASKS, YoloSet
from .yolo_rows import LabelFile, Pose, order_of
from .yolo_text import object_columns

YAML = "data.yaml"

#: sentences of what is lost
CROWDS = "crowd regions left out"
NO_POINTS = "objects without keypoints left out"
RECTANGLES = "boxes written as outlines of four corners"
ORIENTED = "outlines reduced to their smallest oriented boxes"
HOLES = "holes of masks filled"
JOINED = "outlines of several parts joined to one"
SPLIT = "outlines of several parts written as several objects"
SMALLER = "parts that are not the largest of their object"
MIRRORS = "classes whose points change places in their own way in a mirror"
TINY = "objects without area as rounded left out"
HEADS = "lines about an image's source not kept"

_IMAGE_FOLDERS = ("images", "jpegimages", "image")


def adopt(data: Dataset, task: str | None = None) -> Dataset:
    """`data` as a YOLO set of `task`: detect if None, but a source of YOLO or DOTA keeps its own."""
    own = data.task if data.format in ("yolo", "dota") and data.task in TASKS else None
    task = task or own or "detect"
    if task not in TASKS:
        raise ConfigError(f"--task {task}: allowed {', '.join(TASKS)}")
    if data.format == "yolo" and data.task == task:
        return data
    return _Adoption(data, task).run()


def place(samples: list[Sample], images: str, labels: str) -> None:
    """Gives each sample the path of its image and of its label beneath folders that may name the `{split}`.

    Folders within a split stay, but for those that name the split or say that images lie there. No two images share a
    name without its suffix, since their labels are named after it.
    """
    taken: set[str] = set()
    for sample in samples:
        *folders, name = sample.path.split("/")
        split = canonical_split(sample.split) or sample.split
        kept = [f for f in folders if f.lower() not in _IMAGE_FOLDERS and (canonical_split(f) or f) != split]
        base = stem(name)
        inside = "/".join([*kept, base])
        number = 1
        while (key := nfc(nfc(f"{sample.split}/{inside}").casefold())) in taken:
            number += 1
            inside = "/".join([*kept, f"{base}-{number}"])
        taken.add(key)
        sample.path = f"{images.format(split=sample.split)}/{inside}{name[len(base) :]}"
        sample.label = f"{labels.format(split=sample.split)}/{inside}.txt"


def leave_crowds(found: Neutral) -> None:
    """Takes crowds out."""
    for sample in found.samples:
        kept = [i for i in sample.instances if "crowd" not in i.flags]
        found.lose(CROWDS, len(sample.instances) - len(kept))
        sample.instances = kept


def outline_of(instance: Instance, size: tuple[int, int], found: Neutral) -> list[array[float]] | None:
    """The parts of an object's outline inside the image, traced if it is a mask; None if it has none."""
    w, h = size
    if instance.rle is not None:
        mask = rle.decode(list(instance.rle.counts), instance.rle.h, instance.rle.w)
        parts, holes = contour.outlines(mask)
        found.lose(HOLES, holes)
        return parts or None
    if not instance.parts:
        return None
    x0, y0, x1, y1 = extent(instance.parts)
    if x0 >= 0 and y0 >= 0 and x1 <= w and y1 <= h:
        return list(instance.parts)
    return [p for p in (clip(part, w, h) for part in instance.parts) if len(p) >= 6] or None


def orient(instance: Instance, size: tuple[int, int], found: Neutral) -> None:
    """Makes the object an oriented box. Its outline stays, since it says what of the object shows."""
    if instance.quad is None:
        instance.parts = outline_of(instance, size, found)
        if instance.parts:
            found.lose(ORIENTED)
            instance.quad = quads.flat_of(quads.smallest([p for q in instance.parts for p in quads.corners_of(q)]))
        else:
            instance.quad = _corners(instance)
    elif any(not -1e-9 <= v <= size[i % 2] + 1e-9 for i, v in enumerate(instance.quad)):
        shown = quads.corners_of(quads.ring(instance.quad, size))
        instance.quad = quads.flat_of(quads.boxed_again(quads.corners_of(instance.quad), shown))
    instance.rle = None


def _corners(instance: Instance) -> array[float]:
    assert instance.box is not None
    x0, y0, x1, y1 = instance.box
    return array("d", [x0, y0, x1, y0, x1, y1, x0, y1])


class _Adoption:
    def __init__(self, data: Dataset, task: str) -> None:
        self.data, self.task = data, task
        self.set = YoloSet(yaml_path=YAML, adopted=True)
        self.found = neutral(data, "yolo")

    def run(self) -> Dataset:
        data, found, task = self.data, self.found, self.task
        labels = {s.source: s.label for s in data.samples()}
        if data.format == "dota":
            found.lose(HEADS, sum(len(lines) for lines in data.header.heads.values()))
        leave_crowds(found)
        self._refuse()
        for sample in found.samples:
            if task == "pose":
                kept = [i for i in sample.instances if i.keypoints]
                found.lose(NO_POINTS, len(sample.instances) - len(kept))
                sample.instances = kept
        kept_of_task = {"detect": (), "segment": ("outlines", "quads"), "pose": ("keypoints",)}
        found.keep(*kept_of_task.get(task, ("outlines", "quads")))
        categories, rank = self._categories()
        place(found.samples, "images/{split}", "labels/{split}")
        new = Dataset(data.root, "yolo", task, categories, header=self.set, files=found.files)
        new.splits = {split: [] for split in data.splits} | found.splits()
        new.problems, new.options, new.losses = data.problems, data.options, found.losses
        for sample in found.samples:
            if data.format == "yolo" and labels[sample.source] is None:
                sample.label = None  # missing stays missing
            self._objects(sample, new, rank)
        self._yaml(new)
        return new

    def _refuse(self) -> None:
        objects = [i for s in self.found.samples for i in s.instances]
        if self.task == "segment" and objects and not any(i.parts or i.rle or i.quad for i in objects):
            raise ConfigError("--to yolo --task segment: outlines are needed; the objects of this set have boxes only")
        if self.task == "pose" and not any(i.keypoints for i in objects):
            raise ConfigError("--to yolo --task pose: keypoints are needed; the objects of this set have none")

    def _categories(self) -> tuple[list[Category], dict[int, int]]:
        """The classes, and which one each of the source's is. A pose has only classes with points, all equally many."""
        old = list(enumerate(self.found.categories))
        if self.task == "pose":
            counts = {i: len(c.keypoints) for i, c in old if c.keypoints}
            several = sorted(set(counts.values()))
            if len(several) != 1:
                raise ConfigError(f"--to yolo --task pose: all classes need the same number of points, here {several}")
            old = [(i, c) for i, c in old if i in counts]
            self.set.pose = Pose(several[0], 3)
        categories = []
        for rank, (_, category) in enumerate(old):
            key = category.key if self.data.format == "yolo" else rank
            categories.append(Category(key, category.name))
            if self.set.pose is not None:
                new = categories[-1]
                new.keypoints, new.flip_pairs, new.skeleton = category.keypoints, category.flip_pairs, category.skeleton
                self.set.pose.names[key] = list(category.keypoints or ())
        if self.set.pose is not None:
            orders = {tuple(order_of(c.flip_pairs or (), self.set.pose.count)) for c in categories}
            if len(orders) == 1:
                self.set.pose.flips = categories[0].flip_pairs
            else:
                self.found.lose(MIRRORS, len(orders))
        return categories, {i: rank for rank, (i, _) in enumerate(old)}

    def _objects(self, sample: Sample, new: Dataset, rank: dict[int, int]) -> None:
        kept: list[Instance] = []
        for instance in sample.instances:
            assert instance.box is not None
            instance.category, instance.rank = rank[instance.category], len(kept)
            instance.flags = {}
            if self.set.pose is not None:
                points = [*(instance.keypoints or ()), *([(0.0, 0.0, 0)] * self.set.pose.count)]
                instance.keypoints = points[: self.set.pose.count]
            self._shape(instance, sample.size)
            mapped = Mapped(instance, instance.box, 1.0, True, instance.parts, None, instance.quad, instance.keypoints)
            rows = object_columns(mapped, sample.size, self.task, self.set.pose, new.options.parts)
            key = new.categories[instance.category].key
            instance.raw = "\n".join(f"{key} {' '.join(columns)}" for columns in rows)
            if rows:
                kept.append(instance)
            else:
                self.found.lose(TINY)
        sample.instances = kept
        if sample.label is not None:
            text = "".join(f"{i.raw}\n" for i in sample.instances)
            self.set.labels[sample.label] = LabelFile(sample.label, text, fresh=True)

    def _shape(self, instance: Instance, size: tuple[int, int]) -> None:
        """The object as the task has it. An outline stays as far as it says what of the object shows."""
        if self.task == "obb":
            orient(instance, size, self.found)
            return
        ring = quads.ring(instance.quad, size) if instance.quad is not None else None
        instance.quad = None
        if self.task != "segment":
            if ring is not None:
                instance.parts = [ring]
            return
        outline = outline_of(instance, size, self.found)
        instance.rle = None
        if outline is None and ring is None:
            self.found.lose(RECTANGLES)
        instance.parts = outline or [ring if ring is not None else _corners(instance)]
        if len(instance.parts) > 1:
            how = self.data.options.parts
            if how == "largest":
                self.found.lose(SMALLER, len(instance.parts) - 1)
            else:
                self.found.lose(JOINED if how == "join" else SPLIT)

    def _yaml(self, new: Dataset) -> None:
        # a split of YOLO whose images belong to another one stays a list of them
        shared = self.data.header.shared if self.data.format == "yolo" else {}
        paths = {s.source: s.path for s in new.samples()}
        lines = []
        for split, samples in new.splits.items():
            if not samples and split in shared:
                self.set.shared[split] = [paths[p] for p in shared[split] if p in paths]
            elif not samples:
                continue
            key = "val" if split == "valid" and "val" not in new.splits else split
            lines.append(f"{_text(key)}: {_text(f'images/{split}')}")
            self.set.keys[key] = [(None, f"images/{split}")]
        pose = self.set.pose
        if pose is not None:
            lines.append(f"kpt_shape: [{pose.count}, {pose.width}]")
            if pose.flips:
                lines.append(f"flip_idx: [{', '.join(map(str, order_of(pose.flips, pose.count)))}]")
        lines.append("names:")
        lines += [f"  {c.key}: {_text(c.name)}" for c in new.categories]
        if pose is not None:
            lines.append("kpt_names:")
            lines += [f"  {key}: [{', '.join(map(_text, names))}]" for key, names in pose.names.items()]
        self.set.yaml = load("\n".join(lines) + "\n", YAML)


def _text(value: str) -> str:
    """A text that any YAML reader takes for this text; what cannot be seen becomes a blank."""
    value = "".join(c if c.isprintable() else " " for c in value)
    risky = any(c in value for c in ",[]{}:#") or value.lower() in ("yes", "no", "on", "off", "y", "n")
    return "'" + value.replace("'", "''") + "'" if risky else quote(value)
