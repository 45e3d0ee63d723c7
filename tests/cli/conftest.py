"""Fixtures of the command's tests; helpers are those of the reader tests."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "datasets")]

from dataset_helpers import shared  # noqa: E402

__all__ = ["shared"]
