"""Finding plugins: each distribution here is one that the metadata of a folder on the path says is installed."""

from __future__ import annotations

import importlib
import sys
import textwrap
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import Fault, FormatError, PolicyError, ProviderError, StoreError
from pocket_protector.plugins import registry
from pocket_protector.plugins.registry import (
    EXPORTERS,
    SOURCES,
    check_reference,
    export_as,
    export_formats,
    exporter_of,
    schemes,
    source_of,
)

WORKS = """
class Source:
    form = "good://NAME"
    local = False
    def check(self, reference): pass
    def fetch(self, reference, deadline): return b"fetched"
    def select(self, raw, fragment): return raw
"""

EXPORTS = """
class Source:
    def export(self, domain): return domain.name.encode() + b"".join(entry.content for entry in domain.entries)
"""
BEFORE = """
class Source:
    seals = False
    def export(self, domain, request=None): return f"{domain.name} {request}".encode()
"""
"""An exporter as docs/plugins.md had it when sealed packages were on the same joint."""
EMPTY = ExportedDomain(bytes(16), "dev", None, ())


class Installed:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self, name: str, scheme: str, code: str = WORKS, *, entry: str = "", metadata: bool = True, group: str = SOURCES
    ) -> None:
        """A distribution with one module, and an entry point for `Source` in it."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(code), encoding="utf-8")
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        line = entry or f"{scheme} = {module}:Source"
        (info / "entry_points.txt").write_text(f"[{group}]\n{line}\n", encoding="utf-8")
        if metadata:
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        importlib.invalidate_caches()

    def add_exporter(self, name: str, format_: str, code: str = EXPORTS) -> None:
        self.add(name, format_, code, group=EXPORTERS)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Beside what is really installed; nothing is loaded yet."""
    monkeypatch.setattr(registry, "_made", {})
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.syspath_prepend(tmp_path)
    return Installed(tmp_path)


def refused(scheme: str) -> ProviderError:
    with pytest.raises(ProviderError) as refusal:
        source_of(scheme)
    assert refusal.value.fault is Fault.OTHER
    assert refusal.value.exit_code == 7
    return refusal.value


def test_ours_are_installed_like_any_other() -> None:
    ours = {"aws-sm", "azure-kv", "env", "file", "gcp-sm", "keyring", "op", "vault"}
    assert ours <= set(schemes())
    for scheme in ours:
        source = source_of(scheme)
        assert source.form.startswith(f"{scheme}://")
        assert source.local is (scheme in {"env", "file", "keyring", "op"})


def test_a_plugin_is_found_and_made_once(installed: Installed) -> None:
    installed.add("acme-source", "good")
    assert source_of("good") is source_of("good")
    assert source_of("good").fetch(Reference("good://a"), 0) == b"fetched"
    assert "good" in schemes()
    check_reference(Reference("good://a"))


def test_threads_share_one(installed: Installed) -> None:
    installed.add("acme-slow", "slow", "import time\n" + WORKS + "    def __init__(self): time.sleep(0.2)\n")
    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(lambda _: source_of("slow"), range(20)))) == 1


def test_a_source_may_need_another_one(installed: Installed) -> None:
    installed.add("acme-source", "good")
    code = "from pocket_protector.plugins.registry import source_of\n" + WORKS
    installed.add("acme-above", "above", code + "    def __init__(self): self.below = source_of('good')\n")
    assert source_of("above").below is source_of("good")


def test_checking_is_the_sources_business(installed: Installed) -> None:
    code = 'from pocket_protector.errors import FormatError\ndef refuse(*_): raise FormatError("never right")\n'
    installed.add("acme-strict", "strict", f"{code}{WORKS}    check = refuse\n")
    with pytest.raises(FormatError, match="never right"):
        check_reference(Reference("strict://a"))


