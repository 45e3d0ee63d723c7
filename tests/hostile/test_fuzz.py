"""Random op lists, random data, random arguments: only the errors that are promised, and never the end of the process."""

from __future__ import annotations

import contextlib
from typing import Any

import ferraug as F
import numpy as np
import pytest
from ferraug import _core
from hostile_helpers import apart
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KINDS = {name: name for name in (
    "image", "images", "mask", "masks", "volume", "volumes", "mask3d", "masks3d", "bboxes", "keypoints",
)}  # fmt: skip
LAYOUT = _core.Layout(KINDS, ("pascal_voc", 0.0, 0.0, 0.0, 0.0, False, False, None), ("xyas", False, True), True)
ALLOWED = (ValueError, TypeError, MemoryError)  # LimitError and CropSizeError are ValueErrors
QUICK = settings(
    max_examples=300, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip

WORDS = [
    "H-W", "-HW", "-WH", "WH", "DHW", "affine", "homography", "axes", "trunc", "round", "floor", "u8", "f32", "own",
    "uint8", "float32", "rgb", "hsv", "hls", "lab", "ycrcb", "image", "boxes", "points", "shrink", "keep", "set", "add",
    "nan", "random", "random_uniform", "rects", "holes", "take", "put", "lerp", "slice", "stack", "first", "pil", "cv",
    "opencv", "weighted_average", "from_lab", "desaturation", "average", "max", "pca", "gauss", "uniform", "",
]  # fmt: skip
# not so large that a legal call takes seconds, and some that no call may have
SIDES = st.one_of(st.integers(-2, 80), st.sampled_from([0, 1, 255, 256, 4000, 32766, 32767, 2**31 - 1, 2**31, 2**63 - 1, -(2**63)]))
FLOATS = st.one_of(
    st.floats(-3, 3), st.sampled_from([0.0, -0.0, 1.0, 1e-30, 1e30, -1e30, 1e300, 1e-300, 255.0, 2.0**31, 2.0**63, 5e-324])
)
PLAIN = st.one_of(SIDES, FLOATS, st.sampled_from(WORDS), st.none(), st.booleans())
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=7).map(tuple), max_leaves=12)
NAMES = st.sampled_from(_core.op_names())


def numbers(n: int) -> st.SearchStrategy[tuple[float, ...]]:
    return st.lists(FLOATS, min_size=n, max_size=n).map(tuple)


