"""Compositions: lists of transforms, and the rule by which a call goes through them.

A pipeline is flattened once into steps, (node id, node, its own steps, path), where the id is the key of the node's
draws. A call walks the steps, and every child draws and says its ops into one list. The flattened form is remade when
a list of children holds other objects than before; `p` is read at every call.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from ferraug import _core
from ferraug.boxes import BboxParams
from ferraug.call import KINDS, ROOT, Root, check_seed, note
from ferraug.context import Context
from ferraug.keypoints import KeypointParams
from ferraug.labels import Labels
from ferraug.params import Interp, Prob
from ferraug.targets import as_params, make_filters, make_layout
from ferraug.transform import Node, check_targets
from ferraug.values import INF, bound, closest, integer, number, show

Step = tuple[int, Node, Any, str]
MAX_DEPTH = 64


def walk(ctx: Context, steps: Sequence[Step]) -> None:
    """Every child in turn, each with its own p; a filter is due after each, fired or not."""
    begin = ctx.draw.begin
    ops, marks = ctx.ops, ctx.marks
    filtering = ctx.filters is not None
    step: Any = None
    try:
        for step in steps:
            node_id, node, inner, _ = step
            if inner is not None:
                node.visit(ctx, step)
            elif begin(node_id, node.p):
                first = len(ops)
                node.emit(ctx)
                marks.append((step, first, len(ops)))
            if filtering:
                ctx.due = not ctx.clean
    except Exception as error:
        note(error, step)
        raise


def force(ctx: Context, step: Step) -> None:
    """One child, whatever its p (but never one whose p is 0)."""
    node_id, node, _, _ = step
    if node.p > 0 or node.always:
        ctx.draw.enter(node_id)
        node.fire(ctx, step)


class BaseCompose(Node):
    """A list of transforms and a rule of going through it.

    Args:
        transforms: transforms and compositions; one that is given alone is wrapped in a list, with a warning.
        p: probability of being applied.
        mask_interpolation: written over the `mask_interpolation` of every transform below that has one.
        seed: start of the sequence of calls; None draws it from the system.
        save_applied_params: results also say which transforms fired, as `applied_transforms`.
    """

    transforms: list[Any]
    stores: tuple[str, ...] = ()  # arguments that are stored besides p and the children

    def __init__(
        self,
        transforms: Any,
        p: float,
        mask_interpolation: int | None = None,
        seed: int | None = None,
        save_applied_params: bool = False,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        for key in kwargs:
            raise TypeError(f"{name}() got an unexpected argument {key!r}")
        if isinstance(transforms, Node):
            warnings.warn(
                f"{name}: transforms is a single transform; it is wrapped in a list", UserWarning, stacklevel=4
            )
            transforms = [transforms]
        if isinstance(transforms, (str, bytes, Mapping)) or not hasattr(transforms, "__len__"):
            raise TypeError(f"{name}: transforms must be a list, got {show(transforms)}")
        self.transforms = transforms if isinstance(transforms, list) else list(transforms)
        check_children(self.transforms, name)
        try:
            self.p = Prob().parse(p)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: p {error}") from None
        self._seed = check_seed(seed)
        self.save_applied_params = bool(save_applied_params)
        self.mask_interpolation: int | None = None
        if mask_interpolation is not None:
            self.set_mask_interpolation(mask_interpolation)

    def set_mask_interpolation(self, mask_interpolation: int | None) -> None:
        """Writes an interpolation over that of every transform below that has one."""
        if mask_interpolation is not None:
            try:
                mask_interpolation = Interp().parse(mask_interpolation)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{type(self).__name__}: mask_interpolation {error}") from None
            for node in self.descendants():
                if isinstance(node, BaseCompose) or hasattr(node, "mask_interpolation"):
                    node.mask_interpolation = mask_interpolation
        self.mask_interpolation = mask_interpolation

    def descendants(self) -> Iterator[Node]:
        """Every node below this one."""
        for child in self.transforms:
            yield child
            if isinstance(child, BaseCompose):
                yield from child.descendants()

    # -- the walk ------------------------------------------------------------------------------------------------------

    def flatten(self, node: int, path: str, root: Root) -> Step:
        depth = path.count(".") + 1 if path else 0
        if depth >= MAX_DEPTH:
            raise ValueError(f"{type(self).__name__}: depth > {MAX_DEPTH}")
        check_children(self.transforms, type(self).__name__)
        root.children.append(self.transforms)
        root.flattened.append(list(self.transforms))
        prefix = path + "." if path else ""
        steps = tuple(
            child.flatten(_core.fold_node(node, i), f"{prefix}{i}", root) for i, child in enumerate(self.transforms)
        )
        return node, self, steps, path

    def visit(self, ctx: Context, step: Step) -> None:
        """Decides whether this node fires, and goes on."""
        if ctx.draw.begin(step[0], self.p) or self.always:
            self.fire(ctx, step)

    def fire(self, ctx: Context, step: Step) -> None:
        """Goes through the children of this node, which was decided to fire."""
        walk(ctx, step[2])

    def result(self, data: dict[str, Any], ctx: Context) -> dict[str, Any]:
        data["applied_transforms"] = [
            (type(step[1]).__name__, {"path": step[3], "ops": ctx.ops[first:end]}) for step, first, end in ctx.marks
        ]
        return data

    # -- the list ------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.transforms)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.transforms)

    @overload
    def __getitem__(self, item: int) -> Any: ...
    @overload
    def __getitem__(self, item: slice) -> list[Any]: ...
    def __getitem__(self, item: int | slice) -> Any:
        return self.transforms[item]

    def stored(self) -> dict[str, Any]:
        return {"p": self.p, **{name: getattr(self, name) for name in self.stores}}

    def __repr__(self) -> str:
        return self.indented_repr()

    def indented_repr(self, indent: int = 2) -> str:
        """`repr` with the children on lines of their own."""
        space = " " * indent
        lines = [f"{type(self).__name__}(["]
        for child in self.transforms:
            text = child.indented_repr(indent + 2) if isinstance(child, BaseCompose) else repr(child)
            lines.append(f"{space}{text},")
        rest = ", ".join(f"{name}={value!r}" for name, value in self.stored().items())
        lines.append(f"{space[2:]}], {rest})")
        return "\n".join(lines)


def check_children(children: Sequence[Any], name: str) -> None:
    """Transforms only, no list inside itself, not too deep."""
    for i, child in enumerate(children):
        if not isinstance(child, Node):
            hint = "; use an instance, not the class" if isinstance(child, type) else ""
            raise TypeError(f"{name}: transforms[{i}] is not a transform: {show(child)}{hint}")
    stack: list[tuple[Any, tuple[int, ...]]] = [(children, ())]
    while stack:
        inner, above = stack.pop()
        if id(inner) in above:
            raise ValueError(f"{name}: transforms contains itself")
        if len(above) > MAX_DEPTH:
            raise ValueError(f"{name}: depth > {MAX_DEPTH}")
        here = (*above, id(inner))
        stack.extend((child.transforms, here) for child in inner if isinstance(child, BaseCompose))


class Compose(BaseCompose):
    """A pipeline: applies its transforms in order, and takes care of boxes, keypoints and labels.

    Args:
        transforms: transforms and compositions.
        bbox_params: `BboxParams`, or a dict of its arguments; needed for `bboxes=`.
        keypoint_params: `KeypointParams`, or a dict of its arguments; needed for `keypoints=`.
        additional_targets: further keys of the call and what each is treated as, as {"image2": "image"}.
        p: probability that the pipeline is applied at all.
        is_check_shapes: raise if images and masks of one call differ in height or width.
        strict: raise on keys of the call that no target, label or transform is known for.
        mask_interpolation: written over the `mask_interpolation` of every transform below that has one.
        seed: integer in 0..2⁶⁴−1: the n-th call of two pipelines with equal seeds and transforms is equal. None draws
            a seed from the system.
        save_applied_params: results also say which transforms fired, as `applied_transforms`.
    """

    stores: tuple[str, ...] = ("bbox_params", "keypoint_params", "additional_targets", "is_check_shapes")

    def __init__(
        self,
        transforms: Any,
        bbox_params: BboxParams | Mapping[str, Any] | None = None,
        keypoint_params: KeypointParams | Mapping[str, Any] | None = None,
        additional_targets: Mapping[str, str] | None = None,
        p: float = 1.0,
        is_check_shapes: bool = True,
        strict: bool = False,
        mask_interpolation: int | None = None,
        seed: int | None = None,
        save_applied_params: bool = False,
    ) -> None:
        super().__init__(transforms, p, mask_interpolation, seed, save_applied_params)
        self.bbox_params: BboxParams | None = as_params("bbox_params", bbox_params, BboxParams)
        self.keypoint_params: KeypointParams | None = as_params("keypoint_params", keypoint_params, KeypointParams)
        self.is_check_shapes = bool(is_check_shapes)
        self.strict = bool(strict)
        if additional_targets is not None:
            self._extra_targets = check_targets(additional_targets, {})
        for name, params in (("bboxes", self.bbox_params), ("keypoints", self.keypoint_params)):
            for field in (params and params.label_fields) or ():
                if field in KINDS or field in self._extra_targets:
                    raise ValueError(f"{type(params).__name__}: label_fields: {field!r} is a target of the call, no labels")
            if params is not None and self.transforms and not any(takes(node, name) for node in self.descendants()):
                warnings.warn(f"Got processor for {name}, but no transform to process it.", UserWarning, stacklevel=3)

    @property
    def additional_targets(self) -> dict[str, str]:
        """Further keys of the call and what each is treated as."""
        return dict(self._extra_targets)

    @property
    def processors(self) -> dict[str, Any]:
        """The box and keypoint parameters that are in force, by target."""
        both = {"bboxes": self.bbox_params, "keypoints": self.keypoint_params}
        return {name: params for name, params in both.items() if params is not None}

    @property
    def available_keys(self) -> set[str]:
        keys = {*KINDS, *self._extra_targets}
        for params in self.processors.values():
            keys.update(params.label_fields or ())
        for node in self.descendants():
            keys.update(getattr(node, "targets_as_params", ()) or ())
            keys.update(getattr(node, "own_targets", ()))
        return keys

    def prepare(self, root: Root) -> None:
        boxes, points = self.bbox_params, self.keypoint_params
        root.kinds = {**KINDS, **self._extra_targets}
        root.layout = make_layout(root.kinds, boxes, points, self.is_check_shapes)
        root.whole, root.strict = True, self.strict
        fields = {name: params.label_fields for name, params in self.processors.items()}
        if any(fields.values()):
            root.labels = Labels(fields)
        root.columns = {"bboxes": 4, "keypoints": 5 if points is None else len(points.format)}
        if fields:
            root.filters = make_filters(boxes, points)
        root.step = self.flatten(ROOT, "", root)

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Of a strict pipeline: ValueError for a key that nothing is known about, or for rows without parameters."""
        available = self.available_keys
        for key in data:
            if key not in available:
                guess = closest(key, available)
                hint = f" Did you mean {guess!r}?" if guess else ""
                raise ValueError(f"Key {key} is not in available keys.{hint}")
        kinds = {**KINDS, **self._extra_targets}
        for key in data:
            if kinds.get(key) == "bboxes" and self.bbox_params is None:
                raise ValueError("bbox_params must be specified for bbox transformations")
            if kinds.get(key) == "keypoints" and self.keypoint_params is None:
                raise ValueError("keypoints_params must be specified for keypoint transformations")


