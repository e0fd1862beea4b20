"""The linear baselines, against the regressions of scikit-learn."""

import logging

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from helpers.data.inputs import Split
from helpers.data.labels import Labels
from helpers.data.sequence import Bioseq, kmer_codes
from helpers.errors import InputError
from helpers.model import linear, regression
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.feature_layers import KmerCounts
from helpers.model.linear import PENALTIES, fit_linear
from helpers.model.regression import logistic_fits, ridge_fits
from helpers.model.runs import build_and_fit
from helpers.model.training import load_model, predict, save_model

K = 2
MOTIF = [0, 1, 2]  # ACG


def windows_with_motif(windows, seed):
    """Codes of order K and labels: positive windows hold the motif three times."""
    rng = np.random.default_rng(seed)
    letters = rng.integers(0, 4, (windows, 60)).astype(np.uint8)
    labels = np.arange(windows) % 3 == 0
    for start in (5, 25, 45):
        letters[labels, start : start + 3] = MOTIF
    return kmer_codes(letters, K), labels.astype(int)


def data(windows=300, seed=0, *, targets=None):
    codes, labels = windows_with_motif(windows, seed)
    return JangguSequence({"dna": codes}, {"bound": labels if targets is None else targets(labels)})


def network(size=1, activation="sigmoid"):
    return build_model("kmer_linear", {"dna": InputSpec((59,), "sequence", K)}, OutputSpec("bound", size, activation))


def standardised(batches, mean=None, scale=None):
    counts = np.asarray(KmerCounts(K)(batches.inputs["dna"])).astype(float)
    mean, scale = (counts.mean(axis=0), counts.std(axis=0)) if mean is None else (mean, scale)
    return (counts - mean) / scale, mean, scale


