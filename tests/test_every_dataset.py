"""What holds for datasets however they are made: storages agree, files give them back, wrappers and choices work."""

import inspect
import itertools
import pickle
import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data import (
    Bioseq,
    Cover,
    GenomicIndexer,
    NanToNumConverter,
    RandomOrientation,
    ReduceDim,
    SqueezeDim,
    Transpose,
    normalize,
    open_dataset,
    split_train_test,
    subset,
    view,
)
from helpers.data.bam import store_bam_coverage
from helpers.data.bigwig import write_bigwig
from helpers.data.contigs import agree_on_sizes
from helpers.data.signal import Rows
from helpers.data.storage import GenomeArray
from helpers.errors import InputError

SIZES = {"chr1": 1000, "chr2": 330}
STORAGES = ("ndarray", "sparse", "hdf5")
REGIONS = pd.DataFrame(
    {
        "chrom": ["chr2", "chr1", "chr1", "chr2", "chr1"],
        "start": [0, 900, 100, 260, 120],
        "end": [200, 1000, 240, 330, 320],
        "strand": ["-", "+", "-", ".", "+"],
    }
)


def values_of(seed, size):
    """Values of bases: gaps without data, negative numbers and zeros."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=size).astype(np.float32).round(1)
    values[rng.random(size) < 0.5] = 0
    values[rng.random(size // 10).repeat(10) < 0.4] = np.nan
    return values


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One file of each kind, of the same two contigs."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(5)
    letters = {name: "".join(rng.choice(list("ACGTN"), size)) for name, size in SIZES.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in letters.items()))
    (folder / "proteins.fa").write_text(">a\nMAGIC\n>b\nWILDX\n>c\nMMMMM\n")
    header = {"SQ": [{"SN": name, "LN": size} for name, size in SIZES.items()]}
    with pysam.AlignmentFile(str(folder / "reads.bam"), "wb", header=header) as file:
        for contig, size in enumerate(SIZES.values()):
            for position in np.sort(rng.integers(0, size - 20, 60)):
                read = pysam.AlignedSegment(file.header)
                read.query_name, read.flag, read.cigarstring = "r", int(rng.choice([0, 16])), "20M"
                read.reference_id, read.reference_start, read.mapping_quality = contig, int(position), 30
                file.write(read)
    pysam.index(str(folder / "reads.bam"))
    store_bam_coverage(folder / "reads.bam", folder / "counts.h5", resolution=10)
    for number, name in enumerate(("plus.bw", "minus.bw")):
        bases = [
            (chrom, np.arange(size), np.arange(1, size + 1), values_of(number + size, size))
            for chrom, size in SIZES.items()
        ]
        write_bigwig(folder / name, SIZES, bases)
    (folder / "peaks.bed").write_text("chr1\t120\t130\tb\t5\nchr2\t0\t40\ta\t-3\nchr1\t125\t300\ta\t2\n")
    (folder / "scores.bedgraph").write_text("chr1\t110\t160\t-2.5\nchr2\t30\t90\t0.5\nchr1\t950\t990\t7\n")
    return folder


def constructors(files):
    """All ways to make a Cover: name to a function of storage, cache and windows."""
    two_bigwigs = [files / "plus.bw", files / "minus.bw"]
    pair = [tuple(two_bigwigs)]
    beds = [files / "peaks.bed", files / "scores.bedgraph"]
    array = np.stack([values_of(9, 40), -values_of(8, 40)], axis=-1).reshape(10, 4, 1, 2)

    def from_array(*, roi, **kept):
        windows = GenomicIndexer.create_from_file(roi, 40, zero_padding=False)
        values = np.resize(array, (len(windows), 4, 1, 2))
        return Cover.create_from_array("x", values, windows, padding_value=np.nan, **kept)

    def made(constructor, source, whole, **own):
        def make(**kept):
            return constructor("x", source, binsize=40, store_whole_genome=whole, zero_padding=False, **(own | kept))

        return make

    bigwig, bed, bam = Cover.create_from_bigwig, Cover.create_from_bed, Cover.create_from_bam
    ways = {"array": from_array}
    for whole in (True, False):
        kind = "contigs" if whole else "windows"
        ways |= {
            f"bam {kind}": made(bam, [files / "reads.bam"] * 2, whole, resolution=10),
            f"bigwig {kind}": made(bigwig, two_bigwigs, whole, resolution=10),
            f"bigwig nan {kind}": made(bigwig, two_bigwigs, whole, resolution=10, nan_to_num=False, collapser="sum"),
            f"bigwig pair {kind}": made(bigwig, pair, whole, resolution=5, collapser="max", flank=20),
            f"bed {kind}": made(bed, beds, whole, resolution=20, genomesize=SIZES),
            f"bed scores {kind}": made(bed, beds[1], whole, resolution=20, genomesize=SIZES, mode="bedgraph"),
            f"bed names {kind}": made(bed, beds[0], whole, resolution=4, genomesize=SIZES, mode="name_category"),
        }
    return ways | {
        "bam values": made(bam, files / "reads.bam", None, resolution=None),
        "bigwig values": made(bigwig, two_bigwigs, None, resolution=None, flank=7),
        "bed values": made(bed, beds, None),
    }


WAYS = (
    "array",
    *(
        f"{way} {kind}"
        for way in ("bam", "bigwig", "bigwig nan", "bigwig pair", "bed", "bed scores", "bed names")
        for kind in ("contigs", "windows")
    ),
    "bam values",
    "bigwig values",
    "bed values",
)


def test_all_ways_are_tested(files):
    assert set(constructors(files)) == set(WAYS)


def test_constructors_take_the_same_arguments_in_the_same_order():
    """What can be given by position is what Janggu's constructors take, up to `storage`."""
    windows, bins = ["roi", "genomesize", "conditions"], ["binsize", "stepsize"]
    positional = {
        Bioseq.create_from_refgenome: ["refgenome", "roi", *bins, "flank", "order"],
        Bioseq.create_from_seq: ["fastafile"],
        Cover.create_from_bam: ["bamfiles", *windows, "min_mapq", *bins, "flank", "resolution"],
        Cover.create_from_bigwig: ["bigwigfiles", *windows, *bins, "resolution", "flank"],
        Cover.create_from_bed: ["bedfiles", *windows, *bins, "resolution", "flank"],
        Cover.create_from_array: ["array", "gindexer", "genomesize", "conditions", "resolution"],
        Cover.create_from_store: ["stores", "roi", "conditions", *bins, "flank"],
    }
    shared = ["storage", "cache", "normalizer", "zero_padding", "random_state", "store_whole_genome"]
    defaults = {"storage": "ndarray", "cache": False, "zero_padding": True, "flank": 0, "normalizer": None}
    for constructor, names in positional.items():
        parameters = inspect.signature(constructor).parameters
        by_position = [name for name, known in parameters.items() if known.kind is known.POSITIONAL_OR_KEYWORD]
        assert by_position == ["name", *names]
        by_name = [name for name, known in parameters.items() if known.kind is known.KEYWORD_ONLY]
        own = [name for name in by_name if name in shared]
        assert own == [name for name in shared if name in own]
        if constructor not in (Bioseq.create_from_seq, Cover.create_from_store):
            assert by_name[: len(own)] == own
        for name, known in parameters.items():
            assert known.default == defaults.get(name, known.default)


