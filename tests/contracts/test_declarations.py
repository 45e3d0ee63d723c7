"""What the declarations promise: 2.0.8's signatures, checks that say what is wrong, and storing that loses nothing."""

from __future__ import annotations

import ast
import inspect
import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import ferraug as A
import numpy as np
import pytest
from ferraug.params import INTERPOLATIONS
from ferraug.transform import Transform

# name -> arguments and defaults of Albumentations 2.0.8, as `inspect.signature` gives them; "!" is a required one
SIGNATURES = {
    "RandomCrop": "height=! width=! pad_if_needed=False pad_position='center' border_mode=0 fill=0.0 fill_mask=0.0 p=1.0",
    "CenterCrop": "height=! width=! pad_if_needed=False pad_position='center' border_mode=0 fill=0.0 fill_mask=0.0 p=1.0",
    "Crop": "x_min=0 y_min=0 x_max=1024 y_max=1024 pad_if_needed=False pad_position='center' border_mode=0 fill=0 "
    "fill_mask=0 p=1.0",
    "RandomResizedCrop": "size=! scale=(0.08,1.0) ratio=(0.75,1.3333333333333333) interpolation=1 mask_interpolation=0 "
    "area_for_downscale=None p=1.0",
    "BBoxSafeRandomCrop": "erosion_rate=0.0 p=1.0",
    "CropNonEmptyMaskIfExists": "height=! width=! ignore_values=None ignore_channels=None p=1.0",
    "HorizontalFlip": "p=0.5",
    "VerticalFlip": "p=0.5",
    "Transpose": "p=0.5",
    "RandomRotate90": "p=1",
    "D4": "p=1",
    "Pad": "padding=0 fill=0 fill_mask=0 border_mode=0 p=1.0",
    "PadIfNeeded": "min_height=1024 min_width=1024 pad_height_divisor=None pad_width_divisor=None position='center' "
    "border_mode=0 fill=0 fill_mask=0 p=1.0",
    "Resize": "height=! width=! interpolation=1 mask_interpolation=0 area_for_downscale=None p=1",
    "LongestMaxSize": "max_size=None max_size_hw=None interpolation=1 mask_interpolation=0 area_for_downscale=None p=1",
    "SmallestMaxSize": "max_size=None max_size_hw=None interpolation=1 mask_interpolation=0 area_for_downscale=None p=1",
    "Rotate": "limit=(-90,90) interpolation=1 border_mode=0 rotate_method='largest_box' crop_border=False "
    "mask_interpolation=0 fill=0 fill_mask=0 p=0.5",
    "Affine": "scale=(1.0,1.0) translate_percent=None translate_px=None rotate=0.0 shear=(0.0,0.0) interpolation=1 "
    "mask_interpolation=0 fit_output=False keep_ratio=False rotate_method='largest_box' balanced_scale=False "
    "border_mode=0 fill=0 fill_mask=0 p=0.5",
    "ShiftScaleRotate": "shift_limit=(-0.0625,0.0625) scale_limit=(-0.1,0.1) rotate_limit=(-45,45) interpolation=1 "
    "border_mode=0 shift_limit_x=None shift_limit_y=None rotate_method='largest_box' mask_interpolation=0 fill=0 "
    "fill_mask=0 p=0.5",
    "Perspective": "scale=(0.05,0.1) keep_size=True fit_output=False interpolation=1 mask_interpolation=0 border_mode=0 "
    "fill=0 fill_mask=0 p=0.5",
    "GridDistortion": "num_steps=5 distort_limit=(-0.3,0.3) interpolation=1 normalized=True mask_interpolation=0 "
    "keypoint_remapping_method='mask' p=0.5 border_mode=0 fill=0 fill_mask=0",
    "RandomBrightnessContrast": "brightness_limit=(-0.2,0.2) contrast_limit=(-0.2,0.2) brightness_by_max=True "
    "ensure_safe_range=False p=0.5",
    "RandomGamma": "gamma_limit=(80,120) p=0.5",
    "InvertImg": "p=0.5",
    "Normalize": "mean=(0.485,0.456,0.406) std=(0.229,0.224,0.225) max_pixel_value=255.0 normalization='standard' p=1.0",
    "ToFloat": "max_value=None p=1.0",
    "HueSaturationValue": "hue_shift_limit=(-20,20) sat_shift_limit=(-30,30) val_shift_limit=(-20,20) p=0.5",
    "ColorJitter": "brightness=(0.8,1.2) contrast=(0.8,1.2) saturation=(0.8,1.2) hue=(-0.5,0.5) p=0.5",
    "ToGray": "num_output_channels=3 method='weighted_average' p=0.5",
    "ChannelShuffle": "p=0.5",
    "Equalize": "mode='cv' by_channels=True mask=None mask_params=() p=0.5",
    "GaussianBlur": "blur_limit=0 sigma_limit=(0.5,3.0) p=0.5",
    "Sharpen": "alpha=(0.2,0.5) lightness=(0.5,1.0) method='kernel' kernel_size=5 sigma=1.0 p=0.5",
    "Downscale": "scale_range=(0.25,0.25) interpolation_pair={'upscale':0,'downscale':0} p=0.5",
    "GaussNoise": "std_range=(0.2,0.44) mean_range=(0.0,0.0) per_channel=True noise_scale_factor=1 p=0.5",
    "CoarseDropout": "num_holes_range=(1,2) hole_height_range=(0.1,0.2) hole_width_range=(0.1,0.2) fill=0 fill_mask=None "
    "p=0.5",
    "NoOp": "p=0.5",
    "ToTensorV2": "transpose_mask=False p=1.0",
    "Lambda": "image=None mask=None keypoints=None bboxes=None name=None p=1.0",
    "Compose": "transforms=! bbox_params=None keypoint_params=None additional_targets=None p=1.0 is_check_shapes=True "
    "strict=False mask_interpolation=None seed=None save_applied_params=False",
    "ReplayCompose": "transforms=! bbox_params=None keypoint_params=None additional_targets=None p=1.0 "
    "is_check_shapes=True save_key='replay'",
    "OneOf": "transforms=! p=0.5",
    "SomeOf": "transforms=! n=1 replace=False p=1",
    "RandomOrder": "transforms=! n=1 replace=False p=1",
    "OneOrOther": "first=None second=None transforms=None p=0.5",
    "Sequential": "transforms=! p=0.5",
    "SelectiveChannelTransform": "transforms=! channels=(0,1,2) p=1.0",
    "BboxParams": "format=! label_fields=None min_area=0.0 min_visibility=0.0 min_width=0.0 min_height=0.0 "
    "check_each_transform=True clip=False filter_invalid_bboxes=False max_accept_ratio=None",
    "KeypointParams": "format=! label_fields=None remove_invisible=True angle_in_degrees=True check_each_transform=True",
}
REQUIRED = {
    "RandomCrop": (8, 9),
    "CenterCrop": (8, 9),
    "RandomResizedCrop": ((8, 9),),
    "CropNonEmptyMaskIfExists": (8, 9),
    "Resize": (8, 9),
    "LongestMaxSize": (10,),
    "SmallestMaxSize": (10,),
}
TRANSFORMS = sorted(A.transforms.__all__)


