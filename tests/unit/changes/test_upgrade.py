"""Names that only Pocket Protector allowed: kept by an upgrade, refused by a rotation with what to do."""

from __future__ import annotations

import base64

import pytest
from nacl import bindings
from samples import parse, raw_key, refused

from pocket_protector import Creds, NameFormatError, StoreError
from pocket_protector.crypto.keys import PrivateKey

KEY = PrivateKey(bytes(range(1, 33)))
PASSPHRASE = raw_key(0x11)


def legacy(domain: str = "dev", secret: str = "a", custodian: str = "ann", owners: bool = True) -> str:
    """A file of Pocket Protector's, by hand: one custodian (version 2), one domain, one secret."""
    import hashlib

    salt = b"saltsalt"
    private = hashlib.sha512(PASSPHRASE.encode() + salt + custodian.encode()).digest()[:32]
    public = bindings.crypto_scalarmult_base(private)

    def scalar(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    def quoted(text: str) -> str:
        escape = {"\\": "\\\\", "\u2028": "\\L", "\ufeff": "\\uFEFF"}
        return '"' + "".join(escape.get(character, character) for character in text) + '"'

    grant = scalar(b"\0" + bindings.crypto_box_seal(KEY.raw, public))
    value = scalar(b"\0" + bindings.crypto_box_seal(b"tulip", KEY.public))
    return f"""{quoted(domain)}:
  {quoted("secret-" + secret)}: {value}
  meta:
    public-key: {scalar(bytes([0]) + KEY.public)}
    owners: {{{quoted(custodian) + ": " + grant if owners else ""}}}
key-custodians:
  {quoted(custodian)}:
    pwdkm: {scalar(bytes([2]) + salt + public)}
audit-log:
- 2026-11-22T18:47:23Z -- created key custodian ann
- no time -- at all
"""


STRANGE = {
    "not in NFC": "e\u0301",
    "spaces": " a ",
    "a line end of YAML": "a\u2028b",
    "a mark": "\ufeffa",
    "long": "a" * 300,
}


@pytest.mark.parametrize("name", STRANGE.values(), ids=STRANGE)
def test_strange_names_of_custodians_stay(name: str) -> None:
    old = parse(legacy(custodian=name))
    new = parse(old.upgrade().get_contents())
    creds = Creds(name, PASSPHRASE)
    assert old.decrypt_domain("dev", creds) == new.decrypt_domain("dev", creds) == {"a": "tulip"}
    rotated = parse(new.rotate_domain_key("dev", creds).get_contents())
    assert rotated.decrypt_domain("dev", creds).unbound == ()
    with refused(NameFormatError):
        new.set_key_custodian_passphrase(creds, raw_key(3), raw_key=True)


@pytest.mark.parametrize("name", STRANGE.values(), ids=STRANGE)
def test_strange_names_of_domains_stay_until_a_rotation(name: str) -> None:
    new = parse(parse(legacy(domain=name)).upgrade().get_contents())
    creds = Creds("ann", PASSPHRASE)
    new = parse(new.add_secret(name, "b", "2").get_contents())
    assert new.decrypt_domain(name, creds) == {"a": "tulip", "b": "2"}
    with refused(NameFormatError) as caught:
        new.rotate_domain_key(name, creds)
    assert "pprotect add-domain" in caught.value.hint


@pytest.mark.parametrize("name", ["a^b", "[a", "_", "a`", "a\\b"])
def test_strange_names_of_secrets_stay_until_a_rotation(name: str) -> None:
    new = parse(parse(legacy(secret=name)).upgrade().get_contents())
    creds = Creds("ann", PASSPHRASE)
    assert new.decrypt_domain("dev", creds) == {name: "tulip"}
    for change in (lambda: new.rotate_domain_key("dev", creds), lambda: new.update_secret("dev", name, "x")):
        with refused(NameFormatError) as caught:
            change()
        assert "pprotect rm-secret dev" in caught.value.hint
    moved = parse(new.add_secret("dev", "b", "tulip").rm_secret("dev", name).get_contents())
    assert moved.rotate_domain_key("dev", creds).decrypt_domain("dev", creds) == {"b": "tulip"}


def test_a_domain_that_nobody_owns_is_not_upgraded() -> None:
    with refused(StoreError) as caught:
        parse(legacy(owners=False)).upgrade()
    assert "has no owner" in str(caught.value)


def test_what_has_no_time_in_the_log_gets_the_present() -> None:
    new = parse(legacy()).upgrade()
    note = new.get_audit_log()[-1][:20]
    assert f"updated: {note}" in new.get_contents()
    assert f"'granted': '{note}'" in new.get_contents()
    assert new.get_audit_log()[1] == "no time -- at all"