def test_nobody_knows_the_scheme() -> None:
    error = refused("nowhere")
    assert str(error) == "no installed plugin knows references of the scheme 'nowhere'"
    assert "aws-sm://" in error.hint
    with pytest.raises(ProviderError, match="'nowhere'"):
        check_reference(Reference("nowhere://a"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("this is no Python", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import sys; sys.exit('gone')", "SystemExit"),
        ("Sauce = None", "AttributeError"),
        ("Source = None", "TypeError"),
        ("class Source:\n  def __init__(self, needed): pass", "TypeError"),
        ("class Source:\n  def __init__(self): raise RuntimeError('no')", "RuntimeError"),
        ("class Source:\n  @property\n  def form(self): raise ValueError('no')", "ValueError"),
        ("def Source(): return Source()", "RecursionError"),
    ],
)
def test_one_that_fails_stops_its_own_scheme_only(installed: Installed, code: str, kind: str) -> None:
    installed.add("acme-broken", "bad", code)
    installed.add("acme-source", "good")
    error = refused("bad")
    assert str(error) == f"the plugin 'bad' of acme-broken cannot be loaded: {kind}"
    assert error.hint == "upgrade or uninstall it"
    assert source_of("good").fetch(Reference("good://a"), 0) == b"fetched"
    assert source_of("env").form == "env://NAME"
    assert {"bad", "good"} <= set(schemes())


def test_one_that_is_not_asked_for_is_not_loaded(installed: Installed) -> None:
    installed.add("acme-broken", "bad", "import pathlib; pathlib.Path(__file__).with_suffix('.loaded').touch()")
    installed.add("acme-source", "good")
    source_of("good")
    assert not (installed.folder / "acme_broken.loaded").exists()


def test_one_that_mends_is_loaded_later(installed: Installed) -> None:
    code = "import os\nif 'ACME' not in os.environ: raise OSError\n" + WORKS
    installed.add("acme-later", "later", code)
    refused("later")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACME", "1")
        assert source_of("later").form == "good://NAME"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("    fetch = None", "fetch"),
        ("    form = b'bad://NAME'", "form"),
        ("    local = None", "local"),
        ("    local = 0", "local"),
        ("    check = select = 'no method'", "check, select"),
    ],
)
def test_what_is_no_source(installed: Installed, line: str, wrong: str) -> None:
    installed.add("acme-odd", "odd", f"{WORKS}{line}\n")
    assert str(refused("odd")) == (
        f"the plugin 'odd' of acme-odd is not a valid source of references: {wrong} missing or of another type"
    )


def test_what_has_nothing_of_a_source(installed: Installed) -> None:
    installed.add("acme-odd", "odd", "class Source: pass")
    assert "form, local, check, fetch, select missing" in str(refused("odd"))


def test_two_claim_one_scheme(installed: Installed) -> None:
    for name in ("acme-one", "acme-two"):
        installed.add(name, "twice", "raise AssertionError('loaded')")
    error = refused("twice")
    assert str(error) == "several plugins claim references of the scheme 'twice': acme-one and acme-two"
    assert error.hint == "uninstall all but one"


@pytest.mark.parametrize("scheme", ["aws-sm", "env", "vault"])
def test_none_takes_the_place_of_ours(installed: Installed, scheme: str) -> None:
    installed.add("acme-thief", scheme)
    assert str(refused(scheme)) == (
        f"several plugins claim references of the scheme '{scheme}': acme-thief and pprotect"
    )
    assert source_of("op").form.startswith("op://")


def test_one_that_is_there_twice_is_one(installed: Installed, tmp_path: Path) -> None:
    installed.add("acme-source", "good")
    above = Installed(tmp_path / "above")
    above.folder.mkdir()
    above.add("acme-source", "good")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(above.folder)
        assert source_of("good").form == "good://NAME"


def test_damaged_metadata_of_another_distribution_changes_nothing(installed: Installed) -> None:
    installed.add("acme-source", "good")
    installed.add("acme-damaged", "bad", entry="this line has no equals sign")
    assert source_of("good").fetch(Reference("good://a"), 0) == b"fetched"
    assert source_of("env").form == "env://NAME"
    assert {"good", "env", "aws-sm"} <= set(schemes())
    assert str(refused("bad")) == "no installed plugin knows references of the scheme 'bad'"


