"""What a transform is: a class whose attributes declare its arguments, and one method that says what to do.

From the declarations follow the signature, the checks, `repr`, the docs and what is stored by `to_dict`. The order of
the attributes is the order of the arguments; `p` stands where Albumentations 2.0.8 has it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ferraug import params as kinds
from ferraug import values
from ferraug._core import CropSizeError as CropSizeError
from ferraug._core import Draw
from ferraug.call import KINDS, PLAIN, ROOT, Root, check_key, check_seed, note, perform, worker_key
from ferraug.context import Context
from ferraug.params import (
    REQUIRED,
    Anything,
    Around,
    AxisRange,
    Bool,
    Border,
    Choice,
    Fill,
    Fixed,
    Float,
    HoleFill,
    HoleRange,
    Int,
    Interp,
    InterpPair,
    Ints,
    KernelLimit,
    Maybe,
    NonNeg,
    NonNegInt,
    OddInt,
    OnePlus,
    Padding,
    Parameter,
    PerChannel,
    Prob,
    Range,
    RangeInt,
    ResizeInterp,
    Side,
    SizeHw,
    SizePair,
    Sizes,
    Sym,
    ZeroOne,
)

if TYPE_CHECKING:
    from inspect import Signature

    from typing_extensions import dataclass_transform
elif sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[type], type]:
        return lambda cls: cls


FLAGS = (bool, int)  # what `force_apply` may be
REGISTRY: dict[str, type[Node]] = {}  # the name a class is stored under -> the class
USER_METHODS = frozenset(
    (
        "apply", "apply_to_images", "apply_to_mask", "apply_to_masks", "apply_to_bboxes", "apply_to_keypoints",
        "apply_to_volume", "apply_to_volumes", "apply_to_mask3d", "apply_to_masks3d", "get_params",
        "get_params_dependent_on_data", "targets_as_params", "targets",
    )
)  # fmt: skip


class Declaration(type):
    """Reads the declared arguments of a class and writes its `__init__`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> Declaration:
        own = {key: value for key, value in space.items() if isinstance(value, Parameter)}
        for key in own:
            del space[key]  # an instance that lacks an argument must not find its declaration instead
        cls: Any = super().__new__(mcs, name, bases, space, **options)
        fields: dict[str, Parameter[Any, Any]] = {}
        for base in reversed(cls.__mro__[1:]):
            fields.update(base.__dict__.get("fields", {}))
        fields.update(own)
        cls.fields = fields
        if "__init__" in space:
            cls.declared = False
        elif own:
            cls.declared = True
            cls.__init__ = write_init(cls, fields)
        if fields and cls.declared:
            cls.__doc__ = write_doc(space.get("__doc__"), fields)
        return cls  # type: ignore[no-any-return]

    if not TYPE_CHECKING:  # a type checker must see the fields' `__init__`, not this

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if kwargs and cls.declared and not kwargs.keys() <= cls.fields.keys():
                raise TypeError(unknown_argument(cls.__name__, kwargs, cls.fields))
            return type.__call__(cls, *args, **kwargs)

        @property
        def __signature__(cls) -> Signature:
            from inspect import signature

            whole = signature(cls.__init__)
            return whole.replace(parameters=list(whole.parameters.values())[1:])


def unknown_argument(name: str, given: Iterable[str], known: Iterable[str]) -> str:
    """The text for an argument that does not exist."""
    known = list(known)
    wrong = next(key for key in given if key not in known)
    guess = values.closest(wrong, known)
    hint = f"did you mean {guess!r}?" if guess else f"it takes {', '.join(known)}"
    return f"{name}() got an unexpected argument {wrong!r}; {hint}"


