"""Track hubs: every path leads to a file, every name and label keeps the rules; and the tracks that they show."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from hub_files import SIZES, follow, make_hub, read_stanzas, write_track
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import write_fasta

from helpers.errors import InputError
from helpers.evaluation.hub import HubGenome, HubStudy, HubTrack, write_hub
from helpers.evaluation.prediction_columns import mean_column, read_column
from helpers.evaluation.predictions import Predictions, write_predictions
from helpers.evaluation.track_db import Names, axis_limits, fit_label, track_range

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "results/demo"
    folder.mkdir(parents=True)
    return folder, make_hub(folder)


@pytest.fixture(scope="module")
def track_dbs(results):
    folder, _ = results
    return {path.parent.name: read_stanzas(path) for path in folder.glob("hub/*/trackDb.txt")}


def test_every_path_of_the_hub_leads_to_a_file_below_the_served_folder(results):
    folder, studies = results
    seen = []

    def found(path, address):
        target = follow(path, address)
        assert target.is_file(), f"{path} names {address}"
        assert folder.absolute() in target.parents
        seen.append(target)
        return target

    (hub,) = read_stanzas(folder / "hub/hub.txt")
    assert list(hub) == ["hub", "shortLabel", "longLabel", "genomesFile", "email", "descriptionUrl"]
    page = found(folder / "hub/hub.txt", hub["descriptionUrl"]).read_text()
    assert "<title>demo: observed and predicted, simulated data</title>" in page
    genomes_file = found(folder / "hub/hub.txt", hub["genomesFile"])
    genomes = read_stanzas(genomes_file)
    assert [genome["genome"] for genome in genomes] == ["demo", "hg38"]
    assert set(genomes[1]) == {"genome", "trackDb"}
    for key in ("twoBitPath", "groups", "htmlPath"):
        found(genomes_file, genomes[0][key])
    for genome in genomes:
        track_db = found(genomes_file, genome["trackDb"])
        for stanza in read_stanzas(track_db):
            if "bigDataUrl" in stanza:
                with pyBigWig.open(str(found(track_db, stanza["bigDataUrl"]))) as track:
                    assert track.chroms() == SIZES
    shown = [path for path in seen if path.suffix == ".bw"]
    assert Counter(shown) == Counter(track.path for study in studies for track in study.tracks)


def test_an_assembly_hub_says_what_browsers_do_not_know(results):
    folder, _ = results
    genome = read_stanzas(folder / "hub/genomes.txt")[0]
    assert {"organism", "defaultPos", "scientificName", "description", "orderKey"} <= set(genome)
    chrom, start, end = re.fullmatch(r"(\w+):(\d+)-(\d+)", genome["defaultPos"]).groups()
    assert chrom == "chr1"
    assert int(start) <= 4100 <= int(end)  # windows 40 and 41 are the highest
    assert int(end) - int(start) == 9_999
    groups = read_stanzas(folder / "hub/demo/groups.txt")
    assert [group["name"] for group in groups] == ["jund", "profiles"]
    assert all(set(group) == {"name", "label", "priority", "defaultIsClosed"} for group in groups)
    tracks = read_stanzas(folder / "hub/demo/trackDb.txt")
    tops = [stanza for stanza in tracks if "superTrack" in stanza]
    assert [top["group"] for top in tops] == ["jund", "profiles"]
    assert not {group["name"] for group in groups} & {stanza["track"] for stanza in tracks}, "igv.js wants them apart"
    assert not (folder / "hub/hg38/groups.txt").exists()


def test_names_labels_and_parents_keep_the_rules(track_dbs):
    for stanzas in track_dbs.values():
        names = [stanza["track"] for stanza in stanzas]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in names)
        before = {}
        for stanza in stanzas:
            assert len(stanza["shortLabel"]) <= 17
            assert len(stanza["longLabel"]) <= 76
            assert next(iter(stanza)) == "track"
            if "bigDataUrl" in stanza:
                parent, shown = stanza["parent"].split(" ")
                assert shown in ("on", "off")
                assert before[parent]["compositeTrack"] == "on", "a container stands before its tracks"
                chosen = dict(pair.split("=") for pair in stanza["subGroups"].split(" "))
                columns = [before[parent][f"subGroup{number}"].split(" ") for number in range(1, len(chosen) + 1)]
                assert f"subGroup{len(chosen) + 1}" not in before[parent]
                for name, title, *tags in columns:
                    assert title == name.capitalize()
                    assert len({tag.split("=")[0] for tag in tags}) == len(tags)
                    assert chosen[name] in [tag.split("=")[0] for tag in tags]
                assert before[parent]["sortOrder"] == " ".join(f"{name}=+" for name in chosen)
            elif "compositeTrack" in stanza:
                assert before[stanza["parent"]]["superTrack"] == "on show"
                assert stanza["type"] == "bigWig"
            else:
                assert "parent" not in stanza
            before[stanza["track"]] = stanza


def test_tracks_are_told_apart_by_colour_choice_and_label(track_dbs):
    tracks = [stanza for stanza in track_dbs["demo"] if "bigDataUrl" in stanza]
    jund = {stanza["shortLabel"]: stanza for stanza in tracks if stanza["track"].startswith("jund")}
    assert {label: stanza["color"] for label, stanza in jund.items()} == {
        "observed": "0,0,0",
        "dna 1 0": "0,114,178",
        "dna 3 0.2": "0,114,178",
        "joint": "0,158,115",
    }
    assert jund["dna 3 0.2"]["longLabel"] == "jund: peaks predicted by dna order 3, dropout 0.2"
    assert jund["observed"]["longLabel"] == "jund: peaks observed"
    assert jund["dna 3 0.2"]["subGroups"] == "output=peaks model=dna variant=order_3__dropout_0_2"
    assert all(stanza["parent"].endswith(" on") for stanza in jund.values())
    profiles = [stanza for stanza in tracks if stanza["track"].startswith("profiles")]
    choices = [dict(pair.split("=") for pair in stanza["subGroups"].split(" ")) for stanza in profiles]
    assert len({tuple(choice.items()) for choice in choices}) == len(profiles) == 12
    assert {choice["output"] for choice in choices} == {"K562_CTCF", "K562_CTCF_2", "DNase"}
    for stanza, choice in zip(profiles, choices, strict=True):
        assert stanza["parent"].endswith(" on") == (choice["output"] == "K562_CTCF")
        assert stanza["bigDataUrl"].startswith("../../profiles/tracks/")


def test_axes_hold_what_the_tracks_hold(track_dbs):
    limits = {
        genome: {
            stanza["track"].split("_")[0]: (stanza["type"], stanza["viewLimits"])
            for stanza in stanzas
            if "bigDataUrl" in stanza
        }
        for genome, stanzas in track_dbs.items()
    }
    assert limits == {
        "demo": {"jund": ("bigWig 0 1", "0:1"), "profiles": ("bigWig 0 1", "0:1")},
        "hg38": {"cage": ("bigWig -2 3", "-2:3")},
    }


def test_the_range_of_a_track_is_that_of_its_bases(tmp_path):
    for low, high in ((-3.0, -1.25), (0.5, 7.0), (-2.0, 2.0)):
        path = write_track(tmp_path / "x.bw", 4, low, high)
        with pyBigWig.open(str(path)) as track:
            values = np.array(track.values("chr1", 0, SIZES["chr1"]))
        assert track_range(path) == (np.nanmin(values), np.nanmax(values))
    with pyBigWig.open(str(tmp_path / "empty.bw"), "w") as track:
        track.addHeader([("c", 10)])
    assert track_range(tmp_path / "empty.bw") is None
    assert axis_limits([None, None]) == (0, 1)
    assert axis_limits([(-3.0, -1.25)]) == (-3, 0)
    assert axis_limits([(0.0, 0.0)]) == (0, 1)


def test_a_hub_of_empty_tracks_is_a_hub(tmp_path):
    path = tmp_path / "s/t.bw"
    path.parent.mkdir()
    with pyBigWig.open(str(path), "w") as track:
        track.addHeader([("c", 10)])
    two_bit = path.with_name("g.2bit")
    two_bit.write_bytes(b"any")
    study = HubStudy("s", "g", [HubTrack(path, "out", "m")])
    write_hub(tmp_path / "hub", [HubGenome("g", two_bit=two_bit)], [study], name="x")
    (genome,) = read_stanzas(tmp_path / "hub/genomes.txt")
    assert genome["defaultPos"] == "c:1-10"
    assert genome["twoBitPath"] == "../s/g.2bit"
    names = [stanza["track"] for stanza in read_stanzas(tmp_path / "hub/g/trackDb.txt")]
    assert names == ["s_tracks", "s_predicted", "s_predicted_m_out"]


def test_genomes_of_one_assembly_share_a_folder_and_the_same_again_gives_the_same_bytes(tmp_path):
    paths = [write_track(tmp_path / name / "tracks/x~1.bw", 1) for name in ("one", "two")]
    studies = [
        HubStudy(f"st.{name}", name, [HubTrack(path, "x")]) for name, path in zip(["a", "b"], paths, strict=True)
    ]
    genomes = [HubGenome("a", "hg38"), HubGenome("b", "hg38"), HubGenome("unused", "mm10")]
    hub = write_hub(tmp_path / "hub", genomes, studies, name="my run", email="me@here.org")
    assert hub == tmp_path / "hub/hub.txt"
    assert read_stanzas(hub)[0]["hub"] == "my_run"
    assert read_stanzas(hub)[0]["email"] == "me@here.org"
    assert read_stanzas(tmp_path / "hub/genomes.txt") == [{"genome": "hg38", "trackDb": "hg38/trackDb.txt"}]
    stanzas = read_stanzas(tmp_path / "hub/hg38/trackDb.txt")
    assert [stanza["track"] for stanza in stanzas if "superTrack" in stanza] == ["st_a_tracks", "st_b_tracks"]
    assert len({stanza["track"] for stanza in stanzas}) == 6
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    write_hub(tmp_path / "hub", genomes, studies, name="my run", email="me@here.org")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_what_no_browser_could_show_is_refused_and_nothing_is_written(tmp_path):
    path = write_track(tmp_path / "r/s/x.bw", 1)
    outside = write_track(tmp_path / "elsewhere/x.bw", 1)
    two_bit = tmp_path / "r/g.2bit"
    two_bit.touch()
    good, study = HubGenome("g", two_bit=two_bit), HubStudy("s", "g", [HubTrack(path, "x")])
    for genomes, studies, message in (
        ([good], [], "nothing to show"),
        ([good], [HubStudy("s", "other", study.tracks)], "Study 's' is on genome 'other', but the hub has: g"),
        ([good], [HubStudy("s", "g", [])], "Study 's' has no track"),
        ([HubGenome("g")], [study], "Genome 'g' needs its sequence"),
        ([good, HubGenome("h", "g")], [study], "Two genomes of the hub are called 'g'"),
        ([HubGenome("g", two_bit=tmp_path / "r/no.2bit")], [study], r"no\.2bit does not exist"),
        ([good], [HubStudy("s", "g", [HubTrack(tmp_path / "r/no.bw", "x")])], r"no\.bw does not exist"),
        ([good], [HubStudy("s", "g", [HubTrack(outside, "x")])], r"elsewhere/x\.bw lies outside"),
        ([good], [HubStudy("s", "g", [HubTrack(tmp_path / "r/../elsewhere/x.bw", "x")])], "lies outside"),
    ):
        with pytest.raises(InputError, match=message):
            write_hub(tmp_path / "r/hub", genomes, studies, name="x")
    assert not (tmp_path / "r/hub").exists()


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.integers(20, 80))
def test_labels_fit_and_short_ones_stay(parts, most):
    label = fit_label(parts, most)
    words = [" ".join(part.split()) for part in parts]
    whole = " ".join(word for word in words if word)
    assert len(label) <= most
    assert "\n" not in label
    assert label == whole if len(whole) <= most else len(label) >= most - len(parts)


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), max_size=20))
def test_names_are_safe_and_never_given_twice(texts):
    names = Names()
    given_out = [names.new(text) for text in texts]
    assert len(set(given_out)) == len(texts)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in given_out)


def write_runs(folder, n_runs, seed=0):
    """Write predictions of promoters: overlapping windows of both strands on two contigs, three outputs."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 19_000, 120)
    regions = pd.DataFrame(
        {
            "chrom": np.where(np.arange(120) < 70, "chr1", "chr2"),
            "start": starts,
            "end": starts + 200,
            "strand": rng.choice(["+", "-"], 120),
        }
    )
    runs = []
    for number in range(n_runs):
        target, prediction = rng.normal(size=(2, 120, 3))
        parts = {"validation": Predictions(regions[:5], target[:5], prediction[:5], ["a", "b.2", "c"])}
        parts["test"] = Predictions(regions, target, prediction, ["a", "b.2", "c"])
        write_predictions(folder / f"run{number}/predictions.h5", parts)
        runs.append(parts["test"])
    return regions, runs, [folder / f"run{number}/predictions.h5" for number in range(n_runs)]


