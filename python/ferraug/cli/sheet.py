"""The contact sheet of `--preview`: a row a source, the original and four copies with their annotations drawn in."""

from __future__ import annotations

import hashlib
import os
from argparse import Namespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..datasets import rle
from ..datasets.geometry import Dropped
from ..datasets.maskfile import MaskImage
from ..datasets.model import Box, Category, Dataset, Mapped, Problem, Sample
from . import raster
from .plan import Plan
from .policy import Policy
from .work import Made, Picture, Skip, Source, Worker, load, load_mask

CELL, GAP, HEADER, CAPTION = 320, 8, 24, 12
COPIES = 4
GROUND = (96, 96, 96)
INK = (235, 235, 235)

#: above this many objects a cell shows no names
MANY = 60

#: so many dropped objects of a cell say why
FEW = 8

Image = NDArray[np.uint8]


def pick(plan: Plan, count: int, seed: int) -> list[Sample]:
    """Sources spread evenly over the classes: each class in turn gives one, in an order that the seed decides."""

    def order(sample: Sample) -> bytes:
        return hashlib.sha256(f"{seed}|{sample.source_id}".encode()).digest()

    ranked = sorted(plan.sources, key=order)
    queues: dict[str, list[Sample]] = {}
    for sample in ranked:
        names = {plan.data.categories[c].name for c in sample.classes()}
        for name in sorted(names) or [""]:
            queues.setdefault(name, []).append(sample)
    chosen: list[Sample] = []
    taken: set[int] = set()
    while len(chosen) < min(count, len(ranked)):
        for name in sorted(queues):
            queue = queues[name]
            while queue and id(queue[0]) in taken:
                queue.pop(0)
            if queue and len(chosen) < count:
                taken.add(id(queue[0]))
                chosen.append(queue.pop(0))
    return chosen


def draw_sheet(worker: Worker, plan: Plan, args: Namespace, policy: Policy) -> tuple[bytes, int]:
    """The sheet as a PNG and how many sources it shows."""
    rows: list[list[Image]] = []
    copies = COPIES
    for sample in pick(plan, args.preview, args.seed):
        try:
            source = worker.open(sample)
        except Skip as skip:
            rows.append([_words(f"{sample.path}: {skip}")])
            continue
        cells = [_original(plan.data, sample, source.picture, source.mask)]
        try:
            for replica in range(1, copies + 1):
                made = worker.copy(source, replica, "")
                cells.append(_words("lost all objects") if made is None else _copy_cell(plan, source, made))
        except Skip as skip:
            cells.append(_words(str(skip)))
        rows.append(cells)
    title = f"ferraug augment {os.path.basename(os.path.abspath(args.src))} · policy {args.policy} {policy.hash}"
    return _core.encode_png(_assemble(rows, f"{title} · seed {args.seed}")), len(rows)


def draw_check(data: Dataset, problems: list[Problem], count: int, title: str) -> bytes:
    """A sheet of the sources that have problems, each beside what is wrong with it; then of others up to `count`."""
    told: dict[int, list[str]] = {}
    samples = data.samples()
    for problem in problems:
        if problem.level == "notice":
            continue
        place = problem.where.split(":")[0]
        for sample in samples:
            if place in (sample.path, sample.label, sample.mask):
                told.setdefault(id(sample), []).append(f"{problem.where.rsplit('/', 1)[-1]}: {problem.text}")
    rows = []
    for sample in sorted(samples, key=lambda s: id(s) not in told)[:count]:
        try:
            _, picture = load(data, sample)
            cell = _original(data, sample, picture, load_mask(data, sample))
        except Skip as skip:
            cell = _words(f"{sample.path}: {skip}")
        texts = told.get(id(sample), ["no problem"])
        words = [_words(text) for text in texts[:4]]
        if len(texts) > 4:
            words.append(_words(f"{len(texts) - 4} more"))
        rows.append([cell, *words])
    return _core.encode_png(_assemble(rows, f"ferraug check {title}"))


