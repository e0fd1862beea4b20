"""Regions of a genome and what is read there: sequence, coverage and labels, as numpy-like datasets."""

from helpers.data.coverage import Cover
from helpers.data.dataset_files import open_dataset
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import TPM, LogTransform, ZScore, ZScoreLog
from helpers.data.regions import read_regions
from helpers.data.sequence import Bioseq
from helpers.data.transforms import RandomOrientation

__all__ = [
    "TPM",
    "Bioseq",
    "Cover",
    "GenomicIndexer",
    "LogTransform",
    "RandomOrientation",
    "ZScore",
    "ZScoreLog",
    "open_dataset",
    "read_regions",
]
