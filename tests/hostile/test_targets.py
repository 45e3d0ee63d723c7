"""Targets that are wrong, odd or dangerous: one test a row of the list of bad inputs (33–53)."""

from __future__ import annotations

import gc
import time
from typing import Any

import ferraug as F
import numpy as np
import pytest
from hostile_helpers import IMAGE, boxed, pointed, refused, same, still_works

FLIP = F.Compose([F.HorizontalFlip(p=1)])


@pytest.mark.parametrize("target", ["mask", "masks", "images", "volume", "mask3d"])
def test_33_sizes_differ(target: str) -> None:
    small = np.zeros((4, 5), np.uint8)
    value = {"mask": small, "masks": [small], "images": [small], "volume": small[None], "mask3d": small[None]}[target]
    refused(FLIP, {"image": IMAGE, target: value}, ValueError, f"{target}: (4, 5) vs image (24, 32)", "is_check_shapes")
    loose = F.Compose([F.NoOp(p=1)], is_check_shapes=False)
    assert loose(image=IMAGE, **{target: value})[target] is not None


def test_33_depths_differ() -> None:
    data = {"volume": np.zeros((3, 5, 5), np.uint8), "mask3d": np.zeros((4, 5, 5), np.uint8)}
    refused(FLIP, data, ValueError, "mask3d: depth 4 vs volume depth 3")


DTYPES = (
    "bool", "uint8", "int8", "uint16", "int16", "float16", "uint32", "int32", "float32", "uint64", "int64", "float64",
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_34_masks_come_back_as_they_came(dtype: str) -> None:
    mask = (np.arange(24 * 32).reshape(24, 32) % 2).astype(dtype)
    pipeline = F.Compose([F.HorizontalFlip(p=1), F.RandomGamma(p=1), F.Rotate((20, 20), p=1)], seed=1)
    got = pipeline.run({"image": IMAGE, "mask": mask, "masks": [mask, mask], "mask3d": mask[None]}, key=1)
    want = pipeline.run({"image": IMAGE, "mask": mask.astype(np.uint8)}, key=1)["mask"]
    for value in (got["mask"], *got["masks"], got["mask3d"][0]):
        assert value.dtype == dtype and np.array_equal(value.astype(np.uint8), want)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in ("uint8", "float32")])
def test_34_masks_are_not_interpolated_in_other_dtypes(dtype: str) -> None:
    pipeline = F.Compose([F.Rotate((20, 20), mask_interpolation=1, p=1)], seed=1)
    mask = np.ones((24, 32), dtype)
    with pytest.raises(TypeError) as caught:
        pipeline(image=IMAGE, mask=mask)
    said = str(caught.value) + " ".join(getattr(caught.value, "__notes__", ()))
    assert "mask" in said and dtype in said and "Rotate" in said, said


def test_35_no_masks() -> None:
    for value in ([], ()):
        got = FLIP(image=IMAGE, masks=value)["masks"]
        assert len(got) == 0 and type(got) is type(value)
    empty = np.zeros((0, 24, 32), np.uint8)
    assert FLIP(image=IMAGE, masks=empty)["masks"].shape == (0, 24, 32)
    assert FLIP(image=IMAGE, mask=None)["mask"] is None


def test_36_one_mask_of_another_shape() -> None:
    masks = [np.zeros((24, 32), np.uint8)] * 3 + [np.zeros((4, 5), np.uint8)]
    refused(FLIP, {"image": IMAGE, "masks": masks}, ValueError, "masks[3]: (4, 5) uint8", "masks[0]: (24, 32) uint8")
    masks[3] = np.zeros((24, 32), np.int32)
    refused(FLIP, {"image": IMAGE, "masks": masks}, ValueError, "masks[3]", "int32", "uint8")
    masks[3] = None
    refused(FLIP, {"image": IMAGE, "masks": masks}, TypeError, "masks[3]: expected numpy.ndarray, got NoneType")


@pytest.mark.parametrize("value", [[], (), np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5))], ids=repr)
def test_37_no_boxes(value: Any) -> None:
    got = boxed()(image=IMAGE, bboxes=value)["bboxes"]
    assert len(got) == 0
    assert isinstance(got, np.ndarray) == isinstance(value, np.ndarray)


