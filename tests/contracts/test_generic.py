"""What every transform keeps to, whatever it does: run over every row of the catalogue."""

from __future__ import annotations

import inspect
from typing import Any

import ferraug as F
import numpy as np
import pytest
from catalogue import BY_NAME, ROWS, USER, Row, Variant, case_id, cases
from samples_calls import assert_equal, call, channels_of, pipeline, transform

from samples import H, W, labels, noise, shape_of

ALL = cases(("dual", "image"))
DUAL = cases(("dual",))
IMAGE = cases(("image",))
MASKS = ("bool", "uint8", "uint16", "int16", "int32", "int64", "float32", "float64")


def dtypes_of(row: Row, variant: Variant) -> tuple[str, ...]:
    return variant.dtypes or row.dtypes


def plain_fill(variant: Variant) -> bool:
    return not isinstance(variant.args.get("fill"), (tuple, str))


def test_every_transform_has_a_row() -> None:
    public = {
        name for name in F.__all__ if inspect.isclass(getattr(F, name)) and issubclass(getattr(F, name), F.Transform)
    } - set(USER)
    assert public == {row.name for row in ROWS}


def test_rows_say_the_right_kind() -> None:
    for row in ROWS:
        assert getattr(F, row.name).kind == row.kind, row.name


@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_inputs_are_read_and_outputs_are_ours(row: Row, variant: Variant) -> None:
    for dtype in dtypes_of(row, variant):
        data = call(row, variant, dtype)
        kept = {key: np.array(value) for key, value in data.items()}
        for value in data.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        result = pipeline([transform(row, variant.of(dtype))]).run(data, key=3)
        assert list(result) == list(data)
        for key, value in data.items():
            assert np.array_equal(np.asarray(value), kept[key]), f"{key} was written to"
            got = result[key]
            if not isinstance(value, np.ndarray) or got is value:
                continue
            assert isinstance(got, np.ndarray)
            assert not np.shares_memory(got, value), f"{key} is a view of the input"
            assert got.flags.c_contiguous and got.flags.aligned and got.flags.writeable, key
            assert got.dtype.isnative


@pytest.mark.parametrize(("row", "variant"), IMAGE, ids=case_id)
def test_what_is_not_touched_is_the_same_object(row: Row, variant: Variant) -> None:
    data = call(row, variant, dtypes_of(row, variant)[0])
    result = pipeline([transform(row, variant.of(dtypes_of(row, variant)[0]))]).run(data, key=3)
    assert result["mask"] is data["mask"]
    assert np.array_equal(result["bboxes"], data["bboxes"])
    assert np.allclose(result["keypoints"], data["keypoints"], atol=1e-4)  # they come back as float32
    assert list(result["label"]) == list(data["label"]) and result["name"] == data["name"]


def test_nothing_done_returns_the_same_objects() -> None:
    image, mask = noise((H, W, 3)), labels(H, W)
    for child in (F.NoOp(p=1), F.HorizontalFlip(p=0), F.Affine(p=1), F.Resize(H, W)):
        result = F.Compose([child])(image=image, mask=mask)
        assert result["image"] is image and result["mask"] is mask, child


@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_dtype_and_rank(row: Row, variant: Variant) -> None:
    becomes_float = row.name in ("Normalize", "ToFloat")
    for dtype in dtypes_of(row, variant):
        for channels in variant.channels or row.channels:
            data = call(row, variant, dtype, channels=channels)
            image = pipeline([transform(row, variant.of(dtype))]).run(data, key=3)["image"]
            assert image.dtype == ("float32" if becomes_float else dtype)
            assert image.ndim == data["image"].ndim
            if row.name != "ToGray":
                assert image.shape[2:] == data["image"].shape[2:]


@pytest.mark.parametrize("dtype", MASKS)
@pytest.mark.parametrize(("row", "variant"), DUAL, ids=case_id)
def test_masks_keep_their_dtype_and_values(row: Row, variant: Variant, dtype: str) -> None:
    if (
        variant.args.get("mask_interpolation", 0) not in (0, 6)
        or variant.args.get("area_for_downscale") == "image_mask"
    ):
        pytest.skip("computes on the mask")
    mask = labels(H, W).astype(dtype)
    data = call(row, variant) | {"mask": mask}
    got = pipeline([transform(row, variant.args)]).run(data, key=3)["mask"]
    assert got.dtype == mask.dtype and got.ndim == 2
    fill = variant.args.get("fill_mask")
    assert set(np.unique(got)) <= set(np.unique(mask)) | {np.dtype(dtype).type(fill or 0)}
    if dtype not in ("bool", "uint8"):
        small = pipeline([transform(row, variant.args)]).run(data | {"mask": labels(H, W)}, key=3)["mask"]
        assert np.array_equal(got, small.astype(dtype)), "another dtype moves otherwise"


