"""Files of effects: the same numbers in all of them, whole or not at all; and how SNVs in expected places rank."""

import gzip
import logging
import os
import sys

import h5py
import keras
import numpy as np
import pandas as pd
import pysam
import pytest
from small_variants import COLUMNS, as_store, random_genome, record, write_vcf

from helpers.data.regions import region_table
from helpers.data.variants import read_variants
from helpers.errors import InputError
from helpers.evaluation.variant_effects import EffectModel, Effects, SequenceInput
from helpers.evaluation.variant_files import EFFECT_COLUMNS, PLACE_COLUMNS, read_effects
from helpers.evaluation.variant_ranking import rank_variants
from helpers.evaluation.variant_scoring import score_variants

GENOME = random_genome(9, chr1=200, chr2=60) | {"chr3": "ACGTACGTACGT"}
HEADER = ["##contig=<ID=chr1>", "##contig=<ID=chr2>", "##contig=<ID=chr3>", "##contig=<ID=chrX>"]
HEADER.append('##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">')
OUTPUTS = ["bound", "a b;c=1,|%"]
RECORDS = [
    record("chr3", 4, "T", "A", "rs1.2", "DP=3"),
    record("chr3", 5, "A", "C,<DEL>,AGG"),
    record("chr3", 6, "C", ".", info=""),
    record("chr3", 7, "A", "C", "wrong"),
    record("chrX", 1, "A", "C"),
]
SCORED = [("chr3", 3, 4, "rs1.2", "T", "A"), ("chr3", 4, 5, ".", "A", "C"), ("chr3", 4, 5, ".", "A", "AGG")]
FILES = {
    "table": "effects.tsv.gz",
    "scores": "effects.h5",
    "vcf": "annotated.vcf.gz",
    "bed": "variants.bed.gz",
    "counts": "counts.tsv",
}


def model_of(outputs=OUTPUTS, *, replicates=2, kept=None):
    models = []
    for seed in range(replicates):
        inputs = keras.Input((9, 1, 4))
        outcome = keras.layers.Dense(len(outputs), "sigmoid")(keras.layers.Flatten()(inputs))
        models.append(keras.Model(inputs, outcome))
        rng = np.random.default_rng(seed)
        models[-1].set_weights([rng.normal(size=weights.shape) for weights in models[-1].get_weights()])
    return EffectModel(models, {"dna": SequenceInput(1, 9, hot=True)}, outputs, kept=kept)


def score(folder, records=RECORDS, *, model=None, files=FILES, columns=COLUMNS, header=HEADER, **settings):
    path = write_vcf(folder / "in.vcf", records, header, columns)
    files = {name: folder / "out" / file for name, file in files.items()}
    return score_variants(model or model_of(), as_store(GENOME), path, files, **settings)


def read_gzipped(path):
    return gzip.decompress(path.read_bytes()).decode()


def test_table_hdf5_and_bed_hold_the_scored_alleles_in_the_same_order(tmp_path):
    score(tmp_path, batch_size=2)
    places, effects, outputs = read_effects(tmp_path / "out/effects.h5")
    assert outputs == OUTPUTS
    assert list(places.itertuples(index=False, name=None)) == [(*place, "scored") for place in SCORED]
    table = pd.read_csv(tmp_path / "out/effects.tsv.gz", sep="\t")
    assert list(table.columns) == [*PLACE_COLUMNS, *EFFECT_COLUMNS]
    assert table["output"].tolist() == OUTPUTS * len(SCORED)
    pd.testing.assert_frame_equal(table[list(PLACE_COLUMNS)][::2].reset_index(drop=True), places, check_dtype=False)
    for column, values in zip(EFFECT_COLUMNS[1:], effects, strict=True):
        np.testing.assert_allclose(table[column], values.ravel(), rtol=1e-6)
    assert read_gzipped(tmp_path / "out/variants.bed.gz").splitlines() == [
        "chr3\t3\t4\trs1.2_T>A",
        "chr3\t4\t5\t_A>C",
        "chr3\t4\t5\t_A>AGG",
    ]


