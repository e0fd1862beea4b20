"""Sequence files as windows, DNA and protein, against string arithmetic; single contigs by the FASTA index."""

import gzip
import logging
import os
import re
import tracemalloc
import types

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.data import Bioseq, fasta
from helpers.data.alphabet import DNA, PROTEIN, encode_letters
from helpers.data.fasta import encode_fasta, read_fasta, read_fasta_contigs
from helpers.data.indexer import GenomicIndexer
from helpers.data.kmers import kmer_codes, one_hot
from helpers.data.regions import Region
from helpers.errors import InputError

slowly = settings(max_examples=100, deadline=None)
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"  # the order that Janggu used


def written(path, records, width=7):
    text = ""
    for name, letters in records:
        text += f">{name} of something\n"
        text += "".join(f"{letters[start : start + width]}\n" for start in range(0, len(letters), width))
    path.write_text(text)
    return path


def slow_codes(letters, alphabet, order):
    """The number of each k-mer, letter by letter; one above the greatest where a letter is unknown."""
    codes = []
    for position in range(len(letters) - order + 1):
        number = 0
        for letter in letters[position : position + order].upper():
            digit = alphabet.find(letter)
            number = (
                len(alphabet) ** order
                if digit < 0 or number == len(alphabet) ** order
                else None or (number * len(alphabet) + digit)
            )
        codes.append(number)
    return codes


# ---- records as windows ---------------------------------------------------------------------------------------------

RECORDS = {
    "dna": [("s1", "ACGTNacgtRYACGTTA"), ("s2", "TTGACCATGA"), ("s3", "GATTACAGATTACAGATTACA")],
    "protein": [("p1", "MAGICXWVUTSRQPNKLYZ"), ("p2", "acdefghiklmnpqrstvwy"), ("p3", "M*-BMM")],
}
LETTERS = {"dna": "ACGT", "protein": AMINO_ACIDS}


@pytest.mark.parametrize(
    ("seqtype", "order"), [*(("dna", order) for order in range(1, 8)), *(("protein", order) for order in range(1, 4))]
)
@pytest.mark.parametrize("fixedlen", [8, 17, 30])
def test_records_agree_with_a_slow_loop_over_their_letters(tmp_path, seqtype, order, fixedlen):
    path = written(tmp_path / "a.fa", RECORDS[seqtype])
    seq = Bioseq.create_from_seq("s", path, order=order, seqtype=seqtype, fixedlen=fixedlen)
    letters = [text[:fixedlen].ljust(fixedlen, "-") for _, text in RECORDS[seqtype]]
    expected = [slow_codes(text, LETTERS[seqtype], order) for text in letters]
    codes = seq.codes(slice(None))
    channels = len(LETTERS[seqtype]) ** order
    assert codes.tolist() == expected
    assert codes.dtype == (np.uint8 if channels < 256 else np.uint16)
    assert seq.shape == (3, fixedlen - order + 1, 1, channels)
    if channels < 5_000:
        hot = seq[:]
        assert hot.dtype == np.int8
        assert hot.shape == seq.shape
        np.testing.assert_array_equal(hot[:, :, 0].argmax(axis=2)[codes < channels], codes[codes < channels])
        np.testing.assert_array_equal(hot.sum(axis=(2, 3)), codes < channels)
    assert len(seq.conditions) == channels
    assert seq.conditions[:2] == [LETTERS[seqtype][0] * order, LETTERS[seqtype][0] * (order - 1) + LETTERS[seqtype][1]]
    assert seq.conditions == sorted(seq.conditions)


