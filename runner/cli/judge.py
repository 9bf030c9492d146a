"""``runner judge``, ``compare``, ``calibrate`` and ``expect``: verdicts without a run of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runner.cli import options

if TYPE_CHECKING:
    from runner.judge import JudgeSettings
    from runner.model import Comparison, Sample

F = TypeVar("F", bound=Callable[..., Any])


def _rules(command: F) -> F:
    """Options of everything that judges."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per comparison."),
        click.option(
            "--max-rounds",
            type=click.IntRange(1),
            help="The rounds were taken in looks up to this many, and alpha is spent over them.",
        ),
    ):
        command = option(command)
    return options.error_rates(command)


@click.command("judge")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--baseline", metavar="CELL", help="Compare with this cell (default: the first in the file).")
@_rules
def judge_command(
    file: Path, baseline: str | None, *, floor: float, alpha: float, max_rounds: int | None, as_json: bool
) -> None:
    """Judge any measurements: FILE (or - for stdin) has one JSON object per line.

    {"cell": "A", "round": 0, "metric": "step_s", "value": 0.0045}, and optionally "host", "seed", "kind" (timing,
    seeded, exact, error, trajectory), "better" (lower, higher), "probe", "unit", "terms", "started". Every cell is
    compared with the baseline; rounds pair the cells. Values that are no positive number and rounds that only one
    cell has are left out; cells without a round in common, one sample, or runs on different hosts give no verdict
    on a timing.
    """
    from runner.judge import judge
    from runner.results import lines

    samples = lines.samples(_lines(file), "stdin" if file == Path("-") else str(file))
    pairs = lines.pairs(samples, baseline)
    settings = _settings(samples, alpha, floor, max_rounds)
    found = [c for c in judge(samples, pairs, (), settings) if c.metric != "status" and c.baseline]
    sys.exit(_show(samples, found, settings, as_json=as_json))


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@_rules
def compare_command(
    run_a: Path, run_b: Path, *, floor: float, alpha: float, max_rounds: int | None, as_json: bool
) -> None:
    """Compare two finished runs, cell by cell: RUN_A is the baseline.

    Exact figures compare across days and hosts. Timings need rounds that were interleaved on one host, which two
    runs are not; they come out inconclusive or not comparable, and say so.
    """
    from runner.judge import expectations, judge, two_runs
    from runner.results import store
    from runner.util import folders

    samples, pairs = two_runs.tagged(store.load([run_a]), store.load([run_b]), ("A", "B"))
    settings = _settings(samples, alpha, floor, max_rounds)
    known = expectations.load(folders.matrix_dir() / "expectations.toml")
    found = [c for c in judge(samples, pairs, known, settings) if c.baseline]
    sys.exit(_show([s for s in samples if s.cell.id.startswith("B:")], found, settings, as_json=as_json))


@click.command("calibrate")
@click.argument("cell")
@click.option("--set", "set_name", metavar="NAME", help="The set that has the cell, and its probe settings.")
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(6), help="Pairs of processes to run.")
@click.option("--executor", default="auto", show_default=True, help="auto, docker, host or current.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/calibration"), show_default=True)
def calibrate_command(
    cell: str, set_name: str | None, probes: tuple[str, ...], rounds: int, executor: str, out: Path
) -> None:
    """Measure how much CELL differs from itself on this machine.

    Runs every probe of it --rounds times twice over. Where its timings scatter so much that a comparison of a cell
    with itself could show more than the 5 % floor, that becomes the floor of the cell on this machine.
    """
    from runner.errors import RunnerError
    from runner.judge import JudgeSettings, calibration, calibration_file
    from runner.measure import workspace

    calibration_file.ready(workspace.state_dir())
    samples = _measured(cell, set_name, probes, 2 * rounds, executor, out)
    noise = calibration.noise(samples, JudgeSettings().max_rounds)
    if not noise:
        raise RunnerError(f"{cell}: too few timings to calibrate with; see the results in {out}")
    try:
        path = calibration_file.save(samples, noise, workspace.state_dir())
    except OSError as error:
        raise RunnerError(f"the calibration cannot be saved: {error}") from None
    for name, value in noise.items():
        click.echo(f"{name.split('/', 1)[1]}: up to {value:.1%} between equal processes")
    click.echo(f"kept in {path}")


