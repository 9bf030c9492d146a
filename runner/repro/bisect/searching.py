"""Tests the points of a line one after the other, until the search ends.

Every answer is saved.
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from msgspec import structs

from runner.errors import CellError, NotMeasuredError, UnavailableError, UsageError
from runner.executors import Prepared, Say
from runner.matrix import frameworks, plan
from runner.measure import places, turns
from runner.measure.context import Context
from runner.measure.places import Place
from runner.measure.sample import internal
from runner.model import Custom
from runner.repro.bisect import question, search, trials
from runner.repro.bisect.lasting import lasting, sentence, worth_a_second_try
from runner.repro.bisect.lines import Line
from runner.repro.bisect.question import Answer, Request, State
from runner.repro.bisect.report import moved
from runner.repro.bisect.search import Mark
from runner.util import files, outage
from runner.util.workers import Workers

PREPARED_AT_ONCE = 3
"""The environment that is tested, and the two candidates after it."""


@dataclass
class Budget:
    """How long the processes of the tests may still take, in seconds.

    Making environments does not count.
    """

    left_s: float = math.inf


@dataclass
class Search:
    """A search in progress."""

    request: Request
    line: Line
    python: str
    state: State
    path: Path
    trial: trials.Trial
    context: Context
    pool: Workers
    say: Say
    budget: Budget = field(default_factory=Budget)
    base: Prepared | None = None
    made: dict[str, tuple[Place, Future[Prepared]]] = field(default_factory=dict)
    ran: int = 0

    def run(self) -> search.Found | search.Refused:
        """Test one release after the other and save every answer, until the search ends.

        Raises NotMeasuredError where something else than the release prevented an answer. Nothing is stored then.
        """
        while isinstance(after := self._next(), search.Ask):
            self._drop_all_but(after.version)
            if self.budget.left_s <= 0:
                raise self._unanswered(after.version, UnavailableError("the budget is used"))
            self._save(after.version, answer := self._answer(after.version))
            self.budget.left_s -= answer.wall_s
            also = f"; moved with it: {', '.join(answer.moved)}" if answer.moved else ""
            reason = f" ({answer.reason})" if answer.reason else ""
            self.say(f"{self.line.label(after.version)}: {answer.mark}{reason}{also}")
            self.evict(after.version)
        return after

    def _marks(self) -> dict[str, Mark]:
        return {version: answer.mark for version, answer in self.state.answers.items()}

    def _next(self) -> search.Step:
        return search.step(self.line.points, self._marks(), find_fix=self.request.find_fix, noun=self.line.noun)

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
            if why := self.line.left_out(version):
                return Answer(Mark.SKIP, why)
            content = self.line.content(version)
            return self._twin(content) or structs.replace(self._tested(version), content=content)
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
        return NotMeasuredError(f"{self.line.label(version)} could not be tested: {why}; the same command {on}")

    def _twin(self, content: str) -> Answer | None:
        """The answer of a build with the same files, where there is one."""
        for point, answer in self.state.answers.items():
            tested = answer.mark != Mark.SKIP and not answer.reason.startswith(_SAME)
            if content and answer.content == content and tested:
                reason = f"{_SAME}{point}{f': {answer.reason}' if answer.reason else ''}"
                return structs.replace(answer, reason=reason, runs=[], wall_s=0.0)
        return None

    def _tested(self, version: str) -> Answer:
        base = self._base(version)
        place, prepared = self._ready(version)
        if self.line.ahead and not self.trial.timed:  # an installation at the same time would change the timing
            for other in self._ahead(version):
                self._prepare(other)
        self.ran += 1
        result = self.trial.run(place, prepared, self._place(self.line.points[0]), self.context)
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
        oldest = self.line.points[0]
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
        target = question.at(self.request, self.line.version(version), self.python, self.state.as_of)
        if version != self.line.points[0] and self.base is not None:
            own = frameworks.parts_of(self.request.package)
            kept = tuple(f"{n}=={v}" for n, v in sorted((self.base.packages or {}).items()) if n not in own)
            target = replace(target, custom=replace(target.custom or Custom(), prefer=kept))
        place = places.one_place(target, self.request.executor)
        if self.request.tests is None:
            return place
        platform, needs = place.environment.platform, self.request.tests.needs
        return replace(place, environment=plan.environment_of(place.cell, platform, target.custom, needs))

    def _ahead(self, version: str) -> list[str]:
        return search.ahead(self.line.points, self._marks(), version, find_fix=self.request.find_fix)

    def _drop_all_but(self, version: str) -> None:
        """Remove the prepared candidate that will not be tested."""
        kept = {version, *(self._ahead(version) if self.line.ahead else ())}
        for other in self.made.keys() - kept:
            self.evict(other)

    def evict(self, version: str, *, oldest: bool = False) -> None:
        """Remove the environment of a release that needs no more tests.

        The oldest release's stays until the end, because others are compared with it; ``oldest`` removes it too.
        """
        if self.request.keep or (version == self.line.points[0] and not oldest) or version not in self.made:
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


_SAME = "the same files as "


def _named(say: Say, version: str) -> Say:
    return lambda text: say(f"{version}: {text}")
