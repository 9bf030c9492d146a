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


def judging_options(command: F) -> F:
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
@judging_options
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
    from runner.judge import judge, pairing
    from runner.results import lines

    samples = lines.samples(_lines(file), "stdin" if file == Path("-") else str(file))
    pairs = pairing.pairs_by_name(samples, baseline)
    settings = judge_settings(samples, alpha, floor, max_rounds)
    found = [c for c in judge(samples, pairs, (), settings) if c.metric != "status" and c.baseline]
    sys.exit(show(samples, found, settings, as_json=as_json))


def _lines(file: Path) -> list[bytes]:
    from runner.errors import UsageError

    try:
        content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    return content.splitlines()


def judge_settings(samples: Sequence[Sample], alpha: float, floor: float, max_rounds: int | None) -> JudgeSettings:
    from runner.judge import JudgeSettings

    rounds = max((sample.round + 1 for sample in samples), default=1)
    return JudgeSettings(alpha, floor=floor, max_rounds=max(rounds, max_rounds or 0), sequential=max_rounds is not None)


def show(
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
