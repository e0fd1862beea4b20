"""Do SNVs in the places that should matter have larger effects than the others? As area under the ROC curve."""

import numpy as np
import pandas as pd

from helpers.data.overlaps import overlaps_any
from helpers.errors import InputError
from helpers.evaluation.ranking import count_windows, roc_area
from helpers.evaluation.variant_effects import Effects

COLUMNS = ("output", "score", "n_inside", "n_outside", "auc")


def rank_variants(places: pd.DataFrame, effects: Effects, outputs: list[str], intervals: pd.DataFrame) -> pd.DataFrame:
    """Rank SNVs by the size of their effect, those inside intervals against the others.

    Parameters
    ----------
    places : pandas.DataFrame
        chrom, start, end, ref, alt, ...: a row for each allele, see `helpers.evaluation.variant_files.read_effects`.
        Others than SNVs are left out.
    effects : Effects
        Arrays of shape (alleles, outputs).
    outputs : list of str
    intervals : pandas.DataFrame
        Region table; strands do not matter.

    Returns
    -------
    pandas.DataFrame
        A row for each output and score: ``output``; ``score``, |difference| or |logit difference| (the latter where
        outputs are probabilities); ``n_inside`` and ``n_outside``, SNVs; ``auc``, the probability that an SNV inside
        has the larger effect than one outside, ties counted half, NaN where there are none of either.

    Raises
    ------
    InputError
        When intervals and SNVs have no contig in common.
    """
    snvs = ((places["ref"].str.len() == 1) & (places["alt"].str.len() == 1)).to_numpy(dtype=bool)
    places = places[snvs]
    if len(places) and len(intervals) and not set(places["chrom"]) & set(intervals["chrom"]):
        names = [next(iter(table["chrom"])) for table in (places, intervals)]
        msg = (
            f"The expected intervals and the variants have no contig in common, such as {names[1]} and {names[0]}. "
            "Use a track of the same assembly for expected."
        )
        raise InputError(msg)
    inside = overlaps_any(places, intervals)
    rows = []
    for number, output in enumerate(outputs):
        for score, values in (("|difference|", effects.difference), ("|logit difference|", effects.logit_difference)):
            sizes = np.abs(values[snvs, number])
            if np.isnan(sizes).any():
                continue
            auc = float(roc_area(count_windows(inside, sizes))[0])
            rows.append((output, score, int(inside.sum()), int((~inside).sum()), auc))
    return pd.DataFrame(rows, columns=list(COLUMNS))
