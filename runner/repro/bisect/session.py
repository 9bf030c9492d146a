"""Runs ``runner bisect``: list releases, verify the ends, narrow down, report."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from runner import executors
from runner.environments import index
from runner.errors import BuildError, CellError, UsageError
from runner.executors import Prepared, Say
from runner.matrix import frameworks, plan
from runner.measure import places, workspace
from runner.measure.context import Context
from runner.measure.places import Place
from runner.model import Custom
from runner.repro import pins
from runner.repro.bisect import question, search, trials
from runner.repro.bisect.question import Answer, Request, State
from runner.repro.bisect.report import Finished, moved, report
from runner.repro.bisect.search import Mark
from runner.util import files, versions

PREPARED_AT_ONCE = 3
"""The environment that is tested, and the two candidates after it."""


@dataclass
class _Search:
    """A search in progress."""

    request: Request
    releases: tuple[str, ...]
    python: str
    state: State
    path: Path
    trial: trials.Trial
    context: Context
    pool: ThreadPoolExecutor
    say: Say
    base: Prepared | None = None
    made: dict[str, tuple[Place, Future[Prepared]]] = field(default_factory=dict)
    ran: int = 0

    def run(self) -> search.Found | search.Refused:
        """Test one release after the other and save every answer, until the search ends."""
        while isinstance(after := self._next(), search.Ask):
            self._drop_all_but(after.version)
            answer = self._answer(after.version)
            self.state.answers[after.version] = answer
            files.write_atomically(self.path, msgspec.json.format(msgspec.json.encode(self.state), indent=1))
            also = f"; moved with it: {', '.join(answer.moved)}" if answer.moved else ""
            reason = f" ({answer.reason})" if answer.reason else ""
            self.say(f"{self.request.package} {after.version}: {answer.mark}{reason}{also}")
            self.evict(after.version)
        return after

    def _marks(self) -> dict[str, Mark]:
        return {version: answer.mark for version, answer in self.state.answers.items()}

    def _next(self) -> search.Step:
        return search.step(self.releases, self._marks(), find_fix=self.request.find_fix)

    def _answer(self, version: str) -> Answer:
        package = self.request.package
        if not self.request.yanked and version not in (self.releases[0], self.releases[-1]):
            why = index.yanked(package, version, self.python)
            if why:
                return Answer(Mark.SKIP, f"yanked: {why}")
        try:
            base = self._base()
            place, future = self._prepare(version)
            prepared = future.result()
            if not self.trial.timed:  # an installation at the same time would change the timing
                for other in self._ahead(version):
                    self._prepare(other)
            self.ran += 1
            result = self.trial.run(place, prepared, self._place(self.releases[0]), self.context)
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
        """The oldest release's environment; the others stay as close to it as possible."""
        if self.base is None:
            self.base = self._prepare(self.releases[0])[1].result()
        return self.base

    def _prepare(self, version: str) -> tuple[Place, Future[Prepared]]:
        if version not in self.made:
            place = self._place(version)
            prepare = self.context.executors[place.executor].prepare
            self.made[version] = place, self.pool.submit(prepare, place.environment, _named(self.say, version))
        return self.made[version]

    def _place(self, version: str) -> Place:
        target = question.at(self.request, version, self.python, self.state.as_of)
        if version != self.releases[0] and self.base is not None:
            own = frameworks.parts_of(self.request.package)
            kept = tuple(f"{n}=={v}" for n, v in sorted((self.base.packages or {}).items()) if n not in own)
            target = replace(target, custom=replace(target.custom or Custom(), prefer=kept))
        try:
            return places.one_place(target, self.request.executor)
        except UsageError as error:
            raise BuildError(str(error)) from None

    def _ahead(self, version: str) -> list[str]:
        return search.ahead(self.releases, self._marks(), version, find_fix=self.request.find_fix)

    def _drop_all_but(self, version: str) -> None:
        """Remove the prepared candidate that will not be tested."""
        for other in self.made.keys() - {version, *self._ahead(version)}:
            self.evict(other)

    def evict(self, version: str, *, oldest: bool = False) -> None:
        """Remove the environment of a release that needs no more tests.

        The oldest release's stays until the end, because others are compared with it; ``oldest`` removes it too.
        """
        if self.request.keep or (version == self.releases[0] and not oldest) or version not in self.made:
            return
        place, future = self.made.pop(version)
        executor = self.context.executors[place.executor]
        if not future.cancel():  # an environment that is being prepared is removed once it is there
            future.add_done_callback(lambda done: None if done.exception() else executor.discard(done.result()))


