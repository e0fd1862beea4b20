"""Mutated motifs: exact for a model that counts them."""

import numpy as np
import pandas as pd
import pytest

from helpers.data.sequence import encode_fasta, encode_letters
from helpers.errors import InputError
from helpers.evaluation.mutation import find_motif, mutate_motif, site_windows, summarize_mutations

MOTIF = "TTACCCG"


def windows_of(*texts):
    return np.stack([encode_letters(text.encode()) for text in texts])


def count_motif(codes):
    """A model that counts bases of the motif on both strands."""
    return find_motif(codes, MOTIF).sum(axis=1).astype(float)


def random_windows(rng, count, length=120):
    return rng.integers(4, size=(count, length)).astype(np.uint8)


def test_the_motif_is_found_on_both_strands_and_not_over_unknown_bases():
    found = find_motif(windows_of("AATTACCCGAA", "AACGGGTAAAA", "AATTANCCGAA"), MOTIF)
    assert found.astype(int).tolist() == [
        [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        [0] * 11,
    ]


def test_a_model_that_counts_the_motif_falls_only_when_it_is_mutated():
    rng = np.random.default_rng(1)
    codes = random_windows(rng, 20)
    codes[:, 50:57] = encode_letters(MOTIF.encode())
    before = codes.copy()
    scan = mutate_motif(count_motif, codes, MOTIF, centers=np.full(20, 53), distance=25, rng=rng)
    assert (codes == before).all()
    assert (scan.intact >= 7).all()
    assert (scan.motif == 0).all()
    assert (scan.elsewhere >= scan.intact).all()


def test_as_many_bases_change_elsewhere_as_in_the_motif():
    rng = np.random.default_rng(2)
    codes = random_windows(rng, 10)
    codes[:, 10:17] = codes[:, 90:97] = encode_letters(MOTIF.encode())
    seen = []
    mutate_motif(
        lambda given: seen.append(given) or np.zeros(len(given)),
        codes,
        MOTIF,
        centers=np.full(10, 13),
        distance=5,
        draws=3,
        rng=rng,
    )
    *elsewhere, intact, motif = seen
    assert (intact == codes).all()
    changed = (motif != codes).sum(axis=1)
    assert (changed == find_motif(codes, MOTIF).sum(axis=1)).all()
    for drawn in elsewhere:
        assert ((drawn != codes).sum(axis=1) == changed).all()
        assert not ((drawn != codes) & (motif != codes)).any()


def test_sites_without_the_motif_nearby_are_left_out():
    codes = windows_of("A" * 60, "A" * 40 + MOTIF + "A" * 13, MOTIF + "A" * 53)
    scan = mutate_motif(
        count_motif, codes, MOTIF, centers=np.array([30, 30, 30]), distance=10, rng=np.random.default_rng(0)
    )
    assert scan.window.tolist() == [1]
    with pytest.raises(InputError, match="TTACCCG"):
        mutate_motif(count_motif, codes[:1], MOTIF, centers=np.array([30]), distance=10, rng=np.random.default_rng(0))


def test_windows_are_cut_on_the_grid_with_the_site_where_it_says(tmp_path):
    sequence = "".join(np.random.default_rng(3).choice(list("ACGT"), 1000))
    (tmp_path / "genome.fa").write_text(f">chr1\n{sequence}\n")
    encode_fasta(tmp_path / "genome.fa", tmp_path / "genome.h5")
    sites = pd.DataFrame({"chrom": "chr1", "start": [437, 5, 999], "end": [438, 6, 1000]})
    windows = site_windows(sites, tmp_path / "genome.h5", binsize=200, flank=50)
    assert windows.codes.shape == (3, 300)
    for codes, center, start in zip(windows.codes, windows.centers, sites["start"], strict=True):
        assert codes[center] == encode_letters(sequence[start].encode())[0]
    assert (windows.codes[0] == encode_letters(sequence[350:650].encode())).all()


def test_the_summary_is_the_mean_change_with_an_interval_around_it():
    rng = np.random.default_rng(4)
    intact = rng.random(200)
    scans = pd.DataFrame(
        {"variant": "order~1", "intact": intact, "motif": intact - 0.5, "elsewhere": intact + rng.normal(0, 0.1, 200)}
    )
    summary = summarize_mutations(scans, seed=1).set_index("mutated")
    assert summary.at["motif", "delta"] == pytest.approx(-0.5)
    assert summary.at["elsewhere", "ci_low"] < 0 < summary.at["elsewhere", "ci_high"]
    assert summary.at["motif - elsewhere", "ci_high"] < -0.4
    assert (summary["n"] == 200).all()