def test_labels_are_fitted_by_logistic_regression_with_the_best_penalty(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    model, training, validation = network(), data(), data(seed=1)
    history = fit_linear(model, training, validation, loss="binary_crossentropy")
    assert history.columns.tolist() == ["output", "penalty", "loss", "val_loss", "converged", "chosen"]
    assert history["penalty"].tolist() == list(PENALTIES)
    assert history["converged"].all()
    assert (history["loss"].diff().dropna() < 1e-6).all(), "a weaker penalty fits the training windows better"
    chosen = history[history["chosen"]]
    assert chosen["val_loss"].tolist() == [history["val_loss"].min()]
    assert 0 < chosen.index[0] < len(PENALTIES) - 1, "neither end of the grid is best"
    features, mean, scale = standardised(training)
    reference = LogisticRegression(C=1 / (chosen["penalty"].item() * 300), tol=1e-8, max_iter=10_000)
    reference.fit(features, training.targets()[:, 0])
    held_out = standardised(validation, mean, scale)[0]
    predicted = predict(model, validation)
    np.testing.assert_allclose(predicted[:, 0], reference.predict_proba(held_out)[:, 1], atol=2e-4)
    losses = keras.losses.binary_crossentropy(validation.targets(), predicted)
    assert np.mean(losses) == pytest.approx(chosen["val_loss"].item(), rel=1e-4)
    assert "output 0: penalty" in caplog.text
    save_model(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(load_model(tmp_path / "model.keras"), validation), predicted)


def test_values_are_fitted_by_ridge_regression_each_output_by_itself():
    def values(labels):
        noise = np.random.default_rng(len(labels)).normal(size=len(labels))
        return np.stack([5 + 2 * labels + noise / 4, noise], axis=1)

    model, training, validation = network(2, "linear"), data(targets=values), data(240, seed=1, targets=values)
    history = fit_linear(model, training, validation, loss="mse", penalties=(1.0, 0.1, 0.01))
    chosen = history[history["chosen"]].set_index("output")["penalty"]
    assert chosen[1] == 1.0, "noise wants the strongest penalty"
    features, mean, scale = standardised(training)
    held_out = standardised(validation, mean, scale)[0]
    for output, penalty in chosen.items():
        reference = Ridge(alpha=penalty * 300).fit(features, training.targets()[:, output].astype(float))
        np.testing.assert_allclose(predict(model, validation)[:, output], reference.predict(held_out), atol=1e-4)
    error = np.mean((predict(model, validation) - validation.targets()) ** 2, axis=0)
    np.testing.assert_allclose(error, history[history["chosen"]]["val_loss"], rtol=1e-4)


def test_a_kmer_that_never_changes_gets_no_weight():
    codes, labels = windows_with_motif(60, 0)
    codes[codes == 15] = 16  # AA and TT never occur
    codes[codes == 0] = 16
    batches = JangguSequence({"dna": codes}, {"bound": labels})
    model = network()
    fit_linear(model, batches, batches, loss="binary_crossentropy", penalties=(0.1,))
    kernel = model.layers[-1].get_weights()[0]
    assert kernel[0, 0] == 0
    assert np.isfinite(kernel).all()


def test_fits_that_did_not_converge_are_said_and_not_chosen(monkeypatch, caplog):
    monkeypatch.setattr(regression, "_MAX_ITERATIONS", 6)
    history = fit_linear(network(), data(), data(seed=1), loss="binary_crossentropy", penalties=(100.0, 1e-4))
    assert history["converged"].tolist() == [True, False]
    assert history["chosen"].tolist() == [True, False]
    assert "1 penalties did not converge" in caplog.text
    with pytest.raises(InputError, match=r"output 0 converged with none of \[0.0001\]"):
        fit_linear(network(), data(), data(seed=1), loss="binary_crossentropy", penalties=(1e-4,))


@pytest.mark.parametrize(
    ("activation", "loss", "targets", "message"),
    [
        ("sigmoid", "mse", None, "loss: 'mse' does not fit an output with the activation 'sigmoid'"),
        ("linear", "binary_crossentropy", None, "activation 'linear'"),
        ("sigmoid", "hinge", None, "'hinge'"),
        ("sigmoid", "binary_crossentropy", np.zeros_like, r"No output has both labels.*60 .*windows .output 0: 0."),
        ("sigmoid", "binary_crossentropy", lambda labels: labels * 0.5, "Output 0 is 0.5 in training window 0"),
        ("linear", "mse", lambda labels: np.where(labels, np.nan, 1.0), "Output 0 is nan in training window 0"),
    ],
)
def test_mistakes_are_named(activation, loss, targets, message):
    with pytest.raises(InputError, match=message):
        fit_linear(network(activation=activation), data(60, targets=targets), data(30), loss=loss)


@pytest.mark.parametrize("windows", [0, -3])
def test_a_number_of_windows_is_above_zero(windows):
    with pytest.raises(InputError, match=f"windows: {windows} is not a number of windows"):
        fit_linear(network(), data(60), data(30), loss="binary_crossentropy", windows=windows)


def test_a_wrong_label_is_named_by_its_window_among_all():
    late = data(60, targets=lambda labels: np.where(np.arange(60) == 59, 2, labels))
    with pytest.raises(InputError, match="Output 0 is 2.0 in training window 59. Labels are 0 or 1"):
        fit_linear(network(), late, data(30), loss="binary_crossentropy", windows=59, seed=1)


def test_penalties_are_above_zero():
    with pytest.raises(InputError, match=r"above 0. Received: \[1.0, 0.0\]"):
        fit_linear(network(), data(60), data(30), loss="binary_crossentropy", penalties=[1.0, 0.0])


def uncorrelated(windows=400, features=5, seed=0):
    """Centred, uncorrelated features of different variance, and 1 in the last column."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(np.column_stack([np.ones(windows), rng.normal(size=(windows, features))]))[0][:, 1:]
    return np.column_stack([axes * np.sqrt(windows) * 3.0 ** -np.arange(features), np.ones(windows)])


def objective(weights, features, labels, penalty):
    scores = features @ weights
    return np.mean(np.logaddexp(0, scores) - labels * scores) + penalty / 2 * weights[:-1] @ weights[:-1]


def test_logistic_regressions_of_many_outputs_are_those_of_scikit_learn():
    """Of rare and frequent labels, noise, and labels that a line separates."""
    features, penalties = uncorrelated(), (3.0, 0.1, 1e-3, 1e-5)
    rng = np.random.default_rng(1)
    scores = features[:, :-1] @ rng.normal(size=(5, 3)) * 2 + rng.logistic(size=(400, 3)) - [0, 5, -2]
    labels = np.column_stack([scores > 0, rng.random(400) < 0.5, features[:, 0] > 1]).astype(float)
    assert 2 <= labels[:, 1].sum() <= 40
    variances = np.mean(features**2, axis=0)
    for penalty, fits in zip(penalties, logistic_fits(features, variances, labels, penalties), strict=True):
        assert fits.converged.all()
        for column, weights in zip(labels.T, fits.weights.T, strict=True):
            reference = LogisticRegression(C=1 / (penalty * 400), tol=1e-9, max_iter=100_000, solver="newton-cg")
            reference.fit(features[:, :-1], column)
            known = np.append(reference.coef_[0], reference.intercept_)
            assert objective(weights, features, column, penalty) <= objective(known, features, column, penalty) + 2e-9
            np.testing.assert_allclose(weights, known, rtol=2e-2, atol=2e-3)


def test_ridge_regressions_of_many_outputs_are_those_of_scikit_learn():
    features = uncorrelated()
    targets = np.random.default_rng(1).normal(size=(400, 3)) + features[:, :3] + [0, 5, 100]
    variances = np.mean(features**2, axis=0)
    for penalty, fits in zip((1.0, 1e-3), ridge_fits(features, variances, targets, (1.0, 1e-3)), strict=True):
        reference = Ridge(alpha=penalty * 400).fit(features[:, :-1], targets)
        np.testing.assert_allclose(fits.weights, np.vstack([reference.coef_.T, reference.intercept_]), atol=1e-9)


def several(labels):
    """Labels of five outputs, of which the second and the fourth are the same in all windows."""
    others = np.random.default_rng(len(labels)).random((len(labels), 2)) < [0.5, 0.05]
    ones = np.ones_like(labels)
    return np.column_stack([labels, 0 * ones, others[:, 0], ones, others[:, 1]]).astype(int)


def test_an_output_with_one_label_is_predicted_as_a_constant_and_the_others_as_without_it(monkeypatch, caplog):
    monkeypatch.setattr(linear, "_OUTPUTS_AT_ONCE", 2)
    model, validation = network(5), data(150, seed=1, targets=several)
    history = fit_linear(model, data(targets=several), validation, loss="binary_crossentropy")
    assert history["output"].tolist() == [0] * 13 + [1] + [2] * 13 + [3] + [4] * 13
    rows = history[history["output"].isin([1, 3])]
    assert rows["penalty"].tolist() == [np.inf, np.inf]
    assert rows["chosen"].all()
    assert rows["converged"].all()
    np.testing.assert_allclose(rows["val_loss"], -np.log(300.5 / 301))
    predicted = predict(model, validation)
    np.testing.assert_allclose(predicted[:, [1, 3]], [[0.5 / 301, 300.5 / 301]] * 150, rtol=1e-5)
    assert "output 1: all 300 training windows have the label 0" in caplog.text
    assert "output 3: all 300 training windows have the label 1" in caplog.text
    for output in (0, 2, 4):
        alone, one = network(), lambda labels, output=output: several(labels)[:, output]
        fit_linear(alone, data(targets=one), data(150, seed=1, targets=one), loss="binary_crossentropy")
        np.testing.assert_allclose(predict(alone, validation)[:, 0], predicted[:, output], atol=1e-4)


def test_a_value_that_never_changes_is_predicted_as_it_is():
    model, constant = network(1, "linear"), lambda labels: np.full(len(labels), 7.5)
    fit_linear(model, data(60, targets=constant), data(30, targets=constant), loss="mae")
    np.testing.assert_allclose(predict(model, data(30)), 7.5)


def test_windows_are_drawn_by_the_seed(caplog):
    caplog.set_level(logging.INFO)
    training, validation = data(), data(seed=1)
    kernels = {}
    for windows, seed in ((100, 3), (100, 4), (300, 3), (None, 3)):
        model = network()
        fit_linear(model, training, validation, loss="binary_crossentropy", windows=windows, seed=seed)
        kernels[windows, seed] = model.get_weights()[-2]
    assert "fitting on 100 of 300 training windows, drawn at random with seed 3" in caplog.text
    np.testing.assert_array_equal(kernels[300, 3], kernels[None, 3])
    assert not np.allclose(kernels[100, 3], kernels[100, 4], atol=1e-3)
    rows = np.sort(np.random.default_rng(3).choice(300, 100, replace=False))
    drawn = JangguSequence({"dna": training.inputs["dna"][rows]}, {"bound": training.output[rows]})
    model = network()
    fit_linear(model, drawn, validation, loss="binary_crossentropy")
    np.testing.assert_array_equal(model.get_weights()[-2], kernels[100, 3])


def test_features_that_take_too_much_memory_are_refused(monkeypatch):
    monkeypatch.setattr(linear, "_MOST_BYTES", 8 * 200 * 11)  # 10 canonical 2-mers and the intercept
    with pytest.raises(InputError, match="features of 300 windows.*Set training: windows: to at most 200"):
        fit_linear(network(), data(), data(100), loss="binary_crossentropy")
    fit_linear(network(), data(), data(100), loss="binary_crossentropy", penalties=(0.1,), windows=200)


def test_a_plan_fits_a_baseline_to_labels_that_are_kept_as_bits(tmp_path):
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACGT"), 6000)
    labels = rng.random((100, 9)) < 0.4
    labels[:, 8] = False
    for row in np.flatnonzero(labels[:, 0]):
        letters[60 * row + 10 : 60 * row + 40] = list("ACG" * 10)
    (tmp_path / "genome.fa").write_text(">chr1\n" + "".join(letters) + "\n")
    regions = pd.DataFrame({"chrom": "chr1", "start": np.arange(100) * 60, "end": np.arange(100) * 60 + 60})
    dna = Bioseq.create_from_refgenome("dna", tmp_path / "genome.fa", roi=regions, binsize=60, order=2)
    names = list("abcdefghi")
    split = Split(regions, {"dna": dna}, Labels.pack(labels, names), names)
    plan = {"architecture": "kmer_linear", "params": {"k": 2}, "inputs": {"dna": {"kind": "sequence", "order": 2}}}
    settings = {"loss": "binary_crossentropy", "batch_size": 16, "epochs": 3, "patience": 1, "windows": 80}
    model, history = build_and_fit(plan, split, split, settings=settings, seed=5)
    chosen = history[history["chosen"]]
    assert chosen["output"].tolist() == list(range(9))
    assert np.isinf(chosen["penalty"]).tolist() == [False] * 8 + [True]
    predicted = predict(model, split.inputs)
    assert ((predicted[:, 0] > 0.5) == labels[:, 0]).mean() > 0.95
    net = {**plan, "architecture": "jund_dna", "params": {"width": 3, "pool": 5, "filters": 2}}
    history = build_and_fit(net, split, split, settings={**settings, "epochs": 1}, seed=5)[1]
    assert history["epoch"].tolist() == [1], "a network leaves the limit of a linear model aside"


def test_weights_of_samples_are_refused():
    batches = data(60)
    weighed = JangguSequence(batches.inputs, batches.outputs, np.ones(60))
    with pytest.raises(InputError, match="no weights of samples"):
        fit_linear(network(), weighed, batches, loss="binary_crossentropy")
