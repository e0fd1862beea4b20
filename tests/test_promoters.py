"""Promoters against a loop over lines and bases, against the letters of a FASTA file, and on the yeast's own genes."""

import gzip
import logging
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import write_fasta

from helpers.data.promoters import find_promoters, is_gene
from helpers.data.regions import read_chrom_sizes, read_regions, region_table, write_regions
from helpers.data.roi import dropped_regions, make_regions
from helpers.errors import InputError

SIZES = {"c2": 60, "c1": 90, "c10": 33}  # not in alphabetical order
ROOT = Path(__file__).resolve().parents[1]
YEAST = next((path for path in (ROOT / "resources/yeast", ROOT.parent / "shared/data/yeast") if path.is_dir()), None)
CODING = "protein_coding"


def gtf_line(chrom, first, last, strand, gene="g", kind=CODING, *, feature="gene", key="gene_type"):
    """A record of a GTF file; `first` and `last` count from 1 and belong to the gene."""
    attributes = f'gene_id "{gene}"; level 2; {key} "{kind}"; tag "basic";'
    return "\t".join([chrom, "x", feature, str(first), str(last), ".", strand, ".", attributes])


def read_gtf(folder, *lines, name="genes.gtf", end="\n", feature=None):
    path = folder / name
    text = "".join(line + end for line in ("#!genome-build made", *lines)).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    return read_regions(path, feature=feature)


def slow_promoters(text, sizes, length, gene_type):
    """Go through the lines of a GTF file, and from each gene's first base upstream, base by base."""
    promoters, left_out = [], []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        chrom, _, feature, first, last, _, strand, _, attributes = line.split("\t")
        pairs = dict(pair.split(maxsplit=1) for pair in attributes.strip(";").split(";"))
        values = {key: value.strip('"') for key, value in pairs.items()}
        kind = next((values[key] for key in ("gene_type", "gene_biotype", "biotype") if key in values), None)
        if feature != "gene" or kind != gene_type:
            continue
        name, step = values["gene_id"], {"+": -1, "-": 1}.get(strand)
        if chrom not in sizes or step is None:
            left_out.append(name)
            continue
        upstream = [(int(first) if step < 0 else int(last)) + step * away for away in range(1, length + 1)]
        if min(upstream) < 1 or max(upstream) > sizes[chrom]:
            left_out.append(name)
        else:
            promoters.append((chrom, min(upstream) - 1, max(upstream), name, strand))
    return promoters, left_out


def rows(table, *more):
    return list(table[["chrom", "start", "end", *more]].itertuples(index=False, name=None))


# ---- where promoters lie --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gene", "promoter"),
    [
        (("c1", 21, 40, "+"), [("c1", 10, 20)]),
        (("c1", 21, 40, "-"), [("c1", 40, 50)]),
        (("c1", 11, 40, "+"), [("c1", 0, 10)]),  # to the first base
        (("c1", 10, 40, "+"), []),
        (("c1", 1, 40, "+"), []),  # the gene begins at position 1
        (("c1", 1, 40, "-"), [("c1", 40, 50)]),
        (("c1", 60, 80, "-"), [("c1", 80, 90)]),  # to the last base
        (("c1", 60, 81, "-"), []),
        (("c1", 60, 90, "-"), []),  # the gene ends with the contig
        (("c1", 60, 90, "+"), [("c1", 49, 59)]),
        (("c1", 30, 40, "."), []),
        (("c7", 30, 40, "+"), []),
    ],
)
def test_promoter_of_one_gene(tmp_path, gene, promoter):
    genes = read_gtf(tmp_path, gtf_line(*gene))
    promoters, left_out = find_promoters(genes, SIZES, length=10, gene_type=CODING)
    assert rows(promoters) == promoter
    assert promoters["strand"].tolist() == [gene[3]] * len(promoter)
    assert rows(left_out) == ([] if promoter else [(gene[0], gene[1] - 1, gene[2])])
    if not promoter:
        (reason,) = left_out["reason"]
        assert reason == {".": "gene without a strand", "c7": "contig not in use"}.get(
            gene[3] if gene[3] == "." else gene[0], "promoter past the end of the contig"
        )


