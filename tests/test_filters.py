"""First filters as motifs: where they fire against loops, what they do against the network without them."""

from contextlib import contextmanager

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.coverage import Cover
from helpers.data.motifs import Motif, read_motifs, write_motifs
from helpers.data.sequence import Bioseq, encode_letters, kmer_codes
from helpers.errors import InputError
from helpers.evaluation.attribution_target import Target
from helpers.evaluation.base_attribution import letters_of_kmers
from helpers.evaluation.filters import Sites, cut_pieces, filter_table, find_filters, find_sites
from helpers.evaluation.motif_matching import match_motifs
from helpers.evaluation.scans import find_scans
from helpers.evaluation.silencing import silence_filters
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.layers import DnaConv2D
from helpers.model.training import predict, save_model

LENGTH = 90


def letters_of(count, seed=0, length=LENGTH, unknown=0.01):
    rng = np.random.default_rng(seed)
    return np.where(rng.random((count, length)) < unknown, 4, rng.integers(0, 4, (count, length))).astype(np.uint8)


def sequences(letters, order):
    records = [(f"w{row}", "".join("ACGTN"[code] for code in codes)) for row, codes in enumerate(letters)]
    return Bioseq.create_from_seq("dna", records, order=order)


def network(order=1, architecture="jund_dna", outputs=1, length=LENGTH, **params):
    """A network whose first filters have biases too, as trained ones have."""
    keras.utils.set_random_seed(order)
    params = {"filters": 3, "width": 5, "pool": 4, **params}
    spec = InputSpec((length - order + 1,), "sequence", order)
    model = build_model(architecture, {"dna": spec}, OutputSpec("bound", outputs), params)
    (scan,) = find_scans(model)
    convolution = convolution_of(scan)
    convolution.bias.assign(np.random.default_rng(order).normal(0, 0.1, convolution.bias.shape))
    return model, scan


def convolution_of(scan):
    return scan.layer.forward_layer if isinstance(scan.layer, DnaConv2D) else scan.layer


def activation_of(piece, scan, number):
    """Activation of a filter on a piece of letters as it is written, by a loop over its k-mers."""
    convolution, order = convolution_of(scan), scan.one_hot.order
    kernel = np.asarray(convolution.kernel).reshape(scan.width, 4**order, scan.filters)
    total = float(np.asarray(convolution.bias)[number])
    for place in range(scan.width):
        kmer = piece[place : place + order]
        if max(kmer) < 4:
            total += float(kernel[place, int("".join(map(str, kmer)), 4), number])
    return max(total, 0.0)


def slow_sites(letters, scan, number, both):
    """Best activation of each window, its start and whether it is on the other strand; None without a known piece."""
    found = []
    for window in letters:
        tried = []
        for reverse in (False, True) if both else (False,):
            for start in range(len(window) - scan.span + 1):
                piece = window[start : start + scan.span]
                if piece.max() < 4:
                    turned = 3 - piece[::-1] if reverse else piece
                    tried.append((activation_of(turned, scan, number), start, reverse))
        found.append(max(tried, key=lambda one: round(one[0], 5)) if tried else None)
    return found


