"""Any data set as YOLO: images/<split> and labels/<split> with a yaml of its own.

A class is the rank of its category in the source's list; categories of further documents join the first one of their
name. What YOLO has no place for is counted by a short sentence; a task that needs what the source does not have is
refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from .._core import ConfigError
from . import contour, quads, rle
from .common import canonical_split
from .model import Category, Dataset, Instance, Mapped, Sample
from .paths import nfc, stem
from .polygon import clip, extent
from .yamlsubset import load, quote
from .yolo import TASKS, YoloSet
from .yolo_rows import LabelFile, Pose, order_of
from .yolo_text import object_columns

YAML = "data.yaml"

_IMAGE_FOLDERS = ("images", "jpegimages", "image")
_KEPT_FILES = ("readme", "license", "licence", "notice", "copying", "citation")


def adopt(data: Dataset, task: str | None = None) -> Dataset:
    """`data` as a YOLO set of `task`: detect if None, but a source of YOLO or DOTA keeps its own."""
    own = data.task if data.format in ("yolo", "dota") and data.task in TASKS else None
    task = task or own or "detect"
    if task not in TASKS:
        raise ConfigError(f"--task {task}: allowed {', '.join(TASKS)}")
    if data.format == "yolo" and data.task == task:
        return data
    return _Adoption(data, task).run()


class Places:
    """Where the images of a set go: folders within a split stay, no two stems are one."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def place(self, sample: Sample) -> str:
        """Path of an image beneath its split's folder."""
        *folders, name = sample.path.split("/")
        split = canonical_split(sample.split) or sample.split
        kept = [f for f in folders if f.lower() not in _IMAGE_FOLDERS and (canonical_split(f) or f) != split]
        head, (base, suffix) = "/".join([*kept, ""]), _cut(name)
        number = 1
        while True:
            found = f"{head}{base}" if number == 1 else f"{head}{base}-{number}"
            key = nfc(nfc(f"{sample.split}/{found}").casefold())
            if key not in self.taken:
                self.taken.add(key)
                return found + suffix
            number += 1


def _cut(name: str) -> tuple[str, str]:
    base = stem(name)
    return base, name[len(base) :]


def moved_sample(sample: Sample, path: str, label: str | None) -> Sample:
    """The sample at a new place, read from where it lies; its random key stays."""
    return Sample(
        path=path,
        source_id=sample.source_id,
        split=sample.split,
        size=sample.size,
        orientation=sample.orientation,
        stored=sample.stored,
        frame=sample.frame,
        format=sample.format,
        label=label,
        file=sample.source,
    )


def side_files(data: Dataset, losses: Losses) -> list[str]:
    """Licences and the like go along; what describes the source in its own format does not."""
    kept = [f for f in data.files if "/" not in f and f.lower().startswith(_KEPT_FILES)]
    losses.count("side files that are not copied", len(data.files) - len(kept))
    return kept


class Losses:
    """Counts by sentence, in the order in which they occur."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts

    def count(self, what: str, number: int = 1) -> None:
        """One more of `what`."""
        if number:
            self.counts[what] = self.counts.get(what, 0) + number


def merged_categories(data: Dataset) -> tuple[list[int], list[int]]:
    """(indices of the categories that stay, for each index the one it became): those of a later document join the first
    one of their name."""
    first: dict[str, int] = {}
    kept: list[int] = []
    became: list[int] = []
    for i, category in enumerate(data.categories):
        known = first.get(category.name)
        if known is not None and data.categories[known].doc != category.doc:
            became.append(known)
            continue
        first.setdefault(category.name, i)
        kept.append(i)
        became.append(i)
    return kept, became


def objects_once(sample: Sample, became: Sequence[int], prefer_points: bool = False) -> list[Instance]:
    """The objects of a sample; one that several documents describe counts once."""
    seen: dict[tuple[Any, ...], int] = {}
    found: list[Instance] = []
    for instance in sample.objects():
        assert instance.box is not None
        key = (became[instance.category], *(round(v, 3) for v in instance.box))
        if key in seen and found[seen[key]].doc != instance.doc:
            if prefer_points and found[seen[key]].keypoints is None:
                found[seen[key]] = instance
            continue
        seen.setdefault(key, len(found))
        found.append(instance)
    return found


def outline_of(instance: Instance, size: tuple[int, int], losses: Losses) -> list[array[float]] | None:
    """The parts of an object's outline inside the image, traced if it is a mask; None if it has none."""
    w, h = size
    if instance.rle is not None:
        mask = rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w)
        parts, holes = contour.outlines(mask)
        losses.count("holes of masks filled", holes)
        return parts or None
    if not instance.parts:
        return None
    x0, y0, x1, y1 = extent(instance.parts)
    if x0 >= 0 and y0 >= 0 and x1 <= w and y1 <= h:
        return list(instance.parts)
    return [p for p in (clip(part, w, h) for part in instance.parts) if len(p) >= 6] or None