def test_the_annotated_file_keeps_all_records_and_says_why_alleles_were_not_scored(tmp_path):
    columns = f"{COLUMNS}\tFORMAT\tsample"
    records = [f"{line}\tGT\t0/1" for line in RECORDS]
    score(tmp_path, records, columns=columns)
    places, effects, _ = read_effects(tmp_path / "out/effects.h5")
    lines = read_gzipped(tmp_path / "out/annotated.vcf.gz").splitlines()
    head, body = [line for line in lines if line.startswith("#")], [line for line in lines if not line.startswith("#")]
    assert head[-1] == columns
    assert ["\t".join(line.split("\t")[:7] + line.split("\t")[8:]) for line in body] == [
        "\t".join(line.split("\t")[:7] + line.split("\t")[8:]) for line in records
    ]
    with pysam.VariantFile(str(tmp_path / "out/annotated.vcf.gz")) as file:
        found = list(file)
        assert file.header.info["EFFECT"].type == file.header.info["EFFECT_STATUS"].type == "String"
    assert [line.info["EFFECT_STATUS"] for line in found] == [
        ("scored",),
        ("scored", "symbolic", "scored"),
        ("no_alternative",),
        ("reference_mismatch",),
        ("contig_not_in_genome",),
    ]
    assert found[0].info["DP"] == 3
    written = [effect.split("|") for line in found if "EFFECT" in line.info for effect in line.info["EFFECT"]]
    names = ["bound", "a%20b%3Bc%3D1%2C%7C%25"]
    rows = [0, 0, 1, 2, 1, 2]  # of a record output by output
    assert [(alt, name) for alt, name, *_ in written] == [
        *(("A", name) for name in names),
        *((alt, name) for name in names for alt in ("C", "AGG")),
    ]
    for row, (_, name, *texts) in zip(rows, written, strict=True):
        numbers = [values[row, names.index(name)] for values in effects[:4]]
        np.testing.assert_allclose([float(text) for text in texts], numbers, rtol=1e-6)


def test_counts_and_flagged_rows(tmp_path):
    table = score(tmp_path, mismatch="flag")
    assert table.query("n > 0")[["status", "n"]].values.tolist() == [
        ["scored", 3],
        ["scored_despite_mismatch", 1],
        ["no_alternative", 1],
        ["symbolic", 1],
        ["contig_not_in_genome", 1],
    ]
    written = pd.read_csv(tmp_path / "out/counts.tsv", sep="\t", keep_default_na=False)
    pd.testing.assert_frame_equal(written, table, check_dtype=False)
    places, _, _ = read_effects(tmp_path / "out/effects.h5")
    assert places["status"].tolist() == ["scored"] * 3 + ["scored_despite_mismatch"]


def test_files_are_the_same_whenever_they_are_written(tmp_path):
    model = model_of()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        score(tmp_path / folder, model=model)
    for name in ("effects.tsv.gz", "annotated.vcf.gz", "variants.bed.gz", "counts.tsv"):
        assert (tmp_path / "a/out" / name).read_bytes() == (tmp_path / "b/out" / name).read_bytes()


def test_an_ordered_file_gets_an_index_and_another_one_a_warning(tmp_path, caplog):
    score(tmp_path, files={"vcf": FILES["vcf"]})
    with pysam.VariantFile(str(tmp_path / "out/annotated.vcf.gz")) as file:
        assert [line.pos for line in file.fetch("chr3", 4, 6)] == [5, 6]
    for records in ([RECORDS[1], RECORDS[0]], [RECORDS[0], RECORDS[4], RECORDS[3]]):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            score(tmp_path, records, files={"vcf": FILES["vcf"]}, batch_size=1)
        assert "annotated.vcf.gz is not in order of its places and gets no index" in caplog.text
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["annotated.vcf.gz"]
        with pysam.VariantFile(str(tmp_path / "out/annotated.vcf.gz")) as file:
            assert [line.pos for line in file] == [int(line.split("\t")[1]) for line in records]