@pytest.mark.parametrize("dtype", ["bool", "uint16", "int16", "int32", "int64", "float16", "float64"])
@pytest.mark.parametrize(
    ("row", "variant"),
    [(r, v) for r, v in DUAL if r.moves and r.name != "CoarseDropout" and plain_fill(v)],
    ids=case_id,
)
def test_moves_take_any_dtype(row: Row, variant: Variant, dtype: str) -> None:
    fill = variant.args.get("fill", 0)
    if dtype == "bool" and fill:
        pytest.skip("a bool has no such fill")
    top = 2 if dtype == "bool" else 100
    values = noise((H, W, 2)) % top
    data = call(row, variant) | {"image": values.astype(dtype)}
    args = dict(variant.args)
    if isinstance(fill, float) and not fill.is_integer():
        args["fill"] = 33
    got = pipeline([transform(row, args)]).run(data, key=3)["image"]
    want = pipeline([transform(row, args)]).run(data | {"image": values}, key=3)["image"]
    assert got.dtype == dtype
    assert np.array_equal(got, want.astype(dtype))


@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_any_strides(row: Row, variant: Variant) -> None:
    dtype = dtypes_of(row, variant)[0]
    base = noise(shape_of(2 * H + 1, 3 * W, channels_of(row, variant)), dtype)
    view = base[2 * H : 0 : -2, ::-3]
    assert view.shape[:2] == (H, W) and view.strides[0] < 0 > view.strides[1]
    pipe = pipeline([transform(row, variant.of(dtype))])
    data = call(row, variant, dtype)
    want = pipe.run(data | {"image": np.ascontiguousarray(view)}, key=3)
    assert_equal(pipe.run(data | {"image": view}, key=3), want, "reversed and strided")
    assert_equal(pipe.run(data | {"image": np.asfortranarray(view)}, key=3), want, "Fortran order")


def together(row: Row, variant: Variant) -> bool:
    """Whether every slice is worked on as if alone."""
    return not (
        (row.name == "RandomBrightnessContrast" and not variant.args.get("brightness_by_max", True))
        or (row.name == "Normalize" and variant.args.get("normalization", "standard") != "standard")
    )


@pytest.mark.parametrize(("row", "variant"), [case for case in ALL if together(*case)], ids=case_id)
def test_a_batch_is_a_loop(row: Row, variant: Variant) -> None:
    dtype = dtypes_of(row, variant)[0]
    pipe = pipeline([transform(row, variant.of(dtype))])
    stack = noise((3, *shape_of(H, W, channels_of(row, variant))), dtype)
    rest = call(row, variant, dtype)
    del rest["image"]
    alone = [pipe.run({"image": image, **rest}, key=3)["image"] for image in stack]
    want = np.stack(alone)
    for key in ("images", "volume"):
        got = pipe.run({key: stack, **rest}, key=3)[key]
        assert got.dtype == want.dtype and np.array_equal(got, want), key
    listed = pipe.run({"images": list(stack), **rest}, key=3)["images"]
    assert isinstance(listed, list) and all(map(np.array_equal, listed, alone))
    got = pipe.run({"volumes": np.stack([stack, stack[::-1]]), **rest}, key=3)["volumes"]
    assert np.array_equal(got, np.stack([want, want[::-1]]))
    if row.kind == "dual" and not row.needs:
        planes = np.stack([labels(H, W), labels(H, W)[::-1]])
        masks = [pipe.run({"image": stack[0], **rest, "mask": plane}, key=3)["mask"] for plane in planes]
        for key, value in (("masks", planes), ("mask3d", planes), ("masks3d", planes[None])):
            got = pipe.run({"image": stack[0], **rest, key: value}, key=3)[key]
            assert np.array_equal(got.reshape(np.shape(masks)), np.stack(masks)), key


@pytest.mark.parametrize(("row", "variant"), [case for case in DUAL if not case[0].needs], ids=case_id)
def test_a_mask_alone(row: Row, variant: Variant) -> None:
    pipe = pipeline([transform(row, variant.args)], rows=False)
    want = pipe.run({"image": noise((H, W, 3)), "mask": labels(H, W)}, key=3)["mask"]
    assert np.array_equal(pipe.run({"mask": labels(H, W)}, key=3)["mask"], want)


