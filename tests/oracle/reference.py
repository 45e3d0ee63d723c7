"""Every op once more, in float64 and for reading: no speed, no tricks, one formula after the other.

Images are (H, W, C) float64 in the units of the image (0..255 or 0..1); `rounded` turns a result into uint8 where the
op says how.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
CONSTANT, REPLICATE, REFLECT, WRAP, REFLECT_101 = range(5)
NEAREST, LINEAR, CUBIC, AREA, LANCZOS, LINEAR_EXACT, NEAREST_EXACT = range(7)


def rint(values: Array) -> Array:
    """Half to even, saturated to uint8."""
    return np.clip(np.rint(values), 0, 255)


def trunc(values: Array) -> Array:
    """Toward zero, saturated to uint8."""
    return np.clip(np.trunc(values), 0, 255)


# -- borders ---------------------------------------------------------------------------------------------------------


def outside(index: Array, n: int, border: int) -> tuple[Array, Array]:
    """Where index reads from, and whether it shows the constant fill."""
    index = np.asarray(index, np.int64)
    beyond = (index < 0) | (index >= n)
    if border in (CONSTANT, REPLICATE):
        return np.clip(index, 0, n - 1), beyond & (border == CONSTANT)
    if border == WRAP:
        return index % n, np.zeros_like(beyond)
    if border == REFLECT:
        period = index % (2 * n)
        return np.where(period < n, period, 2 * n - 1 - period), np.zeros_like(beyond)
    if n == 1:
        return np.zeros_like(index), np.zeros_like(beyond)
    period = index % (2 * n - 2)
    return np.where(period < n, period, 2 * n - 2 - period), np.zeros_like(beyond)


def fetch(image: Array, y: Array, x: Array, border: int, fill: Array) -> Array:
    """image[y, x] with a border; y and x have one shape."""
    h, w = image.shape[:2]
    iy, out_y = outside(y, h, border)
    ix, out_x = outside(x, w, border)
    return np.where((out_y | out_x)[..., None], fill, image[iy, ix])


def pad(image: Array, left: int, top: int, w: int, h: int, border: int, fill: Array) -> Array:
    y, x = np.mgrid[:h, :w]
    return fetch(image, y - top, x - left, border, fill)


# -- resize ----------------------------------------------------------------------------------------------------------


def keys(t: Array) -> Array:
    """Cubic convolution with a = −0.75."""
    a, t = -0.75, np.abs(t)
    inner = ((a + 2) * t - (a + 3)) * t * t + 1
    outer = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))


def lanczos(t: Array) -> Array:
    """sinc(t) · sinc(t/4) on |t| < 4."""
    return np.where(np.abs(t) < 4, np.sinc(t) * np.sinc(t / 4), 0.0)


def resize_weights(n: int, m: int, interp: int, enlarging: bool) -> Array:
    """(m, n): how much of source position j is in output position i."""
    scale = n / m
    d = np.arange(m)
    weights = np.zeros((m, n))
    if interp == NEAREST:
        weights[d, np.minimum(np.floor(d * n / m).astype(int), n - 1)] = 1
        return weights
    if interp == NEAREST_EXACT:
        weights[d, np.minimum(np.floor((d + 0.5) * n / m).astype(int), n - 1)] = 1
        return weights
    if interp == AREA and not enlarging:
        for i in d:
            low, high = i * scale, min((i + 1) * scale, n)
            for j in range(int(low), min(int(np.ceil(high)), n)):
                weights[i, j] = max(0.0, min(high, j + 1) - max(low, j))
        return weights / weights.sum(1, keepdims=True)
    if interp == AREA:
        s = np.floor(d * scale).astype(int)
        f = (d + 1) - (s + 1) / scale
        f = np.where(f <= 0, 0, f - np.floor(f))
        taps = [(s, 1 - f), (s + 1, f)]
    else:
        at = (d + 0.5) * scale - 0.5
        base = np.floor(at).astype(int)
        t = at - base
        kernel, reach = {CUBIC: (keys, 2), LANCZOS: (lanczos, 4)}.get(
            interp, (lambda x: np.maximum(0, 1 - np.abs(x)), 1)
        )
        taps = [(base + k, kernel(t - k)) for k in range(1 - reach, reach + 1)]
    for j, weight in taps:
        np.add.at(weights, (d, np.clip(j, 0, n - 1)), weight)
    return weights / weights.sum(1, keepdims=True)


def resize(image: Array, w: int, h: int, interp: int) -> Array:
    enlarging = w > image.shape[1] or h > image.shape[0]
    across = resize_weights(image.shape[1], w, interp, enlarging)
    down = resize_weights(image.shape[0], h, interp, enlarging)
    return np.einsum("ijc,kj->ikc", np.einsum("ij,jlc->ilc", down, image), across, optimize=True)


# -- warps -----------------------------------------------------------------------------------------------------------


def sources(matrix: Array, w: int, h: int) -> tuple[Array, Array]:
    """(x, y) in the source of every output pixel, through the inverse of a forward 3×3 matrix."""
    inverse = np.linalg.inv(matrix)
    y, x = np.mgrid[:h, :w].astype(np.float64)
    u, v, d = (inverse[i, 0] * x + inverse[i, 1] * y + inverse[i, 2] for i in range(3))
    return u / d, v / d


def on_opencvs_grid(matrix: Array, w: int, h: int) -> tuple[Array, Array]:
    """Positions of an affine map as OpenCV's LANCZOS4 rounds them: rows and columns to 1/1024, their sum to 1/32."""
    inverse = np.linalg.inv(matrix)
    y, x = np.mgrid[:h, :w].astype(np.float64)
    both = (np.rint((m[1] * y + m[2]) * 1024) + np.rint(m[0] * x * 1024) for m in inverse[:2])
    u, v = (np.floor((total + 16) / 32) / 32 for total in both)
    return u, v


