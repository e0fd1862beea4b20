"""The simulated variants: a VCF that agrees with the genome, half of whose SNVs break planted motifs."""

import gzip
import hashlib
import re
from collections import Counter

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.file_checks import check_variants
from helpers.data.region_files import read_regions
from helpers.sources.simulate import simulate
from helpers.sources.simulate_genome import simulate_genome
from helpers.sources.simulate_variants import draw_variants
from helpers.sources.simulation import Simulation

SIZES = {"chrA": 100_000, "chrB": 60_000, "chrC": 70_000, "chrD": 60_000, "chrE": 90_000}
TRUE_MOTIF = re.compile("(?=(?:AC|GT){2}TGAC(?:AC|GT){2})")
ANY_MOTIF = re.compile("(?=(?:[AG][CT]){2}TGAC(?:[AG][CT]){2})")
COMPLEMENT = str.maketrans("ACGT", "TGCA")
# MD5 of what the files held before there were variants, with their seed and parameters
CONTENTS = {
    "genome.fa": "7af5300a82fd1fa637371e7dd181785d",
    "genome.fa.fai": "2e3cd675a3b41af4c67b4812a9ad6dc1",
    "jund_peaks.narrowPeak.gz": "e7f5f9e4d084e9c7a18b5c9dd2b7b2ea",
    "dnase_roadmap.bam": "fc9edd82775605b633d61397cad09e77",
    "dnase_encode.bam": "b1c309c6c6c9fcc3e68b003747794a10",
    "blacklist.bed.gz": "cd92c7917133eeffd3cd9fbc767c10c3",
    "jund_motif.meme": "bb3290f038d37ff62f8f66fda3b084d5",
    "truth.tsv": "aee98583ac939c7f3edf6d31a26817c3",
}


class Planted:
    """The simulated files of a small genome, read back without our own readers."""

    def __init__(self, folder, **parameters):
        self.folder = folder
        self.parameters = Simulation(chromosomes=SIZES, **parameters)
        simulate(folder, self.parameters, seed=1)
        with pysam.FastaFile(str(folder / "genome.fa")) as fasta:
            self.sequences = {name: fasta.fetch(name).upper() for name in fasta.references}
        with pysam.VariantFile(str(folder / "snvs.vcf.gz")) as file:
            self.records = [(r.chrom, r.start, r.ref, r.alts, r.info["KIND"]) for r in file]
        self.truth = pd.read_csv(folder / "truth.tsv", sep="\t")

    def of_kind(self, kind):
        return [(chrom, start, ref, alts[0]) for chrom, start, ref, alts, own in self.records if own == kind]

    def motifs(self, *kinds):
        rows = self.truth[self.truth["kind"].isin(kinds)]
        return list(zip(rows["chrom"], rows["start"], rows["end"], strict=True))

    def centres(self):
        """The middle of the motifs of each bound site, some bp off its centre: [(chrom, position)]."""
        motifs, copies = self.motifs("bound"), self.parameters.copies
        sites = [motifs[first : first + copies] for first in range(0, len(motifs), copies)]
        return [(site[0][0], (site[0][1] + site[-1][2]) / 2) for site in sites]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return Planted(tmp_path_factory.mktemp("planted"), reads=(3000, 1000))


def motifs_around(planted, variant, pattern, *, changed):
    """Count the matches on both strands within 30 bp of a variant, before or after it."""
    chrom, start, ref, alt = variant
    sequence = planted.sequences[chrom]
    text = sequence[start - 30 : start] + (alt if changed else ref) + sequence[start + 1 : start + 31]
    return sum(len(pattern.findall(strand)) for strand in (text, text.translate(COMPLEMENT)[::-1]))


def content(path):
    if path.suffix == ".bam":
        with pysam.AlignmentFile(str(path)) as bam:
            return "".join(f"{read.to_string()}\n" for read in bam.fetch(until_eof=True)).encode()
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


# files


@pytest.mark.parametrize("name", CONTENTS)
def test_variants_leave_all_other_files_as_they_were(planted, name):
    assert hashlib.md5(content(planted.folder / name), usedforsecurity=False).hexdigest() == CONTENTS[name]


