"""Where the library decides otherwise than Albumentations 2.0.8: what it does instead, and that 2.0.8 indeed differs.

Each test carries the number of its line in docs/differences.md.
"""

from __future__ import annotations

import warnings
from typing import Any

import albumentations as A
import ferraug as F
import numpy as np
import pytest
from catalogue import DIFFERENCES
from compare import close
from fed import both

from samples import H, W, labels, noise


def ours(name: str, args: dict[str, Any], **data: Any) -> dict[str, Any]:
    return F.Compose([getattr(F, name)(**args, p=1)], seed=1).run(data, key=0)  # type: ignore[return-value]


def theirs(name: str, args: dict[str, Any], **data: Any) -> dict[str, Any]:
    return A.Compose([getattr(A, name)(**args, p=1)])(**data)


@pytest.mark.parametrize("name", ["Perspective", "GridDistortion"])
def test_d1_a_number_fills_every_channel(name: str) -> None:
    args = (
        {"scale": (0.2, 0.2), "fit_output": True}
        if name == "Perspective"
        else {"distort_limit": (0.9, 0.9), "normalized": False, "num_steps": 3}
    )
    image = np.full((H, W, 3), 200, np.uint8)
    got, want, _ = both(
        name, {**args, "fill": 7, "fill_mask": 3}, {"image": image, "mask": np.full((H, W, 2), 9, np.uint8)}
    )
    shown = got["image"].reshape(-1, 3)
    assert (shown == 7).all(1).any() and not (shown == (7, 0, 0)).all(1).any()
    assert (want["image"].reshape(-1, 3) == (7, 0, 0)).all(1).any()
    assert (got["mask"].reshape(-1, 2) == 3).all(1).any()


@pytest.mark.parametrize(
    ("name", "args"),
    [("Affine", {"rotate": 20}), ("Rotate", {"limit": (20, 20)}), ("ShiftScaleRotate", {}), ("Perspective", {}), ("GridDistortion", {}),
     ("Resize", {"height": 30, "width": 40}), ("D4", {}), ("Transpose", {}), ("Pad", {"padding": 3}), ("PadIfNeeded", {"min_height": 80, "min_width": 90}),
     ("RandomResizedCrop", {"size": (30, 40)})],
)  # fmt: skip
def test_d2_masks3d(name: str, args: dict[str, Any]) -> None:
    data = {"volume": noise((2, H, W)), "masks3d": np.stack([[labels(H, W)] * 2] * 3)}
    got = ours(name, args, **data)
    with pytest.raises(Exception):  # noqa: B017
        theirs(name, args, **data)
    plane = ours(name, args, image=data["volume"][0], mask=labels(H, W))["mask"]
    assert got["masks3d"].shape == (3, 2, *plane.shape) and (got["masks3d"] == plane).all()


@pytest.mark.parametrize(
    ("name", "args"), [("RandomBrightnessContrast", {"brightness_limit": (0.1, 0.1)}), ("GaussNoise", {})]
)
def test_d3_a_volume_alone(name: str, args: dict[str, Any]) -> None:
    data = {"volume": noise((3, H, W, 3))}
    assert ours(name, args, **data)["volume"].shape == data["volume"].shape
    with pytest.raises(KeyError):
        theirs(name, args, **data)


@pytest.mark.parametrize("name", ["LongestMaxSize", "SmallestMaxSize"])
@pytest.mark.parametrize("shape", [(3, H, W), (3, H, W, 2)], ids=str)
def test_d4_mask3d_of_the_proportional_resizes(name: str, shape: tuple[int, ...]) -> None:
    mask = np.broadcast_to(labels(H, W).reshape(1, H, W, *([1] * (len(shape) - 3))), shape)
    got = ours(name, {"max_size": 40}, volume=noise((3, H, W)), mask3d=mask)
    want = ours(name, {"max_size": 40}, image=noise((H, W)), mask=labels(H, W))["mask"]
    assert np.array_equal(
        got["mask3d"], np.broadcast_to(want.reshape(1, *want.shape, *([1] * (len(shape) - 3))), got["mask3d"].shape)
    )
    assert got["volume"].shape[1:3] == want.shape