def make(name: str, **options: object) -> Transform:
    return getattr(A, name)(*REQUIRED.get(name, ()), **options)


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_signature_is_that_of_2_0_8(name: str) -> None:
    given = [
        (p.name, "!" if p.default is p.empty else repr(p.default).replace(" ", ""))
        for p in inspect.signature(getattr(A, name)).parameters.values()
    ]
    assert given == [tuple(part.split("=", 1)) for part in SIGNATURES[name].split()]
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in inspect.signature(getattr(A, name)).parameters.values())


def test_every_transform_has_its_signature_checked() -> None:
    assert set(TRANSFORMS) <= set(SIGNATURES)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_init_has_the_same_signature(name: str) -> None:
    cls = getattr(A, name)
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]
    assert own == list(inspect.signature(cls).parameters.values())


@pytest.mark.parametrize("name", sorted(A.__all__))
def test_everything_exported_is_documented(name: str) -> None:
    thing = getattr(A, name)
    assert isinstance(thing, str) or (thing.__doc__ or "").strip()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_argument_is_documented_and_p_declared(name: str) -> None:
    cls = getattr(A, name)
    assert "p" in cls.fields
    for argument, field in cls.fields.items():
        assert field.doc, argument
        assert f"    {argument} (" in cls.__doc__


@pytest.mark.parametrize("name", TRANSFORMS)
def test_storing_and_loading_give_the_same_transform(name: str) -> None:
    transform = make(name, p=0.25)
    stored = A.to_dict(transform)
    assert stored["transform"]["__class_fullname__"] == name
    for form in (stored, json.loads(json.dumps(stored))):
        again = A.from_dict(form)
        assert type(again) is type(transform)
        assert repr(again) == repr(transform)
    assert repr(eval(repr(transform), vars(A))) == repr(transform)
    assert repr(pickle.loads(pickle.dumps(transform))) == repr(transform)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_unknown_argument_names_the_nearest(name: str) -> None:
    cls = getattr(A, name)
    argument = next(iter(cls.fields))
    with pytest.raises(TypeError, match=rf"{name}\(\) got an unexpected argument '{argument}x'"):
        cls(**{argument + "x": 1})
    with pytest.raises(TypeError, match="did you mean 'limit'"):
        A.Rotate(limt=3)


