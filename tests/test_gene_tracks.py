import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from helpers.errors import InputError
from helpers.evaluation.gene_models import place_in_rows, read_genes
from helpers.evaluation.style import COLORS, in_style
from helpers.evaluation.tracks import GeneTrack, IntervalTrack, plotGenomeTrack

GTF = """#!genome-build test
chr1\tx\tgene\t101\t700\t.\t+\t.\tgene_id "G1"; gene_name "ABC1";
chr1\tx\ttranscript\t101\t700\t.\t+\t.\tgene_id "G1"; transcript_id "T1";
chr1\tx\texon\t101\t200\t.\t+\t.\tgene_id "G1"; transcript_id "T1";
chr1\tx\texon\t501\t700\t.\t+\t.\tgene_id "G1"; transcript_id "T1";
chr1\tx\ttranscript\t101\t400\t.\t+\t.\tgene_id "G1"; transcript_id "T2";
chr1\tx\texon\t301\t400\t.\t+\t.\tgene_id "G1"; transcript_id "T2";
chr1\tx\tgene\t601\t900\t.\t-\t.\tgene_id "G2";
chr1\tx\ttranscript\t601\t900\t.\t-\t.\tgene_id "G2"; transcript_id "T3";
chr1\tx\texon\t601\t900\t.\t-\t.\tgene_id "G2"; transcript_id "T3";
chr2\tx\tgene\t1\t50\t.\t+\t.\tgene_id "G3";
chr2\tx\texon\t1\t50\t.\t+\t.\tgene_id "G3"; transcript_id "T4";
"""
GFF3 = """##gff-version 3
chr1\tx\tgene\t101\t700\t.\t+\t.\tID=gene:1;Name=ABC1
chr1\tx\tmRNA\t101\t700\t.\t+\t.\tID=rna:1;Parent=gene:1;Name=ABC1-a
chr1\tx\tmRNA\t101\t700\t.\t+\t.\tID=rna:2;Parent=gene:1
chr1\tx\texon\t101\t200\t.\t+\t.\tParent=rna:1,rna:2
chr1\tx\texon\t501\t700\t.\t+\t.\tParent=rna:1
"""
BED = "chr1\t100\t700\tABC1\t0\t+\nchr1\t600\t900\t.\t0\t-\n"


@pytest.fixture
def gtf(tmp_path):
    path = tmp_path / "genes.gtf.gz"
    path.write_bytes(gzip.compress(GTF.encode()))
    return path


def drawn(axis):
    """Lines and boxes of a track of genes: [(left, right, row)], [(left, right, row)], by collection."""
    lines, boxes = axis.collections
    segments = [(left, right, row) for (left, row), (right, _) in lines.get_segments()]
    extents = [path.get_extents() for path in boxes.get_paths()]
    return segments, [(box.x0, box.x1, round((box.y0 + box.y1) / 2)) for box in extents]


def arrows(axis):
    """Direction of each drawn arrowhead: (position, row, '+' or '-')."""
    found = []
    for line in axis.lines:
        sign = "+" if line.get_marker().vertices[1, 0] > 0 else "-"
        found += [(x, int(row), sign) for x, row in zip(line.get_xdata(), line.get_ydata(), strict=True)]
    return sorted(found)


def test_genes_with_the_exons_of_all_their_transcripts(gtf):
    axis = plotGenomeTrack(GeneTrack(gtf), "chr1", 0, 1000).axes[0]
    lines, boxes = drawn(axis)
    assert lines == [(100, 700, 0), (600, 900, 1)]
    assert boxes == [(100, 200, 0), (500, 700, 0), (300, 400, 0), (600, 900, 1)]
    assert [text.get_text() for text in axis.texts] == ["ABC1", "G2"]
    assert axis.get_ylabel() == "genes"


def test_transcripts_with_their_own_exons(gtf):
    axis = plotGenomeTrack(GeneTrack(gtf, feature="transcript"), "chr1", 0, 1000).axes[0]
    lines, boxes = drawn(axis)
    assert sorted((left, right) for left, right, _ in lines) == [(100, 400), (100, 700), (600, 900)]
    rows = {text.get_text(): row for text, (_, _, row) in zip(axis.texts, lines, strict=True)}
    assert {(left, row) for left, _, row in boxes} == {
        (100, rows["T1"]),
        (500, rows["T1"]),
        (300, rows["T2"]),
        (600, rows["T3"]),
    }


def test_arrowheads_point_along_the_strand_within_what_is_seen(gtf):
    found = arrows(plotGenomeTrack(GeneTrack(gtf), "chr1", 150, 800).axes[0])
    assert {(row, sign) for _, row, sign in found} == {(0, "+"), (1, "-")}
    assert all((150 < x < 700) if row == 0 else (600 < x < 800) for x, row, _ in found)


