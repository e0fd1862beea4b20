"""The cache: what makes another entry, what does not, what it says, and two processes at once."""

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pysam
import pytest

from helpers.data import Bioseq, Cover, cache
from helpers.data.cache import Recipe, cache_folder, explain, load_store
from helpers.data.content_hash import hash_file
from helpers.data.recipes import canonical, canonical_text
from helpers.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
LONG_AGO = time.time() - 1000


class Builder:
    """Build values and count how often."""

    def __init__(self, values=(0, 3, 0)):
        self.values, self.calls = np.array(values), 0

    def __call__(self):
        self.calls += 1
        return {"chr1": self.values}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.txt"
    path.write_text("first")
    return path


def entries(folder):
    return sorted(path.name for path in folder.rglob("*.h5"))


def test_an_entry_is_built_once_and_then_mapped(tmp_path, source):
    recipe, build = Recipe("values", [source], {"depth": 3}), Builder()
    stores = [load_store(build, recipe, {"source": "a"}, cache=tmp_path / "cache") for _ in range(3)]
    assert build.calls == 1
    for store in stores:
        assert store.contig("chr1").tolist() == [0, 3, 0]
        assert store.path.is_relative_to(tmp_path / "cache" / "values")
        assert store.attrs == {"source": "a"}
    assert "has no entry for it" in stores[0].made
    assert "found in the cache" in stores[1].made
    again = load_store(build, recipe, {"source": "b"}, cache=tmp_path / "cache")
    assert again.attrs == {"source": "b"}
    assert load_store(build, recipe, cache=False).path is None
    assert build.calls == 2


def test_everything_that_matters_makes_another_entry(tmp_path, source, monkeypatch):
    folder, build = tmp_path / "cache", Builder()
    long = list(range(5000))
    other = [*long[:2500], -1, *long[2501:]]
    parameters = [
        *({"a": 1}, {"a": 2}, {"b": 1}, {"a": "1"}, {"a": True}, {"a": 1.0}, {"a": None}, {"a": [1]}, {"a": {"a": 1}}),
        *({"a": long}, {"a": other}, {"a": np.array(long)}, {"a": np.array(other)}, {"a": np.array(long, dtype=float)}),
        *({"a": ["b", "c"]}, {"a": ["b, c"]}, {"a": ["c", "b"]}, {}),
    ]
    for number, given in enumerate(parameters, start=1):
        load_store(build, Recipe("values", [source], given), cache=folder)
        assert build.calls == number, given
    for storage, fill in (("sparse", 0), ("sparse", 1), ("sparse", np.nan)):
        load_store(Builder([0.0, 3.0, 1.0]), Recipe("values", [source], {}), storage=storage, cache=folder, fill=fill)
    for fill in (0, 1):
        recipe = Recipe("values", [source], {"fill": 5, "layout": "dense"})
        load_store(Builder(), recipe, storage="sparse", cache=folder, fill=fill)
    load_store(build, Recipe("others", [source], {}), cache=folder)
    source.write_text("Xirst")  # of the same length
    load_store(build, Recipe("values", [source], {}), cache=folder)
    monkeypatch.setattr(cache, "CODE_VERSION", 99)
    load_store(build, Recipe("values", [source], {}), cache=folder)
    assert build.calls == len(parameters) + 3
    assert len(entries(folder)) == len(parameters) + 8


def test_nothing_else_makes_another_entry(tmp_path, source):
    folder, build = tmp_path / "cache", Builder()
    load_store(build, Recipe("values", [source], {"a": 1, "b": (2, 3)}), cache=folder)
    moved = tmp_path / "moved" / "other name.txt"
    moved.parent.mkdir()
    moved.write_text("first")
    load_store(build, Recipe("values", [moved], {"b": [np.int64(2), 3], "a": 1}), storage="hdf5", cache=str(folder))
    assert build.calls == 1


