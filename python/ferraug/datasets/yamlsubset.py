"""The part of YAML that data-set files use: maps, lists, flow lists and maps, quotes, comments, block text.

No anchors, aliases or tags (a loader of those can be made to build objects or to blow up), no tabs as indentation, no
second document. Places of scalars are kept, so that a value can be replaced and the rest of the file stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .._core import ConfigError

MAX_DEPTH = 64
MAX_CHARS = 16 << 20

_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " ", "e": "\x1b"}


@dataclass(slots=True)
class Yaml:
    """The value of a document and where its scalars lie in the text."""

    text: str
    value: Any = None
    spans: dict[tuple[Any, ...], tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Line:
    indent: int
    start: int
    end: int
    number: int


def load(text: str, where: str) -> Yaml:
    """Parses one document; anything outside the subset is a ConfigError with its line."""
    if len(text) > MAX_CHARS:
        raise ConfigError(f"{where}: more than {MAX_CHARS} characters")
    result = Yaml(text)
    parser = _Parser(text, where, result.spans)
    result.value = parser.document()
    return result


class _Parser:
    def __init__(self, text: str, where: str, spans: dict[tuple[Any, ...], tuple[int, int]]) -> None:
        self.text, self.where, self.spans = text, where, spans
        self.lines: list[_Line] = []
        at = 1 if text.startswith("\ufeff") else 0
        number = 0
        while at < len(text):
            stop = text.find("\n", at)
            stop = len(text) if stop < 0 else stop
            number += 1
            start = at
            while start < stop and text[start] == " ":
                start += 1
            end = stop
            while end > start and text[end - 1] in " \t\r":
                end -= 1
            self.lines.append(_Line(start - at, start, end, number))
            at = stop + 1
        self.at = 0

    def fail(self, what: str, number: int | None = None) -> ConfigError:
        if number is None:
            number = self.lines[min(self.at, len(self.lines) - 1)].number if self.lines else 1
        return ConfigError(f"{self.where}:{number}: {what}")

    def skip(self) -> _Line | None:
        """The next line with content; blank ones and comments are passed."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            content = self.text[line.start : line.end]
            if content == "" or content.startswith("#"):
                self.at += 1
                continue
            if content == "..." and line.indent == 0:
                self.lines = self.lines[: self.at]
                return None
            if content.startswith("\t"):
                raise self.fail("a tab as indentation")
            return line
        return None

    def document(self) -> Any:
        line = self.skip()
        while line is not None and line.indent == 0 and self.text[line.start : line.end].startswith(("---", "%")):
            head = self.text[line.start : line.end]
            if head.startswith("---") and not head[3:].strip().startswith("#") and head[3:].strip():
                raise self.fail("content behind ---")
            self.at += 1
            line = self.skip()
        if line is None:
            return None
        value = self.block(line.indent, (), 0)
        rest = self.skip()
        if rest is not None:
            if self.text[rest.start : rest.end].startswith("---"):
                raise self.fail("a second document")
            raise self.fail("unexpected indentation")
        return value

    def block(self, indent: int, path: tuple[Any, ...], depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self.fail(f"depth > {MAX_DEPTH}")
        line = self.skip()
        assert line is not None
        content = self.text[line.start : line.end]
        if content == "-" or content.startswith("- "):
            return self.sequence(indent, path, depth)
        if self.key(line) is not None:
            return self.mapping(indent, path, depth)
        self.at += 1
        return self.scalar(line.start, line, path, indent, depth)

    def sequence(self, indent: int, path: tuple[Any, ...], depth: int) -> list[Any]:
        items: list[Any] = []
        while True:
            line = self.skip()
            if line is None or line.indent != indent:
                return items
            content = self.text[line.start : line.end]
            if not (content == "-" or content.startswith("- ")):
                return items
            inner = line.start + 1
            while inner < line.end and self.text[inner] == " ":
                inner += 1
            here = (*path, len(items))
            if inner >= line.end or self.text[inner] == "#":
                self.at += 1
                items.append(self.below(indent, here, depth))
                continue
            # what follows the dash is a block of its own, indented to where it stands
            line.indent, line.start = indent + (inner - line.start), inner
            items.append(self.block(line.indent, here, depth + 1))

    def mapping(self, indent: int, path: tuple[Any, ...], depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while True:
            line = self.skip()
            if line is None or line.indent != indent:
                if line is not None and line.indent > indent:
                    raise self.fail("unexpected indentation")
                return found
            split = self.key(line)
            if split is None:
                if self.text[line.start : line.end].startswith("- ") and path:
                    return found
                raise self.fail("expected 'key: value'")
            key, after = split
            if key in found:
                raise self.fail(f"duplicate key {key!r}")
            here = (*path, key)
            self.at += 1
            if after >= line.end or self.text[after] == "#":
                # an empty value, whose place is right behind the colon
                self.spans[here] = (after, after) if after >= line.end else (after - 1, after - 1)
                found[key] = self.below(indent, here, depth)
            else:
                found[key] = self.scalar(after, line, here, indent, depth)

    def below(self, indent: int, path: tuple[Any, ...], depth: int) -> Any:
        line = self.skip()
        if line is None or line.indent < indent:
            return None
        content = self.text[line.start : line.end]
        if line.indent == indent and not (content == "-" or content.startswith("- ")):
            return None
        if line.indent == indent and path and isinstance(path[-1], int):
            return None
        return self.block(line.indent, path, depth + 1)

    def key(self, line: _Line) -> tuple[Any, int] | None:
        """The key at the line's start and where its value begins."""
        text, at = self.text, line.start
        if text[at] in "\"'":
            value, at = self.quoted(at, line)
        else:
            if text[at] in "[{":
                return None
            stop = at
            while stop < line.end:
                if text[stop] == ":" and (stop + 1 >= line.end or text[stop + 1] in " \t"):
                    break
                if text[stop] == "#" and text[stop - 1] in " \t":
                    return None
                stop += 1
            else:
                return None
            word = text[at:stop].rstrip()
            if word.startswith(("&", "*", "!", "?")):
                raise self.fail("anchors, aliases and tags are not read", line.number)
            value, at = plain(word), stop
            if isinstance(value, (float, type(None))) or isinstance(value, bool):
                value = word
        while at < line.end and text[at] in " \t":
            at += 1
        if at >= line.end or text[at] != ":":
            return None
        at += 1
        while at < line.end and text[at] in " \t":
            at += 1
        return value, at

    def scalar(self, at: int, line: _Line, path: tuple[Any, ...], indent: int, depth: int) -> Any:
        char = self.text[at]
        if char in "[{":
            value, stop = self.flow(at, path, depth)
            while self.at < len(self.lines) and self.lines[self.at].start < stop:
                self.at += 1
            last = self.lines[self.at - 1]
            self.only_comment(stop, last)
            return value
        if char in "\"'":
            value, stop = self.quoted(at, line)
            self.only_comment(stop, line)
            self.spans[path] = (at, stop)
            return value
        if char in "|>":
            return self.text_block(indent)
        if char in "&*!":
            raise self.fail("anchors, aliases and tags are not read", line.number)
        if char in "@`%":
            raise self.fail(f"a value that starts with {char}", line.number)
        stop = at
        while stop < line.end and not (self.text[stop] == "#" and self.text[stop - 1] in " \t"):
            stop += 1
        while stop > at and self.text[stop - 1] in " \t":
            stop -= 1
        self.spans[path] = (at, stop)
        return plain(self.text[at:stop])

    def text_block(self, indent: int) -> str:
        kept: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.end > line.start and line.indent <= indent:
                break
            kept.append(" " * max(0, line.indent - indent - 1) + self.text[line.start : line.end])
            self.at += 1
        return "\n".join(kept)

    def only_comment(self, at: int, line: _Line) -> None:
        rest = self.text[at : line.end].strip()
        if rest and not (rest.startswith("#") and self.text[at] in " \t"):
            raise self.fail(f"unexpected text {rest[:20]!r}", line.number)

    def quoted(self, at: int, line: _Line) -> tuple[str, int]:
        text, quote = self.text, self.text[at]
        out: list[str] = []
        at += 1
        while at < line.end:
            char = text[at]
            if char == quote:
                if quote == "'" and text[at + 1 : at + 2] == "'":
                    out.append("'")
                    at += 2
                    continue
                return "".join(out), at + 1
            if char == "\\" and quote == '"':
                code = text[at + 1 : at + 2]
                if code in ("x", "u", "U"):
                    size = {"x": 2, "u": 4, "U": 8}[code]
                    digits = text[at + 2 : at + 2 + size]
                    if len(digits) != size or not all(c in "0123456789abcdefABCDEF" for c in digits):
                        raise self.fail("a malformed escape", line.number)
                    if int(digits, 16) > 0x10FFFF:
                        raise self.fail("a malformed escape", line.number)
                    out.append(chr(int(digits, 16)))
                    at += 2 + size
                    continue
                if code not in _ESCAPES or code == "":
                    raise self.fail(f"an unknown escape \\{code}", line.number)
                out.append(_ESCAPES[code])
                at += 2
                continue
            out.append(char)
            at += 1
        raise self.fail("a quote that is not closed on its line", line.number)

    def flow(self, at: int, path: tuple[Any, ...], depth: int) -> tuple[Any, int]:
        """A flow list or map from its bracket on; it may span lines."""
        if depth > MAX_DEPTH:
            raise self.fail(f"depth > {MAX_DEPTH}")
        text = self.text
        close = "]" if text[at] == "[" else "}"
        items: list[Any] = []
        pairs: dict[Any, Any] = {}
        at = self.gap(at + 1)
        while True:
            if at >= len(text):
                raise self.fail("a bracket that is not closed")
            if text[at] == close:
                return (items if close == "]" else pairs), at + 1
            if close == "]":
                value, at = self.flow_value(at, (*path, len(items)), depth, ",]")
                items.append(value)
            else:
                key, at = self.flow_value(at, (), depth, ":,}")
                at = self.gap(at)
                if text[at : at + 1] != ":":
                    raise self.fail("expected ':' in a flow map")
                if not isinstance(key, (str, int)):
                    raise self.fail(f"a flow map key {key!r}")
                if key in pairs:
                    raise self.fail(f"duplicate key {key!r}")
                at = self.gap(at + 1)
                value, at = self.flow_value(at, (*path, key), depth, ",}")
                pairs[key] = value
            at = self.gap(at)
            if text[at : at + 1] == ",":
                at = self.gap(at + 1)
            elif text[at : at + 1] != close:
                raise self.fail("expected ',' in a flow list")

    def flow_value(self, at: int, path: tuple[Any, ...], depth: int, stops: str) -> tuple[Any, int]:
        text = self.text
        if at >= len(text):
            raise self.fail("a bracket that is not closed")
        if text[at] in "[{":
            return self.flow(at, path, depth + 1)
        if text[at] in "&*!":
            raise self.fail("anchors, aliases and tags are not read")
        if text[at] in "\"'":
            end = text.find("\n", at)
            value: Any
            value, stop = self.quoted(at, _Line(0, at, len(text) if end < 0 else end, self.lines[self.at - 1].number))
        else:
            stop = at
            while stop < len(text) and text[stop] not in "\n" and text[stop] not in stops:
                if text[stop] == "#" and text[stop - 1] in " \t":
                    break
                stop += 1
            end = stop
            while end > at and text[end - 1] in " \t\r":
                end -= 1
            value = plain(text[at:end])
            if path:
                self.spans[path] = (at, end)
            return value, stop
        if path:
            self.spans[path] = (at, stop)
        return value, stop

    def gap(self, at: int) -> int:
        text = self.text
        while at < len(text):
            if text[at] in " \t\r\n":
                at += 1
            elif text[at] == "#" and text[at - 1] in " \t\n":
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
            else:
                break
        return at


def plain(word: str) -> Any:
    """An unquoted scalar: constant, whole number, decimal or text."""
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if _INT.fullmatch(word) and len(word) <= 300:
        return int(word.replace("_", ""))
    if _FLOAT.fullmatch(word) and len(word) <= 300:
        return float(word)
    return word


def quote(value: str) -> str:
    """A text as a scalar that reads back as the same text."""
    risky = value == "" or plain(value) != value or value != value.strip() or value[0] in "-?:,[]{}#&*!|>'\"%@`"
    if risky or ": " in value or " #" in value or value.endswith(":"):
        return "'" + value.replace("'", "''") + "'"
    return value
