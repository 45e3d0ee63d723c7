"""Small sets, a child that runs the command in one thread, and faults at the n-th call of the system."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dataset_helpers import picture, tree
from ferraug.cli import main
from ferraug.cli import run as module

#: set to run every case instead of a choice that ends in time
FULL = bool(os.environ.get("FERRAUG_ALL_FAILURES"))

TEMP = re.compile(r"\.ferraug-[0-9a-f]+-\d+\.tmp")


def run(*args: object) -> int:
    return main(["augment", *map(str, args)])


def small(root: Path, kind: str = "yolo", count: int = 3) -> Path:
    """A tiny set with label files, a list, a yaml and a side file; or the same as COCO or VOC."""
    names = [f"p{i}" for i in range(count)]
    for i, name in enumerate(names):
        picture(root / f"images/{name}.png", 48, 40, i)
    (root / "README.txt").write_text("about")
    if kind == "yolo":
        (root / "labels").mkdir()
        for name in names:
            (root / f"labels/{name}.txt").write_text("0 0.5 0.5 0.5 0.5\n1 0.4 0.4 0.3 0.3\n")
        (root / "train.txt").write_text("".join(f"images/{n}.png\n" for n in names))
        (root / "data.yaml").write_text("train: train.txt\nnames: [a, b]\n")
    elif kind == "coco":
        images = ",".join(
            f'{{"id": {i + 1}, "file_name": "{n}.png", "width": 48, "height": 40}}' for i, n in enumerate(names)
        )
        boxes = ",".join(
            f'{{"id": {i + 1}, "image_id": {i + 1}, "category_id": 1, "bbox": [4, 4, 30, 30], "area": 900}}'
            for i in range(count)
        )
        (root / "boxes.json").write_text(
            f'{{"images": [{images}], "annotations": [{boxes}], "categories": [{{"id": 1, "name": "a"}}]}}'
        )
    elif kind == "voc":
        for name in names:
            (root / f"images/{name}.xml").write_text(
                f"<annotation><filename>{name}.png</filename><size><width>48</width><height>40</height></size>"
                "<object><name>a</name><bndbox><xmin>4</xmin><ymin>4</ymin><xmax>34</xmax><ymax>34</ymax></bndbox>"
                "</object></annotation>"
            )
    return root


class Inline:
    """The pool's work in the caller's thread, so that the n-th call of the system is always the same one."""

    def __init__(self, jobs: Any, workers: int, stop: Any) -> None:
        self.error: BaseException | None = None
        try:
            for job in jobs:
                if stop.is_set():
                    break
                job()
        except module.Stopped:
            pass
        except BaseException as error:
            self.error = error

    def wait(self, seconds: float | None = None) -> bool:
        return True


CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.path.insert(0, sys.argv[2]); import failure_helpers as h; "
    "h.module.Pool = h.Inline; sys.exit(h.run(*sys.argv[3:]))"
)


def child(src: Path, out: Path, *more: str) -> list[str]:
    """A command line that runs the command in a process of its own, in one thread."""
    here = Path(__file__).parent
    return [sys.executable, "-c", CHILD, str(here), str(here.parent / "datasets"), str(src), "--out", str(out), *more]


CALLS = ("write", "fsync", "linkat", "renameat", "unlinkat", "mkdirat", "mkdir", "ftruncate", "syncfs", "unlink", "rmdir")


def strace() -> str:
    """The program's path; the test is skipped without it, but not where everything has to run."""
    found = shutil.which("strace")
    works = False
    if found is not None:
        probe = [found, "-f", "-qq", "-o", os.devnull, "-e", "trace=write", "true"]
        works = subprocess.run(probe, capture_output=True).returncode == 0
    if not works and os.environ.get("FERRAUG_NEEDS_STRACE"):
        pytest.fail("strace is needed here and does not work")
    if found is None or not works:
        pytest.skip("strace is not here or may not trace")
    return found


def check_parts(out: Path, whole: dict[str, bytes]) -> None:
    """Whatever has its name in DST is the file a whole run would have written."""
    for name, content in tree(out).items() if out.exists() else ():
        base = name.rsplit("/", 1)[-1]
        if TEMP.fullmatch(base) or name in (".ferraug-lock", ".ferraug-journal"):
            continue
        if name == "ferraug-run.json" and b'"complete": false' in content:
            continue
        assert content == whole[name], name


@contextmanager
def at_call(monkeypatch: pytest.MonkeyPatch, call: str, number: int, act: Callable[[], None]) -> Iterator[list[int]]:
    """From the lock on, `act` comes before the `number`-th `os.<call>`. Gives the count of calls."""
    real = getattr(os, call)
    opened = os.open
    seen = [0]
    active = [False]

    def broken(*args: Any, **more: Any) -> Any:
        if active[0]:
            seen[0] += 1
            if seen[0] == number:
                if call == "write":
                    real(args[0], args[1][: len(args[1]) // 2])
                act()
        return real(*args, **more)

    def open_(path: Any, flags: int, *args: Any, **more: Any) -> Any:
        if str(path).endswith(".ferraug-lock") and flags & os.O_CREAT:
            active[0] = True
        return (broken if call == "open" else opened)(path, flags, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(module, "Pool", Inline)
        if call != "open":
            patch.setattr(os, call, broken)
        patch.setattr(os, "open", open_)
        yield seen


def fault(monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: int) -> Any:
    """The `number`-th call fails; writing fails half-way."""

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    return at_call(monkeypatch, call, number, fail)


def forked(work: Callable[[], int]) -> int:
    """Starts `work` in a copy of this process, which spares the start of an interpreter. Gives the pid."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = work()
    except KeyboardInterrupt:
        code = 131
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """The exit code; negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


FULL_DISK = (errno.ENOSPC, errno.EIO)
