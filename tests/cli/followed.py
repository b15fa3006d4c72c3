"""References to any provider, followed by the installed command in the environment of the test that asks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shell import ALICE, KEYS, Shell, as_variables

from pocket_protector import Creds, Fault, KeyFile, Reference
from pocket_protector.references.resolve import ALLOW_LOCAL_VARIABLE

CANARY = "canary"
"""What begins all that a provider says, or is told, and nobody may see."""


def given(folder: Path, text: str, variables: Mapping[str, str] | None = None) -> bytes:
    """What `pprotect get` prints of the reference, and gives a program in its environment as well."""
    shell = pointing(folder, text, variables)
    printed, inherited = shell("get", "dev", "ref"), shell("run", "dev", "--", "/bin/sh", "-c", 'printf %s "$ref"')
    for result in (printed, inherited):
        assert (result.code, result.err) == (0, "")
    value = printed.raw.removesuffix(b"\n")
    assert inherited.raw == value
    return value


def not_given(folder: Path, text: str, fault: Fault, variables: Mapping[str, str] | None = None) -> None:
    """That neither prints anything, that no program starts, and that the error has this fault and no canary."""
    shell = pointing(folder, text, variables)
    said = "" if fault is Fault.OTHER else f"{fault.value}: "
    for words in (("get", "dev", "ref"), ("run", "dev", "--", "/bin/sh", "-c", "echo started")):
        result = shell(*words)
        result.failed(7, f"secret 'ref' in 'dev': {text}: {said}")
        assert CANARY not in result.err


def pointing(folder: Path, text: str, variables: Mapping[str, str] | None = None) -> Shell:
    """Alice's shell, with all variables of the caller, and a file whose domain dev has the reference as `ref`."""
    folder.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder))
    (work / ".git").mkdir()
    creds = Creds(ALICE, KEYS[ALICE])
    file = KeyFile.create(work / "protected.yaml").add_raw_key_custodian(creds).add_domain("dev", ALICE, creds=creds)
    file.add_secret("dev", "ref", Reference(text)).write()
    shell = Shell(work, folder)
    own = {ALLOW_LOCAL_VARIABLE: "1", "PPROTECT_STATE_DIR": str(folder / "state")}
    shell.variables = dict(os.environ if variables is None else variables) | own | as_variables()
    return shell
