"""The history of a file in real git repositories, most of which try to hide something."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from pocket_protector.errors import StoreError
from pocket_protector.repository.log import Commit, blobs, check_complete, commits, parse_revision

MOST = 1_000_000
LINK = "120000"
SUBMODULE = "160000"

Graph = dict[str, tuple[str | None, ...]]
"""Of each commit what the file holds (None: it is not there), then its parents. The subject is its name here."""

BLOBS = {hashlib.sha1(b"blob 1\0" + text.encode()).hexdigest(): text for text in "12"}


@pytest.fixture(autouse=True)
def settings_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_settings(monkeypatch, tmp_path)


def forget_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    variables = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CEILING_DIRECTORIES": str(home),
        "HOME": str(home),
        "GIT_AUTHOR_NAME": "Ann Author",
        "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_COMMITTER_NAME": "Carl Committer",
        "GIT_COMMITTER_EMAIL": "carl@example.com",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


class Repository:
    """A repository with a work tree; `file` is the one whose history is read."""

    def __init__(self, folder: Path, name: str = "protected.yaml", *options: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / name
        self.name = name
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *words: str, given: bytes = b"") -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, input=given, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().rstrip("\n")

    def commit(self, text: str, subject: str = "step") -> str:
        """A commit of all that is in the work tree, the file with this text."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def elsewhere(self) -> str:
        """A commit that does not touch the file."""
        (self.folder / "other").write_text(f"{random.random()}")
        self.git("add", "other")
        self.git("commit", "--quiet", "--message", "elsewhere")
        return self.git("rev-parse", "HEAD")

    def put(self, mode: str, blob: str, subject: str = "put") -> str:
        """A commit with an entry of any kind in the place of the file."""
        self.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{self.name}")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def graph(self, graph: Graph) -> dict[str, str]:
        """The ids of the commits of a graph, each of which has a branch of its name."""
        stream = []
        for number, (name, (text, *parents)) in enumerate(graph.items()):
            # Clocks are wrong: of three commits in a row the last is the oldest.
            seconds = 1790000000 + number - 5 * (number % 3)
            stream += [f"commit refs/heads/{name}\ncommitter C <c@example.com> {seconds} +0000"]
            stream += [f"data {len(name)}\n{name}"]
            stream += [f"{'merge' if place else 'from'} refs/heads/{parent}" for place, parent in enumerate(parents)]
            # Each commit has a tree of its own; what the file was in the first parent does not matter.
            stream += [f"M 100644 inline other\ndata {len(name)}\n{name}", f"D {self.name}"]
            if text is not None:
                stream += [f"M 100644 inline {self.name}\ndata {len(text)}\n{text}"]
        self.git("fast-import", "--quiet", given="\n".join([*stream, ""]).encode())
        return dict(zip(graph, self.git("rev-parse", *graph).splitlines(), strict=True))

    def text(self, blob: str | None) -> str | None:
        return None if blob is None else self.git("cat-file", "blob", blob)

    def seen(self, *revisions: str) -> Graph:
        """What `commits` makes of the repository, as a graph."""
        history = commits(str(self.file), revisions)
        names = {commit.id: commit.subject for commit in history}
        return {
            commit.subject: (self.text(commit.blob), *(names[parent] for parent in commit.parents))
            for commit in history
        }


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def subjects(path: Path, *revisions: str) -> list[str]:
    return [commit.subject for commit in commits(str(path), revisions)]


def texts(path: Path, revision: str) -> list[str | None]:
    history = commits(str(path), [revision])
    held = {blob: raw.decode() for blob, raw in blobs(str(path), [c.blob for c in history if c.blob], MOST)}
    return [held[commit.blob] if commit.blob else None for commit in history]


