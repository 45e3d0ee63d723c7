"""What is timed: one row an operation, with the same work written for every library that offers it.

Parameters are pinned where the library lets them be, so that outputs can be compared. Where they are drawn, both
libraries start every sample from the same seed.

A peer is left out where it does other work under the same name: Pillow averages over the source when it shrinks by
anything but a box and blurs by boxes; NumPy has no resampling, so its turns are written as index arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import peers as p
from peers import Factory, pil
from PIL import Image, ImageOps
from timing import Contender

Make = Callable[[Any, int, int], Any]
R, T = Image.Resampling, Image.Transpose
FULL = ("32", "256", "512", "1080p")


@dataclass(frozen=True)
class Row:
    name: str
    #: (library, height, width) -> the transform, or a call's factory for rows that are no single transform.
    make: Make
    #: "ratio" rows must beat their peers; "copy" rows must stay near the speed of a copy of their output.
    kind: str = "ratio"
    #: The least ratio to Albumentations that was promised at 256 and 512.
    goal: float | None = None
    #: Rows that write four times what they read: also timed is filling a fresh output, the least that anybody pays.
    floor: bool = False
    #: Whether NumPy is to be beaten twice over: not where its own text is a copy and little more.
    twice_numpy: bool = True
    #: How outputs are compared: "near" (mean difference), "like" (mean and spread), "noise" (spread of the change),
    #: "place" (as "like", of different places of the image), "window" (rows of the input).
    check: str = "near"
    #: Distinct outcomes of unequal cost: seeds are sought that give each of them equally often in `calls` calls.
    outcomes: int = 1
    #: Calls of one sample from one seed, for rows whose cost varies with what is drawn.
    calls: int | None = None
    peers: dict[str, Factory] = field(default_factory=dict)


def whole(make: Callable[[Any], Any]) -> Make:
    """For constructors that need no size."""
    return lambda lib, h, w: make(lib)


def row(name: str, make: Callable[[Any], Any], **more: Any) -> Row:
    peers = {k: more.pop(k) for k in ("numpy", "cv2", "pillow") if k in more}
    return Row(name, whole(make), peers=peers, **more)


def sized(name: str, make: Make, **more: Any) -> Row:
    peers = {k: more.pop(k) for k in ("numpy", "cv2", "pillow") if k in more}
    return Row(name, make, peers=peers, **more)


def half(n: int) -> int:
    return n // 2


def up(n: int) -> int:
    return n * 3 // 2


def down(n: int) -> int:
    return int(n / 1.7)


def most(n: int) -> int:
    return int(n * 0.75)


def to_tensor(lib: Any) -> Any:
    """The sink of either library; Albumentations imports torch with it."""
    if lib.__name__ == "albumentations":
        from albumentations.pytorch import ToTensorV2

        return ToTensorV2(p=1)
    return lib.ToTensorV2(p=1)


LINEAR, NEAREST, CUBIC, AREA, LANCZOS = cv2.INTER_LINEAR, cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4
BLACK, MIRROR = cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101
TURNS = (T.ROTATE_90, T.ROTATE_180, T.ROTATE_270)

ROWS = [
    row("NoOp", lambda L: L.NoOp(p=1), kind="copy"),
    sized("RandomCrop_half", lambda L, h, w: L.RandomCrop(h // 2, w // 2, p=1), kind="copy", check="window",
          numpy=p.np_crop, pillow=pil(p.pil_crop)),
    sized("CenterCrop_half", lambda L, h, w: L.CenterCrop(h // 2, w // 2, p=1), kind="copy",
          numpy=p.np_crop, pillow=pil(p.pil_crop)),
    row("HorizontalFlip", lambda L: L.HorizontalFlip(p=1), kind="copy", cv2=lambda img: lambda: cv2.flip(img, 1),
        numpy=p.np_hflip, pillow=pil(ImageOps.mirror)),
    row("VerticalFlip", lambda L: L.VerticalFlip(p=1), kind="copy", cv2=lambda img: lambda: cv2.flip(img, 0),
        numpy=p.np_vflip, pillow=pil(ImageOps.flip)),
    row("Transpose", lambda L: L.Transpose(p=1), goal=6, cv2=lambda img: lambda: cv2.transpose(img),
        numpy=p.np_transpose, pillow=pil(lambda im: im.transpose(T.TRANSPOSE))),
    row("RandomRotate90", lambda L: L.RandomRotate90(p=1), goal=6, check="like", outcomes=4, calls=16,
        numpy=p.np_rot90_each, cv2=p.cv_rot90_each),
    row("Rot90_fixed", lambda L: L.RandomRotate90(p=1), goal=6,
        numpy=p.np_rot90, cv2=lambda img: lambda: cv2.rotate(img, cv2.ROTATE_90_COUNTERCLOCKWISE),
        pillow=pil(lambda im: im.transpose(T.ROTATE_90))),
    row("D4", lambda L: L.D4(p=1), check="like", outcomes=8, calls=16),
    row("Rotate30_const", lambda L: L.Rotate((30, 30), p=1), goal=3, cv2=p.cv_turn(LINEAR, BLACK), numpy=p.np_turn_linear,
        pillow=pil(lambda im: im.rotate(30, R.BILINEAR))),
    row("Rotate30_reflect101", lambda L: L.Rotate((30, 30), border_mode=MIRROR, p=1), goal=3.5, cv2=p.cv_turn(LINEAR, MIRROR)),
    row("Rotate30_nearest", lambda L: L.Rotate((30, 30), interpolation=NEAREST, p=1), cv2=p.cv_turn(NEAREST, BLACK),
        numpy=p.np_turn_nearest, pillow=pil(lambda im: im.rotate(30, R.NEAREST))),
    row("Rotate30_cubic", lambda L: L.Rotate((30, 30), interpolation=CUBIC, p=1), goal=2.5, cv2=p.cv_turn(CUBIC, BLACK),
        pillow=pil(lambda im: im.rotate(30, R.BICUBIC))),
    row("Rotate30_lanczos4", lambda L: L.Rotate((30, 30), interpolation=LANCZOS, p=1), cv2=p.cv_turn(LANCZOS, BLACK)),
    row("Affine", lambda L: L.Affine(scale=(0.9, 0.9), rotate=(20, 20), shear={"x": (5, 5), "y": (5, 5)},
                                     translate_percent={"x": (0.05, 0.05), "y": (0.05, 0.05)}, p=1), goal=3, cv2=p.cv_affine),
    row("ShiftScaleRotate", lambda L: L.ShiftScaleRotate((0.05, 0.05), (0.1, 0.1), (20, 20), border_mode=MIRROR, p=1),
        goal=3, cv2=p.cv_ssr),
    row("Perspective", lambda L: L.Perspective((0.08, 0.08), p=1), goal=3, check="like", calls=8, cv2=p.cv_perspective),
    row("GridDistortion", lambda L: L.GridDistortion(p=1), goal=3, check="like", calls=8),
    sized("Resize_down2", lambda L, h, w: L.Resize(h // 2, w // 2, p=1), goal=2, numpy=p.np_half,
          cv2=p.cv_resize(half, LINEAR), pillow=pil(lambda im: im.reduce(2))),
    sized("Resize_224", lambda L, h, w: L.Resize(224, 224, p=1), goal=2, cv2=p.cv_resize(lambda n: 224, LINEAR)),
    sized("Resize_up1.5", lambda L, h, w: L.Resize(up(h), up(w), p=1), goal=2, cv2=p.cv_resize(up, LINEAR),
          pillow=p.pil_resize(up, R.BILINEAR)),
    sized("Resize_area_down2", lambda L, h, w: L.Resize(h // 2, w // 2, interpolation=AREA, p=1), numpy=p.np_half,
          cv2=p.cv_resize(half, AREA), pillow=pil(lambda im: im.reduce(2))),
    sized("Resize_area_down1.7", lambda L, h, w: L.Resize(down(h), down(w), interpolation=AREA, p=1),
          cv2=p.cv_resize(down, AREA), pillow=p.pil_resize(down, R.BOX)),
    sized("Resize_cubic_down1.7", lambda L, h, w: L.Resize(down(h), down(w), interpolation=CUBIC, p=1),
          cv2=p.cv_resize(down, CUBIC)),
    sized("Resize_lanczos_down1.7", lambda L, h, w: L.Resize(down(h), down(w), interpolation=LANCZOS, p=1),
          cv2=p.cv_resize(down, LANCZOS)),
    sized("Resize_nearest_up1.5", lambda L, h, w: L.Resize(up(h), up(w), interpolation=NEAREST, p=1),
          numpy=p.np_nearest_up, cv2=p.cv_resize(up, NEAREST), pillow=p.pil_resize(up, R.NEAREST)),
    row("RandomResizedCrop224", lambda L: L.RandomResizedCrop((224, 224), scale=(0.5, 0.5), p=1), check="place", calls=32,
        cv2=p.cv_random_resized_crop),
    sized("LongestMaxSize_0.75", lambda L, h, w: L.LongestMaxSize(most(max(h, w)), p=1), cv2=p.cv_resize(most, LINEAR)),
    sized("PadIfNeeded_1.25", lambda L, h, w: L.PadIfNeeded(int(h * 1.25), int(w * 1.25), p=1), kind="copy",
          numpy=p.np_pad, cv2=p.cv_pad(BLACK)),
    sized("PadIfNeeded_1.25_reflect", lambda L, h, w: L.PadIfNeeded(int(h * 1.25), int(w * 1.25), border_mode=MIRROR, p=1),
          kind="copy", numpy=p.np_pad_reflect, cv2=p.cv_pad(MIRROR)),
    row("RandomBrightnessContrast", lambda L: L.RandomBrightnessContrast((0.2, 0.2), (0.2, 0.2), p=1), goal=1.5,
        numpy=p.np_linear, cv2=p.cv_linear),
    row("RandomGamma", lambda L: L.RandomGamma((80, 120), p=1), goal=1.3, check="like", numpy=p.np_gamma, cv2=p.cv_gamma),
    row("InvertImg", lambda L: L.InvertImg(p=1), kind="copy", numpy=lambda img: lambda: ~img,
        cv2=lambda img: lambda: cv2.bitwise_not(img), pillow=pil(ImageOps.invert)),
    row("ColorJitter", lambda L: L.ColorJitter((1.2, 1.2), (1.2, 1.2), (1.2, 1.2), (0.1, 0.1), p=1), goal=3, check="like",
        calls=16),
    row("HueSaturationValue", lambda L: L.HueSaturationValue((10, 10), (20, 20), (10, 10), p=1), goal=2.5, cv2=p.cv_hsv),
    row("ToGray", lambda L: L.ToGray(p=1), goal=2, numpy=p.np_gray, cv2=p.cv_gray,
        pillow=pil(lambda im: im.convert("L").convert("RGB"))),
    row("ChannelShuffle", lambda L: L.ChannelShuffle(p=1), check="like", calls=32, numpy=p.np_shuffle, cv2=p.cv_shuffle),
    row("Equalize", lambda L: L.Equalize(p=1), goal=4, numpy=p.np_equalize, cv2=p.cv_equalize, pillow=pil(ImageOps.equalize)),
    row("Normalize", lambda L: L.Normalize(p=1), goal=8, floor=True, numpy=p.np_normalize, cv2=p.cv_normalize),
    row("Normalize+ToTensorV2_contig", lambda L: L.Compose([L.Normalize(p=1), to_tensor(L)]), goal=10, floor=True,
        numpy=p.np_normalize_chw, cv2=p.cv_normalize_chw),
    row("ToFloat", lambda L: L.ToFloat(p=1), floor=True, numpy=p.np_to_float),
    row("GaussianBlur_s1.5_k7", lambda L: L.GaussianBlur((7, 7), (1.5, 1.5), p=1), goal=2.5, numpy=p.np_blur(7, 1.5),
        cv2=p.cv_blur(7, 1.5)),
    row("GaussianBlur_s3_auto", lambda L: L.GaussianBlur(0, (3, 3), p=1), goal=2.5, numpy=p.np_blur(21, 3), cv2=p.cv_blur(21, 3)),
    row("Sharpen", lambda L: L.Sharpen((0.3, 0.3), (0.8, 0.8), p=1), cv2=p.cv_sharpen),
    row("Downscale0.5", lambda L: L.Downscale((0.5, 0.5), p=1), cv2=p.cv_downscale),
    row("GaussNoise", lambda L: L.GaussNoise((0.1, 0.1), p=1), goal=12, check="noise", numpy=p.np_noise, cv2=p.cv_noise),
    row("CoarseDropout8", lambda L: L.CoarseDropout((8, 8), (0.1, 0.1), (0.1, 0.1), p=1), goal=3, check="like", calls=32,
        twice_numpy=False, numpy=p.np_dropout),
]  # fmt: skip


def contenders(row: Row, img: Any) -> list[Contender]:
    """The calls of a row on this image: ours, Albumentations', the peers', and a plain copy of the output."""
    import albumentations as B
    import ferraug as A

    found = []
    for name, lib in (("ferraug", A), ("albumentations", B)):
        transform = row.make(lib, *img.shape[:2])
        if row.name == "Rot90_fixed":
            call = quarter_turn(transform, img)
        elif row.name.endswith("_contig"):
            call = lambda t=transform: p.contiguous(t(image=img)["image"])  # noqa: E731
        else:
            call = lambda t=transform: t(image=img)["image"]  # noqa: E731
        reset = None
        if row.calls is not None:
            seed = fair_seed(row, lib) if row.outcomes > 1 else 1
            reset = lambda t=transform, s=seed: t.set_random_seed(s)  # noqa: E731
        found.append(Contender(name, call, reset, row.calls))
    for name, factory in row.peers.items():
        if row.outcomes > 1:  # the peer goes through the outcomes in turn: whole turns make a sample
            found.append(Contender(name, factory(img), lambda: None, row.calls))
        else:
            found.append(Contender(name, factory(img)))
    if row.kind == "copy" or row.floor:
        import numpy as np

        out = np.asarray(found[0].call()).copy()
        found.append(Contender("floor", filling(out)) if row.floor else Contender("copy", out.copy))
    return found


def filling(out: Any) -> Callable[[], Any]:
    """Writing a fresh array like this one."""
    import numpy as np

    def call() -> Any:
        fresh = np.empty_like(out)
        fresh.fill(0)
        return fresh

    return call


def quarter_turn(transform: Any, img: Any) -> Callable[[], Any]:
    """RandomRotate90 that turns once, counterclockwise, in every call."""
    import numpy as np

    if hasattr(transform, "at"):
        probe = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
        turned = np.rot90(probe)
        calls = (transform.at(0, i) for i in range(1000))
        call = next(c for c in calls if np.array_equal(c(image=probe)["image"], turned))
        return lambda: call(image=img)["image"]
    transform.get_params = lambda: {"factor": 1}
    return lambda: transform(image=img)["image"]


def fair_seed(row: Row, lib: Any) -> int:
    """A seed from which `calls` calls give every outcome equally often."""
    import numpy as np

    probe = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    transform = row.make(lib, 2, 2)
    assert row.calls is not None
    share = row.calls // row.outcomes
    for seed in range(100_000):
        transform.set_random_seed(seed)
        seen: dict[bytes, int] = {}
        for _ in range(row.calls):
            key = transform(image=probe)["image"].tobytes()
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > share:
                break
        else:
            return seed
    raise RuntimeError(f"{row.name}: no balanced seed for {lib.__name__}")


def compare_outputs(row: Row, img: Any, found: list[Contender]) -> list[str]:
    """What is wrong with the outputs, so that no wrong result is timed."""
    import numpy as np

    wrong = []
    results = {}
    for c in found:
        if c.reset is not None:
            c.reset()
        results[c.name] = np.asarray(c.call())
    ours = results["ferraug"]
    for name, other in results.items():
        if name in ("ferraug", "copy", "floor"):
            continue
        if row.outcomes == 1 and other.shape != ours.shape or other.dtype != ours.dtype:
            wrong.append(f"{name}: {other.shape} {other.dtype}, ours {ours.shape} {ours.dtype}")
            continue
        if row.check == "window":
            source = img.tobytes()
            if not all(r.tobytes() in source for r in (ours[0], ours[-1], other[0], other[-1])):
                wrong.append(f"{name}: not a window of the input")
            continue
        a, b = ours.astype(np.float64), other.astype(np.float64)
        spread = max(float(b.std()), 1e-6)
        if row.check == "near":
            # The peers' matrices for Affine and the Pillow turns differ by less than a pixel or a small shear.
            loose = name == "pillow" or (name == "cv2" and row.name in ("Affine", "ShiftScaleRotate"))
            far = float(np.abs(a - b).mean()) / spread
            limit = 1.0 if loose else 0.03
        elif row.check == "noise":
            far = abs(float((a - img).std()) / float((b - img).std()) - 1)
            limit = 0.05 if img.size > 10_000 else 0.2
        else:
            far = max(abs(float(a.mean() - b.mean())) / spread, abs(float(a.std()) / spread - 1))
            limit = 1.0 if row.check == "place" else 0.35
        if not far <= limit:
            wrong.append(f"{name}: output differs from ours by {far:.3f} (limit {limit}, check {row.check})")
    return wrong
