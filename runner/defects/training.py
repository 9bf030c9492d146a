"""Turns samples of the ``training`` probe into defects.

A scenario has one record per figure. Cells in which one scenario gives the same wrong figures share a defect, and so
do scenarios about one promise that are wrong in the same cells.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.defects import cases, cells, signatures, training_script
from runner.defects.cases import Case, Run
from runner.defects.defect import Defect
from runner.model import Sample

PROBE = "training"

KINDS = {"wrong": ("wrong", 9), "nan": ("not a number", 9), "raises": ("raises", 7)}
"""Status of a figure -> its words and its severity (10: worst)."""

REPORTED = 7
"""The severity where reported figures are wrong and the weights are right."""

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
class _WrongScenario:
    """A scenario and one set of wrong figures, with the cells (indices) that show it."""

    scenario: str
    kind: str
    figures: tuple[str, ...]
    bad: frozenset[int]
    good: frozenset[int]
    observed: Mapping[int, str]


def defects(samples: Iterable[Sample]) -> list[Defect]:
    """All defects that the first ``training`` sample of each cell shows."""
    runs = [of_cell[0] for of_cell in cases.runs(samples, PROBE)]
    found = [wrong for scenario, by_cell in _scenarios(runs).items() for wrong in _wrong(scenario, by_cell)]
    groups: dict[tuple[str, str, frozenset[int]], list[_WrongScenario]] = defaultdict(list)
    for wrong in _unexplained(found):
        groups[_cause(wrong), wrong.kind, wrong.bad].append(wrong)
    samples_of = [run.sample for run in runs]
    return [_defect(group, samples_of) for group in groups.values()]


def _scenarios(runs: Sequence[Run]) -> dict[str, dict[int, dict[str, Case]]]:
    """Scenario -> cell -> figure -> record."""
    found: dict[str, dict[int, dict[str, Case]]] = defaultdict(lambda: defaultdict(dict))
    for i, run in enumerate(runs):
        for ident, case in run.cases.items():
            if match := re.fullmatch(r"([\w.]+)\(([\w.]+)\)", ident):
                found[match[1]][i][match[2]] = case
    return found


def _wrong(scenario: str, by_cell: Mapping[int, Mapping[str, Case]]) -> list[_WrongScenario]:
    """Every set of wrong figures that the scenario gives, with its cells."""
    good: set[int] = set()
    ways: list[tuple[list[int], dict[str, Case]]] = []
    for i, figures in by_cell.items():
        wrong = {name: case for name, case in figures.items() if case.status in KINDS}
        if not wrong:
            if any(case.status == "ok" for case in figures.values()):
                good.add(i)
            continue
        for bad, seen in ways:
            if _alike(seen, wrong):
                bad.append(i)
                break
        else:
            ways.append(([i], wrong))
    found = []
    for bad, wrong in ways:
        kind = max((case.status for case in wrong.values()), key=lambda k: KINDS[k][1])
        observed = {i: _observed(by_cell[i]) for i in bad}
        found.append(_WrongScenario(scenario, kind, tuple(wrong), frozenset(bad), frozenset(good), observed))
    return found


def _alike(one: Mapping[str, Case], other: Mapping[str, Case]) -> bool:
    """Whether the same figures are wrong in the same way."""
    return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)


def _same(one: Case, other: Case) -> bool:
    """Whether messages are equal, or sketches within ``LOOSE`` of the largest number."""
    if one.status != other.status:
        return False
    if one.status == "raises":
        return _message(one.note) == _message(other.note)
    a, b = one.sketch, other.sketch
    if not (isinstance(a, list) and isinstance(b, list)) or len(a) != len(b):
        return a == b
    size = max((abs(v) for v in (*a, *b) if isinstance(v, float)), default=0.0)
    return all(_close(x, y, LOOSE * size) for x, y in zip(a, b, strict=True))


def _close(x: float | str, y: float | str, bound: float) -> bool:
    return x == y or (isinstance(x, float) and isinstance(y, float) and math.isclose(x, y, abs_tol=bound))


def _message(text: str) -> str:
    """A message without what varies; all of it where nothing else is left."""
    return signatures.message(text) or text[:80]


def _observed(figures: Mapping[str, Case]) -> str:
    """The notes of the last wrong figure (the weights, if wrong) and the first two."""
    shown = [f"{name}: {case.note}" for name, case in figures.items() if case.status in KINDS]
    return "; ".join(dict.fromkeys(shown[-1:] + shown[:2]))


def _unexplained(found: Sequence[_WrongScenario]) -> Iterable[_WrongScenario]:
    """Leave out what the plainest scenario explains: with it, all others are wrong."""
    plain = [wrong for wrong in found if wrong.scenario == "fit.basic"]
    for wrong in found:
        if not any(wrong.kind == one.kind and wrong.bad <= one.bad and wrong is not one for one in plain):
            yield wrong


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


def _cause(wrong: _WrongScenario) -> str:
    """The key that the scenarios of one defect share: a message, or the subject."""
    if wrong.kind == "raises":
        return _message(next(iter(wrong.observed.values())).partition(": ")[2])
    return subject(wrong.scenario)


def _defect(group: Sequence[_WrongScenario], samples: Sequence[Sample]) -> Defect:
    members = sorted(group, key=lambda f: (not _script(f, samples), len(_script(f, samples))))
    simplest = members[0]
    bad, good = simplest.bad, simplest.good
    what, severity = _what(group, *KINDS[simplest.kind])
    names = sorted(f.scenario for f in members)
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    op = ", ".join(dict.fromkeys(subject(f.scenario) for f in members))
    op = op if op == listed else f"{op} ({listed})"
    return cells.defect(
        f"training, {op}",
        what,
        severity,
        bad,
        good,
        samples,
        op=f"training: {op}",
        kind=what,
        pattern="",
        cases=tuple(f.scenario for f in members),
        observed=simplest.observed[cells.newest(bad, samples)],
        script=_script(simplest, samples),
        signatures=(_message(simplest.observed[cells.newest(bad, samples)].partition(": ")[2]),)
        if simplest.kind == "raises"
        else ((signatures.FIT,) if "loss" in what else ()),
    )


def _what(group: Sequence[_WrongScenario], words: str, severity: int) -> tuple[str, int]:
    """What is wrong in words, and how grave it is."""
    if group[0].kind == "raises":
        return words, severity
    names = sorted({name.removeprefix("running.") for wrong in group for name in wrong.figures})
    if "weights" in names:
        return f"{words} {', '.join(names)}", severity
    return f"{words} {', '.join(names)} as reported", REPORTED


def _script(wrong: _WrongScenario, samples: Sequence[Sample]) -> str:
    """The script that the newest of the bad cells left, or that of any other."""
    newest = cells.newest(wrong.bad, samples)
    for i in (newest, *sorted(wrong.bad)):
        scripts = samples[i].details.get("scripts")
        if isinstance(scripts, dict) and (text := scripts.get(wrong.scenario)):
            return f"# Seen with {cells.versions(samples[i].cell)}.\n{training_script.decided(text)}"
    return ""
