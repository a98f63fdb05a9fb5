"""A small index of taps, served on loopback as Meltano Hub serves its own."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLUGINS = "/meltano/api/v1/plugins/extractors"


class ServedHub:
    """Answers by what `taps` says: entries by name and variant, the recommended variant first. `asked` are the paths
    that were asked for with the status of each answer."""

    def __init__(self) -> None:
        self.taps: dict[str, dict[str, dict[str, Any]]] = {}
        self.asked: list[tuple[str, int]] = []
        self.url = ""
        self.broken = False

    def add(self, name: str, variant: str, **members: Any) -> None:
        """Makes an entry known."""
        self.taps.setdefault(name, {})[variant] = {"name": name, "variant": variant, **members}

    def answer(self, path: str) -> Any:
        if path == f"{PLUGINS}/index":
            return {
                name: {"default_variant": next(iter(variants)), "variants": {each: {"ref": "…"} for each in variants}}
                for name, variants in self.taps.items()
            }
        name, _, variant = path.removeprefix(f"{PLUGINS}/").partition("--")
        return self.taps.get(name, {}).get(variant)


@contextmanager
def served_hub() -> Iterator[ServedHub]:
    hub = ServedHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = hub.answer(self.path)
            content = b"<html>" if hub.broken else json.dumps(found).encode()
            etag = f'"{hashlib.sha256(content).hexdigest()}"'
            status = 404 if found is None else 304 if self.headers.get("If-None-Match") == etag else 200
            hub.asked.append((self.path.removeprefix(PLUGINS), status))
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(content) if status == 200 else 0))
            self.end_headers()
            if status == 200:
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