def test_a_distribution_without_a_name(installed: Installed) -> None:
    installed.add("acme-half", "half", metadata=False)
    assert source_of("half").form == "good://NAME"
    installed.add("acme-source", "half")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_made", {})
        assert str(refused("half")).endswith("acme-source and an unknown package")


@pytest.mark.parametrize("entry", ["bad = acme_entry", "bad = not a module", "bad = :", "bad =", "bad = os:path.no"])
def test_an_entry_point_that_leads_nowhere(installed: Installed, entry: str) -> None:
    installed.add("acme-entry", "bad", entry=entry)
    assert str(refused("bad")).startswith("the plugin 'bad' of acme-entry cannot be loaded: ")


# Exporters


def not_exported(format_: str, kind: type[Exception] = ProviderError, domain: ExportedDomain = EMPTY) -> str:
    with pytest.raises(kind) as refusal:
        export_as(format_, domain)
    assert "tulip" not in "".join(traceback.format_exception(refusal.value))
    return str(refusal.value)


def test_our_formats_are_installed_like_any_other() -> None:
    assert {"dotenv", "json", "shell", "yaml"} <= set(export_formats())
    for name in ("dotenv", "json", "shell", "yaml"):
        assert exporter_of(name).export(EMPTY) == export_as(name, EMPTY)


def test_an_exporter_is_found_and_made_once(installed: Installed) -> None:
    installed.add_exporter("acme-export", "toml")
    assert exporter_of("toml") is exporter_of("toml")
    assert "toml" in export_formats()
    assert export_as("toml", EMPTY) == b"dev"


def test_an_exporter_of_before_still_works(installed: Installed) -> None:
    installed.add_exporter("acme-before", "toml", BEFORE)
    assert export_as("toml", EMPTY) == b"dev None"


@pytest.mark.parametrize("seals", ["True", "1", "'no'"])
def test_an_exporter_that_seals_is_refused(installed: Installed, seals: str) -> None:
    """It would expect inject-only values, and references that nobody resolved."""
    installed.add_exporter("acme-seals", "box", BEFORE.replace("False", seals))
    assert not_exported("box") == "the plugin 'box' of acme-seals seals what it makes, and an export format does not"


def test_a_text_format_gets_references_as_text(installed: Installed) -> None:
    installed.add_exporter("acme-export", "toml")
    far = ExportedEntry("far", Reference("aws-sm://name"), Sensitivity.INJECT_ONLY)
    near = ExportedEntry("near", b"value", Sensitivity.HIGH)
    assert export_as("toml", replace(EMPTY, entries=(far, near))) == b"devaws-sm://namevalue"


def test_a_text_format_gets_no_inject_only_value(installed: Installed) -> None:
    installed.add_exporter("acme-export", "toml", "class Source:\n  def export(self, domain): raise LookupError")
    never = ExportedEntry("never", b"tulip", Sensitivity.INJECT_ONLY)
    near = ExportedEntry("near", b"tulip", Sensitivity.HIGH)
    domain = replace(EMPTY, entries=(near, never))
    assert not_exported("toml", PolicyError, domain).endswith("are inject-only, and are not exported: never")
    assert not_exported("json", PolicyError, domain).endswith("are inject-only, and are not exported: never")


def test_a_format_is_no_scheme(installed: Installed) -> None:
    installed.add_exporter("acme-export", "env")
    installed.add("acme-source", "json")
    assert source_of("env").form == "env://NAME"
    assert export_as("env", EMPTY) == b"dev"
    assert source_of("json").form == "good://NAME"
    assert export_as("json", EMPTY) == b"{}\n"