def test_the_promoter_ends_where_transcription_starts(tmp_path):
    write_fasta(tmp_path / "g.fa", c1="ACGTT" + "GATTACA" + "CCATGCC" + "TGTTTAC" + "GGACT")  # 7 bp, gene of 7 bp, 7 bp
    genes = read_gtf(tmp_path, gtf_line("c1", 13, 19, "+", "a"), gtf_line("c1", 13, 19, "-", "b"))
    promoters, _ = find_promoters(genes, {"c1": 31}, length=7, gene_type=CODING)
    with pysam.FastaFile(str(tmp_path / "g.fa")) as fasta:
        letters = [fasta.fetch(*place) for place in rows(promoters)]
    assert letters == ["GATTACA", "TGTTTAC"]
    complement = str.maketrans("ACGT", "TGCA")
    assert letters[1].translate(complement)[::-1] == "GTAAACA"  # as read by who walks towards gene b


@st.composite
def annotations(draw):
    """Lines of a GTF file: genes and other records, of several types, in any order, on any contig."""
    lines = []
    for number in range(draw(st.integers(1, 12))):
        chrom = draw(st.sampled_from([*SIZES, "c3"]))
        first = draw(st.integers(1, SIZES.get(chrom, 50)))
        last = draw(st.integers(first + 1, SIZES.get(chrom, 50) + 1)) - 1
        attributes = [f'gene_id "g{number}"', f'note "tss {first}"', "level 2"]
        keys = draw(st.lists(st.sampled_from(["gene_type", "gene_biotype", "biotype"]), max_size=2, unique=True))
        attributes += [f'{key} "{draw(st.sampled_from([CODING, "lncRNA"]))}"' for key in keys]
        feature = draw(st.sampled_from(["gene", "gene", "gene", "transcript", "exon"]))
        fields = (chrom, "x", feature, first, last, ".", draw(st.sampled_from("+-.")), ".")
        lines.append("\t".join(map(str, fields)) + "\t" + "; ".join(draw(st.permutations(attributes))) + ";")
    return [*lines, gtf_line("c1", 30, 40, "+", "always")]


@settings(max_examples=150, deadline=None)
@given(
    annotations(),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["a.gtf", "a.gtf.gz"]),
    st.sampled_from([None, "gene"]),
)
def test_against_a_loop_over_lines(tmp_path_factory, lines, length, end, name, feature):
    genes = read_gtf(tmp_path_factory.mktemp("gtf"), *lines, name=name, end=end, feature=feature)
    before = genes.copy()
    promoters, left_out = find_promoters(genes, SIZES, length=length, gene_type=CODING)
    expected, lost = slow_promoters("\n".join(lines), SIZES, length, CODING)
    assert rows(promoters, "name", "strand") == expected
    assert left_out["name"].tolist() == lost
    assert genes.equals(before)


def test_neighbours_with_one_promoter_both_stay(tmp_path):
    lines = [gtf_line("c1", 31, 40, "+", "a"), gtf_line("c1", 31, 60, "+", "b"), gtf_line("c1", 5, 20, "-", "c")]
    genes = read_gtf(tmp_path, *lines)
    for promoters in (
        find_promoters(genes, SIZES, length=10, gene_type=CODING)[0],
        make_regions(genes, SIZES, {"kind": "promoters", "binsize": 10, "gene_type": CODING}),
    ):
        assert rows(promoters, "name") == [("c1", 20, 30, name) for name in "abc"]


