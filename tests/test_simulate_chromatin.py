"""Simulated chromatin profiles: real formats, the same for the same seed, labels that follow from the planted words."""

import gzip
import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.labels import label_regions
from helpers.data.motifs import read_motifs
from helpers.data.regions import read_regions
from helpers.errors import InputError
from helpers.sources import simulate_chromatin as module
from helpers.sources.chromatin import ChromatinSimulation, files
from helpers.sources.motif_patterns import LENGTH, draw_patterns, draw_words, find_words
from helpers.sources.simulate_chromatin import covered_bins, simulate_chromatin
from helpers.sources.simulate_genome import Genome

MICRO = {"chromosomes": {"chrA": 120_000, "chrB": 60_100, "chrC": 90_000}}
COMPLEMENT = str.maketrans("ACGT", "TGCA")
PAIRS, CORE = [slice(0, 2), slice(4, 6), slice(8, 10)], [2, 3, 6, 7]
COLUMNS = ["chrom", "start", "end", "name", "score", "strand", "signal", "p", "q", "summit"]


class Simulated:
    """The files of one simulation, read back."""

    def __init__(self, folder, seed=1, **parameters):
        self.folder = folder
        self.parameters = ChromatinSimulation.from_dict(parameters)
        simulate_chromatin(folder, self.parameters, seed=seed)
        with pysam.FastaFile(str(folder / "genome.fa")) as fasta:
            self.written = {name: fasta.fetch(name) for name in fasta.references}
        self.sequences = {name: sequence.upper() for name, sequence in self.written.items()}
        self.truth = pd.read_csv(folder / "truth.tsv", sep="\t")
        self.words = self.truth[self.truth["strand"] != "."]
        self.bins = pd.read_csv(folder / "bins.bed.gz", sep="\t", header=None, names=COLUMNS[:3])

    def peaks(self, feature):
        return pd.read_csv(self.folder / f"{feature}.narrowPeak.gz", sep="\t", header=None, names=COLUMNS)

    def named(self, kind, group=None):
        """Features of a class."""
        return [f for f in self.parameters.features if f.kind == kind and group in (None, f.group)]

    def spelled(self, feature, kind):
        """Words of a feature, each read on its own strand."""
        rows = self.words[(self.words["feature"] == feature) & (self.words["kind"] == kind)]
        found = [(self.sequences[row.chrom][row.start : row.end], row.strand) for row in rows.itertuples()]
        return [word if strand == "+" else word.translate(COMPLEMENT)[::-1] for word, strand in found]

    def slots(self, feature, kinds):
        """The slots that hold words, or the centres of regions, of a feature: a set of (chrom, number)."""
        rows = self.truth[(self.truth["feature"] == feature) & self.truth["kind"].isin(kinds)]
        numbers = (rows["start"] + rows["end"]) // 2 // self.parameters.slot
        return set(zip(rows["chrom"], numbers, strict=True))

    def whole_grid(self):
        """All bins of all contigs, labelled by this package's own labels: bins, values of shape (bins, features)."""
        rows = [(name, at, at + 200) for name, s in self.sequences.items() for at in range(0, len(s) - 199, 200)]
        grid = pd.DataFrame(rows, columns=["chrom", "start", "end"]).assign(strand=".")
        names = [feature.name for feature in self.parameters.features]
        tracks = [self.folder / f"{name}.narrowPeak.gz" for name in names]
        return grid, label_regions(grid, tracks, names, overlap=0.5).values


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    sizes = {"chr1": 400_000, "chr2": 300_000}
    return Simulated(tmp_path_factory.mktemp("chromatin"), chromosomes=sizes)


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Without a missed or a spurious peak."""
    return Simulated(tmp_path_factory.mktemp("exact"), **MICRO, missed=0, spurious=0)


@pytest.fixture(scope="module")
def micro(tmp_path_factory):
    return Simulated(tmp_path_factory.mktemp("micro"), **MICRO)


# files and determinism


def test_exactly_the_named_files_are_written(micro):
    assert {path.name for path in micro.folder.iterdir()} == set(files(MICRO))
    assert len(files(MICRO)) == len(set(files(MICRO))) == 24 + 5


def test_the_same_seed_gives_the_same_bytes(micro, tmp_path):
    simulate_chromatin(tmp_path, micro.parameters, seed=1)
    for name in micro.parameters.files:
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name


def test_another_seed_gives_other_files(micro, tmp_path):
    simulate_chromatin(tmp_path, micro.parameters, seed=2)
    for name in set(micro.parameters.files) - {"genome.fa.fai"}:
        assert (tmp_path / name).read_bytes() != (micro.folder / name).read_bytes(), name


def test_other_peaks_leave_the_genome_as_it_was(micro, exact):
    for name in ("genome.fa", "motifs.meme"):
        assert (exact.folder / name).read_bytes() == (micro.folder / name).read_bytes(), name
    pd.testing.assert_frame_equal(exact.words.reset_index(drop=True), micro.words.reset_index(drop=True))


def test_the_written_index_is_the_one_that_samtools_makes(micro, tmp_path):
    (tmp_path / "genome.fa").write_bytes((micro.folder / "genome.fa").read_bytes())
    pysam.faidx(str(tmp_path / "genome.fa"))
    assert (tmp_path / "genome.fa.fai").read_text() == (micro.folder / "genome.fa.fai").read_text()
    assert {name: len(sequence) for name, sequence in micro.sequences.items()} == MICRO["chromosomes"]


def test_contigs_have_unknown_bases_and_soft_masked_stretches_and_no_word_touches_unknown_bases(simulated):
    for sequence in simulated.written.values():
        assert sequence[:100] == sequence[-100:] == "N" * 100
        assert set(sequence) == set("ACGTNacgt")
        assert np.mean([letter.islower() for letter in sequence]) == pytest.approx(0.35, abs=0.08)
    assert all("N" not in simulated.sequences[row.chrom][row.start : row.end] for row in simulated.words.itertuples())


# words


def test_dependent_sites_have_two_kinds_of_pairs_and_decoys_one_broken_pair(simulated):
    for feature in simulated.named("TF", "dependent"):
        sites, decoys = simulated.spelled(feature.name, "site"), simulated.spelled(feature.name, "decoy")
        whole = [{word[pair] for word in sites} for pair in PAIRS]
        for first, second in map(sorted, whole):
            assert first[0] != second[0]
            assert first[1] != second[1]
        broken = [{a[0] + b[1] for a, b in itertools.permutations(pairs)} for pairs in whole]
        for word in decoys:
            kinds = sorted(word[pair] in bad for pair, bad in zip(PAIRS, broken, strict=True))
            assert kinds == [False, False, True]
            assert sum(word[pair] in good for pair, good in zip(PAIRS, whole, strict=True)) == 2
        cores = {tuple(word[column] for column in CORE) for word in sites + decoys}
        assert len(cores) == 1


def base_shares(words):
    return np.array([[column.count(base) for base in "ACGT"] for column in zip(*words, strict=True)]) / len(words)


def test_dependent_sites_and_decoys_have_the_same_bases_at_each_position(simulated):
    for feature in simulated.named("TF", "dependent"):
        sites, decoys = simulated.spelled(feature.name, "site"), simulated.spelled(feature.name, "decoy")
        error = np.sqrt(0.25 / len(sites) + 0.25 / len(decoys))
        assert np.abs(base_shares(sites) - base_shares(decoys)).max() < 4.5 * error


def test_independent_factors_have_sites_alone_whose_bases_do_not_depend_on_each_other(simulated):
    together, alone, count = 0, np.zeros(2), 0
    for feature in simulated.named("TF", "independent"):
        assert simulated.spelled(feature.name, "decoy") == []
        sites = np.array([list(word) for word in simulated.spelled(feature.name, "site")])
        for pair in PAIRS:
            usual = [max(set(column), key=list(column).count) for column in sites[:, pair].T]
            is_usual = sites[:, pair] == usual
            together, alone, count = (
                together + is_usual.all(axis=1).sum(),
                alone + is_usual.sum(axis=0),
                count + len(sites),
            )
    np.testing.assert_allclose(alone / count, 0.9, atol=0.02)
    assert together / count == pytest.approx(0.81, abs=0.02)


def test_every_word_of_the_motifs_was_planted(simulated):
    for motif in read_motifs(simulated.folder / "motifs.meme"):
        letters = ["".join(np.array(list("ACGT"))[row > 0]) for row in motif.probabilities]
        pattern = re.compile("(?=" + "".join(f"[{allowed}]" for allowed in letters) + ")")
        own = simulated.words[simulated.words["feature"] == motif.name]
        for chrom, sequence in simulated.sequences.items():
            forward = {(match.start(), "+") for match in pattern.finditer(sequence)}
            turned = sequence.translate(COMPLEMENT)[::-1]
            reverse = {(len(sequence) - match.start() - LENGTH, "-") for match in pattern.finditer(turned)}
            rows = own[own["chrom"] == chrom]
            assert forward | reverse == set(zip(rows["start"], rows["strand"], strict=True)), motif.name


def test_the_written_motifs_are_those_that_were_planted(simulated):
    motifs = read_motifs(simulated.folder / "motifs.meme")
    names = [feature.name for feature in simulated.parameters.features if feature.kind != "DNase"]
    assert [motif.name for motif in motifs] == names
    for motif in motifs:
        words = simulated.spelled(motif.name, "anchor" if motif.name.startswith("Histone") else "site")
        assert motif.n_sites == len(words)
        assert np.abs(base_shares(words) - motif.probabilities).max() < 4.5 * np.sqrt(0.25 / len(words))


def test_words_lie_on_both_strands_near_the_centre_of_one_bin_and_apart(simulated):
    words = simulated.words
    for (feature, kind), rows in words.groupby(["feature", "kind"]):
        assert 0.3 < (rows["strand"] == "+").mean() < 0.7, (feature, kind)
    assert (words["end"] - words["start"] == LENGTH).all()
    assert ((words["start"] % 200).between(40, 150)).all()
    for _, rows in words.groupby("chrom"):
        assert (np.diff(rows["start"]) >= LENGTH).all()


def test_elements_hold_different_factors_and_anchors_copies_of_one(simulated):
    slots = simulated.words["start"] // simulated.parameters.slot
    for _, rows in simulated.words.groupby(["chrom", slots]):
        if (rows["kind"] == "anchor").any():
            assert rows["feature"].nunique() == 1
            assert list(rows["kind"]) == ["anchor"] * simulated.parameters.copies
        else:
            assert rows["feature"].nunique() == len(rows) == simulated.parameters.spots


# peaks


def test_each_site_has_a_peak_around_it_and_no_decoy_has(exact):
    for feature in exact.named("TF"):
        sites = exact.words[(exact.words["feature"] == feature.name) & (exact.words["kind"] == "site")]
        peaks = exact.peaks(feature.name)
        assert len(peaks) == len(sites) > 10
        for site, peak in zip(sites.itertuples(), peaks.itertuples(), strict=True):
            assert site.chrom == peak.chrom
            assert abs((site.start + site.end) // 2 - (peak.start + peak.end) // 2) <= 1


def test_chromatin_is_open_where_the_sites_of_both_factors_stand_in_one_element(exact):
    for feature in exact.named("DNase"):
        first, second = feature.motifs
        both = exact.slots(first, ["site"]) & exact.slots(second, ["site"])
        assert exact.slots(feature.name, ["peak"]) == both
        assert len(exact.peaks(feature.name)) == len(both) > 5
        alone = exact.slots(first, ["site"]) ^ exact.slots(second, ["site"])
        assert len(alone) > len(both)


def test_labels_at_half_coverage_are_those_of_the_rules(exact):
    grid, labels = exact.whole_grid()
    at = {(row.chrom, row.start): number for number, row in enumerate(grid.itertuples())}
    for column, feature in enumerate(exact.parameters.features):
        expected = set()
        rows = exact.words[exact.words["feature"].isin(feature.motifs) & (exact.words["kind"] != "decoy")]
        by_bin = rows.groupby([rows["chrom"], rows["start"] // 200 * 200])["feature"].nunique()
        for chrom, start in by_bin[by_bin == len(feature.motifs)].index:
            reach = range(-400, 401, 200) if feature.kind == "Histone" else [0]
            expected |= {at[chrom, start + shift] for shift in reach}
        assert set(np.flatnonzero(labels[:, column])) == expected, feature.name


def test_most_of_a_domain_lies_outside_a_short_window_and_all_of_it_inside_a_long_one(exact):
    short, long, bins = 0, 0, 0
    for feature in exact.named("Histone"):
        anchors = exact.words[exact.words["feature"] == feature.name]
        for peak in exact.peaks(feature.name).itertuples():
            own = anchors[
                (anchors["chrom"] == peak.chrom) & (anchors["start"] > peak.start) & (anchors["end"] < peak.end)
            ]
            for centre in range(-(-(peak.start) // 200) * 200 + 100, peak.end, 200):
                if min(peak.end, centre + 100) - max(peak.start, centre - 100) >= 100:
                    bins += 1
                    short += ((own["end"] > centre - 150) & (own["start"] < centre + 150)).any()
                    long += ((own["start"] >= centre - 450) & (own["end"] <= centre + 450)).any()
    assert short / bins < 0.3
    assert long == bins


def test_bins_are_those_of_the_grid_with_a_label(simulated, micro):
    for world in (simulated, micro):
        grid, labels = world.whole_grid()
        expected = grid[labels.any(axis=1)][["chrom", "start", "end"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(world.bins, expected)
        assert len(expected) < len(grid)


def test_half_of_a_bin_is_enough_and_only_peaks_of_one_feature_add_up():
    genome = Genome({"a": 450, "b": 600}, np.zeros(1050, np.uint8), np.zeros(1050, bool))
    rows = [
        ("x", 100, 200),  # exactly half of a:0-200
        ("x", 200, 299),  # one base less than half of a:200-400
        ("y", 300, 350),
        ("x", 450, 510),  # together exactly half of b:0-200, counted once where they overlap
        ("x", 500, 550),
        ("x", 650, 740),  # too little of b:200-400, and y does not help
        ("y", 740, 830),
    ]
    found = covered_bins(pd.DataFrame(rows, columns=["feature", "start", "end"]), genome)
    assert found.to_numpy().tolist() == [[0, 0, 200], [1, 450, 650]]


def test_peaks_are_narrow_peaks(simulated):
    for feature in simulated.parameters.features:
        peaks = simulated.peaks(feature.name)
        width = peaks["end"] - peaks["start"]
        bounds = simulated.parameters.domain_width if feature.kind == "Histone" else simulated.parameters.peak_width
        lengths = peaks["chrom"].map({name: len(sequence) for name, sequence in simulated.sequences.items()})
        clipped = (peaks["start"] == 0) | (peaks["end"] == lengths)
        assert width[~clipped].between(*bounds).all()
        assert peaks["start"].ge(0).all()
        assert (peaks["end"] <= lengths).all()
        assert peaks["summit"].between(0, width - 1).all()
        assert peaks["score"].between(0, 1000).all()
        assert peaks["name"].is_unique
        assert list(dict.fromkeys(peaks["chrom"])) == list(simulated.sequences)
        assert all(rows["start"].is_monotonic_increasing for _, rows in peaks.groupby("chrom"))
        assert len(read_regions(simulated.folder / f"{feature.name}.narrowPeak.gz")) == len(peaks)


def test_truth_tells_reported_missed_and_spurious_peaks_apart(simulated):
    kinds = {"missed": 0, "peak": 0, "spurious": 0}
    for feature in simulated.parameters.features:
        regions = simulated.truth[(simulated.truth["feature"] == feature.name) & (simulated.truth["strand"] == ".")]
        count = regions["kind"].value_counts().reindex(list(kinds), fill_value=0)
        assert count["spurious"] == round(0.05 * (count["peak"] + count["missed"]))
        reported = regions[regions["kind"] != "missed"][["chrom", "start", "end"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(simulated.peaks(feature.name)[["chrom", "start", "end"]], reported)
        kinds = {kind: kinds[kind] + count[kind] for kind in kinds}
    assert kinds["missed"] / (kinds["missed"] + kinds["peak"]) == pytest.approx(0.05, abs=0.015)


def test_no_feature_of_the_default_has_one_class_in_a_split(tmp_path):
    world = Simulated(tmp_path, seed=4)
    grid, labels = world.whole_grid()
    used, values = grid[labels.any(axis=1)], labels[labels.any(axis=1)]
    part = used.reset_index(drop=True)
    validation = part[(part["chrom"] == "chr7") & (part["start"] >= 100_000)].index[:600]
    test = part[part["chrom"].isin(["chr8", "chr9"])].index
    assert len(validation) == 600
    for rows in (validation, test):
        positive = values[rows].sum(axis=0)
        assert ((positive >= 5) & (positive <= len(rows) - 5)).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"dnase": 0, "histone": 0},
        {"dependent": 0, "independent": 4},
        {"dependent": 4, "independent": 0, "spots": 2},
        {"dependent": 3, "independent": 1, "dnase": 3, "anchors": 0},
        {"elements": 0, "anchors": 0.5},
    ],
)
def test_worlds_without_a_class_are_written_whole(tmp_path, parameters):
    world = Simulated(tmp_path, **MICRO, **parameters)
    assert {path.name for path in tmp_path.iterdir()} == set(world.parameters.files)
    assert not set(world.truth["feature"]) - {feature.name for feature in world.parameters.features}
    empty = gzip.compress(b"", mtime=0)
    for feature in world.parameters.features:
        planted = (world.truth["feature"] == feature.name).any()
        assert ((tmp_path / f"{feature.name}.narrowPeak.gz").read_bytes() == empty) != planted


# patterns


def draw(seed, count=18):
    return draw_patterns(
        [f"m{number}" for number in range(count)], np.arange(count) % 2 == 0, np.random.default_rng(seed)
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_word_is_a_word_of_two_motifs_or_of_one_on_both_strands(seed):
    patterns = draw(seed)
    motifs = np.repeat(np.arange(18), 50)
    decoy = patterns.dependent[motifs] & (np.arange(len(motifs)) % 3 == 0)
    words = draw_words(patterns, motifs, decoy, np.random.default_rng(seed))
    for motif, word in zip(motifs.tolist(), words, strict=True):
        assert find_words(word, patterns).tolist() == [1 << 2 * motif]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 4), max_size=40), st.integers(0, 100))
def test_the_reverse_complement_has_the_words_of_the_other_strand(codes, seed):
    patterns = draw(seed % 3, 6)
    codes = np.array(
        [*codes, *draw_words(patterns, np.array([seed % 6]), np.array([False]), np.random.default_rng(seed))[0]]
    )
    codes = codes.astype(np.uint8)
    turned = np.array([3, 2, 1, 0, 4], np.uint8)[codes[::-1]]
    forward, reverse = np.uint64(0x5555555555555555), np.uint64(0xAAAAAAAAAAAAAAAA)
    found, other = find_words(codes, patterns), find_words(turned, patterns)[::-1]
    np.testing.assert_array_equal((found & forward) << np.uint64(1), other & reverse)
    np.testing.assert_array_equal((found & reverse) >> np.uint64(1), other & forward)
    assert found[-1] & (np.uint64(1) << np.uint64(2 * (seed % 6)))


def test_a_sequence_shorter_than_a_word_has_none():
    assert find_words(np.zeros(LENGTH - 1, np.uint8), draw(0)).size == 0


# parameters and command line


def test_open_chromatin_takes_factors_of_both_groups_in_turn():
    opened = [feature for feature in ChromatinSimulation().features if feature.kind == "DNase"]
    assert [feature.group for feature in opened] == ["dependent", "independent"] * 3
    for feature in opened:
        assert len(set(feature.motifs)) == 2
        assert any(name.startswith("TF_D") for name in feature.motifs) == (feature.group == "dependent")
    assert len({feature.motifs for feature in opened}) == 6


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"marks": 3}, ["'marks'", "Known are", "histone"]),
        ({"dependent": -1}, ["dependent", "-1"]),
        ({"dependent": 1, "independent": 1}, ["dependent + independent", "at least 4", "2"]),
        ({"dependent": 8, "independent": 8}, ["dependent + independent + histone", "18", "22"]),
        ({"slot": 700}, ["slot", "multiple of 200", "700"]),
        ({"slot": 200}, ["slot", "600", "200"]),
        ({"spots": 1}, ["spots", "1"]),
        ({"jitter": 31}, ["jitter", "30", "31"]),
        ({"elements": 0.9}, ["elements + anchors", "at most 1", "1.08"]),
        ({"missed": 0.6}, ["missed", "0.5", "0.6"]),
        ({"peak_width": 200}, ["peak_width", "a pair"]),
        ({"domain_width": [1100, 900]}, ["domain_width", "(1100, 900)"]),
        ({"chromosomes": {"chr1": 14_000}}, ["chromosomes[chr1]", "15000", "14000"]),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(parameters, said):
    with pytest.raises(InputError) as error:
        files(parameters)
    for word in said:
        assert word in str(error.value)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_a_wrong_seed_is_refused(tmp_path, seed):
    with pytest.raises(InputError, match="seed"):
        simulate_chromatin(tmp_path, ChromatinSimulation(), seed=seed)


def test_the_command_line_answers_a_mistake_with_one_line(tmp_path):
    with pytest.raises(SystemExit) as stop:
        module.main([str(tmp_path), "--seed", "1", "--parameters", '{"deep": 1}'])
    assert stop.value.code.startswith("ERROR: unknown simulation parameter 'deep'")
    assert "\n" not in stop.value.code


def test_the_command_line_writes_what_the_function_writes(micro, tmp_path):
    command = [sys.executable, "-m", "helpers.sources.simulate_chromatin", str(tmp_path), "--seed", "1"]
    done = subprocess.run([*command, "--parameters", json.dumps(MICRO)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in micro.parameters.files:
        assert (tmp_path / name).read_bytes() == (micro.folder / name).read_bytes(), name
