"""Compares ``fit`` with its documentation, in float64 NumPy.

Losses, metrics, weights and every optimizer are compared.
"""

from __future__ import annotations

import gc
import time
import traceback

from ..frameworks import backend
from ..kit.records import Record, as_lists
from ..protocol import one_line

DEFAULTS = {"only": "", "budget_s": 90.0}
"""``only``: run the scenarios whose name begins so. ``budget_s``: CPU time after which no new
one is begun."""

REFUSALS = ("must be 1 with the PyTorch backend",)
"""Parts of messages by which a version says that it does not have a feature."""


def run(request, report):
    """Runs the scenarios. Settings: ``DEFAULTS``.

    Detail ``cases``: {"scenario(figure)": record} (see ``kit.records``) with the statuses ``ok``, ``wrong``, ``nan``,
    ``raises`` and ``unsupported``. Detail ``scripts``: {scenario: a script that shows it}, for what is wrong.
    """
    settings = request.settings_with(DEFAULTS)
    if request.keras is None:
        raise backend.unsupported_natively(request)
    keras = backend.load(request).keras
    from . import calls, promises, scenarios, script

    # every clear_session collects garbage, which walks a framework's half a million objects: a third of the time
    gc.freeze()
    cases, traces, seconds, scripts = {}, {}, {}, {}
    started, not_run = time.process_time(), 0
    for scenario in scenarios.every() + promises.every() + calls.every():
        if not scenario.name.startswith(settings["only"]):
            continue
        began = time.process_time()
        if began - started > settings["budget_s"]:
            not_run += 1
            continue
        found, trace = attempt(keras, scenario)
        for figure, case in found.items():
            cases["%s(%s)" % (scenario.name, figure)] = case
        if trace:
            traces[scenario.name] = trace
        shown = next(((f, c) for f, c in reversed(list(found.items())) if c.status in ("wrong", "nan", "raises")), None)
        if shown:
            figure, case = shown
            scripts[scenario.name] = script.of(scenario, request.framework, figure, case.note)
        keras.backend.clear_session()
        seconds[scenario.name] = round(time.process_time() - began, 2)
    statuses = [case.status for case in cases.values()]
    report.metric("scenarios.not_run", not_run, "info", better="lower")
    for status in ("ok", "wrong", "nan", "raises", "unsupported"):
        report.metric("cases.%s" % status, statuses.count(status), "info", unit="cases")
    report.metric("cases.cpu_s", time.process_time() - started, "info", better="lower", unit="s")
    worst = [case.figure for case in cases.values() if case.status == "ok" and case.figure is not None]
    report.metric("cases.worst_ok", max(worst) if worst else None, "info", better="lower", unit="u")
    report.detail("cases", as_lists(cases))
    report.detail("tracebacks", traces)
    report.detail("seconds", seconds)
    report.detail("scripts", {name: text for name, text in scripts.items() if text})


def attempt(keras, scenario):
    """Returns ``({figure: record}, traceback)`` of one scenario."""
    from . import compare

    truth, scales = compare.spread(scenario.truth, scenario.unit)
    names = scenario.figures or list(truth)

    def all_of(status, note):
        return {name: Record(status, note=note) for name in names}

    try:
        lacking = scenario.lacks(keras)
        if lacking:
            return all_of("unsupported", lacking), ""
        measured = scenario.measure(keras)
    except NotImplementedError as error:
        return all_of("unsupported", one_line(error)), ""
    except Exception as error:
        if any(text in str(error) for text in REFUSALS):
            return all_of("unsupported", one_line(error)), ""
        return all_of("raises", "%s: %s" % (type(error).__name__, one_line(error))), traceback.format_exc()[-2000:]
    found = {}
    for name in names:
        if name not in measured:
            status = "unsupported" if name in scenario.optional else "wrong"
            found[name] = Record(status, note="not reported (reported: %s)" % ", ".join(sorted(measured)))
            continue
        status, figure, note = compare.compare(measured[name], truth[name], scales[name])
        kept = compare.digest(measured[name]) if status == "ok" else compare.sketch(measured[name])
        found[name] = Record(status, None if figure is None else float("%.3g" % figure), kept, note=note)
    return found, ""
