"""The `ferraug` command."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0 done, 1 `check` found problems, 2 usage, policy or data error, 3 done with skips, 4 unsafe
    path, 5 input or output error, 70 internal error, 130 interrupted."""
    from .options import Usage, parse, parser

    try:
        args = parse(argv)
    except Usage as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SystemExit as done:  # --help
        return int(done.code or 0)
    if args.version:
        from .. import _core

        print(f"ferraug {_core.__version__}")
        return 0
    if args.command is None:
        print(parser().format_help(), file=sys.stderr)
        return 2
    from .._core import UnsafePathError

    try:
        return _COMMANDS.get(args.command, _augment)(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except UnsafePathError as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    except (Usage, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        # before the first write: a path that cannot be used is a mistake in the call
        name = f": {error.filename}" if error.filename else ""
        print(f"error: {error.strerror or error}{name}", file=sys.stderr)
        return 2
    except Exception:
        import traceback

        traceback.print_exc()
        print("error: internal error; please report it with the lines above", file=sys.stderr)
        return 70


def _augment(args: Namespace) -> int:
    from .run import Run

    run = Run(args)
    return run.preview() if args.preview is not None else run.augment()


def _check(args: Namespace) -> int:
    from .check import Check

    return Check(args).run()


def _replay(args: Namespace) -> int:
    from .remake import Remake

    return Remake(args).run()


_COMMANDS = {"check": _check, "replay": _replay}


if __name__ == "__main__":
    sys.exit(main())
