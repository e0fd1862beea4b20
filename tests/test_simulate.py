"""The simulated demo data: real formats, the same for the same seed, and exactly what truth.tsv says."""

import gzip
import itertools
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pysam
import pytest

from helpers.errors import InputError
from helpers.files import atomic_path
from helpers.sources import simulate as module
from helpers.sources import simulate_reads
from helpers.sources.simulate import EXPERIMENTS, simulate
from helpers.sources.simulate_genome import find_motifs
from helpers.sources.simulation import FILES, MOTIF_LENGTH, Simulation

MICRO = {"chromosomes": {"chrA": 100_000, "chrB": 60_000, "chrC": 70_000, "chrD": 60_000, "chrE": 90_000}}
CODES = np.full(256, 4, np.uint8)
CODES[np.frombuffer(b"ACGTacgt", np.uint8)] = [0, 1, 2, 3] * 2
COMPLEMENT = str.maketrans("ACGT", "TGCA")
SITES, DECOYS = ["bound", "closed_site"], ["open_decoy", "closed_decoy"]
EXCLUDED = pysam.FUNMAP | pysam.FSECONDARY | pysam.FQCFAIL


def read_table(path, names):
    return pd.read_csv(path, sep="\t", header=None, names=names)


class Simulated:
    """The files of one simulation, read back."""

    def __init__(self, folder, **parameters):
        self.folder = folder
        self.parameters = Simulation.from_dict(parameters)
        simulate(folder, self.parameters, seed=1)
        with pysam.FastaFile(str(folder / "genome.fa")) as fasta:
            self.sequences = {name: fasta.fetch(name) for name in fasta.references}
        self.truth = pd.read_csv(folder / "truth.tsv", sep="\t")
        columns = ["chrom", "start", "end", "name", "score", "strand", "signal", "p", "q", "summit"]
        self.peaks = read_table(folder / "jund_peaks.narrowPeak.gz", columns)
        self.blacklist = read_table(folder / "blacklist.bed.gz", ["chrom", "start", "end", "name"])

    def motifs(self, kinds):
        """Sequences of the motifs of these kinds, each read on its own strand."""
        rows = self.truth[self.truth["kind"].isin(kinds)]
        found = [self.sequences[row.chrom][row.start : row.end].upper() for row in rows.itertuples()]
        strands = rows["strand"]
        return [m if s == "+" else m.translate(COMPLEMENT)[::-1] for m, s in zip(found, strands, strict=True)]

    def reads(self, experiment):
        with pysam.AlignmentFile(str(self.folder / f"{experiment}.bam")) as bam:
            return list(bam.fetch(until_eof=True))

    def cuts(self, experiment):
        """First bases of the primary reads: chrom -> counts of shape (strands, bases)."""
        counts = {chrom: np.zeros((2, len(sequence)), int) for chrom, sequence in self.sequences.items()}
        for read in self.reads(experiment):
            if not read.flag & EXCLUDED:
                position = read.reference_end - 1 if read.is_reverse else read.reference_start
                counts[read.reference_name][int(read.is_reverse), position] += 1
        return counts

    def cuts_around(self, experiment, kinds, reach):
        """Mean cuts of each strand in ±reach bp around the middles of these kinds; shape (strands, positions)."""
        counts = self.cuts(experiment)
        rows = self.truth[self.truth["kind"].isin(kinds)]
        middles = (rows["start"] + rows["end"]) // 2
        pairs = zip(rows["chrom"], middles, strict=True)
        return np.mean([counts[chrom][:, middle - reach : middle + reach] for chrom, middle in pairs], axis=0)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    sizes = {f"chr{number}": 160_000 for number in range(1, 6)}
    return Simulated(tmp_path_factory.mktemp("simulated"), chromosomes=sizes, reads=[60_000, 10_000])


@pytest.fixture(scope="module")
def independent(tmp_path_factory):
    sizes = {f"chr{number}": 160_000 for number in range(1, 6)}
    return Simulated(tmp_path_factory.mktemp("pairs"), chromosomes=sizes, reads=[100, 100], dependence=False)


