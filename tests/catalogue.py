"""THE table: one row a transform, and every generic test runs over it.

A row says what the transform takes and how close it comes to Albumentations 2.0.8 (`Tol`, each with its reason). Its
variants pin the arguments; a number that stays random is drawn by both libraries from one stream (`parity/fed.py`), or
the reference is built from our record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

NEAREST, LINEAR, CUBIC, AREA, LANCZOS, LINEAR_EXACT, NEAREST_EXACT = range(7)
CONSTANT, REPLICATE, REFLECT, WRAP, REFLECT_101 = range(5)
ANY = (0, 1, 2, 3, 4, 5, 7)  # channels; 0 is a two-dimensional array
GRAY_OR_RGB = (0, 1, 3)


@dataclass(frozen=True)
class Tol:
    """How far from the reference, and why."""

    why: str
    u8: int = 0  # levels
    share: float = 1.0  # of the components that may differ at all (u8)
    over: float = 0.0  # of the components that may differ by more than `u8` or `f32`
    f32: float = 0.0  # absolute


EXACT = Tol("moves and fills copy values")
TABLE = Tol("u8 goes through one table; f32 is one product and one sum, 2.0.8's in f64", f32=2e-7)
WARP = Tol(
    "u8 weights of 7 by 15 bits: 1 level on about 13 % of white noise, 2 % of a photograph; OpenCV's f32 coordinates err "
    "by some 1e-6 of a pixel a column, which noise of slope 1 shows", u8=1, share=0.19, f32=4e-5,
)  # fmt: skip
WARP_CUBIC = replace(WARP, f32=8e-5)
WARP_NEAREST = Tol("half-way coordinates fall either way: OpenCV's are f32", over=0.01)
AXES_NEAREST = Tol("a coordinate between two is a whole column or row, and OpenCV's is f32", over=0.03)
LANCZOS_WARP = Tol(
    "OpenCV keeps its 1/32 grid for LANCZOS4, so do we; a coordinate between two steps may take the other one", u8=1,
    share=0.05, f32=2e-6, over=0.0005,
)  # fmt: skip
RESIZE = Tol(
    "OpenCV's u8 LINEAR has 11-bit weights, ours are the exact ones rounded once; its f32 path for 2 channels errs by 5e-6",
    u8=1, share=0.19, f32=6e-6,
)  # fmt: skip
HSV = Tol(
    "OpenCV 5 cuts HSV to RGB; a product a hair below a whole number loses a level, or not, by its use of FMA",
    u8=1,
    share=0.002,
)
JITTER = Tol(
    "a hue that is one level off (see there), stretched by the saturation, contrast and brightness that come after it; and "
    "contrast's mean, which the columns outside whole vectors move", u8=2, share=0.05, over=0.005, f32=1e-5,
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """Pinned arguments."""

    args: dict[str, Any] = field(default_factory=dict)
    tol: Tol | None = None  # instead of the row's
    channels: tuple[int, ...] | None = None
    dtypes: tuple[str, ...] | None = None
    rows: bool = True  # boxes and keypoints are 2.0.8's too
    differs: str = ""  # number of the difference: 2.0.8 is not the judge of the pixels
    minus: frozenset[str] = frozenset()  # targets on which 2.0.8 fails (for the reason in BROKEN)

    def of(self, dtype: str) -> dict[str, Any]:
        """The arguments for images of this dtype: fills are written for 0..255."""
        if dtype != "float32":
            return self.args
        scaled = {
            name: tuple(x / 255 for x in fill) if isinstance(fill, tuple) else fill / 255
            for name, fill in self.args.items()
            if name == "fill" and not isinstance(fill, str)
        }
        return {**self.args, **scaled}


@dataclass(frozen=True)
class Row:
    """One transform."""

    name: str
    kind: str  # dual, image, tensor, user
    variants: tuple[Variant, ...]
    tol: Tol = EXACT
    channels: tuple[int, ...] = ANY
    dtypes: tuple[str, ...] = ("uint8", "float32")
    moves: bool = True  # copies elements of any dtype (a dual transform that does not compute)
    delta: dict[str, Any] | None = None  # arguments under which a marked pixel stays one
    oracle: str = ""  # tests/oracle function
    needs: frozenset[str] = frozenset()
    # OpenCV 5 cuts HSV → RGB in its vectors and rounds it in the columns that are left at the end of a row: only whole
    # vectors, of this many pixels, can be compared.
    vector: int = 1

    @property
    def id(self) -> str:
        return self.name


def v(tol: Tol | None = None, **args: Any) -> Variant:
    return Variant(args, tol)


def warps(linear: Tol, *, nearest: Tol = WARP_NEAREST, lanczos: Tol = LANCZOS_WARP, **args: Any) -> Iterator[Variant]:
    """Every border under LINEAR, and every other interpolation under two of them."""
    for border in range(5):
        yield v(linear, **args, interpolation=LINEAR, border_mode=border, fill=(40, 90, 200), fill_mask=3)
    for interpolation, tol in ((NEAREST, nearest), (CUBIC, WARP_CUBIC), (AREA, linear), (LANCZOS, lanczos)):
        for border in (CONSTANT, REFLECT_101):
            yield v(tol, **args, interpolation=interpolation, border_mode=border, fill=117.5)


NOT_TWO = (0, 1, 3, 4, 5, 7)  # OpenCV 5 warps images of 2 channels with the 1/32 grid of OpenCV 4 (difference W2)


def colours(variants: Iterator[Variant]) -> tuple[Variant, ...]:
    """Fills of three values are for images of three channels."""
    out = []
    for variant in variants:
        fill = variant.args.get("fill")
        out.append(replace(variant, channels=(3,) if isinstance(fill, tuple) else NOT_TWO))
    return tuple(out)


RESIZES = (NEAREST, LINEAR, CUBIC, AREA, LANCZOS, LINEAR_EXACT, NEAREST_EXACT)


def resize_tol(interpolation: int, enlarges: bool = False) -> Tol:
    if interpolation in (NEAREST, NEAREST_EXACT):
        return EXACT
    if interpolation == AREA and not enlarges:
        return Tol("sums of fractions in another order: f32, and u8 ties", u8=1, share=0.02, f32=5e-7)
    if interpolation == CUBIC:
        return replace(
            RESIZE, why="weights of 11 bits against exact ones; f32 of 2 channels errs by 6e-6 there", f32=8e-6
        )
    return RESIZE


def d40(*variants: Variant) -> tuple[Variant, ...]:
    """u8 as 2.0.8; float images stay float (D40), so the oracle judges them."""
    return tuple(replace(x, dtypes=(dtype,), differs=differs) for dtype, differs in (("uint8", ""), ("float32", "D40"))
                 for x in variants)  # fmt: skip


FORMS = ("image", "image_per_channel", "min_max", "min_max_per_channel")

ROWS: tuple[Row, ...] = (
    # -- crops
    Row("RandomCrop", "dual", (
        v(height=40, width=60),
        v(height=64, width=81),
        v(height=90, width=50, pad_if_needed=True, fill=9, fill_mask=2),
        v(height=90, width=120, pad_if_needed=True, pad_position="bottom_left", border_mode=REPLICATE),
        Variant({"height": 90, "width": 120, "pad_if_needed": True, "border_mode": REFLECT_101}, differs="D6"),
    ), delta={"height": 60, "width": 76, "pad_if_needed": True}, oracle="crop"),
    Row("CenterCrop", "dual", (
        v(height=33, width=44),
        v(height=64, width=81),
        Variant({"height": 91, "width": 99, "pad_if_needed": True, "fill": (1, 2, 3)}, channels=(3,)),
        v(height=91, width=99, pad_if_needed=True, pad_position="top_right", border_mode=WRAP),
        v(height=91, width=20, pad_if_needed=True, pad_position="top_left"),
        v(height=91, width=20, pad_if_needed=True, pad_position="bottom_right", fill=7),
    ), delta={"height": 60, "width": 76, "pad_if_needed": True}, oracle="crop"),
    Row("Crop", "dual", (
        v(x_min=3, y_min=5, x_max=70, y_max=51),
        v(x_min=0, y_min=0, x_max=81, y_max=64),
        v(x_min=10, y_min=20, x_max=100, y_max=90, pad_if_needed=True, fill=5),
        v(x_min=10, y_min=20, x_max=100, y_max=90, pad_if_needed=True, pad_position="top_left", border_mode=REPLICATE),
    ), delta={"x_min": 4, "y_min": 3, "x_max": 80, "y_max": 63, "pad_if_needed": True}, oracle="crop"),
    Row("RandomResizedCrop", "dual", (
        *(v(resize_tol(i), size=(30, 50), scale=(0.3, 0.9), interpolation=i) for i in RESIZES if i != AREA),
        v(resize_tol(LINEAR), size=(90, 120), mask_interpolation=NEAREST_EXACT),
        v(resize_tol(AREA), size=(20, 25), scale=(0.7, 1.0), area_for_downscale="image"),
        v(resize_tol(LINEAR), size=(40, 40), scale=(1.0, 1.0), ratio=(0.2, 0.3)),
        v(resize_tol(LINEAR), size=(40, 40), scale=(1.0, 1.0), ratio=(3.0, 4.0)),
    ), moves=False, delta={"size": (60, 76), "scale": (0.8, 1.0)}, oracle="resize"),
    Row("CropNonEmptyMaskIfExists", "dual", (
        v(height=20, width=30),
        v(height=20, width=30, ignore_values=[3]),
        v(height=64, width=81),
    ), delta={"height": 40, "width": 40}, oracle="crop", needs=frozenset({"mask"})),
    Row("BBoxSafeRandomCrop", "dual", (v(), v(erosion_rate=0.3), v(erosion_rate=1.0)),
        delta={"erosion_rate": 0.0}, oracle="crop", needs=frozenset({"bboxes"})),
    # -- flips
    Row("HorizontalFlip", "dual", (v(),), delta={}, oracle="orient"),
    Row("VerticalFlip", "dual", (v(),), delta={}, oracle="orient"),
    Row("Transpose", "dual", (v(),), delta={}, oracle="orient"),
    Row("RandomRotate90", "dual", (v(),), delta={}, oracle="orient"),
    Row("D4", "dual", (v(),), delta={}, oracle="orient"),
    # -- affine
    Row("Rotate", "dual", colours(iter((
        *warps(WARP, limit=(33.3, 33.3)),
        v(WARP, limit=(-120, 170), rotate_method="ellipse"),
        v(WARP, limit=(30, 30), crop_border=True),
        v(WARP, limit=(-75, -75), crop_border=True, border_mode=REFLECT),
        v(replace(WARP_NEAREST, over=0.03), limit=(90, 90), interpolation=NEAREST),
    ))), tol=WARP, moves=False, delta={"limit": (-40, 40)}, oracle="warp"),
    Row("Affine", "dual", colours(iter((
        *warps(WARP, scale=(1.2, 1.2), rotate=(-20, -20), shear={"x": (10, 10), "y": (-5, -5)}),
        v(WARP, scale=(0.5, 1.7), rotate=(-180, 180), shear=(-20, 20)),
        v(WARP, scale={"x": (0.6, 0.6), "y": (1.4, 1.4)}, rotate_method="ellipse", rotate=25),
        v(WARP, translate_percent={"x": (0.1, 0.1), "y": (-0.2, -0.2)}),
        v(WARP, translate_px={"x": (-9, 9), "y": (-7, 7)}, rotate=3.0),
        v(WARP, rotate=(45, 45), fit_output=True),
        v(replace(WARP, share=0.3, why="every pixel is a mean of two: ties"), rotate=(90, 90), scale=(0.5, 0.5), fit_output=True, fill=12),
        v(WARP, scale=(0.8, 1.2), keep_ratio=True),
        v(WARP, scale=(0.5, 1.5), balanced_scale=True),
        v(WARP, scale=(0.3, 0.3), border_mode=REFLECT_101),
        v(WARP, scale=(0.3, 0.3), border_mode=REFLECT, rotate=30),
        v(EXACT),
    ))), tol=WARP, moves=False, delta={"scale": (0.8, 1.3), "rotate": (-30, 30), "shear": (-8, 8)}, oracle="warp"),
    Row("ShiftScaleRotate", "dual", colours(iter((
        *warps(WARP, shift_limit=(0.05, 0.05), scale_limit=(0.2, 0.2), rotate_limit=(40, 40)),
        v(WARP),
        v(WARP, shift_limit_x=(0.1, 0.1), shift_limit_y=(-0.2, -0.2), rotate_method="ellipse"),
    ))), tol=WARP, moves=False, delta={"rotate_limit": (-30, 30)}, oracle="warp"),
    Row("Perspective", "dual", tuple(
        replace(x, differs="D1") if x.args.get("fill") == 117.5 and x.args["border_mode"] == CONSTANT else x
        for x in colours(iter((
            *warps(replace(WARP, f32=3e-4), scale=(0.06, 0.06)),
            v(replace(WARP, f32=3e-4), scale=(0.1, 0.1), keep_size=False),
            v(replace(WARP, f32=3e-4), scale=(0.1, 0.1), fit_output=True),
            v(replace(WARP, f32=3e-4), scale=(0.1, 0.1), fit_output=True, keep_size=False),
        )))
    ), tol=WARP, moves=False, delta={"scale": (0.03, 0.05), "fit_output": True}, oracle="warp"),
    Row("GridDistortion", "dual", tuple(
        replace(x, rows=False, differs="D1" if x.args.get("fill") == 117.5 and x.args["border_mode"] == CONSTANT else "")
        for x in colours(iter((
            *warps(WARP, nearest=AXES_NEAREST, num_steps=5, distort_limit=(-0.3, 0.3)),
            v(WARP, num_steps=3, distort_limit=(0.4, 0.4), normalized=False),
            v(WARP, num_steps=7, distort_limit=(0, 0)),
            v(WARP, num_steps=1),
        )))
    ), tol=WARP, moves=False, delta={"distort_limit": (-0.2, 0.2)}, oracle="warp"),
    # -- sizes
    Row("Resize", "dual", (
        *(v(resize_tol(i), height=40, width=50, interpolation=i) for i in RESIZES),
        *(v(resize_tol(i, True), height=111, width=140, interpolation=i, mask_interpolation=i if i != LANCZOS else 0)
          for i in RESIZES),
        v(resize_tol(AREA, True), height=90, width=40, interpolation=AREA),
        v(resize_tol(AREA), height=32, width=27, interpolation=AREA),
        v(resize_tol(LINEAR), height=64, width=40, area_for_downscale="image"),
        v(resize_tol(LINEAR), height=70, width=40, area_for_downscale="image_mask"),
        v(height=64, width=81),
        v(resize_tol(LINEAR), height=1, width=1),
    ), moves=False, delta={"height": 70, "width": 100}, oracle="resize"),
    Row("LongestMaxSize", "dual", tuple(replace(x, minus=frozenset({"mask3d"})) for x in (
        v(resize_tol(LINEAR), max_size=50),
        v(resize_tol(CUBIC), max_size=150, interpolation=CUBIC),
        v(resize_tol(LINEAR), max_size_hw=(40, 100)),
        v(resize_tol(LINEAR), max_size_hw=(None, 100)),
        v(resize_tol(LINEAR), max_size_hw=(33, None)),
        v(resize_tol(AREA), max_size=31, area_for_downscale="image"),
        v(resize_tol(LINEAR), max_size=[30, 60, 90]),
    )), moves=False, delta={"max_size": 110}, oracle="resize"),
    Row("SmallestMaxSize", "dual", tuple(replace(x, minus=frozenset({"mask3d"})) for x in (
        v(resize_tol(LINEAR), max_size=50),
        v(resize_tol(LANCZOS), max_size=99, interpolation=LANCZOS),
        v(resize_tol(LINEAR), max_size_hw=(40, 100)),
        v(resize_tol(LINEAR), max_size_hw=(None, 100)),
        v(resize_tol(AREA), max_size=20, area_for_downscale="image_mask"),
    )), moves=False, delta={"max_size": 60}, oracle="resize"),
    Row("Pad", "dual", (
        v(padding=5), v(padding=(3, 8), fill=17, fill_mask=4), v(padding=(1, 2, 3, 4), fill=127.5),
        *(v(padding=(9, 4, 6, 30), border_mode=b) for b in range(1, 5)),
    ), delta={"padding": (3, 4, 5, 6)}, oracle="pad"),
    Row("PadIfNeeded", "dual", (
        v(min_height=80, min_width=99, fill=3),
        v(min_height=70, min_width=20, position="top_left"),
        v(min_height=None, min_width=None, pad_height_divisor=48, pad_width_divisor=32, fill=1),
        v(min_height=100, min_width=101, position="bottom_right", border_mode=REPLICATE),
        v(min_height=100, min_width=101, position="random", border_mode=CONSTANT, fill=200, fill_mask=9),
        *(v(min_height=101, min_width=120, border_mode=b) for b in range(1, 5)),
        v(min_height=10, min_width=10),
    ), delta={"min_height": 90, "min_width": 110}, oracle="pad"),
    # -- values
    Row("RandomBrightnessContrast", "image", (
        v(brightness_limit=(0.2, 0.2), contrast_limit=(0.3, 0.3)),
        v(brightness_limit=(-0.3, -0.3), contrast_limit=(-0.6, -0.6)),
        v(),
        v(Tol("the mean is exact here, a sum of f32 there", u8=1, share=0.01, f32=2e-6), brightness_by_max=False,
          brightness_limit=(0.2, 0.2)),
        v(brightness_limit=(0.3, 0.3), contrast_limit=(0.4, 0.4), ensure_safe_range=True),
    ), tol=TABLE, delta={"brightness_limit": (0.0, 0.1), "contrast_limit": (0.0, 0.1)}, oracle="linear"),
    Row("RandomGamma", "image", (v(gamma_limit=(80, 120)), v(gamma_limit=(100, 100)), v(gamma_limit=(250, 250)), v(gamma_limit=(7, 7))),
        tol=Tol("powers from our own exp and ln; values a hair from an integer cut the other way", u8=1, share=0.01,
                f32=3e-7), delta={"gamma_limit": (90, 110)}, oracle="gamma"),
    Row("InvertImg", "image", (v(),), tol=TABLE, delta={}, oracle="linear"),
    Row("Normalize", "image", (
        Variant({}, channels=(3,)),
        v(mean=0.4, std=0.3),
        v(mean=(0.5,), std=(0.5,), max_pixel_value=1.0),
        Variant({"mean": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), "std": (0.2,) * 7}, channels=(3, 4, 5, 7)),
        *(Variant({"normalization": form}, Tol("sums in f64 here, in f32 or OpenCV's order there", f32=2e-5),
                  dtypes=("float32",)) for form in FORMS),
        *(Variant({"normalization": form}, dtypes=("uint8",), differs="D19") for form in FORMS),
    ), tol=Tol("one difference and one product in f32, values up to some hundreds", f32=2e-5), delta={"mean": 0.0, "std": 0.3},
        oracle="normalize"),
    Row("ToFloat", "image", (v(), v(max_value=200.0)), tol=Tol("one division in f32", f32=6e-8), delta={}, oracle="cast"),
    Row("HueSaturationValue", "image", d40(
        v(hue_shift_limit=(17, 17), sat_shift_limit=(20, 20), val_shift_limit=(-9, -9)),
        v(hue_shift_limit=(-33.5, -33.5), sat_shift_limit=(-40, -40), val_shift_limit=(30.5, 30.5)),
        v(),
        v(EXACT, hue_shift_limit=0, sat_shift_limit=0, val_shift_limit=0),
    ), tol=HSV, channels=GRAY_OR_RGB, delta={"hue_shift_limit": (5, 9)}, oracle="hsv", vector=64),
    Row("ColorJitter", "image", (
        v(brightness=(1.2, 1.2), contrast=(1, 1), saturation=(1, 1), hue=(0, 0)),
        v(brightness=(1, 1), contrast=(0.7, 0.7), saturation=(1, 1), hue=(0, 0)),
        v(brightness=(1, 1), contrast=(1, 1), saturation=(1.4, 1.4), hue=(0, 0)),
        v(brightness=(1, 1), contrast=(1, 1), saturation=(1, 1), hue=(0.1, 0.1)),
        v(JITTER), v(JITTER, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
        v(brightness=(0, 0), contrast=(0, 0)),
    ), tol=Tol("as HSV", u8=1, share=0.002, f32=1e-5), channels=GRAY_OR_RGB,
        delta={"brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.02}, oracle="jitter", vector=64),
    Row("ToGray", "image", (
        Variant({}, channels=(3,)),
        Variant({"num_output_channels": 5}, channels=(3,)),
        *(replace(x, channels=(3,)) for x in d40(v(Tol("8-bit Lab in OpenCV, exact here", u8=1, share=0.15), method="from_lab"))),
        v(method="desaturation"), v(method="average"), v(method="max"),
        Variant({"method": "pca"}, differs="pca sign"),
        Variant({"num_output_channels": 1}, channels=(3,), differs="D29"),
    ), tol=Tol("weights of 15 bits as OpenCV; f32 sums in another order; averages cut where 2.0.8 cuts", u8=1, share=0.02, f32=3e-7),
        channels=(2, 3, 4, 5, 7), delta={}, oracle="gray"),
    Row("ChannelShuffle", "image", (v(),), delta={}, oracle="shuffle"),
    Row("Equalize", "image", (
        v(), v(mode="pil"),
        Variant({"by_channels": False}, Tol("8-bit YCrCb both ways", u8=1, share=0.2), channels=(3,)),
        Variant({"by_channels": False, "mode": "pil"}, Tol("8-bit YCrCb both ways", u8=1, share=0.2), channels=(3,)),
    ), tol=Tol("u8 tables are equal; f32 is worked on in 8 bits by both", f32=6e-8), channels=GRAY_OR_RGB, delta={},
        oracle="equalize"),
    # -- neighbourhoods
    Row("GaussianBlur", "image", (
        v(sigma_limit=(1.3, 1.3)), v(sigma_limit=(0.5, 0.5)), v(sigma_limit=(4, 4)), v(),
        v(blur_limit=(3, 7), sigma_limit=(1.0, 1.0)), v(blur_limit=(9, 9), sigma_limit=(2.0, 2.0)),
        Variant({"sigma_limit": (0, 0)}, differs="D15"),
    ), tol=Tol("the kernel in fixed point for u8: ties round the other way", u8=1, share=0.05, f32=5e-7),
        delta={"sigma_limit": (0.8, 1.2)}, oracle="gauss"),
    Row("Sharpen", "image", (
        v(alpha=(0.3, 0.3), lightness=(0.8, 0.8)), v(),
        Variant({"method": "gaussian", "alpha": (0.4, 0.4)}, Tol("f32: sums in another order", f32=2e-6), dtypes=("float32",),
                channels=(0, 2, 3, 4, 5, 7)),  # 2.0.8 fails on (H, W, 1)
        Variant({"method": "gaussian", "alpha": (0.4, 0.4)}, dtypes=("uint8",), differs="D8"),
    ), tol=Tol("weights in f32 there: ties", u8=1, share=0.02, f32=2e-6), delta={"alpha": (0.2, 0.3)}, oracle="sharpen"),
    Row("Downscale", "image", d40(
        v(scale_range=(0.25, 0.25)), v(scale_range=(0.3, 0.77)),
        v(Tol("two resamplings, each with OpenCV's 11-bit weights", u8=1, share=0.3), scale_range=(0.5, 0.5),
          interpolation_pair={"upscale": LINEAR, "downscale": AREA}),
        v(Tol("two resamplings, each with OpenCV's 11-bit weights", u8=1, share=0.3), scale_range=(0.4, 0.4),
          interpolation_pair={"upscale": LINEAR, "downscale": LINEAR}),
    ), delta={"scale_range": (0.7, 0.7), "interpolation_pair": {"upscale": LINEAR, "downscale": LINEAR}}, oracle="resize"),
    Row("GaussNoise", "image", (
        Variant({"std_range": (0.1, 0.1)}, differs="noise"),
        Variant({"std_range": (0.2, 0.2), "mean_range": (0.1, 0.1), "per_channel": False}, differs="noise"),
        Variant({"std_range": (0.2, 0.2), "noise_scale_factor": 0.25}, differs="noise"),
    ), delta={"std_range": (0.01, 0.01)}, oracle="noise"),
    Row("CoarseDropout", "dual", (
        v(), v(num_holes_range=(5, 5), fill=200, fill_mask=9),
        v(hole_height_range=(5, 20), hole_width_range=(3, 9), fill=127.5),
        Variant({"fill": (10, 20, 30), "num_holes_range": (3, 3)}, channels=(3,)),
        Variant({"fill": "random"}, differs="noise"), Variant({"fill": "random_uniform"}, differs="noise"),
    ), delta={"num_holes_range": (1, 1), "hole_height_range": (3, 3), "hole_width_range": (3, 3)}, oracle="paint"),
    Row("NoOp", "dual", (v(),), delta={}, oracle="same"),
    Row("ToTensorV2", "tensor", (v(), v(transpose_mask=True)), delta=None, oracle="layout"),
)  # fmt: skip

USER = ("Lambda", "ImageOnlyTransform", "DualTransform", "BasicTransform", "Transform")  # user code: tests/contracts
BY_NAME = {row.name: row for row in ROWS}


def cases(kinds: tuple[str, ...] = ("dual", "image")) -> list[tuple[Row, Variant]]:
    """(row, variant) of the rows of these kinds."""
    return [(row, variant) for row in ROWS if row.kind in kinds for variant in row.variants]


def case_id(value: Any) -> str | None:
    """A readable test id."""
    if isinstance(value, Row):
        return value.name
    if isinstance(value, Variant):
        return ",".join(f"{k}={x}" for k, x in value.args.items()).replace(" ", "") or "defaults"
    return None


# What the library does otherwise than Albumentations 2.0.8, and why: (number, where, what, reason). D and C are the
# numbers of defects found in 2.0.8; tests/parity/test_decided.py holds each.
CRASH = "2.0.8 raises"
DIFFERENCES: list[tuple[str, str, str, str]] = [
    (
        "D1",
        "Perspective, GridDistortion",
        "a number given as `fill` or `fill_mask` fills every channel",
        "2.0.8 fills the first and leaves 0 in the others",
    ),
    ("D2", "every transform that moves pixels", "`masks3d` works", CRASH),
    ("D3", "RandomBrightnessContrast, GaussNoise", "a `volume` without an `image` works", CRASH),
    (
        "D4",
        "LongestMaxSize, SmallestMaxSize",
        "`mask3d` is resized along its height and width",
        "2.0.8 raises, or resizes other axes",
    ),
    (
        "D6",
        "RandomCrop, CenterCrop, Crop",
        "`pad_if_needed` pads stacks and volumes, masks with `fill_mask`, and borders 2 and 4 are reflect and reflect-101",
        "2.0.8 pads the wrong axes, swaps the two borders, fills masks with `fill`",
    ),
    (
        "D8",
        "Sharpen",
        '`method="gaussian"` on uint8 is img + alpha·(img − blurred), saturated; even kernel sizes are raised by one',
        "2.0.8's difference wraps modulo 256; even sizes raise",
    ),
    (
        "D13",
        "CoarseDropout",
        "floats up to 1 are fractions of the side, ints are pixels, for height and width apart",
        "2.0.8 decides both by the upper end of the height: (0.5, 1.0) means 0 to 1 pixel",
    ),
    ("D15", "GaussianBlur", "sigma 0 changes nothing", "2.0.8 returns a black image"),
    (
        "D18",
        "Normalize",
        "too few values for the channels: the first is used for all, as in 2.0.8, with a UserWarning",
        "2.0.8 is silent",
    ),
    (
        "D19",
        "Normalize",
        "the result is float32 in every form",
        '2.0.8 returns float64 for uint8 images unless `normalization="standard"`',
    ),
    ("D20", "Affine", "a shear that is not in the dict is 0", "2.0.8 shears by 1 degree"),
    (
        "D26",
        "RandomResizedCrop",
        '`area_for_downscale="image_mask"` changes masks only when they shrink; `mask3d` is resampled as a mask',
        "2.0.8 blends labels when enlarging, and in `mask3d`",
    ),
    (
        "D29",
        "ToGray",
        "`num_output_channels=1` turns (H, W, C) into (H, W, 1)",
        "2.0.8 drops an axis, so that what follows may fail",
    ),
    (
        "D33",
        "GaussNoise",
        "noise has a generator of its own",
        "2.0.8 reseeds OpenCV's, which all of the process shares; the numbers of noise are others",
    ),
    ("D35", "RandomCrop, CenterCrop, Crop", "gray batches (N, H, W) are padded", CRASH),
    (
        "D40",
        "HueSaturationValue, ColorJitter, ToGray, Downscale",
        "float32 images are computed in float32",
        "2.0.8 rounds them to 8 bits on the way",
    ),
    (
        "D41",
        "GridDistortion",
        "a keypoint goes to where its own source lies, between the pixels, by either `keypoint_remapping_method`; a box that vanishes is dropped",
        "2.0.8 draws a disc and takes its upper left pixel (a pixel away, 3 in a stretched cell); a vanished box keeps its old place",
    ),
    (
        "W6",
        "Affine",
        "with `fit_output=True` boxes follow the pixels",
        "2.0.8 fits the canvas of boxes apart from that of pixels, and rounding may part them by a pixel",
    ),
    (
        "W7",
        "Rotate, Affine, ShiftScaleRotate, Perspective, GridDistortion",
        "cubic sampling folds reflected and wrapped borders at any distance",
        "OpenCV's cubic no longer folds right beyond about one image size outside; its linear does",
    ),
    (
        "W8",
        "HueSaturationValue, ColorJitter",
        "every column is cut alike on the way back from HSV",
        "OpenCV 5 cuts in its vectors and rounds in the columns that are left at the end of a row: a level on a third of those",
    ),
    (
        "W2",
        "Rotate, Affine, ShiftScaleRotate, Perspective, GridDistortion",
        "images of 2 channels are resampled as all others",
        "OpenCV 5 keeps the 1/32 px grid of OpenCV 4 for them: up to 7 levels",
    ),
    (
        "W5",
        "all resampling",
        "judged by OpenCV 5; OpenCV 4 differs from it by up to 7 levels",
        "OpenCV 4 rounds source positions to 1/32 px",
    ),
    ("S1", "Sharpen", '`method="gaussian"` takes (H, W, 1)', CRASH),
    ("P1", "ToGray", '`method="pca"` is bright where the image is', "the sign of 2.0.8's is arbitrary"),
    (
        "N1",
        "CoarseDropout",
        '`fill="random"` and `"random_uniform"` draw other numbers',
        "seeds are not those of NumPy or OpenCV",
    ),
    ("C1", "BboxParams", "with `check_each_transform=False` a box that left the image is dropped", CRASH),
    (
        "C2",
        "additional_targets",
        "further box and keypoint targets work beside `label_fields`, which belong to `bboxes` and `keypoints`",
        CRASH,
    ),
    (
        "C3",
        "seeds",
        "each transform draws numbers of its own, and each forked or spawned worker too",
        "2.0.8 gives all transforms of a seeded Compose, and all workers, the same stream; a seed therefore gives other pictures than in 2.0.8",
    ),
    (
        "C4",
        "to_dict, from_dict",
        "nothing is lost that changes what a pipeline does, except its seed",
        "2.0.8 forgets `filter_invalid_bboxes` and channels of SelectiveChannelTransform",
    ),
    (
        "C6",
        "compositions",
        "`force_apply` reaches all of them; OneOf whose children all have p=0 is a ValueError",
        "2.0.8 ignores it in some; ZeroDivisionError",
    ),
    (
        "C7",
        "label_fields",
        "labels come back as they went in: ints, bools, strings, None, arrays and their dtype, also when none is left",
        "2.0.8 returns floats, corrupts integers above 2²⁴, mixes types",
    ),
    ("C9", "masks", "an empty array of masks passes", CRASH),
    ("C10", "import", "no request to any server", "2.0.8 asks PyPI for a newer version"),
    ("C11", "label_fields", "each call stands for itself", "2.0.8 remembers the kind of label of the first call"),
    ("C12", "Compose", "`mask`, or an additional target, alone works", CRASH),
    (
        "C13",
        "Compose",
        "with p < 1, a call that does not fire checks its data and returns the same containers as one that does",
        "2.0.8 returns them unchecked and unconverted",
    ),
    (
        "D17",
        "GridDistortion",
        "kept: limits of 0 are not the identity, columns repeat at the borders of cells",
        "pipelines and pixels rest on it",
    ),
    (
        "D21",
        "Perspective",
        "kept: `keep_size=True` enlarges more than the corners ask for",
        "pipelines and pixels rest on it; boxes and keypoints agree with the image",
    ),
    ("D22", "keypoints", "kept: Rotate adds its angle, RandomRotate90 subtracts 90 degrees", "a convention"),
    ("E1", "CropSizeError", "is a ValueError", "2.0.8's is an Exception only"),
    ("E2", "arguments", "an unknown one is a TypeError that names the nearest", "2.0.8 warns and goes on without it"),
    ("F1", "boxes, keypoints", "computed in float64", "2.0.8 carries float32: 0.3 comes back as 0.30000001"),
]


def differences_page() -> str:
    """docs/differences.md."""
    lines = [
        "# Differences from Albumentations 2.0.8",
        "",
        "Everything not named here gives the same result for the same parameters: images within one level of 255 (random",
        "numbers are drawn by another generator), boxes and keypoints within 1e-4 px. The reference is 2.0.8 on OpenCV 5. Each",
        "line is held by a test, most of them in `tests/parity/test_decided.py`; `python tests/catalogue.py` writes this page.",
        "",
        "| | where | here | why |",
        "|---|---|---|---|",
        *(f"| {number} | {where} | {what} | {reason} |" for number, where, what, reason in DIFFERENCES),
        "",
        "## How close",
        "",
        "The widest tolerance that a test grants, against 2.0.8 on photographs and white noise; most variants are closer.",
        "",
        "| transform | uint8 levels | of components that differ at all | float32 | why |",
        "|---|---|---|---|---|",
    ]
    for row in ROWS:
        tols = [variant.tol or row.tol for variant in row.variants if not variant.differs]
        if not tols or row.kind == "tensor":
            continue
        widest = max(tols, key=lambda tol: (tol.u8, tol.f32, tol.over))
        share = "-" if widest.u8 == 0 else f"≤ {widest.share:.0%}"
        over = f" ({widest.over:.2%} more)" if widest.over else ""
        f32 = max((tol.f32 for tol in tols), default=0)
        lines.append(f"| {row.name} | {widest.u8}{over} | {share} | {f32:.0e} | {widest.why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    (Path(__file__).resolve().parents[1] / "docs" / "differences.md").write_text(differences_page(), encoding="utf-8")
