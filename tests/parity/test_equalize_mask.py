"""Equalize with a mask: an array or a function says which pixels are counted."""

from __future__ import annotations

from typing import Any

import albumentations as A
import numpy as np
import pytest

import ferraug as F
from samples import noise


def masks() -> list[np.ndarray]:
    one = np.zeros((50, 64), np.uint8)
    one[10:30, 5:40] = 1
    return [one, one > 0, np.dstack([one, np.roll(one, 5, 0), np.roll(one, 9, 1)])]


@pytest.mark.parametrize("mode", ["cv", "pil"])
@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("by_channels", [True, False])
def test_an_array_as_2_0_8(mode: str, which: int, by_channels: bool) -> None:
    mask = masks()[which]
    if mask.ndim == 3 and not by_channels:
        with pytest.raises(ValueError, match="mask has 3 channels"):
            F.Equalize(mask=mask, by_channels=False, p=1)(image=noise((50, 64, 3)))
        return
    image = noise((50, 64, 3)) // 2
    args: dict[str, Any] = {"mode": mode, "by_channels": by_channels, "p": 1}
    got = F.Equalize(mask=mask, **args)(image=image)["image"]
    # 2.0.8 writes into the caller's image, and takes no bool masks.
    want = A.Equalize(mask=mask.astype(np.uint8), **args)(image=image.copy())["image"]
    assert np.array_equal(got, want)
    assert not np.array_equal(got, F.Equalize(**args)(image=image)["image"])


def brighter(image: np.ndarray, level: int) -> np.ndarray:
    return (image[..., 0] > level).astype(np.uint8)


def test_a_function_sees_the_image_as_it_is_then() -> None:
    image = noise((50, 64, 3))
    ours = F.Compose([F.HorizontalFlip(p=1), F.Equalize(mask=brighter, mask_params=["level"], p=1)])
    theirs = A.Compose([A.HorizontalFlip(p=1), A.Equalize(mask=brighter, mask_params=["level"], p=1)])
    assert np.array_equal(ours(image=image, level=100)["image"], theirs(image=image.copy(), level=100)["image"])
    with pytest.raises(KeyError, match="level"):
        ours(image=image)


def test_a_mask_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"mask: \(9, 64, 1\) does not fit the image \(50, 64, 3\)"):
        F.Equalize(mask=masks()[0][:9], p=1)(image=noise((50, 64, 3)))
    with pytest.raises(TypeError, match="array, a function or None"):
        F.Equalize(mask="x")