def slow_track(regions, values):
    """Lay every window over its bases, one by one, and average."""
    track = {}
    for chrom, size in SIZES.items():
        piled = [[] for _ in range(size)]
        for row, value in zip(regions.itertuples(), values, strict=True):
            if row.chrom == chrom:
                for base in range(row.start, row.end):
                    piled[base].append(value)
        track[chrom] = np.array([np.mean(pile) if pile else np.nan for pile in piled])
    return track


def test_a_column_is_that_of_the_whole_file(tmp_path):
    regions, runs, paths = write_runs(tmp_path, 3)
    for number, output in enumerate(["a", "b.2", "c"]):
        for kind in ("prediction", "target"):
            column = read_column(paths[1], "test", output, kind=kind)
            np.testing.assert_array_equal(column.values, getattr(runs[1], kind)[:, number])
            pd.testing.assert_frame_equal(column.regions, runs[1].regions)
            mean = np.mean([getattr(run, kind)[:, number].astype(float) for run in runs], axis=0)
            np.testing.assert_allclose(mean_column(paths, "test", output, kind=kind).values, mean, rtol=1e-12)
    assert len(read_column(paths[0], "validation", "c").values) == 5


def test_columns_that_cannot_be_read_are_named(tmp_path):
    _, _, paths = write_runs(tmp_path, 1)
    _, _, (other,) = write_runs(tmp_path / "other", 1, seed=1)
    with pytest.raises(InputError, match=r"holds no output 'd'\. It holds: a, b\.2, c"):
        read_column(paths[0], "test", "d")
    with pytest.raises(InputError, match=r"holds no split 'train'\. It holds: test, validation"):
        read_column(paths[0], "train", "a")
    with pytest.raises(InputError, match=r"Cannot read the predictions in .*missing"):
        read_column(tmp_path / "missing.h5", "test", "a")
    with pytest.raises(InputError, match=r"other/run0/predictions\.h5 and .*hold other windows of the split 'test'"):
        mean_column([paths[0], other], "test", "a")
    with pytest.raises(InputError, match="No predictions of 'a'"):
        mean_column([], "test", "a")


