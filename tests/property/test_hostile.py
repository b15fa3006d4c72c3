"""Whatever the bytes: a document, or a FormatError or IntegrityError; never another exception (P5)."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from samples import GOOD, VECTORS, find, insert, parse, put, refused

from pocket_protector import FormatError, IntegrityError, KeyFile
from pocket_protector.format.loaded_file import MAX_FILE_BYTES, load

POINTING = (VECTORS.parent / "golden" / "references.yaml").read_text(encoding="utf-8")
LEGACY = (VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")
PIECES = (
    "&a *a !!str !!binary !x << : - ? | > >- |+ ' \" { } [ ] , # % --- ... \t \0 \x85 \u2028 \ufeff \ue000 \U0001f600 "
    "~ null 1 0x1 2026-01-01 meta dev key-custodians audit-log x-a secret- AQ== AA== value owners retired \\u \\ud800 "
    "reference sensitivity low high inject-only medium aws-sm://a a://b?c=d %00 %41 ://"
).split(" ")


def survives(raw: bytes) -> bool:
    """Whether the bytes are a document; what is not one is refused in the two ways that there are."""
    try:
        loaded = load(raw)
    except (FormatError, IntegrityError):
        return False
    assert load(loaded.text.encode()).document == loaded.document
    return True


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
@example(b"")
@example(b"\xef\xbb\xbfmeta: {}")
def test_any_bytes(raw: bytes) -> None:
    assert not survives(raw)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "\n", "\n  ", ": ", "\n- ", " "]), max_size=40).map("".join))
def test_any_pieces_of_yaml(text: str) -> None:
    assert not survives(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from([GOOD, LEGACY, POINTING]), st.randoms(use_true_random=False), st.sampled_from([*PIECES, "\n", " "])
)
def test_pieces_put_into_good_files(text: str, rng: random.Random, piece: str) -> None:
    at = rng.randrange(len(text))
    survives((text[:at] + piece + text[at + rng.choice([0, 0, 1, 5, 40]) :]).encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([GOOD, LEGACY, POINTING]), st.randoms(use_true_random=False))
def test_lines_moved_doubled_and_left_out(text: str, rng: random.Random) -> None:
    lines = text.splitlines(keepends=True)
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(lines))
        taken = lines[start : start + rng.choice([1, 1, 2, 7])]
        if rng.random() < 0.6:
            del lines[start : start + len(taken)]
        if rng.random() < 0.7:
            at = rng.randrange(len(lines) + 1)
            lines[at:at] = taken
    survives("".join(lines).encode())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_as_a_scalar(text: str) -> None:
    """Only the right text is right, however it is quoted."""
    quoted = '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'
    survives(put(GOOD, quoted, "dev", "secret-api-key", "updated").encode())
    for field in ("reference", "sensitivity"):
        survives(put(POINTING, quoted, "dev", "secret-db-url", field).encode())


HOSTILE: dict[str, tuple[str, str]] = {
    "nothing": ("", "the file is empty"),
    "spaces": (" \n\n", "the file is empty"),
    "comment": ("# nothing\n", "the file is empty"),
    "document start": ("---\n", "the top level must be a mapping"),
    "text": ("hello\n", "the top level must be a mapping"),
    "list": ("- a\n", "the top level must be a mapping"),
    "nesting in flow": ("x-a: " + "[" * 100_000, "nested deeper than 16 levels"),
    "nesting in mappings": ("x-a: " + "{a: " * 40_000, "nested deeper than 16 levels"),
    "nesting in blocks": ("".join(" " * depth + "a:\n" for depth in range(40)), "nested deeper than 16 levels"),
    "nesting in dashes": ("- " * 30_000 + "a", "nested deeper than 16 levels"),
    "many entries": ("x-a: [" + "a," * 600_000 + "]", "more than 500000 entries"),
    "billion laughs": ("a: &a [x]\nb: [*a, *a]\n", "anchors are not allowed"),
    "alias to nothing": ("a: *b\n", "aliases are not allowed"),
    "alias as a key": ("*a : b\n", "aliases are not allowed"),
    "anchor on the top": ("&a\nb: c\n", "anchors are not allowed"),
    "tag on the top": ("!!map\nb: c\n", "tags are not allowed"),
    "python tag": ("a: !!python/object/apply:os.system [ls]\n", "tags are not allowed"),
    "tag on a key": ("!!str a: b\n", "tags are not allowed"),
    "empty tag": ("a: ! b\n", "tags are not allowed"),
    "merge key": ("<<: {a: b}\n", "merge keys are not allowed"),
    "merge key in quotes": ("'<<': {a: b}\n", "merge keys are not allowed"),
    "mapping as a key": ("? {a: b}\n: c\n", "a key must be a text"),
    "yaml directive": ("%YAML 1.2\n---\na: b\n", "directives are not allowed"),
    "tag directive": ("%TAG ! tag:a,2026:\n---\na: b\n", "directives are not allowed"),
    "two documents": (GOOD + "---\n" + GOOD, "second YAML document"),
    "document end and more": (GOOD + "...\nmore\n", "did not find expected <document start>"),
    "ours": (GOOD.replace("prod:\n", "<<<<<<< HEAD\nprod:\n=======\n>>>>>>> theirs\n", 1), "git's conflict markers"),
    "diff3": ("||||||| base\n<<<<<<< a\n", "git's conflict markers"),
    "CRLF ours": ("<<<<<<< HEAD\r\n", "git's conflict markers"),
    "BOM": ("\ufeff" + GOOD, "byte order mark"),
    "BOM within": (GOOD.replace("dev:", "\ufeffdev:", 1), ""),
    "surrogate in an escape": (put(GOOD, '"\\ud800"', "meta", "file-id"), "invalid Unicode"),
    "escape beyond Unicode": (put(GOOD, '"\\U00110000"', "meta", "file-id"), "invalid Unicode"),
    "huge": ("#" * (MAX_FILE_BYTES + 1), "more than 10485760 bytes"),
    "long key": ("a" * 2000 + ": b\n", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name: str) -> None:
    text, message = HOSTILE[name]
    start = time.process_time()
    with refused(FormatError) as caught:
        load(text.encode())
    assert message in str(caught.value)
    with refused(FormatError):
        parse(text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "raw", [b"meta:\n  \xff\n", GOOD.encode("utf-16"), b"\x80", b"meta: \xed\xa0\x80", b"\xc0\xaf"], ids=repr
)
def test_not_utf_8(raw: bytes) -> None:
    with refused(FormatError) as caught:
        load(raw)
    assert "not UTF-8" in str(caught.value)


def test_the_line_of_what_is_not_utf_8() -> None:
    with refused(FormatError, "", 3):
        load(b"meta:\n  format: 1\n  file-id: \xff\n")


@pytest.mark.parametrize("text", ["\ud800", GOOD + "# \udfff\n"], ids=["alone", "in a comment"])
def test_a_text_with_half_a_surrogate_pair(text: str) -> None:
    with refused(FormatError):
        parse(text)


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029", "\r"])
def test_unusual_line_ends_in_a_comment_end_it(line_end: str) -> None:
    """What follows them is no comment to YAML, so it is content, and none that is known."""
    with refused(FormatError):
        parse(insert(GOOD, find(GOOD, "prod"), f"# a{line_end}b: c"))


@pytest.mark.parametrize("scalar", ["1", "true", "null", "~", "2026-11-22", "0x10", "1e3", ".nan", "yes"])
def test_scalars_are_their_text(scalar: str) -> None:
    """No reader's idea of types: a custodian may be called 1e3, and an extension may hold anything."""
    from samples import ALICE, raw_key

    from pocket_protector import Creds

    creds = Creds(scalar, raw_key(1))
    file = parse(insert(GOOD, find(GOOD, "prod"), f"x-{scalar}: {scalar}"))
    file = file.add_raw_key_custodian(creds).add_domain(f"d {scalar}", scalar).add_owner("dev", scalar, ALICE)
    again = parse(file.get_contents())
    assert scalar in again.get_key_custodian_names()
    assert again.decrypt_domain("dev", creds) == file.decrypt_domain("dev", ALICE)


def test_a_hostile_file_is_not_loaded_in_part(tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    path.write_text(GOOD + "x-a: *b\n", encoding="utf-8")
    with refused(FormatError, "", 72):
        KeyFile.from_file(path)
