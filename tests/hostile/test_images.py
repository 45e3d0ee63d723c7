"""Image arrays that are wrong, odd or dangerous: one test a row of the list of bad inputs (the number in each name)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ferraug as F
import numpy as np
import pytest
from hostile_helpers import IMAGE, apart, copies, refused, same
from numpy.lib.stride_tricks import as_strided

FLIP = F.Compose([F.HorizontalFlip(p=1)])
GAMMA = F.Compose([F.RandomGamma(gamma_limit=(150, 150), p=1)])


class Lying:
    """Claims to be an array."""

    shape, ndim, dtype = (8, 8, 3), 3, np.dtype("uint8")

    @property
    def __array_interface__(self) -> Any:
        raise AssertionError("asked for its memory")

    __array_struct__ = __array_interface__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("asked for its values")


class Sub(np.ndarray):
    """A subclass with code of its own."""


def pillow() -> Any:
    return pytest.importorskip("PIL.Image", reason="Pillow is not installed").fromarray(IMAGE)


def tensor() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed").from_numpy(IMAGE.copy())


def shaped(*shape: int) -> Callable[[], Any]:
    return lambda: np.zeros(shape, np.uint8)


def typed(dtype: Any) -> Callable[[], Any]:
    return lambda: np.zeros((5, 5, 3), dtype)


REFUSED: list[tuple[str, Callable[[], Any], type[Exception], tuple[str, ...]]] = [
    ("1 none", lambda: None, TypeError, ("image: expected numpy.ndarray, got NoneType",)),
    ("2 nested list", lambda: IMAGE.tolist(), TypeError, ("image", "list", "np.asarray")),
    ("3 PIL", pillow, TypeError, ("image", "PIL", "np.asarray(img)")),
    ("4 torch", tensor, TypeError, ("image", "Tensor", ".numpy()")),
    ("5 lying interface", Lying, TypeError, ("image", "Lying", "numpy.ndarray")),
    ("6 no dimensions", shaped(), ValueError, ("image: 2 or 3 dimensions, got 0",)),
    ("7 one dimension", shaped(9), ValueError, ("image: 2 or 3 dimensions, got 1",)),
    ("8 four dimensions", shaped(2, 5, 5, 3), ValueError, ("image", "got 4", "use images=")),
    ("9 33 dimensions", lambda: np.zeros((1,) * 33, np.uint8), ValueError, ("image: 2 or 3 dimensions, got 33",)),
    ("10 nothing", shaped(0, 0, 3), ValueError, ("image", "height and width must be ≥1", "0")),
    ("10 no rows", shaped(0, 5, 3), ValueError, ("image", "height and width must be ≥1")),
    ("10 no columns", shaped(5, 0, 3), ValueError, ("image", "height and width must be ≥1")),
    ("11 no channels", shaped(5, 5, 0), ValueError, ("image", "0 channels", "1..512")),
    ("12 1025 channels", shaped(5, 5, 1025), ValueError, ("image", "1025 channels", "channels 1..512")),
    ("14b complex64", typed("complex64"), TypeError, ("image", "dtype complex64")),
    ("14b datetime64", typed("datetime64[s]"), TypeError, ("image", "dtype datetime64")),
    ("14b text", typed("U1"), TypeError, ("image", "dtype <U1")),
    ("14b longdouble", typed("longdouble"), TypeError, ("image", "dtype")),
    ("15 objects", typed(object), TypeError, ("image", "dtype object")),
    ("16 struct", typed([("r", "u1"), ("g", "u1")]), TypeError, ("image", "dtype")),
    ("16 void", typed("V3"), TypeError, ("image", "dtype")),
    ("17 big-endian f4", typed(">f4"), TypeError, ("image", "byte order '>'", "newbyteorder")),
    ("17 big-endian u2", typed(">u2"), TypeError, ("image", "byte order '>'")),
    ("18 masked", lambda: np.ma.masked_array(IMAGE, IMAGE > 9), TypeError, ("image", "MaskedArray", "mask would be lost")),
    ("18 matrix", lambda: np.asmatrix(IMAGE[..., 0]), TypeError, ("image", "matrix", "np.asarray")),
    ("18 subclass", lambda: IMAGE.view(Sub), TypeError, ("image", "Sub", "np.asarray")),
]


@pytest.mark.parametrize(("name", "make", "kind", "texts"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(name: str, make: Callable[[], Any], kind: type[Exception], texts: tuple[str, ...]) -> None:
    refused(FLIP, {"image": make()}, kind, *texts)
    refused(F.HorizontalFlip(p=1), {"image": make()}, kind, *texts)


@pytest.mark.parametrize("target", ["mask", "images", "masks", "volume", "mask3d", "volumes", "masks3d"])
def test_other_targets_are_gated_alike(target: str) -> None:
    """Whatever the target: its name, the class, what is allowed."""
    deep = {"images": 1, "masks": 1, "volume": 1, "mask3d": 1, "volumes": 2, "masks3d": 2}.get(target, 0)
    data = {"image": IMAGE} if target == "mask" else {}
    refused(FLIP, data | {target: Lying()}, TypeError, f"{target}: expected numpy.ndarray, got", "Lying")
    refused(FLIP, data | {target: np.zeros((1,) * 7, np.uint8)}, ValueError, f"{target}: ", "dimensions, got 7")
    refused(FLIP, data | {target: np.zeros((2,) * deep + (5, 5, 3), ">u2")}, TypeError, f"{target}: ", "byte order")
    refused(FLIP, data | {target: np.zeros((2,) * deep + (5, 5, 3), object)}, TypeError, f"{target}: ", "dtype object")
    refused(FLIP, data | {target: np.zeros((2,) * deep + (5, 5, 600), np.uint8)}, ValueError, f"{target}: 600 channels")


MOVED = ("float64", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "bool", "float16")
MOVES = [
    F.HorizontalFlip(p=1), F.VerticalFlip(p=1), F.Transpose(p=1), F.CenterCrop(16, 16, p=1), F.RandomRotate90(p=1),
    F.Pad(3, p=1, border_mode=4), F.Resize(40, 20, interpolation=0, p=1), F.Rotate((30, 30), interpolation=0, p=1),
]  # fmt: skip


@pytest.mark.parametrize("dtype", MOVED)
@pytest.mark.parametrize("move", MOVES, ids=lambda m: type(m).__name__)
def test_13_14_other_dtypes_are_moved(dtype: str, move: Any) -> None:
    """What only moves pixels moves those of any dtype as it moves bytes."""
    pipeline = F.Compose([move], seed=5)
    places = np.arange(24 * 32, dtype=np.int64).reshape(24, 32)
    image = places.astype(dtype) if dtype != "bool" else places % 3 == 0
    got = pipeline.run({"image": image}, key=1)["image"]
    where = pipeline.run({"image": places.astype(np.int32)}, key=1)["image"]
    assert got.dtype == dtype
    want = where.astype(dtype) if dtype != "bool" else (where % 3 == 0)
    filled = where == 0  # a fill of 0 is no place
    assert np.array_equal(got[~filled], want[~filled])


@pytest.mark.parametrize("dtype", MOVED)
@pytest.mark.parametrize(
    "compute",
    [
        F.RandomBrightnessContrast(p=1), F.GaussianBlur(p=1), F.GaussNoise(p=1), F.Rotate((30, 30), interpolation=1, p=1),
        F.Resize(40, 20, interpolation=1, p=1), F.RandomGamma(p=1),
    ],
    ids=lambda t: type(t).__name__,
)  # fmt: skip
def test_13_14_computing_is_refused_by_name(dtype: str, compute: Any) -> None:
    image = np.ones((24, 32, 3), dtype)
    pipeline = F.Compose([F.HorizontalFlip(p=1), compute], seed=1)
    before = image.copy()
    with pytest.raises(TypeError) as caught:
        pipeline(image=image)
    said = str(caught.value) + " ".join(getattr(caught.value, "__notes__", ()))
    for text in (type(compute).__name__, f"dtype {dtype}", "uint8", "float32", ".astype(np.float32)"):
        assert text in said, f"{text!r} is not in {said!r}"
    assert same(before, image)


# -- odd memory that must work -------------------------------------------------------------------------------------------


def misaligned() -> np.ndarray:
    raw = np.zeros(24 * 32 * 3 * 4 + 1, np.uint8)
    view = raw[1:].view(np.float32).reshape(24, 32, 3)
    view[...] = IMAGE / np.float32(255)
    assert not view.flags.aligned
    return view


def packed(field: str, dtype: Any) -> Callable[[], np.ndarray]:
    def make() -> np.ndarray:
        pixels = np.zeros((24, 32, 3), np.dtype([("tag", "u1"), (field, dtype)]))
        pixels[field] = IMAGE if dtype == "u1" else IMAGE / np.float32(255)
        return pixels[field]

    return make


ODD: list[tuple[str, Callable[[], np.ndarray]]] = [
    ("19 misaligned f32", misaligned),
    ("20 packed u8 field", packed("value", "u1")),
    ("20 packed f32 field", packed("value", "f4")),
    ("21 reversed rows and columns", lambda: IMAGE[::-1, ::-1]),
    ("21 reversed rows", lambda: IMAGE[::-1]),
    ("21 reversed channels", lambda: IMAGE[..., ::-1]),
    ("21 transposed", lambda: IMAGE.transpose(1, 0, 2)),
    ("21 F order", lambda: np.asfortranarray(IMAGE)),
    ("21 every other", lambda: IMAGE[::2, ::3]),
    ("21 window", lambda: IMAGE[3:20, 5:29]),
    ("21 channels first, moved back", lambda: np.ascontiguousarray(IMAGE.transpose(2, 0, 1)).transpose(1, 2, 0)),
    ("21 one channel of three", lambda: IMAGE[..., 1]),
    ("21 one channel of three, kept", lambda: IMAGE[..., 1:2]),
    ("22 one row for all", lambda: np.broadcast_to(IMAGE[:1], (24, 32, 3))),
    ("22 one pixel for all", lambda: np.broadcast_to(IMAGE[:1, :1], (24, 32, 3))),
    ("22 one value for all", lambda: np.broadcast_to(np.uint8(7), (24, 32, 3))),
    ("22 overlapping rows", lambda: as_strided(IMAGE, (20, 30, 3), (3, 3, 1))),
    ("26 read-only", lambda: np.frombuffer(IMAGE.tobytes(), np.uint8).reshape(IMAGE.shape)),
    ("memory map", lambda: mapped()),
    ("what imageio reads", lambda: read_by_imageio()),
]


def read_by_imageio() -> np.ndarray:
    """imageio's subclass holds plain pixels and a note about the file."""
    kind = type("Array", (np.ndarray,), {"__module__": "imageio.core.util"})
    return IMAGE.copy().view(kind)


