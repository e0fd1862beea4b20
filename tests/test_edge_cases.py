"""What users run into, through the workflow itself: a clear message before any training, or a documented value."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest
import yaml

from helpers.config import complete_config
from helpers.data.checks import check_study_inputs
from helpers.data.file_checks import check_motifs
from helpers.errors import InputError
from helpers.evaluation.effects import Sampled, compare
from helpers.references import check_references
from helpers.sheet import read_tracks
from helpers.study import track_uses

SIZES = {f"chr{number}": 12_000 for number in (1, 2, 3, 4)}
BIN, FLANK = 200, 100
MOTIF = "MOTIF m\nletter-probability matrix: alength= 4 w= {w}\n" + "0.7 0.1 0.1 0.1\n" * 6
MANY = 51  # outputs: one more than a job of labels takes


def genes(chroms):
    """A gene each 1,000 bp; the second begins 100 bp behind the first, so that promoters overlap."""
    starts = [501, 601, *range(1501, 11_000, 1000)]
    line = '{}\tx\tgene\t{}\t{}\t.\t+\t.\tgene_id "g{}"; gene_type "protein_coding";\n'
    return "".join(line.format(chrom, start, start + 300, start) for chrom in chroms for start in starts)


def write_signal(path, values):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(SIZES.items()))
        for chrom, of_chrom in values.items():
            file.addEntries(chrom, 0, values=of_chrom.tolist(), span=1, step=1)


@pytest.fixture
def own(tmp_path):
    """A folder with small files, and the config of a study of promoters on them."""
    rng = np.random.default_rng(0)
    letters = {chrom: "".join(rng.choice(list("ACGT"), length)) for chrom, length in SIZES.items()}
    (tmp_path / "genome.fa").write_text("".join(f">{chrom}\n{text}\n" for chrom, text in letters.items()))
    (tmp_path / "genes.gtf").write_text(genes(SIZES))
    (tmp_path / "motifs.meme").write_text("MEME version 4\n\n" + MOTIF.format(w=6))
    write_signal(tmp_path / "cage.bw", {chrom: rng.gamma(1, 1, length) for chrom, length in SIZES.items()})
    rows = ["track\ttype\tpath", "genome\tfasta\tgenome.fa", "genes\tgtf\tgenes.gtf", "cage\tbigWig\tcage.bw"]
    (tmp_path / "tracks.tsv").write_text("\n".join([*rows, "motifs\tmeme\tmotifs.meme"]) + "\n")
    study = {
        "genome": "own",
        "regions": {"kind": "promoters", "track": "genes", "binsize": BIN},
        "folds": {"validation_each": ["chr2", "chr3"], "test": ["chr1"]},
        "output": {"kind": "coverage", "tracks": ["cage"], "flank": FLANK},
        "inputs": {"dna": {"kind": "sequence"}},
        "models": {
            "kmer": {"architecture": "kmer_linear", "inputs": ["dna"], "variants": [{"k": [2]}]},
            "pwm": {"architecture": "pwm_scan", "inputs": ["dna"], "motifs": "motifs"},
        },
        "training": {"loss": "mse"},
        "replicates": 1,
        "metrics": ["pearson_r"],
    }
    genomes = {"own": {"fasta": "genome", "chromosomes": list(SIZES)}}
    return tmp_path, {"run": "own", "tracks": "tracks.tsv", "genomes": genomes, "studies": {"cage": study}}


def constant_in_the_second_fold(folder):
    """All that varies lies on chr3, which validates in the second fold."""
    ones = {chrom: np.ones(length) for chrom, length in SIZES.items()}
    write_signal(folder / "cage.bw", ones | {"chr3": np.random.default_rng(1).gamma(1, 1, SIZES["chr3"])})


def damaged_motifs(folder):
    (folder / "motifs.meme").write_text("MEME version 4\n\n" + MOTIF.format(w=7))


def a_fold_without_genes(folder):
    (folder / "genes.gtf").write_text(genes(["chr1", "chr2", "chr4"]))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (constant_in_the_second_fold, ["Constant target in split 'train'", "cage is 400 in all 24 regions"]),
        (damaged_motifs, ["motifs.meme, line 4", "6 rows follow", "before any work"]),
        (a_fold_without_genes, ["'validation of fold chr3' has no regions on chr3", "before any work"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_mistake_in_any_fold_ends_before_the_first_training(own, run_workflow, spoil, words):
    folder, config = own
    spoil(folder)
    done = run_workflow(folder, config, "results/own/cage/scores.tsv")
    assert done.returncode == 1
    assert all(word in done.stdout for word in words), done.stdout
    assert "Traceback" not in done.stdout
    assert not list(folder.glob("results/own/logs/cage/models/**/*.log"))
    assert not list(folder.glob("results/**/.*"))


def test_nan_counts_as_no_data_and_a_gene_on_a_contig_without_sequence_is_left_out(own, run_workflow):
    folder, config = own
    (folder / "genes.gtf").write_text(genes([*SIZES, "chrM"]))
    values = {chrom: np.random.default_rng(2).gamma(1, 1, length) for chrom, length in SIZES.items()}
    for of_chrom in values.values():
        of_chrom[3000:5000] = np.nan
    write_signal(folder / "cage.bw", values)
    done = run_workflow(folder, config, "results/own/cage/regions/fold-chr2/targets.tsv")
    assert done.returncode == 0, done.stdout
    study = folder / "results/own/cage"
    dropped = (study / "regions/dropped.bed").read_text().splitlines()
    assert len(dropped) == 12
    assert all(line.startswith("chrM\t") and "contig not in use" in line for line in dropped)
    assert "Some values are NaN: these bases are read as no data" in (study / "checks.tsv").read_text()
    starts = [line.split("\t")[3] for line in genes(["chr1"]).splitlines()]
    windows = [values["chr1"][int(start) - 1 - BIN - FLANK : int(start) - 1 + FLANK] for start in starts]
    expected = np.log1p([np.nansum(window.astype(np.float32).astype(float)) for window in windows])
    table = pd.read_csv(study / "regions/fold-chr2/targets.tsv", sep="\t").set_index("split")
    assert table.at["test", "n"] == len(starts)
    assert table.at["test", "mean"] == pytest.approx(expected.mean())
    assert table.at["test", "sd"] == pytest.approx(expected.std(ddof=1))


def test_a_changed_track_is_checked_and_its_batch_alone_is_labelled_anew_in_one_run(own, run_workflow):
    folder, config = own
    names = [f"peaks{number}" for number in range(MANY)]
    lines = "".join(f"{chrom}\t{start}\t{start + 50}\n" for chrom in SIZES for start in range(400, 11_000, 2000))
    for name in names:
        (folder / f"{name}.bed").write_text(lines)
    with open(folder / "tracks.tsv", "a") as sheet:
        sheet.writelines(f"{name}\tbed\t{name}.bed\n" for name in names)
    config["studies"]["cage"] |= {"output": {"kind": "peaks", "tracks": names}, "metrics": ["auprc"]}
    config["studies"]["cage"]["training"] = {"loss": "binary_crossentropy"}
    wanted = "results/own/cage/regions/fold-chr2/targets.tsv"
    assert run_workflow(folder, config, wanted).returncode == 0
    before = pd.read_csv(folder / wanted, sep="\t").set_index(["split", "output"])["n_positive"]
    made = {path: path.stat().st_mtime_ns for path in folder.glob("results/own/cage/**/*.*") if path.is_file()}
    (folder / f"{names[-1]}.bed").write_text(lines.replace("chr1\t400\t450\n", ""))
    done = run_workflow(folder, config, wanted)
    assert done.returncode == 0, done.stdout
    anew = {path.name for path, time in made.items() if path.stat().st_mtime_ns != time}
    assert anew == {"checks.tsv", "contigs.tsv", "part-1.h5", "all.h5", "targets.tsv"}
    after = pd.read_csv(folder / wanted, sep="\t").set_index(["split", "output"])["n_positive"]
    assert (before - after)[lambda change: change != 0].to_dict() == {("test", names[-1]): 2}  # two promoters overlap
    assert "Nothing to be done" in run_workflow(folder, config, wanted).stdout


@pytest.mark.parametrize("name", ["all", "report", "figures", "tables", "logs"])
def test_a_study_is_not_named_as_a_target_or_a_folder_of_results(own, name):
    folder, config = own
    config["studies"] = {name: config["studies"]["cage"]}
    with pytest.raises(InputError, match=f"studies.{name}: a target or a folder of results has this name"):
        check_references(*completed(folder, config))


def test_a_regression_of_several_outputs_names_one(own):
    folder, config = own
    with open(folder / "tracks.tsv", "a") as sheet:
        sheet.write("other\tbigWig\tcage.bw\n")
    study = config["studies"]["cage"]
    study["output"]["tracks"] = ["cage", "other"]
    figure = {"kind": "regression", "split": "test", "of": {"model": "kmer"}}
    study["figures"] = {"fig4": figure}
    with pytest.raises(InputError, match="fig4.output: name one of the outputs: cage, other"):
        check_references(*completed(folder, config))
    figure["output"] = "other"
    check_references(*completed(folder, config))


def completed(folder, config):
    root = folder.__class__(__file__).resolve().parents[1]
    schema = yaml.safe_load((root / "workflow/schemas/config.schema.yaml").read_text())
    return complete_config(config, schema), read_tracks(folder / "tracks.tsv")


def test_windows_in_one_block_have_no_interval_and_the_table_says_so():
    sides = [{"all": [Sampled(value, np.full(50, value), n_blocks=1)]} for value in (0.8, 0.5)]
    row = compare(*sides)
    assert row["delta"] == pytest.approx(0.3)
    assert np.isnan(row["ci_low"])
    assert np.isnan(row["ci_high"])
    assert "no interval: all windows lie in one block" in row["test"]


@pytest.mark.parametrize(("window", "status"), [(None, "ok"), (6, "ok"), (5, "error")])
def test_motifs_fit_into_the_shortest_window_that_is_scanned(own, window, status):
    folder, _ = own
    *_, found = check_motifs(folder / "motifs.meme", "track motifs", window=window)
    assert found.status == status
    assert ("1 motif of 6 to 6 bp" if status == "ok" else "Longer than the windows of 5 bp: m (6 bp)") in found.message


def test_the_shortest_window_is_that_of_any_variant_of_any_model(own):
    folder, config = own
    models = config["studies"]["cage"]["models"]
    models["wide"] = models["pwm"] | {"variants": [{"window": [400, 300]}]}
    study = completed(folder, config)[0]["studies"]["cage"]
    assert track_uses(study)["motifs"] == {"uses": ["motifs"], "stranded": False, "window": BIN}
    del study["models"]["pwm"]
    assert track_uses(study)["motifs"]["window"] == 300
    same = {"type": "meme", "path": folder / "motifs.meme"}
    tracks = [{"track": "a", "window": 9, **same}, {"track": "b", "window": 5, **same}]
    findings = check_study_inputs(folder / "genome.fa", ["chr1"], tracks)
    assert "windows of 5 bp" in findings.set_index("status").at["error", "message"]  # one file, judged once


def test_a_study_is_not_named_as_a_rule(own, run_workflow):
    folder, config = own
    config["studies"] = {"train_model": config["studies"]["cage"], "mine": config["studies"]["cage"]}
    done = run_workflow(folder, config, "mine", "-n")
    assert done.returncode == 1
    assert "studies.train_model: a rule of the workflow has this name; choose another." in done.stdout
    del config["studies"]["train_model"]
    done = run_workflow(folder, config, "mine", "-n", "-q", "reason")
    assert done.returncode == 0, done.stdout
    assert "results/own/mine/comparisons.tsv" in done.stdout
