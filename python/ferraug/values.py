"""Numbers, sequences and words as arguments give them, and how a wrong one is described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import index
from sys import float_info
from typing import Any

Number = float  # an int is a float to a type checker
INF = float("inf")
MAX_SIDE = 2**31 - 1
LARGEST = float_info.max


def show(value: object) -> str:
    """`repr`, cut to what an error message can hold."""
    try:
        text = repr(value)
    except Exception:  # of a broken `__repr__`, or of an integer of thousands of digits
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."


def closest(word: object, words: Iterable[str]) -> str | None:
    """The word the user probably meant."""
    from difflib import get_close_matches

    found = get_close_matches(str(word), list(words), n=1, cutoff=0.6)
    return found[0] if found else None


def number(value: Any) -> Number:
    """A finite plain int or float; NumPy scalars and 0-d arrays are taken."""
    if type(value) is not int and type(value) is not float:
        if isinstance(value, (str, bytes, bytearray)) or value is None:
            raise TypeError(f"must be a number, got {show(value)}")
        try:
            value = index(value)
        except TypeError:
            try:
                value = float(value)
            except TypeError:
                raise TypeError(f"must be a number, got {show(value)}") from None
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"must be finite, got {show(value)}")
    return value  # type: ignore[no-any-return]


def integer(value: Any) -> int:
    """A plain int; floats with an integral value are taken, as in 2.0.8."""
    value = number(value)
    if type(value) is int:
        return value
    if value != int(value):
        raise TypeError(f"must be an integer, got {value}")
    return int(value)


def sequence(value: Any, length: int | None = None) -> tuple[Any, ...]:
    """The elements of a list, tuple or array."""
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__len__"):
        raise TypeError(f"must be a sequence, got {show(value)}")
    items = tuple(value)
    if length is not None and len(items) != length:
        raise ValueError(f"must have {length} elements, got {show(value)}")
    return items


def is_sequence(value: Any) -> bool:
    """Whether a value has elements (a 0-d array has none)."""
    return hasattr(value, "__len__") and getattr(value, "ndim", 1) > 0


def bound(value: Number, low: float, high: float) -> Number:
    """The value, if it lies in [low, high]."""
    if not low <= value <= high:
        allowed = span(low, INF) if value < low and high >= MAX_SIDE else span(low, high)
        raise ValueError(f"must be {allowed}, got {show(value)}")
    return value


def span(low: float, high: float) -> str:
    """An interval in words."""
    if low == -INF:
        return f"≤ {high:.10g}"
    return f"≥ {low:.10g}" if high == INF else f"in [{low:.10g}, {high:.10g}]"
