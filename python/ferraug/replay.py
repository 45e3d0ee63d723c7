"""Records: what a call did, as plain data, and doing it again.

A record holds what the call drew already turned into ops, so that a replay needs no random numbers, no transform
classes and no answers to questions. Only user code is not in it: a record with a `call` is replayed by its pipeline,
under the seed and key that the record keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ferraug import _core
from ferraug._core import ConfigError
from ferraug.boxes import BboxParams
from ferraug.call import KINDS, Root, perform
from ferraug.compose import Compose
from ferraug.context import Blank, Context
from ferraug.keypoints import KeypointParams
from ferraug.labels import Labels
from ferraug.targets import make_layout

if TYPE_CHECKING:
    from ferraug.transform import Node

PEAKS = {"uint8": 255.0, "uint16": 65535.0, "uint32": 4294967295.0, "float32": 1.0, "float64": 1.0}
# ops that mean the same on an image of any size
SIZELESS = frozenset(
    [
        "linear",
        "step",
        "gamma",
        "posterize",
        "tone_curve",
        "hsv_shift",
        "normalize",
        "cast",
        "work",
        "space",
        "matrix",
        "gray",
        "channels",
        "linear_mean",
        "equalize",
        "autocontrast",
        "standardize",
        "box",
        "gauss",
        "median",
        "conv",
        "morph",
        "unsharp",
        "aside",
        "join",
        "filter",
        "call",
        "layout",
    ]
)


def make_record(
    node: Node, root: Root, key: tuple[int, ...], ctx: Context | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The record of a call that was just made."""
    boxes, points = getattr(node, "bbox_params", None), getattr(node, "keypoint_params", None)
    record: dict[str, Any] = {
        "ferraug": _core.__version__,
        "stream": _core.STREAM_VERSION,
        "input": None,
        "bbox_params": None if boxes is None else boxes.to_dict(),
        "keypoint_params": None if points is None else points.to_dict(),
        "additional_targets": {name: kind for name, kind in root.kinds.items() if name not in KINDS},
        "draw": {"seed": hex(root.seed), "key": [hex(part) for part in key]},
        "nodes": [],
        "ops": [],
    }
    if ctx is not None:
        session = ctx.session
        record["input"] = {name: getattr(session, name) for name in ("w", "h", "d", "c", "dtype")}
        record["nodes"] = [(step[3], type(step[1]).__name__, first, end) for step, first, end in ctx.marks]
        record["ops"] = list(ctx.ops)
        record["tensors"] = ctx.wrap is not None
    return record


def replay(record: Mapping[str, Any], *, transforms: Node | None = None, **data: Any) -> dict[str, Any]:
    """Does again what a record says, on these arrays; equal arrays give equal results, bit for bit.

    Args:
        record: from `pipeline.run(data, record=True)`, or what JSON made of it.
        transforms: the pipeline, needed if it holds user code.
        data: image=…, mask=…, bboxes=… as in a call.
    """
    try:
        stream, ops, nodes = record["stream"], [as_op(op) for op in record["ops"]], record["nodes"]
        boxes, points = record["bbox_params"], record["keypoint_params"]
        kinds = {**KINDS, **record["additional_targets"]}
        draw, size = record["draw"], record["input"]
    except (KeyError, TypeError) as error:
        raise ConfigError(f"not a record: {error!r}") from None
    if stream != _core.STREAM_VERSION:
        raise ConfigError(f"the record has stream version {stream}, this ferraug {_core.STREAM_VERSION}")
    if any(op[0] == "call" for op in ops):
        return _redraw(transforms, draw, nodes, data)
    bbox_params = None if boxes is None else BboxParams(**boxes)
    keypoint_params = None if points is None else KeypointParams(**points)
    labels = Labels(
        {
            "bboxes": None if bbox_params is None else bbox_params.label_fields,
            "keypoints": None if keypoint_params is None else keypoint_params.label_fields,
        }
    )
    labels.check(data)
    session = make_layout(kinds, bbox_params, keypoint_params, True).open(data)
    if size is not None:
        _check_input(size, session, ops)
    try:
        kept = session.finish(ops, data, None)
    except Exception as error:
        _blame(error, nodes)
        raise
    labels.give_back(data, kept or {}, {})
    if record.get("tensors"):
        from ferraug.interop import wrap_result

        wrap_result(data, kinds)
    return data


def as_op(op: Any) -> tuple[Any, ...]:
    """An op whose tuples JSON turned into lists."""
    return tuple(as_op(part) if isinstance(part, (list, tuple)) else part for part in op)


