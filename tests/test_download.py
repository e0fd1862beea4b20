"""Downloads from a real HTTP server."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading

import pytest

from helpers.errors import InputError
from helpers.sources.download import download, main
from helpers.sources.extract import extract_member

CONTENT = bytes(range(256)) * 5000


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; /cut/ breaks off in the middle, /moved/ redirects."""

    def do_GET(self):  # noqa: N802
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.end_headers()
        elif self.path.startswith("/cut/"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:1000])
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


def write_archive(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "a.bin").write_bytes(CONTENT)
    write_archive(folder / "a.tar.gz", {"./._a.bin": b"attributes", "../../a.bin": CONTENT})
    write_archive(folder / "two.tar.gz", {"a.bin": CONTENT, "b.bin": CONTENT})
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["a.bin", "moved/a.bin"])
def test_a_right_file_arrives(server, tmp_path, path):
    target = tmp_path / "folder/a.bin"
    download(f"{server}/{path}", target, md5=hashlib.md5(CONTENT).hexdigest(), size=len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [file.name for file in target.parent.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    ("path", "expected", "word"),
    [
        ("a.bin", {"md5": "0" * 32}, "md5"),
        ("a.bin", {"size": 17}, "size"),
        ("absent.bin", {}, "404"),
        ("cut/a.bin", {}, "failed"),
    ],
)
def test_a_wrong_file_leaves_nothing_behind(server, tmp_path, path, expected, word):
    with pytest.raises(InputError, match=word):
        download(f"{server}/{path}", tmp_path / "a.bin", **expected)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_says_one_line(server, tmp_path):
    main([f"{server}/a.bin", str(tmp_path / "a.bin"), "--md5=", "--size="])
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    with pytest.raises(SystemExit, match="ERROR: .*404"):
        main([f"{server}/absent.bin", str(tmp_path / "b.bin")])


def test_the_one_file_of_an_archive_arrives_under_the_name_that_was_asked_for(server, tmp_path):
    target = tmp_path / "deep/down/bins.bed"
    main([f"{server}/a.tar.gz", str(target), "--unpack"])
    assert target.read_bytes() == CONTENT
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]


def test_archives_of_several_files_and_files_that_are_no_archives_are_refused(server, tmp_path):
    target = tmp_path / "bins.bed"
    for name, word in (("two.tar.gz", "it holds a.bin, b.bin"), ("a.bin", "cannot be unpacked")):
        with pytest.raises(SystemExit, match=word) as caught:
            main([f"{server}/{name}", str(target), "--unpack"])
        assert f"{server}/{name}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_was_cut_is_an_error(server, tmp_path):
    write_archive(tmp_path / "whole.tar.gz", {"a.bin": CONTENT})
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes((tmp_path / "whole.tar.gz").read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be unpacked"):
        extract_member(cut, tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()
