"""CVAT for images 1.1 XML, written: originals verbatim and first, then one image element a copy, in plan order.

A copy's element is the source's own text with id, name, size and shapes replaced; tags, attributes and unknown elements
stay. An outline that a frame cuts in pieces becomes several polygons of one group_id.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .._core import ConfigError
from . import rle
from . import writer as base
from .coco_write import MAX_ID, rounded_parts
from .convert import neutral, place, tidy
from .cvat import OTHERS, SHAPES, CvatDoc, CvatImage, open_document
from .geometry import mask_extent
from .model import Copy, Dataset, Instance, Mapped, Sample
from .polygon import area, clip
from .xmlspan import Element, attribute_edit, escape, removal, spliced

_Edit = tuple[int, int, bytes]


class Writer(base.Writer):
    """One image element a copy in the document that names the source."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.docs: list[CvatDoc] = data.header
        self.ranks: list[dict[int, int]] = []
        for number, doc in enumerate(self.docs):
            inside = [s for s in multiplied if s.raw.doc == number]
            self.ranks.append({id(s): i for i, s in enumerate(inside)})
            if doc.last_id + 1 + len(inside) * copies >= MAX_ID:
                raise ConfigError(f"{doc.path}: ids would pass 2**53")

    def record(self, copy: Copy, prepared: Any) -> bytes:
        """The copy's element as JSON: [document, text]."""
        entry: CvatImage = copy.sample.raw
        doc = self.docs[entry.doc]
        image = doc.images[entry.index]
        ranks = self.ranks[entry.doc]
        number = doc.last_id + 1 + (copy.replica - 1) * len(ranks) + ranks[id(copy.sample)]
        name = image.attrs["name"].rpartition("/")[0]
        name = (name + "/" if name else "") + copy.path.rsplit("/", 1)[-1]
        values = {"id": number, "name": name, "width": copy.size[0], "height": copy.size[1]}
        text = doc.text
        edits = [attribute_edit(text, image, key, str(value)) for key, value in values.items()]
        done: dict[int, list[Mapped]] = {}
        for m in copy.objects:
            done.setdefault(m.instance.raw[0], []).append(m)
        groups = _Groups(image)
        kept = {index for objects in done.values() for index in objects[0].instance.raw}
        for index, child in enumerate(image.children):
            if child.tag in OTHERS or (child.tag in SHAPES and index not in kept):
                edits.append(removal(text, child))
            elif index in done:
                children = [image.children[i] for i in done[index][0].instance.raw]
                edits += self._shape(text, children, done[index], copy, groups)
        shifted = [(a - image.start, b - image.start, new) for a, b, new in edits]
        element = spliced(text[image.start : image.end], shifted).decode("utf-8", "surrogateescape")
        return json.dumps([entry.doc, element]).encode()

    def _shape(
        self, text: bytes, children: list[Element], objects: list[Mapped], copy: Copy, groups: _Groups
    ) -> list[_Edit]:
        """The edits that replace an object's shapes by what became of them; none if they are what they were."""
        gap = text[removal(text, children[0])[0] : children[0].start]
        pieces: list[bytes] = []
        for mapped in objects:
            same = not (mapped.changed or mapped.instance.clipped or copy.sample.frame == "stored")
            if same and not mapped.ghost:
                if len(objects) == 1:
                    return []
                pieces += [text[c.start : c.end] for c in children]
                continue
            made = geometry(mapped)
            group = None
            if (len(made) > 1 and len(children) == 1) or (len(children) > 1 and mapped.ghost):
                group = groups.new()
            for number, (tag, attributes) in enumerate(made):
                if group is not None:
                    attributes["group_id"] = group
                pieces.append(_with_geometry(text, children[min(number, len(children) - 1)], tag, attributes))
        first, *rest = children
        return [(first.start, first.end, gap.join(pieces)), *(removal(text, c) for c in rest)]

    def aggregate_paths(self) -> list[str]:
        """The files that are written after all samples."""
        return [doc.path for doc in self.docs]

    def aggregates(
        self, records: Callable[[], Iterable[bytes]], gone: set[int]
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Every document without its invalid records, with the copies' elements after its last image."""
        lost: set[tuple[int, int]] = {(s.raw.doc, s.raw.index) for s in self.data.samples() if id(s) in gone}
        for number, doc in enumerate(self.docs):
            yield doc.path, self._document(number, doc, records, {i for d, i in lost if d == number})

    def _document(
        self, number: int, doc: CvatDoc, records: Callable[[], Iterable[bytes]], lost: set[int]
    ) -> Iterator[bytes]:
        text = doc.text
        if not doc.images:
            yield text
            return
        out = doc.bad_images | lost
        edits = [removal(text, doc.images[i]) for i in out]
        edits += [removal(text, doc.images[i].children[c]) for i, c in doc.bad_shapes if i not in out]
        last = doc.images[-1]
        gap = text[removal(text, last)[0] : last.start] or b"\n"
        yield spliced(text[: last.end], edits)
        for line in records():
            which, element = json.loads(line)
            if which == number:
                yield gap + element.encode("utf-8", "surrogateescape")
        yield text[last.end :]


class _Groups:
    """Group numbers that an image does not use yet."""

    def __init__(self, image: Element) -> None:
        self.last = max((int(g) for c in image.children if (g := c.attrs.get("group_id", "")).isdecimal()), default=0)

    def new(self) -> str:
        """The next one."""
        self.last += 1
        return str(self.last)


def _with_geometry(text: bytes, child: Element, tag: str, attributes: dict[str, str | None]) -> bytes:
    """The element's text under another tag, with attributes replaced, added or (None) removed."""
    edits: list[_Edit] = [attribute_edit(text, child, key, value) for key, value in attributes.items()]
    if tag != child.tag:
        old = child.tag.encode()
        edits.append((child.start + 1, child.start + 1 + len(old), tag.encode()))
        if child.end > child.inner:
            at = text.index(old, child.close)
            edits.append((at, at + len(old), tag.encode()))
    return spliced(text[child.start : child.end], [(a - child.start, b - child.start, new) for a, b, new in edits])


def _pairs(flat: Iterable[float]) -> str:
    values = list(flat)
    return ";".join(f"{x:.2f},{y:.2f}" for x, y in zip(values[0::2], values[1::2], strict=True))


def _exact(flat: array[float]) -> str:
    return ";".join(f"{tidy(x)},{tidy(y)}" for x, y in zip(flat[0::2], flat[1::2], strict=True))


def geometry(mapped: Mapped) -> list[tuple[str, dict[str, str | None]]]:
    """(tag, attributes) of the shapes that an object became."""
    kind = mapped.instance.flags["shape"]
    if mapped.keypoints is not None:
        return [(kind, {"points": _pairs(v for x, y, seen in mapped.keypoints if seen for v in (x, y))})]
    if mapped.mask is not None:
        return [("mask", mask_attributes(mapped.mask))]
    if mapped.quad is not None:
        return [_rotated(mapped.quad)]
    if not mapped.parts:
        return [("box", {**_box(mapped.box), **({"rotation": None} if mapped.instance.quad is not None else {})})]
    gone = dict.fromkeys(("cx", "cy", "rx", "ry", "rotation")) if kind == "ellipse" else {}
    return [("polygon", {**gone, "points": _pairs(part)}) for part in rounded_parts(mapped.parts)]


def _box(box: tuple[float, float, float, float]) -> dict[str, str | None]:
    return {key: f"{value:.2f}" for key, value in zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True)}