def test_37_no_boxes_left() -> None:
    pipeline = boxed(children=[F.Crop(0, 0, 4, 4, p=1)], label_fields=["label"])
    gone = pipeline(image=IMAGE, bboxes=np.array([[10.0, 10, 20, 20]]), label=np.array([7]))
    assert gone["bboxes"].shape == (0, 4) and gone["bboxes"].dtype == np.float64
    assert gone["label"].shape == (0,) and gone["label"].dtype == np.array([7]).dtype


BAD_BOXES: list[tuple[str, Any, type[Exception], tuple[str, ...]]] = [
    ("38 nan", [[1, 1, 5, 5], [2, 2, 6, 6], [float("nan"), 1, 5, 5]], ValueError, ("bboxes[2].x_min is nan",)),
    ("38 nan in an array", np.array([[1, 1, 5, np.nan]]), ValueError, ("bboxes[0].y_max is nan",)),
    ("39 inf", [[1, 1, float("inf"), 5]], ValueError, ("bboxes[0].x_max is inf",)),
    ("39 -inf", [[1, float("-inf"), 3, 5]], ValueError, ("bboxes[0].y_min is -inf",)),
    ("40 reversed", [[5.0, 1, 3, 5]], ValueError, ("bboxes[0]: x_max (3.0) must be > x_min (5.0)",)),
    ("40 upside down", [[1.0, 6, 3, 5]], ValueError, ("bboxes[0]: y_max (5.0) must be > y_min (6.0)",)),
    ("41 no area", [[1.0, 1, 1, 5]], ValueError, ("bboxes[0]: x_max (1.0) must be > x_min (1.0)",)),
    ("42 1e300", [[1, 1, 1e300, 5]], ValueError, ("bboxes[0].x_max is 1e300", "outside the image")),
    ("42 int32 area", [[0, 0, 70000, 70000]], ValueError, ("bboxes[0].x_max is 70000", "outside the image")),
    ("43 outside", [[1, 1, 32.5, 5]], ValueError, ("bboxes[0].x_max is 32.5", "0 to 32", "clip=True")),
    ("43 wholly outside", [[40, 1, 50, 5]], ValueError, ("bboxes[0].x_min is 40", "0 to 32")),
    ("44 ragged", [[1, 1, 3]], ValueError, ("bboxes[0]: 3 values, need 4",)),
    ("44 ragged later", [[1, 1, 3, 3], (1, 1)], ValueError, ("bboxes[1]: 2 values, need 4",)),
    ("44 narrow array", np.ones((2, 3)), ValueError, ("bboxes[0]: 3 values, need 4",)),
    ("44 array of one dimension", np.ones(4), ValueError, ("bboxes: 2 dimensions, got 1",)),
    ("44 array of three dimensions", np.ones((2, 4, 1)), ValueError, ("bboxes: 2 dimensions, got 3",)),
    ("46 text", "boxes", TypeError, ("bboxes", "list, tuple or numpy.ndarray", "str")),
    ("46 dict", {"a": 1}, TypeError, ("bboxes", "dict")),
    ("46 set", {1, 2}, TypeError, ("bboxes", "set")),
    ("46 number", 7, TypeError, ("bboxes", "int")),
    ("46 generator", iter([[1, 1, 3, 3]]), TypeError, ("bboxes", "iterator")),
    ("46 masked array", np.ma.masked_array(np.ones((1, 4))), TypeError, ("bboxes", "MaskedArray")),
    ("46 row of text", ["abcd"], TypeError, ("bboxes[0]: expected a row of 4 numbers, got str",)),
    ("46 row is a number", [5], TypeError, ("bboxes[0]", "int")),
    ("46 row is none", [[1, 1, 3, 3], None], TypeError, ("bboxes[1]", "NoneType")),
    ("46 row is an array without axes", [np.array(5)], TypeError, ("bboxes[0]", "ndarray")),
    ("46 row is an array of rows", [np.ones((4, 4))], TypeError, ("bboxes[0]", "ndarray")),
    ("47 bool", [[True, 1, 3, 3]], TypeError, ("bboxes[0][0]: expected a number, got bool",)),
    ("47 NumPy bool", [[np.True_, 1, 3, 3]], TypeError, ("bboxes[0][0]: expected a number, got bool",)),
    ("47 text", [[1, "1", 3, 3]], TypeError, ("bboxes[0][1]: expected a number, got str",)),
    ("47 none", [[1, 1, None, 3]], TypeError, ("bboxes[0][2]: expected a number, got NoneType",)),
    ("47 complex", [[1, 1, 3, 3j]], TypeError, ("bboxes[0][3]: expected a number, got complex",)),
    ("47 list", [[1, 1, 3, [3]]], TypeError, ("bboxes[0][3]: expected a number, got list",)),
    ("47 huge int", [[1, 1, 3, 10**400]], ValueError, ("bboxes[0][3]: out of range",)),
    ("47 bool array", np.ones((1, 4), bool), TypeError, ("bboxes: dtype bool",)),
    ("47 text array", np.array([["1", "2", "3", "4"]]), TypeError, ("bboxes: dtype <U1",)),
    ("47 object array", np.array([[1, 2, 3, None]]), TypeError, ("bboxes: dtype object",)),
    ("47 complex array", np.ones((1, 4), complex), TypeError, ("bboxes: dtype complex128",)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "kind", "texts"), BAD_BOXES, ids=[row[0] for row in BAD_BOXES])
