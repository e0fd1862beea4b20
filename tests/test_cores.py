"""Occurrences of a motif near sites, against a search letter by letter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.regions import region_table
from helpers.data.sequence import encode_letters
from helpers.data.storage import GenomeArray
from helpers.errors import InputError
from helpers.evaluation.cores import motif_cores

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def slow(contigs, motif, sites, distance):
    """All occurrences, found with Python's strings."""
    found = []
    turned = motif.translate(COMPLEMENT)[::-1]
    for chrom, letters in sorted(contigs.items()):
        centers = [(start + end - 1) // 2 for name, start, end in sites if name == chrom]
        for start in range(len(letters) - len(motif) + 1):
            bases = range(start, start + len(motif))
            if not any(abs(base - center) <= distance for base in bases for center in centers):
                continue
            piece = letters[start : start + len(motif)]
            if piece == motif:
                found.append((chrom, start, start + len(motif), "+"))
            if piece == turned and turned != motif:
                found.append((chrom, start, start + len(motif), "-"))
    return found


def cores(contigs, motif, sites, distance):
    genome = GenomeArray.from_contigs({name: encode_letters(text.encode()) for name, text in contigs.items()})
    table = region_table(*(list(column) for column in zip(*sites, strict=True)))
    found = motif_cores(genome, sorted(contigs), motif, sites=table, distance=distance)
    return list(found[["chrom", "start", "end", "strand"]].itertuples(index=False, name=None))


@settings(max_examples=200, deadline=None)
@given(
    st.text("ACGN", min_size=1, max_size=40),
    st.text("ACG", min_size=1, max_size=40),
    st.text("ACGT", min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 38), st.integers(1, 3)), min_size=1, max_size=4),
    st.integers(0, 6),
)
def test_equals_a_search_letter_by_letter(first, second, motif, places, distance):
    contigs = {"a": first, "b": second}
    sites = [(chrom, start, start + length) for chrom, start, length in places]
    expected = slow(contigs, motif, sites, distance)
    if expected:
        assert cores(contigs, motif, sites, distance) == expected
    else:
        with pytest.raises(InputError, match=f"'{motif}' lies within {distance} bp of none of {len(sites)} sites"):
            cores(contigs, motif, sites, distance)


def test_the_ends_of_a_chromosome_and_the_last_base_that_is_near_enough():
    contigs = {"a": "TTACCCG" + "A" * 20 + "CGGGTAA"}
    assert cores(contigs, "TTACCCG", [("a", 11, 12)], 5) == [("a", 0, 7, "+")]  # its last base, 6, is 5 bp away
    assert cores(contigs, "TTACCCG", [("a", 22, 23)], 5) == [("a", 27, 34, "-")]
    with pytest.raises(InputError):
        cores(contigs, "TTACCCG", [("a", 11, 12)], 4)


def test_a_palindrome_counts_once():
    assert cores({"a": "AACGTTA"}, "ACGT", [("a", 3, 4)], 1) == [("a", 1, 5, "+")]


def test_the_result_is_a_region_table_of_whole_numbers():
    genome = GenomeArray.from_contigs({"a": encode_letters(b"ACGTACGT")})
    found = motif_cores(genome, ["a"], "GTA", sites=region_table(["a"], [3], [4]), distance=0)
    assert found["start"].dtype == np.int64
    assert list(found.columns[:3]) == ["chrom", "start", "end"]
