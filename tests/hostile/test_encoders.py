"""Arrays that the encoders get: through the same gate as images, with the same answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ferraug import LimitError, _core
from hostile_helpers import IMAGE, apart, same
from numpy.lib.stride_tricks import as_strided

ENCODERS = {"png": _core.encode_png, "jpeg": _core.encode_jpeg}


class Lying:
    """Claims to be an array."""

    shape, ndim, dtype, strides = (8, 8, 3), 3, np.dtype("uint8"), (24, 3, 1)

    @property
    def __array_interface__(self) -> Any:
        raise AssertionError("asked for its memory")

    __array_struct__ = __array_interface__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("asked for its values")

    def __buffer__(self, *_: Any) -> Any:
        raise AssertionError("asked for its buffer")


class Sub(np.ndarray):
    """A subclass."""


def packed() -> np.ndarray:
    pixels = np.zeros((24, 32, 3), np.dtype([("tag", "<u4"), ("value", "u1"), ("end", "<u2")]))
    pixels["value"] = IMAGE
    return pixels["value"]


def shifted() -> np.ndarray:
    """Rows that begin at odd addresses."""
    raw = np.zeros(24 * 97 + 1, np.uint8)
    view = as_strided(raw[1:], (24, 32, 3), (97, 3, 1))
    view[...] = IMAGE
    return view


PLAIN: dict[str, Callable[[], np.ndarray]] = {
    "zero strides": lambda: np.broadcast_to(np.uint8(7), (24, 32, 3)),
    "one row for all": lambda: np.broadcast_to(IMAGE[:1], (24, 32, 3)),
    "one pixel for all": lambda: np.broadcast_to(IMAGE[:1, :1], (24, 32, 3)),
    "overlapping rows": lambda: as_strided(IMAGE, (20, 30, 3), (3, 3, 1)),
    "overlapping rows of gray": lambda: as_strided(IMAGE, (20, 30), (1, 1)),
    "misaligned rows": shifted,
    "field of a packed struct": packed,
    "read-only": lambda: np.frombuffer(IMAGE.tobytes(), np.uint8).reshape(IMAGE.shape),
    "reversed": lambda: IMAGE[::-1, ::-1, ::-1],
    "F order": lambda: np.asfortranarray(IMAGE),
    "every other": lambda: IMAGE[::2, ::3],
    "one channel": lambda: IMAGE[..., 1],
    "one channel, kept": lambda: IMAGE[..., 1:2],
    "a column": lambda: IMAGE[:, 5:6],
    "a row": lambda: IMAGE[5:6],
}


@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize("make", PLAIN.values(), ids=PLAIN)
def test_odd_memory_encodes_as_its_copy(encode: Any, make: Callable[[], np.ndarray]) -> None:
    image = make()
    before = image.copy()
    assert encode(image) == encode(np.array(image, order="C", copy=True))
    assert np.array_equal(image, before)


BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "lying": (Lying, TypeError, "image: expected numpy.ndarray, got .*Lying"),
    "subclass": (lambda: IMAGE.view(Sub), TypeError, "image: expected numpy.ndarray, got .*Sub"),
    "masked": (lambda: np.ma.masked_array(IMAGE, IMAGE > 9), TypeError, "image: .* the mask would be lost"),
    "none": (lambda: None, TypeError, "image: expected numpy.ndarray, got NoneType"),
    "bytes": (lambda: bytes(12), TypeError, "image: expected numpy.ndarray, got bytes"),
    "memoryview": (lambda: memoryview(IMAGE), TypeError, "image: expected numpy.ndarray, got memoryview"),
    "float": (lambda: IMAGE / 255, TypeError, "image: dtype float64; this format holds uint8"),
    "int8": (lambda: IMAGE.astype(np.int8), TypeError, "image: dtype int8; this format holds uint8"),
    "bool": (lambda: IMAGE > 9, TypeError, "image: dtype bool; this format holds uint8"),
    "big-endian": (lambda: IMAGE.astype(">u2"), TypeError, "image: byte order '>'"),
    "objects": (lambda: IMAGE.astype(object), TypeError, "image: dtype object"),
    "struct": (lambda: np.zeros((4, 4), [("a", "u1")]), TypeError, "image: dtype"),
    "misaligned float": (lambda: np.zeros(49, np.uint8)[1:].view(np.float32).reshape(2, 2, 3), TypeError, "float32"),
    "no dimensions": (lambda: np.array(5, np.uint8), ValueError, "image: 2 or 3 dimensions, got 0"),
    "33 dimensions": (lambda: np.zeros((1,) * 33, np.uint8), ValueError, "image: 2 or 3 dimensions, got 33"),
    "four dimensions": (lambda: IMAGE[None], ValueError, "image: 2 or 3 dimensions, got 4"),
    "nothing": (lambda: np.zeros((0, 5, 3), np.uint8), ValueError, "image: height and width must be ≥1"),
    "no channels": (lambda: np.zeros((5, 5, 0), np.uint8), ValueError, "image: 0 channels"),
    "five channels": (lambda: np.zeros((5, 5, 5), np.uint8), ValueError, "channels"),
    "huge": (lambda: np.broadcast_to(np.uint8(0), (2**31, 2**31, 1)), LimitError, "image: 4611686018427387904 pixels"),
}


@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize(("make", "kind", "text"), BAD.values(), ids=BAD)
def test_refused(encode: Any, make: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        encode(make())
    assert caught.type is kind
    assert len(_core.encode_png(IMAGE)) > 100


def test_memory_that_reads_beyond_itself_is_not_made_up() -> None:
    """Two zero-stride views of one buffer, encoded at once, end and are equal."""
    lines = apart("""
        from ferraug import _core
        buffer = np.arange(5, dtype=np.uint8)
        a, b = np.broadcast_to(buffer[:1], (24, 32, 3)), np.broadcast_to(buffer[:1], (24, 32, 3))
        assert answer(lambda: _core.encode_png(a)) == answer(lambda: _core.encode_png(b))
        for n in (33, 64 if int(np.__version__.split(".")[0]) >= 2 else 32):
            answer(lambda: _core.encode_jpeg(np.zeros((1,) * min(n, 64), np.uint8)) )
    """)
    assert lines[:2] == ["ok", "ok"] and all(line.startswith("ValueError image: 2 or 3") for line in lines[2:])


def test_images_that_other_threads_write() -> None:
    image, stop = np.ascontiguousarray(np.tile(IMAGE, (8, 8, 1))), threading.Event()

    def write() -> None:
        while not stop.is_set():
            image[...] = ~image

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            for encode in ENCODERS.values():
                assert _core.decode(encode(image))[0].shape == image.shape
    finally:
        stop.set()
        thread.join()
    assert same(_core.decode(_core.encode_png(image))[0], image)
