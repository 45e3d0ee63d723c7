"""Class folders (torchvision ImageFolder, Ultralytics classify): `<split>/<class>/…` or `<class>/…`.

A class is whatever lies beneath its folder, nested folders included; classes count in the order of their names over all
splits. Copies land beside their source, so a class needs nothing written but images.
"""

from __future__ import annotations

from .._core import ConfigError
from .common import SPLIT_NAMES, canonical_split, open_sample
from .model import Category, Dataset, Reporter, Sample
from .paths import is_image_name, walk


def places(files: list[str]) -> dict[str, tuple[str | None, str | None]]:
    """(split, class) of each image; None for what its folders do not say.

    A first folder named like a split is one if classes lie beneath it, or if no other folders are there: among folders
    of images, `train` may be what is in the pictures.
    """
    parts = {path: path.split("/")[:-1] for path in files if is_image_name(path)}
    tops = {folders[0]: 0 for folders in parts.values() if folders}
    for folders in parts.values():
        if folders:
            tops[folders[0]] = max(tops[folders[0]], len(folders))
    named = {top for top in tops if canonical_split(top) is not None}
    divided = any(tops[top] > 1 for top in named)
    if not divided and named != set(tops):
        named = set()
    found: dict[str, tuple[str | None, str | None]] = {}
    for path, folders in parts.items():
        if folders and folders[0] in named:
            found[path] = canonical_split(folders[0]), folders[1] if len(folders) > 1 else None
        else:
            found[path] = None, None if divided or not folders else folders[0]
    return found


def read(root: str, errors: str = "raise", files: list[str] | None = None) -> Dataset:
    """Every image in a class folder is a sample of that class; images outside are copied only."""
    report = Reporter(errors)
    files = walk(root, report) if files is None else files
    data = Dataset(root=root, format="classes", task="classify")
    found: list[tuple[str, str, str]] = []
    loose: list[str] = []
    for path, (split, name) in places(files).items():
        if name is None:
            loose.append(path)
        else:
            found.append((path, split or "train", name))
    if not found:
        raise ConfigError(f"{root}: no class folders; expected <split>/<class>/… or <class>/… with images")
    data.categories = [Category(i, name) for i, name in enumerate(sorted({name for _, _, name in found}))]
    index = {category.name: i for i, category in enumerate(data.categories)}
    parts: dict[str, list[Sample]] = {}
    owned = set()
    for path, split, name in found:
        owned.add(path)
        sample = open_sample(root, path, split, report)
        if sample is not None:
            sample.category = index[name]
            parts.setdefault(split, []).append(sample)
    data.splits = {s: parts[s] for s in SPLIT_NAMES if s in parts}
    data.files = [f for f in files if f not in owned]
    if loose:
        report.notice(loose[0], f"{len(loose)} images lie in no class folder; copied, not multiplied")
    data.problems = report.problems
    return data
