"""Disks that are full: of the results, of temporary files."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from dockerd import Engine
from judged import Judged
from tries import CONTAINERS, CURRENT, Fault, Suite

_CODES = (2, 3, 4)
_SIZE = 2 << 20
_ENGINE_SIZE = 900 << 20
"""Holds the base image, which has 310 MB, while it is loaded."""


@contextmanager
def small_disk(place: Path, size: int = _SIZE) -> Iterator[None]:
    """A file system in memory at ``place``, gone at the end."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, free: int) -> Path:
    """Fill a file system but for ``free`` bytes. Returns the file to delete."""
    filler = place / "filler"
    status = os.statvfs(place)
    left = max(0, status.f_bavail * status.f_frsize - free)
    with suppress(OSError), filler.open("wb", buffering=0) as file:  # others may write at the same time
        while left > 0:
            left -= file.write(b"\0" * min(left, 1 << 20))
    return filler


def full(suite: Suite, draw: random.Random, *, which: str, words: tuple[str, ...]) -> Judged:
    """Leave a few kilobytes free and run; make room and run again."""
    # whether a run gets through depends on what is left, so that 0 is allowed
    quiet = suite.quiet(*words, codes_at_fault=(0, *_CODES))
    with suite.trying() as one, small_disk(one.root / which):
        filler = fill(one.root / which, draw.choice((0, draw.randrange(1 << 14), draw.randrange(1 << 17))))
        disturbed = one.run(quiet.words)
        at_fault = one.results()
        filler.unlink()
        return one.resume(quiet.expected, quiet.words, at_fault, disturbed)


def full_engine(suite: Suite, draw: random.Random) -> Judged:
    """Fill the disk of an engine at a random moment; make room and run again."""
    quiet = suite.quiet(*CONTAINERS, codes_at_fault=(0, *_CODES))
    folder = suite.place / "small-engine"
    with small_disk(folder / "data", _ENGINE_SIZE):
        engine, suite.engine = suite.engine, Engine(folder, suite.place.name)
        try:
            suite.engine.start()
            suite.engine.load_base()
            suite.label_images()
            with suite.trying() as one:
                run = one.start(quiet.words)
                time.sleep(draw.uniform(0.0, quiet.seconds))
                filler = fill(folder / "data", draw.choice((0, draw.randrange(1 << 16))))
                at_fault = one.results()
                disturbed = run.wait()
                filler.unlink()
                return one.resume(quiet.expected, quiet.words, at_fault, disturbed)
        finally:
            suite.engine.kill()
            suite.engine = engine


def _no_mounts() -> str:
    return "" if os.geteuid() == 0 else "only root may mount a small file system"


FAULTS = (
    Fault("full-out", "--out on a full disk", partial(full, which="out", words=CURRENT), 1, 40, False, _no_mounts),
    Fault("full-tmp", "TMPDIR on a full disk", partial(full, which="tmp", words=CURRENT), 1, 40, False, _no_mounts),
    Fault("full-cache", "the user's cache on a full disk", partial(full, which="cache", words=CURRENT), 0, 20, False,
          _no_mounts),
    Fault("full-tmp-cells", "TMPDIR on a full disk, cells in containers",
          partial(full, which="tmp", words=CONTAINERS), 0, 30, True, _no_mounts),
    Fault("full-engine", "the disk of the engine is full", full_engine, 0, 15, True, _no_mounts),
)  # fmt: skip
