"""From a plan, how to build a variant and read its inputs, to a fitted model."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd

from helpers.data.augmentation import flip_orientation
from helpers.data.inputs import Split
from helpers.model.architectures import InputSpec, OutputSpec, build_model
from helpers.model.batches import JangguSequence
from helpers.model.linear import fit_linear
from helpers.model.training import train
from helpers.networks import BASELINES

OUTPUT = "labels"
_ACTIVATIONS = {"binary_crossentropy": "sigmoid", "mae": "linear", "mse": "linear"}

Plan = Mapping[str, Any]


def build(plan: Plan, windows: Split, loss: str) -> keras.Model:
    """Build the network that a plan asks for, to fit the given windows.

    Parameters
    ----------
    plan : mapping
        Of `helpers.study.model_plan`: ``architecture``, ``params``, ``inputs``.
    windows : Split
        For the shapes of inputs and output.
    loss : str
        Decides the activation of the output: sigmoid for binary cross-entropy, else linear.
    """
    inputs = {name: InputSpec.of(windows.inputs[name]) for name in plan["inputs"]}
    output = OutputSpec(OUTPUT, windows.targets.shape[1], _ACTIVATIONS[loss])
    return build_model(plan["architecture"], inputs, output, _parameters(plan))


def _parameters(plan: Plan) -> dict[str, Any]:
    if "parts" not in plan["params"]:
        return dict(plan["params"])
    parts = {
        name: (part["architecture"], part["params"], list(part["inputs"]))
        for name, part in plan["params"]["parts"].items()
    }
    return {"parts": parts}


def build_and_fit(
    plan: Plan, training: Split, validation: Split, *, settings: Mapping[str, Any], seed: int
) -> tuple[keras.Model, pd.DataFrame]:
    """Build a variant's network and train it, or fit its linear model.

    Parameters
    ----------
    plan : mapping
        Of `helpers.study.model_plan`.
    training, validation : Split
    settings : mapping
        ``loss``, ``batch_size``, ``epochs``, ``patience``, ``learning_rate``, ``global_clipnorm``; a linear model takes
        of these the loss, and ``windows``, the number of training windows that it is fitted on, all by default.
    seed : int
        Of the order of the batches, the augmentation and the windows of a linear model. The weights of a network follow
        the seed of `helpers.backend.select_backend`.

    Returns
    -------
    keras.Model
        With its best weights.
    pandas.DataFrame
        How it got there: epochs, or the grid of penalties.
    """
    options = dict(settings)
    batch_size, most = options.pop("batch_size"), options.pop("windows", None)
    model = build(plan, training, options["loss"])
    augment = {name: flip_half for name, reading in plan["inputs"].items() if reading.get("augment") == "flip"}
    fed = {"batch_size": batch_size, "codes": True}
    batches = JangguSequence(
        training.inputs, {OUTPUT: training.targets}, shuffle=True, seed=seed, augment=augment, **fed
    )
    held_out = JangguSequence(validation.inputs, {OUTPUT: validation.targets}, **fed)
    if plan["architecture"] in BASELINES:
        return model, fit_linear(model, batches, held_out, loss=options["loss"], windows=most, seed=seed)
    return model, train(model, batches, held_out, **options)


def flip_half(batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn each sample of a batch of coverage around with probability one half."""
    return flip_orientation(batch, rng.random(len(batch)) < 0.5)
