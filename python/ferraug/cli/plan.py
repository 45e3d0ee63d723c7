"""What a run will do, known before it writes anything: which images are multiplied, and every output's name.

Copies are numbered replica-major: copy 1 of every source in reader order, then copy 2, so that any prefix of the plan
thins the set evenly.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field

from .._core import ConfigError
from ..datasets.formats import FORMATS
from ..datasets.model import Dataset, Sample
from ..datasets.paths import safe_rel_path
from ..datasets.writer import Writer
from . import select
from .output import ROOT_FILES

#: formats that are read but not written
_KEPT = {"bmp": "png"}

_SUFFIXES = {"jpeg": ("jpg", "jpeg", "jpe", "jfif"), "png": ("png",), "webp": ("webp",)}


@dataclass(slots=True)
class Plan:
    """Sources in order, the names of their copies, and everything else that is written.

    `copies` is the most that one source has. `gone` holds the ids of samples that are not written at all.
    """

    data: Dataset
    writer: Writer
    sources: list[Sample]
    copies: int
    format: str
    names: list[list[str]] = field(default_factory=list)
    labels: list[list[list[str]]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    estimate: int = 0
    gone: set[int] = field(default_factory=set)

    @property
    def total(self) -> int:
        """New images if none is dropped."""
        return sum(map(len, self.names))

    def order(self) -> Iterator[tuple[int, int]]:
        """(replica, rank) of every copy in plan order."""
        for replica in range(1, self.copies + 1):
            for rank, names in enumerate(self.names):
                if len(names) >= replica:
                    yield replica, rank


def make(data: Dataset, args: Namespace) -> Plan:
    """The plan; ConfigError if there is nothing to do."""
    if not data.samples():
        bad = next((p for p in data.problems if p.what == "image"), None)
        raise ConfigError(f"no readable image in the set{f'; the first: {bad}' if bad else ''}")
    sources, notices = select.by_split(data, args.splits)
    if args.classes is not None:
        sources = select.by_class(data, sources, args.classes)
    gone: set[int] = set()
    if args.background != "augment":
        annotated = data.task not in ("plain", "classify", "semantic")
        empty = {id(s) for s in sources if annotated and not s.objects()}
        sources = [s for s in sources if id(s) not in empty]
        gone |= empty if args.background == "drop" else set()
    if args.duplicates == "skip" and args.copies:
        sources, twins = select.without_twins(data, sources)
        if twins:
            notices.append(f"{twins} byte-equal images are multiplied once; --duplicates keep changes that")
    amount = select.counts(data, sources, args)
    copies = max(amount, default=0)
    # what gets no copy is a plain file, but its place in the order stays
    writer = FORMATS[data.format].write(data, sources, copies)
    plan = Plan(data, writer, sources, copies, args.format, notices=notices)
    for sample, count in zip(sources, amount, strict=True):
        names = [copy_name(writer, sample, replica, args.format, args.name) for replica in range(1, count + 1)]
        plan.names.append(names)
        plan.labels.append([writer.label_paths(sample, name) for name in names])
    plan.gone = {id(s) for s in data.samples()} if args.originals == "none" else gone
    samples = [s for s in data.samples() if id(s) not in plan.gone]
    data.files = [f for f in data.files if f not in ROOT_FILES]
    lost = {s.label for s in data.samples() if id(s) in plan.gone} - {s.label for s in samples}
    plan.outputs = [s.path for s in samples]
    plan.outputs += [path for path in writer.original_paths() if path not in lost]
    plan.outputs += data.files
    plan.outputs += writer.aggregate_paths()
    plan.outputs += [name for names in plan.names for name in names]
    plan.outputs += [name for names in plan.labels for paths in names for name in paths]
    plan.outputs += ROOT_FILES
    if args.originals != "link":
        plan.estimate += sum(select.file_size(data, s) for s in samples)
    plan.estimate += sum(select.file_size(data, s) * n for s, n in zip(sources, amount, strict=True))
    return plan


def file_format(sample: Sample, out_format: str) -> str:
    """jpeg, png or webp: the source's own, or the one asked for; a bmp becomes png."""
    return {"jpg": "jpeg", "png": "png", "webp": "webp"}.get(out_format) or _KEPT.get(sample.format, sample.format)


def copy_name(writer: Writer, sample: Sample, replica: int, out_format: str, name: str) -> str:
    """The path of a copy: beside its source, traceable by its name, with a suffix that tells the truth."""
    suffix = sample.path.rsplit(".", 1)[-1]
    kind = file_format(sample, out_format)
    if suffix.lower() not in _SUFFIXES[kind]:
        suffix = _SUFFIXES[kind][0]
    before, last, behind = writer.name_parts(sample)
    made = name.format(stem=last, replica=replica)
    return safe_rel_path(f"{before}{made}{behind}.{suffix}", "--name")
