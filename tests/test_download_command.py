"""The command that the workflow runs for a download: its record, its manners, and how it ends."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from io import BytesIO
from pathlib import Path

import pysam
import pytest
from served_files import CONTENT, serving, write_alignments

from helpers.addresses import accession_of, full_address, web_address
from helpers.errors import InputError
from helpers.kept import kept_path
from helpers.record import source_path
from helpers.sources.download import download, main
from helpers.sources.extract import extract_member
from helpers.sources.failures import Manner
from helpers.sources.part_file import PartFile
from helpers.sources.prepare import bgzip_genome, index_alignments, sort_alignments
from helpers.sources.prepare import main as prepare
from helpers.sources.slots import host_slot, lock

ROOT = Path(__file__).resolve().parents[1]
MD5 = hashlib.md5(CONTENT).hexdigest()
ACCESSION = "ENCFF123ABC"
FILE = f"/files/{ACCESSION}/@@download/{ACCESSION}.bed"
OBJECT = f"/files/{ACCESSION}/?format=json"


@pytest.fixture
def site():
    with serving() as running:
        running.files["/a.bin"] = CONTENT
        yield running


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def command(*arguments, before=None):
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.sources.download", *map(str, arguments)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )


def test_the_command_records_the_source_and_says_one_line(site, tmp_path):
    main([site.url("/a.bin"), str(tmp_path / "a.bin"), "--md5=", "--sha256=", "--size="])
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin", "a.bin.source.json"]
    source = json.loads((tmp_path / "a.bin.source.json").read_text())
    assert source["url"] == site.url("/a.bin")
    assert (source["md5"], source["size"], source["sorted_here"]) == (MD5, len(CONTENT), False)
    assert source["file"] == {"size": len(CONTENT), "md5": MD5}
    with pytest.raises(SystemExit, match="ERROR: .*404.*or correct its row in the sheet of tracks"):
        main([site.url("/absent.bin"), str(tmp_path / "b.bin"), f"--mirrors={site.url('/absent')}"])
    with pytest.raises(SystemExit, match="or correct the row of mine in the sheet of tracks"):
        main([site.url("/absent.bin"), str(tmp_path / "b.bin"), "--row=mine"])
    with pytest.raises(SystemExit, match=r"ERROR: .*b\.bin is missing, and offline nothing is downloaded"):
        main([site.url("/a.bin"), str(tmp_path / "b.bin"), "--offline"])
    assert names(tmp_path) == ["a.bin", "a.bin.source.json"]


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        *(([], 0), (["--offline"], 0), (["--mirrors=https://x/b https://y/c", f"--md5={MD5.upper()}"], 0)),
        *(([f"--size={len(CONTENT)}", f"--sha256={hashlib.sha256(CONTENT).hexdigest()}"], 0), (["--assembly=hg38"], 0)),
        *((["--size=1"], 1), ([f"--md5={'0' * 32}"], 1), ([f"--sha256={'0' * 64}"], 1)),
    ],
)
def test_a_file_that_is_the_wanted_one_is_left_alone(site, tmp_path, options, asked):
    target = tmp_path / "a.bin"
    main([site.url("/a.bin"), str(target)])
    os.utime(target, (1e9, 1e9))
    site.asked.clear()
    if asked:
        with pytest.raises(SystemExit, match=r"instead of|bytes instead"):
            main([site.url("/a.bin"), str(target), *options])
    else:
        main([site.url("/a.bin"), str(target), *options])
    assert len(site.asked) == asked
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mtime == 1e9
    assert names(tmp_path) == ["a.bin", "a.bin.source.json"]


def test_another_file_stands_until_the_right_one_is_there(site, tmp_path):
    target, record = tmp_path / "a.bin", tmp_path / "a.bin.source.json"
    site.files |= {"/b.bin": CONTENT[::-1], "/moved.bin": CONTENT}
    main([site.url("/a.bin"), str(target)])
    with pytest.raises(SystemExit, match=r"a\.bin is another file, and offline nothing is downloaded. It is .*/b\.bin"):
        main([site.url("/b.bin"), str(target), "--offline"])
    with pytest.raises(SystemExit, match="404"):
        main([site.url("/absent"), str(target)])
    assert target.read_bytes() == CONTENT
    main([site.url("/moved.bin"), str(target), f"--mirrors={site.url('/a.bin')}"])  # it came from what is a mirror now
    assert site.ranges("/moved.bin") == []
    main([site.url("/b.bin"), str(target)])
    assert target.read_bytes() == CONTENT[::-1]
    for spoil in (lambda: target.write_bytes(CONTENT), lambda: record.write_text("[1]"), record.unlink):
        spoil()
        site.asked.clear()
        main([site.url("/b.bin"), str(target)])
        assert site.ranges("/b.bin") == [None]
        assert target.read_bytes() == CONTENT[::-1]


def test_a_file_that_snakemake_removed_comes_back_when_it_is_the_wanted_one(site, tmp_path):
    target = tmp_path / "a.bin"
    main([site.url("/a.bin"), str(target)])
    target.rename(kept_path(target))
    with pytest.raises(SystemExit, match=r"404.*The older file is kept: .*\.a\.bin\.kept\.$"):
        main([site.url("/absent"), str(target)])
    site.asked.clear()
    main([site.url("/a.bin"), str(target), "--offline"])
    assert (target.read_bytes(), site.asked) == (CONTENT, [])
    target.unlink()  # once more, as after a job that was killed behind its download
    site.files["/b.bin"] = CONTENT[::-1]
    main([site.url("/b.bin"), str(target)])
    assert target.read_bytes() == CONTENT[::-1]
    assert names(tmp_path) == [".a.bin.kept", "a.bin", "a.bin.source.json"]


def test_what_an_archive_held_or_was_sorted_is_known_again(site, tmp_path):
    write_alignments(tmp_path / "served", [500, 20, 300], "unsorted")
    site.files["/a.tgz"] = archive({"reads/a.bam": (tmp_path / "served").read_bytes()})
    target = tmp_path / "files/a.bam"
    md5 = f"--md5={hashlib.md5(site.files['/a.tgz']).hexdigest()}"
    for _ in range(2):
        main([site.url("/a.tgz"), str(target), "--unpack", "--sort", md5])
    assert len(site.asked) == 1
    assert names(target.parent) == ["a.bam", "a.bam.source.json"]


def test_a_record_that_cannot_be_written_is_one_line(site, tmp_path):
    (tmp_path / "a.bin.source.json").mkdir()
    said = r"ERROR: .*a\.bin or its record cannot be written: .*Is a directory.* kept in .*a\.bin\.part\.$"
    with pytest.raises(SystemExit, match=said):
        main([site.url("/a.bin"), str(tmp_path / "a.bin")])
    assert names(tmp_path) == ["a.bin.part", "a.bin.part.json", "a.bin.source.json"]
    (tmp_path / "a.bin.source.json").rmdir()
    main([site.url("/a.bin"), str(tmp_path / "a.bin")])
    assert names(tmp_path) == ["a.bin", "a.bin.source.json"]
    assert len(site.asked) == 1


def archive(files):
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
    return packed.getvalue()


def test_the_one_file_of_an_archive_arrives_under_the_name_that_was_asked_for(site, tmp_path):
    content = os.urandom(50_000)
    packed = archive({"./._a.bin": b"attributes", "../../a.bin": content})
    site.files["/a.tar.gz"], site.faults["/a.tar.gz"] = packed, [20_000]
    target = tmp_path / "deep/down/bins.bed"
    main([site.url("/a.tar.gz"), str(target), "--unpack", f"--md5={hashlib.md5(packed).hexdigest()}"])
    assert target.read_bytes() == content
    source = json.loads((target.parent / "bins.bed.source.json").read_text())
    assert source["file"] == {"size": 50_000, "md5": hashlib.md5(content).hexdigest()}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["bins.bed", "bins.bed.source.json"]
    assert site.sent == len(packed)


def test_archives_of_several_files_and_files_that_are_no_archives_are_refused(site, tmp_path):
    site.files["/two.tar.gz"] = archive({"a.bin": CONTENT, "b.bin": CONTENT})
    for path, word in (("/two.tar.gz", "it holds a.bin, b.bin"), ("/a.bin", "cannot be unpacked")):
        with pytest.raises(SystemExit, match=word) as caught:
            main([site.url(path), str(tmp_path / "bins.bed"), "--unpack"])
        assert site.url(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_an_archive_that_was_cut_is_an_error(tmp_path):
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive({"a.bin": CONTENT})[:2000])
    with pytest.raises(InputError, match="cannot be unpacked"):
        extract_member(cut, tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupt_leaves_no_file_and_the_next_run_goes_on(site, tmp_path, end):
    arrived = threading.Event()

    def slow(handler):
        handler.head(200, {"Content-Length": str(len(CONTENT)), "ETag": f'"{MD5}"'})
        handler.body(CONTENT[:100_000])
        arrived.wait(20)
        handler.close_connection = True

    site.faults["/a.bin"] = [slow]
    part = tmp_path / "a.bin.part"
    with command(
        site.url("/a.bin"), tmp_path / "a.bin", before=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    ) as running:
        while not (part.exists() and part.stat().st_size == 100_000):
            assert running.poll() is None
            time.sleep(0.02)
        with pytest.raises(InputError, match="being downloaded by another process"):
            download(site.url("/a.bin"), tmp_path / "a.bin")
        running.send_signal(end)
        said = running.communicate(timeout=20)[1]
    arrived.set()
    assert ("is kept for the next try" in said) == (end == signal.SIGINT)
    assert running.returncode == (1 if end == signal.SIGINT else -end)
    assert names(tmp_path) == ["a.bin.part", "a.bin.part.json"]
    main([site.url("/a.bin"), str(tmp_path / "a.bin")])
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert site.ranges("/a.bin") == [None, "bytes=100000-"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("kind", ["plain", "sorted", "unpacked"])
def test_what_is_complete_is_never_asked_for_again(site, tmp_path, end, kind):
    """The end comes with record or file, whichever is first, and so between them or just behind."""
    write_alignments(tmp_path / "served", [500, 20, 300], "unsorted")
    reads = (tmp_path / "served").read_bytes()
    site.files |= {"/plain": CONTENT, "/sorted": reads, "/unpacked": archive({"a.bam": reads})}
    options = {"plain": [], "sorted": ["--sort"], "unpacked": ["--unpack", "--sort"]}[kind]
    target = tmp_path / "files" / ("a.bin" if kind == "plain" else "a.bam")
    arguments = [site.url(f"/{kind}"), str(target), *options]
    with command(*arguments, before=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as running:
        while not (source_path(target).exists() or target.exists()):
            assert running.poll() is None
        running.send_signal(end)
        said = running.communicate(timeout=20)[1]
    assert target.exists() or (end == signal.SIGKILL) != ("is kept for the next try" in said)
    main([*arguments, *(["--offline"] if target.exists() else [])])
    assert len(site.asked) == 1
    assert json.loads(source_path(target).read_text())["file"]["md5"] == hashlib.md5(target.read_bytes()).hexdigest()


def test_a_limit_on_file_sizes_is_told_and_what_fits_is_kept(site, tmp_path):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    with command(site.url("/a.bin"), tmp_path / "a.bin", before=limit) as running:
        said = running.communicate(timeout=20)[1]
    assert running.returncode == 1
    assert "ERROR: " in said
    assert "there is no room for it (File too large)" in said
    assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:200_000]
    main([site.url("/a.bin"), str(tmp_path / "a.bin")])
    assert site.ranges("/a.bin")[-1] == "bytes=200000-"


def test_a_host_is_asked_for_few_files_at_once(site, tmp_path):
    site.pause = 0.1
    site.files |= {f"/{number}": CONTENT for number in range(6)}
    manner = Manner(slots=tmp_path / "slots", per_host=2)
    threads = [
        threading.Thread(
            target=download, args=(site.url(f"/{number}"), tmp_path / f"{number}.bin"), kwargs={"manner": manner}
        )
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.most == 2
    assert len(list(tmp_path.glob("*.bin"))) == 6
    assert names(tmp_path / "slots") == sorted(f"127.0.0.1_{site.address.split(':')[-1]}.{slot}" for slot in (0, 1))


def test_the_slot_of_a_process_that_was_killed_is_free(tmp_path):
    code = "from helpers.sources.slots import host_slot\n"
    code += f"with host_slot('http://a/b', {str(tmp_path)!r}, 1): print(1, flush=True); input()"
    holder = [sys.executable, "-c", code]
    with subprocess.Popen(holder, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdout.readline()
        assert lock(tmp_path / "a.0") is None
        with host_slot("http://other/b", tmp_path, 1):  # another host is not held up
            running.kill()
        running.wait()
        with host_slot("http://user:secret@a/c", tmp_path, 1):
            assert lock(tmp_path / "a.0") is None
    assert names(tmp_path) == ["a.0", "other.0"]


def encode_object(content, **more):
    found = {"md5sum": hashlib.md5(content).hexdigest(), "file_size": len(content), "status": "released"}
    return json.dumps(found | {"assembly": "GRCh38"} | more).encode()


@pytest.mark.parametrize("status", ["released", "archived", "revoked"])
def test_encode_is_asked_for_size_checksum_and_status(site, tmp_path, caplog, status):
    site.faults[FILE] = [(307, {"Location": "/a.bin?X-Amz-Signature=secret"})]
    site.files |= {"/a.bin?X-Amz-Signature=secret": CONTENT, OBJECT: encode_object(CONTENT, status=status)}
    main([f"encode:{ACCESSION}.bed", str(tmp_path / "a.bed"), f"--encode={site.address}/"])
    source = json.loads((tmp_path / "a.bed.source.json").read_text())
    assert source["encode"] == {"accession": ACCESSION, "status": status, "assembly": "GRCh38"}
    assert source["final_url"] == site.url("/a.bin")
    assert (f"ENCODE says of {ACCESSION}: {status}" in caplog.text) == (status != "released")


@pytest.mark.parametrize(
    ("said", "wanted", "outcome"),
    [
        *(("GRCh38", "hg38", None), ("GRCh38-minimal", "HG38", None), ("hg19", "GRCh37.p13", None)),
        *(("mm10-minimal", "GRCm38", None), ("mm9", "NCBIM37", None), ("GRCm39", "mm39", None), ("ce11", "ce11", None)),
        *((None, "hg38", None), ("GRCh38", "", None), ("mine", "Mine", None)),
        *(("GRCh38", "hg19", "error"), ("mm10-minimal", "mm9", "error"), ("mm10", "hg38", "error")),
        *(("J02459.1", "hg38", "warning"), ("GRCh38", "mine", "warning")),
    ],
)
def test_encode_says_of_which_assembly_a_file_is_before_it_comes(site, tmp_path, caplog, said, wanted, outcome):
    site.files |= {FILE: CONTENT, OBJECT: encode_object(CONTENT, assembly=said), "/mirror": CONTENT}
    options = (f"--encode={site.address}", f"--assembly={wanted}", "--row=mine")
    command = [f"encode:{ACCESSION}.bed", str(tmp_path / "a.bed"), f"--mirrors={site.url('/mirror')}", *options]
    if outcome == "error":
        with pytest.raises(SystemExit) as caught:
            main(command)
        message = str(caught.value)
        words = (f"the sheet's assembly is {wanted}", f"that of {ACCESSION} is {said}", "correct the row of mine")
        assert [word for word in words if word not in message] == []
        assert [path for path, _ in site.asked] == [OBJECT]
        assert names(tmp_path) == []
        return
    main(command)
    assert (tmp_path / "a.bed").read_bytes() == CONTENT
    assert ("whether these are two names of one assembly is not known" in caplog.text) == (outcome == "warning")


def test_a_file_that_is_not_what_encode_says_is_refused(site, tmp_path):
    site.files |= {FILE: CONTENT, OBJECT: encode_object(CONTENT[::-1])}
    manner = Manner(portal=site.address)
    with pytest.raises(InputError, match="has md5"):
        download(site.url(FILE), tmp_path / "a.bed", manner=manner)
    site.files[OBJECT] = encode_object(CONTENT[:-1])
    with pytest.raises(InputError, match=f"size of {len(CONTENT)} bytes instead of {len(CONTENT) - 1}"):
        download(site.url(FILE), tmp_path / "a.bed", manner=manner)
    download(site.url(FILE), tmp_path / "a.bed", manner=manner, md5=MD5, size=len(CONTENT))  # the sheet knows better
    assert (tmp_path / "a.bed").read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [b"<html>maintenance", b"{}", b"[1]", None])
def test_without_an_answer_of_encode_a_checksum_is_needed(site, tmp_path, caplog, answer):
    site.files[FILE] = CONTENT
    if answer is not None:
        site.files[OBJECT] = answer
    manner = Manner(portal=site.address)
    with pytest.raises(InputError, match="size and checksum are not known.*can be given in the sheet"):
        download(site.url(FILE), tmp_path / "a.bed", manner=manner)
    found = download(site.url(FILE), tmp_path / "a.bed", manner=manner, md5=MD5)
    assert found["encode"] == {"accession": ACCESSION, "status": "not known"}
    assert f"stands by {ACCESSION} is not known" in caplog.text


def test_addresses():
    assert web_address("s3://my.bucket/a+b/c#d.bam") == "https://s3.amazonaws.com/my.bucket/a%2Bb/c%23d.bam"
    assert full_address("encode:ENCFF123ABC", "bigWig") == "encode:ENCFF123ABC.bigWig"
    assert full_address("encode:ENCFF123ABC.tar.gz", "bigWig") == "encode:ENCFF123ABC.tar.gz"
    assert full_address("encode:ENCFF123ABC", "meme") == "encode:ENCFF123ABC"
    url = web_address("encode:ENCFF123ABC.bam")
    assert accession_of(url) == "ENCFF123ABC"
    assert accession_of(url.replace("https://www.", "http://")) == "ENCFF123ABC"
    for other in ("evil.", "www.evil"):
        assert accession_of(url.replace("www.", other)) is None
    for wrong in ("encode:ENCFF123ABC", "s3://bucket", "https:///a", "file:///etc/passwd", "a.bam"):
        with pytest.raises(InputError, match="is no address of a file"):
            web_address(wrong)


def test_a_part_file_of_nothing_goes_away(tmp_path):
    with PartFile(tmp_path / "a.bin") as part:
        assert part.size == 0
        with pytest.raises(InputError, match="another process"):
            PartFile(tmp_path / "a.bin").__enter__()
    assert names(tmp_path) == []


def test_alignments_are_sorted_when_they_are_not_and_indexed(site, tmp_path):
    write_alignments(tmp_path / "served", [500, 20, 300], "queryname")
    site.files["/a.bam"] = (tmp_path / "served").read_bytes()
    target = tmp_path / "files/a.bam"
    main([site.url("/a.bam"), str(target), "--sort"])
    prepare(["index", str(target)])
    index = Path(f"{target}.bai").read_bytes()
    prepare(["index", str(target), "--threads", "3"])
    assert Path(f"{target}.bai").read_bytes() == index
    with pysam.AlignmentFile(str(target)) as file:
        assert [read.reference_start for read in file.fetch("chr1", 0, 400)] == [20, 300]
    source = json.loads((target.parent / "a.bam.source.json").read_text())
    assert source["sorted_here"] is True
    assert source["file"]["md5"] == hashlib.md5(target.read_bytes()).hexdigest() != source["md5"]
    assert names(target.parent) == ["a.bam", "a.bam.bai", "a.bam.source.json"]
    before = target.stat().st_mtime_ns
    assert not sort_alignments(target, target)
    assert target.stat().st_mtime_ns == before
    site.files["/sorted.bam"] = target.read_bytes()
    main([site.url("/sorted.bam"), str(tmp_path / "b.bam"), "--sort"])
    assert (tmp_path / "b.bam").read_bytes() == target.read_bytes()


def test_alignments_out_of_an_archive_are_sorted(site, tmp_path):
    write_alignments(tmp_path / "served", [500, 20, 300], "unsorted")
    site.files["/a.tar.gz"] = archive({"reads/a.bam": (tmp_path / "served").read_bytes()})
    main([site.url("/a.tar.gz"), str(tmp_path / "a.bam"), "--unpack", "--sort"])
    with pysam.AlignmentFile(str(tmp_path / "a.bam"), check_sq=False) as file:
        assert [read.reference_start for read in file] == [20, 300, 500]
    source = json.loads((tmp_path / "a.bam.source.json").read_text())
    assert source["file"]["md5"] == hashlib.md5((tmp_path / "a.bam").read_bytes()).hexdigest()


def test_alignments_that_cannot_be_sorted_or_indexed_are_errors(tmp_path):
    (tmp_path / "a.bam").write_bytes(gzip.compress(b"no alignments"))
    with pytest.raises(InputError, match="cannot be sorted: file does not contain alignment data"):
        sort_alignments(tmp_path / "a.bam", tmp_path / "a.bam")
    write_alignments(tmp_path / "b.bam", [500, 20], "coordinate")
    with pytest.raises(InputError, match="If its reads are not sorted by coordinate, although.*samtools sort"):
        index_alignments(tmp_path / "b.bam")
    with pytest.raises(SystemExit, match="ERROR: .*cannot be indexed"):
        prepare(["index", str(tmp_path / "a.bam")])
    assert names(tmp_path) == ["a.bam", "b.bam"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"<html>please log in", "a web page"),
        (b"@HD\tVN:1.6\n", "no .bam file"),
        (None, "no such file"),
        *((cut, "lacks the end mark of bgzip") for cut in (60, -29, -28, -1)),
        *((1, "no .bam file"), (10, "lacks the end mark of bgzip")),
    ],
)
def test_what_is_wrong_with_alignments_is_told_not_what_samtools_makes_of_it(tmp_path, content, words):
    path = tmp_path / "a.bam"
    if isinstance(content, int):
        write_alignments(path, [20, 500], "coordinate")
        content = path.read_bytes()[:content]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"cannot be indexed: .*({words}).*Download it again"):
        index_alignments(path)
    assert not (tmp_path / "a.bam.bai").exists()


@pytest.mark.parametrize(("packed", "ends"), [(True, "\n"), (False, "\n"), (True, "\r\n")])
def test_a_genome_is_bgzipped_and_indexed(tmp_path, packed, ends):
    text = ">chr1 one\nACGTNacgt\nAC\n>chr2\nGGG\n".replace("\n", ends)
    (tmp_path / "in").write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    prepare(["genome", str(tmp_path / "in"), str(tmp_path / "g.fa.gz")])
    with pysam.FastaFile(str(tmp_path / "g.fa.gz")) as genome:
        assert {name: genome.fetch(name) for name in genome.references} == {"chr1": "ACGTNacgtAC", "chr2": "GGG"}
        assert genome.fetch("chr1", 8, 10) == "tA"
    assert gzip.decompress((tmp_path / "g.fa.gz").read_bytes()).decode() == text
    assert names(tmp_path) == ["g.fa.gz", "g.fa.gz.fai", "g.fa.gz.gzi", "in"]


def test_a_genome_that_is_cut_leaves_nothing(tmp_path):
    (tmp_path / "in").write_bytes(gzip.compress(os.urandom(9000))[:5000])
    with pytest.raises(InputError, match="cannot be bgzipped"):
        bgzip_genome(tmp_path / "in", tmp_path / "g.fa.gz")
    with pysam.BGZFile(str(tmp_path / "in"), "wb") as file:
        file.write(b">chr1\nACGT\n")
        file.flush()
        file.write(b">chr2\nACGT\n")
    cut = (tmp_path / "in").read_bytes()[: (tmp_path / "in").read_bytes().index(b"\x1f\x8b", 1)]
    assert gzip.decompress(cut) == b">chr1\nACGT\n"  # a whole gzip file, which has lost chr2
    for content, words in ((cut, "lacks the end mark"), (b"", "empty"), (b"<html>log in", "a web page")):
        (tmp_path / "in").write_bytes(content)
        with pytest.raises(InputError, match=f"cannot be bgzipped: .*{words}.*Download it again"):
            bgzip_genome(tmp_path / "in", tmp_path / "g.fa.gz")
    (tmp_path / "in").write_bytes(b">chr1\nACGT\nAC\nACGT\n")  # lines of different lengths
    with pytest.raises(InputError, match="cannot be bgzipped and indexed"):
        bgzip_genome(tmp_path / "in", tmp_path / "g.fa.gz")
    assert names(tmp_path) == ["in"]
