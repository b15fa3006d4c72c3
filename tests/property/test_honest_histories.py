"""Random honest histories, with every kind of operation, branch and merge: no judgement may call one a violation."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from samples import VECTORS, parse, raw_key

from pocket_protector import Creds, IntegrityError, KeyFile, PPError
from pocket_protector.crypto.keys import key_id
from pocket_protector.document.custodian import LegacyCustodian
from pocket_protector.document.domain import Domain, Secret
from pocket_protector.document.policy import Policy
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.statements import Signed
from pocket_protector.errors import AccessError, MergeConflictError, PolicyError, StoreError
from pocket_protector.trust.authority import sealed_to
from pocket_protector.trust.epoch_chain import begins
from pocket_protector.trust.findings import KINDS as FINDING_KINDS
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.history_fold import Fold
from pocket_protector.trust.judge.state import DomainAuthority, State

Op = tuple[str, str, str]
"""The kind of an operation, the domain, and the secret or custodian; "" for what it does not have."""

PENDING = frozenset({"same grant again", "rotation by who leaves"})
"""What the package does not yet do or judge well, and histories are kept from; each goes when that is mended."""

BY_DESIGN = frozenset(
    {
        "first epoch by a new owner",
        "unsigned grant under a first epoch",
        "value of another branch that a policy refuses",
        "sensitivity lowered by who was removed",
    }
)
"""What cannot be told from what an attacker would do."""

SEEDS, BLOCKS, ACTIONS = 20, 10, 30
"""How many histories a block has, how many blocks there are, and how long a history is. All are the same each time:
after a change of a rule, 25 blocks and more are worth the wait."""

LEAST = {
    "merge": 20,
    "squash": 5,
    "rebase": 5,
    "revert": 5,
    "rotate": 20,
    "add-owner": 20,
    "first-epoch": 5,
    "readers": 50,
    "raise": 10,
    "lower": 10,
    "references": 20,
}
"""How often a block must come to these: a property that never met a merge is worth nothing."""

VALUES = {"add-secret", "update-secret", "rm-secret"}
"""What is reverted. To revert what raised a sensitivity is to lower it, which takes an owner."""
LEGACY = VECTORS / "upstream" / "v1-v2-mixed.yaml"


@dataclass(frozen=True)
class Step:
    """One commit."""

    name: str
    parents: tuple[str, ...]
    text: str
    file: KeyFile
    ops: frozenset[Op]


class Git:
    """Merges texts as `git merge` does, in a repository without anybody's settings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self._run("init", "--quiet")

    def merge(self, base: str, ours: str, theirs: str) -> str | None:
        """By `git merge` of two commits with one parent; None if they conflict."""
        stream = []
        for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
            stream += ["reset refs/heads/" + name, f"commit refs/heads/{name}", "committer x <x@example.com> 0 +0000"]
            stream += [f"data {len(name)}", name, *(["from refs/heads/base"] if name != "base" else [])]
            stream += [f"M 100644 inline file\ndata {len(text.encode())}\n{text}"]
        assert self._run("fast-import", "--quiet", "--force", given="\n".join([*stream, ""])).returncode == 0
        assert self._run("checkout", "--quiet", "--force", "--detach", "ours").returncode == 0
        if self._run("merge", "--quiet", "--no-edit", "theirs").returncode:
            assert self._run("merge", "--abort").returncode == 0
            return None
        return (self._folder / "file").read_text(encoding="utf-8")

    def merge_file(self, base: str, ours: str, theirs: str) -> str | None:
        """By `git merge-file`, which compares the lines in another way."""
        for name, text in (("a", ours), ("o", base), ("b", theirs)):
            (self._folder / name).write_text(text, encoding="utf-8")
        done = self._run("merge-file", "--stdout", "a", "o", "b")
        return done.stdout if done.returncode == 0 else None

    def _run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = ["git", *words]
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._variables,
            input=given,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )


@cache
def legacy_creds(name: str) -> Creds:
    """One object for each, so that its key is derived once."""
    known = json.loads((LEGACY.parent / "expected.json").read_text(encoding="utf-8"))
    return Creds(name, known[LEGACY.stem]["custodians"][name])


