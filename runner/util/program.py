"""The command that started this program, for messages that name commands.

The same program is ``python -m runner`` in a clone, ``keras-version-matrix`` or ``runner`` where it is installed, and
``uvx keras-version-matrix`` or ``pipx run keras-version-matrix`` where it is not. A message that says what to type next
begins as the user began.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from functools import lru_cache
from pathlib import Path, PurePath

from runner.util import plain

PACKAGE = "keras-version-matrix"
"""The name on the package index, and of the console script that ``uvx`` and ``pipx run`` look for."""
SHORT = "runner"
"""The other console script, and what sentences call the program where it runs as a module."""
MODULE = ("python", "-m", "runner")
VARIABLE = "RUNNER_COMMAND"

_UV_CACHE = re.compile(r"(?:archive|environments|builds)-v\d+")
"""Folders of uv's cache, in which ``uvx`` keeps its environments."""
_COMMAND = re.compile(r"`(?:python -m )?runner(?= [a-z-])")
"""How this program's own messages name a command: in backticks."""


def words() -> tuple[str, ...]:
    """What was typed before a command: ``("uvx", "keras-version-matrix")``.

    The environment variable RUNNER_COMMAND says it otherwise: a report of CI is read by people who start the program
    in another way than CI does.
    """
    said = os.environ.get(VARIABLE, "")
    return tuple(said.split()) or _started(sys.argv[0], sys.prefix)


def brief() -> tuple[str, ...]:
    """The same, where a module is called ``runner``, as README does."""
    found = words()
    return (SHORT,) if found == MODULE else found


def name() -> str:
    """The same for sentences, quoted for a shell."""
    return shlex.join(brief())


def anywhere() -> str:
    """The same for a file that goes to other machines.

    It leaves out where this program was installed from.
    """
    found = brief()
    return shlex.join((*found[:-3], PACKAGE) if {"--from", "--spec"} & {*found} else found)


def prefix() -> str:
    """The name of the program alone, with which lines on stderr begin."""
    return name().rpartition(" ")[2]


def named(text: str) -> str:
    """A message of this program, with its commands as the user types them."""
    return text if words() == MODULE else _COMMAND.sub(lambda _: f"`{name()}", text)


def warn(line: str) -> None:
    """Write a line about a problem to standard error. Raises OSError."""
    plain.say(f"{prefix()}: {named(line)}", err=True)


@lru_cache(maxsize=8)
def _started(script: str, environment: str) -> tuple[str, ...]:
    """The words for a program at ``script`` in a Python environment."""
    called = PurePath(script).name.removesuffix(".exe")
    if called not in (PACKAGE, SHORT):
        return MODULE
    parts = PurePath(environment).parts
    if any(_UV_CACHE.fullmatch(part) for part in parts):
        return _passing(("uvx",), "--from", called)
    if "pipx" in parts and "venvs" not in parts:  # `pipx install` keeps its environments in venvs
        return _passing(("pipx", "run"), "--spec", called)
    return (called,)


def _passing(tool: tuple[str, ...], option: str, called: str) -> tuple[str, ...]:
    """The words for a tool that makes an environment and runs a program in it."""
    source = origin()
    if source or called != PACKAGE:
        return (*tool, option, source or PACKAGE, called)
    return (*tool, called)


def origin() -> str:
    """Where this program was installed from, as ``--from`` takes it.

    Empty for the package index. The installer has written it down (PEP 610).
    """
    from importlib import metadata
    from urllib.parse import unquote, urlsplit

    try:
        content = json.loads(metadata.distribution(PACKAGE).read_text("direct_url.json") or "{}")
        url, revision = str(content.get("url", "")), str(content.get("vcs_info", {}).get("requested_revision", ""))
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        return ""
    if "vcs_info" in content:
        return f"git+{url}" + (f"@{revision}" if revision else "")
    return str(Path(unquote(urlsplit(url).path))) if url.startswith("file:") else url
