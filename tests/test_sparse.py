"""Sparse arrays and kinds of storage: the same values to the last bit, whatever the kind."""

import pickle
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.normalization import NORMALIZERS, fit_normalizer
from helpers.data.sparse import SparseArray
from helpers.data.storage import GenomeArray
from helpers.data.stores import STORAGES, open_store, store_contigs
from helpers.errors import InputError

SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, -1.5, 7.25, 0.0, 0.0, 0.0])


def same_bits(left, right):
    """Equal to the last bit: NaN equals NaN, -0.0 differs from 0.0."""
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def slow_window(contig, start, length, fill):
    window = np.full((length, *contig.shape[1:]), fill, dtype=contig.dtype)
    for position in range(length):
        with suppress(IndexError):
            if start + position >= 0:
                window[position] = contig[start + position]
    return window


@st.composite
def cases(draw):
    """Contigs, some empty, of numbers that storage could lose; shuffled and overlapping windows, also over the ends."""
    lengths = draw(st.lists(st.integers(0, 15), min_size=1, max_size=4))
    tail = draw(st.sampled_from([(), (1,), (2,), (2, 3)]))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int16, np.uint8, np.uint32, np.int64]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    density = draw(st.sampled_from([0, 0.1, 0.5, 1]))
    contigs = {}
    for number, length in enumerate(lengths):
        if np.dtype(dtype).kind == "f":
            values = rng.choice(SPECIAL, (length, *tail))
        else:
            values = rng.integers(-9 if np.dtype(dtype).kind == "i" else 1, 9, (length, *tail))
        contigs[f"c{number}"] = np.where(rng.random((length, *tail)) < density, values, 0).astype(dtype)
    windows = draw(st.lists(st.tuples(st.sampled_from(list(contigs)), st.integers(-30, 30)), max_size=8))
    return contigs, [chrom for chrom, _ in windows], [start for _, start in windows], draw(st.integers(1, 20))


@settings(max_examples=200, deadline=None)
@given(cases(), st.sampled_from([0, 5]), st.sampled_from([0, 3]))
def test_all_storages_agree_bit_by_bit_with_a_slow_loop(tmp_path_factory, case, outside, fill):
    contigs, chroms, starts, length = case
    path = tmp_path_factory.mktemp("store") / "values.h5"
    first = next(iter(contigs.values()))
    expected = np.empty((0, length, *first.shape[1:]), dtype=first.dtype)
    if chroms:
        pairs = zip(chroms, starts, strict=True)
        expected = np.stack([slow_window(contigs[chrom], start, length, outside) for chrom, start in pairs])
    stores = [store_contigs(contigs, storage=storage, fill=fill) for storage in ("ndarray", "sparse")]
    for storage in STORAGES:
        stores.append(store_contigs(contigs, storage=storage, path=path, fill=fill))
        stores[-1].gather(chroms, starts, length)
    for store in [*stores, *(pickle.loads(pickle.dumps(store)) for store in stores[:2])]:
        assert same_bits(store.gather(chroms, starts, length, fill=outside), expected)
        for name, contig in contigs.items():
            assert same_bits(store.contig(name), contig)
        assert store.sizes == {name: len(contig) for name, contig in contigs.items()}
        assert (store.dtype, store.item_shape) == (first.dtype, first.shape[1:])


@pytest.mark.parametrize("density", [0.0005, 0.05, 1])
def test_clusters_of_a_long_genome_are_found_among_empty_stretches(density):
    """Blocks of the index that hold nothing, a few and thousands of positions; against the dense array."""
    rng = np.random.default_rng(8)
    contigs = {name: rng.normal(size=(size, 2)).astype(np.float32) for name, size in (("a", 40_000), ("b", 9_001))}
    for contig in contigs.values():
        contig[rng.random(len(contig)) >= density] = 0
    contigs["a"][20_000:23_000] = 1.5
    dense, sparse = (store_contigs(contigs, storage=storage) for storage in ("ndarray", "sparse"))
    for length in (1, 22, 4000):
        chroms, starts = rng.choice(list(contigs), 300), rng.integers(-4100, 41_000, 300)
        assert same_bits(sparse.gather(chroms, starts, length, fill=9), dense.gather(chroms, starts, length, fill=9))


def test_any_stretch_of_the_axis_can_be_read():
    values = np.array([0, 3, 0, 0, -1, 0, 0, 2])
    dense = GenomeArray.from_contigs({"a": values[:3], "b": values[3:]})
    sparse = store_contigs(dense, storage="sparse")
    for start in range(9):
        for stop in range(start, 9):
            assert same_bits(sparse.block(start, stop), values[start:stop])
            assert same_bits(dense.block(start, stop), values[start:stop])


