"""Threads that take jobs one after the other until none is left, one fails, or the run stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

Job = Callable[[], None]


class Stopped(Exception):
    """A job left because the run ends."""


class Pool:
    """Starts at once. A job that fails stops the others after what they have in hand."""

    def __init__(self, jobs: Iterable[Job], workers: int, stop: threading.Event) -> None:
        self.jobs: Iterator[Job] = iter(jobs)
        self.stop = stop
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        self.finished = threading.Event()
        self.running = workers
        for number in range(workers):
            threading.Thread(target=self._work, name=f"ferraug-{number}", daemon=True).start()

    def _next(self) -> Job | None:
        with self.lock:
            return None if self.stop.is_set() else next(self.jobs, None)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                job()
        except Stopped:
            pass
        except BaseException as error:
            with self.lock:
                self.error = self.error or error
            self.stop.set()
        finally:
            with self.lock:
                self.running -= 1
                last = self.running == 0
            if last:
                self.finished.set()

    def wait(self, seconds: float | None = None) -> bool:
        """True once all threads have ended."""
        return self.finished.wait(seconds)
