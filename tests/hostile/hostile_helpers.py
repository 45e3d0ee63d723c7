"""What the hostile tests share: refusals that leave nothing changed, and processes of their own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import ferraug as F
import numpy as np
import pytest

IMAGE = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)


def boxed(fmt: str = "pascal_voc", children: list[Any] | None = None, **params: Any) -> Any:
    """A pipeline over boxes."""
    children = [F.HorizontalFlip(p=1)] if children is None else children
    return F.Compose(children, bbox_params=F.BboxParams(fmt, **params), seed=3)


def pointed(fmt: str = "xy", **params: Any) -> Any:
    """A pipeline over keypoints."""
    return F.Compose([F.HorizontalFlip(p=1)], keypoint_params=F.KeypointParams(fmt, **params), seed=3)


def copies(value: Any) -> Any:
    """A deep copy of arrays, lists and tuples; other objects are kept."""
    if type(value) is np.ndarray:
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(map(copies, value))
    return value


def same(a: Any, b: Any) -> bool:
    if type(a) is np.ndarray:
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) in (list, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return a is b or bool(np.all(a == b))


def still_works(pipeline: Any) -> None:
    """The pipeline, and any other, goes on as if nothing had happened."""
    good = {"image": IMAGE}
    processors = getattr(pipeline, "processors", {})
    for name, row in (("bboxes", [1, 2, 10, 12]), ("keypoints", [3.0, 4, 0.5, 1, 0])):
        if name in processors:
            width = 4 if name == "bboxes" else len(processors[name].format)
            good[name] = [[value / 32 if processors[name].format in ("yolo", "albumentations") else value for value in row[:width]]]
            good |= {field: ["a"] for field in processors[name].label_fields or ()}
    assert pipeline(**good)["image"].ndim == 3
    assert np.array_equal(F.HorizontalFlip(p=1)(image=IMAGE)["image"], IMAGE[:, ::-1])


def refused(pipeline: Any, data: Mapping[str, Any], kind: type[Exception], *texts: str) -> str:
    """`pipeline(**data)` raises exactly `kind` with these texts, changes nothing, and the next call works."""
    before = {key: copies(value) for key, value in data.items()}
    with pytest.raises(kind) as caught:
        pipeline(**data)
    assert caught.type is kind, caught.type
    message = str(caught.value)
    for text in texts:
        assert text in message, f"{text!r} is not in {message!r}"
    assert len(message) < 500, message
    for key, value in data.items():
        assert same(before[key], value), f"{key} was changed"
    still_works(pipeline)
    return message


def raises(make: Callable[[], Any], kind: type[Exception], *texts: str) -> None:
    """`make()` raises exactly `kind` with these texts."""
    with pytest.raises(kind) as caught:
        make()
    assert caught.type is kind, f"{caught.type}: {caught.value}"
    for text in texts:
        assert text in str(caught.value), f"{text!r} is not in {str(caught.value)!r}"


PRELUDE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
import numpy as np
from numpy.lib.stride_tricks import as_strided
import ferraug as F
IMAGE = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
flip = F.HorizontalFlip(p=1)
def answer(call):
    "What a call says: its class and text, or ok."
    try:
        value = call()
    except Exception as error:
        assert np.array_equal(flip(image=IMAGE)["image"], IMAGE[:, ::-1])
        print(type(error).__name__, error)
        return None
    print("ok")
    return value
"""


def apart(body: str, *arguments: str, timeout: float = 120) -> list[str]:
    """The lines that a program prints in a process of its own, which must end by itself."""
    program = PRELUDE + textwrap.dedent(body)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout.splitlines()
