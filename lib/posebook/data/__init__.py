"""Datasets in one sample schema; the default one is rendered here, from free bodies and motions."""

from posebook.data.dataset import Dataset, open_dataset
from posebook.data.sample import Sample

__all__ = ["Dataset", "Sample", "open_dataset"]