def mapped() -> np.ndarray:
    import tempfile

    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the map
    map_ = np.memmap(file, np.uint8, "w+", shape=IMAGE.shape)
    map_[...] = IMAGE
    return map_


PIPES = {
    "flip": lambda: [F.HorizontalFlip(p=1)],
    "nothing": lambda: [F.NoOp(p=1)],
    "gamma": lambda: [F.RandomGamma(gamma_limit=(150, 150), p=1)],
    "warp": lambda: [F.Affine(rotate=(20, 20), p=1)],
    "blur": lambda: [F.GaussianBlur(p=1)],
    "resize": lambda: [F.Resize(31, 17, p=1)],
    "equalize": lambda: [F.Equalize(p=1)],
}


@pytest.mark.parametrize("children", PIPES.values(), ids=PIPES)
@pytest.mark.parametrize(("name", "make"), ODD, ids=[row[0] for row in ODD])
def test_odd_memory_is_a_contiguous_copy(name: str, make: Callable[[], Any], children: Callable[[], list[Any]]) -> None:
    image = make()
    plain = np.array(image, order="C", copy=True, subok=False)
    pipeline = F.Compose(children(), seed=4)
    if name.startswith("20 packed f32") and children is PIPES["equalize"]:
        pytest.skip("Equalize is for bytes")
    for target in ("image", "mask"):
        if target == "mask" and children is not PIPES["flip"]:
            continue
        data = {"image": plain, target: image}
        got = pipeline.run(data, key=1)
        want = pipeline.run(dict.fromkeys(data, plain), key=1)
        for key, value in want.items():
            assert type(got[key]) is np.ndarray
            assert got[key].dtype == value.dtype and np.array_equal(got[key], value), key
            assert got[key].flags.c_contiguous
    assert same(np.asarray(image), np.asarray(make())), "the input was written to"


