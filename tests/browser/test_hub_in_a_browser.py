"""A hub on a web server, drawn by igv.js in a real browser: what stands on the screen is what the files hold."""

import http.server
import re
import shutil
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
from drawn_tracks import check_drawing
from hub_files import make_hub, read_stanzas


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


@pytest.mark.slow
def test_a_browser_draws_what_the_tracks_of_a_hub_hold(tmp_path, site, tools):
    folder, server, address = site
    make_hub(folder / "results/demo")
    shutil.copy(tools.folder / "node_modules/igv/dist/igv.min.js", folder)
    shutil.copy(tools.folder / "page.html", folder)
    where = [f"{address}/page.html", f"{address}/results/demo/hub/hub.txt", "demo"]
    drawn = tools.use("draw.mjs", *where, tmp_path / "screenshot.png")

    assert drawn["problems"] == []
    stanzas = [stanza for stanza in read_stanzas(folder / "results/demo/hub/demo/trackDb.txt") if "color" in stanza]
    assert [track["id"] for track in drawn["tracks"]] == [stanza["track"] for stanza in stanzas]
    assert [track["name"] for track in drawn["tracks"]] == [stanza["shortLabel"] for stanza in stanzas]
    assert [track["color"] for track in drawn["tracks"]] == [f"rgb({stanza['color']})" for stanza in stanzas]
    for track in drawn["tracks"]:
        check_track(track, folder / "results/demo/hub/demo" / track["url"].split("/hub/demo/")[1])
    genome = (folder / "results/demo/genome.fa").read_text()
    assert drawn["letters"].upper() == genome[6:206].upper()
    data = {name: whole for name, whole in server.asked if name.endswith((".bw", ".2bit"))}
    assert len(data) == len(stanzas) + 1
    assert all(data.values()), "the browser reads parts of these files"


def check_track(track, path):
    with pyBigWig.open(str(path)) as file:
        values = np.nan_to_num(np.array(file.values("chr1", 0, file.chroms("chr1"))))
    columns = check_drawing(track, values)
    assert columns.max() >= track["height"] - 1
    assert len(set(columns)) > 4, "bars of several heights"
