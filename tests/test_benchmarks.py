"""Every benchmark runs on very little data; what is measured against each other gives the same; figures are judged."""

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pysam
import pytest

from benchmarks import coverage, harness, sequence, signal
from benchmarks.generated import FULL, MAKERS, N_BED, QUICK, Sizes, make, make_windows
from benchmarks.harness import Measured, Peer, Wanted, Work, measure
from benchmarks.windows import batch_work, shuffled_batches

ROOT = Path(__file__).resolve().parents[1]
TINY = Sizes(bases=120_000, reads=2_000, windows=300, tracks=11, bins=2_000, genome=240_000)
ROWS = [row for topic in (sequence, coverage, signal) for row in topic.rows(TINY)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmarks")
    for name in (*MAKERS, "bed"):
        make(name, folder, TINY)
    return folder


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_measured(row, folder):
    assert set(row.needs) <= {*MAKERS, "bed"}
    found = measure(row.prepare(folder), rounds=1)
    assert found.amount > 0
    assert all(len(seconds) == 1 and seconds[0] > 0 for seconds in found.seconds.values())
    assert found.limits
    for line, ok in harness._lines_of(row, found, judge=True):
        assert ok in ("yes", "NO", "")
        assert "unknown" not in line
        assert "nan" not in line


def test_names_of_rows_are_unique():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)


def test_the_documented_table_has_the_rows_that_there_are():
    text = (ROOT / "docs/benchmarks.md").read_text()
    missing = [row.name for topic in (sequence, coverage, signal) for row in topic.rows(FULL) if row.name not in text]
    assert missing == []


def test_peers_of_whole_files_give_the_same(folder):
    fasta = sequence.bench_fasta(folder)
    ours = fasta.call()[0][1]
    for peer in fasta.peers.values():
        np.testing.assert_array_equal(peer.call(), ours)

    bam = coverage.bench_bam(folder, count="five_prime", loop=True)
    counts = bam.call()[0]["chr1"]
    assert counts.sum() == TINY.reads
    np.testing.assert_array_equal(bam.peers["pysam loop"].call()[: len(counts)], counts)

    bigwig = signal.bench_bigwig(folder, n_bases=TINY.bases)
    means = bigwig.call().values[:, 0]
    assert means.any()
    np.testing.assert_allclose(bigwig.peers["pyBigWig, by base"].call(), means, rtol=1e-6)