def test_parameters_that_have_no_one_way_to_be_written_are_refused(tmp_path, source):
    for wrong in ({1: "a"}, {"a": object()}, {"a": b"x"}, {"a": {1, 2}}, {"a": np.array([None])}, {"a": Path("x")}):
        with pytest.raises(InputError, match="cannot be part of the key of a cache"):
            load_store(Builder(), Recipe("values", [source], wrong), cache=tmp_path / "cache")
    assert canonical_text(canonical({"b": 1, "a": -0.0})) == '{"a":-0.0,"b":1}'


def test_a_damaged_or_removed_entry_is_made_again(tmp_path, source):
    folder, recipe, build = tmp_path / "cache", Recipe("values", [source], {}), Builder(range(5000))
    path = load_store(build, recipe, cache=folder).path
    path.write_bytes(path.read_bytes()[:3000])
    assert "cannot be read" in explain(recipe, cache=folder)
    store = load_store(build, recipe, cache=folder)
    assert "damaged" in store.made
    assert store.contig("chr1").tolist() == list(range(5000))
    path.unlink()
    assert "its entry was removed from the cache" in explain(recipe, cache=folder)
    assert "its entry was removed" in load_store(build, recipe, cache=folder).made
    assert build.calls == 3
    for record in folder.rglob("*.json"):
        record.write_text("{")
    path.unlink()
    assert "has no entry for it" in load_store(build, recipe, cache=folder).made


def test_an_interrupted_build_leaves_nothing(tmp_path, source):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_store(fail, Recipe("values", [source], {}), cache=tmp_path / "cache")
    assert entries(tmp_path / "cache") == []


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path, source, one_by_one):
    def contigs():
        source.write_text("second")
        yield "chr1", np.zeros(3)

    def change():
        return contigs() if one_by_one else dict(contigs())

    with pytest.raises(InputError, match=r"source\.txt changed while it was read"):
        load_store(change, Recipe("values", [source], {}), cache=tmp_path / "cache")
    assert entries(tmp_path / "cache") == []


def test_explain_says_which_file_and_which_parameter_changed(tmp_path, source, caplog, monkeypatch):
    folder, build = tmp_path / "cache", Builder()
    recipe = Recipe("counts", [source], {"min_mapq": 0, "chroms": [f"chr{number}" for number in range(500)]})
    first = explain(recipe, cache=folder)
    assert first == f"counts of source.txt: made anew, because the cache {folder / 'counts'} has no entry for it."
    with caplog.at_level(logging.INFO, logger="helpers.data.cache"):
        assert load_store(build, recipe, cache=folder).made == first
    assert first in caplog.text
    assert "found in the cache" in explain(recipe, cache=folder)
    changed = Recipe("counts", [source], recipe.parameters | {"min_mapq": 10})
    assert explain(changed, cache=folder).endswith("because min_mapq changed from 0 to 10.")
    longer = Recipe("counts", [source], recipe.parameters | {"chroms": [*recipe.parameters["chroms"], "chrM"]})
    assert "chroms changed (from 500 to 501 items; item 500 from nothing to 'chrM')" in explain(longer, cache=folder)
    assert "storage: layout changed from 'dense' to 'sparse'" in explain(recipe, storage="sparse", cache=folder)
    source.write_text("second")
    said = explain(changed, cache=folder)
    assert f"the contents of {source} changed (SHA-256 " in said
    assert "min_mapq changed from 0 to 10" in said
    source.write_text("first")
    monkeypatch.setattr(cache, "CODE_VERSION", 99)
    assert "version of the code changed from 1 to 99." in explain(recipe, cache=folder)
    assert explain(recipe, cache=False) == "counts of source.txt: not looked up, for cache=False."
    assert build.calls == 1


