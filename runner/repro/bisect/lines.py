"""What a search moves along: published versions, or the commits of a repository.

A line names its points oldest first. It says what a point is called, which version takes its place in a cell, and
which points are left out without a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from runner import sources
from runner.environments import index, wheels
from runner.errors import SourceError, UnavailableError, UnbuildableError, UsageError
from runner.executors import Say
from runner.matrix import frameworks
from runner.measure import turns
from runner.sources import Given
from runner.sources.history import Commit, History
from runner.util import wheel_file

YANKED = "yanked: "
"""The beginning of the reason of a release that was yanked."""


class Line(Protocol):
    """Points in order, one of which changed something."""

    @property
    def noun(self) -> str:
        """What one point is: ``release``, ``nightly build`` or ``commit``."""
        ...

    @property
    def points(self) -> tuple[str, ...]:
        """Oldest first, both ends included."""
        ...

    @property
    def ahead(self) -> bool:
        """Whether candidates may be prepared ahead of their test, at no cost but time."""
        ...

    def label(self, point: str) -> str:
        """The point in a message."""
        ...

    def version(self, point: str) -> str:
        """The version that takes its place in a cell.

        Raises CellError where it cannot be made.
        """
        ...

    def left_out(self, point: str) -> str:
        """Why it is not tested, or empty."""
        ...

    def content(self, point: str) -> str:
        """A digest of what it installs, or empty where that is not known.

        Points with the same one are the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """Releases or nightly builds of the package index."""

    package: str
    points: tuple[str, ...]
    python: str
    yanked: bool = False
    """Whether yanked ones are tested."""
    noun: str = "release"
    ahead: bool = True

    def label(self, point: str) -> str:
        """``keras 3.9.0``."""
        return f"{self.package} {point}"

    def version(self, point: str) -> str:
        """The point itself."""
        return point

    def left_out(self, point: str) -> str:
        """Why it was yanked, unless it is an end.

        Raises CellError where the index cannot be asked.
        """
        if self.yanked or point in (self.points[0], self.points[-1]):
            return ""
        why = index.yanked(self.package, point, self.python)
        return f"{YANKED}{why}" if why else ""

    def content(self, point: str) -> str:  # noqa: ARG002 - the protocol's
        """Not known."""
        return ""


@dataclass
class Commits:
    """Commits of a repository, each built into a wheel where it is tested."""

    package: str
    points: tuple[str, ...]
    history: History
    executor: str
    say: Say
    known: Mapping[str, Commit] = field(default_factory=dict)
    apart: str = ""
    """The end that the user, or a release, named, where the oldest point took its place."""
    noun: str = "commit"
    ahead: bool = False
    """Each test of a commit costs a build."""
    builds: int = 0
    """How many of them this command built; the others were in the cache."""
    _versions: dict[str, str] = field(default_factory=dict)

    def label(self, point: str) -> str:
        """``keras 1a2b3c4d5e6f (Fix median (#23481))``."""
        found = self.known.get(point)
        return f"{self.package} {point}" + (f" ({found.subject})" if found else "")

    def version(self, point: str) -> str:
        """Build the commit.

        Raises UnbuildableError where it is the commit's own fault, SourceError if it is an end then, and another
        CellError where something else stopped the build.
        """
        if point in self._versions:
            return self._versions[point]
        given = Given("--source", frameworks.named(self.package), f"{self.history.place}@{point}")
        try:
            (made,) = sources.made((given,), self.executor, lambda text: self.say(f"{point}: {text}"), self._turn)
        except SourceError as error:
            if point in (self.points[0], self.points[-1]):
                raise SourceError(f"{error} ({point} is an end of the search)") from None
            raise UnbuildableError(str(error)) from error
        except UsageError as error:  # git's objects or the cache cannot be used: nothing about the commit
            raise UnavailableError(str(error)) from error
        self._versions[point] = made.version
        return made.version

    def left_out(self, point: str) -> str:  # noqa: ARG002 - the protocol's
        """None is."""
        return ""

    def content(self, point: str) -> str:
        """The digest of the wheel's files. Raises CellError as ``version``."""
        project = frameworks.distribution(frameworks.named(self.package))
        kept = wheels.find(project, self.version(point))
        if kept is None:
            raise UnavailableError(f"the wheel of {project} {point} is gone from {wheels.store()}")
        return wheel_file.content(kept.path)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A build waits while another run on this machine times something."""
        self.builds += 1
        with turns.taken(alone=False, waiting=lambda who: self.say(f"taking turns with {who}")):
            yield
