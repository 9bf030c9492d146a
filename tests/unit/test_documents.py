"""Checks the structure of README and the pages in docs, and that what they name exists."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import cli
from runner.matrix import sets

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="not a checkout")

PAGES = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.is_file()]
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
LINES, WIDTH = 5, 120
"""The longest paragraph: lines, and characters of a line."""
FINDINGS_ENTRIES = ("- `", "- Not so: `")
"""How lines begin that ``runner defects`` made."""


def blocks(text: str) -> Iterator[str]:
    """Yields paragraphs, list items, tables, headings and whole code blocks, in their order."""
    for piece in re.split(r"(^```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE):
        if piece.startswith("```"):
            yield piece
        else:
            for block in re.split(r"\n\s*\n|\n(?=- )", piece):
                if block.strip():
                    yield block.strip("\n")


def is_prose(block: str) -> bool:
    """Whether a block is a paragraph or a list item that a person wrote."""
    return not block.startswith(("```", "|", "#", ">", *FINDINGS_ENTRIES))


def code(text: str) -> Iterator[str]:
    """Yields every line of code blocks and every piece of code in a sentence or table."""
    for block in re.findall(r"^```.*?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))


def commands(text: str) -> Iterator[list[str]]:
    """Yields the words of every call of this program, from the command's name on."""
    for line in code(text):
        for found in re.finditer(r"(?:^|\$ |<\(|&& |python -m |\| )runner (?P<rest>[a-z].*)", line):
            lexer = shlex.shlex(found["rest"], posix=True, punctuation_chars="();<>|&")
            lexer.whitespace_split = True
            yield list(itertools.takewhile(lambda word: word[0] not in "();<>|&", lexer))


def anchors(path: Path) -> set[str]:
    """Returns the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@PAGE
def test_no_paragraph_is_longer_than_five_lines(page: Path) -> None:
    prose = [block for block in blocks(page.read_text("utf-8")) if is_prose(block)]
    assert prose
    assert [block for block in prose if len(block.splitlines()) > LINES] == []
    assert [line for block in prose for line in block.splitlines() if len(line) > WIDTH] == []


@PAGE
def test_a_page_begins_with_what_to_type(page: Path) -> None:
    title, *rest = blocks(page.read_text("utf-8"))
    assert title.startswith("# ")
    if page.name != "README.md":  # which begins with what the program is for
        first = next(index for index, block in enumerate(rest) if block.startswith("```"))
        assert first <= 1, "one sentence, then the command that answers the page's question"


@PAGE
def test_every_command_and_option_exists(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(commands(page.read_text("utf-8")))
    assert found
    for words in found:
        name = words[:2] if words[0] in ("history", "images", "probe") else words[:1]
        assert cli.run([*name, "--help"]) == 0, words
        shown = capsys.readouterr().out
        for word in words:
            if word == "--":
                break
            if word.startswith("--"):
                assert re.search(rf"{re.escape(word.partition('=')[0])}\b", shown), words


@PAGE
def test_every_cell_id_has_valid_axes(page: Path) -> None:
    for text in code(page.read_text("utf-8")):
        for found in re.findall(r"\b[a-z]+-[\d.]+_(?:keras-[\d.]+|native)_py3\.\d+_[a-z]+\b", text):
            assert sets.parse_cell(found).id == found


@PAGE
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


def test_readme_ends_with_ten_words() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    last = text[text.rindex("\n## ") :]
    assert last.startswith("\n## Ten words\n")
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", last, re.MULTILINE)[1:]
    assert len(rows) == len(dict(rows)) == 10


def test_readme_names_every_set(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert cli.run(["list", "--sets"]) == 0
    for line in capsys.readouterr().out.splitlines():
        assert f"`{line.split()[0]}`" in text
