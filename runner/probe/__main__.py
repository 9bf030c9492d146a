"""Runs the probe that ``request.json`` names, and writes ``result.json``.

``python -m probe`` reads and writes these files in the working directory. The exit code is 0 whenever the result file
says what happened, also when what happened was a failure.
"""

from __future__ import annotations

import importlib
import os
import re
import sys

from . import protocol
from .frameworks import facts
from .kit import mps, switches

REQUEST = "request.json"
RESULT = "result.json"


def load(name):
    """Returns the ``run`` function of the probe module ``name``.

    Raises BadOutputError where the payload has no such probe, and what the module raises while it is imported.
    """
    if not re.match(r"[a-z][a-z0-9_]*\Z", name) or not _is_probe(name):
        raise protocol.BadOutputError("the payload has no probe %r (it has: %s)" % (name, ", ".join(probes())))
    return importlib.import_module("." + name, __package__).run


def probes():
    """Returns the names of the probes in this payload, in order."""
    found = []
    for entry in os.scandir(os.path.dirname(os.path.abspath(__file__))):
        name = entry.name[:-3] if entry.name.endswith(".py") else entry.name
        if not name.startswith("_") and _is_probe(name):
            found.append(name)
    return sorted(set(found))


def _is_probe(name):
    """Returns whether a module of this package defines ``run(request, report)``.

    It reads the module's text, without importing it.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    for path in (os.path.join(here, name + ".py"), os.path.join(here, name, "__init__.py")):
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                return re.search(r"^def run\(request, report\)", file.read(), re.MULTILINE) is not None
    return False


def check_python(wanted):
    """Raises BadOutputError where this is another Python than the cell's."""
    here = "%d.%d" % sys.version_info[:2]
    if here != wanted:
        raise protocol.BadOutputError("this is Python %s, the cell says %s" % (here, wanted))


def run(request, report):
    """Runs the probe that the request names. Returns ``(status, reason, traceback)``.

    Only a signal gets past it.
    """
    try:
        check_python(request.python)
        load(request.probe)(request, report)
        report.check()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit of a framework included
        import traceback

        if request.device == "mps":
            mps.add(report, [str(error)])
        status, reason = protocol.status_of(error, __package__)
        return status, reason, traceback.format_exc()
    return "ok", "", ""


def main():
    """Runs the whole process: request, probe, facts, result. Returns the exit code."""
    report = protocol.Report()
    probe = ""
    try:
        request = protocol.read_request(REQUEST)
    except protocol.BadOutputError as error:
        outcome = (error.status, protocol.one_line(error), "")
        seen = facts.collect(None)
    else:
        probe = request.probe
        switches.apply(request, os.environ)
        outcome = run(request, report)
        seen = facts.collect(request)
    status, reason, trace = outcome
    if trace:
        sys.stderr.write(trace)
    protocol.write_result(RESULT, protocol.result(probe, status, reason, report, seen, trace))
    return 0


if __name__ == "__main__":
    sys.exit(main())
