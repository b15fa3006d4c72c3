"""What judging costs, beside bare loops over the same bytes. Prints a table, and ends with 1 if a target is missed.

`authorize` of a file with 1,000 signed secrets, beside the Ed25519 verifications that it needs; `verify --history` of
1,000 commits of a file with 300 secrets, beside a loop that reads the same blobs from one `git cat-file --batch` and
drains their YAML events. Run it with the Python that has pprotect installed: `.venv/bin/python benchmarks/trust.py`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from library import drain_events
from make_files import RAW
from nacl import bindings

from pocket_protector import KeyFile
from pocket_protector.document.statements import ENTRY, entry_fields
from pocket_protector.format.loaded_file import load
from pocket_protector.trust.judge.authorize import authorize

SIGNED = 1000
COMMITS = 1000
SECRETS = 300
ROUNDS = 7
TARGETS = {"authorize": 2.5, "verify --history": 2.0}


def signed_file(count: int, *, every: int = 1) -> KeyFile:
    """A file with so many secrets; every so many of them is signed."""
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(RAW)
    identity = file.unlock(RAW)
    file = file.add_domain("dev", RAW.name, creds=identity)
    for number in range(count):
        creds = identity if number % every == 0 else None
        file = file.add_secret("dev", f"secret{number:05}", f"value {number}", creds=creds)
    return file


def medians(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds; each round takes every step once, each first in every second round; the first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name in sorted(steps, reverse=bool(number % 2)):
            start = time.perf_counter()
            steps[name]()
            taken[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def of_authorize() -> tuple[float, float]:
    text = signed_file(SIGNED).get_contents()
    document = load(text.encode()).document
    domain = document.domain("dev")
    messages = []
    for name, secret in domain.secrets.items():
        assert secret.signed is not None
        fields = entry_fields(document.file_id, "dev", domain.public_key, name, secret.value, secret.updated)
        messages.append((secret.signed.signature + secret.signed.statement(ENTRY, fields), secret.signed.by.verify_key))

    def loop() -> None:
        for message, key in messages:
            bindings.crypto_sign_open(message, key)

    found = medians({"loop": loop, "ours": lambda: authorize(None, document)}, ROUNDS)
    return found["ours"], found["loop"]


def make_history(folder: Path) -> None:
    """A thousand commits, each of which changes one secret of the file; imported, as a process a commit takes long."""
    git(folder, "init", "--quiet")
    file = signed_file(SECRETS, every=2)
    identity = file.unlock(RAW)
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as importing:
        assert importing.stdin
        for number in range(COMMITS):
            creds = identity if number % 2 else None
            file = file.update_secret("dev", f"secret{number * 7 % SECRETS:05}", f"newer {number}", creds=creds)
            if number % 100 == 99:
                file = file.truncate_audit_log(SECRETS)
            text = file.get_contents().encode()
            # From text again, so that the next change is spliced into it as it would be on disk.
            file = KeyFile.from_contents_and_path(text.decode(), "protected.yaml")
            importing.stdin.write(
                b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 1\n.\n" % (1_700_000_000 + number)
                + b"M 100644 inline protected.yaml\ndata %d\n%s\n" % (len(text), text)
            )
    git(folder, "checkout", "--quiet", "main")


def git(folder: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True).stdout


def bare_loop(folder: Path) -> None:
    """The same blobs from one process, and nothing but their events."""
    commits = git(folder, "rev-list", "--reverse", "main", "--", "protected.yaml").split()
    with subprocess.Popen(
        ["git", "cat-file", "--batch"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reading:
        assert reading.stdin
        assert reading.stdout
        for commit in commits:
            reading.stdin.write(commit + b":protected.yaml\n")
            reading.stdin.flush()
            size = int(reading.stdout.readline().split()[2])
            drain_events(reading.stdout.read(size + 1)[:-1].decode())
        reading.stdin.close()


def of_history() -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_history(folder)
        pprotect = Path(sys.executable).with_name("pprotect")
        environment = {**os.environ, "PPROTECT_STATE_DIR": str(folder / "state")}

        def ours() -> None:
            subprocess.run(
                [pprotect, "verify", "--history"], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL
            )

        def bare() -> None:
            subprocess.run([sys.executable, __file__, "--bare", folder], check=True)

        found = medians({"ours": ours, "bare": bare, "log": lambda: git(folder, "log", "-p")}, 3)
    return found["ours"], found["bare"], found["log"]


def main() -> int:
    if sys.argv[1:2] == ["--bare"]:
        bare_loop(Path(sys.argv[2]))
        return 0
    ours, loop = of_authorize()
    judged, bare, log = of_history()
    ratios = {"authorize": ours / loop, "verify --history": judged / bare}
    print(f"authorize, {SIGNED} signed secrets: {ours:.0f} ms, the verifications alone {loop:.0f} ms")
    print(f"verify --history, {COMMITS} commits of {SECRETS} secrets: {judged:.0f} ms, the bare loop {bare:.0f} ms")
    print(f"git log -p of the same: {log:.0f} ms")
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} (target {TARGETS[name]:.2f})")
    return int(any(ratio > TARGETS[name] for name, ratio in ratios.items()))


if __name__ == "__main__":
    sys.exit(main())
