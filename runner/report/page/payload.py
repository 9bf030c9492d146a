"""Makes the data that the script of the HTML page draws from.

They are plain lists and numbers. The page is static without them: findings, overview and tables are HTML. The data
holds what is drawn when somebody asks for it: every process, every comparison and what it rests on, the cells and the
sweeps.
"""

from __future__ import annotations

import base64
import gzip
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from runner.model import Comparison, Kind, Metric, Sample, Scalar, Status, Verdict
from runner.report import columns, native, numbers
from runner.report.data import Report
from runner.report.marks import Mark, mark
from runner.report.overview import Overview
from runner.report.page import cells, past, sweeps
from runner.report.summary import Summary
from runner.report.words import Words
from runner.util import jsontext

SCHEMA = 1

DIGITS = 7
"""Significant digits of a figure: rounding them to the three or four that are shown is rounding the figure."""

MOST_STEPS = 200_000
"""Numbers of curves in one page. Longer ones are thinned evenly, first and last step kept."""

FEWEST_STEPS = 24
"""So many steps are kept of every curve."""


def packed(report: Report, view: Overview) -> str:
    """The data as gzip in base64, which no HTML parser can misread.

    The same report makes the same text.
    """
    return packed_data(payload(report, view))


def packed_data(data: Any) -> str:
    """Data as JSON, packed like ``packed``."""
    try:
        content = msgspec.json.encode(data)
    except UnicodeEncodeError:  # half of a surrogate pair, in a date for example
        content = msgspec.json.encode(jsontext.finite(data))
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def payload(report: Report, view: Overview) -> dict[str, Any]:
    """All data of the page.

    Cells and metrics are named by their place in a list.
    """
    order = {cell_id: place for place, cell_id in enumerate(cells.ids(report))}
    return {
        "schema": SCHEMA,
        "invocation": numbers.plain(report.invocation),
        **cells.payload(report, view),
        "probes": {numbers.plain(probe): _probe(report, probe, order) for probe in report.by_probe},
        "sweeps": sweeps.payload(report, order),
    }


