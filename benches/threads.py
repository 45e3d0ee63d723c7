"""Two threads of one process against two processes doing the same.

    benches/threads.py P1     a worker: for every line of stdin, works that many seconds and prints its calls
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from time import perf_counter
from typing import Any


def prepare(name: str, library: str) -> Any:
    """A pipeline of its own and its data."""
    import importlib

    import cv2
    import peers
    from pipelines import PIPELINES

    cv2.setNumThreads(1)
    peers.stand_in_torch()
    pipeline = next(p for p in PIPELINES if p.name == name)
    composed, data = pipeline.compose(importlib.import_module(library), seed=1), pipeline.data()
    for _ in range(20):
        composed(**data)
    return composed, data


def work(composed: Any, data: dict[str, Any], seconds: float) -> float:
    """Calls a second over about that time."""
    calls, start = 0, perf_counter()
    while (now := perf_counter()) - start < seconds:
        composed(**data)
        calls += 1
    return calls / (now - start)


def in_threads(count: int, jobs: list[Any], seconds: float) -> float:
    """Calls a second of so many threads together."""
    rates = [0.0] * count
    barrier = threading.Barrier(count)

    def run(i: int) -> None:
        barrier.wait()
        rates[i] = work(*jobs[i], seconds)

    pool = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    return sum(rates)


def in_processes(pool: list[subprocess.Popen[str]], seconds: float) -> float:
    """Calls a second of the workers together."""
    for worker in pool:
        assert worker.stdin is not None
        worker.stdin.write(f"{seconds}\n")
        worker.stdin.flush()
    return sum(float(worker.stdout.readline()) for worker in pool if worker.stdout is not None)


def measure(name: str, library: str, quick: bool) -> tuple[float, float, float]:
    """Calls a second of one thread, two threads, two processes: the best of interleaved rounds."""
    seconds, rounds = (0.15, 5) if quick else (0.3, 9)
    pool = [
        subprocess.Popen([sys.executable, __file__, name, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        jobs = [prepare(name, library) for _ in range(2)]
        in_processes(pool, 0.02)
        one, two, both = [], [], []
        for _ in range(rounds):
            one.append(in_threads(1, jobs, seconds))
            two.append(in_threads(2, jobs, seconds))
            both.append(in_processes(pool, seconds))
        return max(one), max(two), max(both)
    finally:
        for worker in pool:
            assert worker.stdin is not None
            worker.stdin.close()
            worker.wait()


def lines(quick: bool) -> Iterator[tuple[str, str, str, str, str]]:
    """What the table says."""
    if (os.cpu_count() or 1) < 2:
        yield "one core only: not measured", "", "", "", ""
        return
    for name in ("P1", "P2"):
        a1, a2, ap = measure(name, "ferraug", quick)
        b1, b2, bp = measure(name, "albumentations", quick)
        ours = f"{a2:,.0f}/s = {a2 / a1:.2f}× one thread, {a2 / ap:.2f}× two processes"
        theirs = f"{b2:,.0f}/s = {b2 / b1:.2f}×, {b2 / bp:.2f}×"
        mark = "✓" if a2 / ap >= 0.9 or a2 / a1 >= 1.8 else "✗"
        yield f"{name} at 512", ours, theirs, "≥ 0.9× two processes or ≥ 1.8× one thread", mark


def main() -> None:
    warnings.filterwarnings("ignore")
    composed, data = prepare(sys.argv[1], sys.argv[2])
    for text in sys.stdin:
        print(work(composed, data, float(text)), flush=True)


if __name__ == "__main__":
    main()