@pytest.mark.parametrize("make", [row[1] for row in ODD], ids=[row[0] for row in ODD])
def test_odd_memory_in_stacks(make: Callable[[], Any]) -> None:
    image = make()
    plain = np.array(image, order="C", copy=True, subok=False)
    got = FLIP(images=[image, image])["images"]
    assert len(got) == 2 and np.array_equal(got[1], plain[:, ::-1])
    stack = np.broadcast_to(np.asarray(image), (3, *image.shape))
    assert np.array_equal(FLIP(images=stack)["images"], np.stack([plain[:, ::-1]] * 3))
    assert np.array_equal(FLIP(volume=stack[::-1])["volume"], np.stack([plain[:, ::-1]] * 3))


def test_23_two_zero_stride_views_of_one_buffer() -> None:
    lines = apart("""
        buffer = np.arange(5, dtype=np.uint8)
        image = np.broadcast_to(buffer[:1], (24, 32, 3))
        mask = np.broadcast_to(buffer[:1], (24, 32))
        out = answer(lambda: F.Compose([F.HorizontalFlip(p=1)])(image=image, mask=mask, images=[image, image]))
        assert out["image"].shape == (24, 32, 3) and not out["image"].any() and not out["mask"].any()
    """)
    assert lines == ["ok"]


