"""Chooses, orders and records tests: a pytest plugin for bench/mutants.py.

bench/mutants.py loads it into each run of the tests.

The environment variable RUNNER_MUTANTS names a JSON file with an ``Order``'s fields. Each note is one line of JSON
in the file ``notes``, written at once, so that the parent sees a test that hangs.

Where it traces, a test's calls are those it makes when it runs alone: results that an earlier test left in a cache are
dropped first. Noted too are functions called by an import or between tests, whose effect any test may see, and source
files that a test opens. Nothing is noted of a test that starts processes.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import sys
import threading
import time
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any

ORDER: dict[str, Any] = json.loads(Path(os.environ["RUNNER_MUTANTS"]).read_text(encoding="utf-8"))
ROOT: str = ORDER["root"]
PACKAGE = os.path.join(ROOT, "runner", "")  # noqa: PTH118 - compared with the text of each code object

PROCESSES = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"})
"""Audit events of processes that begin."""

if ORDER["cpu_s"]:
    resource.setrlimit(resource.RLIMIT_CPU, (ORDER["cpu_s"], ORDER["cpu_s"] + 5))

_notes = open(ORDER["notes"], "a", encoding="utf-8")  # noqa: SIM115, PTH123 - open as long as the process
_calls: set[tuple[str, int]] = set()
_imported: set[tuple[str, int]] = set()
_state = {"began": 0.0, "importing": 0, "processes": 0}


def _note(**what: object) -> None:
    _notes.write(json.dumps(what) + "\n")
    _notes.flush()


def _called(frame: FrameType, _event: str, _argument: object) -> Any:
    """Notes which function of the package begins: a trace function.

    Only the top level of modules is traced further.
    """
    code = frame.f_code
    if not code.co_filename.startswith(PACKAGE):
        return None
    if code.co_name == "<module>":
        _state["importing"] += 1
        return _in_module
    (_imported if _state["importing"] else _calls).add((code.co_filename, code.co_firstlineno))
    return None


def _in_module(_frame: FrameType, event: str, _argument: object) -> Any:
    if event == "return":
        _state["importing"] -= 1
    return _in_module


def _audited(event: str, arguments: tuple[object, ...]) -> None:
    """Notes source files that a test opens, and new processes: an audit hook.

    The source files are those of the package. They are noted at line 0.
    """
    if event in PROCESSES:
        _state["processes"] += 1
    elif event == "open" and isinstance(name := arguments[0], str | Path):
        name = os.path.abspath(name)  # noqa: PTH100 - without following links
        if name.endswith(".py") and name.startswith(PACKAGE):
            _calls.add((name, 0))


def _forget() -> None:
    """Empties the caches of the package's functions."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "runner":
            continue
        classes = [vars(each).values() for each in vars(module).values() if isinstance(each, type)]
        for each in chain(list(vars(module).values()), *classes):
            if isinstance(each, functools._lru_cache_wrapper):  # noqa: SLF001 - there is no public name
                each.cache_clear()


def _relative(calls: set[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted((name.removeprefix(ROOT).replace(os.sep, "/").lstrip("/"), line) for name, line in calls.copy())


def pytest_configure() -> None:
    found = find_spec("runner")
    if found is None or not str(found.origin).startswith(PACKAGE):
        _note(wrong=f"the tests would import {found and found.origin}, not {PACKAGE}")
        os._exit(70)
    if ORDER["trace"]:
        sys.addaudithook(_audited)
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
    if ORDER["trace"]:
        _forget()
    _imported.update(_calls)  # called while tests were collected
    _calls.clear()
    _state["processes"] = 0
    _state["began"] = time.perf_counter()


def pytest_runtest_logreport(report: Any) -> None:
    if report.failed:
        _note(failed=report.nodeid)


def pytest_runtest_logfinish(nodeid: str) -> None:
    seconds = time.perf_counter() - _state["began"]
    if ORDER["trace"]:
        elsewhere = _state["processes"] > 0  # what a child process calls is not seen here
        _note(finish=nodeid, seconds=seconds, calls=None if elsewhere else _relative(_calls))
        _calls.clear()
        sys.settrace(_called)  # a test may have replaced it
    else:
        _note(finish=nodeid, seconds=seconds, calls=None)


def pytest_unconfigure() -> None:
    sys.settrace(None)
    _note(cpu_s=time.process_time(), imported=_relative(_imported))
