"""Pascal VOC XML, read (format: VOC2012 development kit; guidelines of VOC2007).

    <annotation>
      <folder/> <filename>a.jpg</filename> <path/> <source/>
      <size><width/><height/><depth/></size> <segmented/>
      <object> <name/> <pose/> <truncated/> <difficult/> <occluded/>
        <bndbox><xmin/><ymin/><xmax/><ymax/></bndbox>
        <part><name/><bndbox/></part>
      </object>
    </annotation>

`Annotations/*.xml` with `JPEGImages/`, or XML beside images; palette masks in `SegmentationClass/` (classes) and
`SegmentationObject/` (objects) go along. Splits from `ImageSets/Main/{train,val,trainval,test}.txt`; every other list
beneath `ImageSets/` takes the copies of what it names.

Coordinates are taken as they stand: x0 = xmin, x1 = xmax; the kit's own pixels count from 1 and include the last one,
which origin 1 reads: x0 = xmin - 1, x1 = xmax. Children may come in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._core import ConfigError, DecodeError, LimitError
from . import maskfile
from .common import ROUNDING, clip_box, folder_split, open_sample
from .model import Box, Category, Dataset, Instance, Reporter, Sample
from .paths import (
    MAX_LABEL,
    MAX_OBJECTS,
    MAX_XML,
    is_image_name,
    read_bytes,
    read_head,
    safe_rel_path,
    stem,
    walk,
)
from .polygon import turned_box
from .xmlspan import Element, XmlError, parse

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?[0-9]+")

#: splits that an image set's name stands for, the strongest first
SETS = ("train", "val", "test", "trainval")


@dataclass(slots=True)
class VocFile:
    """One XML file: its place, whether its numbers are whole, and the places of its invalid objects.

    `text` is its content if it lies nowhere yet (a conversion).
    """

    path: str
    whole: bool = True
    dropped: list[int] = field(default_factory=list)
    text: bytes | None = None

    def content(self, root: str) -> bytes:
        """Its bytes."""
        return read_bytes(root, self.path, MAX_XML) if self.text is None else self.text


@dataclass(slots=True)
class VocSet:
    """What the writer needs besides samples."""

    files: dict[str, VocFile] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    least: float = float("inf")

    def floor(self, origin: int) -> float:
        """The least coordinate that is written, counted from 0: readers of such sets subtract 1."""
        return 1.0 if origin == 0 and self.least >= 1 else 0.0


def looks_like_voc(root: str, path: str) -> bool:
    """Root element `annotation` in any case, and an object; told from the first bytes."""
    head = read_head(root, path)
    found = re.search(rb"<\s*([A-Za-z_][\w.-]*)", re.sub(rb"<\?.*?\?>|<!--.*?-->|<!.*?>", b"", head, flags=re.S))
    return found is not None and found[1].lower() == b"annotation"


def read(
    root: str, errors: str = "raise", files: list[str] | None = None, only: str | None = None, origin: int = 0
) -> Dataset:
    """Reads all XML annotations of the tree `root` (or the one file `only`); `origin` 1: pixels count from 1."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="voc", task="detect")
    data.options.voc_origin = origin
    reader = _Reader(root, files, data, report)
    reader.image_sets()
    paths = [f for f in files if f.lower().endswith(".xml") and (only is None or f == only)]
    for path in paths:
        if looks_like_voc(root, path):
            reader.annotation(path)
    if not reader.set.files and not any(p.what == "image" for p in report.problems):
        raise ConfigError(f"{root}: no XML file with the root element annotation")
    reader.finish()
    data.problems = report.problems
    return data


