"""Regions of a genome and what is read there: sequence, coverage and labels, as numpy-like datasets."""

from helpers.data.array import Array
from helpers.data.augmentation import RandomOrientation, RandomShift, RandomSignalScale
from helpers.data.batches import WindowBatches
from helpers.data.chain import Chain
from helpers.data.coverage import Cover
from helpers.data.dataset_files import open_dataset
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import fit_normalizer, load_normalizer, save_normalizer
from helpers.data.normalized import normalize
from helpers.data.normalizers import TPM, LogTransform, RegionLengthNormalization, ZScore, ZScoreLog
from helpers.data.percentiles import PercentileTrimming
from helpers.data.regions import read_regions
from helpers.data.selection import split_train_test, subset, view
from helpers.data.sequence import Bioseq
from helpers.data.transforms import NanToNumConverter, ReduceDim, SqueezeDim, Transpose
from helpers.data.variants import read_variants

__all__ = [
    "TPM",
    "Array",
    "Bioseq",
    "Chain",
    "Cover",
    "GenomicIndexer",
    "LogTransform",
    "NanToNumConverter",
    "PercentileTrimming",
    "RandomOrientation",
    "RandomShift",
    "RandomSignalScale",
    "ReduceDim",
    "RegionLengthNormalization",
    "SqueezeDim",
    "Transpose",
    "WindowBatches",
    "ZScore",
    "ZScoreLog",
    "fit_normalizer",
    "load_normalizer",
    "normalize",
    "open_dataset",
    "read_regions",
    "read_variants",
    "save_normalizer",
    "split_train_test",
    "subset",
    "view",
]
