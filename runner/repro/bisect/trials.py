"""The tests that ``runner bisect`` runs on a release.

A test is a script, a probe, one case of a sweep, or a verdict of the judge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from runner import judge
from runner.defects import cases, ops, suite
from runner.environments import index
from runner.errors import BuildError, UnavailableError, UsageError, suggest
from runner.executors import Prepared
from runner.judge.pairing import difference
from runner.matrix import probes, scripts, selection
from runner.measure import places, scheduler, suites, turns
from runner.measure.context import Context
from runner.measure.places import Place
from runner.model import Cell, Comparison, Job, ProbeSpec, Sample, Scalar, Status, Verdict
from runner.repro import compare, script
from runner.repro.bisect import search
from runner.repro.bisect.question import Request
from runner.repro.bisect.search import Mark

CANNOT_TELL = 125
"""git bisect's exit code for a commit that cannot be tested."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the runs of one release."""

    mark: Mark
    reason: str
    runs: Sequence[str]
    wall_s: float


class Trial(Protocol):
    """One way to test a release."""

    @property
    def timed(self) -> bool:
        """Whether its timings count: nothing may be installed meanwhile."""
        ...

    def run(self, place: Place, prepared: Prepared, base: Place, context: Context) -> Result:
        """Test the release at ``place``; ``base`` is the oldest. Raises CellError."""
        ...


def of(request: Request) -> Trial:
    """The trial of the command line. Raises UsageError unless it asks for one."""
    if sum(map(bool, (request.script, request.probe, request.pytest))) != 1:
        raise UsageError("say what is tested: either --script FILE or --probe NAME or --pytest PATH")
    if request.install is not None and not request.pytest:
        raise UsageError("--install goes with --pytest: name the folder with the tests")
    if request.script is not None:
        if request.case or request.settings:
            raise UsageError("--case and --setting go with --probe, not with --script")
        return _of_figure(request, request.script) if request.metric else _of_script(request, request.script)
    if request.pattern:
        raise UsageError("--stdout goes with --script")
    return _of_probe(request, request.probe or suites.PROBE)


@dataclass(frozen=True, slots=True)
class ScriptTrial:
    """Runs a script: exit 0 is good, 125 cannot tell, any other is bad.

    With ``pattern``, a run is good where the output matches, whatever the exit code (125 excepted).
    """

    work: script.Script
    pattern: re.Pattern[str] | None
    repeat: int
    timed: bool = False

    def run(
        self,
        place: Place,
        prepared: Prepared,
        base: Place,  # noqa: ARG002 - the protocol's
        context: Context,
    ) -> Result:
        own = replace(self.work, variables=selection.variables(place.cell))
        marks: list[Mark] = []
        ran: list[script.Ran] = []
        while (mark := search.vote(marks, self.repeat)) is None:
            ran.append(turns.together(script.run, own, place.cell, prepared, context.executors[place.executor]))
            marks.append(self.mark(ran[-1]))
        reason = next((r.reason or _last(r.output) for r, m in zip(ran, marks, strict=True) if m == mark), "")
        if len(set(marks)) > 1:
            reason = f"flaky: {', '.join(marks)}; {reason}"
        return Result(mark, reason, [str(m) for m in marks], sum(r.wall_s for r in ran))

    def mark(self, ran: script.Ran) -> Mark:
        """The mark of one run. Raises UnavailableError where there was none."""
        if ran.status == Status.UNAVAILABLE:
            raise UnavailableError(ran.reason, ran.output)
        if ran.exit_code == CANNOT_TELL:
            return Mark.SKIP
        if self.pattern is not None:
            return Mark.GOOD if self.pattern.search(compare.clean(ran.output)) else Mark.BAD
        return Mark.GOOD if ran.status == Status.OK else Mark.BAD


@dataclass(frozen=True, slots=True)
class ProbeTrial:
    """Runs a probe: good where it runs well; with a case, where that case is right."""

    spec: ProbeSpec
    case: str | None
    repeat: int
    timed: bool = False

    def run(
        self,
        place: Place,
        prepared: Prepared,  # noqa: ARG002 - the scheduler finds it prepared
        base: Place,  # noqa: ARG002 - the protocol's
        context: Context,
    ) -> Result:
        marks: list[Mark] = []
        samples: list[Sample] = []
        while (mark := search.vote(marks, self.repeat)) is None:
            job = Job(place.cell, place.environment, self.spec, len(marks), len(marks), place.executor)
            samples += _tested(_measure((job,), context), place.cell)
            marks.append(self._mark(samples[-1])[0])
        reason = next(text for s in samples for m, text in (self._mark(s),) if m == mark or mark == Mark.SKIP)
        return Result(mark, reason, [str(m) for m in marks], sum(s.wall_s for s in samples))

    def _mark(self, sample: Sample) -> tuple[Mark, str]:
        if sample.probe == suites.PROBE:
            return tests_mark(sample, self.case)
        if sample.status != Status.OK or self.case is None:
            return (Mark.GOOD if sample.status == Status.OK else Mark.BAD), sample.reason
        return case_mark(sample.details.get("cases", {}), self.case)


