"""Boxes and keypoints: every variant of every transform that moves something, in every format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from catalogue import Row, Variant, case_id, cases
from compare import same_rows
from fed import both

from samples import H, W, labels, noise

DUAL = [(row, variant) for row, variant in cases(("dual",)) if variant.rows and variant.differs in ("", "D1", "noise")]
TURN = 360.0


def boxes(h: int, w: int, count: int = 9, seed: int = 3) -> np.ndarray:
    """Boxes of all sizes, one over the whole image, some at its edges; pascal_voc."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, w, (count, 2)), axis=1)
    y = np.sort(rng.uniform(0, h, (count, 2)), axis=1)
    x[:, 1] = np.maximum(x[:, 1], x[:, 0] + 1.5).clip(max=w)
    y[:, 1] = np.maximum(y[:, 1], y[:, 0] + 1.5).clip(max=h)
    rows = np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)
    rows[0], rows[1], rows[2] = (0, 0, w, h), (0, 5, 7, 20), (w - 9, h - 6, w, h)
    return rows


def as_format(rows: np.ndarray, form: str, h: int, w: int) -> np.ndarray:
    """pascal_voc rows in another format."""
    x0, y0, x1, y1 = rows.T
    if form == "coco":
        return np.stack([x0, y0, x1 - x0, y1 - y0], axis=1)
    if form == "albumentations":
        return np.stack([x0 / w, y0 / h, x1 / w, y1 / h], axis=1)
    if form == "yolo":
        return np.stack([(x0 + x1) / 2 / w, (y0 + y1) / 2 / h, (x1 - x0) / w, (y1 - y0) / h], axis=1)
    return rows


def points(h: int, w: int, count: int = 12, seed: int = 5) -> np.ndarray:
    """x y angle scale, one in each corner and many within."""
    rng = np.random.default_rng(seed)
    rows = np.stack(
        [
            rng.uniform(0, w - 1, count),
            rng.uniform(0, h - 1, count),
            rng.uniform(0, 359, count),
            rng.uniform(0.5, 9, count),
        ],
        axis=1,
    )
    rows[:4, :2] = (0, 0), (w - 1, 0), (0, h - 1), (w - 1, h - 1)
    return rows


def inputs(row: Row, h: int = H, w: int = W) -> dict[str, Any]:
    data: dict[str, Any] = {"image": noise((h, w, 3))}
    if "mask" in row.needs:
        data["mask"] = labels(h, w)
    return data


@pytest.mark.parametrize("form", ["pascal_voc", "coco", "albumentations", "yolo"])
@pytest.mark.parametrize(("row", "variant"), DUAL, ids=case_id)
def test_boxes(row: Row, variant: Variant, form: str) -> None:
    rows = boxes(H, W)
    if row.name == "CoarseDropout" and form == "yolo":
        rows[:, :2] += 0.3  # 2.0.8 cuts edges to whole pixels, and 72 may come out of its yolo numbers as 71.999996
    rows = as_format(rows, form, H, W)
    data = {**inputs(row), "bboxes": rows, "label": np.arange(len(rows))}
    bbox = {
        "format": form,
        "label_fields": ["label"],
        "min_area": 1e-3,
    }  # 2.0.8 keeps boxes of no area until the next filter
    got, want, record = both(row.name, variant.args, data, bbox=bbox)
    h, w = want["image"].shape[:2]
    side = max(h, w)
    pixel = max(1e-4, 2e-7 * side)  # 2.0.8 keeps boxes in float32 of the normalised value
    unit = {"albumentations": (w, h, w, h), "yolo": (w, h, w, h)}.get(form, (1, 1, 1, 1))
    scale = np.array([*unit, 1.0])
    ours = np.column_stack([got["bboxes"], got["label"]]) * scale if len(got["bboxes"]) else np.zeros((0, 5))
    theirs = np.column_stack([want["bboxes"], want["label"]]) * scale if len(want["bboxes"]) else np.zeros((0, 5))
    same_rows(ours, theirs, np.array([pixel] * 4 + [0]), f"boxes after {record['ops']}"[:300])


@pytest.mark.parametrize(("row", "variant"), DUAL, ids=case_id)
def test_keypoints(row: Row, variant: Variant) -> None:
    rows = points(H, W)
    data = {**inputs(row), "keypoints": rows, "name": np.arange(len(rows))}
    if "bboxes" in row.needs:
        data["bboxes"] = boxes(H, W)[3:5]
    bbox = {"format": "pascal_voc"} if "bboxes" in data else None
    got, want, record = both(
        row.name, variant.args, data, bbox=bbox, keypoint={"format": "xyas", "label_fields": ["name"]}
    )
    side = max(want["image"].shape[:2])
    pixel = max(1e-4, 2e-7 * side)
    tol = np.array(
        [pixel, pixel, 2e-3, 2e-5, 0]
    )  # angles are float32 radians there, then degrees: 360 · 6e-8 and sums of it
    ours = np.column_stack([got["keypoints"], got["name"]]) if len(got["keypoints"]) else np.zeros((0, 5))
    theirs = np.column_stack([want["keypoints"], want["name"]]) if len(want["keypoints"]) else np.zeros((0, 5))
    same_rows(ours, theirs, tol, f"points after {record['ops']}"[:300], {2: TURN})


