"""Kinds of arguments: what each accepts, what it becomes, and how it says no.

A transform declares its arguments as class attributes of these kinds; everything else (signature, checks, docs,
`repr`, serialisation) is read from them. Values are parsed once, at construction, into plain Python numbers, strings,
tuples and dicts, since only those may travel in ops. The kinds know nothing of pixels, NumPy or the core.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ferraug.values import INF, Number, bound, closest, integer, is_sequence, number, sequence, show, span
from ferraug.values import MAX_SIDE as MAX_SIDE

Accepted = TypeVar("Accepted")
Parsed = TypeVar("Parsed")
Pair = tuple[float, float]
Scale = float | Sequence[float]

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "<required>"})()
INTERPOLATIONS = {
    "nearest": 0, "linear": 1, "bilinear": 1, "cubic": 2, "bicubic": 2, "area": 3, "lanczos4": 4, "linear_exact": 5,
    "nearest_exact": 6,
}  # fmt: skip
BORDERS = {"constant": 0, "replicate": 1, "reflect": 2, "wrap": 3, "reflect_101": 4}


class Parameter(Generic[Accepted, Parsed]):
    """One argument: its kind, default and meaning."""

    accepts = "any value"

    def __init__(self, doc: str = "", *, default: Any = REQUIRED) -> None:
        self.doc = doc
        self.default = default

    def parse(self, value: Any) -> Any:
        """The value as the transform will use it; TypeError or ValueError with a text that follows the name."""
        raise NotImplementedError

    def describe(self) -> str:
        """What is accepted, for the docs."""
        return self.accepts

    if TYPE_CHECKING:  # type checkers see the accepted type in `__init__` and the parsed one on the instance

        def __get__(self, instance: object, owner: Any) -> Parsed: ...
        def __set__(self, instance: object, value: Accepted) -> None: ...


class Bounded(Parameter[Accepted, Parsed]):
    """A kind whose numbers lie in [low, high]."""

    floor = -INF
    ceiling = INF
    cast: Callable[[Any], Number] = staticmethod(number)

    def __init__(
        self, doc: str = "", *, low: float | None = None, high: float | None = None, default: Any = REQUIRED
    ) -> None:
        super().__init__(doc, default=default)
        self.low = self.floor if low is None else low
        self.high = self.ceiling if high is None else high

    def one(self, value: Any) -> Number:
        """One number, in bounds."""
        return bound(self.cast(value), self.low, self.high)

    def describe(self) -> str:
        limited = self.low > -INF or self.high < INF
        return f"{self.accepts}, {span(self.low, self.high)}" if limited else self.accepts


class Prob(Parameter[float, float]):
    """The probability that a transform fires."""

    accepts = "number in [0, 1]"

    def __init__(self, doc: str = "Probability of being applied.", *, default: Any = REQUIRED) -> None:
        super().__init__(doc, default=default)

    def parse(self, value: Any) -> float:
        try:
            return bound(number(value), 0, 1)
        except ValueError:
            raise ValueError(f"must be in [0, 1], got {show(value)}") from None


class Bool(Parameter[bool, bool]):
    """A switch."""

    accepts = "bool"

    def parse(self, value: Any) -> bool:
        if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_") or value in (0, 1):
            return bool(value)
        raise TypeError(f"must be True or False, got {show(value)}")


class Int(Bounded[int, int]):
    """An integer."""

    accepts = "int"
    cast = staticmethod(integer)

    def parse(self, value: Any) -> int:
        return self.one(value)  # type: ignore[return-value]


class Side(Int):
    """A side of an image, in pixels."""

    floor = 1
    ceiling = MAX_SIDE


class Float(Bounded[float, float]):
    """A number."""

    accepts = "number"

    def parse(self, value: Any) -> float:
        return self.one(value)


class Choice(Parameter[str, str]):
    """One of a few words."""

    def __init__(self, doc: str = "", *, options: tuple[str, ...] = (), default: Any = REQUIRED) -> None:
        super().__init__(doc, default=default)
        self.options = options

    def parse(self, value: Any) -> str:
        if isinstance(value, str) and value in self.options:
            return str(value)
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(f"must be one of {', '.join(map(repr, self.options))}, got {show(value)}")

    def describe(self) -> str:
        return " | ".join(map(repr, self.options))


def _code(value: Any, names: Mapping[str, int], allowed: Iterable[int], what: str) -> int:
    if isinstance(value, str):
        code = names.get(value.lower(), -1)
    elif type(value) is float:
        raise TypeError(f"must be an integer, got {value}")
    else:
        code = integer(value)
    allowed = tuple(allowed)
    if code in allowed:
        return code
    first = {number: name for name, number in reversed(list(names.items())) if number in allowed}
    options = ", ".join(f"{number} {first[number]}" for number in sorted(first))
    guess = closest(value, names) if isinstance(value, str) else None
    hint = f"; did you mean {guess!r}?" if guess else ""
    raise ValueError(f"must be {what} ({options}), got {show(value)}{hint}")


class Interp(Parameter[int | str, int]):
    """Interpolation, in OpenCV's numbers."""

    accepts = "0 nearest, 1 linear, 2 cubic, 3 area, 4 lanczos4"
    allowed: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __init__(self, doc: str = "Interpolation of the image.", *, default: Any = REQUIRED) -> None:
        super().__init__(doc, default=default)

    def parse(self, value: Any) -> int:
        return _code(value, INTERPOLATIONS, self.allowed, "an interpolation")


