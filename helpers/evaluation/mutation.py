"""Does a model look at a motif? Mutate the motif where it stands near sites, and as many bases elsewhere, and compare.

The answer is a paired difference: the same windows with and without the motif, against the same windows with as many
other bases changed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.data.sequence import Bioseq, encode_letters, kmer_codes, reverse_complement_codes
from helpers.errors import InputError

# A→C, C→A, G→T, T→G: every base changes, and neither GC skew nor a palindrome is kept; unknown stays unknown.
TRANSVERSION = np.array([1, 0, 3, 2, 4], dtype=np.uint8)


class MutationScan(NamedTuple):
    """Predictions of windows as they are and mutated, one row for each window that holds the motif.

    Attributes
    ----------
    window : numpy.ndarray of int, shape (sites,)
        Row of the window among those given.
    intact, motif, elsewhere : numpy.ndarray of float, shape (sites,)
        Predictions: as it is; every occurrence of the motif mutated; as many bases elsewhere mutated, mean over draws.
    """

    window: np.ndarray
    intact: np.ndarray
    motif: np.ndarray
    elsewhere: np.ndarray


def find_motif(codes: np.ndarray, motif: str) -> np.ndarray:
    """Mark the bases that belong to a motif on either strand.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (windows, bases)
        0-3 for A, C, G, T; 4 for unknown, which never matches.
    motif : str
        Of A, C, G, T.

    Returns
    -------
    numpy.ndarray of bool, shape (windows, bases)

    Examples
    --------
    >>> find_motif(encode_letters(b"ATTACGTAAC")[None], "TTAC").astype(int)
    array([[0, 1, 1, 1, 1, 1, 1, 1, 1, 0]])
    """
    marked = np.zeros(codes.shape, dtype=bool)
    for found in motif_starts(codes, motif).values():
        for shift in range(len(motif)):
            marked[:, shift : shift + found.shape[1]] |= found
    return marked


def motif_starts(codes: np.ndarray, motif: str) -> dict[str, np.ndarray]:
    """Mark where a motif begins, on each strand.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (windows, bases)
        0-3 for A, C, G, T; 4 for unknown, which never matches.
    motif : str
        Of A, C, G, T.

    Returns
    -------
    dict of str to numpy.ndarray of bool, shape (windows, bases - len(motif) + 1)
        For '+' and '-', the leftmost base of each occurrence; a motif that is its own reverse complement has no '-'.

    Examples
    --------
    >>> found = motif_starts(encode_letters(b"ATTACGTAAC")[None], "TTAC")
    >>> {strand: int(starts.argmax()) for strand, starts in found.items()}
    {'+': 1, '-': 5}
    """
    forward = encode_letters(motif.encode())
    reverse = reverse_complement_codes(forward[None], 1)[0]
    patterns = {"+": forward} if (forward == reverse).all() else {"+": forward, "-": reverse}
    return {strand: _starts(codes, pattern) for strand, pattern in patterns.items()}


def _starts(codes: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    places = max(codes.shape[1] - len(pattern) + 1, 0)
    found = np.ones((len(codes), places), dtype=bool)
    for shift, letter in enumerate(pattern):  # one byte a base, also of a whole chromosome
        found &= codes[:, shift : shift + places] == letter
    return found


def mutate_motif(
    predict: Callable[[np.ndarray], np.ndarray],
    codes: np.ndarray,
    motif: str,
    *,
    centers: np.ndarray,
    distance: int,
    draws: int = 10,
    rng: np.random.Generator,
) -> MutationScan:
    """Compare predictions for windows with the motif intact, mutated, and with as many bases elsewhere mutated.

    Parameters
    ----------
    predict : callable
        From codes (windows, bases) to predictions (windows,).
    codes : numpy.ndarray of uint8, shape (windows, bases)
        Base codes; left unchanged.
    motif : str
        Of A, C, G, T.
    centers : numpy.ndarray of int, shape (windows,)
        Position of the site in each window. Windows without the motif within `distance` bp of it are left out.
    distance : int
        bp between the site and the nearest base of the motif.
    draws : int
        Random placements of the mutation elsewhere; their predictions are averaged.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        When no window holds the motif near its site.
    """
    marked = find_motif(codes, motif)
    near = np.abs(np.arange(codes.shape[1]) - np.asarray(centers)[:, None]) <= distance
    window = np.flatnonzero((marked & near).any(axis=1))
    if len(window) == 0:
        message = (
            f"motif.sequence: {motif!r} lies within {distance} bp of none of {len(codes)} test sites. Change motif."
        )
        raise InputError(message)
    intact, marked = codes[window], marked[window]
    elsewhere = [predict(_mutate(intact, _place_elsewhere(marked, len(motif), rng))) for _ in range(draws)]
    return MutationScan(window, predict(intact), predict(_mutate(intact, marked)), np.mean(elsewhere, axis=0))


def _mutate(codes: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.where(where, TRANSVERSION[codes], codes)


def _place_elsewhere(marked: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Mark as many bases as `marked` does in each row, in stretches of the motif's length off the marked ones."""
    placed = np.zeros_like(marked)
    for row, taken in enumerate(marked):
        left = int(taken.sum())
        while left:
            span = min(length, left)
            blocked = np.lib.stride_tricks.sliding_window_view(taken | placed[row], span).any(axis=1)
            if blocked.all():
                message = "motif.sequence: it fills a window so that no place is left elsewhere. Use a longer one."
                raise InputError(message)
            start = rng.choice(np.flatnonzero(~blocked))
            placed[row, start : start + span] = True
            left -= span
    return placed