def test_9_64_dimensions() -> None:
    """More axes than the gate has room for; 64 exist from NumPy 2.0 on."""
    lines = apart("""
        n = 64 if int(np.__version__.split(".")[0]) >= 2 else 32
        for target in ("image", "mask", "volumes", "images"):
            answer(lambda: F.Compose([flip])(**{target: np.zeros((1,) * n, np.uint8)}))
    """)
    assert len(lines) == 4
    assert all(line.startswith("ValueError ") and " dimensions, got " in line for line in lines)


def test_24_huge_broadcasts_are_refused_at_once() -> None:
    lines = apart("""
        import time
        one = np.zeros((1, 1, 1), np.uint8)
        for shape in ((2**31, 2**31, 1), (2**62, 1, 1), (2**40, 2**20, 1)):
            image = np.broadcast_to(one, shape)
            times = []
            for _ in range(5):
                start = time.perf_counter()
                try:
                    flip(image=image)
                except F.LimitError:
                    times.append(time.perf_counter() - start)
            answer(lambda: flip(image=image))
            print(min(times))
        answer(lambda: flip(image=np.broadcast_to(one, (1, 1, 2**40))))
        answer(lambda: F.Compose([flip])(images=np.broadcast_to(one[None], (2**30, 2**10, 2**10, 1))))
        answer(lambda: F.Compose([flip])(image=IMAGE, mask=np.broadcast_to(one, (2**31, 2**31, 1))))
    """)
    assert lines[0] == "LimitError image: 4611686018427387904 pixels > max_pixels=2147483647"
    assert lines[2].startswith("LimitError image: ") and lines[4].startswith("LimitError image: ")
    assert all(float(lines[i]) < 1e-3 for i in (1, 3, 5))
    assert lines[6].startswith("ValueError image: 1099511627776 channels")
    assert lines[7].startswith("LimitError images: ") and lines[8].startswith("LimitError mask: ")


def test_24_many_references_to_one_large_image_are_one_large_array() -> None:
    """Packing a list must not allocate what nobody has; it is refused or fails as a MemoryError, never as an abort."""
    lines = apart("""
        one = np.zeros((20000, 20000), np.uint8)
        answer(lambda: F.Compose([flip])(images=[one] * 6))
        wide = np.broadcast_to(np.zeros((1, 1, 1), np.float64), (30000, 30000, 512))
        for call in (lambda: flip(image=wide), lambda: F.Compose([flip])(images=[wide])):
            try:
                call()
            except MemoryError:
                print("MemoryError")
    """)
    assert lines[0].startswith("LimitError images: 2400000000 pixels")
    assert lines[1:] == ["MemoryError", "MemoryError"]


def test_25_two_gigabytes() -> None:
    lines = apart("""
        image = np.zeros((2**31, 1, 1), np.uint8)
        answer(lambda: F.CenterCrop(4, 1, p=1)(image=image))
        crop = answer(lambda: F.CenterCrop(4, 1, p=1)(image=image[:-1]))
        assert crop is None or crop["image"].shape == (4, 1, 1)
    """)
    assert lines[0].startswith("LimitError image: 2147483648 pixels")
    assert lines[1] == "ok"


def test_temporaries_that_cannot_be_had_are_a_memory_error() -> None:
    """An image of 2³¹−1 pixels is within the limit of an array, and beyond what this process may have."""
    lines = apart("""
        deep = np.zeros((64, 64, 512), np.float32)
        pipe = F.Compose([F.Resize(32000, 32000, p=1), F.GaussianBlur(p=1), F.Resize(16, 16, p=1)])
        try:
            pipe(image=deep)
        except MemoryError as error:
            print("MemoryError", error)
        answer(lambda: flip(image=deep))
    """)
    assert lines[0].startswith("MemoryError") and lines[1] == "ok"


