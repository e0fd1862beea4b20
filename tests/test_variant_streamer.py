"""Variants in Janggu's form: windows batch by batch, and effects as its two files."""

import gzip

import h5py
import keras
import numpy as np
import pytest
from small_variants import as_store, random_genome, record, reverse_complement, slow_windows, write_vcf

from helpers.data.regions import region_table
from helpers.data.sequence import Bioseq, encode_letters, kmer_codes, one_hot
from helpers.errors import InputError
from helpers.evaluation.variant_effects import EffectModel, SequenceInput
from helpers.evaluation.variant_files import read_effects
from helpers.evaluation.variant_scoring import score_variants
from helpers.evaluation.variant_streamer import VariantStreamer, predict_variant_effect

GENOME = random_genome(3, chr1=120, chr2=40)
PLACES = [("chr1", 59), ("chr1", 20), ("chr2", 5), ("chr1", 100), ("chr2", 30), ("chr1", 0)]


def snv(chrom, start):
    ref = GENOME[chrom][start]
    return chrom, start, ref, "C" if ref in "AT" else "T"


VARIANTS = [snv(*place) for place in PLACES]


@pytest.fixture
def vcf(tmp_path):
    """SNVs, and between them what is not scored: a mismatch, a symbolic allele, another contig."""
    lines = [
        record(chrom, start + 1, ref, alt, f"v{row}" if row else ".")
        for row, (chrom, start, ref, alt) in enumerate(VARIANTS)
    ]
    wrong = [record("chr1", 60, "C" if GENOME["chr1"][59] != "C" else "A", "G", "wrong"), record("chr1", 7, "A", "*")]
    return write_vcf(tmp_path / "in.vcf", [*lines[:2], *wrong, *lines[2:], record("chr9", 1, "A", "C")])


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\n{text}\n" for name, text in GENOME.items()))
    return path


def hot(text, order=1):
    return one_hot(kmer_codes(encode_letters(text.encode())[None], order), order)[0]


def joined(streamer):
    batches = list(streamer.flow())
    texts = [sum((batch[column] for batch in batches), []) for column in (0, 1, 3, 4)]
    return texts, *(np.concatenate([batch[column] for batch in batches]) for column in (2, 5, 6))


@pytest.mark.parametrize("kind", ["fasta", "dataset", "store"])
@pytest.mark.parametrize("order", [1, 3])
def test_windows_are_those_of_edited_text(vcf, fasta, kind, order):
    dataset = Bioseq.create_from_refgenome("dna", fasta, order=order)
    source = {"fasta": fasta, "dataset": dataset, "store": as_store(GENOME)}[kind]
    streamer = VariantStreamer(source, vcf, binsize=10, batch_size=3, order=1 if kind == "dataset" else order)
    (names, chroms, ref_alleles, alt_alleles), positions, refs, alts = joined(streamer)
    assert names == ["", "v1", "v2", "v3", "v4", "v5"]
    assert list(zip(chroms, positions.tolist(), ref_alleles, alt_alleles, strict=True)) == VARIANTS
    windows = [slow_windows(GENOME, *variant, 10) for variant in VARIANTS]
    assert refs.shape == alts.shape == (6, 11 - order, 1, 4**order)
    assert (refs == np.array([hot(ref, order) for ref, _ in windows])).all()
    assert (alts == np.array([hot(alt, order) for _, alt in windows])).all()
    assert streamer.get_variant_count() == 6


def test_position_60_in_a_bin_of_10_is_base_4_of_55_to_65(fasta, vcf):
    # the same place as in Janggu, for even and odd bins
    for binsize, start, index in ((10, 55, 4), (3, 58, 1)):
        _, _, _, _, _, refs, alts = next(VariantStreamer(fasta, vcf, binsize, batch_size=1).flow())
        assert (refs[0] == hot(GENOME["chr1"][start : start + binsize])).all()
        assert np.flatnonzero((refs != alts).any(axis=(0, 2, 3))).tolist() == [index]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 6, 100])
def test_no_batch_is_empty_or_written_over(fasta, vcf, batch_size):
    batches = list(VariantStreamer(fasta, vcf, 10, batch_size).flow())
    assert all(1 <= len(batch[0]) <= batch_size for batch in batches)
    whole = next(VariantStreamer(fasta, vcf, 10, 100).flow())
    for column in (2, 5, 6):
        assert (np.concatenate([batch[column] for batch in batches]) == whole[column]).all()