@dataclass
class History:
    """A history in the making. `met` counts the situations that it came to."""

    seed: int
    git: Git
    rng: random.Random = field(init=False)
    steps: dict[str, Step] = field(default_factory=dict)
    heads: list[Step] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    creds: dict[object, Creds] = field(default_factory=dict)
    grants: set[bytes] = field(default_factory=set)
    number: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    # The parts of a history

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def add(self, parents: tuple[str, ...], text: str, ops: Iterable[Op]) -> Step:
        step = Step(f"c{len(self.steps)}", parents, text, parse(text), frozenset(ops))
        self.steps[step.name] = step
        return step

    def duel(self, head: Step) -> Step:
        """Two branches of one commit each that belong to a situation, and what becomes of them."""
        situation = self.rng.choice(list(SITUATIONS))
        domain = self.domain(head.file)
        sides = []
        for kinds in self.rng.sample(SITUATIONS[situation], 2):
            done = self.operate(head.file, domain, sorted(kinds))
            if done is None or self.avoided((head,), done[0]):
                return head
            sides.append(self.add((head.name,), done[0].get_contents(), done[1]))
        join = self.rng.choice([self.merge, self.merge, self.squash, lambda a, b: self.rebase(b, a)])
        return join(*sides) or self.rng.choice(sides)

    def avoided(self, parents: tuple[Step, ...], file: KeyFile) -> bool:
        """Whether a step is one that is a violation by design, or by a fault that is known."""
        for reason in (reason for parent in parents for reason in reasons(parent.file, file)):
            if reason in PENDING | BY_DESIGN:
                self.met[f"avoided: {reason}"] += 1
                return True
        return False

    def kinds(self) -> set[str]:
        return {kind for step in self.steps.values() for kind, _, _ in step.ops}

    def past(self, step: Step) -> set[str]:
        """The names of the step and of all before it."""
        found, waiting = set(), [step.name]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.steps[name].parents)
        return found

    def only(self, step: Step, other: Step) -> list[Step]:
        """What leads to `step` and not to `other`, from parents to children."""
        names = self.past(step) - self.past(other)
        return [self.steps[name] for name in self.steps if name in names]

    def base(self, one: Step, other: Step) -> Step | None:
        """The merge base, if there is one only."""
        common = self.past(one) & self.past(other)
        best = common - {older for name in common for parent in self.steps[name].parents for older in [parent]}
        return self.steps[best.pop()] if len(best) == 1 else None

    # Credentials

    def learn(self, file: KeyFile, creds: Creds) -> KeyFile:
        self.creds[self.lock(file, creds.name)] = creds
        return file

    def lock(self, file: KeyFile, name: str) -> object:
        custodian = file.document.custodians[name]
        return custodian.derived if isinstance(custodian, LegacyCustodian) else custodian.wrapped

    def of(self, file: KeyFile, name: str) -> Creds:
        return self.creds[self.lock(file, name)]

    def new_creds(self, name: str) -> Creds:
        return Creds(name, raw_key(self.fresh() % 256))

    # Operations: each gives the changed file and what it did, or None where there is nothing to do

    def domain(self, file: KeyFile) -> str:
        return self.rng.choice(file.get_domain_names())

    def custodian(self, file: KeyFile) -> str:
        return self.rng.choice(file.get_key_custodian_names())

    def owner(self, file: KeyFile, domain: str) -> Creds | None:
        """Mostly one who counts."""
        names = [name for name in file.get_domain_owner_names(domain) if name in file.get_key_custodian_names()]
        counting = file.authority(domain).owners.counting
        names = counting if counting and self.rng.random() < 0.95 else names
        return self.of(file, self.rng.choice(names)) if names else None

    def writer(self, file: KeyFile, domain: str) -> Creds | None:
        """Whoever signs a value, or None for nobody; in a strict domain always an owner who counts."""
        if domain.startswith("strict"):
            counting = file.authority(domain).owners.counting
            if not counting:
                raise StoreError("nobody may write here")
            return self.of(file, self.rng.choice(counting))
        return self.owner(file, domain) if self.rng.random() < 0.4 else None

    def content(self, text: str) -> str | Reference:
        """A value, or a reference; to one of few places, so that one may lead again to where it led before."""
        if self.rng.random() < 0.6:
            return text
        self.met["references"] += 1
        return Reference(f"aws-sm://eu-west-1/{self.rng.choice('abc')}")

    def add_secret(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op]:
        name = f"{self.rng.choice('amz')}{self.fresh()}"
        creds, level = self.writer(file, domain), self.rng.choice([None, None, None, *Sensitivity])
        add = self.rng.choice([file.add_secret, file.set_secret])
        done = add(domain, name, self.content(f"value {name}"), creds=creds, sensitivity=level)
        return done, ("add-secret", domain, name)

    def update_secret(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        names = file.get_domain_secret_names(domain)
        if not names:
            return None
        name, creds = self.rng.choice(names), self.writer(file, domain)
        update = self.rng.choice([file.update_secret, file.set_secret])
        done = update(domain, name, self.content(f"update {self.fresh()}"), creds=creds)
        return done, ("update-secret", domain, name)

    def raise_sensitivity(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        """By anybody, or by an owner if the entry is signed."""
        levels = {name: file.get_secret_sensitivity(domain, name) for name in file.get_domain_secret_names(domain)}
        names = [name for name, level in levels.items() if level < Sensitivity.INJECT_ONLY]
        if not names:
            return None
        name = self.rng.choice(names)
        signs = file.is_signed_secret(domain, name) or domain.startswith("strict")
        level = self.rng.choice([level for level in Sensitivity if level > levels[name]])
        return self.leveled(file, domain, name, level, self.owner(file, domain) if signs else None)

    def lower_sensitivity(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        """By an owner, sometimes with a new value."""
        secrets = file.document.domains[domain].secrets
        names = [name for name, secret in secrets.items() if secret.sensitivity > Sensitivity.LOW]
        creds = self.owner(file, domain)
        if not names or creds is None:
            return None
        name = self.rng.choice(names)
        level = self.rng.choice([level for level in Sensitivity if level < secrets[name].sensitivity])
        if self.rng.random() < 0.7:
            return self.leveled(file, domain, name, level, creds)
        done = file.update_secret(domain, name, self.content(f"lower {self.fresh()}"), creds=creds, sensitivity=level)
        return done, ("lower", domain, name)

    def leveled(
        self, file: KeyFile, domain: str, name: str, level: Sensitivity, creds: Creds | None
    ) -> tuple[KeyFile, Op]:
        before = file.document.domains[domain].secrets[name].sensitivity
        kind = "raise" if level > before else "lower"
        return file.set_sensitivity(domain, name, level, creds=creds), (kind, domain, name)

    def rm_secret(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        names = file.get_domain_secret_names(domain)
        if not names:
            return None
        name = self.rng.choice(names)
        return file.rm_secret(domain, name), ("rm-secret", domain, name)

    def review(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        names, creds = file.get_domain_secret_names(domain), self.owner(file, domain)
        if not names or creds is None:
            return None
        chosen = self.rng.sample(names, self.rng.randint(1, min(3, len(names))))
        return file.sign_secrets(domain, chosen, creds), ("review", domain, "")

    def add_owner(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        name, creds = self.custodian(file), self.owner(file, domain)
        if creds is not None and creds.name == name:
            return None
        return creds and (file.add_owner(domain, name, creds), ("add-owner", domain, name))

    def rm_owner(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        names = file.get_domain_owner_names(domain)
        name = self.rng.choice(names)
        if self.rng.random() < 0.5:
            return file.rm_owner(domain, name), ("rm-owner", domain, name)
        creds = self.owner(file, domain)
        if creds is not None and creds.name == name and "rotation by who leaves" in PENDING:
            return None
        return creds and (file.rm_owner(domain, name, creds), ("rm-owner-rotate", domain, name))

    def rotate(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        creds, history = self.owner(file, domain), self.rng.random() < 0.8
        self.met["forget"] += not history
        return creds and (file.rotate_domain_key(domain, creds, history=history), ("rotate", domain, ""))

    def set_policy(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        creds = self.owner(file, domain)
        signed = domain.startswith("strict") and self.rng.random() < 0.7 and not file.authority(domain).unreviewed
        production = self.rng.choice([None, None, False, True])
        policy = Policy(signed, self.rng.choice([None, 30, 90]), self.rng.choice([None, 1, 2]), production)
        return creds and (file.set_policy(domain, policy, creds), ("policy", domain, ""))

    def add_domain(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op]:
        kind = self.rng.choice(["open", "plain", "strict"])
        creds = self.of(file, self.custodian(file))
        name = f"{kind}{self.fresh()}"
        signer = None if kind == "open" else creds
        if isinstance(file.document.custodians[creds.name], LegacyCustodian):
            name = f"open{self.fresh()}"
        return file.add_domain(name, creds.name, creds=signer), ("add-domain", name, creds.name)

    def rm_domain(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        if len(file.get_domain_names()) < 4:
            return None
        return file.rm_domain(domain), ("rm-domain", domain, "")

    def migrate_owner(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        name, old = self.custodian(file), self.of(file, self.custodian(file))
        if old.name == name:
            return None
        return file.migrate_owner(name, old), ("migrate-owner", "", name)

    def add_custodian(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        if len(file.get_key_custodian_names()) > 6:
            return None
        creds = self.new_creds(f"{self.rng.choice(['al', 'mo', 'zo'])}{self.fresh()}")
        return self.learn(file.add_raw_key_custodian(creds), creds), ("add-custodian", "", creds.name)

    def rm_custodian(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op] | None:
        if len(file.get_key_custodian_names()) < 4:
            return None
        name = self.custodian(file)
        return file.rm_key_custodian(name), ("rm-custodian", "", name)

    def rekey(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op]:
        name = self.custodian(file)
        new, old = self.new_creds(name), self.of(file, name)
        return self.learn(file.rekey_custodian(old, new, raw_key=True), new), (self.rekeying(file, name), "", name)

    def set_passphrase(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op]:
        name = self.custodian(file)
        new, old = self.new_creds(name), self.of(file, name)
        changed = file.set_key_custodian_passphrase(old, new.passphrase, raw_key=True)
        legacy = isinstance(file.document.custodians[name], LegacyCustodian)
        return self.learn(changed, new), ("rekey-legacy" if legacy else "passphrase", "", name)

    def rekeying(self, file: KeyFile, name: str) -> str:
        return "rekey-legacy" if isinstance(file.document.custodians[name], LegacyCustodian) else "rekey"

    def truncate(self, file: KeyFile, domain: str) -> tuple[KeyFile, Op]:
        return file.truncate_audit_log(self.rng.choice([0, 3, 10])), ("truncate", "", "")

    def operate(
        self, file: KeyFile, domain: str | None = None, kinds: Iterable[str] = ()
    ) -> tuple[KeyFile, list[Op]] | None:
        """One random operation, of these kinds; None if it was refused."""
        weights = {change: OPERATIONS[change] for change in map(KINDS.get, kinds) if change} or OPERATIONS
        change = self.rng.choices(list(weights), list(weights.values()))[0]
        domain = domain or self.domain(file)
        try:
            done = change(self, file, domain)
            if done is None or done[0].get_contents() == file.get_contents():
                return None
        except (StoreError, AccessError, PolicyError, IntegrityError) as error:
            self.met[f"refused: {type(error).__name__}"] += 1
            return None
        changed, op = done
        if self.avoids(file, changed, op):
            return None
        ops = [op]
        self.met[op[0]] += 1
        for name in changed.get_domain_names():
            if name in file.get_domain_names() and changed.is_signed(name) and not file.is_signed(name):
                ops.append(("first-epoch", name, ""))
                self.met["first-epoch"] += 1
            elif name in file.get_domain_names() and changed.get_policy(name).weaker_than(file.get_policy(name)):
                ops.append(("weaken", name, ""))
        if op[0] in ("rotate", "rm-owner-rotate") and not changed.is_signed(op[1]):
            ops.append(("rotate-unsigned", op[1], ""))
        return changed, ops

    def avoids(self, file: KeyFile, changed: KeyFile, op: Op) -> bool:
        """Whether an operation is one that the package gets wrong."""
        reason = None
        for name, domain in changed.document.domains.items():
            before = file.document.domains.get(name)
            if before is None or domain.epoch is None:
                continue
            old, new = file.authority(name), changed.authority(name)
            lost = {*old.owners.counting, op[2]} & domain.owners.keys() - set(new.owners.counting)
            if op[0] in GRANTS and lost:
                reason = "regrant that ends another's"
            if op[0] in REMOVALS and len(new.unreviewed) > len(old.unreviewed):
                reason = "removal that ends a review"
        given = {
            grant.signed.signature
            for name, domain in changed.document.domains.items()
            for owner, grant in domain.owners.items()
            if grant.signed and grant.signed != self.signed(file, name, owner)
        }
        if given & self.grants:
            reason = "same grant again"
        if reason in PENDING:
            self.met[f"avoided: {reason}"] += 1
            return True
        self.grants |= given
        return False

    def signed(self, file: KeyFile, domain: str, owner: str) -> Signed | None:
        found = file.document.domains.get(domain)
        return found.owners[owner].signed if found and owner in found.owners else None

    # Steps

    def begin(self) -> Step:
        file = KeyFile.create("protected.yaml")
        names = ["ann", "ben", "cho"]
        if self.seed % 5 == 0:
            legacy = self.add((), LEGACY.read_text(encoding="utf-8"), [("legacy", "", "")])
            for name in legacy.file.get_key_custodian_names():
                self.learn(legacy.file, legacy_creds(name))
            file = legacy.file.upgrade()
            return self.add((legacy.name,), file.get_contents(), [("upgrade", "", "")])
        for name in names:
            creds = self.new_creds(name)
            file = self.learn(file.add_raw_key_custodian(creds), creds)
        for name in ("plain", "open", "strict"):
            maker = self.of(file, self.rng.choice(names))
            file = file.add_domain(name, maker.name, creds=None if name == "open" else maker)
            for other in names:
                if self.rng.random() < 0.5:
                    file = file.add_owner(name, other, maker)
            for at in range(self.rng.randrange(12)):
                file = file.add_secret(name, f"k{at}", f"v{at}", creds=maker if name == "strict" else None)
        for domain in file.document.domains.values():
            self.grants |= {grant.signed.signature for grant in domain.owners.values() if grant.signed}
        return self.add((), file.get_contents(), [("begin", "", "")])

    def work(self, head: Step) -> Step:
        """A commit of one operation, or of several."""
        file, ops = head.file, list[Op]()
        for _ in range(self.rng.choice([1, 1, 1, 1, 2, 3])):
            done = self.operate(file)
            if done is not None and not hides_a_removal([*ops, *done[1]]):
                file, more = done
                ops += more
        if not ops or self.avoided((head,), file):
            return head
        return self.add((head.name,), file.get_contents(), ops)

    def joined(self, base: Step, ours: Step, theirs: Step, what: str) -> str | None:
        """The text of a three-way merge by one of the ways that there are; None if it conflicts or cannot be read."""
        way = self.rng.choice(["library", "git", "lines"])
        if way != "library":
            merge = self.git.merge if way == "git" else self.git.merge_file
            text = merge(base.text, ours.text, theirs.text)
            if text is not None:
                try:
                    parse(text)
                except PPError:
                    self.met["unreadable"] += 1
                    return None
                self.met[f"{what} by {way}"] += 1
                return text
            self.met[f"conflict by {way}"] += 1
            if self.rng.random() < 0.5:
                return None
        try:
            text = ours.file.joined(base.file, theirs.file, b"").get_contents()
            parse(text)
        except (MergeConflictError, StoreError):
            self.met["conflict by library"] += 1
            return None
        self.met[f"{what} by library"] += 1
        return text

    def merge(self, ours: Step, theirs: Step) -> Step | None:
        base = self.base(ours, theirs)
        if base is None or theirs.name in self.past(ours) or self.crosses(ours, theirs):
            return None
        text = self.joined(base, ours, theirs, "merge")
        if text is None or self.avoided((ours, theirs), parse(text)):
            return None
        self.meet(ours, theirs)
        return self.add((ours.name, theirs.name), text, [("merge", "", "")])

    def squash(self, ours: Step, theirs: Step) -> Step | None:
        base = self.base(ours, theirs)
        ops = [op for step in self.only(theirs, ours) for op in step.ops]
        if base is None or not ops or hides_a_removal(ops) or self.crosses(ours, theirs):
            return None
        text = self.joined(base, ours, theirs, "squash")
        if text is None or text == ours.text or self.avoided((ours,), parse(text)):
            return None
        self.meet(ours, theirs)
        return self.add((ours.name,), text, [*ops, ("squash", "", "")])

    def rebase(self, branch: Step, onto: Step) -> Step | None:
        head = onto
        if self.crosses(onto, branch):
            return None
        self.meet(onto, branch)
        for step in self.only(branch, onto):
            if len(step.parents) == 1:
                text = self.joined(self.steps[step.parents[0]], head, step, "rebase")
                if text is None or self.avoided((head,), parse(text)):
                    return None
                if text != head.text:
                    head = self.add((head.name,), text, [*step.ops, ("rebase", "", "")])
        return head

    def revert(self, head: Step) -> Step | None:
        reverts = [
            step
            for name in self.past(head)
            for step in [self.steps[name]]
            if len(step.parents) == 1 and {op[0] for op in step.ops} <= VALUES
        ]
        if not reverts:
            return None
        step = self.rng.choice(sorted(reverts, key=lambda step: int(step.name[1:])))
        text = self.joined(step, head, self.steps[step.parents[0]], "revert")
        if text is None or text == head.text or self.avoided((head,), parse(text)):
            return None
        return self.add((head.name,), text, [("revert", "", "")])

    def crosses(self, ours: Step, theirs: Step) -> bool:
        """Whether one side took an owner out without a rotation, and the other made an epoch, which may be theirs."""
        sides = [{op for step in self.only(a, b) for op in step.ops} for a, b in ((ours, theirs), (theirs, ours))]
        for one, other in (sides, sides[::-1]):
            removals = {domain for kind, domain, _ in one if kind in ("rm-owner", "rm-custodian")}
            epochs = {domain for kind, domain, _ in other if kind in EPOCHS}
            if epochs & removals or ("" in removals and epochs):
                self.met["avoided: epoch against a removal without one"] += 1
                return True
        return False

    def meet(self, ours: Step, theirs: Step) -> None:
        """Count what the two sides do that the other does not know of."""
        sides = [{op for step in self.only(a, b) for op in step.ops} for a, b in ((ours, theirs), (theirs, ours))]
        for one, other in (sides, sides[::-1]):
            for situation, (left, right) in SITUATIONS.items():
                if any(
                    a[0] in left and b[0] in right and (a[1] == b[1] or "" in (a[1], b[1])) for a in one for b in other
                ):
                    self.met[situation] += 1

    def grow(self, actions: int) -> Step:
        self.heads = [self.begin()]
        for _ in range(actions):
            self.act()
        while len(self.heads) > 1:
            merged = self.merge(self.heads[0], self.heads.pop())
            self.heads[0] = merged or self.heads[0]
        return self.heads[0]

    def act(self) -> None:
        heads, at = self.heads, self.rng.randrange(len(self.heads))
        other = self.rng.randrange(len(heads))
        kind = self.rng.random()
        if kind < 0.1 and len(heads) < 4:
            heads.append(heads[at])
        elif kind < 0.25:
            heads[at] = self.duel(heads[at])
        elif kind < 0.65 or (at == other and kind < 0.93):
            heads[at] = self.work(heads[at])
        elif kind < 0.79:
            # Whoever cannot merge starts again from the other branch.
            heads[at] = self.merge(heads[at], heads[other]) or heads[self.rng.choice([at, other])]
        elif kind < 0.86:
            squashed = self.squash(heads[at], heads[other])
            if squashed:
                heads[at] = squashed
                del heads[other]
        elif kind < 0.93:
            heads[at] = self.rebase(heads[at], heads[other]) or heads[at]
        else:
            heads[at] = self.revert(heads[at]) or heads[at]


OPERATIONS: dict[Callable[[History, KeyFile, str], tuple[KeyFile, Op] | None], int] = {
    History.add_secret: 10,
    History.update_secret: 12,
    History.rm_secret: 3,
    History.raise_sensitivity: 6,
    History.lower_sensitivity: 6,
    History.review: 8,
    History.add_owner: 12,
    History.rm_owner: 6,
    History.rotate: 8,
    History.set_policy: 6,
    History.add_domain: 3,
    History.rm_domain: 1,
    History.migrate_owner: 1,
    History.add_custodian: 4,
    History.rm_custodian: 2,
    History.rekey: 5,
    History.set_passphrase: 2,
    History.truncate: 2,
}

KINDS = {change.__name__.replace("_", "-"): change for change in OPERATIONS} | {
    "policy": History.set_policy,
    "raise": History.raise_sensitivity,
    "lower": History.lower_sensitivity,
    "rm-owner-rotate": History.rm_owner,
    "first-epoch": History.set_policy,
    "rekey-legacy": History.rekey,
}

ROTATIONS = {"rotate", "rm-owner-rotate"}
EPOCHS = {"rotate", "rm-owner-rotate", "policy"}
LEVELS = {"raise", "lower"}
REMOVALS = {"rm-owner", "rm-owner-rotate", "rm-custodian"}
GRANTS = {"add-owner", "migrate-owner"}
SITUATIONS = {
    "rotation against grant": (ROTATIONS, GRANTS),
    "removal against grant": (REMOVALS, GRANTS),
    "rekey against grant": ({"rekey", "rekey-legacy"}, GRANTS),
    "rotation against value": (ROTATIONS, VALUES),
    "rotation against review": (ROTATIONS, {"review"}),
    "review against value": ({"review"}, VALUES),
    "policy against grant": ({"policy"}, GRANTS),
    "policy against value": ({"policy"}, VALUES),
    "rotation against rotation": (ROTATIONS, ROTATIONS),
    "removal against removal": (REMOVALS, REMOVALS),
    "first epoch against grant": ({"first-epoch"}, GRANTS),
    "first epoch against value": ({"first-epoch"}, VALUES),
    "sensitivity against value": (LEVELS, VALUES),
    "sensitivity against rotation": (LEVELS, ROTATIONS),
    "sensitivity against sensitivity": (LEVELS, LEVELS),
    "truncation against anything": ({"truncate"}, VALUES | GRANTS | ROTATIONS),
}


def hides_a_removal(ops: list[Op]) -> bool:
    """Whether somebody was made an owner and removed again: in one step that cannot be told from a forgery."""
    added = {(domain, who) for kind, domain, who in ops if kind in GRANTS or kind == "add-domain"}
    removed = {(domain, who) for kind, domain, who in ops if kind in REMOVALS}
    return any(
        who == gone and (domain == where or "" in (domain, where)) for domain, who in added for where, gone in removed
    )


def reasons(old: KeyFile, new: KeyFile) -> Iterator[str]:
    """Why a step from one file to another is a violation by design, or by a fault that is known."""
    for name, domain in new.document.domains.items():
        if domain.epoch is None:
            continue
        if begins(new.document, domain, lambda epoch: epoch.number == 1) is not None:
            yield "line through a rekey of its maker"
        if domain.policy.require_signed and new.authority(name).unreviewed:
            yield "value of another branch that a policy refuses"
        before = old.document.domains.get(name)
        if before is not None:
            yield from _of_makers(old, before, domain)
            yield from _of_owners(old, new, before, domain)
            yield from _of_values(old.authority(name), new.authority(name), before, domain)


def _of_makers(old: KeyFile, before: Domain, domain: Domain) -> Iterator[str]:
    assert domain.epoch is not None
    if before.epoch is None:
        epochs = [domain.epoch, *(past.epoch for past in domain.past.values())]
        first = next(epoch.signed for epoch in epochs if epoch.number == 1)
        if first.by.name not in before.owners:
            yield "first epoch by a new owner"
        elif not old.authority(domain.name).owners.vouched(first):
            yield "first epoch after a rekey"


def _of_owners(old: KeyFile, new: KeyFile, before: Domain, domain: Domain) -> Iterator[str]:
    counting = new.authority(domain.name).owners.counting
    for owner, grant in domain.owners.items():
        custodian, was = old.document.custodians.get(owner), before.owners.get(owner)
        upgraded = isinstance(custodian, LegacyCustodian) and custodian != new.document.custodians.get(owner)
        regranted = was is None or was.signed != grant.signed
        if grant.signed is None:
            yield "unsigned grant under a first epoch"
        elif upgraded and regranted and owner not in counting:
            yield "grant for keys of before an upgrade"


def _of_values(was: DomainAuthority, now: DomainAuthority, before: Domain, domain: Domain) -> Iterator[str]:
    for key in before.secrets.keys() & domain.secrets.keys():
        lower, signed = domain.secrets[key].sensitivity < before.secrets[key].sensitivity, domain.secrets[key].signed
        if lower and signed and not now.owners.vouched(signed):
            yield "sensitivity lowered by who was removed"
    for key in set(now.unreviewed) & before.secrets.keys() - set(was.unreviewed):
        one, other = before.secrets[key], domain.secrets[key]
        if one != other and (one.value, one.updated) == (other.value, other.updated):
            yield "review by who was removed"


JOINS = frozenset({"merge", "squash", "rebase"})
LEGACY_START = frozenset({"legacy"})

EXPLAINED: dict[str, list[tuple[frozenset[str], ...]]] = {
    "grant-stale": [(JOINS, ROTATIONS), (frozenset({"rekey-legacy"}),)],
    "grant-of-former-owner": [(JOINS, REMOVALS)],
    "grant-unusable": [(JOINS, frozenset({"rekey", "rekey-legacy"}))],
    "grant-without-custodian": [(JOINS, frozenset({"rm-custodian"}))],
    "secret-rolled-back": [(JOINS | {"revert"},), (frozenset({"raise"}), frozenset({"lower"}))],
    "sensitivity-rolled-back": [(JOINS | {"revert"},), (frozenset({"raise"}), frozenset({"lower"}))],
    "sensitivity-lowered": [(frozenset({"lower"}),)],
    "log-entries-gone": [(frozenset({"revert"}),), (JOINS, frozenset({"truncate"}))],
    "first-epoch": [(frozenset({"first-epoch"}),)],
    "custodian-upgraded": [(LEGACY_START, frozenset({"rekey-legacy"}))],
    "file-upgraded": [(LEGACY_START,)],
    "policy-weakened": [(frozenset({"weaken"}),)],
    "unsigned-key-replaced": [
        (frozenset({"rotate-unsigned"}),),
        (LEGACY_START, frozenset({"rekey-legacy"}), frozenset({"first-epoch"})),
    ],
    "unsigned-owner-added": [(frozenset({"add-owner", "migrate-owner"}),)],
    "secret-unreviewed": [(JOINS, ROTATIONS)],
    "signature-of-former-owner": [(JOINS, REMOVALS)],
}
"""What may need attention in an honest history, and the operations, one of each set, that it comes from."""


def check_findings(history: History, found: list[tuple[Step, Finding]]) -> Counter[str]:
    """No violation; attention for what the operations explain. The codes that came."""
    kinds = history.kinds()
    for step, finding in found:
        said = f"history {history.seed}, {step.name} {sorted(step.ops)}: {finding}"
        if finding.code == "signature-invalid" and "revert" in kinds and is_of_no_known_key(history, step, finding):
            continue  # A revert brought what was sealed or signed for a key which this line of the domain never had.
        assert finding.severity is not Severity.VIOLATION, said
        if finding.severity is Severity.ATTENTION:
            ways = EXPLAINED.get(finding.code, [])
            assert any(all(kinds & group for group in way) for way in ways), said
    return Counter(finding.code for _, finding in found if finding.severity is Severity.ATTENTION)


def check_reading(history: History, head: Step, state: State) -> int:
    """Every owner who counts reads every domain, also one who trusts the state after it. How many could."""
    readers = 0
    for name, domain in head.file.document.domains.items():
        counting = head.file.authority(name).owners.counting
        lost = [s for s in domain.secrets.values() if not opens(s, domain)]
        if lost or len(counting) < (domain.policy.min_owners or 0):
            # A rotation without history met a value of another branch, or two branches took out an owner each.
            continue
        for owner in counting:
            if domain.epoch is None and not history.kinds().isdisjoint(JOINS):
                continue  # Lines merged without a look at the key that they were made for.
            if not sealed_to(domain.owners[owner].wrapped_key, head.file.document.custodians[owner].public_key):
                continue  # What a finding said already.
            try:
                values = head.file.decrypt_domain(name, history.of(head.file, owner), resolve=False)
            except IntegrityError:
                assert "first epoch over a grant for an earlier key" in PENDING
                assert any(("first-epoch", name) == op[:2] for step in history.steps.values() for op in step.ops)
                continue
            assert values.keys() == domain.secrets.keys()
            creds = history.of(head.file, owner)
            assert head.file.decrypt_domain(name, creds, trust=state, resolve=False) == values
            readers += 1
    return readers


BEHIND = frozenset(code for code, kind in FINDING_KINDS.items() if kind.is_older)

APART = frozenset({"domain-forked", "domain-unsigned", "domain-returned", "custodian-replaced"})
"""What a version may show beside what is merely older: rotated apart, also from a removal; or from before a domain was
signed, or a custodian of Pocket Protector's rekeyed, which cannot be told from what an attacker would do."""


def check_pins(history: History, head: Step, doubtful: set[tuple[str, ...]]) -> Counter[str]:
    """Somebody who looks at one version after the other, of several branches, forwards and back, and pins what is not
    refused: refused is only what is older than a version that they saw, or rotated apart from it; and nothing in the
    version that follows all of them, but for `doubtful` grants that whoever sees every step was told of. The codes."""
    allowed = BEHIND | APART
    past = [history.steps[name] for name in history.past(head)]
    steps = sorted((step for step in past if step.file.file_id), key=lambda step: int(step.name[1:]))
    codes = Counter[str]()

    def judge(last: Step | None, state: State | None, step: Step, allowed: frozenset[str]) -> State | None:
        """The state with the step in it; None if it is refused, or one that no state can explain."""
        # Who never saw that somebody was an owner cannot know it.
        told = BY_DESIGN | {"review by who was removed"}
        if any(not told.isdisjoint(reasons(earlier.file, step.file)) for earlier in seen.values()):
            return None
        seen[step.name] = step
        found, after = step.file.authorize(state)
        bad = [f for f in found if f.severity is Severity.VIOLATION and f.where not in doubtful]
        # A revert brought what was sealed or signed for a key which this line of the domain never had.
        bad = [f for f in bad if f.code != "signature-invalid" or not is_of_no_known_key(history, step, f)]
        codes.update(finding.code for finding in bad)
        said = f"history {history.seed}, {last and last.name} and before, then {step.name}"
        assert {finding.code for finding in bad} <= allowed, f"{said}: {bad}"
        return after if not bad else None

    for _ in range(3):
        state, last, seen = None, None, dict[str, Step]()
        for at in sorted(history.rng.sample(range(len(steps)), min(8, len(steps)))):
            for step in (steps[at], history.rng.choice(steps[: at + 1]), steps[at]):
                after = judge(last, state, step, allowed)
                state, last = (after, step) if after else (state, last)
        judge(last, state, head, frozenset())
    return codes


def is_of_no_known_key(history: History, step: Step, finding: Finding) -> bool:
    """Whether a value is sealed to a key that the domain does not know. Of a reference that cannot be seen; but a
    revert, or a rotation of an unsigned domain that kept no key, may have left such a signature."""
    _, domain, name = finding.where
    found = step.file.document.domains[domain]
    if isinstance(found.secrets[name].value, Reference):
        return "revert" in history.kinds() or bool(history.met["forget"])
    return not opens(found.secrets[name], found)


def opens(secret: Secret, domain: Domain) -> bool:
    return secret.sealed_for in (None, key_id(domain.public_key)) or secret.sealed_for in domain.retired


def judged(history: History, head: Step) -> tuple[State, list[tuple[Step, Finding]]]:
    """The state after the last step, and what was found on the way."""
    steps = [*history.steps.values(), replace(head, name="end", parents=(head.name,), ops=frozenset())]
    fold = Fold((step.name, step.parents) for step in steps)
    found = [(step, finding) for step in steps for finding in fold.step(step.name, step.parents, step.file.document)]
    assert fold.state is not None
    return fold.state, found


@pytest.mark.parametrize("block", range(BLOCKS))
def test_an_honest_history_is_quiet(block: int, tmp_path: Path) -> None:
    git = Git(tmp_path)
    met, codes = Counter[str](), Counter[str]()
    for seed in range(block * SEEDS, (block + 1) * SEEDS):
        history = History(seed, git)
        head = history.grow(ACTIONS)
        state, found = judged(history, head)
        codes += check_findings(history, found)
        met += history.met
        met["readers"] += check_reading(history, head, state)
        doubtful = {f.where for _, f in found if f.where[0] == "owner" and f.severity is Severity.ATTENTION}
        met.update({f"pins: {code}": times for code, times in check_pins(history, head, doubtful).items()})
    print(*(f"{code}: {times}" for code, times in sorted(codes.items())), sep=", ")
    print(*(f"{what}: {times}" for what, times in sorted(met.items())), sep=", ")
    for what, least in LEAST.items():
        ways = (
            [f"{what} by {way}" for way in ("library", "git", "lines")]
            if what in ("merge", *JOINS, "revert")
            else [what]
        )
        assert sum(met[way] for way in ways) >= least, what
    assert sum(met[situation] > 0 for situation in SITUATIONS) >= len(SITUATIONS) * 2 // 3
    assert len(codes) >= 5
