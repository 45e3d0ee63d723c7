"""The neutral model: every reader fills it, every writer reads it.

One coordinate system: continuous pixel edges of the upright image; pixel (i, j) covers [i, i+1) x [j, j+1). Readers
turn whatever the format stores into it (COCO keypoints are pixel indices: +0.5), writers turn it back. What a record
says beyond its geometry stays in `raw`, so that an untouched record is written token for token.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Category:
    """One class. `key` is the source's own id, gaps kept; `doc` tells which annotation file it belongs to."""

    key: Any
    name: str
    doc: int = 0
    keypoints: list[str] | None = None
    skeleton: list[Any] | None = None
    flip_pairs: list[tuple[int, int]] | None = None


@dataclass(slots=True)
class Rle:
    """A run-length mask: column-major counts that start with zeros, of an image h x w."""

    counts: Sequence[int]
    h: int
    w: int
    compressed: bool


@dataclass(slots=True)
class Instance:
    """One annotated object.

    `box` holds edges x0 y0 x1 y1 clipped to the image; `clipped` says that the source's box or outline went beyond it
    by more than rounding. `parts` are flat x y x y arrays. `quad` holds the four corners of an oriented box in the
    source's order, flat. `keypoints` are (x, y, v) with v 0, 1 or 2.
    """

    category: int
    box: Box | None
    where: str
    raw: Any = None
    doc: int = 0
    box_given: Any = None
    parts: list[array[float]] | None = None
    rle: Rle | None = None
    quad: array[float] | None = None
    keypoints: list[tuple[float, float, int]] | None = None
    flags: dict[str, Any] = field(default_factory=dict)
    rank: int = 0
    clipped: bool = False
    duplicate: bool = False

    @property
    def is_object(self) -> bool:
        """False for records without geometry, such as captions."""
        return self.box is not None


@dataclass(slots=True)
class Sample:
    """One image and what is said about it. `source_id` is the random key: no absolute path, no id of a format.

    `path` is where the image lies in the written set, `file` where it lies in SRC if that differs (a conversion).
    `label` is the one file that annotates it alone, `mask` its mask of classes (relative to SRC), `second` a mask that
    goes along with it (of objects), `category` the class of the image as a whole.
    """

    path: str
    source_id: str
    split: str
    size: tuple[int, int]
    orientation: int = 1
    stored: tuple[int, int] = (0, 0)
    frame: str = "upright"
    format: str = "jpeg"
    instances: list[Instance] = field(default_factory=list)
    raw: Any = None
    label: str | None = None
    mask: str | None = None
    second: str | None = None
    file: str | None = None
    category: int | None = None

    @property
    def source(self) -> str:
        """Where the image lies, relative to the root of SRC."""
        return self.path if self.file is None else self.file

    def objects(self) -> list[Instance]:
        """The instances with geometry, each duplicate once."""
        return [i for i in self.instances if i.is_object and not i.duplicate]

    def classes(self) -> list[int]:
        """A category for everything that counts: the image's own class, then its objects'."""
        own = [] if self.category is None else [self.category]
        return own + [i.category for i in self.instances if i.is_object and not i.duplicate]


@dataclass(slots=True)
class Problem:
    """What a reader met. `level`: invalid (the record or image leaves), warning (kept), notice (worth a line)."""

    level: str
    what: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(slots=True)
class Options:
    """What the user says about formats. `task`: the YOLO task. `voc_origin`: 1 if pixels count from 1. `parts`: how
    YOLO writes an outline of several parts. `mask_fill`: the class of pixels that come from outside."""

    task: str | None = None
    voc_origin: int = 0
    parts: str = "join"
    mask_fill: int | None = None


@dataclass(slots=True)
class Dataset:
    """A whole data set as read. `header` belongs to the format's own writer; `files` are copied as bytes.

    `losses` counts what a conversion could not keep, by a short sentence.
    """

    root: str
    format: str
    task: str
    categories: list[Category] = field(default_factory=list)
    splits: dict[str, list[Sample]] = field(default_factory=dict)
    header: Any = None
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    options: Options = field(default_factory=Options)
    losses: dict[str, int] = field(default_factory=dict)

    def samples(self) -> list[Sample]:
        """All samples in reader order."""
        return [sample for part in self.splits.values() for sample in part]


@dataclass(slots=True)
class Mapped:
    """An instance after a run of ops: its geometry in the new image and how much of the source object shows.

    `changed` is False if the geometry is what it was, so that writers may use the source's own text. `extras` are the
    boxes of named parts. A `ghost` is a mirrored copy of an object that comes before it.
    """

    instance: Instance
    box: Box
    share: float
    changed: bool
    parts: list[array[float]] | None = None
    mask: Any = None
    quad: array[float] | None = None
    keypoints: list[tuple[float, float, int]] | None = None
    extras: list[Box | None] = field(default_factory=list)
    ghost: bool = False


@dataclass(slots=True)
class Copy:
    """One new image: where it goes, the objects that are left in it, its mask of classes and the one beside it if
    the source has them."""

    sample: Sample
    replica: int
    path: str
    size: tuple[int, int]
    objects: list[Mapped]
    channels: int = 3
    mask: Any = None
    second: Any = None


class Reporter:
    """Where readers put problems: raises the first invalid record (library) or collects (command)."""

    def __init__(self, errors: str) -> None:
        if errors not in ("raise", "collect"):
            raise ValueError(f"errors: {errors!r}; allowed 'raise', 'collect'")
        self.raising = errors == "raise"
        self.problems: list[Problem] = []

    def invalid(self, where: str, text: str, what: str = "object") -> None:
        """The record (or image, what="image") leaves the set."""
        if self.raising:
            raise ValueError(f"{where}: {text}")
        self.problems.append(Problem("invalid", what, where, text))

    def warn(self, where: str, text: str, what: str = "object") -> None:
        """The record stays, but not quite as it came."""
        self.problems.append(Problem("warning", what, where, text))

    def notice(self, where: str, text: str) -> None:
        """Something the user should know that changes no record."""
        self.problems.append(Problem("notice", "set", where, text))
