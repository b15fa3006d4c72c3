"""Build a Vault server for the tests: install_vault_server.py FOLDER puts `vault-server` there, if it is not there yet.

It is `vault_server/main.go` around the packages of Vault 1.14.1, of the last line of Vault under the MPL, from which
OpenBao was forked. Needs Go, and its module proxy unless Go's caches have it all; takes two to four minutes on two
cores. Without Go nothing is built, and the tests that need the server are skipped; with PPROTECT_TEST_REQUIRE_ALL=1
that is an error.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "vault-server"

_SOURCES = [Path(__file__).parent / "vault_server" / name for name in ("main.go", "go.mod", "go.sum")]

# What Vault imports and no test of ours calls: clouds that keep its unseal key or tell of its peers. These modules are
# replaced by empty ones, without which the build would take twice as long.
_KMS = """package {name}

import wrapping "github.com/hashicorp/go-kms-wrapping/v2"

type Wrapper struct {{ wrapping.Wrapper }}

func NewWrapper() *Wrapper {{ return nil }}

func WithLogger(any) wrapping.Option {{ return nil }}

const KmsConfigKeyId, KmsConfigCryptoEndpoint, KmsConfigManagementEndpoint = "", "", ""
"""
_DISCOVER = """package discover

import "log"

type (
	Provider interface{}
	Option   func()
	Discover struct{}
)

var Providers map[string]Provider

func New(...Option) (*Discover, error) { return &Discover{}, nil }

func WithProviders(map[string]Provider) Option { return nil }

func (*Discover) Addrs(string, *log.Logger) ([]string, error) { return nil, nil }
"""
_K8S = """package k8s

type Provider struct{}
"""


def main() -> int:
    folder = Path(sys.argv[1])
    program, stamp = folder / NAME, folder / f"{NAME}.built-from"
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in (*_SOURCES, Path(__file__)))).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == wanted:
        print(f"{program} is there")
        return 0
    go = shutil.which("go")
    if not go:
        print(f"no Go, and so no {NAME}: the tests against a Vault server cannot run")
        return 1 if os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1" else 0
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        made = build(go, Path(name))
        if not made:
            return 1
        # A copy beside it first: whoever looks meanwhile sees no half of a program.
        shutil.copy(made, program.with_suffix(".new"))
        program.with_suffix(".new").replace(program)
    stamp.write_text(wanted)
    print(f"{program} is built")
    return 0


def build(go: str, folder: Path) -> Path | None:
    """The program, built in an empty folder; None, and what Go says on stderr, if it cannot be."""
    for source in _SOURCES:
        shutil.copy(source, folder)
    leave_out(folder / "left_out")
    done = subprocess.run(
        [go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", NAME, "."],
        cwd=folder,
        env=os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"},
        check=False,
    )
    return folder / NAME if done.returncode == 0 else None


def leave_out(folder: Path) -> None:
    """Write the empty modules that `go.mod` replaces others by."""
    for name in ("alicloudkms", "awskms", "azurekeyvault", "gcpckms", "ocikms"):
        needs = "require github.com/hashicorp/go-kms-wrapping/v2 v2.0.10"
        write(folder / name, f"github.com/hashicorp/go-kms-wrapping/wrappers/{name}/v2", _KMS.format(name=name), needs)
    write(folder / "discover", "github.com/hashicorp/go-discover", _DISCOVER)
    nested = folder / "discover" / "provider" / "k8s"
    nested.mkdir(parents=True)
    (nested / "left_out.go").write_text(_K8S)


def write(folder: Path, module: str, text: str, needs: str = "") -> None:
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(f"module {module}\n\ngo 1.20\n\n{needs}\n")
    (folder / "left_out.go").write_text(text)


if __name__ == "__main__":
    raise SystemExit(main())