def _rotated(quad: array[float]) -> tuple[str, dict[str, str | None]]:
    """An oriented box as a box and its rotation; as a polygon if it is no rectangle any more."""
    ax, ay, bx, by, cx, cy, dx, dy = quad
    mx, my = (ax + bx + cx + dx) / 4, (ay + by + cy + dy) / 4
    w, h = math.hypot(bx - ax, by - ay), math.hypot(dx - ax, dy - ay)
    square = abs((bx - ax) * (dx - ax) + (by - ay) * (dy - ay))
    skew = math.hypot(ax + cx - bx - dx, ay + cy - by - dy)
    if skew > 0.05 or square > 0.001 * w * h or w == 0 or h == 0:
        gone: dict[str, str | None] = dict.fromkeys(("xtl", "ytl", "xbr", "ybr", "rotation"))
        return "polygon", {**gone, "points": _pairs(quad)}
    # the first edge is the top of a box that was turned; a mirrored one runs the other way round
    if (bx - ax) * (dy - ay) - (by - ay) * (dx - ax) < 0:
        ax, ay, bx, by = bx, by, ax, ay
    angle = math.degrees(math.atan2(by - ay, bx - ax)) % 360
    box = _box((mx - w / 2, my - h / 2, mx + w / 2, my + h / 2))
    return "box", {**box, "rotation": f"{angle:.2f}"}