SIDE = st.one_of(st.integers(1, 60), SIDES)
BORDER = st.integers(0, 5)
FILL = st.one_of(FLOATS, st.lists(FLOATS, max_size=5).map(tuple), st.just("nan"))
WHERE = st.one_of(
    st.tuples(st.just("affine"), numbers(6)), st.tuples(st.just("homography"), numbers(9)),
    st.tuples(st.just("axes"), st.lists(FLOATS, max_size=8).map(tuple), st.lists(FLOATS, max_size=8).map(tuple)),
)  # fmt: skip
RECTS = st.lists(st.tuples(SIDES, SIDES, SIDES, SIDES), max_size=4).map(tuple)
INK = st.one_of(FILL, st.sampled_from(["random", "random_uniform"]), st.tuples(st.just("noise"), SIDES))
LIKELY = st.one_of(
    st.tuples(st.just("crop"), SIDE, SIDE, SIDE, SIDE),
    st.tuples(st.just("crop"), st.integers(0, 5), st.integers(0, 5), st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.just("pad"), SIDES, SIDES, SIDE, SIDE, BORDER, FILL, FILL, st.booleans()),
    st.tuples(st.just("orient"), st.sampled_from(["H-W", "-HW", "WH", "-WH", "W-H", "-W-H", "HW"]), SIDE, SIDE),
    st.tuples(st.just("orient"), st.sampled_from(["H-W", "-HW", "-H-W"]), st.just(20), st.just(16)),
    st.tuples(st.just("resize"), SIDE, SIDE, st.integers(-1, 7), st.integers(-1, 7)),
    st.tuples(st.just("resize"), SIDE, SIDE, st.integers(0, 6), st.integers(0, 6), FLOATS, FLOATS),
    st.tuples(st.just("warp"), WHERE, SIDE, SIDE, st.integers(0, 6), st.integers(0, 6), BORDER, FILL, FILL, st.booleans()),
    st.tuples(st.just("linear"), FLOATS, FLOATS, st.sampled_from(["trunc", "round"]), st.booleans()),
    st.tuples(st.just("gamma"), FLOATS),
    st.tuples(st.just("hsv_shift"), FLOATS, FLOATS, FLOATS),
    st.tuples(st.just("cast"), st.sampled_from(["uint8", "float32", "u8", "f32", "float64"]), FLOATS),
    st.tuples(st.just("work"), st.sampled_from(["u8", "f32", "own"])),
    st.tuples(st.just("space"), st.sampled_from(WORDS), st.sampled_from(WORDS)),
    st.tuples(st.just("gray"), st.sampled_from(WORDS), SIDES),
    st.tuples(st.just("channels"), st.lists(SIDES, max_size=5).map(tuple)),
    st.tuples(st.just("gauss"), SIDES, FLOATS),
    st.tuples(st.just("conv"), SIDES, st.lists(FLOATS, max_size=25).map(tuple)),
    st.tuples(st.just("paint"), st.tuples(st.just("rects"), RECTS), INK, st.just("set"), INK, st.sampled_from([None, "shrink", "keep"])),
    st.tuples(st.just("aside"), st.one_of(st.none(), st.lists(SIDES, max_size=4).map(tuple))),
    st.tuples(st.just("join"), st.sampled_from(["take", "put", "lerp"]), FLOATS, FLOATS),
    st.tuples(st.just("join"), st.just("put"), st.lists(SIDES, max_size=4).map(tuple)),
    st.tuples(st.just("filter")), st.tuples(st.just("layout")),
    st.tuples(st.just("equalize"), st.sampled_from(["cv", "pil", "opencv"])),
)  # fmt: skip
SAID = st.one_of(LIKELY, st.builds(lambda name, rest: (name, *rest), NAMES, st.lists(VALUES, max_size=9)))
OPS = st.lists(SAID, max_size=5)


def small(ops: list[Any]) -> bool:
    """Whether no op names a size that is legal but takes long."""
    sides = [value for op in ops for value in flat(op) if type(value) is int]
    return not any(300 < value < 2**31 - 1 for value in sides)


def flat(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from flat(item)
    else:
        yield value


def data(dtype: str = "uint8") -> dict[str, Any]:
    image = (np.arange(16 * 20 * 3).reshape(16, 20, 3) % 251).astype(dtype)
    return {
        "image": image, "mask": image[..., 0] % 3, "masks": [image[..., 1], image[..., 2]],
        "bboxes": [[1.0, 2.0, 9.0, 12.0], [0.0, 0.0, 20.0, 16.0]], "keypoints": [[3.0, 4.0, 10.0, 1.0]],
    }  # fmt: skip


# Op lists that no transform says and that once panicked, with what the core says of them now.
REFUSED: dict[str, tuple[str, list[Any]]] = {
    "cast by nothing": ("max", [("cast", "float32", 1.0), ("cast", "float32", 0.0)]),
    "no channels": ("output channels", [("hsv_shift", 2.4, 0.0, 2.4), ("pca_gray", 0)]),
    "axes for another width": (
        "keep the size", [("warp", ("axes", (0.0, -2.0, 0.0, 0.6), (0.0, 9.0)), 34, 9, 1, 6, 2, 0.0, 0.0, True)],
    ),
    "axes for another size": (
        "keep the size",
        [("crop", 0, 0, 1, 2), ("warp", ("axes", (0.0, 0.0), (0.0, 0.0)), 1, 1, 0, 0, 0, 0.0, 0.0, False)],
    ),
}  # fmt: skip


def attempt(call: Any, *also: type[Exception]) -> Any:
    """What a call returns; None if it raises what it may."""
    try:
        return call()
    except (*ALLOWED, *also):
        return None


def run(ops: Any, given_data: dict[str, Any], fused: bool = True) -> dict[str, Any] | None:
    """The data after the ops; None if they are refused."""

    def call() -> dict[str, Any]:
        LAYOUT.open(given_data).finish(ops, given_data, None, fused)
        return given_data

    return attempt(call)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_op_lists(name: str) -> None:
    given_data = data()
    text, ops = REFUSED[name]
    with pytest.raises(ValueError, match=text):
        LAYOUT.open(given_data).finish(ops, given_data)


@QUICK
@given(ops=OPS, dtype=st.sampled_from(["uint8", "float32", "int16"]))
def test_random_op_lists(ops: list[Any], dtype: str) -> None:
    """Never InternalError, never a crash; and what one executor runs, the other runs to the same bytes."""
    if not small(ops):
        return
    got, want = run(ops, data(dtype)), run(ops, data(dtype), fused=False)
    if got is not None and want is not None:
        assert np.asarray(got["image"]).tobytes() == np.asarray(want["image"]).tobytes()


@QUICK
@given(ops=st.lists(st.recursive(st.one_of(PLAIN, st.floats(), st.binary(max_size=3), st.text(max_size=3), st.complex_numbers()),
                                 lambda inner: st.one_of(st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple),
                                                         st.dictionaries(st.text(max_size=2), inner, max_size=2)),
                                 max_leaves=10), max_size=3))  # fmt: skip