FORMATS = {
    "xy": (0, 1),
    "yx": (1, 0),
    "xya": (0, 1, 2),
    "xys": (0, 1, 3),
    "xyas": (0, 1, 2, 3),
    "xysa": (0, 1, 3, 2),
    "xyz": (0, 1, 2),
}


@pytest.mark.parametrize("degrees", [True, False])
@pytest.mark.parametrize("form", list(FORMATS))
@pytest.mark.parametrize(
    ("name", "args"), [("HorizontalFlip", {}), ("Rotate", {"limit": (31, 31)}), ("Resize", {"height": 90, "width": 70})]
)
def test_keypoint_formats(name: str, args: dict[str, Any], form: str, degrees: bool) -> None:
    rows = points(H, W)
    rows[:, 2] = rows[:, 2] % (3 if form == "xyz" else 360)  # 2.0.8 checks no depth without a volume
    if not degrees and form != "xyz":
        rows[:, 2] = np.deg2rad(rows[:, 2])
    rows = rows[:, FORMATS[form]]
    data = {"image": noise((H, W, 3)), "keypoints": rows}
    got, want, _ = both(
        name, args, data, keypoint={"format": form, "angle_in_degrees": degrees, "remove_invisible": form != "xyz"}
    )
    ours, theirs = np.asarray(got["keypoints"]), np.asarray(want["keypoints"])
    angle = form.find("a")
    period = {} if angle < 0 else {angle: 360.0 if degrees else 2 * np.pi}
    tol = np.full(rows.shape[1], 1e-4)
    if angle >= 0:
        tol[angle] = 2e-3  # as above
    assert ours.dtype == theirs.dtype
    same_rows(ours, theirs, tol, form, period)


@pytest.mark.parametrize("remove_invisible", [True, False])
@pytest.mark.parametrize(
    ("name", "args"), [("CenterCrop", {"height": 30, "width": 40}), ("Affine", {"scale": (1.6, 1.6)})]
)
def test_invisible_keypoints(name: str, args: dict[str, Any], remove_invisible: bool) -> None:
    data = {"image": noise((H, W, 3)), "keypoints": points(H, W, 40)}
    got, want, _ = both(name, args, data, keypoint={"format": "xyas", "remove_invisible": remove_invisible})
    assert len(want["keypoints"]) < 40 or not remove_invisible
    same_rows(got["keypoints"], want["keypoints"], np.array([1e-4, 1e-4, 2e-3, 2e-5]), "points", {2: TURN})


@pytest.mark.parametrize(
    "limits",
    [
        {"min_area": 150.0}, {"min_visibility": 0.4}, {"min_width": 11.0}, {"min_height": 9.0}, {"max_accept_ratio": 2.0},
        {"min_area": 1e-3, "check_each_transform": False}, {"min_area": 40.0, "min_visibility": 0.2, "min_width": 4.0},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "args"), [("CenterCrop", {"height": 30, "width": 40}), ("Rotate", {"limit": (40, 40)})]
)
def test_box_limits(name: str, args: dict[str, Any], limits: dict[str, Any]) -> None:
    rows = boxes(H, W, 60, 8)
    data = {"image": noise((H, W, 3)), "bboxes": rows, "label": np.arange(60)}
    got, want, _ = both(name, args, data, bbox={"format": "pascal_voc", "label_fields": ["label"], **limits})
    assert 0 < len(want["bboxes"]) < 60
    same_rows(
        np.column_stack([got["bboxes"], got["label"]]), np.column_stack([want["bboxes"], want["label"]]),
        np.array([1e-4] * 4 + [0]), str(limits),
    )  # fmt: skip


@pytest.mark.parametrize(("clip", "filter_invalid"), [(True, True)])
@pytest.mark.parametrize("form", ["pascal_voc", "coco", "yolo", "albumentations"])
def test_boxes_over_the_edge(form: str, clip: bool, filter_invalid: bool) -> None:
    rows = np.array([[-5.0, -3, 20, 30], [40, 20, W + 8, H + 2], [-9, -9, -2, -2], [10, 10, 30, 25], [30, 30, 30, 40]])
    data = {"image": noise((H, W, 3)), "bboxes": as_format(rows, form, H, W), "label": [0, 1, 2, 3, 4]}
    bbox = {
        "format": form,
        "label_fields": ["label"],
        "clip": clip,
        "filter_invalid_bboxes": filter_invalid,
        "min_area": 1e-3,
    }
    got, want, _ = both("HorizontalFlip", {}, data, bbox=bbox)
    assert list(got["label"]) == list(want["label"]) == [0, 1, 3]
    same_rows(got["bboxes"], want["bboxes"], 1e-4, form)