@pytest.mark.parametrize("strands", ["both", "forward"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_sites_are_those_of_a_loop(order, strands):
    letters = letters_of(12, order, length=60)
    letters[3, ::3] = 4  # no piece without an unknown base
    letters[4] = 4
    _, scan = network(order, strands=strands, length=60)
    assert scan.span == 5 + order - 1
    sites = find_sites(scan, kmer_codes(letters, order))
    for number in range(scan.filters):
        for row, expected in enumerate(slow_sites(letters, scan, number, strands == "both")):
            if expected is None:
                assert sites.activation[row, number] == -np.inf
                continue
            activation, start, reverse = expected
            assert sites.activation[row, number] == pytest.approx(activation, abs=1e-5)
            site = (sites.start[row, number], sites.reverse[row, number])
            pieces = [cut_pieces(letters[[row]], [at], [other], scan.span) for at, other in (site, (start, reverse))]
            if activation > 0:
                assert (pieces[0] == pieces[1]).all(), "the same place, or the same bases at another"
    most = sites.activation.max(axis=0)
    assert (sites.chosen() == (sites.activation > most / 2)).all()
    assert not sites.chosen()[3:5].any()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_pieces_make_the_filter_fire_as_much_as_it_did(order):
    letters = letters_of(30, order)
    codes = kmer_codes(letters, order)
    _, scan = network(order)
    sites, bases = find_sites(scan, codes), letters_of_kmers(codes, order)
    assert sites.chosen().any(axis=0).all()
    assert sites.reverse[sites.chosen()].any()
    for number in range(scan.filters):
        rows = np.flatnonzero(sites.chosen()[:, number])
        pieces = cut_pieces(bases[rows], sites.start[rows, number], sites.reverse[rows, number], scan.span)
        again = [activation_of(piece, scan, number) for piece in pieces]
        np.testing.assert_allclose(again, sites.activation[rows, number], atol=1e-5)


def test_batches_change_nothing_and_the_other_strand_has_the_same_motifs(monkeypatch):
    letters = letters_of(40, unknown=0)
    codes, turned = kmer_codes(letters, 2), kmer_codes(3 - letters[:, ::-1], 2)
    _, scan = network(2)
    whole, mirrored = find_sites(scan, codes), find_sites(scan, turned)
    monkeypatch.setattr("helpers.evaluation.filters._VALUES_AT_ONCE", codes.shape[1] * 16 * 7)
    for whole_values, values in zip(whole, find_sites(scan, codes), strict=True):
        np.testing.assert_allclose(values, whole_values, atol=1e-6)
    np.testing.assert_allclose(mirrored.activation, whole.activation, atol=1e-5)
    fires = whole.activation > 0
    assert (mirrored.reverse != whole.reverse)[fires].mean() > 0.95  # other than at ties
    pieces = [
        cut_pieces(letters_of_kmers(own, 2), sites.start[:, 0], sites.reverse[:, 0], scan.span)
        for own, sites in ((codes, whole), (turned, mirrored))
    ]
    assert (pieces[0] == pieces[1]).all(axis=1)[fires[:, 0]].mean() > 0.95


def test_a_filter_fires_above_half_of_its_maximum_and_where_that_is_above_zero():
    activation = np.array([[1.0, 0, -np.inf], [0.51, 0, -np.inf], [0.5, 0, -np.inf], [0.45, 0, -np.inf]])
    sites = Sites(activation, np.zeros((4, 3), dtype=int), np.zeros((4, 3), dtype=bool))
    assert sites.chosen().tolist() == [[True, False, False], [True, False, False], [False] * 3, [False] * 3]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.lists(st.integers(0, 4), min_size=4, max_size=30))
def test_bases_are_read_back_from_kmers(order, letters):
    letters = np.array([letters], dtype=np.uint8)
    bases = letters_of_kmers(kmer_codes(letters, order), order)
    assert bases.shape == letters.shape
    for place, letter in enumerate(letters[0]):
        starts = range(max(0, place - order + 1), min(place, letters.shape[1] - order) + 1)
        held = any((letters[0, start : start + order] < 4).all() for start in starts)
        assert bases[0, place] == (letter if held else 4)


def test_both_strands_of_a_window_are_cut():
    bases = encode_letters(b"ACGTTT")[None]
    assert cut_pieces(bases, [1], [False], 4).tolist() == [[1, 2, 3, 3]]
    assert cut_pieces(bases, [1], [True], 4).tolist() == [[0, 0, 1, 2]]


def logits(model, inputs):
    """Before the sigmoid, from the prediction itself."""
    p = predict(model, inputs).astype(float)
    return np.log(p) - np.log1p(-p)


@contextmanager
def without_filter(model, number):
    """The prediction when a filter has no weights; the model is as before afterwards."""
    (scan,) = find_scans(model)
    convolution = convolution_of(scan)
    kernel, bias = np.array(convolution.kernel), np.array(convolution.bias)
    silent_kernel, silent_bias = kernel.copy(), bias.copy()
    silent_kernel[..., number], silent_bias[number] = 0, 0
    convolution.set_weights([silent_kernel, silent_bias])
    yield
    convolution.set_weights([kernel, bias])


@pytest.mark.parametrize(
    ("architecture", "order", "outputs", "params"),
    [
        ("jund_dna", 1, 1, {}),
        ("jund_dna", 3, 1, {"strands": "forward"}),
        ("deepsea", 2, 3, {"width": 8, "middle_filters": 4, "middle_width": 3, "top_filters": 4, "units": 4}),
        ("danq", 1, 2, {"lstm_units": 3, "units": 4}),
    ],
)
def test_a_filter_adds_what_the_network_without_it_lacks(architecture, order, outputs, params):
    params = params | ({"top_width": 2, "middle_pool": 2} if architecture == "deepsea" else {})
    model, scan = network(order, architecture, outputs, **params)
    data = {"dna": sequences(letters_of(20, 7), order)}
    before = predict(model, data)
    weights = model.get_weights()
    added = silence_filters(model, scan, data, 6)
    np.testing.assert_array_equal(predict(model, data), before)
    assert all((old == new).all() for old, new in zip(weights, model.get_weights(), strict=True))
    np.testing.assert_allclose(predict(Target(model).linear, data), logits(model, data), atol=1e-4)
    strongest = np.argsort(-logits(model, data).mean(axis=1))[:6]
    for number in range(scan.filters):
        with without_filter(model, number):
            silent = predict(Target(model).linear, data)
        expected = (predict(Target(model).linear, data) - silent)[strongest].mean(axis=0)
        np.testing.assert_allclose(added[number], expected, atol=1e-4)
    assert np.abs(added).max() > 1e-3


def joint_network():
    inputs = {"dna": InputSpec((LENGTH - 1,), "sequence", 2), "dnase": InputSpec((18, 2, 1), "coverage")}
    parts = {
        "dna": ("jund_dna", {"filters": 3, "width": 5, "pool": 4}, ["dna"]),
        "dnase": ("jund_dnase", {"filters": 2}, ["dnase"]),
    }
    keras.utils.set_random_seed(3)
    return build_model("joint", inputs, OutputSpec("bound"), {"parts": parts})


def test_a_joint_network_has_filters_of_its_sequence_alone():
    model = joint_network()
    (scan,) = find_scans(model)
    assert (scan.input, scan.width, scan.filters, scan.span) == ("dna", 5, 3, 6)
    dna = sequences(letters_of(16, 5), 2)
    coverage = np.random.default_rng(1).random((16, 18, 2, 1)).astype(np.float32)
    data = {"dna": dna, "dnase": Cover.create_from_array("dnase", coverage, dna.gindexer)}
    added = silence_filters(model, scan, data, 16)
    for number in range(3):
        intact = logits(model, data)
        with without_filter(model, number):
            silent = logits(model, data)
        np.testing.assert_allclose(added[number], (intact - silent).mean(axis=0), atol=1e-4)


def test_sequences_of_different_windows_share_a_file(tmp_path):
    parts, inputs, data = {}, {}, {}
    letters = letters_of(12, 8)
    for name, order, length in (("near", 1, 40), ("far", 2, LENGTH)):
        parts[name] = ("jund_dna", {"filters": 2, "width": 5, "pool": 4}, [name])
        inputs[name] = InputSpec((length - order + 1,), "sequence", order)
        data[name] = sequences(letters[:, :length], order)
    save_model(build_model("joint", inputs, OutputSpec("bound"), {"parts": parts}), tmp_path / "model.keras")
    found = find_filters([tmp_path / "model.keras"], data, ["bound"])
    assert {one.name for one in found} == {f"{name}_rep0_filter{number}" for name in data for number in range(2)}
    assert {one.input: len(one.motif.probabilities) for one in found} == {"near": 5, "far": 6}
    write_motifs(tmp_path / "filters.meme", [one.motif for one in found])
    assert len(read_motifs(tmp_path / "filters.meme")) == 4


def test_networks_without_such_filters_are_refused():
    coverage = build_model("jund_dnase", {"dnase": InputSpec((20, 2, 1), "coverage")}, OutputSpec("bound"))
    counts = build_model("kmer_linear", {"dna": InputSpec((50,), "sequence", 2)}, OutputSpec("bound"), {"k": 2})
    named = network()[0]
    unnamed = keras.Model(list(named.input.values()), list(named.output.values()))
    for model in (coverage, counts, unnamed):
        with pytest.raises(InputError, match="has no first filters that scan a sequence"):
            find_scans(model)
    model, scan = network()
    scan.layer.forward_layer.padding = "same"
    with pytest.raises(InputError, match="jund_dna_scan: .*without padding.*'same', 1, 1"):
        find_scans(model)
    model, scan = network()
    scan.layer.merge_mode = None
    with pytest.raises(InputError, match="its strands stay apart"):
        find_scans(model)


def planted(tmp_path, replicates=2):
    """Networks whose filter 0 is TGACC, whose filter 1 never fires, and whose output is what filter 0 finds."""
    paths = []
    for replicate in range(replicates):
        model, scan = network(1, length=60, top_filters=1, top_width=1)
        convolution = convolution_of(scan)
        kernel, bias = np.zeros(convolution.kernel.shape), np.array([-3.5, -9, 0.0])
        kernel[np.arange(5), 0, encode_letters(b"TGACC"), 0] = 1
        kernel[0, 0, 0, 2] = 0.2  # fires a little at each A, and nothing above reads it
        convolution.set_weights([kernel, bias])
        top = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv1D))
        weights = np.zeros(top.kernel.shape)
        weights[0, 0, 0] = 1
        top.set_weights([weights, np.zeros(1)])
        model.get_layer("bound").set_weights([np.full((1, 1), 2.0 + replicate), np.zeros(1)])
        paths.append(tmp_path / f"{replicate}.keras")
        save_model(model, paths[-1])
    return paths


