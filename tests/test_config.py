"""A mistake in a config or a sheet ends with one message that names key, value and what is allowed."""

import copy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers.config import complete_config
from helpers.errors import InputError
from helpers.references import check_references, resolve_outputs
from helpers.sheet import TRACK_COLUMNS, file_path, is_archive, missing_files, read_tracks
from helpers.sources.worlds import check_simulated

ROOT = Path(__file__).resolve().parents[1]
FIGURE = {"kind": "replicates", "models": ["joint"], "metric": "auprc", "split": "test"}
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEMO = yaml.safe_load((ROOT / "config/config.yaml").read_text())
PAPER = yaml.safe_load((ROOT / "config/paper.yaml").read_text())


def check(config):
    """Check a completed config and its sheets as the workflow does."""
    tracks = read_tracks(config["tracks"], ROOT)
    check_references(resolve_outputs(config, tracks), tracks)


def changed(path, value, config=DEMO):
    """Return a copy of a config with one key, given as a dotted path, set to another value."""
    config = copy.deepcopy(config)
    *parents, last = path.split(".")
    part = config
    for key in parents:
        part = part[key]
    part[last] = value
    return config


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_every_config_is_valid(path):
    check(complete_config(yaml.safe_load(path.read_text()), SCHEMA))


def test_defaults_are_filled_in_and_the_argument_is_left_alone():
    config = changed("studies.jund.inputs", {"dna": {"kind": "sequence"}})
    before = copy.deepcopy(config)
    completed = complete_config(config, SCHEMA)
    assert config == before
    assert completed["studies"]["jund"]["inputs"]["dna"]["flank"] == 0
    assert completed["studies"]["jund"]["training"]["global_clipnorm"] == 1.0
    assert completed["studies"]["jund"]["comparisons"] == {"block_size": 20000, "resamples": 1000}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("studies.jund.training.epoch", 3, ["studies.jund.training", "'epoch'", "'epochs'"]),
        ("seeds", 3, ["the top level", "'seeds'", "'seed'"]),
        ("studies.jund.training.epochs", "ten", ["studies.jund.training.epochs", "'ten'", "integer"]),
        ("studies.jund.training.epochs", 0, ["studies.jund.training.epochs", "0", "at least 1"]),
        ("backend", "theano", ["backend", "'theano'", "tensorflow, jax, torch"]),
        ("studies.jund.output.overlap", 1.5, ["studies.jund.output.overlap", "1.5", "fraction"]),
        ("studies.jund.models.dna.variants", [{"order": [9]}], ["order", "9", "at most 6"]),
        ("studies.jund.inputs.dnase.resolutoin", 50, ["'resolutoin'", "'resolution'"]),
        ("studies.jund.metrics", ["accuracy"], ["'accuracy'", "auprc"]),
        ("run", "../elsewhere", ["run", "'../elsewhere'"]),
    ],
)
def test_a_wrong_key_or_value_is_named(path, value, words):
    with pytest.raises(InputError) as caught:
        complete_config(changed(path, value), SCHEMA)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("training.loss", "binary_crossentropy", ["cage.training.loss", "'binary_crossentropy'", "mae, mse"]),
        ("metrics", ["mae", "auprc"], ["cage.metrics[1]", "'auprc'", "pearson_r, mae, mse"]),
    ],
)
def test_losses_and_metrics_of_labels_are_refused_for_signals(path, value, words):
    with pytest.raises(InputError) as caught:
        complete_config(changed(f"studies.cage.{path}", value, PAPER), SCHEMA)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    complete_config(changed(f"studies.jund.{path}", value, PAPER), SCHEMA)


def test_a_missing_key_is_named():
    config = copy.deepcopy(DEMO)
    del config["studies"]["jund"]["output"]
    with pytest.raises(InputError, match=r"studies\.jund: missing 'output'"):
        complete_config(config, SCHEMA)
    with pytest.raises(InputError, match=r"studies\.jund: needs exactly one of split and folds"):
        complete_config(changed("studies.jund.folds", {"validation_each": ["chr2"], "test": ["chr3"]}), SCHEMA)


