"""Random sequences of every operation, beside plain dicts."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from samples import raw_key, refused

from pocket_protector import AccessError, Creds, KeyFile, PPKeyError, StoreError
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity

PEOPLE = ["ann", "ben", "cho é", "1"]
DOMAINS = ["dev", "prod", "a: b #c", "null"]
NAMES = ["a", "db-password", "EMPTY", "z_9"]
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
REFERENCES = st.from_regex(r"aws-sm://eu-west-1/[A-Za-z0-9_+=.@!-]{1,20}(#[a-z]{1,5})?", fullmatch=True).map(Reference)
LEVELS = st.sampled_from([*Sensitivity])


class AgainstDicts(RuleBasedStateMachine):
    """`secrets`, `levels` and `owners` by domain, and the people's present passphrases, are what the file must hold. Of
    a reference that is its text."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "protected.yaml"
        self.file = KeyFile.create(self.path)
        self.people: dict[str, Creds] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.owners: dict[str, set[str]] = {}
        self.levels: dict[str, dict[str, Sensitivity]] = {}
        self.log = 0
        self.number = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    def creds(self, name: str) -> Creds:
        self.number += 1
        return Creds(name, raw_key(self.number % 256))

    def owner(self, domain: str) -> Creds:
        return self.people[sorted(self.owners[domain])[0]]

    @initialize()
    def first(self) -> None:
        self.people["ann"] = self.creds("ann")
        self.file = self.file.add_raw_key_custodian(self.people["ann"])

    @rule(name=st.sampled_from(PEOPLE))
    def add_custodian(self, name: str) -> None:
        creds = self.creds(name)
        if name in self.people:
            with refused(StoreError):
                self.file.add_raw_key_custodian(creds)
        else:
            self.file = self.file.add_raw_key_custodian(creds)
            self.people[name] = creds

    def counts_in_signed(self, domain: str, name: str) -> bool:
        """Whether the custodian leaves the domain only by a rotation."""
        return self.file.is_signed(domain) and self.file.authority(domain).owners.counts(name)

    @rule(name=st.sampled_from(PEOPLE))
    def rm_custodian(self, name: str) -> None:
        if name not in self.people:
            with refused(PPKeyError):
                self.file.rm_key_custodian(name)
        elif any(owners == {name} for owners in self.owners.values()) or len(self.people) == 1:
            if any(owners == {name} for owners in self.owners.values()):
                with refused(StoreError):
                    self.file.rm_key_custodian(name)
        elif any(self.counts_in_signed(domain, name) for domain in self.owners):
            with refused(StoreError):
                self.file.rm_key_custodian(name)
        else:
            self.file = self.file.rm_key_custodian(name)
            del self.people[name]
            for owners in self.owners.values():
                owners.discard(name)

    @rule(name=st.sampled_from(PEOPLE), rekey=st.booleans())
    def change_passphrase(self, name: str, rekey: bool) -> None:
        new = self.creds(name)
        if name not in self.people:
            return
        if rekey:
            self.file = self.file.rekey_custodian(self.people[name], new, raw_key=True)
        else:
            self.file = self.file.set_key_custodian_passphrase(self.people[name], new.passphrase, raw_key=True)
        self.people[name] = new

    @rule(domain=st.sampled_from(DOMAINS), owner=st.sampled_from(PEOPLE))
    def add_domain(self, domain: str, owner: str) -> None:
        if owner not in self.people or domain in self.secrets:
            with refused(StoreError if owner in self.people else PPKeyError):
                self.file.add_domain(domain, owner)
        else:
            self.file = self.file.add_domain(domain, owner)
            self.secrets[domain], self.owners[domain], self.levels[domain] = {}, {owner}, {}

    @rule(domain=st.sampled_from(DOMAINS))
    def rm_domain(self, domain: str) -> None:
        if domain in self.secrets:
            self.file = self.file.rm_domain(domain)
            del self.secrets[domain], self.owners[domain], self.levels[domain]
        else:
            with refused(PPKeyError):
                self.file.rm_domain(domain)

    @precondition(lambda self: self.secrets)
    @rule(
        data=st.data(),
        name=st.sampled_from(NAMES),
        value=VALUES | REFERENCES,
        verb=st.sampled_from(["add", "update", "set", "rm"]),
    )
    def secret(self, data: st.DataObject, name: str, value: str | Reference, verb: str) -> None:
        domain = data.draw(st.sampled_from(sorted(self.secrets)))
        there = name in self.secrets[domain]
        arguments = (domain, name) if verb == "rm" else (domain, name, value)
        change = getattr(self.file, f"{verb}_secret")
        if verb in ("update", "rm") and not there:
            with refused(PPKeyError):
                change(*arguments)
        elif verb == "add" and there:
            with refused(StoreError):
                change(*arguments)
        else:
            self.file = change(*arguments)
            if verb == "rm":
                del self.secrets[domain][name], self.levels[domain][name]
            else:
                self.secrets[domain][name] = str(value)
                self.levels[domain].setdefault(name, Sensitivity.MEDIUM)

    @precondition(lambda self: any(self.secrets.values()))
    @rule(data=st.data(), level=LEVELS, signs=st.booleans(), value=st.none() | VALUES | REFERENCES)
    def sensitivity(self, data: st.DataObject, level: Sensitivity, signs: bool, value: str | Reference | None) -> None:
        """Alone, or with a value. To lower it takes an owner, and alone so does any change of what is signed."""
        domain = data.draw(st.sampled_from(sorted(name for name, held in self.secrets.items() if held)))
        name = data.draw(st.sampled_from(sorted(self.secrets[domain])))
        before, creds = self.levels[domain][name], self.owner(domain) if signs else None
        signed = value is None and self.file.is_signed_secret(domain, name)
        if value is None and level is before:
            with refused(StoreError):
                self.file.set_sensitivity(domain, name, level, creds=creds)
            return
        if creds is None and (level < before or signed):
            with refused(AccessError):
                self.change(domain, name, level, creds, value)
            return
        self.file = self.change(domain, name, level, creds, value)
        self.levels[domain][name] = level
        if value is not None:
            self.secrets[domain][name] = str(value)

    def change(
        self, domain: str, name: str, level: Sensitivity, creds: Creds | None, value: str | Reference | None
    ) -> KeyFile:
        if value is None:
            return self.file.set_sensitivity(domain, name, level, creds=creds)
        return self.file.update_secret(domain, name, value, creds=creds, sensitivity=level)

    @precondition(lambda self: self.secrets)
    @rule(data=st.data(), name=st.sampled_from(PEOPLE))
    def add_owner(self, data: st.DataObject, name: str) -> None:
        domain = data.draw(st.sampled_from(sorted(self.secrets)))
        if name in self.people:
            self.file = self.file.add_owner(domain, name, self.owner(domain))
            self.owners[domain].add(name)
        else:
            with refused(PPKeyError):
                self.file.add_owner(domain, name, self.owner(domain))

    @precondition(lambda self: self.secrets)
    @rule(data=st.data(), name=st.sampled_from(PEOPLE), rotate=st.booleans())
    def rm_owner(self, data: st.DataObject, name: str, rotate: bool) -> None:
        domain = data.draw(st.sampled_from(sorted(self.secrets)))
        creds = self.owner(domain) if rotate else None
        if name not in self.owners[domain] or self.owners[domain] == {name}:
            with refused(StoreError if name in self.owners[domain] else PPKeyError):
                self.file.rm_owner(domain, name, creds)
        elif creds is None and self.counts_in_signed(domain, name):
            with refused(AccessError):
                self.file.rm_owner(domain, name)
        else:
            self.file = self.file.rm_owner(domain, name, creds)
            self.owners[domain].remove(name)

    @precondition(lambda self: self.secrets)
    @rule(data=st.data(), history=st.booleans())
    def rotate(self, data: st.DataObject, history: bool) -> None:
        domain = data.draw(st.sampled_from(sorted(self.secrets)))
        self.file = self.file.rotate_domain_key(domain, self.owner(domain), history=history)

    @rule(keep=st.integers(0, 30))
    def truncate(self, keep: int) -> None:
        before = self.file.get_audit_log()
        self.file = self.file.truncate_audit_log(keep)
        after = self.file.get_audit_log()
        assert len(after) == min(len(before), keep + 1) or after == before
        self.log = 0

    @rule()
    def write_and_read(self) -> None:
        written = self.file.write()
        self.file = KeyFile.from_file(self.path)
        assert self.file == written

    @rule()
    def render_and_parse(self) -> None:
        again = KeyFile.from_contents_and_path(self.file.get_contents(), self.path)
        assert again == self.file

    @invariant()
    def holds_what_it_should(self) -> None:
        assert self.file.get_domain_names() == sorted(self.secrets)
        assert self.file.get_key_custodian_names() == sorted(self.people)
        for domain, secrets in self.secrets.items():
            assert self.file.get_domain_owner_names(domain) == sorted(self.owners[domain])
            for name, creds in self.people.items():
                if name in self.owners[domain]:
                    assert self.file.decrypt_domain(domain, creds, resolve=False) == secrets
                else:
                    with refused(AccessError):
                        self.file.decrypt_domain(domain, creds)
            levels = {name: self.file.get_secret_sensitivity(domain, name) for name in secrets}
            assert levels == self.levels[domain]
            found = self.file.get_references(domain)
            assert {name: str(reference) for name, reference in found.items()}.items() <= secrets.items()
        log = self.file.get_audit_log()
        assert len(log) >= self.log
        assert [entry[:20] for entry in log] == sorted(entry[:20] for entry in log)
        self.log = len(log)


TestAgainstDicts = AgainstDicts.TestCase
TestAgainstDicts.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
