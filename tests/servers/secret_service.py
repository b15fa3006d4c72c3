"""A real Secret Service: GNOME's keyring daemon, on a session bus of its own and with a home of its own.

Debian's packages are `dbus` and `gnome-keyring`.

    with SecretService(folder) as service:
        done = service.run("import keyring; keyring.set_password('mail', 'alice', 'tulip')")
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
PASSWORD = "the keyring's own"
_SECONDS = 20

# Read here: later, tests see no variables of ours.
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"

_WAIT = f"""
import time, secretstorage
from contextlib import closing
deadline = time.monotonic() + {_SECONDS}
while True:
    try:
        with closing(secretstorage.dbus_init()) as bus:
            assert not secretstorage.get_default_collection(bus).is_locked()
        break
    except Exception:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.05)
"""
_LOCK = """
import secretstorage
from contextlib import closing
with closing(secretstorage.dbus_init()) as bus:
    secretstorage.get_default_collection(bus).lock()
"""


# Without folders of services, the bus starts nothing by itself: no daemon anew, and nothing that asks for a password.
_CONFIGURATION = """\
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def require_programs() -> None:
    """Skip, or fail where all tests have to run, if a program or the library is not there."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    try:
        import keyring  # noqa: F401
    except ImportError:
        missing.append("the library keyring")
    if missing:
        reason = f"no {' and no '.join(missing)}: the packages are dbus, gnome-keyring and, of Python, keyring"
        pytest.fail(reason) if _REQUIRED else pytest.skip(reason)


class SecretService:
    """It is unlocked, and empty at first. `run` runs Python code on its bus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = [name for name in os.environ if name in ("PATH", "LANG") or name.startswith("COVERAGE_")]
        kept = {name: os.environ[name] for name in names}
        self.variables = kept | {
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        # The path of a socket has room for some hundred characters.
        self._run = tempfile.TemporaryDirectory()
        self.variables["XDG_RUNTIME_DIR"] = self._run.name
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for name in ("data", "config", "cache"):
            (self.folder / name).mkdir(mode=0o700)
        configuration = self.folder / "bus.conf"
        configuration.write_text(_CONFIGURATION.format(folder=self._run.name))
        try:
            bus = self._start("dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address=1")
            self.variables["DBUS_SESSION_BUS_ADDRESS"] = _line(bus)
            daemon = self._start("gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock")
            assert daemon.stdin
            daemon.stdin.write(PASSWORD.encode())
            daemon.stdin.close()
            self.run(_WAIT)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop()

    def run(
        self, code: str, *arguments: str, seconds: float = 60, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Python code in a process of its own, which must succeed."""
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=self.variables | variables,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            start_new_session=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def store(self, service: str, name: str, value: str) -> None:
        self.run("import sys, keyring; keyring.set_password(*sys.argv[1:])", service, name, value)

    def lock(self) -> None:
        """Until it is unlocked with its password."""
        self.run(_LOCK)

    @property
    def daemon(self) -> int:
        """The daemon's process. One that is stopped takes questions, and answers none of them."""
        return self._started[-1].pid

    def die(self) -> None:
        """The bus stays, and the daemon goes."""
        self._end(self._started.pop())

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            words,
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # An interrupt at the terminal is for the tests, which then stop these.
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def _stop(self) -> None:
        while self._started:
            self._end(self._started.pop())
        self._run.cleanup()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], _SECONDS)
    assert ready, "no answer"
    line = process.stdout.readline().decode().strip()
    assert line, "it ended"
    return line