def bisect(request: Request, command: Sequence[str], say: Say, show: Callable[[str], None]) -> int:
    """Search, write the report and show it. Returns the exit code.

    ``command`` is the command line, for the report. Raises UsageError where the ends enclose no change.
    """
    trial = trials.of(request)
    question.check_ends(request)
    python = request.python or question.python_of(request)
    request = replace(request, executor=_executor(request, python, say))
    releases = question.releases(request, python)
    state, path = _state(request, python, releases)
    say(f"{len(releases)} releases of {request.package}, at most {math.ceil(math.log2(len(releases))) + 2} tests")
    if state.answers:
        say(f"{len(state.answers)} answers from before ({path})")
    probes = (request.probe,) if request.probe else ()
    # the pool ends last: it waits for environments, and closing the executors stops their preparation
    with ThreadPoolExecutor(PREPARED_AT_ONCE) as pool, workspace.open(None, probes=probes, fresh=True) as opened:
        work = _Search(request, releases, python, state, path, trial, opened.context, pool, say)
        try:
            end = work.run()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            say(f"interrupted: the same command continues from {path}")
            raise
        pool.shutdown(wait=True, cancel_futures=True)
        for version in tuple(work.made):
            work.evict(version, oldest=True)
    if isinstance(end, search.Refused):
        for version in (releases[0], releases[-1]):
            say(f"{version}: {state.answers[version].mark}: {state.answers[version].reason}")
        raise UsageError(end.reason)
    text = report(_finished(work, end, command))
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    show(text)
    return 3 if end.between else 0


def _finished(work: _Search, end: search.Found, command: Sequence[str]) -> Finished:
    request, state = work.request, work.state
    return Finished(
        package=request.package,
        end=end,
        find_fix=request.find_fix,
        answers=state.answers,
        releases=len(work.releases),
        ran=work.ran,
        python=work.python,
        cell=question.at(request, end.first_new, work.python, state.as_of).cell.id,
        executor=work.context.executors[request.executor].label,
        dates=index.uploaded(request.package, (end.last_old, end.first_new), work.python),
        command=command,
    )


def _executor(request: Request, python: str, say: Say) -> str:
    """Unless the user chose: containers where an engine answers, else the host.

    Raises UsageError for an unknown executor and UnavailableError for one that cannot run the good release here. A
    later error is an answer about one release, and answers are kept.
    """
    chosen = places.one_place(question.at(request, request.good, python, ""), request.executor).executor
    if request.executor == plan.AUTO and not executors.kind(chosen).isolated:
        say("note: no engine for containers answers: in virtual environments on this machine")
    return chosen


def _state(request: Request, python: str, releases: tuple[str, ...]) -> tuple[State, Path]:
    """The answers of an earlier search for the same thing, and their file.

    Raises UsageError where --out cannot be used.
    """
    asked = question.asked(request, python, releases)
    path = request.out / f"{versions.project(request.package)}-{files.digest(asked)[:12]}.json"
    try:
        request.out.mkdir(parents=True, exist_ok=True)
        if path.is_file() and not request.fresh:
            return msgspec.json.decode(path.read_bytes(), type=State), path
    except msgspec.DecodeError:
        raise UsageError(f"{path}: is not a whole file of answers; delete it, or give --fresh") from None
    except OSError as error:
        raise UsageError(f"--out {request.out}: cannot be used: {error.strerror}") from None
    day = pins.date(request.as_of) if request.as_of else dt.datetime.now(dt.UTC).date()
    return State(asked, index.end_of(day)), path


def _named(say: Say, version: str) -> Say:
    return lambda text: say(f"{version}: {text}")
