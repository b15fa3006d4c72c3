"""Measure how plain the language of the package and its documentation is.

For each folder and each kind of text, the script prints the relative words
and the headless words per 100 words. The kinds are the docstrings, the
comments, the texts that a user reads (errors, hints, findings, help, notes)
and the Markdown documents. With `--worst N` it lists the N worst places, with
`--phrases` the banned phrases, and with `--verbs` the public functions whose
docstring is missing or does not begin with an imperative verb.

    python tools/language.py [--worst N] [--phrases] [--verbs] [--root FOLDER] [PATH...]
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

HEADLESS = frozenset({"what", "whatever", "who", "whoever", "whom", "whose"})
"""The words that begin most of the clauses without a head."""

RELATIVE = HEADLESS | {"that", "where", "which"}
"""The words that begin a relative clause. "that" also counts as a conjunction and a pronoun: a script cannot tell
them apart, and a text with few of them is plain in either case. With this list the docstrings of commit fe37c6e have
6.1 relative words and 2.6 headless words per 100."""

WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019-]*")

BANNED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\b[Tt]here )\b(?:is|are|was|were) no (?!longer\b|more\b|such\b|later\b|older\b|newer\b)\w+",
        r"\bsuch as can\b",
        r"\bof before\b",
        r"\b(?:what|whom) (?:is|was|are|were|has|had|stands|stood|there)\b",
        r"\b(?:of|by|from|for|in|on|with|to|at|under|behind) (?:what|whom|whoever)\b",
        r"(?:^|[.:;] )(?:What|Whom|Who|Whoever|Whatever)\b(?![^.]*\?)",
        r"\b(?:is|are|was|were|be|been) (?:told|kept|seen)\b(?! by)",
    )
)
"""The phrases that no text may have; some hits are candidates that somebody has to judge."""

VERBS = frozenset(
    """
    abort accept acquire add adopt allow answer append apply approve ask assemble assert assign attach authenticate
    become begin bind block bound build call cancel change charge check choose chunk clear close collect combine
    commit compare complete compose compute confirm connect construct convert copy count create cut decide declare
    decode decrypt delete deliver demand derive describe detect determine diff discover display distinguish divide
    do download drop dump duplicate edit emit encode encrypt end enforce enter enumerate erase escape examine exchange
    exclude execute exit expand explain export extend extract fail fetch fill filter find finish flush fold follow
    forget form format forward freeze generate get give go group guard handle hash hide hold identify ignore import
    include increase indent index infer initialize insert inspect install interpret invalidate issue iterate join
    judge keep know label launch leave let limit link list load locate lock log look lower make map mark match
    measure merge migrate move name narrow negotiate normalize note notify number obtain offer omit open order
    overwrite pack pad parse pass patch peel perform permit pick pin place plan point poll prefer prepare present
    preserve prevent print process produce prompt propose protect prove provide pull push put query quote raise rank
    read rebuild receive recognise recognize recompute record recover redact reduce refer refresh refuse register
    reject release reload remember remove rename render repeat replace reply report request require reset resolve
    respond restore restrict retry return reveal revert review revoke rewrap rewrite roll rotate run save say scan
    scrub seal search select send separate set share show shut sign skip sleep sort splice split start state stop
    store stream strip submit substitute suggest summarise summarize suppress sync take tell test throw tighten
    trace track transform translate treat trim truncate trust try turn undo unlock unpack unpad unwrap update upgrade
    use validate vary verify view wait walk warn watch weaken wipe withhold wrap write yield
    """.split()
)
"""The verbs that the first line of a public docstring may begin with, in the imperative."""

FEWEST_WORDS = 3
"""A string literal with fewer words than this is a key, not a text."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One docstring, comment, text or paragraph of a file under `ROOT`."""

    kind: str
    path: Path
    line: int
    text: str

    @property
    def words(self) -> list[str]:
        return [word.lower() for word in WORD.findall(self.text)]

    @property
    def relative(self) -> int:
        return sum(word in RELATIVE for word in self.words)

    @property
    def headless(self) -> int:
        return sum(word in HEADLESS for word in self.words)

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(slots=True)
class Measure:
    """The counts of several passages."""

    words: int = 0
    relative: int = 0
    headless: int = 0

    def add(self, passage: Passage) -> None:
        """Add one passage to the counts."""
        self.words += len(passage.words)
        self.relative += passage.relative
        self.headless += passage.headless

    @property
    def rates(self) -> tuple[float, float]:
        """The relative words and the headless words per 100 words."""
        return 100 * self.relative / max(self.words, 1), 100 * self.headless / max(self.words, 1)


Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(path: Path, tree: ast.Module) -> Iterator[Passage]:
    """Yield the docstrings of the module and of its classes and functions, private ones included."""
    for node in ast.walk(tree):
        if isinstance(node, Documented):
            text = ast.get_docstring(node)
            if text:
                yield Passage("docstrings", path, node.body[0].lineno, text)


def texts(path: Path, tree: ast.Module) -> Iterator[Passage]:
    """Yield the string literals of at least three words that are not docstrings.

    Nearly all of them are errors, hints, findings, help and notes. An f-string is one text. The text beside an
    attribute counts as a comment.
    """
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in bare | inner:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "\u2026" for part in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if len(WORD.findall(text)) >= FEWEST_WORDS and " " in text and "\\" not in text:
            yield Passage("texts", path, node.lineno, text)


