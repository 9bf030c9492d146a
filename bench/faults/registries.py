"""Cuts off ``images push`` and ``images pull`` at random moments."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dockerd import Engine
from judged import Judged, last_line
from outages import own
from tries import Fault, Suite

PORT = 5999
_PREFIX = f"127.0.0.1:{PORT}/faults"
_CHOSEN = ("--set", "faults", "--only", "tiny-1.0_*")
PUSH, PULL = (("images", verb, _PREFIX, *_CHOSEN) for verb in ("push", "pull"))
_CODES = (0, 2, 3, 4)
"""A registry that is not there ends the command with 2."""


@contextmanager
def registry(engine: Engine, place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A registry in the engine's network namespace, with its content below ``place``."""
    place.mkdir(exist_ok=True)
    configuration = place / "config.yml"
    configuration.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {place}/data\n"
        f"http:\n  addr: 127.0.0.1:{PORT}\nlog:\n  level: error\n"
    )
    command = engine.inside("docker-registry", "serve", str(configuration))
    with (place / "log").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            time.sleep(0.4)
            yield process
        finally:
            process.kill()


def cut_off(suite: Suite, draw: random.Random, *, which: str, how: str) -> Judged:
    """Cut a push or pull off and repeat it: it works, and the image is whole."""
    engine = own(suite)
    pushing = which == "push"
    words = PUSH if pushing else PULL
    with suite.trying() as one:
        place = one.root / "registry"
        try:
            if not pushing:
                with registry(engine, place):
                    one.run(PUSH)
                _forget(engine)
            with registry(engine, place) as process:
                run = one.start(words)
                cut = threading.Timer(
                    draw.uniform(0.4, 2.5),
                    process.kill if how == "registry" else partial(run.signal, signal.SIGKILL),
                )
                cut.start()
                first = run.wait()
                cut.cancel()
                cut.join()
            with registry(engine, place):
                again = one.run(words)
                _forget(engine)
                back = one.run(PULL)
            left = one.look().leftovers
        finally:
            suite.label_images()
    wrong = []
    if how == "registry" and first.code not in _CODES:
        wrong.append(f"the {which} that was cut off ended with {first.code}: {last_line(first.shown)}")
    for name, ended in ((f"the next {which}", again), ("the pull after it", back)):
        if ended.code != 0 or "missing" in ended.shown:
            wrong.append(f"{name} ended with {ended.code}: {last_line(ended.shown)}")
    wrong += ["a traceback is shown"] if "Traceback" in first.shown + again.shown else []
    return Judged(wrong=tuple(wrong), orphans=left)


def _forget(engine: Engine) -> None:
    listed = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", check=False).stdout.decode().split()
    images = [name for name in listed if "keras-version-matrix:tiny" in name]
    if images:
        engine.docker("rmi", "--force", *images, check=False)


def _no_registry() -> str:
    return "" if shutil.which("docker-registry") else "docker-registry is not installed"


FAULTS = tuple(
    Fault(f"{which}-{how}", f"`images {which}` cut off: SIGKILL of the {how}",
          partial(cut_off, which=which, how=how), 0, 15, True, _no_registry)
    for which in ("push", "pull") for how in ("registry", "runner")
)  # fmt: skip
