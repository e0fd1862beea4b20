"""Which k-mers carry the attributions: the mean attribution of each, and how far it lies from that of all places."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers.data.motifs import LETTERS, Motif
from helpers.data.sequence import Bioseq
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, read_attributions

AnyPath = str | os.PathLike[str]
KMER_COLUMNS = ("kmer", "reverse_complement", "n", "frequency", "mean", "z")
TABLE_COLUMNS = ("output", "input", *KMER_COLUMNS)
LENGTH = 7  # bp
_LONGEST = 12  # 4**12 sums are 134 MB


def weigh_kmers(codes: np.ndarray, attributions: np.ndarray, k: int = LENGTH) -> pd.DataFrame:
    """Average the attribution of each k-mer, which counts together with its reverse complement.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (windows, bases)
        0 to 3 for A, C, G, T; 4 for unknown.
    attributions : numpy.ndarray of float, shape (windows, bases)
        Of the base that stands there.
    k : int, default 7
        Length of the k-mers in bp, 1 to 12.

    Returns
    -------
    pandas.DataFrame
        A row for each k-mer that occurs, the highest z first: ``kmer``, the first of the two in the alphabet;
        ``reverse_complement``; ``n`` places; their share of all places, ``frequency``; ``mean`` of the sum of the
        attributions of its bases; ``z``, that mean less the mean of all places, in standard errors: the standard
        deviation over all places, divided by the root of n; 0 where all places have the same sum.
        Places with an unknown base are left out. Where windows overlap, a place counts once in each.

    Raises
    ------
    InputError
        For another length, or arrays that do not belong together.

    Examples
    --------
    >>> codes = np.array([[0, 1, 3, 2]], dtype=np.uint8)  # ACTG: AC, CT = AG, TG = CA
    >>> weigh_kmers(codes, np.array([[1.0, 2.0, 3.0, 4.0]]), 2)[["kmer", "n", "mean"]].values.tolist()
    [['CA', 1, 7.0], ['AG', 1, 5.0], ['AC', 1, 3.0]]
    """
    if not 1 <= k <= _LONGEST or codes.ndim != 2 or codes.shape != attributions.shape or codes.shape[1] < k:
        msg = f"k-mers of 1 to {_LONGEST} bp are weighed in windows at least as long, with one attribution a base. "
        msg += f"Received: k={k}, codes of shape {codes.shape}, attributions of {attributions.shape}. Correct them."
        raise InputError(msg)
    kmers, known = _canonical(codes, k)
    summed = np.lib.stride_tricks.sliding_window_view(attributions, k, axis=1).sum(axis=2, dtype=float)
    kmers, sums = kmers[known], summed[known]
    counts = np.bincount(kmers, minlength=1)
    totals = np.bincount(kmers, weights=sums, minlength=1)
    there = np.flatnonzero(counts)
    n, means = counts[there], totals[there] / counts[there]
    spread = sums.std() if len(sums) else 0.0
    excess = (means - sums.mean()) * np.sqrt(n) if len(sums) else means
    columns = {"kmer": [_letters(kmer, k) for kmer in there]}
    columns["reverse_complement"] = [_letters(kmer, k) for kmer in _turn(there, k)]
    columns |= {"n": n, "frequency": n / max(len(sums), 1), "mean": means}
    columns["z"] = excess / spread if spread > 0 else np.zeros(len(n))
    return pd.DataFrame(columns).sort_values(["z", "kmer"], ascending=[False, True], ignore_index=True)


def _canonical(codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the number of the k-mer or of its reverse complement, the lower, and where all of its bases are known."""
    places = codes.shape[1] - k + 1
    forward, reverse = np.zeros((2, len(codes), places), dtype=np.int64)
    known = np.ones((len(codes), places), dtype=bool)
    for place in range(k):
        letters = codes[:, place : place + places].astype(np.int64)
        forward, reverse = forward * 4 + letters, reverse + (3 - letters) * 4**place
        known &= letters < 4
    return np.minimum(forward, reverse), known


