"""Attributions of windows of a genome: of datasets, turned to the plus strand, with their places."""

from collections.abc import Mapping, Sequence
from typing import Any

from helpers.data.coverage import Cover
from helpers.data.same_windows import check_same_windows
from helpers.data.sequence import Bioseq
from helpers.errors import InputError
from helpers.evaluation.attribution import attribute
from helpers.evaluation.attribution_files import Attributions, InputLayout
from helpers.evaluation.base_attribution import turn_to_genome


def attribute_windows(
    models: Any,
    inputs: Mapping[str, Any],
    *,
    outputs: Mapping[str, int | Sequence[int]] | None = None,
    **settings: Any,
) -> Attributions:
    """Attribute the outputs of models to the genome under the windows of datasets.

    Parameters
    ----------
    models : keras.Model or sequence of keras.Model
        Replicates, see `helpers.evaluation.attribution.attribute`.
    inputs : mapping of str to Bioseq or Cover
        By the names of the model's inputs; all of the same windows, each with its own flank.
    outputs : mapping of str to int or sequence of int, optional
        Name to the unit of the model; see `attribute`.
    **settings
        Of `helpers.evaluation.attribution.AttributionSettings`.

    Returns
    -------
    Attributions
        One row for each window, in the presented order.

    Raises
    ------
    InputError
        For other datasets, datasets of other windows, and as `attribute`.
    """
    layouts = {name: layout_of(name, dataset) for name, dataset in inputs.items()}
    check_same_windows(inputs)
    first = next(iter(inputs.values())).gindexer
    names = [f"{window.chrom}:{window.start}-{window.end}" for window in first.to_regions().itertuples()]
    found = attribute(models, inputs, outputs=outputs, names=names, **settings)
    values = {
        output: {
            name: turn_to_genome(part, inputs[name].gindexer.windows(), layouts[name].resolution)
            for name, part in parts.items()
        }
        for output, parts in found.values.items()
    }
    return Attributions(first.to_regions(), layouts, values, found.checks, settings)


def layout_of(name: str, dataset: Any) -> InputLayout:
    """Describe a dataset; InputError unless it is a `Bioseq` of DNA or a `Cover` with windows."""
    if isinstance(dataset, Bioseq) and dataset.alphabet.has_strands:
        return InputLayout("sequence", dataset.gindexer.flank, 1, list("ACGT"))
    if isinstance(dataset, Cover):
        return InputLayout("coverage", dataset.gindexer.flank, dataset.resolution, list(dataset.conditions))
    msg = f"Input {name!r} is a Bioseq of DNA or a Cover, which know their place. Received: {dataset!r:.80}."
    raise InputError(msg)
