"""Prints the changelog of a tag, where the tag is a release of this checkout.

    python .github/release/notes.py v0.2.0 >notes.md

The tag has to be the version of ``runner/__init__.py``, and CHANGELOG.md a section of that version with a date and
entries, and nothing under Unreleased. Exit code 1, with a line for each problem on stderr, otherwise.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNRELEASED = "Unreleased"

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\S+))?[ \t]*$", re.MULTILINE)


def problems(tag: str, source: str, changelog: str) -> list[str]:
    """What keeps a tag from being released; empty where nothing does.

    ``source`` is the text that has the version, ``changelog`` that of CHANGELOG.md. Pure.
    """
    found = _VERSION.findall(source)
    if len(found) != 1:
        return ["runner/__init__.py has no version"]
    (version,) = found
    lines = [] if tag == f"v{version}" else [f"the tag is {tag}, and runner/__init__.py has version {version}"]
    sections = {name: (date, text.strip()) for name, date, text in _sections(changelog)}
    if version not in sections:
        return [*lines, f"CHANGELOG.md has no section: ## [{version}] - {dt.datetime.now(dt.UTC):%Y-%m-%d}"]
    date, text = sections[version]
    try:
        dt.date.fromisoformat(date or "")
    except ValueError:
        lines.append(f"CHANGELOG.md: the section [{version}] has no date: ## [{version}] - YYYY-MM-DD")
    if not text:
        lines.append(f"CHANGELOG.md: the section [{version}] is empty")
    if sections.get(UNRELEASED, ("", ""))[1]:
        lines.append(f"CHANGELOG.md: [{UNRELEASED}] has entries; move them to [{version}] or to a later release")
    return lines


def notes(tag: str, changelog: str) -> str:
    """The section of a tag without its heading."""
    return next(text.strip() for name, _, text in _sections(changelog) if f"v{name}" == tag) + "\n"


def _sections(changelog: str) -> list[tuple[str, str, str]]:
    """The version, the date and the text of every section."""
    found = list(_HEADING.finditer(changelog))
    ends = [*(one.start() for one in found[1:]), len(changelog)]
    return [(one[1], one[2] or "", changelog[one.end() : end]) for one, end in zip(found, ends, strict=True)]


def main(arguments: Sequence[str]) -> int:
    """The program; its exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: notes.py TAG\n")
        return 2
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = problems(arguments[0], (ROOT / "runner/__init__.py").read_text("utf-8"), changelog)
    for line in found:
        sys.stderr.write(f"::error title=Not a release::{line}\n")
    if found:
        return 1
    sys.stdout.write(notes(arguments[0], changelog))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