def test_ids_are_the_contigs_of_the_windows(tmp_path):
    records = [("b", "ACGTA"), ("a", "TTTTT"), ("1", "GGGGG")]
    seq = Bioseq.create_from_seq("s", written(tmp_path / "a.fa", records))
    assert seq.gindexer.chrs.tolist() == ["b", "a", "1"]
    assert list(seq.gindexer) == [Region(name, 0, 5, "+") for name, _ in records]
    np.testing.assert_array_equal(seq["b", 0, 5], seq[0])
    np.testing.assert_array_equal(seq["b", 1, 4, "-"][0, ::-1, :, ::-1], seq["b", 1, 4][0])
    assert seq.codes(("b", 3, 7)).tolist() == [[3, 0, 4, 4]]
    part = seq.gindexer.filter_by_region(include=["a", "1"])
    seq.gindexer = part
    assert seq.codes(slice(None)).tolist() == [[3] * 5, [2] * 5]


def test_several_files_compressed_or_not_and_lists_give_the_same(tmp_path):
    records = RECORDS["protein"]
    first, rest = written(tmp_path / "a.fa", records[:1]), written(tmp_path / "b.fa", records[1:])
    (tmp_path / "b.fa.gz").write_bytes(gzip.compress(rest.read_bytes()))
    objects = [types.SimpleNamespace(id=name, seq=letters) for name, letters in records]
    settings_ = {"seqtype": "protein", "fixedlen": 12, "order": 2}
    expected = Bioseq.create_from_seq("s", written(tmp_path / "c.fa", records), **settings_)
    for source in ([first, str(tmp_path / "b.fa.gz")], (first, rest), records, iter(records), objects):
        seq = Bioseq.create_from_seq("s", source, **settings_)
        np.testing.assert_array_equal(seq[:], expected[:])
        assert seq.gindexer.chrs.tolist() == ["p1", "p2", "p3"]


def test_records_of_biopython_are_read(tmp_path):
    parse = pytest.importorskip("Bio.SeqIO").parse
    path = written(tmp_path / "a.fa", RECORDS["dna"])
    with path.open() as file:
        seq = Bioseq.create_from_seq("s", parse(file, "fasta"), fixedlen=12)
    np.testing.assert_array_equal(seq[:], Bioseq.create_from_seq("s", path, fixedlen=12)[:])


def test_the_twenty_letters_are_numbered_as_janggu_did():
    assert encode_letters(AMINO_ACIDS.encode(), PROTEIN).tolist() == list(range(20))
    assert encode_letters(b"MAFSmafsXBJOUZ*-.?", PROTEIN).tolist() == [10, 0, 4, 15] * 2 + [20] * 10


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        (
            [("a", "ACGT"), ("b", "ACG")],
            {},
            r"a has 4 letters, b has 3 \(from 3 to 4 in all\). Give fixedlen=4 .* fixedlen=3",
        ),
        ([("a", "ACGT"), ("a", "ACGT")], {}, "The id a comes twice: in record 0 and in record 1"),
        ([("a", "ACGT"), ("b", "")], {}, "record 1: give"),
        ([("", "ACGT")], {}, "record 0: give"),
        ([("a", "AC1T")], {}, "record 0, a: '1' is no letter of dna"),
        ([("a", "ACÖT")], {}, "record 0, a: 'Ö' is no letter of dna"),
        ([("a", "MEEL")], {}, "'E' is no letter of dna"),
        ([7], {}, "record 0: give .* Received: 7"),
        ([], {}, "There is no sequence"),
        (7, {}, "Received: int"),
        ([("a", "ACGT")], {"fixedlen": 0}, "fixedlen=0"),
        ([("a", "ACGT")], {"fixedlen": 2.0}, "fixedlen=2.0"),
        ([("a", "ACGT")], {"seqtype": "rna"}, "seqtype='rna'"),
        ([("a", "ACGT")], {"order": 5}, "Windows of 4 bp hold no 5-mer"),
        ([("a", "ACGT" * 9)], {"order": 4, "seqtype": "protein"}, "1 to 3 for protein. Received: order=4"),
        ([("a", "ACGT" * 9)], {"order": 8}, "1 to 7 for dna. Received: order=8"),
    ],
)
def test_bad_sequences(source, arguments, message):
    with pytest.raises(InputError, match=message):
        Bioseq.create_from_seq("s", source, **arguments)


