"""`ferraug check`: every problem of a set, with file, line and what to do; tables of classes and sizes. Writes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from argparse import Namespace
from typing import Any

from ..datasets import masks
from ..datasets.detect import read as read_any
from ..datasets.model import Dataset, Options, Problem
from ..datasets.paths import MAX_IMAGE, is_image_name, read_bytes, stem
from .report import EDGES, counted, named
from .select import file_size
from .work import Skip, load, load_mask

DONE, PROBLEMS = 0, 1

#: what the text of a problem says -> what to do about it
_FIXES = (
    (r"px beyond the image", "clip it to the image, or let augment do so"),
    (r"wholly outside", "remove the object, or check the image size that it was made for"),
    (r"must be positive|must be greater|zero size", "remove the object or give it a size"),
    (r"are these pixels", "divide x by the image width and y by the image height"),
    (r"columns;", "write 5 columns for a box, or a class and x y pairs for an outline"),
    (r"duplicate of", "remove one of the two"),
    (r"fewer than 3 points", "remove the part"),
    (r"no such file", "add the image or remove its record"),
    (r"another record uses|describes this image already|id used twice", "keep one record an image and id"),
    (r"with the suffix", "rename it to what its content is"),
    (r"nc: ", "correct nc; names are what counts"),
    (r"box and polygon rows mixed", "use one kind in a file"),
    (r"names has|class ", "correct the class number or add the class to names"),
    (r"truncated|empty|marker|corrupt|not an image|unknown format", "replace the file by an intact one"),
    (r"RLE", "encode the mask again for this image's size"),
    (r"byte-equal to", "keep it in one split; the model would be tested on what it was trained on"),
    (r"label without an image", "add the image or remove the label"),
    (r"no bbox", "write the bbox; it was derived"),
    (r"declared", "correct the declared size, or use the image that it describes"),
)


class Check:
    """One call of the command."""

    def __init__(self, args: Namespace) -> None:
        self.args = args
        options = Options(task=args.task, voc_origin=args.voc_origin)
        self.data, self.found = read_any(args.src, args.source, options=options)
        self.problems: list[Problem] = list(self.data.problems)

    def run(self) -> int:
        """Prints everything and returns the exit code."""
        self.problems += _leaks(self.data)
        self.problems += _orphans(self.data)
        if self.args.deep:
            self.problems += _decoded(self.data)
        wrong = [p for p in self.problems if p.level != "notice"]
        result = self._result(wrong)
        if self.data.task == "semantic" and isinstance(self.data.header, masks.MaskSet):
            result["masks"] = dict(self.data.header.modes)
            if self.args.deep and not wrong:
                result["mask_values"] = len(masks.values(self.data))
        if not self.args.quiet:
            for problem in self.problems:
                fix = fix_of(problem.text) if problem.level != "notice" else None
                print(f"{problem.level}: {problem}{f' → {fix}' if fix else ''}", file=sys.stderr)
            print(_table(result), file=sys.stderr)
        if self.args.preview is not None:
            self._sheet()
        if self.args.json:
            print(json.dumps(result, ensure_ascii=False))
        return PROBLEMS if wrong else DONE

    def _result(self, wrong: list[Problem]) -> dict[str, Any]:
        data = self.data
        classes, histogram, total = counted(data.samples())
        return {
            "exit": PROBLEMS if wrong else DONE,
            "format": data.format,
            "task": data.task,
            "others": self.found.others,
            "images": {name: len(part) for name, part in data.splits.items()},
            "objects": total,
            "classes": named(data, classes),
            "without_objects": sum(not s.objects() for s in data.samples()),
            "box_sides": {"edges": list(EDGES), "counts": histogram},
            "invalid": sum(p.level == "invalid" for p in wrong),
            "warnings": sum(p.level == "warning" for p in wrong),
            "problems": [
                {"level": p.level, "what": p.what, "where": p.where, "text": p.text, "fix": fix_of(p.text)}
                for p in self.problems
            ],
        }

    def _sheet(self) -> None:
        from .sheet import draw_check

        path = self.args.preview_out or f"{self.args.src.rstrip(os.sep)}-preview.png"
        content = draw_check(self.data, self.problems, self.args.preview, os.path.basename(os.path.abspath(self.args.src)))
        with open(path, "wb") as file:
            file.write(content)
        print(path, file=sys.stderr)


def fix_of(text: str) -> str | None:
    """What to do about a problem; None if its text says all."""
    return next((fix for pattern, fix in _FIXES if re.search(pattern, text)), None)


def _leaks(data: Dataset) -> list[Problem]:
    """Images of one split that lie in another, byte for byte."""
    sizes: dict[int, list[Any]] = {}
    for sample in data.samples():
        sizes.setdefault(file_size(data, sample), []).append(sample)
    found = []
    for group in sizes.values():
        first: dict[bytes, Any] = {}
        for sample in group if len(group) > 1 else ():
            try:
                digest = hashlib.sha256(read_bytes(data.root, sample.source, MAX_IMAGE)).digest()
            except (OSError, ValueError):
                continue
            twin = first.setdefault(digest, sample)
            if twin is sample:
                continue
            if twin.split != sample.split:
                text = f"byte-equal to {twin.path} of split {twin.split}, this is {sample.split}"
                found.append(Problem("warning", "image", sample.path, text))
            else:
                found.append(Problem("notice", "image", sample.path, f"byte-equal to {twin.path}"))
    return found


def _orphans(data: Dataset) -> list[Problem]:
    """Label files whose image is not there."""
    if data.format not in ("yolo", "dota"):
        return []
    images = {stem(s.path).rsplit("/", 1)[-1] for s in data.samples()}
    images |= {stem(f).rsplit("/", 1)[-1] for f in data.files if is_image_name(f)}
    return [
        Problem("warning", "file", path, "label without an image")
        for path in data.files
        if path.lower().endswith(".txt")
        and re.search(r"(^|/)labels?(txt)?/", path.lower())
        and stem(path).rsplit("/", 1)[-1] not in images
    ]


def _decoded(data: Dataset) -> list[Problem]:
    found = []
    for sample in data.samples():
        try:
            load(data, sample)
            load_mask(data, sample)
        except Skip as skip:
            level = "invalid" if skip.unreadable else "warning"
            found.append(Problem(level, "image", sample.path, str(skip)))
    return found


def _table(result: dict[str, Any]) -> str:
    lines = []
    total = sum(result["images"].values())
    splits = ", ".join(f"{name} {count:,}" for name, count in result["images"].items())
    lines.append(f"{result['format']} {result['task']} · {total:,} images ({splits}) · {result['objects']:,} objects")
    if "masks" in result:
        deep = f", {result['mask_values']:,} values" if "mask_values" in result else ""
        modes = ", ".join(f"{count:,} {mode}" for mode, count in result["masks"].items())
        lines[0] = f"{lines[0].rpartition(' · ')[0]} · masks: {modes}{deep}"
    if result["others"]:
        lines[0] += f" · also fits {', '.join(result['others'])}"
    if result["without_objects"] and result["objects"]:
        lines.append(f"{result['without_objects']:,} images without objects")
    ranked = sorted(result["classes"].items(), key=lambda pair: -pair[1])
    if ranked:
        width = max(len(name) for name, _ in ranked)
        most = ranked[0][1]
        lines += [f"  {name:{width}} {count:>9,}  {'▪' * max(1, round(30 * count / most))}" for name, count in ranked]
        edges = result["box_sides"]["edges"]
        labels = [f"<{edges[0]}", *(f"{a}–{b}" for a, b in zip(edges, edges[1:], strict=False)), f"≥{edges[-1]}"]
        sides = zip(labels, result["box_sides"]["counts"], strict=True)
        if any(result["box_sides"]["counts"]):
            lines.append("box sides in px: " + "  ".join(f"{label} {count:,}" for label, count in sides if count))
    lines.append(f"{result['invalid']:,} invalid, {result['warnings']:,} warnings")
    return "\n".join(lines)
