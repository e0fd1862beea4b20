"""Attributions on the genome: minus windows turned, files read back, tracks and stretches against slow loops."""

import h5py
import keras
import numpy as np
import pandas as pd
import pyBigWig
import pytest

from helpers.data.coverage import Cover
from helpers.data.indexer import GenomicIndexer
from helpers.data.regions import region_table
from helpers.data.sequence import Bioseq, encode_letters
from helpers.data.storage import GenomeArray
from helpers.data.transforms import ReduceDim
from helpers.errors import InputError
from helpers.evaluation import input_attribution
from helpers.evaluation.attribution_files import (
    mean_over_windows,
    read_attributions,
    write_attribution_track,
    write_attributions,
)
from helpers.evaluation.attribution_windows import choose_windows, describe_windows
from helpers.evaluation.located_attribution import attribute_windows
from helpers.evaluation.predictions import Predictions, write_predictions
from helpers.model.layers import OneHotCodes

CONTIGS = {"chr1": b"ACGTTTGACCGATTNACGGACCA", "chr2": b"GGCATTTCAGGACAT"}
SIZES = {name: len(letters) for name, letters in CONTIGS.items()}
WINDOWS = region_table(
    ["chr1", "chr1", "chr2", "chr1", "chr1"],
    [4, 6, 4, 0, 16],
    [8, 10, 8, 4, 19],  # the last is shorter
    strand=["+", "-", "-", "+", "-"],
)
BINSIZE, FLANK, BIN = 4, 2, 2
LENGTH = BINSIZE + 2 * FLANK


def sequence(order=1, windows=WINDOWS):
    genome = GenomeArray.from_contigs({name: encode_letters(text) for name, text in CONTIGS.items()})
    indexer = GenomicIndexer.create_from_file(windows, BINSIZE, flank=FLANK)
    return Bioseq("dna", genome, indexer, order=order)