def _turn(kmers: np.ndarray, k: int) -> np.ndarray:
    turned = np.zeros_like(kmers)
    for place in range(k):
        turned = turned * 4 + 3 - kmers // 4**place % 4
    return turned


def _letters(kmer: int, k: int) -> str:
    return "".join(LETTERS[kmer // 4**place % 4] for place in range(k - 1, -1, -1))


def weigh_attributions(attributions: Attributions, stores: Mapping[str, AnyPath], k: int = LENGTH) -> pd.DataFrame:
    """Weigh the k-mers of each sequence that a model reads, for each output.

    Parameters
    ----------
    attributions : Attributions
        Of a base, those of its four letters are added.
    stores : mapping of str to path
        Name of the input → the encoded genome that it reads.
    k : int, default 7
        bp.

    Returns
    -------
    pandas.DataFrame
        ``output``, ``input``, and the columns of `weigh_kmers`.
    """
    tables = []
    for name, codes in sequence_codes(attributions, stores).items():
        for output in attributions.outputs:
            weighed = weigh_kmers(codes, attributions.values[output][name].sum(axis=2), k)
            tables.append(weighed.assign(output=output, input=name)[list(TABLE_COLUMNS)])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(TABLE_COLUMNS))


def weigh_file(path: AnyPath | None, readings: Mapping[str, Mapping[str, Any]], windows: int) -> pd.DataFrame:
    """Weigh the k-mers of a file of attributions; without one, the table has no rows.

    Parameters
    ----------
    path : path, or None (or empty)
        See `helpers.evaluation.attribution_files`.
    readings : mapping
        See `genomes_of`.
    windows : int
        So many of the first windows count: those with the highest predictions, not those that a figure draws.
    """
    if not path:
        return pd.DataFrame(columns=list(TABLE_COLUMNS))
    return weigh_attributions(read_attributions(path).first(windows), genomes_of(readings))


def genomes_of(readings: Mapping[str, Mapping[str, Any]]) -> dict[str, AnyPath]:
    """Give the encoded genome that each sequence is read from.

    Parameters
    ----------
    readings : mapping
        Name of the input → how it is read: ``kind`` and ``stores``, see `helpers.data.inputs.open_split`.
    """
    return {name: reading["stores"][0] for name, reading in readings.items() if reading["kind"] == "sequence"}


def sequence_codes(attributions: Attributions, stores: Mapping[str, AnyPath]) -> dict[str, np.ndarray]:
    """Read the bases of attributed windows, with their flanks, on the plus strand.

    Parameters
    ----------
    attributions : Attributions
    stores : mapping of str to path
        See `weigh_attributions`.

    Returns
    -------
    dict of str to numpy.ndarray of uint8, shape (windows, bases)
        By the names of the inputs that are sequences; 4 for bases beyond the ends of contigs.
    """
    windows = attributions.windows.assign(strand=".")
    length = int((windows["end"] - windows["start"]).max())  # shorter windows are followed by unknown bases
    return {
        name: Bioseq.create_from_refgenome(
            name, stores[name], roi=windows, binsize=length, flank=attributions.layouts[name].flank
        ).codes(slice(None))
        for name in attributions.sequences
    }


def kmer_motifs(table: pd.DataFrame, most: int = 10) -> list[Motif]:
    """Turn the k-mers that carry most into motifs, named ``kmer_`` and their letters, to match them with others.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `weigh_attributions`.
    most : int, default 10
        k-mers for each output and input.
    """
    best = table.groupby(["output", "input"], sort=False).head(most)["kmer"].drop_duplicates()
    return [
        Motif(f"kmer_{kmer}", "", np.eye(4)[[LETTERS.index(base) for base in kmer]], 1, np.full(4, 0.25))
        for kmer in best
    ]
