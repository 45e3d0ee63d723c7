"""Calls that fit a row of the catalogue."""

from __future__ import annotations

from typing import Any

import ferraug as F
import numpy as np
from catalogue import Row, Variant

from samples import H, W, labels, noise, shape_of

BOXES = np.array([[20.0, 15, 40, 33], [31, 20, 60, 50], [2, 3, 78, 60]])
POINTS = np.array([[30.0, 30, 10, 1], [40, 22, 300, 2], [5, 50, 90, 3]])


def transform(row: Row, args: dict[str, Any]) -> Any:
    return getattr(F, row.name)(**args, p=1)


def pipeline(children: list[Any], rows: bool = True, seed: int = 77, **extra: Any) -> Any:
    """A Compose over boxes with labels and keypoints with names."""
    if not rows:
        return F.Compose(children, seed=seed, **extra)
    return F.Compose(
        children,
        bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]),
        keypoint_params=F.KeypointParams("xyas", label_fields=["name"]),
        seed=seed,
        **extra,
    )


def channels_of(row: Row, variant: Variant) -> int:
    """3 if the variant takes it, else the first it takes."""
    allowed = variant.channels or row.channels
    return 3 if 3 in allowed else allowed[0]


def call(
    row: Row, variant: Variant, dtype: str = "uint8", rows: bool = True, channels: int | None = None
) -> dict[str, Any]:
    """Data for one call."""
    c = channels_of(row, variant) if channels is None else channels
    data: dict[str, Any] = {"image": noise(shape_of(H, W, c), dtype), "mask": labels(H, W)}
    if rows:
        data |= {
            "bboxes": BOXES.copy(), "label": np.arange(len(BOXES)), "keypoints": POINTS.copy(), "name": list("abc"),
        }  # fmt: skip
    return data


def arrays(result: dict[str, Any]) -> dict[str, np.ndarray]:
    """Everything in a result as arrays, to compare bit for bit."""
    return {key: np.asarray(value) for key, value in result.items()}


def assert_equal(got: dict[str, Any], want: dict[str, Any], what: str = "") -> None:
    """Equal keys, dtypes and bits."""
    assert list(got) == list(want), what
    for key, value in arrays(want).items():
        ours = np.asarray(got[key])
        assert ours.dtype == value.dtype and ours.shape == value.shape, (
            f"{what} {key}: {ours.dtype}{ours.shape} {value.dtype}{value.shape}"
        )
        assert ours.tobytes() == value.tobytes(), f"{what} {key} differs"