def test_positional_forms_seen_in_the_wild() -> None:
    assert (A.Resize(480, 640).height, A.Resize(480, 640).width) == (480, 640)
    assert A.CenterCrop(3, 4).width == 4
    assert A.BboxParams("coco").format == "coco"
    assert A.KeypointParams("xys").format == "xys"
    assert A.Normalize((0.5,), (0.25,)).std == (0.25,)
    assert A.PadIfNeeded(3, 4).min_width == 4
    assert A.LongestMaxSize(7).max_size == 7
    assert A.CropNonEmptyMaskIfExists(5, 6).height == 5
    crop = A.Crop(1, 2, 30, 40)
    assert (crop.x_min, crop.y_min, crop.x_max, crop.y_max) == (1, 2, 30, 40)
    bright = A.RandomBrightnessContrast(0.1, 0.3, False)
    assert bright.brightness_limit == (-0.1, 0.1)
    assert bright.contrast_limit == (-0.3, 0.3)
    assert bright.brightness_by_max is False
    assert A.Rotate(8).limit == (-8, 8)
    with pytest.raises(ValueError, match="size must be"):
        A.RandomResizedCrop(224, 224)


@pytest.mark.parametrize(
    ("make_one", "attribute", "value"),
    [
        (lambda: A.Rotate(limit=(30, -10)), "limit", (-10, 30)),
        (lambda: A.Rotate(limit=[5, 7]), "limit", (5, 7)),
        (lambda: A.Rotate(limit=np.float32(2)), "limit", (-2.0, 2.0)),
        (lambda: A.RandomGamma(120), "gamma_limit", (1, 120)),
        (lambda: A.Perspective(0.1), "scale", (0, 0.1)),
        (lambda: A.GaussianBlur(7, 2.5), "blur_limit", (0, 7)),
        (lambda: A.GaussianBlur(7, 2.5), "sigma_limit", (0, 2.5)),
        (lambda: A.ColorJitter(0.3).brightness, None, (0.7, 1.3)),
        (lambda: A.ColorJitter(2).brightness, None, (0, 3)),
        (lambda: A.ColorJitter(hue=0.1).hue, None, (-0.1, 0.1)),
        (lambda: A.Affine(scale=2).scale, None, {"x": (2, 2), "y": (2, 2)}),
        (lambda: A.Affine(shear={"x": (1, 2)}).shear, None, {"x": (1, 2), "y": (0, 0)}),
        (lambda: A.Affine(rotate=10).rotate, None, (10, 10)),
        (lambda: A.Affine(translate_px={"x": 3, "y": (1, 4)}).translate_px, None, {"x": (3, 3), "y": (1, 4)}),
        (lambda: A.CoarseDropout(hole_height_range=(4, 8)).hole_height_range, None, (4, 8)),
        (lambda: A.CoarseDropout(hole_height_range=(0.5, 1.0)).hole_height_range, None, (0.5, 1.0)),
        (lambda: A.Resize(np.int64(3), 4.0), "height", 3),
        (lambda: A.Pad(fill=(1, 2, 3)).fill, None, (1.0, 2.0, 3.0)),
        (lambda: A.Pad(fill=float("nan")).fill, None, "nan"),
        (lambda: A.HorizontalFlip(p=True).p, None, 1),
        (lambda: A.Normalize(mean=np.array([0.1, 0.2])).mean, None, (0.1, 0.2)),
        (lambda: A.Resize(2, 2, interpolation="cubic").interpolation, None, INTERPOLATIONS["cubic"]),
    ],
)
def test_values_are_taken_as_in_2_0_8(make_one, attribute, value) -> None:
    made = make_one()
    assert (made if attribute is None else getattr(made, attribute)) == value


def test_values_are_plain_numbers() -> None:
    assert type(A.Rotate(limit=np.float32(2)).limit[0]) is float
    assert type(A.Resize(np.int64(3), np.uint8(4)).width) is int
    assert type(A.HorizontalFlip(p=np.float64(0.5)).p) is float


