"""The stages of ``runner bisect``: list the releases, verify the ends, narrow, report."""

from __future__ import annotations

import datetime as dt
import math
import shlex
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import msgspec

from runner.environments import index as releases
from runner.errors import BuildError, CellError, UsageError
from runner.executors import Executor, Prepared
from runner.matrix import compat, frameworks, sets
from runner.matrix.plan import Target
from runner.measure import places, workspace
from runner.model import Custom
from runner.repro import pins
from runner.repro.bisect import search, trials
from runner.repro.bisect.search import Mark
from runner.repro.pins import Wanted
from runner.util import files, versions


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
    metric: str | None
    verdict: str
    rounds: int
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
    timeout_s: float
    memory: float | None
    disk: float


class Answer(msgspec.Struct, frozen=True):
    """What one release came to."""

    mark: Mark
    reason: str = ""
    runs: list[str] = []
    moved: list[str] = []
    """What else this release forced to move, against the oldest one's environment."""
    packages: dict[str, str] = {}
    wall_s: float = 0.0


class State(msgspec.Struct):
    """The file an interrupted search goes on from."""

    question: dict[str, Any]
    as_of: str
    answers: dict[str, Answer] = msgspec.field(default_factory=dict)


@dataclass
class _Search:
    """One search at work."""

    request: Request
    releases: tuple[str, ...]
    python: str
    state: State
    path: Path
    trial: trials.Trial
    executors: dict[str, Executor]
    pool: ThreadPoolExecutor
    base: Prepared | None = None
    made: dict[str, tuple[places.Place, Future[Prepared]]] = field(default_factory=dict)
    ran: int = 0

    def run(self) -> search.Found | search.Refused:
        """Ask, answer, keep, until the search is over."""
        while isinstance(after := self._next(), search.Ask):
            self._drop_all_but(after.version)
            answer = self._answer(after.version)
            self.state.answers[after.version] = answer
            files.write_atomically(self.path, msgspec.json.format(msgspec.json.encode(self.state), indent=1))
            moved = f"; moved with it: {', '.join(answer.moved)}" if answer.moved else ""
            reason = f" ({answer.reason})" if answer.reason else ""
            click.echo(f"{self.request.package} {after.version}: {answer.mark}{reason}{moved}", err=True)
            self.evict(after.version)
        return after

    def _marks(self) -> dict[str, Mark]:
        return {version: answer.mark for version, answer in self.state.answers.items()}

    def _next(self) -> search.Step:
        return search.step(self.releases, self._marks(), find_fix=self.request.find_fix)

    def _answer(self, version: str) -> Answer:
        package = self.request.package
        if not self.request.yanked and version not in (self.releases[0], self.releases[-1]):
            why = releases.yanked(package, version, self.python)
            if why:
                return Answer(Mark.SKIP, f"yanked: {why}")
        try:
            base = self._base()
            place, future = self._prepare(version)
            prepared = future.result()
            if not self.trial.timed:  # an installation beside it would be part of the figure
                for other in self._ahead(version):
                    self._prepare(other)
            self.ran += 1
            result = self.trial.run(place, prepared, self._place(self.releases[0]), self.executors)
        except CellError as error:
            return Answer(Mark.SKIP, str(error))
        return Answer(
            result.mark,
            result.reason,
            list(result.runs),
            moved(base.packages or {}, prepared.packages or {}, package),
            dict(prepared.packages or {}),
            result.wall_s,
        )

    def _base(self) -> Prepared:
        """The oldest release's environment: what all others stay as close to as they can."""
        if self.base is None:
            self.base = self._prepare(self.releases[0])[1].result()
        return self.base

    def _prepare(self, version: str) -> tuple[places.Place, Future[Prepared]]:
        if version not in self.made:
            place = self._place(version)
            prepare = self.executors[place.executor].prepare
            self.made[version] = place, self.pool.submit(prepare, place.environment, _say(version))
        return self.made[version]

    def _place(self, version: str) -> places.Place:
        target = at(self.request, version, self.python, self.state.as_of)
        if version != self.releases[0] and self.base is not None:
            own = project(self.request.package)
            kept = tuple(f"{n}=={v}" for n, v in sorted((self.base.packages or {}).items()) if n not in own)
            target = replace(target, custom=replace(target.custom or Custom(), prefer=kept))
        try:
            return places.one_place(target, self.request.executor)
        except UsageError as error:
            raise BuildError(str(error)) from None

    def _ahead(self, version: str) -> list[str]:
        return search.ahead(self.releases, self._marks(), version, find_fix=self.request.find_fix)

    def _drop_all_but(self, version: str) -> None:
        """Of the two candidates made ready, the one that will not be asked for any more goes at once."""
        for other in self.made.keys() - {version, *self._ahead(version)}:
            self.evict(other)

    def evict(self, version: str, *, oldest: bool = False) -> None:
        """Remove what was made for a release that is answered, or is not asked for any more.

        The ``oldest`` stays until the end: others are compared with it.
        """
        if self.request.keep or (version == self.releases[0] and not oldest) or version not in self.made:
            return
        place, future = self.made.pop(version)
        if not future.cancel():  # where it is still being made, as soon as it is there
            future.add_done_callback(lambda done: None if done.exception() else evict(place, done.result()))


