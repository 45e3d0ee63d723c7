"""A marked spot, its keypoint and its box stay together, through every transform and every composition of three."""

from __future__ import annotations

import itertools
from typing import Any

import ferraug as F
import numpy as np
import pytest
from catalogue import ROWS, Row
from samples_calls import transform

HIDING = ("CoarseDropout", "Equalize", "GaussNoise", "InvertImg", "Normalize")  # padding or holes look like spots then
H, W = 80, 100
RADIUS = 4
X, Y = 55, 38  # in the middle part, so that most transforms keep it; off centre, so that mirrors show
MARKED = [row for row in ROWS if row.delta is not None]
MOVERS = [row for row in MARKED if row.kind == "dual" and row.name != "NoOp"]


def scene() -> dict[str, Any]:
    """A bright spot on black (as fills are), in image and mask, with its centre and its box."""
    y, x = np.mgrid[:H, :W]
    inside = (x - X) ** 2 + (y - Y) ** 2 <= RADIUS**2
    image = np.zeros((H, W, 3), np.uint8)
    image[inside] = 220
    mask = inside.astype(np.uint8)
    box = (X - RADIUS, Y - RADIUS, X + RADIUS + 1, Y + RADIUS + 1)  # edges
    return {
        "image": image, "mask": mask, "bboxes": np.array([box], float), "label": [1],
        "keypoints": np.array([[X, Y, 0, 1]], float), "name": ["spot"],
    }  # fmt: skip


def make(rows: tuple[Row, ...]) -> Any:
    return F.Compose(
        [transform(row, row.delta or {}) for row in rows],
        bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]),
        keypoint_params=F.KeypointParams("xyas", label_fields=["name"]),
        seed=5,
    )


def centre(weight: np.ndarray) -> tuple[float, float]:
    total = weight.sum()
    return float((weight.sum(0) * np.arange(weight.shape[1])).sum() / total), float(
        (weight.sum(1) * np.arange(weight.shape[0])).sum() / total
    )


def whole(mask: np.ndarray) -> bool:
    """Whether the spot is in the picture and not cut by its edge."""
    return bool(mask.any()) and not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def slack(ops: list[tuple[Any, ...]]) -> tuple[float, float, float]:
    """How far points may be from the image, the mask, and boxes.

    1 px + |scale − 1|/2 for one transform: a resize multiplies points as 2.0.8 does (x·s, not (x + ½)·s − ½). Each further
    one adds its own |scale − 1|/2, enlarged by those that follow, and on masks the pixel that NEAREST rounds away. Through
    a Field a point becomes a whole pixel, and boxes are rasters whose last pixel counts (D41); the cells that the spot
    lies in stretch by up to a fifth more than its middle.
    """
    image, mask, size, aside = 0.0, 0.0, (W, H), 0
    for op in ops:
        aside += (op[0] == "aside") - (op[0] == "join")
        if aside:
            continue  # the image comes back to its size, nothing else moves
        if op[0] == "resize":
            factor = max(op[1] / size[0], op[2] / size[1])
            image = image * factor + abs(factor - 1) / 2
            mask = mask * max(1.0, factor) + 1
            if len(op) > 6 and op[6]:  # points go by the factor before the size was rounded
                image += max(abs(op[6][0] * size[0] - op[1]), abs(op[6][1] * size[1] - op[2]))
        if op[0] == "warp":
            factor = {"affine": lambda map: max(map[7], 1.0), "homography": lambda map: max(map[10], 1.0)}.get(
                op[1][0], lambda map: 1.3
            )(op[1])
            image, mask = image * factor, mask * factor + 1
        if op[0] in ("resize", "crop", "pad", "orient"):
            size = {"resize": op[1:3], "crop": op[3:5], "pad": op[3:5], "orient": op[2:4]}[op[0]]
    field = sum(op[0] == "warp" and op[1][0] == "axes" for op in ops)
    return 1 + image + field, max(1.0, mask) + image + field, 1 + image + field


