"""What a call promises: which transforms fire, which numbers they draw, and what comes back in which container."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import sys
import types
import warnings
from collections import Counter

import ferraug as A
import numpy as np
import pytest
from ferraug.params import REQUIRED
from ferraug.transform import Transform

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
MASK = np.random.default_rng(1).integers(0, 3, (20, 30), np.uint8)
VOC = A.BboxParams("pascal_voc", label_fields=["labels"])


class Tag(Transform):
    """Counts its calls and draws one number."""

    kind = "dual"

    def __init__(self, name: str = "t", p: float = 1.0) -> None:
        self.name, self.p, self.drawn = name, p, []

    def emit(self, ctx) -> None:
        self.drawn.append(ctx.draw.random())


def tags(*names: str, p: float = 1.0) -> list[Tag]:
    return [Tag(name, p) for name in names]


def fired(children: list[Tag]) -> list[int]:
    return [len(child.drawn) for child in children]


def random_pipeline(**options) -> A.Compose:
    return A.Compose([A.RandomCrop(10, 12), A.D4(), A.RandomBrightnessContrast(p=0.5), A.GaussNoise(p=0.5)], **options)


# -- selection -------------------------------------------------------------------------------------------------------


def test_one_of_picks_by_weight_and_forces_the_pick() -> None:
    children = [Tag(p=0.1), Tag(p=0.3), Tag(p=0)]
    pipeline = A.OneOf(children, p=1)
    pipeline.set_random_seed(0)
    for _ in range(2000):
        pipeline(image=IMAGE)
    a, b, never = fired(children)
    assert a + b == 2000
    assert never == 0
    assert abs(a / 2000 - 0.25) < 0.04


def test_one_of_without_children_does_nothing() -> None:
    assert A.OneOf([], p=1)(image=IMAGE)["image"] is IMAGE
    with pytest.raises(ValueError, match="p of every transform is 0"):
        A.OneOf([A.NoOp(p=0)])


def test_some_of_picks_n_in_order_with_their_own_p() -> None:
    children = tags("a", "b", "c", p=0.5)
    pipeline = A.SomeOf(children, n=2)
    pipeline.set_random_seed(0)
    for _ in range(1000):
        pipeline(image=IMAGE)
    counts = fired(children)
    assert all(abs(count / 1000 - 2 / 3 / 2) < 0.06 for count in counts)
    with pytest.warns(UserWarning, match="will be set to 3"):
        assert A.SomeOf(children, n=9).n == 3


def test_some_of_with_replacement_draws_anew_for_each_pick() -> None:
    child = Tag()
    pipeline = A.SomeOf([child], n=4, replace=True)
    pipeline.set_random_seed(0)
    pipeline(image=IMAGE)
    assert len(child.drawn) == 4
    assert len(set(child.drawn)) == 4


def test_random_order_is_not_sorted() -> None:
    seen = Counter()
    pipeline = A.RandomOrder([A.HorizontalFlip(p=1), A.Transpose(p=1)], n=2)
    pipeline.set_random_seed(0)
    for _ in range(50):
        _, record = pipeline.run({"image": IMAGE}, record=True)
        seen[tuple(name for _, name, _, _ in record["nodes"])] += 1
    assert len(seen) == 2


def test_one_or_other_always_applies_one() -> None:
    first, second = tags("a", "b")
    pipeline = A.OneOrOther(first, second, p=0.25)
    pipeline.set_random_seed(0)
    for _ in range(1000):
        pipeline(image=IMAGE)
    a, b = fired([first, second])
    assert a + b == 1000
    assert abs(a / 1000 - 0.25) < 0.05
    with pytest.raises(ValueError, match="both first and second"):
        A.OneOrOther(first)


def test_p_zero_never_fires_even_when_forced() -> None:
    child = Tag(p=0)
    child(image=IMAGE, force_apply=True)
    A.Sequential([child], p=1)(image=IMAGE)
    assert child.drawn == []
    forced = Tag(p=0.0001)
    forced(image=IMAGE, force_apply=True)
    assert len(forced.drawn) == 1


@pytest.mark.parametrize("kind", [A.SomeOf, A.RandomOrder, A.OneOf, A.Sequential, A.Compose])
def test_force_reaches_every_composition(kind) -> None:
    child = Tag()
    kind([child], p=1e-9)(image=IMAGE, force_apply=True)
    assert len(child.drawn) == 1


def test_p_is_read_at_every_call() -> None:
    pipeline = A.Compose(tags("a"))
    pipeline(image=IMAGE)
    pipeline.transforms[0].p = 0
    pipeline(image=IMAGE)
    pipeline.p = 0
    pipeline.transforms[0].p = 1
    pipeline(image=IMAGE)
    assert fired(pipeline.transforms) == [1]


def test_a_changed_list_is_noticed() -> None:
    inner = A.Sequential(tags("a"), p=1)
    pipeline = A.Compose([inner])
    pipeline(image=IMAGE)
    new = Tag()
    inner.transforms.append(new)
    pipeline(image=IMAGE)
    assert len(new.drawn) == 1
    inner.transforms[0] = Tag()
    pipeline(image=IMAGE)
    assert fired(inner.transforms) == [1, 2]


def test_selective_channels_see_only_theirs() -> None:
    result = A.SelectiveChannelTransform([A.InvertImg(p=1)], channels=(2, 0))(image=IMAGE, mask=MASK)
    assert (result["image"][..., 1] == IMAGE[..., 1]).all()
    assert (result["image"][..., 0] == 255 - IMAGE[..., 0]).all()
    assert (result["image"][..., 2] == 255 - IMAGE[..., 2]).all()
    assert (result["mask"] == MASK).all()


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_sequences() -> None:
    a, b, c = random_pipeline(seed=7), random_pipeline(seed=7), random_pipeline(seed=8)
    results = [[p(image=IMAGE)["image"] for _ in range(5)] for p in (a, b, c)]
    assert all((x == y).all() for x, y in zip(results[0], results[1]))
    assert not all((x.shape == y.shape) and (x == y).all() for x, y in zip(results[0], results[2]))
    assert len({x.tobytes() for x in results[0]}) == 5


def test_equal_transforms_draw_different_numbers() -> None:
    children = tags("a", "b")
    A.Compose([*children, A.Sequential([children[0]], p=1)], seed=1)(image=IMAGE)
    assert len({*children[0].drawn, *children[1].drawn}) == 3


def test_a_later_transform_does_not_change_an_earlier_ones_numbers() -> None:
    one, two = Tag(), Tag()
    A.Compose([A.NoOp(), one], seed=4)(image=IMAGE)
    A.Compose([A.NoOp(), two, A.GaussNoise(p=1)], seed=4)(image=IMAGE)
    assert one.drawn == two.drawn


def test_keys_decide_whatever_was_called_before() -> None:
    pipeline = random_pipeline(seed=7)
    first = pipeline.at(2, 5)(image=IMAGE)["image"]
    for _ in range(3):
        pipeline(image=IMAGE)
    assert (pipeline.at(2, 5)(image=IMAGE)["image"] == first).all()
    assert (pipeline.run({"image": IMAGE}, key=(2, 5))["image"] == first).all()
    assert (random_pipeline(seed=7).at(2, 5)(image=IMAGE)["image"] == first).all()
    assert pipeline.at(2, 6)(image=IMAGE)["image"].tobytes() != first.tobytes()
    assert pipeline.run({"image": IMAGE}, key="a.png")["image"].tobytes() != first.tobytes()


def test_the_nth_call_is_the_nth_element() -> None:
    pipeline = random_pipeline(seed=7)
    for n in range(3):
        assert (pipeline(image=IMAGE)["image"] == random_pipeline(seed=7).run({"image": IMAGE}, key=n)["image"]).all()


@pytest.mark.parametrize(
    ("key", "kind"),
    [(-1, ValueError), (2**64, ValueError), ((1, 2, 3, 4), ValueError), ((), ValueError), (1.5, TypeError)],
)
def test_bad_keys_are_refused(key, kind) -> None:
    with pytest.raises(kind, match="key"):
        random_pipeline(seed=7).run({"image": IMAGE}, key=key)


def test_pickled_and_copied_pipelines_go_on_alike() -> None:
    pipeline = random_pipeline(seed=7)
    pipeline(image=IMAGE)
    others = [pickle.loads(pickle.dumps(pipeline)), copy.deepcopy(pipeline)]
    expected = pipeline(image=IMAGE)["image"]
    for other in others:
        assert (other(image=IMAGE)["image"] == expected).all()


def test_set_random_seed_starts_anew() -> None:
    pipeline = random_pipeline()
    pipeline.set_random_seed(7)
    first = pipeline(image=IMAGE)["image"]
    pipeline(image=IMAGE)
    pipeline.set_random_seed(7)
    assert (pipeline(image=IMAGE)["image"] == first).all()
    assert (random_pipeline(seed=7)(image=IMAGE)["image"] == first).all()


def _send(pipe, pipeline) -> None:
    pipe.send([pipeline(image=IMAGE)["image"].tobytes() for _ in range(3)])


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.parametrize("seed", [None, 7])
def test_forked_children_draw_apart(seed) -> None:
    context = multiprocessing.get_context("fork")
    pipeline = random_pipeline(seed=seed)
    pipeline(image=IMAGE)
    seen = []
    for _ in range(3):
        receiver, sender = context.Pipe(False)
        process = context.Process(target=_send, args=(sender, pipeline))
        process.start()
        seen += receiver.recv()
        process.join()
    seen += [pipeline(image=IMAGE)["image"].tobytes() for _ in range(3)]
    assert len(set(seen)) == len(seen)


def test_a_torch_workers_seed_enters_the_key(monkeypatch) -> None:
    info = types.SimpleNamespace(seed=11)
    monkeypatch.setitem(sys.modules, "torch.utils.data", types.SimpleNamespace(get_worker_info=lambda: info))
    one = random_pipeline(seed=7)(image=IMAGE)["image"]
    assert (random_pipeline(seed=7)(image=IMAGE)["image"] == one).all()
    info.seed = 12
    assert random_pipeline(seed=7)(image=IMAGE)["image"].tobytes() != one.tobytes()


# -- boxes, keypoints, labels ----------------------------------------------------------------------------------------

BOXES = [[1, 1, 5, 5], [10, 2, 20, 9], [25, 15, 29, 19]]


@pytest.mark.parametrize(
    "labels",
    [
        [16777217, 2, 3],
        ["cat", "dog", "cat"],
        (1, "x", None),
        [True, False, True],
        np.array([1, 2, 3], np.int64),
        np.array(["a", "b", "c"]),
        np.array([[1, 2], [3, 4], [5, 6]], np.int16),
    ],
    ids=repr,
)
def test_labels_come_back_as_they_went_in(labels) -> None:
    pipeline = A.Compose([A.Crop(8, 0, 30, 20)], bbox_params=VOC)
    result = pipeline(image=IMAGE, bboxes=BOXES, labels=labels)
    got = result["labels"]
    assert type(got) is type(labels)
    assert result["bboxes"] == [[2.0, 2.0, 12.0, 9.0], [17.0, 15.0, 21.0, 19.0]]
    if isinstance(labels, np.ndarray):
        assert got.dtype == labels.dtype
        assert (got == labels[1:]).all()
    else:
        assert list(got) == list(labels)[1:]
        assert [type(v) for v in got] == [type(v) for v in list(labels)[1:]]


def test_nothing_left_keeps_the_containers() -> None:
    pipeline = A.Compose([A.Crop(6, 10, 9, 12)], bbox_params=VOC)
    for boxes, labels in ((BOXES, [1, 2, 3]), (np.array(BOXES, float), np.array([1, 2, 3], np.int32))):
        result = pipeline(image=IMAGE, bboxes=boxes, labels=labels)
        assert type(result["bboxes"]) is type(boxes)
        assert type(result["labels"]) is type(labels)
        assert len(result["bboxes"]) == len(result["labels"]) == 0
    assert result["bboxes"].shape == (0, 4)
    assert result["labels"].dtype == np.int32


def test_no_boxes_at_all() -> None:
    pipeline = A.Compose([A.HorizontalFlip(p=1)], bbox_params=VOC)
    for boxes in ([], np.zeros((0, 4)), np.zeros(0)):
        result = pipeline(image=IMAGE, bboxes=boxes, labels=[])
        assert len(result["bboxes"]) == 0
        assert type(result["bboxes"]) is type(boxes)
        assert result["labels"] == []


def test_labels_of_keypoints_and_boxes_keep_apart() -> None:
    pipeline = A.Compose(
        [A.Crop(8, 0, 30, 20)], bbox_params=VOC, keypoint_params=A.KeypointParams("xy", label_fields=["names"])
    )
    result = pipeline(
        image=IMAGE, bboxes=BOXES, labels=[1, 2, 3], keypoints=[[9, 1], [2, 2], [29, 19]], names=list("abc")
    )
    assert result["labels"] == [2, 3]
    assert result["names"] == ["a", "c"]
    assert np.allclose(result["keypoints"], [[1, 1], [21, 19]])


def test_labels_belong_to_the_first_target_only() -> None:
    pipeline = A.Compose([A.Crop(8, 0, 30, 20)], bbox_params=VOC, additional_targets={"more": "bboxes"})
    result = pipeline(image=IMAGE, bboxes=BOXES, labels=[1, 2, 3], more=[[9, 1, 12, 4]])
    assert result["labels"] == [2, 3]
    assert result["more"] == [[1.0, 1.0, 4.0, 4.0]]


def test_missing_or_uneven_labels_are_refused() -> None:
    pipeline = A.Compose([A.HorizontalFlip()], bbox_params=VOC)
    with pytest.raises(ValueError, match="label_fields"):
        pipeline(image=IMAGE, bboxes=BOXES)
    with pytest.raises(ValueError, match="labels: 2 items for 3 boxes"):
        pipeline(image=IMAGE, bboxes=BOXES, labels=[1, 2])
    with pytest.raises(TypeError, match="labels"):
        pipeline(image=IMAGE, bboxes=BOXES, labels="abc")


def filters(pipeline: A.Compose, **data) -> list[str]:
    _, record = pipeline.run({"image": IMAGE, "bboxes": BOXES, "labels": [1, 2, 3], **data}, record=True, key=0)
    return [op[0] for op in record["ops"]]


def test_filters_stand_between_moves_and_at_the_end() -> None:
    flip, invert, noop = A.HorizontalFlip(p=1), A.InvertImg(p=1), A.NoOp(p=1)
    assert filters(A.Compose([flip, flip], bbox_params=VOC)) == ["orient", "filter", "orient", "filter"]
    assert filters(A.Compose([flip, invert, invert, flip], bbox_params=VOC)) == [
        "orient", "linear", "linear", "filter", "orient", "filter",
    ]  # fmt: skip
    # a child that does not fire filters too, or a coin would decide whether a small box survives
    assert filters(A.Compose([A.NoOp(p=0), flip], bbox_params=VOC)) == ["filter", "orient", "filter"]
    assert filters(A.Compose([noop], bbox_params=VOC)) == ["filter"]
    never = A.BboxParams("pascal_voc", label_fields=["labels"], check_each_transform=False)
    assert filters(A.Compose([flip, flip], bbox_params=never)) == ["orient", "orient", "filter"]
    # OneOf leaves it to its parent; what moves inside an aside moves no box
    assert filters(A.Compose([A.OneOf([flip], p=1), flip], bbox_params=VOC)) == ["orient", "filter", "orient", "filter"]
    aside = ["aside", "resize", "resize", "join"]
    assert filters(A.Compose([A.Downscale(p=1), noop], bbox_params=VOC)) == [*aside, "filter"]


def test_boxes_and_keypoints_are_filtered_by_their_own_parameters() -> None:
    late = A.KeypointParams("xy", check_each_transform=False)
    pipeline = A.Compose([A.Crop(8, 0, 30, 20), A.Pad((8, 0, 0, 0))], bbox_params=VOC, keypoint_params=late)
    points = [[2, 2], [9, 9]]
    assert filters(pipeline, keypoints=points) == ["crop", "filter", "pad", "filter"]
    result = pipeline(image=IMAGE, bboxes=BOXES, labels=[1, 2, 3], keypoints=points)
    assert result["labels"] == [2, 3]  # gone between crop and pad
    assert np.allclose(result["keypoints"], points)  # looked at only at the end


def test_masks_stay_out_of_what_moves_the_image_aside() -> None:
    result = A.Compose([A.Downscale(p=1), A.HorizontalFlip(p=1)])(image=IMAGE, mask=MASK)
    assert (result["mask"] == MASK[:, ::-1]).all()
    assert (result["image"] != IMAGE[:, ::-1]).any()


def test_a_call_without_boxes_filters_nothing() -> None:
    pipeline = A.Compose([A.HorizontalFlip(p=1)], bbox_params=A.BboxParams("coco"))
    _, record = pipeline.run({"image": IMAGE}, record=True)
    assert [op[0] for op in record["ops"]] == ["orient"]


def test_a_pipeline_that_does_not_fire_still_checks_and_converts() -> None:
    pipeline = A.Compose([A.HorizontalFlip(p=1)], bbox_params=VOC, p=0)
    result = pipeline(image=IMAGE, bboxes=[(1, 1, 5, 5)], labels=[1])
    assert result["image"] is IMAGE
    assert result["bboxes"] == [[1.0, 1.0, 5.0, 5.0]]
    with pytest.raises(ValueError, match="labels"):
        pipeline(image=IMAGE, bboxes=BOXES, labels=[1])


# -- data ------------------------------------------------------------------------------------------------------------


def test_the_result_is_a_new_dict_in_the_order_of_the_call() -> None:
    result = A.Compose([A.HorizontalFlip(p=1)])(name="x", mask=MASK, image=IMAGE, other={"a": 1})
    assert list(result) == ["name", "mask", "image", "other"]
    assert (result["image"] == IMAGE[:, ::-1]).all()
    assert (result["mask"] == MASK[:, ::-1]).all()


def test_positional_data_is_refused() -> None:
    for node in (A.NoOp(), A.Compose([])):
        with pytest.raises(KeyError, match="named arguments"):
            node(IMAGE)
        with pytest.raises(TypeError, match="force_apply"):
            node(image=IMAGE, force_apply="yes")


def test_a_near_miss_is_named() -> None:
    with pytest.raises(TypeError, match="did you mean 'image'"):
        A.Compose([A.HorizontalFlip(p=1)])(iamge=IMAGE)
    with pytest.raises(TypeError, match="no image or mask"):
        A.Compose([])()
    with pytest.raises(TypeError, match="NoneType"):
        A.Compose([A.NoOp(p=1)])(image=None)


def test_targets_come_alone() -> None:
    flip = A.Compose([A.HorizontalFlip(p=1)], additional_targets={"image2": "image"})
    assert (flip(mask=MASK)["mask"] == MASK[:, ::-1]).all()
    assert (flip(image2=IMAGE)["image2"] == IMAGE[:, ::-1]).all()
    assert (flip(images=[IMAGE, IMAGE])["images"][1] == IMAGE[:, ::-1]).all()
    assert flip(image=IMAGE, masks=[])["masks"] == []


def test_strict_refuses_what_it_does_not_know() -> None:
    strict = A.Compose([A.NoOp()], strict=True)
    with pytest.raises(ValueError, match=r"Key imagf is not in available keys\. Did you mean 'image'"):
        strict(image=IMAGE, imagf=IMAGE)
    with pytest.raises(ValueError, match="bbox_params must be specified"):
        strict(image=IMAGE, bboxes=BOXES)
    with pytest.raises(ValueError, match="not in available keys"):
        strict.run({"image": IMAGE, "x": 1})


def test_shapes_are_checked_unless_asked_not_to() -> None:
    with pytest.raises(ValueError, match="mask"):
        A.Compose([A.NoOp()])(image=IMAGE, mask=MASK[:5])
    assert A.Compose([A.NoOp()], is_check_shapes=False)(image=IMAGE, mask=MASK[:5])["mask"].shape == (5, 30)


def test_lists_that_cannot_be_are_refused() -> None:
    with pytest.raises(TypeError, match=r"transforms\[1\]"):
        A.Compose([A.NoOp(), 5])
    with pytest.raises(TypeError, match="not the class"):
        A.Compose([A.NoOp])
    with pytest.raises(TypeError, match="must be a list"):
        A.Compose(5)
    inner: list = []
    node = A.Sequential(inner)
    inner.append(node)
    with pytest.raises(ValueError, match="contains itself"):
        A.Compose(inner)
    with pytest.raises(ValueError, match="depth > 64"):
        deep = A.NoOp()
        for _ in range(1000):
            deep = A.Sequential([deep])
    with pytest.warns(UserWarning, match="single transform"):
        assert len(A.Compose(A.NoOp())) == 1
    pipeline = A.Compose([A.NoOp()])
    pipeline.transforms.append("x")
    with pytest.raises(TypeError, match=r"transforms\[1\]"):
        pipeline(image=IMAGE)


def test_params_without_a_use_warn() -> None:
    with pytest.warns(UserWarning, match="Got processor for bboxes"):
        A.Compose([A.ToTensorV2()], bbox_params=VOC)


def test_mask_interpolation_is_written_over_all() -> None:
    inner = A.Resize(4, 4)
    A.Compose([A.OneOf([inner])], mask_interpolation=2)
    assert inner.mask_interpolation == 2


def test_lists_are_lists() -> None:
    pipeline = A.Compose([A.NoOp(), A.HorizontalFlip(), A.D4()])
    assert len(pipeline) == 3
    assert pipeline[1] is pipeline.transforms[1]
    assert pipeline[1:] == pipeline.transforms[1:]
    assert list(pipeline) == pipeline.transforms
    with pytest.raises(TypeError):
        pipeline + A.NoOp()


def test_errors_name_the_transform() -> None:
    pipeline = A.Compose([A.NoOp(), A.Sequential([A.RandomCrop(50, 50)], p=1)])
    with pytest.raises(A.CropSizeError, match="RandomCrop: crop") as caught:
        pipeline(image=IMAGE)
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == ["in transform 1.0 (RandomCrop)"]
    with pytest.raises(TypeError) as caught:
        A.Compose([A.HorizontalFlip(p=1), A.RandomGamma(p=1)])(image=IMAGE.astype(np.int32))
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == ["in transform 1 (RandomGamma)"]


# -- records ---------------------------------------------------------------------------------------------------------


def test_records_repeat_a_call_bit_for_bit() -> None:
    pipeline = A.Compose(
        [A.OneOf([A.Rotate(p=1), A.Perspective(p=1)], p=1), A.BBoxSafeRandomCrop(), A.CoarseDropout(p=1, fill="random"),
         A.GaussNoise(p=1), A.Normalize()],
        bbox_params=VOC,
        seed=3,
    )  # fmt: skip
    data = {"image": IMAGE, "mask": MASK, "bboxes": BOXES, "labels": ["a", "b", "c"]}
    for key in range(5):
        result, record = pipeline.run(data, key=key, record=True)
        again = A.replay(json.loads(json.dumps(record)), **data)
        assert list(again) == list(result)
        for name, value in result.items():
            assert np.array_equal(again[name], value), name


def test_replay_compose_returns_the_record() -> None:
    pipeline = A.ReplayCompose([A.RandomCrop(9, 9), A.OneOf([A.D4(), A.InvertImg()])], save_key="again")
    result = pipeline(image=IMAGE)
    assert (A.ReplayCompose.replay(result["again"], image=IMAGE)["image"] == result["image"]).all()
    assert repr(A.from_dict(A.to_dict(pipeline))) == repr(pipeline)


TARGETS = {
    "image": IMAGE,
    "gray": IMAGE[..., 0],
    "images": [IMAGE, IMAGE],
    "mask": MASK,
    "masks": np.stack([MASK, MASK]),
    "volume": np.stack([IMAGE] * 3),
    "mask3d": np.stack([MASK] * 3),
    "volumes": np.stack([np.stack([IMAGE] * 3)] * 2),
    "masks3d": np.stack([np.stack([MASK] * 3)] * 2),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", sorted(set(A.transforms.__all__) - {"ToTensorV2", "BBoxSafeRandomCrop"}))
def test_every_target_comes_alone_through_every_transform(name, target) -> None:
    arguments = {
        "RandomResizedCrop": ((8, 9),),
        "LongestMaxSize": (10,),
        "SmallestMaxSize": (10,),
        "Crop": (1, 2, 9, 8),
    }
    required = [f for f in getattr(A, name).fields.values() if f.default is REQUIRED]
    transform = getattr(A, name)(*arguments.get(name, [8] * len(required)), p=1)
    if name == "CropNonEmptyMaskIfExists" and target not in ("mask", "masks"):
        pytest.skip("needs a mask")
    key, value = target if target != "gray" else "image", TARGETS[target]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = A.Compose([transform], seed=1)(**{key: value})[key]
    assert len(got) == len(value) or key in ("image", "mask")
    if "mask" in key and getattr(A, name).kind == "image":
        assert np.array_equal(got, value)


def test_a_record_of_another_size_is_refused() -> None:
    _, record = A.Compose([A.RandomCrop(5, 5)]).run({"image": IMAGE}, record=True)
    with pytest.raises(ValueError, match="h=20, got h=10"):
        A.replay(record, image=IMAGE[:10])
    _, record = A.Compose([A.InvertImg(p=1)]).run({"image": IMAGE}, record=True)
    assert (A.replay(record, image=IMAGE[:10])["image"] == 255 - IMAGE[:10]).all()
    with pytest.raises(A.ConfigError, match="not a record"):
        A.replay({"ops": []}, image=IMAGE)


def test_user_code_is_replayed_by_its_pipeline() -> None:
    class Noise(A.ImageOnlyTransform):
        def apply(self, img, **params):
            return self.random_generator.integers(0, 255, img.shape, np.uint8)

    pipeline = A.Compose([A.HorizontalFlip(), Noise(p=1)], seed=3)
    result, record = pipeline.run({"image": IMAGE}, record=True)
    record = json.loads(json.dumps(record))
    with pytest.raises(A.ConfigError, match="pass transforms=pipeline"):
        A.replay(record, image=IMAGE)
    assert (A.replay(record, transforms=pipeline, image=IMAGE)["image"] == result["image"]).all()


def test_applied_transforms_are_listed() -> None:
    pipeline = A.Compose(
        [A.HorizontalFlip(p=1), A.VerticalFlip(p=0), A.OneOrOther(A.NoOp(), A.Transpose(), p=0)],
        save_applied_params=True,
    )
    names = [name for name, _ in pipeline(image=IMAGE)["applied_transforms"]]
    assert names == ["HorizontalFlip", "Transpose"]


def test_explain_fires_everything_without_pixels() -> None:
    text = A.Compose([A.RandomCrop(8, 8, p=0.01), A.HorizontalFlip(p=0.01), A.Normalize()]).explain((100, 100, 3))
    assert "0 RandomCrop: ('crop'" in text
    assert "1 HorizontalFlip" in text
    assert "2 Normalize" in text


def test_out_receives_the_image() -> None:
    out = np.empty((20, 30, 3), np.uint8)
    result = A.Compose([A.HorizontalFlip(p=1)]).run({"image": IMAGE}, out=out)
    assert result["image"] is out
    assert (out == IMAGE[:, ::-1]).all()


# -- tensors ---------------------------------------------------------------------------------------------------------


def test_tensors_wrap_contiguous_arrays(monkeypatch) -> None:
    class Tensor:
        def __init__(self, array):
            self.array = array

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(from_numpy=Tensor))
    pipeline = A.Compose([A.HorizontalFlip(p=1), A.ToTensorV2()])
    deep_mask = np.stack([MASK, MASK], 2)
    result = pipeline(image=IMAGE, mask=MASK, masks=[deep_mask])
    image = result["image"].array
    assert image.flags.c_contiguous
    assert (image == IMAGE[:, ::-1].transpose(2, 0, 1)).all()
    assert (result["mask"].array == MASK[:, ::-1]).all()
    assert result["masks"][0].array.shape == (20, 30, 2)
    turned = A.Compose([A.ToTensorV2(transpose_mask=True)])(image=IMAGE, mask=deep_mask)
    assert turned["mask"].array.shape == (2, 20, 30)


def test_without_torch_the_error_says_so(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="PyTorch"):
        A.ToTensorV2()(image=IMAGE)


# -- user code -------------------------------------------------------------------------------------------------------


class Shrink(A.DualTransform):
    """Halves the height; moves boxes with it."""

    def get_params(self):
        return {"u": self.py_random.random()}

    def apply(self, img, **params):
        self.seen = params
        return img[: img.shape[0] // 2]

    def apply_to_bboxes(self, bboxes, **params):
        self.rows = bboxes.copy()
        bboxes[:, [1, 3]] *= 2
        return bboxes

    def apply_to_keypoints(self, keypoints, **params):
        return keypoints


def test_user_transforms_stand_anywhere() -> None:
    mine = Shrink(p=1)
    pipeline = A.Compose([A.HorizontalFlip(p=1), mine, A.VerticalFlip(p=1)], bbox_params=VOC, seed=1)
    result = pipeline(image=IMAGE, mask=MASK, bboxes=BOXES[:2], labels=["b", "a"])
    assert (result["image"] == IMAGE[:10, ::-1][::-1]).all()
    assert (result["mask"] == MASK[:10, ::-1][::-1]).all()
    assert np.allclose(result["bboxes"], [[25, 5, 29, 9], [10, 1, 20, 8]])
    assert result["labels"] == ["b", "a"]
    assert mine.seen["shape"] == (20, 30, 3)
    # coordinates, codes of the labels, number of the row
    assert np.allclose(mine.rows[:, 4:], [[1, 0], [0, 1]])


def test_user_draws_belong_to_the_call() -> None:
    mine = Shrink(p=1)
    seen = []
    for _ in range(2):
        pipeline = A.Compose([mine], seed=5)
        pipeline(image=IMAGE)
        seen.append(mine.seen["u"])
        pipeline(image=IMAGE)
        seen.append(mine.seen["u"])
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]


class Relabel(A.DualTransform):
    """Gives every box the first label, and adds one box."""

    def apply(self, img, **params):
        return img

    def apply_to_bboxes(self, bboxes, **params):
        bboxes[:, 4] = bboxes[0, 4]
        new = bboxes[:1].copy()
        new[:, -1] = -1
        return np.concatenate([bboxes, new])


def test_user_code_may_change_labels_and_add_rows() -> None:
    pipeline = A.Compose([Relabel(p=1), A.HorizontalFlip(p=1)], bbox_params=VOC)
    result = pipeline(image=IMAGE, bboxes=BOXES, labels=["x", "y", "z"])
    assert result["labels"] == ["x"] * 4
    assert len(result["bboxes"]) == 4
    result = pipeline(image=IMAGE, bboxes=BOXES, labels=np.array([7, 8, 9], np.int16))
    assert result["labels"].tolist() == [7] * 4
    assert result["labels"].dtype == np.int16


def boom(image, **params):
    raise KeyError("mine")


def test_errors_of_user_code_pass_with_a_note() -> None:
    with pytest.raises(KeyError, match="mine") as caught:
        A.Compose([A.NoOp(), A.Lambda(image=boom)])(image=IMAGE)
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == ["in transform 1 (Lambda)"]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, TypeError, "Lambda: the function for 'image' must return a numpy.ndarray, got NoneType"),
        (np.array(["a"]).reshape(1, 1), TypeError, "dtype"),
        (np.zeros(3), ValueError, "dimensions"),
    ],
)
def test_what_user_code_returns_is_checked(value, kind, text) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transform = A.Lambda(image=lambda image, **params: value)
    with pytest.raises(kind, match=text):
        A.Compose([transform])(image=IMAGE)


def test_input_is_never_written() -> None:
    def zero(image, **params):
        image[:] = 0
        return image

    image = IMAGE.copy()
    result = A.Compose([A.Lambda(image=zero)])(image=image)
    assert (result["image"] == 0).all()
    assert (image == IMAGE).all()


class NeedsMore(A.ImageOnlyTransform):
    """Needs a key and looks at the data."""

    @property
    def targets_as_params(self):
        return ["extra"]

    def get_params_dependent_on_data(self, params, data):
        return {"by": int(data["image"][0, 0, 0]) + data["extra"]}

    def apply(self, img, by=0, **params):
        return np.full_like(img, by)


def test_data_dependent_parameters() -> None:
    pipeline = A.Compose([A.HorizontalFlip(p=1), NeedsMore(p=1)], strict=True)
    result = pipeline(image=IMAGE, extra=0)
    assert (result["image"] == IMAGE[0, -1, 0]).all()
    with pytest.raises(ValueError, match="requires"):
        pipeline(image=IMAGE)


def test_own_targets_get_their_functions() -> None:
    class Text(A.BasicTransform):
        @property
        def targets(self):
            return {"text": lambda text, **params: text.upper()}

    assert A.Compose([Text(p=1)], strict=True)(image=IMAGE, text="a")["text"] == "A"


# -- threads -----------------------------------------------------------------------------------------------------------


def test_threads_share_one_sequence() -> None:
    from concurrent.futures import ThreadPoolExecutor

    class Own(A.ImageOnlyTransform):
        def apply(self, img, **params):
            return img + np.uint8(self.py_random.randrange(256))

    def made() -> A.Compose:
        return A.Compose([A.RandomCrop(10, 12), A.RandomBrightnessContrast(p=1), Own(p=1)], seed=3)

    one, many = made(), made()
    expected = Counter(one(image=IMAGE)["image"].tobytes() for _ in range(200))
    with ThreadPoolExecutor(4) as pool:
        got = Counter(result["image"].tobytes() for result in pool.map(lambda _: many(image=IMAGE), range(200)))
    assert got == expected


def test_fills_fit_the_channels() -> None:
    with pytest.raises(ValueError, match="2 values for 3 channels"):
        A.Pad(2, fill=(1, 2))(image=IMAGE)
    padded = A.Pad(2, fill=(1, 2, 3))(image=IMAGE[..., 0])["image"]
    assert padded[0, 0] == 1
