"""Simulated promoters: real formats, the same for the same seed, and exactly what truth.tsv says."""

import gzip
import json
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest

from helpers.data.promoters import find_promoters
from helpers.data.regions import read_regions
from helpers.errors import InputError
from helpers.sources import simulate_promoters as module
from helpers.sources.promoter_genes import DISTANCES, EDGE_GENE, OTHER_TYPES, STRAY_CONTIG, STRAY_GENE
from helpers.sources.promoter_motifs import EFFECTS, find_motifs, plant_motifs
from helpers.sources.promoter_signal import CAGE_BACKGROUND, SIGNAL_BIN
from helpers.sources.promoter_simulation import FILES, PROMOTER, PromoterSimulation
from helpers.sources.promoter_world import draw_world
from helpers.sources.simulate_promoters import simulate_promoters

MICRO = {
    "chromosomes": {"chrA": 70_000, "chrB": 60_000, "chrC": 60_000},
    "cage_reads": 2_000,
    "dnase_pairs": 1_000,
}
COMPLEMENT = str.maketrans("ACGT", "TGCA")
WORDS = {
    "activator": "(?:AC|GT){2}TGAC(?:AC|GT){2}",
    "decoy": "(?:AT|GC){2}TGAC(?:AT|GC){2}",
    "booster": "AGCCAATCAGCG",
    "repressor": "TTCAGCACCATG",
}


def reverse_complement(sequence):
    return sequence.translate(COMPLEMENT)[::-1]