def test_filters_of_several_networks_are_ranked_named_written_and_matched(tmp_path):
    letters = letters_of(50, 9, length=60, unknown=0)
    letters[::2, 20:25] = encode_letters(b"TGACC")
    letters[::4, 20:25] = encode_letters(b"GGTCA")
    data = {"dna": sequences(letters, 1)}
    found = find_filters(planted(tmp_path), data, ["bound"], strongest=10)
    assert [one.name for one in found[:2]] == ["dna_rep1_filter0", "dna_rep0_filter0"]
    first, second, *others = found
    assert first.strength == pytest.approx(1.5 * second.strength, rel=1e-4)
    assert second.strength == pytest.approx(2 * 1.5 / np.sqrt(1.001) ** 2, rel=1e-2)  # two norms, and 5 - 3.5
    assert first.motif.consensus() == "TGACC"
    assert first.n_sites >= 25
    assert first.max_activation == 1.5
    assert all(abs(one.strength) < 1e-6 for one in others)
    dead = [one for one in found if one.number == 1]
    assert [(one.motif, one.n_sites, one.max_activation) for one in dead] == [(None, 0, 0)] * 2
    constant = next(one for one in found if one.number == 2)
    assert constant.motif.consensus()[0] == "A"
    assert constant.n_sites == 50

    motifs = [one.motif for one in found if one.motif is not None]
    write_motifs(tmp_path / "filters.meme", motifs)
    assert [motif.name for motif in read_motifs(tmp_path / "filters.meme")] == [motif.name for motif in motifs]
    core = Motif("core", "", np.eye(4)[encode_letters(b"GGTCA")], 20, np.full(4, 0.25))
    table = filter_table(found, match_motifs(motifs, [core])).set_index("filter")
    assert list(table.index) == [one.name for one in found]
    assert table.loc["dna_rep1_filter0", ["match", "strand", "consensus"]].tolist() == ["core", "-", "TGACC"]
    assert table.at["dna_rep1_filter0", "information"] == pytest.approx(10, abs=1.5)
    assert table.at["dna_rep0_filter1", "n_sites"] == 0
    assert table.loc["dna_rep0_filter1", ["consensus", "information", "match", "p", "q"]].isna().all()


