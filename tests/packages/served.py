"""An index with pages, which tell more of files than their names: when they were released, and for which Pythons."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from packaging.utils import canonicalize_name

from tests.packages.index import Index


@contextmanager
def served(index: Index, *, login: str | None = None) -> Iterator[str]:
    """Serves an index on this machine while the block runs, and yields its address: the JSON of PEP 691 and 700. With a
    `login`, "name:password", only to who knows it."""
    handler = partial(_Handler, index, login, directory=str(index.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple"
        finally:
            server.shutdown()
            thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, index: Index, login: str | None, *arguments: object, **settings: object) -> None:
        self.index = index
        self.expected = login and f"Basic {base64.b64encode(login.encode()).decode()}"
        super().__init__(*arguments, **settings)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.expected and self.headers.get("Authorization") != self.expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if not self.path.startswith("/simple/"):
            return super().do_GET()
        name = self.path.split("/")[2]
        files = [each for each in sorted(self.index.folder.iterdir()) if _name_of(each.name) == name]
        if not files:
            return self.send_error(404)
        page = json.dumps(
            {"meta": {"api-version": "1.1"}, "name": name, "files": [self._told(each.name) for each in files]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def _told(self, file: str) -> dict[str, object]:
        content = (self.index.folder / file).read_bytes()
        return {
            "filename": file,
            "url": f"/{file}",
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            **self.index.told.get(file, {}),
        }

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


def _name_of(file: str) -> str:
    return canonicalize_name(file.split("-")[0])