class ResizeInterp(Interp):
    """Interpolation of a resize, which knows two exact forms more."""

    accepts = Interp.accepts + ", 5 linear_exact, 6 nearest_exact"
    allowed = (0, 1, 2, 3, 4, 5, 6)


class Border(Parameter[int | str, int]):
    """What lies outside the image, in OpenCV's numbers."""

    accepts = "0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101"

    def __init__(self, doc: str = "What lies outside the image.", *, default: Any = REQUIRED) -> None:
        super().__init__(doc, default=default)

    def parse(self, value: Any) -> int:
        return _code(value, BORDERS, range(5), "a border")


def ink(value: Any) -> float | str:
    """One component of a fill; NaN is carried as "nan", because ops hold finite numbers only."""
    if type(value) is str and value != "nan":
        raise TypeError(f"must be a number or one number per channel, got {show(value)}")
    if value == "nan" or (isinstance(value, float) and value != value):
        return "nan"
    return float(number(value))


class Fill(Parameter[Scale, "float | tuple[float, ...]"]):
    """A constant colour: a number for all channels, or one per channel, in the units of the image."""

    accepts = "number, or one number per channel"

    def __init__(self, doc: str = "Fill of a constant border.", *, default: Any = REQUIRED) -> None:
        super().__init__(doc, default=default)

    def parse(self, value: Any) -> Any:
        if isinstance(value, str) or not is_sequence(value):
            return ink(value)
        return tuple(map(ink, sequence(value)))


class HoleFill(Parameter["Scale | str", Any]):
    """What a dropped region is painted with."""

    accepts = "number, one number per channel, 'random' or 'random_uniform'"

    def parse(self, value: Any) -> Any:
        if isinstance(value, str) and value != "nan":
            if value in ("random", "random_uniform"):
                return value
            if value in ("inpaint_telea", "inpaint_ns"):
                raise NotImplementedError(f"{value!r} is not available yet; use a number, 'random' or 'random_uniform'")
            raise ValueError(
                f"must be a number, one number per channel, 'random' or 'random_uniform', got {show(value)}"
            )
        return Fill().parse(value)


class Maybe(Parameter[Any, Any]):
    """Another kind, or None."""

    def __init__(self, kind: Parameter[Any, Any], doc: str = "", *, default: Any = None) -> None:
        super().__init__(doc or kind.doc, default=default)
        self.kind = kind

    def parse(self, value: Any) -> Any:
        return None if value is None else self.kind.parse(value)

    def describe(self) -> str:
        return self.kind.describe() + ", or None"


class _Pair(Bounded[Scale, Pair]):
    """A pair of numbers; a subclass says what a single number means and whether a reversed pair is sorted."""

    accepts = "number s or pair"

    def single(self, value: Number) -> tuple[Number, Number]:
        """What one number stands for."""
        raise TypeError(f"must be a pair (low, high), got {value}")

    def parse(self, value: Any) -> Any:
        if is_sequence(value):
            a, b = sequence(value, 2)
            a, b = self.cast(a), self.cast(b)
        else:
            a, b = self.single(self.cast(value))
        if a > b:
            a, b = b, a
        bound(a, self.low, self.high)
        bound(b, self.low, self.high)
        return a, b


class Sym(_Pair):
    """s means (−s, s)."""

    accepts = "number s for (−s, s), or (low, high)"

    def single(self, value: Number) -> tuple[Number, Number]:
        return -value, value


class NonNeg(_Pair):
    """s means (0, s)."""

    accepts = "number s for (0, s), or (low, high)"
    floor = 0

    def single(self, value: Number) -> tuple[Number, Number]:
        return 0, value


