"""Samples of the ``training`` probe -> defects.

A scenario says of a cell whether all its figures are right, or which are not. Cells in which one scenario gives the
same wrong figures share a defect, and so do scenarios about one promise that are wrong in the same cells.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.defects import cells as where
from runner.defects.defect import Defect
from runner.model import Sample, Status

PROBE = "training"

KINDS = {"wrong": ("wrong", 8), "nan": ("not a number", 8), "raises": ("raises", 6)}
"""Outcome of a figure -> what a reader calls it, and how grave it is (10: worst)."""

REPORTED = 6
"""How grave it is where only what is reported is wrong, and the weights are right."""

SUBJECTS = {
    r"batch\.train(_\w+)?": "train_on_batch",
    r"batch\.test": "test_on_batch",
    r"(\w+)\.steps_per_execution_\d+": "steps_per_execution",
    r"partial\.outputs|outputs\.\w+": "several outputs",
    r"partial\.\w+": "a partial last batch",
    r"(fit|update)\.accumulation\w*": "gradient accumulation",
    r"fit\.ema\w*": "EMA",
    r"fit\.(mask\w*|time_steps)": "masks",
    r"(fit|update)\.weight_decay\w*": "weight decay",
    r"update\.(clip\w+|global_clipnorm)": "clipping",
    r"sparse\.(\w*clipnorm)": "clipping of sparse gradients",
    r"sparse\.(\w+)": "{} with sparse gradients",
    r"fit\.batch_normalization\w*": "BatchNormalization",
    r"fit\.(class_weight\w*)": "class weights",
    r"fit\.(sample_weight|validation_weight|reduction_weighted_mean)": "sample weights",
    r"fit\.(activity_regularizer|regularizers)": "{}",
    r"fit\.loss_scale_\w+": "loss scaling",
    r"mixed\.(\w+)": "mixed_{}",
    r"optimizer\.([A-Za-z]+)_\d+|fit\.([A-Z][A-Za-z]+)": "{}",
    r"evaluate\.\w+": "evaluate",
    r"data\.(\w+)": "data as {}",
}
"""Pattern of a scenario's name -> what it is about; the first that matches the whole name. Others are themselves."""

LOOSE = 1e-3
"""Relative difference below which two wrong figures are the same wrong figure."""


@dataclass(frozen=True, slots=True)
class _Finding:
    scenario: str
    kind: str
    figures: tuple[str, ...]
    bad: frozenset[int]
    good: frozenset[int]
    observed: Mapping[int, str]


def defects(samples: Iterable[Sample]) -> list[Defect]:
    """All defects that the ``training`` samples show; of a cell that ran several times, its first process."""
    firsts: dict[str, Sample] = {}
    for sample in samples:
        if sample.probe == PROBE and sample.status is Status.OK and isinstance(sample.details.get("cases"), dict):
            firsts.setdefault(sample.cell.id, sample)
    runs = list(firsts.values())
    found = [finding for scenario, by_cell in _scenarios(runs).items() for finding in _findings(scenario, by_cell)]
    groups: dict[tuple[str, str, frozenset[int]], list[_Finding]] = defaultdict(list)
    for finding in _explained(found):
        groups[_cause(finding), finding.kind, finding.bad].append(finding)
    return [_defect(group, runs) for group in groups.values()]


def _scenarios(runs: Sequence[Sample]) -> dict[str, dict[int, dict[str, list[Any]]]]:
    """Scenario -> cell -> figure -> record."""
    found: dict[str, dict[int, dict[str, list[Any]]]] = defaultdict(lambda: defaultdict(dict))
    for i, sample in enumerate(runs):
        for ident, record in sample.details["cases"].items():
            match = re.fullmatch(r"([\w.]+)\(([\w.]+)\)", ident)
            if match and isinstance(record, list) and len(record) >= 5 and isinstance(record[0], str):
                found[match[1]][i][match[2]] = record
    return found


def _findings(scenario: str, by_cell: Mapping[int, Mapping[str, list[Any]]]) -> list[_Finding]:
    """One finding per way in which the scenario is wrong, and the cells that share it."""
    good: set[int] = set()
    ways: list[tuple[list[int], dict[str, list[Any]]]] = []
    for i, figures in by_cell.items():
        wrong = {name: record for name, record in figures.items() if record[0] in KINDS}
        if not wrong:
            if any(record[0] == "ok" for record in figures.values()):
                good.add(i)
            continue
        for cells, seen in ways:
            if _alike(seen, wrong):
                cells.append(i)
                break
        else:
            ways.append(([i], wrong))
    found = []
    for cells, wrong in ways:
        kind = max((record[0] for record in wrong.values()), key=lambda k: KINDS[k][1])
        observed = {i: _observed(by_cell[i]) for i in cells}
        found.append(_Finding(scenario, kind, tuple(wrong), frozenset(cells), frozenset(good), observed))
    return found


