"""``runner history``: keeps runs in one file."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from runner.cli import options
from runner.errors import UsageError
from runner.util import durations
from runner.util.plain import say

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
_SET = click.option("--set", "set_name", metavar="NAME", help="Only the runs of this set.")


@click.group("history")
def history_command() -> None:
    """Keep the figures, verdicts and findings of runs in one file.

    The file is made by the first `add`. From then on `matrix` adds its runs to it, and `report` reads it.
    """


def _path(file: Path | None) -> Path:
    from runner import history

    return file or history.default()


@history_command.command("add", short_help="Add the results of folders, or files of benchmark tools.")
@click.argument("sources", nargs=-1, required=True, metavar="DIR|[NAME=]FILE...")
@options.history_file
def add_command(sources: tuple[str, ...], file: Path | None) -> None:
    """Add the results below each DIR, or a FILE of a benchmark tool, as one run each.

    What is there already is not added again; new results of a run that is there make it grow. Exit code 3 where a
    result file could not be used; the others are added. A FILE is the JSON of asv, Google Benchmark, hyperfine, pyperf
    or pytest-benchmark. NAME is its cell, the same in each run (default: the name of the file).
    """
    from runner.cli import recording

    sys.exit(recording.add(_path(file), sources))


@history_command.command("import", short_help="Add many runs: folders, or a branch of results.")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR...]")
@click.option(
    "--branch", metavar="NAME", help="Add the runs of this branch of the git repository DIR (default: the current one)."
)
@options.history_file
def import_command(sources: tuple[Path, ...], branch: str | None, file: Path | None) -> None:
    """Add every run below each DIR: each folder with a run.json or results is one.

    With --branch, the runs that nightly.yml published on that branch: a folder per night, a run per set.
    """
    from runner.cli import recording

    if branch is None and not sources:
        raise UsageError("nothing to import: name folders, or --branch results")
    if branch is None:
        sys.exit(recording.folders(_path(file), sources))
    if len(sources) > 1:
        raise UsageError("--branch takes one repository")
    sys.exit(recording.branch(_path(file), sources[0] if sources else Path(), branch))


@history_command.command("ls", short_help="List the runs.")
@_SET
@_JSON
@options.history_file
def ls_command(set_name: str | None, file: Path | None, *, as_json: bool) -> None:
    """List the runs, oldest first."""
    from runner import history
    from runner.report import history as texts

    with history.read(_path(file)) as database:
        runs = database.runs(set_name)
    say(texts.runs_json(runs) if as_json else "\n".join(texts.listed(runs)))


@history_command.command("show", short_help="Show one run, and what is new in it.")
@click.argument("run", metavar="RUN")
@_JSON
@options.history_file
def show_command(run: str, file: Path | None, *, as_json: bool) -> None:
    """Show the cells of a run, and which findings are new, last or are gone.

    RUN is an id, the beginning of one, or `latest`.

    It is compared with the run of the same set before it.
    """
    from runner import history
    from runner.report import history as texts

    with history.read(_path(file)) as database:
        found = database.run(run)
        about = (database.hosts(found), database.outcomes(found), database.news(found))
        if as_json:
            say(texts.run_json(found, *about, database.verdicts(found)))
        else:
            say("\n".join(texts.shown(found, *about)))


@history_command.command("news", short_help="What is new, lasts, or is gone in the newest run of a set.")
@click.option("--set", "set_name", metavar="NAME", help="The set (default: that of the newest run).")
@click.option("--page", default="", metavar="URL", help="Where the report is, for a link in each finding's text.")
@_JSON
@options.history_file
def news_command(set_name: str | None, page: str, file: Path | None, *, as_json: bool) -> None:
    """Print which findings of a set are new, lasting, unmeasured or gone.

    This is seen from its newest run.
    A finding is unmeasured where earlier runs have it and the newest run did not measure its cells. With --json, each
    has a key, a title, and a body in Markdown: the text of an issue, for example.
    """
    from runner import history
    from runner.report import news

    if page and not re.fullmatch(r"https?://[^\s<>()\"'`\\]+", page):
        raise UsageError(f"{page!r} is not a web address (example: https://owner.github.io/name/full/)")
    path = _path(file)
    with history.read(path) as database:
        runs = database.runs(set_name)
        if not runs:
            of = f" of the set {set_name!r}" if set_name else ""
            raise UsageError(f"{path}: has no run{of}; `runner history ls` shows the runs")
        standing = database.standing(runs[-1])
    say(news.json(standing, page) if as_json else "\n".join(news.text(standing)))


@history_command.command("prune", short_help="Remove old runs.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the N newest runs of every set.")
@click.option("--older-than", "age", metavar="AGE", help="Remove runs that began longer ago than this: 36h, 90d, 12w.")
@_SET
@options.history_file
def prune_command(keep: int | None, age: str | None, set_name: str | None, file: Path | None) -> None:
    """Remove old runs. With both options, a run goes where both say that it does."""
    from runner import history
    from runner.report import history as texts

    if keep is None and age is None:
        raise UsageError("nothing to remove: give --keep N or --older-than 90d")
    limit = None if age is None else datetime.now(UTC) - timedelta(seconds=durations.age(age))
    path = _path(file)
    with history.read(path):
        pass  # a file that is missing is not made to be emptied
    with history.open(path) as database:
        count = database.prune(history.old(database.runs(set_name), keep, limit))
        say(texts.pruned(count, database.runs(), path))


@history_command.command("export", short_help="Write every figure as CSV or Parquet.")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), help="Default: by the name of FILE.")
@options.history_file
def export_command(target: Path, form: str | None, file: Path | None) -> None:
    """Write every figure of every run to FILE, a row each.

    Parquet needs pyarrow (extra `history`).
    """
    from runner import history
    from runner.history import export
    from runner.report import history as texts

    form = form or {".csv": "csv", ".parquet": "parquet"}.get(target.suffix.lower(), "")
    if not form:
        raise UsageError(f"{target}: its name has no format; name another file (.csv, .parquet), or give --format")
    with history.read(_path(file)) as database:
        say(texts.exported(export.write(database.figures(), target, form), target))
