"""``runner diagnose``: why do two cells differ?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.util.plain import say


@click.command("diagnose")
@click.argument("cell_a")
@click.argument("cell_b")
@click.option("--network", default="conv", show_default=True, type=click.Choice(["conv", "dense"]))
@click.option(
    "--probe",
    metavar="NAME",
    help="Train the model of your own probe in place of a network: what its function diagnose(settings) returns.",
)
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change that probe's setting.")
@click.option("--with", "extra", multiple=True, metavar="PACKAGE", help="One more package, as scipy==1.10.1.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(3), help="Trainings per random rung.")
@click.option("--steps", default=4, show_default=True, type=click.IntRange(1, 50), help="Steps replayed.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 1 << 31), help="The first seed.")
@options.executor
@click.option("--toggles/--no-toggles", default=True, help="Throw oneDNN, TF32, threads, determinism, fallback.")
@click.option("--fault", default="", metavar="NAME", help="Break CELL_B on purpose, as a test.")
@click.option("--data", "data_path", type=click.Path(path_type=Path), help="An mnist.npz to use.")
@click.option("--offline", is_flag=True, help="Download no data: synthetic digits where the cache has no MNIST.")
@click.option("--fresh", is_flag=True, help="Measure again what has a result already.")
@click.option("--timeout", "timeout_s", default=900.0, show_default=True, type=click.FloatRange(1), help="Per process.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/diagnose"), show_default=True)
@click.option("--format", "format_", type=click.Choice(["terminal", "json", "markdown"]), default="terminal")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def diagnose_command(*, format_: str, as_json: bool, **arguments: Any) -> None:
    """Why do CELL_A and CELL_B differ? Remove suspects, then replay by layer.

    Suspects: initial weights, order of the batches, dropout, the optimizer's arithmetic, precision. Exit codes: 0 no
    difference beyond seeds and rounding; 1 a difference; 3 one cell could not be measured; 4 neither could.
    """
    from runner.cli import output, progress
    from runner.diagnose import session
    from runner.report import diagnosis
    from runner.repro import pins

    arguments["extra"] = pins.packages(arguments["extra"])
    with progress.shown() as observe:
        answer = session.explain(session.Request(**arguments), observe)
    if answer.found is None:
        say(diagnosis.unmeasured(answer.ladders))
    elif as_json or format_ != "terminal":
        say(diagnosis.text(answer.found, "json" if as_json else format_))
    else:
        console = output.console(sys.stdout)
        console.print(diagnosis.render(answer.found, console.width))
    sys.exit(answer.exit_code)
