"""Writing: a temporary file, then a rename that replaces nothing; spools; the checks before the first byte."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from .._core import ConfigError, UnsafePathError
from ..datasets.paths import check_collisions, safe_rel_path

MANIFEST, REPORT, RUN = "ferraug-manifest.jsonl", "ferraug-report.json", "ferraug-run.json"
ROOT_FILES = (MANIFEST, REPORT, RUN)


class Target:
    """The folder DST. Every write goes through it and stays beneath it."""

    def __init__(self, root: str, run: str) -> None:
        self.root = os.path.abspath(root)
        self.run = run
        self.made: set[str] = set()
        self.temps: set[str] = set()
        self.lock = threading.Lock()
        self.counter = 0
        self.bytes = 0

    def path(self, rel: str) -> str:
        """The absolute path of an output."""
        return os.path.join(self.root, *rel.split("/"))

    def _folder(self, rel: str) -> str:
        folder = os.path.dirname(self.path(rel))
        if folder not in self.made:
            os.makedirs(folder, exist_ok=True)
            self.made.add(folder)
        return folder

    def write(self, rel: str, content: bytes | Iterable[bytes], sync: bool = False, replace: bool = False) -> None:
        """Writes a whole file or nothing; FileExistsError if the name is taken."""
        folder = self._folder(rel)
        with self.lock:
            self.counter += 1
            temp = os.path.join(folder, f".ferraug-{self.run}-{self.counter}.tmp")
            self.temps.add(temp)
        size = 0
        try:
            handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            with os.fdopen(handle, "wb") as file:
                for piece in (content,) if isinstance(content, bytes) else content:
                    file.write(piece)
                    size += len(piece)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            if replace:
                os.replace(temp, self.path(rel))
            else:
                rename_new(temp, self.path(rel))
        except BaseException:
            _unlink(temp)
            raise
        finally:
            with self.lock:
                self.temps.discard(temp)
                self.bytes += size
        if sync:
            _sync_folder(folder)

    def copy(self, source: str, rel: str) -> None:
        """A byte copy of a file, in pieces."""

        def pieces() -> Iterator[bytes]:
            with open(source, "rb") as file:
                while piece := file.read(1 << 20):
                    yield piece

        self.write(rel, pieces())

    def link(self, source: str, rel: str) -> None:
        """A hard link to a file, or a byte copy where the file system has none."""
        folder = self._folder(rel)
        try:
            os.link(os.path.realpath(source), self.path(rel))
        except FileExistsError:
            raise
        except OSError:
            self.copy(source, rel)
        else:
            self.made.add(folder)

    def clean(self) -> None:
        """Removes temporary files of this run that an interruption left."""
        for temp in list(self.temps):
            _unlink(temp)
        self.temps.clear()


def rename_new(temp: str, path: str) -> None:
    """Rename that never replaces: a hard link under the new name, then the old name goes."""
    try:
        os.link(temp, path)
    except FileExistsError:
        raise
    except OSError:
        # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(17, "exists", path) from None
        os.rename(temp, path)
        return
    os.unlink(temp)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _sync_folder(folder: str) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


class Spool:
    """Records that workers finish in any order and that are read back in plan order; kept in a file, not in memory."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="ferraug-")
        self.places: dict[tuple[int, int], tuple[int, int]] = {}
        self.lock = threading.Lock()
        self.end = 0

    def put(self, key: tuple[int, int], record: bytes) -> None:
        """Adds a record under its place in the plan: (replica, rank of its source)."""
        with self.lock:
            self.file.seek(self.end)
            self.file.write(record)
            self.places[key] = (self.end, len(record))
            self.end += len(record)

    def __iter__(self) -> Iterator[bytes]:
        for key in sorted(self.places):
            at, size = self.places[key]
            self.file.seek(at)
            yield self.file.read(size)

    def close(self) -> None:
        """Gives the space back."""
        self.file.close()


def check_target(src: str, out: str, overwrite: bool) -> list[str]:
    """Before inputs are read: DST can be written and is not mixed with SRC. Returns what --overwrite may delete."""
    source, target = os.path.realpath(src), os.path.realpath(out)
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    if target == folder or target.startswith(folder + os.sep):
        raise ConfigError(f"--out {out}: inside SRC; choose a folder beside it")
    if folder.startswith(target + os.sep):
        raise ConfigError(f"--out {out}: SRC is inside it; choose a folder beside it")
    at = target
    while not os.path.lexists(at):
        at = os.path.dirname(at)
    if not os.path.isdir(at):
        raise NotADirectoryError(20, "not a folder", at)
    if not os.access(at, os.W_OK | os.X_OK):
        raise PermissionError(13, "cannot be written", at)
    if at != target or not os.listdir(target):
        return []
    if not overwrite:
        raise FileExistsError(17, "not empty; use --overwrite to replace an earlier run, or another folder", out)
    return earlier_files(target, out)


def earlier_files(target: str, out: str) -> list[str]:
    """Files that the run recorded in DST wrote, as paths relative to it."""
    try:
        with open(os.path.join(target, RUN), encoding="utf-8") as file:
            value: Any = json.load(file)
        listed = value["files"]
        assert isinstance(listed, list)
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        raise FileExistsError(17, f"not empty and without a {RUN} of an earlier run; nothing is deleted", out) from None
    found = []
    for name in [*listed, *ROOT_FILES]:
        rel = safe_rel_path(name, RUN)
        check_no_links(target, rel)
        if os.path.isfile(os.path.join(target, rel)) or os.path.islink(os.path.join(target, rel)):
            found.append(rel)
    return sorted(set(found))


def check_no_links(target: str, rel: str) -> None:
    """No folder of an output path is a link: it could lead anywhere."""
    at = target
    for part in rel.split("/")[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(at):
            raise UnsafePathError(f"{rel}: {part} is a link; outputs do not follow links")


def check_plan(out: str, names: list[str], old: list[str], estimate: int) -> None:
    """All output names are known: no two are one, none is taken, and there is room for them."""
    check_collisions(names)
    gone = set(old)
    if os.path.isdir(out):
        for name in names:
            path = os.path.join(out, *name.split("/"))
            check_no_links(out, name)
            if name not in gone and os.path.lexists(path):
                raise FileExistsError(17, "exists and is no file of an earlier run", path)
    at = os.path.abspath(out)
    while not os.path.isdir(at):
        at = os.path.dirname(at)
    free = shutil.disk_usage(at).free
    if estimate * 1.1 > free:
        raise OSError(28, f"about {estimate >> 20} MB needed, {free >> 20} MB free", at)


def delete_earlier(out: str, old: list[str]) -> None:
    """Removes listed files, temporary files of ferraug, and folders that became empty."""
    folders: set[str] = set()
    for rel in old:
        path = os.path.join(out, *rel.split("/"))
        _unlink(path)
        folders.add(os.path.dirname(path))
    for folder in sorted(folders | {out}, key=len, reverse=True):
        if not os.path.isdir(folder):
            continue
        for name in os.listdir(folder):
            if name.startswith(".ferraug-") and name.endswith(".tmp"):
                _unlink(os.path.join(folder, name))
        while folder != out:
            try:
                os.rmdir(folder)
            except OSError:
                break
            folder = os.path.dirname(folder)
