"""Runs probes in forks of a process that has imported the frameworks already.

``python preload.py BACKEND`` imports the framework and what Keras and the probes import with it, not Keras. Then it
reads JSON lines: ``folder`` (with ``probe`` and ``request.json``), ``tree`` (Keras's sources) and ``seconds``. Each is
run in a fork, as ``python -m probe`` would, and answered by a line with the exit status. A run costs a tenth of a
second and Keras's own import, instead of five to ten seconds.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import signal
import sys
import time

FRAMEWORKS = {
    "tensorflow": ["tensorflow"],
    "torch": ["torch", "torch.utils.data", "torch._dynamo", "tensorflow"],
    "jax": ["jax", "jax.numpy", "jax.experimental.sparse", "tensorflow"],
}
USUAL = ["numpy", "scipy.special", "scipy.linalg", "h5py", "optree", "rich.console", "ml_dtypes", "pandas"]


def probe(folder: str, tree: str) -> None:
    """Runs the probe of a folder in this process, which ends with it."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = tree  # for the processes that a case starts
    sys.path[:0] = [folder, tree]
    sys.argv = ["probe"]
    code = 1
    try:
        runpy.run_module("probe", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def wait(child: int, seconds: float) -> int:
    """Returns the wait status of a process, whose group is killed after ``seconds``."""
    until, pause = time.monotonic() + seconds, 0.01
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(pause)
        pause = min(2 * pause, 0.25)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def main() -> None:
    """Imports, then answers."""
    for name in [*FRAMEWORKS.get(sys.argv[1], []), *USUAL]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            os.setsid()
            probe(asked["folder"], asked["tree"])
        status = wait(child, asked["seconds"])
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what a case left
        sys.stdout.write(json.dumps(status) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
