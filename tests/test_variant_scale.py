"""Many variants: memory that does not grow with their number, and real ones, of yeast."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pysam
import pytest
from small_variants import random_genome, record, write_vcf

from helpers.data.fasta import read_fasta
from helpers.data.variant_windows import cut_variant_windows
from helpers.data.variants import Status, read_variants
from helpers.evaluation.variant_effects import EffectModel, SequenceInput
from helpers.evaluation.variant_files import read_effects
from helpers.evaluation.variant_scoring import score_variants

ROOT = Path(__file__).resolve().parents[1]
YEAST = next((path for path in (ROOT / "resources/yeast", ROOT.parent / "shared/data/yeast") if path.is_dir()), None)
needs_yeast = pytest.mark.skipif(YEAST is None, reason="the yeast data is not there")

# A process of its own scores few and then many variants and says how much memory it had taken after each.
_GROWTH = """
import json, resource, sys
from pathlib import Path
import keras
from small_variants import as_store, random_genome
from helpers.evaluation.variant_effects import EffectModel, SequenceInput
from helpers.evaluation.variant_scoring import score_variants

folder, genome = Path(sys.argv[1]), random_genome(1, chr1=200_000)
inputs = keras.Input((21, 1, 4))
network = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Flatten()(inputs)))
model = EffectModel([network], {"dna": SequenceInput(1, 21, hot=True)}, ["bound"])
names = {"table": "a.tsv.gz", "scores": "a.h5", "vcf": "a.vcf.gz", "bed": "a.bed.gz", "counts": "counts.tsv"}
taken = []
for path in (folder / "few.vcf", folder / "many.vcf"):
    score_variants(model, as_store(genome), path, {key: folder / name for key, name in names.items()})
    taken.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(taken))
"""


@pytest.mark.slow
def test_four_times_as_many_variants_take_no_more_memory(tmp_path):
    bases = random_genome(1, chr1=200_000)["chr1"]
    lines = [record("chr1", place, base, "AC"[base == "A"]) for place, base in enumerate(bases, 1) if base != "N"]
    write_vcf(tmp_path / "few.vcf", lines[:30_000])
    write_vcf(tmp_path / "many.vcf", lines[:120_000])
    done = subprocess.run(
        [sys.executable, "-c", _GROWTH, str(tmp_path)],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    few, many = json.loads(done.stdout.splitlines()[-1])
    # MB; the caches of HDF5 take some 15 until they are full, the records of 90,000 variants would take 35 more
    assert many - few < 30, (few, many)


@needs_yeast
def test_every_snv_of_yeast_is_the_genome_s_reference_against_its_alternative():
    genome = read_fasta(YEAST / "sacCer3.fa.gz")
    path = YEAST / "RM11-1A.sacCer3.vcf.gz"
    records, alleles, middle = 0, [], []
    for batch in read_variants(path):
        windows = cut_variant_windows(genome, batch, 51)
        assert (windows.variants.status == Status.SCORED).all()
        assert (np.flatnonzero((windows.reference != windows.alternative).any(axis=0)) == [25]).all()
        middle += zip(windows.reference[:, 25].tolist(), windows.alternative[:, 25].tolist(), strict=True)
        records, alleles = records + len(batch.lines), alleles + batch.alts
    assert records == 12_321
    with pysam.VariantFile(str(path)) as file:
        expected = [("ACGT".index(line.ref), "ACGT".index(alt)) for line in file for alt in line.alts]
    assert middle == expected


@needs_yeast
def test_all_variants_of_yeast_are_scored(tmp_path):
    inputs = keras.Input((51, 1, 4))
    network = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Flatten()(inputs)))
    model = EffectModel([network], {"dna": SequenceInput(1, 51, hot=True)}, ["bound"])
    files = {"scores": tmp_path / "scores.h5", "vcf": tmp_path / "a.vcf.gz"}
    counts = score_variants(model, read_fasta(YEAST / "sacCer3.fa.gz"), YEAST / "RM11-1A.sacCer3.vcf.gz", files)
    places, effects, _ = read_effects(files["scores"])
    assert counts["n"].tolist() == [len(places)] + [0] * (len(Status) - 1)
    assert np.isfinite(effects.logit_difference).all()
    with pysam.VariantFile(str(files["vcf"])) as file:
        assert sum(len(line.info["EFFECT"]) for line in file) == len(places)
        assert [line.pos for line in file.fetch("chrII", 0, 5000)] == [
            start + 1
            for chrom, start in zip(places["chrom"], places["start"], strict=True)
            if chrom == "chrII" and start < 5000
        ]
