"""What a run says of itself: the report file, the summary, the progress line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any, TextIO

from ..datasets.model import Dataset, Problem, Sample
from .plan import Plan
from .work import Outcome, box_side

#: edges of the box-size histogram, in pixels of the square root of the area
EDGES = (8, 16, 32, 64, 96, 128, 256)


class Totals:
    """Counts of sources and copies, summed in any order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.images = 0
        self.objects = 0
        self.labels: dict[int, int] = {}
        self.histogram = [0] * (len(EDGES) + 1)
        self.dropped: dict[str, int] = {}
        self.empty = 0
        self.skipped: dict[int, str] = {}
        self.unreadable: set[int] = set()
        self.by_split: dict[str, int] = {}
        self.notices: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        """Takes one source's outcome."""
        sample = self.plan.sources[outcome.rank]
        self.images += outcome.written
        self.by_split[sample.split] = self.by_split.get(sample.split, 0) + outcome.written
        for key, count in outcome.objects.items():
            self.labels[key] = self.labels.get(key, 0) + count
            self.objects += count
        if sample.category is not None:
            self.labels[sample.category] = self.labels.get(sample.category, 0) + outcome.written
        for side in outcome.sides:
            self.histogram[_bin(side)] += 1
        for reason, count in outcome.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        self.empty += outcome.empty
        self.notices.update(outcome.notices)
        if outcome.skipped is not None:
            self.skipped[outcome.rank] = outcome.skipped
            if outcome.unreadable:
                self.unreadable.add(outcome.rank)


def _bin(side: float) -> int:
    return sum(side >= edge for edge in EDGES)


def counted(samples: Iterable[Sample]) -> tuple[dict[int, int], list[int], int]:
    """(objects by category, histogram of box sides, objects)."""
    classes: dict[int, int] = {}
    histogram = [0] * (len(EDGES) + 1)
    total = 0
    for sample in samples:
        for category in sample.classes():
            classes[category] = classes.get(category, 0) + 1
        for instance in sample.objects():
            assert instance.box is not None
            histogram[_bin(box_side(instance.box))] += 1
            total += 1
    return classes, histogram, total


def named(data: Dataset, counts: dict[int, int]) -> dict[str, int]:
    """By class name, in category order; several documents' equal names are one."""
    found: dict[str, int] = {}
    for i, category in enumerate(data.categories):
        if counts.get(i):
            found[category.name] = found.get(category.name, 0) + counts[i]
    return found


def _imbalance(counts: dict[str, int]) -> float | None:
    return round(max(counts.values()) / min(counts.values()), 3) if counts else None


def build(totals: Totals, options: dict[str, Any], notices: list[str]) -> dict[str, Any]:
    """The report: no time, host, absolute path or worker count, so that equal runs give equal bytes."""
    plan, data = totals.plan, totals.plan.data
    lost = {id(plan.sources[rank]) for rank in totals.unreadable}
    samples = [s for s in data.samples() if id(s) not in lost]
    before, histogram, total = counted(samples)
    before_names = named(data, before)
    after = {k: before.get(k, 0) + totals.labels.get(k, 0) for k in {*before, *totals.labels}}
    after_names = named(data, after)
    splits = {}
    for name, part in data.splits.items():
        count = sum(id(s) not in lost for s in part)
        splits[name] = {"images": count, "images_after": count + totals.by_split.get(name, 0)}
    return {
        "format": data.format,
        "task": data.task,
        "options": options,
        "images": {"before": len(samples), "new": totals.images, "after": len(samples) + totals.images},
        "objects": {"before": total, "new": totals.objects, "after": total + totals.objects},
        "splits": splits,
        "classes": {n: {"before": before_names.get(n, 0), "after": c} for n, c in after_names.items()},
        "imbalance": {"before": _imbalance(before_names), "after": _imbalance(after_names)},
        "box_sides": {
            "edges": list(EDGES),
            "before": histogram,
            "after": [a + b for a, b in zip(histogram, totals.histogram, strict=True)],
        },
        "dropped": {**dict(sorted(totals.dropped.items())), "empty_copies": totals.empty},
        "skipped": [_problem(p) for p in data.problems if p.level == "invalid"]
        + [
            {"what": "image", "where": plan.sources[rank].path, "text": text}
            for rank, text in sorted(totals.skipped.items())
        ],
        "warnings": [_problem(p) for p in data.problems if p.level == "warning"],
        "losses": dict(data.losses),
        "notices": [str(p) for p in data.problems if p.level == "notice"] + notices + sorted(totals.notices),
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "where": problem.where, "text": problem.text}