# -- out= ----------------------------------------------------------------------------------------------------------------


def out_refused(out: Any, kind: type[Exception], *texts: str, image: Any = IMAGE) -> None:
    pipeline = F.Compose([F.HorizontalFlip(p=1)])
    before, kept = copies(image), copies(out)
    with pytest.raises(kind) as caught:
        pipeline.run({"image": image}, key=1, out=out)
    assert caught.type is kind
    for text in ("out", *texts):
        assert text in str(caught.value), str(caught.value)
    assert same(before, image) and same(kept, out)


def test_out_receives_the_image() -> None:
    out = np.zeros_like(IMAGE)
    result = F.Compose([F.HorizontalFlip(p=1)]).run({"image": IMAGE, "mask": IMAGE[..., 0]}, key=1, out=out)
    assert result["image"] is out and np.array_equal(out, IMAGE[:, ::-1])
    result = F.Compose([F.NoOp(p=1)]).run({"image": IMAGE}, key=1, out=out)
    assert result["image"] is out and np.array_equal(out, IMAGE)


def test_26_read_only_out() -> None:
    out = np.zeros_like(IMAGE)
    out.flags.writeable = False
    out_refused(out, ValueError, "read-only")


def test_27_out_overlapping_the_image() -> None:
    whole = np.concatenate([IMAGE, IMAGE])
    out_refused(whole[23:47], ValueError, "overlaps image", image=whole[:24])
    out_refused(whole[:24], ValueError, "overlaps image", image=whole[:24])
    # also where the core would read a copy: a reversed view
    out_refused(whole[23:47], ValueError, "overlaps image", image=whole[:24][::-1])
    out_refused(whole[:24], ValueError, "overlaps image", image=whole[:24][:, ::-1])
    apart_out = whole[24:48]
    got = F.Compose([F.HorizontalFlip(p=1)]).run({"image": whole[:24]}, key=1, out=apart_out)["image"]
    assert got is apart_out and np.array_equal(got, IMAGE[:, ::-1])


def test_27_out_overlapping_another_target() -> None:
    whole = np.zeros((48, 32), np.uint8)
    with pytest.raises(ValueError, match="out overlaps mask"):
        FLIP.run({"image": IMAGE[..., 0].copy(), "mask": whole[:24]}, key=1, out=whole[23:47])


@pytest.mark.parametrize("shape", [(24, 31, 3), (24, 32), (24, 32, 3, 1), (), (0,)])
def test_28_out_of_another_shape(shape: tuple[int, ...]) -> None:
    out_refused(np.zeros(shape, np.uint8), ValueError, "shape", "[24, 32, 3]")


@pytest.mark.parametrize("dtype", ["int8", "float32", "bool", "complex64", object])
def test_29_out_of_another_dtype(dtype: Any) -> None:
    out_refused(np.zeros((24, 32, 3), dtype), TypeError, "dtype", "uint8")


def test_29_out_of_another_byte_order_or_memory() -> None:
    image = IMAGE.astype(np.uint16)
    out_refused(np.zeros((24, 32, 3), ">u2"), TypeError, "byte order", image=image)
    out_refused(np.zeros((24, 64, 3), np.uint8)[:, ::2], ValueError, "contiguous")
    out_refused(np.asfortranarray(np.zeros((24, 32, 3), np.uint8)), ValueError, "contiguous")
    out_refused([[0]], TypeError, "list")
    out_refused(np.zeros((24, 32, 3), np.uint8).view(Sub), TypeError, "Sub")


# -- values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45])
@pytest.mark.parametrize("children", [*PIPES.values(), lambda: [F.GaussNoise(p=1)], lambda: [F.Normalize(p=1)]])
def test_30_strange_floats_are_defined(value: float, children: Callable[[], list[Any]]) -> None:
    """Twice the same result, whatever the pixels hold."""
    if children is PIPES["equalize"]:
        return
    image = np.full((24, 32, 3), 0.5, np.float32)
    image[3, 4] = value
    pipeline = F.Compose(children(), seed=2)
    first = pipeline.run({"image": image}, key=1)["image"]
    again = pipeline.run({"image": image.copy()}, key=1)["image"]
    assert first.tobytes() == again.tobytes()
    assert np.isfinite(first[-1, -1]).all(), "a pixel far away was hit"