def test_other_parameters_of_the_variants_change_their_file_alone(planted, tmp_path):
    simulate(tmp_path, Simulation(chromosomes=SIZES, reads=(3000, 1000), variants=20), seed=1)
    changed = {path.name for path in tmp_path.iterdir() if content(path) != content(planted.folder / path.name)}
    assert changed == {"snvs.vcf.gz", "snvs.vcf.gz.tbi"}


def test_the_motifs_are_those_of_the_true_sites_in_the_truth(planted):
    columns = ["chrom", "start", "end", "name", "score", "strand"]
    motifs = pd.read_csv(planted.folder / "jund_motifs.bed.gz", sep="\t", header=None, names=columns)
    truth = planted.truth[planted.truth["kind"].isin(["bound", "closed_site"])].reset_index(drop=True)
    assert len(motifs) > 100
    for column, expected in (("chrom", "chrom"), ("start", "start"), ("end", "end"), ("name", "kind")):
        assert (motifs[column] == truth[expected]).all()
    assert (motifs["strand"] == truth["strand"]).all()
    assert set(motifs["strand"]) == {"+", "-"}
    assert len(read_regions(planted.folder / "jund_motifs.bed.gz")) == len(motifs)
    for row in motifs.itertuples():
        text = planted.sequences[row.chrom][row.start : row.end]
        assert TRUE_MOTIF.match(text if row.strand == "+" else text.translate(COMPLEMENT)[::-1])


def test_every_reference_allele_is_that_of_the_genome(planted):
    for chrom, start, ref, alts, _ in planted.records:
        assert planted.sequences[chrom][start : start + len(ref)] == ref
        assert ref not in alts
        assert set("".join((ref, *alts))) <= set("ACGT")


def test_the_variants_are_sorted_named_and_no_position_is_changed_twice(planted):
    order = list(planted.sequences)
    keys = [(order.index(chrom), start) for chrom, start, *_ in planted.records]
    assert keys == sorted(set(keys))
    with pysam.VariantFile(str(planted.folder / "snvs.vcf.gz")) as file:
        assert {name: contig.length for name, contig in file.header.contigs.items()} == SIZES
        names = [record.id for record in file]
    assert len(set(names)) == len(planted.records)
    assert all(name.startswith("variant_") for name in names)


def test_the_index_finds_each_variant_where_it_is(planted):
    with pysam.TabixFile(str(planted.folder / "snvs.vcf.gz")) as file:
        assert file.contigs == list(SIZES)
        for chrom, start, ref, alts, _ in planted.records[::20]:
            (line,) = file.fetch(chrom, start, start + 1)
            assert line.split("\t")[:5:4] == [chrom, ",".join(alts)]
            assert line.split("\t")[1:4:2] == [str(start + 1), ref]


def test_the_check_of_a_studys_files_accepts_the_variants(planted):
    findings, sizes = check_variants(planted.folder / "snvs.vcf.gz")
    assert [finding.status for finding in findings] == ["ok"] * len(findings)
    assert sizes == SIZES


# what the variants do


def test_both_kinds_are_there_in_equal_numbers_on_every_chromosome(planted):
    counts = Counter((kind, chrom) for chrom, *_, kind in planted.records)
    assert sum(counts["breaks", chrom] for chrom in SIZES) == planted.parameters.variants // 2
    for chrom in SIZES:
        assert counts["breaks", chrom] == counts["neutral", chrom] > 10


def test_each_breaking_snv_lies_in_a_motif_of_a_bound_site_and_ends_it(planted):
    motifs = planted.motifs("bound")
    for variant in planted.of_kind("breaks"):
        chrom, start, ref, alt = variant
        assert sum(own == chrom and first <= start < end for own, first, end in motifs) == 1
        assert len(ref) == len(alt) == 1
        before, after = (motifs_around(planted, variant, TRUE_MOTIF, changed=changed) for changed in (False, True))
        assert after == before - 1


def test_half_of_the_breaking_snvs_leave_a_decoy_and_half_no_core(planted):
    after = [
        motifs_around(planted, variant, ANY_MOTIF, changed=True)
        - motifs_around(planted, variant, ANY_MOTIF, changed=False)
        for variant in planted.of_kind("breaks")
    ]
    assert set(after) == {0, -1}
    assert np.mean(np.array(after) == 0) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(after)))
    for variant, change in zip(planted.of_kind("breaks"), after, strict=True):
        if change == 0:
            assert {variant[2], variant[3]} in ({"A", "G"}, {"C", "T"})