def gits() -> list[str]:
    """The git processes that this one started and that are not gone, dead ones included."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "ppid=,pid=,stat=,comm="], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(os.getpid()) and "git" in line]


def test_each_change_is_a_step(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    before = repository.elsewhere()
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-22T10:59:00+01:00")
    one = repository.commit("one", "made")
    repository.elsewhere()
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-22T23:59:59-01:00")
    two = repository.commit("two", "changed")
    last = repository.elsewhere()
    first_blob, second_blob = repository.git("rev-parse", f"{one}:protected.yaml", f"{two}:protected.yaml").split()
    author = "Ann Author <ann@example.com>"
    assert commits(str(repository.file), [last]) == [
        Commit(one, (), "2026-11-22T09:59:00Z", author, "made", first_blob),
        Commit(two, (one,), "2026-11-23T00:59:59Z", author, "changed", second_blob),
    ]
    assert commits(str(repository.file), [before]) == []


MERGES: dict[str, tuple[Graph, Graph]] = {
    "both sides changed": (
        {"a": ("1",), "b": ("2", "a"), "c": ("3", "a"), "m": ("4", "b", "c")},
        {"a": ("1",), "b": ("2", "a"), "c": ("3", "a"), "m": ("4", "b", "c")},
    ),
    "the new side": (
        {"a": ("1",), "b": ("1", "a"), "c": ("2", "a"), "m": ("2", "b", "c")},
        {"a": ("1",), "c": ("2", "a"), "m": ("2", "a", "c")},
    ),
    "the old side": (
        {"a": ("1",), "b": ("1", "a"), "c": ("2", "a"), "m": ("1", "b", "c"), "n": ("1", "m")},
        {"a": ("1",), "c": ("2", "a"), "m": ("1", "a", "c")},
    ),
    "evil, and neither side touched the file": (
        {"a": ("1",), "b": ("1", "a"), "c": ("1", "a"), "m": ("9", "b", "c")},
        {"a": ("1",), "m": ("9", "a")},
    ),
    "evil, the file is gone": (
        {"a": ("1",), "b": ("2", "a"), "c": ("3", "a"), "m": (None, "b", "c")},
        {"a": ("1",), "b": ("2", "a"), "c": ("3", "a"), "m": (None, "b", "c")},
    ),
    "evil, the file is new": (
        {"a": (None,), "b": (None, "a"), "c": (None, "a"), "m": ("9", "b", "c"), "n": ("9", "m")},
        {"m": ("9",)},
    ),
    "the same change on both sides": (
        {"a": ("1",), "b": ("2", "a"), "c": ("2", "a"), "m": ("2", "b", "c"), "n": ("3", "m")},
        {"a": ("1",), "b": ("2", "a"), "c": ("2", "a"), "m": ("2", "b", "c"), "n": ("3", "m")},
    ),
    "neither side touched the file": (
        {"a": ("1",), "b": ("1", "a"), "c": ("1", "a"), "m": ("1", "b", "c"), "n": ("2", "m")},
        {"a": ("1",), "n": ("2", "a")},
    ),
    "of a branch that never had the file": (
        {"a": (None,), "b": ("1", "a"), "c": (None, "a"), "m": ("1", "c", "b"), "n": ("2", "m")},
        {"b": ("1",), "n": ("2", "b")},
    ),
    "drops the file for a branch that never had it": (
        {"a": (None,), "b": ("1", "a"), "c": (None, "a"), "m": (None, "c", "b")},
        {"b": ("1",), "m": (None, "b")},
    ),
    "unrelated histories": (
        {"a": ("1",), "b": ("2",), "m": ("2", "a", "b")},
        {"a": ("1",), "b": ("2",), "m": ("2", "a", "b")},
    ),
    "deleted on one side": (
        {"a": ("1",), "b": (None, "a"), "c": ("2", "a"), "m": ("2", "b", "c")},
        {"a": ("1",), "b": (None, "a"), "c": ("2", "a"), "m": ("2", "b", "c")},
    ),
    "octopus": (
        {"a": ("1",), "b": ("2", "a"), "c": ("3", "a"), "d": ("1", "a"), "m": ("3", "b", "c", "d")},
        {"a": ("1",), "b": ("2", "a"), "c": ("3", "a"), "m": ("3", "b", "c", "a")},
    ),
    "octopus that nobody needs": (
        {"a": ("1",), "b": ("1", "a"), "c": ("1", "a"), "d": ("1", "a"), "m": ("1", "b", "c", "d")},
        {"a": ("1",)},
    ),
    "criss-cross": (
        {
            "a": ("1",),
            "b": ("2", "a"),
            "c": ("3", "a"),
            "m": ("2", "b", "c"),
            "n": ("3", "c", "b"),
            "o": ("4", "m", "n"),
        },
        {
            "a": ("1",),
            "b": ("2", "a"),
            "c": ("3", "a"),
            "m": ("2", "b", "c"),
            "n": ("3", "c", "b"),
            "o": ("4", "m", "n"),
        },
    ),
}


@pytest.mark.parametrize("case", MERGES)
def test_merges(repository: Repository, case: str) -> None:
    graph, expected = MERGES[case]
    ids = repository.graph(graph)
    assert repository.seen(list(ids.values())[-1]) == expected


def test_a_merge_by_git_that_takes_the_old_side(repository: Repository) -> None:
    repository.commit("old", "old")
    repository.git("branch", "side")
    repository.commit("new", "new")
    repository.git("checkout", "--quiet", "side")
    repository.elsewhere()
    repository.git("merge", "--quiet", "--strategy=ours", "--message=back", "main")
    # By default git follows the side that the file came from: the newer version never was.
    assert repository.git("log", "--format=%s", "--", "protected.yaml") == "old"
    assert repository.seen(repository.git("rev-parse", "HEAD")) == {
        "old": ("old",),
        "new": ("new", "old"),
        "back": ("old", "old", "new"),
    }


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_in_any_graph(repository: Repository, seed: int) -> None:
    chance = random.Random(seed)
    graph: Graph = {}
    for number in range(40):
        parents = chance.sample(list(graph)[-6:], min(len(graph), chance.choice([0, 1, 1, 1, 1, 2, 2, 3])))
        inherited = [graph[parent][0] for parent in parents] or [None]
        graph[f"c{number}"] = (chance.choice([*inherited * 3, "1", "2", None]), *parents)
    ids = repository.graph(graph)
    check_history(repository, graph, list(ids.values()))
    for name, tip in ids.items():
        check_history(repository, graph, [tip])
        check_history(repository, graph, [tip, f"^{ids[chance.choice(list(ids))]}"])
        history = list(repository.seen(tip).values())
        assert (history[-1][0] if history else None) == graph[name][0], "the last one is where the file came from"


def check_history(repository: Repository, graph: Graph, revisions: list[str]) -> None:
    """Each commit's file is what it is, and each version that it was in a parent is that of a parent here."""
    history = commits(str(repository.file), revisions)
    versions = {commit.id: graph[commit.subject][0] for commit in history}
    before: set[str] = set()
    for commit in history:
        assert before.issuperset(commit.parents), "parents come first"
        before.add(commit.id)
        assert (commit.blob and BLOBS[commit.blob]) == versions[commit.id]
        was = {graph[str(parent)][0] for parent in graph[commit.subject][1:]} - {None}
        assert commit.outside or was <= {versions[parent] for parent in commit.parents}
    listed = {commit.subject for commit in history}
    for name in repository.git("log", "--format=%s", *revisions).splitlines():
        if name not in listed:
            text, *parents = graph[name]
            assert all(graph[str(parent)][0] in (text, None) for parent in parents)


