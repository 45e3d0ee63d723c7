"""Images of several dtypes, or numbers of channels, in one call: each gets what it would get alone."""

from __future__ import annotations

from typing import Any

import ferraug as F
import numpy as np
import pytest
from catalogue import Row, Variant, case_id, cases
from ferraug import _core
from ferraug.call import KINDS
from samples_calls import call, channels_of, transform

from samples import H, W, noise, shape_of

ALL = cases(("dual", "image"))
OTHERS = {"other": "image", "many": "images"}
LAYOUT = _core.Layout(
    {**KINDS, **OTHERS}, ("pascal_voc", 0.0, 0.0, 0.0, 0.0, True, True, None), ("xyas", True, True), True
)
BY_MEAN = {"brightness_by_max": False}


def piped(child: Any, **extra: Any) -> Any:
    return F.Compose(
        [child],
        bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]),
        keypoint_params=F.KeypointParams("xyas", label_fields=["name"]),
        additional_targets=OTHERS,
        seed=77,
        **extra,
    )


def answer(pipe: Any, data: dict[str, Any]) -> Any:
    """The result and the record, or the class of the error."""
    try:
        return pipe.run(data, key=3, record=True)
    except (TypeError, ValueError) as error:
        assert str(error)
        return type(error)


def plain(data: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """The same ops by the plain executor."""
    lanes = {name: value for name, value in data.items() if name not in ("label", "name")}
    LAYOUT.open(lanes).finish(record["ops"], lanes, None, False)
    return lanes


@pytest.mark.parametrize("first", ["uint8", "float32"])
@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_each_dtype_as_if_alone(row: Row, variant: Variant, first: str) -> None:
    second = "float32" if first == "uint8" else "uint8"
    bytes_ = noise(shape_of(H, W, channels_of(row, variant)))
    images = {"uint8": bytes_, "float32": (bytes_ / 255).astype(np.float32)}
    pipe = piped(transform(row, variant.args))
    rest = call(row, variant)
    alone = {dtype: answer(pipe, rest | {"image": image}) for dtype, image in images.items()}
    data = rest | {"image": images[first], "other": images[second], "many": np.stack([images[second]] * 2)}
    got = answer(pipe, data)
    if isinstance(got, type):
        assert got in alone.values(), "refused together, but not alone"
        return
    result, record = got
    want = {dtype: value[0]["image"] for dtype, value in alone.items()}
    assert result["image"].dtype == want[first].dtype and result["other"].dtype == want[second].dtype
    assert np.array_equal(result["image"], want[first])
    if BY_MEAN.items() <= variant.args.items():  # the mean is that of the first image for all
        near = 1 if second == "uint8" else 1e-6
        assert np.abs(result["other"].astype(float) - want[second].astype(float)).max() <= near
    else:
        assert np.array_equal(result["other"], want[second])
    if not (row.name == "Normalize" and variant.args.get("normalization")):
        assert all(np.array_equal(image, result["other"]) for image in result["many"])
    ran = plain(data, record)
    for key in ("image", "other", "many", "mask"):
        assert np.array_equal(ran[key], result[key]), f"fused {key} differs from plain"


@pytest.mark.parametrize("first", [3, 1, 0])
@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_each_number_of_channels_as_if_alone_or_refused(row: Row, variant: Variant, first: int) -> None:
    if row.name == "ChannelShuffle" and first != 3:
        return  # the first image decides, as in 2.0.8
    gray, colour = noise((H, W, 1)), noise((H, W, 3))
    second = gray if first == 3 else colour
    image = colour if first == 3 else gray if first else gray[..., 0]
    pipe = piped(transform(row, variant.args))
    rest = call(row, variant)
    got = answer(pipe, rest | {"image": image, "other": second})
    if isinstance(got, type):
        return
    alone = answer(pipe, rest | {"image": second})
    assert not isinstance(alone, type), "refused alone, but not together"
    if BY_MEAN.items() <= variant.args.items():
        return  # the mean is that of the first image for all
    assert np.array_equal(got[0]["other"], alone[0]["image"])
    assert np.array_equal(got[0]["image"], answer(pipe, rest | {"image": image})[0]["image"])


def test_statistics_of_the_first_image_are_for_all_in_their_units() -> None:
    image, other = noise((H, W, 3)), (noise((H, W, 3), seed=9) / 255 / 2).astype(np.float32)
    child = F.RandomBrightnessContrast(brightness_limit=(0.2, 0.2), contrast_limit=0, brightness_by_max=False, p=1)
    result = piped(child).run(
        {"image": image, "other": other, "bboxes": [], "label": [], "keypoints": [], "name": []}, key=0
    )
    assert np.allclose(result["other"], other + 0.2 * image.mean() / 255, atol=1e-6)


@pytest.mark.parametrize("last", ["ToFloat", "Normalize"])
def test_float_is_float_for_what_works_in_bytes_afterwards(last: str) -> None:
    """`works_in` goes back to the type that the image has then, not to the one it came in."""
    image = noise((H, W, 3))
    child = F.ToFloat(p=1) if last == "ToFloat" else F.Normalize(mean=0.0, std=1.0, p=1)
    one = F.Compose([child, F.Equalize(p=1)], seed=1)
    result, record = one.run({"image": image}, record=True)
    assert result["image"].dtype == np.float32
    want = F.Equalize(p=1)(image=child(image=image)["image"])["image"]
    assert np.array_equal(result["image"], want)
    assert np.array_equal(plain({"image": image}, record)["image"], want)

    class Looks(F.ImageOnlyTransform):
        def apply(self, img: Any, **params: Any) -> Any:
            return img

    again = F.Compose([child, Looks(p=1), F.Equalize(p=1)], seed=1)(image=image)["image"]
    assert again.dtype == np.float32 and np.array_equal(again, want)


def test_dtypes_that_cannot_be_computed_are_refused_by_name() -> None:
    data = {"image": noise((H, W, 3)), "other": noise((H, W, 3)).astype(np.int32)}
    pipe = F.Compose([F.InvertImg(p=1)], additional_targets=OTHERS)
    with pytest.raises(TypeError, match="other: dtype int32; computes on uint8, float32"):
        pipe(**data)
    with pytest.raises(TypeError, match="other: cast: dtype int32 has no highest value"):
        F.Compose([F.ToFloat(p=1)], additional_targets=OTHERS)(**data)


def test_fills_are_cut_to_the_channels_of_each_image() -> None:
    pipe = F.Compose([F.Pad(2, fill=(9, 8, 7), fill_mask=(3, 2, 1), p=1)], additional_targets=OTHERS)
    for first, second in ((1, 3), (3, 1)):
        result = pipe(image=noise((H, W, first)), other=noise((H, W, second)), mask=noise((H, W)))
        assert result["image"][0, 0].tolist() == [9, 8, 7][:first]
        assert result["other"][0, 0].tolist() == [9, 8, 7][:second]
        assert result["mask"][0, 0] == 3


def test_holes_keep_fractions_on_floats() -> None:
    child = F.CoarseDropout(
        num_holes_range=(1, 1), hole_height_range=(1.0, 1.0), hole_width_range=(1.0, 1.0), fill=2.75, p=1
    )
    data = {"image": noise((H, W, 3)), "other": noise((H, W, 3), "float32")}
    result = F.Compose([child], additional_targets=OTHERS)(**data)
    assert (result["image"] == 2).all() and (result["other"] == 2.75).all()


def test_noise_of_an_image_of_another_size_is_as_fine() -> None:
    """A lane of another size has noise in each of its pixels, as it has alone."""
    pipe = F.Compose([F.GaussNoise(p=1)], additional_targets=OTHERS, is_check_shapes=False, seed=3)
    image, other = np.full((H, W, 3), 0.5, np.float32), np.full((2 * H, 3 * W, 3), 0.5, np.float32)
    got = pipe.run({"image": image, "other": other}, key=1)["other"]
    assert np.array_equal(got, pipe.run({"image": other}, key=1)["image"])
    assert np.abs(np.corrcoef(got[:, 1:, 0].ravel(), got[:, :-1, 0].ravel())[0, 1]) < 0.05


def test_statistics_of_the_first_image_wait_for_it_at_a_cut() -> None:
    """User code that asks for another image first does not make it the one that is fitted on."""

    class Passes(F.ImageOnlyTransform):
        def apply(self, img: Any, **params: Any) -> Any:
            return img

    child = F.RandomBrightnessContrast(brightness_limit=(0.3, 0.3), contrast_limit=0, brightness_by_max=False, p=1)
    image, other = noise((H, W, 3)) // 2, (noise((H, W, 3), seed=9) / 255).astype(np.float32)
    plainly = F.Compose([child], additional_targets=OTHERS)(image=image, other=other)
    for data in ({"image": image, "other": other}, {"other": other, "image": image}):
        got = F.Compose([child, Passes(p=1)], additional_targets=OTHERS)(**data)
        assert np.array_equal(got["image"], plainly["image"]) and np.array_equal(got["other"], plainly["other"])


def test_statistics_that_fit_one_kind_of_image_are_refused_for_others() -> None:
    for other, text in (
        (noise((H, W, 3), "float32"), "other: statistics of 3 channels of uint8 do not fit 3 of float32"),
        (noise((H, W, 1)), "other: statistics of 3 channels of uint8 do not fit 1 of uint8"),
    ):
        for fused in (True, False):
            data = {"image": noise((H, W, 3)), "other": other}
            with pytest.raises(TypeError, match=text):
                LAYOUT.open(data).finish([("standardize", "image", "first")], data, None, fused)


def test_the_frame_is_that_of_the_usual_target_whatever_comes_first() -> None:
    """An additional image before `image` in the call is not the one that sizes and statistics come from."""
    image, other = noise((20, 30, 3)), noise((40, 60, 1))
    pipe = F.Compose([F.CenterCrop(10, 10, p=1)], additional_targets=OTHERS, is_check_shapes=False)
    for data in ({"image": image, "other": other}, {"other": other, "image": image}, {"other": other, "images": [image]}):
        got = pipe(**data)
        assert np.array_equal(got["images"][0] if "images" in got else got["image"], image[5:15, 10:20])
        assert np.array_equal(got["other"], other[5:15, 10:20])
