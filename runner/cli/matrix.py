"""``runner matrix``: build, run and judge a set of cells."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner import executors
from runner.cli import options
from runner.cli.request import OUT, Request
from runner.errors import UsageError, suggest
from runner.judge.budget import MOST_ROUNDS, Further
from runner.matrix.sets import DEVICES
from runner.report.formats import FORMATS
from runner.util import durations
from runner.util.plain import say

if TYPE_CHECKING:
    from runner.matrix.selection import Chosen
    from runner.measure.suites import Suite
    from runner.model import Sample
    from runner.report import Report


@click.command("matrix")
@options.which_cells
@options.sources
@click.option(
    "--against",
    metavar="VERSION",
    help="With --source or --wheel: run this release in the same rounds (release: the newest one), and compare nothing "
    "but the build with it. Exit code 1 where the build is worse.",
)
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@click.option(
    "--script",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your script as a probe, alone or next to those of --probe.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="REGEX [lower|higher] [timing|seeded|exact]",
    help="A figure that the script prints, as 'accuracy=([\\d.]+)', which of two is better, and how it is judged "
    "(default: by its name); may be given several times.",
)
@click.option(
    "--with",
    "extra",
    multiple=True,
    metavar="PACKAGE",
    help="With --script or --pytest: one more package, as scipy==1.10.1.",
)
@click.option("--network", is_flag=True, help="Let the script reach the network.")
@options.tests
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
    "--explain",
    is_flag=True,
    help="Bisect each new finding: the release that brought it, and the commit where --source is a repository. Half of "
    "the --budget is kept for it.",
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
@click.option(
    "--pull-from",
    default="",
    metavar="REGISTRY/OWNER",
    help="Pull images from there, as ghcr.io/owner, where it has them; build the others.",
)
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
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True, help="Results go here.")
@options.everything
@options.history
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run the cells on the workers of a scheduler of Dask, as tls://host:8786 (see `runner worker`).",
)
@click.option(
    "--cluster",
    metavar="WHERE",
    help="Start workers, run the cells on them and end them: local:2, or ssh:HOST,USER@HOST,HOST=/path/to/runner.",
)
@options.tls
@click.option(
    "--block-minutes",
    type=options.Finite(0),
    metavar="MINUTES",
    help="On a cluster: cells that are compared stay on one worker; what would take longer is cut between frameworks "
    "and devices (default: 120).",
)
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
    from runner.cli import explain, output, progress, remembering
    from runner.cli.standing import Standing
    from runner.environments import index
    from runner.judge import rules
    from runner.matrix import plan, scripts, selection
    from runner.measure import builds, context, host, rounds, workspace
    from runner.measure.scripts import copied
    from runner.report import build, listing
    from runner.repro import pins, script, session

    request.check()
    given = data.parse(request.data)
    made = builds.made(request.wheels, request.sources, request.executor, lambda text: say(text, err=True))
    versions = {one.package: one.version for one in made}
    against = index.release(next(iter(versions)), request.against) if request.against else ""
    chosen = host.chosen(
        request.set_name, request.only, request.executor, request.device, own=versions, against=against
    )
    chosen = chosen.with_packages(pins.packages(request.extra))
    chosen, tests = _with_tests(chosen, request, versions)
    path = script.check(request.script, ())[0] if request.script else None
    own = scripts.settings(path, request.metrics, network=request.network) if path else None
    probes = selection.probe_specs(chosen, (*request.probes, *(tests if request.pytest else ())), request.settings, own)
    if request.baseline is not None and request.baseline not in (ids := [cell.id for cell in chosen.cells]):
        raise UsageError(f"--baseline {request.baseline!r}: not a cell of this run{suggest(request.baseline, ids)}")
    wish = host.Wish(request.executor, request.rounds or 1, request.seed, request.timeout_s, request.jobs)
    if request.elsewhere:
        from runner.cli import clustered

        with copied(path) as files:
            packed = {probe: suite.packed.written(request.out) for probe, suite in tests.items()}
            return clustered.matrix(
                clustered.Prepared(request, chosen, probes, wish, given, {**files, **packed}, against)
            )
    planned = host.planned(chosen, probes, wish)
    if not request.fresh:
        automatic = (request.executor, chosen.definition.executor) == (plan.AUTO, plan.AUTO)
        host.check_resumed(request.out, planned, automatic=automatic)
    further = request.further(chosen.definition.budget_s)
    planned = replace(planned, notes=(*planned.notes, *request.notes(chosen.definition.budget_s)))
    if path and not all(executors.kind(job.executor).isolated for job in planned.jobs):
        planned = replace(planned, notes=(*planned.notes, session.host_warning(network=request.network)))
    if request.dry_run:
        listing.print_plan(planned, output.console(sys.stdout))
        if text := _told(further):
            say(text)
        return 0
    remembered = remembering.ready(remembering.wish(request.history, without=request.no_history))
    judged_by = rules.Rules(
        request.set_name, request.baseline, request.alpha, request.floor, further.most or None, bool(against)
    )
    room = executors.Room(request.keep, request.keep_free) if request.evicts else None
    with (
        copied(path) as files,
        progress.shown(tables=request.format_ == "terminal") as shown,
        workspace.open(
            request.out,
            probes=[probe.name for probe in probes],
            given=given,
            own={**files, **{probe: suite.packed.written(request.out) for probe, suite in tests.items()}},
            offline=request.offline,
            record=host.record(chosen, planned, request.invocation(), further.most or None, further.budget_s, against),
            fresh=request.fresh,
            jobs=request.jobs,
            builds=request.builds,
            keep_failed=request.keep_failed,
            pull_from=request.pull_from,
            say=context.noted(shown),
        ) as work,
    ):

        def reported(samples: Sequence[Sample], *, interrupted: bool = False) -> Report:
            report = build.report(samples, work.record, judged_by, interrupted=interrupted)
            return replace(report, everything=request.everything)

        standing = Standing(shown, reported)
        measured = rounds.until_decided(planned, work, further, standing.judged, standing.observe, room)
    report = standing.report
    if report is None or report.samples != measured.samples or measured.interrupted:
        report = reported(measured.samples, interrupted=measured.interrupted)
    report = remembering.after_a_run(report, remembered)
    if request.explain and not measured.interrupted:
        report = explain.explained(report, request.out, explain.left_s(report, further.budget_s))
    output.emit(report, request.format_)
    output.name_page(request.format_, report, request.out)
    return report.exit_code


def _with_tests(chosen: Chosen, request: Request, own: Collection[str]) -> tuple[Chosen, dict[str, Suite]]:
    """The cells with what the user's library needs, and its tests by probe.

    They run with ``--pytest``, and where the set or ``--probe`` names their probe. ``own``: what ``--source`` and
    ``--wheel`` install. Raises UsageError.
    """
    import msgspec

    from runner.measure import suites

    named = request.probes or (() if request.script else tuple(chosen.definition.probes))
    if not request.pytest and suites.PROBE not in named:
        return chosen, {}
    suite = suites.made(suites.asked(request.pytest, request.install), request.out, own)
    changed = {**chosen.definition.probes, suites.PROBE: {**suite.settings, **_of_set(chosen, suites.PROBE)}}
    definition = msgspec.structs.replace(chosen.definition, probes=changed)
    return replace(chosen, definition=definition, needs=suite.needs), {suites.PROBE: suite}


def _of_set(chosen: Chosen, probe: str) -> Mapping[str, Any]:
    return chosen.definition.probes.get(probe, {})


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