def clear(result: dict[str, Any]) -> bool:
    """Whether neither spot nor box was cut."""
    h, w = result["mask"].shape
    if not whole(result["mask"]) or len(result["bboxes"]) != 1:
        return False
    x0, y0, x1, y1 = np.asarray(result["bboxes"], float)[0]
    return bool(x0 > 0 and y0 > 0 and x1 < w and y1 < h)


def check(result: dict[str, Any], ops: list[tuple[Any, ...]], what: str, by_image: bool) -> bool:
    """False if the spot left the picture."""
    mask = result["mask"]
    if not whole(mask) or (len(result["keypoints"]) == 0 and any(op[0] == "paint" for op in ops)):
        return False
    assert len(result["keypoints"]) == 1, f"{what}: the spot is whole, its point is gone"
    assert len(result["bboxes"]) == 1, f"{what}: the spot is whole, its box is gone"
    assert list(result["label"]) == [1] and list(result["name"]) == ["spot"]
    px, py = np.asarray(result["keypoints"], float)[0, :2]
    of_image, of_mask, of_box = slack(ops)
    mx, my = centre(mask.astype(float))
    assert max(abs(mx - px), abs(my - py)) <= of_mask, (
        f"{what}: mask at {mx:.2f}, {my:.2f}, point at {px:.2f}, {py:.2f}, {ops}"
    )
    x0, y0, x1, y1 = np.asarray(result["bboxes"], float)[0]
    bx, by = (x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5  # edges to pixel centres
    if not any(op[0] == "paint" for op in ops):
        assert max(abs(bx - px), abs(by - py)) <= of_box, (
            f"{what}: box about {bx:.2f}, {by:.2f}, point at {px:.2f}, {py:.2f}, {ops}"
        )
        ys, xs = np.nonzero(mask)
        over = of_mask + of_box - 1
        assert x0 <= xs.min() + over and y0 <= ys.min() + over, f"{what}: the box does not hold the mask, {ops}"
        assert x1 >= xs.max() + 1 - over and y1 >= ys.max() + 1 - over, f"{what}: the box does not hold the mask, {ops}"
    if by_image:
        image = result["image"].astype(float)
        if image.ndim == 3:
            image = image.sum(-1)
        apart = np.abs(image - np.median(image))
        apart[apart < 0.5 * apart.max()] = 0
        ix, iy = centre(apart)
        assert max(abs(ix - px), abs(iy - py)) <= of_image, (
            f"{what}: image at {ix:.2f}, {iy:.2f}, point at {px:.2f}, {py:.2f}, {ops}"
        )
    return True


@pytest.mark.parametrize("row", MARKED, ids=lambda row: row.name)
def test_one(row: Row) -> None:
    pipe = make((row,))
    seen = 0
    for key in range(20):
        result, record = pipe.run(scene(), key=key, record=True)
        seen += check(result, record["ops"], f"{row.name} key {key}", row.name != "CoarseDropout")
    assert seen >= 6, f"the spot stayed whole in {seen} of 20 calls only"


@pytest.mark.parametrize("first", MARKED, ids=lambda row: row.name)
def test_every_composition_of_three(first: Row) -> None:
    """Transforms of values do not move anything: one of them stands for all but where it comes first."""
    others = [*MOVERS, next(row for row in MARKED if row.name == "GaussianBlur")]
    base = scene()
    seen = 0
    for second, third in itertools.product(others, others):
        rows = (first, second, third)
        names = " > ".join(row.name for row in rows)
        pictured = not any(row.name in HIDING for row in rows)
        try:
            result, record = make(rows).run(dict(base), key=len(names), record=True)
        except F.CropSizeError:  # a crop about the box left less than a later crop wants
            assert any(row.name == "BBoxSafeRandomCrop" for row in rows), names
            continue
        try:
            seen += check(result, record["ops"], names, pictured)
        except AssertionError:
            if all(clear(make(rows[:n]).run(dict(base), key=len(names))) for n in (1, 2, 3)):
                raise  # nothing was cut on the way
    assert seen >= 0.5 * len(others) ** 2