def test_bad_boxes(name: str, value: Any, kind: type[Exception], texts: tuple[str, ...]) -> None:
    refused(boxed(), {"image": IMAGE, "bboxes": value}, kind, *texts)


@pytest.mark.parametrize(("name", "value", "kind", "texts"), BAD_BOXES, ids=[row[0] for row in BAD_BOXES])
def test_bad_boxes_of_another_name(name: str, value: Any, kind: type[Exception], texts: tuple[str, ...]) -> None:
    """The message names the key of the call."""
    if name == "46 generator":
        return
    pipeline = F.Compose(
        [F.HorizontalFlip(p=1)], bbox_params=F.BboxParams("pascal_voc"), additional_targets={"others": "bboxes"}
    )
    texts = tuple(text.replace("bboxes", "others") for text in texts)
    refused(pipeline, {"image": IMAGE, "others": value}, kind, *texts)


def test_boxes_that_clip_and_filter_save() -> None:
    rows = [[5.0, 1, 3, 5], [1.0, 1, 1, 5], [40, 1, 50, 5], [-5, 2, 9, 8], [1, 1, 4, 4]]
    kept = boxed(filter_invalid_bboxes=True, children=[F.NoOp(p=1)])(image=IMAGE, bboxes=[rows[0], rows[1], rows[4]])
    assert kept["bboxes"] == [[1, 1, 4, 4]]
    clipped = boxed(clip=True, children=[F.NoOp(p=1)])(image=IMAGE, bboxes=[rows[3]])
    assert clipped["bboxes"] == [[0, 2, 9, 8]]
    both = boxed(clip=True, filter_invalid_bboxes=True, children=[F.NoOp(p=1)])(image=IMAGE, bboxes=rows)
    assert both["bboxes"] == [[0, 2, 9, 8], [1, 1, 4, 4]]


def test_43_rounding_beyond_the_edge_is_the_edge() -> None:
    got = boxed(children=[F.HorizontalFlip(p=1)])(image=IMAGE, bboxes=[[-0.03, 0, 32.03, 24.02]])["bboxes"]
    assert got == [[0, 0, 32, 24]]
    refused(boxed(), {"image": IMAGE, "bboxes": [[-0.04, 0, 3, 3]]}, ValueError, "bboxes[0].x_min is -0.04")


