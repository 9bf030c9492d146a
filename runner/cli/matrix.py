"""``runner matrix``: build, run and judge a set of cells."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.cli import options
from runner.errors import UsageError, suggest
from runner.judge.budget import MOST_ROUNDS, Further
from runner.matrix.sets import DEVICES
from runner.report.formats import FORMATS
from runner.util import durations
from runner.util.plain import say

if TYPE_CHECKING:
    from runner.data.suite import Packed
    from runner.matrix.selection import Chosen
    from runner.model import Sample
    from runner.report import Report


_OUT = Path("out")

_NOTHING = 4
"""The exit code of a run that measured nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner matrix``."""

    set_name: str | None
    only: tuple[str, ...]
    probes: tuple[str, ...]
    settings: tuple[str, ...]
    executor: str
    device: str
    rounds: int | None
    max_rounds: int | None
    budget_s: float | None
    keep: int | None
    keep_free: float | None
    seed: int
    jobs: int
    builds: int
    timeout_s: float | None
    data: tuple[str, ...]
    offline: bool
    baseline: str | None
    alpha: float
    floor: float
    fresh: bool
    keep_failed: bool
    dry_run: bool
    out: Path
    everything: bool
    format_: str
    history: Path | None = None
    no_history: bool = False
    pytest: tuple[Path, ...] = ()
    install: str | None = None

    @property
    def evicts(self) -> bool:
        """Whether images are evicted during the run."""
        return self.keep is not None or self.keep_free is not None

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        if self.max_rounds and self.max_rounds < (self.rounds or 1):
            raise UsageError(f"--max-rounds {self.max_rounds} is less than --rounds {self.rounds}")
        if self.budget_s and not self.max_rounds and (self.rounds or 1) >= MOST_ROUNDS:
            raise UsageError(
                f"--rounds {self.rounds} leaves no further round for --budget, which takes up to {MOST_ROUNDS}: "
                "leave out one of them, or give --max-rounds"
            )
        if self.install is not None and not self.pytest:
            raise UsageError("--install goes with --pytest: name the folder with the tests")
        for option, given in (("--max-rounds", self.max_rounds), ("--budget", self.budget_s)):
            if given and self.evicts:
                raise UsageError(f"{option} needs all images at once: it does not go with --keep or --keep-free")

    def further(self, of_set: float | None) -> Further:
        """The rounds that follow the first ones.

        ``of_set``: the set's own budget, in seconds.
        """
        budget_s = self.budget_s
        if budget_s is None and not (self.rounds or self.max_rounds or self.evicts):
            budget_s = of_set
        return Further(self.max_rounds or (MOST_ROUNDS if budget_s else 0), budget_s)

    def notes(self, of_set: float | None) -> tuple[str, ...]:
        """What the user must know about the rounds."""
        if of_set is None or not self.evicts or self.rounds:
            return ()
        option = "--keep" if self.keep is not None else "--keep-free"
        return (f"one round: {option} runs one environment after the other, so that nothing can be measured again",)

    def invocation(self) -> str:
        """The arguments that decide what is measured and where it goes, for a shell.

        Defaults are left out.
        """
        words: list[str] = []
        for option, value, default in (
            ("--set", self.set_name, None),
            ("--executor", self.executor, "auto"),
            ("--device", self.device, "cpu"),
            ("--seed", self.seed, 0),
            ("--out", self.out, _OUT),
        ):
            if value != default:
                words += [option, str(value)]
        if self.timeout_s is not None:
            words += ["--timeout", f"{self.timeout_s:g}"]
        if self.offline:
            words.append("--offline")
        for path in self.data:
            words += ["--data", path]
        for setting in self.settings:
            words += ["--setting", setting]
        for tests in self.pytest:
            words += ["--pytest", str(tests)]
        if self.install is not None:
            words += ["--install", self.install]
        return shlex.join(words)


@click.command("matrix")
@options.which_cells
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@click.option(
    "--pytest",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Run these tests with pytest in every cell, each test a case; may be given several times.",
)
@click.option(
    "--install",
    metavar="PATH",
    help="With --pytest: a project's folder or a wheel to install in every cell, as . or '.[test]'; pure Python.",
)
@options.executor
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Device of the cell of --executor current.",
)
@click.option(
    "--budget",
    "budget_s",
    type=options.Duration(),
    metavar="TIME",
    help="Add rounds for undecided headline figures (accuracy, step time, first step, memory), as long as all "
    "processes of the run took no more than this: 90s, 10m, 2h, or none for no limit. Building and installing do not "
    "count. Default: the set's (quick: 10m).",
)
@click.option(
    "--rounds", type=click.IntRange(1), help="So many processes per cell and probe; with --budget, to begin with."
)
@click.option(
    "--max-rounds",
    type=click.IntRange(1),
    help=f"Add rounds for all undecided timings, up to this many; with --budget, of headline figures only "
    f"(default with --budget: {MOST_ROUNDS}).",
)
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Build, run, evict: keep N images.")
@click.option("--keep-free", type=options.Finite(0), metavar="GB", help="Build, run, evict: keep GB of disk free.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0, 1 << 31),
    help="Seed of the first round; later rounds count up.",
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes at once; timings suffer.")
@click.option("--builds", default=2, show_default=True, type=click.IntRange(1), help="Images built at once.")
@click.option("--timeout", "timeout_s", type=options.Finite(1), metavar="SECONDS", help="Per process.")
@click.option(
    "--data",
    multiple=True,
    metavar="[NAME=]PATH",
    help="An mnist.npz to use, or another data set of matrix/data.toml by name; may be given several times.",
)
@click.option("--offline", is_flag=True, help="Download no data: synthetic stand-ins for what the cache has not.")
@click.option("--baseline", metavar="CELL", help="Compare everything that can be compared with this cell.")
@options.error_rates
@click.option("--fresh", is_flag=True, help="Measure again what has a result already.")
@click.option("--keep-failed", is_flag=True, help="Keep what a failed process leaves, and say how to enter it.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and stop.")
@click.option("--out", type=click.Path(path_type=Path), default=_OUT, show_default=True, help="Results go here.")
@options.everything
@options.history
@click.option("--format", "format_", type=click.Choice(FORMATS), default="terminal", show_default=True)
def matrix_command(**arguments: Any) -> None:
    """Build, run and judge a set of cells; print the version-regression matrix.

    Every cell is measured once. Then what is undecided is measured again, within the --budget. Results land in --out,
    one file per process; a second run reuses what is there.
    """
    sys.exit(matrix(Request(**arguments)))


def matrix(request: Request) -> int:
    """Choose, plan, measure, judge, print. Returns the exit code."""
    from runner import data
    from runner.cli import output, progress, remembering
    from runner.cli.standing import Standing
    from runner.executors import Room
    from runner.judge import rules
    from runner.matrix import plan, selection
    from runner.measure import context, host, rounds, workspace
    from runner.report import build, listing

    request.check()
    given = data.parse(request.data)
    chosen = host.chosen(request.set_name, request.only, request.executor, request.device)
    chosen, suites = _with_tests(chosen, request)
    probes = selection.probe_specs(chosen, (*request.probes, *suites), request.settings)
    if request.baseline is not None and request.baseline not in (ids := [cell.id for cell in chosen.cells]):
        raise UsageError(f"--baseline {request.baseline!r}: not a cell of this run{suggest(request.baseline, ids)}")
    wish = host.Wish(request.executor, request.rounds or 1, request.seed, request.timeout_s, request.jobs)
    planned = host.planned(chosen, probes, wish)
    if not request.fresh:
        automatic = (request.executor, chosen.definition.executor) == (plan.AUTO, plan.AUTO)
        host.check_resumed(request.out, planned, automatic=automatic)
    further = request.further(chosen.definition.budget_s)
    planned = replace(planned, notes=(*planned.notes, *request.notes(chosen.definition.budget_s)))
    if request.dry_run:
        listing.print_plan(planned, output.console(sys.stdout))
        if text := _told(further):
            say(text)
        return 0
    remembered = remembering.ready(remembering.wish(request.history, without=request.no_history))
    judged_by = rules.Rules(request.set_name, request.baseline, request.alpha, request.floor, further.most or None)
    room = Room(request.keep, request.keep_free) if request.evicts else None
    with (
        progress.shown(tables=request.format_ == "terminal") as shown,
        workspace.open(
            request.out,
            probes=[probe.name for probe in probes],
            given=given,
            files={probe: packed.written(request.out) for probe, packed in suites.items()},
            offline=request.offline,
            record=host.record(chosen, planned, request.invocation(), further.most or None, further.budget_s),
            fresh=request.fresh,
            jobs=request.jobs,
            builds=request.builds,
            keep_failed=request.keep_failed,
            say=context.noted(shown),
        ) as work,
    ):

        def made(samples: Sequence[Sample], *, interrupted: bool = False) -> Report:
            report = build.report(samples, work.record, judged_by, interrupted=interrupted)
            return replace(report, everything=request.everything)

        standing = Standing(shown, made)
        measured = rounds.until_decided(planned, work, further, standing.judged, standing.observe, room)
    report = standing.report
    if report is None or report.samples != measured.samples or measured.interrupted:
        report = made(measured.samples, interrupted=measured.interrupted)
    report = remembering.after_a_run(report, remembered)
    output.emit(report, request.format_)
    if request.format_ == "terminal" and report.exit_code != _NOTHING:
        say(f"As a page with charts: python -m runner report {shlex.quote(str(request.out))} --open", err=True)
    return report.exit_code


def _with_tests(chosen: Chosen, request: Request) -> tuple[Chosen, dict[str, Packed]]:
    """The cells with what the user's library needs, and its packed tests by probe."""
    if not request.pytest:
        return chosen, {}
    from runner.data import suite
    from runner.matrix import frameworks, plan
    from runner.util import versions

    wheel = suite.wheel(request.install) if request.install is not None else None
    if wheel is not None and versions.normalized(wheel.name) in frameworks.measured():
        raise UsageError(f"--install {request.install}: {wheel.name} is an axis of the matrix: cells have their own")
    needs = plan.Needs(("pytest", *(wheel.needs if wheel else ())), wheel.extras if wheel else ())
    return replace(chosen, needs=needs), {suite.PROBE: suite.packed(request.pytest, wheel, request.out)}


def _told(further: Further) -> str:
    """The rounds after the first ones in words, or nothing where there are none."""
    if not further.most:
        return ""
    if further.budget_s is None:
        return f"Then further rounds of undecided timings, up to {further.most} in all."
    limit = f"as long as {durations.words(further.budget_s)} of measuring last"
    return f"Then further rounds of undecided headline figures, up to {further.most} in all" + (
        f", {limit}." if math.isfinite(further.budget_s) else "."
    )