@pytest.mark.parametrize(("name", "args"), [("RandomCrop", {"height": 90, "width": 120}), ("CenterCrop", {"height": 90, "width": 120}),
                                            ("Crop", {"x_min": 0, "y_min": 0, "x_max": 120, "y_max": 90})])  # fmt: skip
@pytest.mark.parametrize("border", range(5))
def test_d6_padding_before_a_crop(name: str, args: dict[str, Any], border: int) -> None:
    """Stacks are padded on the right axes, borders 2 and 4 are what they are called, masks get fill_mask."""
    args = {**args, "pad_if_needed": True, "border_mode": border, "fill": 50, "fill_mask": 7}
    image, mask = noise((H, W, 3)), labels(H, W)
    result, record = F.Compose([getattr(F, name)(**args)], seed=1).run(
        {"image": image, "mask": mask, "images": np.stack([image] * 2), "mask3d": np.stack([mask] * 2)[..., None]},
        key=0,
        record=True,
    )
    (_, left, top, w, h, *_), (_, x, y, cw, ch) = record["ops"][:2]
    want = A.Compose(
        [
            A.Pad((left, top, w - left - W, h - top - H), fill=50, fill_mask=7, border_mode=border),
            A.Crop(x, y, x + cw, y + ch),
        ]
    )(image=image, mask=mask)
    assert np.array_equal(result["image"], want["image"]) and np.array_equal(result["mask"], want["mask"])
    assert all(np.array_equal(one, want["image"]) for one in result["images"])
    assert all(np.array_equal(one[..., 0], want["mask"]) for one in result["mask3d"])


def test_d8_sharpen_by_a_gaussian_does_not_wrap() -> None:
    args = {"method": "gaussian", "alpha": (0.4, 0.4)}
    image = noise((H, W, 3))
    got, want, _ = both("Sharpen", args, {"image": image})
    smooth, _, _ = both("Sharpen", args, {"image": (image / np.float32(255)).astype(np.float32)})
    apart = np.abs(got["image"].astype(float) - 255 * smooth["image"])
    assert apart.max() <= 1.3  # the blurred image is a uint8 too: 0.4 · ½ level and the last rounding
    assert (np.abs(want["image"].astype(float) - 255 * smooth["image"]) > 20).mean() > 0.1


@pytest.mark.parametrize("size", [4, 6])
def test_d8_sharpen_makes_even_kernels_odd(size: int) -> None:
    even = ours("Sharpen", {"method": "gaussian", "alpha": (0.4, 0.4), "kernel_size": size}, image=noise((H, W, 3)))[
        "image"
    ]
    odd = ours("Sharpen", {"method": "gaussian", "alpha": (0.4, 0.4), "kernel_size": size + 1}, image=noise((H, W, 3)))[
        "image"
    ]
    assert np.array_equal(even, odd)


@pytest.mark.parametrize("ranges", [((0.5, 1.0), (0.25, 0.25)), ((1.0, 1.0), (0.1, 0.1)), ((5, 9), (0.1, 0.2))])
def test_d13_floats_are_fractions_and_ints_are_pixels(ranges: tuple[Any, Any]) -> None:
    (h0, h1), (w0, w1) = ranges
    for key in range(20):
        _, record = F.Compose([F.CoarseDropout((1, 1), (h0, h1), (w0, w1), p=1)], seed=1).run(
            {"image": noise((H, W, 3))}, key=key, record=True
        )
        x0, y0, x1, y1 = record["ops"][0][1][1:]
        low, high = (int(h0 * H), int(h1 * H)) if isinstance(h1, float) else (h0, h1)
        assert low <= y1 - y0 <= high
        assert int(w0 * W) <= x1 - x0 <= int(w1 * W)


def test_d15_no_blur_is_no_blur() -> None:
    image = noise((H, W, 3))
    assert np.array_equal(ours("GaussianBlur", {"sigma_limit": (0, 0)}, image=image)["image"], image)
    assert theirs("GaussianBlur", {"sigma_limit": (0, 0)}, image=image)["image"].max() == 0


def test_d18_too_few_means_are_used_and_said() -> None:
    """Kept: the first mean and deviation for every channel; but not silently."""
    image = noise((H, W, 4))
    with pytest.warns(UserWarning, match="first"):
        warnings.simplefilter("always")
        got, want, _ = both("Normalize", {}, {"image": image})
    assert np.abs(got["image"] - want["image"]).max() < 2e-6


