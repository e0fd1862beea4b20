"""Architectures: the paper's layers, by name, with mistakes in their parameters named at once."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.data.sequence import reverse_complement_codes
from helpers.errors import InputError
from helpers.model.architectures import (
    ARCHITECTURES,
    InputSpec,
    OutputSpec,
    build_model,
)
from helpers.model.layers import DnaConv2D, OneHotCodes
from helpers.model.training import load_model, predict, save_model
from helpers.networks import NETWORKS, complete_params, shortest_input

DNA, DNASE = InputSpec((498,), "sequence", 3), InputSpec((22, 2, 2), "coverage")
JUND = OutputSpec("jund")
PARTS = {"dna": ("jund_dna", {"dropout": 0.2}, ("dna",)), "dnase": ("jund_dnase", {}, ("dnase",))}
DEEPSEA = {
    **{"filters": 6, "width": 5, "pool": 3, "middle_filters": 7, "middle_width": 4, "middle_pool": 2},
    **{"top_filters": 5, "top_width": 3, "units": 8},
}
DANQ = {"filters": 6, "width": 7, "pool": 5, "lstm_units": 4, "units": 8}
SMALL = InputSpec((98,), "sequence", 3)
CASES = {
    "jund_dna": ({"dna": DNA}, {}),
    "jund_dnase": ({"dnase": DNASE}, {}),
    "deepsea": ({"dna": SMALL}, DEEPSEA),
    "danq": ({"dna": SMALL}, DANQ),
    "cage_dna": ({"dna": InputSpec((899,), "sequence", 2)}, {}),
    "cage_chromatin": ({"chromatin": InputSpec((1, 1, 2), "coverage")}, {}),
    "joint": ({"dna": DNA, "dnase": DNASE}, {"parts": PARTS}),
    "kmer_linear": ({"dna": InputSpec((496,), "sequence", 5)}, {"k": 5}),
    "pwm_scan": ({"dna": InputSpec((60,), "sequence")}, {"motifs": "motifs.meme"}),
}
MOTIFS = """MEME version 4
MOTIF short
letter-probability matrix: w= 2
0.7 0.1 0.1 0.1
0 0.5 0.5 0
MOTIF long
letter-probability matrix: w= 3
0.1 0.1 0.1 0.7
0 0 0 1
0.25 0.25 0.25 0.25
"""
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def motif_folder(tmp_path, monkeypatch):
    """The current folder, with the motifs of the scan."""
    (tmp_path / "motifs.meme").write_text(MOTIFS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def random_inputs(specs, windows=5, seed=0):
    rng = np.random.default_rng(seed)
    return {name: random_input(spec, windows, rng) for name, spec in specs.items()}


def random_input(spec, windows, rng):
    if spec.kind == "coverage":
        return rng.random((windows, *spec.shape)).astype(np.float32)
    codes = rng.integers(0, 4**spec.order + 1, (windows, *spec.shape))
    return codes.astype(np.uint8 if spec.order <= 3 else np.uint16)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_built_trained_saved_and_loaded(architecture, motif_folder):
    specs, params = CASES[architecture]
    model = build_model(architecture, specs, OutputSpec("jund", 3), params)
    assert {name: tensor.shape[1:] for name, tensor in model.input.items()} == {n: s.shape for n, s in specs.items()}
    assert {name: tensor.shape for name, tensor in model.output.items()} == {"jund": (None, 3)}
    assert not model.compiled
    top = [layer.name for layer in model.layers if layer.name.startswith("top_")][-1]
    assert model.get_layer(top) is model.layers[-2], "the top hidden layer stands below the output"
    inputs, before = random_inputs(specs), model.get_weights()
    model.compile("adam", "binary_crossentropy")
    assert np.isfinite(model.train_on_batch(inputs, {"jund": np.eye(5, 3, dtype=np.float32)}))
    unit = model.layers[-1].get_weights()
    assert all(not np.array_equal(old, new) for old, new in zip(before[-2:], unit, strict=True)), "a step changes them"
    save_model(model, motif_folder / "model.keras")
    first = predict(model, inputs)
    assert first.shape == (5, 3)
    assert ((first >= 0) & (first <= 1)).all()
    np.testing.assert_array_equal(predict(load_model(motif_folder / "model.keras"), inputs), first)


ELSEWHERE = """
import sys
from helpers.backend import select_backend
select_backend(sys.argv[1], threads=1, seed=1, device="cpu")
import numpy as np
from helpers.model.architectures import ARCHITECTURES
from helpers.model.training import load_model, predict
for architecture in ARCHITECTURES:
    inputs = dict(np.load(f"{sys.argv[2]}/{architecture}.npz"))
    expected = inputs.pop("predicted")
    model = load_model(f"{sys.argv[2]}/{architecture}.keras")
    np.testing.assert_allclose(predict(model, inputs), expected, rtol=1e-4, atol=1e-6)
    model.compile("adam", "binary_crossentropy")
    assert np.isfinite(model.train_on_batch(inputs, {"jund": np.eye(5, 3, dtype=np.float32)}))
    assert not np.array_equal(predict(model, inputs), expected)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_architecture_predicts_alike_and_trains_on_another_backend(backend, motif_folder):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    for architecture, (specs, params) in CASES.items():
        inputs, model = random_inputs(specs), build_model(architecture, specs, OutputSpec("jund", 3), params)
        np.savez(motif_folder / f"{architecture}.npz", **inputs, predicted=predict(model, inputs))
        save_model(model, motif_folder / f"{architecture}.keras")
    command = [sys.executable, "-c", ELSEWHERE, backend, str(motif_folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def as_in_the_paper(order):
    """The paper's DNA network, layer by layer."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((501 - order,), dtype="uint8"),
            OneHotCodes(order),
            DnaConv2D(layers.Conv2D(10, (11, 1), activation="relu")),
            layers.MaxPooling2D((30, 1)),
            layers.BatchNormalization(),
            layers.Conv2D(8, (3, 1), activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.BatchNormalization(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.mark.parametrize("order", [1, 3])
def test_the_dna_network_is_that_of_the_paper(order):
    spec = InputSpec((501 - order,), "sequence", order)
    model, paper = build_model("jund_dna", {"dna": spec}, JUND), as_in_the_paper(order)
    rng = np.random.default_rng(1)
    weights = [rng.random(part.shape).astype(np.float32) - 0.3 * (part.ndim > 1) for part in model.get_weights()]
    model.set_weights(weights)
    paper.set_weights([part.reshape(own.shape) for part, own in zip(weights, paper.get_weights(), strict=True)])
    inputs = random_inputs({"dna": spec})
    np.testing.assert_allclose(predict(model, inputs), keras.ops.convert_to_numpy(paper(inputs["dna"])), rtol=1e-5)
    assert model.get_layer("jund_dna_onehot").dropout == 0.2


def test_the_dnase_network_is_that_of_the_paper():
    layers = keras.layers
    paper = keras.Sequential(
        [
            keras.Input((22, 2, 2)),
            layers.Conv2D(10, (5, 2), activation="relu"),
            layers.MaxPooling2D((2, 1)),
            layers.Conv2D(5, (3, 1), activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.BatchNormalization(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model = build_model("jund_dnase", {"dnase": DNASE}, JUND)
    weights = model.get_weights()
    paper.set_weights([part.reshape(own.shape) for part, own in zip(weights, paper.get_weights(), strict=True)])
    inputs = random_inputs({"dnase": DNASE})
    np.testing.assert_allclose(predict(model, inputs), keras.ops.convert_to_numpy(paper(inputs["dnase"])), rtol=1e-5)


def deepsea_in_the_paper(scan, n):
    """DeepSEA, layer by layer, with numbers by name."""
    layers = keras.layers
    return [
        *(scan, layers.ReLU(), layers.MaxPooling2D((n["pool"], 1)), layers.Dropout(0.2)),
        *(layers.Conv2D(n["middle_filters"], (n["middle_width"], 1)), layers.ReLU()),
        *(layers.MaxPooling2D((n["middle_pool"], 1)), layers.Dropout(0.2)),
        *(layers.Conv2D(n["top_filters"], (n["top_width"], 1)), layers.ReLU(), layers.Dropout(0.5), layers.Flatten()),
        *(layers.Dense(n["units"]), layers.ReLU()),
    ]


def danq_in_the_paper(scan, n):
    """DanQ, layer by layer, with numbers by name."""
    layers = keras.layers
    lstm = layers.LSTM(n["lstm_units"], return_sequences=True)
    return [
        *(scan, layers.ReLU(), layers.MaxPooling2D((n["pool"], 1)), layers.Dropout(0.2)),
        *(layers.Reshape((-1, n["filters"])), layers.Bidirectional(lstm), layers.Dropout(0.5), layers.Flatten()),
        *(layers.Dense(n["units"]), layers.ReLU()),
    ]


@pytest.mark.parametrize("strands", ["both", "forward"])
@pytest.mark.parametrize(
    ("architecture", "numbers", "layers_of"),
    [("deepsea", DEEPSEA, deepsea_in_the_paper), ("danq", DANQ, danq_in_the_paper)],
)
def test_the_networks_of_chromatin_profiles_are_those_of_the_paper(architecture, numbers, layers_of, strands):
    conv = keras.layers.Conv2D(numbers["filters"], (numbers["width"], 1))
    scan = DnaConv2D(conv) if strands == "both" else conv
    output = keras.layers.Dense(2, activation="sigmoid")
    paper = keras.Sequential([keras.Input((98,), dtype="uint8"), OneHotCodes(3), *layers_of(scan, numbers), output])
    model = build_model(architecture, {"dna": SMALL}, OutputSpec("marks", 2), {**numbers, "strands": strands})
    rng = np.random.default_rng(2)
    weights = [rng.normal(scale=0.3, size=part.shape).astype(np.float32) for part in model.get_weights()]
    model.set_weights(weights)
    paper.set_weights([part.reshape(own.shape) for part, own in zip(weights, paper.get_weights(), strict=True)])
    inputs = random_inputs({"dna": SMALL})
    result = predict(model, inputs)
    np.testing.assert_allclose(result, keras.ops.convert_to_numpy(paper(inputs["dna"])), rtol=1e-4)
    assert np.ptp(result, axis=0).min() > 0.01, "the windows differ"
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.2, 0.2, 0.5][-len(rates) :]
    assert len(rates) == {"deepsea": 3, "danq": 2}[architecture]


@pytest.mark.parametrize(
    ("architecture", "params"), [("deepsea", DEEPSEA), ("danq", DANQ), ("cage_dna", {"filters": 6, "width": 17})]
)
def test_the_first_layer_sees_both_strands_alike(architecture, params):
    """The reverse complement of a window gives what the window gives, from its other end; one strand does not."""
    spec = InputSpec((121,), "sequence", 2)  # less the width, a multiple of the pooling
    codes = random_inputs({"dna": spec})["dna"]
    for strands in ("both", "forward"):
        model = build_model(architecture, {"dna": spec}, JUND, {**params, "strands": strands})
        place = [layer.name for layer in model.layers].index(f"{architecture}_scan")
        scan = keras.Model(model.input, model.layers[place + (strands == "forward")].output)  # pooled
        found = scan.predict_on_batch({"dna": codes}).reshape(5, -1, 6)
        other = scan.predict_on_batch({"dna": reverse_complement_codes(codes, 2)}).reshape(found.shape)[:, ::-1]
        assert np.allclose(other, found, atol=1e-5) == (strands == "both")
        assert np.ptp(found) > 0.01


def parameters_of(architecture, order, window, outputs):
    """Weights and biases at the paper's numbers, counted by hand."""
    positions, channels = window - order + 1, 4**order
    if architecture == "deepsea":
        first, second = (positions - 8 + 1) // 4, ((positions - 8 + 1) // 4 - 8 + 1) // 4
        assert first > second
        convolutions = (8 * channels + 1) * 320 + (8 * 320 + 1) * 480 + (8 * 480 + 1) * 960
        flat = (second - 8 + 1) * 960
    else:
        one_direction = 4 * ((320 + 320) * 320 + 320)  # four gates, each of input, state and bias
        convolutions = (26 * channels + 1) * 320 + 2 * one_direction
        flat = (positions - 26 + 1) // 13 * 2 * 320
    return convolutions + (flat + 1) * 925 + (925 + 1) * outputs


@pytest.mark.parametrize(
    ("architecture", "order", "window", "known"),
    [
        ("deepsea", 1, 1000, 52_843_119),  # as published with the networks
        ("danq", 1, 1000, 46_926_479),
        ("deepsea", 3, 500, None),
        ("danq", 2, 500, None),
    ],
)
def test_the_paper_sizes_have_as_many_parameters_as_counted_by_hand(architecture, order, window, known):
    keras.backend.clear_session()
    spec = InputSpec((window - order + 1,), "sequence", order)
    model = build_model(architecture, {"dna": spec}, OutputSpec("features", 919))
    assert model.count_params() == parameters_of(architecture, order, window, 919)
    assert known in (None, model.count_params())


def test_the_networks_of_cage_are_those_of_the_paper():
    layers = keras.layers
    spec = InputSpec((899,), "sequence", 2)
    paper = keras.Sequential(
        [
            *(keras.Input((899,), dtype="uint8"), OneHotCodes(2)),
            *(DnaConv2D(layers.Conv2D(10, (15, 1), activation="relu")), layers.MaxPooling2D((5, 1))),
            *(layers.BatchNormalization(), layers.Conv2D(8, (5, 1), activation="relu"), layers.GlobalMaxPooling2D()),
            *(layers.BatchNormalization(), layers.Dense(1)),
        ]
    )
    model = build_model("cage_dna", {"dna": spec}, OutputSpec("cage", 1, "linear"))
    assert model.get_layer("cage_dna_onehot").dropout == 0.2
    weights = [np.random.default_rng(1).random(part.shape) - 0.3 * (part.ndim > 1) for part in model.get_weights()]
    model.set_weights(weights)
    paper.set_weights([part.reshape(own.shape) for part, own in zip(weights, paper.get_weights(), strict=True)])
    inputs = random_inputs({"dna": spec})
    np.testing.assert_allclose(predict(model, inputs), keras.ops.convert_to_numpy(paper(inputs["dna"])), rtol=1e-5)


def test_the_chromatin_model_is_a_line_through_standardised_values():
    spec = InputSpec((1, 1, 2), "coverage")
    model = build_model("cage_chromatin", {"chromatin": spec}, OutputSpec("cage", 1, "linear"))
    mean, variance, kernel = np.array([1.0, -2.0]), np.array([4.0, 9.0]), np.array([[3.0], [5.0]])
    model.get_layer("top_cage_chromatin").set_weights([np.ones(2), np.zeros(2), mean, variance])
    model.layers[-1].set_weights([kernel, np.array([7.0])])
    values = random_inputs({"chromatin": spec})["chromatin"]
    expected = (values.reshape(5, 2) - mean) / np.sqrt(variance + 1e-3) @ kernel + 7
    np.testing.assert_allclose(predict(model, {"chromatin": values}), expected, rtol=1e-5)


def test_the_joint_network_puts_one_output_on_both_tops():
    model = build_model("joint", *CASES["joint"][:1], JUND, CASES["joint"][1])
    tops = [layer.name for layer in model.layers if layer.name.startswith("top_")]
    assert set(tops) == {"top_dna", "top_dnase", "top_joint"}
    assert model.get_layer("top_joint").output.shape == (None, 13)  # 8 of the DNA, 5 of the DNase network
    alone = sum(
        build_model(part, {name: spec}, JUND).count_params()
        for part, (name, spec) in {"jund_dna": ("dna", DNA), "jund_dnase": ("dnase", DNASE)}.items()
    )
    assert model.count_params() == alone - 1, "two output layers less, one more: one bias"


def test_a_joint_part_may_share_an_input_and_stack_other_architectures():
    parts = {"both": ("jund_dna", {}, ("dna",)), "one": ("jund_dna", {"strands": "forward"}, ("dna",))}
    model = build_model("joint", {"dna": DNA}, JUND, {"parts": parts})
    assert model.get_layer("top_joint").output.shape == (None, 16)


def test_one_strand_can_be_scanned_alone():
    model = build_model("jund_dna", {"dna": DNA}, JUND, {"strands": "forward", "dropout": 0})
    both = build_model("jund_dna", {"dna": DNA}, JUND, {"dropout": 0})
    assert model.count_params() == both.count_params()
    weights = [part.reshape(own.shape) for part, own in zip(both.get_weights(), model.get_weights(), strict=True)]
    model.set_weights(weights)
    inputs = random_inputs({"dna": DNA})
    assert not np.allclose(predict(model, inputs), predict(both, inputs))


def test_an_input_is_described_by_its_dataset():
    class Sequence:
        shape, order = (7, 498, 1, 64), 3

        def codes(self, rows):
            raise NotImplementedError

    assert InputSpec.of(Sequence()) == DNA
    assert InputSpec.of(np.zeros((7, 22, 2, 2))) == DNASE


def test_defaults_are_those_of_the_paper():
    assert complete_params("jund_dna", {}, order=3) == {
        **{"order": 3, "dropout": 0.2, "strands": "both", "filters": 10, "width": 11, "pool": 30},
        **{"top_filters": 8, "top_width": 3},
    }
    assert complete_params("jund_dnase", {"filters": 4})["filters"] == 4
    assert set(NETWORKS) == set(ARCHITECTURES) - {"joint"}


@pytest.mark.parametrize(
    ("architecture", "specs", "params", "message"),
    [
        ("resnet", {"dna": DNA}, {}, "architecture: 'resnet' is unknown; allowed: jund_dna, jund_dnase, deepsea"),
        ("jund_dna", {"dna": DNA}, {"filters": -1, "dropuot": 0}, "'dropuot' is unknown; filters: -1 is not a whole"),
        ("jund_dna", {"dna": DNA}, {"dropout": 1}, r"dropout: 1 is not a number from 0 to 0.99"),
        ("jund_dna", {"dna": DNA}, {"filters": 2.0}, "filters: 2.0 is not a whole number"),
        ("jund_dna", {"dna": DNA}, {"strands": "reverse"}, "strands: 'reverse' is not one of both, forward"),
        ("jund_dna", {"dna": DNA}, {"order": 2}, "order: 2 differs from the order of the input, 3"),
        ("deepsea", {"dna": DNA}, {"dropout": 0, "units": 0}, "'dropout' is unknown; units: 0 is not a whole number"),
        ("danq", {"dna": DNA}, {"lstm_units": "many"}, "lstm_units: 'many' is not a whole.*strands, filters, width"),
        ("danq", {"dna": InputSpec((37,), "sequence")}, {}, "too short; its filters need 38 positions"),
        ("deepsea", {"dna": InputSpec((162,), "sequence")}, {}, "too short; its filters need 163 positions"),
        ("cage_chromatin", {"dnase": DNASE}, {"dropout": 0.1}, "'dropout' is unknown. Parameters: none"),
        ("cage_chromatin", {"dna": DNA}, {}, r"takes one coverage input. Received: sequence \(dna\)"),
        ("pwm_scan", {"dna": DNA}, {"motifs": "a.meme"}, "the order of the input is 3; only 1 is allowed. .*: motifs"),
        ("kmer_linear", {"dna": DNA}, {"k": 5}, "k: 5 differs from the order of the input, 3"),
        ("jund_dna", {"dnase": DNASE}, {}, r"takes one sequence input. Received: coverage \(dnase\)"),
        ("jund_dnase", {"a": DNASE, "b": DNASE}, {}, r"takes one coverage input. Received: coverage, coverage"),
        (
            "jund_dna",
            {"dna": InputSpec((60,), "sequence")},
            {},
            "of shape .60,. is too short; its filters need 100",
        ),
        ("jund_dnase", {"x": InputSpec((4, 2, 1), "coverage")}, {}, "too short; its filters need 10 positions"),
        ("jund_dna", {"jund": DNA}, {}, "share the name 'jund'"),
        ("joint", {"dna": DNA}, {"parts": {"dna": PARTS["dna"]}}, "at least two parts.*Received: parts dna"),
        ("joint", {"dna": DNA}, {"parts": PARTS}, "reading dna, dnase of the inputs dna"),
        (
            "joint",
            {"dna": DNA, "dnase": DNASE},
            {"parts": {**PARTS, "dna": ("jund_dna", {"width": 0}, ("dna",))}},
            "jund_dna: width: 0",
        ),
        (
            "joint",
            {"dna": DNA, "dnase": DNASE},
            {"parts": {**PARTS, "dna": ("joint", {}, ("dna",))}},
            "architecture: 'joint' is unknown",
        ),
    ],
)
def test_mistakes_are_named(architecture, specs, params, message):
    with pytest.raises(InputError, match=message):
        build_model(architecture, specs, JUND, params)


@pytest.mark.parametrize(
    ("architecture", "params"),
    [
        *(("jund_dna", {}), ("jund_dna", {"width": 4, "pool": 3, "top_width": 5}), ("jund_dnase", {})),
        *(("deepsea", DEEPSEA), ("danq", DANQ), ("cage_dna", {}), ("cage_chromatin", {}), ("kmer_linear", {})),
    ],
)
def test_the_shortest_input_is_just_long_enough(architecture, params):
    kind = NETWORKS[architecture].kind
    needed = shortest_input(architecture, complete_params(architecture, params, 1))
    for positions in (needed, needed - 1):
        shape = (positions,) if kind == "sequence" else (positions, 2, 1)
        specs = {"x": InputSpec(shape, kind, 1)}
        if positions == needed:
            assert build_model(architecture, specs, JUND, params).output["jund"].shape == (None, 1)
        elif positions:
            with pytest.raises(InputError, match=f"too short; its filters need {needed} positions"):
                build_model(architecture, specs, JUND, params)
