"""``runner list``: the cells of a set."""

from __future__ import annotations

import click

from runner.cli import options


@click.command("list")
@options.which_cells
@click.option("--json", "as_json", is_flag=True, help="One JSON object with the cells, for programs.")
@click.option("--sets", "show_sets", is_flag=True, help="The sets there are, instead of cells.")
def list_command(set_name: str | None, only: tuple[str, ...], *, as_json: bool, show_sets: bool) -> None:
    """Show the cells of a set. Needs no engine and no network."""
    if show_sets:
        _sets()
        return
    chosen = options.choose(set_name, only)
    if as_json:
        import json

        click.echo(
            json.dumps(
                {
                    "set": chosen.name,
                    "cells": [
                        {
                            "id": cell.id,
                            "framework": cell.framework,
                            "version": cell.version,
                            "keras": cell.keras,
                            "python": cell.python,
                            "device": cell.device,
                            "variant": cell.variant,
                        }
                        for cell in chosen.cells
                    ],
                    "skipped": [{"id": skip.cell.id, "reason": skip.reason} for skip in chosen.skips],
                    "notes": list(chosen.notes),
                },
                indent=1,
            )
        )
        return
    for cell in chosen.cells:
        click.echo(cell.id)
    for skip in chosen.skips:
        click.echo(f"{skip.cell.id}  (left out: {skip.reason})")
    for note in chosen.notes:
        click.echo(f"note: {note}", err=True)


def _sets() -> None:
    from runner import matrix

    loaded = matrix.load()
    for name, one in loaded.sets.items():
        default = " (default)" if name == loaded.default else ""
        click.echo(f"{name:<14} {one.description}{default}")