def test_an_index_never_stands_beside_another_file_than_its_own(tmp_path, monkeypatch):
    replace, seen = os.replace, []

    def rename(source, target):
        replace(source, target)
        seen.append(sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")))

    monkeypatch.setattr(os, "replace", rename)
    for _ in range(2):
        score(tmp_path, files={"vcf": FILES["vcf"]})
    assert seen == [["annotated.vcf.gz"], ["annotated.vcf.gz", "annotated.vcf.gz.tbi"]] * 2
    vcf, index = (tmp_path / "out" / name for name in ("annotated.vcf.gz", "annotated.vcf.gz.tbi"))
    before = [path.read_bytes() for path in (vcf, index)]
    with pytest.raises(InputError, match="line 13: a record has"):  # behind some that are scored
        score(tmp_path, [*RECORDS, "chr3\tten\t.\tA\tC\t.\t.\t."], files={"vcf": FILES["vcf"]}, batch_size=1)
    assert [path.read_bytes() for path in (vcf, index)] == before, "an error leaves both as they were"


def test_contigs_beyond_the_reach_of_tbi_get_a_csi(tmp_path):
    far = record("chrX", 600_000_000, "A", "C")
    score(tmp_path, [record("chr3", 0, "A", "C"), *RECORDS[:1], far], files={"vcf": FILES["vcf"]})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["annotated.vcf.gz", "annotated.vcf.gz.csi"]
    with pysam.VariantFile(str(tmp_path / "out/annotated.vcf.gz")) as file:
        assert [line.pos for line in file.fetch("chrX", 599_999_990, 600_000_010)] == [600_000_000]
        assert [line.pos for line in file.fetch("chr3", 3, 4)] == [4]


def test_a_file_that_was_annotated_before_is_refused(tmp_path):
    score(tmp_path, files={"vcf": FILES["vcf"]})
    with pytest.raises(InputError, match="has the INFO fields EFFECT or EFFECT_STATUS already"):
        score_variants(model_of(), as_store(GENOME), tmp_path / "out/annotated.vcf.gz", {"vcf": tmp_path / "b.vcf.gz"})


@pytest.mark.parametrize("records", [[], [record("chr3", 6, "C", ".")]])
def test_nothing_to_score_gives_files_without_rows(tmp_path, records):
    table = score(tmp_path, records)
    assert table["n"].sum() == len(records)
    places, effects, outputs = read_effects(tmp_path / "out/effects.h5")
    assert len(places) == 0
    assert effects.ref.shape == (0, 2)
    assert outputs == OUTPUTS
    assert len(pd.read_csv(tmp_path / "out/effects.tsv.gz", sep="\t")) == 0
    assert read_gzipped(tmp_path / "out/variants.bed.gz") == ""
    assert len(list(read_variants(tmp_path / "out/annotated.vcf.gz"))) == len(records)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([record("3", 4, "T", "A"), record("X", 1, "A", "C")], "none of its contigs is in the genome: 3, X"),
        ([record("chr3", 4, "TACGTAC", "T")], "input of 9 bp is too short"),
        ([RECORDS[0], record("chr3", "x", "T", "A")], "line 9"),
    ],
)
def test_a_file_that_cannot_be_scored_leaves_no_file(tmp_path, records, message):
    with pytest.raises(InputError, match=message):
        score(tmp_path, records, batch_size=1)
    assert list((tmp_path / "out").iterdir()) == []


def test_wrong_settings_are_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match="mismatch is one of skip, flag, use"):
        score(tmp_path, mismatch="drop")
    with pytest.raises(InputError, match="files: 'tabel' is unknown; allowed: table"):
        score(tmp_path, files={"tabel": "a"})
    assert not (tmp_path / "out").exists()


