"""FASTA to codes, k-mers, and the sequence of windows, against string arithmetic."""

import gzip
import pickle

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import fasta
from helpers.data.indexer import GenomicIndexer
from helpers.data.kmers import one_hot
from helpers.data.regions import Region
from helpers.data.sequence import (
    Bioseq,
    encode_fasta,
    encode_letters,
    fasta_sizes,
    kmer_codes,
    read_fasta_contigs,
    reverse_complement_codes,
)
from helpers.data.storage import GenomeArray, write_contigs
from helpers.errors import InputError

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}
GENOME = {
    "chr1": "ACGTTGCANNacgtRYacgtttgacGGCATTAcgtA",
    "chr2": "TTGACCATGA",
    "tiny": "GAT",
}
DNA = st.text(alphabet="ACGTNacgtnRY", min_size=1, max_size=40)


def reverse_complement(text):
    return "".join(COMPLEMENT.get(letter, "N") for letter in reversed(text.upper()))


def slow_letters(genome, chrom, start, end, strand):
    """The letters of a window, N outside the contig and for unknown letters, base by base."""
    contig = genome[chrom].upper()
    letters = "".join(contig[p] if 0 <= p < len(contig) else "N" for p in range(start, end))
    return reverse_complement(letters) if strand == "-" else letters


def slow_codes(letters, order):
    """The base-4 number of each k-mer, 4**order where a letter is none of A, C, G, T."""
    codes = []
    for position in range(len(letters) - order + 1):
        digits = ["ACGT".find(letter) for letter in letters[position : position + order].upper()]
        codes.append(4**order if min(digits) < 0 else int("".join(map(str, digits)), 4))
    return codes


def slow_one_hot(codes, order):
    hot = np.zeros((len(codes), 1, 4**order), dtype=np.int8)
    for position, code in enumerate(codes):
        if code < 4**order:
            hot[position, 0, code] = 1
    return hot


@pytest.fixture
def fasta_path(tmp_path):
    path = tmp_path / "genome.fa"
    text = "".join(f">{name} something\n{seq[:11]}\n{seq[11:]}\n" for name, seq in GENOME.items())
    path.write_text(text.replace("\n\n", "\n"))
    return path


@pytest.fixture
def genome():
    return GenomeArray.from_contigs({name: encode_letters(text.encode()) for name, text in GENOME.items()})


# ---- FASTA -----------------------------------------------------------------------------------------------------------


def test_letters_of_both_cases_are_numbered_and_all_others_are_unknown():
    assert encode_letters(b"ACGTacgtUuNnRY-*.").tolist() == [0, 1, 2, 3] * 2 + [3, 3] + [4] * 7
    every_byte = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(encode_letters(every_byte), encode_letters(every_byte.tobytes()))
    assert encode_letters(every_byte).max() == 4


def test_contigs_are_read_by_the_first_word_of_their_header(fasta_path):
    found = dict(read_fasta_contigs(fasta_path))
    assert list(found) == list(GENOME)
    for name, text in GENOME.items():
        np.testing.assert_array_equal(found[name], encode_letters(text.encode()))
        assert found[name].dtype == np.uint8
    assert fasta_sizes(fasta_path) == {"chr1": 36, "chr2": 10, "tiny": 3}


def test_gzip_bgzip_and_windows_line_ends_give_the_same(fasta_path, tmp_path):
    text = fasta_path.read_bytes()
    (tmp_path / "a.fa.gz").write_bytes(gzip.compress(text))
    (tmp_path / "crlf.fa").write_bytes(text.replace(b"\n", b"\r\n"))
    (tmp_path / "blank.fa").write_bytes(b"\n \n" + text.replace(b"\n>", b"\n\n>").rstrip())
    pysam.tabix_compress(str(fasta_path), str(tmp_path / "b.fa.gz"))
    expected = dict(read_fasta_contigs(fasta_path))
    for name in ("a.fa.gz", "b.fa.gz", "crlf.fa", "blank.fa"):
        found = dict(read_fasta_contigs(tmp_path / name))
        assert list(found) == list(expected)
        for contig, codes in expected.items():
            np.testing.assert_array_equal(found[contig], codes, err_msg=name)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.text("abc>", min_size=1, max_size=3), DNA, min_size=1, max_size=4), st.data())
