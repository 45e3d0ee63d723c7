"""The same key gives the same bytes: whatever came before, in whatever thread, process, order or copy."""

from __future__ import annotations

import copy
import json
import os
import pickle
import random
import threading
from typing import Any

import ferraug as F
import numpy as np
import pytest
from catalogue import Row, Variant, case_id, cases
from samples_calls import assert_equal, call, pipeline, transform

from samples import H, W, labels, noise

ALL = cases(("dual", "image"))


def dtype_of(row: Row, variant: Variant) -> str:
    return (variant.dtypes or row.dtypes)[-1]


@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_same_key_same_bytes(row: Row, variant: Variant) -> None:
    dtype = dtype_of(row, variant)
    pipe = pipeline([transform(row, variant.of(dtype))])
    first = {key: pipe.run(call(row, variant, dtype), key=key) for key in range(4)}
    for copied in (pipe, pickle.loads(pickle.dumps(pipe)), copy.deepcopy(pipe)):
        for key in (2, 0, 3, 1):  # another order
            assert_equal(copied.run(call(row, variant, dtype), key=key), first[key], f"key {key}")
    loaded = F.from_dict(json.loads(json.dumps(F.to_dict(pipe))))
    loaded.set_random_seed(77)
    assert_equal(loaded.run(call(row, variant, dtype), key=1), first[1], "through JSON")


@pytest.mark.parametrize(("row", "variant"), ALL, ids=case_id)
def test_replay(row: Row, variant: Variant) -> None:
    dtype = dtype_of(row, variant)
    pipe = pipeline([transform(row, variant.of(dtype))])
    for key in range(3):
        want, record = pipe.run(call(row, variant, dtype), key=key, record=True)
        data = call(row, variant, dtype)
        assert_equal(F.replay(record, **data), want, f"record {record['ops']}"[:200])
        assert_equal(F.replay(json.loads(json.dumps(record)), **call(row, variant, dtype)), want, "through JSON")


def everything(seed: int | None = 9) -> Any:
    """A pipeline with a transform of every kind."""
    return F.Compose(
        [
            F.RandomResizedCrop((48, 56), scale=(0.5, 1.0), p=0.7),
            F.OneOf([F.HorizontalFlip(), F.Transpose(), F.RandomRotate90()], p=0.8),
            F.Affine(rotate=(-30, 30), scale=(0.8, 1.2)),
            F.SomeOf([F.ColorJitter(), F.RandomGamma(), F.GaussianBlur(), F.Equalize()], n=2),
            F.Sequential([F.GaussNoise((0.05, 0.1)), F.CoarseDropout(fill="random")], p=0.5),
            F.PadIfNeeded(70, 70, position="random"),
            F.Perspective(p=0.5),
        ],
        bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]),
        keypoint_params=F.KeypointParams("xyas", label_fields=["name"]),
        seed=seed,
    )


def sample(n: int = 0) -> dict[str, Any]:
    return {
        "image": noise((H, W, 3), seed=n), "mask": labels(H, W), "bboxes": [[20.0, 15, 40, 33], [31, 20, 60, 50]],
        "label": [3, 4], "keypoints": [[30.0, 30, 10, 1]], "name": ["a"],
    }  # fmt: skip


def test_a_seeded_pipeline_is_a_sequence() -> None:
    a, b = everything(), everything()
    first = [a(**sample(i)) for i in range(12)]
    for i, want in enumerate(first):
        assert_equal(b(**sample(i)), want, f"call {i}")
    assert len({result["image"].tobytes() for result in first}) == 12
    c = everything(10)
    assert any(c(**sample(i))["image"].shape != want["image"].shape or
               c(**sample(i))["image"].tobytes() != want["image"].tobytes() for i, want in enumerate(first))  # fmt: skip
    resumed = everything()
    for i in range(5):
        resumed(**sample(i))
    resumed = pickle.loads(pickle.dumps(resumed))
    assert_equal(resumed(**sample(5)), first[5], "a pickled pipeline goes on where it was")


