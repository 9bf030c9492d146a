"""``runner matrix`` on a cluster: run elsewhere, judge, bisect and print here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli.request import Request
from runner.data import DataFile
from runner.matrix.selection import Chosen
from runner.measure import host
from runner.model import ProbeSpec
from runner.results.store import RunRecord
from runner.util import program
from runner.util.plain import say


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command line of ``runner matrix``, as far as it does not depend on a machine."""

    request: Request
    chosen: Chosen
    probes: tuple[ProbeSpec, ...]
    wish: host.Wish
    given: Mapping[str, Path]
    """The user's data files by data set."""
    own: Mapping[str, DataFile]
    """Files that probes read as they are, by probe."""
    against: str


def matrix(made: Prepared) -> int:
    """Run, judge, bisect, print. Returns the exit code."""
    from runner.cli import explain, output, progress, remembering
    from runner.cluster import keys, launch, running
    from runner.judge import rules
    from runner.measure import context, workspace
    from runner.report import build

    request, chosen = made.request, made.chosen
    further = request.further(chosen.definition.budget_s)
    judged_by = rules.Rules(
        chosen.name, request.baseline, request.alpha, request.floor, further.most or None, bool(made.against)
    )
    minutes = running.BLOCK_MINUTES if request.block_minutes is None else request.block_minutes
    order = running.Order(
        chosen=chosen,
        wanted=host.asked(chosen, made.probes, made.wish),
        further=further,
        rules=judged_by,
        jobs=request.jobs,
        builds=request.builds,
        block_minutes=minutes,
        pull_from=request.pull_from,
        fresh=request.fresh,
    )
    if request.dry_run:
        for line in running.described(order):
            say(line)
        return 0
    where = launch.Where.of(request.scheduler, request.cluster, request.tls, insecure=request.insecure)
    keys.check_installed()
    if where.scheduler is not None and where.scheduler.protocol == "tls":
        keys.of_folder(where.tls)
    running.check_strangers(request.out)  # before anything is written there
    remembered = remembering.ready(remembering.wish(request.history, without=request.no_history))
    with (
        progress.shown() as shown,
        workspace.open(
            request.out,
            probes=[probe.name for probe in made.probes],
            given=made.given,
            own=made.own,
            offline=request.offline,
            record=_record(made, further.most or None, further.budget_s),
            say=context.noted(shown),
        ) as work,
    ):
        ended = running.run(order, work, where, shown)
    report = build.report(ended.samples, ended.record, judged_by, interrupted=ended.interrupted)
    report = remembering.after_a_run(replace(report, everything=request.everything), remembered)
    if request.explain and ended.problem is None and not ended.interrupted:
        report = explain.explained(report, request.out, explain.left_s(report, further.budget_s))
    output.emit(report, request.format_)
    if ended.problem is not None:
        program.warn(str(ended.problem))
        return report.exit_code or ended.problem.exit_code
    output.name_page(request.format_, report, request.out)
    return report.exit_code


def _record(made: Prepared, max_rounds: int | None, budget_s: float | None) -> RunRecord:
    """What the run sets out to do."""
    chosen, request = made.chosen, made.request
    processes = [
        (cell.id, probe.name, made.wish.rounds) for probe in made.probes for cell in chosen.cells if probe.runs_in(cell)
    ]
    return RunRecord(
        chosen.name, chosen.cells, chosen.skips, chosen.notes, request.invocation(), max_rounds, tuple(processes),
        budget_s, (), made.against,
    )  # fmt: skip
