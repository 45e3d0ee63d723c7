"""Fixtures of the reader tests."""

from dataset_helpers import shared

__all__ = ["shared"]
