"""Prints the words that action.yml adds to ``runner matrix``, each ended by a NUL.

    ARGUMENTS='--only "jax-*"' IMAGES= COMMENT=true GITHUB_ACTION_PATH=... python .github/action/words.py

ARGUMENTS is read as a POSIX shell reads it, but nothing in it is expanded or run. Exit code 2, with one line on
stderr: an input of the action cannot be used.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence

OURS = ("--out", "--format", "--dry-run")
"""Options of the run that the action needs for itself."""
NONE = ("--help", "-h")
"""Options with which nothing runs."""
REGISTRY = "ghcr.io"
SWITCHES = frozenset({"yes", "no", "on", "off", "0", "1", "none", "never", "always"})
"""Words that mean true or false elsewhere, so that they cannot be the name of a comment."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,49}")
"""The name of a comment, which is part of the name of an artifact too."""

_FETCHED = re.compile(r"/_actions/(?P<owner>[^/]+)/[^/]+/[^/]+/?")
"""How the path of an action ends that GitHub has fetched: owner, repository, commit."""


class InputError(Exception):
    """An input of the action cannot be used. Its text is one line."""


def words(environment: Mapping[str, str]) -> list[str]:
    """The words of ``runner matrix``, from the step's environment.

    Raises InputError.
    """
    comment(environment.get("COMMENT", "true"))
    try:
        given = shlex.split(environment.get("ARGUMENTS", ""))
    except ValueError as error:
        raise InputError(f"arguments: cannot be read as a shell reads them: {str(error).lower()}") from None
    if "\0" in "".join(given):
        raise InputError("arguments: have a NUL")
    for word in given:
        if word.partition("=")[0] in OURS:
            raise InputError(f"arguments: leave out {word}: the action chooses {', '.join(OURS)}")
        if word in NONE:
            raise InputError(f"arguments: leave out {word}: nothing would run")
    return [*_images(environment, given), *given]


def comment(given: str) -> str:
    """The input ``comment``: ``true`` or ``false``, else a name.

    Both are taken in any case. Raises InputError.
    """
    if not NAME.fullmatch(given):
        raise InputError("comment: true, false, or a name of letters, digits, spaces, dots and dashes")
    if given.lower() in ("true", "false"):
        return given.lower()
    if given.lower() in SWITCHES:
        raise InputError(f"comment: {given!r} is not the name of a comment; write true or false")
    return given


def _images(environment: Mapping[str, str], given: Sequence[str]) -> list[str]:
    """``--pull-from`` and its value, or nothing."""
    images = environment.get("IMAGES", "")
    if images.lower() == "none":
        return []
    if images and not re.fullmatch(r"[^\s/]+(?:/[^\s/]+)+", images):
        raise InputError(f"images: {images!r} is neither none nor REGISTRY/OWNER, such as ghcr.io/owner")
    if images:
        return ["--pull-from", images]
    # the owner's images are a default: they give way to what the arguments say about where cells run
    chosen = any(word.partition("=")[0] in ("--executor", "--pull-from") for word in given)
    found = _FETCHED.search(environment.get("GITHUB_ACTION_PATH", ""))
    return ["--pull-from", f"{REGISTRY}/{found['owner'].lower()}"] if found and not chosen else []


def main() -> int:
    """Print the words; returns the exit code."""
    try:
        found = words(os.environ)
    except InputError as error:
        sys.stderr.write(f"keras-version-matrix: {error}\n")
        return 2
    sys.stdout.write("".join(f"{word}\0" for word in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
