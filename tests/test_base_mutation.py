"""Single bases of a motif mutated: exact for linear models, each occurrence once, read along its own strand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.kmers import kmer_codes
from helpers.data.sequence import encode_letters
from helpers.errors import InputError
from helpers.evaluation.base_mutation import cores_in_windows, mutate_bases, scan_variants, summarize_bases
from helpers.evaluation.mutation import SiteWindows

MOTIF = "TTACCCG"
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def windows_of(*texts, centers, chrom="chr1", starts=None):
    """Windows of these letters around sites of 1 bp; window i starts at 1000 * i unless told."""
    starts = np.array([1000 * i for i in range(len(texts))] if starts is None else starts)
    middle = starts + np.array(centers)
    sites = pd.DataFrame({"chrom": chrom, "start": middle, "end": middle + 1})
    return SiteWindows(sites, np.stack([encode_letters(text.encode()) for text in texts]), np.array(centers))


def random_text(rng, length):
    return "".join(rng.choice(list("ACGT"), length))


# occurrences


def test_an_occurrence_counts_up_to_the_distance_of_its_nearest_base():
    text = "A" * 20 + MOTIF + "A" * 20  # bases 20 to 26
    for center, there in ((14, False), (15, True), (20, True), (26, True), (31, True), (32, False)):
        windows = windows_of(text, centers=[center])
        if there:
            assert cores_in_windows(windows, MOTIF, distance=5)["offset"].tolist() == [20]
        else:
            with pytest.raises(InputError, match="TTACCCG.*within 5 bp"):
                cores_in_windows(windows, MOTIF, distance=5)


def test_occurrences_of_both_strands_have_their_place_in_the_genome():
    reverse = MOTIF.translate(COMPLEMENT)[::-1]
    windows = windows_of(
        "A" * 60, "A" * 9 + reverse + "A" * 44, "A" * 12 + MOTIF + "A" + reverse + "A" * 33, centers=[30, 15, 20]
    )
    cores = cores_in_windows(windows, MOTIF, distance=10)
    assert cores.to_dict("list") == {
        "window": [1, 2, 2],
        "offset": [9, 12, 20],
        "chrom": ["chr1"] * 3,
        "start": [1009, 2012, 2020],
        "strand": ["-", "+", "-"],
    }


def test_a_palindrome_is_one_occurrence_and_unknown_bases_are_none():
    windows = windows_of("AAACACGTGAAA", "AAACACNTGAAA", centers=[6, 6])
    cores = cores_in_windows(windows, "CACGTG", distance=5)
    assert cores[["window", "offset", "strand"]].to_numpy().tolist() == [[0, 3, "+"]]


def test_of_two_sites_near_one_occurrence_the_nearer_ones_window_counts():
    text = "A" * 20 + MOTIF + "A" * 33
    windows = windows_of(text, text[10:] + "A" * 10, "C" * 60, centers=[12, 12, 30], starts=[100, 110, 500])
    cores = cores_in_windows(windows, MOTIF, distance=10)
    assert cores[["window", "offset", "start"]].to_numpy().tolist() == [[1, 10, 120]]
    windows.sites["chrom"] = ["chr1", "chr2", "chr2"]
    assert cores_in_windows(windows, MOTIF, distance=10)["chrom"].tolist() == ["chr1", "chr2"]


# mutations


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_for_a_linear_model_each_change_is_that_of_its_weights(seed, count):
    rng = np.random.default_rng(seed)
    codes = rng.integers(5, size=(count, 40)).astype(np.uint8)
    offsets = rng.integers(0, 33, count)
    for row, offset in enumerate(offsets):
        codes[row, offset : offset + 7] = encode_letters(MOTIF.encode())
    weights = rng.normal(size=(40, 5))
    before = codes.copy()
    motif, elsewhere = mutate_bases(
        lambda given: weights[np.arange(40), given].sum(axis=1), codes, MOTIF, offsets=offsets, rng=rng
    )
    assert (codes == before).all()
    for row, offset in enumerate(offsets):
        possible = []
        for place in range(40):
            own = codes[row, place]
            others = [weights[place, base] - weights[place, own] for base in range(4) if base != own]
            possible.append(np.mean(others) if own < 4 else np.nan)
        np.testing.assert_allclose(motif[row], possible[offset : offset + 7], atol=1e-12)
        outside = np.delete(possible, np.arange(offset, offset + 7))
        places = [np.nanargmin(np.abs(outside - change)) for change in elsewhere[row]]
        np.testing.assert_allclose(elsewhere[row], outside[places], atol=1e-12)
        assert len(set(places)) == 7


def test_bases_elsewhere_are_known_and_outside_every_occurrence():
    text = "N" * 10 + MOTIF + "ACGTACGTA" + MOTIF.translate(COMPLEMENT)[::-1] + "N" * 10
    codes = encode_letters(text.encode())[None]
    seen = []
    mutate_bases(
        lambda given: seen.append(given) or np.zeros(len(given)),
        codes,
        MOTIF,
        offsets=np.array([10]),
        rng=np.random.default_rng(0),
    )
    intact, *mutated = seen
    assert (intact == codes).all()
    places = [np.flatnonzero((given != codes).any(axis=0)).tolist() for given in mutated]
    assert places[:7] == [[place] for place in range(10, 17)]
    assert {place for (place,) in places[7:]} < set(range(17, 26))
    for changed, (place,) in zip(mutated, places, strict=True):
        assert sorted([codes[0, place], *changed[:, place]]) == [0, 1, 2, 3]
    with pytest.raises(InputError, match="fills a window"):
        mutate_bases(len, codes[:, :20], MOTIF, offsets=np.array([10]), rng=np.random.default_rng(0))


# a whole scan


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two networks with random weights, saved, that are all but sure of each window; their runs; their inner values."""
    import keras

    from helpers.model.architectures import InputSpec, OutputSpec, build_model
    from helpers.model.training import load_model, save_model

    folder = tmp_path_factory.mktemp("models")
    models, paths = [], []
    for seed in range(2):
        keras.utils.set_random_seed(seed)
        inputs, params = {"dna": InputSpec((59,), "sequence", order=2)}, {"width": 7, "pool": 5}
        model = build_model("jund_dna", inputs, OutputSpec("out"), params)
        kernel, bias = model.get_layer("out").get_weights()
        model.get_layer("out").set_weights([kernel, bias + 20])  # a probability of 1 in float32
        paths.append(folder / f"{seed}.keras")
        save_model(model, paths[-1])
        assert load_model(paths[-1]).predict_on_batch({"dna": np.zeros((1, 59), np.uint8)})["out"][0, 0] == 1
        models.append(keras.Model(model.input, model.get_layer("out").input))
    weights = [load_model(path).get_layer("out").get_weights() for path in paths]

    def log_odds(codes):
        tops = [model.predict_on_batch({"dna": kmer_codes(codes, 2)}) for model in models]
        return np.mean([(top @ kernel + bias)[:, 0] for top, (kernel, bias) in zip(tops, weights, strict=True)], axis=0)

    return [{"variant": "order~2", "values": {"order": 2}}] * 2, paths, log_odds


