"""``runner compare``: two finished runs, cell by cell."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.cli import options
from runner.util.plain import say


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@options.judging
def compare_command(
    run_a: Path, run_b: Path, *, floor: float, alpha: float, max_rounds: int | None, as_json: bool
) -> None:
    """Compare two finished runs, cell by cell: RUN_A is the baseline.

    Exact figures compare across days and hosts. Timings need rounds that were interleaved on one host, which two
    runs are not: they are inconclusive or not comparable, and the reason names that.
    """
    from runner.cli import output
    from runner.judge import JudgeSettings, conclusion, expectations_file, judge, rules, two_runs
    from runner.report import comparisons
    from runner.results import store

    unread = output.Unread()
    a, b = store.load([run_a], bad=unread), store.load([run_b], bad=unread)
    two_runs.check(a, b, (str(run_a), str(run_b)))
    samples, pairs = two_runs.tagged(a, b, ("A", "B"))
    settings = JudgeSettings.after(rules.rounds(samples), max_rounds, alpha=alpha, floor=floor)
    known = expectations_file.known()
    found = [c for c in judge(samples, pairs, known, settings) if c.baseline]
    say(comparisons.text(found, settings, as_json=as_json))
    code = conclusion.exit_code_of_figures([s for s in samples if s.cell.id.startswith("B:")], found)
    sys.exit(unread.exit_code(code))