def test_any_line_length_and_block_size_gives_the_same(tmp_path_factory, contigs, data):
    lines = []
    for name, text in contigs.items():
        lines.append(f">{name} >not a contig")
        width = data.draw(st.integers(1, 20))
        lines += [text[start : start + width] for start in range(0, len(text), width)]
    path = tmp_path_factory.mktemp("fasta") / "a.fa"
    path.write_text("\n".join(lines) + data.draw(st.sampled_from(["", "\n", "\n\n"])))
    block = fasta._BLOCK
    fasta._BLOCK = data.draw(st.integers(1, 50))
    try:
        found = {name: codes.tolist() for name, codes in read_fasta_contigs(path)}
    finally:
        fasta._BLOCK = block
    assert found == {name: encode_letters(text.encode()).tolist() for name, text in contigs.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\nchr1\t0\t100\n", r"line 2: not a FASTA file, it begins with 'chr1\\t0\\t100'"),
        (b">a\nACGT\n>b\nAC\n>a\nAC\n", "line 5: contig a comes twice"),
        (b">a\nACGT\nAC1T\n", "line 3: '1' is no letter of dna. Correct"),
        (b">a\nACGT\n>\nACGT\n", "line 3: a header without a name"),
        (b">a\n>b\nACGT\n", "contig a has no bases"),
        (b">a\nACGT\n>b", "contig b has no bases"),
        (b"\x00\x01\x02\x03", "not a FASTA file"),
    ],
)
def test_files_that_are_no_fasta_say_where(tmp_path, text, message):
    path = tmp_path / "a.fa"
    path.write_bytes(text)
    with pytest.raises(InputError, match=message):
        list(read_fasta_contigs(path))


def test_missing_and_truncated_files_say_so(tmp_path, fasta_path):
    with pytest.raises(InputError, match=r"no\.fa does not exist"):
        fasta_sizes(tmp_path / "no.fa")
    whole = gzip.compress(fasta_path.read_bytes())
    (tmp_path / "cut.fa.gz").write_bytes(whole[:-10])
    with pytest.raises(InputError, match="truncated or damaged"):
        fasta_sizes(tmp_path / "cut.fa.gz")
    (tmp_path / "bad.fa.gz").write_bytes(whole[:20] + bytes(4) + whole[24:])
    with pytest.raises(InputError, match="truncated or damaged"):
        fasta_sizes(tmp_path / "bad.fa.gz")
    pysam.tabix_compress(str(fasta_path), str(tmp_path / "b.fa.gz"))
    blocked = (tmp_path / "b.fa.gz").read_bytes()
    (tmp_path / "b.fa.gz").write_bytes(blocked[:-28])  # whole blocks are left: only the end mark tells
    with pytest.raises(InputError, match="lacks the end mark"):
        fasta_sizes(tmp_path / "b.fa.gz")


def test_encoding_keeps_the_chosen_contigs(fasta_path, tmp_path):
    assert encode_fasta(fasta_path, tmp_path / "all.h5") == {"chr1": 36, "chr2": 10, "tiny": 3}
    assert encode_fasta(fasta_path, tmp_path / "some.h5", chroms=["tiny", "chr1"]) == {"chr1": 36, "tiny": 3}
    stored = GenomeArray.open(tmp_path / "some.h5")
    assert stored.values.dtype == np.uint8
    np.testing.assert_array_equal(stored.contig("tiny"), [2, 0, 3])
    with pytest.raises(InputError, match="lacks these contigs: chrX"):
        encode_fasta(fasta_path, tmp_path / "none.h5", chroms=["chr1", "chrX"])
    assert not (tmp_path / "none.h5").exists()


# ---- codes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", range(1, 8))
def test_kmer_codes_and_one_hot_agree_with_string_arithmetic(order):
    rng = np.random.default_rng(order)
    texts = ["".join(rng.choice(list("ACGTN"), 30, p=[0.24] * 4 + [0.04])) for _ in range(6)] + ["A" * 30, "T" * 30]
    codes = kmer_codes(np.stack([encode_letters(text.encode()) for text in texts]), order)
    assert codes.dtype == (np.uint8 if order <= 3 else np.uint16)
    assert codes.tolist() == [slow_codes(text, order) for text in texts]
    if order <= 6:
        expected = np.stack([slow_one_hot(row, order) for row in codes.tolist()])
        hot = one_hot(codes, order)
        assert hot.dtype == np.int8
        np.testing.assert_array_equal(hot, expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(DNA.filter(lambda text: len(text) >= 7), min_size=1, max_size=1), st.integers(1, 7))
