"""The commits of a repository, as ``runner bisect`` searches them. Only reads."""

from __future__ import annotations

import ast
import configparser
import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import UsageError, suggest
from runner.sources import git

DIGITS = 12
"""The hex digits by which a commit is named here; unique in any repository of today."""
_PULL = re.compile(r"\(#(?P<number>[0-9]+)\)\s*$|^Merge pull request #(?P<merged>[0-9]+)\b")
_GITHUB = re.compile(r"(?:https://|ssh://)?(?:[^@/]+@)?github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?", re.ASCII)
_MAIN = ("refs/remotes/origin/HEAD", "refs/remotes/origin/master", "refs/remotes/origin/main", "HEAD")
"""The branch that nightly builds are made from: the remote's own, else what is checked out."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a report names of a commit."""

    hash: str
    day: str
    """Of the author: ``2026-05-01``."""
    subject: str
    parents: tuple[str, ...]
    """Their full hashes."""

    @property
    def name(self) -> str:
        """The hash as it is used here."""
        return self.hash[:DIGITS]

    @property
    def pull(self) -> str:
        """The number of its pull request, where the subject has it.

        >>> Commit("1a2b3c", "2026-05-01", "Fix median (#23481)", ()).pull
        '23481'
        """
        found = _PULL.search(self.subject)
        return (found["number"] or found["merged"]) if found else ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Commits of one line of development, oldest first.

    Each is the first parent of the next.
    """

    commits: tuple[str, ...]
    apart: bool = False
    """Whether the first one is where the two ends diverge, because the older end is not on the newer one's line."""


@dataclass(frozen=True, slots=True)
class History:
    """A repository of the user's."""

    place: str
    """As the user named it."""
    folder: Path
    shallow: bool = field(default=False)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.resolve().name

    @property
    def project(self) -> str:
        """The project's name as its files state it.

        Empty where only its build knows it.
        """
        return _project(self.folder)

    def commit(self, word: str) -> str:
        """The commit that a hash, a tag or a branch names.

        Raises UsageError where there is none.
        """
        found = self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}")
        if found is None:
            near = suggest(word, self._tags())
            raise self._error(
                f"no commit {word!r} in {self.name}{near}; name a commit, a tag or a branch{self._missing()}"
            )
        return found[:DIGITS]

    def tagged(self, package: str, version: str) -> str:
        """The commit of a release, by its tag.

        Raises UsageError where no tag is named after it.
        """
        names, found = self._named_after(package, version)
        if not found:
            way_out = f"fetch the tags (git -C {self.place} fetch --tags), or name the commits with --good and --bad"
            raise self._error(
                f"no tag of {package} {version} in {self.name} ({names[0]}, {names[1]}); {way_out}{self._missing()}"
            )
        return self.commit(f"refs/tags/{found}")

    def has_tag(self, package: str, version: str) -> bool:
        """Whether a tag is named after a release."""
        return bool(self._named_after(package, version)[1])

    def _named_after(self, package: str, version: str) -> tuple[list[str], str]:
        """The names that the tag of a release may have, and the one that is there.

        The latter is empty where there is none.
        """
        tags = self._tags()
        names = [f"{before}{version}" for before in ("v", "", f"{package}-v", f"{package}-", "release-")]
        return names, next((name for name in names if name in tags), "")

    def before(self, moment: dt.datetime) -> str:
        """The newest commit of the main branch that was committed before a moment.

        Raises UsageError.
        """
        main = next(ref for ref in _MAIN if ref == "HEAD" or self._asked("rev-parse", "--verify", "--quiet", ref))
        stamp = int(moment.timestamp())
        found = self._output("rev-list", "--first-parent", "--max-count=1", f"--before={stamp}", main, "--")
        if not found:
            raise self._error(f"no commit of {self.name} before {moment:%Y-%m-%d %H:%M} UTC{self._missing()}")
        return found[:DIGITS]

    def stretch(self, old: str, new: str) -> Stretch:
        """The commits of the first-parent line of ``new``, from ``old`` on.

        Where ``old`` is not on that line (a patch release), the first one is where the two diverge, as
        ``git bisect`` tests the merge base first. Raises UsageError where no line joins them.
        """
        base = self._asked("merge-base", old, new)
        if not base:
            raise self._error(f"{old} and {new} have no commit in common{self._missing()}")
        listed = self._output("rev-list", "--first-parent", "--reverse", new, f"^{old}", "--").split()
        if not listed or base.startswith(new):
            raise self._error(f"{new} is not after {old} in {self.name}: the ends are on one line the other way round")
        first = self._output("rev-parse", "--verify", f"{listed[0]}^1")
        commits = tuple(one[:DIGITS] for one in (first, *listed))
        return Stretch(commits, apart=commits[0] != old[:DIGITS])

    def is_before(self, one: str, other: str) -> bool:
        """Whether a commit is an ancestor of another one."""
        return one != other and self._asked("merge-base", "--is-ancestor", one, other) is not None

    def described(self, commits: Sequence[str]) -> dict[str, Commit]:
        """What is known of commits, by their names here."""
        if not commits:
            return {}
        shown = self._output("show", "--no-patch", "--no-color", f"--format={_FORMAT}", *commits, "--")
        rows = (line.split("\x1f") for line in shown.splitlines() if line.count("\x1f") == _FIELDS)
        found = (Commit(hash_, day, subject, tuple(parents.split())) for hash_, day, parents, subject in rows)
        return {one.name: one for one in found}

    def merged(self, commit: Commit) -> int:
        """How many commits a merge commit brought to its first parent's line."""
        first, *others = commit.parents
        return int(self._output("rev-list", "--count", *others, f"^{first}", "--")) if others else 0

    @property
    def web(self) -> str:
        """The address of the repository on GitHub, or empty."""
        for remote in dict.fromkeys(("origin", "upstream", *(self._asked("remote") or "").split())):
            found = _GITHUB.fullmatch(self._asked("remote", "get-url", "--", remote) or "")
            if found:
                return f"https://github.com/{found['name']}"
        return ""

    def _tags(self) -> list[str]:
        return self._output("tag", "--list").split()

    def _missing(self) -> str:
        """What may be the reason that something is not there."""
        return f"; it is a shallow clone: git -C {self.place} fetch --unshallow --tags" if self.shallow else ""

    def _asked(self, *words: str) -> str | None:
        return git.asked(list(words), {}, self.folder)

    def _output(self, *words: str) -> str:
        try:
            return git.output(list(words), {}, self.folder)
        except git.GitError as error:
            raise self._error(f"{error}{self._missing()}") from None

    def _error(self, text: str) -> UsageError:
        return UsageError(f"--source {self.place}: {text}")