def test_a_file_deleted_and_made_again(repository: Repository) -> None:
    ids = repository.graph({"a": ("1",), "b": (None, "a"), "c": (None, "b"), "d": ("1", "c")})
    assert repository.seen(ids["d"]) == {"a": ("1",), "b": (None, "a"), "d": ("1", "b")}


def test_a_rename_is_another_file(repository: Repository) -> None:
    repository.commit("1\n" * 100, "made")
    repository.git("mv", repository.name, "new.yaml")
    repository.git("commit", "--quiet", "--message=moved")
    head = repository.git("rev-parse", "HEAD")
    assert texts(repository.file, head) == ["1\n" * 100, None]
    assert subjects(repository.folder / "new.yaml", head) == ["moved"]


def test_a_range_says_what_it_leaves_out(repository: Repository) -> None:
    ids = repository.graph(
        {"a": ("1",), "b": ("2", "a"), "c": ("2", "b"), "d": ("3", "c"), "e": ("4", "a"), "m": ("4", "d", "e")}
    )
    history = commits(str(repository.file), [ids["m"], f"^{ids['b']}"])
    assert {(c.subject, c.parents, c.outside) for c in history} == {
        ("d", (), True),
        ("e", (), True),
        ("m", (ids["d"], ids["e"]), False),
    }
    assert commits(str(repository.file), [ids["c"], f"^{ids['b']}"]) == []
    repository.git("reset", "--quiet", "--hard", ids["b"])
    mode_only = repository.put("100755", repository.git("rev-parse", f"{ids['b']}:{repository.name}"))
    assert commits(str(repository.file), [mode_only, f"^{ids['b']}"]) == []
    assert not any(commit.outside for commit in commits(str(repository.file), [ids["m"]]))


def test_a_range_does_not_hide_a_merge_that_goes_back(repository: Repository) -> None:
    ids = repository.graph(
        {"a": ("1",), "b": ("2", "a"), "base": ("2", "b"), "c": ("1", "a"), "d": ("3", "c"), "m": ("3", "d", "b")}
    )
    history = commits(str(repository.file), [ids["m"], f"^{ids['base']}"])
    assert [(c.subject, c.parents, c.outside) for c in history] == [("d", (), True), ("m", (ids["d"],), True)]
    # What git's own pruning makes of it:
    listed = repository.git("log", "--full-history", "--parents", "--format=%s", "m", "^base", "--", repository.name)
    assert listed == "d"


@pytest.mark.parametrize("start", ["", "conf", "elsewhere/deep", ".."])
def test_a_file_in_a_folder_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    repository = Repository(tmp_path / "repository", "conf/protected.yaml")
    decoy = repository.folder / "protected.yaml"
    decoy.write_text("decoy")
    head = repository.commit("1", "made")
    decoy.write_text("decoy 2")
    head = repository.elsewhere()
    (repository.folder / "elsewhere/deep").mkdir(parents=True)
    monkeypatch.chdir(repository.folder / start)
    path = Path(os.path.relpath(repository.file))
    assert texts(path, head) == ["1"]
    assert parse_revision(str(path), "HEAD") == head


