"""What the commands that print write to stdout."""

from __future__ import annotations

import json

import pytest
from shell import ALICE, BOB, DEV, Shell

NASTY = {
    "quotes": "'\"'\\''",
    "dollar": "$HOME ${x:?no} $(exit 3) `exit 3`",
    "lines": "first\nsecond\n\n",
    "spaces": "  two  ",
    "glob": "* ? [a] ~ !! #x",
    "unicode": "ÿ ☃ 🔐 \u2028",
    "control": "\x1b[31m\x07\t\r",
    "empty": "",
    "long": "x" * 5000,
    "markup": "[bold]not bold[/bold] :snowman:",
}


@pytest.fixture
def nasty(alice: Shell) -> Shell:
    """Alice with a domain of values that shells and terminals would act on."""
    store = alice.store().add_domain("nasty", ALICE)
    for name, value in NASTY.items():
        store = store.add_secret("nasty", name, value)
    store.write()
    return alice


@pytest.mark.parametrize("name", NASTY)
def test_get_adds_nothing(nasty: Shell, name: str) -> None:
    result = nasty("get", "nasty", name)
    assert result.raw == NASTY[name].encode()
    assert result.err == ""


def test_json(nasty: Shell) -> None:
    for words in ((), ("--output-format", "json")):
        out = nasty.done("decrypt-domain", "nasty", *words)
        assert json.loads(out) == NASTY
        assert out == json.dumps(NASTY, indent=2, sort_keys=True) + "\n"


def test_one_secret(nasty: Shell) -> None:
    words = ("decrypt-domain", "nasty", "--secret", "lines")
    assert nasty.done(*words) == NASTY["lines"] + "\n"
    assert json.loads(nasty.done(*words, "--output-format", "json")) == {"lines": NASTY["lines"]}
    assert nasty.done(*words, "--output-format", "env") == f"lines='{NASTY['lines']}'\n"
    assert nasty.done(*words, "--output-format", "shell") == f"export lines='{NASTY['lines']}'\n"


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("name", NASTY)
def test_a_shell_evaluates_to_the_same_values(nasty: Shell, shell: str, name: str) -> None:
    script = f"""eval "$(pprotect decrypt-domain nasty --output-format shell)"; {shell} -c 'printf %s. "${name}"'"""
    result = nasty.sh(script)
    assert result.raw.decode() == NASTY[name] + "."
    assert result.err == ""


def test_env_does_not_export(nasty: Shell) -> None:
    result = nasty.sh(
        """eval "$(pprotect decrypt-domain nasty --output-format env)"; printenv spaces; echo "$spaces" """
    )
    assert result.out == NASTY["spaces"] + "\n"


@pytest.mark.parametrize("kind", ["env", "shell"])
def test_a_name_that_no_shell_can_address(alice: Shell, kind: str) -> None:
    words = ("decrypt-domain", "dev", "--output-format", kind)
    alice(*words).failed(6, "'db-password'", "--output-format json")
    assert "API_KEY=tulip-dev-api\n" in alice.done(*words, "--secret", "API_KEY")


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("get", "dev", "API-KEY"), "no secret in 'dev' named 'API-KEY' (known: API_KEY, db-password)", "'API_KEY'"),
        (("get", "devs", "API_KEY"), "no key domain named 'devs' (known: dev, prod)", "'dev'"),
        (("decrypt-domain", "dev", "--secret", "no"), "no secret in 'dev' named 'no'", None),
        (("decrypt-domain", "no"), "no key domain named 'no'", None),
        (("list-domain-secrets", "no"), "no key domain named 'no'", None),
    ],
)
def test_what_is_not_there(alice: Shell, words: tuple[str, ...], error: str, hint: str | None) -> None:
    alice(*words).failed(6, error, hint)


def test_an_unknown_domain_is_said_before_a_passphrase_is_asked_for(team: Shell) -> None:
    team("get", "nope", "API_KEY").failed(6, "no key domain named 'nope'")


