"""Lines, boxes, polygons, discs and text on an RGB array, in plain NumPy: enough for a contact sheet.

Coordinates are pixel edges of the array drawn on. Everything is clipped to it; nothing is antialiased, so that a test
can read a rectangle back from the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets import fill
from .font import ADVANCE, HEIGHT, glyph

Color = tuple[int, int, int]
Image = NDArray[np.uint8]

DARK: Color = (16, 16, 16)
RED: Color = (226, 38, 38)

#: twenty colours that stay apart for the colour-blind (Okabe and Ito's eight, then lighter and darker ones)
PALETTE: tuple[Color, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (74, 144, 226), (213, 94, 0), (204, 121, 167),
    (220, 220, 220), (255, 200, 120), (150, 215, 255), (110, 220, 180), (250, 245, 150), (130, 160, 255),
    (255, 150, 90), (240, 175, 210), (170, 110, 0), (30, 120, 180), (0, 110, 80), (190, 170, 0), (150, 60, 110),
)  # fmt: skip


def fill_rect(image: Image, x0: int, y0: int, x1: int, y1: int, color: Color) -> None:
    """Pixels x0 <= x < x1, y0 <= y < y1."""
    h, w = image.shape[:2]
    image[max(y0, 0) : min(max(y1, 0), h), max(x0, 0) : min(max(x1, 0), w)] = color


def box(image: Image, edges: Sequence[float], color: Color, dashed: bool = False) -> None:
    """An outline of 2 px inside the edges with a dark edge of 1 px within."""
    x0, y0, x1, y1 = (round(v) for v in edges)
    x1, y1 = max(x1, x0 + 2), max(y1, y0 + 2)
    for inset, thick, ink in ((2, 1, DARK), (0, 2, color)):
        if inset and (x1 - x0 <= 6 or y1 - y0 <= 6):
            continue
        a, b, c, d = x0 + inset, y0 + inset, x1 - inset, y1 - inset
        step = 6 if dashed else max(c - a, d - b, 1)
        for start in range(0, max(c - a, d - b), 2 * step if dashed else step):
            fill_rect(image, a + start, b, min(a + start + step, c), b + thick, ink)
            fill_rect(image, a + start, d - thick, min(a + start + step, c), d, ink)
            fill_rect(image, a, b + start, a + thick, min(b + start + step, d), ink)
            fill_rect(image, c - thick, b + start, c, min(b + start + step, d), ink)


def line(image: Image, a: tuple[float, float], b: tuple[float, float], color: Color, thick: int = 2) -> None:
    """A stroke of square dots between two points."""
    h, w = image.shape[:2]
    length = math.ceil(max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1.0))
    if length > 16 * (h + w):
        return
    steps = np.linspace(0.0, 1.0, length + 1)
    xs = np.floor(a[0] + steps * (b[0] - a[0]) - (thick - 1) / 2).astype(np.int64)
    ys = np.floor(a[1] + steps * (b[1] - a[1]) - (thick - 1) / 2).astype(np.int64)
    for dy in range(thick):
        for dx in range(thick):
            px, py = xs + dx, ys + dy
            keep = (px >= 0) & (px < w) & (py >= 0) & (py < h)
            image[py[keep], px[keep]] = color


def outline(image: Image, points: Sequence[tuple[float, float]], color: Color) -> None:
    """A closed polygon: dark edge, then colour."""
    for thick, ink in ((4, DARK), (2, color)):
        for i, point in enumerate(points):
            line(image, points[i - 1], point, ink, thick)


def blend(image: Image, mask: NDArray[np.bool_], color: Color, share: float = 0.35) -> None:
    """`color` over the masked pixels."""
    ink = np.array(color, np.float32) * share
    image[mask] = (image[mask] * np.float32(1 - share) + ink + np.float32(0.5)).astype(np.uint8)


def polygon_mask(shape: tuple[int, int], parts: Sequence[Sequence[tuple[float, float]]]) -> NDArray[np.bool_]:
    """Pixels whose centre lies inside an odd number of edges."""
    return fill.polygon_mask(shape, [[v for point in part for v in point] for part in parts])


def disc(image: Image, x: float, y: float, radius: float, color: Color, ring: bool = False) -> None:
    """A keypoint: a disc with a dark edge, or a ring for one that is hidden."""
    h, w = image.shape[:2]
    reach = math.ceil(radius + 2)
    x0, x1 = max(math.floor(x) - reach, 0), min(math.floor(x) + reach + 1, w)
    y0, y1 = max(math.floor(y) - reach, 0), min(math.floor(y) + reach + 1, h)
    if x0 >= x1 or y0 >= y1:
        return
    ys, xs = np.mgrid[y0:y1, x0:x1]
    far = np.sqrt((xs + 0.5 - x) ** 2 + (ys + 0.5 - y) ** 2)
    part = image[y0:y1, x0:x1]
    part[far <= radius + 1] = DARK
    part[(far <= radius) & ((far > radius - 1.5) if ring else True)] = color


def text(image: Image, x: int, y: int, words: str, color: Color, scale: int = 1) -> int:
    """Text with its top left corner at (x, y); returns where it ends."""
    for char in words:
        for column, bits in enumerate(glyph(char)):
            for row in range(HEIGHT):
                if bits >> row & 1:
                    left, top = x + column * scale, y + row * scale
                    fill_rect(image, left, top, left + scale, top + scale, color)
        x += ADVANCE * scale
    return x


def chip(image: Image, edges: Sequence[float], words: str, color: Color) -> None:
    """A name at the top left of a box, above it or inside if there is no room."""
    h, w = image.shape[:2]
    width, height = len(words) * ADVANCE + 3, HEIGHT + 4
    x = min(max(round(edges[0]), 0), max(w - width, 0))
    y = round(edges[1]) - height
    if y < 0:
        y = max(round(edges[1]), 0)
    fill_rect(image, x, y, x + width, y + height, color)
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    text(image, x + 2, y + 2, words, (0, 0, 0) if luma > 110 else (255, 255, 255))


def shrink(image: Image, w: int, h: int) -> Image:
    """The image at w x h: whole-pixel averages first, then bilinear, so that fine detail does not alias."""
    while image.shape[0] >= 2 * h and image.shape[1] >= 2 * w:
        even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2].astype(np.uint16)
        image = ((even[0::2, 0::2] + even[0::2, 1::2] + even[1::2, 0::2] + even[1::2, 1::2] + 2) >> 2).astype(np.uint8)
    if image.shape[:2] == (h, w):
        return image
    ys = np.clip((np.arange(h) + 0.5) * image.shape[0] / h - 0.5, 0, image.shape[0] - 1)
    xs = np.clip((np.arange(w) + 0.5) * image.shape[1] / w - 0.5, 0, image.shape[1] - 1)
    y0, x0 = ys.astype(np.int64), xs.astype(np.int64)
    y1, x1 = np.minimum(y0 + 1, image.shape[0] - 1), np.minimum(x0 + 1, image.shape[1] - 1)
    fy, fx = (ys - y0)[:, None, None], (xs - x0)[None, :, None]
    data: Any = image.astype(np.float64)
    top = data[y0][:, x0] * (1 - fx) + data[y0][:, x1] * fx
    low = data[y1][:, x0] * (1 - fx) + data[y1][:, x1] * fx
    return np.asarray(np.floor(top * (1 - fy) + low * fy + 0.5), np.uint8)