def test_laws_of_the_reverse_complement_and_of_one_hot(texts, order):
    codes = kmer_codes(encode_letters(texts[0].encode())[None], order)
    turned = reverse_complement_codes(codes, order)
    assert turned.dtype == codes.dtype
    np.testing.assert_array_equal(reverse_complement_codes(turned, order), codes)
    other_strand = encode_letters(reverse_complement(texts[0]).encode())[None]
    np.testing.assert_array_equal(turned, kmer_codes(other_strand, order))
    if order <= 4:
        np.testing.assert_array_equal(one_hot(codes, order).sum(axis=(2, 3)), codes < 4**order)


def test_the_first_letter_is_the_most_significant():
    def code_of(text):
        return kmer_codes(encode_letters(text)[None], len(text))[0, 0]

    assert code_of(b"AC") == 1
    assert code_of(b"TG") == 14
    assert code_of(b"ACG") == 6


def test_functions_leave_their_arguments_unchanged():
    bases = encode_letters(b"ACGTN")[None]
    before = bases.copy()
    for order in (1, 2):
        codes = kmer_codes(bases, order)
        codes[:] = 0
        np.testing.assert_array_equal(bases, before)


@pytest.mark.parametrize("order", [0, 8, -1, 1.5, "3"])
def test_orders_out_of_range_are_refused(order, genome):
    with pytest.raises(InputError, match="order is the length of the k-mers"):
        kmer_codes(np.zeros((1, 20), dtype=np.uint8), order)
    with pytest.raises(InputError, match="order is the length of the k-mers"):
        Bioseq("dna", genome, order=order)


def test_an_order_longer_than_the_window_is_refused(genome):
    windows = GenomicIndexer.create_from_region("chr1", 0, 10, "+", binsize=2, stepsize=2)
    with pytest.raises(InputError, match="Windows of 2 bp hold no 3-mer"):
        Bioseq("dna", genome, windows, order=3)


# ---- Bioseq ----------------------------------------------------------------------------------------------------------

WINDOWS = pd.DataFrame(
    [
        ("chr1", 8, 14, "+"),
        ("chr1", 8, 14, "-"),
        ("chr1", 0, 6, "-"),
        ("chr1", 0, 6, "+"),
        ("chr1", 30, 36, "."),
        ("chr1", 30, 36, "-"),
        ("chr2", 4, 10, "-"),
        ("tiny", 0, 6, "+"),
        ("tiny", 0, 6, "-"),
        ("chr2", 40, 46, "+"),
        ("chr1", 8, 14, "+"),
    ],
    columns=["chrom", "start", "end", "strand"],
)


@pytest.mark.parametrize("order", range(1, 7))
@pytest.mark.parametrize("flank", [0, 5])
def test_windows_agree_with_a_slow_loop_over_strings(order, flank, fasta_path):
    dna = Bioseq.create_from_refgenome("dna", fasta_path, roi=WINDOWS, binsize=6, flank=flank, order=order)
    codes = [
        slow_codes(slow_letters(GENOME, chrom, start - flank, end + flank, strand), order)
        for chrom, start, end, strand in WINDOWS.itertuples(index=False)
    ]
    assert dna.shape == (len(WINDOWS), 6 + 2 * flank - order + 1, 1, 4**order)
    assert len(dna) == len(WINDOWS)
    assert dna.ndim == 4
    assert dna.codes(slice(None)).tolist() == codes
    expected = np.stack([slow_one_hot(row, order) for row in codes])
    assert dna[:].dtype == np.int8
    np.testing.assert_array_equal(dna[:], expected)
    np.testing.assert_array_equal(np.asarray(dna), expected)