@dataclass(frozen=True, slots=True)
class JudgeTrial:
    """Judges a metric: bad where the verdict is ``verdict``.

    The release is compared with the oldest one, in interleaved rounds.
    """

    spec: ProbeSpec
    metric: str
    verdict: Verdict
    rounds: int
    timed: bool = True

    def run(
        self,
        place: Place,
        prepared: Prepared,  # noqa: ARG002 - the scheduler finds it prepared
        base: Place,
        context: Context,
    ) -> Result:
        if place.cell == base.cell:
            return Result(Mark.GOOD, "the baseline", [], 0.0)
        axis = difference(base.cell, place.cell)
        if axis is None:
            raise UsageError("--metric needs a package that is an axis of the cell: a framework or keras")
        settings = judge.JudgeSettings(max_rounds=self.rounds)
        pair = judge.Pair(base.cell, place.cell, axis)
        samples: list[Sample] = []
        mark, reason, done = Mark.SKIP, "", 0
        for look in settings.looks:
            samples += _tested(_measure(self._jobs(base, place, range(done, look)), context), place.cell)
            broken = next((sample for sample in samples if sample.status != Status.OK), None)
            if broken is not None:
                wanted = self.verdict == Verdict.BROKEN and broken.cell == place.cell
                return Result(Mark.BAD if wanted else Mark.SKIP, f"{broken.status}: {broken.reason}", [], broken.wall_s)
            judged = judge.judge(only(samples, self.metric), [pair], (), settings)
            mark, reason = verdict_mark(judged, self.metric, self.verdict)
            done = look
            if mark != Mark.SKIP:
                break
        return Result(mark, reason, [], sum(sample.wall_s for sample in samples))

    def _jobs(self, base: Place, place: Place, rounds: range) -> tuple[Job, ...]:
        """The rounds, each with a process of both releases; the first one alternates."""
        order = [base, place]
        return tuple(
            Job(one.cell, one.environment, self.spec, number, number, one.executor)
            for number in rounds
            for one in (order if number % 2 == 0 else order[::-1])
        )


def only(samples: Sequence[Sample], metric: str) -> list[Sample]:
    """The samples with one metric. Raises UsageError if the probe lacks it.

    All metrics of a run share one error rate, so the others would cost rounds.
    """
    names = list(dict.fromkeys(m.name for sample in samples for m in sample.metrics))
    name = next((n for n in names if n == metric or n.endswith(f".{metric}")), None)
    if name is None:
        raise UsageError(f"the probe has no metric {metric!r}{suggest(metric, names)}; there are: {', '.join(names)}")
    return [replace(sample, metrics=tuple(m for m in sample.metrics if m.name == name)) for sample in samples]


def verdict_mark(judged: Sequence[Comparison], metric: str, verdict: Verdict) -> tuple[Mark, str]:
    """The mark of the verdict on a metric. Raises UsageError if the probe lacks it."""
    names = [one.metric for one in judged]
    found = next((one for one in judged if one.metric == metric or one.metric.endswith(f".{metric}")), None)
    if found is None:
        raise UsageError(f"the probe has no metric {metric!r}{suggest(metric, names)}; there are: {', '.join(names)}")
    reason = f"{found.metric} {found.verdict}: {found.reason}"
    if found.verdict == verdict:
        return Mark.BAD, reason
    if found.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE, Verdict.NO_BASELINE):
        return Mark.SKIP, reason
    return Mark.GOOD, reason


def case_mark(records: object, case: str) -> tuple[Mark, str]:
    """The mark for one case of the sweep and its checks.

    ``records`` is the detail ``cases`` of a sample.
    """
    known = cases.read(records)
    found = {name: record for name, record in known.items() if name == case or name.startswith(f"{case}#")}
    if not found:
        return Mark.SKIP, f"the sweep has no case {case!r}{suggest(case, known)}"
    for name, record in found.items():
        if not (record.right or record.silent):
            return Mark.BAD, f"{name}: {record.status} {record.note}".strip()
    return Mark.GOOD, ""


