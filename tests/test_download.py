"""Downloads from a real HTTP server."""

import functools
import hashlib
import http.server
import threading

import pytest

from helpers.errors import InputError
from helpers.sources.download import download, main

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


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "a.bin").write_bytes(CONTENT)
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
