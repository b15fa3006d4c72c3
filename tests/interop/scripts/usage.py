"""Pocket Protector's Python interface, every method of it: the same script runs with 26.4.3 and with ours.

The file's path is the argument. Prints what can be compared, as JSON.
"""

import json
import os
import sys
from pathlib import Path

from pocket_protector import KDF_INTERACTIVE, KDF_SENSITIVE, Creds, KeyFile, PPError

path = sys.argv[1]
seen = {}

alice, bob, ci = (
    Creds("alice", "alices passphrase"),
    Creds("bob", "bobs passphrase"),
    Creds("ci", "P" + "3c" * 32 + "P"),
)
new_alice, new_ci = Creds("alice", "another"), Creds("ci", "P" + "4d" * 32 + "P")

kf = KeyFile.create(path)
kf = kf.add_key_custodian(alice, *KDF_INTERACTIVE)
kf = kf.add_key_custodian(bob, opslimit=1, memlimit=8192)
kf = kf.add_raw_key_custodian(ci)
kf = kf.add_domain("dev", alice.name)
kf = kf.add_domain("prod", "alice").add_domain("old", "bob")
kf = kf.add_owner("dev", "bob", alice)
kf = kf.add_secret("dev", "a", "1").add_secret("dev", "b", "2").set_secret("dev", "c", "3").set_secret("prod", "a", "4")
kf.write()
seen["loaded is built"] = KeyFile.from_file(path) == kf
seen["parsed is built"] = KeyFile.from_contents_and_path(Path(path).read_text(encoding="utf-8"), path) == kf
seen["contents are the file"] = kf.get_contents() == Path(path).read_text(encoding="utf-8")
seen["other path"] = KeyFile.from_contents_and_path(kf.get_contents(), path + ".other") == kf

kf = KeyFile.from_file(path)
kf2 = kf.update_secret("dev", "a", "one")
kf2.write()
kf3 = kf2.rm_secret("dev", "b")
kf3.write()
seen["immutable"] = kf.decrypt_domain("dev", alice)
seen["written twice"] = KeyFile.from_file(path).decrypt_domain("dev", alice)

kf = KeyFile.from_file(path)
kf = kf.migrate_owner("ci", alice)
kf = kf.migrate_owner("bob", alice, ["prod"])
kf = kf.rm_owner("dev", "bob").rotate_domain_key("dev", alice).rm_domain("old")
kf = kf.set_key_custodian_passphrase(alice, new_alice.passphrase, *KDF_INTERACTIVE)
kf = kf.rekey_custodian(ci, new_ci, raw_key=True)
kf = kf.rekey_custodian(bob, Creds("bob", "bobs second"), opslimit=KDF_SENSITIVE[0], memlimit=KDF_INTERACTIVE[1])
kf.write()
kf = KeyFile.from_file(path)

seen["domains"] = kf.get_domain_names()
seen["secrets"] = {name: kf.get_domain_secret_names(name) for name in kf.get_domain_names()}
seen["all secrets"] = {name: sorted(domains) for name, domains in kf.get_all_secret_names().items()}
seen["owned"] = {name: sorted(kf.get_custodian_domains(name)) for name in ("alice", "bob", "ci", "nobody")}
seen["creds"] = [kf.check_creds(c) for c in (alice, new_alice, bob, ci, new_ci, Creds("nobody", "x"), Creds("", ""))]
os.environ.update(PPROTECT_USER="ci", PPROTECT_PASSPHRASE=new_ci.passphrase)
secrets = kf.decrypt_domain("prod", Creds.from_env())
seen["a plain dict"] = secrets == {"a": "4"} and isinstance(secrets, dict)
seen["prod"] = secrets
os.environ.update(MY_USER="alice", MY_PASSPHRASE=new_alice.passphrase)
seen["prefix"] = kf.decrypt_domain("dev", Creds.from_env("MY"))
os.environ["PPROTECT_ENV_PREFIX"] = "NONE"
nobody = Creds.from_env()
seen["empty"] = [nobody.name, nobody.passphrase, nobody.name_source, nobody.passphrase_source]


def failing(what, call):
    try:
        call()
    except PPError as error:
        seen[what] = "PPKeyError" if isinstance(error, KeyError) else "PPError"
    except ValueError:
        seen[what] = "ValueError"


failing("no domain", lambda: kf.decrypt_domain("nope", new_alice))
failing("no domain to add to", lambda: kf.add_secret("nope", "a", "1"))
failing("no secret to update", lambda: kf.update_secret("dev", "nope", "1"))
failing("no secret in it", lambda: secrets["nope"])
failing("secret exists", lambda: kf.add_secret("dev", "a", "1"))
failing("domain exists", lambda: kf.add_domain("dev", "alice"))
failing("custodian exists", lambda: kf.add_key_custodian(alice))
failing("no custodian", lambda: kf.add_domain("new", "nope"))
failing("not an owner", lambda: kf.decrypt_domain("dev", Creds("bob", "bobs second")))
failing("last owner", lambda: kf.rm_owner("dev", "ci").rm_owner("dev", "alice"))
failing("no such owner", lambda: kf.rm_owner("dev", "bob"))
failing("not raw", lambda: kf.add_raw_key_custodian(Creds("x", "not raw")))
failing("other name", lambda: kf.rekey_custodian(new_alice, Creds("other", "x")))

kf.rm_key_custodian("bob").write()
kf = KeyFile.from_file(path)
seen["without bob"] = kf.check_creds(Creds("bob", "bobs second"))
log = kf.get_audit_log()
seen["log"] = [isinstance(entry, str) and " -- " in entry for entry in log] and len(log) > 20
kf.truncate_audit_log(3).write()
seen["short log"] = len(KeyFile.from_file(path).get_audit_log())

json.dump(seen, sys.stdout, indent=1, sort_keys=True)
