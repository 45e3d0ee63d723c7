"""The instance lane against what can be said in advance."""

from array import array

import ferraug as A
import numpy as np
import pytest
from ferraug.datasets import rle
from ferraug.datasets.geometry import Limits, Tracer
from ferraug.datasets.model import Category, Instance, Mapped, Rle, Sample

NAMES = ["nose", "left_eye", "right_eye"]
ALL = Limits(visibility=0.0, side=0.0)


def sample(*instances: Instance, size: tuple[int, int] = (100, 60)) -> Sample:
    return Sample("a.png", "a.png", "train", size, instances=list(instances))


def thing(box: tuple[float, float, float, float] = (20, 10, 50, 40), **more: object) -> Instance:
    return Instance(category=0, box=box, where="t", **more)  # type: ignore[arg-type]


def through(
    s: Sample, *transforms: A.BasicTransform, limits: Limits = ALL, masks: bool = False
) -> tuple[list[Mapped], list[object]]:
    image = np.zeros((s.size[1], s.size[0], 3), np.uint8)
    data: dict[str, object] = {"image": image}
    before = [rle.decode(i.rle.counts, i.rle.h, i.rle.w) for i in s.instances if i.rle]
    if masks:
        data["masks"] = before
    result, record = A.Compose(list(transforms), seed=1).run(data, key=(1, 2, 3), record=True)
    size = (result["image"].shape[1], result["image"].shape[0])
    pairs = {id(i): (b, a) for i, b, a in zip([i for i in s.instances if i.rle], before, result.get("masks", ()))}
    tracer = Tracer(s, [Category(1, "x", keypoints=NAMES, flip_pairs=[(1, 2)])])
    return tracer.map(record["ops"], size, pairs, limits)


def test_box_rules() -> None:
    [m], _ = through(sample(thing()), A.HorizontalFlip(p=1))
    assert m.box == (50, 10, 80, 40) and m.share == 1 and m.changed
    [m], _ = through(sample(thing()), A.VerticalFlip(p=1), A.Transpose(p=1))
    assert m.box == (20, 20, 50, 50)
    [m], _ = through(sample(thing()), A.Crop(x_min=35, y_min=10, x_max=100, y_max=25))
    assert m.box == (0, 0, 15, 15) and m.share == pytest.approx(0.25)
    [m], _ = through(sample(thing()), A.InvertImg(p=1))
    assert m.box == (20, 10, 50, 40) and not m.changed


@pytest.mark.parametrize(
    "transforms", [[A.HorizontalFlip(p=1)] * 2, [A.Transpose(p=1)] * 2, [A.VerticalFlip(p=1)] * 2],
)  # fmt: skip
def test_there_and_back(transforms: list[A.BasicTransform]) -> None:
    part = array("d", [20.25, 10.5, 50, 11, 49.125, 40, 30, 39.75])
    s = sample(thing((20.25, 10.5, 50, 40), parts=[part], keypoints=[(30.5, 20.5, 2), (0, 0, 0), (40.5, 30.5, 1)]))
    [m], _ = through(s, *transforms)
    assert m.parts and np.allclose(
        np.sort(np.reshape(m.parts[0], (-1, 2)), axis=0), np.sort(np.reshape(part, (-1, 2)), axis=0), atol=1e-9
    )
    assert m.keypoints is not None
    assert [p[2] for p in m.keypoints] == [2, 0, 1] and m.keypoints[0][:2] == pytest.approx((30.5, 20.5), abs=1e-9)


def test_what_was_cropped_away_does_not_return() -> None:
    s = sample(
        thing(), thing((60, 10, 90, 40)), thing((40, 0, 60, 60), keypoints=[(41, 30, 2), (59, 30, 2), (45, 5, 1)])
    )
    kept, dropped = through(
        s, A.Crop(x_min=0, y_min=0, x_max=50, y_max=60), A.PadIfNeeded(60, 100, border_mode=0, position="top_left"),
        limits=Limits(0.1, 2),
    )  # fmt: skip
    assert [m.box for m in kept] == [(20, 10, 50, 40), (40, 0, 50, 60)]
    assert kept[1].share == pytest.approx(0.5)
    assert kept[1].keypoints == [(41, 30, 2), (0, 0, 0), (45, 5, 1)]
    assert len(dropped) == 1


def test_visibility_is_of_the_outline() -> None:
    """An L whose box is half cut may lose nothing of the L."""
    part = array("d", [20, 10, 30, 10, 30, 40, 20, 40])
    s = sample(thing((20, 10, 30, 40), parts=[part, array("d", [60, 10, 62, 10, 62, 12, 60, 12])]))
    [m], _ = through(s, A.Crop(x_min=0, y_min=0, x_max=50, y_max=60))
    assert m.share == pytest.approx(300 / 304) and m.parts and len(m.parts) == 1


def test_amodal_boxes_go_their_own_way() -> None:
    part = array("d", [20, 10, 30, 10, 30, 40, 20, 40])
    [m], _ = through(sample(thing((10, 5, 60, 55), parts=[part])), A.HorizontalFlip(p=1))
    assert m.box == (40, 5, 90, 55) and m.parts


def test_rotation_makes_tight_boxes() -> None:
    """The hull of the mapped corners, once, not the hull of hulls."""
    s = sample(thing((40, 20, 60, 40)))
    [m], _ = through(s, A.Affine(rotate=(45, 45), p=1), A.Affine(rotate=(-45, -45), p=1))
    assert m.box == pytest.approx((40, 20, 60, 40), abs=1e-6)


def test_keypoints_swap_only_in_a_mirror() -> None:
    points = [(30.5, 20.5, 2), (25.5, 15.5, 2), (35.5, 15.5, 1)]
    for transforms, swapped in (
        ([A.HorizontalFlip(p=1)], True),
        ([A.VerticalFlip(p=1)], True),
        ([A.HorizontalFlip(p=1), A.VerticalFlip(p=1)], False),
        ([A.Affine(rotate=(30, 30), p=1)], False),
    ):
        [m], _ = through(sample(thing(keypoints=points)), *transforms)
        assert m.keypoints is not None
        assert [p[2] for p in m.keypoints] == ([2, 1, 2] if swapped else [2, 2, 1])


def test_masks_as_run_lengths() -> None:
    mask = np.zeros((60, 100), np.uint8)
    mask[10:40, 20:50] = 1
    s = sample(thing(rle=Rle(rle.encode(mask), 60, 100, True)))
    [m], _ = through(s, A.Crop(x_min=35, y_min=0, x_max=100, y_max=60), masks=True)
    assert m.box == (0, 10, 15, 40) and m.share == pytest.approx(0.5, abs=0.03) and m.mask.sum() == 450
    kept, [gone] = through(s, A.Crop(x_min=60, y_min=0, x_max=100, y_max=60), masks=True)
    assert not kept and gone.reason == "visibility"  # type: ignore[attr-defined]


def test_reflections_are_objects_of_their_own() -> None:
    s = sample(thing((2, 10, 22, 40), keypoints=[(5.5, 20.5, 2), (6.5, 21.5, 2), (7.5, 22.5, 2)]))
    kept, _ = through(s, A.PadIfNeeded(60, 160, border_mode=4, position="top_right"))
    whole = [m for m in kept if not m.ghost]
    assert len(whole) == 1 and whole[0].box == (62, 10, 82, 40)
    ghosts = [m for m in kept if m.ghost]
    assert [m.box for m in ghosts] == [(38, 10, 58, 40)]
    assert all(p[2] == 0 for m in ghosts for p in m.keypoints or ())
