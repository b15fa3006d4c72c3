"""`verify_history`: the typed report of a file's history, for programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from samples import ALICE, BOB, raw_key, refused

from pocket_protector import Creds, FormatError, KeyFile, Policy, Severity, StoreError, verify_history
from pocket_protector.repository.verification import WORK_TREE, DomainCounts, is_revisions

MALLORY = Creds("mallory@example.com", raw_key(0x66))


@dataclass
class WorkTree:
    """A work tree with a protected file."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "protected.yaml"

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def commit(self, text: str, subject: str) -> str:
        """Commit the file with this text; return the commit's id."""
        self.file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture(autouse=True)
def settings_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann Author")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.com")


@pytest.fixture
def repository(tmp_path: Path) -> WorkTree:
    """Alice's signed domain in one commit, and a value of hers in another."""
    made = WorkTree(tmp_path / "work")
    made.folder.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    file = KeyFile.create(made.file).add_raw_key_custodian(ALICE).add_raw_key_custodian(MALLORY)
    commit(made, file.add_domain("dev", ALICE.name, creds=ALICE, policy=Policy(max_age=30)), "make")
    commit(made, KeyFile.from_file(made.file).add_secret("dev", "key", "tulip", creds=ALICE), "add")
    return made


def commit(repository: WorkTree, file: KeyFile, subject: str) -> str:
    return repository.commit(file.get_contents(), subject)


def replaced(repository: WorkTree) -> KeyFile:
    """Mallory, who can push, has put a domain of her own in the place of Alice's."""
    file = KeyFile.from_file(repository.file).rm_domain("dev").add_domain("dev", MALLORY.name, creds=MALLORY)
    return file.add_owner("dev", ALICE.name, MALLORY)


def test_a_clean_history(repository: WorkTree) -> None:
    report = verify_history(repository.file)
    assert (report.path, report.subject) == (str(repository.file), "every version")
    assert [(len(step.name), step.subject) for step in report.steps] == [(12, "make"), (12, "add")]
    assert {step.author for step in report.steps} == {"Ann Author <ann@example.com>"}
    assert report.count(Severity.VIOLATION) == report.count(Severity.ATTENTION) == 0
    assert report.domains == {"dev": DomainCounts(True, 1, 1, 0, {"max-age": "30d"})}


def test_a_replaced_domain_is_a_violation_of_its_commit(repository: WorkTree) -> None:
    bad = commit(repository, replaced(repository), "innocent")
    report = verify_history(repository.file)
    [(step, finding)] = [found for found in report.findings() if found[1].is_violation]
    assert (step.name, step.subject) == (bad[:12], "innocent")
    assert (finding.code, finding.where) == ("domain-replaced", ("domain", "dev"))
    assert report.count(Severity.VIOLATION) == 1


def test_the_work_tree_is_a_version(repository: WorkTree) -> None:
    repository.file.write_text(replaced(repository).get_contents())
    report = verify_history(repository.file)
    assert [step.name for step in report.steps if step.findings][-1] == WORK_TREE
    assert report.count(Severity.VIOLATION) == 1
    alone = verify_history(repository.file, "HEAD")
    assert [step.name for step in alone.steps] == [WORK_TREE]
    assert alone.count(Severity.VIOLATION) == 1


def test_a_range_shows_what_came_after(repository: WorkTree) -> None:
    commit(repository, replaced(repository), "innocent")
    assert verify_history(repository.file, "HEAD~2..HEAD~1").count(Severity.VIOLATION) == 0
    report = verify_history(repository.file, "HEAD~1..")
    assert (report.subject, [step.subject for step in report.steps]) == ("HEAD~1..", ["innocent"])
    assert report.count(Severity.VIOLATION) == 1


def test_trust_wants_each_domain_to_lead_back(repository: WorkTree) -> None:
    file = KeyFile.from_file(repository.file)
    hers, anothers = (file.get_fingerprint(name).hex() for name in (ALICE.name, MALLORY.name))
    assert verify_history(repository.file, trust={ALICE.name: hers}).current == ()
    for trust in ({ALICE.name: anothers}, {MALLORY.name: anothers}, {BOB.name: hers}, {}):
        [finding] = verify_history(repository.file, trust=trust).current
        assert (finding.code, finding.severity) == ("untrusted", Severity.VIOLATION)


def test_now_is_what_policies_about_age_go_by(repository: WorkTree) -> None:
    later = datetime.now(UTC) + timedelta(days=40)
    assert [finding.code for finding in verify_history(repository.file, now=later).current] == ["policy-max-age"]
    assert verify_history(repository.file).current == ()


def test_progress_is_told_for_each_version(repository: WorkTree) -> None:
    seen: list[tuple[int, int]] = []
    verify_history(repository.file, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize("text", ["", "..", "..HEAD", "...", "...HEAD", "HEAD...", "main...HEAD", "....", "a..b...c"])
def test_an_unset_variable_is_no_range(repository: WorkTree, text: str) -> None:
    assert not is_revisions(text)
    with refused(StoreError):
        verify_history(repository.file, text)


@pytest.mark.parametrize("text", ["nothing", "nothing..", "HEAD..nothing", "--all", "HEAD~9..", "^HEAD", "HEAD..--all"])
def test_a_commit_that_is_not_there(repository: WorkTree, text: str) -> None:
    assert is_revisions(text)
    with refused(StoreError):
        verify_history(repository.file, text)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda file: file.unlink(), StoreError),
        (lambda file: file.write_text("- not a file\n"), FormatError),
        (lambda file: file.write_text(""), FormatError),
    ],
    ids=["gone", "not-a-file", "empty"],
)
def test_a_work_tree_that_does_not_load(
    repository: WorkTree, spoil: Callable[[Path], object], kind: type[StoreError]
) -> None:
    spoil(repository.file)
    with refused(kind):
        verify_history(repository.file)


def test_a_version_that_does_not_load_is_a_finding(repository: WorkTree) -> None:
    text = repository.file.read_text()
    repository.commit("not: [a file", "broken")
    repository.commit(text, "mended")
    codes = {
        step.subject: [finding.code for finding in step.findings] for step in verify_history(repository.file).steps
    }
    assert codes["broken"] == ["file-broken"]
    assert "file-broken" not in codes["mended"]


def test_outside_git(tmp_path: Path) -> None:
    file = KeyFile.create(tmp_path / "protected.yaml").add_raw_key_custodian(ALICE)
    file.write()
    with refused(StoreError):
        verify_history(file.path)


def test_current_findings_come_last_and_without_a_step(repository: WorkTree) -> None:
    report = verify_history(repository.file, trust={})
    step, finding = report.findings()[-1]
    assert (step.name, step.subject, finding.code) == ("", "", "untrusted")
    assert replace(report, current=()).count(Severity.VIOLATION) == 0