def test_arrowheads_are_white_on_boxes_and_dark_beside_them(gtf):
    axis = plotGenomeTrack(GeneTrack(gtf), "chr1", 0, 1000).axes[0]
    exons = [(100, 200), (300, 400), (500, 700)]
    shades = {(x, to_hex(line.get_markeredgecolor())) for line in axis.lines[:2] for x in line.get_xdata()}
    assert len(shades) > 5
    for x, shade in shades:
        assert (shade == "#ffffff") == any(left <= x < right for left, right in exons)


def test_exons_of_no_gene_are_left_out(tmp_path):
    path = tmp_path / "genes.gtf"
    foreign = 'chr1\tx\texon\t5001\t5100\t.\t+\t.\tgene_id "G9"; transcript_id "T9";\n'
    path.write_text(GTF + foreign + foreign.replace('gene_id "G9"; transcript_id "T9"', 'note "none"'))
    genes, exons = read_genes(path)
    assert genes["key"].tolist() == ["G1", "G2", "G3"]
    assert exons[["owner", "start"]].values.tolist() == [["G1", 100], ["G1", 500], ["G1", 300], ["G2", 600], ["G3", 0]]
    path.write_text("".join(line for line in GTF.splitlines(True) if "exon" not in line) + foreign)
    with pytest.raises(InputError, match="No record of 'exon' belongs to a record of 'gene'"):
        read_genes(path)


def test_gff3_exons_of_several_parents(tmp_path):
    path = tmp_path / "genes.gff3"
    path.write_text(GFF3)
    genes, exons = read_genes(path, feature="mRNA")
    assert genes["name"].tolist() == ["ABC1-a", "rna:2"]
    assert exons[["owner", "start", "end"]].values.tolist() == [
        ["rna:1", 100, 200],
        ["rna:2", 100, 200],
        ["rna:1", 500, 700],
    ]
    with pytest.raises(
        InputError, match=r"No record of 'exon' belongs to a record of 'gene'.*feature=transcript or mRNA"
    ):
        read_genes(path)
    assert read_genes(path, exons=None).exons is None


ENSEMBL = """##gff-version 3
1\tensembl\tgene\t101\t700\t.\t+\t.\tID=gene:ENSG1;Name=ABC1;biotype=protein_coding;gene_id=ENSG1;version=2
1\tensembl\tmRNA\t101\t700\t.\t+\t.\tID=transcript:ENST1;Parent=gene:ENSG1;Name=ABC1-201;transcript_id=ENST1;version=2
1\tensembl\texon\t101\t200\t.\t+\t.\tParent=transcript:ENST1;Name=ENSE1;exon_id=ENSE1;rank=1
1\tensembl\texon\t501\t700\t.\t+\t.\tParent=transcript:ENST1;Name=ENSE2;exon_id=ENSE2;rank=2
1\tensembl\tCDS\t121\t180\t.\t+\t0\tID=CDS:ENSP1;Parent=transcript:ENST1;protein_id=ENSP1
1\tensembl\tmRNA\t301\t400\t.\t-\t.\tID=transcript:ENST2;Parent=gene:ENSG2;transcript_id=ENST2
1\tensembl\texon\t301\t400\t.\t-\t.\tParent=transcript:ENST2;Name=ENSE3
"""
NCBI = """##gff-version 3
NC_1.1\tBestRefSeq\tgene\t101\t700\t.\t+\t.\tID=gene-ABC1;Dbxref=GeneID:1;Name=ABC1;gene=ABC1
NC_1.1\tBestRefSeq\tmRNA\t101\t700\t.\t+\t.\tID=rna-NM_1.2;Parent=gene-ABC1;Name=NM_1.2;transcript_id=NM_1.2
NC_1.1\tBestRefSeq\texon\t101\t200\t.\t+\t.\tID=exon-NM_1.2-1;Parent=rna-NM_1.2;transcript_id=NM_1.2
NC_1.1\tBestRefSeq\texon\t501\t700\t.\t+\t.\tID=exon-NM_1.2-2;Parent=rna-NM_1.2;transcript_id=NM_1.2
NC_1.1\tBestRefSeq\tCDS\t121\t180\t.\t+\t0\tID=cds-NP_1.2;Parent=rna-NM_1.2;protein_id=NP_1.2
"""
GENCODE = """##gff-version 3
chr1\tHAVANA\tgene\t101\t700\t.\t+\t.\tID=ENSG1.2;gene_id=ENSG1.2;gene_name=ABC1
chr1\tHAVANA\ttranscript\t101\t700\t.\t+\t.\tID=ENST1.2;Parent=ENSG1.2;gene_id=ENSG1.2;transcript_id=ENST1.2;transcript_name=ABC1-201
chr1\tHAVANA\texon\t101\t200\t.\t+\t.\tID=exon:ENST1.2:1;Parent=ENST1.2;gene_id=ENSG1.2;transcript_id=ENST1.2
chr1\tHAVANA\texon\t501\t700\t.\t+\t.\tID=exon:ENST1.2:2;Parent=ENST1.2;gene_id=ENSG1.2;transcript_id=ENST1.2
chr1\tHAVANA\tCDS\t121\t180\t.\t+\t0\tID=CDS:ENST1.2;Parent=ENST1.2;gene_id=ENSG1.2;transcript_id=ENST1.2
"""
FORMS = [(ENSEMBL, "mRNA", "ENST1"), (NCBI, "mRNA", "NM_1.2"), (GENCODE, "transcript", "ENST1.2")]