def test_all_mistakes_are_named_at_once():
    config = changed("studies.jund.training.epochs", 0)
    config["backend"] = "theano"
    with pytest.raises(InputError) as caught:
        complete_config(config, SCHEMA)
    assert "epochs" in str(caught.value)
    assert "theano" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("studies.jund.regions.track", "jund_peak", ["regions.track", "'jund_peak'", "'jund_peaks'"]),
        ("studies.jund.regions.track", "dnase_encode", ["regions.track", "of type bam"]),
        ("studies.jund.genome", "hg38", ["studies.jund.genome", "'hg38'", "demo"]),
        ("studies.jund.split.test", ["chr9"], ["studies.jund.split.test", "'chr9'"]),
        ("studies.jund.split.test", ["chr2"], ["chr2 is in validation and in test"]),
        ("genomes.demo.chromosomes", ["chr2", "chr3"], ["no chromosome is left for training"]),
        ("studies.jund.models.dna.inputs", ["rna"], ["models.dna.inputs", "'rna'"]),
        ("studies.jund.models.dna.inputs", ["dnase"], ["takes a sequence input"]),
        (
            "studies.jund.models.dna.variants",
            [{"normalize": ["tpm"]}],
            ["'normalize'", "order, window, dropout, strands"],
        ),
        ("studies.jund.models.joint.of", {"dna": {}, "kmer": {}}, ["'kmer'", "not a network"]),
        ("studies.jund.inputs.dnase.tracks", ["dnase_encode"], ["swapping needs two tracks"]),
        ("studies.jund.figures.fig2d.predictions", ["both"], ["fig2d", "'both'"]),
        ("studies.jund.figures.fig2a.metric", "mae", ["fig2a.metric", "'mae'"]),
        ("studies.jund.figures.fig2a.x", "strands", ["fig2a", "strands is in no grid of 'dna'"]),
        ("studies.jund.figures.fig2c.where", {"dna": {"order": 3}}, ["fig2c", "share one box"]),
        ("studies.jund.figures.fig2c.where", {"dna": {"order": 5}}, ["fig2c.where.dna", "no variant", "5"]),
        ("studies.jund.figures.fig2a.split", "test_swapped", ["fig2a.split", "none of dna is scored"]),
        ("studies.jund.figures.fig2d.region", "chr2:0-100", ["fig2d.region", "'chr2'", "chr3"]),
        ("studies.jund.figures.fig2d.region", "chr3:100-100", ["fig2d.region", "does not end after"]),
        ("studies.jund.figures", {"jund_training": FIGURE}, ["jund_training", "is taken"]),
        ("studies.jund.models.joint.of.dna", {"order": 3}, ["joint.of.dna", "not a variant of 'dna'"]),
        ("studies.jund.models.kmer", {"architecture": "kmer_linear", "inputs": ["dna"]}, ["kmer.variants", "needs k"]),
        ("studies.jund.inputs.dnase.resolution", 60, ["dnase.resolution", "60 bp does not divide the bin size, 200"]),
        ("studies.jund.motif", {"sequence": "TGAC", "models": ["dnase"]}, ["motif.models", "'dnase'", "dna, kmer"]),
    ],
)
def test_a_name_that_does_not_exist_is_named(path, value, words):
    config = complete_config(changed(path, value), SCHEMA)
    with pytest.raises(InputError) as caught:
        check(config)
    assert all(word in str(caught.value) for word in words), str(caught.value)


