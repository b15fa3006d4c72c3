"""What a command must not spend: imports that it does not need, and a second key derivation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shell import ALICE, BOB, DEV, KEYS, SECONDS, Shell, as_variables

from pocket_protector import Creds

IMPORTS = """
import sys
from pocket_protector.cli.entry import run
sys.argv = ["pprotect", *{words}]
status = run(sys.argv[1:])
sys.stdout.flush()
heavy = {{"pydantic", "rich", "argon2", "nacl.public", "nacl.pwhash", "getpass"}}
sys.stderr.write(" ".join(sorted(heavy & set(sys.modules))))
sys.exit(status)
"""

# argon2-cffi and libsodium, with a line for every derivation: a hash of the passphrase.
COUNTING = """
import hashlib, os
from argon2 import low_level
from nacl import pwhash

def counted(derive):
    def wrapper(*args, **kwargs):
        secret = [value for value in [*args, *kwargs.values()] if isinstance(value, bytes)][0]
        with open(os.environ["DERIVATIONS"], "a") as file:
            print(hashlib.sha256(secret).hexdigest(), file=file)
        return derive(*args, **kwargs)
    return wrapper

low_level.hash_secret_raw = counted(low_level.hash_secret_raw)
pwhash.argon2id.kdf = counted(pwhash.argon2id.kdf)
"""

PASSPHRASES = {ALICE: "alice's harbour", BOB: "bob's harbour"}


def python(shell: Shell, script: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=shell.folder,
        env=shell.environment(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["decrypt-domain", "dev"],
        ["get", "dev", "API_KEY"],
        ["list-domains"],
        ["set-secret", "dev", "new", "--generate"],
        ["rotate-domain-keys", "dev"],
    ],
)
def test_nothing_heavy_is_imported(alice: Shell, words: list[str]) -> None:
    done = python(alice, IMPORTS.format(words=words))
    assert done.returncode == 0
    # What the command itself says ends in a line end; the list of modules would stand behind it.
    assert done.stderr == "" or done.stderr.endswith("\n")


@pytest.mark.parametrize("words", [["decrypt-domain", "dev"], ["list-domains"]])
def test_a_command_imports_no_other_commands_module(alice: Shell, words: list[str]) -> None:
    script = IMPORTS.replace("heavy & set(sys.modules)", "m for m in sys.modules if 'cli.' in m")
    loaded = set(python(alice, script.format(words=words)).stderr.split())
    own = {"decrypt-domain": "values", "list-domains": "domains"}[words[0]]
    commands = "pocket_protector.cli.commands."
    assert {name for name in loaded if name.startswith(commands)} == {commands + own}


@pytest.mark.parametrize("words", [["decrypt-domain", "dev"], ["set-secret", "dev", "new", "--generate"]])
def test_without_references_nothing_of_them_is_imported(alice: Shell, words: list[str]) -> None:
    parts = "{{'plugins', 'references'}}"
    script = IMPORTS.replace("heavy & set(sys.modules)", f"m for m in sys.modules if {parts} & set(m.split('.'))")
    done = python(alice, script.format(words=words))
    assert done.returncode == 0
    assert done.stderr == "" or done.stderr.endswith("\n")


@pytest.fixture(scope="session")
def stretched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The passphrases of both, stretched fast: dev is Alice's and Bob's, prod Alice's."""
    from pocket_protector import KDF_INTERACTIVE, KeyFile

    path = tmp_path_factory.mktemp("stretched") / "protected.yaml"
    store = KeyFile.create(path)
    for name, passphrase in PASSPHRASES.items():
        store = store.add_key_custodian(Creds(name, passphrase), *KDF_INTERACTIVE)
    alice = store.unlock(Creds(ALICE, PASSPHRASES[ALICE]))
    store = store.add_domain("dev", ALICE).add_domain("prod", ALICE).add_owner("dev", BOB, alice)
    for name, value in DEV.items():
        store = store.add_secret("dev", name, value)
    store.write()
    return path


