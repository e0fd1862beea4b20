"""Pixels of a track of igv.js against the values that it draws."""

import numpy as np


def check_drawing(track, values, upto=1.0):
    """Compare the height of each column of pixels with the value of its base, away from the edges of bars.

    `track` is what ``measure`` of ``tests/browser/open.mjs`` gives, `values` has one value for each base of the contig,
    and the highest bar, as high as the track, stands for `upto`.
    """
    edge = int(2 * track["bpPerPixel"])
    columns = np.array(track["columns"])
    bases = (track["first"] + (np.arange(len(columns)) + 0.5) * track["bpPerPixel"]).astype(int)
    seen = (bases >= max(track["start"], edge)) & (bases < track["end"] - edge)
    assert seen.sum() > 0.95 * (track["end"] - track["start"]) / track["bpPerPixel"]
    columns, bases = columns[seen], bases[seen]
    flat = (values[bases] == values[bases - edge]) & (values[bases] == values[bases + edge])
    assert flat.mean() > 0.8
    np.testing.assert_allclose(columns[flat], (values[bases] / upto * track["height"])[flat], atol=2.5)  # pixels
    return columns[flat]
