"""pytest plugin that bench/mutants.py loads into each run of the tests: chooses, orders and notes tests.

The environment variable RUNNER_MUTANTS names a JSON file with an ``Order``'s fields. Each note is one line of JSON
in the file ``notes``, written at once, so that the parent sees a test that hangs.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

ORDER: dict[str, Any] = json.loads(Path(os.environ["RUNNER_MUTANTS"]).read_text(encoding="utf-8"))
ROOT: str = ORDER["root"]
PACKAGE = os.path.join(ROOT, "runner", "")  # noqa: PTH118 - compared with the text of each code object

if ORDER["cpu_s"]:
    resource.setrlimit(resource.RLIMIT_CPU, (ORDER["cpu_s"], ORDER["cpu_s"] + 5))

_notes = open(ORDER["notes"], "a", encoding="utf-8")  # noqa: SIM115, PTH123 - open as long as the process
_calls: set[tuple[str, int]] = set()
_state = {"began": 0.0}


def _note(**what: object) -> None:
    _notes.write(json.dumps(what) + "\n")
    _notes.flush()


def _called(frame: FrameType, _event: str, _argument: object) -> None:
    """Trace function: notes which function of the package begins; no line of it is traced."""
    code = frame.f_code
    if code.co_filename.startswith(PACKAGE):
        _calls.add((code.co_filename, code.co_firstlineno))


def pytest_configure() -> None:
    found = find_spec("runner")
    if found is None or not str(found.origin).startswith(PACKAGE):
        _note(wrong=f"the tests would import {found and found.origin}, not {PACKAGE}")
        os._exit(70)
    if ORDER["trace"]:
        threading.settrace(_called)
        sys.settrace(_called)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Leaves the tests named in ``only``, in that order, and none of ``without``."""
    without = set(ORDER["without"])
    items[:] = [item for item in items if item.nodeid not in without]
    if ORDER["only"] is not None:
        position = {test: number for number, test in enumerate(ORDER["only"])}
        items[:] = sorted((item for item in items if item.nodeid in position), key=lambda item: position[item.nodeid])


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        _note(failed=report.nodeid)


def pytest_runtest_logstart(nodeid: str) -> None:
    _note(start=nodeid)
    _calls.clear()
    _state["began"] = time.perf_counter()


def pytest_runtest_logreport(report: Any) -> None:
    if report.failed:
        _note(failed=report.nodeid)


def pytest_runtest_logfinish(nodeid: str) -> None:
    seconds = time.perf_counter() - _state["began"]
    if ORDER["trace"]:
        calls = sorted((name.removeprefix(ROOT).replace(os.sep, "/").lstrip("/"), line) for name, line in _calls.copy())
        _note(finish=nodeid, seconds=seconds, calls=calls)
        sys.settrace(_called)  # a test may have replaced it
    else:
        _note(finish=nodeid, seconds=seconds)


def pytest_unconfigure() -> None:
    sys.settrace(None)
    _note(cpu_s=time.process_time())
