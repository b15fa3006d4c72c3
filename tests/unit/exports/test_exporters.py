"""What the export formats make, read by what others read them with."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import dotenv
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import PocketProtectorError, StoreError
from pocket_protector.exports.text_formats import Dotenv, Json, Shell, Yaml
from pocket_protector.plugins.contract import ExporterContract
from pocket_protector.plugins.exporter import DomainExporter

# What readers take for something else than text, an end, or an instruction.
NASTY = (
    *(
        "",
        " ",
        "  two  ",
        "\t",
        "\n",
        "first\nsecond\n\n",
        "#",
        "x #y",
        "=",
        "a: b",
        "- x",
        "{}",
        "[]",
        "~",
        "---",
        "...",
    ),
    *("no", "Yes", "on", "null", "true", "1e3", "0x10", "0o7", "1_000", "1:30", ".inf", "2026-11-22", "<<", "&a", "*a"),
    *(
        "'",
        '"',
        "`",
        "it's",
        '"quoted"',
        "'quoted'",
        "a\\n",
        "C:\\new\\table",
        '{"a": "b\\n"}',
        "%",
        "EOF",
        "export A=1",
    ),
    *("$", "$HOME", "$$", "$(exit 3)", "`exit 3`", "!!", "~root", "*", "a;b", "a && b", "it's; exit 3"),
    *("\x1b[31m", "\x07", "\x7f", "\x80", "\x85", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "\ud7ff", "\ue000"),
    *("ö ☃ 🔐", "\U0010ffff", "\u202e"),
)
# What some reader of dotenv files has no form for.
UNQUOTABLE = (
    *("${", "${HOME}", "${A:-b}", "\r", "a\r\nb", "\\\\host\\share", "\\'", "'\\", "'\"", "it's $5", "it's `id`"),
    *("'\r", "'${A}", "\\", "a\\"),
)
TEXT = st.one_of(
    st.sampled_from(NASTY + UNQUOTABLE),
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.text(st.sampled_from("'\"\\$`{}()#=:!&;|<>~* \t\n\rabefnrtvxu0é☃🔐"), max_size=12),
)
NAMES = st.from_regex(r"[A-Za-z][-_A-Za-z0-9]{0,10}", fullmatch=True)
OTHERWISE = "give --uppercase or --format json, or choose other secrets with --secret NAME"


def of(contents: Mapping[str, str | bytes]) -> ExportedDomain:
    raw = {name: text if isinstance(text, bytes) else text.encode() for name, text in contents.items()}
    entries = tuple(ExportedEntry(name, raw[name], Sensitivity.MEDIUM) for name in sorted(raw))
    return ExportedDomain(bytes(16), "dev", None, entries)


def refused(exporter: DomainExporter, contents: Mapping[str, str | bytes]) -> PocketProtectorError:
    with pytest.raises(StoreError) as refusal:
        exporter.export(of(contents))
    return refusal.value


# Readers


def in_ruamel(made: bytes, version: tuple[int, int] = (1, 2)) -> Any:
    reader = YAML(typ="safe", pure=version != (1, 2))
    reader.version = version
    return reader.load(made)


YAML_READERS: dict[str, Callable[[bytes], Any]] = {
    "ruamel.yaml 1.2": in_ruamel,
    "ruamel.yaml 1.1": lambda made: in_ruamel(made, (1, 1)),
    "PyYAML": yaml.safe_load,
    "PyYAML in C": lambda made: yaml.load(made, Loader=yaml.CSafeLoader),
}


def in_shell(made: bytes, *names: str, shell: str = "bash") -> dict[str, str]:
    """These variables, as a program has them that a shell starts after it evaluated that, and nothing else was done."""
    done = subprocess.run(
        [shell, "-c", 'eval "$(cat)"; exec env -0'],
        input=made,
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.stderr == b""
    found = dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0")[:-1])
    return {name: found[name] for name in names}


def in_python_dotenv(made: bytes) -> dict[str, str | None]:
    # As python-dotenv opens a file: with line ends of any kind.
    return dotenv.dotenv_values(stream=io.TextIOWrapper(io.BytesIO(made), encoding="utf-8"))


def in_node(*files: bytes) -> list[dict[str, str]]:
    """What Node reads in each as its `--env-file`."""
    script = "for (const text of JSON.parse(require('fs').readFileSync(0))) console.log(JSON.stringify(parse(text)))"
    done = subprocess.run(
        ["node", "-e", "const parse = require('util').parseEnv;" + script],
        input=json.dumps([made.decode() for made in files]).encode(),
        capture_output=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def node_reads_dotenv() -> bool:
    script = "process.exit(require('util').parseEnv ? 0 : 1)"
    return bool(shutil.which("node")) and not subprocess.run(["node", "-e", script], check=False).returncode


def encoded(read: Mapping[str, Any]) -> dict[str, bytes | Reference]:
    return {name: text.encode() for name, text in read.items()}


# The contract


class TestJson(ExporterContract):
    values = NASTY + UNQUOTABLE + ("\0", "x" * 100_000)
    refused = (("RAW", b"canary\xff"), ("RAW", b"canary\xed\xa0\x80"))

    def exporter(self) -> DomainExporter:
        return Json()

    def read(self, made: bytes) -> Mapping[str, bytes | Reference]:
        return encoded(json.loads(made))


class TestYaml(TestJson):
    def exporter(self) -> DomainExporter:
        return Yaml()

    def read(self, made: bytes) -> Mapping[str, bytes | Reference]:
        first, *others = [reader(made) for reader in YAML_READERS.values()]
        assert all(other == first for other in others)
        return encoded(first)


class TestShell(ExporterContract):
    values = NASTY + UNQUOTABLE
    refused = (
        ("RAW", b"canary\xff"),
        ("NUL", b"canary\0"),
        ("a-b", b"canary"),
        ("LD_PRELOAD", b"canary"),
        ("PATH", b"canary"),
    )

    def exporter(self) -> DomainExporter:
        return Shell()

    def read(self, made: bytes) -> Mapping[str, bytes | Reference]:
        names = [f"NAME_{at}" for at in range(len(self.values))] if made else []
        return encoded(in_shell(made, *names))


class TestDotenv(ExporterContract):
    values = NASTY
    refused = (*TestShell.refused, *(("A", f"canary{text}".encode()) for text in UNQUOTABLE))

    def exporter(self) -> DomainExporter:
        return Dotenv()

    def read(self, made: bytes) -> Mapping[str, bytes | Reference]:
        return encoded(in_python_dotenv(made))


# Round trips


@given(st.dictionaries(NAMES, TEXT, max_size=5))
def test_json(values: dict[str, str]) -> None:
    made = Json().export(of(values))
    assert made == (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()
    assert json.loads(made) == values


@pytest.mark.parametrize("reader", YAML_READERS.values(), ids=YAML_READERS)
@given(values=st.dictionaries(NAMES | st.sampled_from(["no", "y", "null", "true", "e1", "A\\`^[]_"]), TEXT, max_size=5))
@example(values={"no": "no", "null": "", "y": "1e3"})
def test_yaml(reader: Callable[[bytes], Any], values: dict[str, str]) -> None:
    made = Yaml().export(of(values))
    assert made.isascii()
    assert reader(made) == values
    assert list(reader(made)) == sorted(values)


@given(st.lists(TEXT.filter(lambda text: "\0" not in text), max_size=8))
@settings(max_examples=30)
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_shell(shell: str, values: list[str]) -> None:
    named = {f"V{at}": text for at, text in enumerate(values)}
    assert in_shell(Shell().export(of(named)), *named, shell=shell) == named


def in_dotenv(value: str) -> bytes | None:
    """A file with the value and two others behind it, or None where no file has that value."""
    try:
        return Dotenv().export(of({"A": value, "B": "end", "C": "it's\nlast"}))
    except StoreError:
        return None


@given(TEXT)
@settings(max_examples=400)
@example("it's")
@example("'\n")
@example("\\'")
def test_dotenv(value: str) -> None:
    made = in_dotenv(value)
    if made is not None:
        assert in_python_dotenv(made) == {"A": value, "B": "end", "C": "it's\nlast"}


@pytest.mark.parametrize("value", UNQUOTABLE)
def test_what_some_reader_of_dotenv_has_no_form_for(value: str) -> None:
    refusal = refused(Dotenv(), {"FINE": "value", "A": value})
    assert refusal.message == "secret 'A' cannot be quoted for every reader of dotenv files"
    assert refusal.hint == OTHERWISE


@given(st.lists(TEXT, min_size=20, max_size=40))
@settings(max_examples=10)
@example([*NASTY, *UNQUOTABLE])
@pytest.mark.skipif(not node_reads_dotenv(), reason="no Node that reads dotenv files")
def test_node_reads_the_same(values: list[str]) -> None:
    made = {value: in_dotenv(value) for value in values}
    held = {value: file for value, file in made.items() if file is not None}
    assert in_node(*held.values()) == [{"A": value, "B": "end", "C": "it's\nlast"} for value in held]


@given(st.lists(TEXT, max_size=8))
@settings(max_examples=30)
@example(["it's", "`exit 3`", "$(exit 3)", "C:\\new", "a;b"])
def test_a_shell_that_reads_dotenv_runs_nothing(values: list[str]) -> None:
    """Not one that is made for it. What stands in single quotes is the same there too."""
    held = {f"V{at}": value for at, value in enumerate(values) if in_dotenv(value) is not None}
    found = in_shell(b"set -a\n" + Dotenv().export(of(held)), *held)
    assert found == {name: value.replace("\n", "\\n") if "'" in value else value for name, value in held.items()}


# Each byte of it


def test_what_each_makes() -> None:
    domain = of({"B": "it's\n1", "A": 'x "y" \\n é🔐\x7f'})
    assert (
        Json().export(domain) == b'{\n  "A": "x \\"y\\" \\\\n \\u00e9\\ud83d\\udd10\\u007f",\n  "B": "it\'s\\n1"\n}\n'
    )
    assert Yaml().export(domain) == b'"A": "x \\"y\\" \\\\n \\u00e9\\U0001f510\\u007f"\n"B": "it\'s\\n1"\n'
    assert Shell().export(domain) == "export A='x \"y\" \\n é🔐\x7f'\nexport B='it'\"'\"'s\n1'\n".encode()
    assert Dotenv().export(domain) == 'A=\'x "y" \\n é🔐\x7f\'\nB="it\'s\\n1"\n'.encode()


@pytest.mark.parametrize(("exporter", "made"), [(Json(), b"{}\n"), (Yaml(), b"{}\n"), (Shell(), b""), (Dotenv(), b"")])
def test_nothing_to_export(exporter: DomainExporter, made: bytes) -> None:
    assert exporter.export(of({})) == made


@pytest.mark.parametrize("exporter", [Shell(), Dotenv()], ids=["shell", "dotenv"])
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("db-password", "no shell can address a variable 'db-password'"),
        ("a`b", "no shell can address a variable 'a`b'"),
        ("a[0]", "no shell can address a variable 'a[0]'"),
        ("BASH_ENV", "secret 'BASH_ENV' would set the variable BASH_ENV, which changes how programs run"),
        ("GIT_SSH_COMMAND", "secret 'GIT_SSH_COMMAND' would set the variable GIT_SSH_COMMAND"),
    ],
)
def test_names_that_are_no_variables(exporter: DomainExporter, name: str, error: str) -> None:
    refusal = refused(exporter, {"FINE": "value", name: "canary"})
    assert refusal.message.startswith(error)
    assert refusal.hint == OTHERWISE
    assert json.loads(Json().export(of({name: "canary"}))) == in_ruamel(Yaml().export(of({name: "canary"})))


@pytest.mark.parametrize("exporter", [Json(), Yaml(), Shell(), Dotenv()])
@pytest.mark.parametrize("raw", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"canary\x80"])
def test_what_is_no_text(exporter: DomainExporter, raw: bytes) -> None:
    refusal = refused(exporter, {"FINE": "value", "RAW": raw})
    assert refusal.message == "what the reference 'RAW' in 'dev' leads to is not UTF-8 text"
    assert refusal.hint == "the bytes as they are: pprotect get dev RAW"


@pytest.mark.parametrize("exporter", [Json(), Yaml(), Shell(), Dotenv()])
def test_a_pointer_stands_as_its_uri(exporter: DomainExporter) -> None:
    """The command gives them the text itself, where references are not resolved."""
    reference = Reference("azure-kv://vault/secret#json.key")
    made = [
        exporter.export(ExportedDomain(bytes(16), "dev", None, (ExportedEntry("A", content, Sensitivity.LOW),)))
        for content in (reference, reference.text.encode())
    ]
    assert made[0] == made[1]
    assert reference.text.encode() in made[0]


# What they are given


@pytest.mark.parametrize("names", [("B", "A"), ("A", "A"), ("a", "B"), ("A", "B", "A")])
def test_entries_are_sorted_and_each_is_there_once(names: tuple[str, ...]) -> None:
    entries = tuple(ExportedEntry(name, b"", Sensitivity.MEDIUM) for name in names)
    with pytest.raises(ValueError, match="sorted by name"):
        ExportedDomain(bytes(16), "dev", None, entries)


def test_nothing_of_a_value_is_in_a_repr() -> None:
    domain = of({"A": "canary", "B": b"\xffcanary"})
    assert "canary" not in repr(domain) + repr(domain.entries[0]) + str(domain)
    assert "'A'" in repr(domain)


def test_a_value_too_large_for_a_variable_is_still_a_value() -> None:
    value = "x" * (1 << 20)
    assert Dotenv().export(of({"A": value})) == f"A='{value}'\n".encode()
    assert Shell().export(of({"A": value})) == f"export A={value}\n".encode()