@pytest.mark.parametrize(
    ("make_one", "kind", "text"),
    [
        (lambda: A.HorizontalFlip(p=1.5), ValueError, r"p must be in \[0, 1\]"),
        (lambda: A.HorizontalFlip(p=-0.1), ValueError, r"p must be in \[0, 1\]"),
        (lambda: A.HorizontalFlip(p=float("nan")), ValueError, r"p must be in \[0, 1\]"),
        (lambda: A.HorizontalFlip(p="0.5"), TypeError, "p must be a number"),
        (lambda: A.HorizontalFlip(p=None), TypeError, "p must be a number"),
        (lambda: A.RandomResizedCrop((8, 8), scale=(0.9, 0.1)), ValueError, "low > high"),
        (lambda: A.Rotate(limit=float("inf")), ValueError, "finite"),
        (lambda: A.Rotate(limit=(0, float("nan"))), ValueError, "finite"),
        (lambda: A.Resize(0, 4), ValueError, "height must be ≥ 1"),
        (lambda: A.Resize(4, -1), ValueError, "width must be ≥ 1"),
        (lambda: A.Resize(2**63, 4), ValueError, "height must be"),
        (lambda: A.Resize(10**30, 4), ValueError, "height must be"),
        (lambda: A.Resize(3.7, 4), TypeError, "integer"),
        (lambda: A.Sharpen(kernel_size=-3), ValueError, "kernel_size must be"),
        (lambda: A.Sharpen(kernel_size=10**6), ValueError, "kernel_size must be"),
        (lambda: A.Affine(scale=0), ValueError, "scale must be"),
        (lambda: A.Affine(scale=1e30), ValueError, "scale must be"),
        (lambda: A.Affine(rotate=float("inf")), ValueError, "finite"),
        (lambda: A.GaussianBlur(sigma_limit=float("nan")), ValueError, "finite"),
        (lambda: A.Pad(fill="red"), TypeError, "fill must be"),
        (lambda: A.Resize(4, 4, interpolation="bilnear"), ValueError, "did you mean 'bilinear'"),
        (lambda: A.Rotate(interpolation=5), ValueError, "interpolation must be"),
        (lambda: A.Pad(border_mode=7), ValueError, "border_mode must be"),
        (lambda: A.RandomCrop(4, 4, pad_position="middle"), ValueError, "pad_position must be one of"),
        (lambda: A.Crop(5, 5, 5, 9), ValueError, "x_min < x_max"),
        (lambda: A.PadIfNeeded(8, 8, pad_height_divisor=4), ValueError, "exactly one of min_height"),
        (lambda: A.LongestMaxSize(), ValueError, "exactly one of max_size"),
        (lambda: A.Affine(translate_px=1, translate_percent=0.1), ValueError, "only one of"),
        (lambda: A.Affine(keep_ratio=True, scale={"x": 2, "y": 3}), ValueError, "keep_ratio"),
        (lambda: A.Normalize(mean=None), ValueError, "mean must be"),
        (lambda: A.Normalize(std=0), ValueError, "std"),
        (lambda: A.CoarseDropout(fill="inpaint_ns"), NotImplementedError, "inpaint_ns"),
        (lambda: A.CoarseDropout(hole_height_range=(0.5, 3)), ValueError, "hole_height_range must be"),
        (lambda: A.ColorJitter(hue=(-0.6, 0.5)), ValueError, "hue must be"),
        (lambda: A.Compose([], seed=-1), ValueError, "seed"),
        (lambda: A.Compose([], seed=2**64), ValueError, "seed"),
        (lambda: A.Compose([], seed=1.5), TypeError, "seed"),
        (lambda: A.Compose([], seed="x"), TypeError, "seed"),
        (lambda: A.BboxParams("cocoa"), ValueError, "did you mean 'coco'"),
        (lambda: A.BboxParams("coco", min_area=-1), ValueError, "min_area"),
        (lambda: A.BboxParams("coco", max_accept_ratio=0.5), ValueError, "max_accept_ratio"),
        (lambda: A.Compose([], bbox_params={"formt": "coco"}), TypeError, "did you mean 'format'"),
    ],
)
def test_wrong_values_say_what_is_allowed(make_one, kind, text) -> None:
    with pytest.raises(kind, match=text):
        make_one()


def test_even_kernels_are_raised_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="odd"):
        assert A.Sharpen(kernel_size=4).kernel_size == 5


