"""Data that several folders share: photographs, noise, boxes, keypoints."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

DATA = Path(os.environ.get("FERRAUG_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


@pytest.fixture(scope="session")
def photos() -> list[np.ndarray]:
    """RGB photographs, uint8."""
    image = pytest.importorskip("PIL.Image", reason="Pillow reads the photographs")
    paths = [DATA / "photos" / name for name in ("astronaut.png", "chelsea.png", "rocket.jpg")]
    if not all(path.exists() for path in paths):
        pytest.skip(f"no photographs in {DATA / 'photos'} (set FERRAUG_DATA)")
    return [np.asarray(image.open(path).convert("RGB")) for path in paths]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Warnings about gray images, slow classes and the like are not what these tests look at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
