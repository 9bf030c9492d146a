"""Finds runs below folders and on a branch of a git repository."""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from runner.errors import UsageError
from runner.results import store
from runner.util import commands, scratch

REPORT = "report-"
"""How the folder of one set's report begins, as the workflow matrix.yml names it."""
_NIGHT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]+")
"""The folder of one night, as nightly.yml names it: a date and a number."""
_GIT_S = 600.0


def below(folder: Path) -> Iterator[Path]:
    """The folders below this one that are a run each, in order.

    That is the folder itself where it is one.

    A folder that matrix.yml has merged is one run, with all results below it.
    Raises UsageError where there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    yield from _below(folder)


def _below(folder: Path) -> Iterator[Path]:
    if (
        folder.name.startswith(REPORT)
        or (folder / store.RESULTS).is_dir()
        or (folder / store.RECORD).is_file()
        or (folder / "plan" / store.RECORD).is_file()
    ):
        yield folder
        return
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            yield from _below(child)


class Branch:
    """The nights on a branch of a local git repository.

    Nothing of the repository is changed.
    """

    def __init__(self, repository: Path, name: str) -> None:
        """Raises UsageError where there is no such repository or branch."""
        self._repository = repository
        if not repository.is_dir():
            raise UsageError(f"{repository}: no such folder; a repository elsewhere must be cloned first")
        if commands.run(["git", "--version"], timeout_s=_GIT_S).code != 0:
            raise UsageError("git is not installed; without it, `runner history import DIR` reads a checked out branch")
        if self._git("rev-parse", "--git-dir").code != 0:
            raise UsageError(f"{repository}: not a git repository; `runner history import DIR` reads folders")
        for place in ("refs/heads", "refs/remotes/origin"):
            found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{place}/{name}^{{commit}}")
            if found.code == 0:
                self._commit = found.output.strip()
                return
        raise UsageError(f"{repository}: has no branch {name!r}; `git fetch origin {name}` brings it here")

    def nights(self) -> tuple[str, ...]:
        """The folders of the branch that are a night each, in the order of time."""
        listed = self._git("ls-tree", "-d", "-z", "--name-only", self._commit).output.split("\0")
        return tuple(sorted(name for name in listed if _NIGHT.fullmatch(name)))

    @contextmanager
    def results(self, night: str) -> Iterator[Path]:
        """A temporary folder with the result files and records of one night.

        Raises UsageError.
        """
        with scratch.folder("history") as folder:
            packed = folder / "night.tar"
            ended = self._git("archive", "--format=tar", f"--output={packed}", self._commit, night)
            if ended.code != 0:
                raise UsageError(f"{self._repository}: git cannot read {night}: {ended.errors.strip()[:200]}")
            unpack(packed, folder / "night")
            yield folder / "night" / night

    def _git(self, *words: str) -> commands.Ended:
        return commands.run(["git", "-C", str(self._repository), *words], timeout_s=_GIT_S)


def unpack(packed: Path, target: Path) -> None:
    """Write the result files and records of a tar file below a folder, and no others.

    Raises UsageError for a file that is not a whole tar file.
    """
    target.mkdir()
    try:
        with tarfile.open(packed, "r:") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if not member.isreg() or path.is_absolute() or ".." in path.parts or not _wanted(path):
                    continue
                content = tar.extractfile(member)
                if content is not None:
                    place = target.joinpath(*path.parts)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with place.open("xb") as file, content:
                        shutil.copyfileobj(content, file)
    except tarfile.TarError as error:
        raise UsageError(f"{packed}: not a whole tar file ({error})") from None


def _wanted(path: PurePosixPath) -> bool:
    """Whether a path is that of a result or of the record of a run."""
    within = len(path.parts) > 3 and path.parts[-4] == store.RESULTS and path.suffix == ".json"
    return within or path.name == store.RECORD
