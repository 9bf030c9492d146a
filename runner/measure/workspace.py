"""Puts the parts of a run together: this host, the executors, the data, the plan. The edge where things are real."""

from __future__ import annotations

import functools
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner import data
from runner.environments import lock
from runner.executors import Executor, Prepared, Say
from runner.machine import facts
from runner.matrix.selection import Chosen
from runner.measure.context import Context
from runner.model import Environment
from runner.results.store import Store
from runner.util.folders import cache_dir

if TYPE_CHECKING:
    from runner.images import Builder


@contextmanager
def executors() -> Iterator[dict[str, Executor]]:
    """All executors, none of which has contacted anything yet; closed at the end."""
    from runner import images
    from runner.executors.current import CurrentExecutor
    from runner.executors.docker import DockerExecutor
    from runner.executors.host import HostExecutor

    builder = images.Builder()
    made: dict[str, Executor] = {
        "docker": DockerExecutor(functools.partial(_image, builder)),
        "host": HostExecutor(cache_dir() / "environments"),
        "current": CurrentExecutor(),
    }
    try:
        yield made
    finally:
        builder.close()
        for executor in made.values():
            executor.close()


def _image(builder: Builder, environment: Environment, say: Say) -> Prepared:
    """The environment's image, built where it is not there."""
    pinned = lock.locked(environment, say)
    image = builder.build(environment, pinned, say)
    return Prepared(
        environment, image.id, pinned.sha256, pinned.packages, pinned.notes, image.size_bytes, image.seconds
    )


def run_context(
    made: dict[str, Executor],
    store: Store,
    chosen: Chosen,
    files: Mapping[str, data.DataFile],
    *,
    fresh: bool,
    jobs: int,
    builds: int,
) -> Context:
    """What ``run.run`` works with."""
    return Context(
        executors=made,
        store=store,
        data=files,
        host=facts.fingerprint(facts.here()),
        variants={name: variant.env for name, variant in chosen.whole.variants.items()},
        fresh=fresh,
        jobs=jobs,
        builds=builds,
    )


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and a closed terminal end the run as Ctrl-C does: containers removed, finished results kept.

    SIGINT is set as well: a shell that starts a job in the background leaves it ignored.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