def test_45_labels_of_another_length() -> None:
    pipeline = boxed(label_fields=["labels"])
    rows = [[1, 1, 3, 3]] * 3
    refused(pipeline, {"image": IMAGE, "bboxes": rows, "labels": [1, 2]}, ValueError, "labels: 2 items for 3 boxes")
    refused(pipeline, {"image": IMAGE, "bboxes": rows, "labels": "abc"}, TypeError, "labels: must be a list")
    refused(pipeline, {"image": IMAGE, "bboxes": rows, "labels": None}, TypeError, "labels: must be a list")
    refused(pipeline, {"image": IMAGE, "bboxes": rows, "labels": np.array(5)}, TypeError, "labels: must be a list")
    refused(pipeline, {"image": IMAGE, "bboxes": rows}, ValueError, "labels")


def test_rows_of_every_number_type() -> None:
    """Ints, NumPy scalars, fractions, objects with `__float__`: whatever is a number."""
    from fractions import Fraction

    class Number:
        def __float__(self) -> float:
            return 9.0

    row = [np.float32(1), np.int64(2), Fraction(5), Number()]
    want = boxed()(image=IMAGE, bboxes=[[1.0, 2.0, 5.0, 9.0]])["bboxes"]
    for value in ([row], (tuple(row),), [np.array([1, 2, 5, 9])], np.array([[1, 2, 5, 9]]), [[1, 2, 5, 9]]):
        got = boxed()(image=IMAGE, bboxes=value)["bboxes"]
        assert np.array_equal(got, want), value
    for dtype in ("int8", "uint8", "int16", "uint64", "float16", "float32", ">f8", ">i2"):
        got = boxed()(image=IMAGE, bboxes=np.array([[1, 2, 5, 9]], dtype))["bboxes"]
        assert got.dtype == np.float64 and np.array_equal(got, want)


def test_errors_of_user_code_in_rows_go_through() -> None:
    class Raising:
        def __init__(self, error: BaseException) -> None:
            self.error = error

        def __float__(self) -> float:
            raise self.error

    for error in (RuntimeError("mine"), KeyboardInterrupt(), ZeroDivisionError("mine"), LookupError("mine")):
        with pytest.raises(type(error)) as caught:
            boxed()(image=IMAGE, bboxes=[[1, 1, 5, Raising(error)]])
        assert caught.value is error


def test_lists_that_change_while_they_are_read() -> None:
    class Changing:
        def __init__(self, change: Any) -> None:
            self.change = change

        def __float__(self) -> float:
            self.change()
            return 9.0

    for row, change in (("rows.clear()", "clear"), ("row.clear()", "clear"), ("row", "extend"), ("rows", "extend")):
        rows: list[Any] = [[1, 1, 5, 9] for _ in range(6)]
        target = rows if "rows" in row else rows[2]
        action = target.clear if change == "clear" else lambda target=target: target.extend(list(target) * 3)
        rows[2][1] = Changing(action)
        try:
            boxed()(image=IMAGE, bboxes=rows)
        except ValueError as error:
            assert "values, need 4" in str(error) or "must be >" in str(error)


