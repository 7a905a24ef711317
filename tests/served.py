"""A local server that gives one archive, with Range, and drops the connection when it is told to."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = bytes(range(256)) * 40


class Handler(SimpleHTTPRequestHandler):
    """Serves files with Range; `short` drops the connection early."""

    short, ranges = False, []

    def do_GET(self):
        with open(self.translate_path(self.path), "rb") as stream:
            data = stream.read()
        wanted = self.headers.get("Range")
        begin = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        Handler.ranges.append(begin)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        self.wfile.write(data[begin : begin + 1000] if Handler.short else data[begin:])

    def log_message(self, *args):
        pass


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve DATA as a.zip from a new folder; the address."""
    root.mkdir()
    (root / "a.zip").write_bytes(DATA)
    Handler.short, Handler.ranges = False, []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(root)))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}/a.zip"
    httpd.shutdown()
    httpd.server_close()