@pytest.mark.parametrize("form", ["image", "image_per_channel", "min_max", "min_max_per_channel"])
@pytest.mark.parametrize("shape", [(H, W), (H, W, 1), (H, W, 3), (H, W, 5)], ids=str)
def test_d19_normalize_returns_float32(form: str, shape: tuple[int, ...]) -> None:
    got, want, _ = both("Normalize", {"normalization": form}, {"image": noise(shape)})
    assert want["image"].dtype == np.float64 and got["image"].dtype == np.float32
    assert np.abs(got["image"] - want["image"]).max() < 4e-6  # f32 of values up to 2


@pytest.mark.parametrize(
    ("given", "full"), [({"x": 10}, {"x": (10, 10), "y": (0, 0)}), ({"y": (5, 5)}, {"x": (0, 0), "y": (5, 5)})]
)
def test_d20_a_missing_shear_is_none(given: dict[str, Any], full: dict[str, Any]) -> None:
    image = noise((H, W, 3))
    assert np.array_equal(
        ours("Affine", {"shear": given}, image=image)["image"], ours("Affine", {"shear": full}, image=image)["image"]
    )


def test_d26_masks_take_area_only_when_they_shrink() -> None:
    mask = noise((H, W))
    args = {"size": (200, 220), "scale": (1.0, 1.0), "ratio": (W / H, W / H), "area_for_downscale": "image_mask"}
    got = ours("RandomResizedCrop", args, image=noise((H, W, 3)), mask=mask)["mask"]
    assert set(np.unique(got)) <= set(np.unique(mask)), "an enlarged mask has only its own values"
    want = ours("RandomResizedCrop", {**args, "area_for_downscale": None}, image=noise((H, W, 3)), mask=mask)["mask"]
    assert np.array_equal(got, want)


def test_d26_volumes_keep_their_masks_interpolation() -> None:
    mask = labels(H, W)
    args = {"size": (30, 50), "scale": (0.5, 0.5)}
    got = ours("RandomResizedCrop", args, volume=noise((2, H, W)), mask3d=np.stack([mask] * 2))["mask3d"]
    assert (got == ours("RandomResizedCrop", args, image=noise((H, W)), mask=mask)["mask"]).all()


@pytest.mark.parametrize("method", ["weighted_average", "average", "max", "desaturation"])
def test_d29_gray_keeps_the_rank(method: str) -> None:
    image = noise((H, W, 3))
    got, want, _ = both("ToGray", {"num_output_channels": 1, "method": method}, {"image": image})
    assert got["image"].shape == (H, W, 1) and want["image"].shape == (H, W)
    assert np.abs(got["image"][..., 0].astype(int) - want["image"]).max() <= 1


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pca_gray_up_to_its_sign(dtype: str) -> None:
    """The sign of a principal component is arbitrary; ours is that which is brighter where the image is."""
    ramp = np.add.outer(np.arange(H) * 1.5, np.arange(W)).astype(float)
    image = np.stack([ramp, 0.5 * ramp + 20, 0.8 * ramp + 5], -1) + noise((H, W, 3)) * 0.02
    image = image.astype(np.uint8) if dtype == "uint8" else (image / 255).astype(np.float32)
    got, want, _ = both("ToGray", {"method": "pca"}, {"image": image})
    peak = 255 if dtype == "uint8" else 1
    a, b = got["image"].astype(float), want["image"].astype(float)
    apart = min(np.abs(a - b).max(), np.abs(a - (peak - b)).max())
    assert apart <= (2 if dtype == "uint8" else 2e-3)  # OpenCV's PCA and its min-max are f32
    assert np.corrcoef(a[..., 0].ravel(), image.mean(-1).ravel())[0, 1] > 0.9


def test_d33_noise_leaves_opencvs_generator_alone() -> None:
    import cv2

    def drawn() -> bytes:
        array = np.zeros((8, 8), np.float32)
        cv2.randn(array, 0, 1)
        return array.tobytes()

    cv2.setRNGSeed(7)
    want = drawn()
    cv2.setRNGSeed(7)
    ours("GaussNoise", {}, image=noise((H, W, 3)))
    assert drawn() == want


