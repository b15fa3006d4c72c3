"""`op://`: 1Password, with the user's own command `op`.

Names, queries and environment variables follow the 1Password CLI documentation, "Secret reference syntax" and
"1Password CLI environment variables". The error messages of `op` are not documented; the patterns come from reports.
"""

from __future__ import annotations

import atexit
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from threading import Lock

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError, ThrottledError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES
from pocket_protector.references.providers.local import may_hold_credentials, plain_segments

_NAME = re.compile(r"[A-Za-z0-9_.](?:[A-Za-z0-9_. -]*[A-Za-z0-9_.-])?")
_QUERIES: tuple[dict[str, str], ...] = ({}, {"attribute": "otp"}, {"ssh-format": "openssh"})

_CHUNK = 65536
_MOST_COMPLAINTS = 16 * 1024
_SIGN_IN = "sign in with op signin, unlock the 1Password app, or set OP_SERVICE_ACCOUNT_TOKEN; then: op whoami"

# The value must not be JSON, and stderr must not have debug output.
_VARIABLES = {"OP_FORMAT": "human-readable", "OP_DEBUG": "false"}

# The first matching pattern counts; the exit status is 1 for all of them.
_COMPLAINTS = (
    (
        r"signed in|no accounts configured|session expired|authorization (?:prompt dismissed|timeout|was denied)"
        r"|desktop app|signin credentials|service account (?:token|deleted)|no account found|\(401\)|unauthorized",
        Fault.NOT_SIGNED_IN,
        "you are not signed in to 1Password, or it is locked",
        _SIGN_IN,
    ),
    (
        r"isn't an? (?:item|vault|section|field|file)|does not have a|could not find|no item found|\(404\)",
        Fault.NOT_FOUND,
        "you have no access to such a vault, item or field, or it does not exist",
        "run op read with this reference to see which; list your vaults with: op vault list",
    ),
    (r"\(403\)|forbidden|permission|not authorized", Fault.DENIED, "1Password denies access to the item", ""),
    (
        r"more than one",
        Fault.OTHER,
        "several vaults, items or fields of 1Password have that name",
        "use the ID instead of the name; find it with: op item list",
    ),
    (
        r"no such host|dial tcp|connection (?:refused|reset)|timeout|timed out|network|tls:|x509|\(5[0-9][0-9]\)",
        Fault.UNREACHABLE,
        "op cannot reach 1Password",
        "",
    ),
)
_THROTTLED = re.compile(r"\(429\)|too many requests|rate limit", re.IGNORECASE)
_LATER = re.compile(r"retry in ([0-9]{1,6}) (second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}

_END_SECONDS = 1
_starting = Lock()
_running: dict[subprocess.Popen[bytes], int] = {}
"""Running child → the id of the process that started it. A process forked later must not end it."""


class OnePassword:
    """Fetch a field of an item, by names or IDs.

    `?attribute=otp` selects the one-time password, and `?ssh-format=openssh` an SSH key in that format.
    """

    form = "op://VAULT/ITEM/[SECTION/]FIELD[?attribute=otp|?ssh-format=openssh]"
    local = True

    def check(self, reference: Reference) -> None:
        """Check vault, item, section, field and query. Raises FormatError."""
        self._argument(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Return the output of `op read`. Raises ProviderError."""
        argument = self._argument(reference)
        program = shutil.which("op")
        # A relative entry of PATH may be a folder of the repository.
        if program is None or not os.path.isabs(program):
            raise ProviderError(
                Fault.OTHER, "op, the command of 1Password, is not on the PATH", hint="install 1Password CLI 2"
            )
        status, raw, complaints = _run([program, "read", "--no-newline", argument], deadline)
        if status:
            raise _op_error(status, complaints.decode(errors="replace"))
        return raw

    def select(self, raw: bytes, fragment: str | None) -> bytes:  # noqa: ARG002 (it has none)
        """Return `raw`: these references have no fragment."""
        return raw

    def _argument(self, reference: Reference) -> str:
        """Return the reference in the syntax of `op`, which has no percent-encoding. Raises FormatError."""
        segments = plain_segments(reference, self.form)
        if len(segments) not in (3, 4) or reference.query not in _QUERIES:
            raise FormatError("not a valid reference to a field of 1Password", hint=self.form)
        if not all(map(_NAME.fullmatch, segments)):
            raise FormatError(
                "a name in a reference to 1Password has letters, digits, and inside it spaces and hyphens, of ASCII,"
                " beside _ and .",
                hint="use the ID instead of another name; find it with: op item get",
            )
        query = "".join(f"?{key}={value}" for key, value in reference.query.items())
        return "op://" + "/".join(segments) + query


def _run(words: list[str], deadline: float) -> tuple[int, bytes, bytes]:
    """Run a program, and return its exit status, its output and the start of its stderr.

    Raises ProviderError if its output is too large, or it exceeds the deadline.
    """
    process = _start(words)
    try:
        with process:
            try:
                raw, complaints = _read_output(process, deadline)
                return process.wait(max(deadline - time.monotonic(), 0)), raw, complaints
            except subprocess.TimeoutExpired:
                raise _timeout_error() from None
            finally:
                _end(process)
    finally:
        del _running[process]


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not may_hold_credentials(name)}
    try:
        with _starting:
            process = subprocess.Popen(  # noqa: S603 (no shell; the argument is checked)
                words,
                env=environment | _VARIABLES,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # A new process group, so that its children end with it. The session stays: 1Password unlocks it.
                process_group=0,
            )
            _running[process] = os.getpid()
    except OSError as error:
        raise ProviderError(Fault.OTHER, f"op cannot be run: {type(error).__name__}") from None
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    # After a wait the process id may belong to another process.
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


@atexit.register
def _end_all() -> None:
    """End all children at exit: Ctrl-C does not reach their process groups, and nothing waits for the threads."""
    # Never released: no thread can start another child.
    _starting.acquire(timeout=_END_SECONDS)
    for process, owner in list(_running.items()):
        if owner == os.getpid():
            _end(process)


def _read_output(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    """Return the output of the process and the start of its stderr."""
    assert process.stdout
    assert process.stderr
    raw, complaints = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, raw)
        selector.register(process.stderr, selectors.EVENT_READ, complaints)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready or time.monotonic() >= deadline:
                raise _timeout_error()
            for key, _ in ready:
                part = os.read(key.fd, _CHUNK)
                if not part:
                    selector.unregister(key.fileobj)
                elif key.data is raw or len(complaints) < _MOST_COMPLAINTS:
                    key.data.extend(part)
            if len(raw) > MAX_FETCHED_BYTES:
                raise ProviderError(Fault.OTHER, f"the field has more than {MAX_FETCHED_BYTES} bytes")
    return bytes(raw), bytes(complaints)


def _op_error(status: int, complaints: str) -> ProviderError:
    """Return the error for a failed `op`, by the text of its stderr. The text itself is not shown."""
    if _THROTTLED.search(complaints):
        later = _LATER.search(complaints)
        after = float(later[1]) * _SECONDS[later[2].lower()] if later else None
        return ThrottledError("1Password refuses more requests for now", after=after)
    for pattern, fault, message, hint in _COMPLAINTS:
        if re.search(pattern, complaints, re.IGNORECASE):
            return ProviderError(fault, message, hint=hint)
    how = f"with the exit status {status}" if status > 0 else f"by signal {-status}"
    return ProviderError(Fault.OTHER, f"op was ended {how}", hint="run op read with this reference to see why")


def _timeout_error() -> ProviderError:
    return ProviderError(
        Fault.UNREACHABLE,
        "op did not answer in time; it may have waited for you to unlock 1Password",
        hint=_SIGN_IN,
    )