def test_what_is_no_op_list(ops: Any) -> None:
    if small(ops):
        run(ops, data())
        run(tuple(ops), data())


@pytest.mark.parametrize("ops", [None, 7, "crop", {}, iter([]), [[]], [()], [None], ["crop"], [("crop",)], [(1, 2)], [("crop", 0, 0, 8)],
                                 [("crop", 0, 0, 8, 8, 8, 8, 8, 8, 8)], [("\ud800",)], [("crop", object())], [("crop", np.float32(1))],
                                 [("crop", 10**30, 0, 1, 1)], [("gamma", float("nan"))]], ids=str)  # fmt: skip
def test_what_is_no_op(ops: Any) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        given_data = data()
        LAYOUT.open(given_data).finish(ops, given_data)
    assert len(str(caught.value)) < 400
    assert np.array_equal(given_data["image"], data()["image"])


def test_deep_values_do_not_overflow_the_stack() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(ValueError, match="deep"):
        LAYOUT.open(data()).finish([("crop", deep)], data())
    own: list[Any] = ["crop"]
    own.append(own)
    with pytest.raises(ValueError):
        LAYOUT.open(data()).finish([own], data())


ODDITIES = st.one_of(
    st.none(), st.integers(-3, 9), st.floats(), st.text(max_size=3), st.binary(max_size=3), st.just(np.zeros((16, 20, 3), np.uint8)),
    st.builds(lambda shape, dtype: np.zeros(shape, dtype), st.lists(st.integers(0, 4), max_size=6).map(tuple),
              st.sampled_from(["u1", "f4", "i8", "?", "O", "c8", ">f4", "U1", "V3", "M8[s]"])),
    st.lists(st.lists(st.one_of(st.floats(), st.integers(-9, 99), st.none(), st.text(max_size=1)), max_size=6), max_size=4),
    st.builds(lambda n: np.random.default_rng(n).normal(8, 6, (n % 4, n % 7)), st.integers(0, 50)),
)  # fmt: skip
KEYS = st.sampled_from([*KINDS, "label", "iamge"])


@QUICK
@given(given_data=st.dictionaries(KEYS, st.one_of(ODDITIES, st.lists(ODDITIES, max_size=3)), max_size=5))
def test_random_data(given_data: dict[str, Any]) -> None:
    pipeline = F.Compose(
        [F.HorizontalFlip(p=1), F.Rotate((10, 10), p=1), F.Resize(7, 5, p=1)],
        bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]), keypoint_params=F.KeypointParams("xy"), seed=1,
    )  # fmt: skip
    with contextlib.suppress(ALLOWED):
        pipeline(**given_data)


@QUICK
@given(
    target=st.one_of(KEYS, st.text(max_size=2)), rows=ODDITIES, index=st.lists(st.integers(0, 2**32 - 1), max_size=4),
    size=st.tuples(SIDE, SIDE, st.integers(0, 3)),
)  # fmt: skip
def test_questions_and_answers_of_user_code(target: str, rows: Any, index: list[int], size: tuple[int, int, int]) -> None:
    """The cut of a lane takes whatever user code gives."""
    given_data = data()
    session = LAYOUT.open(given_data)
    ops = [("crop", 0, 0, 16, 12)]
    for ask in (
        lambda: session.array(ops, target), lambda: session.put(target, rows), lambda: session.rows(ops, target),
        lambda: session.put_rows(target, rows, index), lambda: session.set_size(*size), lambda: session.boxes(ops),
        lambda: session.nonzero(ops, [1], [0, 7]), lambda: session.nonzero_at(2**40), lambda: session.keypoints(ops),
        lambda: session.finish([*ops, ("orient", "H-W", 16, 12)], given_data),
    ):  # fmt: skip
        try:
            ask()
        except (*ALLOWED, KeyError, OverflowError):
            pass


