"""``runner matrix``: build, run and judge a set of cells."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.errors import UsageError, suggest
from runner.matrix.sets import DEVICES
from runner.report.formats import FORMATS


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner matrix``."""

    set_name: str | None
    only: tuple[str, ...]
    probes: tuple[str, ...]
    settings: tuple[str, ...]
    executor: str
    device: str
    rounds: int
    max_rounds: int | None
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
    format_: str

    @property
    def evicts(self) -> bool:
        """Whether images are evicted during the run."""
        return self.keep is not None or self.keep_free is not None

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        if self.max_rounds and self.max_rounds < self.rounds:
            raise UsageError(f"--max-rounds {self.max_rounds} is less than --rounds {self.rounds}")
        if self.max_rounds and self.evicts and not self.dry_run:
            raise UsageError("--max-rounds needs all images at once: it does not go with --keep or --keep-free")

    def invocation(self) -> str:
        """The arguments that decide what is measured, quoted for a shell.

        Defaults are left out.
        """
        words: list[str] = []
        for option, value, default in (
            ("--set", self.set_name, None),
            ("--executor", self.executor, "auto"),
            ("--device", self.device, "cpu"),
            ("--seed", self.seed, 0),
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
        return shlex.join(words)


@click.command("matrix")
@options.which_cells
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@options.executor
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Device of the cell of --executor current.",
)
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1), help="Processes per cell and probe.")
@click.option("--max-rounds", type=click.IntRange(1), help="Add rounds for undecided timings, up to this many.")
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
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Results go here.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="terminal", show_default=True)
def matrix_command(**arguments: Any) -> None:
    """Build, run and judge a set of cells; print the version-regression matrix.

    Results land in --out, one file per process; a second run reuses what is there.
    """
    sys.exit(matrix(Request(**arguments)))


def matrix(request: Request) -> int:
    """Choose, plan, measure, judge, print. Returns the exit code."""
    from runner import data
    from runner.cli import output, progress
    from runner.executors import Room
    from runner.judge import rules
    from runner.matrix import selection
    from runner.measure import host, rounds, workspace
    from runner.report import build, listing

    request.check()
    given = data.parse(request.data)
    chosen = host.chosen(request.set_name, request.only, request.executor, request.device)
    probes = selection.probe_specs(chosen, request.probes, request.settings)
    if request.baseline is not None and request.baseline not in (ids := [cell.id for cell in chosen.cells]):
        raise UsageError(f"--baseline {request.baseline!r}: not a cell of this run{suggest(request.baseline, ids)}")
    wish = host.Wish(request.executor, request.rounds, request.seed, request.timeout_s)
    planned = host.planned(chosen, probes, wish)
    if request.dry_run:
        listing.print_plan(planned, output.console(sys.stdout))
        return 0
    judged_by = rules.Rules(request.set_name, request.baseline, request.alpha, request.floor, request.max_rounds)
    room = Room(request.keep, request.keep_free) if request.evicts else None
    with (
        progress.shown() as observe,
        workspace.open(
            request.out,
            probes=[probe.name for probe in probes],
            given=given,
            offline=request.offline,
            record=host.record(chosen, planned, request.invocation(), request.max_rounds),
            fresh=request.fresh,
            jobs=request.jobs,
            builds=request.builds,
            keep_failed=request.keep_failed,
        ) as work,
    ):
        measured = rounds.until_decided(planned, work, judged_by, observe, room)
    report = build.report(measured.samples, work.record, judged_by, interrupted=measured.interrupted)
    output.emit(report, request.format_)
    return report.exit_code
