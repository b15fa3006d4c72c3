"""Where the time of a read goes, inside one process of ours. Prints medians in milliseconds as JSON.

Takes a file of `make_files.py` and how often to measure. `floor` is what no implementation on the same libraries can
be without: opening the same sealed boxes in a bare loop, and draining the events of the same text.
"""

from __future__ import annotations

import base64
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from _ruamel_yaml import CParser
from make_files import RAW
from nacl.public import PrivateKey, SealedBox
from ruamel.yaml.events import StreamEndEvent

from pocket_protector import KeyFile
from pocket_protector.crypto.keys import PrivateKey as DomainKey
from pocket_protector.document.domain import open_key
from pocket_protector.format.loaded_file import load

KEY_ID_END = 9
"""A value is a version byte and 8 bytes of key id, then the sealed box."""


def drain_events(text: str) -> None:
    parser = CParser(text)
    while type(parser.get_event()) is not StreamEndEvent:
        pass


def open_boxes(boxes: list[bytes], key: PrivateKey) -> None:
    sealed_box = SealedBox(key)
    for box in boxes:
        sealed_box.decrypt(box)


def sealed_boxes(text: str) -> list[bytes]:
    """The sealed boxes of the file's values, without the project's own reader."""
    lines = (line.strip() for line in text.splitlines())
    values = (line.removeprefix("value: ") for line in lines if line.startswith("value: "))
    return [base64.b64decode(value)[KEY_ID_END:] for value in values]


def timed(rounds: int, steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The steps' medians in milliseconds; each round takes every step once."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            gc.collect()
            start = time.perf_counter()
            step()
            taken[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def started(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    path, rounds = Path(sys.argv[1]), int(sys.argv[2])
    raw = path.read_bytes()
    text = raw.decode()
    file = KeyFile.from_file(path)
    identity = file.unlock(RAW)
    private: DomainKey = open_key(load(raw).document.domain("dev"), identity)
    boxes, key = sealed_boxes(text), PrivateKey(private.raw)
    steps: dict[str, Callable[[], object]] = {
        "from_file and decrypt_domain": lambda: KeyFile.from_file(path).decrypt_domain("dev", RAW),
        "floor: events": lambda: drain_events(text),
        "floor: boxes": lambda: open_boxes(boxes, key),
        "parse and check the file": lambda: load(raw),
        "open the values": lambda: file.decrypt_domain("dev", identity),
    }
    # Apart from the others: whatever follows a process that was waited for starts with cold caches.
    starts: dict[str, Callable[[], object]] = {
        "start Python": started("pass"),
        "start Python, import the library": started("import pocket_protector"),
        "start Python, import the command line": started(
            "import pocket_protector.cli.app, pocket_protector.cli.commands.values"
        ),
    }
    json.dump(timed(rounds, steps) | timed(rounds, starts), sys.stdout)


if __name__ == "__main__":
    main()