@pytest.fixture(scope="module")
def micro(tmp_path_factory):
    return Simulated(tmp_path_factory.mktemp("micro"), **MICRO, reads=[3_000, 1_000])


def overlapped(windows, features):
    """For each window, whether it overlaps a feature."""
    return [
        ((features["chrom"] == w.chrom) & (features["start"] < w.end) & (features["end"] > w.start)).any()
        for w in windows.itertuples()
    ]


def middle_of(table):
    middle = (table["start"] + table["end"]) // 2
    return table.assign(start=middle, end=middle + 1)


# determinism and files


def test_exactly_the_named_files_are_written(simulated):
    assert {path.name for path in simulated.folder.iterdir()} == set(FILES)


def test_the_same_seed_gives_the_same_bytes(micro, tmp_path):
    simulate(tmp_path, micro.parameters, seed=1)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name


def test_another_seed_gives_another_genome_and_other_reads(micro, tmp_path):
    simulate(tmp_path, micro.parameters, seed=2)
    for name in ("genome.fa", "jund_peaks.narrowPeak.gz", "dnase_encode.bam", "truth.tsv"):
        assert (tmp_path / name).read_bytes() != (micro.folder / name).read_bytes(), name


def test_other_reads_leave_genome_and_regions_as_they_were(micro, tmp_path):
    simulate(tmp_path, Simulation.from_dict({**MICRO, "reads": [500, 500], "cut_bias": [1, 1]}), seed=1)
    for name in ("genome.fa", "jund_peaks.narrowPeak.gz", "blacklist.bed.gz", "truth.tsv"):
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name


def test_an_interrupted_simulation_leaves_no_broken_file(micro, tmp_path, monkeypatch):
    complete = simulate_reads._lines

    def some_lines(*arguments):
        yield from itertools.islice(complete(*arguments), 100)
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate_reads, "_lines", some_lines)
    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, micro.parameters, seed=1)
    assert {path.name for path in tmp_path.iterdir()} == {name for name in FILES if ".bam" not in name}


def test_a_failed_write_keeps_the_older_file(tmp_path):
    def spoil():
        with atomic_path(tmp_path / "old.txt") as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    (tmp_path / "old.txt").write_text("whole")
    with pytest.raises(ZeroDivisionError):
        spoil()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.txt", "whole")]


# genome


def test_the_written_index_is_the_one_that_samtools_makes(simulated, tmp_path):
    copy = tmp_path / "genome.fa"
    copy.write_bytes((simulated.folder / "genome.fa").read_bytes())
    pysam.faidx(str(copy))
    assert (tmp_path / "genome.fa.fai").read_text() == (simulated.folder / "genome.fa.fai").read_text()
    sizes = {name: len(sequence) for name, sequence in simulated.sequences.items()}
    assert sizes == simulated.parameters.chromosomes


def test_every_contig_has_unknown_bases_at_its_ends_and_inside_and_soft_masked_stretches(simulated):
    for sequence in simulated.sequences.values():
        assert sequence[:100] == sequence[-100:] == "N" * 100
        assert "N" * 1000 in sequence[1000:-1000]
        assert set(sequence) == set("ACGTNacgt")
        lower = np.mean([letter.islower() for letter in sequence])
        assert lower == pytest.approx(simulated.parameters.soft_masked, abs=0.08)


def test_base_composition_is_that_of_a_mammal(simulated):
    joined = "".join(simulated.sequences.values()).upper()
    share = {word: joined.count(word) for word in ("A", "C", "G", "T", "CG", "GC")}
    assert (share["C"] + share["G"]) / sum(share[base] for base in "ACGT") == pytest.approx(0.41, abs=0.02)
    assert share["CG"] < 0.4 * share["GC"]


# planted motifs


def pairs_of(motif):
    return [motif[:2], motif[2:4], motif[8:10], motif[10:]]


