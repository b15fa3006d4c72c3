"""The language stays plain: relative and headless words, banned phrases and verbless docstrings (tools/language.py)."""

from __future__ import annotations

import ast
from pathlib import Path

import language
import pytest

# The one place of the limits. Per kind: relative words and headless words per 100 words, and banned phrases.
LIMITS = {
    "docstrings": (3.0, 0.5, 3),
    "comments": (3.0, 0.5, 0),
    "texts": (3.0, 0.5, 32),
    "docs": (3.0, 0.5, 56),
}
MOST_VERBLESS = 17
"""Public functions whose docstring is missing or does not begin with a verb."""

PASSAGES = language.passages()


@pytest.mark.parametrize("kind", LIMITS)
def test_kind_is_within_its_limits(kind: str) -> None:
    relative, headless = language.measures(PASSAGES)[kind, ""].rates
    phrases = language.banned(passage for passage in PASSAGES if passage.kind == kind)
    most_relative, most_headless, most_phrases = LIMITS[kind]
    assert relative <= most_relative, "python tools/language.py --worst 30"
    assert headless <= most_headless, "python tools/language.py --worst 30"
    assert len(phrases) <= most_phrases, "python tools/language.py --phrases"


def test_public_docstrings_begin_with_a_verb() -> None:
    assert len(language.verbless()) <= MOST_VERBLESS, "python tools/language.py --verbs"


def test_words_are_counted() -> None:
    passage = language.Passage("docs", Path("a.md"), 1, "What whom it's for reads, whose key THAT is; somewhat so.")
    measure = language.Measure()
    measure.add(passage)
    assert (measure.words, measure.relative, measure.headless) == (11, 4, 3)
    assert measure.rates == pytest.approx((400 / 11, 300 / 11))
    assert language.Measure().rates == (0, 0)


def test_kinds_are_told_apart() -> None:
    source = '''"""The module."""
key = "one two"  # why this is safe
"""What the key is."""
def refuse(name: str) -> None:
    """Refuse it."""
    # first line
    # second line
    raise ValueError(f"{name} is no valid name", "x")
'''
    path, tree = Path("a.py"), ast.parse(source)
    assert [passage.text for passage in language.docstrings(path, tree)] == ["The module.", "Refuse it."]
    assert [(passage.line, passage.text) for passage in language.texts(path, tree)] == [(8, "… is no valid name")]
    assert [(passage.line, passage.text) for passage in language.comments(path, source, tree)] == [
        (2, "why this is safe"),
        (6, "first line second line"),
        (3, "What the key is."),
    ]


def test_code_is_not_prose() -> None:
    markdown = "# Head\n\nOne `what` and\n[two](where.md).\n\n```\nwhat code\n```\n| that | row |\n"
    assert [(passage.line, passage.text) for passage in language.paragraphs(Path("a.md"), markdown)] == [
        (1, "# Head"),
        (3, "One code and\n[two]."),
        (9, "| that | row |"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "foo is no key",
        "legacy keys such as can sign",
        "a signature of before",
        "what was seen",
        "Open it for whom it is",
    ],
)
def test_banned_phrase(text: str) -> None:
    assert language.banned([language.Passage("texts", Path("a.py"), 7, text)])[0].startswith("a.py:7: ")


@pytest.mark.parametrize(
    "text",
    [
        "it is no longer there",
        "there is no key of that name",
        "an owner who was removed",
        "What should the key be called?",
        "It checks that the key is valid.",
    ],
)
def test_allowed_phrase(text: str) -> None:
    assert language.banned([language.Passage("texts", Path("a.py"), 7, text)]) == []


def test_verbless_functions_are_listed(tmp_path: Path) -> None:
    package = tmp_path / "pocket_protector"
    package.mkdir()
    (package / "a.py").write_text(
        'def one() -> int:\n    """The number."""\n'
        'def two() -> int:\n    """Return the number."""\n'
        "def three() -> int: ...\n"
        "def _four() -> int: ...\n"
        'class Five:\n    @property\n    def six(self) -> int:\n        """The number."""\n',
        encoding="utf-8",
    )
    assert language.verbless(tmp_path) == [
        "pocket_protector/a.py:1: one: The number.",
        "pocket_protector/a.py:5: three: (no docstring)",
    ]