def write_init(cls: type, fields: Mapping[str, Parameter[Any, Any]]) -> Callable[..., None]:
    """An `__init__` with the fields as its real signature, which parses and stores every value."""
    space: dict[str, Any] = {"_store": store, "_fields": parsers(fields)}
    arguments = []
    for name, field in fields.items():
        if field.default is REQUIRED:
            arguments.append(name)
        else:
            space[f"_{name}"] = field.default
            arguments.append(f"{name}=_{name}")
    text = f"def __init__(self, {', '.join(arguments)}):\n    _store(self, _fields, ({', '.join(fields)},))\n"
    exec(text, space)
    init: Callable[..., None] = space["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    return init


def parsers(fields: Mapping[str, Parameter[Any, Any]]) -> tuple[tuple[str, Callable[[Any], Any], Any, Any], ...]:
    """(name, parse, default, parsed default); defaults that are dicts are parsed anew for each instance."""
    rows = []
    for name, field in fields.items():
        default = field.default
        ready = REQUIRED if default is REQUIRED else field.parse(default)
        if isinstance(ready, dict):
            default = REQUIRED
        rows.append((name, field.parse, default, ready))
    return tuple(rows)


def store(node: Node, fields: Iterable[tuple[str, Callable[[Any], Any], Any, Any]], values: tuple[Any, ...]) -> None:
    """Parses the arguments onto the instance."""
    own = node.__dict__
    for (name, parse, default, ready), value in zip(fields, values):
        if value is default:
            own[name] = ready
            continue
        try:
            own[name] = parse(value)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise type(error)(f"{type(node).__name__}: {name} {error}") from None
    node.check()


def write_doc(doc: str | None, fields: Mapping[str, Parameter[Any, Any]]) -> str | None:
    """The class's own words, then what its fields say."""
    if doc is None:  # python -OO
        return None
    first, _, rest = doc.strip().partition("\n")
    lines = [first, *(line.removeprefix("    ") for line in rest.splitlines()), "", "Args:"]
    for name, field in fields.items():
        default = "" if field.default is REQUIRED else f" Default: {field.default!r}."
        lines.append(f"    {name} ({field.describe()}): {field.doc}{default}")
    return "\n".join(lines) + "\n"


class Node(metaclass=Declaration):
    """A transform or a composition: what can be called, put into a list, stored."""

    p: Any
    fields: ClassVar[dict[str, Parameter[Any, Any]]]
    declared: ClassVar[bool]  # whether `__init__` was written from the fields
    short_name: ClassVar[str]
    always: ClassVar[bool] = False  # p does not decide whether it fires, but what it does
    _root: Root | None = None
    _seed: int | None = None
    _calls = 0
    _extra_targets: Mapping[str, str] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        home = cls.__module__.partition(".")[0] == __name__.partition(".")[0]
        cls.short_name = cls.__name__ if home else f"{cls.__module__}.{cls.__qualname__}"
        if not cls.__name__.startswith("_"):
            REGISTRY[cls.short_name] = cls

    def check(self) -> None:
        """Checks arguments against each other, after all are stored."""

    # -- calls ---------------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Augments `image=…`, `mask=…`, `bboxes=…`, … and returns them in a new dict; other keys pass through."""
        if args:
            raise KeyError("You have to pass data to augmentations as named arguments, for example: aug(image=image)")
        if force_apply is not False and type(force_apply) not in FLAGS:
            raise TypeError(f"force_apply must be bool or int, got {type(force_apply).__name__}")
        root = self._root
        if root is None or root.children != root.flattened:
            root = self._remake()
        ctx = perform(self, root, data, force_apply)
        return data if ctx is None or not root.reports else self.result(data, ctx)

    def at(self, epoch: int, index: int) -> Callable[..., dict[str, Any]]:
        """The same pipeline with the numbers of one place: whatever was called before, in whatever process."""
        key = check_key((epoch, index))

        def call(*args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
            if args:
                raise KeyError("You have to pass data to augmentations as named arguments")
            return self._keyed(data, key, None, force_apply)[0]

        return call

    def run(
        self, data: Mapping[str, Any], *, key: Any = None, out: Any = None, record: bool = False
    ) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
        """One call with all its options.

        Args:
            data: what `__call__` takes as keywords.
            key: one to three integers or strings that decide the numbers drawn; None is the next of the sequence.
            out: array that receives the image.
            record: also return the record, from which `ferraug.replay` repeats the call on other arrays.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"data: must be a dict of what a call takes as keywords, got {values.show(data)}")
        result, make_record = self._keyed(dict(data), None if key is None else check_key(key), out, False)
        return (result, make_record()) if record else result

    def _keyed(
        self, data: dict[str, Any], key: tuple[int, ...] | None, out: Any, force: bool
    ) -> tuple[dict[str, Any], Callable[[], dict[str, Any]]]:
        root = self._root
        if root is None or root.children != root.flattened:
            root = self._remake()
        draw = root.calls.next(worker_key()) if key is None else Draw(root.seed, key)
        ctx = perform(self, root, data, force, draw, out)

        def record() -> dict[str, Any]:
            from ferraug.replay import make_record

            return make_record(self, root, draw.key, ctx, data)

        return (data if ctx is None or not root.reports else self.result(data, ctx)), record

    def result(self, data: dict[str, Any], ctx: Context) -> dict[str, Any]:
        """What a call returns."""
        return data

    def explain(self, shape: tuple[int, ...], dtype: str = "uint8", key: Any = (0, 0)) -> str:
        """The plan for an image of this shape, without pixels: what every transform says (all of them firing) and how
        the core runs it."""
        from ferraug.replay import explain

        root = self._root
        if root is None or root.children != root.flattened:
            root = self._remake()
        return explain(self, root, shape, dtype, check_key(key))

    def _remake(self) -> Root:
        """The root for calls to this node; keeps its place in the sequence."""
        old = self._root
        if old is not None:
            self._calls = old.calls.count
        root = Root(self._seed if old is None else old.seed, self._calls)
        self.prepare(root)
        root.reports |= getattr(self, "save_applied_params", False)
        if old is None:  # of two threads that come first, one makes the sequence that both draw from
            return self.__dict__.setdefault("_root", root)  # type: ignore[no-any-return]
        self._root = root
        return root

    def prepare(self, root: Root) -> None:
        """Fills a root: layout, children."""
        from ferraug import _core

        if self._extra_targets:
            root.kinds = {**KINDS, **self._extra_targets}
            root.layout = _core.Layout(dict(root.kinds), None, None, False)
        else:
            root.layout = PLAIN
        root.step = self.flatten(ROOT, "", root)

    def flatten(self, node: int, path: str, root: Root) -> Any:
        """This node as a step, under its id and path."""
        return node, self, None, path

    def fire(self, ctx: Context, step: Any) -> None:
        """Draws and says what this node, which was decided to fire, does."""
        raise NotImplementedError

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Refuses data before anything is drawn."""

    # -- seeds and targets ---------------------------------------------------------------------------------------------

    @property
    def seed(self) -> int | None:
        """The seed given, or None."""
        return self._seed

    def set_random_seed(self, seed: int | None) -> None:
        """Starts the sequence of calls anew from a seed."""
        self._seed = check_seed(seed)
        self._calls = 0
        self.__dict__.pop("_root", None)

    def add_targets(self, additional_targets: Mapping[str, str]) -> None:
        """Names further targets, each with the kind it is treated as."""
        self._extra_targets = {**self._extra_targets, **check_targets(additional_targets, self._extra_targets)}
        if self._root is not None:
            self._remake()

    @property
    def available_keys(self) -> set[str]:
        """The targets this node knows."""
        return {*KINDS, *self._extra_targets}

    # -- storing -------------------------------------------------------------------------------------------------------

    @classmethod
    def is_serializable(cls) -> bool:
        """Whether `to_dict` can store it."""
        return True

    @classmethod
    def get_class_fullname(cls) -> str:
        """The name it is stored under."""
        return cls.short_name

    def stored(self) -> dict[str, Any]:
        """The arguments, by name."""
        return {name: getattr(self, name) for name in self.fields if hasattr(self, name)}

    def to_dict(self, on_not_implemented_error: str = "raise") -> dict[str, Any]:
        """The transform as plain data; see `ferraug.to_dict`."""
        from ferraug.serialize import to_dict

        return to_dict(self, on_not_implemented_error)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        root = state.pop("_root", None)
        if root is not None:
            state["_calls"] = root.calls.count
        return state

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.stored().items())})"


