"""Measure `pprotect` beside Pocket Protector 26.4.3, in one run; see README.md beside this file.

Each command is a whole process. The two tools take turns, round by round, and medians are compared. The status is 1 if
a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CREDENTIALS = {"raw": "P" + "5a" * 32 + "P", "hard": "a long enough passphrase"}
LIBRARY_TARGET = 1.4


@dataclass(frozen=True)
class Case:
    """One command on one file, and the most that its time may be, as a multiple of upstream's."""

    what: str
    file: str
    command: tuple[str, ...]
    target: float

    @property
    def passphrase(self) -> str:
        return CREDENTIALS[self.file.partition("-")[0]]


DECRYPT = ("decrypt-domain", "dev")
UPDATE = ("update-secret", "--domain", "dev", "--secret-name", "secret00042", "--from-file", "{value}")
CASES = (
    Case("decrypt-domain, 100 secrets, raw key", "raw-100.yaml", DECRYPT, 0.9),
    Case("decrypt-domain, 100 secrets, hard passphrase", "hard-100.yaml", DECRYPT, 0.65),
    Case("decrypt-domain, 5,000 secrets, raw key", "raw-5000.yaml", DECRYPT, 0.4),
    Case("update-secret, 5,000 secrets", "raw-5000.yaml", UPDATE, 0.3),
    Case("list-domains, 100 secrets", "raw-100.yaml", ("list-domains",), 1.0),
)


class Tool:
    """One of the two packages, installed in an environment, with files of its own in a folder."""

    def __init__(self, name: str, environment: Path, files: Path) -> None:
        self.name = name
        self._programs = environment / "bin"
        self._files = files
        subprocess.run([self.python, "-m", "compileall", "-qq", environment / "lib"], check=False)

    @property
    def python(self) -> Path:
        return self._programs / "python"

    def make_files(self) -> None:
        subprocess.run([self.python, HERE / "make_files.py", self._files], check=True, env=_environment())

    def run(self, case: Case) -> float:
        """Seconds from start to end of the process."""
        name, *arguments = [part.format(value=self._value()) for part in case.command]
        command = [self._programs / "pprotect", name, "--file", self._files / case.file, *arguments]
        variables = _environment(PPROTECT_USER="ci", PPROTECT_PASSPHRASE=case.passphrase)
        start = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - start

    def _value(self) -> Path:
        path = self._files / "value.txt"
        if not path.exists():
            path.write_text("the new value", encoding="utf-8")
        return path

    def library(self, rounds: int) -> dict[str, float]:
        command = [self.python, HERE / "library.py", self._files / "raw-5000.yaml", str(rounds)]
        printed = subprocess.run(command, check=True, env=_environment(), stdout=subprocess.PIPE).stdout
        medians: dict[str, float] = json.loads(printed)
        return medians


def _environment(**more: str) -> dict[str, str]:
    """The same few variables for every process; nothing keeps Python from using compiled bytecode."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **more}


def compare(ours: Tool, upstream: Tool, rounds: int) -> bool:
    """Print a line for each case; whether all reach their targets."""
    reached = True
    print(f"{'median of ' + str(rounds) + ' (ms)':46}{'pprotect':>10}{'upstream':>10}{'ratio':>8}{'target':>8}")
    for case in CASES:
        taken: dict[str, list[float]] = {ours.name: [], upstream.name: []}
        for number in range(rounds + 1):
            for tool in (ours, upstream) if number % 2 else (upstream, ours):
                taken[tool.name].append(tool.run(case))
        medians = {name: statistics.median(times[1:]) * 1000 for name, times in taken.items()}
        ratio = medians[ours.name] / medians[upstream.name]
        reached &= ratio <= case.target
        print(
            f"{case.what:46}{medians[ours.name]:10.1f}{medians[upstream.name]:10.1f}{ratio:8.2f}{case.target:8.2f}"
            + _verdict(ratio, case.target)
        )
    return reached


def compare_library(ours: Tool, rounds: int) -> bool:
    """Print what `from_file` and `decrypt_domain` take, and what of it is the floor."""
    medians = ours.library(rounds)
    whole = medians["from_file and decrypt_domain"]
    floor = medians["floor: boxes"] + medians["floor: events"]
    print(f"\n{'5,000 secrets, raw key, in one process (ms)':46}{'pprotect':>10}{'floor':>10}{'ratio':>8}{'target':>8}")
    print(
        f"{'from_file and decrypt_domain':46}{whole:10.1f}{floor:10.1f}{whole / floor:8.2f}{LIBRARY_TARGET:8.2f}"
        + _verdict(whole / floor, LIBRARY_TARGET)
    )
    print("\nwhere the time goes (ms)")
    for name, median in medians.items():
        print(f"  {name:54}{median:8.1f}")
    return whole <= LIBRARY_TARGET * floor


def _verdict(ratio: float, target: float) -> str:
    return "" if ratio <= target else "  MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ours", type=Path, required=True, help="an environment with pprotect installed")
    parser.add_argument("--upstream", type=Path, required=True, help="an environment with pocket_protector 26.4.3")
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each (default: 15)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = Tool("pprotect", given.ours, Path(folder, "ours"))
        upstream = Tool("upstream", given.upstream, Path(folder, "upstream"))
        for tool in (ours, upstream):
            tool.make_files()
        reached = compare(ours, upstream, given.rounds)
        reached &= compare_library(ours, given.rounds)
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()
