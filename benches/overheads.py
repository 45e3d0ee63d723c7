"""What a call costs beside its pixels, and what an import costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import photos
from pipelines import boxes
from timing import Contender, Figure, interleave

Line = tuple[str, str, str, str, str]


def five(L: Any) -> list[Any]:
    """Five real transforms that all fire, on 8×8."""
    return [
        L.RandomCrop(8, 8, p=1), L.HorizontalFlip(p=1), L.VerticalFlip(p=1), L.RandomBrightnessContrast(p=1), L.InvertImg(p=1),
    ]  # fmt: skip


def small() -> Any:
    return np.ascontiguousarray(photos.photo("32")[:8, :8])


def flip_with_boxes(L: Any, count: int, array: bool) -> Callable[[], Any]:
    """HorizontalFlip in a Compose with boxes and labels, 8×8."""
    rows: Any = boxes(count, 8, "pascal_voc")
    labels: Any = list(range(count))
    if array:
        rows, labels = np.array(rows, np.float32), np.array(labels)
    t = L.Compose([L.HorizontalFlip(p=1)], bbox_params=L.BboxParams(format="pascal_voc", label_fields=["labels"]))
    img = small()
    return lambda: t(image=img, bboxes=rows, labels=labels)


def both(make: Callable[[Any], Callable[[], Any]], rounds: int, target: float) -> dict[str, Figure]:
    import albumentations as B
    import ferraug as A

    return interleave([Contender("ferraug", make(A)), Contender("albumentations", make(B))], rounds, target)


def line(what: str, ours: float, albu: float, limit: float, unit: str = "µs", digits: int = 1) -> Line:
    theirs = f"{albu:,.{digits}f} {unit} = {albu / ours:.1f}×" if ours > 0 else f"{albu:,.{digits}f} {unit}"
    return what, f"{ours:,.{digits}f} {unit}", theirs, f"≤ {limit:g} {unit}", "✓" if ours <= limit else "✗"


def lines(rounds: int, target: float) -> Iterator[Line]:
    """The overheads of calls and of building."""
    img8, img32 = small(), photos.photo("32")

    def composed(L: Any) -> Callable[[], Any]:
        t = L.Compose(five(L))
        assert t(image=img8)["image"].shape == img8.shape
        return lambda: t(image=img8)["image"]

    def direct(cls: str) -> Callable[[Any], Callable[[], Any]]:
        def make(L: Any) -> Callable[[], Any]:
            t = getattr(L, cls)(p=1)
            return lambda: t(image=img32)["image"]

        return make

    def take(what: str, make: Callable[[Any], Callable[[], Any]], limit: float) -> Line:
        f = both(make, rounds, target)
        return line(what, f["ferraug"].best, f["albumentations"].best, limit)

    yield take("Compose of 5 transforms that fire, 8×8", composed, 8)
    for cls in ("NoOp", "HorizontalFlip", "InvertImg"):
        yield take(f"{cls} called directly, 32×32", direct(cls), 2)
    for array in (False, True):
        form = "float32 array" if array else "lists"
        f10 = both(lambda L: flip_with_boxes(L, 10, array), rounds, target)
        f510 = both(lambda L: flip_with_boxes(L, 510, array), rounds, target)
        ours, albu = f10["ferraug"].best, f10["albumentations"].best
        yield line(f"HorizontalFlip, 10 boxes and labels as {form}, 8×8", ours, albu, 10)
        more, more_albu = ((f510[k].best - f10[k].best) / 500 for k in ("ferraug", "albumentations"))
        yield line(f"each further box and label as {form}", more, more_albu, 0.03 if array else 0.15, digits=3)
    yield take("building the Compose of 5 transforms", lambda L: lambda: L.Compose(five(L)), 60)


PROBE = """
import sys, time, json, threading
import numpy
def rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096
before, memory = set(sys.modules), rss()
start, busy = time.perf_counter(), time.process_time()
import {name}
took, busy = time.perf_counter() - start, time.process_time() - busy
try:
    tasks = len(__import__("os").listdir("/proc/self/task"))
except OSError:
    tasks = threading.active_count()
print(json.dumps([busy * 1e3, took * 1e3, len(set(sys.modules) - before), (rss() - memory) / 1e6, tasks, {name}.__file__]))
"""


def probe(name: str, times: int) -> list[Any]:
    """Least CPU milliseconds, least milliseconds, modules, MB, threads, file of an import."""
    found = []
    for _ in range(times):
        done = subprocess.run([sys.executable, "-c", PROBE.format(name=name)], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    best = min(found)
    return [best[0], min(f[1] for f in found), best[2], min(f[3] for f in found), best[4], best[5]]


def installed(file: str) -> float:
    """MB of the package that this file belongs to."""
    return sum(f.stat().st_size for f in Path(file).parent.rglob("*") if f.is_file() and f.suffix != ".pyc") / 1e6


def imports(quick: bool) -> Iterator[Line]:
    """The cost of importing, beyond NumPy's own. CPU time is judged: other processes do not lengthen it."""
    ours = probe("ferraug", 10)
    albu = probe("albumentations", 2 if quick else 4)
    plain = probe("threading", 1)
    yield line("CPU time", ours[0], albu[0], 40, "ms")
    yield "time on the clock", f"{ours[1]:.1f} ms", f"{albu[1]:,.1f} ms", "", ""
    yield line("modules", ours[2], albu[2], 60, "", 0)
    yield line("memory", ours[3], albu[3], 8, "MB")
    threads = ours[4] - plain[4]
    yield "threads started", str(threads), str(albu[4] - plain[4]), "0", "✓" if threads <= 0 else "✗"
    size, theirs = installed(ours[5]), installed(albu[5])
    name = "installed size (Albumentations: without OpenCV, SciPy and its 10 other packages)"
    yield line(name, size, theirs, 8, "MB")
