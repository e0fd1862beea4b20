"""Where a motif stands near the sites of a factor, on either strand, along whole chromosomes."""

import os
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.data.alphabet import DNA
from helpers.data.genome_store import GenomeStore
from helpers.data.regions import region_table
from helpers.data.storage import GenomeArray
from helpers.errors import InputError
from helpers.evaluation.mutation import motif_starts


def motif_cores(
    genome: GenomeStore | str | os.PathLike[str],
    chromosomes: Iterable[str],
    motif: str,
    *,
    sites: pd.DataFrame,
    distance: int,
) -> pd.DataFrame:
    """Find the occurrences of a motif that have a base within some distance of the centre of a site.

    Parameters
    ----------
    genome : GenomeStore or path
        Codes of letters, of `helpers.data.sequence.encode_fasta`.
    chromosomes : iterable of str
        Those to search.
    motif : str
        Of A, C, G, T.
    sites : pandas.DataFrame
        Region table. The centre of a site is the base ``(start + end - 1) // 2``.
    distance : int
        bp.

    Returns
    -------
    pandas.DataFrame
        Region table, sorted: chrom, start, end, strand of each occurrence; on '-' its reverse complement stands in the
        genome. One that is its own reverse complement is on '+'.

    Raises
    ------
    InputError
        When there is no such occurrence.

    Examples
    --------
    >>> from helpers.data.sequence import encode_letters
    >>> genome = GenomeArray.from_contigs({"c": encode_letters(b"TTACCCGAAAACGGGTAA")})
    >>> sites = region_table(["c"], [12], [13])
    >>> motif_cores(genome, ["c"], "TTACCCG", sites=sites, distance=1)[["start", "end", "strand"]].values.tolist()
    [[11, 18, '-']]
    """
    store = genome if isinstance(genome, GenomeStore) else GenomeArray.open(genome)
    tables = []
    for chrom in chromosomes:
        own = sites[sites["chrom"] == chrom]
        centers = np.sort(((own["start"] + own["end"] - 1) // 2).to_numpy())
        codes = store.gather(store.contig_ids([chrom]), np.zeros(1, dtype=np.int64), store.sizes[chrom], DNA.unknown)
        for strand, found in motif_starts(codes, motif).items():
            starts = np.flatnonzero(found[0])
            starts = starts[_near(starts, starts + len(motif) - 1, centers, distance)]
            tables.append(region_table([chrom] * len(starts), starts, starts + len(motif), strand=strand))
    cores = pd.concat(tables, ignore_index=True).sort_values(["chrom", "start", "strand"], ignore_index=True)
    if cores.empty:
        msg = f"motif.sequence: {motif!r} lies within {distance} bp of none of {len(sites)} sites. Change motif."
        raise InputError(msg)
    return cores


def _near(first: np.ndarray, last: np.ndarray, centers: np.ndarray, distance: int) -> np.ndarray:
    """Tell which stretches of bases have one within a distance of a centre; centres are sorted."""
    return np.searchsorted(centers, first - distance) < np.searchsorted(centers, last + distance, side="right")