def sample(image: Array, x: Array, y: Array, interp: int, border: int, fill: Array) -> Array:
    """The image at real positions; pixel centres are whole numbers."""
    if interp == NEAREST:
        return fetch(image, np.rint(y), np.rint(x), border, fill)
    kernel, reach = {CUBIC: (keys, 2), LANCZOS: (lanczos, 4)}.get(interp, (lambda t: np.maximum(0, 1 - np.abs(t)), 1))
    if interp == LANCZOS:  # OpenCV's grid of 1/32
        x, y = np.rint(x * 32) / 32, np.rint(y * 32) / 32
    bx, by = np.floor(x), np.floor(y)
    taps = range(1 - reach, reach + 1)
    wx = np.stack([kernel(x - bx - k) for k in taps])
    wy = np.stack([kernel(y - by - k) for k in taps])
    wx, wy = wx / wx.sum(0), wy / wy.sum(0)
    out = np.zeros((*x.shape, image.shape[2]))
    for i, ky in enumerate(taps):
        for j, kx in enumerate(taps):
            out += (wy[i] * wx[j])[..., None] * fetch(image, by + ky, bx + kx, border, fill)
    return out


# -- neighbourhoods ---------------------------------------------------------------------------------------------------


def gauss_kernel(k: int, sigma: float) -> Array:
    x = np.arange(k) - (k - 1) / 2
    weights = np.exp(-(x**2) / (2 * sigma**2))
    return weights / weights.sum()


def correlate(image: Array, kernel: Array) -> Array:
    """Not flipped, anchored in the middle, border reflect-101."""
    h, w = image.shape[:2]
    ry, rx = kernel.shape[0] // 2, kernel.shape[1] // 2
    y, x = np.mgrid[:h, :w]
    out = np.zeros_like(image)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            out += kernel[i, j] * fetch(image, y + i - ry, x + j - rx, REFLECT_101, np.zeros(image.shape[2]))
    return out


# -- colours ---------------------------------------------------------------------------------------------------------


def hsv_from_rgb(rgb: Array) -> tuple[Array, Array, Array]:
    """Degrees, 0..1, 0..1 of RGB in 0..1."""
    r, g, b = np.moveaxis(rgb, -1, 0)
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low
    safe = np.where(spread > 0, spread, 1)
    hue = np.where(high == r, (g - b) / safe, np.where(high == g, 2 + (b - r) / safe, 4 + (r - g) / safe)) * 60
    return np.where(spread > 0, hue % 360, 0), np.where(high > 0, spread / np.where(high > 0, high, 1), 0), high


def rgb_from_hsv(h: Array, s: Array, v: Array) -> Array:
    sector = (h / 60) % 6

    def channel(n: float) -> Array:
        k = (n + sector) % 6
        return v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1)

    return np.stack([channel(5), channel(3), channel(1)], -1)


def hsv_shift(rgb: Array, hue: float, sat: float, val: float) -> Array:
    """float32 of D40: hue in half degrees, saturation and value of 255; what has no colour stays so."""
    h, s, v = hsv_from_rgb(rgb)
    s = np.where(s > 0, np.clip(s + sat / 255, 0, 1), 0)
    return rgb_from_hsv((h + 2 * hue) % 360, s, np.clip(v + val / 255, 0, 1))


WEIGHTS = np.array([0.299, 0.587, 0.114])


def lightness(rgb: Array) -> Array:
    """L of CIE Lab (D65) in 0..1, of sRGB in 0..1."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.212671, 0.715160, 0.072169])
    return np.where(y > 0.008856, 1.16 * np.cbrt(y) - 0.16, 9.033 * y)


def gray(image: Array, method: str, peak: float) -> Array:
    if method == "weighted_average":
        return image @ WEIGHTS
    if method == "from_lab":
        return lightness(image / peak) * peak
    return {
        "desaturation": lambda: (image.max(-1) + image.min(-1)) / 2,
        "average": lambda: image.mean(-1),
        "max": lambda: image.max(-1),
    }[method]()


# -- statistics --------------------------------------------------------------------------------------------------------


def equalize_cv(channel: Array) -> Array:
    """cv2.equalizeHist of uint8."""
    histogram = np.bincount(channel.ravel(), minlength=256)
    first = int(np.nonzero(histogram)[0][0])
    rest = channel.size - histogram[first]
    if rest == 0:
        return channel.copy()
    table = rint((np.cumsum(histogram) - histogram[first]) * (255 / rest))
    table[: first + 1] = 0
    return table.astype(np.uint8)[channel]


def equalize_pil(channel: Array) -> Array:
    """mode="pil" as 2.0.8 has it: PIL's own counts the values below, this one those up to and with the value."""
    histogram = np.bincount(channel.ravel(), minlength=256)
    present = histogram[histogram > 0]
    step = int(present[:-1].sum()) // 255
    if step == 0:
        return channel.copy()
    return np.minimum((np.cumsum(histogram) + step // 2) // step, 255).astype(np.uint8)[channel]


def standardize(image: Array, mode: str, is_float: bool) -> Array:
    """Normalize by the image's own statistics, clipped to ±20."""
    axis = (0, 1) if mode.endswith("_per_channel") and image.shape[2] > 1 else None
    if mode.startswith("image"):
        spread = image.std(axis) + (0 if is_float and axis else 1e-4)
        out = (image - image.mean(axis)) / spread
    else:
        low, high = image.min(axis), image.max(axis)
        out = (image - low) / (high - low + (0 if is_float and axis is None else 1e-4))
    return np.clip(out, -20, 20)
