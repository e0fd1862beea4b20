"""Where the sheet says that files come from: addresses, mirrors, checksums, and what is missing offline."""

import hashlib
from pathlib import Path

import pytest

from helpers.errors import InputError
from helpers.record import write_record
from helpers.sheet import addresses, file_path, is_archive, is_remote, missing_downloads, read_tracks

COLUMNS = ("track", "type", "assembly", "url", "mirrors", "sha256")
SHA256 = "0123456789abcdefABCDEF" + "0" * 42


def sheet(tmp_path, *rows, columns=COLUMNS):
    path = tmp_path / "tracks.tsv"
    path.write_text("\n".join("\t".join(row) for row in (columns, *rows)) + "\n")
    return path


def row(tmp_path, kind, url, mirrors="", sha256=""):
    return read_tracks(sheet(tmp_path, ("a", kind, "hg38", url, mirrors, sha256))).loc["a"]


@pytest.mark.parametrize(
    ("kind", "url", "path"),
    [
        ("narrowPeak", "encode:ENCFF446WOD", "a.narrowPeak.gz"),
        ("bam", "encode:ENCFF446WOD", "a.bam"),
        ("bigWig", "encode:ENCFF446WOD", "a.bigWig"),
        ("meme", "encode:ENCFF446WOD.txt.gz", "a.meme.gz"),
        ("gtf", "s3://bucket/key.gtf.gz", "a.gtf.gz"),
        ("bed", "s3://bucket/key.bed.tar.gz", "a.bed"),
        ("bed", "https://x/a.bed", "a.bed"),
        ("bed", "https://x/a.bed.gz?download=1#top", "a.bed.gz"),
        ("bed", "https://x/get?file=a.bed.gz", "a.bed.gz"),
        ("bed", "https://x/a.tar.gz?download=1", "a.bed"),
        ("bed", "https://x/a.tgz", "a.bed"),
        ("bed", "https://x/A.BED.GZ", "a.bed.gz"),
        ("bed", "https://x/[?a=/b", "a.bed"),
    ],
)
def test_files_of_every_kind_of_address_have_their_place(tmp_path, kind, url, path):
    found = row(tmp_path, kind, url, sha256=SHA256)
    assert is_remote(found)
    assert file_path(found, "run") == f"resources/hg38/{path}"
    assert is_archive(found) == (".tar.gz" in url or ".tgz" in url)
    assert found["sha256"] == SHA256


def test_mirrors_follow_the_url(tmp_path):
    found = row(tmp_path, "bed", "encode:ENCFF446WOD", " https://x/a.gz  s3://b1-c.d/e encode:ENCFF000AAA")
    assert addresses(found) == [
        *("encode:ENCFF446WOD.bed.gz", "https://x/a.gz", "s3://b1-c.d/e", "encode:ENCFF000AAA.bed.gz")
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("bed", "hg38", "encode:446WOD", "", ""), ["'encode:446WOD'", "encode:ENCFF"]),
        (("meme", "hg38", "encode:ENCFF446WOD", "", ""), ["'meme' need their ending"]),
        (("bed", "hg38", "s3://bucket", "", ""), ["'s3://bucket' is not https://"]),
        (("bed", "hg38", "ftp://x/a.bed", "", ""), ["'ftp://x/a.bed' is not https://"]),
        (("bed", "hg38", "https://x/a b.bed", "", ""), ["'https://x/a b.bed' holds a space", "%20"]),
        (("bed", "hg38", "https://x/a.zip", "", ""), ["'https://x/a.zip' is a .zip file; unpack or convert it"]),
        (("bed", "hg38", "https://x/a.TAR", "", ""), ["'https://x/a.TAR' is a .tar file"]),
        (("bed", "hg38", "https://x/a.bed.bz2?a=1", "", ""), ["is a .bz2 file"]),
        (("bed", "hg38", "encode:ENCFF446WOD.tar.xz", "", ""), ["'encode:ENCFF446WOD.tar.xz' is a .tar.xz file"]),
        (("fasta", "hg38", "s3://bucket/a.2bit", "", ""), ["is a .2bit file", "and give the fasta file"]),
        (("bed", "hg38", "https://x/a", "https://x/a.7z", ""), ["'https://x/a.7z' is a .7z file"]),
        (("bed", "hg38", "https://me:pass@x/a", "", ""), ["url 'https://x/a' is given with a user", "~/.netrc"]),
        (("bed", "hg38", "https://x/a", "http://me:pass@y/a", ""), ["url 'http://y/a' is given with a user"]),
        (("bed", "", "s3://bucket/key", "", ""), ["assembly ''"]),
        (("bed", "..", "https://x/a", "", ""), ["assembly '..'"]),
        (("bed", "hg38", "https://x/a", "https://y/a,ftp://z", "",), []),
        (("bed", "hg38", "https://x/a", "https://y/a ftp://z", ""), ["url 'ftp://z'"]),
        (("bed", "hg38", "https://x/a", "", "12"), ["sha256 '12' is not 64"]),
        (("bed", "hg38", "simulated:a.bed", "https://x/a", ""), ["mirrors 'https://x/a' stand beside no url"]),
    ],
)  # fmt: skip
def test_wrong_addresses_are_named_with_their_line(tmp_path, fields, words):
    path = sheet(tmp_path, ("a", *fields))
    if not words:  # a comma is a character of URLs
        assert len(addresses(read_tracks(path).loc["a"])) == 2
        return
    with pytest.raises(InputError, match="line 2") as caught:
        read_tracks(path)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "pass@" not in str(caught.value)


