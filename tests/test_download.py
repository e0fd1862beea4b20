"""Downloads from a real HTTP server on its bad days: what arrives is right, or there is no file and one message."""

import base64
import email.utils
import gzip
import hashlib
import os
import random
import shutil
import ssl
import subprocess
import tarfile
import time
from io import BytesIO

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served_files import CONTENT, serving

from helpers.errors import InputError
from helpers.sources.download import download, main
from helpers.sources.failures import Manner

MD5 = hashlib.md5(CONTENT).hexdigest()
QUICK = Manner(attempts=3, delay=0.01, timeout=(5.0, 0.5))


@pytest.fixture
def site():
    with serving() as running:
        running.files["/a.bin"] = CONTENT
        yield running


def fetch(site, target, path="/a.bin", **options):
    return download(site.url(path), target, **{"manner": QUICK} | options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_right_file_arrives_and_its_source_is_told(site, tmp_path):
    site.faults["/moved"] = [(307, {"Location": "/a.bin?signature=secret"})]
    site.files["/a.bin?signature=secret"] = CONTENT
    found = fetch(
        site,
        tmp_path / "new/a.bin",
        "/moved",
        md5=MD5.upper(),
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    assert (tmp_path / "new/a.bin").read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["a.bin", "a.bin.source.json"]
    assert found.pop("date").endswith("+00:00")
    assert found == {
        **{"url": site.url("/moved"), "final_url": site.url("/a.bin"), "modified": None, "encode": None},
        **{"size": len(CONTENT), "md5": MD5, "sha256": hashlib.sha256(CONTENT).hexdigest()},
        **{"file": {"size": len(CONTENT), "md5": MD5}, "sorted_here": False},
    }


@pytest.mark.parametrize(
    ("path", "expected", "word"),
    [
        ("/a.bin", {"md5": "0" * 32}, f"has md5 {MD5} instead of 0000"),
        ("/a.bin", {"sha256": "0" * 64}, "sha256"),
        ("/a.bin", {"size": 17}, f"size of {len(CONTENT)} bytes instead of 17"),
        ("/absent.bin", {}, "the server answers 404 Not Found"),
        ("/page.bin", {}, "a web page instead"),
        ("/empty.bin", {}, "empty"),
    ],
)
def test_a_wrong_file_leaves_nothing_behind_and_is_not_asked_for_again(site, tmp_path, path, expected, word):
    site.files |= {"/page.bin": b"\n<!DOCTYPE HTML><p>please log in", "/empty.bin": b""}
    with pytest.raises(InputError, match=word) as caught:
        fetch(site, tmp_path / "a.bin", path, **expected)
    assert site.url(path) in str(caught.value)
    assert "Try again, or correct its row in the sheet of tracks." in str(caught.value)
    assert names(tmp_path) == []
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.bam", CONTENT, r"this is no \.bam file: it begins with b'.x00.x01"),
        ("a.bigWig", b"track", r"no \.bigWig file"),
        ("a.bed.gz", b"chr1\t1\t2", r"no \.gz file"),
        ("a.bed.gz", "cut", "lacks the end mark of bgzip"),
        ("a.bed.gz", gzip.compress(b"chr1\t1\t2"), ""),
    ],
)
def test_what_arrives_has_to_be_what_its_name_says(site, tmp_path, name, content, word):
    if content == "cut":
        with pysam.BGZFile(str(tmp_path / "whole.gz"), "wb") as file:
            file.write(CONTENT)
        content = (tmp_path / "whole.gz").read_bytes()[:-28]
    site.files["/a"] = content
    if not word:
        fetch(site, tmp_path / name, "/a")
        return
    with pytest.raises(InputError, match=word):
        fetch(site, tmp_path / name, "/a")
    assert not list(tmp_path.glob(f"{name}*"))


def test_a_cut_connection_is_taken_up_where_it_broke(site, tmp_path):
    site.faults["/a.bin"] = [100_000, 300_000]
    fetch(site, tmp_path / "a.bin", md5=MD5)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert site.ranges("/a.bin") == [None, "bytes=100000-", "bytes=400000-"]
    assert site.sent == len(CONTENT)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000).map(b"x".__add__), st.lists(st.integers(0, 1500), max_size=4), st.booleans())
def test_any_file_comes_whole_through_any_cuts(tmp_path_factory, content, cuts, checked):
    folder = tmp_path_factory.mktemp("cuts")
    with serving() as site:
        site.files["/a.bin"], site.faults["/a.bin"] = content, list(cuts)
        expected = {"md5": hashlib.md5(content).hexdigest()} if checked else {}
        fetch(site, folder / "a.bin", manner=Manner(attempts=6, delay=0.001), **expected)
        assert site.sent == len(content)
    assert (folder / "a.bin").read_bytes() == content
    assert names(folder) == ["a.bin", "a.bin.source.json"]


