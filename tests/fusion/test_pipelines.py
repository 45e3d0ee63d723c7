"""Random pipelines of the catalogue's transforms: fused = plain executor, and every SIMD level the same."""

from __future__ import annotations

import os
from typing import Any

import ferraug as F
import numpy as np
import pytest
from catalogue import ROWS, Row, Variant, case_id, cases
from ferraug import _core
from ferraug.call import KINDS
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from samples_calls import assert_equal, call, pipeline, transform
from test_fusion import LEVELS

from samples import H, W, labels, noise

ANYTHING = [
    (row, variant) for row, variant in cases(("dual", "image"))
    if not isinstance(variant.args.get("fill"), tuple) and row.name not in ("Normalize", "ToFloat") and not row.needs
    and not (variant.channels and 3 not in variant.channels)
]  # fmt: skip
LAST = [(BY, variant) for BY in ROWS if BY.name in ("Normalize", "ToFloat", "ToTensorV2") for variant in BY.variants]
LAYOUT = _core.Layout(dict(KINDS), ("pascal_voc", 0.0, 0.0, 0.0, 0.0, True, True, None), ("xyas", True, True), True)


@settings(max_examples=int(os.environ.get("FERRAUG_EXAMPLES", "300")), deadline=None, derandomize=True,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(
    st.lists(st.sampled_from(ANYTHING), min_size=1, max_size=6),
    st.one_of(st.none(), st.sampled_from([case for case in LAST if case[0].name != "ToTensorV2"])),
    st.sampled_from(["uint8", "float32"]),
    st.integers(0, 2**32),
)
def test_random_pipelines(children: list[tuple[Row, Variant]], last: Any, dtype: str, key: int) -> None:
    chosen = [*children, *([last] if last else [])]
    pipe = pipeline([transform(row, variant.of(dtype)) for row, variant in chosen], rows=True)
    data = {
        "image": noise((H, W, 3), dtype), "mask": labels(H, W), "bboxes": np.array([[20.0, 15, 40, 33], [31, 20, 60, 50]]),
        "label": [0, 1], "keypoints": np.array([[30.0, 30, 10, 1], [40, 22, 300, 2]]), "name": [0, 1],
    }  # fmt: skip
    try:
        got, record = pipe.run(data, key=key, record=True)
    except (F.CropSizeError, ValueError, TypeError) as error:
        assert any(
            word in str(error) for word in ("larger than the image", "leaves the image", "channels", "num_steps")
        ), error
        return
    note(f"{record['ops']}")
    plain = {name: value for name, value in data.items() if name not in ("label", "name")}
    kept = LAYOUT.open(plain).finish(record["ops"], plain, None, False)
    plain["label"], plain["name"] = (
        [data["label"][i] for i in kept["bboxes"]],
        [data["name"][i] for i in kept["keypoints"]],
    )
    assert_equal(got, {name: plain[name] for name in got})


SIMD = cases(("dual", "image"))
SHAPES = ((H, W), (5, 131), (33, 1), (1, 40), (17, 16))


@pytest.mark.parametrize(("row", "variant"), SIMD, ids=case_id)
def test_every_level_over_the_catalogue(row: Row, variant: Variant) -> None:
    best = _core.isa()
    try:
        for dtype in variant.dtypes or row.dtypes:
            for channels in {
                (variant.channels or row.channels)[0],
                (variant.channels or row.channels)[-1],
                *({3} & set(variant.channels or row.channels)),
            }:
                pipe = pipeline([transform(row, variant.of(dtype))])
                results = []
                for level in LEVELS:
                    _core.set_isa(level)
                    results.append(pipe.run(call(row, variant, dtype, channels=channels), key=5))
                for level, result in zip(LEVELS[1:], results[1:]):
                    assert_equal(result, results[0], f"{level} against {LEVELS[0]}, {dtype}, {channels} channels")
    finally:
        _core.set_isa(best)


@pytest.mark.parametrize(
    ("row", "variant"),
    [
        (r, v) for r, v in SIMD
        if not r.needs and not {"x_min", "height", "crop_border", "fit_output"} & v.args.keys() and r.name != "GridDistortion"
    ],
    ids=case_id,
)  # fmt: skip
def test_every_level_on_thin_images(row: Row, variant: Variant) -> None:
    """Rows shorter than a vector, single columns, single rows."""
    best = _core.isa()
    dtype = (variant.dtypes or row.dtypes)[0]
    channels = 3 if 3 in (variant.channels or row.channels) else (variant.channels or row.channels)[0]
    try:
        for h, w in SHAPES:
            shape = (h, w, channels) if channels else (h, w)
            pipe = F.Compose([transform(row, variant.of(dtype))], seed=3)
            results = []
            for level in LEVELS:
                _core.set_isa(level)
                results.append(pipe.run({"image": noise(shape, dtype), "mask": labels(h, w)}, key=5))
            for result in results[1:]:
                assert_equal(result, results[0], f"{h}x{w}")
    finally:
        _core.set_isa(best)
