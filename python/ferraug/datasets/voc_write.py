"""Pascal VOC XML, written: the source's own text with file name, size and boxes replaced, lists brought along."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import maskfile
from . import writer as base
from .masks import mask_path
from .model import Box, Copy, Dataset, Mapped, Sample
from .paths import stem
from .voc import VocSet
from .xmlspan import Element, escape, parse, removal, spliced

#: less than this of an object visible: the guidelines call it truncated
TRUNCATED = 0.85


class Writer(base.Writer):
    """One XML file a copy, and the lists of ImageSets."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.set: VocSet = data.header
        self.multiplied = multiplied
        self.origin = data.options.voc_origin
        self.floor = self.set.floor(self.origin)

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """The XML of a copy at `path`."""
        source = sample.label or ""
        folder = source.rsplit("/", 1)[0] + "/" if "/" in source else ""
        xml = folder + stem(path.rsplit("/", 1)[-1]) + ".xml"
        return [xml, *(mask_path(sample.path, m, path) for m in (sample.mask, sample.second) if m is not None)]

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """The source's XML, edited in place."""
        sample = copy.sample
        file = self.set.files[sample.path]
        raw, root = prepared
        edits: list[tuple[int, int, bytes]] = []
        name = copy.path.rsplit("/", 1)[-1]
        _put(root.find("filename"), raw, edits, name)
        _put(root.find("path"), raw, edits, name)
        size = root.find("size")
        if size is not None:
            for tag, value in (("width", copy.size[0]), ("height", copy.size[1]), ("depth", copy.channels)):
                _put(size.find(tag), raw, edits, str(value))
        done: dict[int, list[Mapped]] = {}
        for m in copy.objects:
            done.setdefault(m.instance.raw, []).append(m)
        for index, element in enumerate(root.all("object")):
            found = done.get(index)
            if found is None:
                edits.append(removal(raw, element))
                continue
            ghosts = b""
            for mapped in found[1:]:
                # a mirrored copy: the same element once more, with its own box
                own: list[tuple[int, int, bytes]] = []
                self._object(element, mapped, copy.size, file.whole, raw, own)
                gap = raw[removal(raw, element)[0] : element.start]
                shifted = [(a - element.start, b - element.start, new) for a, b, new in own]
                ghosts += gap + spliced(raw[element.start : element.end], shifted)
            if ghosts:
                edits.append((element.end, element.end, ghosts))
            mapped = found[0]
            if mapped.changed or mapped.instance.clipped or sample.frame == "stored":
                self._object(element, mapped, copy.size, file.whole, raw, edits)
        text = spliced(raw, edits)
        contents = [text, *(maskfile.encode(m) for m in (copy.mask, copy.second) if m is not None)]
        return list(zip(self.label_paths(sample, copy.path), contents, strict=True))

    def _object(
        self,
        element: Element,
        mapped: Mapped,
        size: tuple[int, int],
        whole: bool,
        raw: bytes,
        edits: list[tuple[int, int, bytes]],
    ) -> None:
        bndbox = element.find("bndbox")
        assert bndbox is not None
        self._box(bndbox, mapped.box, size, whole, raw, edits)
        if mapped.share < TRUNCATED:
            _put(element.find("truncated"), raw, edits, "1")
        for part, box in zip(element.all("part"), mapped.extras, strict=False):
            inner = part.find("bndbox")
            if box is None or inner is None:
                edits.append(removal(raw, part))
            else:
                self._box(inner, box, size, whole, raw, edits)

    def _box(
        self,
        element: Element,
        box: Box,
        size: tuple[int, int],
        whole: bool,
        raw: bytes,
        edits: list[tuple[int, int, bytes]],
    ) -> None:
        texts = box_texts(box, size, whole, self.floor, self.origin)
        for tag, text in zip(("xmin", "ymin", "xmax", "ymax"), texts, strict=True):
            _put(element.find(tag), raw, edits, text)

    def prepare(self, sample: Sample) -> tuple[bytes, Element]:
        """The source's XML, parsed once for all its copies."""
        file = self.set.files[sample.path]
        raw = file.content(self.data.root)
        return raw, parse(raw, file.path)

    def record(self, copy: Copy, prepared: Any) -> bytes:
        """Lists need the source's and the copy's stem."""
        return json.dumps([copy.sample.path, copy.path]).encode()

    def original_paths(self) -> list[str]:
        """XML files and masks."""
        paths = (p for s in self.data.samples() for p in (s.label, s.mask, s.second))
        return list(dict.fromkeys(p for p in paths if p is not None))

    def originals(self, gone: set[int]) -> Iterator[tuple[str, bytes | None]]:
        """XML files of the sources: None for a byte copy, else the text without its invalid objects; their masks."""
        for sample in self.data.samples():
            if id(sample) in gone:
                continue
            yield from ((m, None) for m in (sample.mask, sample.second) if m is not None)
            file = self.set.files[sample.path]
            if not file.dropped:
                yield file.path, file.text
                continue
            raw = file.content(self.data.root)
            objects = parse(raw, file.path).all("object")
            yield file.path, spliced(raw, [removal(raw, objects[i]) for i in file.dropped])

    def aggregate_paths(self) -> list[str]:
        """The files that are written after all samples."""
        return list(self.set.lists)

    def aggregates(
        self, records: Callable[[], Iterable[bytes]], gone: set[int]
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """ImageSets lists, with the copies' names where their source is listed as train."""
        lost = {_stem_of(s.path) for s in self.data.samples() if id(s) in gone}
        splits = {s.path: s.split for s in self.multiplied}
        for path, text in self.set.lists.items():
            name = stem(path.rsplit("/", 1)[-1])
            lines = text.split("\n")
            if lost:
                lines = [line for line in lines if not line.split() or line.split()[0] not in lost]
            body = "\n".join(lines)
            yield path, _with_copies(body, records, splits, name)


def _with_copies(
    body: str, records: Callable[[], Iterable[bytes]], splits: dict[str, str], name: str
) -> Iterable[bytes]:
    """The list and the copies of those it names. A list of val or test (of all classes or of one, `cat_val`) takes no
    copies of other splits: an image that is in two lists counts as train."""
    kind = name.rsplit("_", 1)[-1]
    end = "\r\n" if "\r\n" in body else "\n"
    rest: dict[str, str] = {}
    for line in body.splitlines():
        if line.split():
            entry = line.split()[0]
            rest[entry] = line.rstrip()[len(line) - len(line.lstrip()) + len(entry) :]
    started = False
    yield body.encode()
    for record in records():
        source, path = json.loads(record)
        if kind in ("val", "test") and splits[source].replace("valid", "val") != kind:
            continue
        tail = rest.get(_stem_of(source))
        if tail is None:
            continue
        if not started and body and not body.endswith("\n"):
            yield end.encode()
        started = True
        # a class list says 1, 0 or -1 behind the name, which stays true of the copy only roughly: kept as it is
        yield f"{_stem_of(path)}{tail}{end}".encode()


def _stem_of(path: str) -> str:
    return stem(path.rsplit("/", 1)[-1])


def _put(element: Element | None, raw: bytes, edits: list[tuple[int, int, bytes]], text: str) -> None:
    """Replaces an element's text, keeping the blanks around it; an empty element gets the text between its tags."""
    if element is None or element.children:
        return
    new = escape(text)
    if element.close == element.inner and raw[element.inner - 2 : element.inner] == b"/>":
        tag = element.tag.encode()
        edits.append((element.start, element.end, b"<" + tag + b">" + new + b"</" + tag + b">"))
        return
    inner = raw[element.inner : element.close]
    start = element.inner + len(inner) - len(inner.lstrip())
    end = element.close - (len(inner) - len(inner.rstrip()))
    if end < start:
        start = end = element.inner
    edits.append((start, end, new))


def round_half_away(value: float) -> int:
    """VOC's readers expect the nearest whole number, halves away from zero."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def box_texts(box: Box, size: tuple[int, int], whole: bool, floor: float, origin: int = 0) -> list[str]:
    """xmin ymin xmax ymax as the source writes numbers, at least `floor`, inside the image and never empty; with
    `origin` 1 the first pixel and the last one, counted from 1."""
    texts: list[list[str]] = []
    for low, high, side in ((box[0], box[2], size[0]), (box[1], box[3], size[1])):
        if whole:
            first = min(max(round_half_away(low), int(floor)), side - 1 if side > 1 else 0)
            last = min(max(round_half_away(high), first + 1), max(side, first + 1))
            texts.append([str(first + origin), str(last)])
        else:
            start = round(max(low, floor), 2)
            texts.append([f"{start + origin:.2f}", f"{max(round(high, 2), start + 0.01):.2f}"])
    (x0, x1), (y0, y1) = texts
    return [x0, y0, x1, y1]