def test_progress_renews_the_patience_and_its_lack_ends_it(site, tmp_path):
    site.faults["/a.bin"] = [1000] * 8  # more tries than are allowed without progress
    fetch(site, tmp_path / "a.bin")
    site.asked.clear()
    site.faults["/a.bin"] = [1000, 0, 0, 0]
    with pytest.raises(InputError, match=r"\(3 tries without progress\)"):
        fetch(site, tmp_path / "b.bin")
    assert site.ranges("/a.bin") == [None, *["bytes=1000-"] * 2]
    assert names(tmp_path) == ["a.bin", "a.bin.source.json", "b.bin.part", "b.bin.part.json"]


def test_the_next_run_goes_on_where_the_last_one_gave_up(site, tmp_path):
    site.faults["/a.bin"] = [200_000, 0, 0]
    with pytest.raises(InputError):
        fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:200_000]
    fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert site.sent == len(CONTENT)
    assert names(tmp_path) == ["a.bin", "a.bin.source.json"]


@pytest.mark.parametrize("change", ["longer", "as long", "shorter", "ignores If-Range"])
@pytest.mark.parametrize("checked", [True, False])
def test_a_file_that_changed_meanwhile_is_not_glued_together(site, tmp_path, change, checked):
    new = {"longer": CONTENT[::-1] * 2, "shorter": CONTENT[:1000]}.get(change, CONTENT[::-1])
    site.faults["/a.bin"] = [200_000, 0, 0]
    with pytest.raises(InputError):
        fetch(site, tmp_path / "a.bin")
    site.files["/a.bin"] = new
    if change == "ignores If-Range":
        rest = {"Content-Length": str(len(new) - 200_000), "ETag": '"other"'}

        def answer(handler):
            handler.head(206, rest | {"Content-Range": f"bytes 200000-{len(new) - 1}/{len(new)}"})
            handler.body(new[200_000:])

        site.faults["/a.bin"] = [answer]
    fetch(site, tmp_path / "a.bin", **({"md5": hashlib.md5(new).hexdigest()} if checked else {}))
    assert (tmp_path / "a.bin").read_bytes() == new


@pytest.mark.parametrize("checked", [True, False])
def test_a_server_without_ranges_starts_over(site, tmp_path, checked):
    site.plain.add("/a.bin")
    site.faults["/a.bin"] = [200_000, 500_000]
    fetch(site, tmp_path / "a.bin", **({"md5": MD5} if checked else {}))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert site.sent == 700_000 + len(CONTENT)


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(site, tmp_path):
    site.plain.add("/a.bin")
    site.faults["/a.bin"] = [200_000, 100_000] * 30
    with pytest.raises(InputError, match="3 tries without progress"):
        fetch(site, tmp_path / "a.bin")
    assert len(site.asked) == 3
    assert not (tmp_path / "a.bin").exists()


def part_of(content, first, end, **headers):
    """An answer that holds a part of a file, whatever was asked for."""

    def answer(handler):
        place = {"Content-Range": f"bytes {first}-{end - 1}/{len(content)}"}
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        handler.head(206, {"Content-Length": str(end - first), "ETag": etag, **place, **headers})
        handler.body(content[first:end])

    return answer


@pytest.mark.parametrize(
    ("answers", "ranges"),
    [
        ([part_of(CONTENT, 0, 1000)], [None, "bytes=1000-"]),  # not asked for a part
        ([9, part_of(CONTENT, 9, 70_000), part_of(CONTENT, 70_000, 90_000)], [None, *("9-", "70000-", "90000-")]),
        ([100_000, part_of(CONTENT, 0, len(CONTENT))], [None, "100000-"]),  # takes no notice of the place
        ([100_000, part_of(CONTENT, 99_999, len(CONTENT))], [None, "100000-", None]),  # off by one
        ([100_000, part_of(CONTENT, 100_000, 200_000, **{"Content-Range": "none"})], [None, "100000-", "100000-"]),
        (
            [
                100_000,
                part_of(CONTENT, 100_000, len(CONTENT), **{"Content-Range": f"bytes 100000-{len(CONTENT) - 1}/*"}),
            ],
            [None, "100000-"],
        ),
    ],
)
def test_parts_go_where_the_server_says_that_they_belong(site, tmp_path, answers, ranges):
    site.faults["/a.bin"] = answers
    fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    asked = [place and place.removeprefix("bytes=") for place in site.ranges("/a.bin")]
    assert asked == [place and place.removeprefix("bytes=") for place in ranges]


