"""The runs of a history, and what was done with them, as text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.history.data import Added, Found, News, ProbeRun, Run
from runner.model import Status
from runner.report import numbers
from runner.report.data import EXIT_MEANINGS, Severity
from runner.util import jsontext

_HEADINGS = ("run", "began (UTC)", "set", "cells", "results", "findings", "exit code")
_NUMBERS = frozenset({3, 4, 5, 6})
_MOST_FINDINGS = 20


def listed(runs: Sequence[Run]) -> list[str]:
    """A table with a line per run, oldest first, and a line that counts them."""
    rows = [_HEADINGS, *(_row(run) for run in runs)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADINGS))]
    lines = ["  ".join(_padded(text, n, widths[n]) for n, text in enumerate(row)) for row in rows]
    return [*(line.rstrip() for line in lines if runs), _count(len(runs), "run")]


def _padded(text: str, column: int, width: int) -> str:
    return f"{text:>{width}}" if column in _NUMBERS else f"{text:<{width}}"


def _row(run: Run) -> tuple[str, ...]:
    began = numbers.plain(run.started).replace("T", " ")[:16]
    counts = (str(run.cells), f"{run.samples:,}", str(run.findings), str(run.exit_code))
    return (run.id, began, numbers.plain(run.set_name) or "-", *counts)


def shown(run: Run, hosts: Sequence[str], outcomes: Sequence[ProbeRun], news: News) -> list[str]:
    """One run: where it ran, how its cells ended, and what is new in it."""
    meaning = EXIT_MEANINGS.get(run.exit_code, "unknown")
    lines = [
        f"run {run.id} of {numbers.plain(run.set_name) or 'no set'}, {numbers.plain(run.started)}",
        f"{_count(run.cells, 'cell')}, {_count(run.samples, 'result')}; exit code {run.exit_code}: {meaning}",
        *([f"measured on {', '.join(map(numbers.plain, hosts))}"] if hosts else []),
        *([f"arguments: {numbers.plain(run.invocation)}"] if run.invocation else []),
        f"processes: {_statuses(outcomes)}",
    ]
    before = f"run {news.before.id}" if news.before else "no earlier run of the set"
    lines += ["", f"Findings against {before}: {len(news.new)} new, {len(news.lasting)} lasting, {len(news.gone)} gone"]
    for word, found in (("NEW", news.new), ("LASTS", news.lasting), ("GONE", news.gone)):
        ordered = sorted(found, key=lambda one: (Severity[one.severity.upper()], one.text))
        lines += [_finding(word, one) for one in ordered[:_MOST_FINDINGS]]
        if len(ordered) > _MOST_FINDINGS:
            lines.append(f"       and {len(ordered) - _MOST_FINDINGS} more (--json has all)")
    return lines


def _finding(word: str, found: Found) -> str:
    label = Severity[found.severity.upper()].label
    since = f" ({numbers.plain(found.since)})" if found.since else ""
    return f"{word:<6} {label:<9} {numbers.plain(found.text)}{since}"


def _statuses(outcomes: Iterable[ProbeRun]) -> str:
    """How many probes of cells ended in each way: ``12 ok, 2 import-failed``."""
    counts = Counter(one.status for one in outcomes)
    ordered = sorted(counts.items(), key=lambda item: (item[0] != Status.OK, -item[1], item[0]))
    return ", ".join(f"{number} {numbers.plain(status)}" for status, number in ordered) or "none"


def runs_json(runs: Iterable[Run]) -> str:
    """The runs for programs."""
    return jsontext.dumps({"schema": 1, "runs": [asdict(run) for run in runs]})


def run_json(run: Run, hosts: Sequence[str], outcomes: Sequence[ProbeRun], news: News, verdicts: Sequence[Any]) -> str:
    """One run for programs: all that the history has of it but its figures."""
    content = {
        "schema": 1,
        "run": asdict(run),
        "hosts": list(hosts),
        "before": news.before.id if news.before else None,
        "findings": {
            word: [asdict(found) for found in some]
            for word, some in (("new", news.new), ("lasting", news.lasting), ("gone", news.gone))
        },
        "outcomes": [asdict(one) for one in outcomes],
        "verdicts": list(verdicts),
    }
    return jsontext.dumps(content)


def added(where: str, done: Added) -> str:
    """What was done with the results of one folder, in one line."""
    if not done.run:
        return f"{numbers.plain(where)}: no results to keep"
    if not done.new:
        return f"{numbers.plain(where)}: nothing new, all of it is in run {done.run}"
    what = "new run" if done.created else "run has grown:"
    known = f", {done.known:,} known already" if done.known else ""
    return f"{numbers.plain(where)}: {what} {done.run}, {_count(done.new, 'new result')}{known}"


def pruned(count: int, left: Sequence[Run], path: Path) -> str:
    """What a clean-up removed, in one line."""
    return f"{_count(count, 'run')} removed, {len(left)} left in {path}"


def exported(count: int, path: Path) -> str:
    """What was exported, in one line."""
    return f"{_count(count, 'figure')} written to {path}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
