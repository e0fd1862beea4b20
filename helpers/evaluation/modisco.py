"""Patterns of attributions as motifs, found by TF-MoDISco, where its package is installed.

References
----------
Shrikumar et al., https://doi.org/10.48550/arXiv.1811.00416
"""

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from helpers.data.motifs import Motif
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions
from helpers.evaluation.attribution_kmers import AnyPath, sequence_codes

_SEQLETS = 20000  # at most, of each sign
_RUNS = 2  # of the clustering, of which the best counts


def attribution_patterns(attributions: Attributions, stores: Mapping[str, AnyPath]) -> list[Motif]:
    """Find the patterns of each output in each sequence that a model reads; see `find_patterns`.

    Parameters
    ----------
    attributions : Attributions
    stores : mapping of str to path
        Name of the input → the encoded genome that it reads.
    """
    return [
        motif
        for name, codes in sequence_codes(attributions, stores).items()
        for output in attributions.outputs
        for motif in find_patterns(codes, attributions.values[output][name], name=f"{output}_{name}")
    ]


def find_patterns(codes: np.ndarray, attributions: np.ndarray, *, name: str = "pattern") -> list[Motif]:
    """Group the stretches of high attribution, and turn each group into a motif.

    Parameters
    ----------
    codes : numpy.ndarray of uint8, shape (windows, bases)
        0 to 3 for A, C, G, T; 4 for unknown.
    attributions : numpy.ndarray of float, shape (windows, bases, 4)
        What each base adds, that of letters that do not stand there included, where a method gives it; else 0.
    name : str
        Patterns are named so, with ``_positive0``, ``_negative0`` and so on, the largest of a sign first.

    Returns
    -------
    list of Motif
        Those that raise the output, then those that lower it; trimmed to where they inform. Without as many stretches
        as the package needs (about a hundred), there are none.

    Raises
    ------
    InputError
        When the package is missing, or the arrays do not belong together.

    Notes
    -----
    Windows should be much longer than the 21 bp in which attributions are summed. The package compiles its loops when
    it is first used, about half a minute.
    """
    if codes.ndim != 2 or attributions.shape != (*codes.shape, 4):
        msg = f"Patterns need an attribution of each base. Received: codes of shape {codes.shape}, attributions of "
        msg += f"shape {attributions.shape}. Give (windows, bases) and (windows, bases, 4)."
        raise InputError(msg)
    one_hot = (codes[:, :, None] == np.arange(4)).astype(np.float32)
    found = _load().TFMoDISco(
        one_hot=one_hot,
        hypothetical_contribs=np.ascontiguousarray(attributions, dtype=np.float32),
        max_seqlets_per_metacluster=_SEQLETS,
        n_leiden_runs=_RUNS,
    )
    background = np.full(4, 0.25)
    motifs = []
    for sign, patterns in zip(("positive", "negative"), found, strict=True):
        for number, pattern in enumerate(patterns or []):
            chances = _trim(np.asarray(pattern.sequence, dtype=float))
            motifs.append(Motif(f"{name}_{sign}{number}", "", chances, len(pattern.seqlets), background))
    return motifs


def _load() -> ModuleType:
    try:
        from modiscolite import tfmodisco
    except ImportError as error:
        msg = f"motifs: modisco: true needs a package that is not here ({error}). Run pip install '.[modisco]'."
        raise InputError(msg) from error
    return tfmodisco


def _trim(chances: np.ndarray, least: float = 0.5) -> np.ndarray:
    """Cut off the ends whose positions tell less than `least` bits; keep all where none tells more."""
    sums = chances.sum(axis=1, keepdims=True)
    chances = np.divide(chances, sums, out=np.full_like(chances, 0.25), where=sums > 0)
    telling = np.flatnonzero(Motif("", "", chances, 1, np.full(4, 0.25)).information() >= least)
    return chances[telling[0] : telling[-1] + 1] if len(telling) else chances
