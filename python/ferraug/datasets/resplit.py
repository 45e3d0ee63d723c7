"""Sets whose folders say the split: samples that were given another one move to its folder."""

from __future__ import annotations

from .classes import places
from .common import canonical_split
from .masks import MaskSet
from .model import Dataset

#: formats that this is done for
FORMATS = ("plain", "classes", "masks", "instances")


def resplit(data: Dataset) -> None:
    """Gives each sample the path that its split stands for; images are read from where they are."""
    if data.format not in FORMATS:
        return
    known = places([s.path for s in data.samples()]) if data.format == "classes" else {}
    for sample in data.samples():
        sample.file = sample.source
        first = sample.path in known and known[sample.path][0] is None
        sample.path = _under(sample.split, sample.path, keep=first)
        if sample.mask is not None and isinstance(data.header, MaskSet):
            data.header.places[sample.path] = _under(sample.split, sample.mask, keep=False)


def _under(split: str, path: str, keep: bool) -> str:
    """The path in the folder of a split, without folders of another one unless they are kept as classes."""
    *folders, name = path.split("/")
    rest = folders if keep else [f for f in folders if canonical_split(f) is None]
    return "/".join([split, *rest, name])