def comments(path: Path, source: str, tree: ast.Module) -> Iterator[Passage]:
    """Yield the comments, and the texts beside attributes."""
    block: list[str] = []
    first, last = 0, -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            if token.start[0] != last + 1 and block:
                yield Passage("comments", path, first, " ".join(block))
                block = []
            first = first if block else token.start[0]
            last = token.start[0]
            block.append(token.string.lstrip("# "))
    if block:
        yield Passage("comments", path, first, " ".join(block))
    documented = {id(node.body[0]) for node in ast.walk(tree) if isinstance(node, Documented) and node.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and id(node) not in documented:
            yield Passage("comments", path, node.lineno, str(node.value.value))


def paragraphs(path: Path, source: str) -> Iterator[Passage]:
    """Yield the paragraphs and table rows of a Markdown document, without code blocks; a code span is one word."""
    fenced, block, first = False, list[str](), 0
    for number, line in enumerate([*source.splitlines(), ""], 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and line.strip() and not line.startswith(("|", "    ")):
            first = first if block else number
            block.append(line)
            continue
        if block:
            yield Passage("docs", path, first, _prose("\n".join(block)))
            block = []
        if not fenced and line.startswith("|"):
            yield Passage("docs", path, number, _prose(line))


def _prose(markdown: str) -> str:
    return re.sub(r"`[^`]+`", "code", re.sub(r"\]\([^)]*\)", "]", markdown))


def passages(root: Path = ROOT) -> list[Passage]:
    """Return every passage of the package and of the documents under `root`, with paths relative to it."""
    found: list[Passage] = []
    for file in sorted((root / "pocket_protector").rglob("*.py")):
        source, path = file.read_text(encoding="utf-8"), file.relative_to(root)
        tree = ast.parse(source)
        found += [*docstrings(path, tree), *texts(path, tree), *comments(path, source, tree)]
    for file in sorted([root / "README.md", *(root / "docs").rglob("*.md")]):
        found += paragraphs(file.relative_to(root), file.read_text(encoding="utf-8"))
    return found


def measures(found: Iterable[Passage]) -> dict[tuple[str, str], Measure]:
    """Return (kind, folder) → counts; the folder "" holds the total of its kind."""
    counts: dict[tuple[str, str], Measure] = defaultdict(Measure)
    for passage in found:
        counts[passage.kind, str(passage.path.parent)].add(passage)
        counts[passage.kind, ""].add(passage)
    return dict(counts)


def banned(found: Iterable[Passage]) -> list[str]:
    """Return a line for each banned phrase in the passages: its place and the phrase with the words around it."""
    lines = []
    for passage in found:
        text = " ".join(passage.text.split())
        for pattern in BANNED:
            for hit in pattern.finditer(text):
                around = text[max(hit.start() - 30, 0) : hit.end() + 30]
                lines.append(f"{passage.place}: {hit[0].strip()!r} in {around!r}")
    return lines


def verbless(root: Path = ROOT) -> list[str]:
    """Return a line for each public function without a docstring, or whose docstring does not begin with a verb.

    A property may begin with a noun. Overloads, special methods and functions inside of functions need no docstring.
    """
    lines = []
    for file in sorted((root / "pocket_protector").rglob("*.py")):
        for node in public_functions(ast.parse(file.read_text(encoding="utf-8"))):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            text = ast.get_docstring(node) or ""
            is_property = any("property" in decorator for decorator in decorators)
            if "overload" in decorators or "override" in decorators or (text and is_property):
                continue
            if text.partition(" ")[0].rstrip(".,").lower() not in VERBS:
                first = text.splitlines()[0] if text else "(no docstring)"
                lines.append(f"{file.relative_to(root)}:{node.lineno}: {node.name}: {first}")
    return lines


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions of a module and the public methods of its public classes."""
    for node in tree.body:
        holders = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
        for member in holders:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and not member.name.startswith("_"):
                yield member


def _print_measures(found: list[Passage]) -> None:
    print(f"{'kind':12}{'folder':44}{'words':>7}{'relative':>10}{'headless':>10}   per 100 words")
    for (kind, folder), measure in sorted(measures(found).items()):
        relative, headless = measure.rates
        print(f"{kind:12}{folder or 'total':44}{measure.words:7}{relative:10.1f}{headless:10.1f}")


def _print_worst(found: list[Passage], most: int) -> None:
    for passage in sorted(found, key=lambda passage: -passage.relative - passage.headless)[:most]:
        text = " ".join(passage.text.split())
        print(f"{passage.place}: {passage.kind}: {passage.relative} of {len(passage.words)}: {text[:160]}")


def main(arguments: list[str]) -> int:
    """Print what the options ask for and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure how plain the language of the project is.")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="list the N worst passages")
    parser.add_argument("--phrases", action="store_true", help="list the banned phrases")
    parser.add_argument("--verbs", action="store_true", help="list public docstrings without an imperative verb")
    parser.add_argument("--root", type=Path, default=ROOT, help="measure another checkout")
    parser.add_argument(
        "paths", nargs="*", help="only files whose path begins so, such as docs/ or pocket_protector/cli"
    )
    options = parser.parse_args(arguments)
    prefixes = tuple(options.paths) or ("",)
    found = [passage for passage in passages(options.root) if str(passage.path).startswith(prefixes)]
    _print_measures(found)
    _print_worst(found, options.worst)
    if options.phrases:
        print(*banned(found), sep="\n")
    if options.verbs:
        print(*(line for line in verbless(options.root) if line.startswith(prefixes)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
