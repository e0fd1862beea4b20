"""A web server for tests: it serves bytes from memory, as public servers do on good days and on bad ones."""

import hashlib
import http.server
import re
import threading
import time
from contextlib import contextmanager

import pysam

CONTENT = bytes(range(256)) * 3000


class Site:
    """What is served, and what was asked.

    `files`: content by path. `faults`: by path a list of what goes wrong, one for each request, then nothing does:
    a number cuts the connection after so many bytes; (status, headers) is that answer without a body; a function
    gets the handler and answers itself. `plain`: paths without ranges and validators. `headers`: by path, more of them.
    `asked`: (path, Range or None) of each request; `sent`: bytes of bodies; `most`: largest number of answers at once.
    `pause`: seconds before each answer; `rate`: bytes a second of each, if not as fast as can be.
    """

    def __init__(self, address):
        self.address = address
        self.files, self.faults, self.headers, self.plain = {}, {}, {}, set()
        self.asked, self.sent, self.now, self.most, self.pause, self.rate = [], 0, 0, 0, 0.0, None
        self.lock = threading.Lock()

    def url(self, path):
        return f"{self.address}{path}"

    def ranges(self, path):
        return [place for asked, place in self.asked if asked == path]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET; `site` is set by `serving`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802
        site = self.site
        with site.lock:
            site.asked.append((self.path, self.headers.get("Range")))
            site.now += 1
            site.most = max(site.most, site.now)
            faults = site.faults.get(self.path, [])
            fault = faults.pop(0) if faults else None
        try:
            time.sleep(site.pause)
            self.answer(fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with site.lock:
                site.now -= 1

    def answer(self, fault):
        if callable(fault):
            fault(self)
        elif isinstance(fault, tuple):
            self.head(fault[0], {"Content-Length": "0", **fault[1]})
        elif self.path not in self.site.files:
            self.head(404, {"Content-Length": "0"})
        else:
            self.serve(self.site.files[self.path], fault)

    def serve(self, content, cut):
        plain = self.path in self.site.plain
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(asked[1]) if asked and not plain and self.headers.get("If-Range", etag) == etag else 0
        headers = {} if plain else {"ETag": etag, "Accept-Ranges": "bytes"}
        headers |= self.site.headers.get(self.path, {})
        if first >= len(content) > 0:
            self.head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            return
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        headers.setdefault("Content-Length", str(len(content) - first))
        self.head(206 if first else 200, headers)
        self.body(content[first:] if cut is None else content[first : first + cut])
        self.close_connection = self.close_connection or cut is not None

    def head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def body(self, content):
        piece = int(self.site.rate / 20) if self.site.rate else max(1, len(content))
        for start in range(0, len(content), piece):
            self.wfile.write(content[start : start + piece])
            self.wfile.flush()
            if self.site.rate:
                time.sleep(0.05)
        with self.site.lock:
            self.site.sent += len(content)

    def log_message(self, *_):
        pass


def write_alignments(path, starts, order):
    """Write a BAM file of reads of four bases that start here, in this order, and are said to be in an order."""
    header = {"HD": {"VN": "1.6", "SO": order}, "SQ": [{"SN": "chr1", "LN": 1000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for start in starts:
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence, read.cigarstring = f"r{start}", "ACGT", "4M"
            read.reference_id, read.reference_start, read.mapping_quality = 0, start, 30
            file.write(read)


@contextmanager
def serving(context=None):
    """Run a server in a thread, over HTTPS with the context given, and yield its `Site`."""
    handler = type("SiteHandler", (Handler,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *_: None  # such as a client that hangs up on our certificate
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        handler.site = Site(f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=lambda: server.serve_forever(0.02))
        thread.start()
        try:
            yield handler.site
        finally:
            server.shutdown()
            thread.join()
