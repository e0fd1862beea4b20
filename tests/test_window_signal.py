"""Signals of windows: counts against loops over reads, bigWig against pyBigWig, statistics against scikit-learn."""

import pickle
from pathlib import Path

import numpy as np
import pyBigWig
import pysam
import pytest
from alignment_files import SIZES, random_reads, slow_bases, write_alignments
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from helpers.data import window_signal
from helpers.data.regions import read_chrom_sizes, read_regions, region_table
from helpers.data.rows import SplitRows, locate_rows, region_fingerprint
from helpers.data.window_signal import (
    WindowSignal,
    fit_signal_normalizer,
    load_signal,
    save_signal,
    stack_signals,
    sum_windows,
)
from helpers.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
YEAST = next((path for path in (ROOT / "resources/yeast", ROOT.parent / "shared/data/yeast") if path.is_dir()), None)
RULES = {
    "5' ends": {},
    "caps": {"mates": "first", "min_mapq": 10},
    "second mates, shifted": {"mates": "second", "shift": (4, -4)},
    "fragments": {"count": "fragment"},
    "midpoints": {"count": "midpoint", "keep_duplicates": False},
    "reads": {"count": "span"},
}


@pytest.fixture(scope="module")
def reads(tmp_path_factory):
    """A BAM file of all kinds of reads, paired ones too, with and without an index."""
    folder = tmp_path_factory.mktemp("reads")
    unsorted = write_alignments(folder / "unsorted.bam", random_reads(np.random.default_rng(2), 1500))
    pysam.sort("-o", str(folder / "indexed.bam"), str(unsorted))
    pysam.index(str(folder / "indexed.bam"))
    return folder


def draw_windows(rng, number=60):
    """Windows of 30 bp on every contig, some over its ends, some twice, in any order."""
    chroms = rng.choice(["chr1", "chr2", "empty", "chrEBV"], number)
    starts = np.array([rng.integers(0, SIZES[chrom]) for chrom in chroms])
    windows = region_table(chroms, starts, starts + 30, strand=rng.choice(["+", "-", "."], number))
    return windows.iloc[[*range(number), 0, 5]].reset_index(drop=True)


def slow_counts(bases, windows, flank):
    """Add up base by base: the window's own strand, the other one."""
    rows = []
    for _, window in windows.iterrows():
        total = np.zeros(2, dtype=int)
        for base in range(window["start"] - flank, window["end"] + flank):
            if 0 <= base < SIZES[window["chrom"]]:
                total += bases[window["chrom"]][base]
        rows.append(total[::-1] if window["strand"] == "-" else total)
    return np.array(rows)


@pytest.mark.parametrize("name", ["indexed.bam", "unsorted.bam"])
@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_counts_of_windows_are_those_of_a_loop_over_reads(reads, rule, name):
    bases = slow_bases(reads / "unsorted.bam", **rule)
    for flank in (0, 25):
        windows = draw_windows(np.random.default_rng(flank))
        expected = slow_counts(bases, windows, flank)
        assert expected.sum(axis=0).min() > 20
        summed = {
            strands: sum_windows(
                reads / name, windows, kind="bam", sizes=SIZES, flank=flank, strands=strands, rule=rule
            ).values
            for strands in ("each", "sense", "both")
        }
        np.testing.assert_array_equal(summed["each"], expected)
        np.testing.assert_array_equal(summed["sense"], expected[:, :1])
        np.testing.assert_array_equal(summed["both"], expected.sum(axis=1, keepdims=True))
        assert {values.dtype for values in summed.values()} == {np.dtype(np.uint32)}


def write_track(path, values, sizes=SIZES):
    """Write single bases, (start, value) by contig; a contig without any is not named. NaN is written as a value."""
    with pyBigWig.open(str(path), "w") as track:
        track.addHeader([(chrom, size) for chrom, size in sizes.items() if chrom in values])
        for chrom in sizes:
            for start, value in values.get(chrom, ()):
                track.addEntries([chrom], [start], ends=[start + 1], values=[float(value)])
    return path


def slow_sums(path, windows, flank):
    """Add up what pyBigWig says of each base, NaN as 0."""
    with pyBigWig.open(str(path)) as track:
        sizes, totals = track.chroms(), []
        for _, window in windows.iterrows():
            start = max(window["start"] - flank, 0)
            end = min(window["end"] + flank, sizes.get(window["chrom"], 0))
            bases = track.values(window["chrom"], start, end) if start < end else []
            totals.append(sum(value for value in bases if not np.isnan(value)))
    return np.array(totals)[:, None]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), flank=st.sampled_from([0, 7, 400]), at_once=st.sampled_from([1, 9, 1 << 14]))
