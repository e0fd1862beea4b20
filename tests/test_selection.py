"""Views, subsets and splits: the chosen windows, in their order, aligned between datasets, and nothing else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.array import Array
from helpers.data.augmentation import RandomOrientation
from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.selection import split_train_test, subset, view
from helpers.data.sequence import Bioseq
from helpers.data.storage import GenomeArray
from helpers.data.transforms import ReduceDim
from helpers.errors import InputError

SIZES = {"chr1": 300, "chr2": 200, "chr3": 110}
REGIONS = pd.DataFrame(
    [
        ("chr2", 20, 90, "+"),
        ("chr1", 40, 90, "-"),
        ("chr3", 0, 60, "."),
        ("chr1", 100, 200, "+"),
        ("chr2", 60, 80, "-"),
    ],
    columns=["chrom", "start", "end", "strand"],
)
PEAKS = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [50, 70], "end": [130, 72]})


def make(**settings):
    """Sequence, coverage and labels of the same windows."""
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, 5, size).astype(np.uint8) for name, size in SIZES.items()}
    counts = {name: rng.integers(0, 9, (size // 10, 2)) for name, size in SIZES.items()}
    tiling = {"binsize": 20, "stepsize": 10, **settings}
    return (
        Bioseq.create_from_refgenome("dna", GenomeArray.from_contigs(codes), REGIONS, flank=10, **tiling),
        Cover.create_from_store(
            "dnase",
            [GenomeArray.from_contigs(counts, {"resolution": 10})],
            REGIONS,
            **tiling,
        ),
        Cover.create_from_bed("peaks", PEAKS, REGIONS, **tiling),
    )


@pytest.mark.parametrize("random_state", [None, 5])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_subset_has_the_windows_of_its_contigs_in_their_order(random_state, number):
    dataset = make(random_state=random_state)[number]
    chroms = dataset.gindexer.windows().chroms
    for include, exclude, wanted in (
        ("chr1", None, ["chr1"]),
        (["chr3", "chr1"], None, ["chr1", "chr3"]),
        (None, "chr1", ["chr2", "chr3"]),
        (["chr1", "chr2"], ["chr2"], ["chr1"]),
    ):
        part = subset(dataset, include, exclude)
        mask = np.isin(chroms, wanted)
        np.testing.assert_array_equal(part[:], dataset[mask])
        assert part.gindexer.tostr() == [
            text for text, kept in zip(dataset.gindexer.tostr(), mask, strict=True) if kept
        ]
        assert (part.name, part.conditions) == (dataset.name, dataset.conditions)
        assert part.shape == (mask.sum(), *dataset.shape[1:])
    assert len(subset(dataset, exclude_regions=["chr1", "chr2", "chr3"])) == 0
    assert len(dataset) == len(chroms), "the dataset is as it was"


def test_unknown_contigs_are_named_with_those_present():
    for dataset in (*make(), ReduceDim(make()[1])):
        with pytest.raises(
            InputError, match=rf"'{dataset.name}' has no window on chr9. It has windows on chr2, chr1, chr3"
        ):
            subset(dataset, "chr9")
        with pytest.raises(InputError, match="no window on 3"):
            split_train_test(dataset, ["chr2", "3"])
    with pytest.raises(InputError, match="Give include_regions or exclude_regions"):
        subset(make()[0])
    with pytest.raises(InputError, match=r"contigs to hold out. Received: holdout_chroms=\[\]"):
        split_train_test(make()[0], [])


def test_arrays_and_datasets_without_windows_cannot_be_chosen_from():
    for dataset in (np.ones(3), Array("x", np.ones(3)), ReduceDim(np.ones((3, 2, 1, 1)))):
        with pytest.raises(InputError, match="has no windows"):
            subset(dataset, "chr1")
        with pytest.raises(InputError, match="has no windows"):
            view(dataset, REGIONS)
    genome = GenomeArray.from_contigs({"chr1": np.zeros(9, np.uint8)})
    with pytest.raises(InputError, match="has no windows"):
        view(Bioseq("dna", genome), REGIONS)


def test_a_split_takes_and_gives_any_structure():
    dna, dnase, peaks = make(random_state=3)
    wrapped = RandomOrientation(dnase, seed=1)
    (train, test) = split_train_test(({"dna": dna, "dnase": wrapped}, [peaks]), "chr2")
    for part, chroms in ((train, {"chr1", "chr3"}), (test, {"chr2"})):
        inputs, (labels,) = part
        assert (type(part), type(inputs), type(part[1])) == (tuple, dict, list)
        assert isinstance(inputs["dnase"], RandomOrientation)
        assert set(labels.gindexer.chrs) == chroms
        assert len(inputs["dna"]) == len(inputs["dnase"]) == len(labels)
    assert len(train[1][0]) + len(test[1][0]) == len(peaks)
    train, test = split_train_test(dna, ["chr1", "chr3"])
    assert isinstance(train, Bioseq)
    assert set(test.gindexer.chrs) == {"chr1", "chr3"}
    np.testing.assert_array_equal(dnase[:], make(random_state=3)[1][:])


def test_a_view_reads_other_regions_of_the_same_genome():
    dna, dnase, peaks = make()
    other = pd.DataFrame({"chrom": ["chr3", "chr1"], "start": [20, 0], "end": [60, 30], "strand": ["-", "+"]})
    for dataset in (dna, dnase):
        seen = view(dataset, other)
        windows = GenomicIndexer.create_from_file(other, 20, 10, dataset.gindexer.flank)
        assert seen.gindexer.tostr() == windows.tostr()
        for row, region in enumerate(windows):
            if region.end - region.start == 20 + 2 * dataset.gindexer.flank:
                expected = dataset[region] if dataset is dna else dataset[region][:, ::10]
                np.testing.assert_array_equal(seen[row], expected)
    assert seen._signal.arrays[0] is dnase._signal.arrays[0], "stored values are shared"
    wrapped = view(ReduceDim(dnase), other)
    np.testing.assert_array_equal(wrapped[:], view(dnase, other)[:].sum(axis=(1, 2)))
    assert len(view(dna, other[:0])) == 0
    with pytest.raises(InputError, match="belong to its windows"):
        view(peaks, other)
    with pytest.raises(InputError, match="chrX"):
        view(dna, other.assign(chrom="chrX"))
    with pytest.raises(InputError, match="do not begin"):
        view(dnase, other.assign(start=other.start + 3))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 90), st.integers(1, 80)), min_size=1, max_size=6
    ),
    st.integers(1, 30),
    st.integers(1, 40),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 9)),
    st.data(),
)
def test_windows_taken_are_those_asked_for(regions, binsize, stepsize, padding, random_state, data):
    table = pd.DataFrame(
        [(chrom, start, start + size) for chrom, start, size in regions], columns=["chrom", "start", "end"]
    )
    windows = GenomicIndexer.create_from_file(table, binsize, stepsize, 4, padding, random_state=random_state)
    values = np.arange(len(windows) * 2).reshape(-1, 2)
    cover = Cover.create_from_array("x", values, windows, resolution=None)
    rows = data.draw(st.lists(st.integers(0, max(len(windows) - 1, 0)), max_size=8 if len(windows) else 0))
    part = cover.take(rows)
    assert [tuple(window) for window in part.gindexer] == [tuple(windows[row]) for row in rows]
    np.testing.assert_array_equal(part[:], cover[rows])


def test_windows_taken_keep_whole_regions():
    windows = GenomicIndexer.create_from_file(REGIONS, None, collapse=True)
    cover = Cover.create_from_array("x", np.arange(5.0).reshape(5, 1), windows)
    assert cover.take([3, 0]).gindexer.tostr() == ["chr1:100-200", f"chr2:20-{REGIONS.end[0]}"]
    assert cover.take([])[:].shape == (0, 1, 1, 1)


def test_twenty_thousand_contigs_are_split():
    names = [f"sequence{number}" for number in range(20_000)]
    dna = Bioseq.create_from_seq("dna", [(name, "ACGT") for name in names])
    train, test = split_train_test(dna, names[::2])
    assert train.gindexer.chrs.tolist() == names[1::2]
    assert test.gindexer.chrs.tolist() == names[::2]
    with pytest.raises(InputError, match="no window on other. It has windows on sequence0, .*sequence7. Correct"):
        subset(dna, "other")
