"""Ops of the core against the float64 reference.

float32 stays within 2e-6 (a few roundings of numbers below 1; wider only where it is said). uint8 is one level off at
most, on the share of components that the integer arithmetic of the kernel explains.
"""

from __future__ import annotations

from typing import Any

import ferraug as F
import numpy as np
import pytest
import reference as ref
from ferraug import _core
from ferraug.call import KINDS

from samples import noise, shape_of

LAYOUT = _core.Layout(dict(KINDS), None, None, False)
H, W = 37, 53
F32 = 2e-6
CHANNELS = (0, 1, 2, 3, 4, 6)


def run(image: np.ndarray, *ops: Any) -> np.ndarray:
    data = {"image": image}
    LAYOUT.open(data).finish(list(ops), data)
    return np.asarray(data["image"])


def real(image: np.ndarray) -> np.ndarray:
    """(H, W, C) float64."""
    return image.astype(np.float64).reshape(*image.shape[:2], -1)


def compare(
    got: np.ndarray, want: np.ndarray, *, share: float = 0.0, f32: float = F32, over: float = 0.0, rule: Any = ref.rint
) -> None:
    """`want` in float64, not rounded; `share`: of uint8 components that may be one level off; `over`: of any that may be anything."""
    got = real(got) if got.dtype != np.uint8 else got.reshape(*got.shape[:2], -1)
    if got.dtype == np.uint8:
        apart = np.abs(got.astype(float) - rule(want))
        assert np.mean(apart > 1) <= over, f"{np.mean(apart > 1):.3%} are off by up to {apart.max()}"
        assert np.mean(apart > 0) <= share + over, f"{np.mean(apart > 0):.3%} are one level off, allowed {share:.1%}"
        return
    apart = np.abs(got - want)
    assert np.mean(apart > f32) <= over, f"off by {apart.max():.3g} (allowed {f32}), {np.mean(apart > f32):.3%}"


def images(dtype: str, channels: tuple[int, ...] = CHANNELS) -> list[np.ndarray]:
    return [noise(shape_of(H, W, c), dtype, seed=c) for c in channels]


def fill_for(image: np.ndarray) -> tuple[float, ...]:
    c = image.shape[2] if image.ndim == 3 else 1
    return tuple((20.0 + 30 * k) / (1 if image.dtype == np.uint8 else 255) for k in range(c))


both = pytest.mark.parametrize("dtype", ["uint8", "float32"])


# -- moves -------------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("border", range(5))
@pytest.mark.parametrize("margins", [(3, 4, 5, 6), (60, 40, 110, 80), (0, 1, 0, 0)])
def test_pad(dtype: str, border: int, margins: tuple[int, ...]) -> None:
    left, top, right, bottom = margins
    for image in images(dtype):
        w, h = W + left + right, H + top + bottom
        fill = fill_for(image)
        got = run(image, ("pad", left, top, w, h, border, fill, 0, False))
        compare(got, ref.pad(real(image), left, top, w, h, border, np.array(fill)), f32=1e-7)