def test_sums_of_a_bigwig_are_those_of_its_bases(tmp_path, monkeypatch, caplog, seed, flank, at_once):
    monkeypatch.setattr(window_signal, "_WINDOWS_OF_A_READER", at_once)
    caplog.clear()
    rng = np.random.default_rng(seed)
    values = {
        chrom: [
            (base, np.nan if rng.random() < 0.03 else rng.normal(0, 5))
            for base in range(SIZES[chrom])
            if rng.random() < 0.4
        ]
        for chrom in ("chr1", "chr2", "chrEBV")  # the file does not name "empty" and "one": no data there
    }
    track = write_track(tmp_path / "signal.bw", values)
    windows = draw_windows(rng, 25)
    signal = sum_windows(track, windows, kind="bigWig", sizes=SIZES, flank=flank)
    np.testing.assert_allclose(signal.values, slow_sums(track, windows, flank), rtol=1e-12, atol=1e-9)
    assert signal.values.dtype == np.float64
    holds_nan = [
        any(
            np.isnan(value) and window["start"] - flank <= base < window["end"] + flank
            for base, value in values.get(window["chrom"], [])
        )
        for _, window in windows.iterrows()
    ]
    said = f"{sum(holds_nan)} of {len(windows)} windows hold NaN, which counts as no data"
    assert (said in caplog.text) if any(holds_nan) else ("NaN" not in caplog.text)


def test_an_infinite_sum_is_named_by_its_window(tmp_path):
    track = write_track(tmp_path / "signal.bw", {"chr1": [(5, 1.0), (60, np.inf)]})
    windows = region_table(["chr1", "chr1"], [0, 50], [30, 80])
    with pytest.raises(InputError, match=r"signal\.bw: the sum over chr1:50-80 is inf"):
        sum_windows(track, windows, kind="bigWig", sizes=SIZES)


def test_no_windows_are_no_sums_and_bad_input_is_named(tmp_path, reads):
    track = write_track(tmp_path / "signal.bw", {"chr1": [(5, 1.0)]})
    windows = draw_windows(np.random.default_rng(1), 6)
    for path, kind in ((track, "bigWig"), (reads / "indexed.bam", "bam")):
        assert sum_windows(path, windows[:0], kind=kind, sizes=SIZES).values.shape == (0, 1)
        with pytest.raises(InputError, match="has chr1 of 1025 bp, genomesize says 1024"):
            sum_windows(path, windows, kind=kind, sizes=SIZES | {"chr1": 1024})
        with pytest.raises(InputError, match="kind is bam or bigWig, strands one of .*'antisense'"):
            sum_windows(path, windows, kind=kind, sizes=SIZES, strands="antisense")
    with pytest.raises(InputError, match="Received: 'bed', 'both'"):
        sum_windows(track, windows, kind="bed", sizes=SIZES)
    for strands in ("sense", "each"):
        with pytest.raises(InputError, match=r"signal\.bw is a bigWig, which has no strands"):
            sum_windows(track, windows, kind="bigWig", sizes=SIZES, strands=strands)
    elsewhere = region_table(["chrZ"], [0], [30])
    with pytest.raises(InputError, match="lacks these contigs: chrZ"):
        sum_windows(reads / "indexed.bam", elsewhere, kind="bam", sizes=SIZES | {"chrZ": 50})


def test_windows_outside_their_contig_are_told_of(reads, caplog):
    windows = region_table(["chr2", "chr2"], [0, 300], [30, 330])
    signal = sum_windows(reads / "indexed.bam", windows, kind="bam", sizes=SIZES, flank=20)
    assert "1 of 2 windows lie wholly outside their contig" in caplog.text
    np.testing.assert_array_equal(
        signal.values[:, 0], slow_counts(slow_bases(reads / "unsorted.bam"), windows, 20).sum(axis=1)
    )


# files


def made_signal(values, windows, strands="both"):
    return WindowSignal(np.asarray(values), region_fingerprint(windows), "made.bw", 5, strands)


def regions_of(number):
    return region_table(["chr1"] * number, np.arange(number) * 10, np.arange(number) * 10 + 10)