def test_some_outputs_alone_are_written(tmp_path):
    score(tmp_path)
    _, effects, _ = read_effects(tmp_path / "out/effects.h5")
    score(tmp_path, model=model_of(kept=[OUTPUTS[1]]))
    _, kept, outputs = read_effects(tmp_path / "out/effects.h5")
    assert outputs == [OUTPUTS[1]]
    for ours, whole in zip(kept, effects, strict=True):
        np.testing.assert_array_equal(ours, whole[:, 1:])


def test_parquet_holds_the_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    score(tmp_path, files={"table": "effects.parquet"}, batch_size=2)
    score(tmp_path, files={"table": FILES["table"]}, batch_size=2)
    ours = parquet.read_table(tmp_path / "out/effects.parquet").to_pandas()
    table = pd.read_csv(tmp_path / "out/effects.tsv.gz", sep="\t")
    pd.testing.assert_frame_equal(ours, table, check_dtype=False, rtol=1e-6)


def test_parquet_without_pyarrow_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="Parquet needs pyarrow"):
        score(tmp_path, files={"table": "effects.parquet"})


def test_files_that_hold_no_effects_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read effects of variants in .*none\.h5"):
        read_effects(tmp_path / "none.h5")
    score(tmp_path, files={"scores": "effects.h5"})
    with h5py.File(tmp_path / "out/effects.h5", "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(InputError, match="format version 99, expected 1"):
        read_effects(tmp_path / "out/effects.h5")
    with h5py.File(tmp_path / "out/effects.h5", "r+") as file:
        del file["sd"]
    with pytest.raises(InputError, match="Cannot read effects"):
        read_effects(tmp_path / "out/effects.h5")


def random_effects(n, outputs, *, probabilities=True):
    rng = np.random.default_rng(2)
    places = pd.DataFrame({"chrom": "chr1", "start": rng.permutation(n), "ref": "A", "alt": "C"})
    places["end"] = places["start"] + 1
    values = [rng.normal(size=(n, outputs)).round(1).astype(np.float32) for _ in Effects._fields]
    effects = Effects(*values)
    return places, effects if probabilities else effects._replace(logit_difference=np.full((n, outputs), np.nan))


def slow_auc(inside, outside):
    return np.mean([(one > other) + 0.5 * (one == other) for one in inside for other in outside])


def test_snvs_inside_intervals_are_ranked_against_the_others():
    places, effects = random_effects(60, 2)
    places.loc[:4, "alt"] = "CC"  # no SNVs
    intervals = region_table(["chr1", "chr1", "chr2"], [10, 15, 0], [20, 25, 60], strand="-")
    table = rank_variants(places, effects, ["one", "two"], intervals)
    snvs = (places["alt"] == "C").to_numpy()
    inside = places["start"].between(10, 24).to_numpy()
    for number, row in enumerate(table.itertuples()):
        values = np.abs((effects.difference, effects.logit_difference)[number % 2][:, number // 2])
        assert row.output == ["one", "two"][number // 2]
        assert row.score == ["|difference|", "|logit difference|"][number % 2]
        assert (row.n_inside, row.n_outside) == ((inside & snvs).sum(), (~inside & snvs).sum())
        assert row.auc == pytest.approx(slow_auc(values[inside & snvs], values[~inside & snvs]))
    assert len(table) == 4


def test_ranking_without_logits_without_intervals_and_of_another_assembly():
    places, effects = random_effects(20, 1, probabilities=False)
    table = rank_variants(places, effects, ["one"], region_table(["chr1"], [500], [600]))
    assert table["score"].tolist() == ["|difference|"]
    assert table["n_inside"].tolist() == [0]
    assert table["auc"].isna().all()
    table = rank_variants(places.iloc[:0], Effects(*(values[:0] for values in effects)), ["one"], places)
    assert table["auc"].isna().all()
    with pytest.raises(InputError, match="no contig in common, such as 1 and chr1"):
        rank_variants(places, effects, ["one"], region_table(["1"], [0], [600]))