def test_the_record_s_reference_is_used_on_request(fasta, vcf):
    (names, *_), positions, refs, _ = joined(VariantStreamer(fasta, vcf, 9, 4, ignore_reference_match=True))
    assert names == ["", "v1", "wrong", "v2", "v3", "v4", "v5"]
    assert positions[2] == 59
    assert refs[2, 4, 0].tolist() == hot("C" if GENOME["chr1"][59] != "C" else "A")[0, 0].tolist()


def test_each_variant_has_the_strand_of_its_own_features(fasta, vcf):
    # two features on one variant, which must not move the strands of those behind it
    minus = region_table(["chr1", "chr1", "chr2"], [55, 58, 30], [60, 70, 31], strand=["+", "-", "-"])
    _, _, refs, alts = joined(VariantStreamer(fasta, vcf, 10, 4, annotation=minus, order=2))
    for row, variant in enumerate(VARIANTS):
        texts = slow_windows(GENOME, *variant, 10)
        texts = [reverse_complement(text) for text in texts] if row in (0, 4) else texts
        assert (refs[row] == hot(texts[0], 2)).all()
        assert (alts[row] == hot(texts[1], 2)).all()


def test_what_is_left_out_is_logged_and_a_file_without_a_contig_refused(fasta, vcf, tmp_path, caplog):
    with caplog.at_level("INFO"):
        VariantStreamer(fasta, vcf, 10, 4).get_variant_count()
    assert "1 variants: reference_mismatch (chr1:60:" in caplog.text
    assert "1 variants: contig_not_in_genome (chr9)" in caplog.text
    other = write_vcf(tmp_path / "other.vcf", [record("9", 1, "A", "C")])
    with pytest.raises(InputError, match="none of its contigs is in the genome: 9; the genome has chr1, chr2"):
        VariantStreamer(fasta, other, 10, 4).get_variant_count()
    protein = Bioseq.create_from_seq("p", [("a", "MAGIC")], seqtype="protein")
    with pytest.raises(InputError, match="Variants are of DNA"):
        VariantStreamer(protein, vcf, 3, 4)


def model_on(shape, outputs=3, activation="sigmoid", *, sequential=False):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs, activation)]
    if sequential:
        return keras.Sequential([keras.Input(shape), *layers])
    inputs = keras.Input(shape)
    return keras.Model(inputs, layers[1](layers[0](inputs)))


@pytest.mark.parametrize("sequential", [True, False])
def test_the_two_files_hold_the_effects_under_janggu_s_names(fasta, vcf, tmp_path, sequential):
    model = model_on((10, 1, 4), sequential=sequential)
    scores, bed = predict_variant_effect(model, fasta, vcf, ["a", "b", "c"], tmp_path / "out")
    assert (scores, bed) == (str(tmp_path / "out/scores.hdf5"), str(tmp_path / "out/snps.bed.gz"))
    lines = gzip.decompress((tmp_path / "out/snps.bed.gz").read_bytes()).decode().splitlines()
    assert lines == [
        f"{chrom}\t{start}\t{start + 1}\t{f'v{row}' if row else ''}_{ref}>{alt}"
        for row, (chrom, start, ref, alt) in enumerate(VARIANTS)
    ]
    kernel, bias = model.get_weights()
    predicted = []
    for allele in (0, 1):
        texts = [slow_windows(GENOME, *variant, 10)[allele] for variant in VARIANTS]
        linear = [
            np.array([hot(text).ravel() for text in strand]) @ kernel + bias
            for strand in (texts, map(reverse_complement, texts))
        ]
        predicted.append(np.mean([1 / (1 + np.exp(-values)) for values in linear], axis=0))
    with h5py.File(scores) as file:
        assert file["labels"].asstr()[:].tolist() == ["a", "b", "c"]
        for name, values in (
            ("refscore", predicted[0]),
            ("altscore", predicted[1]),
            ("diffscore", predicted[1] - predicted[0]),
            ("logoddsscore", np.log(predicted[1] / (1 - predicted[1])) - np.log(predicted[0] / (1 - predicted[0]))),
        ):
            assert file[name].dtype == np.float32
            np.testing.assert_allclose(file[name][:], values, atol=1e-5)
    assert read_effects(scores)[2] == ["a", "b", "c"]


