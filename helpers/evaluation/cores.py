"""Where a motif stands near the sites of a factor, on either strand, along whole chromosomes."""

import os
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.data.genome_store import GenomeStore
from helpers.data.regions import region_table
from helpers.data.sequence import encode_letters, reverse_complement_codes
from helpers.data.storage import GenomeArray
from helpers.errors import InputError


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
    >>> genome = GenomeArray.from_contigs({"c": encode_letters(b"TTACCCGAAAACGGGTAA")})
    >>> sites = region_table(["c"], [12], [13])
    >>> motif_cores(genome, ["c"], "TTACCCG", sites=sites, distance=1)[["start", "end", "strand"]].values.tolist()
    [[11, 18, '-']]
    """
    store = genome if isinstance(genome, GenomeStore) else GenomeArray.open(genome)
    forward = encode_letters(motif.encode())
    patterns = {"+": forward, "-": reverse_complement_codes(forward[None], 1)[0]}
    if (patterns["+"] == patterns["-"]).all():
        del patterns["-"]
    tables = []
    for chrom in chromosomes:
        own = sites[sites["chrom"] == chrom]
        centers = np.sort(((own["start"] + own["end"] - 1) // 2).to_numpy())
        codes = store.gather(store.contig_ids([chrom]), np.zeros(1, dtype=np.int64), store.sizes[chrom], 4)[0]
        for strand, pattern in patterns.items():
            starts = _occurrences(codes, pattern)
            starts = starts[_near(starts, starts + len(pattern) - 1, centers, distance)]
            tables.append(region_table([chrom] * len(starts), starts, starts + len(pattern), strand=strand))
    cores = pd.concat(tables, ignore_index=True).sort_values(["chrom", "start", "strand"], ignore_index=True)
    if cores.empty:
        msg = f"motif.sequence: {motif!r} lies within {distance} bp of none of {len(sites)} sites. Change motif."
        raise InputError(msg)
    return cores


def _occurrences(codes: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Return where a pattern begins."""
    places = len(codes) - len(pattern) + 1
    found = np.ones(max(places, 0), dtype=bool)
    for shift, letter in enumerate(pattern):
        found &= codes[shift : shift + len(found)] == letter
    return np.flatnonzero(found)


def _near(first: np.ndarray, last: np.ndarray, centers: np.ndarray, distance: int) -> np.ndarray:
    """Tell which stretches of bases have one within a distance of a centre; centres are sorted."""
    return np.searchsorted(centers, first - distance) < np.searchsorted(centers, last + distance, side="right")