GRID = {"order": 1, "window": 1000}
SELECTED = {"kind": "scatter", "metric": "auprc", "split": "test", "x": {"model": "danq", **GRID}}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("deepsea.output.classes", ["Histon"], ["classes", "'Histon'", "Histone, DNase, TF"]),
        ("deepsea.split.validation", [{"chrom": "chr71", "start": 0}], ["split.validation", "'chr71'"]),
        ("deepsea.split.validation", [{"chrom": "chr8", "start": 0}], ["chr8 is in validation and in test"]),
        ("deepsea.split.validation", [{"chrom": "chr7", "start": 9, "end": 9}], ["chr7 from 9", "not end after"]),
        ("deepsea.models.danq.variants", [{"window": [501]}], ["window", "501 bp", "200 bp plus an even number"]),
        ("deepsea.models.danq.variants", [{"window": [198]}], ["window", "198 bp"]),
        ("deepsea.models.danq.params", {"filter": 3}, ["danq.params", "'filter' is unknown", "filters"]),
        ("deepsea.models.danq.params", {"units": 0.5}, ["danq.params", "units", "0.5", "whole number"]),
        ("deepsea.models.danq.params", {"order": 1}, ["danq: order stands in params and in variants"]),
        ("deepsea.models.danq.motifs", "jund_motif", ["danq takes no motifs"]),
        ("jund.models.pwm", {"architecture": "pwm_scan", "inputs": ["dna"]}, ["pwm_scan needs motifs"]),
        ("jund.models.pwm.motifs", "jund_peaks", ["pwm.motifs", "of type narrowPeak; needed: meme"]),
        ("jund.models.pwm.variants", [{"order": [2]}], ["pwm.variants", "'order'", "window"]),
        ("jund.models.target", {"architecture": "jund_dna", "inputs": ["dna"]}, ["models.target", "choose another"]),
        ("deepsea.figures.fig3a.x", {"model": "danq", "window": 500, "order": 4}, ["fig3a.x", "picks 0 variants"]),
        ("deepsea.figures.fig3a.x", {"model": "danq", **GRID}, ["fig3a.x", "picks 2 variants", "strands"]),
        ("deepsea.figures.fig3c.class", "RNA", ["fig3c.class", "'RNA'", "TF"]),
        ("deepsea.figures.figS1.where", {}, ["figS1", "share one box"]),
        ("deepsea.figures.figStrand.value", "reverse", ["figStrand.value", "'reverse'"]),
        ("deepsea.figures.figStrand.where", {}, ["figStrand", "share one box"]),
        ("cage.regions.track", "blacklist", ["cage.regions.track", "of type bed; needed: gtf"]),
        ("cage.output.tracks", ["h3k4me3_hepg2"], []),
        ("cage.output", {"kind": "coverage", "tracks": ["h3k4me3_hepg2"], "strand": "sense"}, ["has no strands"]),
        ("cage.inputs.chromatin.stranded", True, ["chromatin.stranded", "'h3k4me3_hepg2' has no strands"]),
        ("cage.inputs.chromatin.resolution", 50, ["chromatin.resolution", "resolution: whole"]),
        ("cage.inputs.targets", {"kind": "sequence"}, ["'targets'", "choose another name"]),
        ("cage.models.joint.of", {"dna": {"dropout": 0.5}, "chromatin": {}}, ["joint.of.dna", "not a variant"]),
        ("cage.models.joint.variants", [{"strands": ["both"]}], ["joint.variants", "'strands'", "dropout"]),
        (
            "cage.figures.here",
            {"kind": "locus", "region": "chr1:0-9", "predictions": ["dna"]},
            ["shows features", "whole"],
        ),
        ("deepsea.motif", {"sequence": "TGAC", "models": ["danq"]}, ["motif.models", "'danq' has windows in its grid"]),
        ("cage.tables.table1.metric", "auprc", ["table1.metric", "'auprc'"]),
        ("cage.figures.fig4.of", {"model": "joint"}, ["fig4.of", "picks 3 variants of 'joint'"]),
        ("cage.tables.published", {"models": ["dna"], "metric": "mae", "split": "test"}, ["published", "is taken"]),
        ("jund.figures.fig4", {"kind": "regression", "split": "test", "of": {"model": "joint"}}, ["needs a signal"]),
    ],
)
def test_what_the_other_studies_name_is_checked_too(path, value, words):
    config = complete_config(changed(f"studies.{path}", value, PAPER), SCHEMA)
    if not words:
        check(config)
        return
    with pytest.raises(InputError) as caught:
        check(config)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_outputs_by_class_are_the_tracks_of_the_sheet_in_its_order():
    config = complete_config(PAPER, SCHEMA)
    tracks = read_tracks(config["tracks"], ROOT)
    resolved = resolve_outputs(config, tracks)["studies"]["deepsea"]["output"]["tracks"]
    assert "tracks" not in config["studies"]["deepsea"]["output"]
    assert len(resolved) == 919
    assert resolved == [name for name in tracks.index if tracks.at[name, "class"]]
    assert tracks["class"].value_counts().to_dict() == {"": 12, "TF": 690, "DNase": 125, "Histone": 104}


def test_a_track_in_two_sheets_is_an_error(tmp_path):
    path = sheet(tmp_path, ("track", "type", "path"), ("genes", "bed", "a.bed"))
    with pytest.raises(InputError, match="genes stand in more than one of the sheets"):
        read_tracks([path, ROOT / "config/paper.tracks.tsv"])


def test_the_one_file_of_an_archive_is_no_archive():
    config = complete_config(PAPER, SCHEMA)
    tracks = read_tracks(config["tracks"], ROOT)
    assert is_archive(tracks.loc["deepsea_bins"])
    assert file_path(tracks.loc["deepsea_bins"], "paper") == "resources/hg19/deepsea_bins.bed"
    assert file_path(tracks.loc["genes"], "paper") == "resources/hg38/genes.gtf.gz"


def sheet(tmp_path, *rows):
    path = tmp_path / "tracks.tsv"
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    return path