@pytest.mark.parametrize("name", ["RandomCrop", "CenterCrop"])
def test_d35_gray_batches_are_padded(name: str) -> None:
    images = noise((2, H, W))
    args = {"height": 90, "width": 100, "pad_if_needed": True}
    assert ours(name, args, images=images)["images"].shape == (2, 90, 100)
    with pytest.raises(Exception):  # noqa: B017
        theirs(name, args, images=images)


@pytest.mark.parametrize(
    ("name", "args"),
    [("HueSaturationValue", {"hue_shift_limit": (7, 7), "sat_shift_limit": (10, 10), "val_shift_limit": (5, 5)}),
     ("ToGray", {"method": "from_lab"}), ("Downscale", {"scale_range": (0.5, 0.5), "interpolation_pair": {"upscale": 1, "downscale": 3}})],
)  # fmt: skip
def test_d40_float_images_stay_float(name: str, args: dict[str, Any]) -> None:
    image = noise((H, W, 3), "float32")
    got, want, _ = both(name, args, {"image": image})
    assert len(np.unique(want["image"])) <= 256 < len(np.unique(got["image"]))
    # 8 bits: half a step of value; of hue 1 degree, and of saturation half a step, each up to 1/60 and 1 of the range
    assert np.abs(got["image"] - want["image"]).max() <= {"HueSaturationValue": 0.05, "ToGray": 0.012}.get(name, 0.006)