# ---- storages --------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("way", WAYS)
@given(data=st.data())
def test_all_storages_give_the_same(files, way, data):
    make, cache = constructors(files)[way], files / "cache"
    grid = 20 if way.endswith("contigs") else 1
    places = st.tuples(st.sampled_from(sorted(SIZES)), st.integers(0, 6), st.integers(2, 8), st.sampled_from("+-."))
    spots = data.draw(st.lists(places, min_size=1, max_size=4))
    roi = pd.DataFrame(
        [(chrom, first * grid, first * grid + 40 * length // 2, strand) for chrom, first, length, strand in spots],
        columns=["chrom", "start", "end", "strand"],
    )
    plain, sparse, stored = (
        make(
            roi=roi,
            storage=storage,
            **({} if storage == "ndarray" else {"cache": cache if storage == "hdf5" else False}),
        )
        for storage in STORAGES
    )
    mapped = make(roi=roi, storage="sparse", cache=cache)
    chrom = spots[0][0]
    start = data.draw(st.integers(-20, SIZES[chrom]))
    region = (chrom, start, start + data.draw(st.integers(1, 150)), data.draw(st.sampled_from("+-.")))
    rows = np.array(data.draw(st.lists(st.integers(0, len(plain) - 1), max_size=5)), dtype=int)
    learned = normalize_or_refuse(plain)
    for other in (sparse, stored, mapped):
        assert (other.shape, other.conditions) == (plain.shape, plain.conditions)
        np.testing.assert_array_equal(other[:], plain[:])
        np.testing.assert_array_equal(other[rows], plain[rows])
        np.testing.assert_array_equal(other[region], plain[region])
        np.testing.assert_array_equal(other.take(rows)[:], plain[rows])
        again = normalize_or_refuse(other)
        assert type(again) is type(learned)
        if isinstance(learned, Cover):
            np.testing.assert_array_equal(again[:], learned[:])
            np.testing.assert_array_equal(again[region], learned[region])


def normalize_or_refuse(cover):
    """Normalize; text where nothing can be learned."""
    try:
        return normalize(cover, ["perctrim", "zscore"])
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("storage", STORAGES)
def test_a_second_time_the_cache_has_the_values_and_nothing_is_read(files, tmp_path, monkeypatch, way, storage):
    made = constructors(files)[way](roi=REGIONS[1:2], storage=storage, cache=tmp_path)
    assert "has no entry" in made.explain().splitlines()[0]
    for name in ("bam_signal.count_genome", "bam_signal.count_bam_windows", "feature_signal.bin_features"):
        monkeypatch.delattr(f"helpers.data.{name}")
    monkeypatch.delattr("helpers.data.bigwig.BigWig.collapse")
    found = constructors(files)[way](roi=REGIONS[1:2], storage=storage, cache=tmp_path)
    assert all("found in the cache" in line for line in found.explain().splitlines())
    np.testing.assert_array_equal(found[:], made[:])
    assert found.conditions == made.conditions


@pytest.mark.parametrize("way", [way for way in WAYS if way != "array"])
def test_values_of_other_windows_are_other_entries_and_names_are_not(files, tmp_path, way):
    make = constructors(files)[way]
    first = make(roi=REGIONS[1:2], cache=tmp_path)
    if "names" not in way:
        names = [f"name {number}" for number in range(len(first.conditions))]
        renamed = make(roi=REGIONS[1:2], cache=tmp_path, conditions=names)
        assert renamed.conditions == names
        assert "found in the cache" in renamed.explain()
    turned = make(roi=REGIONS[1:2].assign(strand="-"), cache=tmp_path)
    assert ("found in the cache" in turned.explain()) == way.endswith("contigs")
    if not way.endswith("contigs"):
        assert "because windows changed from '2 windows, SHA-256" in turned.explain()
    np.testing.assert_array_equal(turned[:][:, ::-1, ::-1], first[:])


def test_what_features_stand_for_is_part_of_the_key(files, tmp_path):
    settings_ = {"roi": REGIONS, "binsize": 20, "resolution": 10, "cache": tmp_path}
    seen = set()
    table = pd.read_csv(files / "peaks.bed", sep="\t", names=["chrom", "start", "end", "name", "score"])
    variants = [
        {},
        {"overlap": 0.5},
        {"collapser": "mean"},
        {"mode": "score"},
        {"mode": "score", "collapser": "sum"},
        {"mode": "name_category"},
        {"mode": "name_category", "conditions": ["b", "a"]},
        {"mode": "score_category"},
        {"storage": "sparse"},
    ]
    for source, options in itertools.product((files / "peaks.bed", table, table[:2]), variants):
        plain = {name: value for name, value in options.items() if name != "storage"}
        expected = Cover.create_from_bed("x", source, **(settings_ | plain | {"cache": False}))
        for attempt in range(2):
            cover = Cover.create_from_bed("x", source, **settings_, **options)
            assert ("made anew" in cover.explain()) == (attempt == 0)
            assert cover.conditions == expected.conditions
            np.testing.assert_array_equal(cover[:], expected[:])
        seen.add(cover._signal.values.store.path)
    assert len(seen) == 3 * len(variants)


def test_a_file_among_several_that_changes_is_named(files, tmp_path):
    paths = [tmp_path / "a.bed", tmp_path / "b.bed"]
    for number, path in enumerate(paths):
        path.write_text(f"chr1\t{number}\t10\n")
    settings_ = {"resolution": 10, "genomesize": SIZES, "cache": tmp_path / "cache"}
    Cover.create_from_bed("x", paths, **settings_)
    paths[1].write_text("chr1\t10\t20\n")
    lines = Cover.create_from_bed("x", paths, **settings_).explain().splitlines()
    assert "labels of a.bed: found" in lines[0]
    assert f"the contents of {paths[1]} changed" in lines[1]
    windows = {"roi": REGIONS, "binsize": 20, "cache": tmp_path / "cache"}
    assert "labels of a.bed, b.bed: made anew" in Cover.create_from_bed("x", paths, **windows).explain()


def test_functions_cannot_be_part_of_a_key_but_normalizers_are_none(files, tmp_path):
    settings_ = {"roi": REGIONS, "binsize": 20, "resolution": 10}
    for collapser in (np.median, lambda values, axis: values.sum(axis=axis)):
        for whole in (True, False):
            for constructor, name in ((Cover.create_from_bigwig, "plus.bw"), (Cover.create_from_bed, "peaks.bed")):
                own = settings_ | {"collapser": collapser, "store_whole_genome": whole, "genomesize": SIZES}
                constructor("x", files / name, **own)
                with pytest.raises(InputError, match="cannot be part of the key of a cache. Received: collapser="):
                    constructor("x", files / name, **own, cache=tmp_path)
    for normalizer in (np.sqrt, [np.sqrt, "zscore"]):
        for whole in (True, False):
            own = settings_ | {"normalizer": normalizer, "store_whole_genome": whole}
            plain = Cover.create_from_bam("x", files / "reads.bam", **own)
            cached = Cover.create_from_bam("x", files / "reads.bam", **own, cache=tmp_path)
            np.testing.assert_array_equal(cached[:], plain[:])


@pytest.mark.parametrize("way", WAYS)
def test_storages_that_cannot_be_are_refused(files, way):
    make = constructors(files)[way]
    with pytest.raises(InputError, match="hdf5.*cache=True"):
        make(roi=REGIONS[1:2], storage="hdf5")
    with pytest.raises(InputError, match="storage is one of ndarray, sparse, hdf5. Received: storage='zarr'"):
        make(roi=REGIONS[1:2], storage="zarr")
    with pytest.raises(InputError, match="cache is True, False or a folder"):
        make(roi=REGIONS[1:2], cache=7)


def test_labels_take_a_byte_and_sparse_ones_less(tmp_path):
    """Hundreds of outputs of which few are positive, as in DeepSEA."""
    rng = np.random.default_rng(1)
    windows = GenomicIndexer.create_from_region("chr1", 0, 400_000, ".", binsize=200)
    beds = []
    for number in range(60):
        beds.append(tmp_path / f"{number}.bed")
        starts = np.sort(rng.integers(0, 2000, 40)) * 200
        beds[-1].write_text("".join(f"chr1\t{start}\t{start + 200}\n" for start in starts))
    dense, sparse = (
        Cover.create_from_bed("x", beds, windows.to_regions(), storage=storage) for storage in ("ndarray", "sparse")
    )
    np.testing.assert_array_equal(dense[:], sparse[:])
    assert dense.shape == (2000, 1, 1, 60)
    assert len(pickle.dumps(dense._signal)) < 1.1 * 2000 * 60
    assert len(pickle.dumps(sparse._signal)) < 0.2 * 2000 * 60
    test = subset(sparse.take(np.arange(500)), "chr1")
    assert len(pickle.dumps(test._signal)) < 0.2 * 500 * 60 + 2000
    sparse.take(np.arange(500)).save(tmp_path / "part.h5")
    np.testing.assert_array_equal(open_dataset(tmp_path / "part.h5")[:], dense[:500])


def test_part_of_what_lies_in_a_file_stays_there(files, tmp_path):
    make = constructors(files)["bed windows"]
    labels = make(roi=REGIONS, storage="hdf5", cache=tmp_path / "cache")
    part = labels.take([3, 0, 3]).take([1, 2])
    np.testing.assert_array_equal(part[:], labels[[0, 3]])
    assert part._signal.values.store is labels._signal.values.store
    part.save(tmp_path / "part.h5")
    opened = open_dataset(tmp_path / "part.h5")
    np.testing.assert_array_equal(opened[:], labels[[0, 3]])
    assert opened._signal.values.store.path == tmp_path / "part.h5"


def test_rows_larger_than_a_void_type_are_cut_one_by_one(monkeypatch):
    monkeypatch.setattr("helpers.data.storage._LARGEST_ITEM", 10)
    genome = GenomeArray.from_contigs({"a": np.arange(20), "b": np.arange(5)})
    assert genome.gather(["b", "a"], [1, 7], 4).tolist() == [[1, 2, 3, 4], [7, 8, 9, 10]]


def test_contigs_that_are_read_one_by_one_need_little_memory(tmp_path):
    sizes = {f"chr{number}": 200_000 for number in range(10)}
    write_bigwig(tmp_path / "x.bw", sizes, [(name, np.array([500]), np.array([900]), np.ones(1)) for name in sizes])
    peaks = {}
    for storage in ("ndarray", "sparse"):
        tracemalloc.start()
        cover = Cover.create_from_bigwig("x", tmp_path / "x.bw", storage=storage)
        peaks[storage] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert cover["chr7:499-901"].sum() == 400
    assert peaks["ndarray"] > sum(sizes.values()) * 4
    assert peaks["sparse"] < peaks["ndarray"] / 2


def test_files_of_one_dataset_are_of_one_assembly(files, tmp_path):
    write_bigwig(tmp_path / "other.bw", {"1": 1000}, [("1", np.array([0]), np.array([9]), np.ones(1))])
    with pytest.raises(InputError, match=r"other.bw has none of the contigs chr1, chr2. It has 1. Use one assembly"):
        Cover.create_from_bigwig("x", [files / "plus.bw", tmp_path / "other.bw"])
    with pysam.AlignmentFile(str(tmp_path / "longer.bam"), "wb", header={"SQ": [{"SN": "chr1", "LN": 1001}]}):
        pass
    with pytest.raises(InputError, match=r"longer.bam has chr1 of 1001 bp, .*reads.bam says 1000"):
        Cover.create_from_bam("x", [files / "reads.bam", tmp_path / "longer.bam"])
    with pytest.raises(InputError, match=r"bare.bw has no contigs. Use"):
        agree_on_sizes([("bare.bw", {})])


def test_labels_of_whole_contigs_can_be_viewed_and_are_measured_in_groups(files, monkeypatch):
    beds = [files / "peaks.bed", files / "scores.bedgraph", files / "peaks.bed"]
    grouped = Cover.create_from_bed("x", beds, genomesize=SIZES, resolution=20)
    monkeypatch.setattr("helpers.data.feature_signal._VALUES_AT_ONCE", 1)
    one_by_one = Cover.create_from_bed("x", beds, REGIONS, SIZES, binsize=20, resolution=20, store_whole_genome=True)
    np.testing.assert_array_equal(one_by_one["chr1:0-1000"], grouped["chr1:0-1000"])
    other = pd.DataFrame({"chrom": ["chr1"], "start": [100], "end": [140]})
    assert view(one_by_one, other)[:].ravel().tolist() == [0, 1, 0, 1, 1, 1]
    for missing in ({"resolution": None}, {"genomesize": None}):
        with pytest.raises(InputError, match="by `genomesize` and `resolution`"):
            Cover.create_from_bed(
                "x", beds, REGIONS, **({"genomesize": SIZES, "resolution": 20} | missing), store_whole_genome=True
            )
    with pytest.raises(InputError, match="Give `roi`"):
        Cover.create_from_bed("x", beds, genomesize=SIZES, resolution=20, store_whole_genome=False)


def test_windows_off_the_bins_are_counted_by_themselves_and_it_is_said(files, caplog):
    windows = pd.DataFrame({"chrom": ["chr1"], "start": [103], "end": [143]})
    with caplog.at_level("INFO"):
        cover = Cover.create_from_bam("x", files / "reads.bam", windows, binsize=40, resolution=10)
    assert "only their values are kept" in caplog.text
    assert isinstance(cover._signal, Rows)
    bases = Cover.create_from_bam("x", files / "reads.bam", windows, binsize=40)
    assert not isinstance(bases._signal, Rows)
    np.testing.assert_array_equal(cover[:], bases[:].reshape(1, 4, 10, 2, 1).sum(axis=2))
    with pytest.raises(InputError, match="do not begin, with their flank of 0 bp, at a multiple of the resolution"):
        Cover.create_from_bam("x", files / "reads.bam", windows, binsize=40, resolution=10, store_whole_genome=True)


# ---- all datasets ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def make(files):
    """All ways to make a dataset, of windows of the same regions."""
    fasta, tiling = files / "genome.fa", {"binsize": 40, "zero_padding": False}
    ways = {
        way: (lambda own=own, storage=storage: own(roi=REGIONS, storage=storage, cache=files / "cache"))
        for (way, own), storage in zip(constructors(files).items(), itertools.cycle(STORAGES), strict=False)
    }
    ways |= {
        "genome": lambda: Bioseq.create_from_refgenome("x", fasta, REGIONS, **tiling),
        "genome in a file": lambda: Bioseq.create_from_refgenome(
            "x", fasta, REGIONS, order=2, flank=5, storage="hdf5", cache=files / "cache", **tiling
        ),
        "proteins": lambda: Bioseq.create_from_seq("x", files / "proteins.fa", seqtype="protein"),
        "store": lambda: Cover.create_from_store("x", [files / "counts.h5"], REGIONS, normalizers=["tpm"], **tiling),
        "normalized tracks": lambda: normalize(ways["bam contigs"](), "zscorelog"),
        "normalized rows": lambda: normalize(ways["bam windows"](), ["log", "perctrim"]),
    }
    return ways


ALL = (*WAYS, "genome", "genome in a file", "proteins", "store", "normalized tracks", "normalized rows")
IN_WINDOWS = [way for way in ALL if way.endswith(("windows", "values", "array", "rows"))]


def test_all_datasets_are_tested(make):
    assert set(make) == set(ALL)


@pytest.mark.parametrize("way", ALL)
def test_files_and_pickles_give_the_same_dataset(make, way, tmp_path):
    dataset = make[way]()
    dataset.save(tmp_path / "x.h5")
    for other in (open_dataset(tmp_path / "x.h5"), pickle.loads(pickle.dumps(dataset))):
        assert type(other) is type(dataset)
        assert (other.name, other.shape, other.conditions) == (dataset.name, dataset.shape, dataset.conditions)
        assert list(other.gindexer) == list(dataset.gindexer)
        np.testing.assert_array_equal(other[:], dataset[:])
        chrom, start, end, _ = dataset.gindexer[0]
        region = (chrom, start + 1, end - 1, "." if way == "proteins" else "-")
        np.testing.assert_array_equal(other[region], dataset[region])
        assert getattr(other, "normalizers", None) == getattr(dataset, "normalizers", None)
    assert str(tmp_path / "x.h5") in open_dataset(tmp_path / "x.h5").explain()
    assert dataset.explain().endswith(".")


@pytest.mark.parametrize("way", ALL)
def test_parts_by_contig_are_the_windows_on_it(make, way, tmp_path):
    dataset = make[way]()
    chroms = dataset.gindexer.windows().chroms
    held_out = chroms[-1]
    train, test = split_train_test(dataset, held_out)
    np.testing.assert_array_equal(train[:], dataset[chroms != held_out])
    np.testing.assert_array_equal(test[:], dataset[chroms == held_out])
    assert set(subset(dataset, held_out).gindexer.chrs) == {held_out}
    test.save(tmp_path / "test.h5")
    np.testing.assert_array_equal(open_dataset(tmp_path / "test.h5")[:], test[:])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(test))[:], test[:])
    assert test.explain() == dataset.explain()


