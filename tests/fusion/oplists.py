"""Random op lists for random inputs: every op, every class that the planner sees, sizes followed along."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

Op = tuple[Any, ...]
NAMES = ("H", "W")
AXES = ("H-W", "-HW", "-H-W", "WH", "-WH", "W-H", "-W-H")
SIDES = st.one_of(st.integers(1, 5), st.integers(6, 40), st.sampled_from([15, 16, 17, 31, 33, 63, 64, 65]))
SEEDS = st.integers(0, 2**53 - 1)


@dataclass
class Frame:
    """The image as it then is."""

    w: int
    h: int
    c: int
    dtype: str
    two: bool  # two-dimensional
    ops: list[Op] = field(default_factory=list)
    aside: int = 0
    last: bool = False  # nothing may follow
    working: str = ""  # dtype to go back to

    @property
    def peak(self) -> float:
        return 255.0 if self.dtype == "uint8" else 1.0


def number(draw: Any, low: float, high: float) -> float:
    """A float that prints short."""
    return draw(st.integers(round(low * 10_000), round(high * 10_000))) / 10_000


def fill(draw: Any, frame: Frame) -> Any:
    one = st.integers(0, 255) if frame.dtype == "uint8" else st.sampled_from([0.0, 0.25, 1.0, 0.7])
    if draw(st.booleans()):
        return float(draw(one))
    return tuple(float(draw(one)) for _ in range(frame.c))


def crop(draw: Any, f: Frame) -> None:
    w, h = draw(st.integers(1, f.w)), draw(st.integers(1, f.h))
    f.ops.append(("crop", draw(st.integers(0, f.w - w)), draw(st.integers(0, f.h - h)), w, h))
    f.w, f.h = w, h


def pad(draw: Any, f: Frame) -> None:
    left, top, right, bottom = (draw(st.integers(0, 9)) for _ in range(4))
    border = draw(st.integers(0, 4))
    f.w, f.h = f.w + left + right, f.h + top + bottom
    f.ops.append(("pad", left, top, f.w, f.h, border, fill(draw, f), 3, draw(st.booleans())))


def orient(draw: Any, f: Frame) -> None:
    axes = draw(st.sampled_from(AXES))
    if axes.index("W") < axes.index("H"):
        f.w, f.h = f.h, f.w
    f.ops.append(("orient", axes, f.w, f.h))


def resize(draw: Any, f: Frame) -> None:
    w, h = draw(SIDES), draw(SIDES)
    f.ops.append(("resize", w, h, draw(st.integers(0, 6)), draw(st.sampled_from([0, 6]))))
    f.w, f.h = w, h


def a_map(draw: Any, f: Frame) -> Op:
    kind = draw(st.sampled_from(["affine", "homography", "axes"]))
    if kind == "axes":
        n = draw(st.integers(1, min(4, f.w, f.h)))  # more cells than pixels are refused
        return ("axes", *(tuple(number(draw, 0.3, 1.8) for _ in range(n + 1)) for _ in range(2)))
    a, b, c, d = number(draw, 0.3, 2), number(draw, -1, 1), number(draw, -1, 1), number(draw, 0.3, 2)
    if abs(a * d - b * c) < 0.05:
        b = 0.0
    x, y = number(draw, -20, 20), number(draw, -20, 20)
    if kind == "affine":
        return ("affine", a, b, x, c, d, y, 1.3, draw(st.sampled_from(["largest_box", "ellipse"])))
    return ("homography", a, b, x, c, d, y, number(draw, -0.003, 0.003), number(draw, -0.003, 0.003), 1.0, 1.1)


def warp(draw: Any, f: Frame) -> None:
    where = a_map(draw, f)
    w, h = (f.w, f.h) if where[0] == "axes" else (draw(SIDES), draw(SIDES))
    f.ops.append(
        (
            "warp",
            where,
            w,
            h,
            draw(st.integers(0, 4)),
            0,
            draw(st.integers(0, 4)),
            fill(draw, f),
            2,
            draw(st.booleans()),
        )
    )
    f.w, f.h = w, h


def linear(draw: Any, f: Frame) -> None:
    def values(low: float, high: float) -> Any:
        if draw(st.booleans()):
            return number(draw, low, high)
        return tuple(number(draw, low, high) for _ in range(f.c))

    unit = draw(st.sampled_from([(), (None,), ("max",)]))
    peak = 1.0 if unit == ("max",) else f.peak
    f.ops.append(
        (
            "linear",
            values(-1.5, 2),
            values(-0.5 * peak, 0.5 * peak),
            draw(st.sampled_from(["trunc", "rint"])),
            draw(st.booleans()),
            *unit,
        )
    )


def gamma(draw: Any, f: Frame) -> None:
    f.ops.append(("gamma", number(draw, 0.3, 3)))


def colours(draw: Any, f: Frame) -> None:
    if f.c == 1:  # a gray image passes where colours change
        f.ops += [
            ("space", "rgb", "hsv"),
            ("hsv_shift", number(draw, -90, 90), number(draw, -90, 90), number(draw, -90, 90)),
            ("space", "hsv", "rgb"),
            ("gray", "average", 3),
        ]
        return None
    if f.c != 3:
        return gamma(draw, f)
    kind = draw(st.integers(0, 4))
    if kind == 0:
        f.ops += [
            ("space", "rgb", "hsv"),
            ("hsv_shift", number(draw, -90, 90), number(draw, -90, 90), number(draw, -90, 90)),
            ("space", "hsv", "rgb"),
        ]
    elif kind == 1:
        f.ops += [("space", "rgb", "ycrcb"), ("space", "ycrcb", "rgb")]
    elif kind == 2:
        f.ops.append(("space", "rgb", draw(st.sampled_from(["hsv", "ycrcb"]))))
    else:
        method = draw(st.sampled_from(["weighted_average", "from_lab", "desaturation", "average", "max"]))
        f.c = draw(st.sampled_from([3, 3, 1]))
        f.ops.append(("gray", method, f.c))
    return None


def channels(draw: Any, f: Frame) -> None:
    if f.two or f.aside:
        return linear(draw, f)
    index = tuple(draw(st.lists(st.integers(-1, f.c - 1), min_size=1, max_size=5)))
    f.c = len(index)
    f.ops.append(("channels", index, float(draw(st.integers(0, 1)))))
    return None


def tap(draw: Any, f: Frame) -> None:
    if f.dtype == "uint8" and draw(st.booleans()):
        f.ops.append(("equalize", draw(st.sampled_from(["cv", "pil"])), None))
        return
    f.ops.append(
        ("linear_mean", number(draw, 0, 2), number(draw, -0.5, 0.5), draw(st.sampled_from(["all", "gray"])), draw(st.booleans()),
         draw(st.sampled_from(["slice", "stack", "first"])))
    )  # fmt: skip


def stencil(draw: Any, f: Frame) -> None:
    if draw(st.booleans()):
        k = draw(st.sampled_from([3, 5, 7, 9, 13]))
        f.ops.append(("gauss", k, number(draw, 0.3, 4)))
        return
    k = draw(st.sampled_from([3, 3, 5]))
    f.ops.append(("conv", ("weights", k, tuple(number(draw, -0.4, 0.5) for _ in range(k * k)))))


def noise(draw: Any, f: Frame) -> None:
    grid = (f.w, f.h) if draw(st.booleans()) else (draw(st.integers(1, f.w)), draw(st.integers(1, f.h)))
    layout = draw(st.sampled_from(["pixel", "shared", "channel"]))
    f.ops.append(
        (
            "field",
            ("noise", draw(SEEDS), "normal", number(draw, -0.1, 0.1), number(draw, 0, 0.3), layout, *grid),
            "add",
            1.0,
            0.0,
        )
    )


def paint(draw: Any, f: Frame) -> None:
    rects: list[int] = []
    for _ in range(draw(st.integers(1, 3))):
        x0, y0 = draw(st.integers(0, f.w - 1)), draw(st.integers(0, f.h - 1))
        rects += (x0, y0, draw(st.integers(x0 + 1, f.w)), draw(st.integers(y0 + 1, f.h)))
    ink = draw(st.sampled_from(["fill", "random", "each"]))
    value = fill(draw, f) if ink == "fill" else (ink, draw(SEEDS))
    hide = draw(st.sampled_from([None, "shrink", "keep"])) if not f.aside else None
    f.ops.append(("paint", ("rects", *rects), value, "set", draw(st.sampled_from([None, 5.0])), hide))


def bracket(draw: Any, f: Frame) -> None:
    """aside … join: a blend, or some channels on their own."""
    if f.aside >= 2:
        return linear(draw, f)
    kept = f.w, f.h, f.c, f.dtype
    rule = draw(st.sampled_from(["lerp", "take", "put"]))
    if rule == "put":
        index = tuple(draw(st.permutations(range(f.c)))[: draw(st.integers(1, f.c))])
        f.ops.append(("aside", index))
        f.c = len(index)
    else:
        f.ops.append(("aside", None))
    f.aside += 1
    inner = f.c
    for _ in range(draw(st.integers(0, 3))):
        draw(st.sampled_from([linear, gamma, stencil, noise, paint, tap, bracket, there_and_back]))(draw, f)
    assert f.c == inner and (f.w, f.h, f.dtype) == (kept[0], kept[1], kept[3])
    f.aside -= 1
    f.c = kept[2]
    f.ops.append(
        ("join", "put", index)
        if rule == "put"
        else ("join", "lerp", number(draw, -0.5, 1.5), number(draw, -0.5, 1.5))
        if rule == "lerp"
        else ("join", "take")
    )
    return None


def there_and_back(draw: Any, f: Frame) -> None:
    w, h = f.w, f.h
    f.ops.append(("resize", draw(SIDES), draw(SIDES), draw(st.integers(0, 6)), 0))
    f.ops.append(("resize", w, h, draw(st.integers(0, 6)), 0))


def work(draw: Any, f: Frame) -> None:
    if f.working or f.aside:
        return gamma(draw, f)
    f.working = f.dtype
    f.dtype = draw(st.sampled_from(["uint8", "float32"]))
    f.ops.append(("work", "u8" if f.dtype == "uint8" else "f32"))
    for _ in range(draw(st.integers(0, 3))):
        draw(st.sampled_from([linear, gamma, colours, tap, noise]))(draw, f)
    f.ops.append(("work", "own"))
    f.dtype, f.working = f.working, ""
    return None


def to_float(draw: Any, f: Frame) -> None:
    if f.dtype == "float32" or f.aside:
        return linear(draw, f)
    f.ops.append(("cast", "float32", 255.0))
    f.dtype = "float32"
    return None


def normalize(draw: Any, f: Frame) -> None:
    if f.aside:
        return linear(draw, f)
    if draw(st.integers(0, 3)) == 0:
        f.ops.append(
            (
                "standardize",
                draw(st.sampled_from(["image", "image_per_channel", "min_max", "min_max_per_channel"])),
                draw(st.sampled_from(["slice", "stack"])),
            )
        )
    else:
        f.ops.append(("normalize", number(draw, 0, f.peak), number(draw, 0.01, 2)))
    f.dtype = "float32"
    return None


MOVES = (crop, crop, orient, pad)
ALL = (
    *MOVES,
    resize,
    warp,
    linear,
    gamma,
    colours,
    channels,
    tap,
    stencil,
    noise,
    paint,
    bracket,
    work,
    to_float,
    normalize,
)


@st.composite
def lists(draw: Any, length: int = 6) -> Frame:
    """A frame as it comes in, with ops that fit; `frame.start` is its first size."""
    f = Frame(
        draw(SIDES),
        draw(SIDES),
        draw(st.sampled_from([1, 1, 2, 3, 3, 3, 4, 5, 7])),
        draw(st.sampled_from(["uint8", "float32"])),
        False,
    )
    f.two = f.c == 1 and draw(st.booleans())
    f.start = (f.w, f.h, f.c, f.dtype)  # type: ignore[attr-defined]
    for _ in range(draw(st.integers(1, length))):
        draw(st.sampled_from(ALL))(draw, f)
        if f.w * f.h > 20_000:
            f.ops.append(("crop", 0, 0, min(f.w, 60), min(f.h, 60)))
            f.w, f.h = min(f.w, 60), min(f.h, 60)
    if draw(st.integers(0, 2)) == 0:
        f.ops.append(("layout", "chw", draw(st.booleans())))
    return f


@st.composite
def arrays(draw: Any, w: int, h: int, c: int, dtype: str, two: bool, depth: int = 0) -> np.ndarray:
    """An array with random contents, contiguous, strided or reversed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    flip, step = draw(st.booleans()), draw(st.sampled_from([1, 1, 2]))
    shape = ((depth,) if depth else ()) + (h * step, w * step) + (() if two else (c,))
    base = rng.integers(0, 256, shape, dtype=np.uint8) if dtype == "uint8" else rng.random(shape, dtype=np.float32)
    ys, xs = (
        (slice(None, None, -step), slice(None, None, -step))
        if flip
        else (slice(None, None, step), slice(None, None, step))
    )
    view = base[:, ys, xs] if depth else base[ys, xs]
    return view
