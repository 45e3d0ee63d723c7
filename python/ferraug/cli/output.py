"""Writing: a temporary file, then a rename that replaces nothing; the checks before the first byte; what may be deleted.

Every folder is opened beneath DST without following links, and files are made, renamed and removed in the open folder,
so that nothing outside DST can be reached, whatever happens to its folders during the run.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .._core import ConfigError, UnsafePathError
from ..datasets.paths import check_collisions, open_beneath, safe_rel_path
from . import journal as journals
from .journal import JOURNAL, Entry, State
from .lock import LOCK, check_free

MANIFEST, REPORT, RUN = "ferraug-manifest.jsonl", "ferraug-report.json", "ferraug-run.json"
ROOT_FILES = (MANIFEST, REPORT, RUN)

#: how often a file's bytes go through the hands of the command at once
PIECE = 1 << 20

_TEMP = re.compile(r"\.ferraug-[0-9a-f]+-\d+\.tmp")
_HANDLES = os.open in os.supports_dir_fd and os.link in os.supports_dir_fd and os.unlink in os.supports_dir_fd
_MOST_FOLDERS = 256
_DIR = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Folder:
    """A folder beneath DST: a handle, or its path where the system has no calls on handles."""

    def __init__(self, path: str, handle: int | None) -> None:
        self.path, self.handle = path, handle

    def at(self, name: str) -> str:
        """What the calls below take as the name."""
        return name if self.handle is not None else os.path.join(self.path, name)

    def create(self, name: str) -> int:
        """A new file, open for writing."""
        return os.open(self.at(name), _NEW, 0o666, dir_fd=self.handle)

    def unlink(self, name: str) -> None:
        """Removes a name."""
        os.unlink(self.at(name), dir_fd=self.handle)

    def rename_new(self, temp: str, name: str) -> None:
        """Rename that never replaces: a hard link under the new name, then the old name goes."""
        try:
            os.link(
                self.at(temp), self.at(name), src_dir_fd=self.handle, dst_dir_fd=self.handle, follow_symlinks=False
            )
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # a file system without hard links
            if self.exists(name):
                raise FileExistsError(errno.EEXIST, "exists", os.path.join(self.path, name)) from None
            self.rename(temp, name)
            return
        self.unlink(temp)

    def rename(self, temp: str, name: str) -> None:
        """Rename that replaces."""
        os.replace(self.at(temp), self.at(name), src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def exists(self, name: str) -> bool:
        """Something has the name, be it a link to nowhere."""
        try:
            os.stat(self.at(name), dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def sync(self) -> None:
        """Renames in the folder reach the disk; systems that cannot say so are left alone."""
        try:
            handle = os.open(self.path, _DIR) if self.handle is None else self.handle
        except OSError:
            return
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EBADF, errno.EACCES, errno.ENOTSUP):
                raise
        finally:
            if self.handle is None:
                os.close(handle)


class Target:
    """The folder DST. Every write goes through it and stays beneath it."""

    def __init__(self, root: str, run: str) -> None:
        self.root = os.path.abspath(root)
        self.run = run
        self.folders: dict[str, Folder] = {}
        self.temps: set[tuple[str, str]] = set()
        self.lock = threading.Lock()
        self.counter = 0
        self.bytes = 0
        # the root itself may be reached through links: the user named it
        self.top = Folder(self.root, os.open(self.root, _DIR & ~getattr(os, "O_NOFOLLOW", 0)) if _HANDLES else None)

    def path(self, rel: str) -> str:
        """The absolute path of an output."""
        return os.path.join(self.root, *rel.split("/"))

    @contextmanager
    def folder(self, rel: str, make: bool = True) -> Iterator[Folder]:
        """The folder of an output, made if it is missing."""
        name = rel.rpartition("/")[0]
        if not name:
            yield self.top
            return
        found = self.folders.get(name)
        if found is not None:
            yield found
            return
        found = self._open(name, make)
        with self.lock:
            keep = len(self.folders) < _MOST_FOLDERS and name not in self.folders
            if keep:
                self.folders[name] = found
        try:
            yield found
        finally:
            if not keep and found.handle is not None:
                os.close(found.handle)

    def _open(self, name: str, make: bool) -> Folder:
        path = self.path(name)
        if self.top.handle is None:
            check_no_links(self.root, name + "/x")
            if make:
                os.makedirs(path, exist_ok=True)
            return Folder(path, None)
        handle = self.top.handle
        at = self.root
        for part in name.split("/"):
            at = os.path.join(at, part)
            inner = -1
            try:
                if make:
                    try:
                        os.mkdir(part, dir_fd=handle)
                    except FileExistsError:
                        pass
                inner = os.open(part, _DIR, dir_fd=handle)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR) and os.path.islink(at):
                    raise UnsafePathError(f"{name}: {part} is a link; outputs do not follow links") from None
                error.filename = at
                raise
            finally:
                if handle != self.top.handle:
                    os.close(handle)
            handle = inner
        return Folder(path, handle)

    def write(
        self,
        rel: str,
        content: bytes | Iterable[bytes],
        sync: bool = False,
        replace: bool = False,
        sha256: str = "",
    ) -> Entry:
        """Writes a whole file or nothing; FileExistsError if the name is taken. `sha256`: if it is known already."""
        name = rel.rpartition("/")[2]
        digest = hashlib.sha256() if not sha256 else None
        size = 0
        with self.folder(rel) as folder:
            with self.lock:
                self.counter += 1
                temp = f".ferraug-{self.run}-{self.counter}.tmp"
                self.temps.add((rel, temp))
            try:
                handle = folder.create(temp)
                try:
                    for piece in (content,) if isinstance(content, bytes) else _gathered(content):
                        rest = memoryview(piece)
                        while rest:
                            rest = rest[os.write(handle, rest) :]
                        size += len(piece)
                        if digest is not None:
                            digest.update(piece)
                    if sync:
                        os.fsync(handle)
                finally:
                    os.close(handle)
                if replace:
                    folder.rename(temp, name)
                else:
                    folder.rename_new(temp, name)
            except BaseException as error:
                try:
                    folder.unlink(temp)
                except OSError:
                    pass
                if isinstance(error, OSError):
                    error.filename, error.filename2 = self.path(rel), None
                raise
            finally:
                with self.lock:
                    self.temps.discard((rel, temp))
                    self.bytes += size
            if sync:
                folder.sync()
        return Entry(rel, size, sha256 if digest is None else digest.hexdigest())

    def copy(self, base: str, source: str, rel: str) -> Entry:
        """A byte copy of a file beneath `base`, in pieces."""

        def pieces() -> Iterator[bytes]:
            handle = open_beneath(base, source)
            try:
                while piece := os.read(handle, PIECE):
                    yield piece
            finally:
                os.close(handle)

        return self.write(rel, pieces())

    def link(self, base: str, source: str, rel: str, raw: bytes) -> Entry:
        """A hard link to a file beneath `base` whose content is `raw`, or a copy where there can be no link."""
        name = rel.rpartition("/")[2]
        with self.folder(rel) as folder:
            try:
                real = os.path.realpath(os.path.join(base, *source.split("/")))
                os.link(real, folder.at(name), dst_dir_fd=folder.handle)
            except FileExistsError:
                raise
            except OSError:
                return self.write(rel, raw)
        return Entry(rel, len(raw), hashlib.sha256(raw).hexdigest())

    def is_whole(self, entry: Entry) -> bool:
        """The file is what the journal says."""
        try:
            with self.folder(entry.path, make=False) as folder:
                handle = os.open(folder.at(entry.path.rpartition("/")[2]), _READ, dir_fd=folder.handle)
        except OSError:
            return False
        try:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode) or info.st_size != entry.size:
                return False
            digest = hashlib.sha256()
            while piece := os.read(handle, PIECE):
                digest.update(piece)
            return digest.hexdigest() == entry.sha256
        finally:
            os.close(handle)

    def delete(self, paths: Iterable[str]) -> None:
        """Removes files of this or an earlier run, temporary files beside them, and folders that became empty.

        A folder that has been put in their place stays, and so does what lies behind a link.
        """
        names = set(paths) - {JOURNAL, LOCK}
        for rel in names:
            check_no_links(self.root, rel)
            try:
                with self.folder(rel, make=False) as folder:
                    folder.unlink(rel.rpartition("/")[2])
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                pass
            except PermissionError:
                # what unlink says of a folder on some systems
                if not os.path.isdir(self.path(rel)):
                    raise
        self.forget()
        for name in sorted({rel.rpartition("/")[0] for rel in names} | {""}, key=len, reverse=True):
            at = self.path(name) if name else self.root
            if not os.path.isdir(at):
                continue
            for entry in os.listdir(at):
                if _TEMP.fullmatch(entry):
                    os.unlink(os.path.join(at, entry))
            while name:
                try:
                    os.rmdir(self.path(name))
                except OSError:
                    break
                name = name.rpartition("/")[0]

    def forget(self) -> None:
        """Closes the folders."""
        with self.lock:
            folders, self.folders = self.folders, {}
        for folder in folders.values():
            if folder.handle is not None:
                os.close(folder.handle)

    def close(self) -> None:
        """Removes temporary files that an interruption left, and closes all folders."""
        for rel, temp in list(self.temps):
            try:
                with self.folder(rel, make=False) as folder:
                    folder.unlink(temp)
            except (OSError, UnsafePathError):
                pass
        self.temps.clear()
        self.forget()
        if self.top.handle is not None:
            os.close(self.top.handle)
            self.top.handle = None

    def sync_all(self) -> None:
        """One pass over everything written so far: the file system of DST, or all where there is no such call."""
        if self.top.handle is not None and sys.platform == "linux":
            call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
            if call is not None:
                if call(self.top.handle) != 0:
                    code = ctypes.get_errno()
                    raise OSError(code, os.strerror(code), self.root)
                return
        if hasattr(os, "sync"):
            os.sync()


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces as larger ones: a call of the system for each record would cost more than the records."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def check_target(src: str, out: str, overwrite: bool, resume: bool) -> None:
    """Before inputs are read: DST can be written, no other run works in it, it is not mixed with SRC, and it is empty
    or the call says what to do with an earlier run."""
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
    if at == target:
        check_free(target)
        check_kept(out, overwrite, resume)


def check_kept(out: str, overwrite: bool, resume: bool) -> None:
    """FileExistsError if DST holds something that the call does not say how to treat."""
    names = [n for n in os.listdir(out) if n != LOCK]
    if not names or overwrite:
        return
    if resume:
        # a run that was stopped before its first line has written nothing yet
        if JOURNAL in names or RUN in names or all(_TEMP.fullmatch(n) for n in names):
            return
        raise FileExistsError(17, f"not empty and without the {JOURNAL} of a stopped run", out)
    hint = "holds a stopped run; --resume goes on with it, --overwrite replaces it"
    if JOURNAL not in names:
        hint = "not empty; use --overwrite to replace an earlier run, or another folder"
    raise FileExistsError(17, hint, out)


def earlier_files(out: str, state: State) -> set[str]:
    """Files that the runs recorded in DST wrote: what --overwrite may delete, as paths relative to it."""
    target = os.path.abspath(out)
    names: list[Any] = [*state.paths()]
    run = read_run(target)
    if run is not None:
        names += [*run["files"], *ROOT_FILES]
    names += _manifest_files(target)
    if not names and not any(n != LOCK and n != JOURNAL and not _TEMP.fullmatch(n) for n in os.listdir(target)):
        return set()
    if not names and state.config is None:
        raise FileExistsError(17, f"not empty and without a {RUN} of an earlier run; nothing is deleted", out)
    found = set()
    for name in names:
        rel = safe_rel_path(name, RUN)
        check_no_links(target, rel)
        found.add(rel)
    return found


def read_run(target: str) -> dict[str, Any] | None:
    """The run file in DST; None if there is none that can be read."""
    try:
        handle = open_beneath(target, RUN)
        with os.fdopen(handle, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("files"), list) else None


def _manifest_files(target: str) -> list[Any]:
    found = []
    try:
        handle = open_beneath(target, MANIFEST)
        with os.fdopen(handle, encoding="utf-8") as file:
            for line in file:
                found.append(json.loads(line)["out"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return [*found, MANIFEST] if found else []


def check_no_links(target: str, rel: str) -> None:
    """No folder of an output path is a link: it could lead anywhere."""
    at = target
    for part in rel.split("/")[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(at):
            raise UnsafePathError(f"{rel}: {part} is a link; outputs do not follow links")


def check_plan(out: str, names: list[str], old: set[str], needed: int) -> None:
    """All output names are known: no two are one, none is taken, and there is room for them."""
    check_collisions(names)
    if os.path.isdir(out):
        clean: set[str] = set()
        for name in names:
            path = os.path.join(out, *name.split("/"))
            folder = name.rpartition("/")[0]
            if folder not in clean:
                check_no_links(out, name)
                clean.add(folder)
            if name not in old and os.path.lexists(path):
                raise FileExistsError(17, "exists and is no file of an earlier run", path)
    at = os.path.abspath(out)
    while not os.path.isdir(at):
        at = os.path.dirname(at)
    free = shutil.disk_usage(at).free
    if needed * 1.1 > free:
        raise OSError(28, f"about {needed >> 20} MB needed, {free >> 20} MB free", at)


def write_journal(target: Target, config: dict[str, Any], owned: Iterable[str]) -> State:
    """A new journal that owns files of earlier runs, in place of theirs at once: stopped at any moment, a later call
    still knows all of them."""
    line, _ = journals.encode({"is": "config", **config})
    names = sorted(owned)
    more = journals.encode({"is": "owns", "paths": names})[0] if names else b""
    target.delete(())  # a journal that was cut off while it was written has the name that this one takes
    target.write(JOURNAL, line + more, replace=True)
    return State(config=config, owned=set(names), end=len(line) + len(more))
