"""``runner worker``: works for a scheduler."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli import options
from runner.util.plain import say


@click.command("worker")
@click.argument("scheduler")
@click.option("--set", "set_name", metavar="NAME", help="This machine must be fit for the cells of this set.")
@click.option("--only", multiple=True, metavar="GLOB", help="Of the set, only these cells; may be given several times.")
@options.tls
@click.option(
    "--wait",
    "wait_s",
    type=options.Duration(),
    default="5m",
    show_default=True,
    metavar="TIME",
    help="Wait so long for a scheduler that does not answer yet: 90s, 10m, 2h, or none for no limit.",
)
@click.option("--attached", is_flag=True, hidden=True, help="For --cluster: keys on standard input, end with it.")
def worker_command(
    scheduler: str,
    set_name: str | None,
    only: tuple[str, ...],
    wait_s: float,
    *,
    tls: Path | None,
    insecure: bool,
    attached: bool,
) -> None:
    """Work for `runner matrix --scheduler` on this machine.

    SCHEDULER is the address of a scheduler of Dask, as tls://host:8786. `runner doctor` must find this machine fit.
    One block of cells is run at a time, so that nothing disturbs its timings.

    Exit code 3 where the machine is not fit, no scheduler answers, or it went away.
    """
    from runner.cluster import address, keys, worker
    from runner.environments import index
    from runner.matrix import selection

    # whoever starts attached workers has made the address: a scheduler with keys, or one on this machine
    where = address.scheduler(scheduler, insecure=insecure)
    keys.check_installed()
    security = keys.from_line() if attached else keys.of_folder(tls) if where.protocol == "tls" else None
    wanted = selection.environments(set_name, only, every=False, nightly=index.nightly) if set_name or only else ()
    worker.serve(where, security, wanted, say, worker.CONNECT_S if attached else wait_s, attached=attached)
