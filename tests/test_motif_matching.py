"""Motifs compared: the best alignment and its probability, against loops, exact enumeration and simulation."""

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from helpers.data.motifs import Motif
from helpers.errors import InputError
from helpers.evaluation.motif_matching import MATCH_COLUMNS, match_motifs

STEPS = 50  # scores are multiples of 0.02


def motif(name, probabilities):
    return Motif(name, "", np.asarray(probabilities, dtype=float), 20, np.full(4, 0.25))


def random_motif(name, length, rng):
    return motif(name, rng.dirichlet([0.4] * 4, length))


def turned(one, name="turned"):
    return motif(name, one.probabilities[::-1, ::-1])


def step(first, second):
    """Correlation in whole steps, by scipy."""
    if np.ptp(first) < 1e-9 or np.ptp(second) < 1e-9:
        return 0
    return round(round(pearsonr(first, second).statistic * STEPS, 6))


def count_scores(column, pool):
    """How many letter orders of columns of the database have each score with one column."""
    return Counter(step(column, other[list(order)]) for other in pool for order in itertools.permutations(range(4)))


def chance_of_at_least(score, counts, size):
    """Probability that a sum is as high, by adding column after column in whole numbers; `size` of each column."""
    sums = {0: 1}
    for column in counts:
        following = Counter()
        for (before, ways), (more, count) in itertools.product(sums.items(), column.items()):
            following[before + more] += ways * count
        sums = following
    return sum(ways for total, ways in sums.items() if total >= score) / size ** len(counts)


def slow_best(query, target, pool, min_overlap):
    """Best alignment by loops: (p of the two motifs, strand, offset, overlap, score)."""
    least = min(min_overlap, len(query), len(target))
    counts = [count_scores(column, pool) for column in query]
    tried = []
    for strand, other in (("+", target), ("-", target[::-1, ::-1])):
        for offset in range(-len(query), len(target) + 1):
            rows = [row for row in range(len(query)) if 0 <= row + offset < len(target)]
            if len(rows) < least:
                continue
            score = sum(step(query[row], other[row + offset]) for row in rows)
            p = chance_of_at_least(score, [counts[row] for row in rows], 24 * len(pool))
            tried.append((p, -score, strand != "+", offset, len(rows)))
    p, score, reverse, offset, overlap = min(tried)
    return 1 - (1 - p) ** len(tried), "-" if reverse else "+", offset, overlap, -score


@pytest.mark.parametrize(
    ("lengths", "min_overlap", "seed"), [((6, 6), 5, 1), ((4, 9), 5, 2), ((8, 5), 3, 3), ((1, 1), 5, 4), ((7, 2), 5, 5)]
)
def test_alignments_and_probabilities_are_those_of_loops(lengths, min_overlap, seed):
    rng = np.random.default_rng(seed)
    query, targets = random_motif("q", lengths[0], rng), [random_motif(f"t{n}", lengths[1], rng) for n in range(3)]
    pool = np.concatenate([target.probabilities for target in targets])
    table = match_motifs([query], targets, min_overlap=min_overlap).set_index("target")
    for target in targets:
        p, strand, offset, overlap, score = slow_best(query.probabilities, target.probabilities, pool, min_overlap)
        row = table.loc[target.name]
        assert (row["strand"], row["offset"], row["overlap"]) == (strand, offset, overlap)
        assert row["correlation"] == pytest.approx(score / STEPS / overlap)
        assert row["p"] == pytest.approx(p, rel=1e-9)


def test_small_probabilities_keep_their_digits():
    """Twelve certain bases: one order of letters in four at each, one alignment in 34; all pool columns alike."""
    rng = np.random.default_rng(0)
    certain = motif("certain", np.eye(4)[rng.integers(0, 4, 12)])
    row = match_motifs([certain], [certain]).iloc[0]
    alignments = 2 * (12 + 12 - 2 * 5 + 1)
    assert row["p"] == pytest.approx(alignments * 0.25**12, rel=1e-5)
    assert (row["strand"], row["offset"], row["overlap"], row["correlation"]) == ("+", 0, 12, 1)