def test_only_positions_that_differ_from_the_fill_are_kept():
    values = np.array([[0, 0], [np.nan, 0], [0, 0], [-0.0, 0], [0, -1]])
    sparse = SparseArray.from_contigs({"a": values})
    assert sparse.positions.tolist() == [1, 3, 4]
    assert sparse.positions.dtype == np.uint32
    missing = np.array([np.nan, 1.0, np.nan, 0.0])
    filled = SparseArray.from_contigs({"a": missing}, fill=np.nan)
    assert filled.n_stored == 2
    np.testing.assert_array_equal(filled.gather(["a"], [-1], 6, fill=9), [[9, np.nan, 1, np.nan, 0, 9]])


def test_a_genome_above_four_gigabases_is_addressed():
    lengths = {"long": 5_000_000_000, "next": 3_000_000_000, "last": 10}
    positions = np.array([4_999_999_999, 5_000_000_000, 8_000_000_003])
    sparse = SparseArray(positions, np.array([1, 2, 3]), lengths)
    windows = sparse.gather(["long", "next", "last", "last"], [4_999_999_998, -1, 2, 0], 3)
    assert windows.tolist() == [[0, 1, 0], [0, 2, 0], [0, 3, 0], [0, 0, 0]]


def test_contigs_come_one_by_one_and_are_checked():
    pairs = (item for item in [("a", np.arange(3)), ("b", np.zeros(4, dtype=int))])
    sparse = store_contigs(pairs, {"resolution": 5}, storage="sparse")
    assert sparse.sizes == {"a": 3, "b": 4}
    assert sparse.attrs == {"resolution": 5}
    for wrong, message in (
        ({}, "no contig"),
        ([("a", np.arange(3)), ("a", np.arange(2))], "come twice: a"),
        ({"a": np.arange(3), "b": np.arange(3.0)}, "differ in dtype or shape"),
    ):
        for storage in ("ndarray", "sparse"):
            with pytest.raises(InputError, match=message):
                store_contigs(wrong, storage=storage)
    with pytest.raises(InputError, match="one position for each value"):
        SparseArray(np.arange(2), np.arange(3), {"a": 5})


def test_bad_windows_and_contigs_are_refused_alike():
    for storage in ("ndarray", "sparse"):
        store = store_contigs({"chr1": np.arange(5)}, storage=storage)
        with pytest.raises(InputError, match=r"does not have: chr9\. It has chr1"):
            store.gather(["chr9"], [0], 2)
        with pytest.raises(InputError, match="length=0"):
            store.gather(["chr1"], [0], 0)
        with pytest.raises(InputError, match="chrM"):
            store.contig("chrM")


def test_storages_that_are_not_known_or_lack_a_file_say_so(tmp_path):
    with pytest.raises(InputError, match=r"storage is one of ndarray, sparse, hdf5\. Received: storage='zarr'"):
        store_contigs({"a": np.arange(3)}, storage="zarr")
    with pytest.raises(InputError, match="storage='hdf5' reads values from a file.*cache=True"):
        store_contigs({"a": np.arange(3)}, storage="hdf5")
    store = store_contigs({"a": np.arange(3)}, storage="hdf5", path=tmp_path / "a.h5")
    assert store.path == tmp_path / "a.h5"


def test_files_open_as_what_they_are(tmp_path):
    for storage, kind in (("sparse", SparseArray), ("ndarray", GenomeArray)):
        path = tmp_path / f"{storage}.h5"
        store_contigs({"a": np.array([0.0, -2.0])}, {"resolution": 7}, storage=storage, path=path)
        opened = open_store(path)
        assert isinstance(opened, kind)
        assert opened.attrs == {"resolution": 7}
        assert opened.path == path
        np.testing.assert_array_equal(opened.contig("a"), [0, -2])
        assert len(pickle.dumps(opened)) < 2000
    with pytest.raises(InputError, match="is a helpers genome array but not a sparse genome array"):
        SparseArray.open(tmp_path / "ndarray.h5")
    (tmp_path / "text.h5").write_text("chr1\t5\n")
    with pytest.raises(InputError, match="not a genome array, or it is damaged"):
        open_store(tmp_path / "text.h5")


@pytest.mark.parametrize("name", [name for name in NORMALIZERS if name in ("tpm", "zscore", "zscorelog", "log")])
@pytest.mark.parametrize("regions", [None, pd.DataFrame({"chrom": ["b", "a"], "start": [10, 5], "end": [40, 30]})])
def test_normalizers_learn_the_same_from_all_storages(monkeypatch, name, regions):
    monkeypatch.setattr("helpers.data.normalization._BINS_AT_ONCE", 7)
    rng = np.random.default_rng(3)
    contigs = {chrom: rng.poisson(0.4, (n, 2)).astype(np.uint32) for chrom, n in (("a", 50), ("b", 23))}
    dense, sparse = (store_contigs(contigs, storage=storage) for storage in ("ndarray", "sparse"))
    fitted = [fit_normalizer(name, store, regions, resolution=2) for store in (dense, sparse)]
    assert fitted[0] == fitted[1]
    if name == "zscore" and regions is not None:
        touched = np.concatenate([contigs["a"][2:15], contigs["b"][5:20]])
        np.testing.assert_allclose([fitted[0].mean_, fitted[0].std_], [touched.mean(), touched.std(ddof=1)])