def takes(node: Node, target: str) -> bool:
    """Whether a node does something about a target, at least by moving the image under it."""
    if isinstance(node, BaseCompose):
        return False
    asked = getattr(node, "takes", None)
    return bool(asked(target)) if asked is not None else getattr(node, "kind", "dual") == "dual"


class OneOf(BaseCompose):
    """Applies one of its transforms, picked with their p as weights; the one picked is applied for certain.

    Args:
        transforms: transforms and compositions; an empty list does nothing.
        p: probability that one is applied.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__(transforms, p)
        check_weights(self)

    def fire(self, ctx: Context, step: Step) -> None:
        steps = step[2]
        if steps:
            force(ctx, steps[ctx.draw.choice([inner[1].p for inner in steps])])


def check_weights(node: BaseCompose) -> None:
    """At least one child can be picked."""
    if node.transforms and not any(child.p > 0 for child in node.transforms):
        raise ValueError(f"{type(node).__name__}: the p of every transform is 0, so none can be picked")


class SomeOf(BaseCompose):
    """Applies n of its transforms in their order, picked evenly, each with its own p.

    Args:
        transforms: transforms and compositions.
        n: how many are picked; more than there are becomes all, with a warning, unless `replace`.
        replace: the same one may be picked more than once.
        p: probability that any are picked.
    """

    stores: tuple[str, ...] = ("n", "replace")
    in_order = True

    def __init__(self, transforms: Any, n: int = 1, replace: bool = False, p: float = 1) -> None:
        super().__init__(transforms, p)
        try:
            self.n = int(bound(integer(n), 0, INF))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{type(self).__name__}: n {error}") from None
        self.replace = bool(replace)
        if not self.replace and self.n > len(self.transforms):
            warnings.warn(
                f"`n` is greater than number of transforms. `n` will be set to {len(self.transforms)}.",
                UserWarning,
                stacklevel=3,
            )
            self.n = len(self.transforms)

    def fire(self, ctx: Context, step: Step) -> None:
        steps = step[2]
        count = len(steps)
        if not count:
            return
        draw = ctx.draw
        if self.replace:
            picks = [draw.integers(0, count - 1) for _ in range(self.n)]
        else:
            picks = list(draw.sample(count, min(self.n, count)))
        if self.in_order:
            picks.sort()
        if self.replace:
            walk(ctx, numbered(steps, picks))
        else:
            walk(ctx, [steps[i] for i in picks])


def numbered(steps: Sequence[Step], picks: Sequence[int]) -> list[Step]:
    """The steps picked; a step picked again gets ids of its own, or it would draw the same numbers."""
    seen: dict[int, int] = {}
    chosen: list[Step] = []
    for i in picks:
        times = seen[i] = seen.get(i, -1) + 1
        step = steps[i]
        chosen.append(step if times == 0 else step[1].flatten(_core.fold_node(step[0], times), step[3], Root(0)))
    return chosen


class RandomOrder(SomeOf):
    """Applies n of its transforms in the order they are picked, each with its own p.

    Args:
        transforms: transforms and compositions.
        n: how many are picked; more than there are becomes all, with a warning, unless `replace`.
        replace: the same one may be picked more than once.
        p: probability that any are picked.
    """

    in_order = False


class OneOrOther(BaseCompose):
    """Applies its first transform with probability p, else its last; the one picked is applied for certain.

    Args:
        first: one transform.
        second: the other.
        transforms: both as a list, instead.
        p: probability of the first.
    """

    def __init__(self, first: Any = None, second: Any = None, transforms: Any = None, p: float = 0.5) -> None:
        if transforms is None:
            if first is None or second is None:
                raise ValueError("OneOrOther: you must set both first and second, or transforms")
            transforms = [first, second]
        super().__init__(transforms, p)
        if len(self.transforms) != 2:
            warnings.warn("OneOrOther: length of transforms is not equal to 2", UserWarning, stacklevel=3)

    always = True

    def fire(self, ctx: Context, step: Step) -> None:
        if step[2]:
            force(ctx, step[2][0 if ctx.draw.random() < self.p else -1])


class Sequential(BaseCompose):
    """Applies its transforms in order, as a Compose inside another composition does.

    Args:
        transforms: transforms and compositions.
        p: probability that they are applied.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__(transforms, p)


class SelectiveChannelTransform(BaseCompose):
    """Applies its transforms to some channels of the image and to nothing else.

    Args:
        transforms: transforms and compositions that keep the size of the image.
        channels: numbers of the channels, which the transforms see as an image of their own.
        p: probability that they are applied.
    """

    stores: tuple[str, ...] = ("channels",)

    def __init__(self, transforms: Any, channels: Sequence[int] = (0, 1, 2), p: float = 1.0) -> None:
        super().__init__(transforms, p)
        self.channels = tuple(int(bound(number(c), 0, 511)) for c in channels)

    def fire(self, ctx: Context, step: Step) -> None:
        with ctx.aside("put", channels=self.channels):
            walk(ctx, step[2])