def test_explain_compares_with_the_entry_that_is_most_alike(tmp_path, source):
    other = tmp_path / "other.txt"
    other.write_text("other")
    folder = tmp_path / "cache"
    for path, given in ((source, {"a": 1, "b": 1}), (source, {"a": 2, "b": 2}), (other, {"a": 2, "b": 3})):
        load_store(Builder(), Recipe("values", [path], given), cache=folder)
    assert explain(Recipe("values", [source], {"a": 2, "b": 3}), cache=folder).endswith("b changed from 2 to 3.")
    both = explain(Recipe("values", [source, other], {"a": 2, "b": 2}), cache=folder)
    assert both.endswith(f"because {other} was added.")
    load_store(Builder(), Recipe("values", [source, other], {"a": 7}), cache=folder)
    turned = explain(Recipe("values", [other, source], {"a": 7}), cache=folder)
    assert turned.endswith("because the files come in another order or number.")


# ---- where -----------------------------------------------------------------------------------------------------------


def test_the_folder_is_read_from_the_environment_at_each_call(tmp_path, monkeypatch):
    monkeypatch.setenv("JANGGU_OUTPUT", str(tmp_path / "janggu"))
    assert cache_folder(True) == tmp_path / "janggu" / "datasets"
    monkeypatch.setenv("JANGGU_OUTPUT", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder(True) == tmp_path / "xdg" / "janggu-workflow"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder(True) == tmp_path / ".cache" / "janggu-workflow"
    assert cache_folder("~/here") == tmp_path / "here"
    assert cache_folder(False) is None
    for wrong in ("", 1, 0, ["x"]):
        with pytest.raises(InputError, match="cache is True, False or a folder"):
            cache_folder(wrong)


def test_a_folder_that_cannot_be_written_to_says_so(tmp_path, source):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write to the cache.*Set JANGGU_OUTPUT"):
        load_store(Builder(), Recipe("values", [source], {}), cache=tmp_path / "file")


def test_hdf5_needs_the_cache(tmp_path, source):
    with pytest.raises(InputError, match="storage='hdf5' reads values from a file.*Give cache=True"):
        load_store(Builder(), Recipe("values", [source], {}), storage="hdf5")


# ---- hashes of files -------------------------------------------------------------------------------------------------


def settle(path):
    """Let a file look as if it had been written long ago; the time of the inode stays the present."""
    os.utime(path, (LONG_AGO, LONG_AGO))


def test_a_hash_is_remembered_and_verified(tmp_path, source, monkeypatch):
    folder = tmp_path / "hashes"
    monkeypatch.setattr("helpers.data.content_hash._SETTLED_NS", -1)
    first = hash_file(source, folder)
    (memory,) = folder.iterdir()
    remembered = json.loads(memory.read_text())
    assert remembered["sha256"] == first
    memory.write_text(json.dumps(remembered | {"sha256": "remembered"}))
    assert hash_file(source, folder) == "remembered"  # not read again
    source.write_text("Xirst")
    os.utime(source, ns=(remembered["state"]["mtime_ns"],) * 2)  # size, inode and time of the contents as before
    assert source.stat().st_mtime_ns == remembered["state"]["mtime_ns"]
    assert hash_file(source, folder) not in ("remembered", first)
    memory.write_text("{")
    assert len(hash_file(source, folder)) == 64


def test_a_hash_of_a_file_that_has_just_changed_is_not_remembered(tmp_path, source):
    hash_file(source, tmp_path / "hashes")
    settle(source)
    hash_file(source, tmp_path / "hashes")  # the time of the inode is still young
    assert not (tmp_path / "hashes").exists()


def test_files_that_cannot_be_read_say_so(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: cannot read the file \(No such file"):
        hash_file(tmp_path / "none.txt", tmp_path)
    with pytest.raises(InputError, match="cannot read the file"):
        hash_file(tmp_path, tmp_path)


# ---- datasets --------------------------------------------------------------------------------------------------------


@pytest.fixture
def bam(tmp_path):
    path = tmp_path / "reads.bam"
    with pysam.AlignmentFile(str(path), "wb", header={"SQ": [{"SN": "chr1", "LN": 400}]}) as file:
        for position, flag, quality in ((10, 0, 30), (10, 16, 5), (200, 16, 30)):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.flag, read.cigarstring = "r", flag, "20M"
            read.reference_id, read.reference_start, read.mapping_quality = 0, position, quality
            file.write(read)
    return path


def test_coverage_is_cached_and_explains_itself(tmp_path, bam):
    settings = {"resolution": 10, "cache": tmp_path / "cache"}
    plain = Cover.create_from_bam("x", bam, resolution=10)
    assert plain.explain() == "reads.bam: no cache was used."
    first = Cover.create_from_bam("x", bam, **settings)
    again = Cover.create_from_bam("y", bam, conditions=["other"], storage="hdf5", **settings)
    assert "has no entry" in first.explain()
    assert "found in the cache" in again.explain()
    strict = Cover.create_from_bam("x", bam, min_mapq=10, **settings)
    assert strict.explain().endswith("because min_mapq changed from 0 to 10.")
    sparse = Cover.create_from_bam("x", bam, storage="sparse", **settings)
    for cover in (first, again, sparse):
        np.testing.assert_array_equal(cover["chr1:0-400"], plain["chr1:0-400"])
    assert strict["chr1:0-400"].sum() == 20
    assert len(entries(tmp_path / "cache")) == 3


def test_coverage_of_several_files_has_an_entry_each(tmp_path, bam):
    other = tmp_path / "other.bam"
    other.write_bytes(bam.read_bytes())
    cover = Cover.create_from_bam("x", [bam, other], resolution=10, cache=tmp_path / "cache", normalizer="zscore")
    assert cover.conditions == ["reads", "other"]
    lines = cover.explain().splitlines()
    assert "counts of reads.bam: made anew" in lines[0]
    assert "counts of other.bam: found" in lines[1]  # of the same contents
    assert len(entries(tmp_path / "cache")) == 1


def test_windows_and_names_leave_the_cached_sequence_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("JANGGU_OUTPUT", str(tmp_path / "out"))
    fasta = tmp_path / "genome.fa"
    fasta.write_text(">chr1\nACGTACGTNN\n>chr2\nGGGG\n")
    whole = Bioseq.create_from_refgenome("dna", fasta)
    made = Bioseq.create_from_refgenome("dna", fasta, cache=True)
    found = Bioseq.create_from_refgenome("other", fasta, order=3, cache=True, storage="hdf5")
    assert "has no entry" in made.explain()
    assert "found in the cache" in found.explain()
    assert found.genome.path.is_relative_to(tmp_path / "out" / "datasets" / "sequence")
    np.testing.assert_array_equal(made["chr1:0-10"], whole["chr1:0-10"])
    fasta.write_text(">chr1\nACGTACGTAA\n>chr2\nGGGG\n")
    changed = Bioseq.create_from_refgenome("dna", fasta, cache=True)
    assert f"the contents of {fasta} changed" in changed.explain()
    assert changed.codes("chr1:8-10").tolist() == [[0, 0]]
    with pytest.raises(InputError, match="hdf5.*cache=True"):
        Bioseq.create_from_refgenome("dna", fasta, storage="hdf5")


def test_two_processes_at_once_both_succeed(tmp_path, bam):
    """They wait for one another before they write, so that both find no entry."""
    code = """
import sys, time
from pathlib import Path
from helpers.data.bam import count_bam
from helpers.data.cache import Recipe, load_store
own, other = (Path(name) for name in sys.argv[1:])

def build():
    counts = count_bam("reads.bam", resolution=10)[0]
    own.touch()
    limit = time.monotonic() + 60
    while not other.exists() and time.monotonic() < limit:
        time.sleep(0.001)
    assert other.exists()
    return counts

for _ in range(2):
    store = load_store(build, Recipe("counts", ["reads.bam"], {}), cache="cache")
    print(store.contig("chr1").sum(), "found" in store.made)
"""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code]
    pair = [("a", "b"), ("b", "a")]
    processes = [
        subprocess.Popen([*command, *names], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        for names in pair
    ]
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert out.split() == ["3", "False", "3", "True"]
    assert len(entries(tmp_path / "cache")) == 1
    assert not list((tmp_path / "cache").rglob(".*"))
