"""Runs that are killed, run out of room, or are interrupted: what is left is whole, and --resume completes it."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dataset_helpers import tree
from failure_helpers import (
    CALLS,
    FULL,
    FULL_DISK,
    TEMP,
    at_call,
    check_parts,
    child,
    ended,
    fault,
    forked,
    run,
    small,
    strace,
)
from ferraug.cli import run as module

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and calls of POSIX")

N = ("-n", "2", "--seed", "3")


def resumed(src: Path, out: Path, whole: dict[str, bytes]) -> None:
    check_parts(out, whole)
    assert run(src, "--out", out, *N, "--resume") == 0
    assert tree(out) == whole


OS_CALLS = ["write", "open", "close", "link", "unlink", "replace", "fsync", "mkdir", "ftruncate"]


@pytest.mark.parametrize("kind", ["yolo", "coco", "voc"])
def test_killed_at_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """SIGKILL before each call that changes DST, for writes in their middle."""
    src = small(tmp_path / "src", kind, 2)
    assert run(src, "--out", tmp_path / "whole", *N) == 0
    whole = tree(tmp_path / "whole")
    cases = 0
    for call in OS_CALLS:
        with at_call(monkeypatch, call, 0, lambda: None) as seen:
            assert run(src, "--out", tmp_path / f"counted-{call}", *N) == 0
        step = 1 if FULL or call not in ("open", "close") else 3
        for number in range(1, seen[0] + 1, step):
            out = tmp_path / f"{call}{number}"
            with at_call(monkeypatch, call, number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                assert ended(forked(lambda out=out: run(src, "--out", out, *N))) == -signal.SIGKILL
            resumed(src, out, whole)
            cases += 1
    assert cases > 60


def test_killed_in_the_kernel(tmp_path: Path) -> None:
    """The same from outside, with the calls as the system sees them: a choice, or all with FERRAUG_ALL_FAILURES."""
    program = strace()
    src = small(tmp_path / "src", "yolo", 2)
    assert run(src, "--out", tmp_path / "whole", *N) == 0
    whole = tree(tmp_path / "whole")
    log = tmp_path / "log"
    base = [program, "-f", "-qq"]
    names = ",".join(CALLS)
    out = tmp_path / "counted"
    subprocess.run([*base, "-o", str(log), "-e", f"trace={names}", *child(src, out, *N)], check=True, capture_output=True)
    assert tree(out) == whole
    lines = log.read_text().splitlines()
    counts = {call: sum(f" {call}(" in line for line in lines) for call in CALLS}
    assert counts["write"] > 20 and counts["linkat"] > 10 and counts["fsync"] > 5, counts

    def kill(case: tuple[str, int]) -> tuple[Path, int]:
        call, number = case
        out = tmp_path / f"{call}{number}"
        inject = f"inject={call}:signal=KILL:when={number}"
        args = [*base, "-o", os.devnull, "-e", f"trace={call}", "-e", inject, *child(src, out, *N)]
        return out, subprocess.run(args, capture_output=True, timeout=60).returncode

    every = [(call, number) for call in CALLS for number in range(1, counts[call] + 1)]
    cases = every if FULL else every[:: len(every) // 10]
    killed = 0
    with ThreadPoolExecutor(2) as pool:
        for out, code in pool.map(kill, cases):
            assert code in (-signal.SIGKILL, 128 + signal.SIGKILL, 0), (out, code)
            killed += code != 0
            resumed(src, out, whole)
    # the last lines of all go to a terminal
    assert killed >= len(cases) - 3


@pytest.mark.parametrize("code", FULL_DISK, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", ["write", "open", "link", "unlink", "replace", "fsync", "mkdir", "ftruncate"])
def test_faults_at_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str, code: int
) -> None:
    src = small(tmp_path / "src", "yolo" if code == errno.ENOSPC else "coco", 2)
    assert run(src, "--out", tmp_path / "whole", *N) == 0
    whole = tree(tmp_path / "whole")
    with fault(monkeypatch, call, 0, code) as seen:
        assert run(src, "--out", tmp_path / "counted", *N) == 0
    failed = 0
    for number in range(1, seen[0] + 1):
        out = tmp_path / f"out{number}"
        capsys.readouterr()
        with fault(monkeypatch, call, number, code):
            got = run(src, "--out", out, *N)
        text = capsys.readouterr().err
        if got == 0:
            # the lock's own file could not be removed; nobody minds
            assert {k: v for k, v in tree(out).items() if k != ".ferraug-lock"} == whole, (call, number)
        else:
            failed += 1
            assert got == 5 and os.strerror(code) in text, (call, number, got, text)
            assert "--resume" in text and (code != errno.ENOSPC or "MB are still needed" in text)
            if out.exists():
                left = [n for n in tree(out) if TEMP.fullmatch(n.rsplit("/", 1)[-1])]
                assert not left, (call, number, left)
                check_parts(out, whole)
        assert run(src, "--out", out, *N, "--resume") == 0, (call, number)
        assert tree(out) == whole, (call, number)
    assert failed >= seen[0] - 2 and seen[0] > 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    done = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True
    )
    if not done or done.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(tiny_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    src = small(tmp_path / "src", "yolo", 6)
    many = ("-n", "120")
    # the estimate would refuse the run before it starts, which is tested first
    assert run(src, "--out", tiny_disk / "out", "-n", "9999") == 2 and not (tiny_disk / "out").exists()
    assert run(src, "--out", tmp_path / "whole", *many) == 0
    whole = tree(tmp_path / "whole")
    assert sum(map(len, whole.values())) > 1 << 20
    monkeypatch.setattr(module, "check_plan", lambda *_: None)
    assert run(src, "--out", tiny_disk / "out", *many, "--workers", 2) == 5
    check_parts(tiny_disk / "out", whole)
    subprocess.run(["mount", "-o", "remount,size=64m", str(tiny_disk)], check=True)
    assert run(src, "--out", tiny_disk / "out", *many, "--resume") == 0
    assert tree(tiny_disk / "out") == whole


def test_a_read_only_target(tiny_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = small(tmp_path / "src")
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    for out in (tiny_disk, tiny_disk / "out"):
        assert run(src, "--out", out) == 2
        assert "cannot be written" in capsys.readouterr().err
    # found before the inputs are read: SRC need not even be there
    (tmp_path / "nothing").mkdir()
    assert run(tmp_path / "nothing", "--out", tiny_disk / "out") == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["yolo", "coco", "voc"])
def test_neither_workers_nor_their_order_change_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    src = small(tmp_path / "src", kind, 9)
    assert run(src, "--out", tmp_path / "whole", *N, "--workers", 1) == 0
    whole = tree(tmp_path / "whole")
    for workers in (2, 3, 7):
        for seed in (None, 1, 2):
            if seed is not None:
                dice = random.Random(seed)
                monkeypatch.setattr(module, "schedule", lambda jobs, dice=dice: dice.sample(jobs, len(jobs)))
            out = tmp_path / f"out{workers}{seed}"
            assert run(src, "--out", out, *N, "--workers", workers) == 0
            assert tree(out) == whole
            monkeypatch.undo()


def test_interrupted_at_any_time(tmp_path: Path) -> None:
    """40 times; 200 with FERRAUG_ALL_FAILURES."""
    src = small(tmp_path / "src", "yolo", 4)
    many = ("-n", "40", "--seed", "1", "--workers", "2")
    start = time.monotonic()
    assert ended(forked(lambda: run(src, "--out", tmp_path / "whole", *many))) == 0
    took = time.monotonic() - start
    whole = tree(tmp_path / "whole")
    dice = random.Random(5)
    codes = []
    for number in range(200 if FULL else 40):
        out = tmp_path / f"out{number}"
        pid = forked(lambda out=out: run(src, "--out", out, *many))
        time.sleep(0.005 + dice.random() * took)
        os.kill(pid, signal.SIGINT)
        code = ended(pid)
        codes.append(code)
        # 131: it came when the command had ended or not begun; 70 would be an error of ours
        assert code in (130, 131, 0, -signal.SIGINT)
        check_parts(out, whole)
        left = [n for n in tree(out) if TEMP.fullmatch(n.rsplit("/", 1)[-1])] if out.exists() else []
        assert not left
        assert run(src, "--out", out, *many, "--resume") == 0
        assert tree(out) == whole
    assert codes.count(130) > len(codes) // 3, codes


def test_a_second_interrupt_leaves_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    src = small(tmp_path / "src")
    policy = tmp_path / "slow.py"
    policy.write_text(
        "import time\nimport ferraug as A\n\ndef slow(width, height):\n"
        "    if (width, height) != (1000, 1000):\n        open(__file__ + '.on', 'w').close()\n        time.sleep(20)\n"
        "    return A.Compose([A.HorizontalFlip()])\n"
    )
    out = tmp_path / "out"
    monkeypatch.setattr(module.Run, "_try_policy", lambda self: None)
    pid = forked(lambda: run(src, "--out", out, "--policy", f"{policy}:slow"))
    end = time.monotonic() + 15
    while not (tmp_path / "slow.py.on").exists() and time.monotonic() < end:
        time.sleep(0.01)
    start = time.monotonic()
    os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    os.kill(pid, signal.SIGINT)
    assert ended(pid) == 130 and time.monotonic() - start < 10
    assert run(src, "--out", out, "--overwrite", *N) == 0
    assert json.loads((out / "ferraug-run.json").read_text())["complete"]