def _probe(report: Report, probe: str, order: Mapping[str, int]) -> dict[str, Any]:
    summaries = report.summaries[probe]
    metrics: dict[str, Metric] = {}
    for of_cell in summaries.values():
        for name, summary in of_cell.items():
            metrics.setdefault(name, summary.metric)
    place = {name: number for number, name in enumerate(metrics)}
    words = Words(report)
    runs: dict[int, Any] = {}
    values: dict[int, dict[int, Any]] = {number: {} for number in place.values()}
    longest = max(FEWEST_STEPS, MOST_STEPS // max(1, _lists(report)))
    curves: dict[int, dict[int, Any]] = {}
    for cell, samples in report.by_probe[probe].items():
        at = order[cell.id]
        fine = [sample for sample in samples if sample.status is Status.OK]
        runs[at] = [[sample.round for sample in fine], [sample.seed for sample in fine], *_failed(samples, fine)]
        _fill(fine, summaries[cell], place, at, values, curves, longest)
    return {
        "metrics": [_metric(probe, metric, words) for metric in metrics.values()],
        "runs": runs,
        "values": {number: found for number, found in values.items() if found},
        "curves": curves,
        "pairs": list(_pairs(report, probe, order, place)),
        **past.of_probe(report, probe, order, place),
        "native": [_native(one, order, place) for one in native.beside(report) if one.probe == probe],
    }


def _failed(samples: Sequence[Sample], fine: Sequence[Sample]) -> list[Any]:
    """How many processes failed, with status and reason of the first.

    Empty where none did.
    """
    bad = next((sample for sample in samples if sample.status is not Status.OK), None)
    return [] if bad is None else [len(samples) - len(fine), str(bad.status), numbers.plain(bad.reason)]


def _metric(probe: str, metric: Metric, words: Words) -> list[Any]:
    """One metric as a list.

    Name, label with its mode, figure alone, mode, unit, kind, better, whether it is a share, headline, terms.
    """
    from runner.matrix import probes

    return [
        numbers.plain(metric.name),
        words.label(Comparison("", "", "", probe, metric.name, Verdict.SAME, "")),
        numbers.plain(columns.label(metric.name)),
        numbers.plain(columns.mode(metric.name)),
        numbers.plain(metric.unit),
        str(metric.kind),
        str(metric.better),
        int(columns.percent(metric.name)),
        int(probes.is_headline(probe, metric.name)),
        metric.terms,
    ]


def _lists(report: Report) -> int:
    """How many curves the page has."""
    return sum(
        _is_curve(summary)
        for by_cell in report.summaries.values()
        for of in by_cell.values()
        for summary in of.values()
    )


def _is_curve(summary: Summary) -> bool:
    drawn = summary.metric.kind is Kind.TRAJECTORY or summary.metric.name.endswith("_per_epoch")
    return drawn and isinstance(summary.shown, list)


def _fill(
    fine: Sequence[Sample],
    summaries: Mapping[str, Summary],
    place: Mapping[str, int],
    at: int,
    values: dict[int, dict[int, Any]],
    curves: dict[int, dict[int, Any]],
    longest: int,
) -> None:
    """Enter what the processes of one cell measured.

    A figure that is the same in all of them is entered once.
    """
    measured: dict[str, list[Any]] = {name: [] for name in summaries}
    shared: dict[int, Scalar] = {}  # processes share equal metrics
    for number, sample in enumerate(fine):
        for metric in sample.metrics:
            if isinstance(metric.value, list):
                of_metric = curves.setdefault(place[metric.name], {}) if _is_curve(summaries[metric.name]) else None
                if of_metric is not None and at not in of_metric:
                    of_metric[at] = _curve(metric.value, longest)
                continue
            found = measured[metric.name]
            found += [None] * (number - len(found))
            if id(metric) not in shared:
                shared[id(metric)] = _figure(metric.value)
            found.append(shared[id(metric)])
    for name, found in measured.items():
        if found:
            whole = [*found, *([None] * (len(fine) - len(found)))]
            alike = len(whole) > 1 and len(set(map(repr, whole))) == 1
            values[place[name]][at] = whole[0] if alike else whole


def _curve(steps: Sequence[Any], longest: int) -> list[Any]:
    """The number of steps, then at most ``longest`` values, evenly spread."""
    last = len(steps) - 1
    kept = range(len(steps)) if last < longest else [round(i * last / (longest - 1)) for i in range(longest)]
    return [len(steps), [_figure(steps[step]) for step in kept]]


def _figure(value: Any) -> Scalar:
    """A figure as it is drawn: five significant digits, the beginning of a digest."""
    if isinstance(value, float):
        return _rounded(value, DIGITS) if math.isfinite(value) else numbers.value(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else float(value)
    return numbers.shorten(numbers.value(value), 200)


def _short(value: float | None, digits: int = 4) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return _rounded(value, digits)


def _rounded(value: float, digits: int) -> float:
    """The figure with that many significant digits.

    The largest ones, which would be infinite, stay as they are.
    """
    rounded = float(f"{value:.{digits - 1}e}")
    return rounded if math.isfinite(rounded) else value


def _pairs(report: Report, probe: str, order: Mapping[str, int], place: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Every pair of cells that was compared in the probe, with all its comparisons."""
    grouped: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.probe == probe:
            grouped.setdefault((comparison.candidate, comparison.baseline, comparison.axis), []).append(comparison)
    for (candidate, baseline, axis), found in grouped.items():
        if candidate not in order:
            continue
        yield {
            "candidate": order[candidate],
            "baseline": order.get(baseline, -1),
            "axis": numbers.plain(axis),
            "rows": [_row(comparison, report, place) for comparison in found],
        }


def _row(comparison: Comparison, report: Report, place: Mapping[str, int]) -> list[Any]:
    """One comparison; what is missing at its end is left out.

    Metric (-1: whether it runs), mark, verdict, class, n, effect, low, high, p, adjusted p, floor, spread, runs needed,
    steps that agree, address, reason.
    """
    rests = comparison.evidence
    drawn = Mark.NONE if report.rebounds(comparison) else mark(comparison)
    same = comparison.verdict is Verdict.SAME
    row: list[Any] = [
        place.get(comparison.metric, -1),
        drawn.name.lower(),
        str(comparison.verdict),
        rests.classification,
        rests.n,
        *map(_short, (rests.effect, rests.low, rests.high)),
        *(_short(value, 2) for value in (rests.p, rests.p_adjusted)),
        *map(_short, (rests.floor, rests.spread)),
        rests.rounds_needed,
        rests.steps,
        numbers.plain(comparison.issue),
        "" if same else numbers.plain(comparison.reason),
    ]
    while row and row[-1] in (None, ""):
        row.pop()
    return row


def _native(one: native.KerasCost, order: Mapping[str, int], place: Mapping[str, int]) -> dict[str, Any]:
    """A cell with Keras next to the framework without it."""
    ratios = [
        [place[c.metric], *map(_short, (c.evidence.effect, c.evidence.low, c.evidence.high))]
        for c in one.speed
        if c.evidence.effect is not None and c.metric in place
    ]
    return {"cell": order[one.cell.id], "native": order.get(one.native.id, -1), "ratios": ratios}
