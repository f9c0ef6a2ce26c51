"""Datasets of labelled images: what there is, and how to load it."""

from vaead.data.datasets.base import Dataset, DatasetSpec, Progress, build_dataset, resolve_class
from vaead.data.datasets.registry import clear_cache, dataset_names, get_spec, load_dataset

__all__ = [
    "Dataset",
    "DatasetSpec",
    "Progress",
    "build_dataset",
    "clear_cache",
    "dataset_names",
    "get_spec",
    "load_dataset",
    "resolve_class",
]