def test_a_stored_encoding_a_fasta_file_and_an_array_give_the_same(fasta_path, tmp_path, genome):
    encode_fasta(fasta_path, tmp_path / "genome.h5")
    expected = Bioseq.create_from_refgenome("dna", fasta_path, roi=WINDOWS, binsize=6, order=2)[:]
    for source in (tmp_path / "genome.h5", str(tmp_path / "genome.h5"), genome):
        dna = Bioseq.create_from_refgenome("dna", source, roi=WINDOWS, binsize=6, order=2)
        np.testing.assert_array_equal(dna[:], expected)
    part = Bioseq.create_from_refgenome(
        "dna", fasta_path, roi=WINDOWS[:6], binsize=6, order=2, store_whole_genome=False
    )
    assert list(part.genome.contigs) == ["chr1"]
    np.testing.assert_array_equal(part[:], expected[:6])


def test_all_forms_of_an_index_give_what_numpy_gives(genome):
    dna = Bioseq.create_from_refgenome("dna", genome, roi=WINDOWS, binsize=6)
    whole = dna[:]
    mask = np.arange(len(dna)) % 3 == 0
    keys = [
        *(slice(-2, None), slice(0, 0), slice(None, None, -1), slice(2, 100), slice(1, 9, 3), slice(None, 0)),
        *(mask, mask.tolist(), [3, 1, 1, -1], np.array([2, 5], dtype=np.uint8), np.zeros(0, dtype=int)),
    ]
    for key in keys:
        np.testing.assert_array_equal(dna[key], whole[key])
    assert dna[[]].shape == (0, 6, 1, 4)
    for key in (0, 5, -1, np.int64(3), np.uint8(2), np.array(4)):
        np.testing.assert_array_equal(dna[key], whole[[int(key)]])
    assert sum(1 for _ in dna) == len(dna)


@pytest.mark.parametrize(
    "key",
    [11, -12, np.int64(11), [0, 11], 1.0, None, [0.5], [[0, 1]], np.ones(3, dtype=bool), True, (1, 2), ()],
)
def test_other_keys_are_an_index_error(genome, key):
    dna = Bioseq.create_from_refgenome("dna", genome, roi=WINDOWS, binsize=6)
    with pytest.raises(IndexError):
        dna[key]


@pytest.mark.parametrize("strand", ["+", "-", "."])
@pytest.mark.parametrize(("start", "end"), [(4, 12), (-3, 5), (33, 40), (50, 55)])
def test_regions_are_read_with_their_strand(genome, strand, start, end):
    dna = Bioseq.create_from_refgenome("dna", genome, order=2)
    expected = slow_codes(slow_letters(GENOME, "chr1", start, end, strand), 2)
    assert dna.codes(("chr1", start, end, strand)).tolist() == [expected]
    np.testing.assert_array_equal(dna["chr1", start, end, strand], slow_one_hot(expected, 2)[None])
    np.testing.assert_array_equal(dna[Region("chr1", start, end, strand)], slow_one_hot(expected, 2)[None])
    if strand == ".":
        np.testing.assert_array_equal(dna["chr1", start, end], slow_one_hot(expected, 2)[None])


@pytest.mark.parametrize(
    "key", ["chr1", "chr1:5-5", ("chr1", 5, 5), ("chr1", 5), ("chr1", 1, 4, "x"), ("chr1", 1.0, 4), ("chr9", 1, 4)]
)
def test_impossible_regions_are_refused(genome, key):
    with pytest.raises(InputError, match=r"A region is chrom, start, end|is no region|does not have: chr9"):
        Bioseq.create_from_refgenome("dna", genome)[key]


def test_the_rest_of_a_region_is_followed_by_unknown_bases_in_reading_direction(genome):
    for strand, expected in (("+", "TTGA  CCAT  GANN"), ("-", "TCAA  ATGG  TCNN")):
        region = pd.DataFrame({"chrom": ["chr2"], "start": [0], "end": [10], "strand": [strand]})
        dna = Bioseq.create_from_refgenome("dna", genome, roi=region, binsize=4)
        assert dna.codes(slice(None)).tolist() == [encode_letters(part.encode()).tolist() for part in expected.split()]
        whole = Bioseq.create_from_refgenome("dna", genome, roi=region, binsize=4, zero_padding=False)
        assert len(whole) == 2


def test_a_short_last_window_with_flank_reads_its_flanks_and_no_further(genome):
    for strand in "+-":
        region = pd.DataFrame({"chrom": ["chr1"], "start": [2], "end": [8], "strand": [strand]})
        dna = Bioseq.create_from_refgenome("dna", genome, roi=region, binsize=4, flank=1)
        letters = slow_letters(GENOME, "chr1", 5, 9, strand) + "NN"  # 6-8 with flank 1 is 5-9
        assert dna.codes(1).tolist() == [slow_codes(letters, 1)]


