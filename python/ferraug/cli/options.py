"""The arguments of `ferraug augment` and their checks."""

from __future__ import annotations

import argparse
import os
from typing import Any

MAX_COPIES = 9999


class Usage(Exception):
    """A mistake in the arguments: exit 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Usage(f"{self.prog}: {message}")


def _number(low: float, high: float, whole: bool) -> Any:
    def parse(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}: a {'whole ' if whole else ''}number is needed") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text}: allowed {low:g} to {high:g}")
        return value

    return parse


def _max_errors(text: str) -> tuple[str, float]:
    percent = text.endswith("%")
    try:
        value = float(text[:-1]) if percent else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a number or a percentage is needed") from None
    if not 0 <= value <= (100 if percent else 1e9):
        raise argparse.ArgumentTypeError(f"{text}: out of range")
    return ("%" if percent else "n", value)


def _splits(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("names separated by commas are needed")
    return names


def parser() -> argparse.ArgumentParser:
    """The whole command."""
    main = _Parser(prog="ferraug", description="Multiply image data sets with their annotations.")
    main.add_argument("--version", action="store_true", help="print the version and leave")
    commands = main.add_subparsers(dest="command", parser_class=_Parser)
    add = commands.add_parser(
        "augment",
        help="write a data set of new images with recomputed annotations",
        description="Reads SRC (COCO, YOLO boxes, Pascal VOC or a folder of images) and writes DST: the originals as "
        "they are and N new images for each image of the train split, with their annotations.",
    ).add_argument
    add("src", metavar="SRC", help="data set: a folder, or its yaml, JSON or XML file")
    add("--out", metavar="DST", help="folder to write; must not exist or be empty")
    add("-n", "--copies", type=_number(0, MAX_COPIES, True), default=5, metavar="N", help="new images per source (5)")
    add("--policy", default="basic", metavar="P", help="basic | seed | policy.json | file.py:name (basic)")
    add("--seed", type=_number(0, 2**64 - 1, True), default=0, metavar="S", help="0 to 2**64-1 (0)")
    add("--from", dest="source", metavar="F", help="input format, ends all guessing: coco | yolo | voc | plain")
    add("--splits", type=_splits, metavar="A,B", help="splits to multiply, the others are copied (train)")
    add("--min-visibility", type=_number(0, 1, False), metavar="F", help="drop objects that show less (0.1)")
    add("--min-side", type=_number(0, 1e6, False), metavar="PX", help="drop objects that are smaller (2)")
    add("--empty", choices=("redraw", "keep", "drop"), default="redraw", help="a copy that lost all objects (redraw)")
    add("--format", choices=("keep", "jpg", "png"), default="keep", help="format of new images (keep)")
    add("--quality", type=_number(1, 100, True), default=95, metavar="1-100", help="JPEG quality (95)")
    add("--workers", type=_number(1, 1024, True), metavar="N", help="threads; never changes a byte (all cores)")
    add("--resume", action="store_true", help="go on with a run that was stopped")
    add("--overwrite", action="store_true", help="first delete what an earlier run wrote to DST")
    add(
        "--max-errors",
        type=_max_errors,
        default=("%", 1.0),
        metavar="N",
        help="stop beyond N or N%% images (1%%, at least 100)",
    )
    add("--preview", nargs="?", type=_number(1, 1000, True), const=16, metavar="N", help="only draw a sheet (16)")
    add("--preview-out", metavar="F", help="where the sheet goes (DST-preview.png)")
    add("--json", action="store_true", help="machine-readable result on stdout")
    return main


def cores() -> int:
    """Cores this process may use: affinity and the control group's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        pass
    return max(1, count)
