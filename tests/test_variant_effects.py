"""Effects of variants against predictions of edited text."""

import itertools
import math
import random

import keras
import numpy as np
import pandas as pd
import pysam
import pytest
from small_variants import as_store, random_genome, record, reverse_complement, slow_windows, write_vcf

from helpers.data.normalization import save_normalizer
from helpers.data.normalizers import LogTransform
from helpers.data.sequence import Bioseq, encode_letters, kmer_codes, one_hot
from helpers.data.storage import write_contigs
from helpers.errors import InputError
from helpers.evaluation.variant_effects import EffectModel, SequenceInput, sequence_input_of
from helpers.evaluation.variant_files import read_effects
from helpers.evaluation.variant_scoring import score_variants
from helpers.model.architectures import OutputSpec, build_model
from helpers.model.bodies import InputSpec
from helpers.model.training import predict

LENGTH = 12
GENOME = random_genome(5, chr1=300, chr2=80)
FILES = {
    "table": "effects.tsv.gz",
    "scores": "scores.h5",
    "vcf": "annotated.vcf.gz",
    "bed": "variants.bed.gz",
    "counts": "counts.tsv",
}
NUMBERS = ["prediction_ref", "prediction_alt", "difference", "logit_difference", "sd"]


def dense(seed, *, outputs=2, activation="sigmoid", scale=1.0, order=1):
    """One dense layer on one-hot k-mers: its weights are all there is to know."""
    inputs = keras.Input((LENGTH - order + 1, 1, 4**order), name="dna")
    model = keras.Model(inputs, keras.layers.Dense(outputs, activation)(keras.layers.Flatten()(inputs)))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, scale, weights.shape) for weights in model.get_weights()])
    return model


def slow_prediction(model, text, order=1):
    """Predict a window on both strands, in float64, from the model's weights."""
    kernel, bias = (weights.astype(float) for weights in model.get_weights())
    linear = []
    for strand in (text, reverse_complement(text)):
        hot = one_hot(kmer_codes(encode_letters(strand.encode())[None], order), order)
        linear.append(hot.reshape(-1) @ kernel + bias)
    activation = (lambda x: 1 / (1 + np.exp(-x))) if model.layers[-1].activation.__name__ == "sigmoid" else np.asarray
    return np.mean([activation(values) for values in linear], axis=0)


def variants_of(seed, n=30):
    """SNVs and indels that fit, and whose reference is the genome's: (chrom, start, ref, alt)."""
    rng, found = random.Random(seed), []
    while len(found) < n:
        chrom = rng.choice(list(GENOME))
        start = rng.randrange(len(GENOME[chrom]))
        ref = GENOME[chrom][start : start + rng.choice([1, 1, 1, 3])]
        alt = "".join(rng.choices("ACGT", k=rng.choice([1, 1, 1, 2, 4])))
        if "N" not in ref and ref != alt:
            found.append((chrom, start, ref, alt))
    return sorted(found)


def as_records(variants):
    return [record(chrom, start + 1, ref, alt, f"v{row}") for row, (chrom, start, ref, alt) in enumerate(variants)]


def score(folder, records, models, *, order=1, outputs=("one", "two"), parts=FILES, **settings):
    path = write_vcf(folder / "in.vcf", records, ["##contig=<ID=chr1>", "##contig=<ID=chr2>"])
    model = EffectModel(models, {"dna": SequenceInput(order, LENGTH, hot=True)}, outputs)
    files = {name: folder / FILES[name] for name in parts}
    return score_variants(model, as_store(GENOME), path, files, **settings)


@pytest.mark.parametrize("order", [1, 2])
def test_effects_are_those_of_edited_text_over_strands_and_replicates(tmp_path, order):
    variants, models = variants_of(order), [dense(seed, order=order) for seed in (1, 2, 3)]
    score(tmp_path, as_records(variants), models, order=order, batch_size=7)
    places, effects, outputs = read_effects(tmp_path / "scores.h5")
    windows = [slow_windows(GENOME, *variant, LENGTH) for variant in variants]
    slow = np.array([[[slow_prediction(model, text, order) for text in pair] for model in models] for pair in windows])
    ref, alt = slow.mean(axis=1)[:, 0], slow.mean(axis=1)[:, 1]
    np.testing.assert_allclose(effects.ref, ref, rtol=1e-5)
    np.testing.assert_allclose(effects.alt, alt, rtol=1e-5)
    np.testing.assert_allclose(effects.difference, alt - ref, atol=1e-6)
    np.testing.assert_allclose(effects.logit_difference, np.log(alt / (1 - alt) * (1 - ref) / ref), atol=1e-5)
    np.testing.assert_allclose(effects.sd, (slow[:, :, 1] - slow[:, :, 0]).std(axis=1, ddof=1), atol=1e-6)
    assert all(values.dtype == np.float32 and values.shape == (30, 2) for values in effects)
    assert np.abs(effects.difference).max() > 0.1  # there is something to see
    assert outputs == ["one", "two"]
    assert list(places[["chrom", "start", "ref", "alt"]].itertuples(index=False, name=None)) == variants


