"""Does ``fit`` do what it documents? Losses, metrics, weights and every optimizer against float64 NumPy."""

from __future__ import annotations

import time
import traceback

from .. import backend
from ..protocol import one_line

DEFAULTS = {"only": "", "budget_s": 75.0}
"""``only``: run the scenarios whose name begins so. ``budget_s``: CPU time after which no new
one is begun."""

REFUSALS = ("must be 1 with the PyTorch backend",)
"""Parts of messages by which a version says that it does not have a feature."""


def run(request, report):
    """Settings: ``DEFAULTS``. Detail ``cases``: {scenario/figure: [status, units off, digest, note]}.

    Status: ``ok``, ``wrong``, ``nan``, ``raised`` (the note says what), ``unsupported`` (this version lacks it),
    ``skipped`` (no time left).
    """
    settings = request.settings_with(DEFAULTS)
    if request.keras is None:
        raise backend.unsupported_natively(request)
    keras = backend.load(request).keras
    from . import scenarios

    cases, traces, seconds = {}, {}, {}
    started = time.process_time()
    for scenario in scenarios.every():
        if not scenario.name.startswith(settings["only"]):
            continue
        began = time.process_time()
        found, trace = attempt(keras, scenario, began - started > settings["budget_s"])
        for figure, case in found.items():
            cases["%s/%s" % (scenario.name, figure)] = case
        if trace:
            traces[scenario.name] = trace
        keras.backend.clear_session()
        seconds[scenario.name] = round(time.process_time() - began, 2)
    statuses = [case[0] for case in cases.values()]
    for status in ("ok", "wrong", "nan", "raised", "unsupported", "skipped"):
        report.metric("cases." + status, statuses.count(status), "info")
    worst = [case[1] for case in cases.values() if case[0] == "ok" and case[1] is not None]
    report.metric("cases.worst_ok", max(worst) if worst else None, "info", better="lower", unit="u")
    report.detail("cases", cases)
    report.detail("tracebacks", traces)
    report.detail("seconds", seconds)


def attempt(keras, scenario, late=False):
    """``({figure: case}, traceback)`` of one scenario."""
    from . import judge

    truth, scales = judge.spread(scenario.truth, scenario.unit)
    names = scenario.figures or list(truth)

    def all_of(status, note):
        return {name: [status, None, "", note] for name in names}

    if late:
        return all_of("skipped", "no time left"), ""
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
        return all_of("raised", "%s: %s" % (type(error).__name__, one_line(error))), traceback.format_exc()[-2000:]
    found = {}
    for name in names:
        if name not in measured:
            known = ", ".join(sorted(measured))
            found[name] = ["wrong", None, "", "not reported (reported: %s)" % known]
            continue
        status, figure, note = judge.compare(measured[name], truth[name], scales[name])
        figure = None if figure is None else float("%.3g" % figure)
        found[name] = [status, figure, judge.digest(measured[name]), note]
    return found, ""