def test_bad_sequence_files(tmp_path):
    first, second = (
        written(tmp_path / name, [("x", "ACGT"), (other, "ACGT")]) for name, other in (("a.fa", "y"), ("b.fa", "z"))
    )
    with pytest.raises(InputError, match=r"The id x comes twice: in \S+a.fa and in \S+b.fa"):
        Bioseq.create_from_seq("s", [first, second])
    with pytest.raises(InputError, match="line 3: contig x comes twice"):
        Bioseq.create_from_seq("s", written(tmp_path / "c.fa", [("x", "ACGT"), ("x", "ACGT")]))
    with pytest.raises(InputError, match="absent.fa does not exist"):
        Bioseq.create_from_seq("s", [first, tmp_path / "absent.fa"])
    protein = written(tmp_path / "p.fa", [("p", "MAGIC"), ("q", "LEFTY")])
    with pytest.raises(InputError, match="p.fa, line 2: 'I' is no letter of dna. For proteins, .*seqtype='protein'"):
        Bioseq.create_from_seq("s", protein)
    with pytest.raises(InputError, match="'I' is no letter of dna"):
        list(read_fasta_contigs(protein))


def test_a_protein_has_no_minus_strand(tmp_path):
    seq = Bioseq.create_from_seq("s", RECORDS["protein"], seqtype="protein", fixedlen=9)
    with pytest.raises(InputError, match="a protein has no minus strand"):
        seq["p1", 0, 4, "-"]
    with pytest.raises(InputError, match="a protein has no minus strand"):
        seq.gindexer = GenomicIndexer.create_from_region("p1", 0, 9, "-", binsize=9)


def test_nothing_that_was_read_changes_the_alphabets():
    before = DNA.strict, DNA.lenient, PROTEIN.strict, PROTEIN.lenient
    Bioseq.create_from_seq("s", [("a", "NNNNRYSWKM")])
    Bioseq.create_from_seq("p", [("a", "XXXBZJUO*")], seqtype="protein")
    assert (DNA.strict, DNA.lenient, PROTEIN.strict, PROTEIN.lenient) == before
    assert Bioseq.create_from_seq("s", [("a", "ACGT")]).conditions == ["A", "C", "G", "T"]
    with pytest.raises(ValueError, match="read-only"):
        encode_letters(np.arange(3, dtype=np.uint8)), np.frombuffer(DNA.strict, dtype=np.uint8).fill(0)


def test_any_order_has_room_for_the_unknown_kmer():
    for alphabet in (DNA, PROTEIN):
        for order in range(1, alphabet.max_order + 1):
            last, unknown = (
                np.full((1, order), code, dtype=np.uint8) for code in (alphabet.unknown - 1, alphabet.unknown)
            )
            assert kmer_codes(last, order, alphabet).tolist() == [[alphabet.unknown**order - 1]]
            assert kmer_codes(unknown, order, alphabet).tolist() == [[alphabet.unknown**order]]
            assert one_hot(kmer_codes(unknown, order, alphabet), order, alphabet).sum() == 0
            assert one_hot(kmer_codes(last, order, alphabet), order, alphabet)[0, 0, 0, -1] == 1


def test_windows_that_share_a_place_are_rows_of_their_own():
    windows = pd.DataFrame({"chrom": "c", "start": [2, 2, 2, -0], "end": [8, 8, 8, 6], "strand": ["+", "-", "+", "-"]})
    genome = Bioseq.create_from_seq("s", [("c", "ACCGTTNAGA")]).genome
    dna = Bioseq("dna", genome, GenomicIndexer.create_from_file(windows, 6))
    texts = ["CGTTNA", "TNAACG", "CGTTNA", "AACGGT"]
    assert dna.codes(slice(None)).tolist() == [encode_letters(text.encode()).tolist() for text in texts]


def test_a_window_over_the_contigs_start_keeps_its_centre():
    genome = Bioseq.create_from_seq("s", [("c", "ACGTNACGTA")]).genome
    for strand, text in (("+", "NNNACGTNAC"), ("-", "GTNACGTNNN")):
        windows = GenomicIndexer.create_from_region("c", 0, 4, strand, binsize=4, flank=3)
        assert Bioseq("dna", genome, windows).codes(0).tolist() == [encode_letters(text.encode()).tolist()]


