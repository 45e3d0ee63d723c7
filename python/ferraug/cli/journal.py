"""What a run has done so far, one line a finished piece, so that a stopped run can go on where it was.

A line is `crc header-length manifest-length record-length header manifest record`: the header is JSON, manifest and
record are what the copy adds to the manifest and to the files that all sources share. A line is added after its files
have their names. `owns` lines come before: files that may lie there half announced belong to this run, and a later
call may remove them. Nothing is flushed to the disk; whoever reads the journal hashes the files it lists.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .._core import ConfigError
from ..datasets.paths import safe_rel_path

JOURNAL = ".ferraug-journal"

#: (replica, rank of the source): order of the manifest and of all records
Place = tuple[int, int]


@dataclass(slots=True)
class Entry:
    """A file that was written: its path in DST, its size and SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(slots=True)
class Done:
    """One line: the files it lists and what else it says."""

    files: list[Entry]
    facts: dict[str, Any]
    #: where manifest and record lie in the journal
    offset: int = 0
    manifest: int = 0
    record: int = 0


@dataclass(slots=True)
class State:
    """A journal as read: what it was started with and what has been done."""

    config: dict[str, Any] | None = None
    owned: set[str] = field(default_factory=set)
    copies: dict[Place, Done] = field(default_factory=dict)
    sources: dict[int, Done] = field(default_factory=dict)
    plain: dict[str, Done] = field(default_factory=dict)
    #: bytes of whole lines
    end: int = 0

    def lines(self) -> Iterator[Done]:
        """Every line that lists files."""
        yield from self.copies.values()
        yield from self.sources.values()
        yield from self.plain.values()

    def drop(self, bad: set[str]) -> None:
        """Forgets the lines that list one of these files; what else they list is still owned."""
        for kept in (self.copies, self.sources, self.plain):
            table: dict[Any, Done] = kept
            for key in [k for k, done in table.items() if any(e.path in bad for e in done.files)]:
                self.owned.update(e.path for e in table.pop(key).files)

    def entries(self) -> Iterator[Entry]:
        """The files of all lines."""
        for done in self.lines():
            yield from done.files

    def paths(self) -> set[str]:
        """Every file that is this run's: listed or announced."""
        return self.owned | {e.path for e in self.entries()}


def encode(header: dict[str, Any], manifest: bytes = b"", record: bytes = b"") -> tuple[bytes, int]:
    """A line and where its manifest part starts."""
    head = json.dumps(header, separators=(",", ":")).encode("ascii")
    body = b"%d %d %d %b%b%b" % (len(head), len(manifest), len(record), head, manifest, record)
    return b"%08x %b\n" % (zlib.crc32(body), body), 9 + len(body) - len(manifest) - len(record)


def decode(line: bytes) -> tuple[dict[str, Any], int, int, int] | None:
    """Header, start of the manifest part, its length and the record's; None if the line is torn."""
    if not line.endswith(b"\n") or line[8:9] != b" ":
        return None
    body = line[9:-1]
    try:
        if int(line[:8], 16) != zlib.crc32(body):
            return None
        first, second, third, rest = body.split(b" ", 3)
        head, manifest, record = int(first), int(second), int(third)
        header = json.loads(rest[:head])
    except (ValueError, RecursionError):
        return None
    if len(rest) != head + manifest + record or not isinstance(header, dict):
        return None
    return header, len(line) - 1 - manifest - record, manifest, record


def _entries(rows: Any) -> list[Entry]:
    found = []
    for path, size, digest in rows:
        if not isinstance(size, int) or not isinstance(digest, str):
            raise TypeError("not a file entry")
        found.append(Entry(safe_rel_path(path, JOURNAL), size, digest))
    return found


def read(path: str) -> State:
    """The journal's whole lines up to the first torn one; an empty state if there is none. Links are not followed."""
    state = State()
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return state
    with os.fdopen(handle, "rb") as file:
        for line in file:
            parsed = decode(line)
            if parsed is None:
                break
            try:
                _take(state, parsed)
            except (KeyError, TypeError) as error:
                raise ConfigError(f"{path}: not a journal of this version: {error}") from None
            if state.config is None:
                break
            state.end += len(line)
    return state


