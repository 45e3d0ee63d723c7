"""One run at a time in a folder: a lock of the operating system on `.ferraug-lock`, which names the holder.

The system drops the lock when its process ends, however it ends, so a file that is left over locks nothing.
"""

from __future__ import annotations

import errno
import os
import sys

LOCK = ".ferraug-lock"

if sys.platform == "win32":
    import msvcrt

    # far behind the text: a locked byte cannot be read, and the holder's number should be
    _PLACE = 1 << 30

    def _take(handle: int) -> bool:
        os.lseek(handle, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True


_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


def _in_use(handle: int, root: str) -> BlockingIOError:
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, 32).decode("ascii", "replace").strip()
    return BlockingIOError(errno.EAGAIN, f"in use by pid {text or 'unknown'}", root)


def check_free(root: str) -> None:
    """BlockingIOError if a run works in the folder now. Changes nothing."""
    try:
        handle = os.open(os.path.join(root, LOCK), os.O_RDWR | _FLAGS)
    except OSError:
        return
    try:
        if not _take(handle):
            raise _in_use(handle, root)
    finally:
        os.close(handle)


class Lock:
    """The folder is made if need be and locked; `release` takes away the lock's file and folders that stayed empty."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self.path = os.path.join(self.root, LOCK)
        self.handle = -1
        self.made: list[str] = []
        try:
            self._folders()
            self._lock()
        except BaseException:
            self._remove_folders()
            raise

    def _folders(self) -> None:
        missing = []
        at = self.root
        while not os.path.lexists(at):
            missing.append(at)
            at = os.path.dirname(at)
        for folder in reversed(missing):
            try:
                os.mkdir(folder)
            except FileExistsError:
                continue
            self.made.append(folder)

    def _lock(self) -> None:
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
            try:
                if not _take(handle):
                    raise _in_use(handle, self.root)
                # the holder before may have removed the file between the open and the lock
                if sys.platform != "win32" and not self._same(handle):
                    os.close(handle)
                    continue
                os.ftruncate(handle, 0)
                os.write(handle, b"%d\n" % os.getpid())
            except BaseException:
                os.close(handle)
                raise
            self.handle = handle
            return

    def _same(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), os.lstat(self.path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Ends the lock; a second call does nothing."""
        if self.handle < 0:
            return
        if sys.platform == "win32":
            os.close(self.handle)
        try:
            os.unlink(self.path)
        except OSError:
            pass
        if sys.platform != "win32":
            os.close(self.handle)
        self.handle = -1
        self._remove_folders()

    def _remove_folders(self) -> None:
        for folder in reversed(self.made):
            try:
                os.rmdir(folder)
            except OSError:
                return
