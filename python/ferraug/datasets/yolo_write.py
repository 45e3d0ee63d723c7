"""YOLO, written: one label file beside the copy's image, lists and yaml paths brought along; its rows: `yolo_text`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import writer as base
from .model import Copy, Dataset, Mapped, Sample
from .paths import stem
from .yamlsubset import quote
from .yolo import YoloSet
from .yolo_rows import LabelFile
from .yolo_text import object_columns


class Writer(base.Writer):
    """One label file a copy, lists and yaml."""

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        super().__init__(data, multiplied, copies)
        self.set: YoloSet = data.header
        self.multiplied = multiplied
        self.taken = set(data.files) | set(self.set.labels)

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """The label file of a copy at `path`; none if the source has none: missing stays missing."""
        if sample.label is None:
            return []
        folder = sample.label.rsplit("/", 1)[0] + "/" if "/" in sample.label else ""
        return [folder + stem(path.rsplit("/", 1)[-1]) + ".txt"]

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """The copy's rows."""
        rows = [self.row(mapped, copy.size) for mapped in copy.objects]
        text = "".join(row + "\n" for row in rows if row).encode()
        return [(path, text) for path in self.label_paths(copy.sample, copy.path)]

    def row(self, mapped: Mapped, size: tuple[int, int]) -> str:
        """The object's rows, one as a rule; the source's own text if nothing moved."""
        instance = mapped.instance
        if not mapped.changed and not instance.clipped:
            return str(instance.raw)
        key = self.data.categories[instance.category].key
        task = self.data.task if self.set.adopted else None
        rows = object_columns(mapped, size, task, self.set.pose, self.data.options.parts)
        return "\n".join(f"{key} {' '.join(columns)}" for columns in rows)

    def record(self, copy: Copy, prepared: Any) -> bytes:
        """Aggregates need the copy's source and path only."""
        return json.dumps([copy.sample.path, copy.path]).encode()

    def originals(self, gone: set[int]) -> Iterator[tuple[str, bytes | None]]:
        """Label files of the sources: None for a byte copy, else the text without its invalid rows."""
        done: set[str] = set()
        for sample in self.data.samples():
            if sample.label is None or sample.label in done or id(sample) in gone:
                continue
            done.add(sample.label)
            label = self.set.labels[sample.label]
            yield label.path, without(label) if label.dropped or label.fresh else None

    def aggregate_paths(self) -> list[str]:
        """The files that are written after all samples."""
        paths = [f.path for f in self.set.lists]
        if self.set.yaml_path is not None:
            paths += [self.set.yaml_path, *(self.shared_path(key) for key in self.set.shared)]
        return paths

    def shared_path(self, key: str) -> str:
        """A list for a split whose folder belongs to another split too."""
        base = self._base()
        folder = f"{base}/" if base else ""
        path = f"{folder}{key}.txt"
        return path if path not in self.taken else f"{folder}{key}-originals.txt"

    def aggregates(
        self, records: Callable[[], Iterable[bytes]], gone: set[int]
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """(path, content) of lists and yaml."""
        present = {s.path for s in self.data.samples() if id(s) not in gone}
        for found in self.set.lists:
            shared = any(place == found.path for key in self.set.shared for _, place in self.set.keys.get(key, ()))
            new: list[str] = []
            if self.multiplied and not shared:
                entries = {image: entry for entry, image in found.entries}
                for record in records():
                    source, path = json.loads(record)
                    if source in entries:
                        entry = entries[source]
                        head = entry[: max(entry.rfind("/"), entry.rfind("\\")) + 1]
                        new.append(head + path.rsplit("/", 1)[-1])
            lost = {entry for entry, image in found.entries if image not in present}
            yield found.path, _list_text(found.text, lost, new)
        if self.set.yaml_path is None:
            return
        for key in self.set.shared:
            base = self._base()
            rows = [_relative(path, base) for path in self.set.shared[key] if path in present]
            yield self.shared_path(key), ("".join(f"./{row}\n" for row in rows).encode(),)
        yield self.set.yaml_path, (self._yaml().encode(),)

    def _base(self) -> str:
        path = self.set.yaml_path or ""
        return path.rsplit("/", 1)[0] if "/" in path else ""

    def _yaml(self) -> str:
        """The yaml with path values that lead somewhere in the new tree; all else byte for byte."""
        yaml = self.set.yaml
        assert yaml is not None
        base = self._base()
        edits: list[tuple[int, int, str]] = []
        root = yaml.value.get("path")
        direct = all(
            self._leads(base, root, yaml.value[key], *place)
            for key, places in self.set.keys.items()
            for place in places
        )
        if root is not None and not direct:
            edits.append((*yaml.spans[("path",)], ""))
            root = None
        for key, places in self.set.keys.items():
            if key in self.set.shared:
                if len(places) == 1 and (key,) in yaml.spans:
                    target = _relative(self.shared_path(key), base)
                    edits.append((*yaml.spans[(key,)], target if root is None else self._under(root, base, target)))
                continue
            for position, place in places:
                span = yaml.spans.get((key,) if position is None else (key, position))
                if span is None or self._leads(base, root, yaml.value[key], position, place):
                    continue
                edits.append((*span, _relative(place, base) or "."))
        text = yaml.text
        for start, end, value in sorted(edits, reverse=True):
            new = quote(value) if value else ""
            blank = " " if start == end and new and text[start - 1 : start] == ":" else ""
            text = text[:start] + blank + new + text[end:]
        return text

    def _under(self, root: object, base: str, target: str) -> str:
        """`target` (relative to the yaml) as seen from the yaml's `path`."""
        inside = _normal(base, str(root))
        full = _normal(base, target)
        if inside is None or full is None:
            return target
        ups = [] if inside == "" else [".."] * len(inside.split("/"))
        return "/".join([*ups, full]) if inside and not full.startswith(inside + "/") else _relative(full, inside)

    def _leads(self, base: str, root: object, value: object, position: object, place: str) -> bool:
        """The value, joined as it stands, is the folder it was resolved to."""
        text = value[position] if isinstance(position, int) and isinstance(value, list) else value
        return _normal(base, *(str(v) for v in (root, text) if v is not None)) == place


def _normal(*parts: str) -> str | None:
    """Joined parts without . and ..; None if they are absolute or leave the root."""
    words: list[str] = []
    for part in parts:
        if part.startswith(("/", "\\")) or part[1:2] == ":":
            return None
        for word in part.replace("\\", "/").split("/"):
            if word == "..":
                if not words:
                    return None
                words.pop()
            elif word not in ("", "."):
                words.append(word)
    return "/".join(words)


def _relative(path: str, base: str) -> str:
    if not base:
        return path
    if path.startswith(base + "/"):
        return path[len(base) + 1 :]
    return "/".join([*([".."] * len(base.split("/"))), path])


def _list_text(text: str, lost: set[str], new: list[str]) -> Iterable[bytes]:
    lines = text.split("\n")
    if lost:
        lines = [line for line in lines if line.strip("\r\t \ufeff") not in lost]
    body = "\n".join(lines)
    end = "\r\n" if "\r\n" in text else "\n"
    if new and body and not body.endswith("\n"):
        body += end
    yield body.encode("utf-8", "surrogateescape")
    for entry in new:
        yield (entry + end).encode("utf-8", "surrogateescape")


def without(label: LabelFile) -> bytes:
    """A label file's text without its invalid lines."""
    lines = label.text.split("\n")
    kept = [line for i, line in enumerate(lines) if i not in label.dropped]
    if kept and len(lines) - 1 in label.dropped and kept[-1] != "":
        kept.append("")  # the last line lost its successor, not its line end
    return "\n".join(kept).encode("utf-8", "surrogateescape")
