"""Runs many scripts in one process of a cell, each in a fork of it.

``python forks.py MODULES SECONDS FOLDER`` is the command.
The process imports the modules (``torch,numpy``; missing ones are skipped) and nothing of Keras. Each
``*.py`` in the folder then runs as ``__main__`` in a fork, in an empty folder of its own, for at most so many seconds.
A JSON line says how each ended: ``name``, ``exit_code``, ``signal``, ``timed_out``, ``wall_s``, ``output`` (its end).
Written for Python 3.8 and the standard library, as it runs in any cell.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

OUTPUT = 4000
"""Characters kept of what a script prints."""


def become(path: Path, output: int) -> None:
    """Runs a script in this process, which ends with it."""
    code = 1
    try:
        os.setsid()
        for number in (1, 2):
            os.dup2(output, number)
        sys.argv = [str(path)]
        sys.path[0] = str(path.parent)
        runpy.run_path(str(path), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
    except BaseException:  # noqa: BLE001 - the script's last word, as Python itself prints it
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 255)


def waited(child: int, seconds: float) -> tuple[int, bool]:
    """Returns the wait status of a process, and whether its time was over.

    Its group is killed.
    """
    until, pause, over = time.monotonic() + seconds, 0.005, False
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > until and not over:
            over = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what a script left
    return status, over


def run(path: Path, seconds: float) -> dict[str, object]:
    """Returns how a script ended."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="script-") as folder, tempfile.TemporaryFile() as output:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            os.chdir(folder)
            become(path, output.fileno())
        status, over = waited(child, seconds)
        output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT))
        text = output.read().decode("utf-8", "replace")
    return {
        "name": path.name,
        "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "timed_out": over,
        "wall_s": round(time.monotonic() - start, 3),
        "output": text,
    }


def main() -> None:
    """Imports, then runs all scripts in the order of their names."""
    modules, seconds, folder = sys.argv[1:4]
    for name in filter(None, modules.split(",")):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for path in sorted(Path(folder).resolve().glob("*.py")):
        sys.stdout.write("\n" + json.dumps(run(path, float(seconds))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
