"""What one ``runner bisect`` search asks, and the answers found so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from runner import sources
from runner.defects import suite
from runner.environments import index
from runner.errors import UsageError
from runner.executors import Say
from runner.matrix import compat, frameworks, sets
from runner.matrix.plan import Target
from runner.measure import builds, suites
from runner.measure.suites import Suite
from runner.model import Custom
from runner.repro import pins
from runner.repro.bisect.lines import YANKED, Published
from runner.repro.bisect.search import Mark
from runner.repro.pins import Wanted
from runner.util import files, versions

VERDICT = "regressed"
"""The verdict of the judge that makes a release bad, where none is named."""
ROUNDS = 10
"""The most rounds in which a release is judged, where no number is given."""


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner bisect``."""

    package: str
    arguments: tuple[str, ...]
    good: str
    bad: str
    find_fix: bool
    script: Path | None
    pattern: str | None
    probe: str | None
    settings: tuple[str, ...]
    case: str | None
    metrics: tuple[str, ...]
    """At most one (see ``check``)."""
    verdict: str | None
    rounds: int | None
    cell: str | None
    pins: tuple[str, ...]
    as_of: str | None
    python: str | None
    executor: str
    repeat: int
    prereleases: bool
    yanked: bool
    keep: bool
    fresh: bool
    out: Path
    extra: tuple[str, ...]
    mounts: tuple[str, ...]
    network: bool
    timeout_s: float | None
    memory: float | None
    disk: float | None
    wheels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    to: str = "release"
    """``release`` or ``nightly``: how far the published versions are narrowed down."""
    all_parents: bool = False
    pytest: tuple[str, ...] = ()
    install: str | None = None
    tests: Suite | None = None
    """The tests of ``pytest``, packed."""

    @property
    def metric(self) -> str | None:
        """The figure that is judged, or None."""
        return self.metrics[0] if self.metrics else None

    @property
    def judged(self) -> tuple[str, int]:
        """The verdict that is bad, and the most rounds."""
        return self.verdict or VERDICT, self.rounds or ROUNDS

    @property
    def ends(self) -> tuple[str, str]:
        """The older end and the newer one, as they are named."""
        return (self.bad, self.good) if self.find_fix else (self.good, self.bad)

    @property
    def old(self) -> Mark:
        """The mark of the older end."""
        return Mark.BAD if self.find_fix else Mark.GOOD

    @property
    def new(self) -> Mark:
        """The mark of the newer end."""
        return Mark.GOOD if self.find_fix else Mark.BAD


class Answer(msgspec.Struct, frozen=True):
    """The result of testing one release."""

    mark: Mark
    reason: str = ""
    runs: list[str] = []
    moved: list[str] = []
    """Other packages that differ from the oldest release's environment."""
    packages: dict[str, str] = {}
    wall_s: float = 0.0
    content: str = ""
    """Of a build: the digest of its files."""


FORMAT = 2
"""Files of format 1 also hold releases that were skipped because the network, the engine or the disk failed."""


class State(msgspec.Struct):
    """The file from which an interrupted search continues."""

    question: dict[str, Any]
    as_of: str
    answers: dict[str, Answer] = msgspec.field(default_factory=dict)
    format: int = 1
    data: str | None = None
    """Digests of what the probe reads; None in files that do not have it."""


def read(content: bytes) -> tuple[State, tuple[str, ...]]:
    """The answers in a file, and the releases whose answer is not to be trusted.

    Raises msgspec.DecodeError, and UsageError for a file of a later release of this program.
    """
    state = msgspec.json.decode(content, type=State)
    if state.format > FORMAT:
        raise UsageError(f"its format is {state.format}, and this release reads up to {FORMAT}")
    if state.format == FORMAT:
        return state, ()
    kept = {
        version: answer
        for version, answer in state.answers.items()
        if answer.mark != Mark.SKIP or answer.reason.startswith(YANKED)
    }
    dropped = tuple(version for version in state.answers if version not in kept)
    return State(state.question, state.as_of, kept, FORMAT, state.data), dropped


def check(request: Request) -> None:
    """Raise UsageError for options that this search has no use for."""
    if len(request.metrics) > 1:
        raise UsageError(f"--metric is given {len(request.metrics)} times: a search is about one figure")
    for option, value in (("--verdict", request.verdict), ("--rounds", request.rounds)):
        if value is not None and not request.metric:
            raise UsageError(f"{option} is about a figure that the judge compares: name it with --metric")
    if request.metric and request.repeat > 1:
        raise UsageError("--repeat is a vote on runs: with --metric, --rounds says how many runs are judged")
    if request.script is None:
        _check_without_script(request)
    pins.python(request.python)
    _check_held(request)


