"""Rows and arrays that user code returns: what it changed is kept, what cannot be kept is refused by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import ferraug as F
import numpy as np
import pytest

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
BOXES = [[1.0, 1, 5, 5], [10.0, 2, 20, 9], [25.0, 15, 29, 19]]
POINTS = [[1.0, 1], [10.0, 2], [25.0, 15]]


class Rows(F.DualTransform):
    """Runs a function over rows."""

    def __init__(self, change: Callable[[Any], Any], p: float = 1) -> None:
        super().__init__(p)
        self.change = change

    def apply(self, img: Any, **params: Any) -> Any:
        return img

    def apply_to_bboxes(self, bboxes: Any, **params: Any) -> Any:
        self.seen = bboxes.copy()
        return self.change(bboxes)

    apply_to_keypoints = apply_to_bboxes


def boxes(change: Any, rows: Any, more: tuple[Any, ...] = (), **labels: Any) -> dict[str, Any]:
    """A pipeline of user code, and what follows it, over boxes."""
    params = F.BboxParams("pascal_voc", label_fields=list(labels))
    child = change if isinstance(change, F.DualTransform) else Rows(change)
    return F.Compose([child, *more], bbox_params=params, seed=1)(image=IMAGE, bboxes=rows, **labels)


def put(column: int, values: Any) -> Callable[[Any], Any]:
    """Writes into a column, in place."""

    def change(rows: Any) -> Any:
        rows[:, column] = values
        return rows

    return change


def add(row: Callable[[Any], list[float]]) -> Callable[[Any], Any]:
    """Appends one row."""
    return lambda rows: np.vstack([rows, row(rows)])


def wide(extras: list[list[Any]], rows: Any = BOXES) -> list[list[Any]]:
    return [[*row, *more] for row, more in zip(rows, extras)]


# -- extra columns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_array", [False, True])
def test_changed_extra_columns_come_back(as_array: bool) -> None:
    rows: Any = wide([[7, 0.5], [8, 1.5], [9, 2.5]])
    rows = np.array(rows) if as_array else rows
    got = boxes(put(4, [7, 80, 9]), rows, (F.HorizontalFlip(p=1),))["bboxes"]
    assert type(got) is type(rows)
    got = np.asarray(got).tolist() if as_array else got
    assert [row[4:] for row in got] == [[7, 0.5], [80, 1.5], [9, 2.5]]
    assert np.allclose([row[:4] for row in got], [[25, 1, 29, 5], [10, 2, 20, 9], [1, 15, 5, 19]])
    if not as_array:
        assert [type(value) for value in got[1][4:]] == [int, float]


def test_changed_extra_columns_of_keypoints_come_back() -> None:
    params = F.KeypointParams("xy", label_fields=["name"])
    rows = [[*row, 5 + i, "ab"[i % 2]] for i, row in enumerate(POINTS)]
    child = Rows(put(5, [50, 6, 7]))
    got = F.Compose([child, F.HorizontalFlip(p=1)], keypoint_params=params)(
        image=IMAGE, keypoints=rows, name=list("xyz")
    )
    assert got["keypoints"] == [[28.0, 1.0, 50, "a"], [19.0, 2.0, 6, "b"], [4.0, 15.0, 7, "a"]]
    assert got["name"] == ["x", "y", "z"]
    # x y z angle scale, the two columns, the code of the name, the number of the row
    assert child.seen[:, 5:].tolist() == [[5, 0, 0, 0], [6, 1, 1, 1], [7, 0, 2, 2]]
    array = F.Compose([Rows(put(5, 3))], keypoint_params=F.KeypointParams("xy"))(
        image=IMAGE, keypoints=np.array([[1, 2, 9], [3, 4, 9]], np.int64)
    )["keypoints"]
    assert array.dtype == np.float32 and array.tolist() == [[1, 2, 3], [3, 4, 3]]


def test_two_user_transforms_see_each_others_columns() -> None:
    second = Rows(put(5, 4))
    got = boxes(put(4, [1, 2, 30]), wide([[1, 1], [2, 2], [3, 3]]), (F.Crop(8, 0, 30, 20), second))["bboxes"]
    assert second.seen[:, 4:6].tolist() == [[2, 2], [30, 3]]
    assert [row[4:] for row in got] == [[2, 4], [30, 4]]


def test_columns_that_hold_no_numbers_are_codes() -> None:
    tag = object()
    child = Rows(put(4, [1, 1, 0]))
    got = boxes(child, wide([["b", tag], ["a", tag], ["b", tag]]))["bboxes"]
    assert child.seen[:, 4].tolist() == [1, 0, 1]
    assert [row[4] for row in got] == ["b", "b", "a"] and all(row[5] is tag for row in got)


def test_untouched_extras_are_the_very_objects() -> None:
    big, tag = 2**60 + 1, [1]
    got = boxes(put(0, 0.0), wide([[big, None, tag], [2, None, tag], [3, 1, tag]]))["bboxes"]
    assert [row[4:] for row in got] == [[big, None, tag], [2, None, tag], [3, 1, tag]]
    assert got[0][6] is tag
    nan = boxes(lambda rows: rows, np.array(wide([[np.nan], [1], [2]])))["bboxes"]
    assert np.isnan(nan[0, 4]) and nan[1:, 4].tolist() == [1, 2]


def test_rows_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"bboxes\[1\]: 4 values, bboxes\[0\] has 5"):
        boxes(lambda rows: rows, [[*BOXES[0], 1], BOXES[1]])


# -- rows that are added, doubled, dropped -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [-1.0, np.nan, 3.0, 0.5, 1e300, np.inf])
def test_an_added_row_takes_its_own_columns(number: float) -> None:
    change = add(lambda rows: [0.5, 0.5, 0.6, 0.6, 12, 1, number])
    got = boxes(change, wide([[7], [8], [9]]), (F.VerticalFlip(p=1),), label=["x", "y", "x"])
    assert got["label"] == ["x", "y", "x", "y"]
    assert [row[4] for row in got["bboxes"]] == [7, 8, 9, 12]
    assert np.allclose(got["bboxes"][3][:4], [15, 8, 18, 10])
    again = boxes(change, np.array(wide([[7.0], [8], [9]])), label=np.array([4, 1, 4], np.int16))
    assert again["label"].tolist() == [4, 1, 4, 1] and again["label"].dtype == np.int16
    assert again["bboxes"][:, 4].tolist() == [7, 8, 9, 12]


def test_a_doubled_row_keeps_what_it_had() -> None:
    got = boxes(lambda rows: np.vstack([rows[::-1], rows[:1]]), wide([[7], ["s"], [9]]), label=[{}, {"a": 1}, {"b": 2}])
    assert got["label"] == [{"b": 2}, {"a": 1}, {}, {}]
    assert [row[4] for row in got["bboxes"]] == [9, "s", 7, 7]


def test_rows_added_where_none_came() -> None:
    change = add(lambda rows: [0.1, 0.1, 0.5, 0.5, 3, 0])
    got = boxes(change, [], label=[])
    assert got["label"] == [3.0] and len(got["bboxes"]) == 1
    got = boxes(change, np.zeros((0, 4)), label=np.zeros(0, np.int32))
    assert got["label"].tolist() == [3] and got["label"].dtype == np.int32
    got = boxes(add(lambda rows: [0.1, 0.1, 0.5, 0.5, 3, 0]), np.zeros((0, 5)))
    assert np.allclose(got["bboxes"], [[3, 2, 15, 10, 3]])
    with pytest.raises(ValueError, match=r"label: 3.0 is not the code of a value"):
        boxes(change, [], label=np.zeros(0, "<U3"))


def test_added_rows_are_dropped_like_others() -> None:
    change = add(lambda rows: [0.0, 0.0, 0.1, 0.1, 1, -1])
    got = boxes(change, BOXES, (F.Crop(8, 0, 30, 20),), label=["a", "b", "c"])
    assert got["label"] == ["b", "c"] and len(got["bboxes"]) == 2


def test_no_rows_returned() -> None:
    for empty in ([], np.zeros((0, 6)), np.zeros((0, 4)), np.zeros(0)):
        got = boxes(lambda rows, empty=empty: empty, BOXES, label=[1, 2, 3])
        assert got["bboxes"] == [] and got["label"] == []


# -- labels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "code", "want"),
    [
        ([1, 2, 3], 7.0, [7, 2, 3]),
        ([1, 2, 3], 2.5, [2.5, 2, 3]),
        ([True, False, True], 0.0, [False, False, True]),
        ([1.5, 2.5, 3.5], 9.0, [9.0, 2.5, 3.5]),
        ((1, "x", None), 2.0, ("x", "x", None)),
        (np.array([1, 2, 3], np.uint8), 2.9, np.array([2, 2, 3], np.uint8)),
        (np.array([1, 2, 3], np.float32), 2.5, np.array([2.5, 2, 3], np.float32)),
        (np.array([True, False, False]), 0.0, np.array([False, False, False])),
        (np.array(["cat", "dog", "eel"]), 2.0, np.array(["eel", "dog", "eel"])),
        (np.array([[1, 2], [3, 4], [5, 6]]), 1.0, np.array([[3, 4], [3, 4], [5, 6]])),
        (np.array([{"a": 1}, None, "z"], object), 1.0, None),
        ([[1], [2], [3]], 1.0, [[2], [2], [3]]),
    ],
    ids=repr,
)  # fmt: skip
def test_a_changed_label_keeps_its_type(labels: Any, code: float, want: Any) -> None:
    got = boxes(put(4, [code, *self_codes(labels)[1:]]), BOXES, label=labels)["label"]
    assert type(got) is type(labels)
    if want is None:
        assert got.dtype == object and got[0] in list(labels)
    elif isinstance(want, np.ndarray):
        assert got.dtype == want.dtype and np.array_equal(got, want)
    else:
        assert got == want and [type(v) for v in got] == [type(v) for v in want]


def self_codes(labels: Any) -> list[float]:
    """What user code sees of the labels."""
    child = Rows(lambda rows: rows)
    boxes(child, BOXES, label=labels)
    return child.seen[:, 4].tolist()


@pytest.mark.parametrize(
    ("labels", "code", "text"),
    [
        (["a", "b", "c"], 3.0, "label: 3.0 is not the code of a value; codes are 0..2"),
        (["a", "b", "c"], -1.0, "label: -1.0 is not the code"),
        (["a", "b", "c"], 0.5, "label: 0.5 is not the code"),
        (["a", "b", "c"], np.nan, "label: nan is not the code"),
        (np.array(["a", "b", "c"]), 9.0, "label: 9.0 is not the code"),
        (np.array([1, 2, 3], np.uint8), 256.0, "label: 256.0 does not fit uint8"),
        (np.array([1, 2, 3], np.uint8), -1.0, "label: -1.0 does not fit uint8"),
        (np.array([1, 2, 3], np.int8), 128.0, "label: 128.0 does not fit int8"),
        (np.array([1, 2, 3]), np.nan, "label: nan does not fit int64"),
        (np.array([1, 2, 3]), np.inf, "label: inf does not fit int64"),
    ],
)
def test_labels_that_mean_nothing_are_refused(labels: Any, code: float, text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        boxes(put(4, code), BOXES, label=labels)
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == ["in transform 0 (Rows)"]


def test_masked_labels_keep_their_mask() -> None:
    labels = np.ma.masked_array([1, 2, 3], [False, True, False])
    got = boxes(add(lambda rows: [0.1, 0.1, 0.5, 0.5, 7, -1]), BOXES, label=labels)["label"]
    assert isinstance(got, np.ma.MaskedArray) and got.tolist() == [1, None, 3, 7]


def test_data_shows_the_labels_of_the_rows_that_are_left() -> None:
    class Looks(Rows):
        def get_params_dependent_on_data(self, params: Any, data: Any) -> dict[str, Any]:
            self.data = data
            return {}

    look = Looks(lambda rows: rows)
    params = F.BboxParams("pascal_voc", label_fields=["label"])
    F.Compose([F.Crop(8, 0, 30, 20), look], bbox_params=params)(image=IMAGE, bboxes=BOXES, label=["a", "b", "c"])
    assert look.data["label"] == ["b", "c"] and len(look.data["bboxes"]) == 2


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, TypeError, "Rows: the function for 'bboxes' must return an array of rows, got None"),
        ("rows", TypeError, "Rows: the function for 'bboxes' must return an array of rows, got 'rows'"),
        (np.zeros(5), ValueError, r"rows of 5 columns, as it was given, got shape \(5,\)"),
        (np.zeros((2, 4)), ValueError, r"rows of 5 columns, as it was given, got shape \(2, 4\)"),
        (np.zeros((2, 6)), ValueError, r"rows of 5 columns, as it was given, got shape \(2, 6\)"),
        ([["a"] * 5], ValueError, "rows of numbers"),
        ([[1, 2], [3]], ValueError, "rows of numbers"),
        (np.ma.masked_array(np.zeros((1, 5)), True), TypeError, "returned a MaskedArray; the mask would be lost"),
    ],
)
def test_rows_that_cannot_be_taken(value: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        boxes(lambda rows: value, BOXES)


class Pixels(F.ImageOnlyTransform):
    """Runs a function over images, one by one or all together."""

    def __init__(self, change: Callable[[Any], Any], together: bool = False) -> None:
        super().__init__(1)
        self.change, self.together = change, together

    def apply(self, img: Any, **params: Any) -> Any:
        return self.change(img)

    def apply_to_images(self, images: Any, *args: Any, **params: Any) -> Any:
        return self.change(images) if self.together else super().apply_to_images(images, *args, **params)


class Sub(np.ndarray):
    """A subclass."""


WRONG = [
    (
        lambda x: np.ma.masked_array(x, x > 9),
        TypeError,
        "MaskedArray; the mask would be lost; return .data or .filled()",
    ),
    (lambda x: np.asmatrix(x[..., 0]), TypeError, r"got matrix; return np.asarray\(…\)"),
    (lambda x: x.view(Sub), TypeError, r"got Sub; return np.asarray\(…\)"),
    (lambda x: x.tolist(), TypeError, "got list"),
    (lambda x: x.astype(complex), TypeError, "returned dtype complex128; use a number type"),
    (lambda x: x[0, 0], ValueError, r"got shape \(3,\)"),
]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize(("change", "kind", "text"), WRONG, ids=["masked", "matrix", "sub", "list", "complex", "flat"])
def test_arrays_that_cannot_be_taken(change: Any, kind: type[Exception], text: str) -> None:
    pipe = F.Compose([Pixels(change)], additional_targets={"second": "image"})
    with pytest.raises(kind, match="Pixels: the function for 'image' .*" + text):
        pipe(image=IMAGE)
    with pytest.raises(kind, match="Pixels: the function for 'second' .*" + text):
        pipe(second=IMAGE)
    with pytest.raises(kind, match=r"Pixels: the function for 'images\[0\]' .*" + text):
        pipe(images=[IMAGE, IMAGE])


@pytest.mark.parametrize("target", ["images", "volume", "volumes"])
def test_masks_of_masked_arrays_do_not_get_lost_in_stacks(target: str) -> None:
    stack = np.stack([IMAGE, IMAGE]) if target != "volumes" else np.stack([np.stack([IMAGE, IMAGE])] * 2)
    with pytest.raises(TypeError, match=f"the function for '{target}' must return .* the mask would be lost"):
        F.Compose([Pixels(lambda x: np.ma.masked_array(x, x > 9))])(**{target: stack})


def test_lists_may_grow_and_shrink() -> None:
    images = [IMAGE, IMAGE[::-1], IMAGE]
    grown = F.Compose([Pixels(lambda x: [*x, x[0] // 2], True), F.HorizontalFlip(p=1)])(images=images)["images"]
    assert [image.tobytes() for image in grown] == [
        image[:, ::-1].tobytes() for image in (*images, IMAGE // 2)
    ]  # fmt: skip
    assert len(F.Compose([Pixels(lambda x: x[:1], True)])(images=images)["images"]) == 1
    stack = F.Compose([Pixels(lambda x: x[1:], True)])(images=np.stack(images))["images"]
    assert np.array_equal(stack, np.stack(images[1:]))
    with pytest.raises(
        ValueError, match="Pixels: the function for 'images' must not return an empty list for 3 arrays"
    ):
        F.Compose([Pixels(lambda x: [], True)])(images=images)
    with pytest.raises(ValueError, match="images: an empty stack"):
        F.Compose([Pixels(lambda x: x[:0], True)])(images=np.stack(images))
    with pytest.raises(ValueError, match=r"images\[1\]: .* differs from images\[0\]"):
        F.Compose([Pixels(lambda x: [x[0], x[1][:4]], True)])(images=images)


def test_empty_lists_come_back_as_they_are() -> None:
    class Both(F.DualTransform):
        def apply(self, img: Any, **params: Any) -> Any:
            return img[::-1]

        def get_params_dependent_on_data(self, params: Any, data: Any) -> dict[str, Any]:
            assert len(data["masks"]) == 0
            return {}

    for empty in ([], (), np.zeros((0, 20, 30), np.uint8)):
        got = F.Compose([Both(p=1)])(image=IMAGE, masks=empty)
        assert got["masks"] is empty and np.array_equal(got["image"], IMAGE[::-1])


@pytest.mark.parametrize("key", ["image", "images", "volume", "second"])
def test_what_follows_sees_the_new_size_channels_and_dtype(key: str) -> None:
    """Whichever target the frame is that of."""

    class Becomes(F.ImageOnlyTransform):
        def apply(self, img: Any, **params: Any) -> Any:
            return np.ascontiguousarray(img[:10, :12, 0]).astype(np.float32) / 255

    class Sees(F.Transform):
        kind = "dual"

        def __init__(self) -> None:
            self.p = 1.0

        def emit(self, ctx: Any) -> None:
            self.saw = ctx.w, ctx.h, ctx.c, ctx.dtype, ctx.max_value

    sees = Sees()
    value = {"images": [IMAGE, IMAGE], "volume": np.stack([IMAGE] * 3)}.get(key, IMAGE)
    pipe = F.Compose([Becomes(p=1), sees, F.InvertImg(p=1)], additional_targets={"second": "image"})
    data = {key: value} | ({"mask": IMAGE[:10, :12, 0]} if key == "second" else {})
    got = F.Compose(pipe.transforms, additional_targets={"second": "image"}, is_check_shapes=False)(**data)[key]
    assert sees.saw == (12, 10, 1, "float32", 1.0)
    first = got[0] if key in ("images", "volume") else got
    assert np.array_equal(first, 1 - np.float32(1) * (IMAGE[:10, :12, 0].astype(np.float32) / 255))


# -- inside an aside ---------------------------------------------------------------------------------------------------


class Both(F.DualTransform):
    """Takes 9 from every pixel; must not be asked for anything but images."""

    def apply(self, img: Any, **params: Any) -> Any:
        self.shape = img.shape
        return img - np.minimum(img, 9)

    def apply_to_mask(self, mask: Any, **params: Any) -> Any:
        raise AssertionError("asked for the mask")

    apply_to_bboxes = apply_to_mask


@pytest.mark.parametrize("channels", [(0,), (2, 0), (1, 2, 0)])
def test_user_code_inside_selected_channels(channels: tuple[int, ...]) -> None:
    child = Both(p=1)
    inner = F.SelectiveChannelTransform([F.InvertImg(p=1), child, F.InvertImg(p=1), child], channels=channels)
    pipe = F.Compose(
        [F.HorizontalFlip(p=1), inner, F.VerticalFlip(p=1)],
        bbox_params=F.BboxParams("pascal_voc"),
        additional_targets={"second": "image"},
    )
    stack = np.stack([IMAGE, IMAGE[::-1]])
    data = {"image": IMAGE, "images": list(stack), "volume": stack, "second": IMAGE // 2, "mask": IMAGE[..., 0]}
    got = pipe(**data, bboxes=BOXES)

    def want(image: np.ndarray) -> np.ndarray:
        out = image[::-1, ::-1].astype(int)
        part = 255 - out[..., list(channels)]
        part -= np.minimum(part, 9)
        part = 255 - part
        part -= np.minimum(part, 9)
        out[..., list(channels)] = part
        return out

    assert np.array_equal(got["image"], want(IMAGE)) and np.array_equal(got["second"], want(IMAGE // 2))
    assert np.array_equal(got["images"], [want(image) for image in stack])
    assert np.array_equal(got["volume"], [want(image) for image in stack])
    assert np.array_equal(got["mask"], IMAGE[::-1, ::-1, 0])
    assert np.allclose(got["bboxes"], [[30 - x1, 20 - y1, 30 - x0, 20 - y0] for x0, y0, x1, y1 in BOXES])
    assert child.shape[-1] == len(channels)


def test_cuts_inside_nested_brackets() -> None:
    """An aside in an aside, user code between them and after them, and a lerp around it all."""

    class Blends(F.Transform):
        kind = "image"

        def __init__(self, child: Any) -> None:
            self.p, self.child = 1.0, child

        def emit(self, ctx: Any) -> None:
            with ctx.aside("lerp", 0.5, 0.5):
                ctx.op("linear", -1.0, 1.0, "trunc", True, "max")
                with ctx.aside("put", channels=(1,)):
                    self.child.emit(ctx)
                with ctx.aside("take"):
                    self.child.emit(ctx)

    got = F.Compose([Blends(Both(p=1))])(image=IMAGE)["image"]
    want = 255 - IMAGE.astype(int)
    want[..., 1] -= np.minimum(want[..., 1], 9)
    want -= np.minimum(want, 9)
    assert np.abs(got - (IMAGE * 0.5 + want * 0.5)).max() <= 0.5


def test_what_does_not_fit_the_kept_image_is_refused() -> None:
    for change, text in (
        (lambda x: x[:4], "the image is 30×4, the one kept aside 30×20"),
        (lambda x: x.astype(np.float32), "join: 1 channels of float32 do not fit the kept 3 of uint8"),
        (lambda x: np.dstack([x, x]), "join: 2 channels"),
    ):
        pipe = F.Compose([F.SelectiveChannelTransform([Pixels(change)], channels=(1,))])
        with pytest.raises(ValueError, match=text):
            pipe(image=IMAGE)


# -- after the tensor --------------------------------------------------------------------------------------------------


class Tensor:
    """Stands in for torch's."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.ndim = array, array.shape, array.ndim

    def numpy(self) -> np.ndarray:
        return self.array


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(from_numpy=Tensor))


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("gray", [False, True])
def test_rows_after_a_tensor_lie_in_the_same_frame(gray: bool) -> None:
    class Passes(F.DualTransform):
        def apply(self, img: Any, **params: Any) -> Any:
            self.saw = img.shape
            return img

        def apply_to_mask(self, mask: Any, **params: Any) -> Any:
            return mask

        def apply_to_bboxes(self, rows: Any, **params: Any) -> Any:
            return rows

        apply_to_keypoints = apply_to_bboxes

    child = Passes(p=1)
    pipe = F.Compose(
        [F.ToTensorV2(), child, child],
        bbox_params=F.BboxParams("pascal_voc"),
        keypoint_params=F.KeypointParams("xy"),
    )
    image = IMAGE[..., 0] if gray else IMAGE
    got = pipe(image=image, mask=IMAGE[..., 0], bboxes=BOXES, keypoints=POINTS)
    assert child.saw == ((1 if gray else 3), 20, 30)
    assert np.allclose(got["bboxes"], BOXES) and np.allclose(got["keypoints"], POINTS)
    assert np.array_equal(got["image"].array, np.atleast_3d(image).transpose(2, 0, 1))
    assert got["mask"].shape == (20, 30)


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize(
    "last",
    [F.HorizontalFlip(p=1), F.InvertImg(p=1), F.ToTensorV2(), F.Crop(0, 0, 2, 2), F.GaussianBlur(p=1), F.Normalize()],
)
def test_no_image_op_after_user_code_after_a_tensor(last: Any) -> None:
    pipe = F.Compose([F.ToTensorV2(), Pixels(lambda tensor: tensor), last])
    with pytest.raises(TypeError, match="image: no image op can follow the layout of the result") as caught:
        pipe(image=IMAGE)
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == [f"in transform 2 ({type(last).__name__})"]
