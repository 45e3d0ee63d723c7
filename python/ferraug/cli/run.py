"""`ferraug augment`: read, plan, check, write; or draw a sheet.

Everything that can be known is found before the first byte is written. Then one thread a source makes its copies;
what the sources have in common (COCO files, lists, manifest, report) is written last, in plan order.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

from .. import _core
from .._core import ConfigError, CropSizeError
from ..datasets.detect import read as read_any
from ..datasets.formats import adopt
from ..datasets.geometry import Limits
from ..datasets.model import Dataset, Options, Sample
from ..datasets.paths import MAX_IMAGE, read_bytes
from ..datasets.resplit import resplit
from . import journal as journals
from . import plan as planning
from . import report as reporting
from .budget import fitting
from .journal import JOURNAL, Done, Entry, Journal, State
from .lock import Lock
from .options import Usage, cores
from .output import (
    MANIFEST,
    REPORT,
    ROOT_FILES,
    RUN,
    Target,
    check_kept,
    check_plan,
    check_target,
    earlier_files,
    read_run,
    write_journal,
)
from .policy import Policy
from .pool import Job, Pool, Stopped
from .select import divide
from .work import Made, Outcome, Skip, Source, Worker, tally

DONE, SKIPS, IO, INTERRUPTED = 0, 3, 5, 130

#: what a disk says that is full or broken
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


#: options that decide what is in DST, as the report and the run file name them
PIXELS = (
    "empty whole background duplicates balance max_copies classes limit max_size originals make_splits name to task "
    "format quality subsampling depth mask_fill yolo_parts voc_origin"
).split()


def read_source(args: Namespace) -> tuple[Dataset, Any, list[str]]:
    """The set that is written, what was found in SRC, and what a conversion could not keep."""
    # --task is the target's where that is YOLO
    task = None if args.to == "yolo" else args.task
    data, found = read_any(args.src, args.source, options=Options(task, args.voc_origin, args.yolo_parts, args.mask_fill))
    notices = []
    if args.to is not None:
        data.options.task = args.task
        data = adopt(data, args.to)
        notices = [f"lost from {found.format} to {args.to}: {n:,} {what}" for what, n in data.losses.items()]
    if args.make_splits is not None:
        divide(data, args.make_splits, args.seed)
        resplit(data)
    return data, found, notices


def say(text: str) -> None:
    """Text for people goes to stderr."""
    print(text, file=sys.stderr)


def schedule(jobs: list[Job]) -> list[Job]:
    """The order of the work. No byte depends on it."""
    return jobs


class Run:
    """One call of the command."""

    def __init__(self, args: Namespace) -> None:
        self.args = args
        self.stop = threading.Event()
        self.done = 0
        self.lock = threading.Lock()
        self.notices: list[str] = []
        self.interrupted = False
        self.finishing = False
        if not args.out and args.preview is None:
            raise Usage("ferraug augment: --out DST is needed")
        self.workers = args.workers or cores()
        if args.preview is None:
            check_target(args.src, args.out, args.overwrite, args.resume)
        self.policy = Policy(args.policy, args.seed, args.size)
        self.notices += self.policy.notices
        self.limits = Limits(**self.policy.minima)
        if args.min_visibility is not None:
            self.limits.visibility = args.min_visibility
        if args.min_side is not None:
            self.limits.side, self.limits.width, self.limits.height, self.limits.area = args.min_side, 0.0, 0.0, 0.0
        self.data: Dataset
        self.data, self.found, lost = read_source(args)
        self.notices += lost
        if args.preview is not None:
            args.copies = max(args.copies, 1)
        self.plan = planning.make(self.data, args)
        self.notices += self.plan.notices
        self.options = {
            "copies": args.copies,
            "policy": args.policy if os.sep not in args.policy else os.path.basename(args.policy),
            "policy_hash": self.policy.hash,
            "seed": args.seed,
            "splits": args.splits or ["train"],
            "minima": {k: getattr(self.limits, k) for k in ("visibility", "side", "width", "height", "area")},
            **{key: getattr(args, key) for key in PIXELS},
            "size": str(args.size or "") or None,
            "stream_version": _core.STREAM_VERSION,
        }
        self.worker = Worker(self.plan, self.policy, self.limits, args)
        self._try_policy()
        if args.max_size is not None and args.preview is None and not args.dry_run:
            args.limit = fitting(self.worker, self.plan, args.max_size, self.workers)
            self.plan = planning.make(self.data, args)
            self.worker = Worker(self.plan, self.policy, self.limits, args)

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
        args, data = self.args, self.data
        most = self._most_errors()
        bad = sum(p.level == "invalid" and p.what == "image" for p in data.problems)
        known = journals.read(os.path.join(args.out, JOURNAL))
        self._check_plan(known)
        self._show_problems()
        if args.dry_run:
            return self._tell_plan()
        if bad > most:
            say(f"stopped: {bad} images cannot be read, more than --max-errors {most}; nothing was written")
            return SKIPS
        self.start = time.monotonic()
        with self._signals():
            try:
                lock = Lock(args.out)
            except OSError as error:
                if error.errno not in DISK:
                    raise
                return self._tell_disk(error, 0)
            try:
                return self._augment(most - bad)
            except OSError as error:
                if error.errno not in DISK:
                    raise
                return self._tell_disk(error, 0)
            finally:
                lock.release()

    def _check_plan(self, known: State) -> None:
        """What must hold before a byte is written. Checked again under the lock, for another run may have ended."""
        args, plan = self.args, self.plan
        old: set[str] = set()
        needed = plan.estimate
        if args.overwrite and os.path.isdir(args.out):
            old = earlier_files(args.out, known)
        elif args.resume:
            run = read_run(os.path.abspath(args.out)) if known.config is None else None
            old = {*known.paths(), *ROOT_FILES, *(run["files"] if run is not None else ())}
            needed = max(needed - sum(e.size for e in known.entries()), 0)
        check_plan(args.out, plan.outputs, old, needed)

    @cached_property
    def config(self) -> dict[str, Any]:
        """What a call that goes on must have in common with the one that began."""
        digest = hashlib.sha256()
        data = self.data
        names = [s.source for s in data.samples()] + data.files
        names += self.plan.writer.original_paths() + self.plan.writer.aggregate_paths()
        for name in names:
            try:
                size = os.stat(os.path.join(data.root, name)).st_size
            except OSError:
                size = -1
            digest.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
        options = json.loads(json.dumps(self.options))
        return {
            "ferraug": _core.__version__,
            "format": data.format,
            "options": options,
            "sources": {"count": len(names), "names and sizes": digest.hexdigest()},
        }

    def _augment(self, most: int) -> int:
        args = self.args
        config = self.config
        check_kept(args.out, args.overwrite, args.resume)
        state = journals.read(os.path.join(args.out, JOURNAL))
        self._check_plan(state)
        token = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
        if args.resume:
            run = read_run(os.path.abspath(args.out))
            old = state.config
            if old is None and run is not None:
                if not run.get("complete"):
                    raise FileExistsError(17, f"not empty and without the {JOURNAL} of a stopped run", args.out)
                old = {key: run.get(key) for key in config}
            if old is not None:
                field = journals.differing(old, config)
                if field is not None:
                    raise ConfigError(f"--resume: {field}; go on with what the run began with, or use --overwrite")
            if state.config is None and run is not None:
                say(f"{args.out}: complete, nothing to do")
                return SKIPS if self._skipped_before() else DONE
        target = Target(args.out, token[:8])
        journal: Journal | None = None
        try:
            if state.config is None or args.overwrite:
                owned = earlier_files(args.out, state) if args.overwrite else set()
                state = write_journal(target, config, owned)
            journal = Journal(os.path.join(target.root, JOURNAL), state)
            self._prepare(target, journal, state)
            return self._write_all(target, journal, state, most)
        except OSError as error:
            if isinstance(error, FileExistsError) and journal is None:
                raise
            return self._tell_disk(error, target.bytes)
        except KeyboardInterrupt:
            say(f"interrupted; {args.out} is incomplete, --resume goes on with it")
            return INTERRUPTED
        finally:
            target.close()
            if journal is not None:
                journal.close()

    def _skipped_before(self) -> bool:
        try:
            with open(os.path.join(self.args.out, REPORT), "rb") as file:
                return bool(json.load(file)["skipped"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _tell_disk(self, error: OSError, written: int) -> int:
        text = f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            text += f"; about {max(self.plan.estimate - written, 0) // 1_000_000 + 1:,} MB are still needed"
        say(f"{text}; --resume goes on from here")
        return IO

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """An interrupt ends the run after the copies in hand; a second one at once."""

        def interrupt(number: int, frame: object) -> None:
            if self.interrupted:
                os._exit(INTERRUPTED)
            self.interrupted = True
            self.stop.set()
            if self.finishing:
                raise KeyboardInterrupt

        main = threading.current_thread() is threading.main_thread()
        if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _prepare(self, target: Target, journal: Journal, state: State) -> None:
        """Everything in DST is either a finished piece that the journal vouches for, or gone."""
        entries = list(state.entries())
        bad: set[str] = set()

        def check(entry: Entry) -> None:
            if not target.is_whole(entry):
                bad.add(entry.path)

        if entries:
            Pool([partial(check, entry) for entry in entries], self.workers, self.stop).wait()
            if self.interrupted:
                raise KeyboardInterrupt
        # an image that could not be read is looked at again
        for rank in [r for r, done in state.sources.items() if done.facts["unreadable"]]:
            del state.sources[rank]
        state.drop(bad)
        kept = {e.path for e in state.entries()}
        journal.restart(state)
        target.delete((state.owned | set(ROOT_FILES)) - kept)
        plan = self.plan
        common = [*plan.writer.original_paths(), *plan.writer.aggregate_paths(), *ROOT_FILES]
        journal.owns(name for name in common if name not in state.owned)
        target.write(RUN, self._run_file([*ROOT_FILES], complete=False))

    def _write_all(self, target: Target, journal: Journal, state: State, most: int) -> int:
        totals = reporting.Totals(self.plan)
        code = self._work(target, totals, journal, state, most)
        if code is not None:
            return code
        self.finishing = True
        if self.interrupted:
            raise KeyboardInterrupt
        self._finish(target, totals, journal)
        self.finishing = False
        return self._tell(target, totals, time.monotonic() - self.start)

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
        return reporting.dump({**self.config, "complete": complete, "files": sorted(set(files))})

    def _work(
        self, target: Target, totals: reporting.Totals, journal: Journal, state: State, most: int
    ) -> int | None:
        """All sources and plain copies; an exit code if the run ends here."""
        data, plan = self.data, self.plan
        sources = {id(s) for s in plan.sources}
        told: list[str] = []
        self.too_many = False

        def multiply(rank: int) -> None:
            outcome = self._source(rank, target, journal, state)
            with self.lock:
                # what was skipped or dropped is done too
                self.done += max(len(plan.names[rank]), 1) - outcome.written
                totals.add(outcome)
                if outcome.skipped is not None:
                    told.append(f"skipped: {plan.sources[rank].path}: {outcome.skipped}")
                if len(totals.unreadable) > most:
                    self.too_many = True
                    self.stop.set()

        def plain(source: str, path: str) -> None:
            journal.owns([path])
            journal.file(target.copy(data.root, source, path))

        jobs: list[Job] = [partial(multiply, rank) for rank in range(len(plan.sources))]
        kept = sources | plan.gone
        others = [(s.source, s.path) for s in data.samples() if id(s) not in kept] + [(f, f) for f in data.files]
        jobs += [partial(plain, *names) for names in others if names[1] not in state.plain]
        progress = reporting.Progress(sum(max(len(names), 1) for names in plan.names), self.args.quiet)
        pool = Pool(schedule(jobs), self.workers, self.stop)
        shown = 0
        ended = False
        while not ended:
            ended = pool.wait(0.1)
            while shown < len(told):
                if shown < 20:
                    progress.close()
                    self.tell(told[shown])
                shown += 1
            progress.update(self.done, len(totals.skipped))
        progress.close()
        if pool.error is not None:
            raise pool.error
        if self.interrupted:
            raise KeyboardInterrupt
        if self.too_many:
            say(
                "stopped: more images than --max-errors allows cannot be read; "
                f"{self.args.out} is incomplete, --resume goes on with it"
            )
            return SKIPS
        return None

    def _source(self, rank: int, target: Target, journal: Journal, state: State) -> Outcome:
        """One source: its copies and its original; what the journal has of them already is not done again."""
        plan = self.plan
        sample = plan.sources[rank]
        names = plan.names[rank]
        outcome = Outcome(rank)
        before = {r: state.copies[r, rank] for r in range(1, len(names) + 1) if (r, rank) in state.copies}
        told = state.sources.get(rank)
        if told is not None:
            outcome.skipped, outcome.notices = told.facts["skipped"], list(told.facts["notices"])
            if outcome.skipped is not None or len(before) == len(names):
                for replica in sorted(before):
                    self._recall(outcome, before[replica])
                return outcome
        journal.owns([sample.path, *names, *(path for paths in plan.labels[rank] for path in paths)])
        raw: bytes | None = None
        try:
            if not names:
                raw = read_bytes(self.data.root, sample.source, MAX_IMAGE)
            else:
                source = self.worker.open(sample)
                raw = source.raw
                self._replicas(source, rank, outcome, before, target, journal)
        except Skip as skip:
            outcome.skipped, outcome.unreadable = str(skip), skip.unreadable
            if not skip.unreadable and raw is None:
                raw = read_bytes(self.data.root, sample.source, MAX_IMAGE)
        if told is None:
            files = [self._original(sample, target, raw)] if raw is not None and id(sample) not in plan.gone else []
            facts = {"skipped": outcome.skipped, "unreadable": outcome.unreadable, "notices": outcome.notices}
            journal.source(rank, files, facts)
        return outcome

    def _original(self, sample: Sample, target: Target, raw: bytes) -> Entry:
        """The source itself, as --originals says."""
        if self.args.originals == "link":
            return target.link(self.data.root, sample.source, sample.path, raw)
        return target.write(sample.path, raw)

    def _replicas(
        self, source: Source, rank: int, outcome: Outcome, before: dict[int, Done], target: Target, journal: Journal
    ) -> None:
        plan = self.plan
        outcome.notices = list(source.picture.notices)
        if source.picture.alpha is not None and planning.file_format(source.sample, plan.format) == "jpeg":
            outcome.notices.append("JPEG holds no alpha: new images of transparent sources are opaque")
        for replica, name in enumerate(plan.names[rank], 1):
            if self.stop.is_set():
                raise Stopped
            if replica in before:
                self._recall(outcome, before[replica])
                source.seen.add(before[replica].facts["mark"])
                continue
            made = self.worker.copy(source, replica, name)
            if made is None:
                outcome.empty += 1
                journal.copy((replica, rank), [], {"mark": "", "tally": None}, b"", b"")
                continue
            part = Outcome(rank)
            tally(part, made.copy.objects, made.dropped)
            _merge(outcome, part)
            self._write(made, source, part, target, journal, (replica, rank))
            with self.lock:
                self.done += 1

    def _recall(self, outcome: Outcome, done: Done) -> None:
        """Counts a copy that an earlier call has made."""
        counts = done.facts["tally"]
        if counts is None:
            outcome.empty += 1
            return
        objects, sides, dropped = counts
        _merge(outcome, Outcome(0, objects=dict(objects), sides=sides, dropped=dropped))
        with self.lock:
            self.done += 1

    def _write(
        self, made: Made, source: Source, part: Outcome, target: Target, journal: Journal, place: tuple[int, int]
    ) -> None:
        content = self.worker.encode(made, source.picture)
        digest = hashlib.sha256(content).hexdigest()
        line = self.worker.manifest(made, digest)
        writer = self.plan.writer
        record = writer.record(made.copy, source.prepared)
        files = [target.write(path, text) for path, text in writer.label_files(made.copy, source.prepared)]
        files.append(target.write(made.copy.path, content, sha256=digest))
        counts = (list(part.objects.items()), part.sides, part.dropped)
        journal.copy(place, files, {"mark": made.mark, "tally": counts}, line, record)

    def _finish(self, target: Target, totals: reporting.Totals, journal: Journal) -> None:
        """Labels of originals, then what all sources share, then the run file that says the rest is whole."""
        plan, data = self.plan, self.data
        gone = {id(plan.sources[rank]) for rank in totals.unreadable} | plan.gone
        files = [*journal.written(), *ROOT_FILES]
        for rel, content in plan.writer.originals(gone):
            files.append(rel)
            if content is None:
                target.copy(data.root, rel, rel)
            else:
                target.write(rel, content)
        target.sync_all()
        for rel, pieces in plan.writer.aggregates(journal.records, gone):
            files.append(rel)
            target.write(rel, pieces, sync=True)
        target.write(MANIFEST, journal.manifest(), sync=True)
        self.report = reporting.build(totals, self.options, self.notices)
        target.write(REPORT, reporting.dump(self.report), sync=True)
        target.write(RUN, self._run_file(files, complete=True), sync=True, replace=True)
        journal.remove()

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


def _merge(outcome: Outcome, part: Outcome) -> None:
    """Adds one copy's counts."""
    outcome.written += 1
    for mine, its in ((outcome.objects, part.objects), (outcome.dropped, part.dropped)):
        counts: dict[Any, int] = mine
        for key, count in its.items():
            counts[key] = counts.get(key, 0) + count
    outcome.sides += part.sides
