"""Several people, each with a clone of one repository and a home of their own, and somebody who has no right to any of
it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from shell import ALICE, BOB, CAROL, DEV, KEYS, PROD, Shell, as_variables

from pocket_protector import Creds, KeyFile
from pocket_protector.document.document import Document
from pocket_protector.format.loaded_file import dump

MALLORY = "mallory@example.com"
KEYS_OF = {**KEYS, MALLORY: f"P{'66' * 32}P"}
CREDS = {name: Creds(name, key) for name, key in KEYS_OF.items()}
FILE = "protected.yaml"

Change = Callable[[KeyFile], KeyFile]


@dataclass
class Person(Shell):
    """A person's shell in their clone. Credentials are in the environment."""

    name: str = ALICE

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        self.variables = as_variables(self.name) if self.name in KEYS else {}

    def git(self, *words: str, folder: Path | None = None, check: bool = True) -> str:
        """What git prints; it has nobody's settings."""
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words],
            cwd=folder or self.folder,
            env=self.environment(_as_author(self.name)),
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def commit(self, message: str = "a change") -> str:
        """Commit the file; the commit's id."""
        self.git("add", FILE)
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD").strip()

    def change(self, change: Change, message: str = "a change") -> str:
        """Change the file without a command, so that no pin moves, and commit it."""
        self.put(change(self.store()))
        return self.commit(message)

    def put(self, file: KeyFile) -> None:
        """Write whatever a file holds, as an editor would."""
        self.file.write_text(file.get_contents(), encoding="utf-8")

    def branch(self, name: str, *changes: Change, start: str = "main") -> None:
        """Make these changes on a branch of that name, a commit each, and stay there."""
        self.git("checkout", "-q", "-b", name, start)
        for change in changes:
            self.change(change, f"{name} by {self.name}")

    def merge(self, branch: str) -> bool:
        """Whether git merges the branch without a conflict."""
        self.git("merge", "-q", "--no-edit", branch, check=False)
        return not self.git("ls-files", "-u")

    @property
    def state(self) -> Path:
        """Where this person's pins are."""
        return self.home / ".local" / "state" / "pprotect"

    @property
    def pin(self) -> Path:
        return self.state / "pins" / self.store().file_id.hex()

    def clone(self, name: str, folder: str | None = None) -> Person:
        """Somebody's clone of this repository."""
        place = self.folder.parent / (folder or name.partition("@")[0])
        person = Person(place, place.with_name(f"{place.name}-home"), name=name)
        self.git("clone", "-q", str(self.folder), str(place), folder=self.folder.parent)
        return person

    def pull(self, other: Person, branch: str = "main") -> None:
        """Merge what somebody has, as from a remote."""
        self.git("pull", "-q", "--no-rebase", "--no-edit", str(other.folder), branch)


def founder(folder: Path, file: KeyFile, name: str = ALICE) -> Person:
    """Somebody with a new repository that has the file in its first commit; nothing is pinned."""
    place = folder / name.partition("@")[0]
    place.mkdir()
    person = Person(place, place.with_name(f"{place.name}-home"), name=name)
    person.git("init", "-q")
    person.put(file)
    person.commit("base")
    return person


@cache
def signed_file() -> KeyFile:
    """dev is Alice's and Bob's, prod Bob's; what is in dev Alice has signed, what is in prod nobody. Carol and Mallory
    are custodians, and own nothing."""
    file = KeyFile.create(FILE)
    for creds in CREDS.values():
        file = file.add_raw_key_custodian(creds)
    file = file.add_domain("dev", ALICE, creds=CREDS[ALICE]).add_domain("prod", BOB, creds=CREDS[BOB])
    file = file.add_owner("dev", BOB, CREDS[ALICE])
    for name, value in DEV.items():
        file = file.add_secret("dev", name, value, creds=CREDS[ALICE])
    for name, value in PROD.items():
        file = file.add_secret("prod", name, value)
    return saved(file)


@cache
def unsigned_file() -> KeyFile:
    """The same, made without credentials wherever that is possible: nobody has signed a domain."""
    file = KeyFile.create(FILE)
    for name in (ALICE, BOB, CAROL):
        file = file.add_raw_key_custodian(CREDS[name])
    file = file.add_domain("dev", ALICE).add_domain("prod", BOB).add_owner("dev", BOB, CREDS[ALICE])
    for domain, values in (("dev", DEV), ("prod", PROD)):
        for name, value in values.items():
            file = file.add_secret(domain, name, value)
    return saved(file)


def saved(file: KeyFile) -> KeyFile:
    return KeyFile.from_contents_and_path(file.get_contents(), FILE)


# What Mallory, who can push, does to a file


def with_keys_replaced(name: str = BOB) -> Change:
    """Mallory's keys under the name of a custodian."""

    def change(file: KeyFile) -> KeyFile:
        own = KeyFile.create(FILE).add_raw_key_custodian(Creds(name, KEYS_OF[MALLORY]))
        return loaded(file.document.with_custodian(own.document.custodians[name]))

    return change


def seized(file: KeyFile) -> KeyFile:
    """The domain dev with a key of Mallory's, who wraps it for its owners."""
    owners = file.get_domain_owner_names("dev")
    names = file.get_domain_secret_names("dev")
    own = file.rm_domain("dev").add_domain("dev", MALLORY, creds=CREDS[MALLORY])
    for owner in owners:
        own = own.add_owner("dev", owner, CREDS[MALLORY])
    for name in names:
        own = own.add_secret("dev", name, "Mallory's value", creds=CREDS[MALLORY])
    return own


def with_key_replaced(file: KeyFile) -> KeyFile:
    return loaded(file.document.with_domain(seized(file).document.domains["dev"]))


def with_owner_injected(file: KeyFile) -> KeyFile:
    """Mallory listed as an owner of dev, by a grant that Mallory signed."""
    dev = file.document.domains["dev"]
    grant = seized(file).document.domains["dev"].owners[MALLORY]
    return loaded(file.document.with_domain(replace(dev, owners={**dev.owners, MALLORY: grant})))


ATTACKS: dict[str, Change] = {
    "custodian": with_keys_replaced(),
    "domain": with_key_replaced,
    "owner": with_owner_injected,
}


def loaded(document: Document) -> KeyFile:
    return KeyFile.from_contents_and_path(dump(document).text, FILE)


def _as_author(name: str) -> dict[str, str]:
    who = name.partition("@")[0].title()
    return (
        {f"GIT_{role}_NAME": who for role in ("AUTHOR", "COMMITTER")}
        | {f"GIT_{role}_EMAIL": name for role in ("AUTHOR", "COMMITTER")}
        | {"GIT_CONFIG_NOSYSTEM": "1"}
    )