@pytest.mark.parametrize("status", [204, 205, 302, 304])
def test_an_answer_without_a_file_is_none(site, tmp_path, status):
    site.faults["/a.bin"] = [(status, {})]
    with pytest.raises(InputError, match=f"the server answers {status}"):
        fetch(site, tmp_path / "a.bin")
    assert names(tmp_path) == []


def page(handler):
    handler.head(200, {"Content-Length": "24"})
    handler.body(b"<html>down for the night")


def test_nothing_that_arrived_is_lost_to_a_page_or_to_a_mirror_that_lacks_the_file(site, tmp_path):
    site.faults["/a.bin"] = [400_000, page]
    with pytest.raises(InputError, match=r"a web page instead.*absent: download failed: the server answers 404"):
        fetch(site, tmp_path / "a.bin", mirrors=[site.url("/absent")])
    assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:400_000]
    fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert site.ranges("/a.bin")[-1] == "bytes=400000-"


def test_a_page_that_comes_in_pieces_is_none_the_less_a_page(site, tmp_path):
    def slowly(handler):
        handler.head(200, {"Content-Length": "26"})
        for piece in (b"\r\n", b"<html>down for the night"):
            handler.body(piece)
            time.sleep(0.1)

    site.faults["/a.bin"] = [slowly]
    with pytest.raises(InputError, match="a web page instead"):
        fetch(site, tmp_path / "a.bin", md5=MD5)
    assert names(tmp_path) == []


def test_a_stream_that_does_not_end_is_left_at_the_size_of_the_file(site, tmp_path):
    def endless(handler):
        handler.head(200, {"Connection": "close"})
        for _ in range(200):
            handler.body(CONTENT)

    site.faults["/a.bin"] = [endless]
    with pytest.raises(InputError, match="sends more than the 1000000 bytes"):
        fetch(site, tmp_path / "a.bin", size=1_000_000)
    assert site.sent < 100 * len(CONTENT)
    assert names(tmp_path) == []


def test_user_and_password_stand_in_netrc_and_go_to_their_host_alone(site, tmp_path, monkeypatch):
    """The redirect leads to the same server under another name."""
    right, seen = f"Basic {base64.b64encode(b'me:secret').decode()}", []

    def guarded(handler):
        seen.append(handler.headers.get("Authorization"))
        if seen[-1] == right:
            handler.head(307, {"Location": site.url("/open").replace("127.0.0.1", "localhost"), "Content-Length": "0"})
        else:
            handler.head(401, {"Content-Length": "0"})

    def free(handler):
        seen.append(handler.headers.get("Authorization"))
        handler.serve(CONTENT, None)

    site.faults |= {"/a.bin": [guarded, guarded], "/open": [free]}
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(InputError, match=r"401 Unauthorized; user and password of this server go into ~/\.netrc\."):
        fetch(site, tmp_path / "a.bin")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    found = fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert seen == [None, right, None]
    assert "secret" not in str(found)


def test_user_and_password_in_an_address_are_refused_and_not_told(site, tmp_path):
    address = site.url("/a.bin").replace("//", "//me:secret@")
    for mirrors in ((), (address,)):
        with pytest.raises(InputError, match=r"a\.bin' is given with a user name or password.*netrc") as caught:
            download(site.url("/absent") if mirrors else address, tmp_path / "a.bin", mirrors=mirrors, manner=QUICK)
        assert "secret" not in str(caught.value)
    assert names(tmp_path) == []


