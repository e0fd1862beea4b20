"""Second names of files: what Snakemake removes comes back, nothing else changes."""

import os

import pytest

from helpers.errors import InputError
from helpers.kept import keep_files, kept_note, kept_path, release_files, take_back


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_is_removed_comes_back_as_it_was(tmp_path):
    path = tmp_path / "a.bam"
    path.write_text("first")
    os.utime(path, (1e9, 1e9))
    keep_files([path, tmp_path / "absent.bam"])
    keep_files([path])  # again, as after a run that was killed
    assert names(tmp_path) == [".a.bam.kept", "a.bam"]
    assert path.stat().st_nlink == 2  # no room is taken
    path.unlink()
    release_files([path])
    assert kept_note(path) == f" The older file is kept: {kept_path(path)}."
    assert not take_back(path, lambda file: file.exists() and file.read_text() == "second")
    assert names(tmp_path) == [".a.bam.kept"]
    assert take_back(path, lambda file: file.exists() and file.read_text() == "first")
    assert names(tmp_path) == [".a.bam.kept", "a.bam"]  # and is kept until no job runs, lest it be removed again
    assert path.stat().st_mtime == 1e9
    assert kept_note(path) == ""
    release_files([path])
    assert names(tmp_path) == ["a.bam"]


def test_what_stands_is_what_is_kept_and_never_replaced(tmp_path):
    path = tmp_path / "a.bam"
    kept_path(path).write_text("old")
    path.write_text("new")
    assert not take_back(path, lambda file: file.read_text() == "old")
    assert take_back(path, lambda file: file.read_text() == "new")
    assert kept_note(path) == ""
    keep_files([path])
    assert kept_path(path).read_text() == "new"
    release_files([path])
    assert names(tmp_path) == ["a.bam"]


def test_links_to_another_disk_are_kept_as_links(tmp_path):
    target, path = tmp_path / "far/away.bam", tmp_path / "a.bam"
    target.parent.mkdir()
    target.write_text("reads")
    path.symlink_to(target)
    keep_files([path])
    path.unlink()  # as Snakemake does: the link, not what it points to
    assert take_back(path, lambda file: file.is_file())
    assert path.is_symlink()
    assert path.read_text() == "reads"


def test_files_that_take_no_second_name_are_told_at_once(tmp_path, caplog):
    paths = [tmp_path / "a.bam", tmp_path / "b.bam", tmp_path / "c.bam"]
    for path in paths:
        path.write_text("reads")
    for path in paths[:2]:
        kept_path(path).mkdir()
    keep_files(paths)
    assert len(caplog.records) == 1
    assert "a.bam (" in caplog.text
    assert "b.bam (" in caplog.text
    assert kept_path(paths[2]).samefile(paths[2])


def test_a_file_that_cannot_come_back_is_one_message(tmp_path):
    kept_path(tmp_path / "a.bam").mkdir()  # folders take no second names
    with pytest.raises(
        InputError, match=r"a\.bam is kept as .*\.a\.bam\.kept, and cannot come back: .*Rename it yourself"
    ):
        take_back(tmp_path / "a.bam", lambda path: path.exists())
    assert names(tmp_path) == [".a.bam.kept"]
