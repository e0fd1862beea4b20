"""From a file of variants to files of their effects, batch by batch, in memory that does not grow with the file."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import pandas as pd

from helpers.data.genome_store import GenomeStore
from helpers.data.variant_counts import VariantCounts
from helpers.data.variant_windows import VariantWindows, check_mismatch, cut_variant_windows
from helpers.data.variants import BATCH_SIZE, read_variant_header, read_variants
from helpers.errors import InputError
from helpers.evaluation.tables import write_table
from helpers.evaluation.variant_effects import EffectModel, Scored
from helpers.evaluation.variant_files import Write, bed_file, hdf5_file, parquet_file, tsv_file
from helpers.evaluation.variant_vcf import annotated_vcf

FILES = ("table", "scores", "vcf", "bed", "counts")
_MOST_BASES = 1 << 23  # of the windows of a batch
_MOST_PREDICTIONS = 1 << 20  # of an allele of a batch

AnyPath = str | os.PathLike[str]


def score_variants(
    model: EffectModel,
    genome: GenomeStore,
    variants: AnyPath,
    files: Mapping[str, AnyPath],
    *,
    mismatch: str = "skip",
    batch_size: int | None = None,
    reverse: Callable[[VariantWindows], np.ndarray] | None = None,
) -> pd.DataFrame:
    """Score all variants of a file.

    Parameters
    ----------
    model : EffectModel
    genome : GenomeStore of uint8, shape (letters,)
        Codes of letters, of `encode_fasta` or `read_fasta`.
    variants : path
        VCF or BCF, see `helpers.data.variants.read_variants`.
    files : mapping of str to path
        Which files to write, any of ``table`` (`tsv_file`; Parquet where the name ends in .parquet), ``scores``
        (`hdf5_file`), ``vcf`` (`annotated_vcf`), ``bed`` (`bed_file`) and ``counts`` (TSV, a row for each status). They
        appear when all is scored.
    mismatch : {'skip', 'flag', 'use'}
        See `helpers.data.variant_windows.cut_variant_windows`.
    batch_size : int, optional
        Alleles at a time, 4096 at most by default.
    reverse : callable, optional
        From windows to the strand of each, True for the reverse, on which alone it is predicted; by default both
        strands are averaged.

    Returns
    -------
    pandas.DataFrame
        See `helpers.data.variant_counts.VariantCounts.table`.

    Raises
    ------
    InputError
        For a bad file, no contig of which the genome has any, all of whose variants are longer than the model's window,
        or of whose reference alleles the genome has none.
    """
    check_mismatch(mismatch)
    unknown = [name for name in files if name not in FILES]
    if unknown:
        msg = f"files: {unknown[0]!r} is unknown; allowed: {', '.join(FILES)}."
        raise InputError(msg)
    counts = VariantCounts()
    settings = {"mismatch": mismatch, "shortest": model.shortest, "covered": model.covered}
    with effect_files(files, model.outputs, read_variant_header(variants)) as write:
        for batch in read_variants(variants, batch_size=_batch_size(model) if batch_size is None else batch_size):
            windows = cut_variant_windows(genome, batch, model.length, **settings)
            counts.add(windows.variants)
            effects = model.effects(windows, None if reverse is None else reverse(windows))
            write(Scored(windows.variants, windows.rows, effects))
        counts.check(variants, genome.contigs, model.shortest)
    if "counts" in files:
        write_table(counts.table(), files["counts"])
    return counts.table()


@contextmanager
def effect_files(files: Mapping[str, AnyPath], outputs: Sequence[str], header: Sequence[str]) -> Iterator[Write]:
    """Open the files of effects that are named, and give a function that writes a batch to all of them."""
    with ExitStack() as stack:
        writers: list[Write] = []
        if "table" in files:
            table_file = parquet_file if str(files["table"]).endswith(".parquet") else tsv_file
            writers.append(stack.enter_context(table_file(files["table"], outputs)))
        if "scores" in files:
            writers.append(stack.enter_context(hdf5_file(files["scores"], outputs)))
        if "bed" in files:
            writers.append(stack.enter_context(bed_file(files["bed"])))
        if "vcf" in files:
            writers.append(stack.enter_context(annotated_vcf(files["vcf"], outputs, header)))

        def write(scored: Scored) -> None:
            for writer in writers:
                writer(scored)

        yield write


def _batch_size(model: EffectModel) -> int:
    return max(1, min(BATCH_SIZE, _MOST_BASES // model.length, _MOST_PREDICTIONS // model.n_predicted))
