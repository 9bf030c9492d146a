"""Breaks runs while they build their images.

The packages come from an index in the network namespace of the suite's engine.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import index
import tiny
from judged import Judged
from outages import own
from tries import CONTAINERS, Fault, Suite, UntriedError

ONE = (*CONTAINERS, "--only", "tiny-1.[01]_*", "--rounds", "1")
KEEP = (*CONTAINERS, "--only", "tiny-1.[01]_*", "--keep", "1")
_BLOCKS = 3
"""How a run with --keep ends: its timings do not compare."""
_CODES = (0, 3, 4)


@contextmanager
def building(suite: Suite) -> Iterator[None]:
    """Serve packages to builds.

    Images that were built are gone at the end, those made by hand are back.
    """
    fetch(suite)
    with served(suite):
        forget(suite)
        try:
            yield
        finally:
            forget(suite)
            suite.label_images()


def forget(suite: Suite) -> None:
    """Remove the images of the cells and the cache of builds."""
    engine = own(suite)
    listed = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", check=False).stdout.decode().split()
    images = [name for name in listed if "keras-version-matrix" in name]
    if images:
        engine.docker("rmi", "--force", *images, check=False)
    engine.docker("builder", "prune", "--force", "--filter", "type!=exec.cachemount", check=False)


def fetch(suite: Suite) -> None:
    """Have the tools of a build in the index. Raises UntriedError."""
    if not list(suite.wheels.glob("uv-*.whl")) and (why := tiny.fetch_tools(suite.stage, suite.wheels)):
        raise UntriedError(why)


@contextmanager
def served(suite: Suite) -> Iterator[None]:
    """The index once more, at the same address, in the engine's network namespace."""
    port = suite.index.address.rsplit(":", 1)[1].split("/")[0]
    command = own(suite).inside(sys.executable, str(Path(index.__file__)), str(suite.wheels), port)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            time.sleep(0.3)
            yield
        finally:
            process.kill()


def disturbed(suite: Suite, draw: random.Random, *, how: str, words: tuple[str, ...], code: int = 0) -> Judged:
    """Disturb a run that builds its images at a random moment, and run it again."""
    engine = own(suite)
    with building(suite):
        quiet = suite.quiet(*words, code=code, codes_at_fault=_CODES if how != "runner" else None)
        forget(suite)
        with suite.trying() as one:
            run = one.start(quiet.words)
            time.sleep(draw.uniform(0.0, quiet.seconds))
            if how == "runner":
                run.signal(signal.SIGKILL)
                disturbed_run = run.wait()
                at_fault = one.results()
            else:
                engine.kill()
                at_fault = one.results()
                engine.start()
                disturbed_run = run.wait()
            with served(suite) if how != "runner" else nullcontext():
                return one.resume(quiet.expected, quiet.words, at_fault, disturbed_run)


FAULTS = (
    Fault("kill-build", "SIGKILL of the runner while it builds images", partial(disturbed, how="runner", words=ONE),
          0, 40),
    Fault("kill-keep", "SIGKILL of the runner with --keep 1",
          partial(disturbed, how="runner", words=KEEP, code=_BLOCKS), 0, 40),
    Fault("engine-kill-build", "SIGKILL of the engine while it builds images",
          partial(disturbed, how="engine", words=ONE), 0, 20),
)  # fmt: skip