def test_a_session_is_not_entered_twice() -> None:
    """User code that runs inside a session's method finds it taken, and nothing breaks."""
    session = LAYOUT.open(data())
    seen = []

    class Nosy:
        def __index__(self) -> int:
            try:
                session.boxes([])
            except RuntimeError as error:
                seen.append(error)
            return 0

    session.put_rows("bboxes", np.zeros((1, 4)), [Nosy()])
    assert session.finish([], data()) == {"bboxes": [0], "keypoints": [0]}


TRACES = {
    "trace_boxes": lambda ops, rows: _core.trace_boxes(ops, (20, 16), rows),
    "trace_points": lambda ops, rows: _core.trace_points(ops, (20, 16), rows, False),
    "trace_edges": lambda ops, rows: _core.trace_points(ops, (20, 16), rows, True),
    "trace_rings": lambda ops, rows: _core.trace_rings(ops, (20, 16), [rows]),
    "trace_outlines": lambda ops, rows: _core.trace_outlines(ops, (20, 16), [[rows]]),
}


@QUICK
@given(name=st.sampled_from(list(TRACES)), ops=OPS, columns=st.sampled_from([2, 4]), values=st.lists(FLOATS, max_size=24), odd=ODDITIES)
def test_traces(name: str, ops: list[Any], columns: int, values: list[float], odd: Any) -> None:
    rows = np.array(values[: len(values) // columns * columns], float).reshape(-1, columns)
    for given_rows in (rows, odd):
        attempt(lambda: TRACES[name](ops, given_rows), OverflowError)  # noqa: B023


@QUICK
@given(counts=st.lists(st.integers(0, 2**32 - 1), max_size=6), h=st.integers(0, 70), w=st.integers(0, 70), text=st.text(max_size=8))
def test_run_lengths(counts: list[int], h: int, w: int, text: str) -> None:
    for call in (
        lambda: _core.rle_decode(counts, h, w), lambda: _core.rle_to_string(counts), lambda: _core.rle_from_string(text),
    ):  # fmt: skip
        with contextlib.suppress(ALLOWED):
            call()


@QUICK
@given(ops=OPS, size=st.tuples(SIDES, SIDES, SIDES, SIDES), dtype=st.sampled_from(["uint8", "float32", "x"]))
def test_explain(ops: list[Any], size: tuple[int, ...], dtype: str) -> None:
    attempt(lambda: _core.explain(ops, *size, dtype), OverflowError)


def test_a_panic_is_an_internal_error() -> None:
    """What panics inside is an Exception that says where, prints nothing, and costs only its own call, with the GIL and
    without."""
    lines = apart("""
        from ferraug import _core
        for detached in (False, True):
            try:
                _core.panic_on_purpose(detached)
            except F.InternalError as error:
                assert "on purpose" in str(error) and "please report this" in str(error) and ".rs:" in str(error), str(error)
                print("InternalError")
            assert np.array_equal(flip(image=IMAGE)["image"], IMAGE[:, ::-1])
    """)
    assert issubclass(F.InternalError, RuntimeError)
    assert lines == ["InternalError"] * 2


def test_ops_with_arguments_of_other_kinds() -> None:
    lines = apart("""
        from ferraug import _core
        layout = _core.Layout({"image": "image"}, None, None, True)
        for name in _core.op_names():
            for arguments in ((), (1,) * 3, (0.5,) * 4, ("x",), (None,) * 5, ((),), ((1, 2),) * 9):
                data = {"image": IMAGE}
                try:
                    layout.open(data).finish([(name, *arguments)], data)
                except (ValueError, TypeError):
                    pass
        print("done")
    """)
    assert lines == ["done"]