def summarize_mutations(scans: pd.DataFrame, *, resamples: int = 1000, seed: int) -> pd.DataFrame:
    """Summarize the change of the prediction by what was mutated.

    Parameters
    ----------
    scans : pandas.DataFrame
        One row for each variant and site: ``variant``, ``intact``, ``motif``, ``elsewhere``.
    resamples : int
        Bootstrap resamples of sites.
    seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each variant and mutated part (``motif``, ``elsewhere``, ``motif - elsewhere``): n sites, the mean
        change of the prediction, and its 95 % bootstrap interval.
    """
    rows = []
    for variant, part in scans.groupby("variant", sort=False):
        changes = {name: (part[name] - part["intact"]).to_numpy() for name in ("motif", "elsewhere")}
        changes["motif - elsewhere"] = changes["motif"] - changes["elsewhere"]
        drawn = np.random.default_rng(seed).integers(len(part), size=(resamples, len(part)))
        for mutated, change in changes.items():
            low, high = np.percentile(change[drawn].mean(axis=1), [2.5, 97.5])
            row = {"variant": variant, "mutated": mutated, "n": len(part), "intact": part["intact"].mean()}
            rows.append(row | {"delta": change.mean(), "ci_low": low, "ci_high": high})
    return pd.DataFrame(rows)


class SiteWindows(NamedTuple):
    """Windows around sites, cut as a model saw them in training.

    Attributes
    ----------
    sites : pandas.DataFrame
        Region table of the sites.
    codes : numpy.ndarray of uint8, shape (sites, bases)
        Base codes of the bin that holds the site's centre, with its flanks.
    centers : numpy.ndarray of int, shape (sites,)
        Position of the site's centre in the window.
    """

    sites: pd.DataFrame
    codes: np.ndarray
    centers: np.ndarray


def site_windows(sites: pd.DataFrame, genome: str, *, binsize: int, flank: int) -> SiteWindows:
    """Cut the window around each site's centre out of a stored genome, on the grid of the bin size.

    Parameters
    ----------
    sites : pandas.DataFrame
        Region table.
    genome : path
        Of `helpers.data.sequence.encode_fasta`.
    binsize, flank : int
        bp.
    """
    middle = ((sites["start"] + sites["end"] - 1) // 2).to_numpy()
    starts = middle // binsize * binsize
    bins = pd.DataFrame({"chrom": sites["chrom"].to_numpy(), "start": starts, "end": starts + binsize})
    codes = Bioseq.create_from_refgenome("sites", genome, roi=bins, binsize=binsize, flank=flank).codes(slice(None))
    return SiteWindows(sites.reset_index(drop=True), codes, middle - starts + flank)


def scan_sites(
    models: Sequence[Any], order: int, windows: SiteWindows, motif: Mapping[str, Any], *, seed: int
) -> pd.DataFrame:
    """Scan the sites with one variant of a model, predictions averaged over its replicates.

    Parameters
    ----------
    models : sequence of keras.Model
        Replicates, whose first outputs count.
    order : int
        Length of the k-mers that they read.
    windows : SiteWindows
    motif : mapping
        ``sequence`` and ``distance`` (bp).
    seed : int
        Of the placements elsewhere.

    Returns
    -------
    pandas.DataFrame
        chrom, start, end, intact, motif, elsewhere: a row for each site that holds the motif.
    """
    scan = mutate_motif(
        mean_predictor(models, order),
        windows.codes,
        motif["sequence"],
        centers=windows.centers,
        distance=motif["distance"],
        rng=np.random.default_rng(seed),
    )
    sites = windows.sites.loc[scan.window, ["chrom", "start", "end"]].reset_index(drop=True)
    return sites.assign(intact=scan.intact, motif=scan.motif, elsewhere=scan.elsewhere)


def mean_predictor(models: Sequence[Any], order: int) -> Callable[[np.ndarray], np.ndarray]:
    """Give a function from base codes (windows, bases) to the mean of some Keras models' first outputs (windows,)."""
    from helpers.model.training import predict as predict_windows

    def predict(codes: np.ndarray) -> np.ndarray:
        kmers = kmer_codes(codes, order)
        return np.mean([predict_windows(model, kmers)[:, 0] for model in models], axis=0)

    return predict