def test_breaking_snvs_are_spread_over_motifs_of_both_strands(planted):
    rows = planted.truth[planted.truth["kind"] == "bound"]
    hits = Counter()
    for chrom, start, *_ in planted.of_kind("breaks"):
        ((strand, first),) = rows.loc[
            (rows["chrom"] == chrom) & (rows["start"] <= start) & (rows["end"] > start), ["strand", "start"]
        ].itertuples(index=False)
        hits[chrom, first, strand] += 1
    rounds = len(planted.of_kind("breaks")) / len(rows)
    assert max(hits.values()) <= np.ceil(rounds) + 1  # one more where a round found no neutral base in some sites
    assert 0.3 < sum(count for (*_, strand), count in hits.items() if strand == "+") / sum(hits.values()) < 0.7


def test_neutral_snvs_touch_no_motif_and_make_none(planted):
    motifs = planted.motifs("bound", "closed_site", "open_decoy", "closed_decoy")
    for variant in planted.of_kind("neutral"):
        chrom, start, *_ = variant
        assert not any(own == chrom and first <= start < end for own, first, end in motifs)
        for pattern in (TRUE_MOTIF, ANY_MOTIF):
            before, after = (motifs_around(planted, variant, pattern, changed=changed) for changed in (False, True))
            assert after == before


def test_the_kinds_agree_in_alleles_sites_and_distances(planted):
    centres, alleles, sites, distances = planted.centres(), {}, {}, {}
    for kind in ("breaks", "neutral"):
        variants = planted.of_kind(kind)
        alleles[kind] = Counter((chrom, ref, alt) for chrom, _, ref, alt in variants)
        offsets = np.array([[abs(start - middle) for _, middle in centres] for _, start, *_ in variants])
        offsets[[[own != chrom for own, _ in centres] for chrom, *_ in variants]] = np.inf
        sites[kind], distances[kind] = Counter(offsets.argmin(axis=1).tolist()), offsets.min(axis=1)
        assert distances[kind].max() < 40
    assert alleles["breaks"] == alleles["neutral"]
    assert sites["breaks"] == sites["neutral"]
    assert np.mean(distances["breaks"]) == pytest.approx(np.mean(distances["neutral"]), abs=4)


def test_the_other_variants_are_two_alternatives_an_insertion_and_a_deletion(planted):
    others = [(ref, alts) for *_, ref, alts, kind in planted.records if kind == "other"]
    (ref, alts), (before, inserted), (deleted, after) = others
    assert len(ref) == 1
    assert len({ref, *alts}) == 3
    assert (len(before), len(inserted[0])) == (1, 4)
    assert inserted[0][0] == before
    assert (len(deleted), after) == (4, (deleted[0],))


def test_without_dependence_every_breaking_snv_changes_a_core(tmp_path):
    independent = Planted(tmp_path, reads=(100, 100), dependence=False, variants=100)
    assert len(independent.of_kind("breaks")) == 50
    for variant in independent.of_kind("breaks"):
        before, after = (motifs_around(independent, variant, ANY_MOTIF, changed=changed) for changed in (False, True))
        assert after == before - 1


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 1000), st.integers(1, 5), st.booleans(), st.sampled_from([2, 16, 5000]), st.sampled_from([500, 800])
)
def test_any_small_genome_gives_whole_pairs_within_itself(seed, copies, dependence, count, slot):
    parameters = Simulation(chromosomes={"c1": 20_000, "c2": 25_000}, copies=copies, slot=slot)
    genome, elements, motifs = simulate_genome(parameters, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    variants = draw_variants(genome, elements, motifs, count=count, dependence=dependence, rng=rng)
    kinds = variants["kind"].value_counts()
    assert kinds["breaks"] == kinds["neutral"] <= count // 2
    assert kinds["other"] == 3
    assert kinds["breaks"] == count // 2 or count > 16
    assert variants["start"].is_unique
    letters = genome.letters().tobytes().decode()
    inside = np.zeros(genome.codes.size, dtype=bool)
    for start in motifs["start"]:
        inside[start : start + 12] = True
    for row in variants.itertuples():
        assert letters[row.start : row.end] == row.ref
        assert inside[row.start : row.end].any() == (row.kind == "breaks")
        assert genome.offsets[row.contig] <= row.start < row.end <= genome.offsets[row.contig + 1]
