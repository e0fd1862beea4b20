"""The rules of downloads, run as a user runs them, from a real server."""

import gzip
import hashlib
import json
import os
import random
import signal
import time
from contextlib import suppress

import pysam
import pytest
import requests
from served_files import serving, write_alignments

HOSTILE = "/it's/$(touch${IFS}hacked)/;touch${IFS}hacked2/%2525&{x}.bed.gz"
GENOME = ">chr1\nACGTACGT\n"
BED = b"chr1\t0\t8\n"


def test_offline_no_rule_downloads(tmp_path, run_workflow, micro_config):
    """A track that no study reads is not looked for before the run; its rule downloads nothing either."""
    config = micro_config() | {"offline": True}
    config["tracks"] = [config["tracks"], str(tmp_path / "more.tsv")]
    with serving() as site:
        site.files["/a.bed.gz"] = gzip.compress(BED)
        row = ("more", "bed", "hg38", site.url("/a.bed.gz"))
        (tmp_path / "more.tsv").write_text("track\ttype\tassembly\turl\n" + "\t".join(row) + "\n")
        done = run_workflow(tmp_path, config, "resources/hg38/more.bed.gz")
        assert site.asked == []
    assert done.returncode != 0
    assert "offline nothing is downloaded" in done.stdout, done.stdout
    assert "--assembly=hg38 --row=more" in " ".join(done.stdout.split()), done.stdout
    config["studies"]["jund"]["loci"] = {"of": {"model": "joint"}}
    done = run_workflow(tmp_path, config, "-n", "jund")
    assert "resources/igv/igv.min.js" in done.stdout
    assert "1 files are missing" in done.stdout


@pytest.mark.slow
def test_no_run_loses_a_file_that_was_downloaded(tmp_path, run_workflow, micro_config):
    """A job of Snakemake removes its output when it starts and when it fails."""
    config, target = micro_config(), "resources/hg38/more.bed.gz"
    config["tracks"] = [config["tracks"], str(tmp_path / "more.tsv")]
    file, right, other = tmp_path / target, gzip.compress(BED), gzip.compress(BED * 2)
    columns = ("track", "type", "assembly", "url", "mirrors", "md5", "size")

    def run(*arguments, url="/a.bed.gz", offline=False, **row):
        fields = {"track": "more", "type": "bed", "assembly": "hg38", "url": site.url(url)} | row
        lines = ["\t".join(columns), "\t".join(fields.get(name, "") for name in columns)]
        (tmp_path / "more.tsv").write_text("\n".join(lines) + "\n")
        site.asked.clear()
        return run_workflow(
            tmp_path, config | {"offline": offline}, target, *arguments, "--max-jobs-per-timespan", "100/1s"
        )

    with serving() as site:
        site.files |= {"/a.bed.gz": right, "/b.bed.gz": other}
        assert run().returncode == 0
        more = {"mirrors": site.url("/m.bed.gz"), "size": str(len(right))}
        assert "Nothing to be done" in run("-n", offline=True, **more).stdout
        done = run("--forcerun", "download_track", offline=True, md5=hashlib.md5(right).hexdigest(), **more)
        assert (done.returncode, site.asked, file.read_bytes()) == (0, [], right), done.stdout
        for _ in range(2):  # and no second run takes it for the wanted one
            done = run(md5="0" * 32)
            assert done.returncode != 0
            assert "The older file is kept: resources/hg38/.more.bed.gz.kept." in done.stdout
            assert not file.exists()
        done = run(offline=True)
        assert (done.returncode, site.asked, file.read_bytes()) == (0, [], right), done.stdout
        done = run(url="/b.bed.gz")
        assert (done.returncode, file.read_bytes()) == (0, other), done.stdout
    assert sorted(path.name for path in file.parent.iterdir()) == ["more.bed.gz", "more.bed.gz.source.json"]


