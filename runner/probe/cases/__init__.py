"""Runs the cases of an activity: functions that try one promise each.

A probe of this kind (``model``, ``callbacks``, ...) is a package of modules. Every function of such a module whose name
does not begin with ``_`` is a case; the first line of its docstring is the promise, in words. A case uses Keras as a
person would and says what it expects with the functions of ``prelude``. Its source is the script that shows a defect.
"""

from __future__ import annotations

import time

from ..frameworks import backend
from ..kit.records import as_lists

STATUSES = ("ok", "seen", "wrong", "raises", "crashes", "unsupported")


def run(request, report, settings, modules, last=("", None)):
    """Runs the cases of ``modules()``, which is called once Keras is imported.

    ``last``: the name of a step after the cases, and its function. Returns what that returns; None where it killed the
    process.

    Settings: ``budget_s``, CPU seconds after which no further case is begun (what is left out is listed);
    ``only``, a regular expression on case ids.
    Metrics: counts of cases by status, and the CPU time. Details: ``cases``, a record per case (see
    ``kit.records``); ``promises``, the first line of each case's docstring; ``scripts``, for what is not right;
    ``seconds``, CPU time per case; ``not_run``.

    Raises UnsupportedError in a cell without Keras.
    """
    if request.keras is None:
        raise backend.unsupported_natively(request)
    from . import supervise

    journal = supervise.Journal()
    supervise.survive(journal)
    keras = backend.load(request).keras
    from . import attempt, collect

    journal.load()
    started = time.process_time()
    cases = collect.cases(modules(), settings["only"])
    tried = attempt.Attempts(keras, journal, settings["budget_s"])
    tried.run(cases)
    name, step = last
    after = None
    if step and name not in journal.fatal:
        journal.begin(name, alone=True)
        after = step()
    journal.close()
    records = tried.records
    report.detail("cases", as_lists(records))
    report.detail("promises", {case.ident: case.promise for case in cases})
    report.detail("scripts", tried.scripts(cases, request.framework))
    report.detail("seconds", tried.seconds)
    report.detail("not_run", tried.not_run)
    report.metric("cases.total", len(cases), "info", unit="cases")
    report.metric("cases.not_run", len(tried.not_run), "info", better="lower", unit="cases")
    for status in STATUSES:
        count = sum(record.status == status for record in records.values())
        report.metric("cases.%s" % status, count, "info", unit="cases")
    report.metric("cases.cpu_s", journal.cpu_s + time.process_time() - started, "info", better="lower", unit="s")
    return after
