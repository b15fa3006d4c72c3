"""SSH keys: what is taken, what is refused, and that ssh-keygen's own keys work."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import refused

from pocket_protector import AccessError, FormatError, PassphraseError, StoreError
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.key_conversion import x25519_of_verify_key
from pocket_protector.crypto.keys import PrivateKey, SigningKey, key_id
from pocket_protector.crypto.sealing import SECRET, open_sealed, seal
from pocket_protector.packages.keys.ssh_key import SshPublicKey, parse_ssh_private_key, parse_ssh_public_key

# Read here: later, tests see no variables of ours.
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"

BEGIN, END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"

# Both made by ssh-keygen 9.2p1; the encrypted one with `-a 1 -N tulip`.
PLAIN_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIClNc+MJO1fgZOX/3qh9IAty3YeOiPRvjv28c7/jSYME bob\n"
PLAIN_FINGERPRINT = "SHA256:sA1oXZMYLBIkbKsCh/hzTjee6wsYxnKYDCv7gFYe4ZM"
PLAIN = f"""\
{BEGIN}
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACApTXPjCTtX4GTl/96ofSALct2Hjoj0b479vHO/40mDBAAAAIhuRih5bkYo
eQAAAAtzc2gtZWQyNTUxOQAAACApTXPjCTtX4GTl/96ofSALct2Hjoj0b479vHO/40mDBA
AAAEC05RQ41ByK2YKf59A225CxYX0abf2Tn7Qz+x5hDu+V+ClNc+MJO1fgZOX/3qh9IAty
3YeOiPRvjv28c7/jSYMEAAAAA2JvYgEC
{END}
"""
LOCKED_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHMz6b4cgKhgMUYe+yLXrryAA9DzIzGnnOHmSm8iIzin ann@example.com"
LOCKED_FINGERPRINT = "SHA256:dWaeV2WCCTib540KyKaKxDVoFSF+nbLkzYcBt3UHLIw"
LOCKED = f"""\
{BEGIN}
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDYRlesMN
eaxFNh8BLUytt/AAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIHMz6b4cgKhgMUYe
+yLXrryAA9DzIzGnnOHmSm8iIzinAAAAoKKNI3Iz5cFuOgpaLWhXFQWZqGxY/LME0EPpkU
Ws7vvil+ZuuauBKndBhsVHQoJQrlM0QGUHq0BMrZDLysfxQYeW6r6yeCZ2NfI6tn1nL5aA
nO7a73Zj0hNH6p7Xc6EL1YTSOz3DapyTQGWIqNPl5/kqDT9rj+22dGYY94m8Br29HA0rUh
T80bgJ5DsVThjLzv/Tzd1mWdSk3rU/CBOhnSI=
{END}
"""
ENCODED = PLAIN_PUBLIC.split(" ")[1]
BLOB = base64.b64decode(ENCODED)
KIND = b"ssh-ed25519"

# A key pair of RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
POINT = SigningKey(SEED).public
SALT = bytes(range(16))
OTHER_SEED = bytes(32)
OTHER_POINT = SigningKey(OTHER_SEED).public


def never() -> str:
    raise AssertionError("no passphrase may be asked for")


def tulip() -> str:
    return "tulip"


def missing(reason: str) -> None:
    pytest.fail(reason) if _REQUIRED else pytest.skip(reason)


@pytest.fixture(scope="module")
def library() -> None:
    """What opens private keys."""
    absent = [name for name in ("cryptography", "bcrypt") if not find_spec(name)]
    if absent:
        missing(f"no {' and no '.join(absent)}: they are of the extra ssh")


@pytest.fixture
def keygen(library: None) -> str:
    program = shutil.which("ssh-keygen")
    if not program:
        missing("no ssh-keygen: the package is openssh-client")
    return str(program)


def run(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def line(blob: bytes, kind: str = "ssh-ed25519") -> str:
    return f"{kind} {base64.b64encode(blob).decode()}"


def wrap(blob: bytes | bytearray) -> bytes:
    return f"{BEGIN}\n{base64.b64encode(blob).decode()}\n{END}\n".encode()


def private_section(
    kind: bytes = KIND,
    point: bytes = POINT,
    pair: bytes = SEED + POINT,
    *,
    checks: bytes = b"\0\0\0\7" * 2,
    comment: bytes = lp(b"ann@example.com"),
    padding: bytes = b"\1\2\3\4\5\6\7",
) -> bytes:
    """What would be encrypted, in whole blocks of 8 bytes."""
    section = checks + lp(kind, point, pair) + comment
    return section + padding[: -len(section) % 8]


def private_file(
    section: bytes = private_section(),
    *,
    cipher: bytes = b"none",
    kdf: bytes = b"none",
    options: bytes = b"",
    count: int = 1,
    public: bytes = lp(KIND, POINT),
    tail: bytes = b"",
) -> bytes:
    """An OpenSSH private key file."""
    header = b"openssh-key-v1\0" + lp(cipher, kdf, options) + count.to_bytes(4, "big")
    return wrap(header + lp(public, section) + tail)


def options(rounds: int, salt: bytes = SALT) -> bytes:
    return lp(salt) + rounds.to_bytes(4, "big")


def locked_file(rounds: int = 1, cipher: bytes = b"aes256-ctr", section: bytes = bytes(160), **other: bytes) -> bytes:
    """One that claims to be encrypted."""
    return private_file(section, cipher=cipher, kdf=b"bcrypt", **({"options": options(rounds)} | other))


def assert_opens(public: SshPublicKey, key: PrivateKey) -> None:
    sealed = seal(public.public_key, SECRET, (b"dev",), b"tulip")
    assert open_sealed(sealed, {key_id(key.public): key}, SECRET, (b"dev",)) == b"tulip"


def assert_leads_nowhere(error: BaseException) -> None:
    """To no foreign exception, whose text or frames could hold a secret."""
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


# Public keys


@pytest.mark.parametrize(
    ("text", "fingerprint", "comment"),
    [
        (PLAIN_PUBLIC, PLAIN_FINGERPRINT, "bob"),
        (LOCKED_PUBLIC, LOCKED_FINGERPRINT, "ann@example.com"),
        (LOCKED_PUBLIC + "\r\n", LOCKED_FINGERPRINT, "ann@example.com"),
        (f"ssh-ed25519 {ENCODED}", PLAIN_FINGERPRINT, ""),
        (f"ssh-ed25519 {ENCODED} \n", PLAIN_FINGERPRINT, ""),
        (f"ssh-ed25519 {ENCODED} of Zoë,  2026 \n", PLAIN_FINGERPRINT, "of Zoë,  2026 "),
    ],
)
def test_a_public_key(text: str, fingerprint: str, comment: str) -> None:
    public = parse_ssh_public_key(text)
    verify_key = base64.b64decode(text.split()[1])[-32:]
    assert public == SshPublicKey(x25519_of_verify_key(verify_key), fingerprint, comment)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"ssh-rsa {ENCODED}", "of kind ssh-rsa"),
        (line(lp(b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 128), "ssh-rsa"), "of kind ssh-rsa"),
        (f"ssh-dss {ENCODED}", "of kind ssh-dss"),
        (f"ecdsa-sha2-nistp256 {ENCODED}", "of kind ecdsa-sha2-nistp256"),
        (f"sk-ssh-ed25519@openssh.com {ENCODED}", "of kind sk-ssh-ed25519@openssh.com"),
        (f"sk-ecdsa-sha2-nistp256@openssh.com {ENCODED}", "of kind sk-ecdsa-sha2-nistp256@openssh.com"),
        (f"ssh-ed25519-cert-v01@openssh.com {ENCODED}", "of kind ssh-ed25519-cert-v01@openssh.com"),
        (f"ssh-ed448 {ENCODED}", "of kind ssh-ed448"),
        (f"SSH-ED25519 {ENCODED}", "does not begin with ssh-ed25519"),
        (f" ssh-ed25519 {ENCODED}", "does not begin with ssh-ed25519"),
        (f"\ufeffssh-ed25519 {ENCODED}", "does not begin with ssh-ed25519"),
        (f"ssh-ed25519\t{ENCODED}", "does not begin with ssh-ed25519"),
        (f"no-pty ssh-ed25519 {ENCODED}", "does not begin with ssh-ed25519"),
        (f'command="x" ssh-ed25519 {ENCODED}', "does not begin with ssh-ed25519"),
        (f"example.com ssh-ed25519 {ENCODED}", "does not begin with ssh-ed25519"),
        (f"# ssh-ed25519 {ENCODED}", "does not begin with ssh-ed25519"),
        (ENCODED, "does not begin with ssh-ed25519"),
        ("sk-proj-unguessable", "does not begin with ssh-ed25519"),
        ("", "does not begin with ssh-ed25519"),
        ("\n", "does not begin with ssh-ed25519"),
        (line(lp(b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 128)), "not of kind ssh-ed25519"),
        (line(lp(b"ssh-ed25519-cert-v01@openssh.com", POINT)), "not of kind ssh-ed25519"),
    ],
    ids=ascii,
)
def test_another_kind_is_refused(text: str, why: str) -> None:
    with refused(FormatError) as caught:
        parse_ssh_public_key(text)
    assert why in str(caught.value)
    assert caught.value.hint == "give an ssh-ed25519 or an age1 key"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PLAIN_PUBLIC + "\n", "one line"),
        (PLAIN_PUBLIC + "\r", "one line"),
        (PLAIN_PUBLIC + LOCKED_PUBLIC, "one line"),
        ("\n" + PLAIN_PUBLIC, "one line"),
        (f"ssh-ed25519\n{ENCODED}", "one line"),
        (f"ssh-ed25519 {ENCODED}\r", "one line"),
        (f"ssh-ed25519 {ENCODED} a\rb", "one line"),
        (f"ssh-ed25519 {ENCODED} a\tb", "not printable"),
        (f"ssh-ed25519 {ENCODED} a\0", "not printable"),
        (f"ssh-ed25519 {ENCODED} \x1b[2J", "not printable"),
        (f"ssh-ed25519 {ENCODED} \x7f", "not printable"),
        (f"ssh-ed25519 {ENCODED} a\x85b", "not printable"),
        (f"ssh-ed25519 {ENCODED} a\u2028b", "not printable"),
        (f"ssh-ed25519 {ENCODED} \u202enna", "not printable"),
        (f"ssh-ed25519 {ENCODED} \udcff", "not printable"),
        (f"ssh-ed25519 {ENCODED} {'a' * 8192}", "at most 8192 characters"),
        (PLAIN, "this is not a valid SSH public key"),
        ("-----BEGIN PRIVATE KEY-----\n", "this is not a valid SSH public key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\n", "does not begin with"),
        ("ssh-ed25519", "not canonical base64"),
        ("ssh-ed25519 ", "not canonical base64"),
        (f"ssh-ed25519  {ENCODED}", "not canonical base64"),
        (f"ssh-ed25519 {ENCODED}\tbob", "not canonical base64"),
        (f"ssh-ed25519 {ENCODED}=", "not canonical base64"),
        (f"ssh-ed25519 {ENCODED[:-1]}", "not canonical base64"),
        (f"ssh-ed25519 {ENCODED[:-1]}-", "not canonical base64"),
        (f"ssh-ed25519 {ENCODED[:-1]}\u212b", "not canonical base64"),
        (f"ssh-ed25519 {ENCODED}===={ENCODED}", "not canonical base64"),
        (line(BLOB[:-1])[:-1] + " bob", "not canonical base64"),
        (line(BLOB + b"\0")[:-3] + "B==", "not canonical base64"),
        (line(BLOB[:-1]), "exactly 32 bytes"),
        (line(BLOB + b"\0"), "exactly 32 bytes"),
        (line(BLOB + lp(b"bob")), "exactly 32 bytes"),
        (line(BLOB * 2), "exactly 32 bytes"),
        (line(lp(KIND)), "exactly 32 bytes"),
        (line(lp(KIND, b"")), "exactly 32 bytes"),
        (line(lp(KIND, POINT[:31])), "exactly 32 bytes"),
        (line(lp(KIND, POINT + b"\0")), "exactly 32 bytes"),
        (line(lp(KIND) + b"\xff\xff\xff\xff" + POINT), "exactly 32 bytes"),
        (line(b"\0"), "not of kind ssh-ed25519"),
        (line(POINT), "not of kind ssh-ed25519"),
        (line(b"\xff\xff\xff\xff" + KIND + lp(POINT)), "not of kind ssh-ed25519"),
        (line(lp(KIND, bytes(32))), "not a canonical point"),
        (line(lp(KIND, b"\1" + bytes(31))), "not a canonical point"),
        (line(lp(KIND, b"\xff" * 32)), "not a canonical point"),
        (line(lp(KIND, b"\2" + bytes(31))), "not a canonical point"),
    ],
    ids=lambda value: ascii(value[-60:]),
)
def test_a_malformed_public_key_is_refused(text: str, why: str) -> None:
    with refused(FormatError) as caught:
        parse_ssh_public_key(text)
    assert why in str(caught.value)


@given(st.integers(0, len(BLOB) - 33), st.integers(1, 255))
def test_every_byte_before_the_key_is_checked(at: int, change: int) -> None:
    with refused(FormatError):
        parse_ssh_public_key(line(BLOB[:at] + bytes([BLOB[at] ^ change]) + BLOB[at + 1 :]))


@given(st.text(max_size=100))
def test_any_text_is_refused(text: str) -> None:
    for start in ("", "ssh-ed25519 "):
        with refused(FormatError):
            parse_ssh_public_key(start + text)


# Private keys


def test_a_private_key(library: None) -> None:
    assert_opens(parse_ssh_public_key(PLAIN_PUBLIC), parse_ssh_private_key(PLAIN.encode(), never))


def test_an_encrypted_private_key(library: None) -> None:
    asked = []

    def ask() -> str:
        asked.append(1)
        return "tulip"

    assert_opens(parse_ssh_public_key(LOCKED_PUBLIC), parse_ssh_private_key(LOCKED.encode(), ask))
    assert asked == [1]


def test_line_ends_of_a_private_key(library: None) -> None:
    key = parse_ssh_private_key(PLAIN.encode(), never)
    for text in (PLAIN.rstrip("\n"), PLAIN + "\n\n", PLAIN.replace("\n", "\r\n"), PLAIN.replace("\n", "\n\n")):
        assert parse_ssh_private_key(text.encode(), never).raw == key.raw


def test_what_a_test_writes_is_a_private_key(library: None) -> None:
    assert parse_ssh_private_key(private_file(), never).public == x25519_of_verify_key(POINT)


@pytest.mark.parametrize("passphrase", ["Tulip", "tulip ", "tulip\n", "", "t\u00fclip", "unguessable" * 100])
def test_a_wrong_passphrase_is_refused(library: None, passphrase: str) -> None:
    with refused(AccessError) as caught:
        parse_ssh_private_key(LOCKED.encode(), lambda: passphrase)
    assert "the passphrase is wrong, or the file is damaged" in str(caught.value)
    assert_leads_nowhere(caught.value)


def test_a_passphrase_that_is_no_text_is_refused(library: None) -> None:
    with refused(PassphraseError) as caught:
        parse_ssh_private_key(LOCKED.encode(), lambda: "tulip\udcff")
    assert "not valid UTF-8" in str(caught.value)
    assert_leads_nowhere(caught.value)


def test_what_asking_raises_is_passed_on(library: None) -> None:
    def interrupted() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parse_ssh_private_key(LOCKED.encode(), interrupted)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (locked_file(1025), "does not have 1 to 1024 rounds of bcrypt"),
        (locked_file(2**32 - 1), "does not have 1 to 1024 rounds of bcrypt"),
        (locked_file(0), "does not have 1 to 1024 rounds of bcrypt"),
        (locked_file(options=b""), "damaged"),
        (locked_file(options=options(16) + b"\0"), "damaged"),
        (locked_file(options=options(16)[:-1]), "damaged"),
        (locked_file(options=options(16, b"")), "damaged"),
        (locked_file(options=options(16, SALT + b"\0")), "damaged"),
        (locked_file(options=b"\xff\xff\xff\xff" + options(16)), "damaged"),
        (locked_file(cipher=b"none"), "unsupported cipher"),
        (locked_file(cipher=b"aes128-ctr"), "unsupported cipher"),
        (locked_file(cipher=b"chacha20-poly1305@openssh.com"), "unsupported cipher"),
        (locked_file(cipher=b""), "unsupported cipher"),
        (private_file(cipher=b"aes256-ctr"), "unsupported cipher"),
        (private_file(cipher=b"aes256-ctr", kdf=b"scrypt", options=options(16)), "unsupported cipher"),
        (private_file(kdf=b"bcrypt", options=options(16)), "unsupported cipher"),
        (private_file(options=options(16)), "unsupported cipher"),
        (locked_file(section=b""), "damaged"),
        (locked_file(section=bytes(159)), "damaged"),
        (locked_file(tail=bytes(16)), "damaged"),
        (locked_file(cipher=b"aes256-gcm@openssh.com"), "damaged"),
        (locked_file(cipher=b"aes256-gcm@openssh.com", tail=bytes(15)), "damaged"),
        (locked_file(public=lp(b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 128)), "not of kind ssh-ed25519"),
        (locked_file(public=lp(b"sk-ssh-ed25519@openssh.com", POINT, b"ssh:")), "not of kind ssh-ed25519"),
        (locked_file(public=lp(KIND, POINT) + b"\0"), "exactly 32 bytes"),
        (locked_file(public=b""), "not of kind ssh-ed25519"),
    ],
)
def test_the_header_is_refused_before_the_passphrase_is_asked(raw: bytes, why: str) -> None:
    """Needs nothing that is not installed, and derives nothing."""
    with refused(FormatError) as caught:
        parse_ssh_private_key(raw, never)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "OpenSSH's own format"),
        (b"\n" + PLAIN.encode(), "OpenSSH's own format"),
        (b"\xef\xbb\xbf" + PLAIN.encode(), "OpenSSH's own format"),
        (PLAIN_PUBLIC.encode(), "OpenSSH's own format"),
        (b"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", "OpenSSH's own format"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "OpenSSH's own format"),
        (bytes(range(256)), "OpenSSH's own format"),
        (b"#" * 65537, "at most 65536 bytes"),
        (PLAIN.encode() + b"\n" * 65536, "at most 65536 bytes"),
        (BEGIN.encode(), "damaged"),
        (f"{BEGIN}\n{END}".encode(), "not canonical base64"),
        (PLAIN.replace(END, "").encode(), "damaged"),
        (PLAIN.encode() + b"x", "damaged"),
        (PLAIN.encode() + PLAIN.encode(), "not canonical base64"),
        (PLAIN.replace("b3B", " b3B").encode(), "not canonical base64"),
        (PLAIN.replace("b3B", "b3\xff").encode(), "not canonical base64"),
        (PLAIN.replace("gEC\n", "gF=\n").encode(), "not canonical base64"),
        (PLAIN.replace("gEC\n", "g==\n").encode(), "damaged"),
        (PLAIN.replace("gEC\n", "h==\n").encode(), "not canonical base64"),
        (PLAIN.replace("b3Bl", "b3Bm").encode(), "damaged"),
        (wrap(b"openssh-key-v2\0" + lp(b"none", b"none", b"")), "damaged"),
        (wrap(b"openssh-key-v1\0"), "damaged"),
        (wrap(b"openssh-key-v1\0" + b"\xff" * 40), "damaged"),
        (private_file(count=0), "exactly one SSH key"),
        (private_file(count=2), "exactly one SSH key"),
        (private_file(b""), "damaged"),
        (private_file(private_section() + b"\1"), "damaged"),
        (private_file(private_section()[:-1]), "damaged"),
        (private_file(tail=b"\0"), "damaged"),
        (private_file(tail=bytes(16)), "damaged"),
        (private_file(public=lp(KIND, POINT, b"")), "exactly 32 bytes"),
        (private_file(public=lp(b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 128)), "not of kind ssh-ed25519"),
    ],
    ids=lambda value: ascii(value[-40:]),
)
def test_a_malformed_file_is_refused(raw: bytes, why: str) -> None:
    with refused(FormatError) as caught:
        parse_ssh_private_key(raw, never)
    assert why in str(caught.value)
    assert_leads_nowhere(caught.value)


DAMAGED = {
    "checks differ": private_section(checks=b"\0\0\0\7\0\0\0\x08"),
    "another kind": private_section(b"ssh-ed448"),
    "another public key": private_section(point=OTHER_POINT),
    "another public half": private_section(pair=SEED + OTHER_POINT),
    "another seed": private_section(pair=OTHER_SEED + POINT),
    "another pair": private_section(point=OTHER_POINT, pair=OTHER_SEED + OTHER_POINT),
    "a short seed": private_section(pair=SEED[:31] + POINT),
    "a long seed": private_section(pair=SEED + b"\0" + POINT),
    "no public half": private_section(pair=SEED),
    "no private key": private_section(pair=b""),
    "no comment": private_section(comment=b""),
    "a comment beyond the end": private_section(comment=b"\0\0\0\x20ann"),
    "padding of zeros": private_section(padding=bytes(7)),
    "padding in another order": private_section(padding=b"\2\1\3\4\5\6\7"),
    "another key behind": private_section(comment=lp(b"", KIND, POINT, SEED + POINT, b"")),
    "zeros": bytes(160),
}


@pytest.mark.parametrize("section", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_private_section_is_refused(library: None, section: bytes) -> None:
    with refused(FormatError) as caught:
        parse_ssh_private_key(private_file(section), never)
    assert "the SSH private key is damaged" in str(caught.value)
    assert_leads_nowhere(caught.value)


@pytest.mark.parametrize("at", [0, 4, 8, 12, 23, 62, 95, 159])
def test_a_damaged_encrypted_section_is_refused(library: None, at: int) -> None:
    """In the checks, a length, the kind, the public key, its second copy, and the padding."""
    raw = bytearray(base64.b64decode("".join(LOCKED.splitlines()[1:-1])))
    raw[at - 160] ^= 1
    with refused(AccessError) as caught:
        parse_ssh_private_key(wrap(raw), tulip)
    assert "the passphrase is wrong, or the file is damaged" in str(caught.value)
    assert_leads_nowhere(caught.value)


@pytest.mark.parametrize("at", [63, 94])
def test_a_damaged_seed_is_refused(library: None, at: int) -> None:
    """All else of the section fits, so that the passphrase was right."""
    raw = bytearray(base64.b64decode("".join(LOCKED.splitlines()[1:-1])))
    raw[at - 160] ^= 1
    with refused(FormatError) as caught:
        parse_ssh_private_key(wrap(raw), tulip)
    assert "the SSH private key is damaged" in str(caught.value)


def test_another_public_key_before_the_encrypted_section_is_refused(library: None) -> None:
    raw = base64.b64decode("".join(LOCKED.splitlines()[1:-1]))
    with refused(AccessError):
        parse_ssh_private_key(wrap(raw.replace(base64.b64decode(LOCKED_PUBLIC.split()[1])[-32:], POINT)), tulip)


@given(st.data())
def test_a_changed_byte_is_refused(library: None, data: st.DataObject) -> None:
    """Or it is one of the comment's, of which nothing is taken: the three before the two of the padding."""
    raw = bytearray(base64.b64decode("".join(PLAIN.splitlines()[1:-1])))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    if len(raw) - 5 <= at < len(raw) - 2:
        assert_opens(parse_ssh_public_key(PLAIN_PUBLIC), parse_ssh_private_key(wrap(raw), never))
        return
    with refused(FormatError) as caught:
        parse_ssh_private_key(wrap(raw), never)
    assert_leads_nowhere(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    for start in (b"openssh-key-v1\0", b"openssh-key-v1\0" + lp(b"aes256-ctr", b"bcrypt", options(16))):
        for hostile in (raw, wrap(start + raw)):
            with refused(FormatError):
                parse_ssh_private_key(hostile, never)


@pytest.mark.parametrize(
    ("absent", "text"),
    [("cryptography.hazmat.primitives.serialization", PLAIN), ("cryptography.exceptions", LOCKED), ("bcrypt", LOCKED)],
)
def test_the_extra_is_named_if_it_is_not_installed(monkeypatch: pytest.MonkeyPatch, absent: str, text: str) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with refused(StoreError) as caught:
        parse_ssh_private_key(text.encode(), never)
    assert "not installed" in str(caught.value)
    assert caught.value.hint == "pip install 'pprotect[ssh]'"
    assert_leads_nowhere(caught.value)


def test_a_sender_needs_no_extra() -> None:
    code = f"""
import sys
for name in ("cryptography", "bcrypt"):
    sys.modules[name] = None
from pocket_protector.packages.keys.ssh_key import parse_ssh_public_key
print(parse_ssh_public_key({PLAIN_PUBLIC!r}).fingerprint)
"""
    assert run(sys.executable, "-c", code).strip() == PLAIN_FINGERPRINT


# ssh-keygen


def generate(keygen: str, folder: Path, *words: str, passphrase: str = "") -> Path:
    key = folder / "key"
    run(keygen, "-q", "-N", passphrase, "-f", key, *words)
    return key


@pytest.mark.parametrize("comment", ["", "ann@example.com", "of Zoë, 2026"])
def test_a_key_of_ssh_keygen(keygen: str, tmp_path: Path, comment: str) -> None:
    path = generate(keygen, tmp_path, "-t", "ed25519", "-C", comment)
    public = parse_ssh_public_key(path.with_suffix(".pub").read_text("utf-8"))
    assert public.comment == comment
    assert public.fingerprint == run(keygen, "-lf", path.with_suffix(".pub")).split()[1]
    assert_opens(public, parse_ssh_private_key(path.read_bytes(), never))


@pytest.mark.parametrize("cipher", ["aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com"])
def test_an_encrypted_key_of_ssh_keygen(keygen: str, tmp_path: Path, cipher: str) -> None:
    path = generate(keygen, tmp_path, "-t", "ed25519", "-a", "2", "-Z", cipher, passphrase="tulip ünguessable")
    public = parse_ssh_public_key(path.with_suffix(".pub").read_text("utf-8"))
    assert public.fingerprint == run(keygen, "-lf", path).split()[1]
    assert_opens(public, parse_ssh_private_key(path.read_bytes(), lambda: "tulip ünguessable"))
    with refused(AccessError) as caught:
        parse_ssh_private_key(path.read_bytes(), tulip)
    assert "the passphrase is wrong" in str(caught.value)
    assert_leads_nowhere(caught.value)


def test_the_rounds_that_ssh_keygen_takes_by_itself(keygen: str, tmp_path: Path) -> None:
    path = generate(keygen, tmp_path, "-t", "ed25519", passphrase="tulip")
    public = parse_ssh_public_key(path.with_suffix(".pub").read_text("utf-8"))
    assert_opens(public, parse_ssh_private_key(path.read_bytes(), tulip))


@pytest.mark.parametrize("cipher", ["aes128-ctr", "chacha20-poly1305@openssh.com"])
def test_another_cipher_of_ssh_keygen_is_refused(keygen: str, tmp_path: Path, cipher: str) -> None:
    path = generate(keygen, tmp_path, "-t", "ed25519", "-a", "1", "-Z", cipher, passphrase="tulip")
    with refused(FormatError) as caught:
        parse_ssh_private_key(path.read_bytes(), never)
    assert "unsupported cipher" in str(caught.value)


@pytest.mark.parametrize(
    "words", [("-t", "ecdsa"), ("-t", "rsa", "-b", "2048"), ("-t", "rsa", "-b", "2048", "-m", "PEM")]
)
def test_another_kind_of_ssh_keygen_is_refused(keygen: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    path = generate(keygen, tmp_path, *words)
    with refused(FormatError) as caught:
        parse_ssh_public_key(path.with_suffix(".pub").read_text("utf-8"))
    assert "give an ssh-ed25519 or an age1 key" in caught.value.hint
    with refused(FormatError) as caught:
        parse_ssh_private_key(path.read_bytes(), never)
    assert "ssh-ed25519" in str(caught.value) or "OpenSSH's own format" in str(caught.value)


def test_a_certificate_of_ssh_keygen_is_refused(keygen: str, tmp_path: Path) -> None:
    path = generate(keygen, tmp_path, "-t", "ed25519")
    run(keygen, "-q", "-s", path, "-I", "ann", "-n", "ann", path.with_suffix(".pub"))
    with refused(FormatError) as caught:
        parse_ssh_public_key((tmp_path / "key-cert.pub").read_text("utf-8"))
    assert "ssh-ed25519-cert-v01@openssh.com" in str(caught.value)