def test_a_folder_that_is_no_more(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository", "conf/protected.yaml")
    repository.commit("1", "made")
    repository.git("rm", "-r", "--quiet", "conf")
    repository.git("commit", "--quiet", "--message=removed")
    assert not repository.file.parent.exists()
    assert texts(repository.file, parse_revision(str(repository.file), "HEAD")) == ["1", None]


def test_a_linked_work_tree(repository: Repository, tmp_path: Path) -> None:
    repository.commit("1", "made")
    linked = tmp_path / "linked"
    repository.git("worktree", "add", "--quiet", "-b", "side", str(linked))
    (linked / repository.name).write_text("2")
    subprocess.run(["git", "commit", "--quiet", "--all", "--message=changed"], cwd=linked, check=True)
    path = linked / repository.name
    check_complete(str(path))
    assert texts(path, parse_revision(str(path), "HEAD")) == ["1", "2"]
    assert texts(path, parse_revision(str(repository.file), "HEAD")) == ["1"]


def test_in_a_hook(tmp_path: Path) -> None:
    """git may tell its hooks where the repository is, and then takes their folder for the top of the work tree."""
    repository = Repository(tmp_path / "repository", "conf/protected.yaml")
    (repository.folder / "protected.yaml").write_text("decoy")
    repository.commit("1", "made")
    linked = tmp_path / "linked"
    repository.git("worktree", "add", "--quiet", "-b", "side", str(linked))
    hook = repository.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!{sys.executable}\n"
        "import os\n"
        "from pocket_protector.repository.log import commits, parse_revision, check_complete\n"
        "assert 'GIT_DIR' in os.environ\n"
        "path = 'conf/protected.yaml'\n"
        "check_complete(path)\n"
        "print([commit.blob for commit in commits(path, [parse_revision(path, 'HEAD')])])\n"
    )
    hook.chmod(0o755)
    words = ["git", "commit", "--allow-empty", "--message=x"]
    done = subprocess.run(words, cwd=linked, check=True, capture_output=True, encoding="utf-8")
    assert str([repository.git("rev-parse", "HEAD:conf/protected.yaml")]) in done.stdout + done.stderr


def test_what_is_no_plain_file_is_not_there(repository: Repository) -> None:
    repository.commit("1", "file")
    target = repository.git("hash-object", "-w", "--stdin", given=b"other.yaml")
    commit = repository.put(LINK, target, "link")
    repository.put(LINK, repository.git("hash-object", "-w", "--stdin", given=b"third.yaml"), "other link")
    repository.put(SUBMODULE, commit, "submodule")
    repository.put("100644", target, "file again")
    repository.put("100755", target, "mode only")
    repository.put(SUBMODULE, commit, "submodule again")
    repository.git("rm", "--cached", "--quiet", repository.name)
    head = repository.put("100644", target, "file at last")
    repository.git("config", "diff.ignoreSubmodules", "all")
    assert subjects(repository.file, head) == ["file", "link", "file again", "submodule again", "file at last"]
    assert texts(repository.file, head) == ["1", None, "other.yaml", None, "other.yaml"]


def test_a_folder_in_its_place(repository: Repository) -> None:
    ids = repository.graph({"a": ("1",)})
    for name in ("folder", "more"):
        repository.git("read-tree", ids["a"])
        repository.git("rm", "--cached", "--quiet", repository.name)
        blob = repository.git("hash-object", "-w", "--stdin", given=name.encode())
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{repository.name}/{repository.name}")
        tree = repository.git("write-tree")
        ids[name] = repository.git("commit-tree", tree, "-p", list(ids.values())[-1], "-m", name)
    assert repository.seen(ids["more"]) == {"a": ("1",), "folder": (None, "a")}


def test_a_link_in_its_place_gives_it_no_other_history(tmp_path: Path) -> None:
    """Neither one in the place of the file nor of its folder; one from outside of the repository is followed."""
    repository = Repository(tmp_path / "repository", "conf/protected.yaml")
    forged = repository.folder / "forged/protected.yaml"
    repository.commit("1", "made")
    (tmp_path / "outside").symlink_to(repository.folder / "conf")
    assert texts(tmp_path / "outside/protected.yaml", parse_revision(str(repository.file), "HEAD")) == ["1"]
    forged.parent.mkdir()
    forged.write_text("forged")
    repository.file.unlink()
    repository.file.symlink_to("../forged/protected.yaml")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message=link")
    assert texts(repository.file, parse_revision(str(repository.file), "HEAD")) == ["1", None]
    (repository.folder / "protected.yaml").write_text("forged")
    repository.file.unlink()
    repository.file.parent.rmdir()
    for target in ("forged", "."):
        repository.file.parent.unlink(missing_ok=True)
        repository.file.parent.symlink_to(target)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message=folder")
        assert repository.file.read_text() == "forged"
        assert texts(repository.file, parse_revision(str(repository.file), "HEAD")) == ["1", None]


