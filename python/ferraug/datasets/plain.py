"""A folder of images without annotations. Folders named train, valid, val or test are splits."""

from __future__ import annotations

from .._core import ConfigError
from .common import SPLIT_NAMES, folder_split, open_sample
from .model import Dataset, Reporter, Sample
from .paths import is_image_name, walk


def read(root: str, errors: str = "raise", files: list[str] | None = None) -> Dataset:
    """Every image beneath `root` is a sample."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="plain", task="plain")
    images = [f for f in files if is_image_name(f)]
    if not images:
        raise ConfigError(f"{root}: no images")
    parts: dict[str, list[Sample]] = {}
    for path in images:
        split = folder_split(path) or "train"
        sample = open_sample(root, path, split, report)
        if sample is not None:
            parts.setdefault(split, []).append(sample)
    data.splits = {s: parts[s] for s in SPLIT_NAMES if s in parts}
    data.files = [f for f in files if not is_image_name(f)]
    data.problems = report.problems
    return data
