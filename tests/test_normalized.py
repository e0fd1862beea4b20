"""Coverage normalized as a whole: tracks and values of windows, each condition by itself."""

import numpy as np
import pandas as pd
import pytest

from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.normalization import load_normalizer, save_normalizer
from helpers.data.normalized import normalize
from helpers.data.normalizers import TPM, LogTransform, RegionLengthNormalization, ZScore
from helpers.data.percentiles import PercentileTrimming
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

WINDOWS = pd.DataFrame({"chrom": ["chr1"] * 4 + ["chr2"] * 2, "start": [0, 20, 40, 60, 0, 20]})
WINDOWS["end"] = WINDOWS["start"] + 20
TRAIN = WINDOWS[WINDOWS["chrom"] == "chr1"]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    return [
        GenomeArray.from_contigs(
            {"chr1": rng.poisson(depth, (9, 2)), "chr2": rng.poisson(depth, (5, 2))}, {"resolution": 10}
        )
        for depth in (2, 9)
    ]


@pytest.fixture
def cover(arrays):
    return Cover.create_from_store("dnase", arrays, WINDOWS, binsize=20)


def test_each_condition_of_tracks_has_statistics_of_its_own(cover, arrays, tmp_path):
    z_scores = normalize(cover, [LogTransform(), ZScore()])
    for condition, array in enumerate(arrays):
        logs = np.log(array.values + 1.0)
        expected = (np.log(cover[:][..., condition] + 1) - logs.mean()) / logs.std(ddof=1)
        np.testing.assert_allclose(z_scores[:][..., condition], expected, rtol=1e-4, atol=1e-5)
        assert z_scores.normalizers[condition].members[1].mean_ == pytest.approx(logs.mean(), rel=1e-6)
        save_normalizer(z_scores.normalizers[condition], tmp_path / f"{condition}.json")
    states = [load_normalizer(tmp_path / f"{condition}.json") for condition in range(2)]
    again = Cover.create_from_store("dnase", arrays, WINDOWS, binsize=20, normalizers=states)
    np.testing.assert_array_equal(again[:], z_scores[:])
    direct = Cover.create_from_store("dnase", arrays, WINDOWS, binsize=20, normalizers=[["log", ZScore()]] * 2)
    np.testing.assert_array_equal(direct[:], z_scores[:])
    assert cover[:].max() > 5, "the dataset is as it was"
    assert (z_scores.name, z_scores.conditions, z_scores.shape) == (cover.name, cover.conditions, cover.shape)


def test_statistics_come_from_the_regions_chosen(cover, arrays):
    fitted = normalize(cover, "zscore", TRAIN)
    for normalizer, array in zip(fitted.normalizers, arrays, strict=True):
        assert normalizer.mean_ == pytest.approx(array.contig("chr1")[:8].mean(), rel=1e-6)
    everything = normalize(cover, "tpm", TRAIN)
    assert [normalizer.total_ for normalizer in everything.normalizers] == [array.values.sum() for array in arrays]


def test_normalizing_again_starts_from_what_is_presented(cover):
    logs = normalize(cover, "log")
    twice = normalize(logs, "zscore")
    np.testing.assert_allclose(twice[:], normalize(cover, ["log", "zscore"])[:], atol=1e-6)
    fixed = normalize(cover, ZScore(1.0, 2.0))
    np.testing.assert_allclose(fixed[:], (cover[:] - 1) / 2, rtol=1e-6)


def test_lengths_of_bins_and_of_windows_are_what_counts_are_divided_by(cover):
    np.testing.assert_allclose(normalize(cover, RegionLengthNormalization())[:], cover[:] / 10)
    genes = GenomicIndexer(None, flank=5, collapse=True)
    genes = genes.add_interval("chr1", 0, 10, "+").add_interval("chr1", 10, 35, "-")
    counts = Cover.create_from_array("genes", np.array([[3.0, 1.0], [4.0, 0.0]]), genes)
    per_bp = normalize(counts, "binsizenorm")
    np.testing.assert_allclose(per_bp[:].reshape(2, 2), [[3 / 20, 1 / 20], [4 / 35, 0]], rtol=1e-6)
    loaded = normalize(counts, per_bp.normalizers[0])
    np.testing.assert_array_equal(loaded[:], per_bp[:])
    bins = GenomicIndexer.create_from_region("chr1", 0, 40, "+", 20)
    binned = Cover.create_from_array("x", np.ones((2, 4, 1, 1)), bins)
    assert normalize(binned, "binsizenorm")[:].ravel().tolist() == pytest.approx([0.2] * 8)


def test_expression_of_genes_adds_up_to_a_million_whatever_their_length():
    genes = GenomicIndexer(None, collapse=True).add_interval("chr1", 0, 10, "+").add_interval("chr1", 10, 35, "+")
    counts = Cover.create_from_array("genes", np.array([[3.0, 7.0], [4.0, 1.0]]), genes)
    tpm = normalize(counts, TPM())
    np.testing.assert_allclose(tpm[:].reshape(2, 2)[:, 0], [652174, 347826], rtol=1e-6)
    np.testing.assert_allclose(tpm[:].sum(axis=0).ravel(), [1e6, 1e6], rtol=1e-6)
    assert tpm["chr1", 5, 15].ravel()[::2].round().tolist() == [652174.0] * 5 + [347826.0] * 5
    part = normalize(counts, TPM(), pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [5]}))
    np.testing.assert_array_equal(part[:], tpm[:])


def test_values_of_windows_learn_from_the_windows_chosen():
    rng = np.random.default_rng(0)
    windows = GenomicIndexer.create_from_file(WINDOWS, 20)
    values = rng.gamma(1, 5, (6, 4, 2, 2))
    cover = Cover.create_from_array("x", values, windows, resolution=5)
    normalized = normalize(cover, [PercentileTrimming(80), "log", "zscore"], TRAIN)
    for condition in range(2):
        exact = values[..., condition]
        logs = np.log(np.minimum(exact, np.percentile(exact[:4], 80)) + 1)
        expected = (logs - logs[:4].mean()) / logs[:4].std(ddof=1)
        np.testing.assert_allclose(normalized[:][..., condition], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(cover[:], values, rtol=1e-6)
    again = [normalize(cover, normalizer)[:][..., number] for number, normalizer in enumerate(normalized.normalizers)]
    np.testing.assert_array_equal(np.stack(again, axis=-1), normalized[:])


def test_mistakes_are_named(cover):
    with pytest.raises(InputError, match="no normalization 'rpkm'"):
        normalize(cover, "rpkm")
    with pytest.raises(InputError, match="does not have: chrX"):
        normalize(cover, "zscore", TRAIN.assign(chrom="chrX"))
    rows = Cover.create_from_array("peaks", np.ones((6, 1)), cover.gindexer, conditions=["jund"])
    with pytest.raises(InputError, match="No window of 'peaks' overlaps the regions"):
        normalize(rows, "zscore", TRAIN.assign(chrom="chrX"))
    with pytest.raises(InputError, match="All 6 counts of 'peaks', jund are the same"):
        normalize(rows, "zscore")
