"""One call: draw, cross into the core, give back. And which numbers a call draws.

A node (a transform or a composition) that is called keeps a `Root`: its seed, its place in its sequence of calls, the
layout of its targets and its flattened children. The key of a call and the node's path decide every number drawn, so
nothing else about the process matters: no global state, no order of calls, no number of threads.
"""

from __future__ import annotations

import os
from operator import index
from sys import modules
from typing import TYPE_CHECKING, Any

from ferraug._core import Calls, Draw, Layout, fold_node
from ferraug.context import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ferraug.transform import Node

    Step = tuple[int, Node, Any, str]  # node id, the node, its children if it is a composition, its path

Filters = dict[tuple[bool, bool], tuple[Any, Any]]
KINDS = {
    kind: kind
    for kind in (
        "image", "images", "mask", "masks", "volume", "volumes", "mask3d", "masks3d", "bboxes", "keypoints",
    )
}  # fmt: skip
ARRAYS = ("image", "images", "mask", "masks", "volume", "volumes", "mask3d", "masks3d")
EVERY = ("filter",)  # the op that filters boxes and keypoints alike
U64 = 1 << 64
ROOT = fold_node(0, 0)

# -- keys ------------------------------------------------------------------------------------------------------------

_lineage = 0  # 0 in the first process; in a forked child, which fork of which parent it is
_forks = 0


def _before_fork() -> None:
    global _forks
    _forks += 1


def _after_fork() -> None:
    global _lineage, _forks
    _lineage = (fold_node(_lineage & 0xFFFFFFFF, _forks) | 1 << 32) & (U64 - 1)
    _forks = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def worker_key() -> int:
    """What sets this process apart: 0 in the first, else the torch worker's seed or the number of the fork."""
    if "torch.utils.data" in modules:
        info = modules["torch.utils.data"].get_worker_info()
        if info is not None:
            return int(info.seed) % U64
    return _lineage


def check_seed(seed: Any) -> int | None:
    """A seed in 0..2⁶⁴−1, or None."""
    if seed is None:
        return None
    try:
        value = index(seed)
    except TypeError:
        raise TypeError(f"seed: must be an integer in 0..2**64-1 or None, got {seed!r}") from None
    if not 0 <= value < U64:
        raise ValueError(f"seed: must be in 0..2**64-1, got {value}")
    return value


def check_key(key: Any) -> tuple[int, ...]:
    """One to three integers in 0..2⁶⁴−1, or a string."""
    parts = key if isinstance(key, tuple) else (key,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"key: must have 1 to 3 parts, got {len(parts)}")
    return tuple(_part(part) for part in parts)


def _part(part: Any) -> int:
    if isinstance(part, str):
        from hashlib import sha256

        return int.from_bytes(sha256(part.encode()).digest()[:8], "little")
    try:
        value = index(part)
    except TypeError:
        raise TypeError(f"key: must be integers or strings, got {part!r}") from None
    if not 0 <= value < U64:
        raise ValueError(f"key: must be in 0..2**64-1, got {value}")
    return value


class Root:
    """What a node keeps between the calls made to it. Nothing of it changes while a call runs, but its count."""

    __slots__ = (
        "calls", "children", "columns", "filters", "flattened", "kinds", "labels", "layout", "reports", "seed", "step",
        "strict", "whole",
    )  # fmt: skip

    def __init__(self, seed: int | None, first: int = 0) -> None:
        self.seed = int.from_bytes(os.urandom(8), "little") if seed is None else seed
        self.calls = Calls(self.seed, first)
        self.layout: Layout
        self.step: Step
        self.kinds: Mapping[str, str] = KINDS
        self.columns: Mapping[str, int] = {}  # coordinates in a caller's row, by kind of target
        # the lists of children below, and copies of them: once they differ, the root is stale
        self.children: list[list[Any]] = []
        self.flattened: list[list[Any]] = []
        self.whole = False  # a Compose: its data is checked and converted even when it does not fire
        self.strict = False  # a Compose that refuses keys it does not know
        self.reports = False  # results say which transforms fired
        self.labels: Any = None
        self.filters: Filters | None = None


PLAIN = Layout(KINDS, None, None, False)  # of a transform called on its own: internal rows, no shape checks


# -- the call --------------------------------------------------------------------------------------------------------


def perform(
    node: Node,
    root: Root,
    data: dict[str, Any],
    force: bool = False,
    draw: Draw | None = None,
    out: Any = None,
) -> Context | None:
    """Runs `node` over `data`, in place; None if a plain node did not fire."""
    if draw is None:
        draw = root.calls.next(worker_key())
    step = root.step
    fires = ((draw.begin(step[0], node.p) or force) and node.p > 0) or node.always
    if not (fires or root.whole):
        return None
    if root.strict:
        node.check_data(data)
    labels = root.labels
    if labels is not None:
        labels.check(data)
    try:
        session = root.layout.open(data)
    except (TypeError, ValueError, KeyError):
        missing(data, root.kinds)
        raise
    ctx = Context(session, draw, data, root)
    if not ctx.w:
        missing(data, root.kinds)
        raise ValueError("no image or mask to work on: the targets given are empty")
    last_filter = None
    if root.filters is not None:
        ctx.filters, last_filter = root.filters[session.has_boxes, session.has_keypoints]
    if fires:
        node.fire(ctx, step)
        if last_filter is not None and not (ctx.clean and ctx.filters == last_filter):
            ctx.ops.append(last_filter)
    try:
        kept = session.finish(ctx.ops, data, out)
    except Exception as error:
        blame(error, ctx)
        raise
    if labels is not None:
        labels.give_back(data, kept or {}, ctx.made)
    if ctx.wrap is not None:
        from ferraug.interop import wrap_result

        wrap_result(data, root.kinds)
    return ctx


def missing(data: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    """TypeError if a call has no array at all, with the key that was probably meant."""
    if any(data.get(key) is not None and kinds[key] in ARRAYS for key in kinds):
        return
    if "image" in data:
        raise TypeError("image: expected numpy.ndarray, got NoneType") from None

    from ferraug.values import closest

    hints = [f"{key}= (did you mean {guess!r}?)" for key in data if key not in kinds and (guess := closest(key, kinds))]
    got = f"; got {', '.join(hints)}" if hints else ""
    raise TypeError(f"no image or mask to work on: pass one of {', '.join(ARRAYS)}{got}") from None


def blame(error: BaseException, ctx: Context) -> None:
    """Notes on an error of the core which transform the failing op came from."""
    op = getattr(error, "op", None)
    if op is None:
        return
    for step, first, end in ctx.marks:
        if first <= op < end:
            note(error, step)
            return


def note(error: BaseException, step: Any) -> None:
    """Adds "in transform 0.2 (Rotate)" to an error, once."""
    if getattr(error, "__notes__", None):
        return
    text = f"in transform {step[3]} ({type(step[1]).__name__})" if step[3] else f"in {type(step[1]).__name__}"
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:
        error.__notes__ = [text]  # type: ignore[attr-defined]