def test_global_generators_do_not_matter() -> None:
    random.seed(1)
    np.random.seed(1)
    want = everything().run(sample(), key=4)
    random.seed(2)
    np.random.seed(2)
    state = random.getstate(), np.random.get_state()[1].tobytes()
    assert_equal(everything().run(sample(), key=4), want)
    assert state == (random.getstate(), np.random.get_state()[1].tobytes()), "a global generator was drawn from"


def test_a_later_transform_does_not_change_an_earlier_ones_draws() -> None:
    short = F.Compose([F.RandomCrop(40, 40), F.RandomBrightnessContrast(p=1)], seed=3)
    long = F.Compose([F.RandomCrop(40, 40), F.RandomBrightnessContrast(p=1), F.RandomGamma(p=1)], seed=3)
    for key in range(5):
        _, a = short.run({"image": sample()["image"]}, key=key, record=True)
        _, b = long.run({"image": sample()["image"]}, key=key, record=True)
        assert b["ops"][: len(a["ops"])] == a["ops"]


def test_equal_transforms_draw_their_own_numbers() -> None:
    """2.0.8 gives all transforms of a seeded Compose the same stream (C3)."""
    pipe = F.Compose([F.RandomGamma(p=1), F.RandomGamma(p=1)], seed=3)
    _, record = pipe.run({"image": sample()["image"]}, key=0, record=True)
    assert record["ops"][0] != record["ops"][1]


def test_threads_share_a_pipeline() -> None:
    pipe = everything()
    want = [pipe.run(sample(i), key=i) for i in range(24)]
    got: list[Any] = [None] * 24
    errors: list[BaseException] = []

    def work(part: int) -> None:
        try:
            for i in range(part, 24, 4):
                got[i] = pipe.run(sample(i), key=i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    for i in range(24):
        assert_equal(got[i], want[i], f"call {i}")


def test_threads_take_different_calls_of_the_sequence() -> None:
    pipe, alone = everything(), everything()
    want = sorted(alone(**sample())["image"].tobytes() for _ in range(16))
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: got.extend(pipe(**sample())["image"].tobytes() for _ in range(4)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == want, "each of the first 16 calls, once"


def in_child(function: Any) -> bytes:
    """What a forked child computes."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            with os.fdopen(write, "wb") as pipe:
                pipe.write(function())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("seed", [None, 9])
def test_forked_children_draw_apart_unless_keyed(seed: int | None) -> None:
    pipe = everything(seed)
    pipe(**sample())
    keyed = pipe.run(sample(), key=("epoch", 3))["image"].tobytes()

    def three_calls() -> bytes:
        return b"".join(pipe(**sample())["image"].tobytes() for _ in range(3))

    here = [in_child(three_calls) for _ in range(3)]
    assert all(here) and len({*here, three_calls()}) == 4, "workers repeat each other's augmentations"
    assert {in_child(lambda: pipe.run(sample(), key=("epoch", 3))["image"].tobytes()) for _ in range(2)} == {keyed}
    assert {in_child(lambda: pipe.at(2, 17)(**sample())["image"].tobytes()) for _ in range(2)} == {
        pipe.at(2, 17)(**sample())["image"].tobytes()
    }


def test_keys_are_independent_of_the_sequence() -> None:
    a, b = everything(), everything()
    a.run(sample(), key=1)
    assert_equal(a(**sample()), b(**sample()), "an explicit key moved the sequence")


@pytest.mark.parametrize("key", [0, (1, 2), (1, 2, 3), "name", ("a", 1)])
def test_kinds_of_keys(key: Any) -> None:
    pipe = everything()
    assert_equal(pipe.run(sample(), key=key), pipe.run(sample(), key=key))
    others = {pipe.run(sample(), key=other)["image"].tobytes() for other in (0, (1, 2), (1, 2, 3), "name", ("a", 1))}
    assert len(others) == 5