def test_the_limit_of_bigwig_decompresses_all_blocks(folder):
    import pyBigWig

    with pyBigWig.open(str(folder / "signal.bw")) as track:
        n_intervals = len(track.intervals("chr1"))
    n_bytes = signal._decompress_bigwig(folder / "signal.bw")
    n_blocks = -(-n_intervals // 1024)
    assert 12 * n_intervals < n_bytes < 12 * n_intervals + 24 * (n_blocks + 8)


def test_a_peer_that_gives_something_else_is_refused():
    batches = shuffled_batches(100, 10)
    with pytest.raises(AssertionError, match="wrong peer gives something else"):
        batch_work(lambda rows: rows[:, None], batches, {"wrong peer": lambda rows: rows[:, None] + 1})


def test_batches_are_shuffled_and_whole():
    batches = shuffled_batches(105, 10)
    rows = np.concatenate(batches)
    assert {len(batch) for batch in batches} == {10}
    assert len(rows) == len(set(rows.tolist())) == 100
    assert (np.diff(rows) < 0).any()
    assert [len(batch) for batch in shuffled_batches(5, 64)] == [5]
    assert sum(map(len, shuffled_batches(105, 10, most=20))) == 20


def test_the_generated_bam_file_is_one(folder):
    pysam.quickcheck(str(folder / "reads.bam"))
    with pysam.AlignmentFile(str(folder / "reads.bam")) as file:
        reads = list(file)
    assert len(reads) == TINY.reads
    assert len({read.query_name for read in reads}) == TINY.reads
    starts = [read.reference_start for read in reads]
    assert starts == sorted(starts)
    assert {read.cigarstring for read in reads} == {"36M"}
    assert {len(read.query_sequence) for read in reads} == {36}
    assert 0.4 < np.mean([read.is_reverse for read in reads]) < 0.6


def test_files_are_made_once(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
    for name in (*MAKERS, "bed"):
        make(name, folder, TINY)
    assert all(path.stat().st_mtime_ns == before[path] for path in before)
    assert len(list((folder / "bed").iterdir())) == N_BED


def test_windows_lie_inside_with_their_flanks():
    windows = make_windows(QUICK, strand="both")
    assert len(windows) == QUICK.windows
    assert (windows["start"] >= 450).all()
    assert (windows["end"] + 450 <= QUICK.bases).all()
    assert set(windows["strand"]) == {"+", "-"}


def test_cpu_seconds_count_work_and_children_but_no_waiting():
    begun = harness.cpu_seconds()
    time.sleep(0.3)
    assert harness.cpu_seconds() - begun < 0.2
    begun = harness.cpu_seconds()
    code = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert harness.cpu_seconds() - begun > 0.29


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
def test_peak_memory_is_that_of_the_call():
    """In a process of its own, in which nothing of other tests is freed meanwhile."""
    work = Work(partial(np.ones, 40_000_000, dtype=np.uint8), 1)
    assert 39e6 < harness.run_alone(measure, work, 0).peak < 50e6


def test_what_is_long_is_run_once(monkeypatch):
    calls = []
    work = Work(lambda: calls.append("ours"), 1, {"limit": lambda: calls.append("limit")})
    assert len(measure(work, rounds=3).seconds[""]) == 3
    assert calls[:4] == ["ours", "limit", "ours", "limit"], "they take turns"
    calls.clear()
    monkeypatch.setattr(harness, "_LONG", -1)
    assert measure(work, rounds=3).seconds["limit"]
    assert calls == ["ours", "limit"]


@pytest.mark.parametrize(
    ("wanted", "value", "ok"),
    [
        (Wanted("rate", "M reads/s", least=3, per=1e6), 2.0, "NO"),
        (Wanted("rate", "M reads/s", least=2, per=1e6), 2.0, "yes"),
        (Wanted("seconds", "CPU s", most=0.5), 0.5, "yes"),
        (Wanted("seconds", "CPU s/60 Mb", most=0.5, per=0.5), 1.0, "NO"),
        (Wanted("peak", "MB", per=1e6), 7.0, ""),
        (Wanted("size", "MB", most=8, per=1e6), 9.0, "NO"),
        (Wanted("slowest", "x the fastest", most=10), 4.0, "yes"),
    ],
)
def test_figures_are_computed_and_judged(wanted, value, ok):
    seconds = {"": [0.7, 0.5, 0.6], "copy": [0.01], "peer": [0.2]}
    found = Measured(1e6, seconds, {"": 1e6, "copy": 1e6, "peer": 1e5}, ["copy"], peak=7e6, size=9e6)
    assert harness._value(wanted, found) == pytest.approx(value)
    assert wanted.verdict(value) == ok


def test_peers_are_scaled_to_the_amount_of_the_row():
    work = Work(lambda: sum(range(300_000)), 30, peers={"a tenth": Peer(lambda: sum(range(30_000)), 3)})
    found = measure(work, rounds=7)
    _, peers = harness._others(Wanted("rate", "/s"), found)
    assert float(peers.removeprefix("a tenth ").replace(",", "")) == pytest.approx(30 / min(found.seconds[""]), rel=0.7)


def bench_data(*arguments):
    command = [sys.executable, "-m", "benchmarks.bench_data", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_prints_a_table_and_keeps_its_files(tmp_path):
    done = bench_data("--quick", "--only", "fasta", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["what", "measured", "wanted", "ok", "spread", "limit", "peers"]
    assert lines[2].startswith("FASTA -> codes")
    assert "at least 60" in lines[2]
    assert "pysam.FastaFile" in lines[2]
    assert lines[3].split()[0] == "peak"
    assert (tmp_path / QUICK.folder / "genome.fa").exists()


def test_the_command_removes_the_large_file(tmp_path):
    done = bench_data("--quick", "--only", "open the codes", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / QUICK.folder / "large.h5").exists()


def test_the_command_says_when_no_line_is_meant(tmp_path):
    done = bench_data("--only", "nothing", "--folder", str(tmp_path))
    assert done.returncode == 2
    assert "no line has 'nothing' in its name" in done.stderr
