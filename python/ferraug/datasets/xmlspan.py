"""XML with places: a light tree whose elements know where they lie in the bytes, so that a file is edited as text.

No document types and no entities beyond the five of XML itself: a declaration of either is refused before it can
expand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from .._core import ConfigError

MAX_DEPTH = 64


@dataclass(slots=True)
class Element:
    """start and end span the whole element, inner and close its content; text is the content's own characters."""

    tag: str
    start: int
    inner: int = 0
    close: int = 0
    end: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)
    attrs: dict[str, str] = field(default_factory=dict)

    def find(self, tag: str) -> Element | None:
        """The first child of that name."""
        return next((c for c in self.children if c.tag == tag), None)

    def all(self, tag: str) -> list[Element]:
        """All children of that name."""
        return [c for c in self.children if c.tag == tag]

    def value(self, tag: str) -> str | None:
        """The trimmed text of the first child of that name."""
        child = self.find(tag)
        return None if child is None else child.text.strip()


class XmlError(ValueError):
    """The file is no well-formed XML."""


def parse(data: bytes, where: str) -> Element:
    """The root element; XmlError if malformed, ConfigError if it declares a document type or entity."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise XmlError("UTF-16; save it as UTF-8")
    parser = expat.ParserCreate()
    stack: list[Element] = []
    roots: list[Element] = []

    def start(tag: str, attrs: dict[str, str]) -> None:
        if len(stack) >= MAX_DEPTH:
            raise XmlError(f"depth > {MAX_DEPTH}")
        at = parser.CurrentByteIndex
        element = Element(tag, at, inner=_tag_end(data, at), attrs=attrs)
        (stack[-1].children if stack else roots).append(element)
        stack.append(element)

    def end(_: str) -> None:
        element = stack.pop()
        if data[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = parser.CurrentByteIndex
            element.end = data.find(b">", element.close) + 1
            if not data.startswith(b"</", element.close) or element.end == 0:
                raise XmlError("not a text of one byte a character; save it as UTF-8")

    def characters(text: str) -> None:
        if stack:
            stack[-1].text += text

    def refuse(*_: object) -> None:
        raise ConfigError(f"{where}: a document type or entity declaration; remove it")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(f"line {error.lineno}: {expat.ErrorString(error.code)}") from None
    return roots[0]


def _tag_end(data: bytes, at: int) -> int:
    """One past the `>` of the tag at `at`; attribute values may hold one."""
    quote = 0
    for i in range(at, len(data)):
        char = data[i]
        if quote:
            quote = 0 if char == quote else quote
        elif char in (34, 39):
            quote = char
        elif char == 62:
            return i + 1
    raise XmlError("truncated")


_ATTRIBUTE = re.compile(rb"""\s+([^\s=/<>"']+)\s*=\s*("[^"]*"|'[^']*')""")


def attribute_edit(data: bytes, element: Element, name: str, value: str | None) -> tuple[int, int, bytes]:
    """The edit that gives an element's attribute another value, adds it, or (None) takes it away."""
    new = b"" if value is None else b" " + name.encode() + b'="' + escape(value).replace(b'"', b"&quot;") + b'"'
    for found in _ATTRIBUTE.finditer(data, element.start, element.inner):
        if found[1] == name.encode():
            if value is None:
                return found.start(), found.end(), b""
            return found.start(2), found.end(2), b'"' + escape(value).replace(b'"', b"&quot;") + b'"'
    at = element.inner - (2 if data[element.inner - 2 : element.inner] == b"/>" else 1)
    return at, at, new


def escape(text: str) -> bytes:
    """Text as XML content; characters outside ASCII as references, so that any declared encoding reads them."""
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, name)
    return text.encode("ascii", "xmlcharrefreplace")


def spliced(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """`data` with the spans replaced; spans do not overlap."""
    out = []
    at = 0
    for start, end, new in sorted(edits):
        out += [data[at:start], new]
        at = end
    out.append(data[at:])
    return b"".join(out)


def removal(data: bytes, element: Element) -> tuple[int, int, bytes]:
    """The edit that takes an element out together with the blanks before it."""
    start = element.start
    while start and data[start - 1] in b" \t\r\n":
        start -= 1
    return start, element.end, b""
