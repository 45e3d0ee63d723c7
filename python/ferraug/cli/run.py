"""`ferraug augment`: read, plan, check, write; or draw a sheet.

Everything that can be known is found before the first byte is written. Then one thread a source makes its copies;
what the sources have in common (COCO files, lists, manifest, report) is written last, in plan order.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from .. import _core
from .._core import ConfigError, CropSizeError
from ..datasets.detect import read as read_any
from ..datasets.formats import adopt
from ..datasets.geometry import Limits
from ..datasets.model import Dataset, Options, Sample
from ..datasets.paths import MAX_IMAGE, read_bytes
from ..datasets.resplit import resplit
from . import plan as planning
from . import report as reporting
from .options import Usage, cores
from .output import (
    MANIFEST,
    REPORT,
    RUN,
    Spool,
    Target,
    check_plan,
    check_target,
    delete_earlier,
)
from .policy import Policy
from .select import divide
from .work import Made, Outcome, Skip, Source, Worker, tally

DONE, SKIPS, IO, INTERRUPTED = 0, 3, 5, 130


def say(text: str) -> None:
    """Text for people goes to stderr."""
    print(text, file=sys.stderr)


#: options that decide what is in DST, as the report and the run file name them
PIXELS = (
    "empty whole background duplicates balance max_copies classes limit max_size originals make_splits name to task "
    "format quality subsampling depth mask_fill yolo_parts voc_origin"
).split()


def format_options(args: Namespace) -> Options:
    """What the arguments say about formats."""
    return Options(args.task, args.voc_origin, args.yolo_parts, args.mask_fill)


class Stopped(Exception):
    """A source left between two copies because the run ends."""


class Run:
    """One call of the command."""

    def __init__(self, args: Namespace) -> None:
        self.args = args
        self.stop = threading.Event()
        self.done = 0
        self.lock = threading.Lock()
        self.notices: list[str] = []
        self.old: list[str] = []
        if not args.out and args.preview is None:
            raise Usage("ferraug augment: --out DST is needed")
        self.workers = args.workers or cores()
        if args.preview is None:
            self.old = check_target(args.src, args.out, args.overwrite)
        self.policy = Policy(args.policy, args.seed, args.size)
        self.notices += self.policy.notices
        self.limits = Limits(**self.policy.minima)
        if args.min_visibility is not None:
            self.limits.visibility = args.min_visibility
        if args.min_side is not None:
            self.limits.side, self.limits.width, self.limits.height, self.limits.area = args.min_side, 0.0, 0.0, 0.0
        self.data: Dataset
        self.data, self.found = read_any(args.src, args.source, options=format_options(args))
        if args.to is not None:
            self.data = adopt(self.data, args.to)
            self.notices += [
                f"lost from {self.found.format} to {args.to}: {n:,} {what}" for what, n in self.data.losses.items()
            ]
        if args.make_splits is not None:
            divide(self.data, args.make_splits, args.seed)
            resplit(self.data)
        if args.preview is not None:
            args.copies = max(args.copies, 1)
        self.plan = planning.make(self.data, args)
        self.notices += self.plan.notices
        self.options = {
            "copies": args.copies,
            "policy": args.policy if os.sep not in args.policy else os.path.basename(args.policy),
            "policy_hash": self.policy.hash,
            "seed": args.seed,
            "to": args.to,
            "splits": args.splits or ["train"],
            "minima": {k: getattr(self.limits, k) for k in ("visibility", "side", "width", "height", "area")},
            **{key: getattr(args, key) for key in PIXELS},
            "size": str(args.size or "") or None,
            "stream_version": _core.STREAM_VERSION,
        }
        self.worker = Worker(self.plan, self.policy, self.limits, args)
        self._try_policy()

    def _try_policy(self) -> None:
        """A policy that fails on every image is a policy error (exit 2), not a thousand skips."""
        if self.args.copies == 0 and self.args.preview is None:
            return
        for sample in self.plan.sources[:8]:
            try:
                self.worker.draw(self.worker.open(sample), 1, 0, "")
                return
            except (Skip, CropSizeError):
                continue
            except (ConfigError, OSError):
                raise
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise ConfigError(f"--policy {self.args.policy}: {sample.path}: {error}") from error

    # the whole run

    def augment(self) -> int:
        """Writes DST and returns the exit code."""
        args, plan, data = self.args, self.plan, self.data
        check_plan(args.out, plan.outputs, self.old, plan.estimate)
        most = self._most_errors()
        bad = sum(p.level == "invalid" and p.what == "image" for p in data.problems)
        self._show_problems()
        if args.dry_run:
            return self._tell_plan()
        if bad > most:
            say(f"stopped: {bad} images cannot be read, more than --max-errors {most}; nothing was written")
            return SKIPS
        start = time.monotonic()
        token = hashlib.sha256(json.dumps(self.options, sort_keys=True).encode()).hexdigest()
        target = Target(args.out, token[:8])
        totals = reporting.Totals(plan)
        manifest, records = Spool(), Spool()
        try:
            os.makedirs(args.out, exist_ok=True)
            if self.old:
                delete_earlier(os.path.abspath(args.out), self.old)
            # listed before they exist, so that a run that was stopped can be overwritten
            target.write(RUN, self._run_file(plan.outputs, complete=False))
            code = self._work(target, totals, manifest, records, most - bad)
            if code is not None:
                return code
            self._finish(target, totals, manifest, records)
        except OSError as error:
            target.clean()
            say(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
            return IO
        except KeyboardInterrupt:
            target.clean()
            say(f"interrupted; {args.out} is incomplete, --overwrite replaces it")
            return INTERRUPTED
        finally:
            manifest.close()
            records.close()
        seconds = time.monotonic() - start
        return self._tell(target, totals, seconds)

    def _most_errors(self) -> int:
        kind, value = self.args.max_errors
        return int(value) if kind == "n" else max(100, int(len(self.data.samples()) * value / 100))

    def _show_problems(self) -> None:
        """Notices, then what is invalid: the first twenty, or with --verbose all and the warnings too."""
        problems = self.data.problems
        for text in [str(p) for p in problems if p.level == "notice"] + self.notices:
            self.tell(f"notice: {text}")
        if self.args.verbose:
            for problem in problems:
                if problem.level == "warning":
                    self.tell(f"warning: {problem}")
        invalid = [p for p in problems if p.level == "invalid"]
        shown = len(invalid) if self.args.verbose else 20
        for problem in invalid[:shown]:
            self.tell(f"skipped: {problem}")
        if len(invalid) > shown:
            self.tell(f"skipped: … {len(invalid) - shown} more in {REPORT}")

    def tell(self, text: str) -> None:
        """Says it unless --quiet asks for errors only."""
        if not self.args.quiet:
            say(text)

    def _tell_plan(self) -> int:
        """What --dry-run knows: names and an estimate, nothing is written."""
        plan, args = self.plan, self.args
        for line in (
            f"{self.data.format} · {len(plan.sources):,} sources → {plan.total:,} new images",
            f"{args.out}: about {reporting.size_text(plan.estimate)}; nothing was written",
        ):
            self.tell(line)
        if args.json:
            print(json.dumps({"exit": DONE, "sources": len(plan.sources), "new": plan.total, "bytes": plan.estimate}))
        return DONE

    def _run_file(self, files: list[str], complete: bool) -> bytes:
        return reporting.dump(
            {
                "ferraug": _core.__version__,
                "format": self.data.format,
                "options": self.options,
                "complete": complete,
                "files": sorted(set(files)),
            }
        )

    def _work(self, target: Target, totals: reporting.Totals, manifest: Spool, records: Spool, most: int) -> int | None:
        """All sources and plain copies; an exit code if the run ends here."""
        data, plan, quiet = self.data, self.plan, self.args.quiet
        sources = {id(s) for s in plan.sources}

        def multiply(rank: int) -> Outcome:
            outcome = self._source(rank, target, manifest, records)
            with self.lock:
                # what was skipped or dropped is done too
                self.done += max(len(plan.names[rank]), 1) - outcome.written
            return outcome

        def plain(names: tuple[str, str]) -> None:
            target.copy(os.path.join(data.root, *names[0].split("/")), names[1])

        jobs: list[tuple[Callable[[Any], Any], Any]] = [(multiply, rank) for rank in range(len(plan.sources))]
        jobs += [(plain, (s.source, s.path)) for s in data.samples() if id(s) not in sources | plan.gone]
        jobs += [(plain, (f, f)) for f in data.files]
        progress = reporting.Progress(sum(max(len(names), 1) for names in plan.names), quiet)
        pool = ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="ferraug")
        running: set[Future[Any]] = set()
        waiting = iter(jobs)
        try:
            while True:
                while len(running) < 2 * self.workers:
                    job = next(waiting, None)
                    if job is None:
                        break
                    running.add(pool.submit(job[0], job[1]))
                if not running:
                    break
                finished, running = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
                for future in finished:
                    outcome = future.result()
                    if isinstance(outcome, Outcome):
                        totals.add(outcome)
                        if outcome.skipped is not None and len(totals.skipped) <= 20:
                            progress.close()
                            self.tell(f"skipped: {plan.sources[outcome.rank].path}: {outcome.skipped}")
                progress.update(self.done, len(totals.skipped))
                if len(totals.unreadable) > most:
                    progress.close()
                    self.stop.set()
                    _settle(pool, running)
                    say(f"stopped: more images than --max-errors allows cannot be read; {self.args.out} is incomplete")
                    return SKIPS
        except BaseException:
            # copies that run are finished; a second interrupt leaves at once
            progress.close()
            self.stop.set()
            try:
                _settle(pool, running)
            except KeyboardInterrupt:
                target.clean()
                os._exit(INTERRUPTED)
            raise
        finally:
            progress.close()
            pool.shutdown(wait=False, cancel_futures=True)
        return None

    def _source(self, rank: int, target: Target, manifest: Spool, records: Spool) -> Outcome:
        """One source: its copies and its original."""
        plan = self.plan
        sample = plan.sources[rank]
        outcome = Outcome(rank)
        try:
            if not plan.names[rank]:
                self._original(sample, target, None)
                return outcome
            source = self.worker.open(sample)
        except Skip as skip:
            outcome.skipped, outcome.unreadable = str(skip), skip.unreadable
            if not skip.unreadable:
                self._original(sample, target, None)
            return outcome
        outcome.notices += source.picture.notices
        if source.picture.alpha is not None and planning.file_format(sample, plan.format) == "jpeg":
            outcome.notices.append("JPEG holds no alpha: new images of transparent sources are opaque")
        for replica, name in enumerate(plan.names[rank], 1):
            if self.stop.is_set():
                raise Stopped
            try:
                made = self.worker.copy(source, replica, name)
            except Skip as skip:
                outcome.skipped = str(skip)
                break
            if made is None:
                outcome.empty += 1
                continue
            self._write(made, source, target, manifest, records, (replica, rank))
            outcome.written += 1
            with self.lock:
                self.done += 1
            tally(outcome, made.copy.objects, made.dropped)
        self._original(sample, target, source.raw)
        return outcome

    def _original(self, sample: Sample, target: Target, raw: bytes | None) -> None:
        """The source itself, as --originals says."""
        if id(sample) in self.plan.gone:
            return
        if self.args.originals == "link":
            target.link(os.path.join(self.data.root, *sample.source.split("/")), sample.path)
        else:
            target.write(sample.path, read_bytes(self.data.root, sample.source, MAX_IMAGE) if raw is None else raw)

    def _write(
        self,
        made: Made,
        source: Source,
        target: Target,
        manifest: Spool,
        records: Spool,
        place: tuple[int, int],
    ) -> None:
        content = self.worker.encode(made, source.picture)
        line = self.worker.manifest(made, content)
        record = self.plan.writer.record(made.copy, source.prepared)
        for path, text in self.plan.writer.label_files(made.copy, source.prepared):
            target.write(path, text)
        target.write(made.copy.path, content)
        manifest.put(place, line)
        records.put(place, record)

    def _finish(self, target: Target, totals: reporting.Totals, manifest: Spool, records: Spool) -> None:
        """Labels of originals, then what all sources share, then the run file that says the rest is whole."""
        plan, data = self.plan, self.data
        gone = {id(plan.sources[rank]) for rank in totals.unreadable} | plan.gone
        written = set()
        for rel, content in plan.writer.originals(gone):
            written.add(rel)
            if content is None:
                target.copy(os.path.join(data.root, *rel.split("/")), rel)
            else:
                target.write(rel, content)
        if hasattr(os, "sync"):
            os.sync()
        for rel, pieces in plan.writer.aggregates(lambda: iter(records), gone):
            written.add(rel)
            target.write(rel, pieces, sync=True)
        target.write(MANIFEST, _lines(manifest), sync=True)
        self.report = reporting.build(totals, self.options, self.notices)
        target.write(REPORT, reporting.dump(self.report), sync=True)
        files = [s.path for s in data.samples() if id(s) not in gone] + data.files + sorted(written)
        files += [json.loads(line)["out"] for line in manifest]
        made = {(r, i) for r, i in manifest.places}
        files += [
            path
            for i, labels in enumerate(plan.labels)
            for r, paths in enumerate(labels, 1)
            for path in paths
            # of the masks that a copy may have, those of its lost objects are not there
            if (r, i) in made and os.path.lexists(target.path(path))
        ]
        target.write(RUN, self._run_file([*files, MANIFEST, REPORT, RUN], complete=True), sync=True, replace=True)

    def _tell(self, target: Target, totals: reporting.Totals, seconds: float) -> int:
        report = self.report
        self.tell(reporting.summary(report, self.found.others, self.args.out, target.bytes, seconds, self.workers))
        code = SKIPS if report["skipped"] else DONE
        if self.args.json:
            result = {
                "exit": code,
                "out": self.args.out,
                "seconds": round(seconds, 3),
                "images_per_second": round(totals.images / seconds, 1) if seconds > 0 else None,
                "bytes": target.bytes,
                "workers": self.workers,
                "others": self.found.others,
                "report": report,
            }
            print(json.dumps(result, ensure_ascii=False))
        return code

    def preview(self) -> int:
        """Draws the sheet and writes nothing else."""
        from .sheet import draw_sheet

        path = self.args.preview_out or f"{(self.args.out or self.args.src).rstrip(os.sep)}-preview.png"
        self._show_problems()
        content, count = draw_sheet(self.worker, self.plan, self.args, self.policy)
        folder = os.path.dirname(os.path.abspath(path))
        temp = os.path.join(folder, f".ferraug-preview-{os.getpid()}.tmp")
        try:
            with open(temp, "wb") as file:
                file.write(content)
            os.replace(temp, path)
        except OSError as error:
            say(f"error: {error.strerror}: {path}")
            return IO
        self.tell(f"{path}: {count} sources")
        invalid = any(p.level == "invalid" for p in self.data.problems)
        if self.args.json:
            print(json.dumps({"exit": SKIPS if invalid else DONE, "sheet": path, "sources": count}))
        return SKIPS if invalid else DONE


def _lines(spool: Spool) -> Iterator[bytes]:
    yield from spool


def _settle(pool: ThreadPoolExecutor, running: set[Future[Any]]) -> None:
    """Cancels what has not begun and waits for what has."""
    for future in running:
        future.cancel()
    pool.shutdown(wait=True, cancel_futures=True)
