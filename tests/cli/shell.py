"""The installed command, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pexpect

from pocket_protector import Creds, DecryptedDomain, KeyFile

BIN = Path(sys.executable).parent
COMMANDS = ("pprotect", "pocket_protector")
SECONDS = 60

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
KEYS = {name: f"P{byte * 32}P" for name, byte in ((ALICE, "a1"), (BOB, "b2"), (CAROL, "c3"))}
DEV = {"API_KEY": "tulip-dev-api", "db-password": "tulip-dev-db ☃"}
PROD = {"API_KEY": "tulip-prod-api"}

# Nothing of these may ever stand on stderr: keys, values, and the passphrases that tests type.
NEVER_SHOWN = ("a1a1a1a1", "b2b2b2b2", "c3c3c3c3", "tulip", "hunter2", "harbour")


@dataclass(frozen=True)
class Result:
    """What a command left: its exit status and what it wrote."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    def failed(self, code: int, error: str, hint: str | None = None) -> None:
        """It failed with this status, wrote no data, and said so in one `error:` line and perhaps one hint."""
        assert self.code == code, (self.code, self.err)
        assert self.raw == b""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        hints = [line for line in self.err.splitlines() if line.startswith("hint: ")]
        assert len(errors) == 1, self.err
        assert error in errors[0]
        assert not errors[0].removeprefix("error: ")[:1].isupper()
        if hint is not None:
            assert len(hints) == 1, self.err
            assert hint in hints[0]


@dataclass
class Shell:
    """One person's shell: a folder, a home, and variables of which none comes from outside."""

    folder: Path
    home: Path
    command: str = "pprotect"
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        own = {
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
        }
        return kept | own | self.variables | dict(more or {})

    def __call__(
        self,
        *words: str,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Result:
        """Run `pprotect` with these words; without `stdin`, that is /dev/null."""
        return self._result([str(BIN / self.command), *words], stdin, env, folder)

    def done(self, *words: str, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """As a call, for what must succeed: its stdout."""
        result = self(*words, stdin=stdin, env=env)
        assert result.code == 0, (words, result.err)
        return result.out

    def sh(self, script: str, *, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Result:
        """Run a shell script in which `pprotect` is the installed command."""
        return self._result(["bash", "-c", script], stdin, env, None)

    def _result(
        self,
        argv: Sequence[str],
        stdin: str | bytes | None,
        env: Mapping[str, str] | None,
        folder: Path | None,
    ) -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            argv,
            cwd=folder or self.folder,
            env=self.environment(env),
            capture_output=True,
            check=False,
            timeout=SECONDS,
            **({"stdin": subprocess.DEVNULL} if given is None else {"input": given}),
        )
        err = done.stderr.decode()
        assert_harmless(err)
        return Result(done.returncode, done.stdout, err)

    def terminal(self, *words: str, script: str | None = None, env: Mapping[str, str] | None = None) -> Terminal:
        """The command, or a shell script, at a real terminal."""
        argv = ["bash", "-c", script] if script else [str(BIN / self.command), *words]
        child = pexpect.spawn(
            argv[0],
            argv[1:],
            cwd=str(self.folder),
            env=self.environment(env),
            encoding="utf-8",
            codec_errors="replace",
            timeout=SECONDS,
        )
        child.delaybeforesend = None
        return Terminal(child)

    # The file

    @property
    def file(self) -> Path:
        return self.folder / "protected.yaml"

    def store(self) -> KeyFile:
        return KeyFile.from_file(self.file)

    def values(self, domain: str = "dev", name: str = ALICE) -> DecryptedDomain:
        return self.store().decrypt_domain(domain, Creds(name, KEYS[name]))

    def key_file(self, name: str = ALICE) -> str:
        """The path of a file with the raw key of a member of the team."""
        path = self.home / f"{name}.key"
        path.write_text(KEYS[name] + "\n")
        return str(path)

    def as_(self, name: str = ALICE) -> tuple[str, ...]:
        """Options that give the credentials of a member of the team."""
        return ("--user", name, "--passphrase-file", self.key_file(name))


class Terminal:
    """A command at a terminal, and everything that it showed."""

    def __init__(self, child: pexpect.spawn) -> None:
        self._child = child
        self.shown = ""

    def answer(self, prompt: str, answer: str) -> None:
        """Wait for the prompt, and type the answer."""
        self.expect(prompt)
        self._child.sendline(answer)

    def expect(self, text: str) -> None:
        self._child.expect_exact(text)
        self.shown += self._child.before + self._child.after

    def send(self, text: str | bytes) -> None:
        os.write(self._child.child_fd, text.encode() if isinstance(text, str) else text)

    def interrupt(self) -> None:
        self._child.sendintr()

    def end(self) -> int:
        """Wait for the end; the exit status."""
        self._child.expect(pexpect.EOF)
        self.shown += self._child.before
        self._child.close()
        assert "Traceback" not in self.shown
        return self._child.exitstatus if self._child.exitstatus is not None else -self._child.signalstatus


def assert_harmless(err: str) -> None:
    """No traceback, and no secret."""
    assert "Traceback" not in err, err
    assert not [text for text in NEVER_SHOWN if text in err], err


def as_variables(name: str = ALICE, prefix: str = "PPROTECT") -> dict[str, str]:
    """Variables that give the credentials of a member of the team."""
    return {f"{prefix}_USER": name, f"{prefix}_PASSPHRASE": KEYS[name]}


def make_shell(tmp_path: Path) -> Shell:
    """A shell in an empty work tree."""
    folder, home = tmp_path / "work", tmp_path / "home"
    (folder / ".git").mkdir(parents=True)
    home.mkdir()
    return Shell(folder, home)
