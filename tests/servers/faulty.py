"""An HTTP server that does what a test says: the faults of every provider.

    with Faulty({"/secrets/a": status(403, CANARY)}, tls=authority.issue("localhost")) as server:
        ...
        assert server.requests[0].path == "/secrets/a"

A behaviour is a function that is given the exchange, and answers, or does not. Those below are ready-made.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_CHUNK = 65536
_SILENCE_SECONDS = 60


@dataclass(frozen=True)
class Request:
    """A request as it came: `path` with its query, the names of `headers` in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Exchange(BaseHTTPRequestHandler):
    """One request and what is answered to it: what a behaviour gets."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS
    disable_nagle_algorithm = True
    request_seen: Request

    def reply(
        self, code: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, length: int | None = None
    ) -> None:
        """Send an answer. `length` is what Content-Length says; -1 leaves it out, and ends the body by closing."""
        given = {"Content-Type": "application/json", **(headers or {})}
        if length != -1:
            given["Content-Length"] = str(len(body) if length is None else length)
        if length is not None:
            given["Connection"] = "close"
        self.send_response(code)
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def wait(self, seconds: float) -> bool:
        """True after so many seconds; False at once when the server is stopped meanwhile."""
        return not self.server.faulty.stopping.wait(seconds)

    def answer_it(self) -> None:
        faulty = self.server.faulty
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_seen = Request(self.command, self.path, headers, body)
        faulty.requests.append(self.request_seen)
        faulty.paths.get(self.path.partition("?")[0], faulty.otherwise)(self)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_LIST = answer_it  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The requests are in `requests`; nothing is printed."""


Behaviour = Callable[[Exchange], None]


def answer(body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """200, as JSON unless the headers say otherwise."""
    return status(200, body, headers)


def status(code: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    return lambda exchange: exchange.reply(code, body, headers)


def redirect(url: str, code: int = 302, body: bytes = b"") -> Behaviour:
    return status(code, body, {"Location": url})


def wrong_type(body: bytes, content_type: str = "text/html") -> Behaviour:
    return status(200, body, {"Content-Type": content_type})


def oversized(size: int, start: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """`start` and then letters, `size` bytes in all, with nothing to say beforehand how many."""

    def behave(exchange: Exchange) -> None:
        exchange.close_connection = True
        exchange.reply(200, start, headers, length=-1)
        for _ in range(size // _CHUNK + 1):
            exchange.wfile.write(b"a" * _CHUNK)

    return behave


def truncated(body: bytes, missing: int = 100, headers: Mapping[str, str] | None = None) -> Behaviour:
    """A body that ends before its Content-Length does."""

    def behave(exchange: Exchange) -> None:
        exchange.close_connection = True
        exchange.reply(200, body, headers, length=len(body) + missing)

    return behave


def dead(exchange: Exchange) -> None:
    """Take the request, and close without a word."""
    exchange.close_connection = True


def slow(seconds: float = _SILENCE_SECONDS) -> Behaviour:
    """Silence, and then the end."""

    def behave(exchange: Exchange) -> None:
        exchange.wait(seconds)
        exchange.close_connection = True

    return behave


def delayed(seconds: float, then: Behaviour) -> Behaviour:
    """An answer that comes so late."""

    def behave(exchange: Exchange) -> None:
        if exchange.wait(seconds):
            then(exchange)

    return behave


def trickle(body: bytes, pause: float, headers: Mapping[str, str] | None = None) -> Behaviour:
    """A body that comes byte by byte, with a pause before each: no single read takes long."""

    def behave(exchange: Exchange) -> None:
        exchange.close_connection = True
        exchange.reply(200, b"", headers, length=len(body))
        for byte in body:
            if not exchange.wait(pause):
                return
            exchange.wfile.write(bytes((byte,)))
            exchange.wfile.flush()

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Each for one request; the last for all that follow."""
    lock, left = threading.Lock(), list(behaviours)

    def behave(exchange: Exchange) -> None:
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        now(exchange)

    return behave


def closed_port() -> tuple[socket.socket, int]:
    """A port of 127.0.0.1 where nobody listens, for as long as the socket is kept; close it."""
    kept = socket.socket()
    kept.bind(("127.0.0.1", 0))
    return kept, kept.getsockname()[1]


class Faulty:
    """The server, on 127.0.0.1 while it is entered: `paths` says what is done at which path (without the query),
    `otherwise` at all others; both may be changed meanwhile. `tls` is a certificate and its key."""

    def __init__(
        self,
        paths: Mapping[str, Behaviour] | None = None,
        *,
        otherwise: Behaviour = status(404),  # noqa: B008
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self.paths = dict(paths or {})
        self.otherwise = otherwise
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._scheme = "https" if tls else "http"
        self._server = _Server(("127.0.0.1", 0), Exchange)
        self._server.faulty = self
        if tls:
            self._server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.context.load_cert_chain(*tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    faulty: Faulty
    context: ssl.SSLContext | None = None
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.context:
            # The handshake happens at the first read, in the connection's own thread.
            connection.settimeout(_SILENCE_SECONDS)
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        # A client that has gone away makes this fail; there is nothing left to shut down then.
        with suppress(OSError, ValueError):
            super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is nothing to report."""