@pytest.mark.parametrize(("text", "feature", "key"), FORMS, ids=["ensembl", "ncbi", "gencode"])
def test_parts_find_their_transcript_in_each_form_of_gff3(tmp_path, text, feature, key):
    path = tmp_path / "genes.gff3"
    path.write_text(text)
    genes, exons = read_genes(path, feature=feature)
    assert genes["key"].iloc[0] == key
    own = exons[exons["owner"] == key]
    assert own[["start", "end"]].values.tolist() == [[100, 200], [500, 700]]
    assert set(exons["owner"]) == set(genes["key"])
    coding = read_genes(path, feature=feature, exons="CDS").exons
    assert coding[["owner", "start", "end"]].values.tolist() == [[key, 120, 180]]


def test_exons_that_name_no_gene_belong_to_none_but_those_that_do_are_found(tmp_path):
    path = tmp_path / "genes.gff3"
    path.write_text(GENCODE)
    assert read_genes(path).exons[["owner", "start"]].values.tolist() == [["ENSG1.2", 100], ["ENSG1.2", 500]]
    for text in (ENSEMBL, NCBI):  # their exons name transcripts alone
        path.write_text(text)
        with pytest.raises(InputError, match="feature=transcript or mRNA"):
            read_genes(path)


def test_bed_genes_are_whole_boxes(tmp_path):
    path = tmp_path / "genes.bed"
    path.write_text(BED)
    axis = plotGenomeTrack(GeneTrack(path), "chr1", 0, 1000).axes[0]
    assert drawn(axis)[1] == [(100, 700, 0), (600, 900, 1)]
    assert [text.get_text() for text in axis.texts] == ["ABC1"]


def test_table_as_the_file(gtf):
    from helpers.data.regions import read_regions

    table, file = read_genes(read_regions(gtf)), read_genes(gtf)
    for one, other in zip(table, file, strict=True):
        pd.testing.assert_frame_equal(one, other)
    with pytest.raises(InputError, match=r"no records of 'tRNA'. It has: exon, gene, transcript"):
        read_genes(read_regions(gtf), feature="tRNA")


def test_file_without_the_feature(gtf):
    with pytest.raises(InputError, match="tRNA"):
        plotGenomeTrack(GeneTrack(gtf, feature="tRNA"), "chr1", 0, 1000)


def test_strand_choice_and_colours(gtf):
    axis = plotGenomeTrack(GeneTrack(gtf, strand="-", color={"-": "red"}), "chr1", 0, 1000).axes[0]
    assert drawn(axis)[0] == [(600, 900, 0)]
    assert to_hex(axis.collections[0].get_color()[0]) == "#ff0000"


def test_a_stretch_without_genes(gtf):
    axis = plotGenomeTrack(GeneTrack(gtf), "chr1", 950, 1000).axes[0]
    assert drawn(axis) == ([], [])
    assert not axis.texts


def test_the_panel_is_as_high_as_its_rows(gtf):
    one, two = (GeneTrack(gtf).heights("chr1", start, 1000, 5.6)[0] for start in (720, 0))
    assert two == pytest.approx(2 * one)
    assert GeneTrack(gtf, 5).heights("chr1", 0, 1000, 5.6) == [5]


