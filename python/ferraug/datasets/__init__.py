"""Data sets: one reader and one writer a format meet in the neutral model. Nothing beyond the library is imported."""

from .detect import detect, read
from .formats import FORMATS, Format
from .model import Category, Dataset, Instance, Options, Problem, Sample

__all__ = ["FORMATS", "Category", "Dataset", "Format", "Instance", "Options", "Problem", "Sample", "detect", "read"]