@pytest.mark.parametrize("shape", [(7, 1), (5, 2), (0, 1)])
def test_a_file_gives_the_signal_back_and_stays_on_disk(tmp_path, shape):
    windows, rng = regions_of(shape[0]), np.random.default_rng(0)
    for values in (rng.integers(0, 2**32, shape, dtype=np.uint32), rng.normal(size=shape)):
        save_signal(made_signal(values, windows), tmp_path / "signal.h5")
        opened = load_signal(tmp_path / "signal.h5")
        np.testing.assert_array_equal(opened.values, values)
        assert opened.values.dtype == values.dtype
        assert (opened.regions, opened.source, opened.flank, opened.strands) == (
            *(region_fingerprint(windows), "made.bw"),
            *(5, "both"),
        )
        if len(values):
            assert not opened.values.flags.writeable
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(opened)).values, values)


def test_another_file_is_no_signal(tmp_path):
    with pytest.raises(InputError, match=r"none\.h5 does not exist.*sum_windows and save_signal write such files"):
        load_signal(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("signal")
    with pytest.raises(InputError, match=r"text\.h5 is not a window signal"):
        load_signal(tmp_path / "text.h5")


def test_stacked_signals_are_columns_each_with_its_own_normalizer(tmp_path):
    windows, rng = regions_of(40), np.random.default_rng(1)
    counts = [rng.integers(0, 50, (40, 2), dtype=np.uint32) for _ in range(3)]
    paths = [tmp_path / f"{number}.h5" for number in range(3)]
    for path, values in zip(paths, counts, strict=True):
        save_signal(made_signal(values, windows, "each"), path)
    chosen = locate_rows(windows.iloc[[30, 2, 2, 39]], windows)
    raw = stack_signals(paths, chosen)
    np.testing.assert_array_equal(raw, np.stack([values[[30, 2, 2, 39]] for values in counts], axis=-1))
    assert raw.dtype == np.float64
    fitted = [
        fit_signal_normalizer("zscorelog", load_signal(path), locate_rows(windows, windows), track="t")
        for path in paths
    ]
    normalized = stack_signals(paths, chosen, fitted)
    assert (normalized.shape, normalized.dtype) == ((4, 2, 3), np.float32)
    for number, values in enumerate(counts):
        logs = np.log(values.astype(float) + 1)
        expected = (logs - logs.mean()) / logs.std(ddof=1)
        np.testing.assert_allclose(normalized[..., number], expected[[30, 2, 2, 39]], rtol=1e-5, atol=1e-6)


def test_signals_of_other_windows_or_of_other_strands_do_not_stack(tmp_path):
    windows = regions_of(6)
    save_signal(made_signal(np.ones((6, 1)), windows), tmp_path / "one.h5")
    save_signal(made_signal(np.ones((6, 2)), windows), tmp_path / "two.h5")
    with pytest.raises(InputError, match=r"need the same number of strands. Received: made.bw: 1, made.bw: 2"):
        stack_signals([tmp_path / "one.h5", tmp_path / "two.h5"], locate_rows(windows, windows))
    for other in (windows[:5], windows[::-1], windows.assign(strand="-"), windows.assign(end=windows["end"] + 1)):
        with pytest.raises(InputError, match=r"one\.h5 belongs to other windows"):
            stack_signals([tmp_path / "one.h5"], locate_rows(other, other))
        with pytest.raises(InputError, match="cage belongs to other windows"):
            fit_signal_normalizer("none", load_signal(tmp_path / "one.h5"), locate_rows(other, other), track="cage")


# statistics


@pytest.mark.parametrize("kind", ["counts", "sums"])
def test_a_z_score_of_logs_agrees_with_scikit_learn_on_the_training_windows(kind):
    rng = np.random.default_rng(4)
    values = rng.lognormal(3, 1.5, (500, 1)) if kind == "sums" else rng.poisson(30, (500, 1)).astype(np.uint32)
    windows = regions_of(500)
    training = rng.permutation(500)[:120]
    chosen = locate_rows(windows.iloc[[*training, *training[:50]]], windows)  # some come twice, and count once
    fitted = fit_signal_normalizer("zscorelog", made_signal(values, windows), chosen, track="cage")
    scaler = StandardScaler().fit(np.log1p(values[training].astype(np.float64)))
    assert fitted.mean_ == pytest.approx(scaler.mean_[0], rel=1e-12)
    assert fitted.std_ == pytest.approx(scaler.scale_[0] * np.sqrt(120 / 119), rel=1e-12)  # of N - 1
    everything = fit_signal_normalizer(
        "zscorelog", made_signal(values, windows), locate_rows(windows, windows), track="cage"
    )
    assert everything.mean_ == pytest.approx(np.log1p(values.astype(np.float64)).mean(), rel=1e-12)


def test_tpm_divides_by_the_sum_over_all_windows_and_none_by_nothing():
    values, windows = np.array([[3], [5], [12]], dtype=np.uint32), regions_of(3)
    chosen = locate_rows(windows[:1], windows)
    signal = made_signal(values, windows)
    tpm = fit_signal_normalizer("tpm", signal, chosen, track="dnase")
    np.testing.assert_allclose(tpm(values).ravel(), np.array([0.15, 0.25, 0.6]) * 1e6, rtol=1e-6)
    none = fit_signal_normalizer("none", signal, chosen, track="dnase")
    np.testing.assert_array_equal(none(values), values.astype(np.float32))


def test_a_track_without_variance_on_the_training_windows_is_named_with_fold_and_value():
    windows = regions_of(20)
    values = np.r_[np.full(10, 7.25), np.arange(10)][:, None]
    chosen = locate_rows(windows[:10], windows)
    message = (
        r"Track cage is constant: its signal is 7\.25 in the training windows of fold chr2 \(all 10\).*constant target"
    )
    with pytest.raises(InputError, match=message):
        fit_signal_normalizer(
            "zscorelog", made_signal(values, windows), chosen, track="cage", where="the training windows of fold chr2"
        )
    for name in ("none", "tpm"):
        assert fit_signal_normalizer(name, made_signal(values, windows), chosen, track="cage").kind == name


@pytest.mark.parametrize(
    ("values", "name", "message"),
    [
        (np.zeros((4, 1), dtype=np.uint32), "tpm", "Track h3k4me3 in all windows: The counts of .* add up to 0"),
        (np.array([[0.5], [-3.0], [1.0], [2.0]]), "zscorelog", r"Track h3k4me3 in all windows: ln\(x \+ 1\) needs"),
        (np.ones((4, 1)), "quantile", "There is no normalization 'quantile'"),
    ],
)
def test_what_a_normalizer_cannot_take_names_the_track(values, name, message):
    windows = regions_of(4)
    with pytest.raises(InputError, match=message):
        fit_signal_normalizer(name, made_signal(values, windows), locate_rows(windows, windows), track="h3k4me3")


def test_a_fold_without_training_windows_says_so():
    windows = regions_of(4)
    nothing = SplitRows(np.zeros(0, dtype=np.int64), region_fingerprint(windows))
    with pytest.raises(InputError, match="there is no window among the training windows of fold chr9 to fit"):
        fit_signal_normalizer(
            "zscorelog",
            made_signal(np.arange(4.0)[:, None], windows),
            nothing,
            track="cage",
            where="the training windows of fold chr9",
        )


# real data


@pytest.mark.skipif(YEAST is None, reason="the yeast data is neither in resources/yeast nor beside the project")
def test_yeast_caps_and_cage_of_windows_upstream_of_genes():
    sizes = read_chrom_sizes(YEAST / "sacCer3.chrom.sizes")
    genes = read_regions(YEAST / "sacCer3.ensembl96.gtf.gz")
    genes = genes[(genes["chrom"] == "chrI") & (genes["feature"] == "gene")].iloc[::2]
    plus = genes["strand"] == "+"
    starts = np.where(plus, genes["start"] - 200, genes["end"]).clip(0)
    windows = region_table(genes["chrom"], starts, starts + 200, strand=genes["strand"])
    assert set(windows["strand"]) == {"+", "-"}
    signal = sum_windows(
        YEAST / "stripe_S288C.chr.bam",
        windows,
        kind="bam",
        sizes=sizes,
        flank=100,
        strands="each",
        rule={"mates": "first"},
    )
    expected = np.zeros((len(windows), 2), dtype=int)
    with pysam.AlignmentFile(YEAST / "stripe_S288C.chr.bam") as alignments:
        for row, window in windows.iterrows():
            first, last = window["start"] - 100, window["end"] + 100
            for read in alignments.fetch(window["chrom"], max(first, 0), last):
                base = read.reference_end - 1 if read.is_reverse else read.reference_start
                if not read.flag & (4 | 256 | 512 | 2048) and not read.is_read2 and first <= base < last:
                    expected[row, int(read.is_reverse != (window["strand"] == "-"))] += 1
    assert expected[:, 0].sum() > expected[:, 1].sum() > 0  # caps lie on the strand of the gene
    np.testing.assert_array_equal(signal.values, expected)
    cage = YEAST / "cage_control_plus.bw"
    sums = sum_windows(cage, windows, kind="bigWig", sizes=sizes, flank=100)
    np.testing.assert_allclose(sums.values, slow_sums(cage, windows, 100), rtol=1e-12, atol=1e-9)
    assert sums.values.sum() > 0
