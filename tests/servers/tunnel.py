"""A proxy that leads the names of providers to servers on this machine.

So a client reaches a server of ours under the provider's real name, with no more than HTTPS_PROXY and a bundle of
certificates to trust; and what else it would reach is seen, and refused.
"""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65536
_LOOK_UP_SECONDS = 0.2
_REQUEST_SECONDS = 30


class Tunnel:
    """An HTTP proxy on 127.0.0.1, while it is entered: CONNECT to a `host:port` of `targets` leads to that local port.

    Everything else gets 502, plain requests too; `asked` has the `host:port` of each, in order.
    """

    def __init__(self, targets: Mapping[str, int]) -> None:
        self.targets = dict(targets)
        self.asked: list[str] = []
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.tunnel = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    tunnel: Tunnel
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is nothing to report."""


class _Connection(socketserver.StreamRequestHandler):
    server: _Server
    timeout = _REQUEST_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        tunnel = self.server.tunnel
        words = self.rfile.readline(_CHUNK).decode("latin-1").split()
        if len(words) != 3:
            return
        while self.rfile.readline(_CHUNK).strip():
            pass
        method, target, _ = words
        if method != "CONNECT":
            parts = urlsplit(target)
            target = f"{parts.hostname}:{parts.port or 80}"
        tunnel.asked.append(target)
        port = tunnel.targets.get(target) if method == "CONNECT" else None
        try:
            far = socket.create_connection(("127.0.0.1", port), 10) if port else None
        except OSError:
            far = None
        if far is None:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        with far:
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(self.connection, far, tunnel)


def _relay(near: socket.socket, far: socket.socket, tunnel: Tunnel) -> None:
    """Until one of the two ends, or the tunnel is stopped. The client waits for our answer before it speaks TLS:
    nothing that it sent is in a buffer."""
    other = {near: far, far: near}
    with suppress(OSError):
        while not tunnel.stopped:
            for ready in select.select([near, far], [], [], _LOOK_UP_SECONDS)[0]:
                data = ready.recv(_CHUNK)
                if not data:
                    return
                other[ready].sendall(data)
