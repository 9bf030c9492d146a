"""Runs shares one after another: ``python -m runner.cluster.hand``.

The worker starts it once and keeps it, so that a share does not wait for imports. A line on standard input names the
folder of a share with ``request.json``. A line on standard output says that ``answer.json`` is there. The process ends
when standard input is closed, which the system does when the worker is gone. What the share started ends with it.
"""

from __future__ import annotations

import functools
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runner import executors
from runner.cluster import receipts, request
from runner.data import DataFile
from runner.environments import lock, wheels
from runner.errors import RunnerError, UsageError
from runner.judge.rules import comparisons
from runner.machine import facts
from runner.matrix import configuration
from runner.measure import host, rounds, workspace
from runner.measure.context import Event
from runner.measure.sample import NO_FAILURE
from runner.results.store import RunRecord
from runner.util import files

REQUEST, ANSWER, OUT, OBJECTS = "request.json", "answer.json", "out", "objects"
_PROJECT = "project"
_EMPTY = f"schema = {configuration.SCHEMA}\n"
_ENDS_S = 30.0
"""How long a share may take to end once the worker is gone."""


def answered(folder: Path, objects: Path) -> request.Answer:
    """Run the share in a folder. What goes wrong is part of the answer."""
    try:
        asked = request.decode(files.content(folder / REQUEST))
        return _measured(asked, folder, objects)
    except RunnerError as error:
        return request.Answer(error=str(error))
    except Exception:  # noqa: BLE001 - whatever broke, the machine that asked asks another worker
        return request.Answer(error=" | ".join(traceback.format_exc().strip().splitlines()[-3:]))


def _measured(asked: request.Request, folder: Path, objects: Path) -> request.Answer:
    """Run a share as ``runner matrix`` runs its cells."""
    os.chdir(_project(asked, folder, objects))
    _place(asked.wheels, wheels.store(), objects)
    _place({f"{name}.txt": digest for name, digest in asked.locks.items()}, folder / "locks", objects)
    lock.use(folder / "locks")
    planned = host.placed(asked.cells, (), asked.wanted, asked.jobs)
    notes = dict.fromkeys(planned.notes)

    def observe(event: Event) -> None:
        if event.kind in ("outage", "note"):
            notes[event.text] = None

    record = RunRecord(cells=asked.cells, skips=planned.skips)
    with workspace.open(
        folder / OUT,
        own=_data(asked, objects),
        record=record,
        jobs=asked.jobs,
        builds=asked.builds,
        pull_from=asked.pull_from,
        variants=_variants(),
        say=lambda line: notes.update({line: None}),
    ) as opened:
        work = replace(opened, context=replace(opened.context, apart=asked.apart))
        done = rounds.until_decided(
            planned, work, asked.further, lambda samples: comparisons(samples, asked.rules), observe
        )
    if done.interrupted:
        raise KeyboardInterrupt  # half a share is not an answer
    good = sum(sample.status in NO_FAILURE for sample in done.samples)
    return request.Answer(
        files=tuple(receipts.made(folder / OUT)),
        skips=planned.skips,
        notes=tuple(notes),
        processes=len(done.samples),
        measured=good,
        fingerprint=facts.fingerprint(facts.here()),
        locks={
            sample.environment_id: sample.lock_hash
            for sample in done.samples
            if sample.lock_hash and executors.installs(sample.executor)
        },
    )


def _project(asked: request.Request, folder: Path, objects: Path) -> Path:
    """The user's configuration and probes, as files; the folder to work in."""
    name = files.digest([asked.project, asked.folder])[:16]
    root = folder.parent.parent / _PROJECT / name
    if not root.is_dir():
        part = root.with_name(f"{name}.part")
        _place(asked.project, part, objects)
        inside = part / asked.folder
        inside.mkdir(parents=True, exist_ok=True)
        if not asked.project:  # so that no configuration above it counts
            (inside / configuration.NAME).write_text(_EMPTY, encoding="utf-8")
        part.rename(root)
    return root / asked.folder


def _place(wanted: Mapping[str, str], folder: Path, objects: Path) -> None:
    """Write files, by relative path and digest.

    Those that are there with that content stay. Raises UsageError for one that was not sent.
    """
    for name, digest in wanted.items():
        target = folder / name
        try:
            content = files.content(objects / digest)
        except FileNotFoundError:
            raise UsageError(f"{name}: this worker did not get the file (sha256 {digest[:16]}...)") from None
        if not target.is_file() or files.content(target) != content:
            files.write_atomically(target, content)


def _data(asked: request.Request, objects: Path) -> dict[str, DataFile]:
    return {
        probe: DataFile(objects / one.sha256, one.name, one.identity, one.note) for probe, one in asked.data.items()
    }


_variants = functools.cache(workspace.known_variants)


def main() -> None:
    """Answer until standard input is closed."""
    done = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing else may write where the worker reads
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    files.without_sync()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    while line := lines.get():
        folder = Path(line.rstrip("\n"))
        answer = answered(folder, folder.parent.parent / OBJECTS)
        files.write_atomically(folder / ANSWER, request.encode(answer))
        done.write("done\n")
        done.flush()


def _listen(lines: queue.SimpleQueue[str]) -> None:
    """Pass on what the worker writes.

    When the worker is gone, end this process, the share first.
    """
    for line in sys.stdin:
        lines.put(line)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ENDS_S)
    os._exit(1)


if __name__ == "__main__":
    main()