def test_probabilities_are_right_for_motifs_drawn_from_the_null():
    """Targets of columns of the database with letters in any order: p is no smaller than it says, and not far off."""
    rng = np.random.default_rng(1)
    query = random_motif("q", 8, rng)
    base = rng.dirichlet([0.4] * 4, 9)
    p = []
    for _ in range(400):
        drawn = rng.permuted(base[rng.integers(0, len(base), 9)], axis=1)
        p.append(match_motifs([query], [motif("drawn", drawn)]).at[0, "p"])
    p = np.array(p)
    for level in (0.05, 0.1, 0.3):
        share, error = (p <= level).mean(), np.sqrt(level * (1 - level) / len(p))
        assert 0.5 * level < share < level + 3 * error, level


def test_one_span_has_the_probability_of_simulation():
    """A whole alignment of five columns: the sum of columns drawn one by one, 200,000 times."""
    rng = np.random.default_rng(2)
    query, target = random_motif("q", 5, rng), random_motif("t", 5, rng)
    row = match_motifs([query], [target]).iloc[0]
    drawn = np.zeros(200_000, dtype=int)
    for column in query.probabilities:
        counts = count_scores(column, target.probabilities)
        drawn += rng.choice(list(counts), len(drawn), p=np.array(list(counts.values())) / counts.total())
    share = (drawn >= round(row["correlation"] * STEPS * 5)).mean()
    assert row["p"] == pytest.approx(1 - (1 - share) ** 2, abs=4 * 2 * np.sqrt(share / len(drawn)))


def test_q_values_are_those_of_benjamini_and_hochberg_over_the_database():
    rng = np.random.default_rng(3)
    database = [random_motif(f"t{n}", 7, rng) for n in range(12)]
    table = match_motifs([database[4]], database, most=12)
    assert table["target"].iloc[0] == "t4"
    assert table["p"].is_monotonic_increasing
    expected, smallest = [], 1.0
    for rank in range(12, 0, -1):
        smallest = min(smallest, table["p"].iloc[rank - 1] * 12 / rank)
        expected.append(smallest)
    np.testing.assert_allclose(table["q"], expected[::-1])
    kept = match_motifs([database[4]], database, most=3)
    pd.testing.assert_frame_equal(kept, table.head(3))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 12), st.integers(0, 4), st.booleans())
def test_a_motif_is_found_in_a_longer_one_wherever_it_lies(seed, length, before, reverse):
    rng = np.random.default_rng(seed)
    core = random_motif("core", length, rng)
    long = motif(
        "long", np.concatenate([rng.dirichlet([9] * 4, before), core.probabilities, rng.dirichlet([9] * 4, 3)])
    )
    row = match_motifs([core], [turned(long) if reverse else long]).iloc[0]
    assert (row["strand"], row["offset"], row["overlap"]) == ("-" if reverse else "+", before, length)
    assert row["correlation"] == 1
    mirrored = match_motifs([turned(core)], [turned(long) if reverse else long]).iloc[0]
    assert mirrored["strand"] == ("+" if reverse else "-")
    assert mirrored["p"] == pytest.approx(row["p"])
    from_long = match_motifs([long], [core]).iloc[0]
    assert (from_long["offset"], from_long["correlation"]) == (-before, 1)


def test_equal_probabilities_are_like_nothing():
    flat = motif("flat", np.full((6, 4), 0.25))
    table = match_motifs([flat], [flat, motif("sharp", np.eye(4)[[0, 1, 2, 3, 0, 1]])])
    assert table[["correlation", "p", "q"]].to_numpy().tolist() == [[0, 1, 1]] * 2


def test_tables_have_their_columns_and_mistakes_are_named():
    sharp = motif("sharp", np.eye(4))
    assert list(match_motifs([sharp, sharp], [sharp]).columns) == list(MATCH_COLUMNS)
    assert match_motifs([], [sharp]).empty
    for wrong in ({"database": []}, {"min_overlap": 0}, {"most": 0}):
        with pytest.raises(InputError, match="database of one motif at least"):
            match_motifs([sharp], **{"database": [sharp], **wrong})
