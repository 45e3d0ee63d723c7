"""CreateML JSON, written: originals verbatim and first, then one record a copy, in plan order; any set as CreateML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from . import jsonspan
from . import writer as base
from .convert import CLASSES, neutral, place, tidy
from .createml import IMAGE_KEYS, LIST_KEYS, CreatemlDoc, CreatemlImage, key_of
from .model import Box, Copy, Dataset, Mapped, Sample


class Writer(base.Writer):
    """One record a copy in the document that names the source."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.docs: list[CreatemlDoc] = data.header

    def prepare(self, sample: Sample) -> jsonspan.Document:
        """The sample's record with the places of its annotations."""
        entry: CreatemlImage = sample.raw
        return _inner(self.docs[entry.doc], entry.index)

    def record(self, copy: Copy, prepared: Any) -> bytes:
        """The copy's record as JSON: [document, text]."""
        inner: jsonspan.Document = prepared
        key = key_of({**inner.values, **inner.arrays}, LIST_KEYS)
        rows = []
        for mapped in copy.objects:
            text = jsonspan.record_text(inner, key, mapped.instance.raw)
            if mapped.changed or mapped.ghost or mapped.instance.clipped:
                text = jsonspan.style_of(inner, key).dumps(_moved(json.loads(text), mapped))
            rows.append(text)
        named = key_of(inner.values, IMAGE_KEYS)
        folder = str(inner.values[named]).rpartition("/")[0]
        name = (folder + "/" if folder else "") + copy.path.rsplit("/", 1)[-1]
        text = jsonspan.with_values(inner, {named: name}, {key: rows})
        return json.dumps([copy.sample.raw.doc, text]).encode()

    def aggregate_paths(self) -> list[str]:
        """The files that are written after all samples."""
        return [doc.path for doc in self.docs]

    def aggregates(
        self, records: Callable[[], Iterable[bytes]], gone: set[int]
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Every document without its invalid records, with the copies' records at its end."""
        lost = {(s.raw.doc, s.raw.index) for s in self.data.samples() if id(s) in gone}
        for number, doc in enumerate(self.docs):
            yield doc.path, _encoded(doc, number, records, {i for d, i in lost if d == number})


def _encoded(doc: CreatemlDoc, number: int, records: Callable[[], Iterable[bytes]], lost: set[int]) -> Iterator[bytes]:
    document = doc.document
    text, span = document.text, document.arrays[jsonspan.TOP]
    separator = jsonspan.separator_of(document, jsonspan.TOP)
    if document.bom:
        yield b"\xef\xbb\xbf"
    out = doc.bad_images | lost
    if not span:
        yield text.encode("utf-8")
        return
    if not out and not doc.bad_objects:
        yield text[: span.ends[-1]].encode("utf-8")
    else:
        yield text[: span.starts[0]].encode("utf-8")
        kept = [i for i in range(len(span)) if i not in out]
        for place, index in enumerate(kept):
            record = jsonspan.record_text(document, jsonspan.TOP, index)
            if index in doc.bad_objects:
                inner = _inner(doc, index)
                key = key_of({**inner.values, **inner.arrays}, LIST_KEYS)
                record = "".join(jsonspan.edited(inner, {key: doc.bad_objects[index]}, {}))
            yield ((separator if place else "") + record).encode("utf-8")
    empty = len(out) == len(span)
    for line in records():
        which, record = json.loads(line)
        if which == number:
            yield (("" if empty else separator) + record).encode("utf-8")
            empty = False
    yield text[span.ends[-1] :].encode("utf-8")


def _inner(doc: CreatemlDoc, index: int) -> jsonspan.Document:
    """A record as a document of its own, whose annotations have places."""
    text = jsonspan.record_text(doc.document, jsonspan.TOP, index)
    return jsonspan.parse_text(text, False, doc.path, {key: lambda value, place: None for key in LIST_KEYS})


def _moved(row: dict[str, Any], mapped: Mapped) -> dict[str, Any]:
    row["coordinates"] = {**row["coordinates"], **_coordinates(mapped.box, 2)}
    return row


def _coordinates(box: Box, digits: int) -> dict[str, float]:
    """Middle and size; rounded so that the edges come back to the last digit."""
    x0, y0, x1, y1 = (round(v, digits) for v in box)
    middle = {"x": tidy((x0 + x1) / 2), "y": tidy((y0 + y1) / 2)}
    return {**middle, "width": tidy(x1 - x0), "height": tidy(y1 - y0)}


def adopt(data: Dataset) -> Dataset:
    """`data` as a CreateML set: `<split>/_annotations.createml.json` beside the split's images."""
    found = neutral(data, "createml")
    found.keep()
    used = {i.category for s in found.samples for i in s.instances}
    found.lose(CLASSES, sum(c not in used for c in range(len(found.categories))))
    place(found.samples, lambda sample: sample.split)
    docs = []
    for number, (split, samples) in enumerate(found.splits().items()):
        records = []
        for index, sample in enumerate(samples):
            rows = []
            for rank, instance in enumerate(sample.instances):
                assert instance.box is not None
                name = found.categories[instance.category].name
                rows.append({"label": name, "coordinates": _coordinates(instance.box, 6)})
                instance.raw = instance.rank = rank
            records.append(json.dumps({"image": sample.path.rsplit("/", 1)[-1], "annotations": rows}))
            sample.raw = CreatemlImage(number, index)
        text = ("[" + ", ".join(records) + "]\n").encode()
        path = f"{split}/_annotations.createml.json"
        docs.append(CreatemlDoc(path, jsonspan.parse_array(text, path, lambda value, index: None)))
    return replace(
        data, format="createml", task="detect", categories=found.categories, splits=found.splits(), header=docs,
        files=found.files, losses=found.losses,
    )  # fmt: skip