def _check_without_script(request: Request) -> None:
    for option, given in (
        ("--mount is", request.mounts),
        ("--network is", request.network),
        ("--disk is", request.disk is not None),
        ("arguments after -- are", request.arguments),
    ):
        if given:
            raise UsageError(f"{option} for a script: give it with --script, or leave it out")


def _check_held(request: Request) -> None:
    """Raise UsageError where the package that moves is also held fixed."""
    moves = frameworks.named(request.package)
    for text in request.pins:
        if moves in pins.parse((text,), lambda _name, night: night):
            raise UsageError(f"--pin {text}: {request.package} is what moves; a pin holds another package fixed")
    own = {moves, *map(frameworks.named, frameworks.parts_of(frameworks.distribution(moves)))}
    for text in pins.packages(request.extra):
        if frameworks.named(versions.project(text)) in own:
            raise UsageError(f"--with {text}: {request.package} is what moves; --with adds another package")


def fixed(request: Request, say: Say) -> Request:
    """The request with its wheels and sources as pins: what is held fixed.

    The repository of the package that moves is not one of them.

    Raises UsageError for a wheel of the package that moves.
    """
    held = tuple(text for text in request.sources if not _moves(request, text))
    for one in sources.parse(request.wheels, held):
        if one.package == frameworks.named(request.package):
            raise UsageError(f"{one}: {request.package} is what moves; a wheel holds another package fixed")
    own = builds.pins(request.wheels, held, request.executor, say)
    return replace(request, pins=(*request.pins, *own))


def repository(request: Request) -> str:
    """The repository whose commits are searched, as ``--source`` names it, or empty.

    Raises UsageError for two of them.
    """
    found = [text for text in request.sources if _moves(request, text)]
    if len(found) > 1:
        raise UsageError(f"--source {found[0]} and --source {found[1]}: one repository of {request.package} at a time")
    return found[0].partition("=")[2] if found and sources.is_named(found[0]) else "".join(found)


def _moves(request: Request, source: str) -> bool:
    """Whether a source is the repository of the package that moves.

    It has no name, or the name of that package.
    """
    if not sources.is_named(source):
        return True
    return frameworks.named(source.partition("=")[0]) == frameworks.named(request.package)


def is_published(request: Request, word: str) -> bool:
    """Whether an end is named as a release or as a nightly build."""
    name = word.removeprefix(f"{request.package}@")
    return is_release(word) or sets.is_nightly(name)


def is_release(word: str) -> bool:
    """Whether a word is a version, and not a commit with digits alone.

    >>> is_release("3.14.1"), is_release("3422977"), is_release("v3.14.1")
    (True, False, False)
    """
    return bool(versions.PUBLIC.fullmatch(word)) and ("." in word or len(word) < _SHORT_HASH)


_SHORT_HASH = 7


def exact(request: Request) -> Request:
    """The request with exact versions where an end is a nightly build.

    Raises UsageError.
    """
    name = frameworks.named(request.package)
    good, bad = (
        index.nightly(name, word) if sets.is_nightly(word := end.removeprefix(f"{request.package}@")) else end
        for end in (request.good, request.bad)
    )
    return replace(request, good=good, bad=bad)


def with_tests(request: Request) -> Request:
    """The request with its tests packed and its library built. Raises UsageError."""
    if not request.pytest:
        return request
    only = (request.case or "").removesuffix(suite.COLLECTED)
    own = [one.package for one in sources.parse(request.wheels, request.sources)]
    tests = suites.made(suites.asked(request.pytest, request.install), request.out, own, only)
    return replace(request, tests=tests)


def check_ends(request: Request) -> None:
    """Raise UsageError unless --good and --bad are releases in the right order.

    Also where the search is to go on to nightly builds that the package does not have.
    """
    if request.to == "nightly" and (why := index.without_nights(frameworks.named(request.package))):
        raise UsageError(f"--to nightly: {why}")
    for end in (request.good, request.bad):
        if not versions.PUBLIC.fullmatch(end):
            raise UsageError(f"{end!r} is not a release number (example: 2.2.2); commits need --source REPOSITORY")
    good, bad = versions.order(request.good), versions.order(request.bad)
    if good == bad:
        raise UsageError("--good and --bad are the same release")
    if good > bad and not request.find_fix:
        raise UsageError(
            f"--good {request.good} is newer than --bad {request.bad}: swap them, or find the fix with --find-fix"
        )
    if good < bad and request.find_fix:
        raise UsageError(f"--find-fix: --good {request.good} must be the newer one; swap them")