def test_d41_points_under_a_field_go_to_their_source() -> None:
    rng = np.random.default_rng(2)
    rows = np.column_stack([rng.uniform(5, W - 6, 40), rng.uniform(5, H - 6, 40)])
    for method in ("mask", "direct"):
        pipe = F.Compose(
            [F.GridDistortion(keypoint_remapping_method=method, p=1)],
            keypoint_params=F.KeypointParams("xy", label_fields=["name"]),
            seed=3,
        )
        grid = np.stack(np.meshgrid(np.arange(W), np.arange(H)), -1).astype(np.float32)
        result = pipe.run(
            {
                "image": grid[..., :1],
                "images": np.stack([grid[..., :1], grid[..., 1:]]),
                "keypoints": rows,
                "name": list(range(40)),
            },
            key=1,
        )
        field_x, field_y = (
            result["images"][0, ..., 0],
            result["images"][1, ..., 0],
        )  # where each pixel's value came from
        for (x, y), name in zip(result["keypoints"], result["name"]):
            away = np.hypot(field_x - rows[name][0], field_y - rows[name][1])
            best = np.argwhere(away <= away.min() + 0.02)  # pixels whose source is nearest; several where cells meet
            assert np.abs(best - (y, x)).max(1).min() <= 0.51, "further from the nearest source than half a pixel"
            left, top = min(int(x), W - 2), min(int(y), H - 2)
            u, v = x - left, y - top
            for field, want in ((field_x, rows[name][0]), (field_y, rows[name][1])):
                (a, b), (c, d) = field[top : top + 2, left : left + 2]
                assert abs((a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v - want) <= 0.05, (
                    "between the pixels"
                )
        assert len(result["keypoints"]) >= 35


def test_d41_points_are_near_2_0_8s() -> None:
    """2.0.8 rounds the point, draws a disc of radius 1, and takes the first pixel of its first row: 1½ px, in a cell
    stretched by up to 1.9, and half a pixel of rounding. On average it is a pixel away."""
    rng = np.random.default_rng(4)
    rows = np.column_stack([rng.uniform(5, W - 6, 40), rng.uniform(5, H - 6, 40)])
    got, want, _ = both(
        "GridDistortion",
        {},
        {"image": noise((H, W, 3)), "keypoints": rows, "name": np.arange(40)},
        keypoint={"format": "xy", "label_fields": ["name"]},
    )
    there = dict(zip(want["name"].tolist(), np.asarray(want["keypoints"])))
    common = [
        (row, there[name])
        for name, row in zip(np.asarray(got["name"]).tolist(), np.asarray(got["keypoints"]))
        if name in there
    ]
    assert len(common) >= 30
    apart = [float(np.abs(a - b).max()) for a, b in common]
    assert max(apart) <= 3.35 and np.mean(apart) <= 1.6


@pytest.mark.parametrize("limit", [(-0.3, 0.3), (-0.7, -0.7), (0.6, 0.6), (-0.6, 0.6)])
def test_d41_points_are_within_two_pixels_of_2_0_8s_direct_ones(limit: tuple[float, float]) -> None:
    """`keypoint_remapping_method="direct"` has no disc: the two pixels that D41 allows hold in any cell."""
    rng = np.random.default_rng(5)
    rows = np.column_stack([rng.uniform(5, W - 6, 60), rng.uniform(5, H - 6, 60)])
    got, want, _ = both(
        "GridDistortion",
        {"keypoint_remapping_method": "direct", "distort_limit": limit},
        {"image": noise((H, W, 3)), "keypoints": rows, "name": np.arange(60)},
        keypoint={"format": "xy", "label_fields": ["name"]},
    )
    there = dict(zip(want["name"].tolist(), np.asarray(want["keypoints"])))
    names, points = np.asarray(got["name"]).tolist(), np.asarray(got["keypoints"])
    apart = [float(np.abs(a - there[name]).max()) for name, a in zip(names, points) if name in there]
    assert len(apart) >= 20
    assert max(apart) <= 2.01, max(apart)


def test_d41_boxes_under_a_field_are_2_0_8s() -> None:
    rng = np.random.default_rng(6)
    x, y = np.sort(rng.uniform(0, W, (30, 2)), 1), np.sort(rng.uniform(0, H, (30, 2)), 1)
    rows = np.column_stack([x[:, 0], y[:, 0], x[:, 1] + 1, y[:, 1] + 1]).clip(0, [W, H, W, H])
    got, want, _ = both(
        "GridDistortion",
        {},
        {"image": noise((H, W, 3)), "bboxes": rows, "label": np.arange(30)},
        bbox={"format": "pascal_voc", "label_fields": ["label"], "min_area": 1.0},
    )
    there = dict(zip(want["label"].tolist(), np.asarray(want["bboxes"])))
    here = dict(zip(np.asarray(got["label"]).tolist(), np.asarray(got["bboxes"])))
    assert len(here) >= 25 and set(here) <= set(there)
    for name, row in here.items():
        assert np.abs(row - there[name]).max() <= 1.0001, "a coordinate between two pixels, at most"
    assert np.mean([np.abs(row - there[name]).max() < 1e-3 for name, row in here.items()]) >= 0.8


def test_w2_images_of_two_channels_are_warped_as_all_others() -> None:
    image = noise((H, W, 3))
    args = {"limit": (33.3, 33.3)}
    got, want, _ = both("Rotate", args, {"image": np.ascontiguousarray(image[..., :2])})
    three, reference, _ = both("Rotate", args, {"image": image})
    assert np.array_equal(got["image"], three["image"][..., :2])
    assert np.abs(want["image"].astype(int) - reference["image"][..., :2]).max() >= 3, (
        "OpenCV warps two channels on its old grid"
    )


def test_hwc1_sharpen() -> None:
    got = ours("Sharpen", {"method": "gaussian", "alpha": (0.3, 0.3)}, image=noise((H, W, 1), "float32"))["image"]
    assert got.shape == (H, W, 1)
    with pytest.raises(ValueError):
        theirs("Sharpen", {"method": "gaussian"}, image=noise((H, W, 1), "float32"))


# -- the core: C1 … C13 ------------------------------------------------------------------------------------------------


def test_c1_a_box_that_left_is_dropped() -> None:
    data = {"image": noise((H, W, 3)), "bboxes": [[60, 40, 70, 50], [1, 1, 20, 20]], "label": [1, 2]}
    args = ("pascal_voc", ["label"])
    got = F.Compose([F.Crop(0, 0, 30, 30)], bbox_params=F.BboxParams(*args, check_each_transform=False))(**data)
    assert got["bboxes"] == [[1.0, 1.0, 20.0, 20.0]] and got["label"] == [2]
    with pytest.raises(ValueError):
        A.Compose([A.Crop(0, 0, 30, 30)], bbox_params=A.BboxParams(*args, check_each_transform=False))(**data)


def test_c2_more_box_targets_beside_labels() -> None:
    pipe = F.Compose(
        [F.HorizontalFlip(p=1)],
        bbox_params=F.BboxParams("pascal_voc", ["label"]),
        additional_targets={"bboxes2": "bboxes"},
    )
    got = pipe(
        image=noise((H, W, 3)), bboxes=[[1, 2, 30, 40]], label=["cat"], bboxes2=[[1, 2, 30, 40, 7.0], [5, 6, 9, 9, 8.0]]
    )
    assert got["label"] == ["cat"] and np.allclose(got["bboxes"], [[W - 30, 2, W - 1, 40]])
    assert np.allclose(got["bboxes2"], [[W - 30, 2, W - 1, 40, 7], [W - 9, 6, W - 5, 9, 8]])


def test_c3_equal_transforms_draw_different_numbers() -> None:
    pipe = F.Compose([F.RandomGamma(p=1), F.RandomGamma(p=1)], seed=3)
    _, record = pipe.run({"image": noise((8, 8, 3))}, record=True)
    assert record["ops"][0] != record["ops"][1]


def test_c4_nothing_is_lost_on_the_way_through_a_dict() -> None:
    pipe = F.Compose(
        [F.SelectiveChannelTransform([F.InvertImg(p=1)], channels=(2, 0))],
        bbox_params=F.BboxParams(
            "coco", ["label"], min_area=3, clip=True, filter_invalid_bboxes=True, max_accept_ratio=4.0
        ),
    )
    again = F.from_dict(F.to_dict(pipe))
    assert again.transforms[0].channels == (2, 0)
    assert again.bbox_params.to_dict() == pipe.bbox_params.to_dict() and again.bbox_params.filter_invalid_bboxes
    image = noise((8, 8, 3))
    assert np.array_equal(again(image=image, label=[])["image"], pipe(image=image, label=[])["image"])


def test_e1_a_crop_that_does_not_fit() -> None:
    with pytest.raises(ValueError) as caught:
        ours("RandomCrop", {"height": 99, "width": 9}, image=noise((H, W, 3)))
    assert isinstance(caught.value, F.CropSizeError)


def test_e2_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="limit"):
        F.Rotate(limits=(3, 3))


