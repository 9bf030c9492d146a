"""``runner judge``: verdicts on measurements of any tool."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.cli import options
from runner.util.plain import say


@click.command("judge")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--baseline", metavar="CELL", help="Compare with this cell (default: the first in the file).")
@options.judging
def judge_command(
    file: Path, baseline: str | None, *, floor: float, alpha: float, max_rounds: int | None, as_json: bool
) -> None:
    """Judge any measurements: FILE (or - for stdin) has one JSON object per line.

    {"cell": "A", "round": 0, "metric": "step_s", "value": 0.0045}, and optionally "host", "seed", "kind" (timing,
    seeded, exact, error, trajectory), "better" (lower, higher), "probe", "unit", "terms", "started". Every cell is
    compared with the baseline; rounds pair the cells. Values that are not a positive number and rounds that only one
    cell has are left out; cells without a round in common, one sample, or runs on different hosts give no verdict
    on a timing.
    """
    from runner.judge import JudgeSettings, conclusion, judge, pairing, rules
    from runner.report import comparisons
    from runner.results import lines
    from runner.util import files

    samples = lines.samples(files.lines(file), "stdin" if file == Path("-") else str(file))
    settings = JudgeSettings.after(rules.rounds(samples), max_rounds, alpha=alpha, floor=floor)
    found = judge(samples, pairing.pairs_by_name(samples, baseline), (), settings)
    found = [c for c in found if c.metric != "status" and c.baseline]
    say(comparisons.text(found, settings, as_json=as_json))
    sys.exit(conclusion.exit_code_of_figures(samples, found))
