"""The answers on a port: one thread per connection, one answer at a time."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

from examples.gitlab_api.api import Api, Served

LOOPBACK = "127.0.0.1"


class GitLab:
    """A GitLab on 127.0.0.1 that serves while it is entered; port 0 takes a free one.

    Raises OSError when the port is taken.
    """

    def __init__(self, token: str, port: int = 0) -> None:
        self._listener = _Listener(Api(token), port)
        self._thread = Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._listener.server_port}"

    @property
    def api_url(self) -> str:
        """What a tap takes as its `api_url`."""
        return f"{self.url}/api/v4"

    def touch_issues(self, count: int) -> list[int]:
        """Edit the `count` issues that nobody has edited for longest; gives their ids in the order of the edits.

        Raises ValueError when there are fewer issues than that.
        """
        with self._listener.turn:
            return self._listener.api.group.touch_issues(count)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While the block lasts no request is answered; whoever asks has to wait."""
        with self._listener.turn:
            yield

    def served(self) -> dict[str, Served]:
        """What was read since the start, by endpoint: `served()["projects/:id/issues"].objects`."""
        with self._listener.turn:
            return dict(self._listener.api.served)


class _Listener(ThreadingHTTPServer):
    def __init__(self, api: Api, port: int) -> None:
        self.api = api
        # The content is invented, counted and edited without locks of its own.
        self.turn = Lock()
        super().__init__((LOOPBACK, port), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A tap that is ended goes away in the middle of a request.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet; else each request of a kept connection waits 40 ms for an ACK.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.turn:
            token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = self.server.api.answer(self.command, self.path, token)
            body = json.dumps(answer.body, ensure_ascii=False).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: taps put their token in the URL."""