@pytest.mark.parametrize("form", ["pascal_voc", "coco", "albumentations", "yolo"])
def test_f1_boxes_keep_their_digits(form: str) -> None:
    row = (
        [0.1, 0.3, 0.7, 0.9]
        if form == "albumentations"
        else [0.3, 0.3, 0.1, 0.2]
        if form == "yolo"
        else [0.3, 1.7, 20.1, 30.9]
    )
    got = F.Compose([F.NoOp(p=1)], bbox_params=F.BboxParams(form))(image=noise((H, W, 3)), bboxes=[row])["bboxes"]
    assert np.abs(np.array(got[0]) - row).max() < 1e-14


def test_c6_force_apply_reaches_every_composition() -> None:
    image = noise((H, W, 3))
    for pipe in (
        F.SomeOf([F.HorizontalFlip(p=1)], n=1, p=0.01),
        F.Sequential([F.HorizontalFlip(p=1)], p=0.01),
        F.OneOf([F.HorizontalFlip(p=1)], p=0.01),
    ):
        assert np.array_equal(pipe(image=image, force_apply=True)["image"], image[:, ::-1]), pipe
    with pytest.raises(ValueError):
        F.OneOf([F.HorizontalFlip(p=0), F.VerticalFlip(p=0)])


@pytest.mark.parametrize(
    "values", [[3, 16777217], [True, False], ["cat", "dog"], [3, "x"], np.array([5, 6], np.int64), np.array(["a", "b"]), [None, "x"], [1.5, 2.5]], ids=str
)  # fmt: skip
def test_c7_labels_come_back_as_they_went_in(values: Any) -> None:
    pipe = F.Compose([F.HorizontalFlip(p=1)], bbox_params=F.BboxParams("pascal_voc", ["label"]))
    got = pipe(image=noise((H, W, 3)), bboxes=[[1, 2, 30, 40], [3, 3, 9, 9]], label=values)["label"]
    assert type(got) is type(values)
    if isinstance(values, np.ndarray):
        assert got.dtype == values.dtype and np.array_equal(got, values)
    else:
        assert got == values and [type(x) for x in got] == [type(x) for x in values]
    none = pipe(image=noise((H, W, 3)), bboxes=[], label=values[:0])["label"]
    assert type(none) is type(values) and len(none) == 0


