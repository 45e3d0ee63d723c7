"""Whole pipelines, as users write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import peers
import photos
from rows import to_tensor
from timing import Contender, interleave


def boxes(count: int, size: int = 512, form: str = "coco") -> list[list[float]]:
    """Boxes inside a square image, as lists of four floats."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(count):
        w, h = rng.uniform(0.06 * size, 0.4 * size, 2)
        x, y = rng.uniform(0, size - w), rng.uniform(0, size - h)
        found.append([x, y, w, h] if form == "coco" else [x, y, x + w, y + h])
    return [[round(float(v), 2) for v in box] for box in found]


@dataclass(frozen=True)
class Pipeline:
    name: str
    what: str
    transforms: Callable[[Any], list[Any]]
    data: Callable[[], dict[str, Any]]
    goal: float
    limit: float  # µs, on the machine of the specification
    calls: int
    bbox_format: str | None = None
    tensor: bool = False

    def compose(self, lib: Any, **more: Any) -> Any:
        if self.bbox_format:
            more["bbox_params"] = lib.BboxParams(format=self.bbox_format, label_fields=["labels"])
        return lib.Compose(self.transforms(lib), **more)


def image(size: str = "512") -> dict[str, Any]:
    return {"image": photos.photo(size)}


def with_boxes(count: int, form: str) -> Callable[[], dict[str, Any]]:
    return lambda: {**image(), "bboxes": boxes(count, form=form), "labels": list(range(count))}


def with_mask() -> dict[str, Any]:
    img = photos.photo("1080p")
    return {"image": img, "mask": np.ascontiguousarray(img[..., 1] >> 5)}


def first_example(L: Any) -> list[Any]:
    return [
        L.RandomCrop(256, 256), L.HorizontalFlip(p=0.5),
        L.RandomBrightnessContrast(brightness_limit=0.5, contrast_limit=0.3), L.Rotate(p=0.5),
    ]  # fmt: skip


def imagenet(L: Any) -> list[Any]:
    return [L.RandomResizedCrop((224, 224)), L.HorizontalFlip(), L.ColorJitter(p=0.8), L.Normalize(), to_tensor(L)]


def detection(L: Any) -> list[Any]:
    return [
        L.HorizontalFlip(), L.ShiftScaleRotate(), L.HueSaturationValue(), L.RandomBrightnessContrast(),
        L.LongestMaxSize(640), L.PadIfNeeded(640, 640),
    ]  # fmt: skip


def segmentation(L: Any) -> list[Any]:
    return [L.RandomCrop(512, 512), L.D4(), L.GaussNoise()]


def cifar(L: Any) -> list[Any]:
    return [L.PadIfNeeded(40, 40), L.RandomCrop(32, 32), L.HorizontalFlip(), L.Normalize(), L.CoarseDropout()]


PIPELINES = [
    Pipeline("P1", "RandomCrop 256, HorizontalFlip, RandomBrightnessContrast, Rotate; 512 in", first_example, image, 4, 40, 128),
    Pipeline("P1+boxes", "P1 with 10 COCO boxes and labels", first_example, with_boxes(10, "coco"), 10, 55, 128, "coco"),
    Pipeline("P2", "RandomResizedCrop 224, HorizontalFlip, ColorJitter .8, Normalize, ToTensorV2; 512 in", imagenet, image, 4, 110,
             64, tensor=True),
    Pipeline("P3", "HorizontalFlip, ShiftScaleRotate, HSV, BrightnessContrast, LongestMaxSize 640, PadIfNeeded 640; 512 in, 50 boxes",
             detection, with_boxes(50, "pascal_voc"), 5, 700, 64, "pascal_voc"),
    Pipeline("P4", "RandomCrop 512, D4, GaussNoise; 1080p image and mask", segmentation, with_mask, 5, 350, 64),
    Pipeline("P5", "PadIfNeeded 40, RandomCrop 32, HorizontalFlip, Normalize, CoarseDropout; 32 in", cifar, lambda: image("32"), 6, 14,
             256),
]  # fmt: skip


