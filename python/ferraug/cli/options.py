"""The arguments of the `ferraug` command and their checks."""

from __future__ import annotations

import argparse
import os
import string
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_COPIES = 9999

#: what new images are called
NAME = "{stem}__ferraug-{replica:04d}"

_EXAMPLES = """\
most people need:
  ferraug augment photos --out bigger -n 5        the set and 5 new images for each of its images
  ferraug augment photos --preview                a sheet of examples, nothing else is written
  ferraug check photos                            every problem of the set, with file and line

ferraug COMMAND --help tells more; `augment --help-all` lists every option.
"""


class Usage(Exception):
    """A mistake in the arguments: exit 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Usage(f"{self.prog}: {message}")


class _HelpAll(argparse.Action):
    """Shows the rare options too."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        for action in parser._actions:
            if isinstance(rare := getattr(action, "rare", None), str):
                action.help = rare
        parser.print_help()
        parser.exit()


class Size(NamedTuple):
    """`--size`: a frame and how an image is brought into it."""

    width: int
    height: int
    mode: str

    def __str__(self) -> str:
        return f"{self.width}x{self.height}:{self.mode}"


def _number(low: float, high: float, whole: bool) -> Any:
    def parse(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}: a {'whole ' if whole else ''}number is needed") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text}: allowed {low:g} to {high:g}")
        return value

    return parse


def _max_errors(text: str) -> tuple[str, float]:
    percent = text.endswith("%")
    try:
        value = float(text[:-1]) if percent else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a number or a percentage is needed") from None
    if not 0 <= value <= (100 if percent else 1e9):
        raise argparse.ArgumentTypeError(f"{text}: out of range")
    return ("%" if percent else "n", value)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("names separated by commas are needed")
    return names


def _shares(text: str) -> tuple[int, ...]:
    try:
        shares = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: whole percentages are needed, as 80,10,10") from None
    if len(shares) not in (2, 3) or min(shares) < 0 or shares[0] == 0 or sum(shares) != 100:
        raise argparse.ArgumentTypeError(f"{text}: two or three shares (train, val, test) that add up to 100 are needed")
    return shares


def _bytes(text: str) -> int:
    low = text.strip().lower().removesuffix("b")
    unit = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}.get(low[-1:], 1)
    try:
        value = float(low if unit == 1 else low[:-1])
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a size as 500MB or 10GB is needed") from None
    if not 0 < value * unit < 2**60:
        raise argparse.ArgumentTypeError(f"{text}: out of range")
    return int(value * unit)


def _size(text: str) -> Size:
    frame, _, mode = text.partition(":")
    width, x, height = frame.lower().partition("x")
    try:
        size = Size(int(width), int(height if x else width), mode or "fit")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: 640, 640x480 or 640x480:pad is needed") from None
    if not (1 <= size.width <= 32766 and 1 <= size.height <= 32766):
        raise argparse.ArgumentTypeError(f"{text}: sides of 1 to 32766 are allowed")
    if size.mode not in ("fit", "pad", "stretch"):
        raise argparse.ArgumentTypeError(f"{text}: {size.mode!r}; allowed fit, pad, stretch")
    return size


def _name(text: str) -> str:
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
        made = text.format(stem="a", replica=1)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if sorted(set(fields)) != ["replica", "stem"]:
        raise argparse.ArgumentTypeError(f"{text!r}: must hold {{stem}} and {{replica}}, and no other field")
    if "/" in made or "\\" in made or made.startswith("."):
        raise argparse.ArgumentTypeError(f"{text!r}: a file name is needed, without folders")
    return text


def _adder(parser: argparse.ArgumentParser) -> Callable[..., None]:
    """`add_argument` that knows rare options: those that only --help-all shows."""

    def add(*flags: str, rare: bool = False, **rest: Any) -> None:
        action = parser.add_argument(*flags, **rest)
        if rare:
            action.rare, action.help = action.help, argparse.SUPPRESS  # type: ignore[attr-defined]

    return add


