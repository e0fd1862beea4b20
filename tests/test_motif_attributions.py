"""k-mers and patterns of attributions, against loops and what was planted."""

from collections import defaultdict
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.sequence import encode_fasta, encode_letters
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, InputLayout, write_attributions
from helpers.evaluation.attribution_kmers import (
    KMER_COLUMNS,
    kmer_motifs,
    sequence_codes,
    weigh_attributions,
    weigh_file,
    weigh_kmers,
)
from helpers.evaluation.modisco import find_patterns
from helpers.evaluation.motif_matching import match_motifs

PAIRS = dict(zip("ACGT", "TGCA", strict=True))


def slow_kmers(codes, attributions, k):
    """Sums of each k-mer or its reverse complement, by text."""
    sums = defaultdict(list)
    for row, values in zip(codes, attributions, strict=True):
        text = "".join("ACGTN"[code] for code in row)
        for start in range(len(text) - k + 1):
            kmer = text[start : start + k]
            if "N" not in kmer:
                turned = "".join(PAIRS[base] for base in reversed(kmer))
                sums[min(kmer, turned)].append(sum(values[start : start + k]))
    return sums


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(4, 30))
def test_kmers_are_weighed_like_text(seed, k, length):
    rng = np.random.default_rng(seed)
    codes = rng.choice(5, (4, length), p=[0.3, 0.2, 0.2, 0.2, 0.1]).astype(np.uint8)
    attributions = rng.normal(0, 1, codes.shape).astype(np.float32)
    sums = slow_kmers(codes, attributions.astype(float), k)
    everything = np.concatenate([[0.0], *sums.values()])[1:]
    table = weigh_kmers(codes, attributions, k)
    assert list(table.columns) == list(KMER_COLUMNS)
    assert set(table["kmer"]) == set(sums)
    assert table["z"].is_monotonic_decreasing
    for row in table.itertuples():
        own = sums[row.kmer]
        assert row.reverse_complement == "".join(PAIRS[base] for base in reversed(row.kmer))
        assert (row.n, row.frequency) == (len(own), pytest.approx(len(own) / len(everything)))
        assert row.mean == pytest.approx(np.mean(own), abs=1e-5)
        spread = everything.std()
        z = (np.mean(own) - everything.mean()) / (spread / np.sqrt(len(own))) if spread > 1e-6 else row.z
        assert row.z == pytest.approx(z, abs=1e-3)


@pytest.mark.parametrize("k", [8, 12])
def test_long_kmers_are_counted_on_both_strands(k):
    rng = np.random.default_rng(k)
    codes = rng.integers(0, 4, (3, 40)).astype(np.uint8)
    attributions = rng.normal(0, 1, codes.shape)
    table, turned = weigh_kmers(codes, attributions, k), weigh_kmers(3 - codes[:, ::-1], attributions[:, ::-1], k)
    pd.testing.assert_frame_equal(table, turned)
    assert set(table["kmer"]) == set(slow_kmers(codes, attributions, k))


def test_a_planted_kmer_comes_first_however_rare():
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 4, (60, 100)).astype(np.uint8)
    attributions = rng.normal(0, 0.1, codes.shape)
    for row in range(0, 60, 4):
        site = encode_letters(b"TTACCCG") if row % 8 else encode_letters(b"CGGGTAA")
        codes[row, 30:37], attributions[row, 30:37] = site, 1.0
    table = weigh_kmers(codes, attributions)
    assert table.loc[0, ["kmer", "reverse_complement"]].tolist() == ["CGGGTAA", "TTACCCG"]
    assert table.at[0, "n"] >= 15
    assert table.at[0, "z"] > 3 * table.at[10, "z"]


def test_windows_without_kmers_give_an_empty_table_and_mistakes_are_named():
    unknown = np.full((2, 9), 4, dtype=np.uint8)
    table = weigh_kmers(unknown, np.zeros((2, 9)), 3)
    assert table.empty
    assert list(table.columns) == list(KMER_COLUMNS)
    equal = weigh_kmers(np.zeros((1, 5), dtype=np.uint8), np.ones((1, 5)), 2)
    assert equal[["kmer", "n", "mean", "z"]].values.tolist() == [["AA", 4, 2.0, 0.0]]
    for codes, attributions, k in (
        (unknown, np.zeros((2, 8)), 3),
        (unknown, np.zeros((2, 9)), 13),
        (unknown, np.zeros((2, 9)), 10),
    ):
        with pytest.raises(InputError, match=f"Received: k={k}, codes of shape"):
            weigh_kmers(codes, attributions, k)


@pytest.fixture
def stored(tmp_path):
    """A genome of one contig of 1000 bp, its letters, and where it is stored, by input."""
    text = "".join(np.random.default_rng(6).choice(list("ACGT"), 1000))
    (tmp_path / "genome.fa").write_text(f">chr1\n{text}\n")
    encode_fasta(tmp_path / "genome.fa", tmp_path / "genome.h5")
    return text, {"dna": tmp_path / "genome.h5"}