def test_true_sites_hold_the_core_between_intact_pairs_on_their_strand(simulated):
    motifs = simulated.motifs(SITES)
    assert len(motifs) > 150
    for motif in motifs:
        assert len(motif) == MOTIF_LENGTH
        assert motif[4:8] == "TGAC"
        assert set(pairs_of(motif)) <= {"AC", "GT"}


def test_decoys_hold_the_core_and_one_broken_pair(simulated):
    motifs = simulated.motifs(DECOYS)
    assert len(motifs) > 300
    for motif in motifs:
        assert motif[4:8] == "TGAC"
        assert sorted(pair in ("AT", "GC") for pair in pairs_of(motif)) == [False, False, False, True]


def base_counts(motifs):
    return np.array([[list(column).count(base) for base in "ACGT"] for column in zip(*motifs, strict=True)])


def test_sites_and_decoys_have_the_same_bases_at_each_position(simulated):
    sites, decoys = base_counts(simulated.motifs(SITES)), base_counts(simulated.motifs(DECOYS))
    n, m = sites[0].sum(), decoys[0].sum()
    error = np.sqrt(0.25 / n + 0.25 / m)
    assert np.abs(sites / n - decoys / m).max() < 4 * error


def test_without_dependence_the_bases_of_a_pair_are_independent_in_sites_and_decoys(independent):
    for kinds in (SITES, DECOYS):
        pairs = [pair for motif in independent.motifs(kinds) for pair in pairs_of(motif)]
        shares = [pairs.count(pair) / len(pairs) for pair in ("AC", "AT", "GC", "GT")]
        assert sum(shares) == pytest.approx(1)
        assert np.abs(np.array(shares) - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / len(pairs))


def test_every_match_of_the_motif_was_planted(simulated):
    for chrom, sequence in simulated.sequences.items():
        rows = simulated.truth[(simulated.truth["chrom"] == chrom) & (simulated.truth["strand"] != ".")]
        codes = CODES[np.frombuffer(sequence.encode(), np.uint8)]
        np.testing.assert_array_equal(find_motifs(codes), rows["start"])


def test_motifs_lie_on_both_strands(simulated):
    for kind in SITES[:1] + DECOYS:
        strands = simulated.truth.loc[simulated.truth["kind"] == kind, "strand"]
        assert 0.3 < (strands == "+").mean() < 0.7, kind


def test_truth_is_sorted_and_lists_every_kind(simulated):
    kinds = {*SITES, *DECOYS, "open_region", *(f"{name}_only" for name in EXPERIMENTS)}
    assert set(simulated.truth["kind"]) == kinds
    order = simulated.truth["chrom"].map(list(simulated.sequences).index) * 1_000_000 + simulated.truth["start"]
    assert order.is_monotonic_increasing


# peaks


def test_each_bound_site_lies_in_a_peak_and_no_other_does(simulated):
    truth = middle_of(simulated.truth)
    inside = np.array(overlapped(truth, simulated.peaks))
    np.testing.assert_array_equal(inside, truth["kind"] == "bound")
    assert all(overlapped(simulated.peaks, truth[truth["kind"] == "bound"]))
    assert len(simulated.peaks) * simulated.parameters.copies == (truth["kind"] == "bound").sum()


def test_peaks_are_narrow_peaks(simulated):
    peaks = simulated.peaks
    width = peaks["end"] - peaks["start"]
    assert width.between(*simulated.parameters.peak_width).all()
    assert width.nunique() > 20
    assert peaks["summit"].between(0, width - 1).all()
    assert peaks["score"].between(0, 1000).all()
    for _, chrom in peaks.groupby("chrom", sort=False):
        assert chrom["start"].is_monotonic_increasing
    assert list(dict.fromkeys(peaks["chrom"])) == list(simulated.sequences)


def test_a_micro_simulation_has_all_that_a_study_needs_in_each_chromosome(micro):
    assert set(micro.peaks["chrom"]) == set(MICRO["chromosomes"])
    for kind in ("bound", "closed_site", "open_decoy", "closed_decoy", "open_region"):
        assert set(micro.truth.loc[micro.truth["kind"] == kind, "chrom"]) == set(MICRO["chromosomes"]), kind


