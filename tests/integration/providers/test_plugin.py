"""docs/plugins.md: the plugins that it shows are written to a folder, installed with pip, and used."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from faulty import Behaviour, Exchange, Faulty, answer, dead, oversized, redirect, slow, status, truncated

# Installing takes a while.
pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[3]
DOCUMENT = (CHECKOUT / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", DOCUMENT, re.M | re.S))
CANARY = "tulip-canary"
TOKEN = "tulip-token"

# Read here: later, tests see no variables of ours.
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"

BEFORE = """
class Before:
    seals = False

    def export(self, domain, request=None):
        lines = [f"{name}={text}" for name, text in domain.texts().items()]
        return "\\n".join([*lines, str(request), ""]).encode()
"""
"""An exporter as docs/plugins.md had it when sealed packages were exporters too."""

USE = """
import json, sys, time, traceback
from pocket_protector.errors import PocketProtectorError
from pocket_protector.document.reference import Reference
from pocket_protector.plugins.registry import check_reference, source_of

for text in sys.argv[2:]:
    reference = Reference(text)
    try:
        check_reference(reference)
        source = source_of(reference.scheme)
        raw = source.fetch(reference.without_fragment(), time.monotonic() + float(sys.argv[1]))
        found = {"value": source.select(raw, reference.fragment).decode()}
    except PocketProtectorError as error:
        said = "".join(traceback.format_exception(error))
        fault = getattr(error, "fault", None)
        found = {"fault": fault and fault.name, "message": error.message, "hint": error.hint, "said": said}
    print(json.dumps(found))
"""


def authorized(then: Behaviour) -> Behaviour:
    """What a server does that wants to see the token."""

    def behave(exchange: Exchange) -> None:
        seen = exchange.request_seen.headers.get("authorization") == f"Bearer {TOKEN}"
        (then if seen else status(401, CANARY.encode()))(exchange)

    return behave


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the plugin, and a server that the plugin asks."""

    folder: Path
    python: Path
    server: Faulty
    variables: dict[str, str]

    def started(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, *arguments],
            env=self.variables | variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = self.started(*arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def use(self, *references: str, seconds: float = 20, **variables: str) -> list[Any]:
        """What each reference gives, and of nothing else a trace."""
        done = self.run("-c", USE, str(seconds), *references, **variables)
        assert CANARY not in done.stdout + done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    if not importlib.util.find_spec("hatchling"):
        missing = "no hatchling to build with"
        pytest.fail(missing) if _REQUIRED else pytest.skip(missing)
    folder = tmp_path_factory.mktemp("plugin")
    authority = Authority(folder)
    with Faulty(
        {"/values/db_password": authorized(answer(b"correct horse"))}, tls=authority.issue("127.0.0.1")
    ) as server:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "STORE_HOST": server.url.removeprefix("https://"),
            "STORE_TOKEN": TOKEN,
            "SSL_CERT_FILE": str(authority.bundle),
        }
        made = Environment(folder, folder / "venv" / "bin" / "python", server, variables)
        install(folder, made)
        yield made


def install(folder: Path, made: Environment) -> None:
    """The package and the plugin, without a network: what they need is that of the environment of the tests."""
    venv.create(folder / "venv", with_pip=True, symlinks=True)
    own = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    lines = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(sysconfig.get_path("purelib", vars=own)) / "tests.pth").write_text("\n".join(sorted(lines)))
    source = folder / "source"
    shutil.copytree(CHECKOUT, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "tests"))
    plugin, exporter, before = folder / "plugin", folder / "plugin" / "kubernetes", folder / "before"
    exporter.mkdir(parents=True)
    before.mkdir()
    for name, text in FILES.items():
        (plugin / name).write_text(text, encoding="utf-8")
    (before / "pprotect_before.py").write_text(BEFORE, encoding="utf-8")
    description = (
        FILES["kubernetes/pyproject.toml"].replace("KubernetesSecret", "Before").replace("kubernetes", "before")
    )
    (before / "pyproject.toml").write_text(description, encoding="utf-8")
    for project in (source, plugin, exporter, before):
        # Not upgrade: what is found beside the environment stays there.
        words = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed")
        made.run("-m", "pip", "install", *words, "--disable-pip-version-check", str(project))


def test_the_document_shows_a_whole_plugin() -> None:
    own = {name for name in FILES if not name.startswith("kubernetes/")}
    assert own == {"pprotect_store.py", "pyproject.toml", "test_store.py"}
    assert len([line for line in FILES["pprotect_store.py"].splitlines() if line.strip()]) <= 32
    other = {name.removeprefix("kubernetes/") for name in {*FILES} - own}
    assert other == {"pprotect_kubernetes.py", "pyproject.toml", "test_kubernetes.py"}
    assert len(FILES["kubernetes/pprotect_kubernetes.py"].splitlines()) <= 30


def test_it_is_installed_like_any_other(environment: Environment) -> None:
    code = """
import pocket_protector, pprotect_store
from pocket_protector.plugins.registry import schemes, source_of
print(pocket_protector.__file__, pprotect_store.__file__, *schemes())
assert type(source_of("store")) is pprotect_store.Store
"""
    package, plugin, *schemes = environment.run("-c", code).stdout.split()
    assert Path(package).is_relative_to(environment.python.parents[1])
    assert Path(plugin).is_relative_to(environment.python.parents[1])
    assert {"store", "aws-sm", "env", "vault"} <= set(schemes)


