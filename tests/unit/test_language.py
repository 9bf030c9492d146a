"""Checks the English of documents, docstrings, comments and messages.

The phrases to avoid, and the paths that are not checked yet, are data: ``language.toml`` next to this file.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import runner

ROOT = Path(__file__).parents[2]
PACKAGE = Path(runner.__file__).parent
RULES = tomllib.loads(Path(__file__).with_name("language.toml").read_text("utf-8"))
KINDS = ("docs", "docstrings", "comments", "strings")
FIRST_LINE = 80
"""The most characters that the first line of a docstring may have."""


@dataclass(frozen=True)
class Phrase:
    """A pattern to avoid, what to write instead, and one example of each."""

    pattern: re.Pattern[str]
    instead: str
    bad: str
    good: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """One piece of English in a file, and the line it begins on."""

    kind: str
    line: int
    text: str


PHRASES = [
    Phrase(
        re.compile(entry["pattern"], re.IGNORECASE),
        entry["instead"],
        entry["bad"],
        entry["good"],
        tuple(entry.get("kinds", KINDS)),
    )
    for entry in RULES["phrase"]
]


def prose(text: str, *, generated: str | None = None) -> str:
    """Returns Markdown without code and addresses, with its line breaks; also without ``generated`` lines."""
    kept, fenced = [], False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        drop = fence or fenced or (generated is not None and re.search(generated, line))
        kept.append("" if drop else line)
    return re.sub(r"\]\([^)\s]*\)|https?://\S+", "]", without_code("\n".join(kept)))


def without_code(text: str) -> str:
    """Replaces what is between backticks, keeping the line breaks."""
    return re.sub(r"(`+)[^`]+\1", lambda found: "`code`" + "\n" * found[0].count("\n"), text)


def config_texts(source: str) -> Iterator[Text]:
    """Yields a TOML, YAML or shell file as one text without comment signs."""
    yield Text("comments", 1, without_code(re.sub(r"(?m)^(\s*)#+", r"\1", source)))


def python_texts(source: str) -> Iterator[Text]:
    """Yields the docstrings, strings and blocks of comments of a Python file."""
    yield from _literals(ast.parse(source))
    block: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != last + 1:
            yield Text("comments", last - len(block) + 1, without_code("\n".join(block)))
            block = []
        block.append(token.string.lstrip("#"))
        last = token.start[0]
    if block:
        yield Text("comments", last - len(block) + 1, without_code("\n".join(block)))


def _literals(tree: ast.Module) -> Iterator[Text]:
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield Text("strings", node.lineno, without_code("".join(pieces)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            kind = "docstrings" if id(node) in docstrings else "strings"
            yield Text(kind, node.lineno, without_code(node.value))


def first_lines(source: str) -> Iterator[tuple[int, str]]:
    """Yields the line and the fault of every docstring whose first line is not one short sentence."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        docstring = ast.get_docstring(node)
        if not docstring:
            continue
        lines = docstring.splitlines()
        at = node.body[0].lineno
        if len(lines[0]) > FIRST_LINE:
            yield at, f"the first line of the docstring has {len(lines[0])} characters: at most {FIRST_LINE}"
        elif len(lines) > 1 and lines[1].strip():
            yield at, "the first line of the docstring goes on in the next line: end it, then leave a line empty"


def found_phrases(text: Text) -> Iterator[tuple[int, str]]:
    """Yields the line and the message of every phrase to avoid in a text."""
    words = list(re.finditer(r"\S+", text.text))
    joined = " ".join(word[0] for word in words)
    for phrase in PHRASES:
        if text.kind not in phrase.kinds:
            continue
        for found in phrase.pattern.finditer(joined):
            before = joined[: found.start()].count(" ") + (found[0][:1] == " ")
            line = text.line + text.text[: words[before].start()].count("\n")
            yield line, f"{found[0].strip()!r}: write {phrase.instead}"