def bisect(request: Request) -> int:
    """Everything, in order. Returns the exit code."""
    trial = trials.of(request)
    _check_order(request)
    python = request.python or _python(request)
    request = replace(request, executor=_executor(request, python))
    found = listed(request, python)
    state, path = _state(request, python, found)
    limit = math.ceil(math.log2(len(found))) + 2
    click.echo(f"{len(found)} releases of {request.package}, at most {limit} tests", err=True)
    if state.answers:
        click.echo(f"{len(state.answers)} answers from before ({path})", err=True)
    # the pool ends last: it waits for builds, and closing the executors is what ends those
    with ThreadPoolExecutor(3) as pool, workspace.executors() as executors, workspace.stoppable():
        work = _Search(request, found, python, state, path, trial, executors, pool)
        try:
            end = work.run()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for executor in executors.values():
                executor.close()
            click.echo(f"interrupted: the same command goes on from {path}", err=True)
            raise
        pool.shutdown(wait=True, cancel_futures=True)
        for version in tuple(work.made):
            work.evict(version, oldest=True)
    if isinstance(end, search.Refused):
        for version in (found[0], found[-1]):
            click.echo(f"{version}: {state.answers[version].mark}: {state.answers[version].reason}", err=True)
        raise UsageError(end.reason)
    text = report(request, state, end, python, found, work.ran)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    click.echo(text)
    return 3 if end.between else 0


def _executor(request: Request, python: str) -> str:
    """Containers where an engine answers, virtual environments elsewhere, unless the user says which."""
    if request.executor != "auto":
        return request.executor
    chosen = places.one_place(at(request, request.good, python, ""), "auto").executor
    if chosen == "host":
        click.echo("note: no engine for containers answers: in virtual environments on this machine", err=True)
    return chosen


def at(request: Request, version: str, python: str | None, as_of: str) -> Target:
    """The cell with the package at that release, everything else as it was asked for. Raises UsageError."""
    name = frameworks.named(request.package)
    wanted = Wanted({**pins.parse(request.pins), name: version}, pins.packages(request.extra), None, python)
    if request.cell:
        target = pins.on_cell(sets.parse_cell(request.cell), wanted)
    else:
        found = pins.targets(wanted, lambda package, on, _: releases.newest(package, on, as_of))
        if len(found) > 1:
            raise UsageError(f"{', '.join(t.cell.framework for t in found)}: one framework at a time; or give --cell")
        (target,) = found
    custom = target.custom or Custom()
    return replace(target, custom=replace(custom, as_of=as_of))


def listed(request: Request, python: str) -> tuple[str, ...]:
    """The releases from the one end to the other. Raises UsageError for an end that was never released."""
    prereleases = request.prereleases or any(versions.is_prerelease(v) for v in (request.good, request.bad))
    everything = releases.published(request.package, python, prereleases=prereleases)
    ends = []
    for end in (request.good, request.bad):
        same = [one for one in everything if versions.order(one) == versions.order(end)]
        if not same:
            near = releases.nearest(end, everything)
            raise UsageError(
                f"{request.package} {end}: no such release with a wheel for Python {python}; the nearest is {near}"
            )
        ends.append(same[0])
    low, high = sorted(ends, key=versions.order)
    inside = [one for one in everything if versions.order(low) <= versions.order(one) <= versions.order(high)]
    return tuple(one for one in inside if request.prereleases or one in ends or not versions.is_prerelease(one))


def moved(base: Any, now: Any, package: str) -> list[str]:
    """What else differs: ``numpy 1.26.4 -> 2.1.0``, leaving out the package itself."""
    names = sorted({*base, *now} - project(package))
    return [f"{n} {base.get(n, 'none')} -> {now.get(n, 'none')}" for n in names if base.get(n) != now.get(n)]


def project(package: str) -> set[str]:
    """The distributions that move with a package because they are it."""
    return set(frameworks.parts_of(package))


def evict(place: places.Place, prepared: Prepared) -> None:
    """Remove an environment that was made for this search alone: its image, or its virtual environment."""
    if place.executor == "host":
        shutil.rmtree(Path(prepared.reference).parent.parent, ignore_errors=True)
        return
    from runner import engine
    from runner.images import manage

    client = engine.connect()
    manage.remove(client, [image for image in manage.ls(client) if image.environment == place.environment.id])