def test_c9_no_masks_are_no_masks() -> None:
    got = F.Compose([F.HorizontalFlip(p=1)])(image=noise((H, W, 3)), masks=np.zeros((0, H, W), np.uint8))
    assert got["masks"].shape == (0, H, W)
    with pytest.raises(ValueError):
        A.Compose([A.HorizontalFlip(p=1)])(image=noise((H, W, 3)), masks=np.zeros((0, H, W), np.uint8))


def test_c10_import_asks_no_server() -> None:
    import subprocess
    import sys

    script = "import socket, sys\ndef no(*a, **k): raise SystemExit(9)\nsocket.socket.connect = no\nsocket.create_connection = no\nimport ferraug\nprint('quiet')"
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert out.stdout.strip() == "quiet", out.stderr


def test_c11_a_pipeline_remembers_no_label() -> None:
    pipe = F.Compose([F.NoOp(p=1)], bbox_params=F.BboxParams("pascal_voc", ["label"]))
    for values in ([1], ["one"], np.array([2]), [3]):
        got = pipe(image=noise((H, W, 3)), bboxes=[[1, 2, 3, 4]], label=values)["label"]
        assert type(got) is type(values) and got[0] == values[0]


def test_c12_masks_and_extra_images_alone() -> None:
    assert np.array_equal(ours("HorizontalFlip", {}, mask=labels(H, W))["mask"], labels(H, W)[:, ::-1])
    pipe = F.Compose([F.HorizontalFlip(p=1)], additional_targets={"image2": "image"})
    assert np.array_equal(pipe(image2=noise((H, W, 3)))["image2"], noise((H, W, 3))[:, ::-1])


def test_c13_a_pipeline_that_does_not_fire_checks_and_converts() -> None:
    pipe = F.Compose([F.HorizontalFlip(p=1)], bbox_params=F.BboxParams("pascal_voc", ["label"]), p=0)
    image = noise((H, W, 3))
    got = pipe(image=image, bboxes=((1, 2, 30, 40),), label=("a",))
    assert got["image"] is image and got["bboxes"] == [[1.0, 2.0, 30.0, 40.0]]
    with pytest.raises(ValueError):
        pipe(image=image, bboxes=[[1, 2, 30, 40]], label=[])


# -- kept, though odd ----------------------------------------------------------------------------------------------------


def test_d17_grid_distortion_without_limits_is_not_the_identity() -> None:
    got, want, _ = both("GridDistortion", {"num_steps": 4, "distort_limit": (0, 0)}, {"image": noise((H, W, 3))})
    assert np.abs(got["image"].astype(int) - want["image"]).max() <= 1
    assert (got["image"] != noise((H, W, 3))).mean() > 0.2


def test_d22_angles_turn_as_2_0_8_turns_them() -> None:
    point = [[30.0, 20.0, 40.0, 1.0]]
    for name, args in (
        ("Rotate", {"limit": (30, 30)}),
        ("RandomRotate90", {}),
        ("Perspective", {"scale": (0.08, 0.08)}),
    ):
        got, want, _ = both(name, args, {"image": noise((H, W, 3)), "keypoints": point}, keypoint={"format": "xyas"})
        assert np.allclose(got["keypoints"], want["keypoints"], atol=2e-3), name


# -- the page ------------------------------------------------------------------------------------------------------------


def test_every_difference_has_its_line() -> None:
    from pathlib import Path

    page = (Path(__file__).resolve().parents[2] / "docs" / "differences.md").read_text(encoding="utf-8")
    assert len(DIFFERENCES) == len({number for number, *_ in DIFFERENCES})
    for number, where, what, reason in DIFFERENCES:
        assert f"| {number} | {where} | {what} | {reason} |" in page, (
            f"docs/differences.md lacks {number}; python tests/catalogue.py writes it"
        )


def test_tested_differences_are_listed() -> None:
    import re

    numbers = {name.split("_")[1].upper() for name in globals() if re.match(r"test_[cdwef]\d+_", name)}
    assert numbers <= {number for number, *_ in DIFFERENCES}, numbers - {number for number, *_ in DIFFERENCES}


def test_close_can_fail() -> None:
    from catalogue import Tol

    image = noise((8, 8, 3))
    with pytest.raises(AssertionError):
        close(image, np.where(image > 0, image - 1, image).astype(np.uint8), Tol("exact"))
    with pytest.raises(AssertionError):
        close(image.astype(np.float32), image.astype(np.float64), Tol("dtype"))