class ZeroOne(NonNeg):
    """s means (0, s); a pair must not decrease."""

    ceiling = 1

    def parse(self, value: Any) -> Any:
        if is_sequence(value):
            ordered(sequence(value, 2))
        return super().parse(value)


class OnePlus(_Pair):
    """s means (1, s)."""

    accepts = "number s for (1, s), or (low, high)"
    floor = 1

    def single(self, value: Number) -> tuple[Number, Number]:
        return 1, value


class Range(_Pair):
    """A pair that is given as such, low first."""

    accepts = "(low, high)"

    def parse(self, value: Any) -> Any:
        if is_sequence(value):
            ordered(sequence(value, 2))
        return super().parse(value)


class NonNegInt(NonNeg):
    """s means (0, s), in integers."""

    accepts = "int s for (0, s), or (low, high)"
    cast = staticmethod(integer)

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> tuple[int, int]: ...


class RangeInt(Range):
    """A pair of integers, low first."""

    accepts = "(low, high) in ints"
    cast = staticmethod(integer)

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> tuple[int, int]: ...


def ordered(pair: tuple[Any, ...]) -> None:
    """ValueError if the pair decreases."""
    a, b = number(pair[0]), number(pair[1])
    if a > b:
        raise ValueError(f"low > high: got ({a}, {b})")


def odd(value: int, name: str) -> int:
    """A kernel size: even ones are raised by one, with a warning, as in 2.0.8."""
    if value % 2:
        return value
    warnings.warn(f"{name} must be odd: {value} is raised to {value + 1}", UserWarning, stacklevel=6)
    return value + 1


class OddInt(Int):
    """An odd kernel size."""

    floor = 1
    ceiling = 32767

    def parse(self, value: Any) -> int:
        return odd(super().parse(value), "kernel size")


class KernelLimit(_Pair):
    """Kernel sizes: s means (3, s); sizes below 3 and even ones are raised, with a warning."""

    accepts = "odd int s for (3, s), or (low, high)"
    floor = 0
    ceiling = 32767
    cast = staticmethod(integer)

    def single(self, value: Number) -> tuple[Number, Number]:
        return 3, value

    def parse(self, value: Any) -> Any:
        if is_sequence(value):
            a, b = sequence(value, 2)
            a, b = integer(a), integer(b)
        else:
            a, b = 3, integer(value)
        for k in (a, b):
            if not 0 <= k <= self.ceiling:
                raise ValueError(f"must be odd, 1..{self.ceiling:g}, got {k}")
        if a < 3 or b < 3:
            warnings.warn(f"kernel sizes below 3 are raised to 3: got {show(value)}", UserWarning, stacklevel=5)
            a, b = max(a, 3), max(b, 3)
        a, b = odd(a, "kernel size"), odd(b, "kernel size")
        if a > b:
            warnings.warn(f"kernel size low > high: ({a}, {b}) becomes ({b}, {b})", UserWarning, stacklevel=5)
            a = b
        return a, b


class SizePair(Parameter[Sequence[int], tuple[int, int]]):
    """(height, width) in pixels."""

    accepts = "(height, width), each ≥ 1"

    def parse(self, value: Any) -> tuple[int, int]:
        if not is_sequence(value):
            raise ValueError(f"must be (height, width), got {show(value)}")
        h, w = sequence(value, 2)
        return Side().parse(h), Side().parse(w)


class SizeHw(Parameter[Any, Any]):
    """(height, width), of which one may be None."""

    accepts = "(height, width), one of them may be None"

    def parse(self, value: Any) -> tuple[int | None, int | None]:
        h, w = sequence(value, 2)
        if h is None and w is None:
            raise ValueError("must have a height or a width, got (None, None)")
        return None if h is None else Side().parse(h), None if w is None else Side().parse(w)


class Sizes(Parameter["int | Sequence[int]", Any]):
    """A side, or several of which one is drawn."""

    accepts = "int ≥ 1, or a list to choose from"

    def parse(self, value: Any) -> int | tuple[int, ...]:
        if is_sequence(value):
            sides = tuple(Side().parse(v) for v in sequence(value))
            if not sides:
                raise ValueError("must not be empty")
            return sides
        return Side().parse(value)


class Ints(Parameter[Sequence[int], tuple[int, ...]]):
    """Several integers."""

    accepts = "list of ints"

    def parse(self, value: Any) -> tuple[int, ...]:
        return tuple(map(integer, sequence(value)))


class PerChannel(Parameter[Scale, "float | tuple[float, ...]"]):
    """A number for all channels, or one per channel."""

    accepts = "number, or one number per channel"

    def parse(self, value: Any) -> Any:
        if value is None:
            raise ValueError("must be a number or one number per channel, got None")
        if is_sequence(value):
            return tuple(float(number(v)) for v in sequence(value))
        return float(number(value))


