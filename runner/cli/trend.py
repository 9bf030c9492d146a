"""``runner trend``: a figure over dates or releases, with its change points."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli import options
from runner.errors import UsageError, suggest
from runner.util.plain import say

if TYPE_CHECKING:
    from runner.history.data import Series

FORMATS = ("terminal", "json", "html")


@click.command("trend")
@click.argument("metric")
@click.option("--cells", multiple=True, metavar="GLOB", help="Only cells whose id matches; may be given several times.")
@click.option("--probe", metavar="NAME", help="Only the figures of this probe.")
@click.option(
    "--over",
    type=click.Choice(["date", "release"]),
    help="A line per cell over the runs, or per release axis over its releases (default: date; release with --from).",
)
@options.history_file
@click.option(
    "--from",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Read the results below DIR in place of a history; may be given several times.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="terminal", show_default=True)
@click.option("--open", "look", is_flag=True, help="Write the HTML page to a temporary folder, and open it.")
def trend_command(
    metric: str,
    cells: tuple[str, ...],
    probe: str | None,
    over: str | None,
    file: Path | None,
    folders: tuple[Path, ...],
    format_: str,
    *,
    look: bool,
) -> None:
    """Show METRIC over dates or releases, and where its level changes.

    METRIC is a figure as reports name it (`step time`, `test accuracy`, `peak memory`) or its own name
    (`free.step_s`, `mnist:free.step_s`). A change point is reported where the level changes by more than 5 % and by
    more than the series' own noise explains; docs/trend.md has the error rates. Exit code 3 where a result file could
    not be used.
    """
    from runner import history
    from runner.cli.output import Unread, console
    from runner.report import trend, trend_text

    if look and format_ == "json":
        raise UsageError("--open shows the HTML page; leave out --format json")
    unread = Unread()
    if folders:
        if over == trend.DATE:
            raise UsageError("--from reads one run, which has one date: use --over release, or a history")
        from runner.results import store

        every = trend.measured(store.load(folders, details_of=(), bad=unread))
        if not every:
            given = " ".join(map(str, folders))
            raise UsageError(f"{given}: holds no figures; a folder made by `runner matrix --out` does")
        names = trend.resolve(metric, ((one.probe, one.metric) for one in every), probe)
        found = _kept([one for one in every if (one.probe, one.metric) in names], cells)
    else:
        with history.read(file or history.default()) as database:
            known = [(of, name) for of, name, _ in database.metrics()]
            names = trend.resolve(metric, known, probe)
            every = tuple(one for of, name in names for one in database.series(probe=of, metric=name))
            found = _kept(every, cells)
    over = over or (trend.RELEASE if folders else trend.DATE)
    made = trend.trend(metric, over, found)
    if look:
        from runner.cli import look as page
        from runner.report.page import trend as html

        page.at([html.render(made)], (), "trend.html")
    elif format_ == "html":
        from runner.report.page import trend as html

        say(html.render(made), nl=False)
    elif format_ == "json":
        say(trend_text.as_json(made))
    else:
        trend_text.show(made, console(sys.stdout))
    sys.exit(unread.exit_code(0))


def _kept(every: Sequence[Series], patterns: Sequence[str]) -> list[Series]:
    """The series of the cells that match.

    Raises UsageError for a pattern that no cell matches.
    """
    ids = list(dict.fromkeys(one.cell for one in every))
    for pattern in patterns:
        if not any(fnmatchcase(ident, pattern) for ident in ids):
            raise UsageError(f"--cells {pattern!r}: no cell with that figure matches{suggest(pattern, ids)}")
    return [one for one in every if not patterns or any(fnmatchcase(one.cell, pattern) for pattern in patterns)]