def _input(add: Callable[..., None]) -> None:
    """What tells how SRC is read."""
    add("src", metavar="SRC", help="data set: a folder, or its yaml, JSON or XML file")
    add("--from", dest="source", metavar="F", help="input format; ends all guessing")
    add("--task", choices=("detect", "segment", "pose", "obb"), help="YOLO task, of SRC or of --to yolo (guessed)")
    add("--voc-origin", type=int, choices=(0, 1), default=0, rare=True, help="VOC pixels count from 0 or 1 (0)")


def _output(add: Callable[..., None]) -> None:
    """What tells how DST is written."""
    add("--out", metavar="DST", help="folder to write; must not exist or be empty")
    add("--to", metavar="F", help="output format (as SRC)")
    add("--resume", action="store_true", help="go on with a run that was stopped")
    add("--overwrite", action="store_true", help="first delete what an earlier run wrote to DST")
    add("--originals", choices=("copy", "link", "none"), default="copy", rare=True, help="copied, hard-linked or left out (copy)")
    add("--make-splits", type=_shares, metavar="80,10,10", rare=True, help="first divide the set into train, val and test")
    add("--yolo-parts", choices=("join", "largest", "split"), default="join", rare=True, help="outlines of several parts (join)")
    add("--max-errors", type=_max_errors, default=("%", 1.0), metavar="N", rare=True, help="stop beyond N or N%% images (1%%, at least 100)")
    add("--workers", type=_number(1, 1024, True), metavar="N", rare=True, help="threads; never changes a byte (all cores)")
    add("--dry-run", action="store_true", rare=True, help="plan and size estimate only")


def _speech(add: Callable[..., None]) -> None:
    add("--json", action="store_true", help="machine-readable result on stdout")
    add("-q", "--quiet", action="store_true", rare=True, help="errors only")
    add("-v", "--verbose", action="store_true", rare=True, help="every problem, not the first twenty")


def _multiply(add: Callable[..., None]) -> None:
    """What new images are."""
    add("-n", "--copies", type=_number(0, MAX_COPIES, True), default=5, metavar="N", help="new images per source (5)")
    add("--policy", default="basic", metavar="P", help="basic | seed | policy.json | policy.yaml | file.py:name (basic)")
    add("--seed", type=_number(0, 2**64 - 1, True), default=0, metavar="S", help="0 to 2**64-1 (0)")
    add("--splits", type=_names, metavar="A,B", help="splits to multiply, the others are copied (train)")
    add("--classes", type=_names, metavar="A,B", rare=True, help="multiply only images that hold one of these")
    add("--balance", action="store_true", help="more copies of images with rare classes")
    add("--max-copies", type=_number(1, MAX_COPIES, True), default=50, metavar="N", rare=True, help="of one image under --balance (50)")
    add("--limit", type=_number(1, 10**9, True), metavar="K", rare=True, help="stop after K new images")
    add("--max-size", type=_bytes, metavar="10GB", rare=True, help="stop before the new files are larger")
    add("--size", type=_size, metavar="WxH", help="resize at the end: 640, 640x480, 640x480:pad, :stretch")
    add("--min-visibility", type=_number(0, 1, False), metavar="F", help="drop objects that show less (0.1)")
    add("--min-side", type=_number(0, 1e6, False), metavar="PX", help="drop objects that are smaller (2)")
    add("--whole", action="store_true", rare=True, help="draw again while an object is partly cut")
    add("--empty", choices=("redraw", "keep", "drop"), default="redraw", rare=True, help="a copy that lost all objects (redraw)")
    add("--background", choices=("augment", "copy", "drop"), default="augment", rare=True, help="sources without objects (augment)")
    add("--duplicates", choices=("skip", "keep"), default="skip", rare=True, help="byte-equal sources (skip)")
    add("--format", choices=("keep", "jpg", "png", "webp"), default="keep", help="format of new images (keep)")
    add("--quality", type=_number(1, 100, True), default=95, metavar="1-100", help="JPEG quality (95)")
    add("--subsampling", type=int, choices=(420, 444), default=420, rare=True, help="JPEG colour (420)")
    add("--depth", type=int, choices=(8,), rare=True, help="16-bit images as 8 bit")
    add("--mask-fill", type=_number(0, 65535, True), metavar="V", rare=True, help="class of mask pixels from outside (0)")
    add("--name", type=_name, default=NAME, metavar="T", rare=True, help=f"file names ({NAME})".replace("%", "%%"))
    add("--preview-out", metavar="F", rare=True, help="where the sheet goes (DST-preview.png)")


