"""A real Vault server, which `install_vault_server.py` has built: the tests are skipped where there is none."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from install_vault_server import NAME

# Read here: later, tests see no variables of ours.
_FOLDER = os.environ.get("PPROTECT_TEST_VAULT_SERVER", "")
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"
_SECONDS = 30


class RealVault:
    """The server, on a free port of 127.0.0.1 while it is entered: unsealed, empty, and in memory only. `tls` is a
    certificate, its key, and what trusts it."""

    def __init__(self, tls: tuple[Path, Path, Path] | None = None) -> None:
        program = Path(_FOLDER) / NAME
        if not _FOLDER or not program.exists():
            missing = f"no {NAME}: run install_vault_server.py, and set PPROTECT_TEST_VAULT_SERVER to its folder"
            pytest.fail(missing) if _REQUIRED else pytest.skip(missing)
        self.address = self.token = ""
        self._command = [str(program), *(map(str, tls[:2]) if tls else ())]
        self._trust = ssl.create_default_context(cafile=tls[2]) if tls else None

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        started = json.loads(self._process.stdout.readline())
        self.address, self.token = started["address"], started["token"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # It ends with its standard input.
        try:
            self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        """One request as root, or with another token; what is answered."""
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": token or self.token},
        )
        without_proxies = urllib.request.ProxyHandler({})
        opener = urllib.request.build_opener(without_proxies, urllib.request.HTTPSHandler(context=self._trust))
        with opener.open(request, timeout=_SECONDS) as response:
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        return answer

    def mount(self, path: str, version: int) -> None:
        """A KV secrets engine, which version 2 is for a moment after it is made only on its way to be."""
        self.call("POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}})
        ends = time.monotonic() + _SECONDS
        while True:
            try:
                self.call("POST", f"{path}/data/ready" if version == 2 else f"{path}/ready", {"data": {"a": "b"}})
            except urllib.error.HTTPError:
                assert time.monotonic() < ends, "the mount is not ready"
                time.sleep(0.05)
            else:
                return

    def new_token(self, rules: str, **options: Any) -> str:
        """A token that may do what the rules, a policy's text, say."""
        self.call("PUT", "sys/policies/acl/test", {"policy": rules})
        made = self.call("POST", "auth/token/create", {"policies": ["test"], **options})
        return str(made["auth"]["client_token"])
