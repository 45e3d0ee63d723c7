"""What the planner says it does: rewrites fire where they may, and nowhere else."""

from __future__ import annotations

import re
from typing import Any

import ferraug as F
import pytest
from ferraug import _core

AFFINE = ("warp", ("affine", 0.9, 0.1, 3.0, -0.1, 0.9, 2.0, 1.0, "largest_box"), 64, 64, 1, 0, 0, 0.0, 0.0, False)
GAUSS = ("gauss", 5, 1.0)
GAMMA = ("gamma", 1.2)
LINEAR = ("linear", 1.1, 5.0, "trunc", True)
RESIZE = ("resize", 32, 32, 1, 0)
CROP = ("crop", 4, 4, 40, 40)
FLIP = ("orient", "H-W", 64, 64)
TRANSPOSE = ("orient", "WH", 64, 64)
NORMALIZE = ("normalize", 120.0, 0.01)
EQUALIZE = ("equalize", "cv", None)
NOISE = ("field", ("noise", 5, "normal", 0.0, 0.1, "pixel", 64, 64), "add", 1.0, 0.0)


def stages(*ops: Any, c: int = 3, dtype: str = "uint8", target: str = "image") -> list[str]:
    """The line of every stage."""
    text = _core.explain(list(ops), 64, 64, 1, c, dtype, target)
    return re.findall(r"^stage \d+: (.*) → ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("ops", "count"),
    [
        ((FLIP, TRANSPOSE, CROP), 1),  # views fold into one window
        ((FLIP, FLIP), 0),  # and vanish
        ((("crop", 0, 0, 64, 64),), 0),
        ((("pad", 4, 4, 72, 72, 0, 0.0, 0.0, False), ("crop", 4, 4, 64, 64)), 0),  # padding that is cut off again
        ((CROP, LINEAR, GAMMA, NORMALIZE, ("layout", "chw", False)), 1),  # row steps and the layout ride along
        ((AFFINE, CROP), 1),  # only the window that is kept is made
        ((RESIZE, ("crop", 2, 2, 20, 20), GAMMA), 1),
        ((GAUSS, CROP), 1),
        ((NOISE, CROP), 1),  # a crop moves past noise
        ((("paint", ("rects", 1, 1, 9, 9), 0.0, "set", None, None), FLIP), 1),  # a flip is left to the sink
        ((AFFINE, FLIP), 1),
        ((GAUSS, FLIP, ("crop", 2, 3, 40, 50), GAMMA, NORMALIZE, ("layout", "chw", False)), 1),
        ((AFFINE, FLIP, NOISE), 2),  # what counts positions sees the flipped frame
        ((AFFINE, FLIP, GAUSS), 2),
        ((AFFINE, FLIP, EQUALIZE), 2),
        ((AFFINE, TRANSPOSE), 2),  # a sink writes rows: a transpose past a resampling is stored
        ((AFFINE, FLIP, TRANSPOSE), 2),
        ((AFFINE, RESIZE), 2),  # two resamplings are never merged
        ((AFFINE, AFFINE), 2),
        ((RESIZE, GAUSS), 2),
        ((EQUALIZE, CROP), 1),
        ((GAUSS, EQUALIZE), 2),  # statistics need the stage before them stored
        ((EQUALIZE, ("linear_mean", 1.2, -0.2, "gray", False, "slice")), 2),  # and chains of them split
        ((("pad", 4, 4, 72, 72, 4, 0.0, 0.0, False), GAUSS), 2),  # a stencil must not read a border of another kind
        ((("pad", 4, 4, 72, 72, 4, 0.0, 0.0, False), ("pad", 4, 4, 80, 80, 1, 0.0, 0.0, False)), 2),  # one border a window
    ],
)  # fmt: skip
def test_number_of_stages(ops: tuple[Any, ...], count: int) -> None:
    assert len(stages(*ops)) == count, _core.explain(list(ops), 64, 64, 1, 3, "uint8", "image")


def test_tables_become_one() -> None:
    (stage,) = stages(LINEAR, GAMMA, LINEAR)
    assert stage.count("table") == 1
    (stage,) = stages(LINEAR, GAMMA, LINEAR, dtype="float32")
    assert "table" not in stage and stage.count("·") == 3


def test_flips_at_the_end_of_a_stage_are_named_and_taken_back() -> None:
    assert "pixels stored in reverse" in stages(AFFINE, FLIP)[0]
    assert "rows and pixels stored in reverse" in stages(AFFINE, FLIP, GAMMA, ("orient", "-HW", 64, 64))[0]
    assert "reverse" not in stages(AFFINE, FLIP, GAMMA, FLIP)[0]


def test_a_crop_before_is_a_window_of_the_source() -> None:
    assert stages(CROP, AFFINE)[0].startswith("warp linear") and "window" in stages(CROP, AFFINE)[0]


def test_brackets_of_row_steps_stay_in_the_chain() -> None:
    inside = [("aside", None), ("gray", "weighted_average", 3), ("join", "lerp", 1.2, -0.2)]
    (stage,) = stages(LINEAR, *inside, GAMMA)
    assert "[" in stage
    assert len(stages(("aside", None), GAUSS, ("join", "lerp", 1.5, -0.5))) == 1
    assert len(stages(LINEAR, ("aside", None), GAUSS, ("join", "lerp", 1.5, -0.5))) == 2  # the kept image is stored


def test_masks_are_not_computed_on() -> None:
    for op in (LINEAR, GAMMA, GAUSS, EQUALIZE, NOISE, NORMALIZE):
        assert stages(op, c=1, target="mask") == [], op
    assert stages(CROP, LINEAR, FLIP, c=1, target="mask") == ["window"]


def test_masks_pass_by_what_happens_aside() -> None:
    ops = (("aside", None), ("resize", 16, 16, 0, 0), ("resize", 64, 64, 0, 0), ("join", "take"))
    assert len(stages(*ops)) == 2
    assert stages(*ops, c=1, target="mask") == []


def test_the_example_of_the_readme() -> None:
    pipe = F.Compose(
        [F.RandomCrop(32, 32), F.HorizontalFlip(), F.RandomBrightnessContrast(), F.Normalize(), F.ToTensorV2()]
    )
    text = pipe.explain((64, 64, 3))
    assert text.count("\nstage ") == 1, text
    for name in ("RandomCrop", "HorizontalFlip", "RandomBrightnessContrast", "Normalize", "ToTensorV2"):
        assert name in text
    assert "channels first" in text


def test_explain_makes_no_pixels() -> None:
    text = F.Compose([F.Rotate(p=0.1), F.GaussianBlur(p=0)]).explain((10_000, 10_000, 3))
    assert "Rotate" in text and "GaussianBlur" in text, "every child is shown as firing"