def texts_of(path: Path, name: str) -> list[Text]:
    """Returns the pieces of English in a file, by the kind of the file."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        return list(python_texts(source))
    if path.suffix == ".md":
        generated = next((entry["line"] for entry in RULES["generated"] if entry["path"] == name), None)
        return [Text("docs", 1, prose(source, generated=generated))]
    return list(config_texts(source))


def faults(path: Path, name: str) -> list[str]:
    """Returns ``file:line: what is wrong and what to write`` for a file, in the order of its lines."""
    found = [fault for text in texts_of(path, name) for fault in found_phrases(text)]
    if path.suffix == ".py":
        found += first_lines(path.read_text("utf-8"))
    return [f"{name}:{line}: {message}" for line, message in sorted(found)]


def files() -> dict[str, Path]:
    """Returns every file with English of this project, by its name in a checkout."""
    sources = [path for path in PACKAGE.rglob("*.py") if "node_modules" not in path.parts]
    found = {f"runner/{path.relative_to(PACKAGE).as_posix()}": path for path in sources}
    patterns = ["*.md", "docs/**/*.md", "docs/**/*.py", "bench/**/*.py", "matrix/*.toml", ".ci/*"]
    patterns += [".github/**/*.yml", ".github/**/*.py", ".github/report"]
    found |= {path.relative_to(ROOT).as_posix(): path for pattern in patterns for path in ROOT.glob(pattern)}
    return dict(sorted(found.items()))


def _unchecked(name: str) -> bool:
    return any(name == path or (path.endswith("/") and name.startswith(path)) for path in RULES["unchecked"])


@pytest.mark.parametrize("name", [name for name in files() if not _unchecked(name)])
def test_the_english_is_plain(name: str) -> None:
    found = faults(files()[name], name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.pattern.pattern[:40])
def test_every_phrase_finds_its_bad_example_and_leaves_the_good_one(phrase: Phrase) -> None:
    assert phrase.pattern.search(phrase.bad)
    for kind in KINDS:
        assert not list(found_phrases(Text(kind, 1, phrase.good)))
    assert set(phrase.kinds) <= set(KINDS)


@pytest.mark.parametrize("sentence", RULES["read-twice"])
def test_sentences_that_had_to_be_read_twice_are_found(sentence: str) -> None:
    assert list(found_phrases(Text("docs", 1, sentence)))


def test_a_phrase_is_found_across_a_line_break_and_reported_on_its_line() -> None:
    source = '"""Fine."""\n\nx = 1  # unlike y,\n# this is\n# no release number\n'
    (text,) = [text for text in python_texts(source) if text.kind == "comments"]
    assert [line for line, _ in found_phrases(text)] == [4]


def test_strings_docstrings_and_comments_are_separate_kinds() -> None:
    source = '"""One."""\nx = f"two {1} more"\n"""Three."""\ny = "four"  # five\n'
    kinds = {(text.kind, text.text.strip()) for text in python_texts(source)}
    assert kinds == {
        ("docstrings", "One."),
        ("strings", "two {} more"),
        ("docstrings", "Three."),
        ("strings", "four"),
        ("comments", "five"),
    }


def test_code_and_generated_lines_of_a_document_are_not_looked_at() -> None:
    text = "a `is no b` c\n```\nis no code\n```\n- `x`: is no entry\nis no excuse\n"
    found = list(found_phrases(Text("docs", 1, prose(text, generated="^- `"))))
    assert [line for line, _ in found] == [6]


def test_a_first_line_is_short_and_ends_in_its_line() -> None:
    long = f'def f():\n    """{"x" * 81}"""\n'
    two = 'def f():\n    """Begins here\n    and ends there.\n    """\n'
    assert [line for line, _ in first_lines(long)] == [2]
    assert [line for line, _ in first_lines(two)] == [2]
    assert not list(first_lines(f'def f():\n    """{"x" * 80}\n\n    More.\n    """\n'))


def test_the_paths_that_are_not_checked_exist() -> None:
    names = files()
    for path in RULES["unchecked"]:
        if (ROOT / path).exists() or path.startswith("runner/"):
            assert any(name == path or name.startswith(path) for name in names), path
