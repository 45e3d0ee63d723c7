"""Data sets: one reader and one writer a format meet in the neutral model. Nothing beyond the library is imported."""

from .detect import detect, read
from .model import Category, Dataset, Instance, Problem, Sample

__all__ = ["Category", "Dataset", "Instance", "Problem", "Sample", "detect", "read"]
