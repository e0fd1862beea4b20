"""Attribution of the networks of the workflow: complete, on all of their inputs, and what cannot be attributed."""

import re

import keras
import numpy as np
import pytest

from helpers.data.kmers import kmer_codes
from helpers.errors import InputError
from helpers.evaluation.attribution import attribute
from helpers.evaluation.attribution_target import Target
from helpers.evaluation.gradients import compile_function, value_and_gradient
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.layers import DnaConv2D, OneHotCodes

SMALL_DEEPSEA = {"filters": 8, "middle_filters": 6, "top_filters": 6, "units": 8, "middle_width": 4, "top_width": 4}
SMALL_DANQ = {"filters": 8, "lstm_units": 4, "units": 8}
SIGNAL = InputSpec((22, 2, 2), "coverage")


def sequence(order, length=200):
    return InputSpec((length - order + 1,), "sequence", order)


PARTS = {"dna": ("jund_dna", {"order": 2}, ["dna"]), "dnase": ("jund_dnase", {}, ["dnase"])}
NETWORKS = {
    "jund_dna, order 1": ("jund_dna", {"dna": sequence(1)}, {}),
    "jund_dna, order 2": ("jund_dna", {"dna": sequence(2)}, {"strands": "forward"}),
    "jund_dna, order 3": ("jund_dna", {"dna": sequence(3)}, {}),
    "jund_dnase": ("jund_dnase", {"dnase": SIGNAL}, {}),
    "joint": ("joint", {"dna": sequence(2), "dnase": SIGNAL}, {"parts": PARTS}),
    "deepsea": ("deepsea", {"dna": sequence(1)}, SMALL_DEEPSEA),
    "danq": ("danq", {"dna": sequence(2)}, SMALL_DANQ),
    "cage_chromatin": ("cage_chromatin", {"dnase": SIGNAL}, {}),
}


def built(name, size=1):
    """Build a network and give it weights far from those of the start, batch norm included."""
    architecture, specs, params = NETWORKS[name]
    model = build_model(architecture, specs, OutputSpec("bound", size), params)
    rng = np.random.default_rng(1)
    for weights in model.weights:
        shape = weights.shape
        fan_in = shape[0] if len(shape) == 4 else np.prod(shape[:-1])  # of a k-mer one channel is not 0
        values = rng.normal(0, np.sqrt(3 / fan_in) if len(shape) > 1 else 0.2, shape)
        weights.assign(1 + 0.3 * rng.random(shape) if "variance" in weights.name else values)
    return model, specs


def drawn(specs, windows=3, seed=2):
    rng = np.random.default_rng(seed)
    inputs = {}
    for name, spec in specs.items():
        if spec.kind == "sequence":
            letters = rng.integers(0, 4, (windows, spec.shape[0] + spec.order - 1)).astype(np.uint8)
            letters[0, 30:33] = 4
            inputs[name] = kmer_codes(letters, spec.order)
        else:
            inputs[name] = rng.normal(size=(windows, *spec.shape)).astype(np.float32)
    return inputs


def logits(model, inputs, unit=0):
    probability = model.predict_on_batch(inputs)["bound"][:, unit].astype(float)
    return np.log(probability) - np.log1p(-probability)


@pytest.mark.parametrize("name", NETWORKS)
def test_attributions_add_up_to_the_change_before_the_last_activation(name):
    model, specs = built(name)
    inputs = drawn(specs)
    found = attribute(model, inputs)
    nothing = {
        key: np.full_like(part, 4 ** specs[key].order) if specs[key].kind == "sequence" else np.zeros_like(part)
        for key, part in inputs.items()
    }
    change = logits(model, inputs) - logits(model, nothing)
    checks = found.checks["bound"]
    np.testing.assert_allclose(checks["change"], change, atol=1e-3)
    assert np.abs(change).min() > 1e-3
    total = sum(part.reshape(3, -1).sum(axis=1, dtype=float) for part in found.values["bound"].values())
    assert (np.abs(total - change) <= 0.01 * np.abs(change) + 2e-3).all()
    np.testing.assert_allclose(checks["sum"], total, atol=1e-4)
    for key, spec in specs.items():
        values = found.values["bound"][key]
        assert values.dtype == np.float32
        assert (values != 0).any()
        if spec.kind == "sequence":
            assert values.shape == (3, 200, 4)
            assert ((values != 0).sum(axis=2) <= 1).all()
            assert (values[0, 30:33] == 0).all()
        else:
            assert values.shape == inputs[key].shape