def coverage(flank=0, windows=WINDOWS):
    """Stranded values of two tracks in bins of 2 bp, as the windows see them."""
    indexer = GenomicIndexer.create_from_file(windows, BINSIZE, flank=flank)
    values = np.random.default_rng(1).normal(size=(len(windows), (BINSIZE + 2 * flank) // BIN, 2, 2))
    return Cover.create_from_array("dnase", values, indexer, conditions=["a", "b"], genomesize=SIZES)


def joint_model(order=1, bins=2, seed=0):
    """A linear model of both inputs: attribution is weight times input."""
    rng = np.random.default_rng(seed)
    dna, dnase = keras.Input((LENGTH - order + 1,), name="dna", dtype="uint8"), keras.Input((bins, 2, 2), name="dnase")
    unit = keras.layers.Dense(2, activation="sigmoid", name="bound")
    parts = [keras.layers.Flatten()(OneHotCodes(order)(dna)), keras.layers.Flatten()(dnase)]
    model = keras.Model({"dna": dna, "dnase": dnase}, {"bound": unit(keras.layers.Concatenate()(parts))})
    model.set_weights([rng.normal(size=part.shape) for part in model.get_weights()])
    return model


def weights_of(model, unit, bins=2):
    kernel = model.get_weights()[0][:, unit]
    return kernel[: 4 * LENGTH].reshape(LENGTH, 4), kernel[4 * LENGTH :].reshape(bins, 2, 2)


def complement(letter):
    return {0: 3, 1: 2, 2: 1, 3: 0}[letter]


def slow_base(weights, row, base):
    """Attribution of one base of the genome in one window: (letter of the plus strand, value), or None."""
    window = WINDOWS.iloc[row]
    start, end = window["start"] - FLANK, window["end"] + FLANK
    if not 0 <= base < SIZES[window["chrom"]] or not start <= base < end:
        return None
    letter = "ACGT".find(chr(CONTIGS[window["chrom"]][base]))
    if letter < 0:
        return None
    if window["strand"] == "-":
        return letter, weights[end - 1 - base, complement(letter)]
    return letter, weights[base - start, letter]


@pytest.fixture(scope="module")
def model():
    return joint_model()


@pytest.fixture(scope="module")
def found(model):
    inputs = {"dna": sequence(), "dnase": coverage()}
    return attribute_windows(model, inputs, outputs={"x": 1, "y": 0})


def test_bases_lie_on_the_plus_strand_of_the_genome(found, model):
    for output, unit in (("x", 1), ("y", 0)):
        weights, _ = weights_of(model, unit)
        for row in range(len(WINDOWS)):
            for place in range(LENGTH):
                expected = np.zeros(4)
                base = slow_base(weights, row, WINDOWS["start"][row] - FLANK + place)
                if base is not None:
                    expected[base[0]] = base[1]
                np.testing.assert_allclose(found.values[output]["dna"][row, place], expected, atol=1e-6)


def test_coverage_lies_on_the_plus_strand_of_the_genome(found, model):
    _, weights = weights_of(model, 0)
    values = coverage()[:]
    own = values * weights
    for row, strand in enumerate(WINDOWS["strand"]):
        expected = own[row, ::-1, ::-1] if strand == "-" else own[row]
        np.testing.assert_allclose(found.values["y"]["dnase"][row], expected, atol=1e-6)


def test_windows_carry_the_flanks_of_each_input(found):
    assert found.outputs == ["x", "y"]
    assert (found.inputs, found.sequences) == (["dna", "dnase"], ["dna"])
    assert found.regions["start"].tolist() == (WINDOWS["start"] - FLANK).tolist()
    assert found.regions_of("dnase")["end"].tolist() == WINDOWS["end"].tolist()
    assert found.layouts["dnase"].conditions == ["a", "b"]
    assert (found.layouts["dnase"].resolution, found.layouts["dna"].resolution) == (BIN, 1)


@pytest.mark.parametrize("order", [2, 3])
def test_kmers_of_minus_windows_are_those_of_their_strand(order):
    model = joint_model(order)
    inputs = {"dna": sequence(order), "dnase": coverage()}
    found = attribute_windows(model, inputs, outputs={"x": 0})
    codes, letters = inputs["dna"].codes(slice(None)), sequence().codes(slice(None))
    weights = model.get_weights()[0][: codes.shape[1] * 4**order, 0].reshape(codes.shape[1], -1)
    for row, strand in enumerate(WINDOWS["strand"]):
        own = np.zeros((LENGTH, 4))  # as the window reads it
        for position, code in enumerate(codes[row]):
            for place in range(position, position + order):
                if code < 4**order:
                    own[place, letters[row, place]] += weights[position, code] / order
        shown = found.values["x"]["dna"][row]
        length = WINDOWS["end"][row] - WINDOWS["start"][row] + 2 * FLANK
        if strand == "-":
            np.testing.assert_allclose(shown[:length], own[:length][::-1, ::-1], atol=1e-6)
        else:
            np.testing.assert_allclose(shown, own, atol=1e-6)
        assert (shown[length:] == 0).all()


def test_a_file_gives_everything_back(found, tmp_path):
    write_attributions(tmp_path / "a" / "attributions.h5", found)
    read = read_attributions(tmp_path / "a" / "attributions.h5")
    pd.testing.assert_frame_equal(read.windows, found.windows)
    pd.testing.assert_frame_equal(read.regions, found.regions)
    assert (read.outputs, read.layouts, read.settings) == (found.outputs, found.layouts, found.settings)
    for output in found.outputs:
        pd.testing.assert_frame_equal(read.checks[output], found.checks[output])
        for name in found.inputs:
            assert read.values[output][name].dtype == np.float32
            np.testing.assert_array_equal(read.values[output][name], found.values[output][name])
    with h5py.File(tmp_path / "a" / "attributions.h5") as file:
        assert file["x/dna/attribution"].shape == (5, LENGTH, 4)
        assert file["start"][()].tolist() == WINDOWS["start"].tolist()


def test_other_files_are_no_attributions(tmp_path):
    with pytest.raises(InputError, match="Cannot read the attributions"):
        read_attributions(tmp_path / "missing.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format_version"] = 1
    with pytest.raises(InputError, match="holds no attributions of format version 1"):
        read_attributions(tmp_path / "other.h5")


def slow_track(found, output, name):
    """Lay the positions of all windows over their bases, one by one, and average."""
    total, depth = ({chrom: np.zeros(size) for chrom, size in SIZES.items()} for _ in range(2))
    layout = found.layouts[name]
    for row, window in found.regions_of(name).iterrows():
        for base in range(max(window["start"], 0), min(window["end"], SIZES[window["chrom"]])):
            place = (base - window["start"]) // layout.resolution
            total[window["chrom"]][base] += found.values[output][name][row, place].sum()
            depth[window["chrom"]][base] += 1
    with np.errstate(invalid="ignore"):
        return {chrom: total[chrom] / depth[chrom] for chrom in SIZES}


@pytest.mark.parametrize("output", ["x", "y"])
@pytest.mark.parametrize("name", ["dna", "dnase"])
def test_tracks_hold_the_sum_of_each_base(found, tmp_path, output, name):
    write_attribution_track(tmp_path / "a.bw", found, output, name, SIZES)
    expected = slow_track(found, output, name)
    with pyBigWig.open(str(tmp_path / "a.bw")) as track:
        assert track.chroms() == SIZES
        for chrom, size in SIZES.items():
            np.testing.assert_allclose(track.values(chrom, 0, size), expected[chrom], atol=1e-5)


@pytest.mark.parametrize("name", ["dna", "dnase"])
def test_windows_over_a_stretch_are_averaged_channel_by_channel(found, name):
    values, regions = found.values["x"][name], found.regions_of(name)
    length = {"dna": 1, "dnase": BIN}[name]
    mean = mean_over_windows(found, "x", name, ("chr1", 3, 30))
    assert mean.shape == (27, {"dna": 4, "dnase": 4}[name])
    for base in range(3, 30):
        own = [
            values[row, (base - window.start) // length].ravel()
            for row, window in enumerate(regions.itertuples())
            if window.chrom == "chr1" and window.start <= base < window.end
        ]
        np.testing.assert_allclose(mean[base - 3], np.mean(own, axis=0) if own else np.full(4, np.nan), atol=1e-12)
    assert np.isnan(mean_over_windows(found, "x", name, ("chr3", 0, 5))).all()
    assert np.isnan(mean_over_windows(found.first(0), "x", name, ("chr1", 0, 5))).all()


def test_a_track_of_no_windows_holds_nothing(found, tmp_path):
    write_attribution_track(tmp_path / "a.bw", found.first(0), "x", "dnase", SIZES)
    with pyBigWig.open(str(tmp_path / "a.bw")) as track:
        assert track.chroms() == SIZES
        assert track.intervals("chr1") is None


def test_tracks_of_other_names_are_refused(found, tmp_path):
    with pytest.raises(InputError, match="no attributions of 'z', only of x, y"):
        write_attribution_track(tmp_path / "a.bw", found, "z", "dna", SIZES)
    with pytest.raises(InputError, match="no attributions of 'rna', only of dna, dnase"):
        write_attribution_track(tmp_path / "a.bw", found, "x", "rna", SIZES)
    with pytest.raises(InputError, match="chr2, which the genome does not have"):
        write_attribution_track(tmp_path / "a.bw", found, "x", "dna", {"chr1": 23})


def test_one_value_a_window_covers_it_with_its_flank(tmp_path):
    windows = WINDOWS.iloc[[0, 2]].reset_index(drop=True)
    values = np.array([[1.0], [2.0]])[:, None, None]
    signal = Cover.create_from_array(
        "signal", values, GenomicIndexer.create_from_file(windows, BINSIZE, flank=1), conditions=["a"], genomesize=SIZES
    )
    x = keras.Input((1, 1, 1), name="signal")
    found = attribute_windows(keras.Model({"signal": x}, {"y": keras.layers.Flatten(name="y")(x)}), {"signal": signal})
    write_attribution_track(tmp_path / "y.bw", found, "y", "signal", SIZES)
    with pyBigWig.open(str(tmp_path / "y.bw")) as track:
        assert [tuple(part) for part in track.intervals("chr1")] == [(3, 9, 1.0)]
        assert [tuple(part) for part in track.intervals("chr2")] == [(3, 9, 2.0)]


def test_a_stretch_is_presented_as_covers(model):
    inputs = [sequence(), coverage()]
    dna, dnase = input_attribution(model, inputs, "chr1", 5, 13, outputs=1)
    weights, of_signal = weights_of(model, 1)
    assert (dna.name, dna.shape, dna.conditions) == ("attr_dna", (1, 8, 1, 4), list("ACGT"))
    assert (dnase.name, dnase.shape, dnase.conditions) == ("attr_dnase", (1, 8, 2, 2), ["a", "b"])
    for place in range(8):
        total, depth = np.zeros(4), 0
        for row in (0, 1):  # the windows that overlap the stretch on both inputs
            base = slow_base(weights, row, 5 + place)
            if base is not None:
                total[base[0]] += base[1]
                depth += 1
        expected = total / depth if depth else np.full(4, np.nan)
        np.testing.assert_allclose(dna[0][0, place, 0], expected, atol=1e-6)
    values = coverage()[:] * of_signal
    np.testing.assert_allclose(dnase[0][0, 0], values[0, 0], atol=1e-6)  # base 5 in the first bin of window 4-8
    both = (values[0, 1] + values[1, ::-1, ::-1][0]) / 2  # bases 6 and 7 also in the first bin of 6-10, from its end
    np.testing.assert_allclose(dnase[0][0, 1], both, atol=1e-6)
    np.testing.assert_allclose(dnase[0][0, 2], both, atol=1e-6)
    assert np.isnan(dnase[0][0, 5:]).all()
    np.testing.assert_allclose(dna["chr1", 6, 9][0], dna[0][0, 1:4])


def test_all_outputs_are_summed_by_default(model):
    inputs = [sequence(), coverage()]
    (together, _), (first, _), (second, _) = (
        input_attribution(model, inputs, "chr2", 2, 10, outputs=outputs) for outputs in (None, 0, [1])
    )
    np.testing.assert_allclose(together[:], first[:] + second[:], atol=1e-6)


def test_one_window_by_its_index(model):
    inputs = {"dna": sequence(), "dnase": coverage()}
    dna, dnase = input_attribution(model, inputs, idx=1, outputs=0)
    assert dna.gindexer[0] == ("chr1", 4, 12, "+")
    weights, _ = weights_of(model, 0)
    for place in range(LENGTH):
        letter, value = slow_base(weights, 1, 4 + place)
        expected = np.where(np.arange(4) == letter, value, 0)
        np.testing.assert_allclose(dna[0][0, place, 0], expected, atol=1e-6)
    assert np.isfinite(dnase[0][0, 2:6]).all()
    assert np.isnan(dnase[0][0, [0, 1, 6, 7]]).all()


def test_a_stretch_has_to_be_given_and_covered(model):
    inputs = [sequence(), coverage()]
    with pytest.raises(InputError, match="Give chrom, 0 <= start < end, or idx"):
        input_attribution(model, inputs, "chr1", 5)
    count = len(inputs[0])
    for idx in (count, -count - 1):
        with pytest.raises(InputError, match=f"There are {count} windows. Received: idx={idx}"):
            input_attribution(model, inputs, idx=idx)
    with pytest.raises(InputError, match="No window of dna, dnase overlaps chr2:14-15"):
        input_attribution(model, inputs, "chr2", 14, 15)
    with pytest.raises(InputError, match="'dnase' is a Bioseq of DNA or a Cover"):
        input_attribution(model, {"dna": sequence(), "dnase": ReduceDim(coverage())}, idx=0)
    with pytest.raises(InputError, match="'number 0' is a Bioseq of DNA or a Cover"):
        input_attribution(model, np.zeros((1, LENGTH)), idx=0)
    with pytest.raises(InputError, match="no input to attribute to"):
        input_attribution(model, [], idx=0)
    other = coverage(windows=WINDOWS.iloc[::-1].reset_index(drop=True))
    with pytest.raises(InputError, match="do not overlap"):
        attribute_windows(model, {"dna": sequence(), "dnase": other})


def test_incomplete_windows_are_named_by_their_place(model):
    with pytest.raises(InputError, match="chr1:4-8 of 'bound_0'"):
        attribute_windows(model, {"dna": sequence(), "dnase": coverage()}, tolerance=0, least_tolerance=-1)


@pytest.fixture
def predictions(tmp_path):
    values = np.array([[0.1, 0.9], [0.8, 0.2], [0.7, 0.1], [0.3, 0.4], [0.8, 0.0]])
    for number, change in enumerate((0.05, -0.05)):
        part = Predictions(WINDOWS, values > 0.5, values + change, ["x", "y"])
        write_predictions(tmp_path / f"{number}.h5", {"test": part})
    return [tmp_path / "0.h5", tmp_path / "1.h5"]


def test_the_highest_predictions_are_chosen(predictions):
    chosen = choose_windows(predictions, "test", ["x"], count=3)
    assert chosen.regions["start"].tolist() == [6, 16, 4]
    assert chosen.regions["chrom"].tolist() == ["chr1", "chr1", "chr2"]
    np.testing.assert_allclose(chosen.predictions["x"], [0.8, 0.8, 0.7], atol=1e-6)
    assert chosen.targets["x"].tolist() == [1, 1, 1]
    both = choose_windows(predictions, "test", ["x", "y"], count=2)
    assert both.regions["start"].tolist() == [4, 6]
    np.testing.assert_allclose(both.predictions["x"], [0.1, 0.8], atol=1e-6)
    more = choose_windows(predictions, "test", ["x"], count=1, always=["chr1:8-12", "chr2:5-6", "chr9:0-9"])
    assert more.regions["start"].tolist() == [6, 4]  # the highest lies in the first region, too
    assert more.regions["chrom"].tolist() == ["chr1", "chr2"]
    np.testing.assert_allclose(more.predictions["x"], [0.8, 0.7], atol=1e-6)
    assert len(choose_windows(predictions, "test", ["x"], count=9).regions) == 5


def test_windows_are_described_output_by_output(predictions, model):
    chosen = choose_windows(predictions, "test", ["x", "y"], count=2)
    inputs = {"dna": sequence(windows=chosen.regions), "dnase": coverage(windows=chosen.regions)}
    table = describe_windows(chosen, attribute_windows(model, inputs, outputs={"x": 0, "y": 1}))
    assert list(table) == [
        *("chrom", "start", "end", "strand", "output", "prediction", "target"),
        *("change", "sum", "error", "steps"),
    ]
    assert table["output"].tolist() == ["x", "x", "y", "y"]
    assert table["start"].tolist() == [4, 6, 4, 6]
    np.testing.assert_allclose(table["prediction"], [0.1, 0.8, 0.9, 0.2], atol=1e-6)
    assert table["target"].tolist() == [0, 1, 1, 0]
    np.testing.assert_allclose(table["sum"], table["change"], atol=1e-4)


def test_the_first_windows_alone(found):
    first = found.first(2)
    assert len(first) == 2
    assert all(len(table) == 2 for table in first.checks.values())
    for output, own in found.values.items():
        for name, values in own.items():
            np.testing.assert_array_equal(first.values[output][name], values[:2])
    assert len(found.first(1000)) == len(found)


def test_a_window_that_begins_before_its_contig_is_shown_from_there():
    """One dense layer over the bases: attribution is the weight of each base that is there."""
    genome = GenomeArray.from_contigs({"c": encode_letters(b"ACGTACGTAC")})
    dna = Bioseq("dna", genome, GenomicIndexer.create_from_region("c", 0, 4, "+", binsize=4, stepsize=4, flank=3))
    x = keras.Input((10, 1, 4), name="dna")
    model = keras.Model({"dna": x}, {"y": keras.layers.Dense(1, name="y")(keras.layers.Flatten()(x))})
    weights = np.arange(40, dtype="float32").reshape(10, 4)
    model.set_weights([weights.reshape(-1, 1), np.zeros(1)])
    (found,) = input_attribution(model, dna, idx=0)
    assert found.gindexer[0] == ("c", 0, 7, "+")
    assert [found[0][0, place, 0, letter] for place, letter in enumerate([0, 1, 2, 3, 0, 1, 2])] == [
        weights[3 + place, letter] for place, letter in enumerate([0, 1, 2, 3, 0, 1, 2])
    ]