def test_windows_are_spread_and_missing_ones_are_named(tmp_path):
    letters = letters_of(50, 9, length=60, unknown=0)
    data = {"dna": sequences(letters, 1)}
    paths = planted(tmp_path, 1)
    few = find_filters(paths, data, ["bound"], windows=7)
    spread = {"dna": sequences(letters[np.linspace(0, 49, 7).round().astype(int)], 1)}
    for one, other in zip(few, find_filters(paths, spread, ["bound"]), strict=True):
        assert (one.name, one.strength, one.n_sites) == (other.name, other.strength, other.n_sites)
    for wrong in ({"paths": []}, {"inputs": {}}, {"windows": 0}):
        with pytest.raises(InputError, match="a network and a window at least"):
            find_filters(**{"paths": paths, "inputs": data, "outputs": ["bound"], **wrong})


def test_the_background_is_the_composition_of_both_strands(tmp_path):
    letters = np.zeros((4, 60), dtype=np.uint8)
    letters[:, :15] = 1
    letters[:, 20:25] = encode_letters(b"TGACC")
    (first, *_) = find_filters(planted(tmp_path, 1), {"dna": sequences(letters, 1)}, ["bound"])
    counts = np.bincount(letters.ravel(), minlength=4) + 1
    expected = (counts + counts[::-1]) / 2 / counts.sum()
    np.testing.assert_allclose(first.motif.background, expected)


def test_two_scans_of_one_sequence_are_refused():
    specs = {"dna": InputSpec((LENGTH,), "sequence", 1)}
    part = ("jund_dna", {"filters": 3, "width": 5, "pool": 4}, ["dna"])
    model = build_model("joint", specs, OutputSpec("bound"), {"parts": {"a": part, "b": part}})
    with pytest.raises(InputError, match="scans the sequence 'dna' twice"):
        find_scans(model)