class Padding(Parameter["int | Sequence[int]", tuple[int, int, int, int]]):
    """Margins in pixels: n on every side, (x, y), or (left, top, right, bottom)."""

    accepts = "int, (x, y) or (left, top, right, bottom), each ≥ 0"

    def parse(self, value: Any) -> Any:
        side = Int(low=0, high=MAX_SIDE).parse
        if not is_sequence(value):
            return side(value)
        sides = tuple(map(side, sequence(value)))
        if len(sides) not in (2, 4):
            raise TypeError(f"must be an int, (x, y) or (left, top, right, bottom), got {show(value)}")
        return sides

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> Any: ...


class AxisRange(Bounded[Any, dict[str, Pair]]):
    """A range for x and one for y: a number (fixed), a pair (for both), or {"x": …, "y": …}."""

    accepts = 'number (fixed), (low, high) for both axes, or {"x": …, "y": …}'

    def __init__(
        self,
        doc: str = "",
        *,
        neutral: float = 0,
        ints: bool = False,
        low: float | None = None,
        high: float | None = None,
        default: Any = REQUIRED,
    ) -> None:
        super().__init__(doc, low=low, high=high, default=default)
        self.neutral = neutral
        if ints:
            self.cast = integer

    def range(self, value: Any) -> tuple[Number, Number]:
        """One axis."""
        if is_sequence(value):
            a, b = sequence(value, 2)
            a, b = self.one(a), self.one(b)
            return (a, b) if a <= b else (b, a)
        a = self.one(value)
        return a, a

    def parse(self, value: Any) -> dict[str, tuple[Number, Number]]:
        if isinstance(value, Mapping):
            unknown = set(value) - {"x", "y"}
            if unknown or not value:
                raise ValueError(f'must have the keys "x" and "y", got {show(value)}')
            return {axis: self.range(value.get(axis, self.neutral)) for axis in ("x", "y")}
        both = self.range(value)
        return {"x": both, "y": both}


class Fixed(Bounded[Scale, Pair]):
    """A number (fixed) or a pair."""

    accepts = "number (fixed), or (low, high)"

    def parse(self, value: Any) -> Any:
        a, b = sequence(value, 2) if is_sequence(value) else (value, value)
        a, b = self.one(a), self.one(b)
        return (a, b) if a <= b else (b, a)


class Around(Bounded[Scale, Pair]):
    """A number n means (centre − n, centre + n), not below `low`; a pair is taken as it is."""

    accepts = "number n for centre ± n, or (low, high)"

    def __init__(
        self,
        doc: str = "",
        *,
        centre: float = 1,
        low: float | None = None,
        high: float | None = None,
        default: Any = REQUIRED,
    ) -> None:
        super().__init__(doc, low=low, high=high, default=default)
        self.centre = centre

    def parse(self, value: Any) -> Any:
        if is_sequence(value):
            a, b = sequence(value, 2)
            ordered((a, b))
            return self.one(a), self.one(b)
        n = bound(number(value), 0, INF)
        return max(self.low, self.centre - n), self.centre + n


class HoleRange(Parameter[Scale, Pair]):
    """Sides of a hole: floats up to 1 are fractions of the image, ints are pixels."""

    accepts = "(low, high), floats ≤ 1 as fractions of the image or ints as pixels"

    def parse(self, value: Any) -> Any:
        if not is_sequence(value):
            raise TypeError(f"must be a pair (low, high), got {show(value)}")
        a, b = map(number, sequence(value, 2))
        ordered((a, b))
        bound(a, 0, INF)
        if b <= 1 and (type(a) is float or type(b) is float):
            return float(a), float(b)
        if a != int(a) or b != int(b):
            raise ValueError(f"must be fractions ≤ 1 or whole pixels, got ({a}, {b})")
        return int(a), int(b)


class InterpPair(Parameter[Mapping[str, int], dict[str, int]]):
    """Interpolations of a downscale and of the upscale after it."""

    accepts = '{"downscale": interpolation, "upscale": interpolation}'

    def parse(self, value: Any) -> dict[str, int]:
        if not isinstance(value, Mapping) or set(value) != {"upscale", "downscale"}:
            raise ValueError(f'must have the keys "upscale" and "downscale", got {show(value)}')
        return {key: ResizeInterp().parse(value[key]) for key in ("upscale", "downscale")}


class Anything(Parameter[Any, Any]):
    """A value the transform checks itself."""

    def parse(self, value: Any) -> Any:
        return value