def test_a_scan_measures_log_odds_where_the_probability_no_longer_moves(trained):
    runs, paths, log_odds = trained
    rng = np.random.default_rng(5)
    reverse = MOTIF.translate(COMPLEMENT)[::-1]
    texts = [random_text(rng, 25) + word + random_text(rng, 28) for word in (MOTIF, reverse)]
    windows = windows_of(*texts, centers=[28, 28])
    sites, scans = scan_variants(runs, paths, windows, {"sequence": MOTIF, "distance": 5}, seed=3)
    assert scans["scale"].unique().tolist() == ["log-odds"]
    assert scans["base"].tolist() == list(MOTIF) * 2
    assert scans["strand"].tolist() == ["+"] * 7 + ["-"] * 7
    assert scans["start"].tolist() == [25] * 7 + [1025] * 7
    for (row, position), delta in zip(np.ndindex(2, 7), scans["delta"], strict=True):
        place = 25 + (position if row == 0 else 6 - position)
        changes = []
        for base in range(4):
            mutated = windows.codes[[row]].copy()
            mutated[0, place] = base
            changes.append(log_odds(mutated)[0] - log_odds(windows.codes[[row]])[0])
        assert delta == pytest.approx(np.sum(changes) / 3, abs=1e-4)  # the base itself changes nothing
    assert scans["delta"].abs().max() > 1e-3
    again = scan_variants(runs, paths, windows, {"sequence": MOTIF, "distance": 5}, seed=3)
    for one, other in zip((sites, scans), again, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert sites.columns.tolist() == ["variant", "chrom", "start", "end", "intact", "motif", "elsewhere"]
    assert sites["start"].tolist() == windows.sites["start"].tolist()
    assert (sites[["intact", "motif", "elsewhere"]] == 1).all(axis=None), "probabilities do not move"


# the summary


def test_the_summary_is_the_paired_difference_with_its_interval():
    rng = np.random.default_rng(4)
    window = rng.normal(0, 5, 300)  # what the bases of one window share
    rows = [
        {"variant": variant, "scale": "log-odds", "position": position, "base": base, "elsewhere": shared}
        | {"delta": shared + effect + rng.normal(0, 0.5)}
        for variant in ("order~1", "order~3")
        for shared in window
        for position, base, effect in ((1, "T", -1.0), (2, "T", 0.0))
    ]
    summary = summarize_bases(pd.DataFrame(rows), seed=1)
    assert summary["variant"].tolist() == ["order~1"] * 2 + ["order~3"] * 2
    assert summary["position"].tolist() == [1, 2] * 2
    assert (summary["n"] == 300).all()
    assert (summary["elsewhere"] - window.mean()).abs().max() < 1e-12
    np.testing.assert_allclose(summary["difference"], summary["delta"] - summary["elsewhere"], atol=1e-12)
    read = summary[summary["position"] == 1]
    assert (read["ci_low"] < -1).all()
    assert (read["ci_high"] < -0.9).all()
    assert (read["share"] > 0.9).all()  # of a normal distribution with mean -1 and deviation 0.5: 0.977
    np.testing.assert_allclose(summary.loc[summary["position"] == 2, "share"], 0.5, atol=0.12)
    error = (summary["ci_high"] - summary["ci_low"]) / 2 / 1.96
    np.testing.assert_allclose(error, 0.5 / np.sqrt(300), rtol=0.25)