def parser() -> argparse.ArgumentParser:
    """The whole command."""
    main = _Parser(
        prog="ferraug",
        description="Multiply image data sets with their annotations.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("--version", action="store_true", help="print the version and leave")
    commands = main.add_subparsers(dest="command", parser_class=_Parser, metavar="COMMAND")

    def command(name: str, line: str, more: str) -> Callable[..., None]:
        made = commands.add_parser(name, help=line, description=more)
        made.add_argument("--help-all", action=_HelpAll, nargs=0, help="every option")
        return _adder(made)

    add = command(
        "augment",
        "write a set of new images with recomputed annotations",
        "Reads SRC and writes DST: the originals as they are and N new images for each image of the train split, with "
        "their annotations.",
    )
    _input(add)
    _output(add)
    _multiply(add)
    add("--preview", nargs="?", type=_number(1, 1000, True), const=16, metavar="N", help="only draw a sheet (16)")
    _speech(add)

    add = command(
        "check",
        "list every problem of a set; writes nothing",
        "Reads SRC and lists every problem with file and line. Exit 1 if there is one.",
    )
    _input(add)
    add("--deep", action="store_true", help="decode every image")
    add("--preview", nargs="?", type=_number(1, 1000, True), const=16, metavar="N", help="draw what is wrong")
    add("--preview-out", metavar="F", help="where the sheet goes (SRC-preview.png)")
    _speech(add)

    add = command("preview", "draw a sheet of examples", "Draws a sheet: originals beside new images. Writes nothing else.")
    _input(add)
    add("--count", dest="preview", type=_number(1, 1000, True), default=16, metavar="N", help="sources (16)")
    _multiply(add)
    _output(add)
    _speech(add)

    add = command("convert", "write a set in another format", "Reads SRC and writes DST in the format --to.")
    _input(add)
    _output(add)
    _speech(add)

    add = command(
        "replay",
        "make one new image again",
        "Makes DST/NAME again from its line in the manifest and compares; --out writes it.",
    )
    add("image", metavar="DST/NAME", help="an image that augment wrote")
    add("--src", metavar="SRC", help="the set it came from, if DST holds no originals")
    add("--out", metavar="F", help="write it: a .png, or as it was")
    _speech(add)
    return main


def parse(argv: Any) -> argparse.Namespace:
    """The arguments of `argv`; what a command does not take has the value that `augment` gives it."""
    args = parser().parse_args(argv)
    if args.command in ("convert", "preview"):
        full = parser().parse_args(["augment", "--", args.src])
        if args.command == "convert":
            full.copies = 0
        for key, value in vars(args).items():
            setattr(full, key, value)
        args = full
    if args.command == "convert" and args.to is None:
        raise Usage("ferraug convert: --to F is needed")
    if getattr(args, "resume", False) and args.overwrite:
        raise Usage(f"ferraug {args.command}: --resume and --overwrite exclude each other")
    if getattr(args, "quiet", False) and args.verbose:
        raise Usage(f"ferraug {args.command}: -q and -v exclude each other")
    return args


def cores() -> int:
    """Cores this process may use: affinity and the control group's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        pass
    return max(1, count)