def attributions_of(windows, values, flank=20):
    """Attributions of a sequence and a coverage, with the values of the sequence for each output."""
    layouts = {
        "dnase": InputLayout("coverage", 30, 50, ["a"]),
        "dna": InputLayout("sequence", flank, 1, list("ACGT")),
    }
    coverage = np.ones((len(windows), 2, 2, 1))
    return Attributions(windows, layouts, {key: {"dna": own, "dnase": coverage} for key, own in values.items()}, {})


def test_letters_of_attributed_windows_are_forward_and_reach_over_the_ends(stored):
    text, stores = stored
    windows = pd.DataFrame({"chrom": "chr1", "start": [100, 0, 950], "end": [150, 50, 1000], "strand": ["-", "+", "."]})
    codes = sequence_codes(attributions_of(windows, {}), stores)
    assert list(codes) == ["dna"]
    padded = "N" * 20 + text + "N" * 20
    for row, start, end in zip(codes["dna"], windows["start"], windows["end"], strict=True):
        assert "".join("ACGTN"[code] for code in row) == padded[start : end + 40]


def test_attributions_are_weighed_for_each_output(stored):
    text, stores = stored
    windows = pd.DataFrame({"chrom": "chr1", "start": [100, 300], "end": [160, 360], "strand": "."})
    values = np.zeros((2, 100, 4), dtype=np.float32)
    values[0, 50:57] = 0.25
    attributions = attributions_of(windows, {"a": values, "b": -values})
    codes = sequence_codes(attributions, stores)["dna"]
    table = weigh_attributions(attributions, stores)
    assert list(table.columns) == ["output", "input", *KMER_COLUMNS]
    for output, sign in (("a", 1), ("b", -1)):
        own = table[table["output"] == output].drop(columns=["output", "input"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(own, weigh_kmers(codes, sign * values.sum(axis=2)))
    site = text[130:137]  # 50 behind the flank of 20 before 100
    first = table.iloc[0]
    assert site in (first["kmer"], first["reverse_complement"])
    assert first["mean"] == 7
    motifs = kmer_motifs(table, most=3)
    assert motifs[0].consensus() == first["kmer"]
    assert motifs[0].name == f"kmer_{first['kmer']}"
    assert len(motifs) == len({motif.name for motif in motifs}) == 6
    assert match_motifs(motifs[:1], motifs)["target"][0] == motifs[0].name


def test_files_of_attributions_are_weighed_and_need_not_be_there(stored, tmp_path):
    _, stores = stored
    windows = pd.DataFrame({"chrom": "chr1", "start": [100, 300], "end": [160, 360], "strand": "."})
    values = np.random.default_rng(2).normal(0, 1, (2, 100, 4)).astype(np.float32)
    attributions = attributions_of(windows, {"a": values})
    attributions.checks["a"] = pd.DataFrame({"steps": [32, 32]})
    write_attributions(tmp_path / "attributions.h5", attributions)
    readings = {"dna": {"kind": "sequence", "stores": [str(stores["dna"])]}, "dnase": {"kind": "coverage"}}
    table = weigh_file(tmp_path / "attributions.h5", readings, 1000)
    pd.testing.assert_frame_equal(table, weigh_attributions(attributions, stores))
    for nothing in (None, []):
        empty = weigh_file(nothing, readings, 1000)
        assert (list(empty.columns), len(empty), kmer_motifs(empty)) == (list(table.columns), 0, [])


def planted_attributions():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (300, 200)).astype(np.uint8)
    values = rng.normal(0, 0.02, codes.shape)
    site = encode_letters(b"TTACCCG")
    for row in range(len(codes)):
        for start in rng.integers(20, 80, 1).tolist() + rng.integers(110, 170, 1).tolist():
            codes[row, start : start + 7] = site if rng.random() < 0.5 else 3 - site[::-1]
            values[row, start : start + 7] = 1 + rng.normal(0, 0.1, 7)
    return codes, np.eye(5)[codes][:, :, :4] * values[:, :, None]


@pytest.mark.skipif(find_spec("modiscolite") is not None, reason="its package is installed")
def test_a_missing_package_is_named_with_its_remedy():
    with pytest.raises(InputError, match=r"No module named 'modiscolite'.*pip install '.\[modisco\]'"):
        find_patterns(*planted_attributions())


def test_patterns_need_an_attribution_for_each_letter():
    with pytest.raises(InputError, match=r"codes of shape \(2, 9\), attributions of shape \(2, 9\)"):
        find_patterns(np.zeros((2, 9), dtype=np.uint8), np.zeros((2, 9)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_modisco_finds_the_planted_pattern():
    pytest.importorskip("modiscolite")
    codes, attributions = planted_attributions()
    patterns = find_patterns(codes, attributions)
    assert patterns[0].name == "pattern_positive0"
    core = kmer_motifs(pd.DataFrame({"output": ["a"], "input": ["dna"], "kmer": ["TTACCCG"]}))
    match = match_motifs(patterns[:1], core).iloc[0]
    assert (match["overlap"], match["correlation"] > 0.95, match["p"] < 1e-3) == (7, True, True)
    falling = find_patterns(codes, -attributions)
    assert falling[0].name == "pattern_negative0"
