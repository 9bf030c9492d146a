"""Runs ``runner bisect``: list releases, verify the ends, narrow down, report."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from runner import executors
from runner.environments import index
from runner.errors import CellError, NotMeasuredError, UnavailableError, UsageError
from runner.executors import Prepared, Say
from runner.matrix import frameworks, plan
from runner.measure import places, suites, turns, workspace
from runner.measure.context import Context
from runner.measure.places import Place
from runner.measure.sample import internal
from runner.measure.scripts import copied
from runner.model import Custom
from runner.repro import pins
from runner.repro.bisect import question, search, trials
from runner.repro.bisect.lasting import lasting, sentence, worth_a_second_try
from runner.repro.bisect.question import Answer, Request, State
from runner.repro.bisect.report import Finished, moved, report
from runner.repro.bisect.search import Mark
from runner.util import files, locks, outage, versions
from runner.util.workers import Workers

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
    pool: Workers
    say: Say
    base: Prepared | None = None
    made: dict[str, tuple[Place, Future[Prepared]]] = field(default_factory=dict)
    ran: int = 0

    def run(self) -> search.Found | search.Refused:
        """Test one release after the other and save every answer, until the search ends.

        Raises NotMeasuredError where something else than the release prevented an answer. Nothing is stored then.
        """
        while isinstance(after := self._next(), search.Ask):
            self._drop_all_but(after.version)
            self._save(after.version, answer := self._answer(after.version))
            also = f"; moved with it: {', '.join(answer.moved)}" if answer.moved else ""
            reason = f" ({answer.reason})" if answer.reason else ""
            self.say(f"{self.request.package} {after.version}: {answer.mark}{reason}{also}")
            self.evict(after.version)
        return after

    def _marks(self) -> dict[str, Mark]:
        return {version: answer.mark for version, answer in self.state.answers.items()}

    def _next(self) -> search.Step:
        return search.step(self.releases, self._marks(), find_fix=self.request.find_fix)

    def _save(self, version: str, answer: Answer) -> None:
        answers = {**self.state.answers, version: answer}
        try:
            kept = State(self.state.question, self.state.as_of, answers, self.state.format, self.state.data)
            files.write_atomically(self.path, msgspec.json.format(msgspec.json.encode(kept), indent=1))
        except OSError as error:
            raise self._unanswered(version, internal(error)) from error
        self.state = kept

    def _answer(self, version: str) -> Answer:
        """The answer for one release. Raises NotMeasuredError where there is none."""
        try:
            if not self.request.yanked and version not in (self.releases[0], self.releases[-1]):
                why = index.yanked(self.request.package, version, self.python)
                if why:
                    return Answer(Mark.SKIP, f"{question.YANKED}{why}")
            return self._tested(version)
        except UsageError:
            raise
        except Exception as error:
            trouble = error if isinstance(error, CellError) else internal(error)
            if lasting(trouble):
                return Answer(Mark.SKIP, sentence(trouble))
            raise self._unanswered(version, trouble) from error

    def _unanswered(self, version: str, error: CellError) -> NotMeasuredError:
        kept = len(self.state.answers)
        on = f"goes on from {self.path}" if kept else "asks it again"
        why = sentence(error).removesuffix(outage.AGAIN).rstrip(", ")
        return NotMeasuredError(f"{self.request.package} {version} could not be tested: {why}; the same command {on}")

    def _tested(self, version: str) -> Answer:
        base = self._base(version)
        place, prepared = self._ready(version)
        if not self.trial.timed:  # an installation at the same time would change the timing
            for other in self._ahead(version):
                self._prepare(other)
        self.ran += 1
        result = self.trial.run(place, prepared, self._place(self.releases[0]), self.context)
        return Answer(
            result.mark,
            result.reason,
            list(result.runs),
            moved(base.packages or {}, prepared.packages or {}, self.request.package),
            dict(prepared.packages or {}),
            result.wall_s,
        )

    def _base(self, version: str) -> Prepared:
        """The oldest release's environment; the others stay as close to it as possible.

        Its failure is an answer about itself alone, not about the ``version`` that is compared with it.
        """
        oldest = self.releases[0]
        if self.base is None:
            try:
                self.base = self._ready(oldest)[1]
            except CellError as error:
                if version != oldest and lasting(error):
                    raise UnavailableError(f"{oldest} is needed, too: {error}", error.log) from error
                raise
        return self.base

    def _ready(self, version: str) -> tuple[Place, Prepared]:
        """The environment of a release, prepared a second time where that can help."""
        earlier = version in self.made
        try:
            place, future = self._prepare(version)
            return place, future.result()
        except CellError as error:
            if not worth_a_second_try(error, earlier=earlier):
                raise
        self.made.pop(version, None)
        place, future = self._prepare(version)
        return place, future.result()

    def _prepare(self, version: str) -> tuple[Place, Future[Prepared]]:
        if version not in self.made:
            place = self._place(version)
            executor, say = self.context.executors[place.executor], _named(self.say, version)
            self.made[version] = (
                place,
                self.pool.submit(turns.together, outage.patiently, lambda: executor.prepare(place.environment, say)),
            )
        return self.made[version]

    def _place(self, version: str) -> Place:
        target = question.at(self.request, version, self.python, self.state.as_of)
        if version != self.releases[0] and self.base is not None:
            own = frameworks.parts_of(self.request.package)
            kept = tuple(f"{n}=={v}" for n, v in sorted((self.base.packages or {}).items()) if n not in own)
            target = replace(target, custom=replace(target.custom or Custom(), prefer=kept))
        place = places.one_place(target, self.request.executor)
        if self.request.tests is None:
            return place
        platform, needs = place.environment.platform, self.request.tests.needs
        return replace(place, environment=plan.environment_of(place.cell, platform, target.custom, needs))

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
        if not future.cancel():  # an environment that is being prepared is removed once it is there
            future.add_done_callback(lambda done: None if done.exception() else self._discard(place, done.result()))

    def _discard(self, place: Place, prepared: Prepared) -> None:
        """Remove an environment.

        One that cannot be removed stays, and the search goes on.
        """
        try:
            self.context.executors[place.executor].discard(prepared)
        except Exception as error:  # noqa: BLE001 - nothing about a release
            trouble = error if isinstance(error, CellError) else internal(error)
            self.say(f"note: {place.environment.id} was not removed: {sentence(trouble)}")


def bisect(request: Request, command: Sequence[str], say: Say, show: Callable[[str], None]) -> int:
    """Search, write the report and show it. Returns the exit code.

    ``command`` is the command line, for the report. Raises UsageError where the ends enclose no change,
    NotMeasuredError where the search could not go on.
    """
    try:
        return _bisect(request, command, say, show)
    except CellError as error:
        raise NotMeasuredError(sentence(error)) from error


def _bisect(request: Request, command: Sequence[str], say: Say, show: Callable[[str], None]) -> int:
    request = question.with_tests(request)
    trial = trials.of(request)
    question.check_ends(request := question.exact(request))
    request = question.fixed(request, say)
    python = request.python or question.python_of(request)
    request = replace(request, executor=_executor(request, python, say))
    releases = question.releases(request, python)
    asked = question.asked(request, python, releases)
    path = request.out / f"{versions.project(request.package)}-{files.digest(asked)[:12]}.json"
    with _alone(request, path, say):
        end, work = _searched(request, python, releases, _state(request, asked, path, say), path, trial, say)
        if isinstance(end, search.Refused):
            for version in (releases[0], releases[-1]):
                say(f"{version}: {work.state.answers[version].mark}: {work.state.answers[version].reason}")
            raise UsageError(end.reason)
        text = report(_finished(work, end, command))
        try:
            files.write_atomically(path.with_suffix(".md"), text.encode())
        except OSError as error:
            why = f"the report cannot be saved: {error.strerror}; all answers are in {path}"
            raise NotMeasuredError(why) from error
    show(text)
    return 3 if end.between else 0


def _searched(
    request: Request, python: str, releases: tuple[str, ...], state: State, path: Path, trial: trials.Trial, say: Say
) -> tuple[search.Found | search.Refused, _Search]:
    """Search from the answers that are there."""
    say(f"{len(releases)} releases of {request.package}, at most {math.ceil(math.log2(len(releases))) + 2} tests")
    if state.answers:
        say(f"{len(state.answers)} answers from before ({path})")
    probes = (request.probe,) if request.probe else ()
    tests = {suites.PROBE: request.tests.packed.written(request.out)} if request.tests else {}
    # the pool ends last: it waits for environments, and closing the executors stops their preparation
    with (
        copied(request.script if request.metric else None) as figures,
        Workers(PREPARED_AT_ONCE, "prepare") as pool,
        workspace.open(None, probes=probes, own={**figures, **tests}, fresh=True) as opened,
    ):
        work = _Search(request, releases, python, _on(state, opened, path), path, trial, opened.context, pool, say)
        try:
            end = work.run()
        except KeyboardInterrupt:
            say(f"interrupted: the same command continues from {path}")
            raise
        pool.close()
        pool.wait()
        for version in tuple(work.made):
            work.evict(version, oldest=True)
    return end, work


@contextmanager
def _alone(request: Request, path: Path, say: Say) -> Iterator[None]:
    """Let one command at a time search for the same.

    Raises UsageError where --out cannot be used.
    """
    with ExitStack() as stack:
        try:
            request.out.mkdir(parents=True, exist_ok=True)
            waiting = f"which searches for the same; its answers are used then ({path})"
            held = locks.held(
                path.with_suffix(".lock"),
                lambda who: say(f"waiting for {who}, {waiting}"),
                unlocked=lambda why: say(f"{path}: cannot be locked ({why}); run no other command for the same search"),
            )
            stack.enter_context(held)
        except OSError as error:
            raise UsageError(f"--out {request.out}: cannot be used: {error.strerror}") from None
        yield


def _on(state: State, opened: workspace.Work, path: Path) -> State:
    """The state with the data that its answers are for.

    Raises NotMeasuredError where earlier answers are for other data: without a network, synthetic data take the place
    of what could not be fetched.
    """
    data = " ".join(sorted(file.sha256 for file in opened.files.values()))
    if state.answers and state.data not in (None, data):
        raise NotMeasuredError(
            f"the answers in {path} were found with other data than are here now (is the network there?); "
            "run the same command again when they are, or give --fresh"
        )
    return State(state.question, state.as_of, state.answers, state.format, data)


def _finished(work: _Search, end: search.Found, command: Sequence[str]) -> Finished:
    request, state = work.request, work.state
    dates: dict[str, str] = {}
    try:
        dates = index.uploaded(request.package, (end.last_old, end.first_new), work.python)
    except CellError as error:
        work.say(f"note: the days of upload are missing: {sentence(error)}")
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
        dates=dates,
        command=command,
    )


def _executor(request: Request, python: str, say: Say) -> str:
    """Unless the user chose: containers where an engine answers, else the host.

    Raises UsageError for an unknown executor and UnavailableError for one that cannot run the good release here.
    """
    chosen = places.one_place(question.at(request, request.good, python, ""), request.executor).executor
    if request.executor == plan.AUTO and not executors.kind(chosen).isolated:
        say("note: no engine for containers answers: in virtual environments on this machine")
    return chosen


def _state(request: Request, asked: dict[str, Any], path: Path, say: Say) -> State:
    """The answers of an earlier search for the same thing.

    Raises UsageError where their file cannot be used.
    """
    try:
        if path.is_file() and not request.fresh:
            state, dropped = question.read(path.read_bytes())
            if dropped:
                say(f"skipped by an earlier version of this program, asked again: {', '.join(dropped)}")
            return state
    except UsageError as error:
        raise UsageError(f"{path}: {error}; delete it, or give --fresh") from None
    except msgspec.DecodeError:
        raise UsageError(f"{path}: is not a whole file of answers; delete it, or give --fresh") from None
    except OSError as error:
        raise UsageError(f"--out {request.out}: cannot be used: {error.strerror}") from None
    day = pins.date(request.as_of) if request.as_of else dt.datetime.now(dt.UTC).date()
    return State(asked, index.end_of(day), {}, question.FORMAT)


def _named(say: Say, version: str) -> Say:
    return lambda text: say(f"{version}: {text}")