@pytest.mark.parametrize(("row", "variant"), DUAL, ids=case_id)
def test_a_second_image_moves_alike(row: Row, variant: Variant) -> None:
    image = noise((H, W, 3))
    extra = F.Compose(
        [transform(row, variant.args)],
        F.BboxParams("pascal_voc"),
        additional_targets={"image2": "image", "mask2": "mask"},
    )
    data = {
        "image": image,
        "image2": image.copy(),
        "mask": labels(H, W),
        "mask2": labels(H, W),
        "bboxes": [[20, 15, 40, 33]],
    }
    result = extra.run(data, key=3)
    assert np.array_equal(result["image"], result["image2"])
    assert np.array_equal(result["mask"], result["mask2"])


@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_out_receives_the_image(row: Row, variant: Variant) -> None:
    dtype = dtypes_of(row, variant)[0]
    pipe = pipeline([transform(row, variant.of(dtype))])
    want = pipe.run(call(row, variant, dtype), key=3)
    out = np.full(want["image"].shape, 99, want["image"].dtype)
    got = pipe.run(call(row, variant, dtype), key=3, out=out)
    assert got["image"] is out
    assert_equal(got, want)
    wide = np.full(
        (want["image"].shape[0], 2 * want["image"].shape[1], *want["image"].shape[2:]), 7, want["image"].dtype
    )
    part = wide[:, ::2]
    try:
        got = pipe.run(call(row, variant, dtype), key=3, out=part)
    except ValueError:
        return  # a strided `out` may be refused, never written wrongly
    assert np.array_equal(part, want["image"]) and (wide[:, 1::2] == 7).all()


@pytest.mark.parametrize("wrong", ["shape", "dtype", "readonly", "overlap"])
def test_out_that_does_not_fit_is_refused(wrong: str) -> None:
    image = noise((H, W, 3))
    out: Any = {
        "shape": lambda: np.empty((H, W + 1, 3), np.uint8), "dtype": lambda: np.empty((H, W, 3), np.float32),
        "readonly": lambda: np.empty((H, W, 3), np.uint8), "overlap": lambda: image,
    }[wrong]()  # fmt: skip
    if wrong == "readonly":
        out.flags.writeable = False
    before = image.copy()
    with pytest.raises((ValueError, TypeError)):
        F.Compose([F.HorizontalFlip(p=1)]).run({"image": image}, out=out)
    assert np.array_equal(image, before)


def test_tensors_are_the_image_transposed() -> None:
    data = {"image": noise((H, W, 3)), "mask": noise((H, W, 2))}
    for child, masks in ((F.ToTensorV2(), False), (F.ToTensorV2(transpose_mask=True), True)):
        stand_in = _torch()
        result = F.Compose([child])(**data)
        image, mask = stand_in(result["image"]), stand_in(result["mask"])
        assert np.array_equal(image, data["image"].transpose(2, 0, 1)) and image.flags.c_contiguous
        assert np.array_equal(mask, data["mask"].transpose(2, 0, 1) if masks else data["mask"])


def _torch() -> Any:
    """Torch if it is here, else a stand-in that has `from_numpy`."""
    import sys
    import types

    try:
        import torch  # noqa: F401
    except ImportError:
        fake = types.ModuleType("torch")
        fake.from_numpy = lambda array: types.SimpleNamespace(numpy=lambda: array, shape=array.shape)  # type: ignore[attr-defined]
        sys.modules["torch"] = fake
        return lambda tensor: (sys.modules.pop("torch", None), tensor.numpy())[1]
    return lambda tensor: tensor.numpy()


def test_rows_of_the_table_are_all_used() -> None:
    assert len(BY_NAME) == len(ROWS) == len({row.name for row in ROWS})
    for row in ROWS:
        assert row.variants and row.tol.why, row.name


@pytest.mark.parametrize("labels_given", [[], [1, 2]])
def test_labels_without_rows_stay_as_they_are(labels_given: list[int]) -> None:
    pipe = F.Compose([F.HorizontalFlip(p=1)], bbox_params=F.BboxParams("coco", ["label"]))
    result, record = pipe.run({"image": noise((H, W, 3)), "label": labels_given}, record=True)
    assert result["label"] is labels_given
    assert F.replay(record, image=noise((H, W, 3)), label=labels_given)["label"] is labels_given
