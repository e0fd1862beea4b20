"""Which bases of a motif does a model look at? Mutate each one alone, and as many single bases elsewhere, and compare.

Changes are measured before the last activation: of a probability near 1 a sigmoid hides how much a base counts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.evaluation.mutation import SiteWindows, find_motif, mean_predictor, motif_starts, scan_sites

COLUMNS = ("variant", "scale", "chrom", "start", "strand", "position", "base", "delta", "elsewhere")
_OTHER_BASES = 3


def cores_in_windows(windows: SiteWindows, motif: str, *, distance: int) -> pd.DataFrame:
    """Find the occurrences of a motif near sites, each once.

    Parameters
    ----------
    windows : SiteWindows
    motif : str
        Of A, C, G, T.
    distance : int
        bp between a site's centre and the nearest base of the motif, at most.

    Returns
    -------
    pandas.DataFrame
        `window` (row), `offset` (leftmost base in the window), `chrom`, `start` (of the genome) and `strand`, in the
        order of the windows. Of several sites near one occurrence, the nearest one's window counts.

    Raises
    ------
    InputError
        When no site has one.
    """
    tables = []
    for strand, found in motif_starts(windows.codes, motif).items():
        window, offset = np.nonzero(found)
        to_first, to_last = (offset + base - windows.centers[window] for base in (0, len(motif) - 1))
        gap = np.maximum(to_first, -to_last).clip(0)
        tables.append(pd.DataFrame({"window": window, "offset": offset, "strand": strand, "gap": gap}))
    cores = pd.concat(tables, ignore_index=True)
    cores = cores[cores["gap"] <= distance].reset_index(drop=True)
    if cores.empty:
        message = f"motif.sequence: {motif!r} lies within {distance} bp of none of {len(windows.codes)} test sites."
        message += " Change motif."
        raise InputError(message)
    site = windows.sites.iloc[cores["window"]].reset_index(drop=True)
    first = (site["start"] + site["end"] - 1) // 2 - windows.centers[cores["window"]]
    cores = cores.assign(chrom=site["chrom"], start=first + cores["offset"]).sort_values("gap", kind="stable")
    cores = cores.drop_duplicates(["chrom", "start", "strand"]).sort_values(["window", "offset", "strand"])
    return cores.reset_index(drop=True)[["window", "offset", "chrom", "start", "strand"]]


def mutate_bases(
    predict: Callable[[np.ndarray], np.ndarray],
    codes: np.ndarray,
    motif: str,
    *,
    offsets: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Mutate each base of one occurrence of a motif alone, and as many single bases of the window outside the motif.

    Parameters
    ----------
    predict : callable
        From codes (windows, bases) to predictions (windows,).
    codes : numpy.ndarray of uint8, shape (cores, bases)
        A window for each occurrence; left unchanged.
    motif : str
        Of A, C, G, T.
    offsets : numpy.ndarray of int, shape (cores,)
        Leftmost base of the occurrence.
    rng : numpy.random.Generator
        Draws the bases elsewhere: known ones that belong to no occurrence of the motif.

    Returns
    -------
    motif, elsewhere : numpy.ndarray of float, shape (cores, len(motif))
        Prediction after the mutation less before, mean over the three other bases; from left to right in the window,
        and as drawn.

    Raises
    ------
    InputError
        When a window has fewer bases outside the motif than the motif has.
    """
    intact, length = predict(codes), len(motif)
    elsewhere = _draw_elsewhere((codes < 4) & ~find_motif(codes, motif), length, rng)
    inside = np.asarray(offsets)[:, None] + np.arange(length)
    changes = [_change(predict, codes, places, intact) for places in (*inside.T, *elsewhere.T)]
    return np.stack(changes[:length], axis=1), np.stack(changes[length:], axis=1)