def _assemble(rows: list[list[Image]], title: str) -> Image:
    columns = max((len(r) for r in rows), default=1)
    heights = [max(c.shape[0] for c in r) for r in rows]
    sheet: Image = np.empty((HEADER + GAP + sum(h + GAP for h in heights), GAP + columns * (CELL + GAP), 3), np.uint8)
    sheet[:] = GROUND
    raster.text(sheet, GAP, 6, title, INK, 2 if len(title) * 12 < sheet.shape[1] - 16 else 1)
    y = HEADER + GAP
    for row, height in zip(rows, heights, strict=True):
        for i, cell in enumerate(row):
            x = GAP + i * (CELL + GAP)
            sheet[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
        y += height + GAP
    return sheet


def _words(text: str) -> Image:
    cell: Image = np.empty((CELL // 2, CELL, 3), np.uint8)
    cell[:] = (60, 60, 60)
    width = CELL // 6 - 2
    for i in range(0, min(len(text), 10 * width), width):
        raster.text(cell, 6, 6 + 10 * (i // width), text[i : i + width], INK)
    return cell


def _canvas(image: Image, caption: str, count: int) -> tuple[Image, Image, float]:
    """(whole cell, the part that shows the image, scale)."""
    h, w = image.shape[:2]
    scale = min(1.0, CELL / max(w, h))
    if max(w, h) < CELL / 2:
        scale = float(CELL // max(w, h))
    ow, oh = max(1, round(w * scale)), max(1, round(h * scale))
    if scale > 1:
        small = np.repeat(np.repeat(image, int(scale), axis=0), int(scale), axis=1)
        ow, oh = small.shape[1], small.shape[0]
    else:
        small = raster.shrink(image, ow, oh)
    cell: Image = np.empty((oh + CAPTION, CELL, 3), np.uint8)
    cell[:] = GROUND
    cell[:oh, :ow] = small
    if count > MANY:
        caption = f"{count} objects · {caption}"
    raster.text(cell, 1, oh + 3, caption[: CELL // 6 - 1], INK)
    return cell, cell[:oh, :ow], scale


def _rgb(image: Image) -> Image:
    """Three channels of 8 bits; what is transparent shows a gray ground."""
    if image.dtype != np.uint8:
        image = ((image.astype(np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
    if image.ndim == 2:
        return np.repeat(image[:, :, None], 3, axis=2)
    if image.shape[2] in (2, 4):
        alpha = image[:, :, -1:].astype(np.uint16)
        base = image[:, :, :-1].astype(np.uint16)
        mixed = ((base * alpha + 128 * (255 - alpha) + 127) // 255).astype(np.uint8)
        return _rgb(mixed[:, :, 0] if mixed.shape[2] == 1 else mixed)
    return image if image.shape[2] == 3 else np.repeat(image[:, :, :1], 3, axis=2)


def _original(data: Dataset, sample: Sample, picture: Picture, mask: MaskImage | None) -> Image:
    image = picture.image
    if picture.alpha is not None:
        image = np.concatenate([image, picture.alpha[:, :, None]], axis=2)
    objects = sample.objects()
    cell, part, scale = _canvas(_rgb(image), f"{sample.path.rsplit('/', 1)[-1]}", len(objects))
    _draw_whole(part, data, sample, mask)
    for instance in objects:
        assert instance.box is not None
        own = rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w) if instance.rle else None
        shown = Mapped(instance, instance.box, 1.0, False, instance.parts, own, instance.quad, instance.keypoints)
        draw_object(part, data.categories, shown, scale, len(objects) <= MANY)
    return cell


def _copy_cell(plan: Plan, source: Source, made: Made) -> Image:
    objects = made.copy.objects
    caption = f"{made.copy.replica} · {short_ops(made.record)}"
    cell, part, scale = _canvas(_rgb(made.image), caption, len(objects))
    _draw_whole(part, plan.data, made.copy.sample, made.copy.mask)
    for mapped in objects:
        draw_object(part, plan.data.categories, mapped, scale, len(objects) <= MANY)
    for i, gone in enumerate(made.dropped):
        _draw_dropped(part, gone, source.tracer.where(made.record["ops"], gone), made.copy.size, scale, i < FEW)
    return cell


def _draw_whole(image: Image, data: Dataset, sample: Sample, mask: MaskImage | None) -> None:
    """What is said of the image as a whole: its mask of classes, its class."""
    if mask is not None and sample.mask is not None:
        draw_mask(image, mask, data.options.mask_fill)
    if sample.category is not None:
        color = raster.PALETTE[sample.category % len(raster.PALETTE)]
        raster.chip(image, (0, 0, 0, 0), data.categories[sample.category].name[:18], color)


def draw_mask(image: Image, mask: MaskImage, ignore: int | None) -> None:
    """A mask of classes: a colour a value, none for 0; colour codes as themselves. What is ignored is hatched."""
    values = _nearest(mask.array, image.shape[:2])
    if values.ndim == 3:
        inked = values[:, :, :3] if values.shape[2] >= 3 else np.repeat(values[:, :, :1], 3, axis=2)
        shown = inked.any(axis=2)
        image[shown] = ((image[shown] * 13 + inked[shown].astype(np.uint16) * 7) // 20).astype(np.uint8)
        return
    ignored = (ignore or 255) if mask.mode in ("L", "P", "I;16") else -1
    for value in np.unique(values):
        if value == ignored:
            ys, xs = np.indices(image.shape[:2])
            raster.blend(image, (values == value) & ((xs + ys) % 8 < 2), (255, 255, 255), 0.7)
        elif value:
            color = raster.PALETTE[int(value) % len(raster.PALETTE)]
            raster.blend(image, values == value, color)
            image[_rim(values == value)] = color


def _rim(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a region beside one that is not in it."""
    wide = np.pad(region, 1, mode="edge")
    return np.asarray(region & ~(wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]))


def draw_object(image: Image, categories: list[Category], mapped: Mapped, scale: float, chips: bool) -> None:
    """Outline or mask, box, keypoints and name of one object."""
    category = categories[mapped.instance.category]
    color = raster.PALETTE[mapped.instance.category % len(raster.PALETTE)]
    if mapped.mask is not None and len(categories) == 1:
        # masks of one class: each object has its colour, a box would say nothing more
        color = raster.PALETTE[mapped.instance.rank % len(raster.PALETTE)]
        raster.blend(image, _sampled(mapped.mask, image.shape[:2]), color, 0.6)
        return
    if mapped.parts:
        parts = [[(x * scale, y * scale) for x, y in zip(part[0::2], part[1::2], strict=True)] for part in mapped.parts]
        raster.blend(image, raster.polygon_mask(image.shape[:2], parts), color)
        for points in parts:
            raster.outline(image, points, color)
    elif mapped.mask is not None:
        raster.blend(image, _sampled(mapped.mask, image.shape[:2]), color)
    box = (mapped.box[0] * scale, mapped.box[1] * scale, mapped.box[2] * scale, mapped.box[3] * scale)
    if mapped.quad is not None:
        corners = [(x * scale, y * scale) for x, y in zip(mapped.quad[0::2], mapped.quad[1::2], strict=True)]
        raster.outline(image, corners, color)
        raster.disc(image, *corners[0], 3, color)
    else:
        raster.box(image, box, color, dashed="crowd" in mapped.instance.flags)
    points_now = mapped.keypoints or []
    for bone in category.skeleton or ():
        if isinstance(bone, list) and len(bone) == 2 and all(type(b) is int and 0 < b <= len(points_now) for b in bone):
            a, b = points_now[bone[0] - 1], points_now[bone[1] - 1]
            if a[2] and b[2]:
                ink = _side_color(category, bone[0] - 1)
                raster.line(image, (a[0] * scale, a[1] * scale), (b[0] * scale, b[1] * scale), ink)
    for i, (x, y, v) in enumerate(points_now):
        if v:
            raster.disc(image, x * scale, y * scale, 3, _side_color(category, i), ring=v == 1)
    if chips:
        raster.chip(image, box, category.name[:18], color)


def _side_color(category: Category, index: int) -> raster.Color:
    """Left warm, right cool, neither white."""
    names = category.keypoints or []
    name = names[index].lower() if index < len(names) else ""
    if "left" in name:
        return (255, 170, 40)
    return (70, 170, 255) if "right" in name else (245, 245, 245)


def _sampled(mask: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(_nearest(np.asarray(mask), shape) != 0)


def _nearest(mask: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    rows = np.minimum((np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0], mask.shape[0] - 1).astype(np.int64)
    columns = np.minimum((np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1], mask.shape[1] - 1).astype(np.int64)
    return np.asarray(mask[rows][:, columns])


def _draw_dropped(
    image: Image, gone: Dropped, place: Box | None, size: tuple[int, int], scale: float, chip: bool
) -> None:
    if place is None:
        return
    w, h = size
    x0, y0 = min(max(place[0], 0), w - 4 / scale), min(max(place[1], 0), h - 4 / scale)
    x1, y1 = max(min(place[2], w), x0 + 4 / scale), max(min(place[3], h), y0 + 4 / scale)
    box: Box = (x0 * scale, y0 * scale, x1 * scale, y1 * scale)
    raster.box(image, box, raster.RED, dashed=True)
    if chip:
        raster.chip(image, box, f"{'vis' if gone.reason == 'visibility' else gone.reason} {gone.value:.2f}", raster.RED)


def short_ops(record: Any) -> str:
    """The run's transforms in a few words."""
    words = []
    for node in record.get("nodes", ()):
        name, first, last = node[1], node[2], node[3]
        if last <= first:
            continue
        words.append(_word(name, [tuple(op) for op in record["ops"][first:last]]))
    return " · ".join(w for w in words if w) or "as it was"


def _word(name: str, ops: list[tuple[Any, ...]]) -> str:
    known = {"HorizontalFlip": "hflip", "VerticalFlip": "vflip", "RandomBrightnessContrast": "light"}
    for op in ops:
        if op[0] == "crop" and len(op) >= 5 and all(isinstance(v, int) for v in op[1:5]):
            return f"crop {op[3]}×{op[4]}"
    return known.get(name, name)