# reads


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_reads_are_sorted_indexed_and_spell_the_genome(simulated, experiment):
    with pysam.AlignmentFile(str(simulated.folder / f"{experiment}.bam")) as bam:
        assert bam.has_index()
        assert bam.header["HD"]["SO"] == "coordinate"
        assert dict(zip(bam.references, bam.lengths, strict=True)) == simulated.parameters.chromosomes
        assert bam.mapped == sum(not read.is_unmapped for read in bam.fetch(until_eof=True))
        assert sum(bam.count(chrom) for chrom in bam.references) == bam.mapped
    mapped = [read for read in simulated.reads(experiment) if not read.is_unmapped]
    keys = [(read.reference_id, read.reference_start) for read in mapped]
    assert keys == sorted(keys)
    for read in mapped[:: len(mapped) // 500]:
        assert read.cigarstring == "36M"
        template = simulated.sequences[read.reference_name][read.reference_start : read.reference_end].upper()
        assert read.query_sequence == template
        assert "N" not in template


def test_the_experiments_have_the_reads_asked_for_and_on_both_strands(simulated):
    for experiment, asked in zip(EXPERIMENTS, simulated.parameters.reads, strict=True):
        primary = [read for read in simulated.reads(experiment) if not read.flag & EXCLUDED]
        assert len(primary) == asked
        reverse = sum(read.is_reverse for read in primary)
        assert reverse / asked == pytest.approx(0.5, abs=0.03)


def test_reads_that_filters_must_see_are_there(simulated):
    reads = simulated.reads(EXPERIMENTS[0])
    total = simulated.parameters.reads[0]
    for mark in ("is_unmapped", "is_secondary", "is_qcfail", "is_duplicate"):
        assert 0.005 * total < sum(getattr(read, mark) for read in reads) < 0.05 * total, mark
    assert 0.01 * total < sum(read.mapping_quality == 0 and not read.is_unmapped for read in reads) < 0.06 * total
    starts = {(r.reference_id, r.reference_start, r.is_reverse) for r in reads if not r.flag & (EXCLUDED | 1024)}
    assert all((r.reference_id, r.reference_start, r.is_reverse) in starts for r in reads if r.is_duplicate)


def test_open_regions_are_cut_more_often_than_closed_ones(simulated):
    for experiment in EXPERIMENTS:
        opened = simulated.cuts_around(experiment, ["bound", "open_decoy", "open_region"], 100).mean()
        closed = simulated.cuts_around(experiment, ["closed_site", "closed_decoy"], 100).mean()
        assert opened > 4 * closed


def test_one_sided_regions_are_open_in_one_experiment_alone(simulated):
    for experiment, other in (EXPERIMENTS, EXPERIMENTS[::-1]):
        kind = [f"{experiment}_only"]
        closed = simulated.cuts_around(other, ["closed_decoy"], 100).mean()
        assert (
            simulated.cuts_around(experiment, kind, 100).mean()
            > 4 * simulated.cuts_around(experiment, ["closed_decoy"], 100).mean()
        )
        assert simulated.cuts_around(other, kind, 100).mean() < 2 * closed


def test_forward_cuts_lie_before_reverse_cuts_by_twice_the_offset(simulated):
    forward, reverse = simulated.cuts_around(EXPERIMENTS[0], ["open_decoy", "open_region"], 300)
    positions = np.arange(-300, 300)
    background = min(forward.mean(), reverse.mean()) / 4
    middle = [np.average(positions, weights=np.clip(strand - background, 0, None)) for strand in (forward, reverse)]
    assert middle[0] < -15 < 15 < middle[1]
    assert middle[1] - middle[0] == pytest.approx(2 * simulated.parameters.cut_offset[0], rel=0.35)


def test_the_blacklist_is_sorted_and_holds_the_pile_ups(simulated):
    blacklist = simulated.blacklist
    assert list(blacklist.groupby("chrom").size()) == [simulated.parameters.artefacts] * len(simulated.sequences)
    assert all(chrom["start"].is_monotonic_increasing for _, chrom in blacklist.groupby("chrom"))
    assert not any(overlapped(simulated.peaks, blacklist))
    highest, inside = [], 0
    counts = simulated.cuts(EXPERIMENTS[0])
    for row in blacklist.itertuples():
        inside += counts[row.chrom][:, row.start : row.end].sum()
        highest.append(counts[row.chrom][:, row.start : row.end].max())
        counts[row.chrom][:, row.start : row.end] = 0
    assert inside > 0.015 * simulated.parameters.reads[0]
    elsewhere = max(chrom.max() for chrom in counts.values())
    assert np.median(highest) > elsewhere


def test_no_pile_ups_are_planted_when_none_are_asked_for(tmp_path):
    simulate(
        tmp_path, Simulation.from_dict({**MICRO, "reads": [500, 500], "artefacts": 0, "open_share": [0, 0]}), seed=1
    )
    assert gzip.decompress((tmp_path / "blacklist.bed.gz").read_bytes()) == b""


# parameters and command line


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"read": [1, 2]}, ["'read'", "Known are", "reads"]),
        ({"reads": [1000]}, ["reads", "a pair", "[1000]"]),
        ({"reads": [1000, 2.5]}, ["reads", "whole number", "2.5"]),
        ({"open_share": [0.2, 1.5]}, ["open_share", "1.5"]),
        ({"soft_masked": -1}, ["soft_masked", "-1"]),
        ({"dependence": "no"}, ["dependence", "true or false", "'no'"]),
        ({"copies": True}, ["copies", "True"]),
        ({"slot": 10}, ["slot", "10"]),
        ({"variants": 0}, ["variants", "from 2", "0"]),
        ({"variants": 2.5}, ["variants", "whole number", "2.5"]),
        ({"bound_every": 600}, ["bound_every", "800", "600"]),
        ({"peak_width": [400, 300]}, ["peak_width", "(400, 300)"]),
        ({"closed_decoys": 0.9}, ["closed_decoys", "at most 0.9"]),
        ({"chromosomes": {}}, ["chromosomes", "{}"]),
        ({"chromosomes": {"chr 1": 50_000}}, ["chromosomes", "'chr 1'"]),
        ({"chromosomes": {"chr1": 500}}, ["chromosomes[chr1]", "20000", "500"]),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(parameters, said):
    with pytest.raises(InputError) as error:
        Simulation.from_dict(parameters)
    for word in said:
        assert word in str(error.value)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_a_wrong_seed_is_refused(tmp_path, seed):
    with pytest.raises(InputError, match="seed"):
        simulate(tmp_path, Simulation(), seed=seed)


def test_lists_as_json_gives_them_equal_tuples():
    assert Simulation.from_dict({"reads": [500, 400]}) == Simulation(reads=(500, 400))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [('{"deep": 1}', "unknown simulation parameter 'deep'"), ("{", "not JSON"), ("[1]", "JSON object")],
)
def test_the_command_line_answers_a_mistake_with_one_line(tmp_path, capsys, parameters, said):
    with pytest.raises(SystemExit) as stop:
        module.main([str(tmp_path), "--seed", "1", "--parameters", parameters])
    assert said in stop.value.code
    assert "\n" not in stop.value.code


def test_the_command_line_refuses_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="ERROR"):
        module.main([str(tmp_path / "file"), "--seed", "1", "--parameters", json.dumps(MICRO)])


def test_the_command_line_writes_what_the_function_writes(micro, tmp_path):
    parameters = json.dumps({**MICRO, "reads": [3_000, 1_000]})
    command = [sys.executable, "-m", "helpers.sources.simulate", str(tmp_path), "--seed", "1"]
    done = subprocess.run([*command, "--parameters", parameters], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name