def test_30_bytes_from_strange_floats() -> None:
    image = np.array([[np.nan, np.inf, -np.inf, 2.0, -1.0, 0.5]], np.float32)
    got = F.Compose([F.FromFloat(p=1)])(image=image)["image"] if hasattr(F, "FromFloat") else None
    if got is None:
        pytest.skip("no transform turns floats into bytes yet")
    assert got[0, :5].tolist() == [0, 255, 0, 255, 0]


def test_32_user_code_that_resizes_the_image() -> None:
    """Boxes are numbers with code of their own: it runs after the image was looked at."""
    lines = apart("""
        class Resizing:
            def __init__(self, array, shape):
                self.array, self.shape = array, shape
            def __float__(self):
                self.array.resize(self.shape, refcheck=False)
                return 1.0
        pipe = F.Compose([flip, F.RandomGamma(p=1), F.Affine(rotate=(9, 9), p=1)], bbox_params=F.BboxParams("coco"))
        for shape in ((1, 1, 3), (2048, 2048, 3), (512 * 512 * 3,), (512, 512, 1)):
            for target in ("image", "mask", "masks"):
                array = np.zeros((512, 512, 3), np.uint8)
                data = {"image": np.zeros((512, 512, 3), np.uint8)}
                data[target] = [array] if target == "masks" else array
                answer(lambda: pipe(**data, bboxes=[[Resizing(array, shape), 1, 2, 2]]))
    """)
    assert len(lines) == 12
    for i, line in enumerate(lines):
        target = ("image", "mask", "masks")[i % 3]
        assert line == "ok" if target == "masks" else line.startswith(f"ValueError {target}: the array was resized"), line


def test_32_user_transforms_that_resize_the_image() -> None:
    lines = apart("""
        image = np.zeros((512, 512, 3), np.uint8)
        mask = np.zeros((512, 512), np.uint8)
        kept = []
        def free(img, **_):
            kept.append(img)
            mask.resize((1, 1), refcheck=False)
            return img
        answer(lambda: F.Compose([F.Lambda(image=free, p=1), flip])(image=image, mask=mask))
        def shrink(img, **_):
            kept[0].resize((1, 1), refcheck=False)
            return img
        answer(lambda: F.Compose([F.Lambda(image=shrink, p=1), flip])(image=image))
    """)
    assert lines[0].startswith("ValueError mask: the array was resized"), lines


def test_fake_memmap_is_not_read() -> None:
    """A class may call itself numpy.memmap without being an array."""
    lines = apart("""
        class memmap:
            pass
        memmap.__module__ = "numpy"
        class Real(np.ndarray):
            def __array_finalize__(self, other):
                raise SystemError("user code ran")
        Real.__module__, Real.__qualname__ = "numpy", "memmap"
        answer(lambda: flip(image=memmap()))
        answer(lambda: F.Compose([flip])(images=[memmap()]))
    """)
    assert len(lines) == 2
    assert all(line.startswith("TypeError ") and "numpy.memmap" in line for line in lines)


def test_masks_of_equalize_are_gated_alike() -> None:
    """A mask as an argument, or as what a function returns."""
    gray = IMAGE[..., 0]
    for mask, kind, text in (
        (np.ma.masked_array(gray, gray > 9), TypeError, "mask: .* the mask would be lost"),
        (gray.view(Sub), TypeError, "mask: expected numpy.ndarray, got .*Sub"),
        (gray.astype(object), TypeError, "mask: dtype object"),
        (gray[:5], ValueError, "mask: .* does not fit the image"),
    ):
        for given in (mask, lambda image, mask=mask: mask):
            with pytest.raises(kind, match=text):
                F.Equalize(mask=given, p=1)(image=IMAGE)
    with pytest.raises(TypeError, match="Equalize: the mask function must return an array or None, got list"):
        F.Equalize(mask=lambda image: [[1]], p=1)(image=IMAGE)
    assert np.array_equal(
        F.Equalize(mask=lambda image: None, p=1)(image=IMAGE)["image"], F.Equalize(p=1)(image=IMAGE)["image"]
    )


def test_data_that_is_no_dict() -> None:
    for data in ([IMAGE], IMAGE, None, "image", [("image", IMAGE)]):
        with pytest.raises(TypeError, match="data: must be a dict"):
            FLIP.run(data)  # type: ignore[arg-type]
