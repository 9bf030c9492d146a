"""Renders the report as JSON, for other programs.

The layout is versioned by ``SCHEMA``; fields are only ever added to one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from runner.model import Comparison, Sample, Skip
from runner.report import native, numbers
from runner.report.answer import answer
from runner.report.data import EXIT_MEANINGS, Report, all_notes, command
from runner.report.exchange import exchange
from runner.report.failures import not_measured
from runner.report.overview import Block
from runner.report.seeding import seeding
from runner.report.summary import Summary
from runner.util import jsontext

SCHEMA = 1

_TOGETHER = 256
"""So many items of a long list are written together."""


def to_dict(report: Report) -> dict[str, Any]:
    """Everything the report has, as plain data.

    NaN and infinities become None, all keys are strings.
    """
    told = {key: list(part) if isinstance(part, Iterator) else part for key, part in _parts(report).items()}
    clean: dict[str, Any] = jsontext.finite(told)
    return clean


def _parts(report: Report) -> dict[str, Any]:
    """The fields of the report. Those that can be long are iterators."""
    said = answer(report)
    return {
        "schema": SCHEMA,
        "title": report.title,
        "exit_code": report.exit_code,
        "meaning": EXIT_MEANINGS.get(report.exit_code, "unknown"),
        "cells": _cells(report),
        "comparisons": map(_comparison, report.comparisons),
        "keras_over_native": [_beside(one) for one in native.beside(report)],
        "findings": [
            {
                "severity": f.severity.name.lower(),
                "text": f.sentence,
                "cells": list(f.cells),
                "issue": f.issue,
                "label": f.severity.label,
                "details": list(f.details),
                "commands": list(f.commands),
                **({"key": f.key, "since": f.since} if report.past is not None else {}),
            }
            for f in said.findings
        ],
        "overview": [_block(block) for block in said.overview.blocks],
        "seeding": list(seeding(report)),
        **({"exchange": msgspec.to_builtins(table)} if (table := exchange(report)) else {}),
        "skips": [_skip(s) for s in report.skips],
        "not_measured": list(not_measured(report)),
        "notes": all_notes(report),
        "alpha": report.alpha,
    }


def render(report: Report) -> str:
    """The JSON text, with a line end."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """The JSON text piece by piece."""
    begin = "{\n"
    for key, part in _parts(report).items():
        yield f'{begin}  "{key}": '
        begin = ",\n"
        if isinstance(part, Iterator):
            yield from _listed(part, _quickly if key == "comparisons" else _dumps)
        else:
            yield _dumps([part]).removeprefix("[\n  ").removesuffix("\n]")
    yield "\n}\n"


def _listed(items: Iterator[Any], dumps: Callable[[Any], str]) -> Iterator[str]:
    """The text of a list that is the value of a field."""
    begin = "[\n"
    while some := list(islice(items, _TOGETHER)):
        yield begin + dumps([some]).removeprefix("[\n  [\n").removesuffix("\n  ]\n]")
        begin = ",\n"
    yield "[]" if begin == "[\n" else "\n  ]"


def _dumps(data: Any) -> str:
    """Data as indented JSON.

    ``json.dumps`` indents too, but takes several times as long for that.
    """
    try:
        content = json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):  # a surrogate, too, is a ValueError
        content = json.dumps(jsontext.finite(data), ensure_ascii=False, allow_nan=False).encode()
    return jsontext.escaped(msgspec.json.format(content, indent=2).decode())


def _quickly(data: list[list[dict[str, Any]]]) -> str:
    """Comparisons as indented JSON, as ``_dumps`` writes them.

    msgspec is faster, but has its own spelling of the floats that need an exponent.
    """
    for one in data[0]:
        evidence = one["evidence"]
        one |= {key: _spelt(one[key]) for key in ("baseline_value", "candidate_value")}
        one["evidence"] = {key: _spelt(value) for key, value in evidence.items()}
        one["packages"] = _packages(tuple(one["packages"]))
    try:
        content = msgspec.json.encode(data)
    except UnicodeEncodeError:
        content = msgspec.json.encode(_whole(data))
    return jsontext.escaped(msgspec.json.format(content, indent=2).decode())


def _whole(data: Any) -> Any:
    """The data without halves of surrogate pairs, and otherwise unchanged."""
    if isinstance(data, dict):
        return {key: _whole(item) for key, item in data.items()}
    if isinstance(data, list):
        return [_whole(item) for item in data]
    return jsontext.whole(str(data)) if isinstance(data, str) else data


def _spelt(value: Any) -> Any:
    if not isinstance(value, float) or 1e-4 <= abs(value) < 1e16:
        return value
    return msgspec.Raw(repr(value).encode()) if math.isfinite(value) else None


@lru_cache(maxsize=64)
def _packages(packages: tuple[str, ...]) -> msgspec.Raw:
    """The packages that moved between two environments.

    They are the same for all figures of a pair of cells.
    """
    return msgspec.Raw(msgspec.json.encode([jsontext.whole(package) for package in packages]))


def _cells(report: Report) -> Iterator[dict[str, Any]]:
    grouped: dict[str, list[Sample]] = {}
    for sample in report.samples:
        grouped.setdefault(sample.cell.id, []).append(sample)
    return (_cell(samples, report) for samples in grouped.values())


def _cell(samples: list[Sample], report: Report) -> dict[str, Any]:
    cell = samples[0].cell
    probes: dict[str, list[Sample]] = {}
    for sample in samples:
        probes.setdefault(sample.probe, []).append(sample)
    return {
        "id": cell.id,
        **cell.values,
        "environment": samples[0].environment_id,
        "lock_hash": samples[0].lock_hash,
        "packages": dict(sorted(samples[0].packages.items())),
        "notes": list(dict.fromkeys(n for s in samples for n in s.notes)),
        "command": command(cell, report),
        "probes": {probe: _probe(group, report) for probe, group in probes.items()},
    }


def _probe(samples: list[Sample], report: Report) -> dict[str, Any]:
    statuses: dict[str, int] = {}
    for sample in samples:
        statuses[sample.status] = statuses.get(sample.status, 0) + 1
    bad = next((s for s in samples if s.reason), None)
    summaries = report.summaries[samples[0].probe][samples[0].cell]
    return {
        "n": len(samples),
        "statuses": statuses,
        "reason": numbers.plain(bad.reason) if bad else "",
        "exit_code": bad.exit_code if bad else None,
        "log": bad.log if bad else "",
        "settings": samples[0].settings,
        "facts": samples[0].facts,
        "executors": list(dict.fromkeys(s.executor for s in samples)),
        "metrics": {name: _metric(summary) | _earlier(report, samples[0], name) for name, summary in summaries.items()},
        "command": command(samples[0].cell, report, samples[0].probe),
    }


def _metric(summary: Summary) -> dict[str, Any]:
    metric = summary.metric
    return {
        "kind": metric.kind,
        "better": metric.better,
        "unit": metric.unit,
        "terms": metric.terms,
        "n": summary.n,
        "median": summary.median,
        "min": summary.low,
        "max": summary.high,
        "value": summary.shown,
        "distinct": summary.distinct,
    }


def _earlier(report: Report, sample: Sample, metric: str) -> dict[str, Any]:
    """The figures of earlier runs, where a history has any."""
    found = report.past.series(sample.cell.id, sample.probe, metric) if report.past else None
    if found is None:
        return {}
    points = [{"run": p.run, "started": p.when, "value": p.value, "n": p.n, "verdict": p.verdict} for p in found.points]
    changes = [{"index": c.index, "effect": c.effect, "low": c.low, "high": c.high, "p": c.p} for c in found.changes]
    return {"history": {"points": points, "changes": changes, "breaks": list(found.breaks)}}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    evidence = comparison.evidence
    return {
        "baseline": comparison.baseline,
        "candidate": comparison.candidate,
        "axis": comparison.axis,
        "probe": comparison.probe,
        "metric": comparison.metric,
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "gates": comparison.gates,
        "issue": comparison.issue,
        "baseline_value": comparison.baseline_value,
        "candidate_value": comparison.candidate_value,
        "packages": list(comparison.packages),
        "evidence": {
            "n": evidence.n,
            "effect": evidence.effect,
            "low": evidence.low,
            "high": evidence.high,
            "p": evidence.p,
            "p_adjusted": evidence.p_adjusted,
            "floor": evidence.floor,
            "rounds_needed": evidence.rounds_needed,
            "classification": evidence.classification,
            "steps": evidence.steps,
            "spread": evidence.spread,
        },
    }


def _beside(one: native.KerasCost) -> dict[str, Any]:
    return {
        "framework": one.cell.framework,
        "cell": one.cell.id,
        "native": one.native.id,
        "probe": one.probe,
        "speed": [
            {
                "metric": c.metric,
                "verdict": c.verdict,
                "ratio": None if c.evidence.effect is None else 1 + c.evidence.effect,
                "low": None if c.evidence.low is None else 1 + c.evidence.low,
                "high": None if c.evidence.high is None else 1 + c.evidence.high,
                "p_adjusted": c.evidence.p_adjusted,
                "reason": c.reason,
            }
            for c in one.speed
        ],
        "agreement": [
            {
                "metric": c.metric,
                "verdict": c.verdict,
                "classification": c.evidence.classification,
                "error": c.evidence.effect,
                "reason": c.reason,
            }
            for c in one.agreement
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    """A part of the matrix: ids and verdicts by Keras, in the order of the columns."""
    rows = [
        {
            "keras": name,
            "cells": [{"id": t.cell, "verdict": t.mark.name.lower(), "symbol": t.symbol} for t in tiles if t.cell],
        }
        for name, tiles in block.rows
    ]
    return {"name": block.name, "columns": [" ".join(column) for column in block.columns], "rows": rows}


def _skip(skip: Skip) -> dict[str, Any]:
    return {"cell": skip.cell.id, "status": skip.status, "reason": numbers.plain(skip.reason)}