def dump(value: Any) -> bytes:
    """JSON for people and diffs."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def size_text(count: float) -> str:
    """12 B, 3.4 kB, 11.8 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def clock(seconds: float) -> str:
    """0:12, 1:02:03."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    text = f"{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{text}" if hours else text


def summary(report: dict[str, Any], others: list[str], out: str, written: int, seconds: float, workers: int) -> str:
    """Three to five lines for the terminal."""
    images, objects = report["images"], report["objects"]
    drops = {k: v for k, v in report["dropped"].items() if v and k != "empty_copies"}
    total = sum(drops.values())
    why = f" ({', '.join(f'{k} {v:,}' for k, v in drops.items())})" if drops else ""
    head = [
        report["format"],
        f"{images['before']:,} images → {images['after']:,} (+{images['new']:,})",
        f"{objects['before']:,} objects → {objects['after']:,}",
        f"{total:,} dropped{why}",
        f"{len(report['skipped']):,} skipped",
    ]
    if report["format"] in ("plain", "classes", "masks"):
        head = [head[0], head[1], head[4]]
    lines = [" · ".join(head)]
    if others:
        lines[0] += f" · also fits {', '.join(others)}"
    parts = [f"{n} {s['images']:,} → {s['images_after']:,}" for n, s in report["splits"].items()]
    ranked = sorted(report["classes"].items(), key=lambda pair: (-pair[1]["before"], pair[0]))
    parts += [f"{name} {c['before']:,} → {c['after']:,}" for name, c in ranked[:4]]
    more = f"   … {len(ranked) - 4} more in ferraug-report.json" if len(ranked) > 4 else ""
    lines.append("   ".join(parts) + more)
    if report["dropped"]["empty_copies"]:
        lines.append(f"{report['dropped']['empty_copies']:,} copies lost all objects and were not written")
    rate = images["new"] / seconds if seconds > 0 else 0.0
    plural = "s" if workers != 1 else ""
    tenths = f"{clock(seconds)}.{int(seconds * 10) % 10}"
    lines.append(f"{out}: {size_text(written)} in {tenths} ({rate:,.0f} img/s, {workers} worker{plural})")
    return "\n".join(lines)


class Progress:
    """One line redrawn ten times a second on a terminal, else a plain line every ten seconds."""

    def __init__(self, total: int, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.total, self.quiet, self.stream = total, quiet, stream or sys.stderr
        self.tty = self.stream.isatty()
        self.start = time.monotonic()
        self.last = self.start if not self.tty else 0.0
        self.shown = False

    def update(self, done: int, skipped: int) -> None:
        """Shows the state if the time has come."""
        now = time.monotonic()
        if self.quiet or now - self.last < (0.1 if self.tty else 10.0):
            return
        self.last = now
        self.write(done, skipped, now)

    def write(self, done: int, skipped: int, now: float) -> None:
        passed = max(now - self.start, 1e-6)
        rate = done / passed
        share = done / self.total if self.total else 1.0
        left = clock((self.total - done) / rate) if rate > 0 else "-:--"
        cells = 10
        full = round(share * cells)
        tip = "━" * full + ("╺" if full < cells else "") + "─" * max(cells - full - 1, 0)
        extra = f"  {skipped:,} skipped" if skipped else ""
        text = f"augment {tip}  {done:,}/{self.total:,}  {share:4.0%}  {rate:,.0f} img/s  {left} left{extra}"
        self.stream.write(f"\r\x1b[K{text}" if self.tty else text + "\n")
        self.stream.flush()
        self.shown = True

    def close(self) -> None:
        """Clears the line."""
        if self.tty and self.shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
