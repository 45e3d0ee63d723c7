"""Which sources are multiplied, and how often: splits, classes, backgrounds, duplicates, balance, limit.

Everything here follows from the set, the options and the seed: reading order decides between equals, never the clock
or the number of workers.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import statistics
from argparse import Namespace
from collections.abc import Iterable

from .._core import ConfigError
from ..datasets import masks
from ..datasets.model import Dataset, Sample
from ..datasets.paths import MAX_IMAGE, read_bytes, stem

#: what Roboflow and ferraug append to the name of the picture that an image was made from
_MADE_FROM = re.compile(r"(\.rf\.[0-9a-zA-Z]+|__ferraug-[0-9]+)+$")


def classes_of(data: Dataset, sample: Sample) -> set[str]:
    """Names of the classes that an image holds."""
    own = [] if sample.category is None else [sample.category]
    if sample.mask is not None and data.categories:
        try:
            found = masks.values_of(data, sample)
        except (OSError, ValueError):
            found = {}  # reading it for work says what is wrong
        own += [i for i, c in enumerate(data.categories) if c.key in found]
    return {data.categories[c].name for c in [*own, *(i.category for i in sample.instances)] if c >= 0}


def by_split(data: Dataset, wanted: list[str] | None) -> tuple[list[Sample], list[str]]:
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


def by_class(data: Dataset, samples: list[Sample], wanted: list[str]) -> list[Sample]:
    """The samples that hold one of the named classes."""
    known = {c.name for c in data.categories}
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}" if near else f"; it has {', '.join(sorted(known)[:20])}"
            raise ConfigError(f"--classes {name}: no such class in this set{hint}")
    return [s for s in samples if classes_of(data, s) & set(wanted)]


def without_twins(data: Dataset, samples: list[Sample]) -> tuple[list[Sample], int]:
    """The samples without those whose file equals an earlier one byte for byte, and how many those are."""
    sizes: dict[int, list[Sample]] = {}
    for sample in samples:
        sizes.setdefault(file_size(data, sample), []).append(sample)
    twins: set[int] = set()
    for size, group in sizes.items():
        seen: set[bytes] = set()
        for sample in group if len(group) > 1 and size > 0 else ():
            try:
                digest = hashlib.sha256(read_bytes(data.root, sample.source, MAX_IMAGE)).digest()
            except (OSError, ValueError):
                continue  # reading it for work says what is wrong
            if digest in seen:
                twins.add(id(sample))
            seen.add(digest)
    return [s for s in samples if id(s) not in twins], len(twins)


def file_size(data: Dataset, sample: Sample) -> int:
    """Bytes of the image file; 0 if it cannot be told."""
    try:
        return os.path.getsize(os.path.join(data.root, sample.source))
    except OSError:
        return 0


def counts(data: Dataset, sources: list[Sample], args: Namespace) -> list[int]:
    """New images of each source."""
    amount = [args.copies] * len(sources)
    if args.balance and args.copies:
        fill = _fill_classes if data.task == "classify" else _repeat
        amount = fill(data, sources, args.copies, args.max_copies)
    if args.limit is not None:
        amount = _first(amount, args.limit)
    return amount


def _repeat(data: Dataset, sources: list[Sample], copies: int, most: int) -> list[int]:
    """As many as without balance, by repeat factors: the greatest root of median count / count of an image's classes."""
    held = [classes_of(data, s) for s in sources]
    totals: dict[str, int] = {}
    for sample in sources:
        for category in sample.classes():
            name = data.categories[category].name
            totals[name] = totals.get(name, 0) + 1
    if not totals:
        return [copies] * len(sources)
    middle = statistics.median(totals.values())
    factors = [max(((middle / totals[n]) ** 0.5 for n in names if totals.get(n)), default=1.0) for names in held]
    return _spread(factors, copies * len(sources), most)


def _fill_classes(data: Dataset, sources: list[Sample], copies: int, most: int) -> list[int]:
    """Every class brought to the largest's size x (1 + copies), spread evenly over its images."""
    groups: dict[str, list[int]] = {}
    for rank, sample in enumerate(sources):
        groups.setdefault(min(classes_of(data, sample), default=""), []).append(rank)
    goal = max(map(len, groups.values()), default=0) * (1 + copies)
    amount = [0] * len(sources)
    for ranks in groups.values():
        for rank, count in zip(ranks, _spread([1.0] * len(ranks), goal - len(ranks), most), strict=True):
            amount[rank] = count
    return amount


def _spread(weights: list[float], total: int, most: int) -> list[int]:
    """`total` in proportion to the weights, at most `most` each: what one cannot take the others do."""
    shares = [0.0] * len(weights)
    open_ranks = list(range(len(weights)))
    left = float(min(total, most * len(weights)))
    while open_ranks:
        weight = sum(weights[i] for i in open_ranks)
        full = [i for i in open_ranks if left * weights[i] > most * weight]
        if not full:
            for i in open_ranks:
                shares[i] = left * weights[i] / weight
            break
        for i in full:
            shares[i] = float(most)
        left -= most * len(full)
        done = set(full)
        open_ranks = [i for i in open_ranks if i not in done]
    amount = [int(share) for share in shares]
    rest = min(total, most * len(weights)) - sum(amount)
    order = sorted(range(len(weights)), key=lambda i: (amount[i] - shares[i], i))
    for i in [i for i in order if amount[i] < most][:rest]:
        amount[i] += 1
    return amount


def _first(amount: list[int], limit: int) -> list[int]:
    """The first `limit` images of plan order: copy 1 of every source, then copy 2."""
    kept = [0] * len(amount)
    for replica in range(1, max(amount, default=0) + 1):
        for rank, count in enumerate(amount):
            if count >= replica:
                if limit == 0:
                    return kept
                kept[rank] += 1
                limit -= 1
    return kept


def divide(data: Dataset, shares: Iterable[int], seed: int) -> None:
    """Divides the whole set into train, val and test by percentages; images made from one picture stay together."""
    groups: dict[str, list[Sample]] = {}
    for sample in data.samples():
        groups.setdefault(_MADE_FROM.sub("", stem(sample.source_id)), []).append(sample)
    total, taken = len(data.samples()), 0
    names = iter([n for n in zip(("train", "val", "test"), shares, strict=False) if n[1]])
    name, share = next(names)
    edge = share
    for key in sorted(groups, key=lambda k: hashlib.sha256(f"{seed}|split|{k}".encode()).digest()):
        while taken * 100 >= edge * total and (following := next(names, None)) is not None:
            name, edge = following[0], edge + following[1]
        for sample in groups[key]:
            sample.split = name
        taken += len(groups[key])
    order = data.samples()
    data.splits = {n: part for n in ("train", "val", "test") if (part := [s for s in order if s.split == n])}
