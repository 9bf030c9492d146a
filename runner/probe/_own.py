"""Runs the functions of a user's file (see ``measuring``).

The file lies in the folder ``own_probes`` of the process, next to the payload, and has the name of the probe.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import re
import sys
import time

from . import measuring
from .frameworks import backend as backends
from .protocol import BadOutputError, ProbeError, one_line

FOLDER = "own_probes"
RETURNED = "forked.txt"
"""Made by a fork of the process that came back from the user's functions."""

_CHILDREN_S = 2.0
"""How long forks of the user's functions may go on after them."""


def run(request, report):
    """Runs every function ``measure`` and ``measure_...`` of the file, in its order.

    Raises BadOutputError for a file of a newer protocol, without such a function or without a figure, and where a
    fork came back; ProbeError where it does not import; and what the functions raise.
    """
    file = request.probe + ".py"
    check_protocol(os.path.join(FOLDER, file), file)
    backends.load(request)  # a cell with other versions has to fail before the user's file
    parent, forks = os.getpid(), []
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_parent=lambda: forks.append(1))
    try:
        _measure(request, report, file)
    finally:
        if os.getpid() != parent:
            _leave()
        if forks:
            _wait(_CHILDREN_S)
    if os.path.exists(RETURNED):
        raise BadOutputError("%s forked, and the child returned too: end it with os._exit, or use subprocess" % file)


def check_protocol(path, file):
    """Raises BadOutputError where the file is for a newer version of the rules.

    The text is looked at before it is run, since it may use what is not there yet.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            found = re.search(r"^PROTOCOL\b[^=\n]*=[ \t]*([^#\n]*)", source.read(), re.MULTILINE)
    except OSError as error:
        raise BadOutputError("%s cannot be read: %s" % (file, one_line(error))) from error
    asked = found.group(1).strip() if found else str(measuring.PROTOCOL)
    if not re.match(r"[1-9][0-9]*\Z", asked):
        raise BadOutputError("%s: PROTOCOL is a whole number, such as %d" % (file, measuring.PROTOCOL))
    if int(asked) > measuring.PROTOCOL:
        has = "%s asks for protocol %s of probes, this program has %d" % (file, asked, measuring.PROTOCOL)
        raise BadOutputError("%s: upgrade keras-version-matrix" % has)


def _measure(request, report, file):
    module = _imported(request.probe, file)
    functions = [
        (name, value)
        for name, value in vars(module).items()
        if (name == "measure" or name.startswith("measure_")) and callable(value)
    ]
    if not functions:
        raise BadOutputError("%s has no function measure(report, settings)" % file)
    defaults = getattr(module, "DEFAULTS", {})
    if not isinstance(defaults, dict):
        raise BadOutputError("%s: DEFAULTS is a dict of the settings and their values" % file)
    settings = measuring.Settings(request.settings_with(defaults), request)
    for name, function in functions:
        function(measuring.Report(report, name[len("measure_") :]), settings)
    if not report.metrics:
        names = ", ".join(name for name, _ in functions)
        raise BadOutputError("%s: %s reported no figure: call report.timing(name, seconds)" % (file, names))


def from_file(path, file):
    """Returns the module of a user's file that lies elsewhere.

    ``file``: its name. Raises ProbeError where it does not import.
    """

    def loaded():
        # with a loader, since the file may have any name here
        spec = importlib.util.spec_from_loader("own_probe", importlib.machinery.SourceFileLoader("own_probe", path))
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return _guarded(loaded, file)


def _imported(name, file):
    return _guarded(lambda: importlib.import_module(FOLDER + "." + name), file)


def _guarded(loaded, file):
    try:
        return loaded()
    except (KeyboardInterrupt, ProbeError):
        raise
    except BaseException as error:  # whatever an import raises, SystemExit included
        reason = one_line(error)
        kind = type(error).__name__
        reason = reason if reason.startswith(kind) else "%s: %s" % (kind, reason)
        raise ProbeError("%s does not import: %s" % (file, reason)) from error


def _leave():
    """Ends a fork of the process, which must not write a second result."""
    with open(RETURNED, "a", encoding="utf-8") as file:
        file.write("%d\n" % os.getpid())
    os._exit(70)


def _wait(limit_s):
    """Waits for children, so that one that comes back is noticed."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.01)
        except ChildProcessError:
            return
