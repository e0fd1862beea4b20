"""A hub on a web server, drawn by igv.js in a real browser: what stands on the screen is what the files hold."""

import http.server
import json
import re
import shutil
import subprocess
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
from hub_files import make_hub, read_stanzas

HERE = Path(__file__).parent


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files whole or in part, as browsers of tracks ask for them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        end = min(int(wanted[2]) + 1, len(content)) if wanted and wanted[2] else len(content)
        self.server.asked.append((path.name, bool(wanted)))
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        self.wfile.write(content[start:end])

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def programs():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    for name, found in (("chromium", chromium), ("npm", shutil.which("npm")), ("node", shutil.which("node"))):
        if not found:
            pytest.skip(f"{name} is not installed")
    return {"chromium": chromium, "npm": shutil.which("npm"), "node": shutil.which("node")}


@pytest.fixture
def site(tmp_path):
    """A served folder: (folder, server, its address)."""
    folder = tmp_path / "site"
    (folder / "results/demo").mkdir(parents=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(RangeHandler, directory=str(folder)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, server, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_browser_draws_what_the_tracks_of_a_hub_hold(tmp_path, site, programs):
    folder, server, address = site
    make_hub(folder / "results/demo")
    tools = tmp_path / "tools"
    shutil.copytree(HERE, tools, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    run(
        [programs["npm"], "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"],
        tools,
    )
    shutil.copy(tools / "node_modules/igv/dist/igv.min.js", folder)
    shutil.copy(tools / "page.html", folder)
    where = [f"{address}/page.html", f"{address}/results/demo/hub/hub.txt", "demo"]
    command = [programs["node"], "draw.mjs", programs["chromium"], str(tmp_path / "profile"), *where]
    drawn = json.loads(run([*command, str(tmp_path / "screenshot.png")], tools))

    assert drawn["problems"] == []
    stanzas = [stanza for stanza in read_stanzas(folder / "results/demo/hub/demo/trackDb.txt") if "color" in stanza]
    assert [track["id"] for track in drawn["tracks"]] == [stanza["track"] for stanza in stanzas]
    assert [track["name"] for track in drawn["tracks"]] == [stanza["shortLabel"] for stanza in stanzas]
    assert [track["color"] for track in drawn["tracks"]] == [f"rgb({stanza['color']})" for stanza in stanzas]
    for track in drawn["tracks"]:
        check_drawing(track, folder / "results/demo/hub/demo" / track["url"].split("/hub/demo/")[1])
    genome = (folder / "results/demo/genome.fa").read_text()
    assert drawn["letters"].upper() == genome[6:206].upper()
    data = {name: whole for name, whole in server.asked if name.endswith((".bw", ".2bit"))}
    assert len(data) == len(stanzas) + 1
    assert all(data.values()), "the browser reads parts of these files"


def check_drawing(track, path):
    """Compare the height of each column of pixels with the value of its bases, away from the edges of bars."""
    with pyBigWig.open(str(path)) as file:
        values = np.nan_to_num(np.array(file.values("chr1", 0, file.chroms("chr1"))))
    edge = int(2 * track["bpPerPixel"])
    columns = np.array(track["columns"])
    bases = (track["first"] + (np.arange(len(columns)) + 0.5) * track["bpPerPixel"]).astype(int)
    seen = (bases >= max(track["start"], edge)) & (bases < track["end"] - edge)
    assert seen.sum() > 900
    columns, bases = columns[seen], bases[seen]
    flat = (values[bases] == values[bases - edge]) & (values[bases] == values[bases + edge])
    assert flat.mean() > 0.8
    np.testing.assert_allclose(columns[flat], (values[bases] * track["height"])[flat], atol=2.5)  # of 40 pixels
    assert columns.max() >= track["height"] - 1
    assert len(set(columns[flat])) > 4, "bars of several heights"
