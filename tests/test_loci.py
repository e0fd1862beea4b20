"""Which loci are chosen, what is drawn of them, and the page that holds them, without a browser."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loci_files import HOSTILE, make_effects, make_page, windows

from helpers.data.regions import region_table
from helpers.data.storage import GenomeArray
from helpers.errors import InputError
from helpers.evaluation.attribution_files import Attributions, InputLayout
from helpers.evaluation.loci import LOCUS_COLUMNS, choose_loci, kind_names, mean_predictions, read_effect_table
from helpers.evaluation.loci_page import LociPage, embed_json, write_loci_page
from helpers.evaluation.loci_tracks import (
    attribution_tracks,
    coverage_track,
    join_views,
    locus_views,
    region_track,
    sequence_text,
    variant_track,
    window_tracks,
)
from helpers.evaluation.predictions import Predictions, write_predictions
from helpers.evaluation.style import COLORS


def scored(target, prediction, step=200, chroms="chr1"):
    return Predictions(windows(len(target), step, chroms), np.array(target), np.array(prediction), ["a"])


# Choosing


def test_labels_are_right_too_high_or_too_low():
    predictions = scored([1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1, 0.05, 0.0], step=5000)
    loci = choose_loci(predictions, labels=True, top=2, wrong=1)
    assert list(loci.columns) == list(LOCUS_COLUMNS)
    assert loci[["kind", "start", "rank"]].values.tolist() == [
        ["right", 0, 1],
        ["right", 10_000, 3],
        ["too_high", 5000, 2],
        ["too_low", 20_000, 5],
    ]
    assert loci["prediction"].tolist() == pytest.approx([0.9, 0.7, 0.8, 0.05])
    assert loci["target"].tolist() == [1, 1, 0, 1]
    assert loci["reference"].isna().all()


def test_a_signal_is_judged_by_the_difference():
    predictions = scored([2.0, 0.0, 3.0, 5.0, 1.5], [1.9, 4.0, 3.5, 1.0, 1.5], step=5000)
    loci = choose_loci(predictions, labels=False, top=2, wrong=5)
    assert loci["kind"].tolist() == ["right"] * 2 + ["too_high"] * 2 + ["too_low"] * 2  # window 4 is neither
    assert (loci["start"] // 5000).tolist() == [2, 0, 1, 2, 3, 0]
    assert kind_names(labels=False)["too_high"] == "Predicted too high"


def test_neighbours_stand_for_one_another_up_to_the_distance():
    predictions = scored([1] * 13, [0.5, 0.9, 0.8, 0.7, 0.6, 0.6, 0.6, 0.59, 0.1, 0.1, 0.1, 0.1, 0.1])
    loci = choose_loci(predictions, labels=True, top=9, wrong=0, apart=1000)
    # Of the windows behind 200-400, that from 1400 is the first with 1000 bp between them.
    assert loci["start"].tolist() == [200, 1400]
    assert choose_loci(predictions, labels=True, top=9, wrong=0, apart=1001)["start"].tolist() == [200, 1600]
    assert len(choose_loci(predictions, labels=True, top=20, wrong=0, apart=0)) == 13, "touching is not overlapping"


def test_neighbours_on_another_contig_stay():
    predictions = scored([1, 1], [0.9, 0.8], step=0, chroms=["chr1", "chr2"])
    assert choose_loci(predictions, labels=True, wrong=0)["chrom"].tolist() == ["chr1", "chr2"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_two_loci_of_a_kind_are_near_and_none_that_is_left_out_is_better(data):
    n = data.draw(st.integers(1, 30))
    prediction = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))) / 10
    target = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    top, apart = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 900))
    predictions = scored(target, prediction)
    loci = choose_loci(predictions, labels=True, top=top, wrong=0, apart=apart)
    expected = []  # the slow way: walk down the positives, stable, and keep what is far from all that is kept
    for row in sorted(np.flatnonzero(target == 1), key=lambda row: -predictions.prediction[row, 0]):
        if len(expected) < top and all(abs(row - kept) * 200 - 200 >= apart for kept in expected):
            expected.append(int(row))
    assert (loci["start"] // 200).tolist() == expected
    ranks = [1 + int((prediction > prediction[row]).sum()) for row in expected]
    assert loci["rank"].tolist() == ranks


def test_variants_come_by_size_with_their_scores():
    effects = make_effects([0.1, -0.7, np.nan, 0.3], chroms=["chr1", "chr1", "chr1", "chr2"])
    predictions = scored([1], [0.5])
    loci = choose_loci(predictions, effects, labels=True, top=0, wrong=0, variants=9, apart=0)
    assert loci["kind"].tolist() == ["variant"] * 3
    assert loci["label"].tolist() == ["snv1 A>G", "snv3 A>G", "snv0 A>G"]
    assert loci["rank"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(loci["prediction"] - loci["reference"], [-0.7, 0.3, 0.1])
    assert loci["target"].isna().all()
    other = effects.assign(output="b")
    assert choose_loci(predictions, other, labels=True, top=0, wrong=0).empty


def test_a_negative_number_is_refused():
    with pytest.raises(InputError, match="wrong=-1"):
        choose_loci(scored([1], [0.5]), labels=True, wrong=-1)


def test_replicates_are_averaged(tmp_path):
    regions = windows(3)
    parts = [Predictions(regions, [[0, 1]] * 3, np.full((3, 2), value), ["a", "b"]) for value in (0.2, 0.6)]
    for number, part in enumerate(parts):
        write_predictions(tmp_path / f"{number}.h5", {"test": part})
    mean = mean_predictions([tmp_path / "0.h5", tmp_path / "1.h5"], ["b"])
    np.testing.assert_allclose(mean.prediction, np.full((3, 1), 0.4), rtol=1e-6)
    assert mean.outputs == ["b"]
    assert mean.target.tolist() == [[1]] * 3
    with pytest.raises(InputError, match="No output"):
        mean_predictions([tmp_path / "0.h5"], [])


def test_effects_are_read_for_the_outputs_that_are_shown(tmp_path):
    effects = make_effects([0.1, np.nan]).assign(id=["NA", "."], logit=1.0)
    both = pd.concat([effects, effects.assign(output="b")])
    both.to_csv(tmp_path / "effects.tsv.gz", sep="\t", index=False)
    read = read_effect_table(tmp_path / "effects.tsv.gz", ["b"])
    assert read["output"].tolist() == ["b", "b"]
    assert read["id"].tolist() == ["NA", "."]
    np.testing.assert_array_equal(read["difference"], [0.1, np.nan])
    effects.drop(columns="difference").to_csv(tmp_path / "short.tsv", sep="\t", index=False)
    for path in ("short.tsv", "missing.tsv"):
        with pytest.raises(InputError, match=path):
            read_effect_table(tmp_path / path, ["a"])


# What is drawn


def test_views_end_at_the_ends_of_contigs_and_near_ones_are_joined():
    loci = pd.DataFrame({"chrom": ["chr2", "chr1", "chr1"], "start": [100, 9800, 2000], "end": [300, 10_050, 2200]})
    views = locus_views(loci, {"chr1": 10_000, "chr2": 5000})
    assert views[["chrom", "start", "end"]].values.tolist() == [
        ["chr2", 0, 1300],
        ["chr1", 8800, 10_000],
        ["chr1", 1000, 3200],
    ]
    assert join_views(views)[["start", "end"]].values.tolist() == [[1000, 3200], [8800, 10_000], [0, 1300]]
    near = views.assign(start=[0, 8200, 1000])  # 5000 bp lie between
    assert join_views(near)[["start", "end"]].values.tolist() == [[1000, 10_000], [0, 1300]]


@pytest.mark.parametrize(
    ("chrom", "why"), [("chrX", "not in the genome"), ("HLA:1", "cannot read"), ("é", "cannot"), ("All", "cannot")]
)
def test_contigs_that_cannot_be_shown_are_refused(chrom, why):
    loci = pd.DataFrame({"chrom": [chrom], "start": [0], "end": [5]})
    with pytest.raises(InputError, match=why):
        locus_views(loci, {"HLA:1": 9, "é": 9, "All": 9})


def test_odd_names_that_igv_reads_are_shown():
    for chrom in ("1", "NC_000001.11", "chr,2", "<b>&", "allele"):
        assert len(locus_views(pd.DataFrame({"chrom": [chrom], "start": [0], "end": [5]}), {chrom: 9})) == 1


def test_the_sequence_says_where_it_lies():
    genome = GenomeArray.from_contigs({"chr1": np.arange(12, dtype=np.uint8) % 5})
    text = sequence_text(genome, region_table(["chr1", "chr1"], [0, 8], [3, 12]))
    assert text == ">chr1:1-3 @len=12\nACG\n>chr1:9-12 @len=12\nTNAC\n"


def test_windows_are_drawn_where_they_lie_and_overlaps_averaged():
    regions = region_table(["chr1", "chr1", "chr1", "chr2"], [100, 0, 900, 0], [300, 200, 1000, 50])
    predictions = Predictions(regions, [0, 1, 1, 0], [0.5, 0.25, 1, 0.123456], ["a"])
    predicted, observed = window_tracks(predictions, region_table(["chr1", "chr2"], [150, 0], [900, 9]))
    assert predicted.features == {
        "chr1": [[0, 100, 0.25], [100, 200, 0.375], [200, 300, 0.5]],
        "chr2": [[0, 50, 0.1235]],
    }
    assert observed.features["chr1"] == [[0, 100, 1.0], [100, 200, 0.5], [200, 300, 0.0]]
    assert (predicted.output, predicted.limits) == ("a", (0, 1))
    signal = Predictions(regions, [0, 1, 1, 0], [0.5, -2, 1, 0.1], ["a"])
    assert {track.limits for track in window_tracks(signal, region_table(["chr1"], [0], [900]))} == {(-2, 1)}
    negative = Predictions(regions, [-1, -1, -1, 5], [-3, -2, -1, 0.1], ["a"])
    assert next(window_tracks(negative, region_table(["chr1"], [0], [900]))).limits == (-3, 0), "bars begin at 0"
    assert next(window_tracks(signal, region_table(["chr3"], [0], [900]))).features == {}


def test_regions_and_variants_near_loci_are_kept_alone():
    stretches = region_table(["chr1"], [100], [200])
    peaks = region_table(["chr1", "chr1", "chr1", "chr2"], [0, 50, 199, 150], [100, 101, 500, 160], name=list("abcd"))
    assert [box[2] for box in region_track("peaks", peaks, stretches, "a").features["chr1"]] == ["b", "c"]
    effects = make_effects([0.25, -0.5, np.nan]).assign(start=[100, 150, 199], end=[101, 151, 200])
    track = variant_track(pd.concat([effects, effects.assign(output="b")]), stretches, "a")
    assert [box[:3] for box in track.features["chr1"]] == [
        [100, 101, "A>G +0.25"],
        [150, 151, "A>G -0.5"],
        [199, 200, "A>G"],
    ]
    assert len({box[3] for box in track.features["chr1"]}) == 3


def heights(track, chrom, length):
    """Paint a signal base by base."""
    painted = np.zeros(length)
    for start, end, value in track.features.get(chrom, []):
        painted[start:end] = value
    return painted


def test_coverage_adds_strands_and_keeps_its_bins(tmp_path):
    counts = np.random.default_rng(1).poisson(0.7, (40, 2)).astype(np.float32)
    GenomeArray.from_contigs({"chr1": counts}, attrs={"resolution": 25, "sizes": {"chr1": 1000}}).write(
        tmp_path / "c.h5"
    )
    track = coverage_track("c", tmp_path / "c.h5", region_table(["chr1", "chr1"], [10, 500], [210, 1000]))
    expected = np.repeat(counts.sum(axis=1), 25)
    expected[:10] = expected[210:500] = 0
    np.testing.assert_array_equal(heights(track, "chr1", 1000), expected)
    assert len(track.features["chr1"]) <= 9 + 20, "a bin is one number, not one for each base"
    assert coverage_track("c", tmp_path / "c.h5", region_table(["chrM"], [10], [210])).features == {}


def test_attributions_are_averaged_base_by_base():
    rng = np.random.default_rng(2)
    windows = region_table(["chr1", "chr1", "chr2"], [0, 15, 0], [20, 35, 20], strand=["+", "-", "."])
    arrays = {
        "dna": rng.normal(size=(3, 30, 4)),
        "dnase": rng.normal(size=(3, 4, 2, 2)),
        "whole": rng.normal(size=(3, 1, 1, 2)),
    }
    layouts = {
        "dna": InputLayout("sequence", 5, 1, list("ACGT")),
        "dnase": InputLayout("coverage", 10, 10, ["a", "b"]),
        "whole": InputLayout("coverage", 0, None, ["a", "b"]),
    }
    attributions = Attributions(windows, layouts, {"a": arrays}, {})
    stretches = region_table(["chr1"], [3], [60])
    tracks = list(attribution_tracks(attributions, stretches, "a"))
    assert [track.name for track in tracks] == ["attribution of dna", "attribution of dnase", "attribution of whole"]
    [[first, letters]] = tracks[0].features["chr1"]
    assert (first, len(letters)) == (3, 37)
    drawn = {"dna": np.r_[np.zeros(3), letters, np.zeros(20)]} | {
        name: heights(track, "chr1", 60) for name, track in zip(("dnase", "whole"), tracks[1:], strict=True)
    }
    for name, layout in layouts.items():
        for base in range(3, 60):
            own = []  # of each window that holds the base, the sum of its bin
            for row in (0, 1):
                start, end = windows["start"][row] - layout.flank, windows["end"][row] + layout.flank
                if start <= base < end:
                    own.append(arrays[name][row, (base - start) // (layout.resolution or end - start)].sum())
            assert drawn[name][base] == pytest.approx(np.mean(own or [0]), rel=1e-3), (name, base)
    assert list(attribution_tracks(attributions, stretches, "b")) == []


# The page


class Page(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.scripts, self.inside = text, [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "script"

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1] += data


@pytest.fixture
def igv(tmp_path):
    path = tmp_path / "igv.js"
    path.write_text("const igv = {{title}}\n//# sourceMappingURL=igv.min.js.map\n")
    return path


@pytest.fixture
def written(tmp_path, igv):
    page = make_page(HOSTILE)
    write_loci_page(tmp_path / "page.html", page, igv)
    return page, Page((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_the_page_names_no_other_file(written):
    _, html = written
    loading = ("src", "href", "srcset", "data", "action", "poster", "background", "xlink:href", "formaction")
    assert [(tag, name) for tag, attributes in html.tags for name in attributes if name in loading] == []
    assert not {tag for tag, _ in html.tags} & {"link", "img", "iframe", "object", "embed", "base", "video"}
    assert re.findall(r"url\(|@import|https?:|//\w+\.", html.text) == []


def test_only_the_two_programs_may_run_and_nothing_be_loaded(written):
    _, html = written
    [policy] = [tag["content"] for _, tag in html.tags if tag.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in html.scripts[1:]]
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == " ".join(f"'sha256-{digest}'" for digest in hashes)
    assert len(hashes) == 2
    assert not {"connect-src", "frame-src", "font-src"} & set(rules)
    assert html.scripts[1] == "const igv = {{title}}\n", "what is filled in is not filled in again"


def test_hostile_names_stay_text(written):
    page, html = written
    assert len(html.scripts) == 3
    assert not [tag for tag, attributes in html.tags if "onerror" in attributes]
    contents = json.loads(html.scripts[0])
    assert contents["outputs"] == list(dict.fromkeys(page.loci["output"]))
    assert HOSTILE in contents["outputs"][0]
    assert [track["name"] for track in contents["tracks"]] == [track.name for track in page.tracks]
    assert contents["sequence"] == page.sequence


def test_letters_have_the_colours_of_all_figures(written):
    _, html = written
    assert json.loads(html.scripts[0])["colors"] == {**COLORS["base"], "N": "#999999"}
    assert not [color for color in COLORS["base"].values() if color.lower() in html.scripts[2].lower()]


def test_the_page_holds_all_loci_in_order(written):
    page, html = written
    loci = json.loads(html.scripts[0])["loci"]
    assert [locus["start"] for locus in loci] == page.loci["start"].tolist()
    assert [locus["view"] for locus in loci] == page.views[["start", "end"]].values.tolist()
    assert {locus["target"] for locus in loci if locus["kind"] == "variant"} == {None}
    assert {locus["target"] for locus in loci if locus["kind"] == "right"} == {1.0}


@given(st.text())
def test_json_within_a_script_is_read_back(text):
    written = embed_json({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert not set(written) & set("<>&")


@pytest.mark.parametrize("code", ["a</SCRIPT>", "<!-- a"])
def test_a_program_that_would_end_the_script_is_refused(tmp_path, code):
    (tmp_path / "igv.js").write_text(code)
    with pytest.raises(InputError, match="igv.js holds"):
        write_loci_page(tmp_path / "page.html", make_page("a"), tmp_path / "igv.js")
    assert not (tmp_path / "page.html").exists()


def test_a_page_without_loci_or_program_is_refused(tmp_path, igv):
    page = make_page("a")
    empty = LociPage(**{**vars(page), "loci": page.loci.iloc[:0]})
    with pytest.raises(InputError, match="no locus"):
        write_loci_page(tmp_path / "page.html", empty, igv)
    with pytest.raises(InputError, match="missing.js"):
        write_loci_page(tmp_path / "page.html", page, tmp_path / "missing.js")