def _take(state: State, parsed: tuple[dict[str, Any], int, int, int]) -> None:
    header, start, manifest, record = parsed
    kind = header.pop("is")
    if kind == "config":
        state.config = header
        return
    if kind == "owns":
        state.owned.update(safe_rel_path(name, JOURNAL) for name in header["paths"])
        return
    done = Done(_entries(header.pop("files")), header, state.end + start, manifest, record)
    if kind == "copy":
        replica, rank = header["at"]
        state.copies[replica, rank] = done
    elif kind == "source":
        state.sources[header["rank"]] = done
    elif kind == "file":
        state.plain[done.files[0].path] = done
    else:
        raise TypeError(f"a line of the kind {kind!r}")


class Journal:
    """The open journal: adds lines, and reads back what the finished copies add to shared files in plan order."""

    def __init__(self, path: str, state: State) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.broken: OSError | None = None
        #: place -> offset of the manifest part, its length and the record's
        self.places: dict[Place, tuple[int, int, int]] = {}
        self.files: list[str] = []
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self.handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o666)
        self.end = state.end
        try:
            # what follows the last whole line was torn
            os.ftruncate(self.handle, self.end)
        except BaseException:
            os.close(self.handle)
            raise

    def restart(self, state: State) -> None:
        """Takes over the lines that have stood the check."""
        self.files = [e.path for e in state.entries()]
        self.places = {p: (d.offset, d.manifest, d.record) for p, d in state.copies.items() if d.manifest}

    def written(self) -> list[str]:
        """The files that the lines list."""
        return list(self.files)

    def owns(self, paths: Iterable[str]) -> None:
        """Announces files before they are written."""
        names = list(paths)
        if names:
            self._add({"is": "owns", "paths": names})

    def copy(self, place: Place, files: list[Entry], facts: dict[str, Any], manifest: bytes, record: bytes) -> None:
        """A copy has been written; or, without files and manifest, it is known that it will not be."""
        self._add({"is": "copy", "at": place, **facts}, files, manifest, record, place if manifest else None)

    def source(self, rank: int, files: list[Entry], facts: dict[str, Any]) -> None:
        """A source has been dealt with: its original and what is to be said of it."""
        self._add({"is": "source", "rank": rank, **facts}, files)

    def file(self, entry: Entry) -> None:
        """A file that was copied as it is."""
        self._add({"is": "file"}, [entry])

    def _add(
        self,
        header: dict[str, Any],
        files: list[Entry] | None = None,
        manifest: bytes = b"",
        record: bytes = b"",
        place: Place | None = None,
    ) -> None:
        if files is not None:
            header["files"] = [(e.path, e.size, e.sha256) for e in files]
        line, start = encode(header, manifest, record)
        with self.lock:
            if self.broken is not None:
                raise self.broken
            try:
                os.lseek(self.handle, self.end, os.SEEK_SET)
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self.handle, rest) :]
            except BaseException as error:
                # no line may follow half a line
                self.broken = error if isinstance(error, OSError) else OSError(4, "interrupted")
                self.broken.filename = self.path
                self._cut()
                raise
            if place is not None:
                self.places[place] = (self.end + start, len(manifest), len(record))
            if files is not None:
                self.files += [e.path for e in files]
            self.end += len(line)

    def _cut(self) -> None:
        try:
            os.ftruncate(self.handle, self.end)
        except OSError:
            pass

    def _read(self, offset: int, size: int) -> bytes:
        with self.lock:
            os.lseek(self.handle, offset, os.SEEK_SET)
            found = b""
            while len(found) < size:
                piece = os.read(self.handle, size - len(found))
                if not piece:
                    raise OSError(5, "the journal is shorter than it was", self.path)
                found += piece
        return found

    def manifest(self) -> Iterator[bytes]:
        """The manifest's lines in plan order."""
        for place in sorted(self.places):
            offset, manifest, _ = self.places[place]
            yield self._read(offset, manifest) + b"\n"

    def records(self) -> Iterator[bytes]:
        """What the copies' writers need to know of them, in plan order."""
        for place in sorted(self.places):
            offset, manifest, record = self.places[place]
            yield self._read(offset + manifest, record)

    def close(self) -> None:
        """Keeps the journal for a later call."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def remove(self) -> None:
        """The run is complete."""
        self.close()
        os.unlink(self.path)


def differing(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """The first field in which two configurations differ, said for people; None if there is none."""
    # what a line has been through: tuples are lists
    new = json.loads(json.dumps(new))
    for key in [*new, *(k for k in old if k not in new)]:
        if old.get(key) == new.get(key):
            continue
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            inner = differing(old[key], new[key])
            return inner if key == "options" else f"{key}: {inner}"
        return f"{key} was {_short(old.get(key))}, is {_short(new.get(key))}"
    return None


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
