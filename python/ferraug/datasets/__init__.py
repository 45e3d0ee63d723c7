"""Data sets: one reader and one writer per format meet in the neutral model. No NumPy and no image library at import."""

from .detect import detect, read
from .model import Category, Dataset, Instance, Problem, Sample

__all__ = ["Category", "Dataset", "Instance", "Problem", "Sample", "detect", "read"]
