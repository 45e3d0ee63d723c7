"""The images that are timed: photographs, cut or scaled to each size, contiguous."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZES = {"32": (32, 32), "256": (256, 256), "512": (512, 512), "1080p": (1080, 1920)}
ROOT = Path(__file__).resolve().parent.parent
# For each size the photograph that needs the least enlarging; the fallbacks lie in the repository.
LARGE = ("meadow_cube_25mp.jpg",)
SMALL = ("astronaut.png", "19064748793_bb942deea1_k.jpg")


def folders() -> list[Path]:
    """Where photographs may lie, best first."""
    data = os.environ.get("FERRAUG_DATA")
    return [*([Path(data) / "photos"] if data else []), ROOT.parent / "shared" / "data" / "photos", ROOT / "samples"]


def find(names: tuple[str, ...]) -> Path:
    """The first of these photographs that exists, else any photograph."""
    for folder in folders():
        for name in names:
            if (folder / name).is_file():
                return folder / name
    for folder in folders():
        found = sorted(p for p in folder.rglob("*") if p.suffix in (".jpg", ".png")) if folder.is_dir() else []
        if found:
            return found[0]
    raise SystemExit("no photographs: set FERRAUG_DATA to the data folder (the one that holds photos/)")


def fit(img: Any, h: int, w: int) -> Any:
    """Cut to the shape's proportions about the centre, then scaled to it."""
    ih, iw = img.shape[:2]
    s = min(ih / h, iw / w)
    ch, cw = min(ih, round(h * s)), min(iw, round(w * s))
    y, x = (ih - ch) // 2, (iw - cw) // 2
    cut = img[y : y + ch, x : x + cw]
    if (ch, cw) != (h, w):
        cut = cv2.resize(cut, (w, h), interpolation=cv2.INTER_AREA if s > 1 else cv2.INTER_CUBIC)
    return np.ascontiguousarray(cut)


@lru_cache
def photo(size: str) -> Any:
    """The photograph of that size, uint8 RGB."""
    h, w = SIZES[size]
    img = cv2.imread(str(find(LARGE if w > 1000 else SMALL)), cv2.IMREAD_COLOR)
    img = cv2.cvtColor(img, cv2.COLOR_BGR2RGB)
    if img.shape[0] > 4 * img.shape[1]:  # six views, one over the other: take the first
        img = img[: img.shape[0] // 6]
    return fit(img, h, w)