def test_random_state_permutes_the_windows_alone(genome):
    plain = Bioseq.create_from_refgenome("dna", genome, roi=WINDOWS, binsize=6)
    mixed = Bioseq.create_from_refgenome("dna", genome, roi=WINDOWS, binsize=6, random_state=3)
    np.testing.assert_array_equal(mixed[:], plain[mixed.gindexer.order])
    assert mixed.gindexer.order.tolist() != list(range(len(WINDOWS)))


def test_windows_can_be_set_later_and_are_checked_then(genome):
    dna = Bioseq.create_from_refgenome("dna", genome, order=3)
    assert dna.gindexer is None
    assert repr(dna) == "Bioseq('dna', no windows)"
    for needs_windows in (lambda: len(dna), lambda: dna.shape, lambda: dna[0]):
        with pytest.raises(InputError, match="has no windows"):
            needs_windows()
    dna.gindexer = GenomicIndexer.create_from_file(WINDOWS, 6, 6)
    assert dna.shape == (11, 4, 1, 64)
    windows = GenomicIndexer.create_from_region("chrX", 0, 10, "+", binsize=5, stepsize=5)
    with pytest.raises(InputError, match="does not have: chrX"):
        dna.gindexer = windows
    assert dna.shape == (11, 4, 1, 64)


def test_changing_an_indexer_afterwards_does_not_change_the_dataset(genome):
    windows = GenomicIndexer.create_from_region("chr2", 0, 10, "+", binsize=5, stepsize=5)
    dna = Bioseq("dna", genome, windows)
    windows.add_interval("chr1", 0, 10, "+")
    assert len(windows) == 4
    assert len(dna) == len(dna[:]) == 2


def test_no_regions_give_no_windows(genome):
    dna = Bioseq.create_from_refgenome("dna", genome, roi=WINDOWS[:0], binsize=6, order=2)
    assert dna.shape == dna[:].shape == (0, 5, 1, 16)
    assert dna.codes([]).shape == (0, 5)


def test_conditions_are_the_kmers_in_order(genome):
    dna = Bioseq.create_from_refgenome("dna", genome, order=2)
    assert dna.conditions[:5] == ["AA", "AC", "AG", "AT", "CA"]
    assert dna.conditions[14] == "TG"
    assert len(dna.conditions) == 16


def test_a_dataset_pickles_and_reads_on(fasta_path, tmp_path):
    encode_fasta(fasta_path, tmp_path / "genome.h5")
    dna = Bioseq.create_from_refgenome("dna", tmp_path / "genome.h5", roi=WINDOWS, binsize=6, order=2)
    again = pickle.loads(pickle.dumps(dna))
    np.testing.assert_array_equal(again[:], dna[:])
    assert again.name == "dna"


def test_what_is_no_genome_is_refused(tmp_path, genome):
    write_contigs(tmp_path / "counts.h5", {"chr1": np.zeros((5, 2), dtype=np.uint32)})
    with pytest.raises(InputError, match="holds no sequence"):
        Bioseq.create_from_refgenome("dna", tmp_path / "counts.h5")
    with pytest.raises(InputError, match="does not exist"):
        Bioseq.create_from_refgenome("dna", tmp_path / "none.fa")
    with pytest.raises(InputError, match="storage='sparse'"):
        Bioseq.create_from_refgenome("dna", genome, storage="sparse")
    with pytest.raises(InputError, match="store_whole_genome=False"):
        Bioseq.create_from_refgenome("dna", genome, store_whole_genome=False)
    with pytest.raises(TypeError, match="name of a dataset is a str"):
        Bioseq.create_from_refgenome(3, genome)
    windows = GenomicIndexer.create_from_file(WINDOWS, None, None, collapse=True)
    with pytest.raises(InputError, match="binsize=None"):
        Bioseq("dna", genome, windows)


def test_an_array_without_a_copy_is_refused(genome):
    dna = Bioseq.create_from_refgenome("dna", genome, roi=WINDOWS, binsize=6)
    with pytest.raises(ValueError, match="without a copy"):
        dna.__array__(copy=False)
    assert np.asarray(dna, dtype=np.float32).dtype == np.float32
