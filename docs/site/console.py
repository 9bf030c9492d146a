"""Reads the console blocks of README and docs, their classes and outputs.

Every block of shell commands has a class behind its language, and a reason where it is not always run::

    ```console run            on every machine, in every test run
    ```console engine         needs a Docker engine: with --engine --blocks
    ```console network        needs a package index: the same
    ```sh long: 25 images     takes long: never run by a test, the reason says what it needs
    ```sh never: a placeholder, OWNER, must be filled in

A ``console`` block has commands behind ``$ `` and their output. ``...`` stands for the rest of a line, a line of
``...`` for any lines. An ``sh`` block has commands alone. Further words:

    exit=1      the exit code of its commands (0 where it is left out); exit=0,3: either
    varies      the output has figures of the machine: its words are compared, and numbers stand for any numbers
    file=NAME   of any other language: the block is the text of that file, in the folder where the page's blocks run
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z0-9+-]*)(?P<more>[^\n]*)$", re.MULTILINE)
BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
SHELL = frozenset({"sh", "console"})
TEXTS = frozenset({"text", "python", "toml", "yaml", "json", "html", "dockerfile"})
"""Languages of blocks that are not commands."""
RUN = ("run", "engine", "network")
LEFT_OUT = ("long", "never")
"""Classes that no test runs; they have a reason."""


class ClassError(Exception):
    """A block has no class, or one that is not known."""


@dataclass(frozen=True)
class Command:
    """One command of a block and the lines it prints; None: they are not shown."""

    text: str
    output: tuple[str, ...] | None


@dataclass(frozen=True)
class Block:
    """One fenced block of shell commands, or of a file (``file`` is its name then)."""

    line: int
    kind: str
    commands: tuple[Command, ...] = ()
    reason: str = ""
    exit_codes: tuple[int, ...] = (0,)
    varies: bool = False
    file: str = ""
    text: str = ""


def blocks(page: str) -> Iterator[Block]:
    """Yields the blocks of a page that are commands or files.

    Raises ClassError with the line.
    """
    for found in BLOCK.finditer(page):
        line = page[: found.start()].count("\n") + 1
        language, _, more = found["info"].partition(" ")
        body = re.sub(rf"(?m)^{found['indent']}", "", found["body"])
        if language in TEXTS:
            name = dict(part.partition("=")[::2] for part in more.split()).get("file", "")
            if name:
                yield Block(line, "file", file=name, text=body)
        elif language in SHELL:
            yield _shell_block(line, language, more, body)
        else:
            raise ClassError(f"line {line}: language {language!r}: one of {', '.join(sorted(SHELL | TEXTS))}")


def _shell_block(line: int, language: str, more: str, body: str) -> Block:
    if "`" in more:
        raise ClassError(f"line {line}: a backtick behind the language: Markdown takes the block for text then")
    words, _, reason = more.partition(":")
    kind, *rest = words.split() or [""]
    if kind not in (*RUN, *LEFT_OUT):
        known = ", ".join((*RUN, *LEFT_OUT))
        raise ClassError(f"line {line}: a block of commands without a class behind {language!r}: {known}")
    if (kind in LEFT_OUT) != bool(reason.strip()):
        raise ClassError(f"line {line}: {kind}: {'say why, behind a colon' if kind in LEFT_OUT else 'takes no reason'}")
    options = dict(part.partition("=")[::2] for part in rest)
    if unknown := options.keys() - {"exit", "varies"}:
        raise ClassError(f"line {line}: {', '.join(sorted(unknown))}: only exit=N and varies are known")
    codes = tuple(int(code) for code in (options.get("exit") or "0").split(","))
    commands = tuple(_with_output(body) if language == "console" else _alone(body))
    if not commands:
        raise ClassError(f"line {line}: a block without a command; in console blocks `$ ` is missing")
    return Block(line, kind, commands, reason.strip(), codes, "varies" in options)


def _with_output(body: str) -> Iterator[Command]:
    for piece in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        lines = piece.splitlines()
        end = next(index for index, line in enumerate(lines) if not line.endswith("\\"))
        yield Command("\n".join(lines[: end + 1]), tuple(line.rstrip() for line in lines[end + 1 :]))


def _alone(body: str) -> Iterator[Command]:
    text = re.sub(r"\s+# [^\n]*$", "", body, flags=re.MULTILINE).replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield Command(line.strip(), None)


NUMBER = re.compile(r"[+−-]?\d[\d.,]*(?:e[+-]?\d+)?")


def fits(shown: tuple[str, ...], printed: str, *, varies: bool = False) -> bool:
    """Whether a command printed what the page shows."""
    lines = [_loose(line) if varies else line for line in shown]
    text = "".join((_loose(line) if varies else line.rstrip()) + "\n" for line in printed.strip("\n").splitlines())
    pattern = ""
    for line in lines:
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*?".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.fullmatch(pattern, text) is not None


def _loose(line: str) -> str:
    """Returns a line with one sign for each number, and one space for several."""
    return " ".join(NUMBER.sub("#", line.replace("...", "\x00")).split()).replace("\x00", "...")


def main() -> int:
    """Prints every block of README and docs with its class; returns the exit code."""
    root = Path(__file__).parents[2]
    for path in pages(root):
        for block in blocks(path.read_text("utf-8")):
            if block.kind != "file":
                reason = f": {block.reason}" if block.reason else ""
                print(f"{path.relative_to(root)}:{block.line}: {block.kind}{reason}: {block.commands[0].text}")
    return 0


def pages(root: Path) -> list[Path]:
    """Returns the pages whose blocks are commands to run."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md")), root / "docs/gallery/README.md"]


if __name__ == "__main__":
    sys.exit(main())
