"""``runner judge``: verdicts on measurements of any tool."""

from __future__ import annotations

import sys

import click

from runner.cli import options
from runner.util.plain import say


@click.command("judge")
@click.argument("files", nargs=-1, required=True, metavar="[NAME=]FILE...")
@click.option("--baseline", metavar="CELL", help="Compare with this cell (default: the first that is given).")
@options.judging
def judge_command(
    files: tuple[str, ...], baseline: str | None, *, floor: float, alpha: float, max_rounds: int | None, as_json: bool
) -> None:
    """Judge any measurements, from files (or - for stdin).

    FILE is the JSON of asv, Google Benchmark, hyperfine, pyperf or pytest-benchmark, recognised by its content, or has
    one JSON object per line.

    Of these tools, each FILE or folder of files is a cell; files with one NAME are one cell. The commands in files
    of hyperfine with one name are cells. Repeats inside one process are one sample, and processes that did not take
    turns are one round.

    A line is {"cell": "A", "round": 0, "metric": "step_s", "value": 0.0045}, and optionally "host", "seed", "kind"
    (timing, seeded, exact, error, trajectory), "better" (lower, higher), "probe", "unit", "terms", "started".

    Every cell is compared with the baseline; rounds pair the cells. Values that are not a positive number and rounds
    that only one cell has are left out; cells without a round in common, one sample, or runs on different hosts give
    no verdict on a timing.
    """
    from runner.judge import JudgeSettings, conclusion, judge, pairing, rules, verdicts
    from runner.model import Verdict
    from runner.report import comparisons
    from runner.results import tools

    loaded = tools.load(files)
    samples = loaded.samples
    for line in loaded.described:
        say(line, err=True)
    settings = JudgeSettings.after(rules.rounds(samples), max_rounds, alpha=alpha, floor=floor)
    found = [c for c in judge(samples, pairing.pairs_by_name(samples, baseline), (), settings) if c.baseline]
    figures = [c for c in found if c.metric != verdicts.STATUS]
    if loaded.described:
        figures = tools.explained(figures, samples)
        figures += [c for c in found if c.metric == verdicts.STATUS and c.verdict != Verdict.SAME]
    say(comparisons.text(figures, settings, as_json=as_json))
    sys.exit(conclusion.exit_code_of_figures(samples, figures))
