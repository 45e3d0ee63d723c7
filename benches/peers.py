"""The same work in NumPy and in OpenCV, written as well as those libraries allow.

Each factory takes the image and returns a call without arguments. What does not depend on the pixels is made outside
the call wherever the peer's user could do so too.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from itertools import cycle
from typing import Any

import cv2
import numpy as np
from PIL import Image

Call = Callable[[], Any]
Factory = Callable[[Any], Call]

MEAN = np.array((0.485, 0.456, 0.406)) * 255
STD = np.array((0.229, 0.224, 0.225)) * 255


def stand_in_torch() -> str:
    """Makes `import torch` work for both libraries: the real one if installed, else a module with `from_numpy` alone."""
    if "torch" not in sys.modules:
        if importlib.util.find_spec("torch") is not None:
            import torch

            torch.set_num_threads(1)
        else:
            module = types.ModuleType("torch")
            module.Tensor = type("Tensor", (), {})  # type: ignore[attr-defined]
            module.from_numpy = lambda a: a  # type: ignore[attr-defined]
            module.__version__ = "stand-in"  # type: ignore[attr-defined]
            sys.modules["torch"] = module
    return str(sys.modules["torch"].__version__)


def contiguous(tensor: Any) -> Any:
    """A tensor, or what the stand-in gave, in its own order in memory."""
    return np.ascontiguousarray(tensor) if isinstance(tensor, np.ndarray) else tensor.contiguous()


def pil(f: Callable[[Any], Any]) -> Factory:
    """On a Pillow image made beforehand, result left as a Pillow image."""

    def factory(img: Any) -> Call:
        im = Image.fromarray(img)
        return lambda: f(im)

    return factory


# -- moves -----------------------------------------------------------------------------------------------------------


def pixels(img: Any) -> Any:
    """The image as an array of 3-byte items: NumPy moves these about twice as fast as a last axis of 3."""
    return img.view("V3")[..., 0]


def as_rgb(moved: Any) -> Any:
    return np.ascontiguousarray(moved).view(np.uint8).reshape(*moved.shape, 3)


def np_hflip(img: Any) -> Call:
    return lambda: as_rgb(pixels(img)[:, ::-1])


def np_vflip(img: Any) -> Call:
    return lambda: np.ascontiguousarray(img[::-1])


def np_transpose(img: Any) -> Call:
    return lambda: as_rgb(pixels(img).T)


def np_rot90(img: Any) -> Call:
    return lambda: as_rgb(np.rot90(pixels(img)))


def np_rot90_each(img: Any) -> Call:
    """All four in turn; the one that turns nothing is free, as in Albumentations."""
    turns = cycle((1, 3, 0, 2))
    return lambda: as_rgb(np.rot90(pixels(img), next(turns)))


def cv_rot90_each(img: Any) -> Call:
    turns = cycle((cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE, None))

    def call() -> Any:
        turn = next(turns)
        return img if turn is None else cv2.rotate(img, turn)

    return call


def np_crop(img: Any) -> Call:
    h, w = img.shape[:2]
    return lambda: img[h // 4 : h // 4 + h // 2, w // 4 : w // 4 + w // 2].copy()


def pil_crop(im: Any) -> Any:
    w, h = im.size
    return im.crop((w // 4, h // 4, w // 4 + w // 2, h // 4 + h // 2))


def margins(img: Any) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of a pad to 1.25 times."""
    h, w = img.shape[:2]
    y, x = int(h * 1.25) - h, int(w * 1.25) - w
    return y // 2, y - y // 2, x // 2, x - x // 2


def np_pad(img: Any) -> Call:
    h, w = img.shape[:2]
    t, b, l, r = margins(img)

    def call() -> Any:
        out = np.zeros((h + t + b, w + l + r, 3), np.uint8)
        out[t : t + h, l : l + w] = img
        return out

    return call


def np_pad_reflect(img: Any) -> Call:
    t, b, l, r = margins(img)
    return lambda: as_rgb(np.pad(pixels(img), ((t, b), (l, r)), mode="reflect"))


def cv_pad(border: int) -> Factory:
    def factory(img: Any) -> Call:
        t, b, l, r = margins(img)
        return lambda: cv2.copyMakeBorder(img, t, b, l, r, border)

    return factory


