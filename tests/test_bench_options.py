"""The benchmark of jit and precision: networks that there are, every setting once, and figures that hang together."""

import time

import pytest

from benchmarks import bench_options
from benchmarks.bench_options import COLUMNS, SETTINGS, WINDOWS
from benchmarks.bench_training import CASES
from benchmarks.harness import run_alone


def test_every_network_is_one_of_the_papers_and_every_setting_comes_once():
    assert set(WINDOWS) <= set(CASES)
    assert len(set(SETTINGS)) == len(SETTINGS) == 4
    assert {jit for _, jit in SETTINGS} == {True, False}


@pytest.mark.parametrize("jit", [False, True])
def test_a_row_has_a_value_for_each_column(jit):
    row = run_alone(bench_options.measure, "jund dnase", "mixed_bfloat16", jit, 3)
    found = dict(zip(COLUMNS, row.removesuffix("\n").split("\t"), strict=True))
    assert (found["network"], found["precision"], found["jit"]) == ("jund dnase", "mixed_bfloat16", str(jit).lower())
    assert float(found["windows_per_cpu_s"]) > 1000
    assert 0.1 < float(found["compile_s"]) < 60


def test_epochs_and_compilation_add_up_to_the_whole():
    begun = time.process_time()
    rate, compiled = bench_options.time_training(CASES["jund dnase"], 6400, jit=False, epochs=4)
    whole = time.process_time() - begun
    assert 0 < compiled < whole
    assert 0.5 * whole < compiled + 4 * 6400 / rate < 1.001 * whole