class _Reader:
    def __init__(self, root: str, files: list[str], data: Dataset, report: Reporter) -> None:
        self.root, self.files, self.data, self.report = root, files, data, report
        self.known = set(files)
        self.by_stem: dict[str, list[str]] = {}
        for file in files:
            if is_image_name(file):
                self.by_stem.setdefault(stem(file), []).append(file)
        self.set = VocSet()
        data.header = self.set
        self.owned: set[str] = set()
        self.used: dict[str, str] = {}
        self.split_of: dict[str, str] = {}
        self.samples: list[Sample] = []
        self.classes: dict[str, int] = {}

    def image_sets(self) -> None:
        """ImageSets/Main: which split each stem belongs to. Lists of single classes are no splits but go along."""
        found: dict[str, list[str]] = {}
        for file in self.files:
            folder, _, name = file.rpartition("/")
            if "/ImageSets/" not in f"/{folder}/" or not name.endswith(".txt"):
                continue
            try:
                text = read_bytes(self.root, file, MAX_LABEL).decode("utf-8")
            except (UnicodeDecodeError, LimitError, OSError):
                self.report.warn(file, "cannot be read as UTF-8; copied as it is", "file")
                continue
            self.set.lists[file] = text
            self.owned.add(file)
            if name[:-4] in SETS and f"/{folder}".endswith("/ImageSets/Main"):
                found.setdefault(name[:-4], []).extend(line.split()[0] for line in text.splitlines() if line.split())
        for name in SETS:
            for entry in found.get(name, ()):
                self.split_of.setdefault(entry, "train" if name == "trainval" else name)

    def annotation(self, path: str) -> None:
        """One XML file as a sample; whatever is wrong with it is reported and leaves."""
        report = self.report
        try:
            raw = read_bytes(self.root, path, MAX_XML)
            root = parse(raw, path)
        except (XmlError, LimitError, OSError) as error:
            report.invalid(path, str(error), "image")
            self.owned.add(path)
            image = self._by_stem(path)
            if image is not None:
                self.owned.add(image)
            return
        image = self._image(path, root)
        if image is None:
            report.invalid(path, f"no image {root.value('filename')!r} and none named like the XML", "image")
            self.owned.add(path)
            return
        if image in self.used:
            report.invalid(path, f"{image}: {self.used[image]} describes this image already", "image")
            self.owned.add(path)
            return
        self.used[image] = path
        self.owned |= {path, image}
        name = stem(image.rsplit("/", 1)[-1])
        split = self.split_of.get(stem(path.rsplit("/", 1)[-1])) or self.split_of.get(name) or folder_split(path)
        if split is None:
            split = "unlisted" if self.split_of else "train"
        sample = open_sample(self.root, image, split, report, _declared(root), path)
        if sample is None:
            return
        file = VocFile(path)
        self.set.files[image] = file
        sample.label = path
        sample.mask, sample.second = (self._mask(sample, path, f) for f in ("SegmentationClass", "SegmentationObject"))
        if sample.mask is None:
            sample.second = None
        self.owned |= {m for m in (sample.mask, sample.second) if m is not None}
        self._objects(root, sample, file, raw)
        self.samples.append(sample)

    def _mask(self, sample: Sample, path: str, folder: str) -> str | None:
        """The palette mask of an image in one of the kit's folders; None, with a warning, if it is of no use."""
        above = path.rpartition("/")[0].rpartition("/")[0]
        mask = f"{above}/{folder}/{stem(path.rsplit('/', 1)[-1])}.png".lstrip("/")
        if mask not in self.known:
            return None
        try:
            head = maskfile.read_head(self.root, mask)
        except (DecodeError, OSError) as error:
            self.report.warn(mask, f"{error}; copied, new images get none", "file")
            return None
        if (head.w, head.h) != (sample.stored if sample.frame == "stored" else sample.size):
            self.report.warn(mask, f"{head.w}x{head.h}, but its image has another size; copied only", "file")
            return None
        return mask

    def _by_stem(self, path: str) -> str | None:
        folder, _, name = path.rpartition("/")
        above = folder.rpartition("/")[0]
        for place in dict.fromkeys((folder, f"{above}/JPEGImages", f"{above}/images", above)):
            images = self.by_stem.get(f"{place.strip('/')}/{stem(name)}".lstrip("/"))
            if images:
                return images[0]
        return None

    def _image(self, path: str, root: Element) -> str | None:
        name = root.value("filename")
        if name:
            name = safe_rel_path(name, f"{path}: filename")
            folder = path.rpartition("/")[0]
            above = folder.rpartition("/")[0]
            for place in dict.fromkeys((folder, f"{above}/JPEGImages", f"{above}/images", above)):
                image = f"{place.strip('/')}/{name}".lstrip("/")
                if image in self.known and is_image_name(image):
                    return image
        return self._by_stem(path)

    def _objects(self, root: Element, sample: Sample, file: VocFile, raw: bytes) -> None:
        objects = root.all("object")
        if len(objects) > MAX_OBJECTS:
            raise ConfigError(f"{file.path}: more than {MAX_OBJECTS} objects in one image")
        known: set[tuple[str, Box]] = set()
        for index, element in enumerate(objects):
            line = raw.count(b"\n", 0, element.start) + 1
            where = f"{file.path}:{line}"
            try:
                name = element.value("name")
                if not name:
                    raise ValueError("no name")
                given, whole = read_box(element.find("bndbox"), self.data.options.voc_origin)
                box = given
                if sample.frame == "stored":
                    box = turned_box(box, sample.stored, sample.orientation)
                fitted = clip_box(box, *sample.size)
                if fitted is None:
                    raise ValueError("wholly outside the image")
            except ValueError as error:
                file.dropped.append(index)
                self.report.invalid(where, str(error))
                continue
            file.whole = file.whole and whole
            self.set.least = min(self.set.least, given[0], given[1])
            category = self.classes.setdefault(name, len(self.classes))
            instance = Instance(
                category=category, box=fitted[0], where=where, raw=index, box_given=given, rank=len(sample.instances)
            )
            if fitted[1] > ROUNDING:
                instance.clipped = True
                self.report.warn(where, f"{fitted[1]:.1f} px beyond the image; clipped")
            pose = element.value("pose")
            if pose and pose.lower() != "unspecified":
                instance.flags["pose"] = pose
            for flag in ("difficult", "truncated", "occluded"):
                if element.value(flag) in ("1", "true", "True"):
                    instance.flags[flag] = True
            if (name, given) in known:
                instance.duplicate = True
                self.report.warn(where, "duplicate of an earlier object; augmented once")
            known.add((name, given))
            instance.flags["parts"] = [_part(p, sample, self.data.options.voc_origin) for p in element.all("part")]
            if not instance.flags["parts"]:
                del instance.flags["parts"]
            sample.instances.append(instance)

    def finish(self) -> None:
        data = self.data
        data.categories = [Category(name, name) for name in self.classes]
        for split in ("train", "valid", "val", "test", "unlisted"):
            part = [s for s in self.samples if s.split == split]
            if part:
                data.splits[split] = part
        if "unlisted" in data.splits:
            self.report.notice("ImageSets", f"{len(data.splits['unlisted'])} images are in no list; copied only")
        data.files = [f for f in self.files if f not in self.owned]
        spare = sum(is_image_name(f) and "/Segmentation" not in f"/{f}" for f in data.files)
        if spare:
            self.report.notice("JPEGImages", f"{spare} image files have no XML; copied, not multiplied")
        masks = sum("/Segmentation" in f"/{f}" and is_image_name(f) for f in data.files)
        if masks:
            self.report.notice("SegmentationClass", f"{masks} masks belong to no image of the set; copied only")


