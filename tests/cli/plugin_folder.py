"""Plugins as an installation leaves them: a module beside the metadata that names it, in a folder for PYTHONPATH."""

from __future__ import annotations

from pathlib import Path

GROUP = "pocket_protector.sources"

# A source that does what its references say, such as shelf://value/NAME; each fetch is a line of the file SHELF_CALLS.
SHELF = '''
import os, threading, time

from pocket_protector.errors import Fault, FormatError, ProviderError, ThrottledError
from pocket_protector.references.json_fragment import json_member


class Panic(BaseException):
    pass


class Source:
    form = "shelf://HOW/NAME"
    local = False

    def check(self, reference):
        if reference.query or len(reference.segments) != 2:
            raise FormatError("not a reference to a shelf", hint=self.form)
        if reference.segments[0] == "uncheckable":
            raise LookupError("tulip-check")

    def fetch(self, reference, deadline):
        how, name = reference.segments
        begun = len(self.calls(reference))
        self.note("begin", reference)
        try:
            return getattr(self, f"give_{how}")(name, begun, deadline)
        finally:
            self.note("end", reference)

    def select(self, raw, fragment):
        if fragment == "raise":
            raise LookupError(f"tulip-select {raw!r}")
        if fragment == "exit":
            raise SystemExit(0)
        if fragment == "hang":
            time.sleep(3600)
        return "tulip" if fragment == "text" else json_member(raw, fragment)

    def note(self, event, reference):
        if "SHELF_CALLS" in os.environ:
            with open(os.environ["SHELF_CALLS"], "a") as file:
                file.write(f"{event} {time.monotonic():.4f} {reference}\\n")

    def calls(self, reference):
        try:
            with open(os.environ.get("SHELF_CALLS", ""), encoding="utf-8") as file:
                return [line for line in file if line.startswith("begin") and line.split()[2] == str(reference)]
        except FileNotFoundError:
            return []

    def give_value(self, name, begun, deadline):
        return f"tulip-{name}".encode()

    def give_late(self, name, begun, deadline):
        time.sleep(0.5)
        return f"tulip-{name}".encode()

    def give_counted(self, name, begun, deadline):
        return f"tulip-{begun}".encode()

    def give_json(self, name, begun, deadline):
        return b'{"a": {"b": "tulip-b"}, "c.d": 5, "empty": ""}'

    def give_bytes(self, name, begun, deadline):
        return b"\\xff\\x80tulip\\n"

    def give_nul(self, name, begun, deadline):
        return b"tulip\\0tulip"

    def give_size(self, name, begun, deadline):
        return b"t" * int(name)

    def give_empty(self, name, begun, deadline):
        return b""

    def give_text(self, name, begun, deadline):
        return "tulip-text"

    def give_fault(self, name, begun, deadline):
        raise ProviderError(Fault[name], "the shelf said so", hint="mend the shelf")

    def give_misshapen(self, name, begun, deadline):
        """An error that lacks what one has, or has it of another type."""
        error = ProviderError.__new__(ProviderError)
        for part in name.split(","):
            setattr(error, part, "tulip-misshapen")
        raise error

    def give_exception(self, name, begun, deadline):
        try:
            raise LookupError("tulip-cause")
        except LookupError as error:
            raise RuntimeError("tulip-body") from error

    def give_exit(self, name, begun, deadline):
        raise SystemExit("tulip-exit")

    def give_panic(self, name, begun, deadline):
        raise Panic("tulip-panic")

    def give_hang(self, name, begun, deadline):
        time.sleep(3600)

    def give_busy(self, name, begun, deadline):
        """Throttled as often as the name's first digit says."""
        if begun < int(name[0]):
            raise ThrottledError("the shelf is busy")
        return b"tulip-free"

    def give_later(self, name, begun, deadline):
        """Throttled once, and says for how long."""
        if not begun:
            raise ThrottledError("the shelf is busy", after=float(name))
        return b"tulip-free"

    def give_odd(self, name, begun, deadline):
        raise ThrottledError("the shelf is busy", after="tulip")
'''


def install(folder: Path, name: str, scheme: str, code: str) -> Path:
    """A distribution with one module, whose `Source()` makes the scheme's source; the module's path."""
    module = folder / f"{name.replace('-', '_')}.py"
    info = folder / f"{module.stem}-1.0.dist-info"
    info.mkdir(parents=True)
    module.write_text(code, encoding="utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{scheme} = {module.stem}:Source\n", encoding="utf-8")
    return module


def install_shelf(folder: Path) -> None:
    install(folder, "acme-shelf", "shelf", SHELF)
