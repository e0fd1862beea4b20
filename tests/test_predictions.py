import h5py
import numpy as np
import pandas as pd
import pytest

from helpers.errors import InputError
from helpers.evaluation.predictions import Predictions, read_predictions, write_predictions


def windows(n, chrom="chr3", strand="."):
    starts = np.arange(n) * 200
    return pd.DataFrame({"chrom": chrom, "start": starts, "end": starts + 200, "strand": strand, "name": "x"})


@pytest.fixture
def two_splits():
    rng = np.random.default_rng(1)
    regions = pd.concat([windows(5), windows(3, "chrUn_é", "-")], ignore_index=True)
    return {
        "validation": Predictions(windows(4, "chr2"), rng.integers(0, 2, (4, 2)), rng.random((4, 2)), ["a", "b"]),
        "test": Predictions(regions, rng.integers(0, 2, (8, 2)), rng.random((8, 2)), ["a", "b"]),
    }


def test_written_and_read_back_is_the_same(tmp_path, two_splits):
    path = tmp_path / "deep" / "predictions.h5"
    write_predictions(path, two_splits)
    back = read_predictions(path)
    assert list(back) == ["validation", "test"]
    for split, part in two_splits.items():
        assert back[split].outputs == ["a", "b"]
        pd.testing.assert_frame_equal(back[split].regions, part.regions)
        for name in ("target", "prediction"):
            values = getattr(back[split], name)
            assert values.dtype == np.float32
            np.testing.assert_array_equal(values, getattr(part, name))
    assert [p.name for p in path.parent.iterdir()] == ["predictions.h5"]


def test_file_holds_what_the_contract_names(tmp_path, two_splits):
    write_predictions(tmp_path / "p.h5", two_splits)
    with h5py.File(tmp_path / "p.h5") as file:
        assert set(file) == {"validation", "test"}
        assert set(file["test"]) == {"chrom", "start", "end", "strand", "target", "prediction"}
        assert {len(file["test"][name]) for name in file["test"]} == {8}
        assert file["test/chrom"].dtype.kind == "S"
        assert file.attrs["format_version"] == 1


def test_same_predictions_same_bytes(tmp_path, two_splits):
    for name in ("one.h5", "two.h5"):
        write_predictions(tmp_path / name, two_splits)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_one_split_can_be_read_alone_and_a_missing_one_is_named(tmp_path, two_splits):
    write_predictions(tmp_path / "p.h5", two_splits)
    assert list(read_predictions(tmp_path / "p.h5", ["test"])) == ["test"]
    with pytest.raises(InputError, match="no split 'test_swapped'.*validation, test"):
        read_predictions(tmp_path / "p.h5", ["test_swapped"])


def test_empty_split_survives(tmp_path):
    empty = Predictions(windows(0), np.zeros((0, 1)), np.zeros((0, 1)), ["a"])
    write_predictions(tmp_path / "p.h5", {"test": empty})
    back = read_predictions(tmp_path / "p.h5")["test"]
    assert len(back) == 0
    assert back.target.shape == (0, 1)
    assert list(back.regions) == ["chrom", "start", "end", "strand"]


def test_flat_arrays_are_one_output():
    assert Predictions(windows(3), np.zeros(3), np.ones(3), ["a"]).prediction.shape == (3, 1)


@pytest.mark.parametrize(
    ("n", "shape", "match"), [(3, (2, 1), r"\(3, 1\), but it is \(2, 1\)"), (3, (3, 2), r"but it is \(3, 2\)")]
)
def test_shapes_that_do_not_fit(n, shape, match):
    with pytest.raises(InputError, match=match):
        Predictions(windows(n), np.zeros(n), np.zeros(shape), ["a"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_prediction_that_is_not_finite_is_named_with_its_window(value):
    prediction = np.zeros((3, 2))
    prediction[1, 1] = value
    with pytest.raises(InputError, match=r"output 'b'.*chr3:200-400 \(1 such"):
        Predictions(windows(3), np.zeros((3, 2)), prediction, ["a", "b"])


def test_missing_column():
    with pytest.raises(InputError, match="no column 'strand'"):
        Predictions(windows(2).drop(columns="strand"), np.zeros(2), np.zeros(2), ["a"])


def test_arguments_stay_as_they_were():
    regions = windows(2).set_index(pd.Index([5, 7]))
    before = regions.copy()
    Predictions(regions, np.zeros(2), np.zeros(2), ["a"])
    pd.testing.assert_frame_equal(regions, before)


@pytest.mark.parametrize("content", [None, b"no HDF5"])
def test_unreadable_file(tmp_path, content):
    path = tmp_path / "p.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"Cannot read the predictions in .*p\.h5"):
        read_predictions(path)


def test_other_format_version(tmp_path, two_splits):
    write_predictions(tmp_path / "p.h5", two_splits)
    with h5py.File(tmp_path / "p.h5", "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(InputError, match="format version 99, expected 1"):
        read_predictions(tmp_path / "p.h5")


def test_failed_write_leaves_the_old_file(tmp_path, two_splits):
    path = tmp_path / "p.h5"
    write_predictions(path, two_splits)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_predictions(path, {"test": two_splits["test"], "broken": None})
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