@pytest.mark.parametrize("baseline", ["uniform", "shuffled"])
def test_other_baselines_are_complete_too(baseline):
    model, specs = built("joint", size=2)
    found = attribute(
        model,
        drawn(specs),
        outputs={"second": 1},
        baseline=baseline,
        references=2,
        coverage_baseline="mean",
    )
    total = sum(part.reshape(3, -1).sum(axis=1) for part in found.values["second"].values())
    np.testing.assert_allclose(total, found.checks["second"]["sum"], atol=1e-4)
    assert (found.checks["second"]["error"] <= 0.01 * found.checks["second"]["change"].abs() + 1e-3).all()


def both_strands(merge_mode):
    """A network that says the same of a window and of its reverse complement: the best place of each filter."""
    codes = keras.Input((60,), name="dna", dtype="uint8")
    scan = DnaConv2D(keras.layers.Conv2D(6, (7, 1), activation="relu"), merge_mode)
    top = keras.layers.GlobalMaxPooling2D()(scan(OneHotCodes(1)(codes)))
    model = keras.Model({"dna": codes}, {"y": keras.layers.Dense(1, name="y")(keras.layers.Dense(4, "tanh")(top))})
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=part.shape) for part in model.get_weights()])
    return model


@pytest.mark.parametrize("merge_mode", ["max", "ave"])
def test_both_strands_have_their_gradient(merge_mode):
    model = both_strands(merge_mode)
    letters = np.random.default_rng(4).integers(0, 4, (4, 60)).astype(np.uint8)[1:]  # in the first two places tie
    there, back = (attribute(model, {"dna": part}) for part in (letters, 3 - letters[:, ::-1]))
    np.testing.assert_allclose(there.values["y"]["dna"], back.values["y"]["dna"][:, ::-1, ::-1], atol=1e-4)
    np.testing.assert_allclose(there.checks["y"]["change"], back.checks["y"]["change"], atol=1e-5)
    assert (np.abs(there.values["y"]["dna"]).sum(axis=(1, 2)) > 0.1).all()


def test_what_reads_whole_numbers_has_no_gradient_but_can_be_mutated():
    spec = sequence(3, 30)
    model = build_model("kmer_linear", {"dna": spec}, OutputSpec("bound"), {"k": 3})
    inputs = drawn({"dna": spec}, windows=2)
    with pytest.raises(InputError, match="have no gradient. Use method='mutagenesis'"):
        attribute(model, inputs)
    found = attribute(model, inputs, method="mutagenesis")
    assert found.values["bound"]["dna"].shape == (2, 30, 4)
    assert (found.values["bound"]["dna"] != 0).any()


def test_whole_numbers_of_an_unknown_order_are_refused():
    codes = keras.Input((30,), name="dna", dtype="int32")
    model = keras.Model({"dna": codes}, {"y": keras.layers.Flatten(name="y")(keras.layers.Embedding(5, 2)(codes))})
    with pytest.raises(InputError, match="'dna' of the model takes whole numbers. Give a Bioseq"):
        attribute(model, {"dna": np.zeros((1, 30), dtype=np.int32)}, method="mutagenesis")


def test_codes_that_are_also_read_otherwise_have_no_gradient():
    codes = keras.Input((30,), name="dna", dtype="int32")
    hot = keras.layers.Flatten()(OneHotCodes(1)(codes))
    embedded = keras.layers.Flatten()(keras.layers.Embedding(5, 2)(codes))
    value = keras.layers.Dense(1, name="y")(keras.layers.Concatenate()([hot, embedded]))
    with pytest.raises(InputError, match="other than through OneHotCodes"):
        attribute(keras.Model({"dna": codes}, {"y": value}), {"dna": np.zeros((1, 30), dtype=np.int32)})


def test_codes_that_two_layers_expand_are_one_input():
    codes = keras.Input((5,), name="dna", dtype="int32")
    sides = [keras.layers.Flatten()(OneHotCodes(1)(codes)) for _ in range(2)]
    units = [keras.layers.Dense(1, use_bias=False)(side) for side in sides]
    model = keras.Model({"dna": codes}, {"y": keras.layers.Add(name="y")(units)})
    letters = np.array([[0, 1, 2, 3, 4]])
    weights = sum(layer.get_weights()[0] for layer in model.layers if isinstance(layer, keras.layers.Dense))
    expected = np.eye(5)[letters][..., :4] * weights.reshape(1, 5, 4)
    np.testing.assert_allclose(attribute(model, {"dna": letters}).values["y"]["dna"], expected, atol=1e-6)


