"""`export`: a key domain's values for other programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import ALICE, DEV, Shell, as_variables

from pocket_protector import Creds, Reference, Sensitivity


def put(shell: Shell, name: str, value: str | Reference, level: str = "medium") -> Shell:
    shell.store().set_secret("dev", name, value, sensitivity=Sensitivity.parse(level)).write()
    return shell


@pytest.fixture
def named(alice: Shell) -> Shell:
    """Names that a shell can address."""
    store = alice.store().rm_secret("dev", "db-password")
    store.add_secret("dev", "QUOTED", "it's $HOME `id` #1\nü").write()
    return alice


def test_a_shell_reads_it(named: Shell) -> None:
    result = named.sh('eval "$(pprotect export dev --format shell)"; printf %s "$QUOTED"')
    assert (result.code, result.out) == (0, "it's $HOME `id` #1\nü")


def test_some_secrets_in_every_format(alice: Shell) -> None:
    shown = {"json": '{\n  "API_KEY": "tulip-dev-api"\n}\n', "yaml": '"API_KEY": "tulip-dev-api"\n'}
    shown |= {"dotenv": "API_KEY='tulip-dev-api'\n", "shell": "export API_KEY=tulip-dev-api\n"}
    for name, text in shown.items():
        assert alice.done("export", "dev", "--format", name, "--secret", "API_KEY") == text
    assert json.loads(alice.done("export", "dev", "--format", "json")) == DEV


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ((), 2, "no format is given"),
        (("--format", "toml"), 2, "'toml' is not a format of an installed plugin"),
        (("--format", "package"), 2, "'package' seals"),
        (("--format", "json", "--secret", "nothing"), 6, "no secret in 'dev' named 'nothing'"),
        (("--format", "dotenv"), 6, "no shell can address a variable 'db-password'"),
        (("--format", "shell"), 6, "no shell can address a variable 'db-password'"),
        (("--format", "json", "--require-signed"), 8, "nobody is trusted yet"),
        (("--format", "json", "--ignore-env"), 4, ""),
    ],
)
def test_what_is_refused(alice: Shell, words: tuple[str, ...], code: int, error: str) -> None:
    alice("export", "dev", *words).failed(code, error)


def test_hyphens_are_spelled_otherwise(alice: Shell) -> None:
    words = ("export", "dev", "--format", "dotenv", "--uppercase")
    assert alice.done(*words) == "API_KEY='tulip-dev-api'\nDB_PASSWORD='tulip-dev-db ☃'\n"
    put(alice, "DB-Password", "other")
    alice(*words).failed(6, "both map to the variable DB_PASSWORD")


def test_inject_only_ones_are_named_and_nothing_is_printed(alice: Shell) -> None:
    put(put(alice, "never", "tulip-never", "inject-only"), "nor-that", "tulip", "inject-only")
    for more in ((), ("--reveal",), ("--secret", "never", "--secret", "nor-that")):
        alice("export", "dev", "--format", "json", *more).failed(8, "and are not printed: never, nor-that")
    assert json.loads(alice.done("export", "dev", "--format", "json", "--secret", "API_KEY")) == {
        "API_KEY": "tulip-dev-api"
    }


def test_high_ones_on_a_terminal(alice: Shell) -> None:
    put(alice, "API_KEY", "tulip-high", "high")
    terminal = alice.terminal("export", "dev", "--format", "json")
    assert terminal.end() == 8
    terminal = alice.terminal("export", "dev", "--format", "json", "--reveal")
    assert terminal.end() == 0
    assert "tulip-high" in terminal.shown
    assert "tulip-high" in alice.done("export", "dev", "--format", "json")


def test_references_are_followed_or_not(alice: Shell) -> None:
    (alice.home / "value").write_text("tulip-file")
    put(alice, "far", Reference(f"file://{alice.home}/value"))
    words = ("export", "dev", "--format", "json", "--secret", "far")
    assert json.loads(alice.done(*words, env={"PPROTECT_ALLOW_LOCAL_REFERENCES": "1"})) == {"far": "tulip-file"}
    assert json.loads(alice.done(*words, "--no-resolve")) == {"far": f"file://{alice.home}/value"}
    alice(*words).failed(7, "secret 'far' in 'dev'")
    result = alice("export", "dev", "--format", "json", "--skip-unresolved")
    assert (result.code, json.loads(result.out)) == (0, DEV)
    (alice.home / "value").write_bytes(b"\xff")
    alice(*words, env={"PPROTECT_ALLOW_LOCAL_REFERENCES": "1"}).failed(6, "is not UTF-8 text")


def test_a_name_that_changes_how_programs_run(alice: Shell) -> None:
    put(alice, "LD_PRELOAD", "tulip")
    for name in ("shell", "dotenv"):
        alice("export", "dev", "--format", name, "--secret", "LD_PRELOAD").failed(6, "changes how programs run")


def test_another_packages_format(alice: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    info = folder / "toml_export-1.dist-info"
    info.mkdir(parents=True)
    (folder / "toml_export.py").write_text(
        "class Toml:\n    seals = False\n\n    def export(self, domain, request=None):\n"
        "        return ''.join(f'{n} = {t!r}\\n' for n, t in domain.texts().items()).encode()\n\n\n"
        "class Broken:\n    seals = False\n\n    def export(self, domain, request=None):\n"
        "        raise LookupError('tulip')\n"
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toml-export\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[pocket_protector.exporters]\ntoml = toml_export:Toml\nbroken = toml_export:Broken\nmissing = nowhere:X\n"
    )
    env = {"PYTHONPATH": str(folder)}
    assert (
        alice("export", "dev", "--format", "toml", "--secret", "API_KEY", env=env).out == "API_KEY = 'tulip-dev-api'\n"
    )
    alice("export", "dev", "--format", "broken", env=env).failed(7, "the plugin 'broken' ended with LookupError")
    alice("export", "dev", "--format", "missing", env=env).failed(7, "missing")
    assert alice("export", "dev", "--format", "json", env=env).code == 0
    assert alice.store().check_creds(Creds(ALICE, as_variables()["PPROTECT_PASSPHRASE"]))
