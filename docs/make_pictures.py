#!/usr/bin/env python3
"""Makes the pictures of the README and of docs/ with the library alone: its codecs, its transforms, its drawing.

    .venv/bin/python docs/make_pictures.py

The photographs and their annotations are those of samples/. Equal versions make equal files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import ferraug as A
from ferraug import _core
from ferraug.cli import raster

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "samples" / "pets-and-space"
SIDE, GAP, LINE = 256, 6, 14
GROUND, INK = 255, (40, 40, 40)


class Set:
    """The sample set: photographs, and the objects on each."""

    def __init__(self) -> None:
        self.coco = json.loads((SAMPLES / "annotations.json").read_bytes())
        self.names = {c["id"]: c["name"] for c in self.coco["categories"]}

    def open(self, file_name: str) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """The pixels and the annotations of a photograph."""
        image, _ = _core.decode((SAMPLES / "images" / file_name).read_bytes())
        number = next(i["id"] for i in self.coco["images"] if i["file_name"] == file_name)
        return image, [a for a in self.coco["annotations"] if a["image_id"] == number and not a["iscrowd"]]


def color(number: int) -> tuple[int, int, int]:
    """The colour of a class."""
    return raster.PALETTE[(number - 1) % len(raster.PALETTE)]


def cell(image: np.ndarray, caption: str) -> np.ndarray:
    """A picture over its caption, on white."""
    canvas = np.full((SIDE + LINE, SIDE, 3), GROUND, np.uint8)
    h, w = image.shape[:2]
    canvas[:h, :w] = image
    raster.text(canvas, 1, h + 4, caption, INK)
    return canvas


def grid(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Cells side by side, rows below each other."""
    between = np.full((SIDE + LINE, GAP, 3), GROUND, np.uint8)
    lines = []
    for row in rows:
        parts = [part for each in row for part in (each, between)]
        lines.append(np.concatenate(parts[:-1], axis=1))
    return np.concatenate(lines, axis=0)


def boxed(image: np.ndarray, boxes: Any, categories: Any, names: dict[int, str]) -> np.ndarray:
    """A copy with COCO boxes and class names drawn in."""
    image = np.ascontiguousarray(image).copy()
    edges = [(x, y, x + w, y + h) for x, y, w, h in boxes]
    for box, number in zip(edges, categories, strict=True):
        raster.box(image, box, color(number))
    for box, number in zip(edges, categories, strict=True):
        raster.chip(image, box, names[number], color(number))
    return image


def seed_example(samples: Set) -> np.ndarray:
    """Two photographs, each with four results of the pipeline of the README."""
    transform = A.Compose(
        [
            A.RandomCrop(width=256, height=256),
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(brightness_limit=0.5, contrast_limit=0.3),
            A.Rotate(),
        ],
        bbox_params=A.BboxParams(format="coco", label_fields=["category_ids"]),
        seed=23,
    )
    shrink = A.Compose(
        [A.LongestMaxSize(SIDE, area_for_downscale="image")],
        bbox_params=A.BboxParams(format="coco", label_fields=["category_ids"]),
    )
    rows = []
    for n, name in enumerate(("astronaut.jpg", "chelsea.jpg")):
        image, objects = samples.open(name)
        data = {
            "image": image,
            "bboxes": [a["bbox"] for a in objects],
            "category_ids": [a["category_id"] for a in objects],
        }
        before = shrink(**data)
        row = [(before, f"{name} {image.shape[1]}x{image.shape[0]}")]
        row += [(transform.run(data, key=(n, i)), f"key=({n}, {i})") for i in range(4)]
        cells = []
        for out, caption in row:
            assert isinstance(out, dict)
            cells.append(cell(boxed(out["image"], out["bboxes"], out["category_ids"], samples.names), caption))
        rows.append(cells)
    return grid(rows)


def targets(samples: Set) -> np.ndarray:
    """One call with image, mask, box and keypoints; each cell is one transform."""
    image, objects = samples.open("astronaut.jpg")
    person = objects[0]
    ring = person["segmentation"][0]
    mask = raster.polygon_mask(image.shape[:2], [list(zip(ring[0::2], ring[1::2], strict=True))]).astype(np.uint8)
    points = np.array(person["keypoints"], np.float64).reshape(-1, 3)[:, :2]
    transforms = [
        ("as it is", A.NoOp(p=1)),
        ("HorizontalFlip", A.HorizontalFlip(p=1)),
        ("Affine", A.Affine(rotate=(20, 20), scale=(0.7, 0.7), shear=(10, 10), p=1)),
        ("Perspective", A.Perspective(scale=(0.12, 0.12), p=1)),
        ("GridDistortion", A.GridDistortion(distort_limit=0.6, p=1)),
    ]
    cells = []
    for name, transform in transforms:
        pipeline = A.Compose(
            [A.LongestMaxSize(SIDE, area_for_downscale="image"), transform],
            bbox_params=A.BboxParams(format="coco"),
            keypoint_params=A.KeypointParams(format="xy"),
            seed=3,
        )
        out = pipeline(image=image, mask=mask, bboxes=[person["bbox"]], keypoints=points)
        shown = out["image"].copy()
        raster.blend(shown, out["mask"] > 0, color(3), 0.45)
        for x, y, w, h in out["bboxes"]:
            raster.box(shown, (x, y, x + w, y + h), color(1))
        for x, y in out["keypoints"]:
            raster.disc(shown, x + 0.5, y + 0.5, 3, color(2))
        cells.append(cell(shown, name))
    return grid([cells])


def main() -> None:
    samples = Set()
    for name, make in (("seed-example", seed_example), ("targets", targets)):
        path = HERE / "pictures" / f"{name}.jpg"
        path.write_bytes(_core.encode_jpeg(np.ascontiguousarray(make(samples)), 88, 444))
        print(f"{path}: {path.stat().st_size >> 10} KB")


if __name__ == "__main__":
    main()
