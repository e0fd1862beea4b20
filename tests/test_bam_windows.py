"""Counts of windows in bins of their own: against a loop over reads, and equal to those of whole contigs."""

import os
import shutil
import warnings

import numpy as np
import pandas as pd
import pysam
import pytest
from alignment_files import SIZES, random_reads, slow_bases, write_alignments
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data import bam_windows
from helpers.data.bam_windows import count_bam_windows
from helpers.data.coverage import Cover
from helpers.data.indexer import Windows
from helpers.errors import InputError

COUNTS = ["five_prime", "midpoint", "span", "fragment"]
ENDS = {"chr1": 1000, "chr2": 300, "empty": 50}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One file sorted and indexed, and the same reads without an index."""
    folder = tmp_path_factory.mktemp("windows")
    plain = write_alignments(folder / "plain.bam", random_reads(np.random.default_rng(3), 3000))
    pysam.sort("-o", str(folder / "indexed.bam"), str(plain))
    pysam.index(str(folder / "indexed.bam"))
    return folder


def random_windows(rng, number, *, longest=150):
    """Draw windows that overlap, hang over the ends of contigs, or lie outside them."""
    chroms = rng.choice(["chr1", "chr2", "one", "empty"], number, p=[0.6, 0.3, 0.05, 0.05])
    starts = np.array([rng.integers(-100, SIZES[chrom] + 50) for chrom in chroms], dtype=np.int64)
    ends = starts + rng.integers(1, longest + 1, number)
    return Windows(chroms.astype(object), starts, ends, rng.choice(["+", "-", "."], number))


def slow_windows(bases, windows, n_bins, resolution):
    values = np.zeros((len(windows.starts), n_bins, 2), dtype=int)
    for row, (chrom, start, end, strand) in enumerate(zip(*windows, strict=True)):
        for base in range(max(start, 0), min(end, SIZES[chrom])):
            values[row, 0 if resolution is None else (base - start) // resolution] += bases[chrom][base]
        if strand == "-":
            filled = 1 if resolution is None else -(-(end - start) // resolution)
            values[row, :filled] = values[row, :filled][::-1, ::-1]
    return values


@given(
    seed=st.integers(0, 2**32 - 1),
    number=st.integers(0, 40),
    resolution=st.sampled_from([None, 1, 7, 50, 400]),
    count=st.sampled_from(COUNTS),
    shift=st.sampled_from([(0, 0), (4, -4), (-60, 90)]),
    at_once=st.sampled_from([1, 200, 1 << 22]),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_agree_with_a_loop_with_and_without_an_index(
    files, monkeypatch, seed, number, resolution, count, shift, at_once
):
    monkeypatch.setattr(bam_windows, "BASES_AT_ONCE", at_once)
    shift = (0, 0) if count in ("midpoint", "fragment") else shift
    windows = random_windows(np.random.default_rng(seed), number)
    n_bins = 1 if resolution is None else -(-150 // resolution)
    expected = slow_windows(cached_bases(files, count, shift), windows, n_bins, resolution)
    for name in ("indexed.bam", "plain.bam"):
        rule = {"count": count, "shift": shift}
        counts = count_bam_windows(files / name, windows, n_bins=n_bins, resolution=resolution, **rule)
        assert counts.dtype == np.uint32
        np.testing.assert_array_equal(counts, expected, err_msg=name)
        both = count_bam_windows(
            files / name, windows, n_bins=n_bins, resolution=resolution, stranded=False, min_mapq=0, **rule
        )
        np.testing.assert_array_equal(both[..., 0], expected.sum(axis=2))


_BASES = {}


def cached_bases(folder, count, shift):
    if (count, shift) not in _BASES:
        _BASES[count, shift] = slow_bases(folder / "plain.bam", count=count, shift=shift)
    return _BASES[count, shift]


def test_with_an_index_little_is_read(files, monkeypatch):
    monkeypatch.setattr(bam_windows, "read_all", None)
    windows = Windows(np.array(["chr1"], dtype=object), np.array([100]), np.array([130]), np.array(["+"]))
    settings_ = {"n_bins": 1, "resolution": None}
    counts = count_bam_windows(files / "indexed.bam", windows, **settings_)
    assert counts.sum() == cached_bases(files, "five_prime", (0, 0))["chr1"][100:130].sum() > 0
    for path, rule in (("plain.bam", {}), ("indexed.bam", {"count": "fragment"})):  # these read the whole file
        with pytest.raises(TypeError):
            count_bam_windows(files / path, windows, **settings_, **rule)


def regions(**columns):
    return pd.DataFrame({"strand": "+"} | columns)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("flank", [0, 50])
@pytest.mark.parametrize("name", ["indexed.bam", "plain.bam"])
def test_aligned_windows_are_the_same_both_ways(files, count, flank, name):
    table = regions(chrom=list(ENDS), start=0, end=list(ENDS.values()), strand=["+", "-", "."])
    settings_ = {"binsize": 100, "flank": flank, "resolution": 10, "count": count, "random_state": 3}
    whole = Cover.create_from_bam("x", files / name, table, **settings_)
    partial = Cover.create_from_bam("x", files / name, table, store_whole_genome=False, **settings_)
    assert whole.shape == partial.shape == (14, 10 + flank // 5, 2, 1)
    np.testing.assert_array_equal(whole[:], partial[:])
    assert whole[:].sum() > 0
    first = partial.gindexer[0]
    np.testing.assert_array_equal(whole[first], partial[first])


def test_windows_off_the_grid_have_bins_of_their_own(files):
    table = regions(chrom=["chr1", "chr1"], start=[103, 203], end=[203, 248], strand=["+", "-"])
    cover = Cover.create_from_bam(
        "x", files / "indexed.bam", table, binsize=100, resolution=10, store_whole_genome=False
    )
    bases = cached_bases(files, "five_prime", (0, 0))["chr1"]
    np.testing.assert_array_equal(cover[0][0, :, :, 0], bases[103:203].reshape(10, 10, 2).sum(axis=1))
    short = [bases[start : min(start + 10, 248)].sum(axis=0)[::-1] for start in (243, 233, 223, 213, 203)]
    np.testing.assert_array_equal(cover[1][0, :, :, 0], short + [[0, 0]] * 5)


def test_one_value_a_region_whatever_its_length(files):
    table = regions(chrom=["chr1", "chr2", "chr1"], start=[3, 0, 900], end=[500, 300, 901], strand=["+", "-", "."])
    cover = Cover.create_from_bam("x", [files / "indexed.bam", files / "plain.bam"], table, resolution=None, flank=20)
    bases = cached_bases(files, "five_prime", (0, 0))
    expected = [bases["chr1"][:520], bases["chr2"][:, ::-1], bases["chr1"][880:921]]
    assert cover.shape == (3, 1, 2, 2)
    for condition in (0, 1):
        np.testing.assert_array_equal(cover[:][:, 0, :, condition], [part.sum(axis=0) for part in expected])
    binned = Cover.create_from_bam("x", files / "indexed.bam", table, resolution=None, binsize=100)
    assert binned.shape == (9, 1, 2, 1)  # 5 + 3 + 1 windows
    assert binned.resolution is None


def test_a_normalizer_is_fitted_on_the_windows(files):
    table = regions(chrom=["chr1"], start=[0], end=[1000])
    settings_ = {"resolution": None, "binsize": 100}
    counts = Cover.create_from_bam("x", files / "indexed.bam", table, **settings_)[:]
    normalized = Cover.create_from_bam("x", files / "indexed.bam", table, normalizer="tpm", **settings_)[:]
    np.testing.assert_allclose(normalized, counts / counts.sum() * 1e6, rtol=1e-6)


def test_a_rule_reaches_the_counts(files):
    table = regions(chrom=["chr1"], start=[0], end=[1000])
    settings_ = {"binsize": 100, "resolution": 10}
    rule = {"count": "span", "mates": "first", "min_mapq": 10, "keep_duplicates": False, "require_flags": 2}
    for whole in (True, False):
        cover = Cover.create_from_bam(
            "x", files / "indexed.bam", table, exclude_flags=256, store_whole_genome=whole, **settings_, **rule
        )
        slow = rule | {"require": rule["require_flags"], "exclude": 256}
        bases = slow_bases(files / "plain.bam", **{name: slow[name] for name in slow if name != "require_flags"})
        np.testing.assert_array_equal(cover[:].reshape(100, 2), bases["chr1"][:1000].reshape(100, 10, 2).sum(axis=1))


def test_no_windows_are_no_counts_and_no_regions_are_an_error(files):
    empty = regions(chrom=[], start=[], end=[])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cover = Cover.create_from_bam("x", files / "indexed.bam", empty, binsize=100, store_whole_genome=False)
    assert cover.shape == (0, 100, 2, 1)
    with pytest.raises(InputError, match="Give `roi`"):
        Cover.create_from_bam("x", files / "indexed.bam", resolution=None)
    with pytest.raises(InputError, match="lacks these contigs: chrZ"):
        Cover.create_from_bam("x", files / "indexed.bam", regions(chrom=["chrZ"], start=0, end=5), resolution=None)


def test_an_index_that_is_older_than_its_file_is_left_aside(tmp_path, caplog):
    reads = [
        {"chrom": chrom, "start": start, "cigar": "20M", "flag": 0} for chrom in ("chr1", "chr2") for start in (5, 9)
    ]
    path = write_alignments(tmp_path / "reads.bam", reads[:2])
    pysam.index(str(path))
    write_alignments(path, reads)  # the old index knows no read on chr2
    os.utime(tmp_path / "reads.bam.bai", ns=(0, os.stat(path).st_mtime_ns - 1))
    windows = [("chr1", 0, 30), ("chr2", 0, 30)]
    cover = Cover.create_from_bam("reads", path, windows, resolution=None, stranded=False)
    assert cover[:].ravel().tolist() == [2, 2]
    assert "reads.bam.bai is older than" in caplog.text


def test_an_error_while_a_file_is_read_is_not_hidden_by_that_of_closing_it(files, tmp_path):
    path = tmp_path / "damaged.bam"
    content = bytearray((files / "indexed.bam").read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    shutil.copy(files / "indexed.bam.bai", tmp_path / "damaged.bam.bai")
    windows = [(chrom, 0, size) for chrom, size in SIZES.items()]
    with pytest.raises(InputError, match="truncated or damaged") as raised:
        Cover.create_from_bam("reads", path, windows, resolution=None)
    assert "Closing failed" not in str(raised.value)
