"""What is timed: one row an operation, each with the same work written for every library that offers it.

A factory takes the image and gives a call without arguments, or None where the library has nothing alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Call = Callable[[], Any]
Factory = Callable[[Any], Call | None]


@dataclass(frozen=True)
class Row:
    name: str
    ours: Factory
    albu: Factory | None = None
    numpy: Factory | None = None
    cv2: Factory | None = None
    pillow: Factory | None = None
    #: "ratio" rows must beat their peers; "copy" rows must stay near the speed of a copy.
    kind: str = "ratio"
    #: The least ratio to Albumentations that was promised at 256 and 512.
    goal: float | None = None
    sizes: tuple[str, ...] = ("256", "512", "1080p")
    extra: dict[str, Any] = field(default_factory=dict)


def build() -> list[Row]:
    """All rows. Imports the peers here, so that listing names needs none of them."""
    import albumentations as B
    import cv2
    from PIL import Image, ImageOps

    import ferraug as A

    warnings.filterwarnings("ignore")
    cv2.setNumThreads(1)

    def both(make: Callable[[Any], Any]) -> tuple[Factory, Factory]:
        """The same constructor call on both libraries, p=1, called on the image."""

        def on(lib: Any) -> Factory:
            def factory(img: Any) -> Call:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    t = make(lib)
                return lambda: t(image=img)["image"]

            return factory

        return on(A), on(B)

    def row(name: str, make: Callable[[Any], Any], **more: Any) -> Row:
        ours, albu = both(make)
        return Row(name, ours, albu, **more)

    def sized(name: str, make: Callable[[Any, int, int], Any], **more: Any) -> Row:
        """As `row`, for constructors that need the size of the image."""

        def on(lib: Any) -> Factory:
            def factory(img: Any) -> Call:
                h, w = img.shape[:2]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    t = make(lib, h, w)
                return lambda: t(image=img)["image"]

            return factory

        return Row(name, on(A), on(B), **more)

    def pil(f: Callable[[Any], Any]) -> Factory:
        def factory(img: Any) -> Call:
            im = Image.fromarray(img)
            return lambda: f(im)

        return factory

    def rotation(img: Any, angle: float) -> Any:
        h, w = img.shape[:2]
        return cv2.getRotationMatrix2D((w / 2 - 0.5, h / 2 - 0.5), angle, 1.0)

    def cv_warp(angle: float, interp: int, border: int) -> Factory:
        def factory(img: Any) -> Call:
            h, w = img.shape[:2]
            m = rotation(img, angle)
            return lambda: cv2.warpAffine(img, m, (w, h), flags=interp, borderMode=border)

        return factory

    def np_nearest_rotation(img: Any) -> Call:
        """Nearest-neighbour rotation by index arrays: NumPy has no better way to resample."""
        h, w = img.shape[:2]
        m = cv2.invertAffineTransform(rotation(img, 30))

        def call() -> Any:
            x, y = np.arange(w), np.arange(h)[:, None]
            sx = np.rint(m[0, 0] * x + m[0, 1] * y + m[0, 2]).astype(np.int32)
            sy = np.rint(m[1, 0] * x + m[1, 1] * y + m[1, 2]).astype(np.int32)
            inside = (sx >= 0) & (sx < w) & (sy >= 0) & (sy < h)
            return img[sy.clip(0, h - 1), sx.clip(0, w - 1)] * inside[..., None]

        return call

    mean, std = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))

    def np_normalize(img: Any) -> Call:
        m, d = (mean * 255).astype(np.float32), (1 / (std * 255)).astype(np.float32)
        return lambda: (img.astype(np.float32) - m) * d

    def np_normalize_chw(img: Any) -> Call:
        f = np_normalize(img)
        return lambda: np.ascontiguousarray(f().transpose(2, 0, 1))

    def albu_normalize_chw(img: Any) -> Call:
        t = B.Normalize(p=1)
        return lambda: np.ascontiguousarray(t(image=img)["image"].transpose(2, 0, 1))

    class Tensor:
        """Stands in for torch: wraps what it is given."""

        @staticmethod
        def from_numpy(a: Any) -> Any:
            return a

    def ours_normalize_chw(img: Any) -> Call:
        from ferraug.interop import use_torch

        use_torch(Tensor)
        t = A.Compose([A.Normalize(p=1), A.ToTensorV2(p=1)])
        return lambda: t(image=img)["image"]

    def lut_linear(img: Any) -> Call:
        lut = np.clip(np.arange(256, dtype=np.float32) * 1.2 + 51, 0, 255).astype(np.uint8)
        return lambda: lut[img]

    def cv_lut(lut: Any) -> Factory:
        return lambda img: lambda: cv2.LUT(img, lut)

    linear = np.clip(np.arange(256, dtype=np.float32) * 1.2 + 51, 0, 255).astype(np.uint8)

    def np_gauss(img: Any) -> Call:
        return lambda: np.clip(
            img.astype(np.float32) + np.random.default_rng(0).standard_normal(img.shape, dtype=np.float32) * 25.5, 0, 255
        ).astype(np.uint8)

    def cv_noise(img: Any) -> Call:
        def call() -> Any:
            noise = np.empty(img.shape, np.int16)
            cv2.randn(noise, (0, 0, 0), (25.5, 25.5, 25.5))
            return cv2.add(img, noise, dtype=cv2.CV_8U)

        return call

    def np_equalize(img: Any) -> Call:
        def call() -> Any:
            out = np.empty_like(img)
            for k in range(3):
                h = np.bincount(img[..., k].ravel(), minlength=256)
                cdf = h.cumsum()
                first = cdf[np.flatnonzero(h)[0]]
                lut = np.rint((cdf - first) * 255 / max(cdf[-1] - first, 1)).clip(0, 255).astype(np.uint8)
                out[..., k] = lut[img[..., k]]
            return out

        return call

    def np_gray(img: Any) -> Call:
        w = np.array((0.299, 0.587, 0.114), np.float32)
        return lambda: np.repeat((img @ w).astype(np.uint8)[..., None], 3, axis=2)

    def np_half(img: Any) -> Call:
        def call() -> Any:
            a = img.astype(np.uint16)
            return ((a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2] + 2) >> 2).astype(np.uint8)

        return call if img.shape[0] % 2 == 0 and img.shape[1] % 2 == 0 else call

    def np_blur(img: Any) -> Call:
        k = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
        k = (k / k.sum()).astype(np.float32)

        def call() -> Any:
            p = np.pad(img, ((5, 5), (5, 5), (0, 0)), mode="reflect").astype(np.float32)
            v = sum(k[i] * p[i : i + img.shape[0]] for i in range(11))
            return np.rint(sum(k[i] * v[:, i : i + img.shape[1]] for i in range(11))).astype(np.uint8)

        return call

    def cv_blur(img: Any) -> Call:
        return lambda: cv2.GaussianBlur(img, (11, 11), 1.5)

    def pad_numbers(img: Any) -> tuple[int, int]:
        h, w = img.shape[:2]
        return int(h * 1.25), int(w * 1.25)

    def np_pad(mode: str) -> Factory:
        def factory(img: Any) -> Call:
            h, w = img.shape[:2]
            ph, pw = pad_numbers(img)
            t, l = (ph - h) // 2, (pw - w) // 2
            return lambda: np.pad(img, ((t, ph - h - t), (l, pw - w - l), (0, 0)), mode=mode)

        return factory

    def np_dropout(img: Any) -> Call:
        h, w = img.shape[:2]
        hh, ww = h // 10, w // 10

        def call() -> Any:
            rng = np.random.default_rng(0)
            out = img.copy()
            for y, x in zip(rng.integers(0, h - hh, 8), rng.integers(0, w - ww, 8)):
                out[y : y + hh, x : x + ww] = 0
            return out

        return call

    c = "copy"
    rows = [
        row("NoOp", lambda L: L.NoOp(p=1), kind=c),
        sized("RandomCrop_half", lambda L, h, w: L.RandomCrop(h // 2, w // 2, p=1), kind=c,
              numpy=lambda img: lambda: img[40 : 40 + img.shape[0] // 2, 40 : 40 + img.shape[1] // 2].copy()),
        sized("CenterCrop_half", lambda L, h, w: L.CenterCrop(h // 2, w // 2, p=1), kind=c),
        row("HorizontalFlip", lambda L: L.HorizontalFlip(p=1), kind=c, cv2=lambda img: lambda: cv2.flip(img, 1),
            numpy=lambda img: lambda: np.ascontiguousarray(img[:, ::-1]), pillow=pil(ImageOps.mirror)),
        row("VerticalFlip", lambda L: L.VerticalFlip(p=1), kind=c, cv2=lambda img: lambda: cv2.flip(img, 0),
            numpy=lambda img: lambda: np.ascontiguousarray(img[::-1]), pillow=pil(ImageOps.flip)),
        row("Transpose", lambda L: L.Transpose(p=1), goal=6, cv2=lambda img: lambda: cv2.transpose(img),
            numpy=lambda img: lambda: np.ascontiguousarray(img.transpose(1, 0, 2)),
            pillow=pil(lambda im: im.transpose(Image.Transpose.TRANSPOSE))),
        row("RandomRotate90", lambda L: L.RandomRotate90(p=1), goal=6,
            numpy=lambda img: lambda: np.ascontiguousarray(np.rot90(img))),
        row("Rot90_fixed", lambda L: _fixed_rot90(L), goal=6, cv2=lambda img: lambda: cv2.rotate(img, cv2.ROTATE_90_COUNTERCLOCKWISE),
            numpy=lambda img: lambda: np.ascontiguousarray(np.rot90(img)),
            pillow=pil(lambda im: im.transpose(Image.Transpose.ROTATE_90))),
        row("D4", lambda L: L.D4(p=1)),
        row("Rotate30_const", lambda L: L.Rotate((30, 30), p=1), goal=3, cv2=cv_warp(30, 1, 0), numpy=np_nearest_rotation,
            pillow=pil(lambda im: im.rotate(30, Image.Resampling.BILINEAR))),
        row("Rotate30_reflect101", lambda L: L.Rotate((30, 30), border_mode=4, p=1), goal=3.5, cv2=cv_warp(30, 1, 4)),
        row("Rotate30_nearest", lambda L: L.Rotate((30, 30), interpolation=0, p=1), cv2=cv_warp(30, 0, 0),
            pillow=pil(lambda im: im.rotate(30, Image.Resampling.NEAREST))),
        row("Rotate30_cubic", lambda L: L.Rotate((30, 30), interpolation=2, p=1), goal=2.5, cv2=cv_warp(30, 2, 0),
            pillow=pil(lambda im: im.rotate(30, Image.Resampling.BICUBIC))),
        row("Rotate30_lanczos4", lambda L: L.Rotate((30, 30), interpolation=4, p=1), cv2=cv_warp(30, 4, 0)),
        row("Affine", lambda L: L.Affine(scale=0.9, rotate=20, shear=5, translate_percent=0.05, p=1), goal=3),
        row("ShiftScaleRotate", lambda L: L.ShiftScaleRotate((0.05, 0.05), (0.1, 0.1), (20, 20), border_mode=4, p=1), goal=3),
        row("Perspective", lambda L: L.Perspective((0.08, 0.08), p=1), goal=3),
        row("GridDistortion", lambda L: L.GridDistortion(p=1), goal=3),
        sized("Resize_down2", lambda L, h, w: L.Resize(h // 2, w // 2, p=1), goal=2, numpy=np_half,
              cv2=lambda img: lambda: cv2.resize(img, (img.shape[1] // 2, img.shape[0] // 2)),
              pillow=pil(lambda im: im.resize((im.width // 2, im.height // 2), Image.Resampling.BOX))),
        sized("Resize_224", lambda L, h, w: L.Resize(224, 224, p=1), goal=2, cv2=lambda img: lambda: cv2.resize(img, (224, 224)),
              pillow=pil(lambda im: im.resize((224, 224), Image.Resampling.BILINEAR, reducing_gap=1.01))),
        sized("Resize_up1.5", lambda L, h, w: L.Resize(h * 3 // 2, w * 3 // 2, p=1), goal=2,
              cv2=lambda img: lambda: cv2.resize(img, (img.shape[1] * 3 // 2, img.shape[0] * 3 // 2)),
              pillow=pil(lambda im: im.resize((im.width * 3 // 2, im.height * 3 // 2), Image.Resampling.BILINEAR))),
        sized("Resize_area_down2", lambda L, h, w: L.Resize(h // 2, w // 2, interpolation=3, p=1)),
        sized("Resize_area_down1.7", lambda L, h, w: L.Resize(int(h / 1.7), int(w / 1.7), interpolation=3, p=1),
              pillow=pil(lambda im: im.resize((int(im.width / 1.7), int(im.height / 1.7)), Image.Resampling.BOX))),
        sized("Resize_cubic_down1.7", lambda L, h, w: L.Resize(int(h / 1.7), int(w / 1.7), interpolation=2, p=1)),
        sized("Resize_lanczos_down1.7", lambda L, h, w: L.Resize(int(h / 1.7), int(w / 1.7), interpolation=4, p=1)),
        sized("Resize_nearest_up1.5", lambda L, h, w: L.Resize(h * 3 // 2, w * 3 // 2, interpolation=0, p=1)),
        row("RandomResizedCrop224", lambda L: L.RandomResizedCrop((224, 224), scale=(0.5, 0.5), p=1)),
        sized("LongestMaxSize_0.75", lambda L, h, w: L.LongestMaxSize(int(max(h, w) * 0.75), p=1)),
        sized("PadIfNeeded_1.25", lambda L, h, w: L.PadIfNeeded(int(h * 1.25), int(w * 1.25), p=1), kind=c, numpy=np_pad("constant")),
        sized("PadIfNeeded_1.25_reflect", lambda L, h, w: L.PadIfNeeded(int(h * 1.25), int(w * 1.25), border_mode=4, p=1), kind=c,
              numpy=np_pad("reflect")),
        row("RandomBrightnessContrast", lambda L: L.RandomBrightnessContrast((0.2, 0.2), (0.2, 0.2), p=1), goal=1.5,
            numpy=lut_linear, cv2=cv_lut(linear)),
        row("RandomGamma", lambda L: L.RandomGamma((80, 120), p=1), goal=1.3,
            numpy=lambda img: lambda: (np.power(np.arange(256) / 255.0, 1.2) * 255).astype(np.uint8)[img]),
        row("InvertImg", lambda L: L.InvertImg(p=1), kind=c, numpy=lambda img: lambda: 255 - img),
        row("ColorJitter", lambda L: L.ColorJitter((1.2, 1.2), (1.2, 1.2), (1.2, 1.2), (0.1, 0.1), p=1), goal=3),
        row("HueSaturationValue", lambda L: L.HueSaturationValue((10, 10), (20, 20), (10, 10), p=1), goal=2.5),
        row("ToGray", lambda L: L.ToGray(p=1), goal=2, numpy=np_gray,
            cv2=lambda img: lambda: cv2.cvtColor(cv2.cvtColor(img, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)),
        row("ChannelShuffle", lambda L: L.ChannelShuffle(p=1), numpy=lambda img: lambda: img[..., [2, 0, 1]]),
        row("Equalize", lambda L: L.Equalize(p=1), goal=4, numpy=np_equalize, pillow=pil(ImageOps.equalize)),
        row("Normalize", lambda L: L.Normalize(p=1), goal=8, numpy=np_normalize),
        Row("Normalize+ToTensorV2_contig", ours_normalize_chw, albu_normalize_chw, numpy=np_normalize_chw, goal=10),
        row("ToFloat", lambda L: L.ToFloat(p=1), numpy=lambda img: lambda: img.astype(np.float32) / np.float32(255)),
        row("GaussianBlur_s1.5", lambda L: L.GaussianBlur(0, (1.5, 1.5), p=1), goal=2.5, numpy=np_blur, cv2=cv_blur),
        row("GaussianBlur_s3", lambda L: L.GaussianBlur(0, (3, 3), p=1), goal=2.5),
        row("Sharpen", lambda L: L.Sharpen((0.3, 0.3), (0.8, 0.8), p=1)),
        row("Downscale0.5", lambda L: L.Downscale((0.5, 0.5), p=1)),
        row("GaussNoise", lambda L: L.GaussNoise((0.1, 0.1), p=1), goal=12, numpy=np_gauss, cv2=cv_noise),
        row("CoarseDropout8", lambda L: L.CoarseDropout((8, 8), (0.1, 0.1), (0.1, 0.1), p=1), goal=3, numpy=np_dropout),
    ]
    return rows


def _fixed_rot90(lib: Any) -> Any:
    """A quarter turn each call: the only D4 element that RandomRotate90 cannot be pinned to on both sides."""
    if lib.__name__ == "ferraug":
        from ferraug import Rotate90Fixed  # type: ignore[attr-defined]

        return Rotate90Fixed()
    return lib.RandomRotate90(p=1)