def test_shift_scale_rotate_recommends_affine() -> None:
    with pytest.warns(UserWarning, match="prefer Affine") as caught:
        A.ShiftScaleRotate()
    assert caught[0].filename == __file__


@pytest.mark.parametrize("form", ["image", "min_max"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1)])
def test_one_channel_is_normalised_as_a_whole(form, shape) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for values in (image, (image / 255).astype(np.float32)):
        whole = A.Normalize(normalization=form)(image=values)["image"]
        channel = A.Normalize(normalization=f"{form}_per_channel")(image=values)["image"]
        assert np.array_equal(channel, whole)


def test_a_built_in_does_not_take_the_old_protocol() -> None:
    with pytest.raises(TypeError, match="overrides apply"):
        type("Mine", (A.HorizontalFlip,), {"apply": lambda self, img, **params: img})


def test_a_subclass_with_its_own_arguments_works() -> None:
    class Half(A.Resize):
        """Resize to a square."""

        def __init__(self, side: int, p: float = 1.0) -> None:
            super().__init__(side, side, p=p)

    assert Half(4)(image=np.zeros((8, 9, 3), np.uint8))["image"].shape == (4, 4, 3)
    assert list(inspect.signature(Half).parameters) == ["side", "p"]


def test_isinstance_answers_as_in_2_0_8() -> None:
    assert isinstance(A.HorizontalFlip(), A.DualTransform)
    assert isinstance(A.HorizontalFlip(), A.BasicTransform)
    assert not isinstance(A.HorizontalFlip(), A.ImageOnlyTransform)
    assert isinstance(A.InvertImg(), A.ImageOnlyTransform)
    assert not isinstance(A.InvertImg(), A.DualTransform)
    assert not isinstance(A.Compose([]), A.BasicTransform)


# -- files -----------------------------------------------------------------------------------------------------------


def test_what_2_0_8_loses_is_kept() -> None:
    pipeline = A.Compose(
        [A.SelectiveChannelTransform([A.InvertImg()], channels=(1,)), A.Rotate(mask_interpolation=1)],
        bbox_params=A.BboxParams("coco", filter_invalid_bboxes=True, label_fields=["l"]),
        keypoint_params=A.KeypointParams("xy"),
        additional_targets={"image2": "image"},
        seed=5,
        strict=True,
        mask_interpolation=0,
        save_applied_params=True,
        is_check_shapes=False,
        p=0.5,
    )
    again = A.from_dict(json.loads(json.dumps(A.to_dict(pipeline))))
    for name in [
        "seed",
        "strict",
        "mask_interpolation",
        "save_applied_params",
        "additional_targets",
        "is_check_shapes",
    ]:
        assert getattr(again, name) == getattr(pipeline, name), name
    assert again.bbox_params == pipeline.bbox_params
    assert again.keypoint_params == pipeline.keypoint_params
    assert repr(again) == repr(pipeline)


def test_loads_what_2_0_8_wrote() -> None:
    stored = {
        "__version__": "2.0.8",
        "transform": {
            "__class_fullname__": "albumentations.core.composition.Compose",
            "p": 1.0,
            "transforms": [
                {"__class_fullname__": "HorizontalFlip", "p": 0.5},
                {
                    "__class_fullname__": "albumentations.augmentations.geometric.resize.Resize",
                    "p": 1,
                    "area_for_downscale": None,
                    "height": 4,
                    "interpolation": 1,
                    "mask_interpolation": 0,
                    "width": 5,
                },
            ],
            "bbox_params": None,
            "keypoint_params": None,
            "additional_targets": {},
            "is_check_shapes": True,
        },
    }
    assert A.from_dict(stored)(image=np.zeros((8, 8, 3), np.uint8))["image"].shape == (4, 5, 3)


def broken(**changes: object) -> dict:
    return {"transform": {"__class_fullname__": "Rotate", "p": 1, **changes}}


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (broken(__class_fullname__="os.system"), "unknown transform 'os.system'"),
        (broken(__class_fullname__="HorizontalFlp"), "did you mean 'HorizontalFlip'"),
        (broken(limt=3), r"\$\.transform\.limt: .*did you mean 'limit'"),
        (broken(limit="x"), r"\$\.transform: Rotate: limit"),
        ({"transform": 3}, "transform"),
        ({"schema": 999, "transform": broken()["transform"]}, "newer"),
        ({"transform": {"__class_fullname__": "Lambda", "__name__": "f"}}, "nonserializable"),
        ({"transform": {"__class_fullname__": "Compose", "transforms": 3}}, r"\$\.transform\.transforms"),
    ],
)
def test_broken_configurations_are_refused(stored, text) -> None:
    with pytest.raises(A.ConfigError, match=text):
        A.from_dict(stored)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"transform": {"p": 1, "p": 2}}', "duplicate key 'p'"),
        ('{"transform": NaN}', "NaN"),
        ('{"transform": -Infinity}', "Infinity"),
        ('{"transform": 1e400}', "finite"),
        ("[" * 100_000, "depth|JSON"),
        ("", "offset 0"),
        ('{"transform": ', "offset"),
    ],
)
def test_broken_json_is_refused(tmp_path, text, message) -> None:
    path = tmp_path / "pipeline.json"
    path.write_text(text)
    with pytest.raises(A.ConfigError, match=message):
        A.load(path)