# ---- fuzz -----------------------------------------------------------------------------------------------------------


@slowly
@given(
    st.binary(max_size=60) | st.text(">\n\r ACGTNacgx1*", max_size=60).map(str.encode),
    st.sampled_from(["dna", "protein"]),
)
@example(b">\xff\nACGT", "dna")
@example(b">a\r\nAC\r\n\r\n>b\nACGT", "dna")
@example(b">a\nAC>b\nGT", "dna")
def test_any_bytes_are_sequences_or_an_input_error(tmp_path_factory, data, seqtype):
    path = tmp_path_factory.mktemp("fuzz") / "a.fa"
    path.write_bytes(data)
    try:
        seq = Bioseq.create_from_seq("s", path, seqtype=seqtype, fixedlen=5)
    except InputError:
        return
    headers = [line for line in data.split(b"\n") if line.startswith(b">")]
    assert seq.gindexer.chrs.tolist() == [line[1:].decode(errors="replace").split()[0] for line in headers]
    assert len(seq[:]) == len(headers)


# ---- the index of a FASTA file --------------------------------------------------------------------------------------


def make_indexed(folder, contigs, width, newline="\n", *, packed=False, last=True):
    text = ""
    for name, letters in contigs.items():
        text += f">{name} >words behind it{newline}"
        text += "".join(letters[start : start + width] + newline for start in range(0, len(letters), width))
    plain = folder / "genome.fa"
    plain.write_bytes((text if last else text.removesuffix(newline)).encode())
    path = plain
    if packed:
        path = folder / "genome.fa.gz"
        pysam.tabix_compress(str(plain), str(path), force=True)
    pysam.faidx(str(path))
    return path


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("abc|:", min_size=1, max_size=3), st.text("ACGTNacgtry", min_size=1, max_size=50), min_size=1
    ),
    st.integers(1, 20),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_contigs_by_index_are_those_of_the_whole_file(tmp_path_factory, contigs, width, newline, packed, last, data):
    path = make_indexed(tmp_path_factory.mktemp("fai"), contigs, width, newline, packed=packed, last=last)
    chroms = data.draw(st.lists(st.sampled_from(sorted(contigs)), min_size=1, unique=True))
    found = dict(fasta._collect(fasta._indexed_pieces(path, chroms))[1])
    assert list(found) == [name for name in contigs if name in chroms]
    genome = read_fasta(path, chroms)
    for name in chroms:
        np.testing.assert_array_equal(genome.contig(name), encode_letters(contigs[name].encode()))
        with pysam.FastaFile(str(path)) as file:
            assert genome.contigs[name][1] == file.get_reference_length(name)


@pytest.mark.parametrize("packed", [False, True])
def test_only_the_contigs_of_the_regions_are_read(tmp_path, packed, monkeypatch):
    rng = np.random.default_rng(1)
    contigs = {f"chr{i}": "".join(rng.choice(list("ACGTacgtN"), 300_000)) for i in range(4)}
    path = make_indexed(tmp_path, contigs, 60, packed=packed)
    regions = pd.DataFrame({"chrom": "chr2", "start": [10, 299_900], "end": [60, 299_990], "strand": ["-", "+"]})
    settings_ = {"roi": regions, "binsize": 50, "flank": 5, "order": 3}
    whole = Bioseq.create_from_refgenome("dna", path, **settings_)
    monkeypatch.setattr(fasta, "read_pieces", None)  # the whole file cannot be read
    part = Bioseq.create_from_refgenome("dna", path, **settings_, store_whole_genome=False)
    assert list(part.genome.contigs) == ["chr2"]
    np.testing.assert_array_equal(part[:], whole[:])