def read_box(element: Element | None, origin: int = 0) -> tuple[Box, bool]:
    """(edges, whether all four are whole numbers); ValueError says what is wrong. From `origin` 1 on, xmin is the
    first pixel of the box, whose edge lies one before it."""
    if element is None:
        raise ValueError("no bndbox")
    values = []
    whole = True
    for tag in ("xmin", "ymin", "xmax", "ymax"):
        text = element.value(tag)
        if text is None:
            raise ValueError(f"bndbox without {tag}")
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{tag}: {text!r:.40} is no number")
        whole = whole and _WHOLE.fullmatch(text) is not None
        values.append(float(text))
        if abs(values[-1]) > 1e9:
            raise ValueError(f"{tag}: {text:.40} is out of range")
    x0, y0, x1, y1 = values[0] - origin, values[1] - origin, values[2], values[3]
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"xmax and ymax must be greater than xmin and ymin, got {x0:g} {y0:g} {x1:g} {y1:g}")
    return (x0, y0, x1, y1), whole


def _part(element: Element, sample: Sample, origin: int) -> Box | None:
    try:
        box, _ = read_box(element.find("bndbox"), origin)
    except ValueError:
        return None
    if sample.frame == "stored":
        box = turned_box(box, sample.stored, sample.orientation)
    fitted = clip_box(box, *sample.size)
    return fitted[0] if fitted else None


def _declared(root: Element) -> tuple[int, int] | None:
    """The size that the file declares; 0, missing or unreadable means: ask the image."""
    size = root.find("size")
    if size is None:
        return None
    values = []
    for tag in ("width", "height"):
        text = size.value(tag)
        if text is None or not _NUMBER.fullmatch(text):
            return None
        values.append(int(float(text)) if float(text) < 1e9 else 0)
    return (values[0], values[1]) if values[0] > 0 and values[1] > 0 else None
