"""One search along a line: the file of its answers, what it needs, and its end."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from runner import executors
from runner.environments import index
from runner.errors import (
    CellError,
    ImpossibleError,
    NothingMeasuredError,
    NotMeasuredError,
    OutageError,
    UnavailableError,
    UsageError,
)
from runner.executors import Say
from runner.matrix import plan
from runner.measure import host, places, suites, workspace
from runner.measure.scripts import copied
from runner.repro import pins
from runner.repro.bisect import commits, question, search, trials
from runner.repro.bisect.lasting import sentence
from runner.repro.bisect.lines import Commits, Line
from runner.repro.bisect.question import Answer, Request, State
from runner.repro.bisect.report import Finished
from runner.repro.bisect.searching import PREPARED_AT_ONCE, Budget, Search
from runner.util import files, locks, versions
from runner.util.workers import Workers


@dataclass
class Session:
    """What all searches of one command share."""

    request: Request
    command: Sequence[str]
    trial: trials.Trial
    say: Say
    budget: Budget
    python: str = ""
    as_of: str = ""
    """The moment of the first search: later ones install what was there then."""
    finished: list[Finished] = field(default_factory=list)
    path: Path = Path()
    """The answers of the last search."""


class NotEnclosedError(Exception):
    """The ends of a line do not enclose a change."""

    def __init__(self, line: Line, reason: str, answers: dict[str, Answer], request: Request) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
        self.answers = answers
        self.marks = tuple(answers[point].mark for point in self.ends if point in answers)
        self.are_new = self.marks == (request.new, request.new)
        self.are_old = self.marks == (request.old, request.old)

    @property
    def ends(self) -> tuple[str, str]:
        """The oldest point and the newest one."""
        return self.line.points[0], self.line.points[-1]

    def __str__(self) -> str:
        """The reason."""
        return self.reason

    def told(self, say: Say) -> UsageError:
        """The error for the user, after what each end printed."""
        for point in filter(self.answers.__contains__, self.ends):
            say(f"{point}: {self.answers[point].mark}: {self.answers[point].reason}")
        return UsageError(self.reason)


def along(work: Session, line: Line) -> None:
    """Search along a line and remember what was found.

    Raises NotEnclosedError where the ends enclose no change, NotMeasuredError where the search could not go on.
    """
    request = work.request
    asked = question.asked(request, work.python, line.points)
    path = request.out / f"{versions.project(request.package)}-{files.digest(asked)[:12]}.json"
    with _alone(request, path, work.say):
        state = _state(work, asked, path)
        work.as_of = work.as_of or state.as_of
        end, done = _searched(work, line, state, path)
    if isinstance(end, search.Refused):
        refused = NotEnclosedError(line, end.reason, dict(done.state.answers), request)
        if refused.are_new and isinstance(line, Commits):
            refused.reason = commits.not_enclosed(request, line) or refused.reason
        raise refused
    work.path = path
    work.finished.append(_finished(work, done, end))


def executor_for(request: Request, version: str, python: str, say: Say) -> str:
    """Unless the user chose: containers where an engine answers, else the host.

    Raises UsageError for an unknown executor and for a version that runs nowhere with that Python,
    NothingMeasuredError for an executor that cannot run the version here.
    """
    try:
        chosen = places.one_place(question.at(request, version, python, ""), request.executor).executor
    except OutageError:
        raise
    except ImpossibleError as error:
        known = f"; both ends run with Python {' to '.join(question.pythons(request))}" if request.python else ""
        raise UsageError(f"{error}{known}") from None
    except UnavailableError as error:
        raise NothingMeasuredError(str(error)) from None
    if request.executor == plan.AUTO and not executors.kind(chosen).isolated:
        say("note: no engine for containers answers: in virtual environments on this machine")
    return chosen


def check_executor(name: str) -> None:
    """Raise NothingMeasuredError where the chosen executor cannot be used here.

    A source is built there too, so it is asked before anything is built.
    """
    if name in executors.names(installing=True) and (why := host.host_facts(name).executors[name].problem):
        raise NothingMeasuredError(f"--executor {name}: {why}; see `runner doctor`")


def _searched(work: Session, line: Line, state: State, path: Path) -> tuple[search.Found | search.Refused, Search]:
    """Search from the answers that are there."""
    request, say, count = work.request, work.say, len(line.points)
    most = math.ceil(math.log2(count)) + 2
    say(f"{count} {line.noun}s of {request.package}, at most {most} {'tests' if line.ahead else 'builds and tests'}")
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
        state = _on(state, opened, path)
        done = Search(request, line, work.python, state, path, work.trial, opened.context, pool, say, work.budget)
        try:
            end = done.run()
        except KeyboardInterrupt:
            say(f"interrupted: the same command continues from {path}")
            raise
        pool.close()
        pool.wait()
        for version in tuple(done.made):
            done.evict(version, oldest=True)
    return end, done


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


def _state(work: Session, asked: dict[str, Any], path: Path) -> State:
    """The answers of an earlier search for the same thing.

    Raises UsageError where their file cannot be used.
    """
    request = work.request
    try:
        if path.is_file() and not request.fresh:
            state, dropped = question.read(path.read_bytes())
            if dropped:
                work.say(f"skipped by an earlier version of this program, asked again: {', '.join(dropped)}")
            return state
    except UsageError as error:
        raise UsageError(f"{path}: {error}; delete it, or give --fresh") from None
    except msgspec.DecodeError:
        raise UsageError(f"{path}: is not a whole file of answers; delete it, or give --fresh") from None
    except OSError as error:
        raise UsageError(f"--out {request.out}: cannot be used: {error.strerror}") from None
    day = pins.date(request.as_of) if request.as_of else dt.datetime.now(dt.UTC).date()
    return State(asked, work.as_of or index.end_of(day), {}, question.FORMAT)


def _finished(work: Session, done: Search, end: search.Found) -> Finished:
    request, state, line = work.request, done.state, done.line
    dates: dict[str, str] = {}
    if not isinstance(line, Commits):
        try:
            dates = index.uploaded(request.package, (end.last_old, end.first_new), work.python)
        except CellError as error:
            work.say(f"note: the days of upload are missing: {sentence(error)}")
    made = Finished(
        package=request.package,
        end=end,
        find_fix=request.find_fix,
        answers=state.answers,
        points=line.points,
        ran=done.ran,
        python=work.python,
        cell=question.at(request, line.version(end.first_new), work.python, state.as_of).cell.id,
        executor=done.context.executors[request.executor].label,
        dates=dates,
        command=work.command,
        noun=line.noun,
    )
    if not isinstance(line, Commits):
        return made
    found = line.known[end.first_new]
    merged = line.history.merged(found)
    return replace(made, known=line.known, web=line.history.web, builds=line.builds, merged=merged, apart=line.apart)
