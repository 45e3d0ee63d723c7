"""What a run will do, known before it writes anything: which images are multiplied, and every output's name.

Copies are numbered replica-major: copy 1 of every source in reader order, then copy 2, so that any prefix of the plan
thins the set evenly.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from .._core import ConfigError
from ..datasets.formats import FORMATS
from ..datasets.model import Dataset, Sample
from ..datasets.writer import Writer
from .output import ROOT_FILES

_SUFFIXES = {"jpeg": ("jpg", "jpeg", "jpe", "jfif"), "png": ("png",)}


@dataclass(slots=True)
class Plan:
    """Sources in order, the names of their copies, and everything else that is written."""

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


def choose(data: Dataset, wanted: list[str] | None) -> tuple[list[Sample], list[str]]:
    """The samples of the splits to multiply: train, or those named; all if there are no such splits."""
    if wanted is not None:
        missing = [name for name in wanted if name not in data.splits]
        if missing:
            raise ConfigError(f"--splits {','.join(missing)}: not in this set; it has {', '.join(data.splits)}")
        names = [name for name in data.splits if name in wanted]
    else:
        names = [name for name in data.splits if name == "train"]
        if not names:
            return data.samples(), [f"no train split; everything is multiplied ({', '.join(data.splits)})"]
    return [s for name in names for s in data.splits[name]], []


def make(data: Dataset, splits: list[str] | None, copies: int, out_format: str) -> Plan:
    """The plan; ConfigError if there is nothing to do."""
    samples = data.samples()
    if not samples:
        bad = next((p for p in data.problems if p.what == "image"), None)
        raise ConfigError(f"no readable image in the set{f'; the first: {bad}' if bad else ''}")
    sources, notices = choose(data, splits)
    plan = Plan(data, FORMATS[data.format].write(data, sources, copies), sources, copies, out_format, notices=notices)
    for sample in sources:
        names = [copy_name(plan.writer, sample, replica, out_format) for replica in range(1, copies + 1)]
        plan.names.append(names)
        plan.labels.append([plan.writer.label_paths(sample, name) for name in names])
    data.files = [f for f in data.files if f not in ROOT_FILES]
    plan.outputs = [s.path for s in samples]
    plan.outputs += plan.writer.original_paths()
    plan.outputs += data.files
    plan.outputs += plan.writer.aggregate_paths()
    plan.outputs += [name for names in plan.names for name in names]
    plan.outputs += [name for names in plan.labels for paths in names for name in paths]
    plan.outputs += ROOT_FILES
    for sample in samples:
        plan.estimate += _size(data, sample)
    multiplied = sum(_size(data, s) for s in sources)
    plan.estimate += multiplied * copies
    return plan


def _size(data: Dataset, sample: Sample) -> int:
    try:
        return os.path.getsize(os.path.join(data.root, sample.source))
    except OSError:
        return 0


def file_format(sample: Sample, out_format: str) -> str:
    """jpeg or png: the source's own, or the one asked for."""
    return {"jpg": "jpeg", "png": "png"}.get(out_format, sample.format)


def copy_name(writer: Writer, sample: Sample, replica: int, out_format: str) -> str:
    """The path of a copy: beside its source, traceable by its name, with a suffix that tells the truth."""
    suffix = sample.path.rsplit(".", 1)[-1]
    kind = file_format(sample, out_format)
    if suffix.lower() not in _SUFFIXES[kind]:
        suffix = _SUFFIXES[kind][0]
    before, name, behind = writer.name_parts(sample)
    return f"{before}{name}__ferraug-{replica:04d}{behind}.{suffix}"