def with_last(last):
    x = keras.Input((4,), name="x")
    return keras.Model(x, last(keras.layers.Dense(3, name="hidden")(x)))


@pytest.mark.parametrize(
    "last",
    [
        keras.layers.Dense(3, activation="softmax", name="y"),
        keras.layers.Dense(3, activation="sigmoid", name="y"),
        keras.layers.Dense(3, name="y"),
    ],
    ids=["softmax", "sigmoid", "linear"],
)
def test_the_target_is_the_value_before_the_activation_of_a_layer(last):
    model, x = with_last(last), np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    (kernel, bias), (top, top_bias) = (layer.get_weights() for layer in model.layers[1:])
    target = Target(model)
    assert target.units == ["y_0", "y_1", "y_2"]
    np.testing.assert_allclose(
        target.linear.predict_on_batch({"x": x}), (x @ kernel + bias) @ top + top_bias, atol=1e-5
    )


@pytest.mark.parametrize("last", [keras.layers.Activation("sigmoid", name="y"), keras.layers.Softmax(name="y")])
def test_the_target_is_the_value_before_an_activation_that_is_a_layer(last):
    model, x = with_last(last), np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    kernel, bias = model.layers[1].get_weights()
    np.testing.assert_allclose(Target(model).linear.predict_on_batch({"x": x}), x @ kernel + bias, atol=1e-5)


def test_a_model_at_the_end_of_a_model_is_refused():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)], name="inner")
    with pytest.raises(InputError, match="comes from a model inside the model, 'inner'"):
        Target(with_last(inner))


@pytest.mark.parametrize("name", ["joint", "danq"])
def test_models_of_mixed_precision_are_attributed_in_single_precision(name):
    model, specs = built(name)
    inputs = drawn(specs)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed, _ = built(name)
    finally:
        keras.config.set_dtype_policy("float32")
    assert "bfloat16" in {layer.compute_dtype for layer in mixed.layers}
    one, other = (attribute(part, inputs, steps=64, max_steps=64, tolerance=1) for part in (model, mixed))
    for key in inputs:
        np.testing.assert_allclose(other.values["bound"][key], one.values["bound"][key], atol=1e-6)
    assert "bfloat16" in {layer.compute_dtype for layer in mixed.layers}


def test_inputs_that_do_not_fit_are_named():
    model, specs = built("joint")
    inputs = drawn(specs)
    with pytest.raises(InputError, match="reads the inputs dna, dnase. Received: dna."):
        attribute(model, {"dna": inputs["dna"]})
    with pytest.raises(InputError, match="'dnase' of the model has the shape"):
        attribute(model, {**inputs, "dnase": inputs["dnase"][:, 1:]})
    with pytest.raises(InputError, match="All inputs have the same windows"):
        attribute(model, {**inputs, "dnase": inputs["dnase"][1:]})
    with pytest.raises(InputError, match="no windows to attribute"):
        attribute(model, {name: part[:0] for name, part in inputs.items()})
    with pytest.raises(InputError, match="no model to attribute"):
        attribute([], inputs)
    with pytest.raises(InputError, match="Model 1 reads or predicts other things than model 0"):
        attribute([model, built("jund_dnase")[0]], inputs)


def test_gradients_of_structures_and_of_what_is_not_used():
    def squares(parts):
        return keras.ops.sum(parts["used"] ** 2)

    function = compile_function(lambda parts: value_and_gradient(squares, parts))
    parts = {"used": np.array([1.0, -2.0], dtype=np.float32), "unused": np.ones(3, dtype=np.float32)}
    value, gradient = function(parts)
    assert value == 5
    assert gradient["used"].tolist() == [2, -4]
    assert gradient["unused"].tolist() == [0, 0, 0]


def test_the_benchmark_sets_both_methods_beside_their_limits():
    from benchmarks.bench_attribution import time_order

    numbers = [float(part) for part in re.findall(r"\d+\.\d+", time_order(1, windows=4))]
    assert len(numbers) == 4
    assert min(numbers) > 0
