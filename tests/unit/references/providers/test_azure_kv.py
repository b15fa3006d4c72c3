"""`azure-kv://`: what is a reference to a secret in Azure Key Vault, before anybody is asked."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.references.providers.azure.azure_kv import AzureKeyVault

VERSION = "0123456789abcdef0123456789ABCDEF"

GOOD = (
    "azure-kv://my-keyvault/db-password",
    f"azure-kv://my-keyvault/db-password/{VERSION}",
    "azure-kv://abc/1#db.password",
    "azure-kv://A23456789-123456789-1234/" + "n" * 127,
    # Percent-encoding says nothing new.
    "azure-kv://my%2Dkeyvault/db%2Dpassword",
)

BAD = {
    "no secret": "azure-kv://my-keyvault",
    "an empty secret": "azure-kv://my-keyvault/",
    "an empty version": "azure-kv://my-keyvault/db/",
    "no vault": "azure-kv:///db",
    "one part too many": f"azure-kv://my-keyvault/db/{VERSION}/more",
    "a short vault": "azure-kv://ab/db",
    "a long vault": f"azure-kv://{'a' * 25}/db",
    "a vault with a digit first": "azure-kv://1vault/db",
    "a vault with a hyphen last": "azure-kv://vault-/db",
    "a vault with two hyphens": "azure-kv://my--vault/db",
    "a host": "azure-kv://evil.example/db",
    "a host, encoded": "azure-kv://evil%2Eexample/db",
    "a port": "azure-kv://vault:8443/db",
    "a user": "azure-kv://user@vault/db",
    "another host for the user": "azure-kv://vault@evil/db",
    "a slash in the vault": "azure-kv://evil%2Fvault/db",
    "a backslash in the vault": "azure-kv://evil%5Cvault/db",
    "a question mark in the vault": "azure-kv://evil%3Fvault/db",
    "letters of another alphabet": "azure-kv://v\u0430ult/db",
    "an underscore": "azure-kv://my-keyvault/db_password",
    "the folder itself": "azure-kv://my-keyvault/.",
    "the folder above": "azure-kv://my-keyvault/..",
    "the folder above, encoded": "azure-kv://my-keyvault/%2E%2E",
    "the folder above for a version": "azure-kv://my-keyvault/db/..",
    "a slash in the secret": "azure-kv://my-keyvault/db%2F..%2F..%2Fkeys",
    "a line end": "azure-kv://my-keyvault/db%0A",
    "a line end in the vault": "azure-kv://my-keyvault%0A/db",
    "a query in the secret": "azure-kv://my-keyvault/db%3Fapi-version=2",
    "a fragment in the secret": "azure-kv://my-keyvault/db%23x",
    "a long secret": "azure-kv://my-keyvault/" + "n" * 128,
    "a short version": "azure-kv://my-keyvault/db/0123",
    "a version that is a word": "azure-kv://my-keyvault/db/latest",
    "a query": "azure-kv://my-keyvault/db?version=1",
    "another query": "azure-kv://my-keyvault/db?api-version=7.0",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_good_reference_passes(text: str) -> None:
    AzureKeyVault().check(Reference(text))


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_reference_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        AzureKeyVault().check(Reference(text))


def test_a_reference_that_is_refused_says_how_it_looks() -> None:
    with pytest.raises(FormatError, match="the name of a vault must have 3 to 24") as caught:
        AzureKeyVault().check(Reference("azure-kv://evil.example/db"))
    assert caught.value.hint == "use the form azure-kv://VAULT/SECRET[/VERSION][#JSON.KEY]"


def test_a_bad_reference_is_not_fetched_either() -> None:
    with pytest.raises(FormatError, match="a version must have 32"):
        AzureKeyVault().fetch(Reference("azure-kv://my-keyvault/db/.."), time.monotonic() + 15)


@pytest.mark.parametrize(
    "authority", ["login.evil.example", "https://login.microsoftonline.com@evil.example", "https://"]
)
def test_an_unknown_cloud_has_no_vaults(authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", authority)
    with pytest.raises(ProviderError, match="AZURE_AUTHORITY_HOST does not name a known cloud") as caught:
        AzureKeyVault().fetch(Reference("azure-kv://my-keyvault/db"), time.monotonic() + 15)
    assert caught.value.fault is Fault.OTHER
    assert "login.microsoftonline.us" in caught.value.hint


WITHOUT_THE_SDK = """
import sys, time
sys.modules["azure"] = None
from pocket_protector.errors import ProviderError
from pocket_protector.document.reference import Reference
from pocket_protector.references.providers.azure.azure_kv import AzureKeyVault
source, reference = AzureKeyVault(), Reference("azure-kv://my-keyvault/db#a")
source.check(reference)
print(source.select(b'{"a": "b"}', reference.fragment))
assert not {"requests", "msal"} & set(sys.modules)
try:
    source.fetch(reference, time.monotonic() + 15)
except ProviderError as error:
    print(error.fault.name, error.message, error.hint, sep="; ")
"""


def test_the_sdk_is_needed_to_fetch_only() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_THE_SDK], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "b'b'",
        "OTHER; references to Azure Key Vault need an extra of pprotect that is not installed; "
        "pip install 'pprotect[azure]'",
    ]