_FIELDS = 3
_FORMAT = "%H%x1f%as%x1f%P%x1f%s"


def _project(folder: Path) -> str:
    """What pyproject.toml, setup.cfg or setup.py states as a name."""
    with suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        name = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {}).get("name")
        if isinstance(name, str):
            return name
    with suppress(OSError, UnicodeDecodeError, configparser.Error):
        parsed = configparser.ConfigParser(interpolation=None)
        parsed.read_string((folder / "setup.cfg").read_text(encoding="utf-8"))
        if name := parsed.get("metadata", "name", fallback=""):
            return name
    with suppress(OSError, UnicodeDecodeError, SyntaxError, ValueError):
        tree = ast.parse((folder / "setup.py").read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        given = [one.value for node in calls if _is_setup(node.func) for one in node.keywords if one.arg == "name"]
        return next((one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)), "")
    return ""


def _is_setup(called: ast.expr) -> bool:
    """Whether ``setup(...)`` or ``setuptools.setup(...)`` is called."""
    return ast.unparse(called).rpartition(".")[2] == "setup"


def opened(place: str) -> History:
    """The history of a repository of this machine.

    Raises UsageError where there is none.
    """
    folder = Path(place).expanduser()
    if place.startswith("git+") or "://" in place:
        raise UsageError(f"--source {place}: clone it first: the search needs a folder with its whole history")
    if not folder.is_dir():
        near = [other.name for other in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        before, at, revision = place.rpartition("@")
        if at and Path(before).expanduser().is_dir():
            raise UsageError(f"--source {place}: leave out @{revision}: --good and --bad name the commits")
        raise UsageError(f"--source {place}: no such folder{suggest(folder.name, near)}")
    try:
        inside = git.asked(["rev-parse", "--is-inside-work-tree"], {}, folder)
        if inside is None:
            raise UsageError(f"--source {place}: it is not a git repository, so it has no commits to search")
        if inside != "true":
            raise UsageError(f"--source {place}: it has no working tree; clone it: git clone {place} FOLDER")
        if git.asked(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], {}, folder) is None:
            raise UsageError(f"--source {place}: it has no commits yet")
        shallow = git.asked(["rev-parse", "--is-shallow-repository"], {}, folder) == "true"
    except git.GitError as error:
        raise UsageError(f"--source {place}: {error}") from None
    return History(place, folder, shallow)
