"""A page of loci, opened from a file in a real browser without a network: what is drawn, and where a reader gets to."""

import numpy as np
import pytest
from drawn_tracks import check_drawing
from loci_files import HOSTILE, LENGTH, make_page

from helpers.evaluation.loci_page import write_loci_page
from helpers.sources.igv import fetch_igv


@pytest.fixture(scope="module")
def used(tmp_path_factory, tools):
    """Write a page with hostile names and use it: (the page, its address, what was seen)."""
    page, folder = make_page(HOSTILE), tmp_path_factory.mktemp("loci")
    fetch_igv(folder / "igv.min.js")
    fetch_igv(folder / "igv.min.js", offline=True)  # its own checksum is that of the package's program
    write_loci_page(folder / "index.html", page, folder / "igv.min.js")
    address = (folder / "index.html").as_uri()
    return page, address, tools.use("draw_loci.mjs", address, folder / "screenshot.png")


def heights(page, name, output, chrom):
    [track] = [track for track in page.tracks if (track.name, track.output) == (name, output)]
    values = np.zeros(LENGTH)
    for start, end, value in track.features[chrom]:
        values[start:end] = value
    return values


def sequences(page):
    """Letters of each stretch by contig, and the first base of the stretch."""
    for part in page.sequence.split(">")[1:]:
        header, letters = part.split("\n")[:2]
        chrom, place = header.split(" ")[0].split(":")
        yield chrom, int(place.split("-")[0]) - 1, letters


def place(locus):
    ends = f"-{locus.end:,}" if locus.end > locus.start + 1 else ""
    return f"{locus.chrom}:{locus.start + 1:,}{ends}"


@pytest.mark.slow
def test_a_page_of_loci_works_without_a_network(used):
    page, address, seen = used
    assert seen["problems"] == []
    assert seen["asked"] == [address], "the page asks for nothing but itself"
    assert seen["hacked"] == [None, 0]

    outputs = list(dict.fromkeys(page.loci["output"]))
    own = page.loci[page.loci["output"] == outputs[0]].reset_index(drop=True)
    assert seen["outputs"] == outputs
    assert [entry.split("\n")[0] for entry in seen["entries"]] == [place(locus) for locus in own.itertuples()]
    sizes = own.groupby("kind", sort=False).size()
    assert seen["headings"] == [f"{page.kinds[kind]} ({size})" for kind, size in sizes.items()]

    first, view = own.iloc[0], page.views.iloc[0]
    assert (seen["first"]["chr"], seen["first"]["chosen"], seen["first"]["shaded"]) == (first["chrom"], 0, 1)
    assert (seen["first"]["start"], seen["first"]["end"]) == pytest.approx((view["start"], view["end"]), abs=0.6)
    assert seen["first"]["place"] == place(first)
    drawn = [*(track.name for track in page.tracks if track.output == outputs[0]), f"{HOSTILE} reads"]
    assert seen["first"]["labels"][2:] == drawn
    values = heights(page, "predicted", outputs[0], first["chrom"])
    assert len(set(check_drawing(seen["predicted"], values))) > 4, "bars of several heights"

    [letters] = [
        text[view["start"] - at :]
        for chrom, at, text in sequences(page)
        if chrom == view["chrom"] and at <= view["start"] < at + len(text)
    ]
    sequence = seen["first"]["sequence"]
    assert len(sequence) > 2000
    assert letters[round(seen["first"]["start"]) - view["start"] :].startswith(sequence)


@pytest.mark.slow
def test_a_reader_moves_from_locus_to_locus(used):
    page, _, seen = used
    outputs = list(dict.fromkeys(page.loci["output"]))
    own = page.loci[page.loci["output"] == outputs[0]].reset_index(drop=True)
    for step, row in (("second", 1), ("third", 2), ("back", 1), ("found", 2)):
        assert seen[step]["chosen"] == row, step
        assert seen[step]["chr"] == own["chrom"][row], step
        assert seen[step]["place"] == place(own.iloc[row]), step
        assert seen[step]["start"] <= own["start"][row], step
        assert seen[step]["shaded"] == 1, step
    check_drawing(seen["moved"], heights(page, "predicted", outputs[0], own["chrom"][1]))
    assert seen["close"]["end"] - seen["close"]["start"] == pytest.approx(200 + 2 * 60, abs=3)
    assert all(sum(base["columns"]) > 20 for base in seen["letters"]), "each letter in its colour"
    assert "No locus" in seen["elsewhere"]["message"]
    assert seen["elsewhere"]["place"] == seen["back"]["place"]
    assert seen["found"]["end"] - seen["found"]["start"] == pytest.approx(300, abs=3)
    assert HOSTILE in seen["popup"], "as text"
    assert seen["told"] == ["Error: a place that cannot be drawn", "done"], "what fails is told, the next is done"
    other = page.loci[page.loci["output"] == outputs[1]].iloc[0]
    assert (seen["other"]["chosen"], seen["other"]["place"]) == (0, place(other))
    assert seen["other"]["labels"][2:] == ["predicted", "observed", f"{HOSTILE} reads"]
