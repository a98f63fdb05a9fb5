"""A service that takes messages over HTTP, as apprise brings them to `json://`."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service:
    """`taken` are the messages that it took; `answer` is what it says to the next ones (0: nothing)."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.asked = 0
        self.answer = 200
        self._let_go = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.asked += 1
                answer = service.answer
                if not answer:
                    service._let_go.wait(30)
                    return
                if answer == 200:
                    service.taken.append(json.loads(body))
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self._server.server_port}/hook"

    @property
    def titles(self) -> list[str]:
        """Of what it took, without the workspace."""
        return [message["title"].partition(" (")[0] for message in self.taken]

    def release(self) -> None:
        self._let_go.set()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()


@contextmanager
def listening() -> Iterator[Service]:
    service = Service()
    service.start()
    try:
        yield service
    finally:
        service.release()
        service.stop()
