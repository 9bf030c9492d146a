"""``runner compare``: two finished runs, cell by cell."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.cli.judge import judge_settings, judging_options, show
from runner.judge import expectations_file
from runner.util import folders


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@judging_options
def compare_command(
    run_a: Path, run_b: Path, *, floor: float, alpha: float, max_rounds: int | None, as_json: bool
) -> None:
    """Compare two finished runs, cell by cell: RUN_A is the baseline.

    Exact figures compare across days and hosts. Timings need rounds that were interleaved on one host, which two
    runs are not; they come out inconclusive or not comparable, and say so.
    """
    from runner.judge import judge, two_runs
    from runner.results import store

    samples, pairs = two_runs.tagged(store.load([run_a]), store.load([run_b]), ("A", "B"))
    settings = judge_settings(samples, alpha, floor, max_rounds)
    known = expectations_file.load(folders.matrix_dir() / "expectations.toml")
    found = [c for c in judge(samples, pairs, known, settings) if c.baseline]
    sys.exit(show([s for s in samples if s.cell.id.startswith("B:")], found, settings, as_json=as_json))
