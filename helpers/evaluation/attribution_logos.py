"""Attributions from a file as tracks, and the stretch of a region where they are strongest."""

import os
from collections.abc import Sequence

import numpy as np

from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, mean_over_windows, read_attributions
from helpers.evaluation.logos import BASES
from helpers.evaluation.sequence_tracks import SeqTrack
from helpers.evaluation.track_signal import Stretch
from helpers.evaluation.zoomed_tracks import Zoom


def attribution_tracks(path: str | os.PathLike, region: tuple[str, int, int], *, name: str = "") -> list[SeqTrack]:
    """Make a track of the attribution of the bases of a region, for each output and sequence input of a file.

    Parameters
    ----------
    path : path
        File of `helpers.evaluation.attribution_files.write_attributions`.
    region : (str, int, int)
        chrom, start, end, in bp, 0-based, half-open.
    name : str
        Name of the model, for the labels.

    Returns
    -------
    list of SeqTrack

    Raises
    ------
    InputError
        For a file that cannot be read, one without sequences, and one none of whose windows touches the region.
    """
    attributions = read_attributions(path)
    if not attributions.sequences:
        inputs = ", ".join(attributions.inputs)
        message = f"{path} has no sequence to draw as letters, only {inputs}. Choose a model that reads DNA."
        raise InputError(message)
    tracks = []
    for output in attributions.outputs:
        for source in attributions.sequences:
            words = ", ".join(word for word in (name, output if len(attributions.outputs) > 1 else "") if word)
            label = f"attribution to {source}" + (f" ({words})" if words else "")
            tracks.append(SeqTrack(attributed_stretch(attributions, output, source, region), label=label))
    return tracks


def zoom_on_strongest(tracks: Sequence[SeqTrack], region: tuple[str, int, int], length: int) -> Zoom:
    """Choose the stretch of a region whose bases have the largest attributions, whatever their sign.

    A base counts the more the nearer it is to the middle of the stretch (Bartlett's weights), so that what is strong
    stands there.

    Parameters
    ----------
    tracks : sequence of SeqTrack
        Of `attribution_tracks`; their absolute values are summed.
    region : (str, int, int)
        chrom, start, end, in bp, 0-based, half-open.
    length : int
        bp of the stretch; a shorter region is taken whole.

    Returns
    -------
    Zoom
        On the leftmost of equal stretches, with the same tracks.
    """
    chrom, start, end = region
    strength = sum(np.nansum(np.abs(track.read(chrom, start, end)), axis=1) for track in tracks)
    length = min(length, end - start)
    sums = np.convolve(strength, np.bartlett(length + 2)[1:-1], mode="valid")
    first = start + int(np.argmax(sums))
    return Zoom(list(tracks), chrom, first, first + length)


def attributed_stretch(attributions: Attributions, output: str, source: str, region: tuple[str, int, int]) -> Stretch:
    """Give the attribution of the bases of a stretch.

    Parameters
    ----------
    attributions : Attributions
    output, source : str
        The output that is attributed, and the sequence input that it is attributed to.
    region : (str, int, int)
        Stretch: chrom, start, end, in bp, 0-based, half-open.

    Returns
    -------
    Stretch
        Of A, C, G and T; the mean of the windows, flanks included, that cover a base, NaN where none does.

    Raises
    ------
    InputError
        When no window touches it.
    """
    mean = mean_over_windows(attributions, output, source, region)
    if np.isnan(mean).all():
        chrom, start, end = region
        message = (
            f"No window that was attributed touches {chrom}:{start}-{end}. Choose a region that holds some of "
            "windows.tsv, or raise `windows` of the study's attribution."
        )
        raise InputError(message)
    return Stretch(mean, region, conditions=list(BASES), name=source)
