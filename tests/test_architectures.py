"""Architectures: the paper's layers, by name, with mistakes in their parameters named at once."""

import keras
import numpy as np
import pytest

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
CASES = {
    "jund_dna": ({"dna": DNA}, {}),
    "jund_dnase": ({"dnase": DNASE}, {}),
    "joint": ({"dna": DNA, "dnase": DNASE}, {"parts": PARTS}),
    "kmer_linear": ({"dna": InputSpec((496,), "sequence", 5)}, {"k": 5}),
}


def random_inputs(specs, windows=5, seed=0):
    rng = np.random.default_rng(seed)
    return {name: random_input(spec, windows, rng) for name, spec in specs.items()}


def random_input(spec, windows, rng):
    if spec.kind == "coverage":
        return rng.random((windows, *spec.shape)).astype(np.float32)
    codes = rng.integers(0, 4**spec.order + 1, (windows, *spec.shape))
    return codes.astype(np.uint8 if spec.order <= 3 else np.uint16)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_is_built_saved_and_loaded(architecture, tmp_path):
    specs, params = CASES[architecture]
    model = build_model(architecture, specs, OutputSpec("jund", 3), params)
    assert {name: tensor.shape[1:] for name, tensor in model.input.items()} == {n: s.shape for n, s in specs.items()}
    assert {name: tensor.shape for name, tensor in model.output.items()} == {"jund": (None, 3)}
    assert not model.compiled
    top = [layer.name for layer in model.layers if layer.name.startswith("top_")][-1]
    assert model.get_layer(top) is model.layers[-2], "the top hidden layer stands below the output"
    inputs = random_inputs(specs)
    save_model(model, tmp_path / "model.keras")
    first = predict(model, inputs)
    assert first.shape == (5, 3)
    assert ((first >= 0) & (first <= 1)).all()
    np.testing.assert_array_equal(predict(load_model(tmp_path / "model.keras"), inputs), first)


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
    np.testing.assert_allclose(predict(model, inputs), paper(inputs["dna"]), rtol=1e-5)
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
    np.testing.assert_allclose(predict(model, inputs), paper(inputs["dnase"]), rtol=1e-5)


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
        ("resnet", {"dna": DNA}, {}, "architecture: 'resnet' is unknown; allowed: jund_dna, jund_dnase, joint"),
        ("jund_dna", {"dna": DNA}, {"filters": -1, "dropuot": 0}, "'dropuot' is unknown; filters: -1 is not a whole"),
        ("jund_dna", {"dna": DNA}, {"dropout": 1}, r"dropout: 1 is not a number from 0 to 0.99"),
        ("jund_dna", {"dna": DNA}, {"filters": 2.0}, "filters: 2.0 is not a whole number"),
        ("jund_dna", {"dna": DNA}, {"strands": "reverse"}, "strands: 'reverse' is not one of both, forward"),
        ("jund_dna", {"dna": DNA}, {"order": 2}, "order: 2 differs from the order of the input, 3"),
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
    [("jund_dna", {}), ("jund_dna", {"width": 4, "pool": 3, "top_width": 5}), ("jund_dnase", {}), ("kmer_linear", {})],
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
