"""Moto's server: AWS as far as the tests need it, in a process of its own, on 127.0.0.1.

with Moto() as moto:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
"""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

_STOP_SECONDS = 20


class Moto:
    """The server while it is entered. It ends with our process, however that ends: its stdin closes then."""

    url = ""

    def __enter__(self) -> Self:
        # No variable of AWS: what the tests set is for the client.
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV"))}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
            text=True,
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            self._process.kill()
            self._process.wait()
            raise RuntimeError("moto's server does not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate("", timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _serve() -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    _serve()
