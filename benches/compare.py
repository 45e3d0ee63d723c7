#!/usr/bin/env python3
"""Speed against NumPy, OpenCV, Albumentations and Pillow, interleaved in one process, as Markdown tables.

    benches/compare.py                          everything
    benches/compare.py --rows 'Rotate|P1' --sizes 256,512 --isa v3 --quick
    benches/compare.py --save                   also writes results/<machine>-<level>.md
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# One thread each, set before anything is imported that would start more.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

PARTS = ("rows", "pipelines", "overheads", "hold", "threads", "import")
PEERS = ("albumentations", "cv2", "numpy", "pillow")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default="", help="regular expression: only rows and pipelines whose name matches")
    parser.add_argument("--sizes", default="32,256,512,1080p", help="of the rows, comma-separated")
    parser.add_argument("--rounds", type=int, default=0, help="rounds (default 25, at least 15 where they take long; with --quick 7)")
    parser.add_argument("--isa", default="", help="baseline, v3, v4 or vbmi instead of the best level of the machine")
    parser.add_argument("--parts", default="", help=f"of {', '.join(PARTS)}; default all, with --rows only rows and pipelines")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter samples")
    parser.add_argument("--save", action="store_true", help="write the page into results/")
    parser.add_argument("--machine", default="", help="name of the machine on the saved page")
    return parser.parse_args()


# -- the goals -------------------------------------------------------------------------------------------------------


def judge_row(row: Any, size: str, figures: dict[str, Any], best_level: bool) -> tuple[str, list[str]]:
    """The goal of a row at a size as text, and what of it was missed."""
    ours = figures["ferraug"].best
    missed: list[str] = []
    if size == "32":
        return "", missed  # overhead alone: judged by the mean of all rows
    if row.kind == "copy":
        limit = 1.5 * figures["copy"].best + 2
        if ours > limit:
            missed.append(f"{ours:.1f} µs > {limit:.1f}")
        return f"≤ {limit:.1f} µs", missed
    wanted = row.goal if row.goal and best_level and size in ("256", "512") else 1.0
    albu = figures["albumentations"].best / ours
    if albu < wanted:
        missed.append(f"Albumentations {albu:.2f} < {wanted:g}")
    if "numpy" in figures and row.twice_numpy and figures["numpy"].best / ours < 2:
        missed.append(f"NumPy {figures['numpy'].best / ours:.2f} < 2")
    return f"≥ {wanted:g}×", missed


def micro(us: float) -> str:
    return f"{us:,.1f}" if us < 1000 else f"{us:,.0f}"


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}×" if value < 9.95 else f"{value:.0f}×"


# -- the parts -------------------------------------------------------------------------------------------------------


def rows_part(args: argparse.Namespace, wanted: re.Pattern[str], best_level: bool) -> Iterator[str]:
    """The table of single transforms, a line at a time, then the means."""
    import photos
    from rows import ROWS, compare_outputs, contenders
    from timing import again, geomean, interleave

    yield "## Transforms\n"
    yield (
        "Microseconds a call of the transform itself on uint8 RGB photographs; then how many times longer the others take. "
        "Goal: times Albumentations, or for copy-bound rows at most 1.5 copies of the output + 2 µs; NumPy is to be beaten "
        "twice over on all but those and dropouts. Rows at 32×32 are overhead alone and count in the mean. ▿: a peer is faster.\n"
    )
    yield "| row | size | ferraug µs | ns/px | Albumentations | OpenCV | NumPy | Pillow | goal | |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|---|"
    against: dict[str, list[float]] = {}
    best_peer: dict[str, list[float]] = {}
    failures: list[str] = []
    for row in ROWS:
        if not wanted.search(row.name):
            continue
        for size in args.sizes.split(","):
            img = photos.photo(size)
            found = contenders(row, img)
            failures += [f"{row.name} {size}: {text}" for text in compare_outputs(row, img, found)]
            figures = interleave(found, args.rounds, args.target)
            if not args.quick and judge_row(row, size, figures, best_level)[1]:
                figures = again(figures, interleave(found, args.rounds, args.target))
            ours = figures["ferraug"].best
            ratios = {name: figures[name].best / ours for name in PEERS if name in figures}
            goal, missed = judge_row(row, size, figures, best_level)
            if row.kind != "copy":
                best_peer.setdefault(size, []).append(min(ratios.values()))
            against.setdefault(size, []).append(ratios["albumentations"])
            mark = "✗ " + "; ".join(missed) if missed else "✓"
            if not missed and row.kind != "copy" and min(ratios.values()) < 1:
                mark += " ▿"
            if "floor" in figures:
                mark += f" ({ours / figures['floor'].best:.1f} × filling the output)"
            pixels = img.shape[0] * img.shape[1]
            cells = " | ".join(times(ratios.get(name)) for name in PEERS)
            yield f"| {row.name} | {size} | {micro(ours)} | {ours * 1e3 / pixels:.2f} | {cells} | {goal} | {mark} |"
    yield ""
    for size, values in against.items():
        line = f"- {size}: geometric mean {geomean(values):.1f}× Albumentations over {len(values)} rows"
        if best_peer.get(size):
            line += f"; {geomean(best_peer[size]):.1f}× the best peer of each row (copy-bound rows left out)"
        yield line
    yield ""
    if failures:
        yield "**Outputs that differ (their figures mean nothing):**\n"
        yield from (f"- {text}" for text in failures)
        yield ""


def table_part(title: str, note: str, lines: Iterator[tuple[str, str, str, str, str]]) -> Iterator[str]:
    """A table of name, ours, theirs, ratio or limit, mark."""
    yield f"## {title}\n"
    yield note + "\n"
    yield "| what | ferraug | Albumentations | goal | |"
    yield "|---|--:|--:|--:|---|"
    for line in lines:
        yield "| " + " | ".join(line) + " |"
    yield ""


def heading(args: argparse.Namespace, level: str) -> Iterator[str]:
    """What was measured, on what, how."""
    import platform

    import albumentations
    import cv2
    import ferraug
    import numpy
    import peers
    import PIL

    yield f"# Speed, level {level}\n"
    versions = {
        "ferraug": ferraug.__version__, "Python": platform.python_version(), "NumPy": numpy.__version__,
        "OpenCV": cv2.__version__, "Albumentations": albumentations.__version__, "Pillow": PIL.__version__,
        "torch": peers.stand_in_torch(),
    }  # fmt: skip
    yield f"- machine: {cpu()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    yield "- versions: " + ", ".join(f"{k} {v}" for k, v in versions.items())
    command = ["benches/compare.py", *(repr(a) if re.search(r"[|*?$ ]", a) else a for a in sys.argv[1:])]
    yield f"- command: `{' '.join(command)}`"
    yield (
        f"- {args.rounds} rounds, all contenders in turn in each, samples of ~{args.target:g} ms; the figure is the least "
        "of the rounds; one thread; a row that misses its goal gets as many rounds again, for all its contenders\n"
    )


def cpu() -> str:
    """The model of the CPU."""
    import platform

    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"model name\s*: (.*)", text)
    return re.sub(r"\s+", " ", re.sub(r"\((R|TM)\)", "", found.group(1))).strip() if found else platform.machine()


def page(args: argparse.Namespace, level: str, best_level: bool) -> Iterator[str]:
    """All lines."""
    wanted = re.compile(args.rows)
    parts = args.parts.split(",") if args.parts else ["rows", "pipelines"] if args.rows else list(PARTS)
    yield from heading(args, level)
    if "rows" in parts:
        yield from rows_part(args, wanted, best_level)
    if "pipelines" in parts:
        import pipelines

        note = (
            "Microseconds a call, over calls from one seed in which every transform fires about as often as its p says; the goal in microseconds is of the specification's machine. "
            "The torch stand-in or torch itself serves both."
        )
        yield from table_part("Pipelines", note, pipelines.lines(args.rounds, args.quick, wanted, best_level))
    if "overheads" in parts:
        import overheads

        yield from table_part("Overheads", "What a call costs beside pixels.", overheads.lines(args.rounds, args.target))
    if "import" in parts:
        import overheads

        yield from table_part("Import", "Beyond NumPy's own, fresh processes, least of ten.", overheads.imports(args.quick))
    if "threads" in parts:
        import threads

        note = "Calls a second of two threads in this process, and of two processes, in turn."
        yield from table_part("Two threads", note, threads.lines(args.quick))
    if "hold" in parts:
        import hold

        yield from hold.lines(args.quick)


def main() -> None:
    args = arguments()
    args.rounds = args.rounds or (7 if args.quick else 25)
    args.target = 1.0 if args.quick else 2.0
    if args.isa:
        os.environ["FERRAUG_ISA"] = args.isa  # before the import, and for child processes
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    warnings.filterwarnings("ignore")
    import cv2
    from ferraug import _core

    cv2.setNumThreads(1)
    level = _core.isa()
    if args.isa and level != args.isa:
        raise SystemExit(f"this machine has no level {args.isa}; it runs at {level}")
    best_level = not args.isa
    lines = []
    for line in page(args, level, best_level):
        print(line, flush=True)
        lines.append(line)
    table = [line for line in lines if line.startswith("| ")]
    total = f"{sum('✓' in line for line in table)} of {sum('✓' in line or '✗' in line for line in table)} goals reached"
    print(total)
    lines.append(total)
    if args.save:
        name = re.sub(r"[^a-z0-9]+", "-", (args.machine or cpu()).lower()).strip("-")
        target = Path(__file__).resolve().parent / "results" / f"{name}-{level}.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"saved as {target.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