def test_the_sheet_is_read_with_comments_and_missing_columns(tmp_path):
    path = sheet(tmp_path, ("# ours",), ("track", "type", "path"), ("genome", "fasta", "a.fa"))
    tracks = read_tracks(path)
    assert tracks.at["genome", "path"] == "a.fa"
    assert tracks.at["genome", "md5"] == ""
    assert tracks.at["genome", "line"] == 3


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("1genome", "fasta", "a.fa", ""), ["line 2", "'1genome'"]),
        (("genome", "fastq", "a.fa", ""), ["line 2", "'fastq'", "fasta, bed"]),
        (("genome", "fasta", "", ""), ["line 2", "either a path or a url"]),
        (("genome", "fasta", "a.fa", "http://x/a.fa"), ["either a path or a url"]),
        (("genome", "fasta", "", "gopher://x/a.fa"), ["'gopher://x/a.fa'"]),
        (("genome", "fasta", "", "simulated:../a.fa"), ["simulated:"]),
        (("genome", "fasta", "", "https://x/a.fa"), ["line 2", "assembly ''"]),
        (("genome", "fasta", "a.fa", "", "more"), ["line 2", "5 fields under 4 columns"]),
    ],
)
def test_a_wrong_row_of_the_sheet_is_named(tmp_path, row, words):
    with pytest.raises(InputError) as caught:
        read_tracks(sheet(tmp_path, ("track", "type", "path", "url"), row))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_track_named_twice_an_unknown_column_and_a_missing_sheet_are_errors(tmp_path):
    twice = sheet(tmp_path, ("track", "type", "path"), ("a", "bed", "a.bed"), ("a", "bed", "b.bed"))
    with pytest.raises(InputError, match="'a' stands in more than one row"):
        read_tracks(twice)
    with pytest.raises(InputError, match="unknown column 'pth'"):
        read_tracks(sheet(tmp_path, ("track", "type", "pth"), ("a", "bed", "a.bed")))
    with pytest.raises(InputError, match="does not exist"):
        read_tracks(tmp_path / "absent.tsv")


def test_missing_local_files_are_all_named(tmp_path):
    (tmp_path / "b.bed").write_text("")
    rows = [("a", "bed", str(tmp_path / "a.bed")), ("b", "bed", str(tmp_path / "b.bed"))]
    with pytest.raises(InputError) as caught:
        missing_files(read_tracks(sheet(tmp_path, ("track", "type", "path"), *rows)))
    assert "'a' (line 2" in str(caught.value)
    assert "'b'" not in str(caught.value)


def schema_keys(part):
    """Every key that some part of the schema allows."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "properties":
                yield from value
            yield from schema_keys(value)
    elif isinstance(part, list):
        for item in part:
            yield from schema_keys(item)


def test_the_manual_explains_every_key_and_every_column():
    manual = (ROOT / "config/README.md").read_text()
    names = {*schema_keys(SCHEMA), *TRACK_COLUMNS}
    assert sorted(name for name in names if f"`{name}`" not in manual and f"`{name}:" not in manual) == []


def test_two_parts_of_a_joint_model_need_inputs_of_their_own():
    config = complete_config(DEMO, SCHEMA)
    models = config["studies"]["jund"]["models"]
    models["other"] = copy.deepcopy(models["dna"])
    models["joint"]["of"] = {"dna": {"order": 1, "dropout": 0}, "other": {"order": 3, "dropout": 0}}
    with pytest.raises(InputError, match="two parts read the input 'dna'"):
        check(config)


def test_a_sheet_from_a_spreadsheet_is_read_and_one_that_is_no_text_is_an_error(tmp_path):
    path = tmp_path / "tracks.tsv"
    path.write_bytes(b"\xef\xbb\xbftrack\ttype\tpath\r\na\tbed\ta.bed\r\n")
    assert read_tracks(path).at["a", "path"] == "a.bed"
    path.write_bytes("track\ttype\tpath\nä\tbed\ta.bed\n".encode("latin-1"))
    with pytest.raises(InputError, match="not written in UTF-8|not UTF-8"):
        read_tracks(path)


@pytest.mark.parametrize(("flank", "fits"), [(26, True), (25, False)])
def test_windows_that_are_too_short_for_the_filters_are_named(flank, fits):
    config = changed("studies.jund.inputs.dna.flank", flank)
    config["studies"]["jund"]["regions"]["binsize"] = 50
    config = complete_config(config, SCHEMA)
    if fits:
        check(config)
    else:
        with pytest.raises(InputError, match=r"windows of 100 bp .* 99 positions for .*'order': 2.* need 100\. Give"):
            check(config)


@pytest.mark.parametrize(
    ("url", "parameters", "words"),
    [
        ("simulated:genome.fasta", {}, "'genome' .line 2 of the sheet.: no file 'genome.fasta' is"),
        ("simulated:genome.fa", {"read": 3}, "unknown simulation parameter 'read'"),
        ("simulated:genome.fa", {"copies": 0}, "copies must be a whole number from 1 to 5"),
        ("simulated:chromatin/genome.fasta", {}, "no file 'chromatin/genome.fasta' is"),
        ("simulated:chromatin/genome.fa", {"chromatin": {"read": 3}}, "unknown simulation parameter 'read'"),
        ("simulated:promoters/genome.fa", {"promoters": 3}, "simulation.promoters has to hold parameters"),
    ],
)
def test_what_cannot_be_simulated_is_named(url, parameters, words):
    tracks = pd.DataFrame({"track": ["genome"], "url": [url], "line": [2]})
    with pytest.raises(InputError, match=words):
        check_simulated(tracks, parameters)