def fired(pipeline: Pipeline, lib: Any, composed: Any, data: dict[str, Any]) -> list[str]:
    """Names of the transforms that fire in the next call."""
    if lib.__name__ == "ferraug":
        return [node[1] for node in composed.run(data, record=True)[1]["nodes"]]
    return [name for name, _ in composed(**data)["applied_transforms"]]


def fair_seed(pipeline: Pipeline, lib: Any, data: dict[str, Any], calls: int) -> int:
    """A seed from which every transform fires in the share of the calls that its p says, within a twentieth.

    Half of the work of a pipeline hangs on few coins; without this, luck would decide the ratio.
    """
    more = {"save_applied_params": True} if lib.__name__ == "albumentations" else {}
    slack = max(2, ceil(calls / 20))
    best, least = 0, 10**9
    for seed in range(12):
        composed = pipeline.compose(lib, seed=seed, **more)
        counts: dict[str, int] = {}
        for _ in range(calls):
            for name in fired(pipeline, lib, composed, data):
                counts[name] = counts.get(name, 0) + 1
        off = max(abs(counts.get(type(t).__name__, 0) - t.p * calls) for t in composed.transforms if 0 < t.p < 1)
        if off < least:
            best, least = seed, off
        if off <= slack:
            break
    return best


def check(pipeline: Pipeline, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The two results agree in what does not depend on luck."""
    for key in pipeline.data():
        a, b = ours[key], theirs[key]
        if key == "image" or key == "mask":
            a, b = np.asarray(a), np.asarray(b)
            assert a.shape == b.shape and a.dtype == b.dtype, f"{pipeline.name}: {key} {a.shape} {a.dtype}, theirs {b.shape} {b.dtype}"
        else:
            assert type(a) is type(b), f"{pipeline.name}: {key} {type(a)}, theirs {type(b)}"
    if "bboxes" in ours:
        assert len(ours["bboxes"]) == len(ours["labels"]), f"{pipeline.name}: boxes without labels"


def lines(rounds: int, quick: bool, wanted: re.Pattern[str], best_level: bool) -> Iterator[tuple[str, str, str, str, str]]:
    """name, ours, theirs with ratio, goal, mark."""
    import albumentations as B
    import ferraug as A

    peers.stand_in_torch()
    for pipeline in PIPELINES:
        if not wanted.search(pipeline.name):
            continue
        data = pipeline.data()
        calls = pipeline.calls // 2 if quick else pipeline.calls
        found = []
        results = []
        for name, lib in (("ferraug", A), ("albumentations", B)):
            seed = fair_seed(pipeline, lib, data, calls)
            composed = pipeline.compose(lib, seed=seed)
            results.append(composed(**data))

            if pipeline.tensor:  # Albumentations' tensor is a transposed view until somebody reads it in order
                call = lambda c=composed: peers.contiguous(c(**data)["image"])  # noqa: E731
            else:
                call = lambda c=composed: c(**data)  # noqa: E731
            reset = lambda c=composed, s=seed: c.set_random_seed(s)  # noqa: E731
            found.append(Contender(name, call, reset, calls))
        check(pipeline, *results)
        figures = interleave(found, rounds, 0)
        ours, albu = figures["ferraug"].best, figures["albumentations"].best
        goal = pipeline.goal if best_level else 1.0
        mark = "✓" if albu / ours >= goal else "✗"
        if ours > pipeline.limit:
            mark += f" (over {pipeline.limit:g} µs)"
        yield (
            f"{pipeline.name}: {pipeline.what}", f"{ours:,.1f} µs", f"{albu:,.0f} µs = {albu / ours:.1f}×",
            f"≥ {goal:g}×, ≤ {pipeline.limit:g} µs", mark,
        )  # fmt: skip
