"""A small API to test against: items and labels, page by page, for who brings the token."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "a-token-for-tests"


class Source(ThreadingHTTPServer):
    """Serves until the process ends. `items` and `labels` are what it holds."""

    def __init__(self, items: int = 5) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.items = [
            {"id": n, "name": f"item {n}", "price": n / 4, "updated_at": f"2026-01-{n:02}T00:00:00+00:00"}
            for n in range(1, items + 1)
        ]
        self.labels = [{"id": 1, "name": "new"}, {"id": 2, "name": "used"}]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def config(self) -> dict[str, Any]:
        """What the tap is told to read it, two rows a page."""
        return {"api_url": f"http://127.0.0.1:{self.server_port}", "auth_token": TOKEN, "page_size": 2}


class _Answers(BaseHTTPRequestHandler):
    server: Source

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = dict(parse_qsl(url.query))
        rows = {"/items": self.server.items, "/labels": self.server.labels}.get(url.path)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"message": "401 Unauthorized"})
        elif rows is None:
            self._answer(404, {"message": "404 Not Found"})
        else:
            found = [row for row in rows if str(row.get("updated_at", "")) >= asked.get("updated_after", "")]
            page, size = int(asked.get("page", 1)), int(asked.get("per_page", 100))
            follows = str(page + 1) if page * size < len(found) else ""
            self._answer(200, found[(page - 1) * size : page * size], follows)

    def _answer(self, status: int, body: Any, next_page: str = "") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Next-Page", next_page)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests speak."""
