"""Threads, forks, memory and the GIL."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ferraug as F
import numpy as np
import pytest
from hostile_helpers import IMAGE, apart

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def pipeline() -> Any:
    return F.Compose(
        [F.RandomCrop(40, 40), F.HorizontalFlip(), F.RandomBrightnessContrast(p=1), F.Rotate(p=1), F.GaussianBlur(p=1), F.GaussNoise(p=1)],
        bbox_params=F.BboxParams("coco", label_fields=["label"]), seed=11,
    )  # fmt: skip


def call(pipe: Any, image: Any, n: int) -> dict[str, Any]:
    return pipe.run({"image": image, "bboxes": [[3, 4, 20, 25]], "label": ["a"]}, key=n)  # type: ignore[no-any-return]


def large(side: int = 200) -> Any:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def test_31_threads_that_share_a_pipeline() -> None:
    pipe, image = pipeline(), large()
    want = [call(pipe, image, n)["image"].tobytes() for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: call(pipe, image, n % 40)["image"].tobytes(), range(400)))
    assert all(value == want[n % 40] for n, value in enumerate(got))


def test_31_threads_draw_every_element_of_the_sequence_once() -> None:
    pipe = F.Compose([F.RandomCrop(1, 1)], seed=3)
    image = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    with ThreadPoolExecutor(8) as pool:
        got = sorted(pool.map(lambda _: int(pipe(image=image)["image"].item()), range(800)))
    again = F.Compose([F.RandomCrop(1, 1)], seed=3)
    assert got == sorted(int(again(image=image)["image"].item()) for _ in range(800))


def test_31_an_image_that_another_thread_writes() -> None:
    """Torn values are the writer's own; the shape is right and nothing breaks."""
    pipe, image, stop = pipeline(), large(), threading.Event()

    def write() -> None:
        value = 0
        while not stop.is_set():
            image[...] = value
            value = (value + 1) % 256

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            for result in pool.map(lambda n: call(pipe, image, n), range(200)):
                assert result["image"].shape == (40, 40, 3)
    finally:
        stop.set()
        writer.join()
    image[...] = 7
    assert call(pipe, image, 1)["image"].shape == (40, 40, 3)


def test_31_an_image_that_another_thread_tries_to_free() -> None:
    """NumPy refuses to resize what the core holds; with refcheck=False it is refused by us before it is read."""
    lines = apart("""
        import threading
        pipe = F.Compose([F.RandomGamma(p=1), F.Rotate(p=1)], seed=1)
        stop, shapes = threading.Event(), ((512, 512, 3), (8, 8, 3))
        images = [np.zeros(shapes[0], np.uint8)]
        def swap():
            while not stop.is_set():
                images[0] = np.zeros(shapes[np.random.randint(2)], np.uint8)
        threads = [threading.Thread(target=swap) for _ in range(2)]
        for thread in threads: thread.start()
        for _ in range(300):
            assert pipe(image=images[0])["image"].shape in shapes
        stop.set()
        for thread in threads: thread.join()
        print("done")
    """)
    assert lines == ["done"]


@pytest.mark.parametrize("side", [8, 700])
def test_the_gil_either_way_gives_the_same_bytes(side: int) -> None:
    """Small calls keep the GIL, large ones let it go; the pixels do not know."""
    image = large(side)
    pipe = F.Compose([F.HorizontalFlip(p=1), F.RandomGamma(p=1), F.Affine(rotate=(9, 9), p=1)], seed=1)
    want = pipe.run({"image": image}, key=1)["image"]
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: pipe.run({"image": image}, key=1)["image"], range(40)):
            assert np.array_equal(got, want)


def test_large_calls_let_other_threads_run() -> None:
    """While the core works on a large image, this thread counts."""
    image = np.zeros((3000, 3000, 3), np.uint8)
    pipe = F.Compose([F.GaussianBlur(blur_limit=(31, 31), sigma_limit=(5, 5), p=1)])
    done, ticks = threading.Event(), 0

    def work() -> None:
        pipe(image=image)
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # nobody is made to let go: only who does so by itself
    try:
        worker = threading.Thread(target=work)
        worker.start()
        while not done.is_set():
            ticks += 1
            time.sleep(1e-4)
    finally:
        sys.setswitchinterval(interval)
    worker.join()
    assert ticks > 5