def _draw_elsewhere(allowed: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` allowed positions in each row, none twice."""
    if allowed.sum(axis=1).min() < count:
        message = "motif.sequence: it fills a window so that no place is left elsewhere. Use a longer one."
        raise InputError(message)
    return np.stack([rng.choice(np.flatnonzero(row), count, replace=False) for row in allowed])


def _change(predict: Callable, codes: np.ndarray, places: np.ndarray, intact: np.ndarray) -> np.ndarray:
    """Change one base of each window to each of the other three; return the mean change of the prediction."""
    rows, mutated = np.arange(len(codes)), np.tile(codes, (_OTHER_BASES, 1, 1))
    for step in range(_OTHER_BASES):
        mutated[step, rows, places] = (codes[rows, places] + step + 1) % 4
    predicted = predict(mutated.reshape(-1, codes.shape[1]))
    return predicted.reshape(_OTHER_BASES, -1).mean(axis=0, dtype=np.float64) - intact


def scan_bases(
    models: Sequence[Any], order: int, windows: SiteWindows, motif: Mapping[str, Any], *, seed: int
) -> pd.DataFrame:
    """Mutate single bases of the motif near sites with one variant of a model, predictions averaged over replicates.

    Parameters
    ----------
    models, order, windows, motif
        As `helpers.evaluation.mutation.scan_sites` takes them.
    seed : int
        Of the bases elsewhere.

    Returns
    -------
    pandas.DataFrame
        Of `COLUMNS` without `variant`: a row for each occurrence and base of the motif. `scale` is 'log-odds' where the
        last activation is a sigmoid, else 'value'; `start` is the occurrence's, `position` in the motif counts from 1
        on its own strand; `delta` is the change by this base, `elsewhere` the mean change by the bases elsewhere.
    """
    from helpers.evaluation.attribution_target import before_sigmoids  # loads Keras

    cores = cores_in_windows(windows, motif["sequence"], distance=motif["distance"])
    codes, offsets = windows.codes[cores["window"]], cores["offset"].to_numpy()
    linear = [before_sigmoids(model) for model in models]
    predict = mean_predictor([model for model, _ in linear], order)
    rng = np.random.default_rng(seed)
    changes = mutate_bases(predict, codes, motif["sequence"], offsets=offsets, rng=rng)
    scale = "log-odds" if linear[0][1][0] else "value"
    return _as_rows(cores, motif["sequence"], *changes).assign(scale=scale)


def scan_variants(
    runs: Sequence[Mapping[str, Any]],
    paths: Sequence[str],
    windows: SiteWindows,
    motif: Mapping[str, Any],
    *,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mutate the motif, whole and base by base, with every variant of a model.

    Parameters
    ----------
    runs : sequence of mapping
        ``variant`` and ``values`` (with ``order`` or ``k``) of each run.
    paths : sequence of path
        Its model.
    windows, motif
        As `helpers.evaluation.mutation.scan_sites` takes them.
    seed : int
        The same for all variants.

    Returns
    -------
    sites : pandas.DataFrame
        variant, and the columns of `helpers.evaluation.mutation.scan_sites`.
    bases : pandas.DataFrame
        Of `COLUMNS`, see `scan_bases`.
    """
    from helpers.model.training import load_model

    replicates: dict[str, list[str]] = {}
    for run, path in zip(runs, paths, strict=True):
        replicates.setdefault(run["variant"], []).append(path)
    values = {run["variant"]: run["values"] for run in runs}
    sites, bases = [], []
    for variant, own in replicates.items():
        order = values[variant].get("order", values[variant].get("k", 1))
        models = [load_model(path) for path in own]
        sites.append(scan_sites(models, order, windows, motif, seed=seed).assign(variant=variant))
        bases.append(scan_bases(models, order, windows, motif, seed=seed).assign(variant=variant))
    whole = pd.concat(sites, ignore_index=True)
    whole.insert(0, "variant", whole.pop("variant"))
    return whole, pd.concat(bases, ignore_index=True)[list(COLUMNS)]


def _as_rows(cores: pd.DataFrame, motif: str, changes: np.ndarray, elsewhere: np.ndarray) -> pd.DataFrame:
    """Put changes of one occurrence below one another, read along the motif."""
    reverse = (cores["strand"] == "-").to_numpy()
    along = np.where(reverse[:, None], changes[:, ::-1], changes)
    rows = cores.loc[cores.index.repeat(len(motif)), ["chrom", "start", "strand"]].reset_index(drop=True)
    rows["position"] = np.tile(np.arange(1, len(motif) + 1), len(cores))
    rows["base"] = list(motif) * len(cores)
    return rows.assign(delta=along.ravel(), elsewhere=elsewhere.mean(axis=1).repeat(len(motif)))


def summarize_bases(scans: pd.DataFrame, *, resamples: int = 1000, seed: int) -> pd.DataFrame:
    """Summarize how the prediction changes with each base of the motif, against as many bases of the same windows.

    Parameters
    ----------
    scans : pandas.DataFrame
        Of `COLUMNS`, as `scan_variants` returns them.
    resamples : int
        Bootstrap resamples of occurrences, the same for all bases.
    seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each variant and position in the motif: variant, scale, position (from 1), base, n (occurrences),
        delta, elsewhere and difference = delta - elsewhere (means), ci_low and ci_high (95 % bootstrap interval of
        the difference), and share, of the occurrences with a difference below 0. Below 0: without the base the
        prediction falls further than without a base elsewhere.
    """
    rows = []
    for (variant, scale, position, base), part in scans.groupby(["variant", "scale", "position", "base"], sort=False):
        difference = (part["delta"] - part["elsewhere"]).to_numpy()
        drawn = np.random.default_rng(seed).integers(len(part), size=(resamples, len(part)))
        low, high = np.percentile(difference[drawn].mean(axis=1), [2.5, 97.5])
        row = {"variant": variant, "scale": scale, "position": position, "base": base, "n": len(part)}
        row |= {"delta": part["delta"].mean(), "elsewhere": part["elsewhere"].mean(), "difference": difference.mean()}
        rows.append(row | {"ci_low": low, "ci_high": high, "share": (difference < 0).mean()})
    return pd.DataFrame(rows)