def check_targets(targets: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Additional targets {name: kind}, checked against those there are."""
    if not isinstance(targets, Mapping):
        raise TypeError(f"additional_targets: must be a dict {{name: kind}}, got {kinds.show(targets)}")
    for name, kind in targets.items():
        if not isinstance(name, str) or not isinstance(kind, str):
            raise TypeError(f"additional_targets: must map names to kinds, got {name!r}: {kind!r}")
        before = KINDS.get(name) or known.get(name)
        if before is not None and before != kind:
            raise ValueError(f"additional_targets: {name!r} is {before!r} already, got {kind!r}")
        if kind not in KINDS:
            guess = values.closest(kind, KINDS)
            hint = f"; did you mean {guess!r}?" if guess else f"; use one of {', '.join(KINDS)}"
            raise ValueError(f"additional_targets: {name!r} has the unknown kind {kind!r}{hint}")
    return dict(targets)


@dataclass_transform(
    field_specifiers=(
        Prob, Bool, Int, Side, Float, Choice, Interp, ResizeInterp, Border, Fill, HoleFill, Maybe, Sym, NonNeg,
        NonNegInt, ZeroOne, OnePlus, Range, RangeInt, OddInt, KernelLimit, SizePair, SizeHw, Sizes, Ints, PerChannel,
        Padding, AxisRange, Fixed, Around, HoleRange, InterpPair, Anything,
    )
)  # fmt: skip
class Transform(Node):
    """A transform that says its work in ops.

    A subclass declares its arguments and writes `emit`. `kind` is "dual" if it moves or hides pixels of every target,
    "image" if it changes the values of image lanes alone. `works_in` ("u8" or "f32") brackets the ops of a transform
    whose formula exists in one element type only.
    """

    kind: ClassVar[str] = "image"
    works_in: ClassVar[str | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        wrong = USER_METHODS.intersection(cls.__dict__)
        if wrong:
            raise TypeError(
                f"{cls.__name__} overrides {', '.join(sorted(wrong))}, which {cls.__mro__[1].__name__} never calls; "
                "the core works on its pixels; derive from ferraug.ImageOnlyTransform or ferraug.DualTransform instead"
            )
        if cls.works_in is not None and "emit" in cls.__dict__:
            cls.emit = bracketed(cls.emit, cls.works_in)  # type: ignore[method-assign,assignment]

    def emit(self, ctx: Context) -> None:
        """Draws the numbers of one call and says what to do."""
        raise NotImplementedError(f"{type(self).__name__} must define emit(ctx)")

    def fire(self, ctx: Context, step: Any) -> None:
        first = len(ctx.ops)
        try:
            self.emit(ctx)
        except Exception as error:
            note(error, step)
            raise
        ctx.marks.append((step, first, len(ctx.ops)))


def bracketed(emit: Callable[[Any, Context], None], dtype: str) -> Callable[[Any, Context], None]:
    """`emit` with its ops in a working dtype; an `emit` that says nothing stays silent."""
    full, peak = ("uint8", 255.0) if dtype == "u8" else ("float32", 1.0)

    def wrapped(self: Any, ctx: Context) -> None:
        ops, own_dtype, own_peak = ctx.ops, ctx.dtype, ctx.max_value
        ops.append(("work", dtype))
        length = len(ops)
        ctx.dtype, ctx.max_value = full, peak
        emit(self, ctx)
        ctx.dtype, ctx.max_value = own_dtype, own_peak
        if len(ops) == length:
            ops.pop()
        else:
            ops.append(("work", "own"))

    return wrapped
