"""One call by both libraries, with the same numbers drawn.

Albumentations draws from `py_random` and `random_generator` of the transform; both are replaced by our own stream of
the same call, so that what is compared is the whole transform: the order of its draws, what it makes of them, pixels,
boxes and points.
"""

from __future__ import annotations

from typing import Any

import albumentations as A
import ferraug as F
import numpy as np
from ferraug import _core
from ferraug.call import ROOT

SEED, KEY = 2024, 7
D4_ELEMENTS = ("e", "r90", "r180", "r270", "v", "hvt", "h", "t")


class Stream:
    """Our draws under the names of `random.Random` and `numpy.random.Generator`."""

    def __init__(self, seed: int, key: int, node: int, name: str = "") -> None:
        self.draw = _core.Draw(seed, (key,))
        self.draw.begin(node, 1.0)
        self.name = name

    def random(self) -> float:
        return self.draw.random()

    def uniform(self, low: float, high: float) -> float:
        if self.name == "ShiftScaleRotate" and low == high == 0:
            return 0.0  # the shear that 2.0.8 draws and does not have
        return self.draw.uniform(low, high)

    def randint(self, low: int, high: int) -> int:
        if self.name == "Affine" and low == high == 0:
            return 0  # no translation asked for: we draw none
        return self.draw.integers(int(low), int(high))

    def choice(self, options: Any) -> Any:
        if self.name == "Affine":
            return options[0 if self.draw.random() < 0.5 else 1]
        if isinstance(options, (list, np.ndarray)) and len(options) == 1:
            return options[0]
        return options[self.draw.integers(0, len(options) - 1)]

    def shuffle(self, values: Any) -> None:
        values[:] = [values[i] for i in self.draw.shuffle(len(values))]

    def normal(self, mean: float, std: float, size: Any) -> np.ndarray:
        return np.array([self.draw.normal(mean, std) for _ in range(int(np.prod(size)))]).reshape(size)


def holes_of(ops: list[tuple[Any, ...]]) -> np.ndarray:
    """The rectangles of a `paint` op."""
    flat = [op[1][1:] for op in ops if op[0] == "paint"]
    return np.array(flat[0], np.int64).reshape(-1, 4) if flat else np.zeros((0, 4), np.int64)


class PinnedHoles(A.CoarseDropout):
    """CoarseDropout with given holes (2.0.8 draws all sides first, we hole by hole)."""

    holes: np.ndarray

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        return {"holes": self.holes, "seed": 0}


def reference(name: str, args: dict[str, Any], ops: list[tuple[Any, ...]], stream: Stream) -> A.BasicTransform:
    """Albumentations' transform, ready to draw what ours drew."""
    if name == "CoarseDropout":
        theirs: A.BasicTransform = PinnedHoles(**args, p=1)
        theirs.holes = holes_of(ops)
    else:
        theirs = getattr(A, name)(**args, p=1)
    theirs.py_random = stream
    theirs.random_generator = stream
    return theirs


def both(
    name: str,
    args: dict[str, Any],
    data: dict[str, Any],
    *,
    bbox: dict[str, Any] | None = None,
    keypoint: dict[str, Any] | None = None,
    key: int = KEY,
    check_shapes: bool = True,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(our result, the reference's, our record)."""
    ours = F.Compose(
        [getattr(F, name)(**args, p=1)],
        bbox_params=None if bbox is None else F.BboxParams(**bbox),
        keypoint_params=None if keypoint is None else F.KeypointParams(**keypoint),
        seed=SEED,
        is_check_shapes=check_shapes,
    )
    got, record = ours.run(data, key=key, record=True)
    stream = Stream(SEED, key, _core.fold_node(ROOT, 0), name)
    theirs = A.Compose(
        [A.NoOp()],
        bbox_params=None if bbox is None else A.BboxParams(**bbox),
        keypoint_params=None if keypoint is None else A.KeypointParams(**keypoint),
        is_check_shapes=check_shapes,
    )
    transform = reference(name, args, record["ops"], stream)
    transform.processors = theirs.processors
    theirs.transforms[0] = transform
    want = theirs(**{k: x.copy() if isinstance(x, np.ndarray) else x for k, x in data.items()})
    return got, want, record
