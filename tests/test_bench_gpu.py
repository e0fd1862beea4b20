"""The benchmark of the GPU, on a CPU: what it measures, in which order, and that it runs."""

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import bench_gpu
from benchmarks.bench_gpu import COLUMNS, Rates, Setting

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_each_network_comes_in_both_precisions_before_the_rest(backend):
    listed = list(bench_gpu.settings(backend))
    assert len(set(listed)) == len(listed)
    first = {(setting.network, setting.precision) for setting in listed[: 2 * len(bench_gpu.CASES)]}
    assert first == {(name, precision) for name in bench_gpu.CASES for precision in ("float32", "mixed_bfloat16")}
    assert any(setting.exact for setting in listed)
    assert {setting.jit for setting in listed} == {"auto", backend == "torch"}


def test_seconds_are_those_of_one_step(monkeypatch):
    monkeypatch.setattr(bench_gpu, "BLOCK_SECONDS", 0.05)
    assert 0.01 <= bench_gpu.seconds_of(lambda times: time.sleep(0.01 * times)) < 0.1


@pytest.mark.parametrize(
    ("device", "setting", "tf32"),
    [
        ("gpu X", Setting("jund dnase"), "yes"),
        ("gpu X", Setting("jund dnase", exact=True), "no"),
        ("cpu", Setting("jund dnase"), "no"),
    ],
)
def test_a_row_has_a_value_for_each_column(device, setting, tf32):
    for memory, written in ((2_600_000, "3"), (None, "")):
        line = bench_gpu.row("jax", device, setting, Rates(1234.5, 2000, 0.25, memory))
        found = dict(zip(COLUMNS, line.removesuffix("\n").split("\t"), strict=True))
        assert (found["fed"], found["resident"], found["first_s"], found["memory_MB"]) == (
            "1234",
            "2000",
            "0.2",
            written,
        )
        assert (found["device"], found["tf32"], found["jit"]) == (device, tf32, "auto")


MEASURE = """
import sys
from helpers.backend import select_backend
select_backend(sys.argv[1], seed=1, device="cpu")
from benchmarks import bench_gpu
bench_gpu.BLOCK_SECONDS = 0.01
rates = bench_gpu.measure(bench_gpu.Setting("jund dnase", precision="mixed_bfloat16"), 128)
print(rates.fed > 0, rates.resident > 0, rates.first > 0, rates.memory is None or rates.memory > 100_000)
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_network_is_measured(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, backend], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "True True True True\n", done.stderr