def test_a_path_out_of_the_work_tree(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = repository.commit("1")
    monkeypatch.setenv("GIT_DIR", str(repository.folder / ".git"))
    monkeypatch.chdir(repository.folder)
    with pytest.raises(StoreError, match="is not in the git work tree"):
        commits(str(tmp_path / "protected.yaml"), [head])


def test_replace_refs_and_grafts_hide_nothing(repository: Repository) -> None:
    ids = repository.graph({"a": ("1",), "b": ("2", "a"), "c": ("3", "b"), "clean": ("3", "a")})
    expected = repository.seen(ids["c"])
    repository.git("replace", ids["c"], ids["clean"])
    assert repository.git("log", "--format=%s", ids["c"]) == "clean\na"
    assert repository.seen(ids["c"]) == expected
    assert parse_revision(str(repository.file), "c") == ids["c"]
    repository.git("replace", "--delete", ids["c"])
    (repository.folder / ".git/info").mkdir(exist_ok=True)
    (repository.folder / ".git/info/grafts").write_text(f"{ids['c']} {ids['a']}\n")
    assert repository.git("log", "--format=%s", ids["c"]) == "c\na"
    assert repository.seen(ids["c"]) == expected


def test_a_replaced_blob_is_read_as_it_was(repository: Repository) -> None:
    ids = repository.graph({"a": ("1",), "b": ("2", "a")})
    first, second = (repository.git("rev-parse", f"{ids[name]}:protected.yaml") for name in "ab")
    repository.git("replace", first, second)
    assert repository.git("cat-file", "blob", first) == "2"
    assert dict(blobs(str(repository.file), [first], MOST)) == {first: b"1"}


ZEROS = "0" * 40
RAW = f":100644 100644 {ZEROS} {'1' * 40} M"


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        pytest.param(f"{RAW}\nprotected.yaml\n".encode(), f"{RAW} protected.yaml", id="raw"),
        pytest.param(f"x\0\n{RAW}\0protected.yaml\0".encode(), "x", id="nul"),
        pytest.param(f"\n\n{RAW}".encode(), RAW, id="empty-lines"),
        pytest.param(b"", "", id="empty"),
        pytest.param(b"x\x1e\x1f\x01\r\x1b[2K%x00%H", "x\x1e\x1f\x01\r\x1b[2K%x00%H", id="controls"),
        pytest.param(b"\xff\xfe", "\ufffd\ufffd", id="not-utf-8"),
        pytest.param(b"x" * 3_000_000, "x" * 3_000_000, id="long"),
    ],
)
@pytest.mark.parametrize("encoding", [b"", b"encoding UTF-7\n", b"encoding UTF-16\n", b"encoding none\n"])
def test_a_message_cannot_fake_a_record(repository: Repository, message: bytes, subject: str, encoding: bytes) -> None:
    first = repository.commit("1", "made")
    head = repository.commit("2", "crafted")
    header = repository.git("cat-file", "commit", head).split("\n\n")[0].encode()
    author = f"author {RAW} <{RAW}> 1790000000 +0000"
    header = b"\n".join([header.split(b"\n")[0], header.split(b"\n")[1], author.encode(), header.split(b"\n")[3]])
    raw = header + b"\n" + encoding + b"\n" + message
    crafted = repository.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=raw)
    repository.git("reset", "--quiet", "--hard", crafted)
    last = repository.commit("3", "last")
    history = commits(str(repository.file), [last])
    assert [commit.id for commit in history] == [first, crafted, last]
    assert [commit.parents for commit in history] == [(), (first,), (crafted,)]
    assert texts(repository.file, last) == ["1", "2", "3"]
    if not encoding:
        assert history[1].subject == subject
        assert history[1].author == f"{RAW} <{RAW}>"


def test_what_utf_7_makes_a_nul(repository: Repository) -> None:
    repository.commit("1", "made")
    head = repository.commit("2", "crafted")
    raw = repository.git("cat-file", "commit", head).split("\n\n")[0] + "\nencoding UTF-7\n\nx+AAA-y+AAo-z"
    crafted = repository.git("hash-object", "-t", "commit", "-w", "--stdin", given=raw.encode())
    assert [commit.id for commit in commits(str(repository.file), [crafted])][1:] == [crafted]