def mask_attributes(mask: Any) -> dict[str, str | None]:
    """Runs along the rows of the mask's box."""
    x0, y0, x1, y1 = (int(v) for v in mask_extent(mask) or (0, 0, 1, 1))
    counts = rle.encode(np.ascontiguousarray(np.asarray(mask)[y0:y1, x0:x1]).T)
    return {
        "rle": ", ".join(map(str, counts)),
        "left": str(x0),
        "top": str(y0),
        "width": str(x1 - x0),
        "height": str(y1 - y0),
    }


def adopt(data: Dataset) -> Dataset:
    """`data` as a CVAT set: one `annotations.xml` that exists as text only, images in `images/<split>/`."""
    found = neutral(data, "cvat")
    found.keep("outlines", "quads", "attributes")
    place(found.samples, lambda sample: f"images/{sample.split}")
    labels = "".join(
        f"        <label><name>{_text(c.name)}</name><attributes></attributes></label>\n" for c in found.categories
    )
    pieces = [
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n'
        f"      <labels>\n{labels}      </labels>\n    </task>\n  </meta>\n"
    ]
    for number, sample in enumerate(found.samples):
        sample.raw = CvatImage(0, number)
        name, split = _text(sample.path.removeprefix("images/")), _text(sample.split)
        w, h = sample.size
        pieces.append(f'  <image id="{number}" name="{name}" subset="{split}" width="{w}" height="{h}">\n')
        count = groups = 0
        for instance in sample.instances:
            shapes = _new_shapes(instance, sample)
            if len(shapes) > 1:
                groups += 1
                for _, attributes in shapes:
                    attributes["group_id"] = str(groups)
            instance.raw = list(range(count, count + len(shapes)))
            count += len(shapes)
            name = found.categories[instance.category].name
            pieces += [_new_text(name, instance, *shape) for shape in shapes]
        pieces.append("  </image>\n")
    pieces.append("</annotations>\n")
    doc = open_document("annotations.xml", "".join(pieces).encode("utf-8"))
    return replace(
        data, format="cvat", categories=found.categories, splits=found.splits(), header=[doc], files=found.files,
        losses=found.losses,
    )  # fmt: skip


def _text(value: str) -> str:
    return escape(value).decode().replace('"', "&quot;")


def _new_shapes(instance: Instance, sample: Sample) -> list[tuple[str, dict[str, str | None]]]:
    """Shapes of an adopted object; its outline is one shape, or several of one group."""
    assert instance.box is not None
    instance.flags["shape"] = "box"
    if instance.quad is not None and not instance.parts:
        tag, attributes = _rotated(instance.quad)
        if tag == "box":
            return [(tag, attributes)]
        ring = clip(instance.quad, *sample.size)
        instance.parts = [ring] if len(ring) >= 6 and area(ring) > 0 else None
    instance.quad = None
    if instance.parts:
        instance.flags["shape"] = "polygon"
        made = [
            (";".join(f"{tidy(x)},{tidy(y)}" for x, y in zip(p[0::2], p[1::2], strict=True))) for p in instance.parts
        ]
        return [("polygon", {"points": text}) for text in made]
    if instance.rle is not None:
        instance.flags["shape"] = "mask"
        return [("mask", mask_attributes(rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w)))]
    return [("box", {k: str(tidy(v)) for k, v in zip(("xtl", "ytl", "xbr", "ybr"), instance.box, strict=True)})]


def _new_text(name: str, instance: Instance, tag: str, attributes: dict[str, str | None]) -> str:
    fields = {"label": name, "occluded": "1" if instance.flags.get("occluded") else "0", **attributes}
    told = "".join(
        f'      <attribute name="{_text(str(k))}">{_text(str(v))}</attribute>\n'
        for k, v in instance.flags.get("attributes", {}).items()
    )
    head = "".join(f' {key}="{_text(str(value))}"' for key, value in fields.items())
    return f"    <{tag}{head}>\n{told}    </{tag}>\n"
