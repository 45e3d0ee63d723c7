"""Arguments that are wrong, odd or dangerous: one test a row of the list of bad inputs (54–80)."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import ferraug as F
import numpy as np
import pytest
from ferraug.params import REQUIRED
from hostile_helpers import IMAGE, raises, still_works

NAN, INF = float("nan"), float("inf")

BAD: list[tuple[str, Callable[[], Any], type[Exception], tuple[str, ...]]] = [
    ("54 p=1.5", lambda: F.HorizontalFlip(p=1.5), ValueError, ("HorizontalFlip: p must be in [0, 1]", "1.5")),
    ("54 p=-0.1", lambda: F.Rotate(p=-0.1), ValueError, ("Rotate: p must be in [0, 1]", "-0.1")),
    ("54 p=nan", lambda: F.Rotate(p=NAN), ValueError, ("Rotate: p must be in [0, 1]", "nan")),
    ("54 Compose p", lambda: F.Compose([], p=2), ValueError, ("Compose: p must be in [0, 1]", "2")),
    ("55 p text", lambda: F.Rotate(p="0.5"), TypeError, ("Rotate: p must be a number", "'0.5'")),
    ("55 p none", lambda: F.Rotate(p=None), TypeError, ("Rotate: p must be a number", "None")),
    ("55 p list", lambda: F.Rotate(p=[0.5]), TypeError, ("Rotate: p must be a number",)),
    ("55 Compose p text", lambda: F.Compose([], p="x"), TypeError, ("Compose: p must be a number", "'x'")),
    ("56 low > high", lambda: F.RandomResizedCrop((8, 8), scale=(1, 0.5)), ValueError, ("scale", "low > high")),
    ("57 limit nan", lambda: F.Rotate(limit=(NAN, 3)), ValueError, ("Rotate: limit must be finite", "nan")),
    ("57 limit inf", lambda: F.RandomBrightnessContrast(brightness_limit=INF), ValueError, ("finite", "inf")),
    ("58 Resize(0)", lambda: F.Resize(0, 5), ValueError, ("Resize: height must be ≥ 1", "0")),
    ("58 Resize(-1)", lambda: F.Resize(5, -1), ValueError, ("Resize: width must be ≥ 1", "-1")),
    ("58 RandomCrop(0)", lambda: F.RandomCrop(0, 5), ValueError, ("RandomCrop: height must be ≥ 1",)),
    ("60 Resize(2**63)", lambda: F.Resize(2**63, 5), ValueError, ("Resize: height must be in [1, 2147483647]",)),
    ("60 Resize(10**30)", lambda: F.Resize(5, 10**30), ValueError, ("Resize: width must be in [1, 2147483647]",)),
    ("60 Resize(10**4000)", lambda: F.Resize(5, 10**4000), ValueError, ("Resize: width must be",)),
    ("61 Resize(3.7)", lambda: F.Resize(3.7, 5), TypeError, ("Resize: height must be an integer", "3.7")),
    ("61 Resize('5')", lambda: F.Resize("5", 5), TypeError, ("Resize: height must be a number", "'5'")),
    ("63 kernel -3", lambda: F.GaussianBlur(blur_limit=-3), ValueError, ("blur_limit must be in [0, 32767]", "-3")),
    ("63 kernel 10**6", lambda: F.GaussianBlur(blur_limit=(3, 10**6)), ValueError, ("blur_limit", "32767", "1000000")),
    ("63 side 0", lambda: F.Sharpen(kernel_size=0), ValueError, ("Sharpen: kernel_size must be in [1, 32767]", "0")),
    ("63 side 10**6", lambda: F.Sharpen(kernel_size=10**6), ValueError, ("Sharpen: kernel_size", "32767", "1000000")),
    ("64 scale nan", lambda: F.Affine(scale=NAN), ValueError, ("Affine: scale must be finite",)),
    ("64 downscale 0", lambda: F.Downscale(scale_range=(0, 0)), ValueError, ("Downscale: scale_range",)),
    ("65 angle inf", lambda: F.Rotate(limit=INF), ValueError, ("Rotate: limit must be finite",)),
    ("65 affine angle nan", lambda: F.Affine(rotate=NAN), ValueError, ("Affine: rotate must be finite",)),
    ("67 sigma nan", lambda: F.GaussianBlur(sigma_limit=(NAN, 1)), ValueError, ("sigma_limit must be finite",)),
    ("67 noise nan", lambda: F.GaussNoise(std_range=(NAN, 1)), ValueError, ("std_range must be finite",)),
    ("68 fill text", lambda: F.Rotate(fill="red"), TypeError, ("Rotate: fill must be a number", "'red'")),
    ("68 hole fill text", lambda: F.CoarseDropout(fill="red"), ValueError, ("CoarseDropout: fill", "'random'", "'red'")),
    ("68 fill none", lambda: F.Rotate(fill=None), TypeError, ("Rotate: fill must be a number", "None")),
    ("68 fill inf", lambda: F.Rotate(fill=INF), ValueError, ("Rotate: fill must be finite",)),
    ("69 interpolation", lambda: F.Resize(5, 5, interpolation="bilnear"), ValueError,
     ("Resize: interpolation", "0 nearest", "1 linear", "'bilnear'", "did you mean 'bilinear'?")),
    ("69 interpolation 9", lambda: F.Resize(5, 5, interpolation=9), ValueError, ("interpolation", "0 nearest", "9")),
    ("69 interpolation 1.5", lambda: F.Resize(5, 5, interpolation=1.5), TypeError, ("interpolation must be an integer",)),
    ("69 border", lambda: F.Rotate(border_mode="reflekt"), ValueError, ("border_mode", "did you mean 'reflect'?")),
    ("71 no weights", lambda: F.OneOf([F.NoOp(p=0), F.HorizontalFlip(p=0)]), ValueError, ("OneOf", "p of every transform is 0")),
    ("74 seed -1", lambda: F.Compose([], seed=-1), ValueError, ("seed: must be in 0..2**64-1, got -1",)),
    ("74 seed 2**64", lambda: F.Compose([], seed=2**64), ValueError, ("seed: must be in 0..2**64-1",)),
    ("74 seed 1.5", lambda: F.Compose([], seed=1.5), TypeError, ("seed: must be an integer", "1.5")),
    ("74 seed text", lambda: F.Compose([], seed="x"), TypeError, ("seed: must be an integer", "'x'")),
    ("75 key -1", lambda: F.Compose([]).run({"image": IMAGE}, key=-1), ValueError, ("key: must be in 0..2**64-1, got -1",)),
    ("75 key 2**64", lambda: F.Compose([]).run({"image": IMAGE}, key=(1, 2**64)), ValueError, ("key: must be in",)),
    ("75 key of four", lambda: F.Compose([]).run({"image": IMAGE}, key=(1, 2, 3, 4)), ValueError, ("1 to 3 parts, got 4",)),
    ("75 key of none", lambda: F.Compose([]).run({"image": IMAGE}, key=()), ValueError, ("1 to 3 parts, got 0",)),
    ("75 key 1.5", lambda: F.Compose([]).run({"image": IMAGE}, key=1.5), TypeError, ("key: must be integers or strings",)),
    ("75 at(-1)", lambda: F.Compose([]).at(-1, 0), ValueError, ("key: must be in 0..2**64-1",)),
    ("79 class", lambda: F.Compose([F.NoOp(), F.HorizontalFlip]), TypeError,
     ("Compose: transforms[1] is not a transform", "use an instance")),
    ("79 text", lambda: F.Compose(["flip"]), TypeError, ("Compose: transforms[0] is not a transform", "'flip'")),
    ("79 none", lambda: F.OneOf([F.NoOp(), None]), TypeError, ("OneOf: transforms[1] is not a transform: None",)),
    ("79 not a list", lambda: F.Compose(7), TypeError, ("Compose: transforms must be a list, got 7",)),
    ("unknown argument", lambda: F.Rotate(limt=3), TypeError, ("Rotate()", "'limt'", "did you mean 'limit'?")),
    ("unknown format", lambda: F.BboxParams("coko"), ValueError, ("BboxParams: format", "'coko'", "did you mean 'coco'?")),
    ("unknown point format", lambda: F.KeypointParams("xyq"), ValueError, ("KeypointParams: format", "'xyq'")),
    ("format of no text", lambda: F.BboxParams(3), TypeError, ("BboxParams: format must be one of",)),
    ("negative minimum", lambda: F.BboxParams("coco", min_area=-1), ValueError, ("BboxParams: min_area must be ≥ 0",)),
    ("visibility 2", lambda: F.BboxParams("coco", min_visibility=2), ValueError, ("min_visibility must be in [0, 1]",)),
    ("fields as text", lambda: F.BboxParams("coco", label_fields="ab"), TypeError, ("label_fields must be a list",)),
    ("target kind", lambda: F.Compose([], additional_targets={"a": "imgae"}), ValueError,
     ("additional_targets: 'a'", "'imgae'", "did you mean 'image'?")),
    ("huge value", lambda: F.Rotate(limit="9" * 10000), TypeError, ("Rotate: limit", "...")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "kind", "texts"), BAD, ids=[row[0] for row in BAD])
def test_refused(name: str, make: Callable[[], Any], kind: type[Exception], texts: tuple[str, ...]) -> None:
    raises(make, kind, *texts)
    with pytest.raises(kind) as caught:
        make()
    assert len(str(caught.value)) < 400


class Unprintable:
    """Has no `repr`."""

    def __repr__(self) -> str:
        raise RuntimeError("mine")


HUGE = [10**400, -(10**400), 10**5000, Unprintable(), np.ma.masked, (1, 10**400), (10**5000, -(10**5000))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("value", HUGE, ids=[str(i) for i in range(len(HUGE))])
def test_60_integers_that_no_float_holds_and_values_that_do_not_print(value: Any) -> None:
    """Every argument of every transform: TypeError or ValueError with a short text, or it takes anything."""
    needs = {"size": (8, 8), "height": 8, "width": 8, "max_size": 8, "min_height": 8, "min_width": 8}
    for name in F.transforms.__all__:
        cls = getattr(F, name)
        required = {key: needs[key] for key, field in cls.fields.items() if key in needs and field.default is REQUIRED}
        for key in cls.fields:
            try:
                made = cls(**{**required, key: value})
            except (TypeError, ValueError) as error:
                assert type(error) in (TypeError, ValueError) and len(str(error)) < 300, (name, key)
                assert key in str(error) or name in str(error), (name, key, error)
            else:
                assert getattr(made, key) in (value, bool(value)) or key in ("mask", "mask_params"), (name, key)


def test_55_booleans_are_numbers() -> None:
    assert F.HorizontalFlip(p=True).p == 1 and F.HorizontalFlip(p=False).p == 0


def test_56_limits_that_are_sorted() -> None:
    assert F.Rotate(limit=(30, -30)).limit == (-30, 30)


def test_59_sizes_beyond_the_limit() -> None:
    for child in (F.Resize(10**9, 10**9, p=1), F.PadIfNeeded(10**9, 10**9, p=1), F.Pad(10**9, p=1)):
        for children in ([child], [child, F.RandomCrop(8, 8)], [F.GaussianBlur(p=1), child, F.HorizontalFlip(p=1)]):
            pipeline = F.Compose(children)
            with pytest.raises(F.LimitError) as caught:
                pipeline(image=IMAGE)
            said = str(caught.value) + " ".join(getattr(caught.value, "__notes__", ()))
            assert "max_pixels=2147483647" in said and type(child).__name__ in said, said
            still_works(F.Compose([F.NoOp(p=1)]))
    many = np.zeros((2000, 2, 2), np.uint8)
    refused_at = F.Compose([F.Resize(30000, 30000, p=1)])
    with pytest.raises(F.LimitError, match="images: 1800000000000 pixels"):
        refused_at(images=many)


def test_62_crops_larger_than_the_image() -> None:
    for crop in (F.RandomCrop(25, 8, p=1), F.CenterCrop(8, 33, p=1)):
        with pytest.raises(F.CropSizeError) as caught:
            F.Compose([crop])(image=IMAGE)
        said = str(caught.value)
        assert isinstance(caught.value, ValueError)
        assert str(crop.height) in said and str(crop.width) in said and "24" in said and "32" in said, said


def test_63_even_kernels_are_raised_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="must be odd: 4 is raised to 5"):
        assert F.Sharpen(kernel_size=4, method="gaussian").kernel_size == 5
    assert F.Compose([F.GaussianBlur(blur_limit=(4, 4), p=1)])(image=IMAGE)["image"].shape == IMAGE.shape


def test_64_scales_of_any_size() -> None:
    """A scale that leaves nothing is an error or an empty picture, never a crash."""
    for scale in (1e-30, 1e-300, 1e30, 1e300, 0):
        for keep in (False, True):
            try:
                F.Compose([F.Affine(scale=(scale, scale), fit_output=keep, p=1)], seed=1)(image=IMAGE, mask=IMAGE[..., 0])
            except ValueError as error:
                assert "scale" in str(error) or "invertible" in str(error) or "pixels" in str(error), error
    still_works(F.Compose([F.NoOp(p=1)]))


@pytest.mark.parametrize("angle", [1e308, -1e308, 1e16, 360.0, 1e-300])
def test_65_angles_of_any_size(angle: float) -> None:
    for child in (F.Rotate((angle, angle), p=1), F.Affine(rotate=(angle, angle), p=1)):
        got = F.Compose([child], seed=1)(image=IMAGE)["image"]
        assert got.shape == IMAGE.shape


@pytest.mark.parametrize(
    "matrix", [(0, 0, 0, 0, 0, 0), (1, 1, 0, 1, 1, 0), (1e-200, 0, 0, 0, 1e-200, 0), (1e300, 0, 0, 0, 1e300, 0)]
)
def test_66_maps_that_cannot_be_inverted(matrix: tuple[float, ...]) -> None:
    from ferraug import _core

    layout = _core.Layout({"image": "image"}, None, None, True)
    wheres: list[Any] = [("affine", tuple(map(float, matrix))), ("homography", (*map(float, matrix), 0.0, 0.0, 1.0))]
    for where in wheres:
        data = {"image": IMAGE}
        ops = [("warp", where, 32, 24, 1, 0, 0, 0.0, 0.0, False)]
        try:
            layout.open(data).finish(ops, data)
        except ValueError as error:
            assert type(error) is ValueError
            assert "invert" in str(error) or "homography" in str(error) or "map" in str(error).lower(), error
        else:
            assert matrix[0] > 1e200 or 0 < matrix[0] < 1e-100, "a singular map went through"


def test_68_fills_of_another_length() -> None:
    pipeline = F.Compose([F.Rotate((20, 20), border_mode=0, fill=(1, 2), p=1)])
    with pytest.raises(ValueError) as caught:
        pipeline(image=IMAGE)
    assert "fill" in str(caught.value) and "2" in str(caught.value) and "3" in str(caught.value), caught.value


def test_68_fills_out_of_range_saturate() -> None:
    pad = F.Compose([F.Pad(2, border_mode=0, fill=300, p=1)])
    assert pad(image=IMAGE)["image"][0, 0].tolist() == [255] * 3
    pad = F.Compose([F.Pad(2, border_mode=0, fill=-7, p=1)])
    assert pad(image=IMAGE)["image"][0, 0].tolist() == [0] * 3
    pad = F.Compose([F.Pad(2, border_mode=0, fill=NAN, p=1)])
    assert np.isnan(pad(image=np.zeros((4, 4), np.float32))["image"][0, 0])


def test_71_an_empty_choice_does_nothing() -> None:
    assert F.Compose([F.OneOf([], p=1)])(image=IMAGE)["image"] is IMAGE
    assert F.Compose([])(image=IMAGE)["image"] is IMAGE


def nested(depth: int) -> Any:
    node: Any = F.NoOp(p=1)
    for _ in range(depth):
        node = F.Sequential([node], p=1)
    return node


def test_72_nesting_beyond_the_limit() -> None:
    raises(lambda: F.Compose([nested(1000)]), ValueError, "depth > 64")
    assert F.Compose([nested(60)])(image=IMAGE)["image"] is IMAGE


def test_73_a_list_inside_itself() -> None:
    inner = F.Sequential([F.NoOp(p=1)], p=1)
    inner.transforms.append(inner)
    raises(lambda: F.Compose([inner]), ValueError, "contains itself")
    pipeline = F.Compose([F.NoOp(p=1)])
    pipeline.transforms.append(pipeline)
    raises(lambda: pipeline(image=IMAGE), ValueError, "itself")
    children: list[Any] = []
    children.append(children)
    raises(lambda: F.Compose(children), TypeError, "transforms[0] is not a transform")


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int64(7), np.uint8(3), True, None])
def test_74_seeds_that_work(seed: Any) -> None:
    assert F.Compose([F.HorizontalFlip()], seed=seed)(image=IMAGE)["image"].shape == IMAGE.shape


@pytest.mark.parametrize("key", [0, 2**64 - 1, (1, 2, 3), "a name", ("train", 7), np.int64(5), ""])
def test_75_keys_that_work(key: Any) -> None:
    pipeline = F.Compose([F.RandomCrop(8, 8)], seed=1)
    first, again = (pipeline.run({"image": IMAGE}, key=key)["image"] for _ in range(2))
    assert np.array_equal(first, again)


class Mine(Exception):
    """An error of the user's own."""