@pytest.mark.slow
def test_a_run_that_is_killed_loses_neither_the_older_file_nor_what_arrived(
    tmp_path, snakemake_command, run_workflow, start_workflow, micro_config
):
    """Killed in the middle of downloads of a second, and when the new file has just got its name; then continued."""
    seed = random.randrange(10**6)
    rng, config, target = random.Random(seed), micro_config(), "resources/hg38/more.bed.gz"
    config["tracks"] = [config["tracks"], str(tmp_path / "more.tsv")]
    file, kept, part = (
        tmp_path / f"resources/hg38/{name}" for name in ("more.bed.gz", ".more.bed.gz.kept", "more.bed.gz.part")
    )
    options = (target, "--nolock", "--rerun-incomplete", "--max-jobs-per-timespan", "100/1s")

    def arrived(number):
        return file.exists() and file.read_bytes() == files[number]

    def end(number, sent, late):
        """Start a run and end it, when the file has come if it is to be late, and otherwise somewhere before."""
        with start_workflow(snakemake_command(tmp_path, config, *options), tmp_path, tmp_path / "said.txt") as running:
            while not (arrived(number) if late else part.exists()):
                assert running.poll() is None, (seed, (tmp_path / "said.txt").read_text())
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.1 if late else 1))
            with suppress(ProcessLookupError):
                os.killpg(running.pid, sent)

    files = [gzip.compress(BED) + rng.randbytes(2_000_000) for _ in range(5)]
    with serving() as site:
        site.files |= {f"/{number}.bed.gz": content for number, content in enumerate(files)}
        moments = [(signal.SIGKILL, False), (signal.SIGKILL, True), (signal.SIGINT, False), (signal.SIGKILL, True)]
        for number, moment in enumerate([None, *moments]):
            row = ("more", "bed", "hg38", site.url(f"/{number}.bed.gz"))
            (tmp_path / "more.tsv").write_text("track\ttype\tassembly\turl\n" + "\t".join(row) + "\n")
            case, site.rate = (seed, number, moment), 2_000_000
            if moment:
                end(number, *moment)
                came = arrived(number)
                assert came or kept.read_bytes() == files[number - 1], case
                site.rate, asked = None, len(site.asked)
                done = run_workflow(tmp_path, config | {"offline": True}, *options)
                assert (done.returncode == 0, len(site.asked)) == (came, asked), (case, done.stdout)
                assert arrived(number) if came else kept.read_bytes() == files[number - 1], case
            done = run_workflow(tmp_path, config, *options)
            assert (done.returncode, arrived(number)) == (0, True), (case, done.stdout)
            places = site.ranges(f"/{number}.bed.gz")
            assert places[0] is None, case
            assert all(place.startswith("bytes=") for place in places[1:]), case
    assert sorted(path.name for path in file.parent.iterdir()) == ["more.bed.gz", "more.bed.gz.source.json"], seed


def test_igv_that_was_put_in_place_is_taken_as_it_is(tmp_path, run_workflow, micro_config):
    """Older than all else, as copies are that keep their time."""
    igv = tmp_path / "resources/igv/igv.min.js"
    igv.parent.mkdir(parents=True)
    igv.write_text("of another version")
    os.utime(igv, (1e9, 1e9))
    config = micro_config() | {"offline": True}
    config["studies"]["jund"]["loci"] = {"of": {"model": "joint"}}
    target = str(igv.relative_to(tmp_path))
    assert "Nothing to be done" in run_workflow(tmp_path, config, target, "-n").stdout
    done = run_workflow(tmp_path, config, target, "--forcerun", "fetch_igv", "--max-jobs-per-timespan", "100/1s")
    assert done.returncode != 0
    assert "once. Offline nothing is downloaded. Copy resources/igv/igv.min.js from" in done.stdout, done.stdout
    assert (igv.parent / ".igv.min.js.kept").read_text() == "of another version"


def test_rules_download_quote_and_index(tmp_path, run_workflow, micro_config):
    config = micro_config()
    config["tracks"] = [config["tracks"], str(tmp_path / "more.tsv")]
    targets = [f"resources/hg38/{name}" for name in ("more.bed.gz", "more_genome.genome.fa.gz", "more_reads.bam.bai")]
    packed = gzip.compress(BED)
    write_alignments(tmp_path / "served.bam", [500, 20, 300], "queryname")
    with serving() as site:
        path = requests.Request("GET", site.url(HOSTILE)).prepare().path_url
        site.files |= {path: packed, "/genome.fa.gz": gzip.compress(GENOME.encode())}
        site.files["/reads"] = (tmp_path / "served.bam").read_bytes()
        rows = [
            ("track", "type", "assembly", "url", "mirrors", "sha256", "size"),
            (
                "more",
                "bed",
                "hg38",
                site.url("/absent'\".gz"),
                site.url(HOSTILE),
                hashlib.sha256(packed).hexdigest(),
                "",
            ),
            ("more_genome", "fasta", "hg38", site.url("/genome.fa.gz"), "", "", ""),
            ("more_reads", "bam", "hg38", site.url("/reads"), "", "", str(len(site.files["/reads"]))),
        ]
        (tmp_path / "more.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
        done = run_workflow(tmp_path, config, *targets, "--quiet", "--max-jobs-per-timespan", "100/1s")
    assert done.returncode == 0, done.stdout
    assert gzip.decompress((tmp_path / targets[0]).read_bytes()) == BED
    assert gzip.decompress((tmp_path / targets[1]).read_bytes()).decode() == GENOME
    assert (tmp_path / f"{targets[1]}.gzi").is_file()
    source = json.loads((tmp_path / f"{targets[0]}.source.json").read_text())
    assert source["url"] == site.url(HOSTILE)
    with pysam.AlignmentFile(str(tmp_path / "resources/hg38/more_reads.bam")) as reads:
        assert [read.reference_start for read in reads.fetch("chr1", 0, 400)] == [20, 300]
    assert not list(tmp_path.rglob("hacked*"))
    assert [path.name for path in tmp_path.glob("resources/hg38/*.part*")] == []