@pytest.mark.parametrize(
    ("committer", "time"),
    [
        ("C <c@example.com> 253402300799 +0000", "9999-12-31T23:59:59Z"),
        ("C <c@example.com> 253402300800 +0000", "1970-01-01T00:00:00Z"),
        ("C <c@example.com> 99999999999999999999999 +0000", "1970-01-01T00:00:00Z"),
        ("C <c@example.com> -1 +0000", "1970-01-01T00:00:00Z"),
        ("C <c@example.com> yesterday", "1970-01-01T00:00:00Z"),
        ("C <c@example.com>", "1970-01-01T00:00:00Z"),
        ("", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_time_that_is_none(repository: Repository, committer: str, time: str) -> None:
    repository.commit("1", "made")
    tree = repository.git("write-tree")
    raw = f"tree {tree}\nauthor\ncommitter {committer}\n\nx\n"
    crafted = repository.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=raw.encode())
    assert [(c.time, c.author) for c in commits(str(repository.file), [crafted])] == [(time, " <>")]


STRANGE = [
    "a b",
    "*.yaml",
    "[x].yaml",
    "?",
    "ünïcode.yaml",
    ":colon",
    ":(glob)*",
    ":!x.yaml",
    "-dash",
    "--output=x",
    'quote"',
    "tab\t",
    "line\n",
    "back\\slash",
    "~",
    "$HOME",
    "conf\n/ x",
    ":(icase)X.YAML/file",
]


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("absolute", [True, False])
def test_strange_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, absolute: bool) -> None:
    repository = Repository(tmp_path / "repository", name)
    (repository.folder / "x.yaml").write_text("decoy")
    repository.commit("1", "made")
    (repository.folder / "x.yaml").write_text("decoy 2")
    repository.git("commit", "--quiet", "--all", "--message=decoy")
    head = repository.commit("2", "changed")
    monkeypatch.chdir(repository.folder)
    path = repository.file if absolute else Path(name)
    assert subjects(path, head) == ["made", "changed"]
    assert texts(path, head) == ["1", "2"]


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_of_the_work_tree(tmp_path: Path, name: str) -> None:
    repository = Repository(tmp_path / name.replace("/", ""), "conf/protected.yaml")
    head = repository.commit("1", "made")
    assert texts(repository.file, head) == ["1"]


@pytest.mark.parametrize("variable", ["LITERAL", "GLOB", "NOGLOB", "ICASE"])
def test_what_pathspecs_mean_is_not_for_the_environment(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    head = repository.commit("1", "made")
    monkeypatch.setenv(f"GIT_{variable}_PATHSPECS", "1")
    assert texts(repository.file, head) == ["1"]
    assert subjects(repository.folder / "PROTECTED.yaml", head) == []


SETTINGS = {
    "log.showSignature": "true",
    "log.follow": "true",
    "log.showRoot": "false",
    "log.diffMerges": "first-parent",
    "log.mailmap": "true",
    "log.abbrevCommit": "true",
    "log.decorate": "full",
    "log.date": "relative",
    "log.excludeDecoration": "*",
    "format.pretty": "oneline",
    "format.notes": "true",
    "notes.displayRef": "refs/notes/*",
    "diff.renames": "copies",
    "diff.relative": "true",
    "diff.noprefix": "true",
    "diff.external": "./ran",
    "diff.orderFile": "missing",
    "diff.ignoreSubmodules": "all",
    "diff.all.textconv": "./ran",
    "diff.all.command": "./ran",
    "gpg.program": "./ran",
    "core.fsmonitor": "./ran",
    "core.pager": "./ran",
    "core.abbrev": "4",
    "core.quotePath": "true",
    "core.logAllRefUpdates": "always",
    "color.ui": "always",
    "color.diff": "always",
    "i18n.logOutputEncoding": "UTF-16",
    "alias.log": "!./ran",
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose history changes under one setting or another, with a program that tells when it ran."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        forget_settings(monkeypatch, tmp_path_factory.mktemp("home"))
        repository = Repository(tmp_path_factory.mktemp("watched") / "repository", "conf/protected.yaml")
        repository.file.parent.mkdir()
        (repository.folder / ".mailmap").write_text("Eve <eve@example.com> <ann@example.com>\n")
        (repository.folder / ".gitattributes").write_text("* diff=all\n")
        ran = repository.folder / "ran"
        ran.write_text('#!/bin/sh\ntouch "$(dirname "$0")/was-run"\n')
        ran.chmod(0o755)
        (repository.folder / "old.yaml").write_text("1\n" * 99)
        repository.commit("0", "made")
        repository.git("rm", "--quiet", "conf/protected.yaml")
        repository.git("commit", "--quiet", "--message=removed")
        repository.file.parent.mkdir()
        repository.git("mv", "old.yaml", "conf/protected.yaml")
        repository.commit("1\n" * 99, "møved")
        repository.git("branch", "side")
        repository.commit("2\n" * 99, "new")
        repository.git("checkout", "--quiet", "side")
        repository.commit("3\n" * 99, "side")
        repository.git("merge", "--quiet", "--strategy=ours", "--message=back", "main")
        signed = repository.git("cat-file", "commit", "HEAD").replace("\n\n", "\ngpgsig none\n\n", 1) + "\n"
        crafted = repository.git("hash-object", "-t", "commit", "-w", "--stdin", given=signed.encode())
        repository.git("reset", "--quiet", "--hard", crafted)
        repository.git("notes", "add", "--message=a note", "HEAD")
    return repository


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_change_nothing(watched: Repository, setting: str) -> None:
    head = watched.git("rev-parse", "HEAD")
    expected = commits(str(watched.file), [head])
    subjects = [commit.subject for commit in expected]
    assert subjects[:3] == ["made", "removed", "møved"]
    assert sorted(subjects[3:5]) == ["new", "side"]
    assert subjects[5:] == ["back"]
    assert {commit.author for commit in expected} == {"Ann Author <ann@example.com>"}
    read = dict(blobs(str(watched.file), [commit.blob for commit in expected if commit.blob], MOST))
    watched.git("config", setting, SETTINGS[setting])
    try:
        assert commits(str(watched.file), [parse_revision(str(watched.file), "HEAD")]) == expected
        assert dict(blobs(str(watched.file), list(read), MOST)) == read
        check_complete(str(watched.file))
    finally:
        watched.git("config", "--unset", setting)
    assert not (watched.folder / "was-run").exists()


def test_git_is_not_given_passphrases(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = repository.commit("1")
    spy = tmp_path / "spy/git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} >>{tmp_path}/told\nexec {shutil.which("git")} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PPROTECT_PASSPHRASE", "the-passphrase")
    assert texts(repository.file, head) == ["1"]
    check_complete(str(repository.file))
    told = (tmp_path / "told").read_text()
    assert "cat-file" in told
    assert "PATH=" in told
    assert "the-passphrase" not in told


def test_there_is_no_git(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = repository.commit("1")
    monkeypatch.setenv("PATH", str(tmp_path))
    calls = (
        lambda: commits(str(repository.file), [head]),
        lambda: list(blobs(str(repository.file), [ZEROS], MOST)),
        lambda: parse_revision(str(repository.file), "HEAD"),
        lambda: check_complete(str(repository.file)),
    )
    for call in calls:
        with pytest.raises(StoreError, match="cannot run git") as refused:
            call()
        assert refused.value.hint


def test_longer_ids(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository", "protected.yaml", "--object-format=sha256")
    repository.commit("1", "made")
    repository.commit("2", "changed")
    head = parse_revision(str(repository.file), "HEAD")
    assert len(head) == 64
    assert texts(repository.file, head) == ["1", "2"]


def test_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    repository.commit("1")
    repository.commit("2")
    check_complete(str(repository.file))
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(clone))
    with pytest.raises(StoreError, match="whole history") as refused:
        check_complete(str(clone / repository.name))
    assert "git fetch --unshallow" in refused.value.hint
    assert "fetch-depth: 0" in refused.value.hint
    subprocess.run(["git", "fetch", "--quiet", "--unshallow"], cwd=clone, check=True)
    check_complete(str(clone / repository.name))


def test_no_work_tree(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no commit yet") as refused:
        check_complete(str(repository.file))
    assert "git commit" in refused.value.hint
    head = repository.commit("1")
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    for folder in (tmp_path, tmp_path / "bare", repository.folder / ".git"):
        for call in (check_complete, lambda path: commits(path, [head])):
            with pytest.raises(StoreError, match="not in a git work tree") as refused:
                call(str(folder / "protected.yaml"))
            assert refused.value.hint


def test_revisions(repository: Repository) -> None:
    first = repository.commit("1", "made")
    repository.git("tag", "--annotate", "--message=x", "v1")
    second = repository.commit("2", "changed")
    repository.git("branch", "ünïcode")
    path = str(repository.file)
    for text in ("HEAD", "main", "@", "HEAD~0", second, second[:8], "refs/heads/main", "ünïcode"):
        assert parse_revision(path, text) == second, text
    for text in ("HEAD^", "v1", "v1^{}", "main~1", first.upper(), "HEAD^{/made}"):
        assert parse_revision(path, text) == first, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nope",
        "-",
        "--all",
        "--output=x",
        "--help",
        "^HEAD",
        "HEAD..HEAD",
        "HEAD...HEAD",
        "..",
        "HEAD^@",
        "HEAD^!",
        "HEAD^-",
        "HEAD HEAD",
        "HEAD\0",
        "HEAD\nHEAD",
        "HEAD^{tree}",
        "HEAD:protected.yaml",
        ":protected.yaml",
        "protected.yaml",
        "blob",
        "HEAD~1",
        "1" * 40,
        "\udcff",
        "$(touch x)",
    ],
)
def test_what_is_no_revision(repository: Repository, text: str) -> None:
    repository.commit("1")
    repository.git("tag", "blob", "HEAD:protected.yaml")
    with pytest.raises(StoreError, match="not a commit") as refused:
        parse_revision(str(repository.file), text)
    assert refused.value.hint
    assert not (repository.folder / "x").exists()
    assert not (repository.folder / "x^{commit}").exists()


def test_a_name_of_two_commits(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    first = repository.commit("1")
    repository.commit("2")
    repository.git("branch", first[:7])
    repository.git("tag", "main", first)
    repository.git("config", "core.warnAmbiguousRefs", "false")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    for text in ("main", first[:7]):
        with pytest.raises(StoreError, match="more than one") as refused:
            parse_revision(str(repository.file), text)
        assert refused.value.hint


def test_an_unknown_id(repository: Repository) -> None:
    repository.commit("1")
    with pytest.raises(StoreError, match="git log failed: fatal: bad object"):
        commits(str(repository.file), ["1" * 40])
    with pytest.raises(StoreError, match="git log failed"):
        commits(str(repository.file), ["--output=x"])
    assert not (repository.folder / "x").exists()
    assert gits() == []


def loose(repository: Repository, name: str) -> Path:
    file = repository.folder / ".git/objects" / name[:2] / name[2:]
    file.chmod(0o644)
    return file


@pytest.mark.parametrize("missing", ["HEAD", "HEAD~2", "HEAD~3", "HEAD~2^{tree}"])
def test_what_is_missing_does_not_end_the_history_quietly(repository: Repository, missing: str) -> None:
    for number in range(4):
        head = repository.commit(f"{number}")
    loose(repository, repository.git("rev-parse", missing)).unlink()
    with pytest.raises(StoreError, match="git log failed"):
        commits(str(repository.file), [head])


def test_blobs_come_once_in_the_order_asked_for(repository: Repository) -> None:
    ids = [repository.git("hash-object", "-w", "--stdin", given=raw) for raw in (b"", b"\n", b"1\n\0", b"x blob 1\n")]
    asked = [ids[2], ids[0], ids[2], ids[3], ids[1], ids[0]]
    assert list(blobs(str(repository.file), asked, 9)) == [
        (ids[2], b"1\n\0"),
        (ids[0], b""),
        (ids[3], b"x blob 1\n"),
        (ids[1], b"\n"),
    ]
    assert list(blobs(str(repository.file), [], 9)) == []
    assert gits() == []


@pytest.mark.parametrize("size", [11, 10_000_000])
def test_a_blob_over_the_cap(repository: Repository, size: int) -> None:
    small = repository.git("hash-object", "-w", "--stdin", given=b"1234567890")
    large = repository.git("hash-object", "-w", "--stdin", given=b"x" * size)
    answers = blobs(str(repository.file), [small, large, small], 10)
    assert next(answers) == (small, b"1234567890")
    tracemalloc.start()
    try:
        assert next(answers) == (large, b"x" * 11)
        assert next(answers, None) is None
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert gits() == []


def test_what_is_no_blob(repository: Repository, tmp_path: Path) -> None:
    head = repository.commit("1")
    good = repository.git("rev-parse", "HEAD:protected.yaml")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    for bad in (head, tree, ZEROS, "HEAD:protected.yaml", f"{good}\n{good}", f"{good} {good}", ""):
        with pytest.raises(StoreError, match="cannot read") as refused:
            list(blobs(str(repository.file), [bad, good], MOST))
        assert refused.value.hint
    with pytest.raises(StoreError, match="cannot read"):
        list(blobs(str(tmp_path / "protected.yaml"), [good] * 3, MOST))
    assert gits() == []


def test_a_damaged_blob(repository: Repository) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", given=random.Random(1).randbytes(500_000))
    file = loose(repository, blob)
    raw = file.read_bytes()
    file.write_bytes(raw[:250_000] + bytes(1000) + raw[251_000:])
    with pytest.raises(StoreError, match="cannot read"):
        list(blobs(str(repository.file), [blob], MOST))
    assert gits() == []


def test_whoever_stops_early_leaves_no_process(repository: Repository) -> None:
    ids = [repository.git("hash-object", "-w", "--stdin", given=bytes([n]) * 500_000) for n in range(3)]
    answers = blobs(str(repository.file), ids, MOST)
    assert next(answers)[0] == ids[0]
    assert len(gits()) == 1
    answers.close()  # type: ignore[attr-defined]
    assert gits() == []


def test_git_ends_between_two_blobs(repository: Repository) -> None:
    ids = [repository.git("hash-object", "-w", "--stdin", given=bytes([n])) for n in range(2)]
    answers = blobs(str(repository.file), ids, MOST)
    next(answers)
    os.kill(int(gits()[0].split()[1]), signal.SIGKILL)
    while gits()[0].split()[2][0] != "Z":
        time.sleep(0.01)
    with pytest.raises(StoreError, match="cannot read"):
        next(answers)
    assert gits() == []


def many(repository: Repository, number: int, size: int) -> None:
    """A commit of the file with this many bytes, and a commit elsewhere, so often."""
    stream = []
    for n in range(number):
        stream += [b"commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 0\n" % (1790000000 + n)]
        stream += [b"M 100644 inline protected.yaml\ndata %d\n" % size + (b"%08d" % n).ljust(size, b".") + b"\n"]
        stream += [b"commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 0\n" % (1790000000 + n)]
        stream += [b"M 100644 inline other\ndata 8\n%08d\n" % n]
    repository.git("fast-import", "--quiet", given=b"".join(stream))


def traced(trace: Path, command: str) -> int:
    return sum(f"git {command}" in line for line in trace.read_text().splitlines() if "built-in: " in line)


@pytest.mark.slow
def test_thousands_of_blobs_through_one_process(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, size = 3_000, 100_000
    many(repository, number, size)
    path = str(repository.file)
    head = parse_revision(path, "main")
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    history = commits(path, [head])
    assert len(history) == number
    ids = [commit.blob for commit in history if commit.blob]
    tracemalloc.start()
    try:
        for place, (blob, raw) in enumerate(blobs(path, ids, MOST)):
            assert blob == ids[place]
            assert len(raw) == size
            assert raw.startswith(b"%08d" % place)
        assert tracemalloc.get_traced_memory()[1] < 20 * size
    finally:
        tracemalloc.stop()
    assert place == number - 1
    assert traced(trace, "cat-file") == 1
    assert traced(trace, "log") == 1
    assert len(trace.read_text().splitlines()) < 10
