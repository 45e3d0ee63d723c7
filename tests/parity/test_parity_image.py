"""Pixels: every variant of the catalogue against Albumentations 2.0.8, on photographs and noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from catalogue import Row, Variant, case_id, cases
from compare import close
from fed import both

from samples import H, W, labels, noise, shape_of

PARITY = [(row, variant) for row, variant in cases() if not variant.differs]


def needs(row: Row, data: dict[str, Any], h: int = H, w: int = W) -> dict[str, Any]:
    """Adds what the transform asks for; says the box parameters."""
    if "mask" in row.needs:
        data["mask"] = labels(h, w)
    if "bboxes" in row.needs:
        data["bboxes"] = np.array([[20.0, 15, 40, 33], [31, 20, 60, 50]])
        return {"bbox": {"format": "pascal_voc"}}
    return {}


def whole(row: Row, got: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns of both that OpenCV computes in whole vectors."""
    if got.dtype != np.uint8:
        return got, want
    n = got.shape[1] // row.vector * row.vector
    return got[:, :n], want[:, :n]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize(("row", "variant"), PARITY, ids=case_id)
def test_noise_on_every_number_of_channels(row: Row, variant: Variant, dtype: str) -> None:
    if dtype not in (variant.dtypes or row.dtypes):
        pytest.skip("another dtype's variant")
    for channels in variant.channels or row.channels:
        data = {"image": noise(shape_of(H, W, channels), dtype)}
        got, want, record = both(row.name, variant.of(dtype), data, **needs(row, data))
        close(*whole(row, got["image"], want["image"]), variant.tol or row.tol, f"{channels} channels, {record['ops']}"[:400])


@pytest.mark.parametrize(("row", "variant"), PARITY, ids=case_id)
def test_photographs(row: Row, variant: Variant, photos: list[np.ndarray]) -> None:
    if 3 not in (variant.channels or row.channels):
        pytest.skip("not for colours")
    for number, photo in enumerate(photos):
        part = np.ascontiguousarray(photo[100 : 100 + H, 150 : 150 + W])
        for image in (part, (part / np.float32(255)).astype(np.float32)):
            if str(image.dtype) not in (variant.dtypes or row.dtypes):
                continue
            data = {"image": image}
            got, want, record = both(row.name, variant.of(str(image.dtype)), data, **needs(row, data), key=number)
            close(*whole(row, got["image"], want["image"]), variant.tol or row.tol, f"photo {number}, {record['ops']}"[:400])
