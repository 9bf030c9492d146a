"""A folder, a commit or a repository elsewhere -> the files of one tree, by git.

The tree's id is a digest of all its files, so it names what is built. Uncommitted changes and new files are part of
it; files that git ignores are not. The user's repository is only read: new objects go to a temporary folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from runner.errors import UsageError, suggest
from runner.executors import Say
from runner.sources import git
from runner.sources.git import GitError
from runner.sources.given import Given
from runner.util import aging, folders, locks, scratch

_URL = re.compile(r"git\+(?P<url>(?:https|ssh|file)://\S+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a source at one moment."""

    id: str
    """git's id of the tree: a digest of the names and contents of all files."""
    commit: str
    """The commit that it is, or that it began from; empty for a folder without one."""
    dirty: bool
    """Whether there are changes that are not in the commit."""
    words: str
    """What it is, for a report: ``commit 1a2b3c4 of keras with uncommitted changes``."""
    variables: Mapping[str, str]
    """By which git finds its objects."""

    def label(self, digits: int) -> str:
        """The local part of the version that is made from it.

        ``g1a2b3c4`` for a commit, ``g1a2b3c4.dirty9f8e7d6`` with changes on top, ``t9f8e7d6`` without a commit. The
        digits after ``dirty`` are those of the tree, so that other changes make another version.
        """
        if not self.commit:
            return f"t{self.id[:digits]}"
        return f"g{self.commit[:digits]}" + (f".dirty{self.id[:digits]}" if self.dirty else "")

    def export(self, folder: Path) -> None:
        """Write all files into a folder. Raises UsageError."""
        variables = {**self.variables, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": f"{folder}.index"}
        git.output(["read-tree", self.id], variables, folder)
        git.output(["checkout-index", "--all", "--force"], variables, folder)


@contextmanager
def opened(given: Given, say: Say) -> Iterator[Tree]:
    """The tree that a source names, as long as the context lasts.

    Raises UsageError for a path, a repository or a commit that is not there.
    """
    with scratch.folder("source") as temporary:
        try:
            if given.target.startswith("git+"):
                yield _fetched(given, say)
            else:
                yield _local(given, temporary)
        except GitError as error:
            raise UsageError(f"{given}: {error}") from None


def _local(given: Given, temporary: Path) -> Tree:
    path, revision = _split(given)
    name = path.resolve().name
    git_dir = git.asked(["rev-parse", "--absolute-git-dir"], {}, path)
    if git_dir is None:
        if revision:
            raise GitError(f"{path} is not a git repository, so it has no commit {revision!r}")
        return _plain(path, name, temporary)
    top = Path(git.output(["rev-parse", "--show-toplevel"], {}, path))
    prefix = git.output(["rev-parse", "--show-prefix"], {}, path).rstrip("/")
    variables = {"GIT_DIR": git_dir}
    if revision:
        return _committed(revision, prefix, name, variables, path)
    head = git.asked(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], variables, path) or ""
    objects = Path(git.output(["rev-parse", "--path-format=absolute", "--git-path", "objects"], variables, path))
    variables |= {
        "GIT_WORK_TREE": str(top),
        "GIT_OBJECT_DIRECTORY": str(temporary / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
    }
    (temporary / "objects").mkdir()
    tree = _inside(_written(variables, temporary, top, head), prefix, variables, top)
    before = _inside(f"{head}^{{tree}}", prefix, variables, top) if head else None
    if tree is None or before is None:  # a folder that the repository around it ignores, or does not have yet
        return _plain(path, name, temporary)
    words = f"commit {head[:_SHOWN]} of {name}"
    if tree == before:
        return Tree(tree, head, dirty=False, words=words, variables=variables)
    return Tree(tree, head, dirty=True, words=f"{words} with uncommitted changes", variables=variables)


def _plain(path: Path, name: str, temporary: Path) -> Tree:
    """The tree of a folder that has no commits."""
    variables = {"GIT_DIR": str(temporary / "repository.git")}
    git.output(["init", "--quiet", "--bare"], variables, temporary)
    variables |= {"GIT_WORK_TREE": str(path.resolve())}
    tree = _written(variables, temporary, path.resolve(), "")
    return Tree(tree, "", dirty=False, words=f"the folder {name}", variables=variables)


def _split(given: Given) -> tuple[Path, str]:
    """The folder, and the commit or an empty text. Raises UsageError."""
    whole = given.path
    if whole.is_dir():
        return whole, ""
    before, at, revision = given.target.rpartition("@")
    if at and (path := Path(before).expanduser()).is_dir():
        if not revision:
            raise GitError("no commit after the @")
        return path, revision
    missing = Path(before).expanduser() if at else whole
    if missing.is_file():
        raise GitError("is a file; a wheel goes with --wheel, and --source takes a folder")
    near = [other.name for other in missing.parent.glob("*/")] if missing.parent.is_dir() else []
    raise GitError(f"{missing}: no such folder{suggest(missing.name, near)}")


def _committed(revision: str, prefix: str, name: str, variables: Mapping[str, str], folder: Path) -> Tree:
    """The tree of a commit. Raises GitError for one that is not there."""
    ask = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    commit = git.asked(ask, variables, folder)
    if commit is None:
        tags = (git.asked(["tag", "--list"], variables, folder) or "").split()
        raise GitError(f"no commit {revision!r} in {name}{suggest(revision, tags)}; name a commit, a tag or a branch")
    tree = _inside(f"{commit}^{{tree}}", prefix, variables, folder)
    if tree is None:
        raise GitError(f"commit {revision!r} has no folder {prefix}")
    return Tree(tree, commit, dirty=False, words=f"commit {commit[:_SHOWN]} of {name}", variables=variables)


_SHOWN = 7


def _inside(tree: str, prefix: str, variables: Mapping[str, str], folder: Path) -> str | None:
    """The id of a tree, or of a folder in it; None where it has no such folder."""
    return git.asked(["rev-parse", "--verify", "--quiet", f"{tree}:{prefix}" if prefix else tree], variables, folder)


def _written(variables: Mapping[str, str], temporary: Path, top: Path, head: str) -> str:
    """The id of the tree that the files of a folder make."""
    own = {**variables, "GIT_INDEX_FILE": str(temporary / "index")}
    git.output(["read-tree", head] if head else ["read-tree", "--empty"], own, top)
    git.output(["add", "--all", "."], own, top)
    return git.output(["write-tree"], own, top)


def _fetched(given: Given, say: Say) -> Tree:
    """The tree of a commit in a repository elsewhere.

    What was fetched is kept in the user's cache.
    """
    found = _URL.fullmatch(given.target)
    if found is None:
        raise GitError("it looks like git+https://github.com/keras-team/keras@v3.15.1")
    parts = urlsplit(found["url"])
    path, _, revision = parts.path.rpartition("@") if "@" in parts.path else (parts.path, "", "HEAD")
    url = urlunsplit(parts._replace(path=path))
    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git") or url
    store = folders.cache_dir() / "repositories"
    place = store / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"
    variables = {"GIT_DIR": str(place)}
    try:
        store.mkdir(parents=True, exist_ok=True)
        with locks.held(place.with_suffix(".lock"), lambda who: say(f"waiting for {who}, which fetches {name}")):
            aging.used(place)
            if not place.is_dir():
                aging.prune(store)
                git.output(["init", "--quiet", "--bare"], variables, store)
            commit = _fetch(url, revision, variables, store, lambda: say(f"fetching {name}"))
    except OSError as error:
        raise GitError(f"{store}: cannot be written: {error.strerror}") from None
    return _committed(commit, "", name, variables, store)


def _fetch(url: str, revision: str, variables: Mapping[str, str], folder: Path, starting: Callable[[], None]) -> str:
    """Fetch one commit. Returns a revision that names it.

    Where the server does not hand out that commit alone, all branches and tags are fetched.
    """
    if _COMMIT.fullmatch(revision) and git.asked(["cat-file", "-e", revision], variables, folder) is not None:
        return revision
    starting()
    alone = ["fetch", "--quiet", "--depth", "1", "--no-tags", "--end-of-options", url, revision]
    if git.asked(alone, variables, folder) is not None:
        return "FETCH_HEAD"
    whole = ["--unshallow"] if Path(variables["GIT_DIR"], "shallow").exists() else []
    if revision == "HEAD":  # the server's, which no branch of this repository needs to be
        git.output(["fetch", "--quiet", *whole, "--no-tags", "--end-of-options", url, revision], variables, folder)
        return "FETCH_HEAD"
    everything = [f"+refs/{kind}/*:refs/{kind}/*" for kind in ("heads", "tags")]
    git.output(["fetch", "--quiet", *whole, "--end-of-options", url, *everything], variables, folder)
    return revision