def test_77_errors_of_user_code_are_the_same_objects() -> None:
    error = Mine("broken")

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    pipeline = F.Compose([F.NoOp(p=1), F.NoOp(p=1), F.NoOp(p=1), F.Lambda(image=broken, p=1)])
    with pytest.raises(Mine) as caught:
        pipeline(image=IMAGE)
    assert caught.value is error and "transform 3 (Lambda)" in error.__notes__[0]
    still_works(pipeline.__class__([F.NoOp(p=1)]))


@pytest.mark.parametrize(
    ("value", "kind", "texts"),
    [
        (None, TypeError, ("image", "None")),
        ("x", TypeError, ("image", "str")),
        ([[1]], TypeError, ("image", "list")),
        (np.zeros((4, 4, 3), object), TypeError, ("image", "object")),
        (np.zeros((4, 4, 3), ">f4"), TypeError, ("image", "byte order")),
        (np.zeros(5, np.uint8), ValueError, ("image", "dimensions")),
        (np.zeros((0, 4, 3), np.uint8), ValueError, ("image", "≥1")),
        (np.zeros((4, 4, 600), np.uint8), ValueError, ("image", "600 channels")),
    ],
    ids=str,
)
def test_78_user_code_that_returns_something_else(value: Any, kind: type[Exception], texts: tuple[str, ...]) -> None:
    pipeline = F.Compose([F.Lambda(image=lambda img, **_: value, p=1), F.HorizontalFlip(p=1)])
    before = IMAGE.copy()
    with pytest.raises(kind) as caught:
        pipeline(image=IMAGE)
    assert caught.type is kind
    said = str(caught.value) + " ".join(getattr(caught.value, "__notes__", ()))
    for text in (*texts, "Lambda"):
        assert text in said, f"{text!r} is not in {said!r}"
    assert np.array_equal(before, IMAGE)


def test_78_user_code_may_change_size_and_dtype() -> None:
    pipeline = F.Compose([F.Lambda(image=lambda img, **_: np.ones((5, 6), np.float32), p=1), F.HorizontalFlip(p=1)])
    got = pipeline(image=IMAGE)["image"]
    assert got.shape == (5, 6) and got.dtype == np.float32


def test_80_pickled_and_copied_pipelines_call_alike() -> None:
    pipeline = F.Compose([F.RandomCrop(8, 8), F.RandomBrightnessContrast()], seed=9)
    pipeline(image=IMAGE)
    for other in (pickle.loads(pickle.dumps(pipeline)), copy.deepcopy(pipeline), copy.copy(pipeline)):
        want = pipeline.run({"image": IMAGE}, key=4)["image"]
        assert np.array_equal(other.run({"image": IMAGE}, key=4)["image"], want)
