"""Attributions against slow sums in double precision: linear models, a small network, changed bases."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.kmers import kmer_codes, one_hot
from helpers.data.sequence import encode_letters
from helpers.errors import InputError
from helpers.evaluation.attribution import AttributionSettings, attribute
from helpers.evaluation.attribution_references import make_references
from helpers.evaluation.base_attribution import letters_of_kmers, on_letters, spread_kmers
from helpers.evaluation.path_steps import even_steps, refine_steps
from helpers.model.bodies import InputSpec
from helpers.model.layers import OneHotCodes

LENGTH = 12
LETTERS = np.stack([encode_letters(text) for text in (b"ACGTTTGACCGA", b"GGNACTTAANCT", b"TTTTTTTTTTTT")])


def linear_model(order, weights, bias=0.3, activation="sigmoid"):
    """Weights of each k-mer at each position, shape (positions, 4**order) or with units behind."""
    weights = weights if weights.ndim == 3 else weights[..., None]
    codes = keras.Input((weights.shape[0],), name="dna", dtype="int32")
    unit = keras.layers.Dense(weights.shape[2], activation=activation, name="bound")
    model = keras.Model({"dna": codes}, {"bound": unit(keras.layers.Flatten()(OneHotCodes(order)(codes)))})
    unit.set_weights([weights.reshape(-1, weights.shape[2]), np.full(weights.shape[2], bias)])
    return model


def random_weights(order, seed=0, units=()):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(LENGTH - order + 1, 4**order, *units)).astype(np.float32)


def slow_bases(kmer_values, letters, order):
    """Give each base its share of each k-mer that covers it."""
    found = np.zeros((*letters.shape, 4))
    for row, position in np.ndindex(kmer_values.shape):
        for place in range(order):
            letter = letters[row, position + place]
            if letter < 4:
                found[row, position + place, letter] += kmer_values[row, position] / order
    return found


@pytest.mark.parametrize("method", ["integrated_gradients", "input_x_gradient"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_attribution_of_a_linear_model_is_weight_times_input(order, method):
    weights, codes = random_weights(order), kmer_codes(LETTERS, order)
    own = np.array([[weights[p, c] if c < 4**order else 0 for p, c in enumerate(row)] for row in codes])
    found = attribute(linear_model(order, weights), {"dna": codes}, method=method)
    np.testing.assert_allclose(found.values["bound"]["dna"], slow_bases(own, LETTERS, order), atol=2e-6)
    checks = found.checks["bound"]
    np.testing.assert_allclose(checks["change"], own.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(checks["sum"], own.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(checks["error"], np.abs(checks["sum"] - checks["change"]))
    assert (checks["steps"] == (32 if method == "integrated_gradients" else 1)).all()


@pytest.mark.parametrize("order", [1, 2])
def test_a_uniform_reference_centres_the_weights_where_there_is_a_base(order):
    weights, codes = random_weights(order), kmer_codes(LETTERS, order)
    centred = weights - weights.mean(axis=1, keepdims=True)
    own = np.array([[centred[p, c] if c < 4**order else 0 for p, c in enumerate(row)] for row in codes])
    found = attribute(linear_model(order, weights), {"dna": codes}, baseline="uniform")
    np.testing.assert_allclose(found.values["bound"]["dna"], slow_bases(own, LETTERS, order), atol=3e-6)
    np.testing.assert_allclose(found.checks["bound"]["sum"], own.sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("order", [1, 3])
def test_shuffled_references_are_averaged(order):
    weights, codes = random_weights(order), kmer_codes(LETTERS, order)
    specs = {"dna": InputSpec((codes.shape[1],), "sequence", order)}
    references = make_references({"dna": codes}, specs, baseline="shuffled", count=4, seed=5)
    assert len(references) == 4
    others = [one_hot(reference["dna"], order)[:, :, 0] for reference in references.values]
    ways = one_hot(codes, order)[:, :, 0] - np.mean(others, axis=0)
    own = (ways * weights).sum(axis=2)
    found = attribute(linear_model(order, weights), {"dna": codes}, baseline="shuffled", references=4, seed=5)
    np.testing.assert_allclose(found.values["bound"]["dna"], slow_bases(own, LETTERS, order), atol=3e-6)
    np.testing.assert_allclose(found.checks["bound"]["change"], own.sum(axis=1), atol=1e-5)


def test_inputs_with_the_same_bases_of_a_window_get_the_same_shuffle():
    rng = np.random.default_rng(8)
    letters = rng.integers(0, 4, (6, 60)).astype(np.uint8)
    letters[2, 20] = 4
    other = letters.copy()
    other[4, 30] = (other[4, 30] + 1) % 4  # a window that the two inputs do not share
    sequences = {"one": (letters, 1), "three": (other, 3), "inner": (letters[:, 10:50], 1)}
    values = {name: kmer_codes(part, order) for name, (part, order) in sequences.items()}
    specs = {name: InputSpec((60,), "sequence", order) for name, (_, order) in sequences.items()}
    references = make_references(values, specs, baseline="shuffled", count=3, seed=5)
    alone = make_references({"one": values["one"]}, {"one": specs["one"]}, baseline="shuffled", count=1, seed=5)
    assert (references.values[0]["one"] == alone.values[0]["one"]).all()
    for reference in references.values:
        bases = {name: letters_of_kmers(reference[name], order) for name, (_, order) in sequences.items()}
        same = (bases["one"] == bases["three"]).all(axis=1)
        assert same.tolist() == [True, True, True, True, False, True]
        assert not (bases["one"][:, 10:50] == bases["inner"]).all(axis=1).any()
        for name, (part, _) in sequences.items():
            assert (np.sort(bases[name], axis=1) == np.sort(part, axis=1)).all()
            assert (bases[name] != part).any(axis=1).all()


def test_each_output_is_attributed_by_itself_or_summed():
    weights = random_weights(1, units=(3,))
    model, codes = linear_model(1, weights, activation="softmax"), LETTERS
    hot = np.eye(5)[codes][..., :4]
    found = attribute(model, {"dna": codes})
    assert list(found.values) == ["bound_0", "bound_1", "bound_2"]
    for unit in range(3):
        np.testing.assert_allclose(found.values[f"bound_{unit}"]["dna"], hot * weights[..., unit], atol=2e-6)
    chosen = attribute(model, {"dna": codes}, outputs={"last": 2, "both": [0, 2]}).values
    assert list(chosen) == ["last", "both"]
    np.testing.assert_allclose(chosen["both"]["dna"], hot * (weights[..., 0] + weights[..., 2]), atol=2e-6)
    with pytest.raises(InputError, match=r"'gone' is unit \[3\], but the model has 3"):
        attribute(model, {"dna": codes}, outputs={"gone": 3})


@pytest.mark.parametrize("method", ["integrated_gradients", "mutagenesis"])
def test_outputs_together_are_bit_for_bit_those_of_each_alone(method):
    model, codes = linear_model(2, random_weights(2, units=(3,)), activation="sigmoid"), kmer_codes(LETTERS, 2)
    outputs = {"last": 2, "both": [0, 2], "all": [0, 1, 2]}
    together = attribute(model, {"dna": codes}, outputs=outputs, method=method)
    for name, units in outputs.items():
        alone = attribute(model, {"dna": codes}, outputs={name: units}, method=method)
        np.testing.assert_array_equal(together.values[name]["dna"], alone.values[name]["dna"])
        np.testing.assert_array_equal(together.checks[name], alone.checks[name])


def test_replicates_are_averaged():
    weights = [random_weights(2, seed) for seed in range(3)]
    codes = kmer_codes(LETTERS, 2)
    models = [linear_model(2, part) for part in weights]
    for method in ("integrated_gradients", "mutagenesis"):
        together = attribute(models, {"dna": codes}, method=method)
        alone = [attribute(model, {"dna": codes}, method=method) for model in models]
        for name in ("change", "sum"):
            mean = np.mean([part.checks["bound"][name] for part in alone], axis=0)
            np.testing.assert_allclose(together.checks["bound"][name], mean, atol=1e-5)
        mean = np.mean([part.values["bound"]["dna"] for part in alone], axis=0)
        np.testing.assert_allclose(together.values["bound"]["dna"], mean, atol=1e-6)


def conv_model(kernel, dense):
    """One convolution with ReLU, summed up, on one-hot floats, beside coverage that multiplies it."""
    dna, signal = keras.Input((LENGTH, 1, 4), name="dna"), keras.Input((3, 2, 1), name="signal")
    conv = keras.layers.Conv1D(kernel.shape[2], len(kernel), activation="relu", use_bias=False)
    scanned = keras.layers.Flatten()(conv(keras.layers.Reshape((LENGTH, 4))(dna)))
    gate = keras.layers.Dense(1, activation="tanh", use_bias=False)
    unit = keras.layers.Dense(1, activation="sigmoid", use_bias=False, name="out")
    gated = keras.layers.Multiply()([scanned, gate(keras.layers.Flatten()(signal))])
    model = keras.Model([dna, signal], unit(gated))
    conv.set_weights([kernel])
    gate.set_weights([dense[0]])
    unit.set_weights([dense[1]])
    return model


def slow_integrated_gradients(hot, signal, kernel, dense, steps):
    """Follow the path one step at a time, with the derivative written out, in double precision."""
    width, filters = len(kernel), kernel.shape[2]
    kernel, (gate, out) = kernel.astype(float), [part.astype(float) for part in dense]
    ways = [np.zeros(hot.shape), np.zeros(signal.size)]
    for step in range(steps):
        alpha = (step + 0.5) / steps
        x, s = alpha * hot, alpha * signal.ravel()
        gated = np.tanh(s @ gate[:, 0])
        gradient_x, scanned = np.zeros(hot.shape), 0.0
        for position in range(len(hot) - width + 1):
            for number in range(filters):
                value = (x[position : position + width] * kernel[..., number]).sum()
                weight = out[position * filters + number, 0]
                scanned += weight * max(value, 0)
                if value > 0:
                    gradient_x[position : position + width] += gated * weight * kernel[..., number]
        gradient_s = scanned * (1 - gated**2) * gate[:, 0]
        ways[0] += gradient_x / steps
        ways[1] += gradient_s / steps
    return ways[0] * hot, (ways[1] * signal.ravel()).reshape(signal.shape), gated * scanned


def test_integrated_gradients_of_a_small_network_are_those_of_a_slow_loop():
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(3, 4, 5)).astype(np.float32)
    dense = [rng.normal(size=(6, 1)).astype(np.float32), rng.normal(size=(50, 1)).astype(np.float32)]
    hot = np.eye(5, dtype=np.float32)[LETTERS][:, :, None, :4]
    signal = rng.normal(size=(3, 3, 2, 1)).astype(np.float32)
    inputs = {"dna": hot, "signal": signal}
    found = attribute(conv_model(kernel, dense), inputs, steps=80, max_steps=80)
    assert found.values["out"]["dna"].shape == (3, LENGTH, 1, 4)
    assert (found.checks["out"]["error"] <= 0.01 * found.checks["out"]["change"].abs() + 1e-3).all()
    for row in range(3):
        of_dna, of_signal, _ = slow_integrated_gradients(hot[row, :, 0], signal[row], kernel, dense, 80)
        np.testing.assert_allclose(found.values["out"]["dna"][row, :, 0], of_dna, atol=1e-4)
        np.testing.assert_allclose(found.values["out"]["signal"][row], of_signal, atol=1e-4)
        np.testing.assert_allclose(found.checks["out"]["sum"][row], of_dna.sum() + of_signal.sum(), atol=1e-4)


def parabola():
    """A model whose path needs a number of steps that can be computed: F(x) = x**power."""
    x = keras.Input((1,), name="x")
    return keras.Model({"x": x}, {"y": keras.layers.Lambda(lambda part: part**40, name="y")(x)})


def test_steps_double_where_the_error_is_too_large_and_there_alone():
    values = np.array([[1.0], [0.5], [1.05]])
    found = attribute(parabola(), {"x": values}, steps=4)
    checks = found.checks["y"]
    np.testing.assert_allclose(checks["change"], values[:, 0] ** 40, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(checks["sum"], found.values["y"]["x"][:, 0], rtol=1e-6)
    assert (checks["error"] <= 0.01 * checks["change"] + 1e-3).all()
    assert set(checks["steps"]) <= {4, 8, 16, 32, 64, 128}
    assert checks["steps"][1] == 4
    assert (checks["steps"][[0, 2]] > 4).all()
    places = (np.arange(4) + 0.5) / 4
    np.testing.assert_allclose(checks["sum"][1], np.mean(40 * (0.5 * places) ** 39) * 0.5, rtol=1e-4)
    fewer = attribute(parabola(), {"x": values}, steps=4, max_steps=7, least_tolerance=9).checks["y"]
    assert (fewer["steps"] == 4).all()


def bent(places, at):
    """A target that is level up to a point, and rises from there on."""
    return np.maximum(places - at, 0), (places > at).astype(float)


def test_steps_are_cut_where_the_target_bends():
    bends = np.array([0.01, 0.37, 0.5, 0.93])
    edges = even_steps(8, len(bends))
    errors = []
    for _ in range(5):
        middles, widths = (edges[:, 1:] + edges[:, :-1]) / 2, np.diff(edges, axis=1)
        values, slopes = bent(middles, bends[:, None])
        errors.append(np.abs((slopes * widths).sum(axis=1) - (1 - bends)))
        finer = refine_steps(edges, values, slopes, np.stack([np.zeros(4), 1 - bends], axis=1))
        assert finer.shape == (4, 2 * widths.shape[1] + 1)
        assert (np.diff(finer, axis=1) > 0).all()
        assert all(np.isin(old.round(12), new.round(12)).all() for old, new in zip(edges, finer, strict=True))
        edges = finer
    assert (errors[-1] < 1e-4).all()  # 128 equal steps would be off by up to 0.004
    assert (errors[0] < 1 / 16 + 1e-9).all()


def test_steps_of_a_straight_target_are_halved():
    edges = even_steps(4, 2)
    middles = (edges[:, 1:] + edges[:, :-1]) / 2
    finer = refine_steps(edges, 2 * middles, np.full((2, 4), 2.0), np.array([[0.0, 2.0]] * 2))
    np.testing.assert_allclose(finer, even_steps(8, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.lists(st.floats(-5, 5), min_size=20, max_size=20))
def test_edges_are_always_twice_as_many_and_ascend(values, slopes):
    edges = even_steps(len(values), 1)
    finer = refine_steps(edges, np.array([values]), np.array([slopes[: len(values)]]), np.array([[0.0, 1.0]]))
    assert finer.shape == (1, 2 * len(values) + 1)
    assert (finer[0, 0], finer[0, -1]) == (0, 1)
    assert (np.diff(finer) > 0).all()


def test_windows_that_stay_incomplete_are_one_error_with_their_names():
    values = np.array([[1.0], [0.5], [1.05]])
    with pytest.raises(
        InputError, match=r"after 8 steps .* in 2 of 3 cases: a of 'y' \(error .*, c of 'y'.*Raise max_steps"
    ):
        attribute(parabola(), {"x": values}, names=["a", "b", "c"], steps=4, max_steps=8)
    checks = attribute(parabola(), {"x": values}, method="input_x_gradient").checks["y"]
    np.testing.assert_allclose(checks["sum"], 40 * checks["change"], rtol=1e-4)
    with pytest.raises(InputError, match=r"in 1 of 1 cases.*Look for missing values in the inputs\."):
        attribute(parabola(), {"x": np.array([[np.nan]])}, steps=2, max_steps=2)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_mutagenesis_changes_one_base_after_the_other(order):
    rng = np.random.default_rng(order)
    codes = keras.Input((LENGTH - order + 1,), name="dna", dtype="uint8")
    hidden = keras.layers.Dense(8, activation="relu")(keras.layers.Flatten()(OneHotCodes(order)(codes)))
    model = keras.Model({"dna": codes}, {"y": keras.layers.Dense(1, activation="sigmoid", name="y")(hidden)})
    for layer in model.layers:
        layer.set_weights([rng.normal(size=part.shape) for part in layer.get_weights()])
    found = attribute(model, {"dna": kmer_codes(LETTERS, order)}, method="mutagenesis")

    def value(letters):
        probability = model.predict_on_batch({"dna": kmer_codes(letters[None], order)})["y"][0, 0]
        return np.log(float(probability)) - np.log1p(-float(probability))

    for row, letters in enumerate(LETTERS[:2]):
        for position, letter in enumerate(letters):
            expected = np.zeros(4)
            if letter < 4:
                changed = [
                    np.where(np.arange(LENGTH) == position, other, letters) for other in range(4) if other != letter
                ]
                expected[letter] = value(letters) - np.mean([value(part) for part in changed])
            np.testing.assert_allclose(found.values["y"]["dna"][row, position], expected, atol=2e-3)
    unknown = value(np.full(LENGTH, 4, dtype=np.uint8))
    np.testing.assert_allclose(found.checks["y"]["change"][0], value(LETTERS[0]) - unknown, atol=2e-3)
    assert (found.checks["y"]["steps"] == 0).all()


def test_mutagenesis_replaces_coverage_number_by_number():
    weights = np.arange(6.0).reshape(3, 2, 1)
    x = keras.Input((3, 2, 1), name="signal")
    unit = keras.layers.Dense(1, use_bias=False, name="y")
    model = keras.Model({"signal": x}, {"y": unit(keras.layers.Flatten()(x))})
    unit.set_weights([weights.reshape(6, 1)])
    values = np.random.default_rng(0).normal(size=(4, 3, 2, 1)).astype(np.float32)
    mean = values.mean(axis=(0, 1), keepdims=True)
    for baseline, reference in (("zeros", 0), ("mean", mean)):
        for method in ("mutagenesis", "integrated_gradients", "input_x_gradient"):
            found = attribute(model, {"signal": values}, method=method, coverage_baseline=baseline)
            np.testing.assert_allclose(found.values["y"]["signal"], (values - reference) * weights, atol=1e-5)
            np.testing.assert_allclose(found.checks["y"]["error"], 0, atol=1e-5)


def test_a_window_without_bases_has_no_attribution():
    codes = np.full((1, LENGTH), 4, dtype=np.uint8)
    for method in ("mutagenesis", "integrated_gradients"):
        found = attribute(linear_model(1, random_weights(1)), {"dna": codes}, method=method)
        assert (found.values["bound"]["dna"] == 0).all()


def test_models_and_inputs_stay_as_they_are():
    model, codes = linear_model(2, random_weights(2)), kmer_codes(LETTERS, 2)
    weights, before = model.get_weights(), codes.copy()
    predicted = model.predict_on_batch({"dna": codes})["bound"]
    attribute(model, {"dna": codes}, baseline="shuffled", references=2)
    assert (codes == before).all()
    assert all((one == other).all() for one, other in zip(weights, model.get_weights(), strict=True))
    np.testing.assert_array_equal(model.predict_on_batch({"dna": codes})["bound"], predicted)
    assert model.layers[-1].activation is keras.activations.sigmoid


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "guess"}, "method: 'guess' is unknown; allowed: integrated_gradients"),
        ({"baseline": "ones"}, "baseline: 'ones' is unknown; allowed: zeros, uniform, shuffled"),
        ({"coverage_baseline": "max"}, "coverage_baseline: 'max' is unknown"),
        ({"references": 0}, "references: 0 is not a number of shuffles"),
        ({"steps": 0}, "1 <= steps <= max_steps"),
        ({"steps": 64, "max_steps": 32}, "1 <= steps <= max_steps"),
        ({"method": "mutagenesis", "baseline": "uniform"}, "zeros or shuffled"),
    ],
)
def test_wrong_settings_are_named(wrong, message):
    with pytest.raises(InputError, match=message):
        attribute(linear_model(1, random_weights(1)), {"dna": LETTERS}, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"outputs": {}}, "no output to attribute. Name one of bound with its number"),
        ({"outputs": {"bound": []}}, r"'bound' is unit \[\], but the model has 1, from 0"),
        ({"outputs": {"bound": "bound"}}, r"'bound' is unit \['bound'\], but the model has 1"),
        ({"outputs": {"bound": 0.5}}, r"is unit \[0.5\]"),
        ({"outputs": {"bound": -1}}, r"is unit \[-1\]"),
        ({"names": ["a"]}, r"same windows. Received: .*'names': 1"),
        ({"models": "model.keras"}, "is a keras.Model. Received: 'model.keras'. Load it"),
        ({"inputs": {"dna": LETTERS.tolist()}}, "'dna' is a dataset or a NumPy array. Received: "),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    right = {"models": linear_model(1, random_weights(1)), "inputs": {"dna": LETTERS}}
    with pytest.raises(InputError, match=message):
        attribute(**right | wrong)


def test_the_defaults_are_those_of_the_manual():
    chosen = AttributionSettings()
    assert (chosen.method, chosen.baseline, chosen.steps, chosen.max_steps) == (
        "integrated_gradients",
        "zeros",
        32,
        512,
    )
    np.testing.assert_allclose(chosen.allowed_error(np.array([-2.0, 0.0])), [0.021, 0.001])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=7, max_size=30), st.integers(1, 4))
def test_kmers_tell_their_bases_and_keep_their_sum(bases, order):
    letters = np.array([bases], dtype=np.uint8)
    codes = kmer_codes(letters, order)
    told = letters_of_kmers(codes, order)
    assert (kmer_codes(told, order) == codes).all()
    assert ((told == letters) | (told == 4)).all()
    values = np.where(codes < 4**order, np.random.default_rng(0).normal(size=codes.shape), 0)
    spread = spread_kmers(values, order)
    np.testing.assert_allclose(spread.sum(), values.sum(), atol=1e-12)
    placed = on_letters(spread, told)
    np.testing.assert_allclose(placed.sum(), values.sum(), atol=1e-5)
    assert ((placed != 0) <= (np.arange(4) == letters[..., None])).all()