def test_it_fetches(environment: Environment) -> None:
    environment.server.paths["/values/json"] = authorized(answer(b'{"db": {"port": 5432}}'))
    assert environment.use("store://db_password", "store://json#db.port") == [
        {"value": "correct horse"},
        {"value": "5432"},
    ]
    assert {request.path for request in environment.server.requests} >= {"/values/db_password", "/values/json"}


def test_it_passes_its_contract(environment: Environment) -> None:
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "plugin/test_store.py")
    assert "6 passed" in environment.run(*words).stdout


@pytest.mark.parametrize(
    ("behaviour", "fault", "message"),
    [
        (status(401, CANARY.encode(), {"X-Canary": CANARY}), "NOT_SIGNED_IN", "answers 401"),
        (status(403, CANARY.encode()), "DENIED", "answers 403"),
        (status(404, CANARY.encode()), "NOT_FOUND", "answers 404"),
        (status(500, CANARY.encode()), "OTHER", "answers 500"),
        (oversized(300_000, CANARY.encode()), "OTHER", "too large"),
        (answer(CANARY.encode() + b"x" * 300_000), "OTHER", "too large"),
        (truncated(CANARY.encode()), "OTHER", "cut off"),
        (dead, "UNREACHABLE", "does not answer"),
        (slow(), "UNREACHABLE", "does not answer"),
    ],
    ids=["401", "403", "404", "500", "oversized", "large", "truncated", "dead", "slow"],
)
def test_its_errors_are_sorted(environment: Environment, behaviour: Behaviour, fault: str, message: str) -> None:
    environment.server.paths["/values/faulty"] = behaviour
    [error] = environment.use("store://faulty", seconds=1.5)
    assert error["fault"] == fault
    assert message in error["message"]


def test_it_follows_no_redirect(environment: Environment) -> None:
    with Faulty(otherwise=answer(CANARY.encode())) as elsewhere:
        environment.server.paths["/values/moved"] = redirect(f"{elsewhere.url}/{CANARY}")
        [error] = environment.use("store://moved")
        assert error["fault"] == "OTHER"
        assert elsewhere.requests == []


def test_it_tells_who_is_not_signed_in(environment: Environment) -> None:
    for token in ("", "another", "line\nbreak"):
        [error] = environment.use("store://db_password", STORE_TOKEN=token)
        assert error["fault"] == ("UNREACHABLE" if "\n" in token else "NOT_SIGNED_IN")


def test_it_checks_before_it_asks(environment: Environment) -> None:
    before = len(environment.server.requests)
    for error in environment.use("store://a/b", "store://../values/db", "store://A", "store://a?b=c"):
        assert error["message"] == "not a reference to the store"
        assert error["hint"] == "store://NAME[#JSON.KEY]"
    assert len(environment.server.requests) == before


def test_a_second_one_for_the_scheme_stops_it(environment: Environment, tmp_path: Path) -> None:
    info = tmp_path / "thief-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pocket_protector.sources]\nstore = thief:Store\n")
    variables = {"PYTHONPATH": str(tmp_path), "PPROTECT_ALLOW_LOCAL_REFERENCES": "1", "APP": "value"}
    error, other = environment.use("store://db_password", "env://APP", **variables)
    assert error["message"].endswith("scheme 'store': pprotect-store and thief")
    assert other == {"value": "value"}


EXPORT = """
from pocket_protector import Creds, KeyFile

creds = Creds("alice@example.com", "P" + "a1" * 32 + "P")
store = KeyFile.create("protected.yaml").add_raw_key_custodian(creds)
for domain in ("dev", "Dev"):
    store = store.add_domain(domain, creds.name).add_secret(domain, "API_KEY", "tulip \u2603")
store.write()
"""


@pytest.fixture(scope="module")
def variables(environment: Environment) -> dict[str, str]:
    """The credentials for a file with domains to export, which is made first."""
    environment.run("-c", EXPORT)
    return {"PPROTECT_USER": "alice@example.com", "PPROTECT_PASSPHRASE": f"P{'a1' * 32}P"}


def test_its_format_is_exported(environment: Environment, variables: dict[str, str]) -> None:
    words = ("-m", "pocket_protector", "export", "-f", "protected.yaml", "--format", "kubernetes")
    secret = json.loads(environment.run(*words, "dev", **variables).stdout)
    assert secret["metadata"] == {"name": "dev"}
    assert base64.b64decode(secret["data"]["API_KEY"]).decode() == "tulip \u2603"
    refused = environment.started(*words, "Dev", **variables)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "error: 'Dev' cannot name a Secret" in refused.stderr


def test_an_exporter_of_before_still_works(environment: Environment, variables: dict[str, str]) -> None:
    words = ("-m", "pocket_protector", "export", "-f", "protected.yaml", "--format", "before", "dev")
    assert environment.run(*words, **variables).stdout == "API_KEY=tulip \u2603\nNone\n"


def test_the_exporter_passes_its_contract(environment: Environment) -> None:
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib")
    assert "2 passed" in environment.run(*words, "plugin/kubernetes/test_kubernetes.py").stdout