@click.command("expect")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--update", is_flag=True, help="Write the file; without it, only say what would change.")
@click.option("--file", type=click.Path(path_type=Path), help="The file (default: matrix/expectations.toml).")
def expect_command(run: Path, *, update: bool, file: Path | None) -> None:
    """Bring expectations.toml in line with the results in the folder RUN.

    Known failures that are gone go, new ones come in, what a person wrote elsewhere in the file stays. Exits with 1
    where the file is out of date and was not written.
    """
    from runner.judge import expectations, expectations_file
    from runner.report import build
    from runner.results import store
    from runner.util import folders

    path = file or folders.matrix_dir() / "expectations.toml"
    samples = store.load([run])
    known = expectations.load(path)
    rules = build.Rules().as_planned(store.load_records([run]))
    comparisons = build.comparisons(samples, rules, known)
    text = path.read_text(encoding="utf-8") if path.exists() else f"schema = {expectations.SCHEMA}\n"
    made = expectations_file.updated(text, known, expectations_file.observed(samples, comparisons))
    for sign, entries in (("-", made.removed), ("+", made.added)):
        for entry in entries:
            click.echo(f"{sign} {entry.cell} {entry.probe} {entry.status or entry.metric}: {entry.reason}")
    if not (made.added or made.removed):
        click.echo(f"{path} is up to date")
        return
    if not update:
        click.echo("run again with --update to write that")
        sys.exit(1)
    try:
        store.write_atomically(path, made.text.encode())
    except OSError as error:
        from runner.errors import UsageError

        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    nameless = sum(not entry.issue for entry in made.added)
    click.echo(f"{path} written" + (f"; {nameless} new entries lack the address of an issue" if nameless else ""))


def _lines(file: Path) -> list[bytes]:
    from runner.errors import UsageError

    try:
        content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    return content.splitlines()


def _settings(samples: Sequence[Sample], alpha: float, floor: float, max_rounds: int | None) -> JudgeSettings:
    from runner.judge import JudgeSettings

    rounds = max((sample.round + 1 for sample in samples), default=1)
    return JudgeSettings(alpha, floor=floor, max_rounds=max(rounds, max_rounds or 0), sequential=max_rounds is not None)


def _show(
    samples: Sequence[Sample], comparisons: Sequence[Comparison], settings: JudgeSettings, *, as_json: bool
) -> int:
    from runner.judge import exit_code
    from runner.model import Verdict
    from runner.report import comparisons as summary

    if as_json:
        click.echo(summary.as_json(comparisons, settings))
    else:
        click.echo("\n".join(summary.table(comparisons, settings)))
    if not any(comparison.evidence.n or comparison.verdict != Verdict.INCONCLUSIVE for comparison in comparisons):
        return 4  # no comparison had a figure to rest on
    return exit_code(samples, comparisons)


def _measured(
    cell: str, set_name: str | None, probes: tuple[str, ...], rounds: int, executor: str, out: Path
) -> list[Sample]:
    """Run the cell ``rounds`` times over, one process at a time. Raises RunnerError."""
    from runner import data
    from runner.cli import options, output, session
    from runner.cli.progress import Progress
    from runner.errors import UsageError
    from runner.measure import scheduler as run
    from runner.measure import workspace
    from runner.results.store import Store

    chosen = options.choose(set_name, (cell,))
    if len(chosen.cells) > 1:
        raise UsageError(f"{cell!r} matches {len(chosen.cells)} cells; one is calibrated at a time")
    specs = options.probe_specs(chosen, probes, ())
    planned = workspace.planned(chosen, chosen.cells, specs, workspace.Wish(executor, rounds))
    files = data.collect([probe.name for probe in specs], {}, workspace.cache_dir() / "data").files
    store = Store(out)
    store.open()
    with (
        workspace.executors() as executors,
        session.stoppable(),
        Progress(output.console(sys.stderr), len(planned.jobs)) as progress,
    ):
        context = workspace.context(executors, store, chosen, files, fresh=True, jobs=1, builds=1)
        return run.run(planned.jobs, context, progress)