def test_list_subclasses_are_read_as_lists() -> None:
    class Endless(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            while True:
                yield 1.0

        def __len__(self) -> int:
            return 10**9

        def __getitem__(self, item: Any) -> Any:
            raise AssertionError("asked for an item")

    row = Endless([1.0, 2.0, 5.0, 9.0, "extra"])
    got = boxed()(image=IMAGE, bboxes=[row])["bboxes"]
    assert got == [[27.0, 2.0, 31.0, 9.0, "extra"]]
    masks = Endless([IMAGE[..., 0]])
    assert np.array_equal(FLIP(image=IMAGE, masks=masks)["masks"][0], IMAGE[:, ::-1, 0])


def test_extra_columns_are_those_that_came() -> None:
    tags = [object(), object()]
    rows = [[1, 1, 5, 9, tags[0], "a"], [2, 2, 6, 8], (3, 3, 7, 7, tags[1])]
    got = boxed()(image=IMAGE, bboxes=rows)["bboxes"]
    assert got[0][4] is tags[0] and got[0][5] == "a" and len(got[1]) == 4 and got[2][4] is tags[1]


@pytest.mark.parametrize("as_list", [False, True])
def test_48_many_boxes_take_linear_time(as_list: bool) -> None:
    """Eight times the rows take at most some twenty times as long (the machine may be busy)."""
    pipeline = boxed()

    def took(n: int) -> float:
        rows: Any = np.tile([[1.0, 1, 5, 9]], (n, 1))
        rows = rows.tolist() if as_list else rows
        best = 1e9
        for _ in range(3):
            start = time.thread_time()
            assert len(pipeline(image=IMAGE, bboxes=rows)["bboxes"]) == n
            best = min(best, time.thread_time() - start)
        return best

    gc.disable()  # the collector's own walks over many lists are not ours
    try:
        assert took(80_000) < 20 * took(10_000) + 0.01
    finally:
        gc.enable()


def test_48_more_rows_than_a_call_may_have() -> None:
    row = [1.0, 1, 5, 9]
    for rows, texts in (
        (np.broadcast_to(np.array(row), (10**7 + 1, 4)), "bboxes: 10000001 rows; at most 10000000"),
        (np.broadcast_to(np.array(row), (2**40, 4)), "bboxes: 1099511627776 rows; at most 10000000"),
        ([row] * (10**7 + 1), "bboxes: more than 10000000 rows"),
    ):
        with pytest.raises(F.LimitError, match=texts):
            boxed()(image=IMAGE, bboxes=rows)
    still_works(boxed())


@pytest.mark.parametrize("remove", [True, False])
def test_49_keypoint_nan(remove: bool) -> None:
    for bad in (float("nan"), float("inf"), float("-inf")):
        refused(
            pointed(remove_invisible=remove), {"image": IMAGE, "keypoints": [[1, 1], [2, bad]]}, ValueError,
            f"keypoints[1].y is {bad!s}",
        )  # fmt: skip


def test_49_keypoints_of_wrong_shape_or_type() -> None:
    refused(pointed(), {"image": IMAGE, "keypoints": [[1]]}, ValueError, "keypoints[0]: 1 values, need 2")
    refused(pointed("xyas"), {"image": IMAGE, "keypoints": [[1, 2, 3]]}, ValueError, "keypoints[0]: 3 values, need 4")
    refused(pointed(), {"image": IMAGE, "keypoints": "ab"}, TypeError, "keypoints", "str")
    refused(pointed(), {"image": IMAGE, "keypoints": [["a", 1]]}, TypeError, "keypoints[0][0]", "str")
    refused(pointed(), {"image": IMAGE, "keypoints": np.ones((2, 1))}, ValueError, "keypoints[0]: 1 values, need 2")
    refused(pointed(), {"image": IMAGE, "keypoints": np.ones(2, bool)}, TypeError, "keypoints: dtype bool")


def test_50_a_keypoint_at_the_far_edge() -> None:
    """Inside is 0 ≤ x < width: a point at the width itself is refused where invisible ones are removed, else it moves."""
    refused(pointed(), {"image": IMAGE, "keypoints": [[32.0, 3]]}, ValueError, "keypoints[0]", "x")
    got = pointed(remove_invisible=False)(image=IMAGE, keypoints=[[32.0, 3.0]])["keypoints"]
    assert got == [[-1.0, 3.0]]
    assert len(pointed()(image=IMAGE, keypoints=[[31.999, 3.0]])["keypoints"]) <= 1


@pytest.mark.parametrize("big", [1e30, -1e30, 1e300, -1e300, 1e-320])
def test_keypoints_far_away_do_no_harm(big: float) -> None:
    children = [
        F.HorizontalFlip(p=1), F.Rotate((20, 20), p=1), F.Perspective(p=1), F.GridDistortion(p=1), F.Resize(9, 7, p=1),
        F.CoarseDropout(p=1), F.Pad(3, border_mode=4, p=1),
    ]  # fmt: skip
    for child in children:
        pipeline = F.Compose(
            [child], keypoint_params=F.KeypointParams("xyas", remove_invisible=False, angle_in_degrees=True), seed=1
        )
        for row in ([big, 1, 0, 1], [1, big, 0, 1], [1, 1, big, 1], [1, 1, 0, big]):
            pipeline(image=IMAGE, keypoints=[row])
            pipeline(image=IMAGE, keypoints=np.array([row]))


def test_51_unknown_keys_pass_untouched() -> None:
    thing = object()
    got = FLIP(image=IMAGE, path="a.png", thing=thing, iamge=[1])
    assert got["path"] == "a.png" and got["thing"] is thing and got["iamge"] == [1]
    got = FLIP(**{"image": IMAGE, "\ud800": 1, "": 2, "ключ": 3})
    assert got["\ud800"] == 1 and got[""] == 2 and got["ключ"] == 3
    strict = F.Compose([F.HorizontalFlip(p=1)], strict=True)
    refused(strict, {"image": IMAGE, "masq": 1}, ValueError, "masq", "mask")


def test_51_keys_that_are_no_plain_text() -> None:
    class Name(str):
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = str.__hash__

    assert FLIP.run({"image": IMAGE, Name("tag"): 1}, key=1)["image"].shape == IMAGE.shape


def test_52_no_array_target() -> None:
    refused(FLIP, {"iamge": IMAGE}, TypeError, "no image or mask", "image, images, mask", "did you mean 'image'?")
    refused(FLIP, {}, TypeError, "no image or mask", "image, images, mask")
    refused(FLIP, {"mask": None}, TypeError, "no image or mask")
    refused(boxed(), {"bboxes": [[1, 1, 3, 3]]}, TypeError, "no image or mask")
    refused(pointed(), {"keypoints": [[1, 1]]}, TypeError, "no image or mask")
    with pytest.raises(KeyError, match="named arguments"):
        FLIP(IMAGE)


def test_52_one_target_alone() -> None:
    for target, value in (
        ("mask", IMAGE[..., 0]), ("masks", [IMAGE[..., 0]]), ("images", [IMAGE]), ("volume", IMAGE[None]),
        ("mask3d", IMAGE[None, ..., 0]), ("volumes", IMAGE[None, None]), ("masks3d", IMAGE[None, None, ..., 0]),
    ):  # fmt: skip
        got = np.asarray(FLIP(**{target: value})[target])
        axis = 2 if target in ("images", "volume", "masks", "mask3d") else 3 if target in ("volumes", "masks3d") else 1
        assert np.array_equal(got, np.flip(np.asarray(value), axis)), target


def test_52_empty_stacks_alone() -> None:
    for target, value in (("images", []), ("masks", []), ("images", np.zeros((0, 5, 5, 3), np.uint8))):
        refused(FLIP, {target: value}, ValueError, "empty")


def test_53_images_of_different_size() -> None:
    images = [IMAGE] * 4 + [IMAGE[:9]]
    refused(FLIP, {"images": images}, ValueError, "images[4]: (9, 32, 3) uint8", "images[0]: (24, 32, 3) uint8")
    refused(FLIP, {"images": [IMAGE, IMAGE.astype(np.float32)]}, ValueError, "images[1]", "float32")
    refused(FLIP, {"images": [IMAGE, IMAGE[..., 0]]}, ValueError, "images[1]: (24, 32) uint8")
    refused(FLIP, {"images": np.array([IMAGE, None], object)}, TypeError, "images: dtype object")


def test_the_input_list_stays_as_it_was() -> None:
    masks = [IMAGE[..., 0].copy(), IMAGE[..., 1].copy()]
    before = [mask.copy() for mask in masks]
    FLIP(image=IMAGE, masks=masks)
    assert len(masks) == 2 and all(map(same, masks, before))


def test_labels_without_rows_pass_through() -> None:
    labels = [1, 2]
    got = boxed(label_fields=["label"])(image=IMAGE, label=labels)
    assert got["label"] == labels and np.array_equal(got["image"], IMAGE[:, ::-1])


def test_45_labels_without_an_order() -> None:
    for labels in ({1, 2}, frozenset((1, 2))):
        data = {"image": IMAGE, "bboxes": [[1, 1, 3, 3], [2, 2, 4, 4]], "labels": labels}
        refused(boxed(label_fields=["labels"]), data, TypeError, "labels: must be a list, tuple or array")


def test_45_label_fields_that_cannot_be() -> None:
    for fields, text in (
        (["image"], "'image' is a target of the call"), (["bboxes"], "'bboxes' is a target of the call"),
        (["more"], "'more' is a target of the call"),
    ):  # fmt: skip
        for params in (
            {"bbox_params": F.BboxParams("coco", label_fields=fields)},
            {"keypoint_params": F.KeypointParams("xy", label_fields=fields)},
        ):
            with pytest.raises(ValueError, match=text):
                F.Compose([F.HorizontalFlip(p=1)], additional_targets={"more": "image"}, **params)
    for make in (F.BboxParams, F.KeypointParams):
        with pytest.raises(ValueError, match="label_fields names 'a' twice"):
            make("coco" if make is F.BboxParams else "xy", label_fields=["a", "b", "a"])


def test_45_one_label_field_for_boxes_and_keypoints() -> None:
    """It goes with the one that is given, as in 2.0.8; both at once cannot share it."""
    pipeline = F.Compose(
        [F.Crop(0, 0, 16, 24, p=1)], bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]),
        keypoint_params=F.KeypointParams("xy", label_fields=["label"]), seed=3,
    )  # fmt: skip
    boxes, points = [[20, 1, 24, 5], [1, 1, 4, 4]], [[1, 1], [20, 20]]
    assert pipeline(image=IMAGE, bboxes=boxes, label=[1, 2])["label"] == [2]
    assert pipeline(image=IMAGE, keypoints=points, label=[1, 2])["label"] == [1]
    assert pipeline(image=IMAGE, bboxes=[], keypoints=[], label=[])["label"] == []
    data = {"image": IMAGE, "bboxes": boxes, "keypoints": points, "label": [1, 2]}
    with pytest.raises(ValueError, match="label: one label field cannot serve bboxes and keypoints in one call"):
        pipeline(**data)
    with pytest.raises(ValueError, match="label: one label field"):
        pipeline(**data | {"bboxes": []})