def test_batches_do_not_change_effects(tmp_path):
    records, models = as_records(variants_of(4)), [dense(1)]
    found = []
    for size in (1, 8, 1000):
        score(tmp_path, records, models, parts=["scores"], batch_size=size)
        found.append(read_effects(tmp_path / "scores.h5")[1])
    for other in found[1:]:
        for ours, theirs in zip(found[0], other, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_variant_on_the_other_strand_has_the_same_effect(tmp_path):
    keras.utils.set_random_seed(2)
    text = "".join(random.Random(1).choices("ACGT", k=41))
    genome = {"plus": text, "minus": reverse_complement(text)}
    records = [record("plus", 21, text[20], "C" if text[20] != "C" else "G")]
    records.append(record("minus", 21, genome["minus"][20], reverse_complement(records[0].split("\t")[4])))
    model = keras.Sequential([keras.Input((11, 1, 4)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    model = EffectModel([keras.Model(model.inputs, model.outputs)], {"dna": SequenceInput(1, 11, hot=True)}, ["one"])
    score_variants(model, as_store(genome), write_vcf(tmp_path / "a.vcf", records), {"scores": tmp_path / "scores.h5"})
    _, effects, _ = read_effects(tmp_path / "scores.h5")
    assert abs(effects.difference[0, 0]) > 1e-4
    np.testing.assert_allclose(effects.difference[0], effects.difference[1], atol=1e-6)


def test_logits_stay_finite_where_probabilities_are_rounded_to_0_and_1(tmp_path):
    score(tmp_path, as_records(variants_of(1)), [dense(1, scale=40)], parts=["scores"])
    _, effects, _ = read_effects(tmp_path / "scores.h5")
    assert ((effects.ref == 0) | (effects.ref == 1)).any()
    assert np.isfinite(effects.logit_difference).all()


@pytest.mark.parametrize("level", [-30, 30])
def test_log_odds_are_told_apart_where_probabilities_are_not(tmp_path, level):
    """One linear model, to which both strands look alike, so that the log odds are known."""
    model, kernel = dense(1, outputs=1), np.zeros((LENGTH, 4))
    kernel[[(LENGTH - 1) // 2, LENGTH // 2]] = [0, 3, 3, 0]  # where the variant lies on either strand
    model.set_weights([kernel.reshape(-1, 1), np.array([level])])
    start = next(place for place, letter in enumerate(GENOME["chr1"]) if place > 20 and letter in "AT")
    score(tmp_path, as_records([("chr1", start, GENOME["chr1"][start], "C")]), [model], outputs=["one"])
    _, effects, _ = read_effects(tmp_path / "scores.h5")
    assert effects.logit_difference[0, 0] == pytest.approx(3, abs=1e-4)


def test_outputs_of_one_model_that_are_no_probabilities_have_no_log_odds(tmp_path):
    inputs = keras.Input((LENGTH, 1, 4), name="dna")
    flat = keras.layers.Flatten()(inputs)
    outputs = {"label": keras.layers.Dense(1, "sigmoid")(flat), "signal": keras.layers.Dense(1, "relu")(flat)}
    network = keras.Model({"dna": inputs}, outputs)
    model = EffectModel([network], {"dna": SequenceInput(1, LENGTH, hot=True)}, ["a", "b"])
    path = write_vcf(tmp_path / "a.vcf", as_records(variants_of(1)))
    score_variants(model, as_store(GENOME), path, {"scores": tmp_path / "scores.h5"})
    _, effects, _ = read_effects(tmp_path / "scores.h5")
    assert np.isfinite(effects.logit_difference[:, 0]).all()
    assert np.isnan(effects.logit_difference[:, 1]).all()
    assert (effects.ref[:, 1] >= 0).all()


def test_variants_on_contigs_without_coverage_are_counted_and_not_scored(tmp_path):
    _, readings = joint_readings(tmp_path)
    sizes = {"chr1": len(GENOME["chr1"])}
    for track in (0, 1):
        arrays = {"chr1": np.ones((-(-sizes["chr1"] // 10), 2), dtype=np.int64)}
        write_contigs(tmp_path / f"{track}.h5", arrays, {"resolution": 10, "sizes": sizes})
    model = EffectModel.of_plan([joint()], readings, binsize=10, outputs=["bound"])
    variants = variants_of(6, 60)
    path = write_vcf(tmp_path / "a.vcf", as_records(variants))
    counts = score_variants(model, as_store(GENOME), path, {"scores": tmp_path / "scores.h5"}).set_index("status")["n"]
    on_first = sum(variant[0] == "chr1" for variant in variants)
    assert 0 < on_first < len(variants)
    assert counts["scored"] == on_first
    assert counts["contig_without_coverage"] == len(variants) - on_first


def test_names_of_outputs_are_each_one_output():
    sequence = {"dna": SequenceInput(1, LENGTH, hot=True)}
    with pytest.raises(InputError, match="Outputs share a name: x"):
        EffectModel([dense(2)], sequence, ["x", "x"])
    with pytest.raises(InputError, match="No output is named z. The outputs are x, y"):
        EffectModel([dense(2)], sequence, ["x", "y"], kept=["z"])


def test_linear_outputs_have_no_logits_and_one_replicate_no_spread(tmp_path):
    score(tmp_path, as_records(variants_of(1)), [dense(1, activation="linear")])
    places, effects, _ = read_effects(tmp_path / "scores.h5")
    table = pd.read_csv(tmp_path / FILES["table"], sep="\t")
    assert np.isnan(effects.logit_difference).all()
    assert np.isnan(effects.sd).all()
    assert table[["logit_difference", "sd"]].isna().all(axis=None)
    with pysam.VariantFile(str(tmp_path / FILES["vcf"])) as file:
        assert {effect.split("|")[5] for line in file for effect in line.info["EFFECT"]} == {"."}


def test_networks_on_codes_predict_what_bioseq_gives_them(tmp_path):
    keras.utils.set_random_seed(1)
    network = build_model("jund_dna", {"dna": InputSpec((98,), "sequence", 3)}, OutputSpec("labels", 1), {"pool": 5})
    reading = {"kind": "sequence", "flank": 45, "order": 3, "stores": ["unused"]}
    model = EffectModel.of_plan([network], {"dna": reading}, binsize=10, outputs=["bound"])
    assert (model.length, model.outputs) == (100, ["bound"])
    variants = [variant for variant in variants_of(2) if len(variant[2]) == len(variant[3]) == 1]
    path = write_vcf(tmp_path / "a.vcf", as_records(variants))
    score_variants(model, as_store(GENOME), path, {"scores": tmp_path / "scores.h5"})
    expected = []
    for edited in (False, True):
        for chrom, start, _, alt in variants:
            text = GENOME[chrom][:start] + alt + GENOME[chrom][start + 1 :] if edited else GENOME[chrom]
            dna = Bioseq("dna", as_store({chrom: text}), order=3)
            for strand in "+-":
                expected.append(dna.codes((chrom, start - 49, start + 51, strand)))
    predicted = predict(network, np.concatenate(expected)).reshape(2, len(variants), 2).mean(axis=2)
    _, effects, _ = read_effects(tmp_path / "scores.h5")
    np.testing.assert_allclose(effects.ref[:, 0], predicted[0], atol=1e-6)
    np.testing.assert_allclose(effects.alt[:, 0], predicted[1], atol=1e-6)


def joint():
    """A linear model of two windows of the sequence, as codes, and of the coverage of two tracks on two strands."""
    inputs = {name: keras.Input((length,), name=name) for name, length in (("long", LENGTH), ("short", 10))}
    hot = [keras.ops.one_hot(keras.ops.cast(codes, "int32"), 5) for codes in inputs.values()]
    inputs["dnase"] = keras.Input((4, 2, 2), name="dnase")
    together = keras.layers.Concatenate()([keras.layers.Flatten()(tensor) for tensor in [*hot, inputs["dnase"]]])
    model = keras.Model(inputs, keras.layers.Dense(1, name="labels")(together))
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=weights.shape) for weights in model.get_weights()])
    return model


def joint_readings(folder):
    """Counts of two tracks by contig, of shape (bins, strands), in bins of 10 bp, and how the joint model reads."""
    rng = np.random.default_rng(1)
    sizes = {name: len(text) for name, text in GENOME.items()}
    counts = [{name: rng.poisson(3, (-(-size // 10), 2)) for name, size in sizes.items()} for _ in "ab"]
    for track, arrays in enumerate(counts):
        write_contigs(folder / f"{track}.h5", arrays, {"resolution": 10, "sizes": sizes})
    save_normalizer(LogTransform(), folder / "log.json")
    dnase = {"kind": "coverage", "flank": 15, "tracks": ["a", "b"], "normalizers": [folder / "log.json"] * 2}
    dnase["stores"] = [folder / f"{track}.h5" for track in (0, 1)]
    sequence = {"kind": "sequence", "order": 1}
    return counts, {"long": sequence | {"flank": 1}, "short": sequence | {"flank": 0}, "dnase": dnase}


def test_coverage_is_that_of_the_place_for_both_alleles_and_turned_with_the_strand(tmp_path):
    counts, readings = joint_readings(tmp_path)
    network = joint()
    model = EffectModel.of_plan([network], readings, binsize=10, outputs=["bound"])
    assert (model.length, model.shortest) == (LENGTH, 10)
    variants = variants_of(6, 60)
    path = write_vcf(tmp_path / "a.vcf", as_records(variants))
    score_variants(model, as_store(GENOME), path, {"scores": tmp_path / "scores.h5"})
    _, effects, _ = read_effects(tmp_path / "scores.h5")
    kernel, bias = (weights.astype(float) for weights in network.get_weights())
    for row, variant in enumerate(variants):
        chrom, start = variant[:2]
        first = math.floor((start - 19) / 10 + 0.5)  # the bin that begins nearest to 19 bp before the variant
        signal = np.zeros((4, 2, 2))  # positions, strands, tracks
        for position, strand, track in itertools.product(range(4), (0, 1), (0, 1)):
            if 0 <= first + position < len(counts[track][chrom]):
                signal[position, strand, track] = math.log(counts[track][chrom][first + position, strand] + 1)
        for allele, found in enumerate((effects.ref, effects.alt)):
            texts = [slow_windows(GENOME, *variant, length)[allele] for length in (LENGTH, 10)]
            turned = [reverse_complement(text) for text in texts]
            linear = [
                np.concatenate([*(np.eye(5)[encode_letters(text.encode())].ravel() for text in pair), values.ravel()])
                for pair, values in ((texts, signal), (turned, signal[::-1, ::-1]))
            ]
            assert found[row, 0] == pytest.approx((np.mean(linear, axis=0) @ kernel + bias)[0], abs=1e-4)


def test_signal_of_windows_cannot_be_read_around_variants(tmp_path):
    _, readings = joint_readings(tmp_path)
    readings["dnase"]["whole"] = True
    with pytest.raises(InputError, match="dnase has one value for each window of the study"):
        EffectModel.of_plan([joint()], readings, binsize=10, outputs=["bound"])


def test_a_model_of_coverage_alone_is_refused(tmp_path):
    _, readings = joint_readings(tmp_path)
    with pytest.raises(InputError, match="reads no sequence, only dnase: a variant changes nothing"):
        EffectModel.of_plan([joint()], {"dnase": readings["dnase"]}, binsize=10, outputs=["bound"])


def test_wrong_names_of_outputs_are_refused():
    with pytest.raises(InputError, match="have 2 outputs, and 1 names are given: one"):
        EffectModel([dense(1)], {"dna": SequenceInput(1, LENGTH, hot=True)}, ["one"])
    with pytest.raises(InputError, match="texts as names, and one at least is kept. Received: 1, 2"):
        EffectModel([dense(1)], {"dna": SequenceInput(1, LENGTH, hot=True)}, [1, 2])
    with pytest.raises(InputError, match="one at least is kept. Received: none"):
        EffectModel([dense(1)], {"dna": SequenceInput(1, LENGTH, hot=True)}, ["one", "two"], kept=[])
    with pytest.raises(InputError, match="no model to score variants with"):
        EffectModel([], {"dna": SequenceInput(1, LENGTH, hot=True)}, ["one", "two"])


def test_predictions_that_are_no_numbers_are_refused(tmp_path):
    model = dense(1)
    model.set_weights([weights * np.nan for weights in model.get_weights()])
    with pytest.raises(InputError, match="not finite"):
        score(tmp_path, as_records(variants_of(1)), [model])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.vcf"]


@pytest.mark.parametrize(
    ("shape", "order", "expected"),
    [
        ((12, 1, 4), 1, SequenceInput(1, 12, hot=True)),
        ((11, 1, 16), 2, SequenceInput(2, 12, hot=True)),
        ((11,), 2, SequenceInput(2, 12, hot=False)),
        ((12, 1, 4), 2, None),
        ((12, 2, 4), 1, None),
        ((12, 4), 1, None),
        ((None, 1, 4), 1, None),
    ],
)
def test_the_shape_of_an_input_tells_how_it_reads_sequence(shape, order, expected):
    inputs = keras.Input(shape)
    model = keras.Model(inputs, inputs)
    if expected is not None:
        assert sequence_input_of(model, order) == expected
    else:
        with pytest.raises(InputError, match="is no sequence of order"):
            sequence_input_of(model, order)