@pytest.fixture
def counting(empty: Shell, stretched: Path) -> Shell:
    """A work tree with that file, Alice's credentials, and every derivation counted."""
    empty.file.write_bytes(stretched.read_bytes())
    (empty.home / "sitecustomize.py").write_text(COUNTING)
    (empty.home / "own").write_text(PASSPHRASES[ALICE])
    (empty.home / "new").write_text("a new harbour")
    (empty.home / "raw").write_text(KEYS[ALICE])
    empty.variables |= {
        "PYTHONPATH": str(empty.home),
        "DERIVATIONS": str(empty.home / "derivations"),
        "PPROTECT_USER": ALICE,
        "PPROTECT_PASSPHRASE": PASSPHRASES[ALICE],
    }
    return empty


@pytest.mark.parametrize(
    ("words", "passphrases"),
    [
        (("init", "-f", "new.yaml", "--key-type", "fast", "--user", ALICE), 1),
        (("add-key-custodian", "dave", "--key-type", "fast", "--new-passphrase-file", "NEW"), 1),
        (("add-key-custodian", "dave", "--key-type", "raw", "--new-passphrase-file", "RAW"), 0),
        (("set-key-custodian-passphrase", *("--user", ALICE, "--passphrase-file", "OWN"), "--key-type", "fast"), 2),
        (("rekey-custodian", *("--user", ALICE, "--passphrase-file", "OWN"), "--key-type", "fast"), 2),
        (("add-domain", "stage"), 1),
        (("add-owner", "prod", BOB), 1),
        (("migrate-owner", BOB, "--yes"), 1),
        (("rotate-domain-keys", "dev"), 1),
        (("rm-owner", "dev", BOB), 1),
        (("rm-owner", "dev", BOB, "--no-rotate"), 0),
        (("rm-key-custodian", BOB), 0),
        (("rm-domain", "dev"), 0),
        (("decrypt-domain", "dev"), 1),
        (("get", "dev", "API_KEY"), 1),
        (("list-user-secrets",), 1),
        (("run", "dev", "--", "true"), 1),
        (("set-secret", "dev", "new", "--generate"), 0),
        (("rm-secret", "dev", "API_KEY"), 0),
        (("list-all-secrets",), 0),
        (("list-audit-log",), 0),
    ],
)
def test_one_derivation_for_a_passphrase(counting: Shell, words: tuple[str, ...], passphrases: int) -> None:
    if words[0] in ("set-key-custodian-passphrase", "rekey-custodian"):
        words += ("--new-passphrase-file", "NEW")
    paths = {name.upper(): str(counting.home / name) for name in ("own", "new", "raw")}
    counting.done(*(paths.get(word, word) for word in words))
    derived = derivations(counting)
    assert len(derived) == len(set(derived)) == passphrases


def test_a_wrong_passphrase_is_stretched_once(counting: Shell) -> None:
    counting("decrypt-domain", "dev", env={"PPROTECT_PASSPHRASE": "wrong"}).failed(4, "wrong passphrase")
    assert len(derivations(counting)) == 1


def test_no_passphrase_is_stretched_for_what_cannot_be(counting: Shell) -> None:
    counting("decrypt-domain", "nope").failed(6, "'nope'")
    counting("decrypt-domain", "dev", env={"PPROTECT_USER": "nobody"}).failed(4, "nobody")
    assert derivations(counting) == []


def test_a_legacy_passphrase_is_stretched_once(counting: Shell) -> None:
    upstream = Path(__file__).parent.parent / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    counting.file.write_bytes(upstream.read_bytes())
    env = {"PPROTECT_USER": "fast@example.com", "PPROTECT_PASSPHRASE": "fast tulip"}
    for words in (("decrypt-domain", "dev"), ("upgrade",), ("rotate-domain-keys", "dev")):
        counting.done(*words, env=env)
    assert len(derivations(counting)) == 2


def derivations(shell: Shell) -> list[str]:
    path = Path(shell.variables["DERIVATIONS"])
    return path.read_text().split() if path.exists() else []


def test_the_counter_counts(counting: Shell) -> None:
    for _ in range(2):
        counting.done("get", "dev", "API_KEY")
    derived = derivations(counting)
    assert len(derived) == 2
    assert len(set(derived)) == 1
    assert as_variables().keys() <= counting.variables.keys()