# ---- which records are genes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attributes",
    [
        'gene_id "g"; gene_type "protein_coding";',
        'gene_type "protein_coding"; gene_id "g"',
        'gene_id "g"; gene_biotype "protein_coding"; level 2;',
        "ID=gene:g;biotype=protein_coding;Name=x",
        "biotype=protein_coding",
        'gene_id "g";gene_type "protein_coding"',
        'gene_id "g"; gene_type protein_coding ;',
        'gene_id "g"; note "read; gene_type lncRNA"; gene_type "protein_coding";',
        'gene_id "g"; gene_type "protein_coding"; gene_biotype "lncRNA";',
    ],
)
def test_types_in_any_place_and_form(attributes):
    genes = region_table(["c1"], [30], [40], strand="+", feature="gene", attributes=attributes)
    assert is_gene(genes, CODING).tolist() == [True]


@pytest.mark.parametrize(
    "attributes",
    [
        'gene_id "g"; transcript_type "protein_coding";',
        'gene_id "g"; my_gene_type "protein_coding";',
        'gene_id "g"; gene_type "protein_coding_LoF";',
        'gene_id "g"; note "x; gene_type protein_coding";',
        'gene_id "g"; gene_type "lncRNA"; gene_biotype "protein_coding";',
    ],
)
def test_what_is_no_gene_of_the_type(attributes):
    genes = region_table(["c1"] * 2, [30] * 2, [40] * 2, strand="+", feature="gene", attributes=attributes)
    genes.loc[1, "attributes"] = f'gene_type "{CODING}"'
    assert is_gene(genes, CODING).tolist() == [False, True]


def test_files_without_genes_say_what_they_hold(tmp_path):
    parts = [gtf_line("c1", 5, 9, "+", feature=feature) for feature in ("transcript", "exon", "exon")]
    with pytest.raises(InputError, match=r"no records of the feature gene, only exon \(2\), transcript \(1\). Use an"):
        is_gene(read_gtf(tmp_path, *parts), CODING)
    with pytest.raises(InputError, match="no records of the feature gene, nor any others"):
        is_gene(read_gtf(tmp_path), CODING)
    with pytest.raises(
        InputError, match=r"genes.gtf: there are no records of the feature gene, only exon \(2\), trans"
    ):
        read_gtf(tmp_path, *parts, feature="gene")
    with pytest.raises(InputError, match="these regions have no features. Use .* GTF or GFF"):
        find_promoters(region_table(["c1"], [5], [9]), SIZES, length=10, gene_type=CODING)
    with pytest.raises(InputError, match="Received: length=0"):
        find_promoters(read_gtf(tmp_path, gtf_line("c1", 5, 9, "+")), SIZES, length=0, gene_type=CODING)


def test_files_without_genes_of_the_type_name_the_types(tmp_path):
    types = [gtf_line("c1", 5, 9, "+", kind=kind) for kind in ("miRNA", "lncRNA", "lncRNA")]
    with pytest.raises(InputError, match=r"No gene is of the type protein_coding: its genes are lncRNA \(2\), miRNA"):
        is_gene(read_gtf(tmp_path, *types), CODING)
    exon = gtf_line("c1", 5, 9, "+", feature="exon")
    with pytest.raises(InputError, match=r"its genes are lncRNA \(2\), miRNA \(1\)\. Correct gene_type"):
        is_gene(read_gtf(tmp_path, exon, *types, feature="gene"), CODING)
    with pytest.raises(InputError, match="have none of the attributes gene_type, gene_biotype, biotype"):
        is_gene(read_gtf(tmp_path, gtf_line("c1", 5, 9, "+", key="kind")), CODING)


def test_a_gene_beyond_its_contig_is_of_another_assembly(tmp_path):
    genes = read_gtf(tmp_path, gtf_line("c1", 80, 91, "+"), gtf_line("c7", 80, 9999, "+"))
    with pytest.raises(InputError, match=r"c1:79-91 .* c1 has 90 bp"):
        find_promoters(genes, SIZES, length=10, gene_type=CODING)


# ---- a study's regions ----------------------------------------------------------------------------------------------


