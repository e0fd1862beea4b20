"""The linear baseline: scikit-learn's regressions, inside a Keras model."""

import logging

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from helpers.data.sequence import kmer_codes
from helpers.errors import InputError
from helpers.model import linear
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.layers import KmerCounts
from helpers.model.linear import PENALTIES, fit_kmer_linear
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
    history = fit_kmer_linear(model, training, validation, loss="binary_crossentropy")
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
    history = fit_kmer_linear(model, training, validation, loss="mse", penalties=(1.0, 0.1, 0.01))
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
    fit_kmer_linear(model, batches, batches, loss="binary_crossentropy", penalties=(0.1,))
    kernel = model.layers[-1].get_weights()[0]
    assert kernel[0, 0] == 0
    assert np.isfinite(kernel).all()


def test_fits_that_did_not_converge_are_said_and_not_chosen(monkeypatch, caplog):
    monkeypatch.setattr(linear, "_MAX_ITERATIONS", 15)
    history = fit_kmer_linear(network(), data(), data(seed=1), loss="binary_crossentropy", penalties=(100.0, 1e-4))
    assert history["converged"].tolist() == [True, False]
    assert history["chosen"].tolist() == [True, False]
    assert "1 penalties did not converge" in caplog.text
    with pytest.raises(InputError, match=r"output 0 converged with none of \[0.0001\]"):
        fit_kmer_linear(network(), data(), data(seed=1), loss="binary_crossentropy", penalties=(1e-4,))


@pytest.mark.parametrize(
    ("activation", "loss", "targets", "message"),
    [
        ("sigmoid", "mse", None, "loss: 'mse' does not fit an output with the activation 'sigmoid'"),
        ("linear", "binary_crossentropy", None, "activation 'linear'"),
        ("sigmoid", "hinge", None, "'hinge'"),
        ("sigmoid", "binary_crossentropy", np.zeros_like, r"Output 0 has \[0.0\] as labels in training"),
    ],
)
def test_mistakes_are_named(activation, loss, targets, message):
    with pytest.raises(InputError, match=message):
        fit_kmer_linear(network(activation=activation), data(60, targets=targets), data(30), loss=loss)


def test_weights_of_samples_are_refused():
    batches = data(60)
    weighed = JangguSequence(batches.inputs, batches.outputs, np.ones(60))
    with pytest.raises(InputError, match="no weights of samples"):
        fit_kmer_linear(network(), weighed, batches, loss="binary_crossentropy")
