"""From motifs and chromatin to expression, and the two readings of chromatin: what `PromoterSimulation` says, drawn."""

import numpy as np
import pandas as pd

from helpers.sources.promoter_genes import promoter_zones
from helpers.sources.promoter_motifs import EFFECTS
from helpers.sources.promoter_simulation import PromoterSimulation


def draw_world(
    genes: pd.DataFrame, motifs: pd.DataFrame, parameters: PromoterSimulation, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw what genes do.

    Parameters
    ----------
    genes : pandas.DataFrame
        As `lay_out_genes` returns them.
    motifs : pandas.DataFrame
        As `find_motifs` returns them; a motif acts on each gene within whose reach it lies wholly.
    parameters : PromoterSimulation
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        `genes` with the number of motifs of each kind; `sequence` and `chromatin` (standard deviation 1; the genes of a
        slot share their chromatin), `dnase` and `h3k4me3` (chromatin with noise), and `expression`, whose mean is 1.
    """
    zones = promoter_zones(genes, parameters.motif_reach)
    counts = {kind: _count_within(motifs[motifs["kind"] == kind], *zones) for kind in EFFECTS}
    sequence = _standardize(sum(effect * counts[kind] for kind, effect in EFFECTS.items()))
    slots = genes["slot"].to_numpy()
    in_slot = np.bincount(slots, sequence) / np.bincount(slots)
    share = parameters.shared
    chromatin = share * in_slot + np.sqrt(1 - share**2) * rng.normal(size=len(in_slot))
    readings = {
        name: chromatin + rng.normal(0, noise, len(chromatin))
        for name, noise in (("dnase", parameters.dnase_noise), ("h3k4me3", parameters.h3k4me3_noise))
    }
    logarithm = parameters.chromatin_effect * chromatin[slots] + parameters.sequence_effect * sequence
    expression = np.exp(logarithm + rng.normal(0, parameters.expression_noise, len(genes)))
    readings = {name: reading[slots] for name, reading in readings.items()}
    return genes.assign(
        **counts, sequence=sequence, chromatin=chromatin[slots], **readings, expression=expression / expression.mean()
    )


def _count_within(motifs: pd.DataFrame, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Count the motifs that lie wholly in each zone."""
    first = np.searchsorted(motifs["start"].to_numpy(), starts, side="left")
    after = np.searchsorted(motifs["end"].to_numpy(), ends, side="right")
    return np.maximum(after - first, 0)


def _standardize(values: np.ndarray) -> np.ndarray:
    """Subtract the mean and divide by the standard deviation, if there is any."""
    return (values - values.mean()) / (values.std() or 1.0)