def wait(pid: int, seconds: float = 60) -> int:
    """The exit code of a child; a hang is killed and fails."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    raise AssertionError("a forked child hangs")


def child(work: Any) -> int:
    """Runs `work` in a fork: 0 if it is true."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if work() else 3)
        finally:
            os._exit(4)
    return pid


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_hundred_forks_of_a_used_pipeline() -> None:
    pipe, image = pipeline(), large(64)
    want = [call(pipe, image, n)["image"].tobytes() for n in range(4)]
    pids = []
    for _ in range(100):
        pids.append(child(lambda: [call(pipe, image, n)["image"].tobytes() for n in range(4)] == want))
        if len(pids) >= 4:
            assert wait(pids.pop(0)) == 0
    assert all(wait(pid) == 0 for pid in pids)


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forks_while_threads_are_inside_the_core() -> None:
    pipe, image, stop = pipeline(), large(300), threading.Event()
    want = call(pipe, image, 1)["image"].tobytes()
    tables = F.Compose([F.Resize(30, 30, interpolation=4, p=1), F.Rotate((9, 9), interpolation=4, p=1)], seed=1)

    def work() -> None:
        while not stop.is_set():
            call(pipe, image, 1)
            tables(image=image)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            pid = child(lambda: call(pipe, image, 1)["image"].tobytes() == want and tables(image=image)["image"].shape == (30, 30, 3))
            assert wait(pid) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_children_draw_other_numbers() -> None:
    """Without a key every child has a sequence of its own; with one, the same numbers."""
    pipe = F.Compose([F.RandomCrop(1, 1)], seed=3)
    image = np.arange(2**16, dtype=np.uint16).reshape(256, 256)

    def drawn(key: Any) -> list[int]:
        results = (pipe(image=image) if key is None else pipe.run({"image": image}, key=(key, n)) for n in range(4))
        return [int(result["image"].item()) for result in results]

    found: dict[Any, list[list[int]]] = {None: [], 5: []}
    for key in found:
        for _ in range(4):
            read, write = os.pipe()
            pid = child(lambda write=write, key=key: os.write(write, repr(drawn(key)).encode()))
            assert wait(pid) == 0
            found[key].append(eval(os.read(read, 4096)))
            os.close(read), os.close(write)
    assert len(set(map(tuple, found[None]))) == 4
    assert len(set(map(tuple, found[5]))) == 1 and found[5][0] == drawn(5)


@pytest.mark.parametrize("kind", ["flip", "everything", "errors", "user code"])
def test_memory_does_not_grow(kind: str) -> None:
    lines = apart("""
        import gc, os, warnings
        warnings.simplefilter("ignore")
        kind = sys.argv[1]
        big = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
        every = F.Compose(
            [F.RandomCrop(100, 100), F.HorizontalFlip(), F.RandomBrightnessContrast(p=1), F.Rotate(p=1), F.Equalize(p=1),
             F.GaussianBlur(p=1), F.GaussNoise(p=1), F.CoarseDropout(p=1), F.Resize(64, 64)],
            bbox_params=F.BboxParams("coco", label_fields=["label"]), keypoint_params=F.KeypointParams("xy"), seed=1)
        user = F.Compose([F.Lambda(image=lambda img, **_: img + 1, mask=lambda m, **_: m, p=1), F.HorizontalFlip(p=1)])
        def flip_():
            flip(image=IMAGE, mask=IMAGE[..., 0])
        def everything():
            every(image=big, mask=big[..., 0], masks=[big[::-1, ::-1, 1]] * 2, bboxes=[[3, 4, 50, 60, "x"]] * 5,
                  label=list("abcde"), keypoints=np.ones((4, 3)))
        def errors():
            for data in ({"image": None}, {"image": big, "mask": IMAGE}, {"image": big, "bboxes": [[1, 2]], "label": [1]},
                         {"image": np.zeros((2, 2, 2, 2))}, {"image": big, "bboxes": [["x"] * 4], "label": [1]}):
                try:
                    every(**data)
                except (TypeError, ValueError):
                    pass
            try:
                F.Compose([F.RandomGamma(p=1)])(image=big.astype(np.float64))
            except TypeError:
                pass
        def user_code():
            user(image=big, mask=big[..., 0])
        work = {"flip": flip_, "everything": everything, "errors": errors, "user code": user_code}[kind]
        def resident():
            gc.collect()
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        for _ in range(300):
            work()
        before = resident()
        for _ in range(2000):
            work()
        print(resident() - before)
    """, kind) if os.path.exists("/proc/self/statm") else ["0"]
    assert float(lines[0]) < 4, f"{lines[0]} MiB more after 2,000 calls"


def test_references_are_given_back() -> None:
    """Neither success nor refusal keeps what came in."""
    image, mask, boxes = IMAGE.copy(), IMAGE[..., 0].copy(), [[1.0, 1, 9, 9, "x"]]
    tag = object()
    pipe = F.Compose([F.HorizontalFlip(p=1)], bbox_params=F.BboxParams("pascal_voc"))
    boxes[0].append(tag)
    counts = [sys.getrefcount(x) for x in (image, mask, boxes, boxes[0], tag)]
    for _ in range(50):
        pipe(image=image, mask=mask, masks=[mask, mask], bboxes=boxes)
        for bad in ({"mask": mask[:3]}, {"bboxes": [[1]]}, {"masks": [mask, None]}):
            with pytest.raises((ValueError, TypeError)):
                pipe(**{"image": image, "mask": mask, "bboxes": boxes, **bad})
        del bad
    assert [sys.getrefcount(x) for x in (image, mask, boxes, boxes[0], tag)] == counts
