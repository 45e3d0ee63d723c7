"""Outputs kept alive, 32 at a time, as a batch does: time and page faults an image.

Three patterns: `same`: one size, the list dropped before the next batch; `prev`: the previous batch lives until the
next is complete; `vary`: as `same`, with sides drawn from n/2..n. The floor is a copy of as many bytes into 32 arrays
that exist already. Each line is measured in a process of its own: what the allocator gives depends on what it was asked
for before.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import Any

import numpy as np
import photos

BATCH = 32
PATTERNS = ("same", "prev", "vary")
Run = Callable[[Any, int], Any]


def inputs(size: str, pattern: str) -> list[Any]:
    """The images of four batches."""
    img = photos.photo(size)
    n = img.shape[0]
    if pattern != "vary":
        return [img.copy() for _ in range(4)] * BATCH
    sides = np.random.default_rng(3).integers(n // 2, n + 1, (4 * BATCH, 2)).tolist()
    return [np.ascontiguousarray(img[:h, :w]) for h, w in sides]


def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


class Held:
    """One contender with what it keeps alive."""

    def __init__(self, name: str, run: Run, pattern: str) -> None:
        self.name, self.run, self.pattern = name, run, pattern
        self.kept: list[Any] = []
        self.times: list[float] = []
        self.faults: list[float] = []

    def batches(self, images: list[Any], count: int, timed: bool = True) -> None:
        run = self.run
        for b in range(count):
            part = images[b % 4 * BATCH : (b % 4 + 1) * BATCH]
            if self.pattern != "prev":
                self.kept = []
            f, start = faults(), perf_counter_ns()
            batch = [run(img, i) for i, img in enumerate(part)]
            self.kept = batch
            took, f = perf_counter_ns() - start, faults() - f
            if timed:
                self.times.append(took / BATCH / 1e3)
                self.faults.append(f / BATCH)
            del batch


def into_existing(sample: Any, pattern: str, images: list[Any]) -> Run:
    """Copies of outputs into arrays that exist: the outputs' bytes from one place, so that only the writing is paid."""
    channels, dtype = sample.shape[2], sample.dtype
    side = max(img.shape[0] for img in images), max(img.shape[1] for img in images)
    source = np.zeros(side[0] * side[1] * channels, dtype)
    targets = [np.ones_like(source) for _ in range(BATCH)]

    def run(img: Any, i: int) -> Any:
        n = img.shape[0] * img.shape[1] * channels
        targets[i][:n] = source[:n]
        return targets[i]

    return run


def measure(op: str, size: str, pattern: str, quick: bool) -> dict[str, tuple[float, float]]:
    """Microseconds and faults an image, medians of the batches of the fastest round."""
    import albumentations as B
    import ferraug as A

    images = inputs(size, pattern)
    made: dict[str, Run] = {}
    if op == "copy":
        made["numpy"] = lambda img, i: img.copy()
        sample = images[0]
    else:
        for name, lib in (("ferraug", A), ("albumentations", B)):
            t = getattr(lib, op)(p=1)
            made[name] = lambda img, i, t=t: t(image=img)["image"]
        sample = made["ferraug"](images[0], 0)
        assert sample.shape == images[0].shape
    made["floor"] = into_existing(sample, pattern, images)
    held = [Held(name, run, pattern) for name, run in made.items()]
    rounds = 4 if quick else 8
    found: dict[str, tuple[float, float]] = {}
    rows: dict[str, list[tuple[float, float]]] = {h.name: [] for h in held}
    for _ in range(rounds):
        for h in held:
            h.times, h.faults = [], []
            h.batches(images, 2, timed=False)
            h.batches(images, 4)
            h.kept = []
            rows[h.name].append((float(np.median(h.times)), float(np.median(h.faults))))
    for name, values in rows.items():
        found[name] = min(values)
    return found


def lines(quick: bool) -> Iterator[str]:
    """The table."""
    yield "## Outputs kept, 32 at a time\n"
    yield (
        "Microseconds an image (page faults an image in brackets). Floor: the same bytes copied into 32 existing arrays. "
        "With huge pages one fault clears 2 MB. Goal: ≤ 1.25× the floor, no faults; it waits for recycled output pages.\n"
    )
    yield "| what | size | pattern | ferraug | Albumentations | NumPy | floor | ferraug / floor | |"
    yield "|---|---|---|--:|--:|--:|--:|--:|---|"
    for op in ("copy", "HorizontalFlip", "Normalize"):
        for size in ("256", "512"):
            for pattern in PATTERNS:
                command = [sys.executable, __file__, op, size, pattern, "quick" if quick else ""]
                found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
                cells = [f"{found[n][0]:.1f} ({found[n][1]:.3g})" if n in found else "" for n in ("ferraug", "albumentations", "numpy", "floor")]
                mark, share = "", ""
                if "ferraug" in found:
                    (ours, f), floor = found["ferraug"], found["floor"][0]
                    share = f"{ours / floor:.2f}"
                    mark = "✓" if ours <= 1.25 * floor and f < 0.05 else "✗"
                yield f"| {op} | {size} | {pattern} | " + " | ".join(cells) + f" | {share} | {mark} |"
    yield ""


def main() -> None:
    import cv2

    warnings.filterwarnings("ignore")
    cv2.setNumThreads(1)
    op, size, pattern, quick = sys.argv[1:]
    print(json.dumps(measure(op, size, pattern, bool(quick))))


if __name__ == "__main__":
    main()
