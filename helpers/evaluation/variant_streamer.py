"""Variants in Janggu's form: `VariantStreamer` gives their windows, `predict_variant_effect` their effects as files."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from helpers.data.alphabet import DNA
from helpers.data.genome_store import GenomeStore
from helpers.data.kmers import kmer_codes, one_hot, reverse_complement_codes
from helpers.data.overlaps import overlaps_any
from helpers.data.regions import read_regions
from helpers.data.sequence import Bioseq
from helpers.data.variant_counts import VariantCounts
from helpers.data.variant_windows import VariantWindows, cut_variant_windows
from helpers.data.variants import read_variants
from helpers.errors import InputError
from helpers.evaluation.variant_effects import EffectModel, sequence_input_of
from helpers.evaluation.variant_scoring import score_variants
from helpers.files import atomic_path

_JANGGU_NAMES = {
    "labels": "outputs",
    "refscore": "ref",
    "altscore": "alt",
    "diffscore": "difference",
    "logoddsscore": "logit_difference",
}
Source = Bioseq | GenomeStore | str | os.PathLike[str]


class VariantStreamer:
    """Windows around the variants of a file, with both alleles, batch by batch.

    Parameters
    ----------
    bioseq : Bioseq, GenomeStore or path
        Sequence of whole contigs: a dataset of DNA, or what `Bioseq.create_from_refgenome` takes.
    variants : path
        VCF or BCF file, see `helpers.data.variants.read_variants`.
    binsize : int
        bp of a window; an SNV stands at position ``(binsize - 1) // 2``.
    batch_size : int
        Alleles that are read at a time: a batch has fewer where some are left out.
    annotation : path, table or other regions, optional
        A variant whose reference allele overlaps a feature on the minus strand is given as the reverse complement; all
        others, and all without `annotation`, are forward.
    ignore_reference_match : bool, default False
        False leaves variants out whose reference allele is not what the sequence has; True writes the reference allele
        of the file into the window.
    order : int, default 1
        Length of the k-mers; that of `bioseq` where it is a dataset.

    Notes
    -----
    One row for each alternative allele: SNVs, indels and others whose letters are A, C, G and T. What is left out, and
    why, is logged when the last batch was given; a file of which nothing can be given is an `InputError` then, see
    `helpers.data.variant_counts.VariantCounts.check`.
    """

    def __init__(
        self,
        bioseq: Source,
        variants: str | os.PathLike[str],
        binsize: int,
        batch_size: int,
        annotation: Any = None,
        ignore_reference_match: bool = False,
        order: int = 1,
    ):
        if binsize < 1:
            msg = f"binsize is the length of a window in bp, at least 1. Received: binsize={binsize}."
            raise InputError(msg)
        self.genome, self.order = open_sequence(bioseq, order)
        self.variants, self.binsize, self.batch_size = variants, binsize, batch_size
        self._on_minus = None if annotation is None else MinusFeatures(annotation)
        self._mismatch = "use" if ignore_reference_match else "skip"

    def flow(
        self,
    ) -> Iterator[tuple[list[str], list[str], np.ndarray, list[str], list[str], np.ndarray, np.ndarray]]:
        """Give the variants in the order of the file.

        Yields
        ------
        names, chroms : list of str
            ID, '' where there is none, and contig.
        positions : numpy.ndarray of int64, shape (b,)
            First base of the reference allele, 0-based.
        ref_alleles, alt_alleles : list of str
        refs, alts : numpy.ndarray of int8, shape (b, binsize - order + 1, 1, 4**order)
            One-hot; new arrays for each batch, none of them empty.
        """
        for windows in self._windows():
            chroms, names, refs, alts = windows.variants.texts(windows.rows)
            names = ["" if name == "." else name for name in names]
            reverse = np.zeros(len(names), dtype=bool) if self._on_minus is None else self._on_minus(windows)
            hot = [self._one_hot(letters, reverse) for letters in (windows.reference, windows.alternative)]
            yield names, chroms, windows.variants.starts[windows.rows], refs, alts, *hot

    def get_variant_count(self) -> int:
        """Count the variants that `flow` gives, by reading the file."""
        return sum(len(windows.rows) for windows in self._windows())

    def _windows(self) -> Iterator[VariantWindows]:
        counts = VariantCounts()
        for batch in read_variants(self.variants, batch_size=self.batch_size):
            windows = cut_variant_windows(self.genome, batch, self.binsize, mismatch=self._mismatch)
            counts.add(windows.variants)
            if len(windows.rows):
                yield windows
        counts.check(self.variants, self.genome.contigs, self.binsize)

    def _one_hot(self, letters: np.ndarray, reverse: np.ndarray) -> np.ndarray:
        kmers = kmer_codes(letters, self.order)
        kmers[reverse] = reverse_complement_codes(kmers[reverse], self.order)
        return one_hot(kmers, self.order)


class MinusFeatures:
    """Tell which variants overlap a feature on the minus strand.

    Parameters
    ----------
    annotation : path, table or other regions
        See `helpers.data.regions.read_regions`.
    """

    def __init__(self, annotation: Any):
        features = read_regions(annotation)
        self._minus = features[features["strand"] == "-"]

    def __call__(self, windows: VariantWindows) -> np.ndarray:
        """Give True for each scored variant, shape (scored,), whose reference allele overlaps such a feature."""
        variants, rows = windows.variants, windows.rows
        starts = variants.starts[rows]
        places = {"chrom": variants.texts(rows)[0], "start": starts, "end": starts + variants.ref_lengths[rows]}
        return overlaps_any(pd.DataFrame(places), self._minus)


def predict_variant_effect(
    model: Any,
    bioseq: Source,
    variants: str | os.PathLike[str],
    conditions: Sequence[str],
    output_folder: str | os.PathLike[str],
    condition_filter: str | None = None,
    batch_size: int | None = None,
    annotation: Any = None,
    ignore_reference_match: bool = False,
    order: int = 1,
) -> tuple[str, str]:
    """Score the variants of a file with a Keras model of one input, the sequence.

    Parameters
    ----------
    model : keras.Model
        Its input is one-hot, shape (positions, 1, 4**order), or codes, shape (positions,).
    bioseq, variants, ignore_reference_match, order
        See `VariantStreamer`.
    conditions : sequence of str
        A name for each output of the model.
    output_folder : path
        Made if it is missing.
    condition_filter : str, optional
        Regular expression: only outputs in whose name it is found are written.
    batch_size : int, optional
        Alleles at a time, 4096 at most by default.
    annotation : path, table or other regions, optional
        With it each variant is predicted on one strand, see `VariantStreamer`; without it both strands are averaged.

    Returns
    -------
    scores : str
        ``{output_folder}/scores.hdf5``, see `helpers.evaluation.variant_files.hdf5_file`; its arrays have Janggu's
        names too: ``labels``, ``refscore``, ``altscore``, ``diffscore`` and ``logoddsscore``, float32. The last is
        logit(alt) - logit(ref), and NaN where outputs are no probabilities.
    bed : str
        ``{output_folder}/snps.bed.gz``, a line for each row of the scores.

    Raises
    ------
    InputError
        For a model with several inputs or without a sequence, a wrong number of conditions, a filter that is no regular
        expression or that none matches, and what `score_variants` refuses.
    """
    import keras

    genome, order = open_sequence(bioseq, order)
    functional = keras.Model(model.inputs[0] if len(model.inputs) == 1 else model.inputs, model.outputs)
    try:
        kept = [name for name in conditions if condition_filter is None or re.search(condition_filter, name)]
    except re.error as error:
        msg = f"condition_filter: {condition_filter!r} is no regular expression: {error}. Correct it."
        raise InputError(msg) from error
    if not kept:
        msg = f"condition_filter: {condition_filter!r} is found in none of {', '.join(conditions)}. Correct it."
        raise InputError(msg)
    effects = EffectModel([functional], {"sequence": sequence_input_of(functional, order)}, conditions, kept=kept)
    scores, bed = Path(output_folder) / "scores.hdf5", Path(output_folder) / "snps.bed.gz"
    settings = {"mismatch": "use" if ignore_reference_match else "skip", "batch_size": batch_size}
    strands = None if annotation is None else MinusFeatures(annotation)
    with atomic_path(scores) as temporary:
        score_variants(effects, genome, variants, {"scores": temporary, "bed": bed}, reverse=strands, **settings)
        with h5py.File(temporary, "r+") as file:
            for theirs, ours in _JANGGU_NAMES.items():
                file[theirs] = file[ours]  # another name of the same dataset
    return str(scores), str(bed)


def open_sequence(bioseq: Source, order: int) -> tuple[GenomeStore, int]:
    """Give the letters of whole contigs, and the order: that of a dataset, else as given.

    Raises
    ------
    InputError
        For proteins, or what `Bioseq.create_from_refgenome` refuses.
    """
    dataset = bioseq if isinstance(bioseq, Bioseq) else Bioseq.create_from_refgenome("dna", bioseq, order=order)
    if dataset.alphabet is not DNA:
        msg = f"Variants are of DNA. Received: {dataset.name!r}, a {dataset.alphabet.name}. Give a reference genome."
        raise InputError(msg)
    return dataset.genome, dataset.order
