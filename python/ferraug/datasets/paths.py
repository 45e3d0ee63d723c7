"""Names and files: what an annotation file may call a path, and how a tree is walked.

Every name that comes out of a file is checked before it is joined to anything: relative, forward slashes, no step
upward, no device name, nothing another system would read differently. Links are followed only while they stay inside
the root.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterable

from .._core import ConfigError, DecodeError, LimitError, UnsafePathError, probe
from .model import Reporter

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
MAX_IMAGE = 512 << 20
MAX_LABEL = 16 << 20
MAX_JSON = 2 << 30
MAX_XML = 64 << 20
MAX_OBJECTS = 100_000
MAX_POINTS = 1_000_000
MAX_IMAGES = 10_000_000

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_rel_path(name: object, where: str) -> str:
    """`name` if it is a relative path that stays beneath its root on every system, else UnsafePathError (exit 4)."""

    def refuse(why: str) -> UnsafePathError:
        return UnsafePathError(f"{where}: unsafe path {_short(name)}: {why}")

    if not isinstance(name, str):
        raise refuse("not a text")
    if name in ("", "."):
        raise refuse("empty")
    if "\\" in name:
        raise refuse("backslash; write folders with /")
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise refuse("control character")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise refuse("absolute; allowed are paths relative to the data set")
    kept = []
    for part in name.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            raise refuse("steps upward")
        if len(part.encode("utf-8", "surrogatepass")) > 255:
            raise refuse("a part longer than 255 bytes")
        if _DEVICES.fullmatch(part):
            raise refuse("a device name on Windows")
        if part.endswith((" ", ".")):
            raise refuse("a part that ends in a blank or dot")
        kept.append(part)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise refuse("not valid Unicode") from None
    if not kept:
        raise refuse("empty")
    return "/".join(kept)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def nfc(name: str) -> str:
    """The form that random keys and collision checks use."""
    return unicodedata.normalize("NFC", name)


def is_hidden(name: str) -> bool:
    """Files of tools, never part of a data set."""
    low = name.lower()
    return name.startswith(".") or low in ("thumbs.db", "desktop.ini") or low.endswith(".cache") or low == "__macosx"


def walk(root: str, report: Reporter) -> list[str]:
    """All regular files beneath `root`, sorted, as relative paths with /; hidden ones are left out."""
    base = os.path.realpath(root)
    found: list[str] = []
    seen: set[str] = {base}

    def enter(folder: str, rel: str) -> None:
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            report.warn(rel or ".", f"cannot be listed: {error.strerror}", "file")
            return
        for entry in entries:
            name = f"{rel}{entry.name}"
            if is_hidden(entry.name):
                continue
            try:
                entry.name.encode("utf-8")
            except UnicodeEncodeError:
                report.warn(name.encode("utf-8", "replace").decode(), "a name that is not UTF-8; skipped", "file")
                continue
            target = entry.path
            if entry.is_symlink():
                try:
                    target = os.path.realpath(entry.path, strict=True)
                except OSError:
                    report.warn(name, "a link that leads nowhere or in circles; skipped", "file")
                    continue
                if os.path.commonpath((base, target)) != base:
                    report.warn(name, "a link out of the data set; skipped", "file")
                    continue
            try:
                mode = os.stat(target).st_mode
            except OSError as error:
                report.warn(name, f"cannot be read: {error.strerror}", "file")
                continue
            if stat.S_ISDIR(mode):
                real = os.path.realpath(target)
                if entry.is_symlink():
                    if real in seen or (base + os.sep).startswith(real + os.sep):
                        report.warn(name, "a link that leads in circles; skipped", "file")
                        continue
                    seen.add(real)
                enter(entry.path, name + "/")
            elif stat.S_ISREG(mode):
                found.append(name)
            elif name.lower().endswith(IMAGE_SUFFIXES):
                report.invalid(name, "not a regular file", "image")
        if len(found) > MAX_IMAGES * 3:
            raise LimitError(f"{root}: more than {MAX_IMAGES} images")

    enter(base, "")
    return found


def open_beneath(root: str, rel: str) -> int:
    """A handle for reading a regular file beneath `root`; a link is followed only if it stays inside.

    Every folder is opened in the one above it, so a folder that is exchanged for a link meanwhile leads nowhere.
    UnsafePathError for a link out, DecodeError for what is not a regular file, OSError else.
    """
    if os.open not in os.supports_dir_fd:
        return _open_regular(_inside(root, rel), rel, None)
    try:
        return _walk_open(root, rel)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            error.filename = os.path.join(root, rel)
            raise
    # a link, maybe: where it leads is opened in the same way, without further links
    base = os.path.realpath(root)
    inside = os.path.relpath(_inside(root, rel), base)
    try:
        return _walk_open(base, inside.replace(os.sep, "/"))
    except OSError as error:
        error.filename = os.path.join(root, rel)
        raise


def _inside(root: str, rel: str) -> str:
    """Where the path really leads; UnsafePathError if that is out of the root."""
    base = os.path.realpath(root)
    real = os.path.realpath(os.path.join(root, rel))
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        raise UnsafePathError(f"{rel}: a link out of the data set")
    return real


_DIR = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def _walk_open(root: str, rel: str) -> int:
    handle = os.open(root, _DIR)
    try:
        *folders, name = [part for part in rel.split("/") if part not in ("", ".")] or ["."]
        for part in folders:
            if part == "..":
                raise UnsafePathError(f"{rel}: steps upward")
            inner = os.open(part, _DIR | _NO_LINK, dir_fd=handle)
            os.close(handle)
            handle = inner
        if name == "..":
            raise UnsafePathError(f"{rel}: steps upward")
        return _open_regular(name, rel, handle)
    finally:
        os.close(handle)


def _open_regular(path: str, rel: str, folder: int | None) -> int:
    try:
        handle = os.open(path, _FILE | _NO_LINK, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise DecodeError("not a regular file") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DecodeError("not a regular file")
    return handle


def read_bytes(root: str, rel: str, limit: int) -> bytes:
    """The file's content; a size limit before reading, and never a device, a pipe or a link out of the root."""
    with os.fdopen(open_beneath(root, rel), "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise LimitError(f"{size} bytes > {limit}")
        content: bytes = file.readall()
    if len(content) > limit:
        raise LimitError(f"{len(content)} bytes > {limit}")
    return content


def read_head(root: str, rel: str, size: int = 1 << 16) -> bytes:
    """The file's first bytes; none if it cannot be read."""
    try:
        with os.fdopen(open_beneath(root, rel), "rb") as file:
            return file.read(size)
    except (OSError, DecodeError, UnsafePathError):
        return b""


def read_header(root: str, rel: str) -> dict[str, object]:
    """What an image's header says, from its first bytes; the whole file only if its headers are longer than those."""
    with os.fdopen(open_beneath(root, rel), "rb", buffering=0) as file:
        whole = os.fstat(file.fileno()).st_size
        if whole > MAX_IMAGE:
            raise LimitError(f"{whole} bytes > {MAX_IMAGE}")
        head = b""
        for size in (1 << 12, 1 << 16, MAX_IMAGE):
            while len(head) < size and (more := file.read(min(size, whole) - len(head))):
                head += more
            try:
                return probe(head)
            except DecodeError:
                if len(head) == whole or size == MAX_IMAGE:
                    raise
        raise DecodeError("no header")


def check_collisions(names: Iterable[str]) -> None:
    """Two output names that some file system takes for one are a ConfigError that lists both."""
    seen: dict[str, str] = {}
    for name in names:
        key = nfc(nfc(name).casefold())
        if key in seen:
            raise ConfigError(f"two outputs with one name: {seen[key]!r} and {name!r}")
        seen[key] = name


def is_image_name(name: str) -> bool:
    """By suffix; the magic bytes decide later."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def stem(path: str) -> str:
    """The path without the suffix of its last part."""
    return os.path.splitext(path)[0]
