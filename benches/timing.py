"""Interleaved timing: every contender in turn, round after round, in one process.

Absolute times drift with the machine; in one run the contenders drift together, so that ratios hold. The figure of a
contender is its least time over all rounds: whatever else ran made it slower, never faster. Samples are short, so that
some of them run undisturbed. A call whose work is drawn
starts every round from the same seed, and the least is taken of every single call of the sequence, then their mean.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from statistics import fmean, median
from time import perf_counter_ns
from typing import Any

Call = Callable[[], Any]
# Contenders that have taken so long are left with few rounds.
FEW, LONG_NS = 15, 2_000_000_000


@dataclass
class Contender:
    """A call to time. `reset` puts it back to its seed, from which `count` calls make a sample."""

    name: str
    call: Call
    reset: Call | None = None
    count: int | None = None


@dataclass
class Figure:
    """Microseconds a call: the least, and the median of the rounds."""

    best: float
    middle: float


def sample(contender: Contender, count: int) -> float:
    """Nanoseconds a call, over so many calls."""
    call = contender.call
    start = perf_counter_ns()
    for _ in repeat(None, count):
        call()
    return (perf_counter_ns() - start) / count


def each_call(contender: Contender) -> list[int]:
    """Nanoseconds of every call of a sample that starts from a seed."""
    assert contender.reset is not None and contender.count is not None
    contender.reset()
    call = contender.call
    times = []
    for _ in repeat(None, contender.count):
        start = perf_counter_ns()
        call()
        times.append(perf_counter_ns() - start)
    return times


def calibrate(contender: Contender, target_ns: float) -> int:
    """How many calls make a sample of that length; warms the contender up."""
    sample(contender, 1)
    count = 1
    while True:
        each = sample(contender, count)
        if each * count >= target_ns / 4:
            return max(1, round(target_ns / each))
        count *= 4


def interleave(contenders: Sequence[Contender], rounds: int, target_ms: float) -> dict[str, Figure]:
    """Times all contenders A B C A B C …; starts each round with another one, so that no place in the order is fixed."""
    seeded = {c.name: each_call(c) for c in contenders if c.reset is not None}
    counts = {c.name: calibrate(c, target_ms * 1e6) for c in contenders if c.reset is None}
    times: dict[str, list[float]] = {c.name: [] for c in contenders}
    gc.collect()
    gc.disable()
    begin = perf_counter_ns()
    try:
        for r in range(rounds):
            if r >= FEW and perf_counter_ns() - begin > LONG_NS:
                break
            k = r % len(contenders)
            for c in (*contenders[k:], *contenders[:k]):
                if c.reset is None:
                    times[c.name].append(sample(c, counts[c.name]) / 1e3)
                else:
                    now = each_call(c)
                    times[c.name].append(fmean(now) / 1e3)
                    seeded[c.name] = list(map(min, seeded[c.name], now))
    finally:
        gc.enable()
    least = {name: fmean(seeded[name]) / 1e3 if name in seeded else min(t) for name, t in times.items()}
    return {name: Figure(least[name], median(t)) for name, t in times.items()}


def again(first: dict[str, Figure], second: dict[str, Figure]) -> dict[str, Figure]:
    """Two runs of the same contenders as one."""
    return {k: Figure(min(first[k].best, f.best), min(first[k].middle, f.middle)) for k, f in second.items()}


def ratio(figures: dict[str, Figure], other: str, ours: str = "ferraug") -> float:
    """How many times faster we are: least time against least time, of the same rounds."""
    return figures[other].best / figures[ours].best


def geomean(values: Sequence[float]) -> float:
    """The geometric mean."""
    product = 1.0
    for v in values:
        product *= v ** (1 / len(values))
    return product
