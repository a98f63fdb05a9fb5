"""Measures over HTTP: `GET /metrics`, on this machine alone unless somebody says otherwise."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orchestrator.actions.measure import Measure
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.metrics.exposition import exposition

LOOPBACK = "127.0.0.1"
PORT = 9464
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def address_of(said: str) -> tuple[str, int]:
    """`9464`, `0.0.0.0:9464`, `[::1]:9464` or `0`: a port, and where it listens. Raises UsageError."""
    host, _, port = said.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f'"{said}" is no port or address', hint=f"--metrics {PORT}, or --metrics 0.0.0.0:{PORT}")
    return host.strip("[]") or LOOPBACK, int(port)


@contextmanager
def serving(address: tuple[str, int], measures: Callable[[], Iterable[Measure]]) -> Iterator[str]:
    """While the block lasts, measures are served, taken anew for each who asks. Yields where. Raises UsageError."""
    try:
        server = _Server(address, _Answer)
    except OSError as error:
        host, port = address
        raise UsageError(
            f"nothing can listen on port {port} of {host}", cause=error.strerror, hint="--metrics 0 takes a free port"
        ) from error
    server.measures = measures
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    measures: Callable[[], Iterable[Measure]]
    daemon_threads = True

    def __init__(self, address: tuple[str, int], answer: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            import socket

            self.address_family = socket.AF_INET6
        super().__init__(address, answer)


class _Answer(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        if self.path.partition("?")[0] != "/metrics":
            return self._answer(404, "there is only /metrics\n")
        try:
            text = exposition(self.server.measures())
        except (OrchestratorError, OSError) as error:
            return self._answer(503, f"{error}\n")
        self._answer(200, text)

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", _TEXT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """What is asked is nobody's news."""
