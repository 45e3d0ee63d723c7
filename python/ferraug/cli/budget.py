"""`--max-size`: how many copies fit, found by making them once without writing.

Sizes are known only when files are made, and copies are dropped or drawn again, so nothing less would make the answer
independent of the number of workers. Work stops with the first copy that does not fit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from .plan import Plan
from .work import Skip, Worker


def fitting(worker: Worker, plan: Plan, most: int, workers: int) -> int:
    """How many copies of plan order have files, images and labels, of at most `most` bytes together."""
    seen: dict[int, set[str]] = {}

    def size(place: tuple[int, int]) -> int:
        """Bytes of one copy; 0 for one that is not written."""
        replica, rank = place
        sample = plan.sources[rank]
        try:
            source = worker.open(sample)
            source.seen = seen.setdefault(rank, set())
            made = worker.copy(source, replica, plan.names[rank][replica - 1])
        except Skip:
            return 0
        if made is None:
            return 0
        labels = plan.writer.label_files(made.copy, source.prepared)
        return len(worker.encode(made, source.picture)) + sum(len(text) for _, text in labels)

    total = count = 0
    order = list(plan.order())
    # a chunk holds each source once: its copies know the earlier ones
    step = max(1, min(4 * workers, len(plan.sources)))
    with ThreadPoolExecutor(workers) as pool:
        at = 0
        while at < len(order):
            chunk = order[at : at + step]
            chunk = [place for place in chunk if place[0] == chunk[0][0]]
            at += len(chunk)
            for added in pool.map(size, chunk):
                if total + added > most:
                    return count
                total += added
                count += 1
    return count
