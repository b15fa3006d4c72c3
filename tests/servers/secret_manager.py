"""Stand-ins for Google Cloud Secret Manager, on 127.0.0.1.

`SecretManager` speaks gRPC over TLS, with the messages and method names that Google publishes. `BareHttp2` answers as a
server that is no gRPC server, with a status, headers and bytes of the test's choice.

Import this where the client's roots are already in the environment: gRPC reads GRPC_DEFAULT_SSL_ROOTS_FILE_PATH once.
"""

from __future__ import annotations

import base64
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from google.cloud.secretmanager_v1.types import AccessSecretVersionRequest, AccessSecretVersionResponse

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"

Behaviour = Callable[[AccessSecretVersionRequest, grpc.ServicerContext], AccessSecretVersionResponse]


class SecretManager(grpc.GenericRpcHandler):
    """Versions by their full names, for callers with a token that one of `keys` signed; each version is bytes, or a
    function that answers, or refuses, by itself. `asked` has the names that were asked for."""

    def __init__(self, tls: tuple[Path, Path], keys: Mapping[str, rsa.RSAPublicKey]) -> None:
        self.versions: dict[str, bytes | Behaviour] = {}
        self.tokens: set[str] = set()
        self.asked: list[str] = []
        self.keys = dict(keys)
        # Threads that a test leaves waiting must not keep the process.
        self._server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.max_send_message_length", -1)])
        self._server.add_generic_rpc_handlers((self,))
        certificate, key = (path.read_bytes() for path in tls)
        self.port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != f"/{SERVICE}/AccessSecretVersion":
            return None
        return grpc.unary_unary_rpc_method_handler(
            self._access,
            request_deserializer=AccessSecretVersionRequest.deserialize,
            response_serializer=AccessSecretVersionResponse.serialize,
        )

    def _access(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        self.asked.append(request.name)
        sent = dict(context.invocation_metadata())
        scheme, _, token = sent.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not (token in self.tokens or self._signed(token)):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token of anybody who is known")
        found = self.versions.get(request.name)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} not found")
        if callable(found):
            return found(request, context)
        return AccessSecretVersionResponse({"name": request.name, "payload": {"data": found}})

    def _signed(self, token: str) -> bool:
        """Whether it is a JWT (RFC 7519) that a known service account made for this service."""
        with suppress(ValueError, KeyError, InvalidSignature):
            signed, _, signature = token.rpartition(".")
            header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
            key = self.keys[claims["iss"]]
            key.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), SHA256())
            meant = "secretmanager.googleapis.com" in claims.get("aud", "") or "cloud-platform" in claims["scope"]
            return bool(header["alg"] == "RS256" and meant and claims["sub"] == claims["iss"])
        return False

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait(10)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def refuse(code: grpc.StatusCode, details: str = "", metadata: tuple[tuple[str, bytes | str], ...] = ()) -> Behaviour:
    """What aborts with that code."""

    def behave(_: AccessSecretVersionRequest, context: grpc.ServicerContext) -> AccessSecretVersionResponse:
        context.set_trailing_metadata(metadata)
        context.abort(code, details)
        raise AssertionError

    return behave


def pay(**payload: Any) -> Behaviour:
    """What answers with a payload of these fields."""
    return lambda request, _: AccessSecretVersionResponse({"name": request.name, "payload": payload})


class BareHttp2:
    """A TLS server that answers every HTTP/2 request (RFC 9113) with `status`, `headers` and `body`. If it is `cut`, it
    closes in the middle of the stream. `requests` counts what it was asked."""

    def __init__(self, tls: tuple[Path, Path]) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.cut = False
        self.requests = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*tls)
        self._context.set_alpn_protocols(["h2"])
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.bare = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def answer(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with suppress(OSError), self._context.wrap_socket(connection, server_side=True) as stream:
            assert _exactly(stream, 24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            stream.sendall(_frame(_SETTINGS, 0, 0))
            while head := _exactly(stream, 9):
                kind, flags, number = head[3], head[4], int.from_bytes(head[5:])
                content = _exactly(stream, int.from_bytes(head[:3]))
                if kind == _SETTINGS and not flags & _ACK:
                    stream.sendall(_frame(_SETTINGS, _ACK, 0))
                elif kind == _PING and not flags & _ACK:
                    stream.sendall(_frame(_PING, _ACK, 0, content))
                elif kind == _HEADERS:
                    self.requests += 1
                    fields = b"".join(_field(name, value) for name, value in self._fields())
                    stream.sendall(_frame(_HEADERS, _END_HEADERS, number, fields))
                    stream.sendall(_frame(_DATA, 0 if self.cut else _END_STREAM, number, self.body))
                    if self.cut:
                        return

    def _fields(self) -> list[tuple[str, str]]:
        return [(":status", str(self.status)), *self.headers.items()]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


_DATA, _HEADERS, _SETTINGS, _PING = 0, 1, 4, 6
_ACK = _END_STREAM = 1
_END_HEADERS = 4


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + content


def _field(name: str, value: str) -> bytes:
    """A header as a literal with a name of its own, never indexed (RFC 7541, section 6.2.3); for short ones only."""
    assert max(len(name), len(value)) < 127
    return b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _exactly(stream: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer if the other side is done."""
    found = b""
    while len(found) < size and (more := stream.recv(size - len(found))):
        found += more
    return found


class _Server(socketserver.ThreadingTCPServer):
    bare: BareHttp2
    daemon_threads = True
    block_on_close = False


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.bare.answer(self.request)