def np_shuffle(img: Any) -> Call:
    def call() -> Any:
        out = np.empty_like(img)
        for k, j in enumerate((2, 0, 1)):
            out[..., k] = img[..., j]
        return out

    return call


def cv_shuffle(img: Any) -> Call:
    def call() -> Any:
        out = np.empty_like(img)
        cv2.mixChannels([img], [out], (2, 0, 0, 1, 1, 2))
        return out

    return call


def np_dropout(img: Any) -> Call:
    h, w = img.shape[:2]
    hh, ww = max(h // 10, 1), max(w // 10, 1)
    rng = np.random.default_rng(0)

    def call() -> Any:
        out = img.copy()
        for y, x in zip(rng.integers(0, h - hh, 8).tolist(), rng.integers(0, w - ww, 8).tolist()):
            out[y : y + hh, x : x + ww] = 0
        return out

    return call


# -- resampling ------------------------------------------------------------------------------------------------------


def turn(img: Any, angle: float = 30.0, scale: float = 1.0) -> Any:
    """The matrix of a turn about the centre, as Albumentations centres it."""
    h, w = img.shape[:2]
    return cv2.getRotationMatrix2D((w / 2 - 0.5, h / 2 - 0.5), angle, scale)


def cv_turn(interpolation: int, border: int) -> Factory:
    def factory(img: Any) -> Call:
        h, w = img.shape[:2]
        m = turn(img)
        return lambda: cv2.warpAffine(img, m, (w, h), flags=interpolation, borderMode=border)

    return factory


def cv_affine(img: Any) -> Call:
    """One matrix for Affine and ShiftScaleRotate rows: what they compute beside the warp is their own."""
    h, w = img.shape[:2]
    m = turn(img, -20, 0.9)
    return lambda: cv2.warpAffine(img, m, (w, h), flags=cv2.INTER_LINEAR)


def cv_ssr(img: Any) -> Call:
    h, w = img.shape[:2]
    m = turn(img, 20, 1.1)
    m[:, 2] += (0.05 * w, 0.05 * h)
    return lambda: cv2.warpAffine(img, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def cv_perspective(img: Any) -> Call:
    h, w = img.shape[:2]
    src = np.float32([(0.05 * w, 0.03 * h), (0.96 * w, 0.07 * h), (0.93 * w, 0.95 * h), (0.04 * w, 0.97 * h)])
    m = cv2.getPerspectiveTransform(src, np.float32([(0, 0), (w, 0), (w, h), (0, h)]))
    return lambda: cv2.warpPerspective(img, m, (w, h))


def source_of_turn(img: Any) -> tuple[Any, Any]:
    """Where each output pixel of the turn lies in the input, float32."""
    h, w = img.shape[:2]
    m = cv2.invertAffineTransform(turn(img)).astype(np.float32)
    x, y = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)[:, None]
    return m[0, 0] * x + (m[0, 1] * y + m[0, 2]), m[1, 0] * x + (m[1, 1] * y + m[1, 2])


def np_turn_nearest(img: Any) -> Call:
    h, w = img.shape[:2]
    flat = np.zeros((h + 2) * (w + 2), "V3")  # a rim of zeros stands in for a test of every pixel
    rim = flat.reshape(h + 2, w + 2)

    def call() -> Any:
        rim[1:-1, 1:-1] = pixels(img)
        sx, sy = source_of_turn(img)
        ix = np.rint(sx).clip(-1, w).astype(np.int32)
        iy = np.rint(sy).clip(-1, h).astype(np.int32)
        iy += 1
        iy *= w + 2
        iy += ix
        iy += 1
        return as_rgb(flat.take(iy))

    return call


def np_turn_linear(img: Any) -> Call:
    h, w = img.shape[:2]
    rim = np.zeros((h + 3, w + 3, 3), np.float32)
    flat = rim.reshape(-1, 3)

    def call() -> Any:
        rim[1 : h + 1, 1 : w + 1] = img
        sx, sy = source_of_turn(img)
        np.clip(sx, -1, w, out=sx)
        np.clip(sy, -1, h, out=sy)
        fx, fy = np.floor(sx), np.floor(sy)
        at = ((fy + 1) * (w + 3) + fx + 1).astype(np.int32)
        wx, wy = (sx - fx)[..., None], (sy - fy)[..., None]
        top = flat.take(at, axis=0)
        top += wx * (flat.take(at + 1, axis=0) - top)
        low = flat.take(at + (w + 3), axis=0)
        low += wx * (flat.take(at + (w + 4), axis=0) - low)
        low -= top
        low *= wy
        top += low
        return np.rint(top, out=top).astype(np.uint8)

    return call


def cv_resize(scale: Callable[[int], int], interpolation: int) -> Factory:
    def factory(img: Any) -> Call:
        size = scale(img.shape[1]), scale(img.shape[0])
        return lambda: cv2.resize(img, size, interpolation=interpolation)

    return factory


def pil_resize(scale: Callable[[int], int], resample: Any) -> Factory:
    return pil(lambda im: im.resize((scale(im.width), scale(im.height)), resample))


def np_half(img: Any) -> Call:
    def call() -> Any:
        rows = np.add(img[::2], img[1::2], dtype=np.uint16)
        out = rows[:, ::2] + rows[:, 1::2]
        out += 2
        out >>= 2
        return out.astype(np.uint8)

    return call


def np_nearest_up(img: Any) -> Call:
    h, w = img.shape[:2]

    def call() -> Any:
        y, x = np.arange(h * 3 // 2) * h // (h * 3 // 2), np.arange(w * 3 // 2) * w // (w * 3 // 2)
        return as_rgb(pixels(img).take(y, axis=0).take(x, axis=1))

    return call


def cv_random_resized_crop(img: Any) -> Call:
    h, w = img.shape[:2]
    ch, cw = round(h * 0.5**0.5), round(w * 0.5**0.5)
    y, x = (h - ch) // 2, (w - cw) // 2
    return lambda: cv2.resize(img[y : y + ch, x : x + cw], (224, 224))


def cv_downscale(img: Any) -> Call:
    h, w = img.shape[:2]
    return lambda: cv2.resize(
        cv2.resize(img, (w // 2, h // 2), interpolation=cv2.INTER_NEAREST), (w, h), interpolation=cv2.INTER_NEAREST
    )


# -- points ----------------------------------------------------------------------------------------------------------


def np_linear(img: Any) -> Call:
    """1.2 x + 51: float32 in place beats a table, whose indices NumPy widens to eight bytes."""
    a, b, top = np.float32(1.2), np.float32(51), np.float32(255)

    def call() -> Any:
        out = img * a
        out += b
        np.minimum(out, top, out=out)
        return out.astype(np.uint8)

    return call


def cv_linear(img: Any) -> Call:
    lut = np.clip(np.arange(256, dtype=np.float32) * 1.2 + 51, 0, 255).astype(np.uint8)
    return lambda: cv2.LUT(img, lut)


def gamma_table(g: float) -> Any:
    return (np.power(np.arange(256) / 255.0, g) * 255).astype(np.uint8)


def np_gamma(img: Any) -> Call:
    g = cycle(np.linspace(0.8, 1.2, 64).tolist())
    return lambda: gamma_table(next(g)).take(img, mode="wrap")


def cv_gamma(img: Any) -> Call:
    g = cycle(np.linspace(0.8, 1.2, 64).tolist())
    return lambda: cv2.LUT(img, gamma_table(next(g)))


def cv_hsv(img: Any) -> Call:
    levels = np.arange(256, dtype=np.int16)
    tables = ((levels + 10) % 180).astype(np.uint8), *((levels + d).clip(0, 255).astype(np.uint8) for d in (20, 10))
    lut = np.stack(tables, axis=1).reshape(1, 256, 3)

    def call() -> Any:
        hsv = cv2.cvtColor(img, cv2.COLOR_RGB2HSV)
        return cv2.cvtColor(cv2.LUT(hsv, lut), cv2.COLOR_HSV2RGB)

    return call


def np_gray(img: Any) -> Call:
    w = np.array((0.299, 0.587, 0.114), np.float32)

    def call() -> Any:
        gray = img.astype(np.float32).reshape(-1, 3) @ w
        gray = np.rint(gray, out=gray).astype(np.uint8).reshape(img.shape[:2])
        out = np.empty_like(img)
        for k in range(3):
            out[..., k] = gray
        return out

    return call


def cv_gray(img: Any) -> Call:
    return lambda: cv2.cvtColor(cv2.cvtColor(img, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def np_equalize(img: Any) -> Call:
    def call() -> Any:
        out = np.empty_like(img)
        for k in range(3):
            plane = img[..., k]
            counts = np.bincount(plane.ravel(), minlength=256)
            first = int(np.flatnonzero(counts)[0])
            cdf = counts.cumsum() - counts[first]
            lut = np.rint(cdf * (255 / max(plane.size - counts[first], 1))).clip(0, 255).astype(np.uint8)
            out[..., k] = lut.take(plane, mode="wrap")
        return out

    return call


def cv_equalize(img: Any) -> Call:
    return lambda: cv2.merge([cv2.equalizeHist(plane) for plane in cv2.split(img)])


def np_normalize(img: Any) -> Call:
    """Whole rows against rows of repeated constants: NumPy's inner loop is then long instead of 3."""
    h, w = img.shape[:2]
    scale = np.tile((1 / STD).astype(np.float32), w)
    shift = np.tile((MEAN / STD).astype(np.float32), w)

    def call() -> Any:
        out = img.reshape(h, -1) * scale
        out -= shift
        return out.reshape(img.shape)

    return call


def cv_normalize(img: Any) -> Call:
    mean, scale = (*MEAN.tolist(), 0.0), (*(1 / STD).tolist(), 0.0)

    def call() -> Any:
        out = cv2.subtract(img, mean, dtype=cv2.CV_32F)
        return cv2.multiply(out, scale, dst=out)

    return call


def np_normalize_chw(img: Any) -> Call:
    h, w = img.shape[:2]
    mean, scale = MEAN.astype(np.float32), (1 / STD).astype(np.float32)

    def call() -> Any:
        out = np.empty((3, h, w), np.float32)
        for k in range(3):
            np.subtract(img[..., k], mean[k], out=out[k])
            out[k] *= scale[k]
        return out

    return call


def cv_normalize_chw(img: Any) -> Call:
    params = cv2.dnn.Image2BlobParams()
    params.scalefactor = (*(1 / STD).tolist(), 0.0)
    params.mean = (*MEAN.tolist(), 0.0)
    return lambda: cv2.dnn.blobFromImageWithParams(img, params)[0]


def np_to_float(img: Any) -> Call:
    scale = np.float32(1 / 255)
    return lambda: img * scale


def np_noise(img: Any) -> Call:
    rng = np.random.default_rng(0)

    def call() -> Any:
        out = rng.standard_normal(img.shape, dtype=np.float32)
        out *= 25.5
        out += img
        np.clip(out, 0, 255, out=out)
        return out.astype(np.uint8)

    return call


def cv_noise(img: Any) -> Call:
    def call() -> Any:
        noise = np.empty(img.shape, np.int16)
        cv2.randn(noise, (0, 0, 0), (25.5, 25.5, 25.5))
        return cv2.add(img, noise, dtype=cv2.CV_8U)

    return call


# -- stencils --------------------------------------------------------------------------------------------------------


def np_blur(size: int, sigma: float) -> Factory:
    r = size // 2
    k = np.exp(-(np.arange(-r, r + 1) ** 2) / (2 * sigma**2))
    k = (k / k.sum()).astype(np.float32)

    def factory(img: Any) -> Call:
        h, w = img.shape[:2]

        def call() -> Any:
            padded = as_rgb(np.pad(pixels(img), r, mode="reflect")).astype(np.float32)
            rows = padded[r : r + h] * k[r]
            for i in range(r):  # the two ends of a symmetric kernel share a product
                rows += (padded[i : i + h] + padded[2 * r - i : 2 * r - i + h]) * k[i]
            out = rows[:, r : r + w] * k[r]
            for i in range(r):
                out += (rows[:, i : i + w] + rows[:, 2 * r - i : 2 * r - i + w]) * k[i]
            return np.rint(out, out=out).astype(np.uint8)

        return call

    return factory


def cv_blur(size: int, sigma: float) -> Factory:
    return lambda img: lambda: cv2.GaussianBlur(img, (size, size), sigma)


def cv_sharpen(img: Any) -> Call:
    """Albumentations' kernel for alpha 0.3 and lightness 0.8."""
    same, sharp = np.zeros((3, 3), np.float32), np.full((3, 3), -1, np.float32)
    same[1, 1], sharp[1, 1] = 1, 8 + 0.8
    kernel = 0.7 * same + 0.3 * sharp
    return lambda: cv2.filter2D(img, -1, kernel)