@pytest.mark.parametrize(
    ("axes", "move"),
    [
        ("H-W", lambda a: a[:, ::-1]), ("-HW", lambda a: a[::-1]), ("-H-W", lambda a: a[::-1, ::-1]),
        ("WH", lambda a: a.swapaxes(0, 1)), ("-WH", lambda a: np.rot90(a, 1)), ("W-H", lambda a: np.rot90(a, 3)),
        ("-W-H", lambda a: np.rot90(a, 2).swapaxes(0, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "bool"])
def test_orient(dtype: str, axes: str, move: Any) -> None:
    for image in images(dtype):
        want = move(image)
        assert np.array_equal(run(image, ("orient", axes, want.shape[1], want.shape[0])), want)


def test_crop_layout_channels() -> None:
    image = noise((H, W, 4))
    assert np.array_equal(run(image, ("crop", 5, 7, 20, 11)), image[7:18, 5:25])
    assert np.array_equal(run(image, ("layout", "chw", False)), image.transpose(2, 0, 1))
    assert np.array_equal(run(image, ("channels", (2, 0, 3, 1), 0)), image[..., [2, 0, 3, 1]])
    got = run(image, ("channels", (-1, 1, 1), 9.0))
    assert np.array_equal(got[..., 1:], image[..., [1, 1]]) and (got[..., 0] == 9).all()


# -- resampling --------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "size", [(26, 18), (53, 19), (20, 37), (90, 71), (159, 111), (13, 80), (7, 5), (1, 1), (54, 36)], ids=str
)
@pytest.mark.parametrize("interp", range(7))
def test_resize(dtype: str, interp: int, size: tuple[int, int]) -> None:
    w, h = size
    for image in images(dtype):
        got = run(image, ("resize", w, h, interp, 0))
        want = ref.resize(real(image), w, h, interp)
        exact = interp in (ref.NEAREST, ref.NEAREST_EXACT)
        compare(got, want, share=0.0 if exact else 0.19, f32=0 if exact else 3e-6 if interp == ref.LANCZOS else F32)
        # u8: weights of 11 bits; LANCZOS4 in floats: 64 products of weights that are f32 themselves


MATRICES = {
    "affine": np.array([[0.9, 0.3, 2.2], [-0.35, 1.05, 11.7], [0, 0, 1]]),
    "shrink": np.array([[0.31, 0.05, 9.1], [-0.07, 0.4, 6.3], [0, 0, 1]]),
    "enlarge": np.array([[3.1, 0.4, -50.2], [-0.2, 2.7, -31.9], [0, 0, 1]]),
    "homography": np.array([[1.1, 0.2, -3.3], [0.1, 0.95, 2.1], [0.0015, 0.001, 1]]),
}


@both
@pytest.mark.parametrize("border", range(5))
@pytest.mark.parametrize("interp", [ref.NEAREST, ref.LINEAR, ref.CUBIC, ref.AREA, ref.LANCZOS])
@pytest.mark.parametrize("kind", list(MATRICES))
def test_warp(dtype: str, kind: str, interp: int, border: int) -> None:
    matrix = MATRICES[kind]
    w, h = 61, 43
    for image in images(dtype, (0, 1, 2, 3, 4)):
        fill = fill_for(image)
        where = (
            ("homography", *matrix.ravel().tolist(), 1.0)
            if kind == "homography"
            else ("affine", *matrix[:2].ravel().tolist(), 1.0, "largest_box")
        )
        got = run(image, ("warp", where, w, h, interp, 0, border, fill, 0, False))
        grid = ref.on_opencvs_grid if interp == ref.LANCZOS and kind != "homography" else ref.sources
        x, y = grid(matrix, w, h)
        want = ref.sample(real(image), x, y, interp, border, np.array(fill))
        # NEAREST and LANCZOS4 step: a coordinate of 16 bits (floats: 32) beside a step may take the other one
        steps = 0.002 if interp in (ref.NEAREST, ref.LANCZOS) else 0.0
        compare(
            got,
            want,
            share=0.20,
            over=steps,
            f32=1e-7 if interp == ref.NEAREST else F32 if interp != ref.LANCZOS else 4e-6,
        )


@both
def test_warp_by_axes(dtype: str) -> None:
    steps = (1.2, 0.8, 1.1, 0.9, 1.0)
    xs, ys = (axis_table(steps, n) for n in (W, H))
    for image in images(dtype, (1, 3)):
        for interp in (ref.LINEAR, ref.CUBIC):
            got = run(image, ("warp", ("axes", steps, steps), W, H, interp, 0, ref.REFLECT_101, 0.0, 0, False))
            y, x = np.meshgrid(ys, xs, indexing="ij")
            compare(
                got, ref.sample(real(image), x, y, interp, ref.REFLECT_101, np.zeros(1)), share=0.2, f32=1e-5
            )  # tables are f32


def axis_table(steps: tuple[float, ...], n: int) -> np.ndarray:
    """Source positions of GridDistortion along one axis: in each cell both ends count (D17)."""
    cell = n // (len(steps) - 1)
    out, at = [], 0.0
    for i, step in enumerate(steps):
        start, end = i * cell, min((i + 1) * cell, n)
        if start >= n:
            break
        out.append(np.linspace(at, at + cell * step, end - start))
        at += cell * step
    return np.concatenate(out)


# -- neighbourhoods ---------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(("k", "sigma"), [(3, 0.5), (5, 1.0), (7, 1.5), (9, 2.0), (15, 3.3), (29, 4.0), (81, 11.0)])
def test_gauss(dtype: str, k: int, sigma: float) -> None:
    kernel = ref.gauss_kernel(k, sigma)
    for image in images(dtype):
        want = ref.correlate(ref.correlate(real(image), kernel[None, :]), kernel[:, None])
        compare(run(image, ("gauss", k, sigma)), want, share=0.06)  # weights in fixed point


@both
@pytest.mark.parametrize("k", [1, 3, 5, 7])
def test_conv(dtype: str, k: int) -> None:
    weights = np.random.default_rng(k).uniform(-0.3, 0.5, (k, k))
    weights /= np.abs(weights).sum()
    for image in images(dtype):
        got = run(image, ("conv", ("weights", k, tuple(weights.ravel().tolist()))))
        want = ref.correlate(real(image), weights)
        compare(got, np.clip(want, 0, 1) if dtype == "float32" else want, share=0.01)


# -- values --------------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(("rounding", "rule"), [("trunc", ref.trunc), ("rint", ref.rint)])
def test_linear(dtype: str, rounding: str, rule: Any) -> None:
    peak = 255 if dtype == "uint8" else 1
    for image in images(dtype):
        c = real(image).shape[2]
        for a, b in (
            (1.2, 0.1 * peak),
            (-1.0, 1.0 * peak),
            (0.0, 0.5 * peak),
            (tuple(0.5 + k / 4 for k in range(c)), tuple(-k * peak / 9 for k in range(c))),
        ):
            want = real(image) * np.array(a) + np.array(b)
            got = run(image, ("linear", a, b, rounding, True))
            compare(
                got, want if dtype == "uint8" else np.clip(want, 0, 1), rule=rule, f32=2.5e-7, share=0.005
            )  # ties of f32


@both
@pytest.mark.parametrize("g", [0.07, 0.5, 0.8, 1.0, 1.2, 2.2, 5.0])
def test_gamma(dtype: str, g: float) -> None:
    for image in images(dtype, (0, 3)):
        want = (real(image) / (255 if dtype == "uint8" else 1)) ** g
        # whole results are cut or not by the last bit of the power (u8 at g = 1: 2.0.8 loses one level on a tenth)
        compare(
            run(image, ("gamma", g)),
            want * 255 if dtype == "uint8" else want,
            rule=ref.trunc,
            share=0.15 if g == 1 else 0.02,
            f32=3e-7,
        )


@both
def test_normalize(dtype: str) -> None:
    for image in images(dtype):
        peak = 255 if dtype == "uint8" else 1
        got = run(image, ("normalize", 0.4 * peak, 1 / (0.25 * peak)))
        assert got.dtype == np.float32
        compare(got, (real(image) - 0.4 * peak) / (0.25 * peak))


@both
@pytest.mark.parametrize("mode", ["image", "image_per_channel", "min_max", "min_max_per_channel"])
def test_standardize(dtype: str, mode: str) -> None:
    for image in images(dtype):
        args: Any = F.Normalize(normalization=mode)
        got = F.Compose([args])(image=image)["image"]
        assert got.dtype == np.float32
        compare(got, ref.standardize(real(image), mode, dtype == "float32"), f32=4e-6)  # values up to 2


@pytest.mark.parametrize("mode", ["cv", "pil"])
def test_equalize(mode: str) -> None:
    method = ref.equalize_cv if mode == "cv" else ref.equalize_pil
    cases = images("uint8", (0, 1, 3)) + [
        (noise((H, W, 3)) // 9 + 40).astype(np.uint8), np.full((H, W), 77, np.uint8), np.array([[3, 3, 200]], np.uint8)
    ]  # fmt: skip
    for image in cases:
        planes = image.reshape(*image.shape[:2], -1)
        want = np.stack([method(planes[..., k]) for k in range(planes.shape[2])], -1)
        assert np.array_equal(run(image, ("equalize", mode, None)).reshape(want.shape), want)


@both
@pytest.mark.parametrize("of", ["all", "gray"])
def test_linear_mean(dtype: str, of: str) -> None:
    for image in images(dtype, (0, 3)):
        source = real(image)
        mean = (ref.gray(source, "weighted_average", 1) if of == "gray" and source.shape[2] == 3 else source).mean()
        want = 1.3 * source - 0.3 * mean
        compare(run(image, ("linear_mean", 1.3, -0.3, of, False, "slice")), want if dtype == "uint8" else np.clip(want, 0, 1),
                rule=ref.trunc, share=0.03)  # fmt: skip  # the gray mean is of rounded grays for u8


@both
@pytest.mark.parametrize("method", ["weighted_average", "from_lab", "desaturation", "average", "max"])
def test_gray(dtype: str, method: str) -> None:
    peak = 255 if dtype == "uint8" else 1
    for image in images(dtype, (3,) if method in ("weighted_average", "from_lab") else (2, 3, 5)):
        got = run(image, ("gray", method, 2))
        want = ref.gray(real(image), method, peak)
        cut = method in ("desaturation", "average")  # 2.0.8 cuts these
        compare(
            got,
            np.stack([want, want], -1),
            rule=ref.trunc if cut else ref.rint,
            share=0.15 if method == "from_lab" else 0.03,  # bytes go by tables of some bits, as OpenCV's do
            f32=F32 if method != "from_lab" else 4e-6,
        )


@pytest.mark.parametrize("shift", [(0, 0, 0), (17, 20, -9), (-33.5, -40, 30.5), (90, 255, 0), (10, -255, 0)])
def test_hsv_of_floats(shift: tuple[float, ...]) -> None:
    image = noise((H, W, 3), "float32")
    image[:4] = image[:4, :, :1]  # grays
    got = run(image, ("space", "rgb", "hsv"), ("hsv_shift", *shift), ("space", "hsv", "rgb"))
    compare(got, ref.hsv_shift(real(image), *shift), f32=4e-6)  # hues in degrees are f32: 360 · 6e-8 · 1/60


def test_hsv_of_bytes_goes_there_and_back() -> None:
    image = noise((H, W, 3))
    got = run(image, ("space", "rgb", "hsv"), ("space", "hsv", "rgb"))
    # hue in steps of 2 degrees and saturation in 255: at most 2 + 1 levels of a full-range channel
    assert np.abs(got.astype(int) - image).max() <= 6
    hsv = run(image, ("space", "rgb", "hsv"))
    h, s, _v = ref.hsv_from_rgb(real(image) / 255)
    turn = np.abs(hsv[..., 0] - h / 2)
    assert np.minimum(turn, 180 - turn).max() <= 1.01
    assert np.abs(hsv[..., 1] - 255 * s).max() <= 1.01 and np.array_equal(hsv[..., 2], image.max(-1))


@both
def test_blends_and_selected_channels(dtype: str) -> None:
    for image in images(dtype, (0, 3, 4)):
        source = real(image)
        kernel = ref.gauss_kernel(5, 1.1)
        blurred = ref.correlate(ref.correlate(source, kernel[None, :]), kernel[:, None])
        blurred = ref.rint(blurred) if dtype == "uint8" else blurred
        got = run(image, ("aside", None), ("gauss", 5, 1.1), ("join", "lerp", 1.4, -0.4))
        want = 1.4 * source - 0.4 * blurred
        compare(got, want if dtype == "uint8" else np.clip(want, 0, 1), share=0.1)
    image = noise((H, W, 4), dtype)
    got = run(image, ("aside", (2, 0)), ("linear", 0.5, 0.0, "rint", True), ("join", "put", (2, 0)))
    want = real(image)
    want[..., [0, 2]] *= 0.5
    compare(got, want, f32=1e-7)


@both
def test_paint(dtype: str) -> None:
    rects = (3, 4, 20, 30, 15, 20, 53, 25, 0, 0, 1, 1)
    for image in images(dtype):
        fill = fill_for(image)
        got = run(image, ("paint", ("rects", *rects), fill, "set", None, None))
        want = real(image)
        for x0, y0, x1, y1 in np.reshape(rects, (-1, 4)):
            want[y0:y1, x0:x1] = fill
        compare(got, want, f32=1e-7)
        covered = np.zeros((H, W), bool)
        for x0, y0, x1, y1 in np.reshape(rects, (-1, 4)):
            covered[y0:y1, x0:x1] = True
        for ink in (("random", 5), ("each", 5)):
            got = run(image, ("paint", ("rects", *rects), ink, "set", None, None))
            assert np.array_equal(got[~covered], image[~covered])
            assert (got[covered] != image[covered]).mean() > 0.9
            hole = got[25:30, 3:15].reshape(60, -1)
            assert len(np.unique(hole, axis=0)) == 1 if ink[0] == "each" else len(np.unique(hole, axis=0)) > 50


# -- noise -------------------------------------------------------------------------------------------------------------


def field(
    image: np.ndarray,
    mean: float,
    std: float,
    layout: str = "pixel",
    seed: int = 11,
    grid: tuple[int, int] | None = None,
) -> np.ndarray:
    h, w = image.shape[:2]
    return run(image, ("field", ("noise", seed, "normal", mean, std, layout, *(grid or (w, h))), "add", 1.0, 0.0))


def test_noise_is_normal() -> None:
    gray = np.full((300, 400, 3), 0.5, np.float32)
    values = (field(gray, 0.02, 0.05) - 0.5).astype(np.float64)
    n = values.size
    assert abs(values.mean() - 0.02) < 4 * 0.05 / n**0.5
    assert abs(values.std() - 0.05) < 4 * 0.05 / (2 * n) ** 0.5
    z = (values - 0.02) / 0.05
    assert abs((z**3).mean()) < 0.03 and abs((z**4).mean() - 3) < 0.06
    for quantile, share in ((1.0, 0.8413447), (2.0, 0.9772499), (3.0, 0.9986501)):
        assert abs((z < quantile).mean() - share) < 4 * (share * (1 - share) / n) ** 0.5 + 1e-4
    flat = z.reshape(-1)
    for lag in (1, 2, 3, 400, 1200):
        assert abs((flat[:-lag] * flat[lag:]).mean()) < 5 / n**0.5, f"neighbours at {lag} are alike"
    assert abs(np.corrcoef(z[..., 0].ravel(), z[..., 1].ravel())[0, 1]) < 0.015


def test_noise_layouts_and_seeds() -> None:
    gray = np.full((40, 50, 3), 0.5, np.float32)
    shared = field(gray, 0, 0.1, "shared")
    assert (shared == shared[..., :1]).all() and len(np.unique(shared)) > 1000
    channel = field(gray, 0, 0.1, "channel")
    assert (channel == channel[:1, :1]).all() and len(np.unique(channel)) == 3
    assert np.array_equal(field(gray, 0, 0.1), field(gray, 0, 0.1))
    assert (field(gray, 0, 0.1) != field(gray, 0, 0.1, seed=12)).mean() > 0.99
    coarse = field(gray, 0, 0.1, grid=(5, 4))
    steps = np.abs(np.diff(coarse[..., 0], axis=1)).mean()
    assert steps < 0.3 * np.abs(np.diff(field(gray, 0, 0.1)[..., 0], axis=1)).mean(), "not enlarged from a coarse grid"


def test_noise_on_bytes_is_the_same_noise_cut() -> None:
    numbers = (field(np.full((64, 80, 3), 0.5, np.float32), 0.01, 0.04) - np.float32(0.5)).astype(np.float64) * 255
    image = noise((64, 80, 3))
    want = np.clip(image + np.trunc(numbers), 0, 255)
    got = field(image, 0.01, 0.04)
    assert np.mean(got != want) < 2e-4 and np.abs(got - want).max() <= 1  # the f32 sum loses bits of the number


def test_noise_does_not_depend_on_the_window() -> None:
    """A pixel's number follows from its place, whatever else is computed."""
    image = noise((64, 80, 3))
    whole = field(image, 0, 0.1)
    data = {"image": image}
    LAYOUT.open(data).finish(
        [("field", ("noise", 11, "normal", 0.0, 0.1, "pixel", 80, 64), "add", 1.0, 0.0), ("crop", 7, 9, 30, 20)], data
    )
    assert np.array_equal(data["image"], whole[9:29, 7:37])


def test_gauss_noise_is_a_fresh_one_each_call() -> None:
    pipe = F.Compose([F.GaussNoise(std_range=(0.1, 0.1), p=1)], seed=1)
    gray = np.full((32, 32, 3), 128, np.uint8)
    assert (pipe(image=gray)["image"] != pipe(image=gray)["image"]).mean() > 0.9
