"""JSON with places: the records of a file's big arrays, each with the span of text it came from.

A JSON annotation file is edited as text: records are cut out or appended, everything else stays byte for byte, whatever
style it was written in. New records are written in the style of the first one.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from .._core import ConfigError

_BLANK = " \t\n\r"
_NONE = ("", *_BLANK)
#: constants that the parser met since this was last emptied
_CONSTANTS: list[str] = []


def _constant(text: str) -> str:
    _CONSTANTS.append(text)
    return text


#: what is no number in JSON (NaN, Infinity) comes out as its own text, so that no check takes it for one
_DECODER = json.JSONDecoder(parse_constant=_constant)
_SCAN = _DECODER.scan_once  # type: ignore[attr-defined]


class NotJson(dict[str, Any]):
    """A record that holds NaN or Infinity: readers of strict JSON stop at it, so it leaves."""

    WHY = "NaN or infinity, which JSON does not have"


@dataclass(slots=True)
class Span:
    """An array of the top level: where its brackets are and where its elements lie."""

    start: int
    end: int
    starts: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> tuple[int, int]:
        return self.starts[index], self.ends[index]


@dataclass(slots=True)
class Document:
    """The text of a JSON object, its small values with their places, and the spans of its big arrays."""

    text: str
    bom: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Span] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


def decode_text(data: bytes, where: str) -> tuple[str, bool]:
    """UTF-8 text and whether it began with a byte order mark."""
    bom = data.startswith(b"\xef\xbb\xbf")
    try:
        return data[3 if bom else 0 :].decode("utf-8"), bom
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: not UTF-8 at byte {error.start}") from None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _value(text: str, at: int, where: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}: {error.msg} at offset {error.pos} of {len(text)}") from None
    except RecursionError:
        raise ConfigError(f"{where}: depth: nested too deeply at offset {at}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: {error} at offset {at}") from None


def parse(data: bytes, where: str, takers: dict[str, Callable[[Any, int], None]]) -> Document:
    """Reads a JSON object. The elements of an array named in `takers` go to its function with their index and are not
    kept; anything that is not a whole JSON object is a ConfigError with its offset."""
    text, bom = decode_text(data, where)
    return parse_text(text, bom, where, takers)


def parse_text(text: str, bom: bool, where: str, takers: dict[str, Callable[[Any, int], None]]) -> Document:
    """`parse` of what `decode_text` gave, so that the bytes need not be held beside the text."""
    doc = Document(text, bom)

    def fail(what: str, at: int) -> ConfigError:
        return ConfigError(f"{where}: {what} at offset {at} of {len(text)}")

    at = _skip(text, 0)
    if at == len(text):
        raise fail("empty", at)
    if text[at] != "{":
        raise fail("expected an object", at)
    at = _skip(text, at + 1)
    first = True
    while True:
        if at >= len(text):
            raise fail("truncated", at)
        if text[at] == "}":
            if not first and text[at - 1] == ",":
                raise fail("expected a key", at)
            break
        if not first:
            if text[at] != ",":
                raise fail("expected a comma", at)
            at = _skip(text, at + 1)
        first = False
        if at >= len(text) or text[at] != '"':
            raise fail("expected a key", at)
        try:
            key, at = scanstring(text, at + 1, True)
        except json.JSONDecodeError as error:
            raise fail(error.msg, error.pos) from None
        at = _skip(text, at)
        if at >= len(text) or text[at] != ":":
            raise fail("expected a colon", at)
        at = _skip(text, at + 1)
        if key in doc.values or key in doc.arrays:
            raise fail(f"duplicate key {key!r}", at)
        if key in takers and text[at : at + 1] == "[":
            at = _elements(text, at, where, doc, key, takers[key])
        else:
            start = at
            doc.values[key], at = _value(text, at, where)
            doc.places[key] = start, at
        at = _skip(text, at)
    if _skip(text, at + 1) != len(text):
        raise fail("more text after the end", at + 1)
    return doc


def value_at(text: str, start: int) -> Any:
    """The record that begins there, which was read once before."""
    _CONSTANTS.clear()
    value, _ = _SCAN(text, start)
    return NotJson(value) if _CONSTANTS and isinstance(value, dict) else value


#: the key of a document that is an array
TOP = ""


def parse_array(data: bytes, where: str, take: Callable[[Any, int], None]) -> Document:
    """Reads a JSON array; its elements go to `take` with their index, their places to `arrays[TOP]`."""
    text, bom = decode_text(data, where)
    doc = Document(text, bom)
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise ConfigError(f"{where}: expected an array at offset {at} of {len(text)}")
    at = _skip(text, _elements(text, at, where, doc, TOP, take))
    if at != len(text):
        raise ConfigError(f"{where}: more text after the end at offset {at} of {len(text)}")
    return doc


def _elements(text: str, at: int, where: str, doc: Document, key: str, take: Callable[[Any, int], None]) -> int:
    span = Span(at, at)
    doc.arrays[key] = span
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        span.end = at
        return at + 1
    scan, starts, ends = _SCAN, span.starts, span.ends
    gap = ""
    count = 0
    _CONSTANTS.clear()
    while True:
        try:
            value, end = scan(text, at)
        except (ValueError, RecursionError, StopIteration):
            value, end = _value(text, at, where)
        starts.append(at)
        ends.append(end)
        if _CONSTANTS:
            _CONSTANTS.clear()
            value = NotJson(value) if isinstance(value, dict) else value
        take(value, count)
        count += 1
        # between records stands nearly always what stood between the first two
        if gap and text.startswith(gap, end) and text[end + len(gap) : end + len(gap) + 1] not in _NONE:
            at = end + len(gap)
            continue
        at = _skip(text, end)
        char = text[at : at + 1]
        if char == "]":
            span.end = at
            return at + 1
        if char != ",":
            what = "truncated" if char == "" else "expected a comma"
            raise ConfigError(f"{where}: {what} at offset {at} of {len(text)}")
        at = _skip(text, at + 1)
        gap = text[end:at]


def build(arrays: dict[str, Iterable[str]], first: str = "") -> Document:
    """A document of our own: an object of arrays whose records are given as text; `first` stands before them."""
    doc = Document("")
    pieces = ["{", first]
    at = 1 + len(first)
    for number, (key, records) in enumerate(arrays.items()):
        head = (", " if number or first else "") + json.dumps(key) + ": ["
        pieces.append(head)
        at += len(head)
        span = doc.arrays[key] = Span(at - 1, at)
        for record in records:
            if span.starts:
                pieces.append(", ")
                at += 2
            pieces.append(record)
            span.starts.append(at)
            at += len(record)
            span.ends.append(at)
        span.end = at
        pieces.append("]")
        at += 1
    pieces.append("}\n")
    doc.text = "".join(pieces)
    return doc


@dataclass(slots=True)
class Style:
    """How records are written: json.dumps arguments, and the indentation of lines inside a record."""

    indent: int | str | None
    separators: tuple[str, str]
    ascii: bool
    prefix: str

    encoder: json.JSONEncoder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.encoder = json.JSONEncoder(
            indent=self.indent, separators=self.separators, ensure_ascii=self.ascii, allow_nan=False
        )

    def dumps(self, value: Any) -> str:
        """`value` as one record."""
        try:
            text = self.encoder.encode(value)
        except ValueError:
            # a number too great for any reader, such as 1e999
            text = self.encoder.encode(_finite(value))
        return text.replace("\n", "\n" + self.prefix) if self.prefix else text


def _finite(value: Any) -> Any:
    """The value with null for infinite numbers."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def style_of(doc: Document, key: str) -> Style:
    """The style that reproduces the first record of an array (or of any array, if that one is empty)."""
    for name in (key, *doc.arrays):
        span = doc.arrays.get(name)
        if not span:
            continue
        start, end = span[0]
        text = doc.text[start:end]
        line = doc.text.rfind("\n", 0, start) + 1
        prefix = doc.text[line:start]
        prefix = prefix if prefix.strip(_BLANK) == "" else ""
        try:
            value = json.loads(text)
        except ValueError:
            continue
        for ascii_only in (True, False):
            for indent, separators in (
                (None, (",", ":")),
                (None, (", ", ": ")),
                (1, (",", ": ")),
                (2, (",", ": ")),
                (4, (",", ": ")),
                ("\t", (",", ": ")),
            ):
                style = Style(indent, separators, ascii_only, prefix if indent is not None else "")
                try:
                    if style.dumps(value) == text:
                        return style
                except ValueError:
                    continue
        spaced = '": ' in text
        return Style(None, (", ", ": ") if spaced else (",", ":"), True, "")
    return Style(None, (", ", ": "), True, "") if ": " in doc.text else Style(None, (",", ":"), True, "")