def _alike(one: Mapping[str, list[Any]], other: Mapping[str, list[Any]]) -> bool:
    """Whether the same figures are wrong in the same way."""
    return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    if one[0] != other[0]:
        return False
    if one[0] == "raises":
        return _message(str(one[4])) == _message(str(other[4]))
    a, b = one[2], other[2]
    if not (isinstance(a, list) and isinstance(b, list)) or len(a) != len(b):
        return bool(a == b)
    size = max((abs(v) for v in (*a, *b) if isinstance(v, int | float) and math.isfinite(v)), default=0.0)
    return all(_close(x, y, LOOSE * size) for x, y in zip(a, b, strict=True))


def _close(x: object, y: object, bound: float) -> bool:
    return x == y or (isinstance(x, int | float) and isinstance(y, int | float) and math.isclose(x, y, abs_tol=bound))


def _message(text: str) -> str:
    """A message without what varies: addresses, numbers, names of scopes."""
    return re.sub(r"0x[0-9a-f]+|\d+|'[^']*'", "", text)[:80]


def _observed(figures: Mapping[str, list[Any]]) -> str:
    shown = [f"{name}: {record[4]}" for name, record in figures.items() if record[0] in KINDS]
    return "; ".join(dict.fromkeys(shown[-1:] + shown[:2]))


def _explained(found: Sequence[_Finding]) -> Iterable[_Finding]:
    """Without what the plainest scenario explains: where that is wrong, all others are wrong with it."""
    plain = [finding for finding in found if finding.scenario == "fit.basic"]
    for finding in found:
        if not any(finding.kind == one.kind and finding.bad <= one.bad and finding is not one for one in plain):
            yield finding


def subject(scenario: str) -> str:
    """What a scenario is about, in a reader's words.

    >>> subject("optimizer.Adam_2"), subject("sparse.Adam"), subject("fit.frozen")
    ('Adam', 'Adam with sparse gradients', 'fit.frozen')
    """
    for pattern, words in SUBJECTS.items():
        match = re.fullmatch(pattern, scenario)
        if match:
            return words.format(next((g for g in match.groups() if g), ""))
    return scenario


def _cause(finding: _Finding) -> str:
    """What findings of one defect share besides their cells: the exception's message, or the subject."""
    if finding.kind == "raises":
        return _message(next(iter(finding.observed.values())).partition(": ")[2])
    return subject(finding.scenario)


def _defect(group: Sequence[_Finding], runs: Sequence[Sample]) -> Defect:
    members = sorted(group, key=lambda f: (not _script(f, runs), len(_script(f, runs))))
    simplest = members[0]
    bad, good = simplest.bad, frozenset.intersection(*(f.good for f in group)) or simplest.good
    cells, fine = [runs[i].cell for i in sorted(bad)], [runs[i].cell for i in sorted(good)]
    what, severity = _what(group, *KINDS[simplest.kind])
    names = sorted(f.scenario for f in members)
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    op = ", ".join(dict.fromkeys(subject(f.scenario) for f in members))
    op = op if op == listed else f"{op} ({listed})"
    return where.defect(
        f"training, {op}",
        what,
        severity,
        (cells, fine, [s.cell for s in runs]),
        op=f"training: {op}",
        kind=what,
        pattern="",
        cases=tuple(f.scenario for f in members),
        observed=simplest.observed[where.newest(bad, runs)],
        script=_script(simplest, runs),
        packages=where.packages(bad, good, runs),
    )


def _what(group: Sequence[_Finding], words: str, severity: int) -> tuple[str, int]:
    """What is wrong in words, and how grave it is."""
    if group[0].kind == "raises":
        return words, severity
    names = sorted({name.removeprefix("running.") for finding in group for name in finding.figures})
    if "weights" in names:
        return f"{words} {', '.join(names)}", severity
    return f"{words} {', '.join(names)} as reported", REPORTED


def _script(finding: _Finding, runs: Sequence[Sample]) -> str:
    """The script that the newest of the bad cells left, or that of any other."""
    newest = where.newest(finding.bad, runs)
    for i in (newest, *sorted(finding.bad)):
        scripts = runs[i].details.get("scripts")
        if isinstance(scripts, dict) and (text := scripts.get(finding.scenario)):
            return f"# Seen with {where.versions(runs[i].cell)}.\n{text}"
    return ""