def test_a_filter_of_conditions_keeps_their_columns(fasta, vcf, tmp_path):
    model = model_on((10, 1, 4))
    every = predict_variant_effect(model, fasta, vcf, ["ctcf_a", "jund", "ctcf_b"], tmp_path / "all")
    some = predict_variant_effect(model, fasta, vcf, ["ctcf_a", "jund", "ctcf_b"], tmp_path / "some", "^ctcf")
    assert read_effects(some[0])[2] == ["ctcf_a", "ctcf_b"]
    np.testing.assert_array_equal(read_effects(some[0])[1].alt, read_effects(every[0])[1].alt[:, [0, 2]])
    with pytest.raises(InputError, match="condition_filter: 'x' is found in none of ctcf_a, jund, ctcf_b"):
        predict_variant_effect(model, fasta, vcf, ["ctcf_a", "jund", "ctcf_b"], tmp_path, "x")
    with pytest.raises(InputError, match=r"condition_filter: '\*tcf' is no regular expression: nothing to repeat"):
        predict_variant_effect(model, fasta, vcf, ["ctcf_a", "jund", "ctcf_b"], tmp_path, "*tcf")
    with pytest.raises(InputError, match="Received: batch_size=0"):
        predict_variant_effect(model, fasta, vcf, ["ctcf_a", "jund", "ctcf_b"], tmp_path, batch_size=0)
    for length in (0, -3):
        with pytest.raises(InputError, match=f"Received: binsize={length}"):
            VariantStreamer(fasta, vcf, length, 8)
    with pytest.raises(InputError, match="have 3 outputs, and 2 names"):
        predict_variant_effect(model, fasta, vcf, ["a", "b"], tmp_path)


def test_an_order_and_a_strand_reach_the_model(fasta, vcf, tmp_path):
    model = model_on((9, 1, 16), outputs=1, activation="linear")
    minus = region_table(["chr1"], [59], [60], strand="-")
    scores, _ = predict_variant_effect(model, fasta, vcf, ["a"], tmp_path, annotation=minus, order=2)
    (kernel, bias), (_, effects, _) = model.get_weights(), read_effects(scores)
    for row, variant in enumerate(VARIANTS):
        ref, alt = slow_windows(GENOME, *variant, 10)
        ref, alt = (reverse_complement(ref), reverse_complement(alt)) if row == 0 else (ref, alt)
        assert effects.ref[row] == pytest.approx(hot(ref, 2).ravel() @ kernel + bias, abs=1e-5)
        assert effects.alt[row] == pytest.approx(hot(alt, 2).ravel() @ kernel + bias, abs=1e-5)
    assert np.isnan(effects.logit_difference).all()
    dataset = Bioseq.create_from_refgenome("dna", fasta, order=2)
    again, _ = predict_variant_effect(model, dataset, vcf, ["a"], tmp_path / "again", annotation=minus)
    np.testing.assert_array_equal(read_effects(again)[1].alt, effects.alt)


def test_models_that_read_no_sequence_alone_are_refused(fasta, vcf, tmp_path):
    with pytest.raises(InputError, match="Variants change the sequence alone"):
        predict_variant_effect(model_on((10, 2, 4)), fasta, vcf, ["a", "b", "c"], tmp_path)
    inputs = [keras.Input((10, 1, 4), name="dna"), keras.Input((10, 1, 4), name="dnase")]
    two = keras.Model(inputs, keras.layers.Flatten()(keras.layers.Add()(inputs)))
    with pytest.raises(InputError, match="one input, the sequence, is needed. Received inputs: dna, dnase"):
        predict_variant_effect(two, fasta, vcf, ["a"], tmp_path)


def test_both_ways_to_score_agree(fasta, vcf, tmp_path):
    model = model_on((10, 1, 4))
    scores, _ = predict_variant_effect(model, fasta, vcf, ["a", "b", "c"], tmp_path, batch_size=2)
    again = EffectModel([model], {"dna": SequenceInput(1, 10, hot=True)}, ["a", "b", "c"])
    score_variants(again, as_store(GENOME), vcf, {"scores": tmp_path / "scores.h5"})
    np.testing.assert_allclose(read_effects(scores)[1].alt, read_effects(tmp_path / "scores.h5")[1].alt, atol=1e-6)