def test_two_versions_without_validators_are_not_put_together(site, tmp_path):
    """A server that resumes but does not say which version it has."""

    def without_validators(content, first, cut):
        def answer(handler):
            handler.head(
                206 if first else 200,
                {
                    "Content-Length": str(len(content) - first),
                    **({"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if first else {}),
                },
            )
            handler.body(content[first:cut])
            handler.close_connection = True

        return answer

    other = CONTENT[::-1]
    site.faults["/a.bin"] = [without_validators(CONTENT, 0, 300_000), without_validators(other, 0, None)]
    fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == other
    assert site.ranges("/a.bin") == [None, None]


@pytest.mark.parametrize("wait", ["²", "-1", "1e3"])
def test_a_wait_that_is_no_number_is_left_aside(site, tmp_path, wait):
    site.faults["/a.bin"] = [(503, {"Retry-After": wait.encode().decode("latin-1")})]
    fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_what_an_earlier_run_left_wrong_is_brought_anew_when_a_checksum_tells(site, tmp_path):
    site.faults["/a.bin"] = [200_000, 0, 0]
    with pytest.raises(InputError):
        fetch(site, tmp_path / "a.bin")
    with (tmp_path / "a.bin.part").open("r+b") as part:
        part.write(b"wrong")
    fetch(site, tmp_path / "a.bin", md5=MD5)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    (tmp_path / "b.bin.part").write_bytes(b"of unknown origin")
    fetch(site, tmp_path / "b.bin")
    assert (tmp_path / "b.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_busy_server_is_asked_again_when_it_says(site, tmp_path, status, form):
    wait = "1" if form == "seconds" else email.utils.formatdate(time.time() + 2, usegmt=True)
    site.faults["/a.bin"] = [(status, {"Retry-After": wait})]
    start = time.monotonic()
    fetch(site, tmp_path / "a.bin")
    assert 0.9 < time.monotonic() - start < 4
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_server_that_asks_for_a_very_long_wait_is_given_up(site, tmp_path):
    site.faults["/a.bin"] = [(503, {"Retry-After": "86400"})]
    with pytest.raises(InputError, match="asks to wait 86400 s"):
        fetch(site, tmp_path / "a.bin")


def test_waits_grow_and_differ(site, tmp_path):
    site.faults["/a.bin"] = [(500, {})] * 4
    start = time.monotonic()
    fetch(site, tmp_path / "a.bin", manner=Manner(attempts=5, delay=0.08))
    assert 0.5 * 0.08 * 15 <= time.monotonic() - start < 0.08 * 15 + 1


def test_a_server_that_falls_silent_is_asked_again(site, tmp_path):
    def stall(handler):
        handler.head(200, {"Content-Length": str(len(CONTENT)), "ETag": f'"{MD5}"'})
        handler.body(CONTENT[:1000])
        time.sleep(1)
        handler.close_connection = True

    site.faults["/a.bin"] = [stall]
    fetch(site, tmp_path / "a.bin")
    assert site.ranges("/a.bin") == [None, "bytes=1000-"]


def test_a_cut_body_without_a_length_is_noticed(site, tmp_path):
    def chunked(handler):
        handler.head(200, {"Transfer-Encoding": "chunked"})
        handler.wfile.write(b"4\r\nabcd\r\n")
        handler.close_connection = True

    site.faults["/a.bin"] = [chunked] * 3
    with pytest.raises(InputError, match="IncompleteRead|ended prematurely|broken"):
        fetch(site, tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()


def test_a_body_without_any_length_is_taken_with_a_warning(site, tmp_path, caplog):
    def closing(handler):
        handler.head(200, {"Connection": "close"})
        handler.body(CONTENT)

    site.faults["/a.bin"] = [closing, closing]
    fetch(site, tmp_path / "a.bin")
    assert "nothing tells whether all of" in caplog.text
    with pytest.raises(InputError, match="size"):
        fetch(site, tmp_path / "b.bin", size=len(CONTENT) + 1)


def test_gzipped_files_are_kept_as_they_are_and_texts_are_not_taken_compressed(site, tmp_path):
    packed = gzip.compress(b"chr1\t1\t2\n")
    site.files |= dict.fromkeys(("/a.bed.gz", "/a.bed", "/get?file=a.bed.gz"), packed)
    site.headers |= {"/a.bed.gz": {"Content-Encoding": "x-gzip"}, "/a.bed": {"Content-Encoding": "gzip"}}
    site.headers["/get?file=a.bed.gz"] = {"Content-Encoding": "gzip"}
    for path in ("/a.bed.gz", "/get?file=a.bed.gz"):
        fetch(site, tmp_path / "a.bed.gz", path)
        assert (tmp_path / "a.bed.gz").read_bytes() == packed
    with pytest.raises(InputError, match=r"another encoding \(gzip\)"):
        fetch(site, tmp_path / "a.bed", "/a.bed")


def test_mirrors_are_tried_in_order_and_continue_each_other(site, tmp_path):
    site.files["/mirror/a.bin"] = CONTENT
    site.faults["/a.bin"] = [200_000, 0, 0]
    mirrors = [site.url("/absent"), site.url("/mirror/a.bin"), site.url("/never")]
    found = fetch(site, tmp_path / "a.bin", md5=MD5, mirrors=mirrors)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert [path for path, _ in site.asked] == ["/a.bin"] * 3 + ["/absent", "/mirror/a.bin"]
    assert site.ranges("/mirror/a.bin") == ["bytes=200000-"]
    assert found["url"] == mirrors[1]


def test_a_mirror_without_a_checksum_is_read_from_its_beginning_and_all_failures_are_told(site, tmp_path):
    site.files["/mirror"] = CONTENT[::-1]
    site.faults["/a.bin"] = [200_000, 0, 0]
    fetch(site, tmp_path / "a.bin", mirrors=[site.url("/mirror")])
    assert (tmp_path / "a.bin").read_bytes() == CONTENT[::-1]
    with pytest.raises(InputError, match=r"/b: download failed.*404.*/c: download failed.*404"):
        fetch(site, tmp_path / "b.bin", "/b", mirrors=[site.url("/c")])


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_unknown_certificate_is_explained_until_it_is_one_of_the_system_or_of_requests(tmp_path, variable):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    command += f" -keyout {tmp_path}/key.pem -out {tmp_path}/cert.pem"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with serving(context) as site, pytest.MonkeyPatch.context() as patch:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            patch.delenv(name, raising=False)
        site.files["/a.bin"] = CONTENT
        with pytest.raises(InputError, match="certificate is not trusted.*REQUESTS_CA_BUNDLE"):
            fetch(site, tmp_path / "a.bin")
        assert site.asked == []
        patch.setenv(variable, str(tmp_path / "cert.pem"))
        fetch(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # samtools leaves a file open when it fails


@pytest.mark.parametrize("told", [True, False])
def test_a_full_disk_ends_the_download_at_once_and_leaves_no_file(site, small_disk, told):
    def closing(handler):
        handler.head(200, {"Connection": "close"})
        handler.body(CONTENT)

    if not told:
        site.faults["/a.bin"] = [closing]
    with pytest.raises(InputError, match="there is no room for it.*Make room"):
        fetch(site, small_disk / "a.bin")
    assert len(site.asked) == 1
    assert not (small_disk / "a.bin").exists()


def make_room(disk):
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)


def test_an_archive_stays_where_its_file_has_no_room_and_is_not_asked_for_again(site, small_disk):
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("a.bed")
        entry.size = 1_000_000
        tar.addfile(entry, BytesIO(bytes(1_000_000)))
    site.files["/a.tar.gz"] = packed.getvalue()
    command = [site.url("/a.tar.gz"), str(small_disk / "a.bed"), "--unpack"]
    with pytest.raises(SystemExit, match=r"record cannot be written: .*No space left.*Make room.*archive\.part\.$"):
        main(command)
    assert names(small_disk) == ["a.bed.archive.part", "a.bed.archive.part.json"]
    make_room(small_disk)
    main(command)
    assert (small_disk / "a.bed").read_bytes() == bytes(1_000_000)
    assert names(small_disk) == ["a.bed", "a.bed.source.json"]
    assert len(site.asked) == 1


def test_alignments_stay_where_there_is_no_room_to_sort_them_and_are_not_asked_for_again(site, small_disk, tmp_path):
    letters = random.Random(1)
    header = {"HD": {"VN": "1.6", "SO": "unsorted"}, "SQ": [{"SN": "chr1", "LN": 1_000_000}]}
    with pysam.AlignmentFile(str(tmp_path / "a.bam"), "wb", header=header) as file:
        for start in letters.sample(range(900_000), 5000):
            text = "".join(letters.choices("ACGT", k=100))
            file.write(
                pysam.AlignedSegment.fromstring(f"r\t0\tchr1\t{start + 1}\t9\t100M\t*\t0\t0\t{text}\t*", file.header)
            )
    site.files["/a.bam"] = (tmp_path / "a.bam").read_bytes()
    assert 100_000 < len(site.files["/a.bam"]) < 250_000
    command = [site.url("/a.bam"), str(small_disk / "a.bam"), "--sort"]
    with pytest.raises(SystemExit, match="cannot be sorted: .*Make room"):
        main(command)
    assert names(small_disk) == ["a.bam.part", "a.bam.part.json"]
    make_room(small_disk)
    (small_disk / ".a.bam.making/0").mkdir(parents=True)
    (small_disk / ".a.bam.making/0/a.bam").write_text("left by a process that was killed")
    main(command)
    with pysam.AlignmentFile(str(small_disk / "a.bam"), check_sq=False) as file:
        places = [read.reference_start for read in file]
    assert places == sorted(random.Random(1).sample(range(900_000), 5000))
    assert names(small_disk) == ["a.bam", "a.bam.source.json"]
    assert len(site.asked) == 1


def test_odd_addresses_are_errors(tmp_path):
    with pytest.raises(InputError, match="is no address of a file"):
        download("ftp://x/a.bin", tmp_path / "a.bin")
    with pytest.raises(InputError, match="download failed"):
        download("http://[x/a.bin", tmp_path / "a.bin", manner=QUICK)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_is_one_message(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/a.bin: download failed.*written and locked there"):
        fetch(site, tmp_path / "file/a.bin")