SPOILT = {  # of the line of contig b: length 30, lines of 7 bases and 8 bytes
    "shifted": (r"(?m)^(b\t30\t)(\d)", r"\g<1>1\2"),
    "next": (r"(?m)^b", "a2"),
    "short": ("\t30\t", "\t29\t"),
    "long": ("\t30\t", "\t31\t"),
    "width": ("\t7\t8", "\t5\t6"),
    "no width": ("\t7\t8", "\t0\t0"),
    "no numbers": (r"\t.*", ""),
    "twice": (r"(?m)^c", "b"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("spoilt", SPOILT)
def test_an_index_of_another_file_leads_to_no_wrong_base(tmp_path, spoilt, packed, caplog):
    contigs = {"a": "ACGTTGCA" * 4, "b": "GATTAC" * 5, "c": "T" * 30}
    path = make_indexed(tmp_path, contigs, 7, packed=packed)
    index = tmp_path / f"{path.name}.fai"
    index.write_text(re.sub(*SPOILT[spoilt], index.read_text()))
    with caplog.at_level(logging.WARNING):
        genome = read_fasta(path, ["b"])
    assert f"{path}.fai is left aside and the whole file is read" in caplog.text
    np.testing.assert_array_equal(genome.contig("b"), encode_letters(contigs["b"].encode()))


def test_a_spoilt_or_missing_gzi_is_left_aside(tmp_path, caplog):
    path = make_indexed(tmp_path, {"a": "ACGT" * 50_000, "b": "GATTACA"}, 60, packed=True)
    index = tmp_path / "genome.fa.gz.gzi"
    good = index.read_bytes()
    for data in (good[:-3], good[:8], b"", np.array([1, 1, 1], dtype="<u8").tobytes()):
        index.write_bytes(data)
        np.testing.assert_array_equal(read_fasta(path, ["b"]).values, encode_letters(b"GATTACA"))
    index.unlink()
    np.testing.assert_array_equal(read_fasta(path, ["b"]).values, encode_letters(b"GATTACA"))
    assert caplog.text.count("is left aside") == 5


def test_an_indexed_file_still_says_what_it_lacks_and_where_it_is_wrong(tmp_path):
    path = make_indexed(tmp_path, {"a": "ACGTTGCA", "b": "GATTACA"}, 7)
    with pytest.raises(InputError, match="lacks these contigs: c"):
        read_fasta(path, ["a", "c"])
    path.write_bytes(path.read_bytes().replace(b"GATT", b"GA1T"))
    with pytest.raises(InputError, match="line 5: '1' is no letter of dna"):
        read_fasta(path, ["b"])
    assert read_fasta(path, ["a"]).sizes == {"a": 8}
    os.remove(path)
    with pytest.raises(InputError, match="does not exist"):
        read_fasta(path, ["a"])


def test_memory_stays_below_two_bytes_a_base(tmp_path):
    letters = np.frombuffer(b"ACGTacgt", dtype=np.uint8)[np.random.default_rng(1).integers(0, 8, 24_000_000)]
    lines = np.full((len(letters) // 60, 61), ord("\n"), dtype=np.uint8)
    lines[:, :60] = letters.reshape(-1, 60)
    (tmp_path / "a.fa").write_bytes(b">chr1\n" + lines.tobytes())
    tracemalloc.start()
    try:
        genome = read_fasta(tmp_path / "a.fa")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert genome.values.nbytes == 24_000_000
    assert peak < 2 * 24_000_000


def test_nothing_is_written_when_a_contig_is_missing_that_is_needed(tmp_path):
    (tmp_path / "a.fa").write_text(">chr1\nACGT\n>chrM\nACG\n")
    with pytest.raises(InputError, match=r"a\.fa lacks these contigs: chr2\."):
        encode_fasta(tmp_path / "a.fa", tmp_path / "a.h5", needed=["chr1", "chr2"])
    assert not (tmp_path / "a.h5").exists()
    assert encode_fasta(tmp_path / "a.fa", tmp_path / "a.h5", needed=["chr1"]) == {"chr1": 4, "chrM": 3}
