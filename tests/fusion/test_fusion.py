"""Fused = unfused, bit for bit: the planned run against the plain executor, one op at a time."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from ferraug import _core
from ferraug.call import KINDS
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from oplists import Frame, arrays, lists

LAYOUT = _core.Layout(dict(KINDS), None, None, False)
BOXED = _core.Layout(dict(KINDS), ("pascal_voc", 0.0, 0.0, 0.0, 0.0, True, True, None), ("xyas", True, True), False)
SETTINGS = settings(
    max_examples=int(os.environ.get("FERRAUG_EXAMPLES", "400")), deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip


def run(layout: Any, data: dict[str, Any], ops: list[Any], fused: bool) -> dict[str, Any]:
    data = dict(data)
    try:
        layout.open(data).finish(ops, data, None, fused)
    except (ValueError, TypeError) as error:
        return {"error": (type(error).__name__, getattr(error, "op", None))}
    return data


def assert_same(fused: dict[str, Any], plain: dict[str, Any]) -> None:
    assert list(fused) == list(plain), (fused.get("error"), plain.get("error"))
    for key, want in plain.items():
        if key == "error":
            assert fused[key] == want
            continue
        a, b = np.asarray(fused[key]), np.asarray(want)
        assert a.dtype == b.dtype and a.shape == b.shape, f"{key}: {a.dtype}{a.shape}, plain {b.dtype}{b.shape}"
        if a.tobytes() != b.tobytes():
            apart = a != b
            where = tuple(int(i[0]) for i in np.nonzero(apart))
            raise AssertionError(
                f"{key}: {apart.sum()} of {a.size} differ, first at {where}: fused {a[where]}, plain {b[where]}"
            )


@SETTINGS
@given(st.data(), lists())
def test_images_and_masks(data: Any, frame: Frame) -> None:
    w, h, c, dtype = frame.start  # type: ignore[attr-defined]
    call = {"image": data.draw(arrays(w, h, c, dtype, frame.two)), "mask": data.draw(arrays(w, h, 1, "uint8", True))}
    note(f"{call['image'].shape} {dtype} {frame.ops}")
    plain = run(LAYOUT, call, frame.ops, False)
    assert_same(run(LAYOUT, call, frame.ops, True), plain)
    assert "error" not in plain, plain


@settings(SETTINGS, max_examples=150)
@given(st.data(), lists(5))
def test_stacks_and_volumes(data: Any, frame: Frame) -> None:
    w, h, c, dtype = frame.start  # type: ignore[attr-defined]
    ops = [op for op in frame.ops if op[0] != "layout"]
    stack = data.draw(arrays(w, h, c, dtype, frame.two, depth=3))
    for kind in ("images", "volume"):
        call = {
            kind: stack,
            "mask3d" if kind == "volume" else "masks": data.draw(arrays(w, h, 1, "uint8", True, depth=2)),
        }
        note(f"{kind} {stack.shape} {dtype} {ops}")
        assert_same(run(LAYOUT, call, ops, True), run(LAYOUT, call, ops, False))


FLIPS = ["DH-W", "D-HW", "D-H-W", "-DHW", "-DH-W", "-D-HW", "-D-H-W"]
BEFORE = [
    ("gauss", 5, 1.0),
    ("resize", 33, 21, 1, 0),
    ("warp", ("affine", 0.9, 0.1, 3.0, -0.1, 0.9, 2.0, 1.0, "largest_box"), 33, 21, 1, 0, 0, 0.0, 0.0, False),
    ("field", ("noise", 5, "normal", 0.0, 0.1, "pixel", 33, 21), "add", 1.0, 0.0),
    ("paint", ("rects", 3, 4, 20, 9), 7.0, "set", None, None),
]
AFTER = [
    (),
    (("gamma", 1.3), ("crop", 4, 3, 20, 11)),
    (("crop", 4, 3, 20, 11), ("normalize", 0.3, 2.0)),
    (("orient", "DH-W", 33, 21, 3), ("crop", 4, 3, 20, 11, 1, 2)),
    (("field", ("noise", 9, "normal", 0.0, 0.1, "pixel", 33, 21), "add", 1.0, 0.0),),
    (("equalize", "cv", None), ("layout", "chw", False)),
    (("gray", "weighted_average", 1), ("normalize", 0.3, 2.0), ("layout", "chw", False)),
]  # fmt: skip


@pytest.mark.parametrize("axes", FLIPS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_flips_that_a_stage_ends_with(axes: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    stack = rng.integers(0, 256, (3, 21, 33, 3), dtype=np.uint8)
    call = {"volume": stack if dtype == "uint8" else stack / np.float32(255), "mask3d": stack[..., 0] // 9}
    for before in BEFORE:
        for after in AFTER:
            if dtype == "float32" and any(op[0] == "equalize" for op in after):
                continue
            ops = [before, ("orient", axes, 33, 21, 3), *after]
            plain = run(LAYOUT, call, ops, False)
            assert "error" not in plain, (plain, ops)
            assert_same(run(LAYOUT, call, ops, True), plain)
            image = {"image": call["volume"][0], "mask": call["mask3d"][0]}
            flat = [op for op in ops if op[0] not in ("orient", "crop", "layout")]
            flat.insert(1, ("orient", axes.replace("-D", "").replace("D", ""), 33, 21))
            assert_same(run(LAYOUT, image, flat, True), run(LAYOUT, image, flat, False))


@settings(SETTINGS, max_examples=150)
@given(st.data(), lists(5))
def test_boxes_and_points_do_not_depend_on_the_executor(data: Any, frame: Frame) -> None:
    w, h, c, dtype = frame.start  # type: ignore[attr-defined]
    xs = sorted(data.draw(st.lists(st.floats(0, w), min_size=2, max_size=2)))
    ys = sorted(data.draw(st.lists(st.floats(0, h), min_size=2, max_size=2)))
    boxes = np.array([[xs[0], ys[0], xs[1], ys[1]], [0, 0, w, h]])
    call = {
        "image": data.draw(arrays(w, h, c, dtype, frame.two)),
        "bboxes": boxes,
        "keypoints": np.array([[(w - 1) / 2, (h - 1) / 2, 10, 1.0]]),
    }
    ops: list[Any] = []
    inside = 0
    for op in frame.ops:
        inside += (op[0] == "aside") - (op[0] == "join")
        ops.append(op)
        if not inside and op[0] in ("crop", "pad", "orient", "warp", "resize", "paint"):
            ops.append(("filter",))
    note(f"{w}x{h} {ops}")
    assert_same(run(BOXED, call, ops, True), run(BOXED, call, ops, False))


@settings(SETTINGS, max_examples=120)
@given(st.data(), lists(5))
def test_every_simd_level_gives_the_same_bytes(data: Any, frame: Frame) -> None:
    w, h, c, dtype = frame.start  # type: ignore[attr-defined]
    call = {"image": data.draw(arrays(w, h, c, dtype, frame.two)), "mask": data.draw(arrays(w, h, 1, "uint8", True))}
    best = _core.isa()
    note(f"{call['image'].shape} {dtype} {frame.ops}")
    want = run(LAYOUT, call, frame.ops, True)
    try:
        for level in LEVELS:
            _core.set_isa(level)
            note(level)
            assert_same(run(LAYOUT, call, frame.ops, True), want)
    finally:
        _core.set_isa(best)


def levels() -> list[str]:
    """The levels that this machine has."""
    best = _core.isa()
    found = []
    for name in ("baseline", "v3", "v4", "vbmi"):
        if _core.set_isa(name) == name:
            found.append(name)
    _core.set_isa(best)
    return found


LEVELS = levels()


def test_levels_can_be_lowered() -> None:
    assert LEVELS[0] == "baseline"
    assert _core.isa() == LEVELS[-1]


@pytest.mark.parametrize("level", LEVELS)
def test_set_isa_says_the_level(level: str) -> None:
    best = _core.isa()
    try:
        assert _core.set_isa(level) == level == _core.isa()
    finally:
        _core.set_isa(best)