def _check_input(size: Mapping[str, Any], session: Any, ops: list[tuple[Any, ...]]) -> None:
    names = ("w", "h", "d", "c", "dtype") if any(op[0] not in SIZELESS for op in ops) else ("c", "dtype")
    if not ops:
        return
    for name in names:
        if size[name] != getattr(session, name):
            raise ValueError(f"the record is of an input with {name}={size[name]}, got {name}={getattr(session, name)}")


def _redraw(node: Node | None, draw: Mapping[str, Any], nodes: Any, data: dict[str, Any]) -> dict[str, Any]:
    if node is None:
        raise ConfigError("the record holds user code; pass transforms=pipeline")
    root = Root(int(draw["seed"], 16))
    node.prepare(root)
    ctx = perform(node, root, data, draw=_core.Draw(root.seed, tuple(int(part, 16) for part in draw["key"])))
    if ctx is not None:
        drawn = [[step[3], type(step[1]).__name__] for step, _, _ in ctx.marks]
        if drawn != [list(entry[:2]) for entry in nodes]:
            raise ConfigError("the pipeline is not the one of the record: other transforms fired")
    return data


def _blame(error: BaseException, nodes: Any) -> None:
    op = getattr(error, "op", None)
    if op is not None and hasattr(error, "add_note"):
        for path, name, first, end in nodes:
            if first <= op < end:
                error.add_note(f"in transform {path} ({name})")


def explain(node: Node, root: Root, shape: tuple[int, ...], dtype: str, key: tuple[int, ...]) -> str:
    """The plan of a call in which every transform fires."""
    if len(shape) not in (2, 3, 4):
        raise ValueError(f"shape must be (h, w), (h, w, c) or (d, h, w, c), got {shape}")
    d = shape[0] if len(shape) == 4 else 1
    h, w = shape[-3:-1] if len(shape) == 4 else shape[:2]
    c = shape[-1] if len(shape) > 2 else 1
    session = Blank(int(w), int(h), int(d), int(c), dtype, PEAKS.get(dtype, 0.0))
    certain: Any = Certain(root.seed, key)
    ctx = Context(session, certain, {}, root)
    if root.filters is not None:
        ctx.filters, _ = root.filters[True, True]
    node.fire(ctx, root.step)
    if ctx.filters is not None:
        ctx.ops.append(("filter",))
    lines = []
    for step, first, end in ctx.marks:
        name = f"{step[3]} {type(step[1]).__name__}" if step[3] else type(step[1]).__name__
        lines.append(f"{name}: " + (", ".join(map(repr, ctx.ops[first:end])) or "nothing"))
    return "\n".join(lines) + "\n\n" + _core.explain(ctx.ops, session.w, session.h, session.d, session.c, dtype)


class Certain:
    """A `Draw` whose every node fires."""

    def __init__(self, seed: int, key: tuple[int, ...]) -> None:
        self.draw = _core.Draw(seed, key)

    def begin(self, node: int, p: float) -> bool:
        self.draw.enter(node)
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.draw, name)


class ReplayCompose(Compose):
    """A Compose whose results also hold the record of the call, from which `replay` repeats it.

    Args:
        transforms: transforms and compositions.
        bbox_params: `BboxParams`, or a dict of its arguments.
        keypoint_params: `KeypointParams`, or a dict of its arguments.
        additional_targets: further keys of the call and what each is treated as.
        p: probability that the pipeline is applied at all.
        is_check_shapes: raise if images and masks of one call differ in height or width.
        save_key: key of the record in the result.
    """

    stores: tuple[str, ...] = (*Compose.stores, "save_key")

    def __init__(
        self,
        transforms: Any,
        bbox_params: BboxParams | Mapping[str, Any] | None = None,
        keypoint_params: KeypointParams | Mapping[str, Any] | None = None,
        additional_targets: Mapping[str, str] | None = None,
        p: float = 1.0,
        is_check_shapes: bool = True,
        save_key: str = "replay",
    ) -> None:
        super().__init__(transforms, bbox_params, keypoint_params, additional_targets, p, is_check_shapes)
        self.save_key = save_key

    def prepare(self, root: Root) -> None:
        super().prepare(root)
        root.reports = True

    def result(self, data: dict[str, Any], ctx: Context) -> dict[str, Any]:
        data[self.save_key] = make_record(self, ctx.root, ctx.draw.key, ctx, data)
        return data

    @staticmethod
    def replay(saved_augmentations: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Does again what a record says; see `ferraug.replay`."""
        return replay(saved_augmentations, **kwargs)


__all__ = ["ReplayCompose", "explain", "make_record", "replay"]
