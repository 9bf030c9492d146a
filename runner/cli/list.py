"""``runner list``: the cells of a set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.environments import index
from runner.matrix import selection
from runner.util import durations, jsontext
from runner.util.plain import say


@click.command("list")
@options.which_cells
@click.option("--json", "as_json", is_flag=True, help="One JSON object with the cells (or the sets), for programs.")
@click.option("--sets", "show_sets", is_flag=True, help="The sets there are, instead of cells.")
@click.option("--github", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Job matrices; plan in DIR.")
@click.option("--condensed/--whole", default=None, help="With --github: fewer cells (default: for pull requests).")
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="With --github: as for `matrix`.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="With --github.")
@click.option("--rounds", type=click.IntRange(1), help="With --github (default: one, then a budget for each job).")
@click.option("--shard-minutes", default=120.0, show_default=True, type=options.Finite(0), help="With --github.")
@click.option("--max-shards", default=256, show_default=True, type=click.IntRange(1, 256), help="With --github.")
@click.option("--cuda-labels", default="", metavar="LABELS", help="With --github: of self-hosted runners with a GPU.")
def list_command(
    set_name: str | None,
    only: tuple[str, ...],
    *,
    as_json: bool,
    show_sets: bool,
    folder: Path | None,
    **planning: Any,
) -> None:
    """Show the cells of a set.

    Needs no engine, and the network only where nightly builds are named.

    With --github, print job matrices as GITHUB_OUTPUT takes them, a line for each kind of machine, and write to
    DIR their minutes and GB (plan.md) and what is to be measured (run.json).
    """
    if show_sets:
        _sets(as_json=as_json)
        return
    if folder is not None:
        from runner.measure import github

        for line in github.write(github.Request(set_name, only, folder, **planning)):
            say(line)
        return
    chosen = selection.choose(set_name, only, index.nightly)
    if as_json:
        say(
            jsontext.dumps(
                {
                    "set": chosen.name,
                    "cells": [{"id": cell.id, **cell.values} for cell in chosen.cells],
                    "skipped": [{"id": skip.cell.id, "reason": skip.reason} for skip in chosen.skips],
                    "notes": list(chosen.notes),
                    "budget_s": chosen.definition.budget_s or None,
                }
            )
        )
        return
    for cell in chosen.cells:
        say(cell.id)
    for skip in chosen.skips:
        say(f"{skip.cell.id}  (left out: {skip.reason})")
    for note in (*chosen.notes, *_budget(chosen.definition.budget_s)):
        say(f"note: {note}", err=True)


def _budget(seconds: float | None) -> tuple[str, ...]:
    """The set's budget as a note; nothing where it has none."""
    return (f"budget: {durations.words(seconds)} of measuring (--budget)",) if seconds else ()


def _sets(*, as_json: bool) -> None:
    from runner.matrix import configuration

    loaded = configuration.matrix()
    if as_json:
        described = {name: one.description for name, one in loaded.sets.items()}
        budgets = {name: one.budget_s or None for name, one in loaded.sets.items()}
        say(jsontext.dumps({"default": loaded.default, "sets": described, "budgets_s": budgets}))
        return
    for name, one in loaded.sets.items():
        more = ["default"] * (name == loaded.default) + [f"budget {one.budget}"] * bool(one.budget)
        if (origin := configuration.origin(name)) != "matrix.toml":
            more.append(origin)
        say(f"{name:<14} {one.description}" + (f" ({', '.join(more)})" if more else ""))