def tests_mark(sample: Sample, case: str | None) -> tuple[Mark, str]:
    """The mark of a run of a user's tests.

    It is good where none fails and at least one passes. A file that cannot be imported fails, since none of its tests
    passes. Tests that are skipped or not there say nothing. With the ``case`` of a file, only its import counts.
    """
    if sample.status is Status.BAD_OUTPUT:
        return Mark.SKIP, sample.reason
    if sample.status != Status.OK:
        return Mark.BAD, sample.reason
    known = cases.read(sample.details.get("cases", {}))
    if case is not None and case.endswith(suite.COLLECTED):
        known = {name: record for name, record in known.items() if name == case}
    failed = [(name, record) for name, record in known.items() if record.status in suite.FAILED]
    if failed:
        name, record = failed[0]
        more = f"{len(failed)} tests fail, the first: " if len(failed) > 1 else ""
        return Mark.BAD, f"{more}{name}: {record.note}".strip()
    if any(record.right for name, record in known.items() if name == case or not name.endswith(suite.COLLECTED)):
        return Mark.GOOD, ""
    return Mark.SKIP, "every test is skipped"


def _of_script(request: Request, path: Path) -> Trial:
    try:
        pattern = re.compile(request.pattern, re.MULTILINE) if request.pattern else None
    except re.error as error:
        raise UsageError(f"--stdout {request.pattern!r} is not a regular expression: {error}") from None
    there, mounts = script.check(path, request.mounts)
    limits = places.limits(request.timeout_s, request.memory, request.disk)
    work = script.Script(there, request.arguments, mounts, request.network, limits)
    return ScriptTrial(work, pattern, request.repeat)


def _of_figure(request: Request, path: Path) -> Trial:
    """The judge's verdict on a figure that a script prints."""
    if request.pattern or request.mounts:
        raise UsageError("--stdout and --mount do not go with the --metric of a script")
    there, _ = script.check(path, ())
    metric = str(request.metric)
    arguments: list[Scalar] = [*request.arguments]
    asked = {**scripts.settings(there, (metric,), network=request.network), "arguments": arguments}
    limits = places.limits(request.timeout_s, request.memory, request.disk)
    spec = ProbeSpec(scripts.PROBE, asked, limits=limits)
    name = f"{scripts.PRINTED}.{scripts.metric(metric)[0]}"
    verdict, rounds = request.judged
    return JudgeTrial(spec, name, Verdict(verdict), rounds)


def _of_probe(request: Request, name: str) -> Trial:
    chosen = selection.choose(None, (), index.nightly)
    sweeps = (ops.PROBE, *probes.activities(), suites.PROBE)
    if request.case and name not in sweeps:
        raise UsageError(f"--case goes with --pytest, or a probe that tries single cases: {', '.join(sweeps[:-1])}")
    if name == suites.PROBE and request.tests is None:
        raise UsageError(f"the probe {name!r} runs your tests: give them with --pytest")
    (spec,) = selection.probe_specs(chosen, (name,), request.settings)
    if request.tests is not None:
        spec = replace(spec, settings={**request.tests.settings, **spec.settings})
    limits = places.limits(request.timeout_s or chosen.whole.probes[name].timeout_s, request.memory)
    spec = replace(spec, limits=replace(limits, disk_bytes=None))
    if request.case and name != suites.PROBE:
        spec = replace(spec, settings={**spec.settings, "only": f"^{re.escape(request.case)}$"})
    if request.metric:
        verdict, rounds = request.judged
        return JudgeTrial(spec, request.metric, Verdict(verdict), rounds)
    # without a verdict on a time, no process needs the machine to itself
    return ProbeTrial(replace(spec, timed=False), request.case, request.repeat)


def _measure(jobs: tuple[Job, ...], context: Context) -> list[Sample]:
    return scheduler.run(jobs, context, lambda _: None)


def _tested(samples: list[Sample], cell: Cell) -> list[Sample]:
    """The samples, if each says something about its cell.

    Raises UnavailableError, or BuildError where the environment of this cell could not be made.
    """
    for sample in samples:
        if not sample.status.about_cell:
            built = sample.status == Status.BUILD_FAILED and sample.cell == cell
            raise (BuildError if built else UnavailableError)(sample.reason, sample.log)
    return samples


def _last(output: str) -> str:
    lines = [line.strip() for line in compare.clean(output).splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