def report(request: Request, state: State, end: search.Found, python: str, found: tuple[str, ...], ran: int) -> str:
    """Markdown to paste into an issue."""
    dates = releases.uploaded(request.package, (end.last_old, end.first_new), python)
    old, new = state.answers[end.last_old], state.answers[end.first_new]
    words = ("last bad", "first good") if request.find_fix else ("last good", "first bad")
    place = at(request, end.first_new, python, state.as_of)
    executor = {"host": "virtual environments", "docker": "containers"}[request.executor]
    differences = moved(old.packages, new.packages, request.package)
    counts = {mark: sum(1 for a in state.answers.values() if a.mark == mark) for mark in Mark}
    tested = (
        f"- **tested**: {len(state.answers)} of {len(found)} releases ({counts[Mark.GOOD]} good, "
        f"{counts[Mark.BAD]} bad, {counts[Mark.SKIP]} could not be tested), {ran} of them in this run"
    )
    lines = [
        f"## {request.package} {end.first_new} is the {words[1]} release",
        "",
        f"- **{words[1]}**: {request.package} {end.first_new} ({dates.get(end.first_new, 'date unknown')})"
        + (f" - {new.reason}" if new.reason else ""),
        f"- **{words[0]}**: {request.package} {end.last_old} ({dates.get(end.last_old, 'date unknown')})"
        + (f" - {old.reason}" if old.reason else ""),
        *(
            [f"- **not tested in between**: {', '.join(end.between)}; the change may be in any of them"]
            if end.between
            else []
        ),
        f"- **other packages that moved between the two**: {', '.join(differences) or 'none'}",
        f"- **environment**: Python {python}, {place.cell.id}, {executor}; "
        + ", ".join(f"{n} {v}" for n, v in sorted(new.packages.items()) if n in _shown()),
        tested,
        "",
        "```",
        shlex.join(["runner", *sys.argv[1:]]),
        "```",
        "",
        "| release | result | why | also moved |",
        "|---|---|---|---|",
        *(
            f"| {version} | {answer.mark} | {_cell(answer.reason)} | {_cell(', '.join(answer.moved))} |"
            for version, answer in sorted(state.answers.items(), key=lambda item: versions.order(item[0]))
        ),
        "",
    ]
    return "\n".join(lines)


def _shown() -> frozenset[str]:
    """The packages that the report names with their versions."""
    return frozenset({"keras", "ml-dtypes", "optree"}).union(*(one.parts for one in frameworks.table().values()))


def _cell(text: str) -> str:
    short = text if len(text) <= 160 else f"{text[:157]}..."
    return short.replace("|", "\\|").replace("\n", " ")


def _check_order(request: Request) -> None:
    for end in (request.good, request.bad):
        if not versions.PUBLIC.fullmatch(end):
            raise UsageError(f"{end!r} is no release number such as 2.2.2")
    good, bad = versions.order(request.good), versions.order(request.bad)
    if good == bad:
        raise UsageError("--good and --bad are the same release")
    if good > bad and not request.find_fix:
        raise UsageError(
            f"--good {request.good} is newer than --bad {request.bad}: swap them, or find the fix with --find-fix"
        )
    if good < bad and request.find_fix:
        raise UsageError(f"--find-fix: --good {request.good} must be the newer one; swap them")


def _python(request: Request) -> str:
    """A Python that both ends have wheels for, as far as is known."""
    found = [at(request, end, None, "").cell for end in (request.good, request.bad)]
    facts = compat.load()
    rows = [facts.row(cell.framework, cell.version) for cell in found]
    rows += [facts.row("keras", cell.keras) for cell in found if cell.keras and versions.release(cell.keras) >= (3,)]
    floor = max((row.python[0] for row in rows), key=versions.release)
    ceiling = min((row.python[1] for row in rows), key=versions.release)
    if versions.release(ceiling) < versions.release(floor):
        raise UsageError(
            f"the two ends have no Python in common ({floor} and newer, {ceiling} and older); see --python"
        )
    return sorted((floor, ceiling, found[0].python), key=versions.release)[1]


def _state(request: Request, python: str, found: tuple[str, ...]) -> tuple[State, Path]:
    """The answers of an earlier search for the same thing, or none. Raises UsageError where --out cannot be written."""
    question = {
        "package": versions.project(request.package),
        "releases": [found[0], found[-1]],
        "test": trials.question(request),
        "cell": request.cell,
        "pins": sorted(request.pins),
        "with": sorted(request.extra),
        "python": python,
        "executor": request.executor,
        "as_of": request.as_of,
        "find_fix": request.find_fix,
    }
    path = request.out / f"{versions.project(request.package)}-{files.digest(question)[:12]}.json"
    try:
        request.out.mkdir(parents=True, exist_ok=True)
        if path.is_file() and not request.fresh:
            return msgspec.json.decode(path.read_bytes(), type=State), path
    except msgspec.DecodeError:
        raise UsageError(f"{path}: not a whole file of answers; delete it, or --fresh") from None
    except OSError as error:
        raise UsageError(f"--out {request.out}: cannot be used: {error.strerror}") from None
    day = pins.date(request.as_of) if request.as_of else dt.datetime.now(dt.UTC).date()
    return State(question, releases.end_of(day)), path


def _say(version: str) -> Callable[[str], None]:
    return lambda text: click.echo(f"{version}: {text}", err=True)