class Simulated:
    """The files of one simulation, read back."""

    def __init__(self, folder, seed=1, **parameters):
        self.folder = folder
        self.parameters = PromoterSimulation.from_dict(parameters)
        simulate_promoters(folder, self.parameters, seed=seed)
        with pysam.FastaFile(str(folder / "genome.fa")) as fasta:
            self.written = {name: fasta.fetch(name) for name in fasta.references}
        self.sequences = {name: sequence.upper() for name, sequence in self.written.items()}
        self.truth = pd.read_csv(folder / "truth.tsv", sep="\t")
        self.motifs = pd.read_csv(
            folder / "motifs.bed.gz", sep="\t", names=["chrom", "start", "end", "kind", "score", "strand"]
        )
        self.gtf = gzip.decompress((folder / "genes.gtf.gz").read_bytes()).decode().splitlines()

    def reads(self, name):
        with pysam.AlignmentFile(str(self.folder / f"{name}.bam")) as bam:
            return list(bam.fetch(until_eof=True))

    def records(self, feature):
        """Records of the annotation: columns as they are written, attributes as a dictionary."""
        rows = []
        for line in self.gtf:
            columns = line.split("\t")
            if line.startswith("#") or columns[2] != feature:
                continue
            attributes = dict(re.findall(r'(\w+) "?([^";]+)"?;', columns[8]))
            rows.append({"chrom": columns[0], "start": int(columns[3]), "end": int(columns[4]), "strand": columns[6]})
            rows[-1].update(attributes)
        return pd.DataFrame(rows)

    def caps(self):
        """First bases of the primary CAGE reads: Counter of (chrom, position, strand)."""
        first = Counter()
        for read in self.reads("cage"):
            if not read.flag & (pysam.FSECONDARY | pysam.FQCFAIL):
                position = read.reference_end - 1 if read.is_reverse else read.reference_start
                first[read.reference_name, position, "-" if read.is_reverse else "+"] += 1
        return first

    def caps_of_genes(self, reach):
        """CAGE reads that begin within `reach` bp of each TSS, on the gene's strand and on the other."""
        first = self.caps()
        sums = {"+": [], "-": []}
        for row in self.truth.itertuples():
            for strand, counts in sums.items():
                places = ((row.chrom, row.tss + shift, strand) for shift in range(-reach, reach + 1))
                counts.append(sum(first[place] for place in places))
        forward = self.truth["strand"] == "+"
        return np.where(forward, sums["+"], sums["-"]), np.where(forward, sums["-"], sums["+"])

    def pairs(self):
        """Read pairs of DNase: lists of two reads, the left one first, by name."""
        pairs = {}
        for read in self.reads("dnase"):
            pairs.setdefault(read.query_name, []).append(read)
        return pairs

    def promoter(self, row, reach):
        start = row.tss - PROMOTER if row.strand == "+" else row.tss + 1
        return start - reach, start + PROMOTER + reach


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return Simulated(
        tmp_path_factory.mktemp("promoters"),
        chromosomes={"chr1": 260_000, "chr2": 180_000, "chrX": 160_000},
        divergent=0.15,
        close=0.1,
        stray_gene=True,
        cage_reads=30_000,
        dnase_pairs=12_000,
        signal_gaps=0.05,
    )


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A world without noise: single genes far apart, all reads at their TSS, expression as the formula says."""
    return Simulated(
        tmp_path_factory.mktemp("exact"),
        chromosomes={"chr1": 400_000, "chr2": 300_000},
        **dict.fromkeys(("divergent", "close", "expression_noise", "dispersion", "dnase_noise", "h3k4me3_noise"), 0),
        **{"cage_spread": 0, "signal_gaps": 0, "cage_reads": 30_000, "dnase_pairs": 60_000, "open_share": 0.9},
    )


@pytest.fixture(scope="module")
def micro(tmp_path_factory):
    return Simulated(tmp_path_factory.mktemp("micro"), **MICRO)


# determinism and files


def test_exactly_the_named_files_are_written(simulated):
    assert {path.name for path in simulated.folder.iterdir()} == set(FILES)


def test_the_same_seed_gives_the_same_bytes(micro, tmp_path):
    simulate_promoters(tmp_path, micro.parameters, seed=1)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name


def test_another_seed_gives_other_files(micro, tmp_path):
    simulate_promoters(tmp_path, micro.parameters, seed=2)
    for name in set(FILES) - {"genome.fa.fai"}:
        assert (tmp_path / name).read_bytes() != (micro.folder / name).read_bytes(), name


def test_other_readings_leave_genome_genes_and_each_other_as_they_were(micro, tmp_path):
    other = {**MICRO, "dnase_pairs": 500, "fragment_length": [200, 10]}
    simulate_promoters(tmp_path, PromoterSimulation.from_dict(other), seed=1)
    changed = {name for name in FILES if (tmp_path / name).read_bytes() != (micro.folder / name).read_bytes()}
    assert changed == {"dnase.bam", "dnase.bam.bai"}


def test_the_genome_is_indexed_with_unknown_bases_and_soft_masked_stretches(simulated, tmp_path):
    copy = tmp_path / "genome.fa"
    copy.write_bytes((simulated.folder / "genome.fa").read_bytes())
    pysam.faidx(str(copy))
    assert (tmp_path / "genome.fa.fai").read_text() == (simulated.folder / "genome.fa.fai").read_text()
    assert {name: len(bases) for name, bases in simulated.written.items()} == simulated.parameters.chromosomes
    for bases in simulated.written.values():
        assert set(bases) == set("ACGTNacgt")
        assert bases[:100] == bases[-100:] == "N" * 100


# genes


def test_coordinates_of_genes_start_at_one_and_include_both_ends(simulated):
    genes, truth = simulated.records("gene").set_index("gene_id"), simulated.truth.set_index("gene_id")
    assert set(genes.index) == {*truth.index, EDGE_GENE, STRAY_GENE}
    genes = genes.loc[truth.index]
    for column in ("chrom", "strand", "gene_type"):
        assert list(genes[column]) == list(truth[column])
    assert list(genes["start"]) == list(truth["start"] + 1)
    assert list(genes["end"]) == list(truth["end"])
    first_base = np.where(genes["strand"] == "+", genes["start"], genes["end"]) - 1
    assert list(first_base) == list(truth["tss"])
    assert 0.3 < (truth["strand"] == "+").mean() < 0.7


def test_transcripts_and_exons_lie_in_their_genes_in_the_order_of_transcription(simulated):
    genes = simulated.records("gene").set_index("gene_id")
    transcripts, exons = simulated.records("transcript"), simulated.records("exon")
    assert set(transcripts["gene_id"]) == set(exons["gene_id"]) == set(genes.index)
    for parts in (transcripts, exons):
        gene = genes.loc[parts["gene_id"]].reset_index()
        assert (parts["start"] >= gene["start"]).all()
        assert (parts["end"] <= gene["end"]).all()
        assert (parts["start"] <= parts["end"]).all()
        assert list(parts["strand"]) == list(gene["strand"])
    assert (transcripts.groupby("gene_id")["start"].min() == genes.sort_index()["start"]).all()
    assert (transcripts.groupby("gene_id")["end"].max() == genes.sort_index()["end"]).all()
    for (_, strand), chain in exons.groupby(["transcript_id", "strand"]):
        assert [int(number) for number in chain["exon_number"]] == list(range(1, len(chain) + 1))
        assert chain["start"].is_monotonic_increasing if strand == "+" else chain["start"].is_monotonic_decreasing


def test_the_workflow_finds_the_promoter_of_each_coding_gene(simulated):
    genes = read_regions(simulated.folder / "genes.gtf.gz", feature="gene")
    sizes = simulated.parameters.chromosomes
    found, left_out = find_promoters(genes, sizes, length=PROMOTER, gene_type="protein_coding")
    coding = simulated.truth[simulated.truth["gene_type"] == "protein_coding"]
    expected = [(row.chrom, *simulated.promoter(row, 0), row.strand) for row in coding.itertuples()]
    assert list(found[["chrom", "start", "end", "strand"]].itertuples(index=False, name=None)) == expected
    assert list(left_out["chrom"]) == ["chr1", STRAY_CONTIG]
    assert left_out["reason"].str.contains("past the end|not in use").all()


def test_the_stray_gene_is_there_only_when_it_is_asked_for(simulated, micro):
    assert STRAY_CONTIG not in simulated.sequences
    assert STRAY_CONTIG not in set(micro.records("gene")["chrom"])


def test_genes_of_each_kind_lie_as_they_should(simulated):
    truth = simulated.truth
    assert set(truth["kind"]) == {"single", *DISTANCES}
    assert set(truth["gene_type"]) == {"protein_coding", *OTHER_TYPES}
    for kind, (lowest, highest) in DISTANCES.items():
        rows = truth[truth["kind"] == kind].sort_values(["chrom", "tss"])
        left, right = rows.iloc[::2], rows.iloc[1::2]
        assert (left["chrom"].to_numpy() == right["chrom"].to_numpy()).all()
        assert ((right["tss"].to_numpy() - left["tss"].to_numpy()) >= lowest).all()
        assert ((right["tss"].to_numpy() - left["tss"].to_numpy()) <= highest).all()
        assert list(left["chromatin"]) == list(right["chromatin"])
        if kind == "divergent":
            assert (set(left["strand"]), set(right["strand"])) == ({"-"}, {"+"})
        else:
            assert list(left["strand"]) == list(right["strand"])


def test_promoters_and_their_neighbourhood_hold_no_unknown_base(simulated):
    for row in simulated.truth.itertuples():
        start, end = simulated.promoter(row, 200)
        assert "N" not in simulated.sequences[row.chrom][start:end]


# motifs


def test_the_motifs_listed_are_all_that_the_genome_has(simulated):
    listed = set(simulated.motifs[["chrom", "start", "end", "kind", "strand"]].itertuples(index=False, name=None))
    found = set()
    for chrom, forward in simulated.sequences.items():
        for strand, sequence in (("+", forward), ("-", reverse_complement(forward))):
            for kind, word in WORDS.items():
                for match in re.finditer(f"(?={word})", sequence):
                    start = match.start() if strand == "+" else len(sequence) - match.start() - 12
                    found.add((chrom, start, start + 12, kind, strand))
    assert listed == found
    assert len(listed) == len(simulated.motifs)


def test_truth_counts_the_motifs_around_each_promoter(simulated):
    for row in simulated.truth.itertuples():
        start, end = simulated.promoter(row, simulated.parameters.motif_reach)
        near = simulated.motifs[simulated.motifs["chrom"] == row.chrom]
        near = near[(near["start"] >= start) & (near["end"] <= end)]
        assert {kind: getattr(row, kind) for kind in EFFECTS} == {k: (near["kind"] == k).sum() for k in EFFECTS}


def test_single_genes_have_the_motifs_asked_for(exact):
    counts = exact.truth[list(EFFECTS)]
    full = counts == exact.parameters.copies
    assert ((counts == 0) | full).to_numpy().mean() > 0.98  # a few stand there by chance
    share = exact.parameters.motif_share
    for kinds in (["activator", "decoy"], ["booster"], ["repressor"]):
        assert full[kinds].any(axis=1).mean() == pytest.approx(
            share, abs=4 * np.sqrt(share * (1 - share) / len(counts))
        )
    assert not (full["activator"] & full["decoy"]).any()


def test_activators_and_decoys_have_the_same_bases_at_each_position(exact):
    columns = {}
    for kind in ("activator", "decoy"):
        rows = exact.motifs[exact.motifs["kind"] == kind]
        words = [exact.sequences[row.chrom][row.start : row.end] for row in rows.itertuples()]
        words = [w if s == "+" else reverse_complement(w) for w, s in zip(words, rows["strand"], strict=True)]
        columns[kind] = np.array([[list(column).count(base) for base in "ACGT"] for column in zip(*words, strict=True)])
    n, m = columns["activator"][0].sum(), columns["decoy"][0].sum()
    assert min(n, m) > 150
    difference = np.abs(columns["activator"] / n - columns["decoy"] / m).max()
    assert difference < 4 * np.sqrt(0.25 / n + 0.25 / m)


def test_motifs_lie_on_both_strands(simulated):
    for _, strands in simulated.motifs.groupby("kind")["strand"]:
        assert 0.3 < (strands == "+").mean() < 0.7


def test_genes_that_share_a_place_leave_each_other_room():
    codes = np.zeros(400, np.uint8)
    kinds = [["booster"] * 9, ["repressor"] * 9]
    plant_motifs(codes, np.zeros(2, int), np.full(2, 400), kinds, np.random.default_rng(1))
    assert dict(find_motifs(codes)["kind"].value_counts()) == {"booster": 9, "repressor": 9}


def test_motifs_that_find_no_room_are_left_out_and_none_lies_outside():
    codes = np.zeros(400, np.uint8)
    plant_motifs(codes, np.array([95]), np.array([205]), [["booster"] * 9], np.random.default_rng(1))
    found = find_motifs(codes)
    assert len(found) == 5
    assert found["start"].min() >= 95
    assert found["end"].max() <= 205


@pytest.mark.parametrize(("strand", "start", "end"), [("+", 750, 1050), ("-", 951, 1251)])
def test_a_motif_acts_on_a_gene_if_it_lies_wholly_within_reach(strand, start, end):
    genes = pd.DataFrame({"slot": [0], "tss": [1000], "strand": [strand]})
    starts = np.array([start - 1, start, end - 12, end - 11])
    motifs = pd.DataFrame({"start": starts, "end": starts + 12, "kind": "booster", "strand": "+"})
    world = draw_world(genes, motifs, PromoterSimulation(motif_reach=50), np.random.default_rng(1))
    assert world["booster"].tolist() == [2]


# the world


def test_sequence_and_expression_follow_the_formula(exact):
    truth, parameters = exact.truth, exact.parameters
    score = sum(effect * truth[kind] for kind, effect in EFFECTS.items())
    np.testing.assert_allclose(truth["sequence"], (score - score.mean()) / score.std(ddof=0), atol=1e-3)
    logarithm = parameters.chromatin_effect * truth["chromatin"] + parameters.sequence_effect * truth["sequence"]
    reads = np.exp(logarithm)
    expected = (1 - CAGE_BACKGROUND) * parameters.cage_reads * reads / reads.sum()
    np.testing.assert_allclose(truth["cage"], expected, rtol=1e-2, atol=1e-3)
    for reading in ("dnase", "h3k4me3"):
        np.testing.assert_allclose(truth[reading], truth["chromatin"], atol=1e-3)


def test_chromatin_reflects_the_sequence_as_much_as_was_asked_for(tmp_path):
    few_reads = {"cage_reads": 100, "dnase_pairs": 100, "divergent": 0, "close": 0}
    for shared in (0, 0.8):
        truth = Simulated(tmp_path / str(shared), chromosomes={"chr1": 700_000}, shared=shared, **few_reads).truth
        found = np.corrcoef(truth["sequence"], truth["chromatin"])[0, 1]
        assert found == pytest.approx(shared, abs=4 / np.sqrt(len(truth)))
        assert truth["chromatin"].std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(truth)))


def test_noise_of_expression_and_readings_is_that_asked_for(simulated):
    truth, parameters = simulated.truth, simulated.parameters
    single = truth[truth["kind"] == "single"]
    spread = 4 / np.sqrt(2 * len(single))
    for reading in ("dnase", "h3k4me3"):
        noise = single[reading] - single["chromatin"]
        assert noise.std() == pytest.approx(getattr(parameters, f"{reading}_noise"), rel=spread)
    known = parameters.chromatin_effect * single["chromatin"] + parameters.sequence_effect * single["sequence"]
    assert (np.log(single["cage"]) - known).std() == pytest.approx(parameters.expression_noise, rel=spread)


# CAGE


@pytest.mark.parametrize("name", ["cage", "dnase"])
def test_reads_are_sorted_indexed_and_spell_the_genome(simulated, name):
    path = str(simulated.folder / f"{name}.bam")
    pysam.quickcheck(path)
    with pysam.AlignmentFile(path) as bam:
        assert bam.has_index()
        assert bam.header["HD"]["SO"] == "coordinate"
        assert dict(zip(bam.references, bam.lengths, strict=True)) == simulated.parameters.chromosomes
        assert sum(bam.count(chrom) for chrom in bam.references) == bam.mapped
    reads = simulated.reads(name)
    keys = [(read.reference_id, read.reference_start) for read in reads]
    assert keys == sorted(keys)
    for read in reads[:: len(reads) // 500]:
        template = simulated.sequences[read.reference_name][read.reference_start : read.reference_end]
        assert read.query_sequence == template
        assert "N" not in template


def test_caps_are_single_reads_as_many_as_asked_for(simulated):
    reads = simulated.reads("cage")
    assert not any(read.is_paired for read in reads)
    primary = [read for read in reads if not read.flag & (pysam.FSECONDARY | pysam.FQCFAIL)]
    assert len(primary) == simulated.parameters.cage_reads
    assert sum(read.is_duplicate for read in reads) > 0.01 * len(reads)


def test_without_spread_caps_stand_at_the_first_transcribed_base_on_the_strand_of_the_gene(exact):
    sense, antisense = exact.caps_of_genes(0)
    assert sense.sum() == pytest.approx((1 - CAGE_BACKGROUND) * exact.parameters.cage_reads, rel=0.01)
    assert antisense.sum() < 0.001 * sense.sum()


def test_caps_of_each_gene_are_a_poisson_draw_of_what_truth_says(exact):
    counts, _ = exact.caps_of_genes(0)
    expected = exact.truth["cage"].to_numpy()
    index = ((counts - expected) ** 2 / expected)[expected > 1]
    assert index.mean() == pytest.approx(1, abs=0.25)  # chi-squared; duplicates make it a little larger
    assert np.corrcoef(np.log1p(counts), np.log1p(expected))[0, 1] > 0.97


def test_dispersion_spreads_the_caps_of_each_gene(tmp_path):
    settings = {"chromosomes": {"chr1": 400_000}, "divergent": 0, "close": 0, "dnase_pairs": 100, "cage_spread": 0}
    wide = Simulated(tmp_path, **settings, dispersion=0.5, expression_noise=0, cage_reads=30_000)
    counts, _ = wide.caps_of_genes(0)
    expected = wide.truth["cage"].to_numpy()
    excess = ((counts - expected) ** 2 - expected).sum() / (expected**2).sum()
    assert excess == pytest.approx(0.5, abs=0.35)


def test_caps_spread_around_the_tss(simulated):
    first, spread = simulated.caps(), simulated.parameters.cage_spread
    single = simulated.truth[simulated.truth["kind"] == "single"]
    shifts = np.arange(-40, 41)
    counts = np.zeros(len(shifts))
    for row in single.itertuples():
        counts += [first[row.chrom, row.tss + shift, row.strand] for shift in shifts]
    mean = np.average(shifts, weights=counts)
    assert abs(mean) < 0.5
    assert np.sqrt(np.average((shifts - mean) ** 2, weights=counts)) == pytest.approx(spread, rel=0.1)


# DNase


def test_dnase_comes_in_pairs_of_one_forward_and_one_reverse_read(simulated):
    pairs = simulated.pairs()
    assert {len(pair) for pair in pairs.values()} == {2}
    first_mate_forward = []
    for left, right in pairs.values():
        assert (left.is_reverse, right.is_reverse) == (False, True)
        assert left.is_read1 != right.is_read1
        assert left.is_read2 != right.is_read2
        assert left.reference_name == right.reference_name
        assert left.mapping_quality == right.mapping_quality
        for mark in ("is_duplicate", "is_qcfail", "is_proper_pair"):
            assert getattr(left, mark) == getattr(right, mark)
        first_mate_forward.append(left.is_read1)
    assert 0.45 < np.mean(first_mate_forward) < 0.55


def test_mates_know_of_each_other_as_samtools_finds(simulated, tmp_path):
    by_name, fixed = str(tmp_path / "names.bam"), str(tmp_path / "fixed.bam")
    pysam.sort("-n", "-o", by_name, str(simulated.folder / "dnase.bam"))
    pysam.fixmate("-p", by_name, fixed)  # -p: leave the marks of proper pairs

    def told(path):
        with pysam.AlignmentFile(path) as bam:
            return [
                (
                    r.query_name,
                    r.flag,
                    r.reference_start,
                    r.next_reference_name,
                    r.next_reference_start,
                    r.template_length,
                )
                for r in bam.fetch(until_eof=True)
            ]

    assert told(by_name) == told(fixed)


def test_proper_pairs_are_as_many_and_as_long_as_asked_for(simulated):
    lefts = [left for left, _ in simulated.pairs().values()]
    proper = [left for left in lefts if left.is_proper_pair and not left.is_qcfail]
    assert len(proper) == simulated.parameters.dnase_pairs
    lengths = np.array([left.template_length for left in proper])
    mean, spread = simulated.parameters.fragment_length
    assert lengths.mean() == pytest.approx(mean, abs=1.5)
    assert lengths.std() == pytest.approx(spread, rel=0.1)
    long = [left.template_length for left in lefts if not left.is_proper_pair]
    assert 0.01 * len(lefts) < len(long) < 0.03 * len(lefts)
    assert min(long) >= 1000


def test_a_duplicate_pair_is_the_copy_of_another(simulated):
    places = Counter(
        (left.reference_id, left.reference_start, left.template_length) for left, _ in simulated.pairs().values()
    )
    copies = [left for left, _ in simulated.pairs().values() if left.is_duplicate]
    assert len(copies) == round(0.03 * simulated.parameters.dnase_pairs)
    assert all(places[left.reference_id, left.reference_start, left.template_length] > 1 for left in copies)


def test_dnase_follows_the_strength_of_open_chromatin(exact):
    with pysam.AlignmentFile(str(exact.folder / "dnase.bam")) as bam:
        windows = [(row.chrom, *exact.promoter(row, 200)) for row in exact.truth.itertuples()]
        counts = np.array([bam.count(*window) for window in windows])
    assert counts.sum() > 0.85 * 2 * exact.parameters.dnase_pairs
    logarithm = np.log(counts)
    slope, _ = np.polyfit(exact.truth["dnase"], logarithm, 1)
    assert slope == pytest.approx(exact.parameters.open_spread, rel=0.2)
    assert np.corrcoef(exact.truth["dnase"], logarithm)[0, 1] > 0.97


# H3K4me3


def test_the_big_wig_follows_chromatin(exact):
    with pyBigWig.open(str(exact.folder / "h3k4me3.bw")) as track:
        assert track.chroms() == exact.parameters.chromosomes
        sums = [
            np.nansum(track.values(row.chrom, *exact.promoter(row, 200), numpy=True))
            for row in exact.truth.itertuples()
        ]
    assert np.corrcoef(exact.truth["h3k4me3"], np.log1p(sums))[0, 1] > 0.95


def test_the_big_wig_has_stretches_without_data_and_values_that_are_nan(simulated):
    with pyBigWig.open(str(simulated.folder / "h3k4me3.bw")) as track:
        intervals = {chrom: track.intervals(chrom) for chrom in track.chroms()}
    covered, nans, in_known = 0, 0, 0
    for chrom, rows in intervals.items():
        has_value = np.zeros(len(simulated.sequences[chrom]), bool)
        for start, end, value in rows:
            assert (start % SIGNAL_BIN, end - start) == (0, SIGNAL_BIN)
            has_value[start:end] = True
            nans += np.isnan(value)
            assert not value < 0
        unknown = np.frombuffer(simulated.sequences[chrom].encode(), np.uint8) == ord("N")
        assert not (has_value & unknown).any()
        covered += has_value.sum()
        in_known += (~unknown).sum()
    assert nans > 0
    assert 1 - covered / in_known == pytest.approx(simulated.parameters.signal_gaps, abs=0.03)


# small worlds, parameters and command line


def test_a_micro_simulation_has_genes_in_each_chromosome(micro):
    coding = micro.truth[micro.truth["gene_type"] == "protein_coding"]
    assert coding.groupby("chrom").size().min() >= 10
    assert set(coding["chrom"]) == set(MICRO["chromosomes"])
    assert micro.truth["cage"].gt(0).all()


def test_a_world_without_motifs_is_possible(tmp_path):
    truth = Simulated(tmp_path, **MICRO, motif_share=0, sequence_effect=0, signal_gaps=0).truth
    assert (truth[["booster", "repressor"]] == 0).all(axis=None)


@pytest.mark.parametrize("slot", [1600, 5000])
def test_the_widest_motifs_and_caps_stay_among_known_bases(tmp_path, slot):
    extreme = {"motif_reach": 200, "cage_spread": 50, "divergent": 0.5, "close": 0.4, "slot": slot}
    simulated = Simulated(tmp_path, **{**MICRO, "chromosomes": {"chrA": 250_000}}, **extreme)
    assert not any("N" in read.query_sequence for name in ("cage", "dnase") for read in simulated.reads(name))
    assert simulated.sequences["chrA"].count("N") > 1000


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"read": 1}, ["'read'", "Known are", "cage_reads"]),
        ({"cage_reads": 1000.5}, ["cage_reads", "whole number", "1000.5"]),
        ({"dnase_pairs": 10}, ["dnase_pairs", "100", "10"]),
        ({"shared": 1.5}, ["shared", "-1 to 1", "1.5"]),
        ({"soft_masked": -1}, ["soft_masked", "-1"]),
        ({"stray_gene": "no"}, ["stray_gene", "true or false", "'no'"]),
        ({"copies": True}, ["copies", "True"]),
        ({"slot": 1000}, ["slot", "1600", "1000"]),
        ({"motif_reach": 500}, ["motif_reach", "200", "500"]),
        ({"fragment_length": [100]}, ["fragment_length", "a pair", "[100]"]),
        ({"fragment_length": [100, 0.5]}, ["fragment_length", "whole number", "0.5"]),
        ({"divergent": 0.6, "close": 0.5}, ["divergent and close", "at most 0.9", "1.1"]),
        ({"chromosomes": {}}, ["chromosomes", "{}"]),
        ({"chromosomes": {"chr 1": 90_000}}, ["chromosomes", "'chr 1'"]),
        ({"chromosomes": {"chr1": 500}}, ["chromosomes[chr1]", "50000", "500"]),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(parameters, said):
    with pytest.raises(InputError) as error:
        PromoterSimulation.from_dict(parameters)
    for word in said:
        assert word in str(error.value)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_a_wrong_seed_is_refused(tmp_path, seed):
    with pytest.raises(InputError, match="seed"):
        simulate_promoters(tmp_path, PromoterSimulation(), seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_writes_what_the_function_writes(micro, tmp_path):
    command = [sys.executable, "-m", "helpers.sources.simulate_promoters", str(tmp_path), "--seed", "1"]
    done = subprocess.run([*command, "--parameters", json.dumps(MICRO)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name


def test_the_command_line_answers_a_mistake_with_one_line(tmp_path):
    with pytest.raises(SystemExit) as stop:
        module.main([str(tmp_path), "--seed", "1", "--parameters", '{"deep": 1}'])
    assert "unknown simulation parameter 'deep'" in stop.value.code
    assert "\n" not in stop.value.code
