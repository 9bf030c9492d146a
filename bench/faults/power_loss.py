"""Takes the power away: what a copy of the disk holds at any moment of a run.

There is no device mapper everywhere, so the disk is an image on a loop device. Its file is copied while the run goes
on: the copy holds what had reached the disk by then, and nothing of what was only in memory.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import world
from judged import Judged, Saved
from program import Run
from tries import CURRENT, Fault, Suite
from two_runs import measured_jobs

WORDS = (*CURRENT, "--rounds", "12", "--setting", "pace.seconds=0.02")
_BYTES = 24 << 20
_COPIES = 4


def power_lost(suite: Suite, draw: random.Random) -> Judged:
    """Copy the disk at random moments.

    Every result on a copy is whole, and every result that was printed is there.
    """
    quiet = suite.quiet(*WORDS)
    found = Judged()
    with suite.trying() as one:
        image = one.root / "disk.img"
        _make(image)
        with mounted(image, one.out):
            run = one.start(quiet.words)
            for moment in sorted(draw.uniform(0.0, quiet.seconds) for _ in range(_COPIES)):
                while run.running and time.monotonic() - run.began < moment:
                    time.sleep(0.005)
                found += _copied(run, image, one.root)
            ended = run.wait()
            found += one.resume(quiet.expected, quiet.words, one.results(), ended)
    return found


def _copied(run: Run, image: Path, root: Path) -> Judged:
    """Judge one copy, with the journal replayed and without."""
    run.signal(signal.SIGSTOP)  # what it has printed is what it has saved
    printed = measured_jobs(run.log.read_text(errors="replace"))
    copy = root / "copy.img"
    shutil.copyfile(image, copy)
    run.signal(signal.SIGCONT)
    found = Judged()
    for options in ("ro,norecovery", "rw"):
        with mounted(copy, root / "copy", options):
            found += on_copy(world.results(root / "copy"), printed if options == "rw" else [])
    copy.unlink()
    return found


def on_copy(results: dict[str, Saved], printed: list[str]) -> Judged:
    """What is wrong with the results on a copy of the disk."""
    whole = {saved.job for saved in results.values() if saved.whole}
    return Judged(
        lost=tuple(f"{job} was printed as done and is not on the disk" for job in printed if job not in whole),
        wrong=tuple(f"{path} is on the disk and cannot be read" for path, saved in results.items() if not saved.whole),
    )


def _make(image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)


@contextmanager
def mounted(image: Path, place: Path, options: str = "rw") -> Iterator[None]:
    """Mount an image on a loop device, which goes with the mount."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", f"loop,{options}", str(image), str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=False)


def _no_loop() -> str:
    if os.geteuid() != 0:
        return "only root may mount an image"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is not installed"
    return "" if Path("/dev/loop-control").exists() else "no loop devices here"


FAULTS = (Fault("power-loss", "copies of the disk at random moments", power_lost, 1, 60, False, _no_loop),)
