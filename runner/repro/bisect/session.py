"""Runs ``runner bisect``: releases, then nights, then commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from runner.environments import index
from runner.errors import CellError, NotMeasuredError, UnbuildableError, UsageError
from runner.executors import Say
from runner.matrix import frameworks
from runner.repro.bisect import commits, nights, question, trials
from runner.repro.bisect.along import NotEnclosedError, Session, along, check_executor, executor_for
from runner.repro.bisect.lasting import sentence
from runner.repro.bisect.lines import Commits, Published
from runner.repro.bisect.question import Request
from runner.repro.bisect.report import Ended, report, summary
from runner.repro.bisect.searching import Budget
from runner.sources.history import History
from runner.util import files


def bisect(request: Request, command: Sequence[str], say: Say, show: Callable[[str], None]) -> int:
    """Search, write the report and show it. Returns the exit code.

    ``command`` is the command line, for the report. Raises UsageError where the ends enclose no change,
    NotMeasuredError where the search could not go on, NothingMeasuredError where it could not begin.
    """
    found = ended(request, command, say)
    show(found.text)
    return found.exit_code


def ended(request: Request, command: Sequence[str], say: Say, budget: Budget | None = None) -> Ended:
    """Search and write the report.

    Raises as ``bisect``, and NotMeasuredError where the ``budget`` is used.
    """
    try:
        return _ended(request, command, say, budget or Budget())
    except CellError as error:
        raise NotMeasuredError(sentence(error)) from error


def _ended(request: Request, command: Sequence[str], say: Say, budget: Budget) -> Ended:
    question.check(request)
    request = question.with_tests(request)
    trial = trials.of(request)
    there = commits.opened(request)
    if there is None or all(question.is_published(request, end) for end in request.ends):
        question.check_ends(request := question.exact(request))
        check_executor(request.executor)
        work = Session(question.fixed(request, say), command, trial, say, budget)
        _published(work)
        problems = [_nights(work), _commits_between(work, there) if there else ""]
    else:
        if request.to == "nightly":
            raise UsageError("--to nightly needs releases as --good and --bad, and one of them is a commit")
        check_executor(request.executor)
        work = Session(question.fixed(request, say), command, trial, say, budget)
        problems = []
        _commits_named(work, there)
    return _written(work, tuple(filter(None, problems)))


def _written(work: Session, problems: tuple[str, ...]) -> Ended:
    """Write the report of the last search, which also names what the others found."""
    *earlier, last = work.finished
    last = replace(last, before=tuple(summary(one) for one in earlier), problems=problems)
    text = report(last)
    path = work.path.with_suffix(".md")
    try:
        files.write_atomically(path, text.encode())
    except OSError as error:
        why = f"the report cannot be saved: {error.strerror}; all answers are in {work.path}"
        raise NotMeasuredError(why) from error
    return Ended(text, summary(last), path, 3 if last.end.between or problems else 0)


def _published(work: Session) -> None:
    """Search the releases, or the nightly builds where both ends are such.

    Raises UsageError.
    """
    request = work.request
    work.python = request.python or question.python_of(request)
    executor = executor_for(request, request.good, work.python, work.say)
    work.request = request = replace(request, executor=executor)
    try:
        along(work, question.published(request, work.python))
    except NotEnclosedError as refused:
        raise refused.told(work.say) from None


# --- nights ----------------------------------------------------------------------------------------------------------


def _nights(work: Session) -> str:
    """Search the nights around the two releases that were found, if asked to.

    Returns why no night was found.
    """
    found = work.finished[-1]
    if work.request.to != "nightly" or found.noun != "release":
        return ""
    old, new = found.end.last_old, found.end.first_new
    work.say(f"{summary(found)}; next, the nights around them")
    try:
        spans = _spans(work, old, new)
        for span, longer in zip(spans, (*spans[1:], None), strict=True):
            if _among(work, span, longer, old, new):
                break
    except UsageError as error:
        work.say(f"not narrowed to the night: {error}")
        return f"the night is not known: {error}"
    return ""


def _spans(work: Session, old: str, new: str) -> tuple[nights.Span, ...]:
    """The nights to search, the shortest span first.

    Raises UsageError where there are none.
    """
    package, python = work.request.package, work.python
    builds = index.nightly_builds(frameworks.named(package), python)
    if not builds:
        raise UsageError(f"matrix/compat.toml names no package with nightly builds of {package}")
    starts = nights.branches(index.published(package, python), old)
    days = index.uploaded(package, (*starts, new), python)
    return nights.spans(package, builds, starts, new, days)


def _among(work: Session, span: nights.Span, longer: nights.Span | None, old: str, new: str) -> bool:
    """Whether the change is found among some nights.

    If not, the ``longer`` span may have it. Raises UsageError.
    """
    request = work.request
    try:
        along(work, Published(request.package, span.builds, work.python, request.yanked, "nightly build"))
    except NotEnclosedError as refused:
        first, last = refused.ends
        if refused.are_new and longer is not None:
            work.say(f"{first} is {refused.marks[0]} already: on from the night before {longer.since}")
            return False
        both = f"the nightly builds {first} and {last} are both {refused.marks[0]}"
        if refused.are_new:
            raise UsageError(f"{both}: the main line had it before the branch of {old}, which does not") from None
        if refused.are_old:
            raise UsageError(f"{both}: what changed {new} is on its branch alone, and no night has it") from None
        raise UsageError(refused.reason) from None
    return True


# --- commits ---------------------------------------------------------------------------------------------------------


def _commits_named(work: Session, there: History) -> None:
    """Search between two ends of which one is named as a commit. Raises UsageError."""
    old, new = commits.named(work.request, there)
    line = commits.between(work.request, there, old, new, work.say, work.request.ends)
    _prepare(work, line)
    try:
        along(work, line)
    except NotEnclosedError as refused:
        raise refused.told(work.say) from None
    _merged(work, there)


def _commits_between(work: Session, there: History) -> str:
    """Search between the releases or the nights that were found.

    Returns why no commit was found.
    """
    found = work.finished[-1]
    work.say(f"{summary(found)}; next, the commits between them")
    try:
        old, new = commits.of_published(work.request, there, found.end.last_old, found.end.first_new)
        words = (found.end.last_old, found.end.first_new)
        along(work, commits.between(work.request, there, old, new, work.say, words))
    except (UsageError, NotEnclosedError) as error:
        work.say(f"not narrowed to the commit: {error}")
        return f"the commit is not known: {error}"
    _merged(work, there)
    return ""


def _merged(work: Session, there: History) -> None:
    """Search what a merge commit merged, where --all-parents asks for it."""
    while work.request.all_parents and work.finished[-1].merged and not work.finished[-1].end.between:
        found = work.finished[-1]
        line = commits.into(work.request, found.known[found.end.first_new], there, work.say)
        work.say(f"{summary(found)}, a merge of {found.merged} commits; next, these")
        try:
            along(work, line)
        except NotEnclosedError as refused:
            work.say(f"{refused.reason}: the merge itself changed it, not what it merged")
            return


def _prepare(work: Session, line: Commits) -> None:
    """Choose the Python and the executor for commits.

    Their versions are known once both ends are built.
    """
    request = work.request
    try:
        low, high = line.version(line.points[0]), line.version(line.points[-1])
    except UnbuildableError as error:
        raise UsageError(f"{error}; a search needs both ends: name another commit as the end") from None
    work.python = request.python or question.python_of(request, (low, high))
    executor = executor_for(request, low, work.python, work.say)
    work.request = replace(request, executor=executor)
    line.executor = executor