@pytest.mark.parametrize("words", [("get", "dev", "API-KEY"), ("decrypt-domain", "dev", "--secret", "API-KEY")])
def test_so_is_an_unknown_name(team: Shell, words: tuple[str, ...]) -> None:
    team(*words).failed(6, "no secret in 'dev' named 'API-KEY' (known: API_KEY, db-password)", "'API_KEY'")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("list-domains",), {"domains": ["dev", "prod"]}),
        (("list-domain-secrets", "dev"), {"secrets": ["API_KEY", "db-password"]}),
        (("list-all-secrets",), {"secrets": {"API_KEY": ["dev", "prod"], "db-password": ["dev"]}}),
        (("list-user-secrets",), {"domains": {"dev": ["API_KEY", "db-password"]}}),
    ],
)
def test_lists_as_json(alice: Shell, words: tuple[str, ...], expected: dict[str, object]) -> None:
    assert json.loads(alice.done(*words, "--json")) == {"schema": 1} | expected
    assert json.loads(alice.done("--json", *words)) == {"schema": 1} | expected


def test_the_audit_log(team: Shell) -> None:
    lines = team.done("list-audit-log").splitlines()
    # The file and its first custodian may be made in one second or in two.
    assert any(line.endswith(f" -- created raw-key custodian {ALICE}") for line in lines[:2])
    assert lines[-1].endswith(" -- added secret API_KEY in prod")
    assert json.loads(team.done("list-audit-log", "--json")) == {"schema": 1, "audit_log": lines}
    team.done("truncate-audit-log", "2")
    kept = team.done("list-audit-log").splitlines()
    assert lines[-2:] == kept[:2]
    assert "truncated" in kept[2]


def test_empty_lists_say_so_on_stderr(empty: Shell) -> None:
    empty.done("init", "--key-type", "raw", *empty.as_())
    for words, note in (
        (("list-domains",), "(No domains in protected at "),
        (("list-all-secrets",), "(No secrets in protected at "),
        (("list-user-secrets", *empty.as_()), f"User {ALICE} does not own any domains."),
    ):
        result = empty(*words)
        assert (result.code, result.out) == (0, "")
        assert note in result.err
        assert json.loads(empty(*words, "--json").out)["schema"] == 1
    empty.done("add-domain", "dev", *empty.as_())
    assert "(No secrets in domain 'dev'" in empty("list-domain-secrets", "dev").err
    assert empty.done("list-user-secrets", *empty.as_()) == "dev: (no secrets)\n"


def test_control_characters_in_names_reach_no_terminal(alice: Shell) -> None:
    """A legacy name may hold what a terminal acts on (here U+202E and U+200B); so may an entry of the log."""
    text = alice.file.read_text().replace("domain/dev:", "domain/d\u202eev:").replace("-- added", "-- \u200badded")
    alice.file.write_text(text)
    out = alice.done("list-audit-log")
    assert "\u200b" not in out
    assert "\ufffdadded" in out
    result = alice("list-domains", "-f", "a\x1b[31mb")
    assert "\x1b" not in result.err
    assert "a\ufffd[31mb" in result.err


def test_reading_writes_nothing(alice: Shell) -> None:
    before = (alice.file.read_bytes(), alice.file.stat().st_mtime_ns)
    alice.file.chmod(0o400)
    alice.folder.chmod(0o500)
    try:
        assert alice.done("get", "dev", "API_KEY") == DEV["API_KEY"]
        alice.done("decrypt-domain", "dev")
        alice.done("list-audit-log")
    finally:
        alice.folder.chmod(0o700)
    assert (alice.file.read_bytes(), alice.file.stat().st_mtime_ns) == before


def test_both_owners_read_the_same(team: Shell) -> None:
    for name in (ALICE, BOB):
        assert json.loads(team.done("decrypt-domain", "dev", *team.as_(name))) == DEV