def test_mirrors_of_a_local_file_are_an_error(tmp_path):
    columns = ("track", "type", "path", "mirrors")
    with pytest.raises(InputError, match="stand beside no url"):
        read_tracks(sheet(tmp_path, ("a", "bed", "a.bed", "https://x/a.bed"), columns=columns))


@pytest.mark.parametrize("ending", [".tar.gz", ".zip", ".bed.xz"])
def test_packed_local_files_are_named_with_their_line(tmp_path, ending):
    with pytest.raises(
        InputError, match=f"line 2: '/d/a{ending}' is a .* file; unpack or convert it, and give the bed"
    ):
        read_tracks(sheet(tmp_path, ("a", "bed", f"/d/a{ending}"), columns=("track", "type", "path")))


def test_offline_all_missing_files_are_named_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = sheet(
        tmp_path,
        ("here", "bed", "hg38", "https://x/here.bed", "", ""),
        ("gone", "bam", "hg38", "encode:ENCFF446WOD", "https://x/m", ""),
        ("lost", "bed", "hg19", "https://x/lost.bed.gz", "", ""),
        ("made", "bed", "demo", "simulated:made.bed", "", ""),
    )
    tracks = read_tracks(path)
    (tmp_path / "resources/hg38").mkdir(parents=True)
    (tmp_path / "resources/hg38/here.bed").write_text("chr1\t1\t2\n")
    with pytest.raises(InputError, match="2 files are missing") as caught:
        missing_downloads(tracks, "run")
    assert "resources/hg38/gone.bam: encode:ENCFF446WOD.bam or https://x/m\n" in str(caught.value)
    assert "resources/hg19/lost.bed.gz: https://x/lost.bed.gz\n" in str(caught.value)
    missing_downloads(tracks.loc[["here", "made"]], "run")
    kept = tmp_path / "resources/hg38/.gone.bam.kept"
    kept.write_text("of a run that failed")
    with pytest.raises(InputError, match="1 files are missing"):  # nothing says what it is
        missing_downloads(tracks.loc[["gone"]], "run")
    record = {"url": "https://x/m", "file": {"size": 20, "md5": hashlib.md5(b"of a run that failed").hexdigest()}}
    write_record(tmp_path / "resources/hg38/gone.bam", record)
    missing_downloads(tracks.loc[["gone"]], "run")
    kept.write_text("of a run that worked")
    with pytest.raises(InputError, match="1 files are missing"):
        missing_downloads(tracks.loc[["gone"]], "run")
    with pytest.raises(
        InputError, match=r"1 files are missing.*\n  resources/igv.js: made by a run that is not offline"
    ):
        missing_downloads(tracks.loc[["here"]], "run", {"resources/igv.js": Path.is_file, str(path): Path.is_file})
    (tmp_path / "resources/.igv.js.kept").write_text("program")
    missing_downloads(tracks.loc[["here"]], "run", {"resources/igv.js": Path.is_file})


def test_a_column_that_stands_twice_is_an_error(tmp_path):
    (tmp_path / "tracks.tsv").write_text("track\ttype\turl\turl\na\tbed\thttps://x/a.bed\thttps://x/b.bed\n")
    with pytest.raises(InputError, match="line 1: column 'url' stands twice"):
        read_tracks(tmp_path / "tracks.tsv")