PIXELS = ([[1, 2, 10, 12]], ((1.0, 2.0, 10.0, 12.0),), np.array([[1, 2, 10, 12]]), np.array([[1.0, 2, 17, 12]]))


@pytest.mark.parametrize("rows", PIXELS, ids=["list", "tuple", "ints", "floats"])
def test_boxes_in_pixels_without_parameters(rows: Any) -> None:
    """Without bbox_params boxes are fractions; pixels would be moved to nowhere."""
    holes = F.CoarseDropout(p=1)
    for children in ([F.HorizontalFlip(p=1)], [F.InvertImg(p=1), F.Rotate(p=1)], [holes], [F.Downscale(p=1), F.Crop(0, 0, 8, 8, p=1)]):
        with pytest.raises(ValueError) as caught:
            F.Compose(children)(image=IMAGE, bboxes=rows)
        assert "bboxes[0]." in str(caught.value) and "pass bbox_params" in str(caught.value)
        assert type(children[-1]).__name__ in caught.value.__notes__[0]
        with pytest.raises(ValueError, match="pass bbox_params"):
            children[-1](image=IMAGE, bboxes=rows)
    # what moves nothing lets them pass, as in 2.0.8
    for child in (F.InvertImg(p=1), F.Downscale(p=1), F.NoOp(p=1)):
        assert np.array_equal(F.Compose([child])(image=IMAGE, bboxes=rows)["bboxes"], np.asarray(rows, float))
    still_works(FLIP)


def test_boxes_as_fractions_without_parameters() -> None:
    for rows in ([[0.1, 0.2, 0.3, 1.0]], np.array([[0.1, 0.2, 0.3, 1.0]]), np.array([[0, 0, 1, 1]]), np.array([[-2.0, 0, 3.0, 1]])):
        got = FLIP(image=IMAGE, bboxes=rows)["bboxes"]
        want = np.asarray(rows, float)
        assert np.allclose(got, np.stack([1 - want[:, 2], want[:, 1], 1 - want[:, 0], want[:, 3]], 1))
