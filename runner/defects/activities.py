"""Turns samples of the probes of activities into defects.

Such a probe tries one promise per case, so a defect's name is the promise that does not hold. Cases of one probe that
fail in the same cells with the same message share a cause, and so a defect.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.defects import cases, cells, signatures
from runner.defects.cases import Case, Run
from runner.defects.defect import Defect
from runner.matrix import probes
from runner.model import Cell, Sample

KINDS = {
    "crashes": ("kills the process", 10),
    "wrong": ("is not so", 7),
    "raises": ("raises", 6),
    "accepts": ("is accepted without a word", 3),
    "unclear": ("is refused by an unrelated error", 3),
}
"""Status of a case -> its words and its severity (10: worst)."""

CHANGED = ("draws changed", 1)
"""Of a case that returns numbers, which no reference can know: they are others in a later release."""


EVERYWHERE = ""
RETRACTED = {
    ("stateless_apply_agrees", "tensorflow"): "TensorFlow refuses stateless_apply in words",
    (
        "a_shuffle_of_a_stream_is_warned_of",
        EVERYWHERE,
    ): "no document promises it, and the shuffle is ignored by design",
}
"""Promises that a probe made once and that nobody makes, on a framework or everywhere, with the reason.

Their stored results are left out.
"""

ACCEPTED = ": accepted without a word"
"""What a cell notes where Keras should have refused something."""

UNRELATED = ": refused by "
"""What it notes where Keras refused it by accident: an AttributeError somewhere inside."""


@dataclass(frozen=True, slots=True)
class _BrokenCase:
    """A case that fails in one way.

    ``bad`` are the cells (indices) that show it, ``good`` those in which it is right.
    """

    probe: str
    ident: str
    kind: str
    signature: str
    bad: frozenset[int]
    good: frozenset[int]
    observed: Mapping[int, str]


def defects(samples: Iterable[Sample]) -> list[Defect]:
    """All defects that the first sample of each cell and activity shows."""
    by_probe: dict[str, list[Sample]] = defaultdict(list)
    known = probes.activities()
    for sample in samples:
        if sample.probe in known:
            by_probe[sample.probe].append(sample)
    return [defect for probe, found in by_probe.items() for defect in _of_probe(probe, found)]


def _of_probe(probe: str, samples: Sequence[Sample]) -> list[Defect]:
    runs = [of_cell[0] for of_cell in cases.runs(samples, probe)]
    groups: dict[tuple[str, str, frozenset[int]], list[_BrokenCase]] = defaultdict(list)
    for broken in _broken(probe, runs):
        groups[broken.kind, broken.signature, broken.bad].append(broken)
    samples = [run.sample for run in runs]
    changed: dict[frozenset[int], list[_BrokenCase]] = defaultdict(list)
    for case in _changed(probe, runs):
        changed[case.bad].append(case)
    return [
        *(_defect(group, samples, *KINDS[group[0].kind]) for group in groups.values()),
        *(_defect(group, samples, *CHANGED) for group in changed.values()),
    ]


def _changed(probe: str, runs: Sequence[Run]) -> Iterable[_BrokenCase]:
    """Cases whose numbers differ in older releases, all else being equal.

    Releases of Keras, or of the framework.
    """
    for axis in ("keras", "version"):
        older: dict[str, tuple[dict[int, str], set[int]]] = defaultdict(lambda: ({}, set()))
        lines: dict[Cell, list[int]] = defaultdict(list)
        for i, run in enumerate(runs):
            lines[replace(run.cell, **{axis: ""})].append(i)
        for line in lines.values():
            line.sort(key=lambda i: cells.version_key(getattr(runs[i].cell, axis)))
            for ident, last in runs[line[-1]].cases.items():
                if last.status != "seen" or not isinstance(last.sketch, list):
                    continue
                for i in line:
                    case = runs[i].cases.get(ident)
                    if case is not None and case.status == "seen":
                        if alike(case.sketch, last.sketch):
                            older[ident][1].add(i)
                        else:
                            older[ident][0][i] = f"was {_values(case)}, is {_values(last)}"
        for ident, (bad, good) in older.items():
            if bad:
                yield _BrokenCase(probe, ident, "changed", "", frozenset(bad), frozenset(good), bad)


def alike(one: object, other: object) -> bool:
    """Whether two sketches are the same numbers, but for rounding."""
    if not (isinstance(one, list) and isinstance(other, list)) or len(one) != len(other):
        return one == other
    size = max((abs(v) for v in (*one, *other) if isinstance(v, int | float)), default=0.0)
    return all(
        x == y or (isinstance(x, int | float) and isinstance(y, int | float) and abs(x - y) <= LOOSE * size)
        for x, y in zip(one, other, strict=True)
    )


LOOSE = 1e-4
"""Relative difference below which drawn numbers are the same."""


def _values(case: Case) -> str:
    return str(case.sketch[1:] if isinstance(case.sketch, list) else case.sketch)


def _broken(probe: str, runs: Sequence[Run]) -> Iterable[_BrokenCase]:
    by_case: dict[str, dict[int, Case]] = defaultdict(dict)
    for i, run in enumerate(runs):
        for ident, case in run.cases.items():
            name = ident.partition("(")[0]
            if not RETRACTED.keys() & {(name, EVERYWHERE), (name, run.cell.framework)}:
                by_case[ident][i] = case
    for ident, by_cell in by_case.items():
        good = frozenset(i for i, case in by_cell.items() if case.right)
        ways: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for i, case in by_cell.items():
            if case.status in KINDS:
                ways[_kind(case), signature(case)][i] = case.note
        for (kind, text), observed in ways.items():
            # what nobody can do may be asked wrongly
            if good or kind != "raises":
                yield _BrokenCase(probe, ident, kind, text, frozenset(observed), good, observed)


def _kind(case: Case) -> str:
    """What is wrong, by the status and the words of the note."""
    if case.status != "wrong":
        return case.status
    return "accepts" if ACCEPTED in case.note else "unclear" if UNRELATED in case.note else "wrong"


def signature(case: Case) -> str:
    """What cases of one cause share: the message, without what varies."""
    return (signatures.message(case.note) or case.note[:80]) if case.status == "raises" else case.note[:80]


def _defect(group: Sequence[_BrokenCase], samples: Sequence[Sample], words: str, severity: int) -> Defect:
    members = sorted(group, key=lambda broken: (-len(broken.good), len(broken.ident), broken.ident))
    first = members[0]
    shown = samples[at := cells.newest(first.bad, samples)]
    promises = shown.details.get("promises")
    promise = promises.get(first.ident, first.ident) if isinstance(promises, dict) else first.ident
    scripts = shown.details.get("scripts")
    script = scripts.get(first.ident, "") if isinstance(scripts, dict) else ""
    more = f" and {len(members) - 1} more" if len(members) > 1 else ""
    related = {samples[i].cell.framework for i in first.bad}
    return cells.defect(
        f"{first.probe}: {promise}{more}",
        words,
        severity,
        first.bad,
        first.good,
        samples,
        op=f"{first.probe}: {name(first.ident)}",
        kind=words,
        pattern="",
        cases=tuple(m.ident for m in members),
        observed=first.observed[at],
        script=f"# Seen with {cells.versions(shown.cell)}.\n{script}" if script else cells.measuring(shown),
        signatures=_signatures(first, promise, [m.ident for m in members]),
        untried=cells.briefly(
            sample.cell
            for sample in samples
            if sample.cell.framework in related and first.ident not in sample.details.get("cases", {})
        ),
    )


def _signatures(broken: _BrokenCase, promise: str, idents: Sequence[str]) -> tuple[str, ...]:
    """What defects of one cause share.

    An exception's message; what is accepted, by its class; an argument that does not come back; of other promises the
    classes that they name, each with the figure that is wrong.
    """
    note = next(iter(broken.observed.values()))
    if broken.kind == "raises":
        return (broken.signature,)
    if broken.kind == "accepts":
        return (f"accepts {found[1]}",) if (found := re.match(r"(?:\w+\.)*([A-Z]\w+)\(", note)) else ()
    if refused := re.search(r": refused by (\w+: .*)", note):
        return (text,) if (text := signatures.message(refused[1])) else ()
    back = {name for ident in idents for name in configured(ident)} if _BACK.search(promise) else set()
    figure, expected, _ = note.partition(": expected ")
    about = {signatures.ABOUT + found[1]} if (found := _ABOUT.match(promise)) else set()
    if expected and _SEEN_BY_FIT.search(figure):
        about.add(signatures.FIT)
    words = [word for word in figure.split() if word not in ("the", "a", "whether")]
    named = {f"{kind} {words[0]}" for kind in _CLASS.findall(promise)} if expected and words else set()
    return tuple(sorted(back | named | about))


_ABOUT = re.compile(
    r"(?!(?:All|An|Draws|Each|Every|Metrics|Models|Python|The|Two|Variables|Weights|What|With)\b)"
    r"(?!(?:\w+\.)*(?:compute_output_\w+|(?:from|get)_config|(?:load|save)_\w+)\b)"  # what every layer or model has
    r"(?:\w+\.)*([A-Z]\w*[a-z]\w*|[a-z]+(?:_[a-z]+)+)\b(?![:=])"
)
"""The class or function that a promise begins with."""

_SEEN_BY_FIT = re.compile(r"\b(val_)?loss(es)?\b|\b(batches|samples|last line|history)\b")
"""A figure that is wrong where fit sees other data than it should, or averages wrongly."""

_BACK = re.compile(r"config|loaded|JSON|trains on")
"""A promise that something comes back as it was."""


def configured(text: str) -> set[str]:
    """The classes that a text makes, each with its arguments.

    >>> configured("loss=keras.losses.Huber(delta=0.3)")
    {'configuration Huber delta'}
    """
    calls = re.findall(r"\b([A-Z]\w+)\(([^()]*)\)", text)
    return {f"configuration {kind} {name}" for kind, given in calls for name in re.findall(r"\b(\w+)=", given)}


_CLASS = re.compile(r"\b[A-Z]\w*[a-z]\w*[A-Z]\w*")
"""The name of a class that says enough: ``LossScaleOptimizer``."""


def name(ident: str) -> str:
    """The function of a case.

    >>> name("clone_function_sees_every_layer(recursive=True)")
    'clone_function_sees_every_layer'
    """
    return ident.partition("(")[0]