def test_nobody_knows_the_format() -> None:
    with pytest.raises(ProviderError) as refusal:
        exporter_of("nothing")
    assert str(refusal.value) == "no installed plugin knows the export format 'nothing'"
    assert refusal.value.hint.startswith("known are: dotenv, json, shell")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import a_module_that_is_not_there", "cannot be loaded: ModuleNotFoundError"),
        ("raise SystemExit(0)", "cannot be loaded: SystemExit"),
        ("Source = None", "cannot be loaded: TypeError"),
        (EXPORTS + "    export = 'no'", "is not a valid exporter: export missing or of another type"),
        (BEFORE + "    export = None", "is not a valid exporter: export missing or of another type"),
        ("class Source: pass", "is not a valid exporter: export missing or of another type"),
        (WORKS, "is not a valid exporter: export missing or of another type"),
    ],
)
def test_an_exporter_that_fails_stops_its_own_format_only(installed: Installed, code: str, error: str) -> None:
    installed.add_exporter("acme-broken", "bad", code)
    installed.add_exporter("acme-export", "toml")
    assert not_exported("bad") == f"the plugin 'bad' of acme-broken {error}"
    assert export_as("toml", EMPTY) == b"dev"
    assert export_as("json", EMPTY) == b"{}\n"
    assert source_of("env").form == "env://NAME"
    assert {"bad", "toml", "json"} <= set(export_formats())


def test_an_exporter_that_is_not_asked_for_is_not_loaded(installed: Installed) -> None:
    installed.add_exporter(
        "acme-broken", "bad", "import pathlib; pathlib.Path(__file__).with_suffix('.loaded').touch()"
    )
    installed.add_exporter("acme-export", "toml")
    export_as("toml", EMPTY)
    with pytest.raises(ProviderError):
        exporter_of("nothing")
    assert not (installed.folder / "acme_broken.loaded").exists()


def test_no_exporter_takes_the_place_of_ours(installed: Installed) -> None:
    installed.add_exporter("acme-thief", "json")
    assert not_exported("json") == "several plugins claim the export format 'json': acme-thief and pprotect"
    assert export_as("yaml", EMPTY) == b"{}\n"


def test_no_exporter_takes_the_name_of_packages(installed: Installed) -> None:
    code = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch()"
    installed.add_exporter("acme-thief", "package", code)
    assert "package" not in export_formats()
    assert not_exported("package") == "the export format 'package' is reserved, and no plugin makes it"
    assert not (installed.folder / "acme_thief.ran").exists()


def test_damaged_metadata_leaves_our_formats(installed: Installed) -> None:
    installed.add("acme-damaged", "bad", entry="this line has no equals sign", group=EXPORTERS)
    assert export_as("json", EMPTY) == b"{}\n"
    assert not_exported("bad") == "no installed plugin knows the export format 'bad'"


@pytest.mark.parametrize(
    ("line", "kind", "error"),
    [
        ("raise LookupError('tulip')", ProviderError, "the plugin 'odd' ended with LookupError"),
        ("raise SystemExit('tulip')", ProviderError, "the plugin 'odd' ended with SystemExit"),
        ("raise StopIteration('tulip')", ProviderError, "the plugin 'odd' ended with StopIteration"),
        ("b'tulip'.decode('utf-16')", ProviderError, "the plugin 'odd' ended with UnicodeDecodeError"),
        ("return 'tulip'", ProviderError, "the plugin 'odd' gave str, where bytes belong"),
        ("return bytearray(b'tulip')", ProviderError, "the plugin 'odd' gave bytearray, where bytes belong"),
        ("pass", ProviderError, "the plugin 'odd' gave NoneType, where bytes belong"),
        ("raise StoreError('no form for A')", StoreError, "no form for A"),
        ("raise KeyboardInterrupt", KeyboardInterrupt, ""),
    ],
)
def test_whatever_an_exporter_does(installed: Installed, line: str, kind: type[Exception], error: str) -> None:
    code = "from pocket_protector.errors import StoreError\n"
    code += f"class Source:\n  def export(self, domain): {line}\n"
    installed.add_exporter("acme-odd", "odd", code)
    assert not_exported("odd", kind) == error
