"""References to Google Cloud Secret Manager: which are of the form, before anything is asked."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.references.providers import gcp_sm
from pocket_protector.references.providers.gcp_sm import GcpSecretManager


@pytest.mark.parametrize(
    "text",
    [
        "gcp-sm://my-project/name",
        "gcp-sm://my-project/Name_1-x",
        "gcp-sm://my-project/name/7",
        "gcp-sm://my-project/name/latest",
        "gcp-sm://my-project/name/alias_1",
        "gcp-sm://123456789012/name",
        "gcp-sm://example.com:my-project/name",
        "gcp-sm://my-project/" + "a" * 255,
        "gcp-sm://my-project/name#db.password",
    ],
)
def test_good(text: str) -> None:
    GcpSecretManager().check(Reference(text))


@pytest.mark.parametrize(
    "text",
    [
        "gcp-sm://name",
        "gcp-sm:///name",
        "gcp-sm://my-project/",
        "gcp-sm://my-project/name/",
        "gcp-sm://my-project//name",
        "gcp-sm://my-project/name/1/2",
        "gcp-sm://my-project/name/versions/1",
        "gcp-sm://projects/my-project/secrets/name",
        "gcp-sm://my-project/../name",
        "gcp-sm://my-project/./name",
        "gcp-sm://my-project/name%2Fversions%2F1",
        "gcp-sm://my-project%2Fsecrets/name",
        "gcp-sm://my-project/na.me",
        "gcp-sm://my-project/n%C3%A4me",
        "gcp-sm://my-project/" + "a" * 256,
        "gcp-sm://my-project/name/0",
        "gcp-sm://my-project/name/01",
        "gcp-sm://my-project/name/-1",
        "gcp-sm://my-project/name/*",
        "gcp-sm://my-project/name/a" + "b" * 63,
        "gcp-sm://My-Project/name",
        "gcp-sm://short/name",
        "gcp-sm://my-project-/name",
        "gcp-sm://-/name",
        "gcp-sm://user@my-project/name",
        "gcp-sm://my-project:443/name",
        "gcp-sm://my-project/name?version=1",
    ],
)
def test_bad(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        GcpSecretManager().check(Reference(text))
    assert GcpSecretManager.form in caught.value.hint


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)
    monkeypatch.setitem(sys.modules, "google.cloud.secretmanager_v1", None)
    with pytest.raises(ProviderError, match="need an extra") as caught:
        GcpSecretManager().fetch(Reference("gcp-sm://my-project/name"), time.monotonic() + 5)
    assert caught.value.fault is Fault.OTHER
    assert caught.value.hint == "pip install 'pprotect[gcp]'"


def test_checking_imports_no_sdk() -> None:
    code = (
        "import sys; from pocket_protector.document.reference import Reference;"
        "from pocket_protector.references.providers.gcp_sm import GcpSecretManager;"
        "GcpSecretManager().check(Reference('gcp-sm://my-project/name'));"
        "print([name for name in ('grpc', 'google.auth', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("data", "checksum"),
    # RFC 3720, appendix B.4, and the check value that catalogues of CRCs give.
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_checksums(data: bytes, checksum: int) -> None:
    assert gcp_sm._crc32c(data) == checksum


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, []),
        ({"HTTPS_PROXY": "http://proxy:1"}, [("grpc.http_proxy", "http://proxy:1")]),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.com,.googleapis.com"}, []),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.com"}, [("grpc.http_proxy", "http://proxy:1")]),
        ({"HTTP_PROXY": "http://proxy:1"}, []),
        ({"HTTPS_PROXY": "http://proxy:1", "https_proxy": "http://proxy:2"}, []),
        ({"HTTPS_PROXY": "http://proxy:1", "grpc_proxy": "http://proxy:2"}, []),
    ],
)
def test_the_proxy_that_grpc_does_not_find_by_itself(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], proxy: list[tuple[str, str]]
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "GRPC_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert gcp_sm._proxy("secretmanager.googleapis.com:443") == proxy