@pytest.mark.parametrize("way", ALL)
def test_a_view_reads_elsewhere_or_says_why_not(make, way):
    dataset = make[way]()
    if way == "proteins":
        return
    other = pd.DataFrame({"chrom": ["chr1"], "start": [400], "end": [520], "strand": ["-"]})
    if way in IN_WINDOWS:
        with pytest.raises(InputError, match="belong to its windows"):
            view(dataset, other)
        return
    seen = view(dataset, other)
    assert seen.shape == (3, *dataset.shape[1:])
    if dataset.gindexer.flank == 0 and isinstance(dataset, Bioseq):
        np.testing.assert_array_equal(seen[:1], dataset["chr1:400-440:-"])


@pytest.mark.parametrize("way", ALL)
def test_wrappers_go_around_every_dataset(make, way):
    dataset = make[way]()
    whole = dataset[:]
    np.testing.assert_array_equal(ReduceDim(dataset, "max")[:], whole.max(axis=(1, 2)))
    np.testing.assert_array_equal(Transpose(dataset, (0, 3, 2, 1))[[0, -1]], whole[[0, -1]].transpose(0, 3, 2, 1))
    np.testing.assert_array_equal(NanToNumConverter(dataset)[1:], np.nan_to_num(whole[1:]))
    np.testing.assert_array_equal(SqueezeDim(dataset)[:], whole.reshape(SqueezeDim(dataset).shape))
    if isinstance(dataset, Bioseq):
        with pytest.raises(InputError, match="turns coverage"):
            RandomOrientation(dataset)
    else:
        for window, original in zip(RandomOrientation(dataset, seed=1)[:], whole, strict=True):
            flipped = np.array_equal(window, original[::-1, ::-1], equal_nan=True)
            assert flipped or np.array_equal(window, original, equal_nan=True)
    part = subset(ReduceDim(dataset, "max"), dataset.gindexer[0].chrom)
    chosen = dataset.gindexer.windows().chroms == dataset.gindexer[0].chrom
    np.testing.assert_array_equal(part[:], whole[chosen].max(axis=(1, 2)))
    np.testing.assert_array_equal(np.asarray(dataset), whole)


def test_rows_of_an_hdf5_file_can_be_normalized_and_stored_otherwise(tmp_path):
    rng = np.random.default_rng(2)
    windows = GenomicIndexer.create_from_region("chr1", 0, 60, "+", binsize=10)
    values = rng.normal(size=(6, 2, 1, 3))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["chunked"] = values
        cover = Cover.create_from_array("x", file["chunked"], windows)
        inside = normalize(Cover.create_from_array("x", values, windows), "zscore")[:]
        np.testing.assert_array_equal(normalize(cover, "zscore")[:], inside)
        sparse = Cover.create_from_array("x", file["chunked"], windows, storage="sparse")
    np.testing.assert_array_equal(sparse[:], values.astype(np.float32))
    assert isinstance(sparse._signal, Rows)
    assert f"read from {tmp_path / 'x.h5'}" in cover.explain()