def test_files_keep_a_pipeline(tmp_path) -> None:
    pipeline = A.Compose([A.OneOf([A.HorizontalFlip(), A.Rotate()]), A.Normalize()], seed=3)
    A.save(pipeline, tmp_path / "a.json")
    assert repr(A.load(tmp_path / "a.json")) == repr(pipeline)
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.json").read_bytes())
    assert repr(A.load(tmp_path / "bom.json")) == repr(pipeline)
    (tmp_path / "bad.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(A.ConfigError, match="UTF-8 at byte 7"):
        A.load(tmp_path / "bad.json")
    with pytest.raises(ValueError, match="data_format"):
        A.save(pipeline, tmp_path / "a.xml", data_format="xml")


def test_yaml_keeps_a_pipeline_and_nothing_else(tmp_path) -> None:
    pytest.importorskip("yaml")
    pipeline = A.Compose([A.Affine(scale=(0.5, 2)), A.Normalize()], seed=3)
    A.save(pipeline, tmp_path / "a.yaml", data_format="yaml")
    assert repr(A.load(tmp_path / "a.yaml", data_format="yaml")) == repr(pipeline)
    for text, message in (
        ("a: !!python/object:os.system {}", "plain YAML"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: 1\na: 2", "duplicate"),
    ):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(A.ConfigError, match=message):
            A.load(tmp_path / "bad.yaml", data_format="yaml")


def double(image, **params):
    return image * 2


def test_lambda_is_stored_by_name() -> None:
    pipeline = A.Compose([A.Lambda(image=double, name="double")])
    stored = A.to_dict(pipeline)
    again = A.from_dict(stored, nonserializable={"double": pipeline.transforms[0]})
    assert again(image=np.full((2, 2, 3), 3, np.uint8))["image"][0, 0, 0] == 6
    with pytest.raises(ValueError, match="name"):
        A.to_dict(A.Lambda(image=double))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="multiprocessing"):
            A.Lambda(image=lambda image, **params: image)


# -- the house -------------------------------------------------------------------------------------------------------

PACKAGE = Path(A.__file__).parent


@pytest.mark.parametrize("path", sorted((PACKAGE / "transforms").glob("*.py")), ids=lambda path: path.stem)
def test_transform_files_are_declarations(path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            assert set(names) <= {"warnings"}, names
        if isinstance(node, ast.ImportFrom):
            assert node.module in ("__future__", "typing") or node.module.split(".")[0] == "ferraug"
            assert node.module.split(".")[1:2] in ([], ["params"], ["context"], ["transform"], ["transforms"])
        # float powers come from the C library and differ between CPUs
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow))


def test_import_is_light() -> None:
    heavy = {"torch", "yaml", "json", "random", "difflib", "cv2", "PIL", "scipy", "hashlib", "ferraug.interop"}
    code = "import sys, numpy; before = set(sys.modules); import ferraug; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
    assert not {name for name in loaded if name.startswith("numpy.")}


def test_type_checkers_see_the_arguments(tmp_path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text(
        "import ferraug as A\n"
        "A.Resize(3, 4, p=1)\nA.Rotate(10)\nA.Rotate(limit=(1, 2), fill=(1, 2, 3), interpolation='cubic')\n"
        "A.Compose([A.HorizontalFlip(0.5)], bbox_params=A.BboxParams('coco'))\n"
        "A.Rotate(limt=3)  # E\nA.Resize(3)  # E\nA.Rotate(limit='x')  # E\n"
        "x: tuple[float, float] = A.Rotate(10).limit\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", "use.py"],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    lines = {int(line.split(":")[1]) for line in result.stdout.splitlines() if ": error:" in line}
    assert lines == {6, 7, 8}, result.stdout
