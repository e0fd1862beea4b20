"""What models learn: opened for a split, described against plain numpy, and refused where nothing can be learned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data.array import Array
from helpers.data.labels import Labels, save_labels
from helpers.data.normalization import save_normalizer
from helpers.data.regions import region_table
from helpers.data.rows import locate_rows, region_fingerprint
from helpers.data.targets import check_drawn, check_labels, check_targets, describe_targets, open_targets, outputs_of
from helpers.data.window_signal import WindowSignal, fit_signal_normalizer, save_signal
from helpers.errors import InputError

WINDOWS = region_table(["chr1"] * 30 + ["chr2"] * 20, np.arange(50) * 10, np.arange(50) * 10 + 10)
SPLIT = WINDOWS[::-3]


def signals_of(**columns):
    values = np.stack([np.asarray(column, dtype=np.float64) for column in columns.values()], axis=1)
    return Array("targets", values, conditions=list(columns))


def labels_of(*columns):
    return Labels.pack(np.array(columns).T, [f"output{number}" for number in range(len(columns))])


def stored_signals(folder, values, strands=1):
    """One file a track, of all windows."""
    paths = []
    for number, column in enumerate(values.T):
        signal = np.repeat(column[:, None], strands, axis=1)
        paths.append(folder / f"{number}.h5")
        save_signal(WindowSignal(signal, region_fingerprint(WINDOWS), "made.bam", 0, "both"), paths[-1])
    return paths


def test_labels_of_a_split_are_rows_of_the_file(tmp_path):
    values = (np.random.default_rng(0).random((50, 11)) < 0.5).astype(np.uint8)
    names = [f"factor{number}" for number in range(11)]
    save_labels(Labels.pack(values, names, region_fingerprint(WINDOWS)), tmp_path / "all.h5")
    targets = open_targets({"kind": "peaks", "labels": tmp_path / "all.h5"}, locate_rows(SPLIT, WINDOWS))
    assert (targets.shape, outputs_of(targets)) == ((17, 11), names)
    np.testing.assert_array_equal(np.asarray(targets), values[::-3])
    assert isinstance(targets.packed.base, np.memmap)
    other = WINDOWS.assign(end=WINDOWS["end"] + 1)
    with pytest.raises(InputError, match=r"all\.h5 belongs to other windows"):
        open_targets({"kind": "peaks", "labels": tmp_path / "all.h5"}, locate_rows(other, other))


def test_signals_of_a_split_are_normalized_columns(tmp_path):
    counts = np.random.default_rng(1).poisson(20, (50, 2)).astype(np.uint32)
    output = {"kind": "coverage", "tracks": ["cage", "rna"], "stores": stored_signals(tmp_path, counts)}
    chosen = locate_rows(SPLIT, WINDOWS)
    raw = open_targets(output, chosen)
    np.testing.assert_array_equal(np.asarray(raw), counts[::-3])
    output["normalizers"] = []
    for number, column in enumerate(counts.T):
        signal = WindowSignal(column[:, None], region_fingerprint(WINDOWS), "made.bam", 0, "both")
        output["normalizers"].append(tmp_path / f"{number}.json")
        save_normalizer(fit_signal_normalizer("zscorelog", signal, chosen, track="t"), output["normalizers"][-1])
    targets = open_targets(output, chosen)
    assert (targets.shape, targets.dtype, outputs_of(targets)) == ((17, 2), np.float32, ["cage", "rna"])
    logs = np.log1p(counts[::-3].astype(np.float64))
    np.testing.assert_allclose(targets[:], (logs - logs.mean(axis=0)) / logs.std(axis=0, ddof=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(targets[[3, 0]], targets[:][[3, 0]])


def test_a_signal_of_two_strands_is_no_target(tmp_path):
    output = {"kind": "coverage", "tracks": ["cage"], "stores": stored_signals(tmp_path, np.ones((50, 1)), 2)}
    with pytest.raises(InputError, match=r"0\.h5 holds one for each strand"):
        open_targets(output, locate_rows(SPLIT, WINDOWS))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), n=st.integers(1, 12), kind=st.sampled_from(["labels", "signals"]))
def test_descriptions_are_those_of_numpy(data, n, kind):
    cell = st.integers(0, 1) if kind == "labels" else st.floats(-0.9, 1e6)
    columns = [data.draw(st.lists(cell, min_size=n, max_size=n)) for _ in range(3)]
    targets = labels_of(*columns) if kind == "labels" else signals_of(**dict(zip("abc", columns, strict=True)))
    table = describe_targets({"train": targets, "test": targets})
    assert table.columns.tolist() == ["split", "output", "n", "n_positive", "mean", "sd"]
    assert table["split"].tolist() == ["train"] * 3 + ["test"] * 3
    assert table["output"].tolist() == outputs_of(targets) * 2
    assert table["n"].tolist() == [n] * 6
    expected = np.array(columns, dtype=np.float64)
    if kind == "labels":
        assert table["n_positive"].tolist() == [sum(column) for column in columns] * 2
    else:
        assert table["n_positive"].isna().all()
        expected = np.log(expected + 1)
    np.testing.assert_allclose(table["mean"], np.tile(expected.mean(axis=1), 2), rtol=1e-9, atol=1e-9)
    if n == 1:
        assert table["sd"].isna().all()
    else:
        np.testing.assert_allclose(table["sd"], np.tile(expected.std(axis=1, ddof=1), 2), rtol=1e-7, atol=1e-7)


def test_a_signal_that_has_no_logarithm_has_no_description():
    table = describe_targets({"train": signals_of(change=[-1.0, 2.0, 3.0], cage=[0.0, 1.0, 2.0])})
    assert table[["mean", "sd"]].isna().all(axis=1).tolist() == [True, False]


MIXED = [1] * 12 + [0] * 8


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("missing", ["positive", "negative"])
def test_one_output_of_one_class_is_an_error_in_any_split(split, missing):
    column = [0] * 5 if missing == "positive" else [1] * 5
    counts = "0 positive, 5 negative" if missing == "positive" else "5 positive, 0 negative"
    targets = dict.fromkeys(("train", "validation", "test"), labels_of(MIXED)) | {split: labels_of(column)}
    with pytest.raises(InputError, match=rf"^Split '{split}', output output0: no {missing} regions \({counts}\)\."):
        check_targets(targets)


def test_of_several_outputs_some_may_have_one_class(caplog):
    several = labels_of(MIXED, [0] * 20, [1] * 20, [1] * 9 + [0] * 11, [1] * 10 + [0] * 10)
    check_targets({"train": several, "test": several})
    for split in ("train", "test"):
        assert f"Split '{split}', output output1: no positive regions (0 positive, 20 negative)." in caplog.text
        assert f"Split '{split}', output output2: no negative regions (20 positive, 0 negative)." in caplog.text
        assert f"split '{split}', output output3 (9 positive, 11 negative)" in caplog.text
    assert "whose metrics will be NaN" in caplog.text
    assert "Fewer than 10 positive regions, scores will be mostly chance" in caplog.text
    assert "output0" not in caplog.text
    assert "output4" not in caplog.text


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_split_in_which_no_output_has_both_classes_is_an_error(split):
    targets = dict.fromkeys(("train", "validation", "test"), labels_of(MIXED, [0] * 20))
    targets[split] = labels_of([0] * 7, [1] * 7)
    with pytest.raises(InputError) as caught:
        check_targets(targets)
    lines = str(caught.value).split("\n")
    assert lines[:2] == [
        f"Split '{split}', output output0: no positive regions (0 positive, 7 negative).",
        f"Split '{split}', output output1: no negative regions (7 positive, 0 negative).",
    ]
    assert lines[2].startswith("Choose other contigs under `split` in the config")


def test_many_outputs_make_short_messages(caplog):
    none = Labels.pack(np.zeros((5, 900)), [f"output{number}" for number in range(900)])
    with pytest.raises(InputError, match="and 880 more") as caught:
        check_labels({"test": none})
    assert len(str(caught.value).splitlines()) < 25
    some = np.zeros((40, 900))
    some[:20, 0] = 1
    check_labels({"test": Labels.pack(some, none.outputs)})
    assert "and 879 more" in caplog.text
    assert len(caplog.text.splitlines()) < 25


def test_a_constant_target_is_an_error_where_it_is_learned_and_told_of_where_it_is_scored(caplog):
    varied, constant = signals_of(cage=[0, 1, 2], rna=[5, 6, 6]), signals_of(cage=[4, 4, 4], rna=[5, 6, 7])
    check_targets({"train": varied, "validation": varied, "test": constant})
    assert (
        "Constant target in split 'test': output cage is 4 in all 3 regions. Its correlation will be NaN."
        in caplog.text
    )
    assert "rna" not in caplog.text
    with pytest.raises(InputError, match="Constant target in split 'train': output cage is 4 in all 3 regions"):
        check_targets({"train": constant, "validation": varied, "test": varied})


@pytest.mark.parametrize("targets", [signals_of(cage=[]), Labels.pack(np.zeros((0, 2)), ["a", "b"])])
def test_a_split_without_regions_is_named(targets):
    with pytest.raises(InputError, match="Split 'validation' has no regions"):
        check_targets({"train": signals_of(cage=[1, 2]), "validation": targets})
    assert describe_targets({"validation": targets})["n"].eq(0).all()


@pytest.mark.parametrize(("place", "found"), [("chr1:295-400", True), ("chr1:299-300", True), ("chr1:300-400", False)])
def test_a_figure_that_draws_attributions_needs_a_test_window(place, found):
    if found:
        check_drawn([place], WINDOWS)
        return
    with pytest.raises(InputError, match=f"figures: region: {place} holds no window .* one lies at chr1:290-300"):
        check_drawn(["chr2:300-301", place], WINDOWS)


def test_a_figure_on_another_chromosome_is_told_of_a_window():
    with pytest.raises(InputError, match="chr9:0-10 holds no window of the test split.* one lies at chr1:0-10"):
        check_drawn(["chr9:0-10"], WINDOWS)
