"""Normalizers against plain float64 arithmetic on expanded arrays."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import normalization
from helpers.data.normalization import (
    NORMALIZERS,
    TPM,
    Chain,
    Identity,
    LogTransform,
    PercentileTrimming,
    RegionLengthNormalization,
    ZScore,
    ZScoreLog,
    as_normalizer,
    fit_normalizer,
    load_normalizer,
    normalizer_from_dict,
    save_normalizer,
)
from helpers.data.percentiles import count_values, percentile_of
from helpers.data.storage import GenomeArray, write_contigs
from helpers.errors import InputError

RESOLUTION = 10
SIZES = {"chr1": 400, "chr2": 205}


@pytest.fixture(scope="module")
def coverage():
    rng = np.random.default_rng(4)
    counts = {
        name: rng.negative_binomial(1, 0.2, (-(-size // RESOLUTION), 2)).astype(np.uint32)
        for name, size in SIZES.items()
    }
    return GenomeArray.from_contigs(counts, {"resolution": RESOLUTION, "source": "dnase.bam", "sizes": SIZES})


def slow_values(coverage, regions, flank):
    """Each count whose bin holds a base of a flanked region inside the contig, base by base."""
    touched = set()
    for chrom, start, end in regions[["chrom", "start", "end"]].itertuples(index=False):
        touched |= {(chrom, p // RESOLUTION) for p in range(start - flank, end + flank) if 0 <= p < SIZES[chrom]}
    return np.array([coverage.contig(chrom)[place] for chrom, place in sorted(touched)], dtype=np.float64)


REGIONS = pd.DataFrame(
    [("chr2", 100, 140), ("chr1", 20, 60), ("chr1", 40, 80), ("chr1", 40, 80), ("chr2", 180, 205), ("chr1", 333, 334)],
    columns=["chrom", "start", "end"],
)


@pytest.mark.parametrize("flank", [0, 30, 1000])
def test_statistics_use_each_position_of_overlapping_windows_once(coverage, flank):
    values = slow_values(coverage, REGIONS, flank)
    fitted = fit_normalizer("zscore", coverage, REGIONS, resolution=RESOLUTION, flank=flank)
    assert fitted.mean_ == pytest.approx(values.mean(), rel=1e-13)
    assert fitted.std_ == pytest.approx(values.std(ddof=1), rel=1e-13)
    logged = fit_normalizer("zscorelog", coverage, REGIONS, resolution=RESOLUTION, flank=flank)
    assert logged.mean_ == pytest.approx(np.log(values + 1).mean(), rel=1e-13)
    assert logged.std_ == pytest.approx(np.log(values + 1).std(ddof=1), rel=1e-13)
    repeated = pd.concat([REGIONS] * 3, ignore_index=True).sample(frac=1, random_state=1)
    assert fit_normalizer("zscorelog", coverage, repeated, resolution=RESOLUTION, flank=flank) == logged


def test_without_regions_everything_stored_counts(coverage, monkeypatch):
    everything = coverage.values.astype(np.float64)
    for block in (7, 1 << 20):
        monkeypatch.setattr(normalization, "_BINS_AT_ONCE", block)
        fitted = fit_normalizer("zscorelog", coverage, resolution=RESOLUTION)
        assert fitted.mean_ == pytest.approx(np.log(everything + 1).mean(), rel=1e-13)
        assert fitted.std_ == pytest.approx(np.log(everything + 1).std(ddof=1), rel=1e-13)
    whole = pd.DataFrame({"chrom": list(SIZES), "start": [0, 0], "end": list(SIZES.values())})
    again = fit_normalizer("zscorelog", coverage, whole, resolution=RESOLUTION)
    assert again.mean_ == pytest.approx(fitted.mean_, rel=1e-13)


def test_training_statistics_do_not_see_other_chromosomes(coverage):
    part = REGIONS[REGIONS["chrom"] == "chr1"]
    other = GenomeArray.from_contigs({"chr1": coverage.contig("chr1"), "chr2": coverage.contig("chr2") * 9})
    fitted = fit_normalizer("zscorelog", coverage, part, resolution=RESOLUTION, flank=30)
    assert fit_normalizer("zscorelog", other, part, resolution=RESOLUTION, flank=30) == fitted


def test_values_follow_their_definitions(coverage):
    counts = coverage.contig("chr1")
    exact = counts.astype(np.float64)
    everything = coverage.values.astype(np.float64)
    logs = np.log(everything + 1)
    kilobases = RESOLUTION / 1000
    expected = {
        "none": exact,
        "tpm": exact / kilobases / ((everything / kilobases).sum() / 1e6),
        "zscore": (exact - everything.mean()) / everything.std(ddof=1),
        "zscorelog": (np.log(exact + 1) - logs.mean()) / logs.std(ddof=1),
        "log": np.log(exact + 1),
        "perctrim": np.minimum(exact, np.percentile(everything, 99)),
        "binsizenorm": exact / RESOLUTION,
    }
    assert set(expected) == set(NORMALIZERS)
    for name, values in expected.items():
        normalized = fit_normalizer(name, coverage, resolution=RESOLUTION)(counts)
        assert normalized.dtype == np.float32
        assert normalized.shape == counts.shape
        np.testing.assert_allclose(normalized, values, rtol=3e-6, atol=3e-6, err_msg=name)


def test_a_known_case_of_tpm():
    # 150 bp of 10s and 300 bp of 1s in bins of 50 bp: 10 * 1000 / 50 * 10**6 / 720
    coverage = GenomeArray.from_contigs({"chr1": np.full((3, 1), 10), "chr2": np.full((6, 1), 1)})
    tpm = fit_normalizer("tpm", coverage, resolution=50)
    np.testing.assert_allclose(tpm(np.array([10, 1])), [277777.8, 27777.78], rtol=1e-6)


def test_a_known_case_of_the_z_score():
    z_score = ZScore().fit([np.ones(150), -np.ones(300)])
    np.testing.assert_allclose(z_score(np.array([1.0, -1.0])), [1.41264, -0.70632], atol=5e-6)


def test_tpm_is_depth_whatever_the_regions(coverage):
    assert fit_normalizer("tpm", coverage, REGIONS[:1], resolution=RESOLUTION) == fit_normalizer(
        "tpm", coverage, resolution=RESOLUTION
    )


def test_counts_are_left_unchanged(coverage):
    for name in NORMALIZERS:
        counts = coverage.contig("chr1").astype(np.float32)
        before = counts.copy()
        normalized = fit_normalizer(name, coverage, resolution=RESOLUTION)(counts)
        normalized += 1
        np.testing.assert_array_equal(counts, before, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), min_size=2, max_size=5),
    st.floats(-1e9, 1e9),
)
def test_moments_of_blocks_are_those_of_the_whole(blocks, offset):
    whole = np.concatenate([np.array(block) for block in blocks]) + offset
    if whole.std(ddof=1) <= 1e-9 * np.abs(whole).max():
        return
    fitted = ZScore().fit(np.array(block) + offset for block in blocks)
    assert fitted.mean_ == pytest.approx(whole.mean(), rel=1e-9, abs=1e-9)
    assert fitted.std_ == pytest.approx(whole.std(ddof=1), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_state_survives_json_to_the_last_digit(tmp_path_factory, mean, std):
    path = tmp_path_factory.mktemp("state") / "normalizer.json"
    chain = Chain([PercentileTrimming(99.5, std), ZScore(mean, std)])
    for normalizer in (chain, ZScoreLog(mean, std), ZScore(mean, std), TPM(std), LogTransform(), Identity()):
        save_normalizer(normalizer, path)
        loaded = load_normalizer(path)
        assert type(loaded) is type(normalizer)
        assert loaded.to_dict() == normalizer.to_dict()
        assert loaded == normalizer
    assert json.loads(path.read_text()) == {"format_version": 1, "kind": "none"}


def test_a_loaded_normalizer_gives_the_same_values(coverage, tmp_path):
    for name in NORMALIZERS:
        fitted = fit_normalizer(name, coverage, REGIONS, resolution=RESOLUTION)
        save_normalizer(fitted, tmp_path / "deep" / f"{name}.json")
        loaded = load_normalizer(tmp_path / "deep" / f"{name}.json")
        counts = coverage.contig("chr2")
        np.testing.assert_array_equal(loaded(counts), fitted(counts))


def test_a_track_without_signal_is_named(tmp_path):
    write_contigs(tmp_path / "x.h5", {"chr1": np.zeros((5, 2), np.uint32)}, {"resolution": 10, "source": "dead.bam"})
    dead = GenomeArray.open(tmp_path / "x.h5")
    with pytest.raises(InputError, match=r"All 10 counts of dead\.bam .* are the same.*standard deviation is 0"):
        fit_normalizer("zscorelog", dead, resolution=10)
    with pytest.raises(InputError, match=r"The counts of dead\.bam .*x\.h5.* add up to 0"):
        fit_normalizer("tpm", dead, resolution=10)
    unnamed = GenomeArray.from_contigs({"chr1": np.zeros((5, 2))})
    with pytest.raises(InputError, match="of the array"):
        fit_normalizer("zscore", unnamed, resolution=10)


def test_nothing_to_fit_on_is_refused(coverage):
    with pytest.raises(InputError, match="no region to fit zscorelog on"):
        fit_normalizer("zscorelog", coverage, REGIONS[:0], resolution=RESOLUTION)
    with pytest.raises(InputError, match="does not have: chrX"):
        fit_normalizer("zscore", coverage, REGIONS.assign(chrom="chrX"), resolution=RESOLUTION)
    outside = pd.DataFrame({"chrom": ["chr1"], "start": [5000], "end": [5100]})
    with pytest.raises(InputError, match="All 0 counts"):
        fit_normalizer("zscore", coverage, outside, resolution=RESOLUTION)
    with pytest.raises(InputError, match=r"bins of 10 bp\. Received: resolution=50"):
        fit_normalizer("none", coverage, resolution=50)
    with pytest.raises(InputError, match="no normalization 'rpkm'. Choose one of none, tpm, zscorelog"):
        fit_normalizer("rpkm", coverage, resolution=RESOLUTION)


def test_an_unfitted_normalizer_is_copied_when_fitted(coverage):
    unfitted = ZScoreLog()
    fitted = fit_normalizer(unfitted, coverage, resolution=RESOLUTION)
    assert not unfitted.fitted
    assert fitted.fitted
    assert fitted == fit_normalizer("zscorelog", coverage, resolution=RESOLUTION)
    assert "ZScoreLog(mean=" in repr(fitted)


def test_unfitted_normalizers_neither_normalize_nor_save(tmp_path):
    for normalizer in (TPM(), ZScore(), ZScoreLog(), PercentileTrimming(), Chain([ZScore()])):
        with pytest.raises(InputError, match="is not fitted"):
            normalizer(np.zeros(3))
        with pytest.raises(InputError, match="is not fitted"):
            save_normalizer(normalizer, tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []
    assert Identity().fitted
    assert LogTransform().fitted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no normalizer"),
        ("[1]", "holds no normalizer"),
        ('{"kind": "tpm"}', "holds no normalizer"),
        ('{"format_version": 7, "kind": "none"}', "format version 7, this program reads 1"),
        ('{"format_version": 1, "kind": "median"}', "no normalization 'median'"),
        ('{"format_version": 1, "kind": "tpm"}', "The state of normalization 'tpm' is total"),
        ('{"format_version": 1, "kind": "tpm", "total": null}', "The state of normalization 'tpm' is total"),
        ('{"format_version": 1, "kind": "none", "mean": 1}', "is empty"),
        ('{"format_version": 1, "kind": "perctrim", "cap": 1}', "'perctrim' is percentile, cap"),
        ('{"format_version": 1, "kind": "chain"}', "The state of a chain is the list of its members"),
        (
            '{"format_version": 1, "kind": "chain", "members": ["log"]}',
            "The state of a chain is the list of its members",
        ),
        ('{"format_version": 1, "kind": "chain", "members": [{"kind": "rpkm"}]}', "no normalization 'rpkm'"),
    ],
)
def test_files_that_hold_no_normalizer_say_so(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=message):
        load_normalizer(tmp_path / "a.json")


def test_a_missing_state_says_so(tmp_path):
    with pytest.raises(InputError, match=r"none\.json does not exist"):
        load_normalizer(tmp_path / "none.json")
    with pytest.raises(InputError, match="no normalization None"):
        normalizer_from_dict({})


def test_logarithms_of_negative_signal_are_refused():
    for values in (np.array([-1.0]), np.array([3, -2]), np.array([np.nan, -1.0])):
        with pytest.raises(InputError, match="needs values above -1"):
            LogTransform()(values)
    assert LogTransform()(np.array([-0.5]))[0] == pytest.approx(math.log(0.5))
    assert LogTransform()(np.zeros((0, 2))).shape == (0, 2)


def plus_one(values):
    return values + 1


def test_a_chain_is_the_composition_of_its_members_each_fitted_on_what_comes_before(coverage):
    exact = coverage.values.astype(np.float64)
    trimmed = np.minimum(exact, np.percentile(exact, 90))
    logs = np.log(trimmed + 1) + 1
    expected = (logs - logs.mean()) / logs.std(ddof=1)
    chain = fit_normalizer([PercentileTrimming(90), "log", plus_one, ZScore()], coverage, resolution=RESOLUTION)
    np.testing.assert_allclose(chain(coverage.values), expected, rtol=1e-5, atol=1e-5)
    values = coverage.values
    for member in chain.members:
        values = member(values)
    np.testing.assert_array_equal(chain(coverage.values), values.astype(np.float32))
    assert chain(coverage.values).dtype == np.float32


def test_members_of_a_chain_see_regions_or_everything_as_they_would_alone(coverage):
    chain = fit_normalizer(["tpm", ZScore()], coverage, REGIONS, resolution=RESOLUTION, flank=30)
    tpm = fit_normalizer("tpm", coverage, resolution=RESOLUTION)
    values = slow_values(coverage, REGIONS, 30) / coverage.values.sum() * 1e6
    assert chain.members[0] == tpm
    assert chain.members[1].mean_ == pytest.approx(values.mean(), rel=1e-6)
    assert chain.members[1].std_ == pytest.approx(values.std(ddof=1), rel=1e-6)


def test_logarithm_and_z_score_in_a_chain_are_the_z_score_of_the_logarithm(coverage):
    chain = fit_normalizer([LogTransform(), ZScore()], coverage, REGIONS, resolution=RESOLUTION)
    alone = fit_normalizer("zscorelog", coverage, REGIONS, resolution=RESOLUTION)
    assert chain.members[1].mean_ == pytest.approx(alone.mean_, rel=1e-7)
    np.testing.assert_allclose(chain(coverage.values), alone(coverage.values), atol=2e-6)


def test_chains_are_fitted_as_copies_keep_fitted_members_and_are_stored(coverage, tmp_path):
    unfitted = Chain([TPM(1e6), Chain([LogTransform(), ZScore()])])
    assert not unfitted.fitted
    with pytest.raises(InputError, match="Chain is not fitted"):
        unfitted(np.ones(3))
    fitted = fit_normalizer(unfitted, coverage, resolution=RESOLUTION)
    assert not unfitted.fitted
    assert unfitted.members[2].mean_ is None
    assert fitted.members[0] == TPM(1e6), "a member that is fitted already is kept"
    assert repr(fitted).startswith("Chain([TPM(total=1000000.0), LogTransform(), ZScore(mean=")
    save_normalizer(fitted, tmp_path / "chain.json")
    loaded = load_normalizer(tmp_path / "chain.json")
    assert loaded == fitted
    assert loaded != Chain([LogTransform()])
    np.testing.assert_array_equal(loaded(coverage.values), fitted(coverage.values))
    blocks = [np.array([0, 1, 5]), np.array([2])]
    assert Chain(["log", ZScore()]).fit(iter(blocks)) == Chain(["log", ZScore()]).fit(blocks)


def test_own_functions_work_and_cannot_be_stored(coverage, tmp_path):
    own = as_normalizer(plus_one)
    np.testing.assert_array_equal(own(np.array([1, 2])), [2.0, 3.0])
    with pytest.raises(InputError, match="The function plus_one cannot be stored"):
        save_normalizer(fit_normalizer(["log", plus_one], coverage, resolution=RESOLUTION), tmp_path / "a.json")
    with pytest.raises(InputError, match=r"<lambda> must keep the shape \(2,\) of values. It gave \(1,\)"):
        as_normalizer(lambda values: values[:1])(np.array([1, 2]))
    for wrong, message in (([], "is empty"), (3, "Received: 3"), ([ZScore], "Received: <class"), ("rpkm", "rpkm")):
        with pytest.raises(InputError, match=message):
            as_normalizer(wrong)
    assert as_normalizer(None) == Identity()
    counts = np.ones(3, dtype=np.float32)
    identity = Chain([lambda values: values])(counts)
    identity += 1
    np.testing.assert_array_equal(counts, np.ones(3))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.integers(-3, 9) | st.floats(-5, 5), max_size=12), min_size=1, max_size=4).filter(any),
    st.floats(0, 100),
)
def test_percentiles_of_blocks_are_those_of_numpy(blocks, percentile):
    arrays = [np.array(block) for block in blocks]
    expected = np.percentile(np.concatenate(arrays), percentile)
    assert percentile_of(*count_values(arrays), percentile) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_trimming_says_when_it_would_leave_nothing(coverage):
    counts = np.zeros(1000)
    counts[0] = 5
    with pytest.raises(InputError, match="The percentile 99 of the track is 0, its least count"):
        PercentileTrimming().fit([counts])
    assert PercentileTrimming(99.95).fit([counts]).cap_ == pytest.approx(np.percentile(counts, 99.95))
    assert PercentileTrimming().fit([np.zeros(5)]).cap_ == 0
    with pytest.raises(InputError, match="holds NaN"):
        PercentileTrimming().fit([np.array([1.0, np.nan])])
    with pytest.raises(InputError, match="has no counts"):
        PercentileTrimming().fit([np.zeros(0)])
    for percentile in (0, 101, float("nan")):
        with pytest.raises(InputError, match="above 0 and at most 100"):
            PercentileTrimming(percentile)
    regions = fit_normalizer(PercentileTrimming(60), coverage, REGIONS, resolution=RESOLUTION)
    assert regions.cap_ == np.percentile(slow_values(coverage, REGIONS, 0), 60)


def test_a_length_is_needed_to_divide_by():
    with pytest.raises(InputError, match="Give length, in bp"):
        RegionLengthNormalization().fit([np.ones(3)])
    with pytest.raises(InputError, match="is not fitted"):
        RegionLengthNormalization()(np.ones(3))


def test_missing_values_stay_missing_where_nothing_is_learned_of_them():
    values = np.array([np.nan, 0, np.e - 1])
    expected = np.array([np.nan, 0, 1], dtype=np.float32)
    for normalizer in (LogTransform(), ZScoreLog(0, 1), Chain([LogTransform(), ZScore(0, 1)])):
        np.testing.assert_array_equal(normalizer(values), expected)
    np.testing.assert_array_equal(TPM(1e6)(values), values.astype(np.float32))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nothing_is_learned_of_values_that_are_not_finite(wrong):
    counts = [np.array([1.0, 2.0]), np.array([3.0, wrong])]
    with pytest.raises(InputError, match="a.bw holds NaN or infinite values"):
        ZScore().fit(counts, source="a.bw")
    with pytest.raises(InputError, match="TPM divides by their sum"):
        TPM().fit(counts, source="a.bw")
    with pytest.raises(InputError, match="a.bw (holds NaN|is infinite)"):
        PercentileTrimming(100 if wrong > 0 else 1).fit(counts, source="a.bw")