def at(request: Request, version: str, python: str | None, as_of: str) -> Target:
    """The cell with the package at that release. Raises UsageError."""
    name = frameworks.named(request.package)
    wanted = Wanted({**pins.parse(request.pins), name: version}, pins.packages(request.extra), None, python)
    if request.cell:
        target = pins.on_cell(pins.cell(request.cell), wanted)
    else:
        found = pins.targets(wanted, lambda package, on, _: index.newest(package, on, as_of))
        if len(found) > 1:
            raise UsageError(f"{', '.join(t.cell.framework for t in found)}: one framework at a time; or give --cell")
        (target,) = found
    custom = target.custom or Custom()
    return replace(target, custom=replace(custom, as_of=as_of))


def python_of(request: Request, ends: tuple[str, str] | None = None) -> str:
    """A Python that has wheels of both ends, as far as is known. Raises UsageError.

    ``ends``: their versions, where they are named otherwise.
    """
    floor, ceiling = pythons(request, ends)
    if versions.release(ceiling) < versions.release(floor):
        raise UsageError(
            f"the two ends have no Python in common ({floor} and newer, {ceiling} and older); see --python"
        )
    preferred = at(request, (ends or (request.good, request.bad))[0], None, "").cell.python
    return sorted((floor, ceiling, preferred), key=versions.release)[1]


def pythons(request: Request, ends: tuple[str, str] | None = None) -> tuple[str, str]:
    """The oldest and the newest Python that has wheels of both ends.

    As far as is known. Raises UsageError.
    """
    found = [at(request, end, None, "").cell for end in ends or (request.good, request.bad)]
    facts = compat.load()
    rows = [facts.row(cell.framework, cell.version) for cell in found]
    rows += [facts.row("keras", cell.keras) for cell in found if cell.keras and versions.release(cell.keras) >= (3,)]
    floor = max((row.python[0] for row in rows), key=versions.release)
    return floor, min((row.python[1] for row in rows), key=versions.release)


def published(request: Request, python: str) -> Published:
    """The releases between the ends, or the nightly builds between two of them.

    Raises UsageError for an end that was never released.
    """
    found = releases(request, python)
    noun = "nightly build" if all(versions.night(one) for one in found) else "release"
    return Published(request.package, found, python, request.yanked, noun)


def releases(request: Request, python: str) -> tuple[str, ...]:
    """The releases between the ends, oldest first, ends included.

    Between two nightly builds only such.

    Raises UsageError for an end that was never released.
    """
    named = (request.good, request.bad)
    prereleases = request.prereleases or any(versions.is_prerelease(v) and not versions.night(v) for v in named)
    nights = [bool(versions.night(end)) for end in named]
    everything = () if all(nights) else index.published(request.package, python, prereleases=prereleases)
    if any(nights):
        nightly = index.nightly_builds(frameworks.named(request.package), python)
        everything = tuple(sorted((*everything, *nightly), key=versions.order))
    ends = []
    for end in (request.good, request.bad):
        same = [one for one in everything if versions.order(one) == versions.order(end)]
        if not same:
            near = index.nearest(end, everything)
            raise UsageError(
                f"{request.package} {end}: no such release with a wheel for Python {python}; the nearest is {near}"
            )
        ends.append(same[0])
    low, high = sorted(ends, key=versions.order)
    inside = [one for one in everything if versions.order(low) <= versions.order(one) <= versions.order(high)]
    return tuple(
        one
        for one in inside
        if request.prereleases or one in ends or versions.night(one) or not versions.is_prerelease(one)
    )


def asked(request: Request, python: str, listed: tuple[str, ...]) -> dict[str, Any]:
    """Everything that decides the answers; its digest names the file they are kept in."""
    return {
        "package": versions.project(request.package),
        "releases": [listed[0], listed[-1]],
        "test": _test(request),
        "cell": request.cell,
        "pins": sorted(request.pins),
        "with": sorted(request.extra),
        "python": python,
        "executor": request.executor,
        "as_of": request.as_of,
        "find_fix": request.find_fix,
    }


def _test(request: Request) -> list[Any]:
    """What is tested; a script by its content."""
    metric = [request.metric, *request.judged] if request.metric else None
    if request.script is not None:
        return ["script", files.source(request.script), request.arguments, request.pattern, request.mounts,
                request.network, request.repeat, *(metric or [])]  # fmt: skip
    if request.tests is not None:
        return ["tests", hashlib.sha256(request.tests.packed.content).hexdigest(), request.tests.needs.lines,
                request.tests.settings, request.settings, request.case, metric, request.repeat]  # fmt: skip
    return ["probe", request.probe, request.settings, request.case, metric, request.repeat]