@pytest.fixture
def genes(tmp_path):
    return read_gtf(
        tmp_path,
        gtf_line("c10", 16, 20, "+", "late"),
        gtf_line("c1", 61, 90, "+", "behind"),
        gtf_line("c1", 61, 90, "-", "at_the_end"),
        gtf_line("c1", 31, 50, "-", "masked"),
        gtf_line("c1", 31, 50, "+", "before", feature="transcript"),
        gtf_line("c1", 31, 50, "+", "before"),
        gtf_line("chrUn", 31, 50, "+", "elsewhere"),
        gtf_line("c1", 31, 50, ".", "loose"),
        gtf_line("c2", 16, 20, "+", "other", "lncRNA"),
    )


SETTINGS = {"kind": "promoters", "track": "genes", "binsize": 10, "gene_type": CODING}


def test_regions_are_sorted_and_counted(genes, caplog):
    blacklist = region_table(["c1"], [59], [70])  # touches the last base of [50, 60)
    with caplog.at_level(logging.INFO):
        kept = make_regions(genes, SIZES, SETTINGS, blacklist=blacklist)
    assert rows(kept, "name", "strand") == [("c1", 20, 30, "before", "+"), ("c10", 5, 15, "late", "+")]
    for part in (
        "genes of type protein_coding: 7",
        "left out (contig not in use): 1",
        "left out (gene without a strand): 1",
        "left out (promoter past the end of the contig): 1",
        "left out (promoter on the blacklist): 2",
        "promoters: 2",
    ):
        assert part in caplog.text
    assert rows(make_regions(genes, SIZES, {"kind": "promoters", "binsize": 10})) == [
        ("c1", 20, 30),
        *[("c1", 50, 60)] * 2,
        ("c10", 5, 15),
    ]


def test_each_gene_is_kept_or_dropped_once(genes, tmp_path):
    blacklist = region_table(["c1"], [59], [70])
    kept = make_regions(genes, SIZES, SETTINGS, blacklist=blacklist)
    write_regions(dropped_regions(genes, SIZES, SETTINGS, kept), tmp_path / "dropped.bed")
    assert rows(read_regions(tmp_path / "dropped.bed"), "name", "strand") == [
        ("c1", 30, 50, "loose: gene without a strand", "."),
        ("c1", 50, 60, "behind: promoter on the blacklist", "+"),
        ("c1", 50, 60, "masked: promoter on the blacklist", "-"),
        ("c1", 60, 90, "at_the_end: promoter past the end of the contig", "-"),
        ("chrUn", 30, 50, "elsewhere: contig not in use", "+"),
    ]


def test_nothing_dropped_and_nothing_kept(tmp_path):
    genes = read_gtf(tmp_path, gtf_line("c1", 31, 50, "+"))
    kept = make_regions(genes, SIZES, SETTINGS)
    assert len(dropped_regions(genes, SIZES, SETTINGS, kept)) == 0
    kept = make_regions(genes, {"c2": 60}, SETTINGS)
    assert len(kept) == 0
    dropped = dropped_regions(genes, {"c2": 60}, SETTINGS, kept)
    assert rows(dropped, "name") == [("c1", 30, 50, "g: contig not in use")]


@pytest.mark.skipif(YEAST is None, reason="the yeast data is neither in resources/yeast nor beside the project")
def test_promoters_of_yeast():
    path = YEAST / "sacCer3.ensembl96.gtf.gz"
    sizes = read_chrom_sizes(YEAST / "sacCer3.chrom.sizes")
    nuclear = {chrom: size for chrom, size in sizes.items() if chrom != "chrM"}
    records = read_regions(path)
    genes = read_regions(path, feature="gene")
    assert genes.equals(records[records["feature"] == "gene"].reset_index(drop=True))
    promoters, left_out = find_promoters(genes, nuclear, length=200, gene_type=CODING)
    expected, lost = slow_promoters(gzip.decompress(path.read_bytes()).decode(), nuclear, 200, CODING)
    assert rows(promoters, "name", "strand") == expected
    assert left_out["name"].tolist() == lost
    # 6,572 nuclear genes by the data's own description; YFL068W begins at position 53 of chrVI
    past = left_out[left_out["reason"] == "promoter past the end of the contig"]
    assert past["name"].tolist() == ["YFL068W"]
    assert len(promoters) + len(past) == 6572
