"""Make the benchmarks' files in a folder, with whichever of the two packages is installed here."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from pocket_protector import Creds, KeyFile

RAW = Creds("ci", "P" + "5a" * 32 + "P")
HARD = Creds("ci", "a long enough passphrase")


def make(path: Path, creds: Creds, count: int) -> None:
    chance = random.Random(count)
    file = KeyFile.create(str(path))
    file = file.add_raw_key_custodian(creds) if creds is RAW else file.add_key_custodian(creds)
    file = file.add_domain("dev", creds.name)
    for number in range(count):
        value = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=chance.randint(8, 64)))
        file = file.set_secret("dev", f"secret{number:05}", value)
    file.write()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    make(folder / "raw-100.yaml", RAW, 100)
    make(folder / "hard-100.yaml", HARD, 100)
    make(folder / "raw-5000.yaml", RAW, 5000)


if __name__ == "__main__":
    main()