def oriented(old: Instance, size: tuple[int, int], losses: Losses) -> Instance:
    """The object as an oriented box; its outline stays, since it says what of the object shows."""
    new = Instance(old.category, old.box, old.where)
    if old.quad is not None:
        new.quad = old.quad
        if old.clipped:
            shown = quads.corners_of(quads.ring(old.quad, size))
            new.quad = quads.flat_of(quads.boxed_again(quads.corners_of(old.quad), shown))
        return new
    new.parts = outline_of(old, size, losses)
    if new.parts:
        losses.count("outlines written as their smallest oriented boxes")
        new.quad = quads.flat_of(quads.smallest([p for part in new.parts for p in quads.corners_of(part)]))
    else:
        new.quad = _corners(old)
    return new


def _corners(instance: Instance) -> array[float]:
    assert instance.box is not None
    x0, y0, x1, y1 = instance.box
    return array("d", [x0, y0, x1, y0, x1, y1, x0, y1])


class _Adoption:
    def __init__(self, data: Dataset, task: str) -> None:
        self.data, self.task = data, task
        self.new = Dataset(data.root, "yolo", task, problems=data.problems, options=data.options)
        self.new.losses.update(data.losses)
        self.losses = Losses(self.new.losses)
        self.set = YoloSet(yaml_path=YAML, adopted=True)
        self.new.header = self.set
        self.kept, self.became = merged_categories(data)
        self.rank: dict[int, int] = {}

    def run(self) -> Dataset:
        self._refuse()
        self._categories()
        places = Places()
        for split, samples in self.data.splits.items():
            part = []
            for sample in samples:
                inside = places.place(sample)
                label = None
                if self.data.format != "yolo" or sample.label is not None:
                    label = f"labels/{split}/{stem(inside)}.txt"
                new = moved_sample(sample, f"images/{split}/{inside}", label)
                self._objects(sample, new)
                if label is not None:
                    text = "".join(f"{i.raw}\n" for i in new.instances)
                    self.set.labels[label] = LabelFile(label, text, fresh=True)
                part.append(new)
            self.new.splits[split] = part
        self._shared()
        self._yaml()
        self.new.files = side_files(self.data, self.losses)
        return self.new

    def _refuse(self) -> None:
        data, task = self.data, self.task
        if data.task in ("plain", "classify", "semantic"):
            raise ConfigError(f"--to yolo: objects are needed; a set of {data.format} has none")
        objects = [i for s in data.samples() for i in s.objects()]
        if task == "segment" and objects and not any(i.parts or i.rle or i.quad for i in objects):
            raise ConfigError("--to yolo --task segment: outlines are needed; the objects of this set have boxes only")
        if task == "pose" and not any(i.keypoints for i in objects):
            raise ConfigError("--to yolo --task pose: keypoints are needed; the objects of this set have none")

    def _categories(self) -> None:
        data = self.data
        if self.task == "pose":
            counts: dict[int, int] = {}
            for i, category in enumerate(data.categories):
                if category.keypoints:
                    counts.setdefault(self.became[i], len(category.keypoints))
            for instance in (i for s in data.samples() for i in s.objects()):
                if instance.keypoints:
                    counts.setdefault(self.became[instance.category], len(instance.keypoints))
            several = sorted(set(counts.values()))
            if len(several) > 1:
                raise ConfigError(
                    f"--to yolo --task pose: one number of keypoints is needed; classes here have {several}"
                )
            self.kept = [i for i in self.kept if i in counts]
            self.set.pose = Pose(several[0], 3)
        for rank, i in enumerate(self.kept):
            old = self._points_of(i) if self.task == "pose" else data.categories[i]
            key = old.key if data.format == "yolo" else rank
            new = Category(key, old.name)
            if self.set.pose is not None:
                new.keypoints, new.flip_pairs, new.skeleton = old.keypoints, old.flip_pairs, old.skeleton
                if old.keypoints:
                    self.set.pose.names[key] = old.keypoints
            self.new.categories.append(new)
            self.rank[i] = rank
        if self.set.pose is not None:
            orders = {tuple(order_of(c.flip_pairs or (), self.set.pose.count)) for c in self.new.categories}
            if len(orders) == 1 and any(c.flip_pairs for c in self.new.categories):
                self.set.pose.flips = next(c.flip_pairs for c in self.new.categories if c.flip_pairs)
            elif len(orders) > 1:
                self.losses.count("classes whose points change places in their own way in a mirror", len(orders))

    def _points_of(self, index: int) -> Category:
        """The category that names the points, of those that became one."""
        same = [c for i, c in enumerate(self.data.categories) if self.became[i] == index]
        return next((c for c in same if c.keypoints), same[0])

    def _objects(self, sample: Sample, new: Sample) -> None:
        if self.data.format == "dota" and sample.label is not None:
            self.losses.count("lines about an image's source", len(self.data.header.heads.get(sample.label, ())))
        spare = sum(not i.is_object for i in sample.instances)
        self.losses.count("records without geometry, such as captions", spare)
        for instance in objects_once(sample, self.became, self.task == "pose"):
            if "crowd" in instance.flags:
                self.losses.count("crowd regions left out")
                continue
            if self.task == "pose" and not instance.keypoints:
                self.losses.count("objects without keypoints left out")
                continue
            made = self._instance(instance, sample.size)
            made.category = self.rank[self.became[instance.category]]
            made.rank = len(new.instances)
            assert made.box is not None
            mapped = Mapped(made, made.box, 1.0, True, made.parts, None, made.quad, made.keypoints)
            rows = object_columns(mapped, sample.size, self.task, self.set.pose, self.new.options.parts)
            key = self.new.categories[made.category].key
            made.raw = "\n".join(f"{key} {' '.join(columns)}" for columns in rows)
            new.instances.append(made)

    def _instance(self, old: Instance, size: tuple[int, int]) -> Instance:
        """The object as the task has it, with its row. An outline stays as far as it says what of the object shows."""
        assert old.box is not None
        self._count_flags(old)
        new = Instance(old.category, old.box, old.where, parts=old.parts, rle=old.rle)
        if old.keypoints and self.task != "pose":
            self.losses.count("keypoints of objects")
        if self.task in ("detect", "pose"):
            if old.quad is not None:
                self.losses.count("oriented boxes written as upright boxes")
                new.parts = [quads.ring(old.quad, size)]
            elif old.parts or old.rle:
                self.losses.count("outlines written as boxes")
            new.keypoints = old.keypoints if self.task == "pose" else None
            return new
        if self.task == "obb":
            return oriented(old, size, self.losses)
        outline = outline_of(old, size, self.losses)
        new.rle = None
        if outline is None and old.quad is None:
            self.losses.count("boxes written as outlines of four corners")
        new.parts = outline or [quads.ring(old.quad, size) if old.quad is not None else _corners(old)]
        self._count_parts(len(new.parts))
        return new

    def _count_flags(self, old: Instance) -> None:
        if self.data.format not in ("yolo", "dota", "instances"):
            self.losses.count("ids and other fields of records")
        if any(old.flags.get(name) for name in ("difficult", "truncated", "occluded")):
            self.losses.count("difficult, truncated and occluded flags")
        if "score" in old.flags:
            self.losses.count("confidences")

    def _count_parts(self, count: int) -> None:
        if count < 2:
            return
        how = self.new.options.parts
        if how == "largest":
            self.losses.count("parts that are not the largest of their object", count - 1)
        else:
            say = "joined to one" if how == "join" else "written as several objects"
            self.losses.count(f"outlines of several parts {say}")

    def _shared(self) -> None:
        """A split of YOLO whose images belong to another one stays a list of them."""
        shared = self.data.header.shared if self.data.format == "yolo" else {}
        new = {s.source: s.path for s in self.new.samples()}
        for split, paths in shared.items():
            if not self.new.splits.get(split):
                self.set.shared[split] = [new[p] for p in paths if p in new]

    def _yaml(self) -> None:
        lines = []
        for split, samples in self.new.splits.items():
            key = "val" if split == "valid" and "val" not in self.new.splits else split
            place = f"images/{split}"
            if not samples and split not in self.set.shared:
                continue
            lines.append(f"{quote(key)}: {quote(place)}")
            self.set.keys[key] = [(None, place)]
        pose = self.set.pose
        if pose is not None:
            lines.append(f"kpt_shape: [{pose.count}, {pose.width}]")
            if pose.flips:
                lines.append(f"flip_idx: [{', '.join(map(str, order_of(pose.flips, pose.count)))}]")
        lines.append("names:")
        lines += [f"  {c.key}: {_name(c.name)}" for c in self.new.categories]
        if pose is not None and pose.names:
            lines.append("kpt_names:")
            lines += [f"  {key}: [{', '.join(_name(n) for n in names)}]" for key, names in pose.names.items()]
        text = "\n".join(lines) + "\n"
        self.set.yaml = load(text, YAML)


def _name(name: str) -> str:
    """A name that any YAML reader takes for this text; what cannot be seen becomes a blank."""
    name = "".join(c if c.isprintable() else " " for c in name)
    risky = any(c in name for c in ",[]{}:#") or name.lower() in ("yes", "no", "on", "off", "y", "n")
    return "'" + name.replace("'", "''") + "'" if risky else quote(name)