SNAKEFILE = """
import json
from helpers.fingerprint import code_hash

PLAN = json.load(open("plan.json"))
RUN = "small"

wildcard_constraints:
    run=RUN,
    track="b[.]2",
    model="dna",

def code_of(script):
    return code_hash(f"{PLAN['root']}/workflow/scripts/{script}.py")

def fold_predictions(wildcards):
    return PLAN["runs"]

def replicate_paths(wildcards):
    return PLAN["runs"]

def sizes_of(wildcards):
    return "chrom.sizes"

def resource(track):
    return f"{track}.fa"

def hub_tracks():
    return PLAN["tracks"]

def hub_two_bits():
    return ["results/small/hub/demo/demo.2bit"]

def hub_files():
    return ["genomes.txt", "description.html", "demo/trackDb.txt", "demo/groups.txt"]

def hub_genomes():
    return [{"name": "demo", "browser": ""}]

def hub_studies():
    return [{"name": "cage", "genome": "demo", "limits": None}]

rule all:
    input: "results/small/hub/hub.txt"

include: f"{PLAN['root']}/workflow/rules/hub.smk"
"""


def test_the_chapter_makes_targets_predictions_sequence_and_hub(tmp_path):
    """The rules as they are, on predictions of promoters in two folds."""
    regions, runs, paths = write_runs(tmp_path, 2)
    rng = np.random.default_rng(9)
    letters = {name: "".join(rng.choice(list("ACGTN"), size)) for name, size in (SIZES | {"chrUn": 50}).items()}
    write_fasta(tmp_path / "genome.fa", **letters)
    (tmp_path / "chrom.sizes").write_text("".join(f"{name}\t{size}\n" for name, size in SIZES.items()))
    stems = {"target": ("", "target"), "dna_default": ("dna", "prediction")}
    tracks = {stem: f"results/small/cage/tracks/{stem}_b.2.bw" for stem in stems}
    rows = [
        {"study": "cage", "output": "b.2", "model": model, "values": {}, "path": tracks[stem]}
        for stem, (model, _) in stems.items()
    ]
    plan = {"root": str(ROOT), "runs": [str(path.relative_to(tmp_path)) for path in paths], "tracks": rows}
    config = {"note": "", "genomes": {"demo": {"fasta": "genome", "chromosomes": list(SIZES)}}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    run_snakemake(tmp_path)
    for stem, (_, kind) in stems.items():
        mean = np.mean([getattr(run, kind)[:, 1] for run in runs], axis=0, dtype=float)
        expected = slow_track(regions, mean)
        with pyBigWig.open(str(tmp_path / tracks[stem])) as track:
            assert track.chroms() == SIZES
            for chrom, size in SIZES.items():
                found = np.array(track.values(chrom, 0, size))
                np.testing.assert_allclose(found, expected[chrom], rtol=1e-5, atol=1e-6, equal_nan=True)
    place = tmp_path / "results/small/hub/demo/trackDb.txt"
    shown = [stanza for stanza in read_stanzas(place) if "color" in stanza]
    assert [(stanza["shortLabel"], stanza["color"]) for stanza in shown] == [
        ("observed", "0,0,0"),
        ("dna", "0,114,178"),
    ]
    assert [follow(place, stanza["bigDataUrl"]) for stanza in shown] == [tmp_path / path for path in tracks.values()]
    sequence = (tmp_path / "results/small/hub/demo/demo.2bit").read_bytes()
    assert sequence[8] == 2, "the genome's chromosomes, and no other contig of the file"
    assert len(sequence) > sum(SIZES.values()) // 4


def run_snakemake(folder):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "config.json"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment |= {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_hubs_are_written_without_matplotlib():
    code = "import sys, helpers.evaluation.hub; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