def test_names_stand_apart_and_above_their_gene(gtf):
    figure = plotGenomeTrack(GeneTrack(gtf, feature="transcript"), "chr1", 0, 3000)
    with in_style():
        figure.canvas.draw()
    axis = figure.axes[0]
    boxes = [text.get_window_extent() for text in axis.texts]
    assert not any(a.overlaps(b) for number, a in enumerate(boxes) for b in boxes[:number])
    assert all(axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1 + 1 and box.y1 <= axis.bbox.y1 + 1 for box in boxes)
    for box, (left, right, row) in zip(boxes, drawn(axis)[0], strict=True):
        x, y = axis.transData.transform(((left + right) / 2, row - 0.17))
        assert box.y0 > y
        assert box.x0 <= x <= box.x1


def test_names_are_left_out_where_rows_are_too_low(gtf):
    assert not plotGenomeTrack(GeneTrack(gtf, 0.5), "chr1", 0, 1000).axes[0].texts


SIZES = st.floats(0, 120)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 150), SIZES, SIZES), max_size=12), st.floats(0, 8))
def test_genes_and_names_of_a_row_never_touch(items, gap):
    lefts, sizes, widths = np.array(items, dtype=float).reshape(-1, 3).T
    placed = place_in_rows(lefts, lefts + sizes, widths, width=100, gap=gap)
    spans = {}
    for left, size, width, row, middle in zip(lefts, sizes, widths, placed.rows, placed.middles, strict=True):
        assert np.isnan(middle) == (width > 100)
        half = 0 if np.isnan(middle) else width / 2
        middle = np.clip(left + size / 2, 0, 100) if np.isnan(middle) else middle
        assert -1e-9 <= middle - half <= middle + half <= 100 + 1e-9
        ends = np.clip([left, left + size], 0, 100)
        spans.setdefault(row, []).append((min(ends[0], middle - half), max(ends[1], middle + half)))
    for own in spans.values():
        own.sort()
        assert all(after[0] - before[1] >= gap - 1e-9 for before, after in zip(own, own[1:], strict=False))
    assert sorted(spans) == list(range(len(spans)))
    assert placed.n_rows == max(1, len(spans))


PEAKS = pd.DataFrame(
    {
        "chrom": "chr1",
        "start": [500, 100, 520, 900],
        "end": [510, 400, 800, 1400],
        "name": ["tiny", "wide", ".", "cut"],
        "strand": ["+", "-", ".", "+"],
    }
)


def texts(axis):
    return {text.get_text(): text.get_position()[0] for text in axis.texts}


def test_interval_names_stand_in_the_middle_of_what_is_seen_of_wide_boxes():
    assert texts(plotGenomeTrack(IntervalTrack(PEAKS), "chr1", 0, 1000).axes[0]) == {"wide": 250, "cut": 950}


def test_overlapping_intervals_have_no_names():
    table = pd.DataFrame({"chrom": "chr1", "start": [0, 300, 700], "end": [350, 600, 900], "name": ["a", "b", "c"]})
    assert list(texts(plotGenomeTrack(IntervalTrack(table), "chr1", 0, 1000).axes[0])) == ["c"]


def test_interval_names_are_read_on_their_colour():
    for color, ink in (("#E69F00", "black"), ("0.15", "white")):
        axis = plotGenomeTrack(IntervalTrack(PEAKS, color=color), "chr1", 0, 1000).axes[0]
        assert {text.get_color() for text in axis.texts} == {ink}


def test_interval_strands():
    axis = plotGenomeTrack(IntervalTrack(PEAKS, by_strand=True), "chr1", 0, 1000).axes[0]
    shades = [to_hex(color).upper() for color in axis.collections[0].get_facecolor()]
    assert shades == [COLORS["strand"]["+"], COLORS["strand"]["-"], "#262626", COLORS["strand"]["+"]]
    only = plotGenomeTrack(IntervalTrack(PEAKS, strand="-"), "chr1", 0, 1000).axes[0]
    assert [path.get_extents().x0 for path in only.collections[0].get_paths()] == [100]


def test_regions_that_end_where_the_stretch_begins_are_not_drawn():
    table = pd.DataFrame({"chrom": "chr1", "start": [90, 99, 199, 200], "end": [100, 101, 250, 300]})
    axis = plotGenomeTrack(IntervalTrack(table), "chr1", 100, 200).axes[0]
    assert [path.get_extents().x0 for path in axis.collections[0].get_paths()] == [99, 199]


def test_intervals_from_a_file(tmp_path):
    path = tmp_path / "my_peaks.bed"
    path.write_text("chr1\t100\t400\tone\nchr1\t600\t700\ttwo\n")
    axis = plotGenomeTrack(IntervalTrack(path), "chr1", 0, 1000).axes[0]
    assert [path.get_extents().x0 for path in axis.collections[0].get_paths()] == [100, 600]
    assert axis.get_ylabel() == "my_peaks"
