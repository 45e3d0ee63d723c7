"""What every format's writer answers. A format overrides what it has; the rest says that there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .model import Copy, Dataset, Sample
from .paths import stem

#: (path in the written set, content in pieces)
Aggregate = tuple[str, Iterable[bytes]]


class Writer:
    """Turns copies into annotation files; `multiplied` are the samples of the plan in order.

    All paths are relative to the root of the written set. Every path that may be written is told before the first
    byte is, by `label_paths`, `original_paths` and `aggregate_paths`.
    """

    def __init__(self, data: Dataset, multiplied: list[Sample], copies: int) -> None:
        self.data = data

    def name_parts(self, sample: Sample) -> tuple[str, str, str]:
        """(before, name, behind) of a source's path without its suffix: copies change the middle part alone."""
        folder, slash, name = stem(sample.path).rpartition("/")
        return folder + slash, name, ""

    def label_paths(self, sample: Sample, path: str) -> list[str]:
        """Files that a copy of `sample` at `path` may bring along beside its image."""
        return []

    def prepare(self, sample: Sample) -> Any:
        """Whatever of the source's records is parsed once for all its copies."""
        return None

    def label_files(self, copy: Copy, prepared: Any) -> list[tuple[str, bytes]]:
        """Those files: (path, content)."""
        return []

    def record(self, copy: Copy, prepared: Any) -> bytes:
        """What the aggregates need to know of the copy; read back in plan order. It holds no line break."""
        return b""

    def original_paths(self) -> list[str]:
        """Files of `originals`."""
        return list(dict.fromkeys(s.label for s in self.data.samples() if s.label is not None))

    def originals(self, gone: set[int]) -> Iterable[tuple[str, bytes | None]]:
        """Annotation files of the sources but those in `gone` (ids of samples): None stands for a byte copy."""
        return ()

    def aggregate_paths(self) -> list[str]:
        """Files that are written after all samples."""
        return []

    def aggregates(self, records: Callable[[], Iterable[bytes]], gone: set[int]) -> Iterable[Aggregate]:
        """Those files: lists, documents, yaml. `records` gives the records of all copies in plan order."""
        return ()