def separator_of(doc: Document, key: str) -> str:
    """The text between two records of an array: a comma and the source's own blanks."""
    for name in (key, *doc.arrays):
        span = doc.arrays.get(name)
        if span is not None and len(span) > 1:
            return doc.text[span.ends[0] : span.starts[1]]
    return ", " if '": ' in doc.text else ","


def record_text(doc: Document, key: str, index: int) -> str:
    """A record of an array as it stands."""
    start, end = doc.arrays[key][index]
    return doc.text[start:end]


def with_values(doc: Document, values: dict[str, Any], arrays: dict[str, list[str]]) -> str:
    """The document's text with other values for top-level keys that it has, and other records in its arrays."""
    edits = [(*doc.places[key], json.dumps(value)) for key, value in values.items() if key in doc.places]
    for key, records in arrays.items():
        span = doc.arrays.get(key)
        if span is not None and records:
            head = span.starts[0] if span else span.start + 1
            edits.append((head, span.ends[-1] if span else span.end, separator_of(doc, key).join(records)))
        elif span is not None:
            edits.append((span.start, span.end + 1, "[]"))
    pieces = ["\ufeff"] if doc.bom else []
    at = 0
    for start, end, new in sorted(edits):
        pieces += [doc.text[at:start], new]
        at = end
    return "".join([*pieces, doc.text[at:]])


def edited(doc: Document, dropped: dict[str, set[int]], added: dict[str, Iterable[str]]) -> Iterable[str]:
    """The document's text in pieces, without the dropped records and with the added ones at the end of their array."""
    text = doc.text
    at = 0
    for key, span in sorted(doc.arrays.items(), key=lambda pair: pair[1].start):
        gone = dropped.get(key, set())
        new = iter(added.get(key, ()))
        first = next(new, None)
        if not gone and first is None:
            continue
        separator = separator_of(doc, key)
        kept = [i for i in range(len(span)) if i not in gone]
        head = span.starts[0] if span else span.start + 1
        tail = span.ends[-1] if span else span.end
        yield text[at:head]
        if not gone and kept:
            yield text[head:tail]
        else:
            for n, i in enumerate(kept):
                start, end = span[i]
                yield (separator if n else "") + text[start:end]
        if first is not None:
            yield (separator if kept else "") + first
            for record in new:
                yield separator + record
        at = tail
    yield text[at:]
